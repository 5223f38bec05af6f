/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what several resolvers, and their views of the DNS lists, are together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "checks/dnsbl.h"
#include "dns/stats.h"

static void resolvers(void **state)
{
	struct dns_stats sum = { .questions = 1,
				 .latency = { .class = { [12] = 2 }, .sum_ms = 3 },
				 .cache_bytes = 4,
				 .servers_down = 1,
				 .rewrites = 1 };
	const struct dns_stats more = { .questions = 10,
					.answers = { [DNS_BUSY] = 20 },
					.latency = { .class = { [12] = 30 }, .sum_ms = 40 },
					.cache_bytes = 50,
					.servers_down = 2,
					.rewrites = 1 };

	(void)state;
	dns_stats_add(&sum, &more);
	assert_int_equal(sum.questions, 11);
	assert_int_equal(sum.answers[DNS_BUSY], 20);
	assert_int_equal(sum.latency.class[12], 32);
	assert_int_equal(sum.latency.sum_ms, 43);
	assert_int_equal(sum.cache_bytes, 54);
	/* These are the same servers. */
	assert_int_equal(sum.servers_down, 2);
	assert_int_equal(sum.rewrites, 1);
}

static void zones(void **state)
{
	struct dnsbl_zone_info sum[] = {
		{ .zone = "a.t", .health = DNSBL_SERVING, .since = 1, .asked = 1 },
		{ .zone = "a.t", .domains = true, .since = 1, .asked = 2, .failures = 3 },
	};
	struct dnsbl_zone_info more = { .zone = "a.t",
					.domains = true,
					.health = DNSBL_SERVING,
					.since = 5,
					.asked = 10,
					.listed = 20,
					.temporary = 30,
					.errors = 40,
					.failures = 50 };

	(void)state;
	dnsbl_zone_add(sum, 2, &more);
	assert_int_equal(sum[0].asked, 1);
	assert_int_equal(sum[1].asked, 12);
	assert_int_equal(sum[1].listed, 20);
	assert_int_equal(sum[1].temporary, 30);
	assert_int_equal(sum[1].errors, 40);
	assert_int_equal(sum[1].failures, 53);
	assert_int_equal(sum[1].health, DNSBL_UNTESTED);
	assert_int_equal(sum[1].since, 1);
	more.health = DNSBL_WORLD;
	dnsbl_zone_add(sum, 2, &more);
	assert_int_equal(sum[1].health, DNSBL_WORLD);
	assert_int_equal(sum[1].since, 5);
	strcpy(more.zone, "b.t");
	dnsbl_zone_add(sum, 2, &more);
	assert_int_equal(sum[0].asked, 1);
	assert_int_equal(sum[1].asked, 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolvers),
		cmocka_unit_test(zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
