/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_backend_xclient.c - XCLIENT commands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/xclient.h"

#define ALL "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"

static const struct backend_client somebody = {
	.addr = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } },
	.local = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
	.port = 40000,
	.local_port = 25,
	.name = "mx.example",
	.helo = "helo.example",
	.esmtp = true,
	.login = "me@d.example",
};

static unsigned int attributes(const char *text)
{
	return xclient_attributes(text, strlen(text));
}

static void check(const struct backend_client *client, const char *announced, const char *expected)
{
	char line[XCLIENT_LINE_MAX];

	assert_int_equal(xclient_command(attributes(announced), client, line), 0);
	assert_string_equal(line, expected);
}

static void test_attributes(void **state)
{
	(void)state;
	assert_int_equal(attributes(""), 0);
	assert_int_equal(attributes("NAME"), XCLIENT_NAME);
	assert_int_equal(attributes("  addr\tPORT  Port "), XCLIENT_PORT);
	assert_int_equal(attributes("NAMES ADDRE XHELO"), 0);
	assert_int_equal(attributes(ALL), 255);
}

static void test_command(void **state)
{
	(void)state;
	check(&somebody, ALL,
	      "XCLIENT ADDR=192.0.2.1 PORT=40000 NAME=mx.example HELO=helo.example PROTO=ESMTP "
	      "LOGIN=me@d.example DESTADDR=IPV6:2001:db8::1 DESTPORT=25");
	check(&somebody, "NAME ADDR", "XCLIENT ADDR=192.0.2.1 NAME=mx.example");
}

/* Everything is said, so that nothing is left of the client before. */
static void test_unavailable(void **state)
{
	const struct backend_client nobody = { .name = "", .helo = "", .login = "" };

	(void)state;
	check(&nobody, ALL,
	      "XCLIENT ADDR=IPV6::: PORT=[UNAVAILABLE] NAME=[UNAVAILABLE] HELO=[UNAVAILABLE] "
	      "PROTO=SMTP LOGIN=[UNAVAILABLE] DESTADDR=IPV6::: DESTPORT=[UNAVAILABLE]");
}

static void test_hostile(void **state)
{
	struct backend_client client = somebody;

	(void)state;
	client.helo = "a b\r\nMAIL FROM:<x>\t+=\x7f\xff";
	check(&client, "HELO", "XCLIENT HELO=a+20b+0D+0AMAIL+20FROM:<x>+09+2B+3D+7F+FF");
	client.name = "a LOGIN=root";
	check(&client, "NAME", "XCLIENT NAME=a+20LOGIN+3Droot");
}

/* Values that are long take more than one command, and what fits into none is left out. */
static void test_long(void **state)
{
	struct backend_client client = somebody;
	char name[300], helo[1024], line[XCLIENT_LINE_MAX];
	unsigned int left;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memset(helo, '=', sizeof(helo));
	helo[100] = '\0';
	client.name = name;
	client.helo = helo;
	left = xclient_command(XCLIENT_NAME | XCLIENT_HELO | XCLIENT_PROTO, &client, line);
	assert_int_equal(left, XCLIENT_HELO | XCLIENT_PROTO);
	assert_true(strlen(line) <= XCLIENT_LINE_MAX - 2);
	assert_memory_equal(line, "XCLIENT NAME=nnn", 16);
	assert_int_equal(xclient_command(left, &client, line), 0);
	assert_memory_equal(line, "XCLIENT HELO=+3D+3D", 19);
	assert_non_null(strstr(line, " PROTO=ESMTP"));
	helo[100] = '=';
	helo[1023] = '\0';
	check(&client, "HELO", "XCLIENT HELO=[UNAVAILABLE]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attributes),  cmocka_unit_test(test_command),
		cmocka_unit_test(test_unavailable), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("backend_xclient", tests, NULL, NULL);
}
