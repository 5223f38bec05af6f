/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/budget.c - see dns/budget.h.
 *
 * A group that is in the table no more lives on until the last of its questions is given back.
 */
#include "dns/budget.h"

#include <stdlib.h>

#define STRANGERS_NUM 3 /* of STRANGERS_DEN parts of everything: names that no zone has */
#define STRANGERS_DEN 4

struct dns_group {
	struct dns_name suffix;
	uint32_t limit, taken;
	bool listed; /* in a table, which owns it */
};

struct dns_groups {
	size_t count;
	struct dns_group *group[DNS_ZONES_MAX];
};

struct dns_budget {
	uint32_t limit, taken;
	uint32_t limit_zone;        /* of a group for which the table has none */
	struct dns_group strangers; /* all names that no other has */
	struct dns_groups *groups;
};

/* ---- tables */

static int add_zone(struct dns_groups *groups, const struct dns_zone *zone, struct error *err)
{
	struct dns_group *group = calloc(1, sizeof(*group));

	if (!group)
		return error_set(err, ERROR_REFUSED, "DNS: out of memory");
	if (!dns_name_parse(zone->suffix, &group->suffix)) {
		free(group);
		return error_set(err, ERROR_REFUSED, "DNS: %.80s is not a name", zone->suffix);
	}
	group->limit = zone->in_flight;
	group->listed = true;
	groups->group[groups->count++] = group;
	return 0;
}

int dns_groups_new(const struct dns_zone *zone, size_t count, struct dns_groups **out,
		   struct error *err)
{
	struct dns_groups *groups;
	int rc = 0;

	if (count > DNS_ZONES_MAX)
		return error_set(err, ERROR_REFUSED, "DNS: more than %d zones", DNS_ZONES_MAX);
	groups = calloc(1, sizeof(*groups));
	if (!groups)
		return error_set(err, ERROR_REFUSED, "DNS: out of memory");
	for (size_t i = 0; !rc && i < count; i++)
		rc = add_zone(groups, &zone[i], err);
	if (rc)
		dns_groups_drop(&groups);
	else
		*out = groups;
	return rc;
}

static void leave_table(struct dns_group *group)
{
	group->listed = false;
	if (!group->taken)
		free(group);
}

void dns_groups_drop(struct dns_groups **groups)
{
	struct dns_groups *dropped = *groups;

	*groups = NULL;
	if (!dropped)
		return;
	for (size_t i = 0; i < dropped->count; i++)
		leave_table(dropped->group[i]);
	free(dropped);
}

/* ---- the budget */

int dns_budget_open(const struct dns_options *options, struct dns_budget **out, struct error *err)
{
	struct dns_groups *groups;
	struct dns_budget *budget;
	int rc = dns_groups_new(options->zone, options->zone_count, &groups, err);

	if (rc)
		return rc;
	budget = calloc(1, sizeof(*budget));
	if (!budget) {
		dns_groups_drop(&groups);
		return error_set(err, ERROR_REFUSED, "DNS: out of memory");
	}
	budget->limit = options->in_flight;
	budget->limit_zone = options->in_flight_zone;
	dns_name_parse("", &budget->strangers.suffix);
	dns_budget_replace(budget, &groups);
	*out = budget;
	return 0;
}

void dns_budget_close(struct dns_budget **budget)
{
	struct dns_groups *groups = *budget ? (*budget)->groups : NULL;

	for (size_t i = 0; groups && i < groups->count; i++)
		free(groups->group[i]);
	free(groups);
	free(*budget);
	*budget = NULL;
}

static struct dns_group **find_group(struct dns_groups *groups, const struct dns_name *suffix)
{
	for (size_t i = 0; groups && i < groups->count; i++)
		if (dns_name_equal(&groups->group[i]->suffix, suffix))
			return &groups->group[i];
	return NULL;
}

/* The group of the same names goes on, with what is charged to it; the other takes its place. */
static void keep_group(struct dns_groups *before, struct dns_group **group)
{
	struct dns_group **same = find_group(before, &(*group)->suffix);
	struct dns_group *fresh = *group;

	if (!same)
		return;
	(*same)->limit = fresh->limit;
	*group = *same;
	*same = fresh;
}

void dns_budget_replace(struct dns_budget *budget, struct dns_groups **groups)
{
	struct dns_groups *before = budget->groups;
	struct dns_group *strangers = &budget->strangers;

	budget->groups = *groups;
	*groups = NULL;
	for (size_t i = 0; i < budget->groups->count; i++) {
		struct dns_group **group = &budget->groups->group[i];

		if (!(*group)->limit)
			(*group)->limit = budget->limit_zone;
		keep_group(before, group);
	}
	dns_groups_drop(&before);
	strangers->limit = (uint32_t)((uint64_t)budget->limit * STRANGERS_NUM / STRANGERS_DEN);
	if (!strangers->limit || !budget->groups->count)
		strangers->limit = budget->limit;
}

static struct dns_group *group_of(struct dns_budget *budget, const struct dns_name *name)
{
	struct dns_group *found = &budget->strangers;

	for (size_t i = 0; i < budget->groups->count; i++) {
		struct dns_group *group = budget->groups->group[i];

		if (group->suffix.length > found->suffix.length &&
		    dns_name_below(name, &group->suffix))
			found = group;
	}
	return found;
}

struct dns_group *dns_budget_take(struct dns_budget *budget, const struct dns_name *name)
{
	struct dns_group *group = group_of(budget, name);

	if (budget->taken >= budget->limit || group->taken >= group->limit)
		return NULL;
	budget->taken++;
	group->taken++;
	return group;
}

void dns_budget_give(struct dns_budget *budget, struct dns_group *group)
{
	budget->taken--;
	group->taken--;
	if (!group->listed && !group->taken && group != &budget->strangers)
		free(group);
}
