/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl.c - see checks/dnsbl.h: the zones, from rows to what is shown of them.
 */
#include "checks/dnsbl_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
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

/* ---- opening: rows with one name become one zone, and stand side by side */

static struct dnsbl_zone *find_zone(struct dnsbl *dnsbl, size_t from, const char *name)
{
	for (size_t i = from; i < dnsbl->zones; i++)
		if (strcmp(dnsbl->zone[i].name, name) == 0)
			return &dnsbl->zone[i];
	return NULL;
}

static void init_zone(struct dnsbl_zone *zone, struct dnsbl *dnsbl, const struct conf_zone *row,
		      bool domains)
{
	zone->dnsbl = dnsbl;
	zone->name = row->name;
	zone->length = strlen(row->name);
	zone->number = (uint16_t)(zone - dnsbl->zone);
	zone->domains = domains;
	zone->rows.row = row;
	zone->services = domains ? 1 : 2;
	zone->counters.since = dnsbl_now(dnsbl);
	dnsbl_service_init(&zone->service[0], zone, domains ? DNSBL_DOMAINS : DNSBL_IPV4);
	if (!domains)
		dnsbl_service_init(&zone->service[1], zone, DNSBL_IPV6);
}

/* How the zone is told from those before it that would be shown alike. No name has a "#". */
static void show(struct dnsbl *dnsbl, size_t from, struct dnsbl_zone *zone, const char *name)
{
	const size_t length = strlen(name);
	unsigned int number = 1;

	for (const struct dnsbl_zone *other = &dnsbl->zone[from]; other < zone; other++)
		number += strncmp(other->shown, name, length) == 0 &&
			  strchr("#", other->shown[length]);
	if (number > 1)
		snprintf(zone->shown, sizeof(zone->shown), "%s#%u", name, number);
	else
		snprintf(zone->shown, sizeof(zone->shown), "%s", name);
}

/* What one row hides is hidden for all of them, and in the texts of all zones. Returns the rest. */
static const char *hide_key(struct dnsbl *dnsbl, struct dnsbl_zone *zone)
{
	size_t shown = 0;
	const char *rest;

	for (size_t i = 0; i < zone->rows.count; i++)
		if (zone->rows.row[i].shown > shown)
			shown = zone->rows.row[i].shown;
	rest = zone->name + shown;
	while (shown && zone->name[shown - 1] == '.')
		shown--;
	if (shown)
		dnsbl->keys.key[dnsbl->keys.count++] = (struct dnsbl_key){ zone->name, shown };
	return rest;
}

static int32_t credit_of(const struct dnsbl_rows *rows)
{
	int32_t credit = 0;

	for (size_t i = 0; i < rows->count; i++)
		if (rows->row[i].weight < 0)
			credit += rows->row[i].weight;
	return credit;
}

static void add_list(struct dnsbl *dnsbl, const struct conf_zones *list, struct conf_zone *row,
		     bool domains)
{
	const size_t from = dnsbl->zones;

	for (size_t i = 0; list && i < list->count; i++) {
		struct dnsbl_zone *zone;

		if (find_zone(dnsbl, from, list->zone[i].name))
			continue;
		zone = &dnsbl->zone[dnsbl->zones++];
		*row = list->zone[i];
		init_zone(zone, dnsbl, row, domains);
		for (size_t other = i; other < list->count; other++)
			if (strcmp(list->zone[other].name, zone->name) == 0)
				row[zone->rows.count++] = list->zone[other];
		zone->credit = credit_of(&zone->rows);
		row += zone->rows.count;
		show(dnsbl, from, zone, hide_key(dnsbl, zone));
	}
}

int dnsbl_open(const struct dnsbl_options *options, struct dnsbl **out, struct error *err)
{
	const size_t addresses = options->addresses ? options->addresses->count : 0;
	const size_t rows = addresses + (options->domains ? options->domains->count : 0);
	struct dnsbl *dnsbl = calloc(1, sizeof(*dnsbl));

	if (dnsbl) {
		dnsbl->zone = calloc(rows + 1, sizeof(*dnsbl->zone));
		dnsbl->row = calloc(rows + 1, sizeof(*dnsbl->row));
	}
	if (!dnsbl || !dnsbl->zone || !dnsbl->row) {
		dnsbl_close(&dnsbl);
		return error_set(err, ERROR_REFUSED, "DNS lists: out of memory");
	}
	dnsbl->dns = options->dns;
	dnsbl->interval = (uint64_t)options->test_interval * MS_A_SECOND;
	dnsbl->rewrites = options->rewrites;
	dnsbl->arg = options->arg;
	dnsbl->seed = siphash_random_key();
	LIST_INIT(&dnsbl->queries);
	add_list(dnsbl, options->addresses, dnsbl->row, false);
	dnsbl->addresses = dnsbl->zones;
	add_list(dnsbl, options->domains, dnsbl->row + addresses, true);
	dnsbl_start_tests(dnsbl, dnsbl->zones * 2);
	*out = dnsbl;
	return 0;
}

/* ---- closing, perhaps by somebody who was called back */

static void free_zones(struct dnsbl *dnsbl)
{
	free(dnsbl->zone);
	free(dnsbl->row);
	free(dnsbl);
}

void dnsbl_hold(struct dnsbl *dnsbl)
{
	dnsbl->held++;
}

void dnsbl_release(struct dnsbl *dnsbl)
{
	if (!--dnsbl->held && dnsbl->closed)
		free_zones(dnsbl);
}

void dnsbl_close(struct dnsbl **dnsbl)
{
	struct dnsbl *closing = *dnsbl;
	struct dnsbl_query *query;

	*dnsbl = NULL;
	if (!closing)
		return;
	while ((query = LIST_FIRST(&closing->queries)))
		dnsbl_query_drop(query);
	for (size_t i = 0; i < closing->zones; i++)
		for (size_t j = 0; j < closing->zone[i].services; j++)
			dnsbl_service_cancel(&closing->zone[i].service[j]);
	closing->closed = true;
	dnsbl_hold(closing);
	dnsbl_release(closing);
}

/* ---- what is shown */

size_t dnsbl_zones(const struct dnsbl *dnsbl)
{
	return dnsbl->zones;
}

static uint64_t load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void dnsbl_zone(const struct dnsbl *dnsbl, size_t number, struct dnsbl_zone_info *out)
{
	const struct dnsbl_zone *zone = &dnsbl->zone[number];
	const struct dnsbl_counters *counters = &zone->counters;

	*out = (struct dnsbl_zone_info){ .domains = zone->domains,
					 .health = (enum dnsbl_health)load(&counters->health),
					 .ipv6 = load(&counters->ipv6) != 0,
					 .since = load(&counters->since),
					 .asked = load(&counters->asked),
					 .listed = load(&counters->listed),
					 .temporary = load(&counters->temporary),
					 .errors = load(&counters->errors),
					 .failures = load(&counters->failures) };
	memcpy(out->zone, zone->shown, strlen(zone->shown) + 1);
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
