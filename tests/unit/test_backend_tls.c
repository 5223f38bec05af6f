/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_backend_tls.c - TLS towards servers, which is never done without, and AUTH
 * inside.
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
#include "tests/unit/stream_fixture.h"
#include "tests/unit/tls_fixture.h"

#define EHLO "C: EHLO gate.example\n"
#define PLAIN_PART                                                                                 \
	"S: 220 mx\n" EHLO "S: 250-mx\nS: 250-SMTPUTF8\nS: 250-AUTH PLAIN\nS: 250 STARTTLS\n"      \
	"C: STARTTLS\nS: 220 go\nT\n"
#define SECURE_PART EHLO "S: 250-mx\nS: 250-PIPELINING\nS: 250 AUTH PLAIN LOGIN\n"
#define STARTTLS    PLAIN_PART SECURE_PART
#define IMPLICIT    "T\nS: 220 mx\n" SECURE_PART
#define ALL         MAIL_OK RCPT_OK DATA_OK

static struct made good, other;

static struct conf_backend *add_tls(struct backend_fixture *fixture, uint16_t tls,
				    const char *const *scripts)
{
	struct conf_backend *row = add_server(fixture, scripts);
	struct script_server *server = &fixture->server[fixture->servers - 1];

	row->tls = tls;
	strcpy(row->host, tls & CONF_BACKEND_VERIFY ? "mx.example" : "");
	server->tls = server_context(&good);
	server->hello = tls & CONF_BACKEND_IMPLICIT ? IMPLICIT : STARTTLS;
	snprintf(fixture->conf->smtp.backend_ca, sizeof(fixture->conf->smtp.backend_ca), "%s",
		 ca_file);
	return row;
}

/* What is learned before TLS does not count. */
static void test_starttls(void **state)
{
	struct backend_fixture *fixture = *state;
	unsigned int features;
	uint64_t size;

	add_tls(fixture, CONF_BACKEND_STARTTLS, SCRIPTS(STARTTLS ALL ALL));
	start(fixture);
	assert_true(backends_offer(fixture->backends, &features, &size));
	assert_int_equal(features, BACKEND_PIPELINING | BACKEND_AUTH_PLAIN);
	send_two(fixture);
	assert_int_equal(info_of(fixture, 0).reused, 1);
}

static void test_implicit(void **state)
{
	struct backend_fixture *fixture = *state;

	add_tls(fixture, CONF_BACKEND_STARTTLS | CONF_BACKEND_IMPLICIT, SCRIPTS(IMPLICIT ALL));
	start(fixture);
	send_one(fixture);
	check_told(fixture, ALL_OK);
	check_scripts(fixture);
}

static void test_large(void **state)
{
	struct backend_fixture *fixture = *state;
	const size_t size = 4u << 20;
	char *text = malloc(size);

	memset(text, 'm', size);
	add_tls(fixture, CONF_BACKEND_STARTTLS, SCRIPTS(STARTTLS ALL));
	start(fixture);
	begin_one(fixture);
	message(fixture, text, size);
	until(fixture, 3);
	check_told(fixture, ALL_OK);
	assert_int_equal(fixture->server[0].message_size, size + 5);
	free(text);
}

/* A server that must not get the mail. `why`: what its health says. */
static void refuse(struct backend_fixture *fixture, const char *script, const char *why)
{
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 1);
	check_told(fixture, "MAIL " NO_SERVER);
	if (!strstr(info_of(fixture, 0).why, why))
		fail_msg("'%s': '%s'", script, info_of(fixture, 0).why);
	check_scripts(fixture);
}

static void refuse_script(const char *script, const char *why)
{
	struct backend_fixture *fixture;
	void *state;

	assert_int_equal(backend_setup(&state), 0);
	fixture = state;
	add_tls(fixture, CONF_BACKEND_STARTTLS, SCRIPTS(script));
	start(fixture);
	refuse(fixture, script, why);
	assert_int_equal(backend_teardown(&state), 0);
}

/* Not a word of mail in plain text, whatever the server, or somebody in between, says. */
static void test_demanded(void **state)
{
	(void)state;
	refuse_script("S: 220 mx\n" EHLO "S: 250-mx\nS: 250 SMTPUTF8\n", "STARTTLS: not offered");
	refuse_script("S: 220 mx\n" EHLO "S: 250-mx\nS: 250 XSTARTTLS\n", "STARTTLS: not offered");
	refuse_script("S: 220 mx\n" EHLO "S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n"
		      "S: 454 4.7.0 not now\n",
		      "STARTTLS: 4.7.0 not now");
	refuse_script("S: 220 mx\n" EHLO "S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n"
		      "-\nS: this is no TLS\nE\n",
		      "TLS: ");
	refuse_script("S: 220 mx\n" EHLO "S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nE\n",
		      "TLS: ");
}

