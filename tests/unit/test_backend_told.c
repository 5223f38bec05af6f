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
	assert_string_equal(info_of(fixture, 0).why,
			    "XCLIENT: not offered to us (Postfix: smtpd_authorized_xclient_hosts)");
	check_scripts(fixture);
}

/* The first dialogue shows it already, and the server is not up. */
static void test_never_offered(void **state)
{
	struct backend_fixture *fixture = *state;

	add_xclient(fixture, SCRIPTS(NULL));
	fixture->server[0].hello = HELLO;
	start(fixture);
	assert_false(info_of(fixture, 0).up);
	assert_non_null(strstr(info_of(fixture, 0).why, "XCLIENT: not offered to us"));
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
	/* The name is the client's. */
	refused(XHELLO XSAID "S: 220 mx\nC: EHLO helo.example\nS: 504 5.5.2 a whole name\n",
		"MAIL 504 5.5.2 a whole name; RCPT0 504 5.5.2 a whole name; ", 0);
	/* This is about the command. */
	refused(XHELLO XSAID "S: 501 5.5.4 bad\n", "MAIL " NO_SERVER "RCPT0 " NO_SERVER, 1);
	refused(XHELLO XSAID "S: 250 ok\n", "MAIL " NO_SERVER "RCPT0 " NO_SERVER, 1);
}

#define XSAID6 "C: XCLIENT ADDR=IPV6:2001:db8::1 PORT=40000 NAME=client.example HELO=helo.example\n"

#define MAIL_GIVEN_UP MAIL_OK "C: RSET\nS: 250 2.0.0 ok\n"

/*
 * One client after the other whom a server cannot be told of, or who comes too often for it: each
 * of them goes elsewhere, and the server is as well as before for all others.
 */
static void check_unfit(struct backend_fixture *fixture, const struct backend_client *client,
			const char *elsewhere)
{
	const struct backend_client other = client_of_test;

	add_server(fixture, SCRIPTS(HELLO MAIL_GIVEN_UP MAIL_GIVEN_UP MAIL_GIVEN_UP MAIL_GIVEN_UP))
		->weight = 0;
	start(fixture);
	for (unsigned int i = 1; i <= HEALTH_FAILURES_MAX + 1; i++) {
		mail_from_client(fixture, client);
		until(fixture, i);
		check_told(fixture, elsewhere);
		backend_mail_end(&fixture->mail);
		assert_true(info_of(fixture, 0).up);
	}
	mail_from_client(fixture, &other);
	until(fixture, HEALTH_FAILURES_MAX + 2);
	check_told(fixture, "MAIL 250 2.1.0 sender; ");
	assert_int_equal(info_of(fixture, 0).transactions, 1);
}

static void test_no_ipv6(void **state)
{
	struct backend_fixture *fixture = *state;
	struct backend_client client = client_of_test;
	const char script[] = XHELLO XSAID6 "S: 501 5.5.4 Bad ADDR syntax\n";

	client.addr = addr_from_halves(0x20010db800000000u, 1);
	add_xclient(fixture, SCRIPTS(script, script, script, script, XHELLO XSAID XAGAIN MAIL_OK));
	check_unfit(fixture, &client, "MAIL 250 2.1.0 sender; ");
	assert_int_equal(info_of(fixture, 0).failures, 4);
}

static void test_too_often(void **state)
{
	struct backend_fixture *fixture = *state;
	struct backend_client client = client_of_test;
	const char script[] = XHELLO XSAID6 "S: 421 4.7.0 too many connections from you\n";

	client.addr = addr_from_halves(0x20010db800000000u, 1);
	add_xclient(fixture, SCRIPTS(script, script, script, script, XHELLO XSAID XAGAIN MAIL_OK));
	check_unfit(fixture, &client, "MAIL 250 2.1.0 sender; ");
}

#define PROXY_OF(address) "P: " address " 40000 198.51.100.1 25\n"

static void test_proxy_too_often(void **state)
{
	struct backend_fixture *fixture = *state;
	struct backend_client client = client_of_test;
	const char script[] = PROXY_OF("192.0.2.7") "S: 421 4.7.0 too many connections from you\n";

	client.addr = addr_from_ipv4(0xc0000207u);
	add_server(fixture,
		   SCRIPTS(script, script, script, script, PROXY_OF("192.0.2.1") HELLO MAIL_OK))
		->told = CONF_BACKEND_PROXY;
	fixture->server[0].hello = "P: local\n" HELLO;
	check_unfit(fixture, &client, "MAIL 250 2.1.0 sender; ");
}

/* A client who is on the server's own list is told so. */
static void test_proxy_refused(void **state)
{
	struct backend_fixture *fixture = *state;
	struct backend_client client = client_of_test;
	const char script[] = PROXY_OF("192.0.2.7") "S: 554 5.7.1 not you\n";

	client.addr = addr_from_ipv4(0xc0000207u);
	add_server(fixture,
		   SCRIPTS(script, script, script, script, PROXY_OF("192.0.2.1") HELLO MAIL_OK))
		->told = CONF_BACKEND_PROXY;
	fixture->server[0].hello = "P: local\n" HELLO;
	check_unfit(fixture, &client, "MAIL 554 5.7.1 not you; ");
	assert_int_equal(info_of(fixture, 0).failures, 0);
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
		WITH_BACKENDS(test_xclient),       WITH_BACKENDS(test_not_offered),
		WITH_BACKENDS(test_never_offered), WITH_BACKENDS(test_offered_once),
		WITH_BACKENDS(test_taken_once),    WITH_BACKENDS(test_two_commands),
		WITH_BACKENDS(test_hostile_helo),  cmocka_unit_test(test_client_refused),
		WITH_BACKENDS(test_proxy),         WITH_BACKENDS(test_no_ipv6),
		WITH_BACKENDS(test_too_often),     WITH_BACKENDS(test_proxy_too_often),
		WITH_BACKENDS(test_proxy_refused),
	};

	return cmocka_run_group_tests_name("backend_told", tests, NULL, NULL);
}
