/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_backend.c - transactions with servers that play scripts, when nothing fails.
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

#define MANY  100
#define LARGE (8u << 20)
#define NO_PIPELINING                                                                              \
	"S: 220 mx.example ESMTP\nC: EHLO gate.example\nS: 250-mx.example\nS: 250 8BITMIME\n"

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
	assert_int_equal(info_of(fixture, 0).transactions, 1);
	assert_int_equal(info_of(fixture, 0).idle, 1);
}

static void test_reuse(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	send_two(fixture);
	assert_int_equal(info_of(fixture, 0).reused, 1);
}

/* After a transaction that was given up RSET is said, and only then. */
static void test_rset(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK
				    "C: RSET\nS: 250 2.0.0 flushed\n" MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	begin_one(fixture);
	backend_mail_end(&fixture->mail);
	settle(fixture);
	assert_int_equal(info_of(fixture, 0).idle, 1);
	send_one(fixture);
	check_told(fixture, "MAIL 250 2.1.0 sender; RCPT0 250 2.1.5 recipient; " ALL_OK);
	check_scripts(fixture);
}

/* A server that does not take RSET is left. */
static void test_rset_refused(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK "C: RSET\nS: 500 what\nC: QUIT\n"));
	start(fixture);
	begin_one(fixture);
	backend_mail_end(&fixture->mail);
	check_scripts(fixture);
	assert_int_equal(info_of(fixture, 0).open, 0);
}

/* A refused sender leaves nothing to reset. */
static void test_sender_refused(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(
		fixture,
		SCRIPTS(HELLO
			"C: MAIL FROM:<a@s.example>\nS: 550-5.7.1 not\nS: 550 you\n" MAIL_OK RCPT_OK
				DATA_OK));
	start(fixture);
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 1);
	backend_mail_end(&fixture->mail);
	check_told(fixture, "MAIL 550 5.7.1 not\n5.7.1 you; ");
	send_one(fixture);
	check_told(fixture, ALL_OK);
	check_scripts(fixture);
}

/* The reply to DATA or to the message is the reply of the message. */
static void test_data_refused(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture,
		   SCRIPTS(HELLO MAIL_OK RCPT_OK
			   "C: DATA\nS: 452 4.3.1 full\nC: RSET\nS: 250 ok\n" MAIL_OK RCPT_OK
			   "C: DATA\nS: 354 go\nD\nS: 554 5.7.1 spam\n"));
	start(fixture);
	send_one(fixture);
	settle(fixture);
	send_one(fixture);
	check_scripts(fixture);
	check_told(fixture, "MAIL 250 2.1.0 sender; RCPT0 250 2.1.5 recipient; "
			    "MESSAGE 452 4.3.1 full; MAIL 250 2.1.0 sender; "
			    "RCPT0 250 2.1.5 recipient; MESSAGE 554 5.7.1 spam; ");
	assert_int_equal(info_of(fixture, 0).deferred, 1);
	assert_int_equal(info_of(fixture, 0).rejected, 1);
}

/* With PIPELINING all goes out before the first answer; replies come in order. */
static void test_pipelining(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO "-\nC: MAIL FROM:<a@s.example>\nC: RCPT TO:<1@d>\n"
					  "C: RCPT TO:<2@d>\n-\nS: 250 2.1.0 sender\n"
					  "S: 550 5.1.1 one\nS: 250 2.1.5 two\n" DATA_OK));
	start(fixture);
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<1@d>");
	rcpt(fixture, "<2@d>");
	until(fixture, 3);
	check_told(fixture, "MAIL 250 2.1.0 sender; RCPT0 550 5.1.1 one; RCPT1 250 2.1.5 two; ");
	message(fixture, "x", 1);
	until(fixture, 4);
	check_told(fixture, "MESSAGE 250 2.0.0 queued; ");
	check_scripts(fixture);
	assert_string_equal(fixture->server[0].message, "x\r\n.\r\n");
}

/* Without it each command waits: the script would find others in its input at "-". */
static void test_no_pipelining(void **state)
{
	struct backend_fixture *fixture = *state;
	size_t size;

	add_server(fixture, SCRIPTS(NO_PIPELINING "C: MAIL FROM:<a@s.example>\n-\nE\n"));
	fixture->server[0].hello = NO_PIPELINING;
	start(fixture);
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<1@d>");
	for (int i = 0; i < 200; i++)
		uv_run(fixture->backends->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->backends->count, 1);
	size = fixture->mail->dialogue->pending;
	assert_int_equal(size, 1);
	until(fixture, 2);
	check_told(fixture, "MAIL " NO_SERVER "RCPT0 " NO_SERVER);
}

