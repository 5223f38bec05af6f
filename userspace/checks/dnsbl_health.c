/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_health.c - whether a zone is in service: everything that puts a service out or in.
 *
 * An error code, an address outside of 127.0.0.0/8 and a listing of what must not be listed put a
 * service out at once, also when a client's question shows them; silence only a few times in a row,
 * and many at once are one. What is out is tested at growing intervals.
 *
 * A zone may answer its tests and no client: each question then waits in vain, and a test would
 * bring it back at once. So that is counted apart, a test does not forget it, and it puts the
 * service out for a while of its own, which grows until clients have been answered for as long.
 *
 * Most zones know no IPv6, so that service is quiet until it has passed once: no log, no failure.
 * So are zones that are no longer in the set in force, which questions may still wait for.
 */
#include "checks/dnsbl_internal.h"

#include <stdio.h>

#include "lib/log.h"

#define ANSWERED_MAX 32 /* octets of what the log says was answered */

static const char *const family_names[DNSBL_FAMILIES] = {
	[DNSBL_IPV4] = "ipv4",
	[DNSBL_IPV6] = "ipv6",
	[DNSBL_DOMAINS] = "domains",
};

bool dnsbl_service_quiet(const struct dnsbl_service *service)
{
	return (service->family == DNSBL_IPV6 && !service->served) || !service->zone->current;
}

/* The health of the zone is that of its first service, unless only IPv6 has ever served. */
static void publish(struct dnsbl_zone *zone)
{
	const struct dnsbl_service *first = &zone->service[0];
	const struct dnsbl_service *six = zone->services > 1 ? &zone->service[1] : NULL;
	const bool serves_six = six && six->health == DNSBL_SERVING;
	const uint64_t health = serves_six && !first->served ? DNSBL_SERVING : first->health;

	if (health != zone->counters.health)
		__atomic_store_n(&zone->counters.since, dnsbl_now(zone->dnsbl), __ATOMIC_RELAXED);
	__atomic_store_n(&zone->counters.health, health, __ATOMIC_RELAXED);
	__atomic_store_n(&zone->counters.ipv6, serves_six, __ATOMIC_RELAXED);
}

static const char *answered_text(const struct dnsbl_judgement *judged, char out[ANSWERED_MAX])
{
	const uint32_t code = judged->code;

	if (judged->kind == DNSBL_KIND_ABSENT)
		return "not listed";
	if (judged->kind == DNSBL_KIND_NONE)
		return "no answer";
	if (!code)
		return "names that do not exist";
	snprintf(out, ANSWERED_MAX, "%u.%u.%u.%u", code >> 24, code >> 16 & 0xff, code >> 8 & 0xff,
		 code & 0xff);
	return out;
}

static void report_out(struct dnsbl_service *service, const struct dnsbl_judgement *judged)
{
	char answered[ANSWERED_MAX];

	service->reported = true;
	log_warning("dnsbl.zone-out", "{s:s, s:s, s:s, s:s, s:s}", "zone", service->zone->shown,
		    "service", family_names[service->family], "health",
		    dnsbl_health_name(judged->health), "asked", judged->asked, "answered",
		    answered_text(judged, answered));
}

static void report_back(struct dnsbl_service *service)
{
	if (!service->reported || !service->zone->current)
		return;
	service->reported = false;
	log_info("dnsbl.zone-back", "{s:s, s:s, s:s}", "zone", service->zone->shown, "service",
		 family_names[service->family], "health", dnsbl_health_name(service->health));
}

/* The next test of a service that is out: never later than if it were in. */
static void pause_test(struct dnsbl_service *service)
{
	const struct dnsbl *dnsbl = service->zone->dnsbl;
	const uint64_t pause = service->pause < dnsbl->interval ? service->pause : dnsbl->interval;

	service->due = dnsbl_now(dnsbl) + pause;
	if (!service->pause)
		service->pause = DNSBL_PAUSE_MIN;
	else if (service->pause * 2 <= DNSBL_PAUSE_MAX)
		service->pause *= 2;
	else
		service->pause = DNSBL_PAUSE_MAX;
}

/* Longer than the pauses of others, because the test will pass. */
static void pause_stalled(struct dnsbl_service *service)
{
	if (!service->stall)
		service->stall = DNSBL_STALL_MIN;
	else if (service->stall * 2 <= DNSBL_STALL_MAX)
		service->stall *= 2;
	else
		service->stall = DNSBL_STALL_MAX;
	service->due = dnsbl_now(service->zone->dnsbl) + service->stall;
}

