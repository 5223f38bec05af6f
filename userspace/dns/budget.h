/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/budget.h - how many questions may be under way, all together and of each group of names.
 *
 * A zone of the table is a group; all other names are one more. So a list that has become slow uses
 * up its own budget only, and strangers, who choose what names of theirs we ask for, leave a
 * quarter of everything to the zones of the table.
 */
#ifndef POSTERN_DNS_BUDGET_H
#define POSTERN_DNS_BUDGET_H

#include "dns/name.h"
#include "dns/options.h"

struct dns_budget;
struct dns_group;

int dns_budget_open(const struct dns_options *options, struct dns_budget **out, struct error *err);
/* What was taken in groups that are in the table no more has been given back. */
void dns_budget_close(struct dns_budget **budget);

/* The group of a name whose budget has been charged with one question, or NULL if one is used up.
 */
struct dns_group *dns_budget_take(struct dns_budget *budget, const struct dns_name *name);
void dns_budget_give(struct dns_budget *budget, struct dns_group *group);

/* Takes another table over (dns_groups_new()) and nulls the pointer. What is charged to a zone of
 * both tables stays so. */
void dns_budget_replace(struct dns_budget *budget, struct dns_groups **groups);

#endif
