/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_refusals.c - the ring of refusals: what is found by the id of a session, and what
 * is not kept any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "session/smtp/refusals.h"

static struct session_refusal found[REFUSALS_SHOWN_MAX];

static void add(struct refusals *refusals, uint64_t id, unsigned int number)
{
	struct session_refusal refusal = { .id = id, .reason = "relay", .help = "" };

	snprintf(refusal.detail, sizeof(refusal.detail), "%u", number);
	refusals_add(refusals, &refusal);
}

static void by_session(void **state)
{
	struct refusals *refusals;

	(void)state;
	assert_int_equal(refusals_open(&refusals, NULL), 0);
	assert_int_equal(refusals_find(refusals, 256, found), 0);
	assert_int_equal(refusals_find(refusals, 0, found), 0);
	add(refusals, 256, 1);
	add(refusals, 512, 2);
	add(refusals, 256, 3);
	assert_int_equal(refusals_find(refusals, 256, found), 2);
	assert_string_equal(found[0].detail, "1");
	assert_string_equal(found[1].detail, "3");
	refusals_close(&refusals);
	assert_null(refusals);
}

static void last_ones(void **state)
{
	struct refusals *refusals;

	(void)state;
	assert_int_equal(refusals_open(&refusals, NULL), 0);
	for (unsigned int i = 0; i < 20; i++)
		add(refusals, 256, i);
	assert_int_equal(refusals_find(refusals, 256, found), REFUSALS_SHOWN_MAX);
	assert_string_equal(found[0].detail, "12");
	assert_string_equal(found[REFUSALS_SHOWN_MAX - 1].detail, "19");
	for (unsigned int i = 0; i < REFUSALS_KEPT - 1; i++)
		add(refusals, 512, i);
	assert_int_equal(refusals_find(refusals, 256, found), 1);
	add(refusals, 512, 0);
	assert_int_equal(refusals_find(refusals, 256, found), 0);
	refusals_close(&refusals);
}

static void nowhere(void **state)
{
	(void)state;
	add(NULL, 256, 1);
	assert_int_equal(refusals_find(NULL, 256, found), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_session),
		cmocka_unit_test(last_ones),
		cmocka_unit_test(nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