/* CVE-2011-0411: what was said in plain must not be taken for what TLS protects. */
static void test_injected(void **state)
{
	static const char why[] = "an answer that nobody asked for";

	(void)state;
	refuse_script("S: 220 mx\n" EHLO "S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n"
		      "R: 220 go|250-mx|250 AUTH PLAIN|\n",
		      why);
	refuse_script("S: 220 mx\n" EHLO "S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n"
		      "R: 220 go|250\n",
		      why);
	refuse_script("S: 220 mx\n" EHLO "R: 250-mx|250 STARTTLS|220 go|\n", why);
	refuse_script("R: 220 mx|250-mx|250 STARTTLS|220 go|\n", why);
}

static void test_verified(void **state)
{
	struct backend_fixture *fixture = *state;

	add_tls(fixture, CONF_BACKEND_VERIFY, SCRIPTS(STARTTLS ALL));
	start(fixture);
	send_one(fixture);
	check_told(fixture, ALL_OK);
	check_scripts(fixture);
}

static void test_other_name(void **state)
{
	struct backend_fixture *fixture = *state;

	add_tls(fixture, CONF_BACKEND_VERIFY, SCRIPTS(PLAIN_PART));
	fixture->server[0].hello = PLAIN_PART;
	tls_unref(&fixture->server[0].tls);
	fixture->server[0].tls = server_context(&other);
	start(fixture);
	refuse(fixture, "other name", "TLS: hostname mismatch");
}

static void test_unknown_ca(void **state)
{
	struct backend_fixture *fixture = *state;

	add_tls(fixture, CONF_BACKEND_VERIFY, SCRIPTS(PLAIN_PART));
	fixture->server[0].hello = PLAIN_PART;
	*fixture->conf->smtp.backend_ca = '\0';
	start(fixture);
	refuse(fixture, "unknown CA", "TLS: ");
}

static void test_pin(void **state)
{
	struct backend_fixture *fixture = *state;
	struct conf_backend *row =
		add_tls(fixture, CONF_BACKEND_PIN | CONF_BACKEND_IMPLICIT, SCRIPTS(IMPLICIT ALL));

	strcpy(row->fingerprint, good.fingerprint);
	row = add_tls(fixture, CONF_BACKEND_PIN | CONF_BACKEND_IMPLICIT, SCRIPTS("T\n"));
	strcpy(row->fingerprint, other.fingerprint);
	row->weight = 0;
	fixture->server[1].hello = "T\n";
	start(fixture);
	send_one(fixture);
	check_told(fixture, ALL_OK);
	assert_false(info_of(fixture, 1).up);
	assert_memory_equal(info_of(fixture, 1).why, "TLS: ", 5);
}

/* A context that cannot be made is told of before there are backends. */
static void test_no_ca_file(void **state)
{
	struct backend_fixture *fixture = *state;
	struct error err = { 0 };
	struct backend_tls tls = { 0 };

	add_tls(fixture, CONF_BACKEND_VERIFY, SCRIPTS(NULL));
	strcpy(fixture->conf->smtp.backend_ca, "/nowhere/ca.pem");
	assert_int_equal(backend_tls_open(fixture->conf, &tls, &err), ERROR_REFUSED);
	assert_memory_equal(err.text, "smtp.backend-ca: /nowhere/ca.pem: ", 34);
	assert_null(tls.context[0]);
}

/* ---- AUTH */

struct asked {
	struct backend_auth *auth;
	struct backend_reply reply;
	unsigned int answers;
	bool end;
};

static void on_answer(const struct backend_reply *reply, void *arg)
{
	struct asked *asked = arg;

	asked->reply = *reply;
	asked->answers++;
	if (asked->end)
		backend_auth_end(&asked->auth);
}

static void ask(struct backend_fixture *fixture, const char *user, const char *password,
		uint16_t code, const char *text)
{
	struct asked asked = { .end = true };

	asked.auth = backend_auth_start(fixture->backends, user, password, on_answer, &asked);
	assert_non_null(asked.auth);
	assert_int_equal(asked.answers, 0);
	run_until(&asked.answers, 1);
	settle(fixture);
	assert_int_equal(asked.answers, 1);
	assert_int_equal(asked.reply.code, code);
	assert_string_equal(asked.reply.text, text);
}

