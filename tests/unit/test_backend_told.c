/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_backend_told.c - servers that are told who the client is: XCLIENT and PROXY.
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

#define XHELLO                                                                                     \
	"S: 220 mx ESMTP\nC: EHLO gate.example\nS: 250-mx\nS: 250-PIPELINING\n"                    \
	"S: 250 XCLIENT NAME ADDR PORT HELO\n"
#define XSAID "C: XCLIENT ADDR=192.0.2.1 PORT=40000 NAME=client.example HELO=helo.example\n"
#define XAGAIN                                                                                     \
	"S: 220 mx ESMTP\nC: EHLO helo.example\nS: 250-mx\nS: 250-PIPELINING\n"                    \
	"S: 250 XCLIENT NAME ADDR PORT HELO\n"
#define TRANSACTION MAIL_OK RCPT_OK DATA_OK

static void add_xclient(struct backend_fixture *fixture, const char *const *scripts)
{
	add_server(fixture, scripts)->told = CONF_BACKEND_XCLIENT;
	fixture->server[fixture->servers - 1].hello = XHELLO;
}

/* Each client anew, also on a connection that is used again. Probes say nothing of it. */
static void test_xclient(void **state)
{
	struct backend_fixture *fixture = *state;

	add_xclient(fixture, SCRIPTS(XHELLO XSAID XAGAIN TRANSACTION XSAID XAGAIN TRANSACTION));
	start(fixture);
	send_two(fixture);
	assert_int_equal(info_of(fixture, 0).reused, 1);
}

/* Never without: the server would take the client for us. */
static void test_not_offered(void **state)
{
	struct backend_fixture *fixture = *state;

	add_xclient(fixture, SCRIPTS(HELLO));
	start(fixture);
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 1);
	check_told(fixture, "MAIL " NO_SERVER);
	assert_string_equal(info_of(fixture, 0).why, "XCLIENT: not offered");
	check_scripts(fixture);
}

/* Postfix does not offer it to the client that it was told of, but takes it again from us. */
static void test_offered_once(void **state)
{
	struct backend_fixture *fixture = *state;

	add_xclient(fixture,
		    SCRIPTS(XHELLO XSAID
			    "S: 220 mx\nC: EHLO helo.example\nS: 250 mx\n" TRANSACTION XSAID XAGAIN
				    TRANSACTION));
	start(fixture);
	send_two(fixture);
	assert_int_equal(info_of(fixture, 0).reused, 1);
}

/* One that takes it once only is asked on another connection: that says nothing of the client. */
static void test_taken_once(void **state)
{
	struct backend_fixture *fixture = *state;

	add_xclient(fixture, SCRIPTS(XHELLO XSAID XAGAIN TRANSACTION XSAID "S: 550 5.7.0 no\n",
				     XHELLO XSAID XAGAIN TRANSACTION));
	start(fixture);
	send_two(fixture);
	assert_int_equal(info_of(fixture, 0).failures, 0);
}

/* Values that no command has room for go in two. */
static void test_two_commands(void **state)
{
	struct backend_fixture *fixture = *state;
	struct backend_client client = client_of_test;
	static char script[4096];
	char name[256], helo[256];

	memset(name, 'n', sizeof(name));
	memset(helo, 'h', sizeof(helo));
	name[255] = helo[255] = '\0';
	snprintf(script, sizeof(script),
		 XHELLO "C: XCLIENT ADDR=192.0.2.1 PORT=40000 NAME=%s\nS: 220 mx\n"
			"C: XCLIENT HELO=%s\nS: 220 mx\nC: EHLO %s\nS: 250 mx\n" MAIL_OK,
		 name, helo, helo);
	add_xclient(fixture, SCRIPTS(script));
	start(fixture);
	client.name = name;
	client.helo = helo;
	mail_from_client(fixture, &client);
	until(fixture, 1);
	check_told(fixture, "MAIL 250 2.1.0 sender; ");
	check_scripts(fixture);
}

/* A name that does not belong into a command line does not get there. */
static void test_hostile_helo(void **state)
{
	struct backend_fixture *fixture = *state;
	struct backend_client client = client_of_test;

	add_xclient(fixture,
		    SCRIPTS(XHELLO "C: XCLIENT ADDR=192.0.2.1 PORT=40000 NAME=[UNAVAILABLE] "
				   "HELO=a+20b+0D+0ARSET\nS: 220 mx\nC: EHLO gate.example\n"
				   "S: 250 mx\n" MAIL_OK));
	start(fixture);
	client.name = "";
	client.helo = "a b\r\nRSET";
	mail_from_client(fixture, &client);
	until(fixture, 1);
	check_told(fixture, "MAIL 250 2.1.0 sender; ");
	check_scripts(fixture);
}

/* What the server says about the client is for the client. */
static void refused(const char *script, const char *told, unsigned int failures)
{
	struct backend_fixture *fixture;
	void *state;

	assert_int_equal(backend_setup(&state), 0);
	fixture = state;
	add_xclient(fixture, SCRIPTS(script));
	start(fixture);
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<b@d.example>");
	until(fixture, 2);
	check_told(fixture, told);
	assert_int_equal(info_of(fixture, 0).failures, failures);
	assert_int_equal(backend_teardown(&state), 0);
}

static void test_client_refused(void **state)
{
	(void)state;
	refused(XHELLO XSAID "S: 550 5.7.1 not you\n",
		"MAIL 550 5.7.1 not you; RCPT0 550 5.7.1 not you; ", 0);
	refused(XHELLO XSAID "S: 220 mx\nC: EHLO helo.example\nS: 450 4.7.1 later\n",
		"MAIL 450 4.7.1 later; RCPT0 450 4.7.1 later; ", 0);
	/* This is about the command. */
	refused(XHELLO XSAID "S: 501 5.5.4 bad\n", "MAIL " NO_SERVER "RCPT0 " NO_SERVER, 1);
	refused(XHELLO XSAID "S: 250 ok\n", "MAIL " NO_SERVER "RCPT0 " NO_SERVER, 1);
}

/* The header comes first, and its connection belongs to this client. */
static void test_proxy(void **state)
{
	struct backend_fixture *fixture = *state;

	static const char script[] =
		"P: 192.0.2.1 40000 198.51.100.1 25\n" HELLO MAIL_OK RCPT_OK DATA_OK;

	add_server(fixture, SCRIPTS(script, script))->told = CONF_BACKEND_PROXY;
	fixture->server[0].hello = "P: local\n" HELLO;
	start(fixture);
	send_one(fixture);
	settle(fixture);
	assert_int_equal(info_of(fixture, 0).open, 0);
	send_one(fixture);
	check_told(fixture, ALL_OK ALL_OK);
	check_scripts(fixture);
	assert_int_equal(info_of(fixture, 0).reused, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BACKENDS(test_xclient),           WITH_BACKENDS(test_not_offered),
		WITH_BACKENDS(test_offered_once),      WITH_BACKENDS(test_taken_once),
		WITH_BACKENDS(test_two_commands),      WITH_BACKENDS(test_hostile_helo),
		cmocka_unit_test(test_client_refused), WITH_BACKENDS(test_proxy),
	};

	return cmocka_run_group_tests_name("backend_told", tests, NULL, NULL);
}
