/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_health.c - whether a zone can be trusted (RFC 5782 5).
 *
 * A test asks for an entry that must be listed, for one that must not, and for a random one: the
 * first two may come from a cache and be as old as their TTL, the third tells whether the zone
 * answers now. An error code, an address outside of 127.0.0.0/8 and a listing of what must not be
 * listed put a service out at once, also when a client's question shows them; silence only a few
 * times in a row, and many at once are one. What is out is tested at growing intervals and comes
 * back when it has passed.
 *
 * Most zones know no IPv6, so that service is quiet until it has passed once: no log, no failure.
 */
#include "checks/dnsbl_internal.h"

#include <stdio.h>

#include "lib/log.h"

#define LISTED_IPV4  0x7f000002ul
#define ABSENT_IPV4  0x7f000001ul
#define RANDOM_IPV4  0x7f000000ul
#define RANDOM_BITS  24
#define RANDOM_LABEL 16 /* letters */

#define ANSWERED_MAX 32 /* octets of what the log says was answered */

static const char *const family_names[DNSBL_FAMILIES] = {
	[DNSBL_IPV4] = "ipv4",
	[DNSBL_IPV6] = "ipv6",
	[DNSBL_DOMAINS] = "domains",
};

/* What was found out, and by which question. */
struct judgement {
	enum dnsbl_health health;
	const char *asked;
	enum dnsbl_kind kind;
	uint32_t code;
};

/* ---- health */

static bool is_quiet(const struct dnsbl_service *service)
{
	return service->family == DNSBL_IPV6 && !service->served;
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

static const char *answered_text(const struct judgement *judged, char out[ANSWERED_MAX])
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

static void report_out(struct dnsbl_service *service, const struct judgement *judged)
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
	if (!service->reported)
		return;
	service->reported = false;
	log_info("dnsbl.zone-back", "{s:s, s:s, s:s}", "zone", service->zone->shown, "service",
		 family_names[service->family], "health", dnsbl_health_name(service->health));
}

/* The next test of a service that is out. */
static void pause_test(struct dnsbl_service *service)
{
	service->due = dnsbl_now(service->zone->dnsbl) + service->pause;
	if (!service->pause)
		service->pause = DNSBL_PAUSE_MIN;
	else if (service->pause * 2 <= DNSBL_PAUSE_MAX)
		service->pause *= 2;
	else
		service->pause = DNSBL_PAUSE_MAX;
}

static void put_out(struct dnsbl_service *service, const struct judgement *judged)
{
	const bool was_in = dnsbl_in_service(service);
	const bool changed = judged->health != service->health;

	if (changed && !is_quiet(service))
		report_out(service, judged);
	if (was_in && !is_quiet(service))
		dnsbl_count(&service->zone->counters.failures);
	service->health = judged->health;
	service->silences = 0;
	pause_test(service);
	publish(service->zone);
}

static void put_in(struct dnsbl_service *service)
{
	if (service->health == DNSBL_SERVING)
		service->pause = 0; /* it has been so for a while */
	service->health = DNSBL_SERVING;
	service->served = true;
	service->silences = 0;
	service->due = dnsbl_now(service->zone->dnsbl) + service->zone->dnsbl->interval;
	report_back(service);
	publish(service->zone);
}

/* True if the service has been silent often enough. A failure stays in the cache for a while, and
 * many may wait for one answer, so silences that come fast are one. */
static bool count_silence(struct dnsbl_service *service)
{
	const uint64_t now = dnsbl_now(service->zone->dnsbl);

	if (service->silences && now - service->silence < DNSBL_SILENCE)
		return false;
	service->silence = now;
	return ++service->silences >= DNSBL_SILENCES;
}

void dnsbl_service_heard(struct dnsbl_service *service, enum dnsbl_kind kind, uint32_t code)
{
	struct judgement judged = { DNSBL_SILENT, "a client", kind, code };

	if (!service->zone->dnsbl->interval || service->health != DNSBL_SERVING ||
	    kind == DNSBL_KIND_BUSY)
		return;
	if (kind == DNSBL_KIND_ABSENT || kind == DNSBL_KIND_LISTED) {
		service->silences = 0;
		return;
	}
	if (kind == DNSBL_KIND_NONE && !count_silence(service))
		return;
	if (kind != DNSBL_KIND_NONE)
		judged.health = kind == DNSBL_KIND_CODE ? DNSBL_REFUSING : DNSBL_WORLD;
	put_out(service, &judged);
}

