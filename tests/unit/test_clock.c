/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/clock and lib/latency: the units of the clock, how long ago a moment was, and into
 * which class of a histogram that falls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/latency.h"

#define NOW (7 * NS_A_SECOND + 654321000)

static int freeze(void **state)
{
	(void)state;
	clock_freeze(1000, NOW);
	return 0;
}

static int thaw(void **state)
{
	(void)state;
	clock_freeze(0, 0);
	return 0;
}

static void units_are_whole(void **state)
{
	(void)state;
	assert_int_equal(clock_mono_seconds(), 7);
	assert_int_equal(clock_mono_ms(), 7654);
	assert_int_equal(clock_seconds_since(NOW - 2 * NS_A_SECOND + 1), 1);
	assert_int_equal(clock_seconds_since(NOW - 2 * NS_A_SECOND), 2);
	assert_int_equal(clock_ms_since(NOW - 2 * NS_A_MS + 1), 1);
	assert_int_equal(clock_ms_since(0), 7654);
}

static void what_is_to_come_was_not_long_ago(void **state)
{
	(void)state;
	assert_int_equal(clock_seconds_since(NOW + NS_A_SECOND), 0);
	assert_int_equal(clock_ms_since(NOW + 1), 0);
}

static void a_time_is_in_the_class_that_it_does_not_exceed(void **state)
{
	static const struct {
		uint64_t ms;
		size_t class;
	} rows[] = { { 0, 0 }, { 1, 0 },     { 2, 1 },     { 3, 2 },
		     { 5, 2 }, { 5000, 11 }, { 5001, 12 }, { UINT32_MAX, 12 } };
	struct latency latency = { .sum_ms = 0 };
	uint64_t sum = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint64_t before = latency.class[rows[i].class];

		latency_add(&latency, rows[i].ms);
		sum += rows[i].ms;
		assert_int_equal(latency.class[rows[i].class], before + 1);
		assert_int_equal(latency.sum_ms, sum);
	}
}

static void the_last_class_has_no_bound(void **state)
{
	(void)state;
	for (size_t i = 1; i + 1 < LATENCY_CLASSES; i++)
		assert_true(latency_bound(i) > latency_bound(i - 1));
	assert_int_equal(latency_bound(LATENCY_CLASSES - 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(units_are_whole, freeze, thaw),
		cmocka_unit_test_setup_teardown(what_is_to_come_was_not_long_ago, freeze, thaw),
		cmocka_unit_test(a_time_is_in_the_class_that_it_does_not_exceed),
		cmocka_unit_test(the_last_class_has_no_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