void dnsbl_service_out(struct dnsbl_service *service, const struct dnsbl_judgement *judged)
{
	const bool was_in = dnsbl_in_service(service);
	const bool changed = judged->health != service->health;

	if (changed && !dnsbl_service_quiet(service))
		report_out(service, judged);
	if (was_in && !dnsbl_service_quiet(service))
		dnsbl_count(&service->zone->counters.failures);
	service->health = judged->health;
	service->mute = judged->kind == DNSBL_KIND_NONE;
	service->silences = 0;
	service->unanswered = 0;
	if (judged->health == DNSBL_STALLED)
		pause_stalled(service);
	else
		pause_test(service);
	publish(service->zone);
}

/* Without tests all are in. */
static void forget_tests(struct dnsbl_service *service)
{
	service->health = DNSBL_UNTESTED;
	service->mute = false;
	service->reported = false;
	service->silences = service->unanswered = service->pause = service->stall = 0;
	service->due = 0;
	publish(service->zone);
}

void dnsbl_service_follow(struct dnsbl_service *service)
{
	const struct dnsbl *dnsbl = service->zone->dnsbl;
	const uint64_t latest = dnsbl_now(dnsbl) + dnsbl->interval;

	if (service->due == DNSBL_NEVER)
		return;
	if (!dnsbl->interval)
		forget_tests(service);
	else if (service->due > latest && service->health != DNSBL_STALLED)
		service->due = latest;
}

void dnsbl_service_in(struct dnsbl_service *service)
{
	const uint64_t interval = service->zone->dnsbl->interval;
	const uint64_t now = dnsbl_now(service->zone->dnsbl);

	if (service->health != DNSBL_SERVING)
		service->back = now;
	else if (now - service->back >= interval)
		service->pause = 0;
	service->health = DNSBL_SERVING;
	service->served = true;
	service->mute = false;
	service->silences = 0;
	service->due = now + interval;
	report_back(service);
	publish(service->zone);
}

/* True if the service has been silent often enough. A failure stays in the cache for a while, and
 * many may wait for one answer, so silences that come fast are one. */
bool dnsbl_service_silent(struct dnsbl_service *service)
{
	const uint64_t now = dnsbl_now(service->zone->dnsbl);

	if (service->silences && now - service->silence < DNSBL_SILENCE)
		return false;
	service->silence = now;
	return ++service->silences >= DNSBL_SILENCES;
}

/* True if clients have had no answer often and long enough. */
static bool has_stalled(struct dnsbl_service *service)
{
	const uint64_t now = dnsbl_now(service->zone->dnsbl);

	if (!service->unanswered++)
		service->waited = now;
	return service->unanswered >= DNSBL_UNANSWERED &&
	       now - service->waited >= DNSBL_UNANSWERED_MS;
}

static void answered(struct dnsbl_service *service)
{
	service->silences = 0;
	service->unanswered = 0;
	if (service->stall && dnsbl_now(service->zone->dnsbl) - service->back >= service->stall)
		service->stall = 0;
}

void dnsbl_service_left(struct dnsbl_service *service)
{
	const struct dnsbl_judgement stalled = { DNSBL_STALLED, "clients", DNSBL_KIND_NONE, 0 };

	if (service->zone->dnsbl->interval && service->health == DNSBL_SERVING &&
	    has_stalled(service))
		dnsbl_service_out(service, &stalled);
}

void dnsbl_service_heard(struct dnsbl_service *service, enum dnsbl_kind kind, uint32_t code)
{
	struct dnsbl_judgement judged = { DNSBL_SILENT, "a client", kind, code };

	if (!service->zone->dnsbl->interval || service->health != DNSBL_SERVING ||
	    kind == DNSBL_KIND_BUSY)
		return;
	if (kind == DNSBL_KIND_ABSENT || kind == DNSBL_KIND_LISTED) {
		answered(service);
		return;
	}
	if (kind == DNSBL_KIND_NONE)
		dnsbl_service_left(service);
	if (!dnsbl_in_service(service))
		return;
	if (kind == DNSBL_KIND_NONE && !dnsbl_service_silent(service)) {
		service->due = service->silence; /* few clients would find out late */
		return;
	}
	if (kind != DNSBL_KIND_NONE)
		judged.health = kind == DNSBL_KIND_CODE ? DNSBL_REFUSING : DNSBL_WORLD;
	dnsbl_service_out(service, &judged);
}