/* ---- the end of a test */

static bool take_probe(const struct dnsbl_service *service, enum dnsbl_entry entry,
		       enum dnsbl_kind kind, enum dnsbl_health health, struct judgement *out)
{
	static const char *const names[DNSBL_ENTRIES] = {
		[DNSBL_ENTRY_LISTED] = "an entry that must be listed",
		[DNSBL_ENTRY_ABSENT] = "an entry that must not be listed",
		[DNSBL_ENTRY_FRESH] = "a random entry",
	};
	const struct dnsbl_probe *probe = &service->probe[entry];

	if (probe->kind != kind)
		return false;
	*out = (struct judgement){ health, names[entry], kind, probe->code };
	return true;
}

static bool take_any_probe(const struct dnsbl_service *service, enum dnsbl_kind kind,
			   enum dnsbl_health health, struct judgement *out)
{
	for (int i = 0; i < DNSBL_ENTRIES; i++)
		if (take_probe(service, (enum dnsbl_entry)i, kind, health, out))
			return true;
	return false;
}

/* What the answers say together, the worst first. UNTESTED: nothing, because we did not ask. */
static struct judgement judge(const struct dnsbl_service *service)
{
	struct judgement judged = { DNSBL_WORLD, "the resolver", DNSBL_KIND_OUTSIDE, 0 };

	if (dnsbl_misled(service->zone->dnsbl) ||
	    take_any_probe(service, DNSBL_KIND_CODE, DNSBL_REFUSING, &judged) ||
	    take_any_probe(service, DNSBL_KIND_OUTSIDE, DNSBL_WORLD, &judged) ||
	    take_probe(service, DNSBL_ENTRY_ABSENT, DNSBL_KIND_LISTED, DNSBL_WORLD, &judged) ||
	    take_any_probe(service, DNSBL_KIND_BUSY, DNSBL_UNTESTED, &judged) ||
	    take_probe(service, DNSBL_ENTRY_LISTED, DNSBL_KIND_ABSENT, DNSBL_SILENT, &judged) ||
	    take_any_probe(service, DNSBL_KIND_NONE, DNSBL_SILENT, &judged))
		return judged;
	judged.health = DNSBL_SERVING;
	return judged;
}

/* Those who wait may do anything in their callbacks, except add to the list. */
static void tell_waiting(struct dnsbl_service *service, bool known)
{
	struct dnsbl_slot *slot;

	while ((slot = TAILQ_FIRST(&service->waiting)))
		dnsbl_slot_tested(slot, known);
}

static void conclude(struct dnsbl_service *service)
{
	struct dnsbl *dnsbl = service->zone->dnsbl;
	const struct judgement judged = judge(service);
	const bool silent = judged.kind == DNSBL_KIND_NONE && judged.health == DNSBL_SILENT;

	if (judged.health == DNSBL_SERVING) {
		put_in(service);
	} else if (judged.health == DNSBL_UNTESTED) {
		service->due = dnsbl_now(dnsbl) + DNSBL_AGAIN;
	} else if (silent && service->health == DNSBL_SERVING && !count_silence(service)) {
		service->due = dnsbl_now(dnsbl) + DNSBL_PAUSE_MIN;
	} else {
		put_out(service, &judged);
		if (is_quiet(service) && judged.kind == DNSBL_KIND_ABSENT) {
			service->due = dnsbl_now(dnsbl) + dnsbl->interval;
			service->pause = 0;
		}
	}
	tell_waiting(service, !silent && judged.health != DNSBL_UNTESTED);
}

/* ---- a test */

static void on_probe(const struct dns_answer *answer, void *arg)
{
	struct dnsbl_probe *probe = arg;
	struct dnsbl_service *service = probe->service;
	struct dnsbl *dnsbl = service->zone->dnsbl;

	probe->query = NULL;
	probe->kind = dnsbl_answer_kind(&service->zone->rows, answer, &probe->code);
	if (--service->probing)
		return;
	dnsbl_hold(dnsbl);
	conclude(service);
	dnsbl_release(dnsbl);
}

static uint64_t next_random(struct dnsbl *dnsbl)
{
	dnsbl->random++;
	return siphash(&dnsbl->seed, &dnsbl->random, sizeof(dnsbl->random));
}

static void address_entry(struct dnsbl *dnsbl, enum dnsbl_family family, enum dnsbl_entry entry,
			  struct dnsbl_prefix *out)
{
	uint32_t four = entry == DNSBL_ENTRY_LISTED ? LISTED_IPV4 : ABSENT_IPV4;
	struct addr six;

