/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_set.c - a set of zones: made of rows of the configuration by any thread, put in
 * force by the loop's, and freed when nobody holds it.
 *
 * A new set has zones of its own; what has to be known before it is in force is not more than its
 * rows. When it is put in force it takes over, for each zone that was there before, what is known
 * of that one. So nothing can fail then.
 */
#include "checks/dnsbl_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"

/* ---- zones */

/* Nobody holds it yet. */
static struct dnsbl_zone *zone_new(const struct dnsbl_rows *rows, bool domains)
{
	struct dnsbl_zone *zone = calloc(1, sizeof(*zone) + rows->count * sizeof(zone->row[0]));

	if (!zone)
		return NULL;
	memcpy(zone->row, rows->row, rows->count * sizeof(zone->row[0]));
	zone->rows = (struct dnsbl_rows){ rows->count, zone->row };
	zone->name = zone->row[0].name;
	zone->length = strlen(zone->name);
	zone->domains = domains;
	zone->services = domains ? 1 : 2;
	dnsbl_service_init(&zone->service[0], zone, domains ? DNSBL_DOMAINS : DNSBL_IPV4);
	if (!domains)
		dnsbl_service_init(&zone->service[1], zone, DNSBL_IPV6);
	return zone;
}

void dnsbl_zone_hold(struct dnsbl_zone *zone)
{
	zone->held++;
}

void dnsbl_zone_release(struct dnsbl_zone *zone)
{
	if (--zone->held)
		return;
	if (zone->dnsbl) {
		for (size_t i = 0; i < zone->services; i++)
			dnsbl_service_cancel(&zone->service[i]);
		LIST_REMOVE(zone, link);
	}
	free(zone);
}

/* ---- rows with one name become one zone, and stand side by side */

static struct dnsbl_member *find_member(struct dnsbl_set *set, size_t from, const char *name)
{
	for (size_t i = from; i < set->zones; i++)
		if (strcmp(set->member[i].rows.row[0].name, name) == 0)
			return &set->member[i];
	return NULL;
}

/* How the zone is told from those before it that would be shown alike. No name has a "#". */
static void show(struct dnsbl_set *set, size_t from, struct dnsbl_member *member, const char *name)
{
	const size_t length = strlen(name);
	uint8_t number = 1; /* there are at most CONF_ZONES_MAX */

	for (const struct dnsbl_member *other = &set->member[from]; other < member; other++)
		if (strncmp(other->shown, name, length) == 0 && strchr("#", other->shown[length]))
			number++;
	if (number > 1)
		snprintf(member->shown, sizeof(member->shown), "%s#%u", name, number);
	else
		snprintf(member->shown, sizeof(member->shown), "%s", name);
}

