/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_test.c - the tests of zones (RFC 5782 5), and when they are due.
 *
 * A test asks for an entry that must be listed, for one that must not, and for a random one: the
 * first two may come from a cache and be as old as their TTL, the third tells whether the zone
 * answers now. It begins in a tick, at the start all of them at once, and ends with the last of the
 * three answers, for which the DNS has a time-out.
 */
#include "checks/dnsbl_internal.h"

#define LISTED_IPV4  0x7f000002ul
#define ABSENT_IPV4  0x7f000001ul
#define RANDOM_IPV4  0x7f000000ul
#define RANDOM_BITS  24
#define RANDOM_LABEL 16 /* letters */

/* ---- the end of a test */

static bool take_probe(const struct dnsbl_service *service, enum dnsbl_entry entry,
		       enum dnsbl_kind kind, enum dnsbl_health health, struct dnsbl_judgement *out)
{
	static const char *const names[DNSBL_ENTRIES] = {
		[DNSBL_ENTRY_LISTED] = "an entry that must be listed",
		[DNSBL_ENTRY_ABSENT] = "an entry that must not be listed",
		[DNSBL_ENTRY_FRESH] = "a random entry",
	};
	const struct dnsbl_probe *probe = &service->probe[entry];

	if (probe->kind != kind)
		return false;
	*out = (struct dnsbl_judgement){ health, names[entry], kind, probe->code };
	return true;
}

static bool take_any_probe(const struct dnsbl_service *service, enum dnsbl_kind kind,
			   enum dnsbl_health health, struct dnsbl_judgement *out)
{
	for (int i = 0; i < DNSBL_ENTRIES; i++)
		if (take_probe(service, (enum dnsbl_entry)i, kind, health, out))
			return true;
	return false;
}

/* What the answers say together, the worst first. UNTESTED: nothing, because we did not ask. */
static struct dnsbl_judgement judge(const struct dnsbl_service *service)
{
	struct dnsbl_judgement judged = { DNSBL_WORLD, "the resolver", DNSBL_KIND_OUTSIDE, 0 };

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
	const struct dnsbl_judgement judged = judge(service);
	const bool silent = judged.kind == DNSBL_KIND_NONE && judged.health == DNSBL_SILENT;

	if (judged.health == DNSBL_SERVING) {
		dnsbl_service_in(service);
	} else if (judged.health == DNSBL_UNTESTED) {
		service->due = dnsbl_now(dnsbl) + DNSBL_AGAIN;
	} else if (silent && service->health == DNSBL_SERVING && !dnsbl_service_silent(service)) {
		service->due = dnsbl_now(dnsbl) + DNSBL_PAUSE_MIN;
	} else {
		dnsbl_service_out(service, &judged);
		if (dnsbl_service_quiet(service) && judged.kind == DNSBL_KIND_ABSENT) {
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
	struct dnsbl_zone *zone = service->zone;
	struct dnsbl *dnsbl = zone->dnsbl;

	probe->query = NULL;
	probe->kind = dnsbl_answer_kind(&zone->rows, answer, &probe->code);
	if (--service->probing)
		return;
	dnsbl_hold(dnsbl);
	dnsbl_zone_hold(zone);
	if (dnsbl->interval)
		conclude(service);
	else
		tell_waiting(service, false); /* there are no tests any more */
	dnsbl_zone_release(zone);
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
	memcpy(at, names[entry], strlen(names[entry]) + 1);
	out->length = (uint8_t)(at - out->text + (ptrdiff_t)strlen(names[entry]));
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
	const struct dnsbl_set *set = dnsbl->set;
	const uint64_t now = dnsbl_now(dnsbl);

	for (size_t i = 0; dnsbl->interval && i < set->zones; i++) {
		struct dnsbl_zone *zone = set->member[dnsbl->next_tested % set->zones].zone;

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
	const struct dnsbl_judgement judged = { DNSBL_WORLD, "the resolver", DNSBL_KIND_OUTSIDE,
						0 };
	struct dnsbl_zone *zone;

	LIST_FOREACH(zone, &dnsbl->zones, link)
	for (size_t i = 0; i < zone->services; i++)
		if (zone->service[i].health == DNSBL_SERVING)
			dnsbl_service_out(&zone->service[i], &judged);
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
		service->due = DNSBL_NEVER;
	}
}

void dnsbl_service_cancel(struct dnsbl_service *service)
{
	for (int i = 0; i < DNSBL_ENTRIES; i++)
		dns_cancel(service->zone->dnsbl->dns, &service->probe[i].query);
	service->probing = 0;
}
