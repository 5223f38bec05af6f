/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of dns/budget: how many questions may be under way, of all names and of each zone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dns/budget.h"

static struct dns_budget *budget_of(const struct dns_options *options)
{
	struct dns_budget *budget = NULL;

	assert_int_equal(dns_budget_open(options, &budget, NULL), 0);
	return budget;
}

/* How many questions for the name are let through until one is refused. They stay under way. */
static size_t room_for(struct dns_budget *budget, const char *text)
{
	struct dns_name name;
	size_t count = 0;

	assert_true(dns_name_parse(text, &name));
	while (dns_budget_take(budget, &name))
		count++;
	return count;
}

static void budgets_of_zones(void **state)
{
	static const struct dns_zone zones[] = { { "bl.example", 0 },
						 { "ZEN.bl.example.", 3 },
						 { "wide.example", 1000 } };
	const struct dns_options options = {
		.in_flight = 20, .in_flight_zone = 4, .zone = zones, .zone_count = 3
	};
	struct dns_budget *budget = budget_of(&options);
	struct dns_group *group;
	struct dns_name name;

	(void)state;
	/* Strangers leave a quarter to the zones, and each zone has its own. */
	assert_int_equal(room_for(budget, "a.stranger.example"), 15);
	assert_int_equal(room_for(budget, "2.zen.BL.example"), 3);
	assert_true(dns_name_parse("1.bl.example", &name));
	group = dns_budget_take(budget, &name);
	assert_non_null(group);
	assert_int_equal(room_for(budget, "xbl.example"), 0); /* no zone: a stranger */
	assert_int_equal(room_for(budget, "wide.example"),
			 1); /* of everything there was one left */
	dns_budget_give(budget, group);
	assert_int_equal(room_for(budget, "1.bl.example"), 1);
	dns_budget_close(&budget);
}

static struct dns_group *take(struct dns_budget *budget, const char *text)
{
	struct dns_name name;

	assert_true(dns_name_parse(text, &name));
	return dns_budget_take(budget, &name);
}

static void replace_zones(struct dns_budget *budget, const struct dns_zone *zones, size_t count)
{
	struct dns_groups *groups;
	struct error err;

	assert_int_equal(dns_groups_new(zones, count, &groups, &err), 0);
	dns_budget_replace(budget, &groups);
	assert_null(groups);
}

/* What is charged to a zone stays so while it is there, and is given back when it has gone. */
static void budgets_of_other_zones(void **state)
{
	static const struct dns_zone both[] = { { "gone.example", 0 }, { "stays.example", 0 } };
	static const struct dns_zone after[] = { { "new.example", 3 }, { "STAYS.example", 0 } };
	const struct dns_options options = {
		.in_flight = 20, .in_flight_zone = 2, .zone = both, .zone_count = 2
	};
	struct dns_budget *budget = budget_of(&options);
	struct dns_group *stays = take(budget, "1.stays.example");
	struct dns_group *gone = take(budget, "1.gone.example");

	(void)state;
	replace_zones(budget, after, 2);
	assert_int_equal(room_for(budget, "2.new.example"), 3);
	assert_int_equal(room_for(budget, "2.stays.example"), 1);
	assert_int_equal(room_for(budget, "2.gone.example"), 14); /* of everything */
	dns_budget_give(budget, gone);
	assert_int_equal(room_for(budget, "2.gone.example"), 1);
	dns_budget_give(budget, stays);
	assert_int_equal(room_for(budget, "2.stays.example"), 1);
	dns_budget_close(&budget);
}

static void budgets_without_zones(void **state)
{
	const struct dns_options options = { .in_flight = 20, .in_flight_zone = 4 };
	static const struct dns_zone bad = { "a..b", 0 };
	const struct dns_options refused = { .in_flight = 20, .zone = &bad, .zone_count = 1 };
	struct dns_budget *budget = budget_of(&options), *none = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(room_for(budget, "a.stranger.example"), 20);
	dns_budget_close(&budget);
	assert_int_equal(dns_budget_open(&refused, &none, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "DNS: a..b is not a name");
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(budgets_of_zones),
		cmocka_unit_test(budgets_of_other_zones),
		cmocka_unit_test(budgets_without_zones),
	};

	return cmocka_run_group_tests_name("dns budget", tests, NULL, NULL);
}