/* What one row hides is hidden for all of them, and in the texts of all zones. Returns the rest. */
static const char *hide_key(struct dnsbl_set *set, const struct dnsbl_rows *rows)
{
	const char *name = rows->row[0].name;
	size_t shown = 0;
	const char *rest;

	for (size_t i = 0; i < rows->count; i++)
		if (rows->row[i].shown > shown)
			shown = rows->row[i].shown;
	rest = name + shown;
	while (shown && name[shown - 1] == '.')
		shown--;
	if (shown)
		set->keys.key[set->keys.count++] = (struct dnsbl_key){ name, shown };
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

/* The rows from `first` on that have its name, to `row` on. */
static struct dnsbl_rows take_rows(const struct conf_zones *list, size_t first,
				   struct conf_zone *row)
{
	struct dnsbl_rows rows = { 0, row };

	for (size_t i = first; i < list->count; i++)
		if (strcmp(list->zone[i].name, list->zone[first].name) == 0)
			row[rows.count++] = list->zone[i];
	return rows;
}

/* False if memory is short. */
static bool add_list(struct dnsbl_set *set, const struct conf_zones *list, struct conf_zone *row,
		     bool domains)
{
	const size_t from = set->zones;

	for (size_t i = 0; list && i < list->count; i++) {
		struct dnsbl_member *member = &set->member[set->zones];

		if (find_member(set, from, list->zone[i].name))
			continue;
		member->rows = take_rows(list, i, row);
		member->zone = zone_new(&member->rows, domains);
		if (!member->zone)
			return false;
		dnsbl_zone_hold(member->zone);
		member->number = (uint16_t)set->zones++;
		member->credit = credit_of(&member->rows);
		row += member->rows.count;
		show(set, from, member, hide_key(set, &member->rows));
	}
	return true;
}

/* ---- sets */

void dnsbl_set_hold(struct dnsbl_set *set)
{
	set->held++;
}

void dnsbl_set_release(struct dnsbl_set *set)
{
	if (--set->held)
		return;
	for (size_t i = 0; i < set->zones; i++)
		dnsbl_zone_release(set->member[i].zone);
	free(set->member);
	free(set->row);
	free(set);
}

void dnsbl_set_drop(struct dnsbl_set **set)
{
	if (*set)
		dnsbl_set_release(*set);
	*set = NULL;
}

int dnsbl_set_new(const struct conf_zones *addresses, const struct conf_zones *domains,
		  uint32_t test_interval, struct dnsbl_set **out, struct error *err)
{
	const size_t first = addresses ? addresses->count : 0;
	const size_t rows = first + (domains ? domains->count : 0);
	struct dnsbl_set *set = calloc(1, sizeof(*set));

	if (set) {
		set->held = 1;
		set->member = calloc(rows + 1, sizeof(*set->member));
		set->row = calloc(rows + 1, sizeof(*set->row));
	}
	if (!set || !set->member || !set->row || !add_list(set, addresses, set->row, false)) {
		dnsbl_set_drop(&set);
		return error_set(err, ERROR_REFUSED, "DNS lists: out of memory");
	}
	set->addresses = set->zones;
	set->address_rows = first;
	set->interval = (uint64_t)test_interval * MS_A_SECOND;
	if (!add_list(set, domains, set->row + first, true)) {
		dnsbl_set_drop(&set);
		return error_set(err, ERROR_REFUSED, "DNS lists: out of memory");
	}
	*out = set;
	return 0;
}

/* ---- what is known goes on */

/* Weights do not matter, nor the order of the rows: what an answer means is the same. */
static bool same_replies(const struct dnsbl_rows *a, const struct dnsbl_rows *b)
{
	size_t same = 0;

	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			same += conf_zone_same(&a->row[i], &b->row[j]) &&
				a->row[i].filtered == b->row[j].filtered;
	return same == a->count && a->count == b->count;
}

static struct dnsbl_zone *find_same(const struct dnsbl_set *before,
				    const struct dnsbl_member *member)
{
	for (size_t i = 0; before && i < before->zones; i++) {
		struct dnsbl_zone *zone = before->member[i].zone;

		if (zone->domains == member->zone->domains &&
		    same_replies(&before->member[i].rows, &member->rows))
			return zone;
	}
	return NULL;
}

static void add_zone(struct dnsbl_zone *zone, struct dnsbl *dnsbl)
{
	zone->dnsbl = dnsbl;
	zone->counters.since = dnsbl_now(dnsbl);
	LIST_INSERT_HEAD(&dnsbl->zones, zone, link);
}

void dnsbl_set_adopt(struct dnsbl_set *set, struct dnsbl *dnsbl, const struct dnsbl_set *before)
{
	for (size_t i = 0; i < set->zones; i++) {
		struct dnsbl_member *member = &set->member[i];
		struct dnsbl_zone *same = find_same(before, member);

		if (same) {
			dnsbl_zone_hold(same);
			dnsbl_zone_release(member->zone);
			member->zone = same;
		} else {
			add_zone(member->zone, dnsbl);
		}
		member->zone->current = true;
		memcpy(member->zone->shown, member->shown, sizeof(member->shown));
	}
}