static void make_many(char *script, char *expected)
{
	static const char *const replies[] = { "250 2.1.5 ok", "550 5.1.1 no", "450 4.2.1 later" };

	script += sprintf(script, "%s", HELLO MAIL_OK);
	expected += sprintf(expected, "MAIL 250 2.1.0 sender; ");
	for (int i = 0; i < MANY; i++)
		script += sprintf(script, "C: RCPT TO:<u%d@d.example>\n", i);
	for (int i = 0; i < MANY; i++) {
		script += sprintf(script, "S: %s %d\n", replies[i * 7 % 3], i);
		expected += sprintf(expected, "RCPT%d %s %d; ", i, replies[i * 7 % 3], i);
	}
	sprintf(script, "%s", DATA_OK);
	sprintf(expected, "MESSAGE 250 2.0.0 queued; ");
}

static void test_many_recipients(void **state)
{
	struct backend_fixture *fixture = *state;
	static char script[TOLD_MAX], expected[TOLD_MAX];
	char to[64];

	make_many(script, expected);
	add_server(fixture, SCRIPTS(script));
	start(fixture);
	mail_from(fixture, "<a@s.example>", 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(to, sizeof(to), "<u%d@d.example>", i);
		rcpt(fixture, to);
	}
	until(fixture, MANY + 1);
	message(fixture, "x\r\n", 3);
	until(fixture, MANY + 2);
	check_told(fixture, expected);
	check_scripts(fixture);
}

static const struct {
	const char *message, *sent;
} stuffing[] = {
	{ "", ".\r\n" },
	{ "a\r\n", "a\r\n.\r\n" },
	{ "a", "a\r\n.\r\n" },
	{ "a\r", "a\r\r\n.\r\n" }, /* which the gateway does not take */
	{ ".\r\n", "..\r\n.\r\n" },
	{ ".", "..\r\n.\r\n" },
	{ "..\r\n.a\r\na.\r\n", "...\r\n..a\r\na.\r\n.\r\n" },
	{ "a\r\n.\r\nMAIL FROM:<x>\r\n", "a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n" },
	{ "a\n.\nb\r\n", "a\n..\nb\r\n.\r\n" },
	{ "a\r.\rb\r\n", "a\r..\rb\r\n.\r\n" },
};

static void test_stuffing(void **state)
{
	struct backend_fixture *fixture = *state;
	static char script[TOLD_MAX];
	const size_t count = sizeof(stuffing) / sizeof(stuffing[0]);
	struct script_server *server = &fixture->server[0];

	strcpy(script, HELLO);
	for (size_t i = 0; i < count; i++)
		strcat(script, MAIL_OK RCPT_OK DATA_OK);
	add_server(fixture, SCRIPTS(script));
	start(fixture);
	for (size_t i = 0; i < count; i++) {
		server->message_size = 0;
		begin_one(fixture);
		message(fixture, stuffing[i].message, strlen(stuffing[i].message));
		until(fixture, 3 * (unsigned int)i + 3);
		backend_mail_end(&fixture->mail);
		assert_string_equal(server->message, stuffing[i].sent);
	}
	check_scripts(fixture);
}

/* Many pieces of the spool, a dot at the start of one, and more than the sockets hold. */
static void test_large(void **state)
{
	struct backend_fixture *fixture = *state;
	struct script_server *server = &fixture->server[0];
	char *text = malloc(LARGE);

	for (size_t i = 0; i < LARGE; i++)
		text[i] = "0123456789abcdefghijklmnopqrst\r\n"[i % 32];
	memcpy(text + SPOOL_PIECE, ".dot", 4);
	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK "C: DATA\nS: 354 go\n-\nD\nS: 250 ok\n"));
	start(fixture);
	begin_one(fixture);
	message(fixture, text, LARGE);
	while (fixture->mail->on.data != MAIL_DATA_STREAM)
		uv_run(fixture->backends->loop, UV_RUN_NOWAIT);
	/* The server does not read: what is queued stays bounded. */
	for (int i = 0; i < 10; i++)
		uv_run(fixture->backends->loop, UV_RUN_NOWAIT);
	assert_true(stream_queued(fixture->mail->dialogue->stream) <= MAIL_QUEUE_MAX + SPOOL_PIECE);
	assert_int_equal(fixture->mail->on.data, MAIL_DATA_STREAM);
	until(fixture, 3);
	assert_int_equal(server->message_size, LARGE + 1 + 3);
	assert_memory_equal(server->message, text, SPOOL_PIECE);
	assert_memory_equal(server->message + SPOOL_PIECE, "..dot", 5);
	assert_memory_equal(server->message + SPOOL_PIECE + 1, text + SPOOL_PIECE,
			    LARGE - SPOOL_PIECE);
	check_scripts(fixture);
	free(text);
}

static void test_no_recipient(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK "C: RCPT TO:<b@d.example>\nS: 550 5.1.1 no\n"));
	start(fixture);
	begin_one(fixture);
	message(fixture, "x\r\n", 3);
	until(fixture, 3);
	check_told(fixture, "MAIL 250 2.1.0 sender; RCPT0 550 5.1.1 no; "
			    "MESSAGE 554 5.5.1 no valid recipients; ");
	check_scripts(fixture);
}