static void test_auth(void **state)
{
	struct backend_fixture *fixture = *state;

	add_tls(fixture, CONF_BACKEND_STARTTLS,
		SCRIPTS(STARTTLS "C: AUTH PLAIN AHVzZXIAc2VjcmV0\nS: 235 2.7.0 welcome\n",
			STARTTLS "C: AUTH PLAIN AGEAYg==\nS: 535 wrong\n",
			STARTTLS "C: AUTH PLAIN AGEAYmM=\nS: 421 4.3.0 going\nE\n"));
	start(fixture);
	ask(fixture, "user", "secret", 235, "2.7.0 welcome");
	ask(fixture, "a", "b", 535, "5.0.0 wrong");
	ask(fixture, "a", "bc", 454, "4.7.0 authentication is not possible now");
	check_scripts(fixture);
	assert_int_equal(info_of(fixture, 0).open, 0);
	assert_int_equal(info_of(fixture, 0).reused, 0);
}

/* What does not fit into a command goes behind 334. */
static void test_auth_long(void **state)
{
	struct backend_fixture *fixture = *state;
	static char script[4096];
	char password[401], *secret = calloc(1, 600);

	memset(password, '\0', sizeof(password));
	for (size_t i = 0; i < sizeof(password) - 1; i++)
		password[i] = 'a';
	strcpy(secret, "AHUA");
	for (size_t i = 0; i < 133; i++)
		strcat(secret, "YWFh");
	strcat(secret, "YQ==");
	snprintf(script, sizeof(script),
		 STARTTLS "C: AUTH PLAIN\nS: 334 \nC: %s\nS: 235 2.7.0 welcome\n", secret);
	add_tls(fixture, CONF_BACKEND_STARTTLS,
		SCRIPTS(script, STARTTLS "C: AUTH PLAIN AGEAYg==\nS: 334 more\n"));
	start(fixture);
	ask(fixture, "u", password, 235, "2.7.0 welcome");
	ask(fixture, "a", "b", 454, "4.7.0 authentication is not possible now");
	check_scripts(fixture);
	free(secret);
}

/* Never in plain text, and never at a server that does not offer it. */
static void test_auth_plain_text(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(NULL));
	fixture->server[0].hello = "S: 220 mx\n" EHLO "S: 250-mx\nS: 250 AUTH PLAIN\n";
	add_tls(fixture, CONF_BACKEND_STARTTLS, SCRIPTS(NULL));
	fixture->server[1].hello = PLAIN_PART EHLO "S: 250-mx\nS: 250 AUTH LOGIN XPLAIN PLAINER\n";
	start(fixture);
	ask(fixture, "user", "secret", 454, "4.7.0 authentication is not possible now");
	check_scripts(fixture);
}

static void test_auth_given_up(void **state)
{
	struct backend_fixture *fixture = *state;
	struct asked asked = { 0 };

	add_tls(fixture, CONF_BACKEND_STARTTLS, SCRIPTS(STARTTLS "C: AUTH PLAIN AGEAYg==\n"));
	start(fixture);
	asked.auth = backend_auth_start(fixture->backends, "a", "b", on_answer, &asked);
	settle(fixture);
	backend_auth_end(&asked.auth);
	settle(fixture);
	check_scripts(fixture);
	assert_int_equal(asked.answers, 0);
	assert_int_equal(info_of(fixture, 0).open, 0);
	asked.auth = backend_auth_start(fixture->backends, "a", "b", on_answer, &asked);
	backends_close(&fixture->backends);
	backend_auth_end(&asked.auth);
	assert_int_equal(asked.answers, 0);
}

static int certificates(void **state)
{
	if (certificates_setup(state))
		return -1;
	make_certificate("good", KEY_P256, "DNS:mx.example", &good);
	make_certificate("other", KEY_P256, "DNS:other.example", &other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BACKENDS(test_starttls),
		WITH_BACKENDS(test_implicit),
		WITH_BACKENDS(test_large),
		cmocka_unit_test(test_demanded),
		cmocka_unit_test(test_injected),
		WITH_BACKENDS(test_verified),
		WITH_BACKENDS(test_other_name),
		WITH_BACKENDS(test_unknown_ca),
		WITH_BACKENDS(test_pin),
		WITH_BACKENDS(test_no_ca_file),
		WITH_BACKENDS(test_auth),
		WITH_BACKENDS(test_auth_long),
		WITH_BACKENDS(test_auth_plain_text),
		WITH_BACKENDS(test_auth_given_up),
	};

	return cmocka_run_group_tests_name("backend_tls", tests, certificates,
					   certificates_teardown);
}