	if (entry == DNSBL_ENTRY_FRESH)
		four = RANDOM_IPV4 | (uint32_t)(next_random(dnsbl) >> (64 - RANDOM_BITS));
	six = addr_from_ipv4(four);
	if (family == DNSBL_IPV4)
		dnsbl_name_ipv4(four, out);
	else
		dnsbl_name_ipv6(&six, out);
}

static void domain_entry(struct dnsbl *dnsbl, enum dnsbl_entry entry, struct dnsbl_prefix *out)
{
	static const char *const names[DNSBL_ENTRIES] = { "test", "invalid", ".invalid" };
	uint64_t bits = entry == DNSBL_ENTRY_FRESH ? next_random(dnsbl) : 0;
	char *at = out->text;

	out->domain = false;
	for (int i = 0; entry == DNSBL_ENTRY_FRESH && i < RANDOM_LABEL; i++, bits >>= 4)
		*at++ = (char)('a' + (bits & 0xf));
	strcpy(at, names[entry]);
	out->length = (uint8_t)strlen(out->text);
}

static void start_test(struct dnsbl_service *service)
{
	struct dnsbl_zone *zone = service->zone;
	struct dnsbl *dnsbl = zone->dnsbl;
	struct dnsbl_prefix prefix;
	char name[DNS_NAME_MAX + 1];

	service->probing = DNSBL_ENTRIES;
	for (int i = 0; i < DNSBL_ENTRIES; i++) {
		if (service->family == DNSBL_DOMAINS)
			domain_entry(dnsbl, (enum dnsbl_entry)i, &prefix);
		else
			address_entry(dnsbl, service->family, (enum dnsbl_entry)i, &prefix);
		dnsbl_name_join(&prefix, zone->name, zone->length, name);
		service->probe[i].query =
			dns_ask(dnsbl->dns, name, DNS_A, on_probe, &service->probe[i]);
	}
}

static bool test_if_due(struct dnsbl_service *service, uint64_t now)
{
	if (service->probing || service->due > now)
		return false;
	start_test(service);
	return true;
}

void dnsbl_start_tests(struct dnsbl *dnsbl, size_t budget)
{
	const uint64_t now = dnsbl_now(dnsbl);

	for (size_t i = 0; dnsbl->interval && i < dnsbl->zones; i++) {
		struct dnsbl_zone *zone = &dnsbl->zone[dnsbl->next_tested % dnsbl->zones];

		for (size_t j = 0; j < zone->services; j++) {
			if (!budget)
				return;
			budget -= test_if_due(&zone->service[j], now);
		}
		dnsbl->next_tested++;
	}
}

/* A resolver that answers for what does not exist puts out all that serve, and no test can pass. */
static void put_all_out(struct dnsbl *dnsbl)
{
	const struct judgement judged = { DNSBL_WORLD, "the resolver", DNSBL_KIND_OUTSIDE, 0 };

	for (size_t i = 0; i < dnsbl->zones; i++)
		for (size_t j = 0; j < dnsbl->zone[i].services; j++)
			if (dnsbl->zone[i].service[j].health == DNSBL_SERVING)
				put_out(&dnsbl->zone[i].service[j], &judged);
}

void dnsbl_tick(struct dnsbl *dnsbl)
{
	if (dnsbl->interval && dnsbl_misled(dnsbl))
		put_all_out(dnsbl);
	else
		dnsbl_start_tests(dnsbl, DNSBL_TESTS_MAX);
}

/* ---- the life of a service */

void dnsbl_service_init(struct dnsbl_service *service, struct dnsbl_zone *zone,
			enum dnsbl_family family)
{
	const size_t longest = 2 * 2 * sizeof(struct addr); /* nibbles, with a dot each */

	service->zone = zone;
	service->family = family;
	TAILQ_INIT(&service->waiting);
	for (int i = 0; i < DNSBL_ENTRIES; i++)
		service->probe[i].service = service;
	if (family == DNSBL_IPV6 && longest + zone->length > DNS_NAME_MAX) {
		service->health = DNSBL_SILENT; /* for good: there is no room for the question */
		service->due = UINT64_MAX;
	}
}

void dnsbl_service_cancel(struct dnsbl_service *service)
{
	for (int i = 0; i < DNSBL_ENTRIES; i++)
		dns_cancel(service->zone->dnsbl->dns, &service->probe[i].query);
	service->probing = 0;
}
