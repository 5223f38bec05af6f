/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/budget.c - see dns/budget.h.
 */
#include "dns/budget.h"

#include <stdlib.h>

#define STRANGERS_NUM 3 /* of STRANGERS_DEN parts of everything: names that no zone has */
#define STRANGERS_DEN 4

struct dns_group {
	struct dns_name suffix;
	uint32_t limit, taken;
};

struct dns_budget {
	uint32_t limit, taken;
	size_t count;
	struct dns_group group[]; /* the first one is of all names that no other has */
};

static int add_zone(struct dns_budget *budget, const struct dns_options *options,
		    const struct dns_zone *zone, struct error *err)
{
	struct dns_group *group = &budget->group[budget->count];

	if (!dns_name_parse(zone->suffix, &group->suffix))
		return error_set(err, ERROR_REFUSED, "DNS: %.80s is not a name", zone->suffix);
	group->limit = zone->in_flight ? zone->in_flight : options->in_flight_zone;
	budget->count++;
	return 0;
}

int dns_budget_open(const struct dns_options *options, struct dns_budget **out, struct error *err)
{
	struct dns_budget *budget;
	int rc = 0;

	if (options->zone_count > DNS_ZONES_MAX)
		return error_set(err, ERROR_REFUSED, "DNS: more than %d zones", DNS_ZONES_MAX);
	budget = calloc(1, sizeof(*budget) + (options->zone_count + 1) * sizeof(budget->group[0]));
	if (!budget)
		return error_set(err, ERROR_REFUSED, "DNS: out of memory");
	budget->limit = options->in_flight;
	budget->count = 1;
	dns_name_parse("", &budget->group[0].suffix);
	budget->group[0].limit =
		(uint32_t)((uint64_t)options->in_flight * STRANGERS_NUM / STRANGERS_DEN);
	if (!budget->group[0].limit || !options->zone_count)
		budget->group[0].limit = options->in_flight;
	for (size_t i = 0; !rc && i < options->zone_count; i++)
		rc = add_zone(budget, options, &options->zone[i], err);
	if (rc)
		dns_budget_close(&budget);
	else
		*out = budget;
	return rc;
}

void dns_budget_close(struct dns_budget **budget)
{
	free(*budget);
	*budget = NULL;
}

static struct dns_group *group_of(struct dns_budget *budget, const struct dns_name *name)
{
	struct dns_group *found = &budget->group[0];

	for (size_t i = 1; i < budget->count; i++)
		if (budget->group[i].suffix.length > found->suffix.length &&
		    dns_name_below(name, &budget->group[i].suffix))
			found = &budget->group[i];
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
}