/* 421 is between the server and us, and what is no SMTP as well. */
static void test_no_servers(void **state)
{
	struct backend_fixture *fixture = *state;
	unsigned int features;
	uint64_t size;

	start(fixture);
	assert_false(backends_offer(fixture->backends, &features, &size));
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<b@d.example>");
	message(fixture, "x\r\n", 3);
	until(fixture, 3);
	check_told(fixture, "MAIL " NO_SERVER "RCPT0 " NO_SERVER "MESSAGE " NO_SERVER);
	rcpt(fixture, "<c@d.example>");
	until(fixture, 4);
	check_told(fixture, "RCPT1 " NO_SERVER);
}

/* Only a server that offers what the sender needs is asked. */
static void test_features(void **state)
{
	struct backend_fixture *fixture = *state;
	static const char hello[] = "S: 220 b\nC: EHLO gate.example\nS: 250-b\nS: 250-SMTPUTF8\n"
				    "S: 250-PIPELINING\nS: 250-SIZE\nS: 250-DSN\nS: 250-dsn\n"
				    "S: 250-AUTH LOGIN PLAIN\nS: 250 8bitmime\n";
	static char script[TOLD_MAX];
	unsigned int features;
	uint64_t size;

	add_server(fixture, SCRIPTS(NULL));
	sprintf(script, "%s" MAIL_OK, hello);
	add_server(fixture, SCRIPTS(script))->weight = 0;
	fixture->server[1].hello = hello;
	start(fixture);
	assert_true(backends_offer(fixture->backends, &features, &size));
	assert_int_equal(features, BACKEND_PIPELINING | BACKEND_SIZE | BACKEND_8BITMIME);
	assert_int_equal(info_of(fixture, 1).features & BACKEND_AUTH_PLAIN, BACKEND_AUTH_PLAIN);
	mail_from(fixture, "<a@s.example>", BACKEND_SMTPUTF8);
	until(fixture, 1);
	check_told(fixture, "MAIL 250 2.1.0 sender; ");
	backend_mail_end(&fixture->mail);
	settle(fixture);
	mail_from(fixture, "<a@s.example>", BACKEND_CHUNKING);
	until(fixture, 2);
	check_told(fixture, "MAIL " NO_SERVER);
}

/* Whatever the callback does, nothing comes any more. */
static void test_end_inside(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO "C: MAIL FROM:<a@s.example>\nC: RCPT TO:<b@d.example>\n"
					  "S: 250 2.1.0 sender\nS: 250 2.1.5 recipient\n"));
	start(fixture);
	fixture->end_at_reply = true;
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<b@d.example>");
	until(fixture, 1);
	settle(fixture);
	check_told(fixture, "MAIL 250 2.1.0 sender; ");
	assert_int_equal(info_of(fixture, 0).open, 0);
}

static void test_close_inside(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK));
	start(fixture);
	fixture->close_at_reply = true;
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 1);
	settle(fixture);
	check_told(fixture, "MAIL 250 2.1.0 sender; ");
}

/* Failures are told from the loop, and may end everything, too. */
static void test_close_while_failing(void **state)
{
	struct backend_fixture *fixture = *state;

	start(fixture);
	fixture->close_at_reply = true;
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<b@d.example>");
	until(fixture, 1);
	fixture->close_at_reply = false;
	settle(fixture);
}

static void message_at_once(struct backend_fixture *fixture)
{
	if (fixture->answers == 2)
		message(fixture, "Hello\r\n", 7);
}

/* The next step may be taken inside of the callback of the one before. */
static void test_step_inside(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	fixture->then = message_at_once;
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<b@d.example>");
	until(fixture, 3);
	check_told(fixture, ALL_OK);
	check_scripts(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BACKENDS(test_one_message),
		WITH_BACKENDS(test_reuse),
		WITH_BACKENDS(test_rset),
		WITH_BACKENDS(test_rset_refused),
		WITH_BACKENDS(test_sender_refused),
		WITH_BACKENDS(test_data_refused),
		WITH_BACKENDS(test_pipelining),
		WITH_BACKENDS(test_no_pipelining),
		WITH_BACKENDS(test_many_recipients),
		WITH_BACKENDS(test_stuffing),
		WITH_BACKENDS(test_large),
		WITH_BACKENDS(test_no_recipient),
		WITH_BACKENDS(test_no_servers),
		WITH_BACKENDS(test_features),
		WITH_BACKENDS(test_end_inside),
		WITH_BACKENDS(test_close_inside),
		WITH_BACKENDS(test_close_while_failing),
		WITH_BACKENDS(test_step_inside),
	};

	return cmocka_run_group_tests_name("backend", tests, NULL, NULL);
}
