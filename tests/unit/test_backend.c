/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_backend.c - transactions with servers that play scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/backend_fixture.h"

#define SCRIPTS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ALL_OK       "MAIL 250 2.1.0 sender; RCPT0 250 2.1.5 recipient; MESSAGE 250 2.0.0 queued; "

static void test_one_message(void **state)
{
	struct backend_fixture *fixture = *state;
	unsigned int features = 0;
	uint64_t size = 0;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	assert_true(backends_offer(fixture->backends, &features, &size));
	assert_int_equal(features, BACKEND_PIPELINING | BACKEND_SIZE | BACKEND_8BITMIME);
	assert_int_equal(size, 1000);
	send_one(fixture);
	check_told(fixture, ALL_OK);
	check_scripts(fixture);
	assert_string_equal(fixture->server[0].message, "Hello\r\n.\r\n");
	assert_int_equal(info_of(fixture, 0).accepted, 1);
	assert_int_equal(info_of(fixture, 0).idle, 1);
}

static void test_reuse(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	send_one(fixture);
	send_one(fixture);
	check_told(fixture, ALL_OK ALL_OK);
	check_scripts(fixture);
	assert_int_equal(info_of(fixture, 0).reused, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_message, backend_setup, backend_teardown),
		cmocka_unit_test_setup_teardown(test_reuse, backend_setup, backend_teardown),
	};

	return cmocka_run_group_tests_name("backend", tests, NULL, NULL);
}
