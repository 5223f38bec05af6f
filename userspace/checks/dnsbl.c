/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl.c - see checks/dnsbl.h: opens and closes, puts sets in force, and tells what
 * is shown of the zones.
 */
#include "checks/dnsbl_internal.h"

#include <stdlib.h>

#include "lib/counters.h"

static const char *const outcome_names[DNSBL_OUTCOMES] = {
	[DNSBL_CLEAN] = "clean", [DNSBL_LISTED] = "listed", [DNSBL_TEMPORARY] = "temporary",
	[DNSBL_ERROR] = "error", [DNSBL_OUT] = "out",
};

static const char *const health_names[DNSBL_HEALTHS] = {
	[DNSBL_UNTESTED] = "untested", [DNSBL_SERVING] = "serving", [DNSBL_SILENT] = "silent",
	[DNSBL_REFUSING] = "refusing", [DNSBL_WORLD] = "world",     [DNSBL_STALLED] = "stalled",
};

const char *dnsbl_outcome_name(enum dnsbl_outcome outcome)
{
	return outcome_names[outcome];
}

const char *dnsbl_health_name(enum dnsbl_health health)
{
	return health_names[health];
}

/* ---- opening, and other zones while it runs */

static void put_in_force(struct dnsbl *dnsbl, struct dnsbl_set *set)
{
	struct dnsbl_set *before = dnsbl->set;

	for (size_t i = 0; before && i < before->zones; i++)
		before->member[i].zone->current = false;
	dnsbl_set_adopt(set, dnsbl, before);
	pthread_mutex_lock(&dnsbl->lock);
	dnsbl->set = set;
	pthread_mutex_unlock(&dnsbl->lock);
	dnsbl->interval = set->interval;
	if (before)
		dnsbl_set_release(before);
}

int dnsbl_open(const struct dnsbl_options *options, struct dnsbl **out, struct error *err)
{
	struct dnsbl *dnsbl = calloc(1, sizeof(*dnsbl));
	struct dnsbl_set *set;
	int failed = dnsbl ? dnsbl_set_new(options->addresses, options->domains,
					   options->test_interval, &set, err)
			   : error_set(err, ERROR_REFUSED, "DNS lists: out of memory");

	if (failed) {
		free(dnsbl);
		return failed;
	}
	dnsbl->dns = options->dns;
	dnsbl->rewrites = options->rewrites;
	dnsbl->arg = options->arg;
	dnsbl->seed = siphash_random_key();
	pthread_mutex_init(&dnsbl->lock, NULL);
	LIST_INIT(&dnsbl->queries);
	LIST_INIT(&dnsbl->zones);
	put_in_force(dnsbl, set);
	dnsbl_start_tests(dnsbl, set->zones * 2);
	*out = dnsbl;
	return 0;
}

bool dnsbl_differs(const struct dnsbl *dnsbl, const struct dnsbl_set *set)
{
	const struct dnsbl_set *now = dnsbl->set;

	return !now->interval != !set->interval || now->address_rows != set->address_rows ||
	       memcmp(now->row, set->row, set->address_rows * sizeof(*set->row)) != 0;
}

/* Every test that is due begins, as at the start: a new zone counts when it has passed one. */
void dnsbl_replace(struct dnsbl *dnsbl, struct dnsbl_set **set)
{
	const uint64_t interval = dnsbl->interval;
	struct dnsbl_zone *zone;

	put_in_force(dnsbl, *set);
	*set = NULL;
	LIST_FOREACH(zone, &dnsbl->zones, link)
	for (size_t i = 0; i < zone->services && interval != dnsbl->interval; i++)
		dnsbl_service_follow(&zone->service[i]);
	dnsbl_start_tests(dnsbl, dnsbl->set->zones * 2);
}

/* ---- closing, perhaps by somebody who was called back */

static void free_dnsbl(struct dnsbl *dnsbl)
{
	pthread_mutex_destroy(&dnsbl->lock);
	free(dnsbl);
}

void dnsbl_hold(struct dnsbl *dnsbl)
{
	dnsbl->held++;
}

void dnsbl_release(struct dnsbl *dnsbl)
{
	if (!--dnsbl->held && dnsbl->closed)
		free_dnsbl(dnsbl);
}

void dnsbl_close(struct dnsbl **dnsbl)
{
	struct dnsbl *closing = *dnsbl;
	struct dnsbl_query *query;
	struct dnsbl_zone *zone;

	*dnsbl = NULL;
	if (!closing)
		return;
	while ((query = LIST_FIRST(&closing->queries)))
		dnsbl_query_drop(query);
	LIST_FOREACH(zone, &closing->zones, link)
	for (size_t i = 0; i < zone->services; i++)
		dnsbl_service_cancel(&zone->service[i]);
	dnsbl_set_release(closing->set);
	closing->closed = true;
	dnsbl_hold(closing);
	dnsbl_release(closing);
}

/* ---- what is shown */

static uint64_t load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void tell_zone(const struct dnsbl_member *member, struct dnsbl_zone_info *out)
{
	const struct dnsbl_counters *counters = &member->zone->counters;

	*out = (struct dnsbl_zone_info){ .domains = member->zone->domains,
					 .health = (enum dnsbl_health)load(&counters->health),
					 .ipv6 = load(&counters->ipv6) != 0,
					 .since = load(&counters->since),
					 .asked = load(&counters->asked),
					 .listed = load(&counters->listed),
					 .temporary = load(&counters->temporary),
					 .errors = load(&counters->errors),
					 .failures = load(&counters->failures) };
	memcpy(out->zone, member->shown, sizeof(out->zone));
}

const char *dnsbl_zone_name(const struct dnsbl *dnsbl, size_t number)
{
	return number < dnsbl->set->zones ? dnsbl->set->member[number].shown : NULL;
}

size_t dnsbl_zones(struct dnsbl *dnsbl, struct dnsbl_zone_info *out, size_t max)
{
	size_t count;

	pthread_mutex_lock(&dnsbl->lock);
	count = dnsbl->set->zones < max ? dnsbl->set->zones : max;
	for (size_t i = 0; i < count; i++)
		tell_zone(&dnsbl->set->member[i], &out[i]);
	pthread_mutex_unlock(&dnsbl->lock);
	return count;
}

/* How bad it is: one that has not been tested may be well. */
static int badness(enum dnsbl_health health)
{
	if (health == DNSBL_SERVING)
		return 0;
	return health == DNSBL_UNTESTED ? 1 : 2;
}

void dnsbl_zone_add(struct dnsbl_zone_info *zones, size_t count, const struct dnsbl_zone_info *more)
{
	struct dnsbl_zone_info *sum = zones;

	while (sum < zones + count &&
	       (sum->domains != more->domains || strcmp(sum->zone, more->zone) != 0))
		sum++;
	if (sum == zones + count)
		return;
	if (badness(more->health) > badness(sum->health)) {
		sum->health = more->health;
		sum->since = more->since;
	}
	counters_add(&sum->asked, &more->asked,
		     sizeof(*sum) - offsetof(struct dnsbl_zone_info, asked));
}
