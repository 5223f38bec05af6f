/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_backend_fail.c - servers that fail in the middle of a transaction: who takes
 * over, and what the sender is told.
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

#define EHLO     "S: 220 mx.example ESMTP\nC: EHLO gate.example\n"
#define MAIL     "C: MAIL FROM:<a@s.example>\n"
#define RCPT     "C: RCPT TO:<b@d.example>\n"
#define DATA     "C: DATA\nS: 354 go\n"
#define REPLACED "451 lost 4.3.0 the mail server was replaced, try again later; "
#define AMBIGUOUS                                                                                  \
	"451 lost 4.4.2 the connection was lost, what became of the message is not known; "
#define SHUT "451 lost 4.3.2 the mail server is closing down, try again later; "
#define TWO  "MAIL 250 2.1.0 sender; RCPT0 250 2.1.5 recipient; "

/* How the first server ends a script that has come to some step. */
static const char *const ends[] = {
	"E\n",           "X\n",           "S: 421 4.3.2 going\nE\n", "R: 25|\n",
	"S: 150 wait\n", "S: 999 what\n", "R: 250-a|550 b|\n",       "R: \x01\x02\xff\xfe|\n",
	"F: 4194304\n",
};

/* The steps before the final dot, in which a server may end. */
static const char *const steps[] = {
	"",
	"S: 220 mx.example ESMTP\n",
	EHLO,
	HELLO,
	HELLO MAIL,
	HELLO MAIL_OK RCPT,
	HELLO MAIL_OK RCPT_OK "C: DATA\n",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* On the first connection; those after it are reset at once. */
static void start_with_backup(struct backend_fixture *fixture, const char *first,
			      const char *second)
{
	add_server(fixture, SCRIPTS(first, "X\n"));
	add_server(fixture, SCRIPTS(second))->weight = 0;
	start(fixture);
}

static void fail_at(const char *step, const char *end)
{
	struct backend_fixture *fixture;
	static char script[8192];
	void *state;

	assert_int_equal(backend_setup(&state), 0);
	fixture = state;
	snprintf(script, sizeof(script), "%s%s", step, end);
	start_with_backup(fixture, script, HELLO MAIL_OK RCPT_OK DATA_OK);
	send_one(fixture);
	if (strcmp(fixture->told, ALL_OK) != 0)
		fail_msg("'%s': %s", script, fixture->told);
	if (fixture->server[1].connections != 2)
		fail_msg("'%s': nobody took over", script);
	assert_int_equal(info_of(fixture, 0).failovers, 1);
	assert_int_equal(info_of(fixture, 1).accepted, 1);
	assert_string_equal(fixture->server[1].message, "Hello\r\n.\r\n");
	assert_int_equal(backend_teardown(&state), 0);
}

/* Until the message has been handed over, the sender does not notice. */
static void test_every_step(void **state)
{
	(void)state;
	for (size_t step = 0; step < COUNT(steps); step++)
		for (size_t end = 0; end < COUNT(ends); end++)
			fail_at(steps[step], ends[end]);
}

/* In the middle of the message, too: it begins anew with the next. */
static void test_in_the_message(void **state)
{
	struct backend_fixture *fixture = *state;
	const size_t size = 8u << 20;
	char *text = malloc(size);

	memset(text, 'm', size);
	start_with_backup(fixture, HELLO MAIL_OK RCPT_OK DATA "-\nX\n",
			  HELLO MAIL_OK RCPT_OK DATA_OK);
	begin_one(fixture);
	message(fixture, text, size);
	until(fixture, 3);
	check_told(fixture, ALL_OK);
	assert_int_equal(fixture->server[1].message_size, size + 5);
	assert_int_equal(info_of(fixture, 0).failovers, 1);
	assert_int_equal(info_of(fixture, 0).ambiguous, 0);
	free(text);
}

/* A message is refused before its end: that is its answer, whatever is still to be sent. */
static void test_refused_early(void **state)
{
	struct backend_fixture *fixture = *state;
	const size_t size = 8u << 20;
	char *text = malloc(size);

	memset(text, 'm', size);
	start_with_backup(fixture, HELLO MAIL_OK RCPT_OK DATA "S: 552 5.3.4 too large\n", NULL);
	begin_one(fixture);
	message(fixture, text, size);
	until(fixture, 3);
	check_told(fixture, TWO "MESSAGE 552 5.3.4 too large; ");
	assert_int_equal(info_of(fixture, 0).open, 0);
	assert_int_equal(info_of(fixture, 0).rejected, 1);
	assert_int_equal(fixture->server[1].connections, 1);
	free(text);
}

/* Who says that he has taken what was not at its end may have delivered it. */
static void test_taken_early(void **state)
{
	struct backend_fixture *fixture = *state;
	const size_t size = 8u << 20;
	char *text = malloc(size);

	memset(text, 'm', size);
	start_with_backup(fixture, HELLO MAIL_OK RCPT_OK DATA "S: 250 2.0.0 queued\n", NULL);
	begin_one(fixture);
	message(fixture, text, size);
	until(fixture, 3);
	check_told(fixture, TWO "MESSAGE " AMBIGUOUS);
	assert_int_equal(info_of(fixture, 0).ambiguous, 1);
	assert_int_equal(fixture->server[1].connections, 1);
	free(text);
}

static void end_after_dot(const char *end, const char *told, unsigned int ambiguous)
{
	struct backend_fixture *fixture;
	static char script[8192];
	void *state;

	assert_int_equal(backend_setup(&state), 0);
	fixture = state;
	snprintf(script, sizeof(script), "%s%s", HELLO MAIL_OK RCPT_OK DATA "D\n", end);
	start_with_backup(fixture, script, NULL);
	send_one(fixture);
	check_told(fixture, told);
	assert_int_equal(fixture->server[1].connections, 1);
	assert_int_equal(info_of(fixture, 0).ambiguous, ambiguous);
	assert_int_equal(info_of(fixture, 0).failovers, 0);
	assert_int_equal(backend_teardown(&state), 0);
}

/* After the final dot nothing is said again. What the server said is not ambiguous. */
static void test_after_dot(void **state)
{
	(void)state;
	end_after_dot("E\n", TWO "MESSAGE " AMBIGUOUS, 1);
	end_after_dot("X\n", TWO "MESSAGE " AMBIGUOUS, 1);
	end_after_dot("S: 999 what\n", TWO "MESSAGE " AMBIGUOUS, 1);
	end_after_dot("S: 354 more\n", TWO "MESSAGE " AMBIGUOUS, 1);
	end_after_dot("F: 4194304\n", TWO "MESSAGE " AMBIGUOUS, 1);
	end_after_dot("S: 421 4.3.2 going\nE\n", TWO "MESSAGE " SHUT, 0);
}

static void test_no_354(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, HELLO MAIL_OK RCPT_OK "C: DATA\nS: 250 ok\n",
			  HELLO MAIL_OK RCPT_OK DATA_OK);
	send_one(fixture);
	check_told(fixture, ALL_OK);
	assert_int_equal(info_of(fixture, 0).failovers, 1);
}

/* 3yz has no place before DATA. */
static void test_354_to_mail(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, HELLO MAIL "S: 354 go\n", HELLO MAIL_OK RCPT_OK DATA_OK);
	send_one(fixture);
	check_told(fixture, ALL_OK);
}

/* Nobody is told two things: the new server refuses what the old one took. */
static void test_contradiction(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, HELLO MAIL_OK RCPT_OK "C: DATA\nE\n",
			  HELLO MAIL_OK RCPT "S: 550 5.1.1 no\nC: RSET\nS: 250 ok\n");
	send_one(fixture);
	check_told(fixture, TWO "MESSAGE " REPLACED);
	check_scripts(fixture);
}

static void test_sender_contradiction(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, HELLO MAIL_OK RCPT "E\n",
			  HELLO MAIL RCPT "S: 550 5.7.1 no\nS: 503 what\n");
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 1);
	rcpt(fixture, "<b@d.example>");
	until(fixture, 2);
	check_told(fixture, "MAIL 250 2.1.0 sender; RCPT0 " REPLACED);
}

/* Recipients that were refused stay so: they are not said again. */
static void test_refused_stay_refused(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture,
			  HELLO MAIL_OK "C: RCPT TO:<1@d>\nS: 550 5.1.1 no\n"
					"C: RCPT TO:<2@d>\nS: 250 2.1.5 two\n"
					"C: RCPT TO:<3@d>\nS: 450 4.2.1 later\nC: DATA\nX\n",
			  HELLO MAIL_OK "C: RCPT TO:<2@d>\nS: 250 ok\n" DATA_OK);
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<1@d>");
	rcpt(fixture, "<2@d>");
	rcpt(fixture, "<3@d>");
	until(fixture, 4);
	message(fixture, "x\r\n", 3);
	until(fixture, 5);
	check_told(fixture, "MAIL 250 2.1.0 sender; RCPT0 550 5.1.1 no; RCPT1 250 2.1.5 two; "
			    "RCPT2 450 4.2.1 later; MESSAGE 250 2.0.0 queued; ");
	check_scripts(fixture);
}

#define GROUP                                                                                      \
	HELLO MAIL_OK "C: RCPT TO:<1@d>\nC: RCPT TO:<2@d>\nC: RCPT TO:<3@d>\nC: RCPT TO:<4@d>\n"   \
		      "S: 250 2.1.5 one\nS: 550 5.1.1 two\n"
#define GROUP_TOLD "MAIL 250 2.1.0 sender; RCPT0 250 2.1.5 one; RCPT1 550 5.1.1 two; "

static void say_group(struct backend_fixture *fixture)
{
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<1@d>");
	rcpt(fixture, "<2@d>");
	rcpt(fixture, "<3@d>");
	rcpt(fixture, "<4@d>");
	until(fixture, 5);
}

/* In the middle of a group: who was told is not told again, and who was not hears the next one. */
static void test_in_a_group(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, GROUP "E\n",
			  HELLO MAIL_OK
			  "C: RCPT TO:<1@d>\nC: RCPT TO:<3@d>\nC: RCPT TO:<4@d>\n"
			  "S: 250 ok\nS: 450 4.2.1 three\nS: 250 2.1.5 four\n" DATA_OK);
	say_group(fixture);
	check_told(fixture, GROUP_TOLD "RCPT2 450 4.2.1 three; RCPT3 250 2.1.5 four; ");
	message(fixture, "x\r\n", 3);
	until(fixture, 6);
	check_told(fixture, "MESSAGE 250 2.0.0 queued; ");
	check_scripts(fixture);
}

/* The next one refuses who was taken: nobody behind him is told that he was. */
static void test_contradiction_in_a_group(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, GROUP "E\n",
			  HELLO MAIL_OK "C: RCPT TO:<1@d>\nC: RCPT TO:<3@d>\nC: RCPT TO:<4@d>\n"
					"S: 550 no\nS: 250 ok\nS: 250 ok\n");
	say_group(fixture);
	check_told(fixture, GROUP_TOLD "RCPT2 " REPLACED "RCPT3 " REPLACED);
	message(fixture, "x\r\n", 3);
	until(fixture, 6);
	check_told(fixture, "MESSAGE " REPLACED);
}

static void test_nobody_left_in_a_group(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, GROUP "E\n", HELLO MAIL_OK "C: RCPT TO:<1@d>\nX\n");
	say_group(fixture);
	check_told(fixture, GROUP_TOLD "RCPT2 " NO_SERVER "RCPT3 " NO_SERVER);
}

static void test_all_fail(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, HELLO MAIL_OK RCPT "E\n", HELLO MAIL_OK RCPT "X\n");
	begin_one(fixture);
	message(fixture, "x\r\n", 3);
	until(fixture, 3);
	check_told(fixture, "MAIL 250 2.1.0 sender; RCPT0 " NO_SERVER "MESSAGE " NO_SERVER);
	assert_int_equal(info_of(fixture, 0).failures, 1);
	assert_int_equal(info_of(fixture, 1).failures, 1);
}

/* A connection that has waited may be dead: that is nobody's failure. */
static void stale(const char *end)
{
	struct backend_fixture *fixture;
	static char script[8192];
	void *state;

	assert_int_equal(backend_setup(&state), 0);
	fixture = state;
	snprintf(script, sizeof(script), "%s%s", HELLO MAIL_OK RCPT_OK DATA_OK, end);
	add_server(fixture, SCRIPTS(script, HELLO MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	send_two(fixture);
	assert_int_equal(info_of(fixture, 0).failures, 0);
	assert_int_equal(info_of(fixture, 0).failovers, 0);
	assert_int_equal(backend_teardown(&state), 0);
}

static void test_stale(void **state)
{
	(void)state;
	stale("E\n");
	stale("-\nX\n");
	stale("C: MAIL FROM:<a@s.example>\nE\n");
	stale("C: MAIL FROM:<a@s.example>\nX\n");
	stale("C: MAIL FROM:<a@s.example>\nS: 421 4.4.2 too late\nE\n");
}

/* While nobody uses it, the end of a connection is noticed. */
static void test_idle_ends(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK "-\nS: 421 4.4.2 idle\nE\n"));
	start(fixture);
	send_one(fixture);
	assert_int_equal(info_of(fixture, 0).idle, 1);
	settle(fixture);
	assert_int_equal(info_of(fixture, 0).idle, 0);
	assert_int_equal(info_of(fixture, 0).open, 0);
	assert_int_equal(info_of(fixture, 0).failures, 0);
}

/* An answer to nothing is never taken for the answer to what comes next. */
static void test_idle_speaks(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK "-\nS: 550 5.7.1 no\n",
				    HELLO MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	send_one(fixture);
	settle(fixture);
	assert_int_equal(info_of(fixture, 0).open, 0);
	send_one(fixture);
	check_told(fixture, ALL_OK ALL_OK);
}

/* Two answers to one command. */
static void test_answer_too_many(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, HELLO MAIL "R: 250 2.1.0 sender|250 2.1.5 recipient|\n",
			  HELLO MAIL_OK RCPT_OK DATA_OK);
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 1);
	rcpt(fixture, "<b@d.example>");
	until(fixture, 2);
	check_told(fixture, TWO);
	assert_int_equal(fixture->server[1].connections, 2);
}

static void rcpt_at_once(struct backend_fixture *fixture)
{
	if (fixture->answers == 1)
		rcpt(fixture, "<b@d.example>");
}

/* The second one was there before RCPT was said, so it is no answer to it. */
static void test_answer_too_soon(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture, HELLO MAIL "R: 250 2.1.0 sender|250 2.1.5 injected|\n",
			  HELLO MAIL_OK RCPT_OK DATA_OK);
	fixture->then = rcpt_at_once;
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 2);
	check_told(fixture, TWO);
	assert_int_equal(fixture->server[1].connections, 2);
}

/* A message that was taken is taken, though the server closes down in the same breath. */
static void test_taken_and_closed(void **state)
{
	struct backend_fixture *fixture = *state;

	start_with_backup(fixture,
			  HELLO MAIL_OK RCPT_OK DATA "D\nR: 250 2.0.0 queued|421 4.3.2 going|\nE\n",
			  NULL);
	send_one(fixture);
	check_told(fixture, ALL_OK);
	settle(fixture);
	assert_int_equal(info_of(fixture, 0).open, 0);
	assert_int_equal(info_of(fixture, 0).failures, 0);
	assert_int_equal(info_of(fixture, 0).ambiguous, 0);
}

static void test_split_answers(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS("R: 22\n-\nR: 0 mx|\nC: EHLO gate.example\nR: 250-m\n-\n"
				    "R: x|250 \n-\nR: SIZE|\n" MAIL "R: 2\n-\nR: 50-2.1.0 se\n-\n"
				    "R: nder|250 2.1.0 er\n-\nR: |\n" RCPT "R: 250 ok\n-\nR: |\n"));
	start(fixture);
	begin_one(fixture);
	check_told(fixture, "MAIL 250 2.1.0 sender\n2.1.0 er; RCPT0 250 2.0.0 ok; ");
	check_scripts(fixture);
}

/* Each step has its time. */
static const struct {
	const char *script;
	uint64_t seconds;
} silences[] = {
	{ "", DIALOGUE_OPEN_S },
	{ EHLO, DIALOGUE_OPEN_S },
	{ HELLO MAIL, DIALOGUE_MAIL_S },
	{ HELLO MAIL_OK RCPT, DIALOGUE_MAIL_S },
	{ HELLO MAIL_OK RCPT_OK "C: DATA\n", DIALOGUE_DATA_S },
	{ HELLO MAIL_OK RCPT_OK DATA "D\n", DIALOGUE_DOT_S },
};

static void be_silent(const char *script, uint64_t seconds)
{
	struct backend_fixture *fixture;
	void *state;

	assert_int_equal(backend_setup(&state), 0);
	fixture = state;
	add_server(fixture, SCRIPTS(script));
	start(fixture);
	mail_from(fixture, "<a@s.example>", 0);
	rcpt(fixture, "<b@d.example>");
	settle(fixture);
	if (fixture->answers == 2)
		message(fixture, "x\r\n", 3);
	settle(fixture);
	uv_update_time(fixture->backends->loop);
	assert_int_equal(info_of(fixture, 0).open, 1);
	dialogue_tick(fixture->backends, uv_now(fixture->backends->loop) + (seconds - 10) * 1000);
	assert_int_equal(info_of(fixture, 0).open, 1);
	dialogue_tick(fixture->backends, uv_now(fixture->backends->loop) + seconds * 1000);
	assert_int_equal(info_of(fixture, 0).open, 0);
	settle(fixture);
	assert_non_null(strstr(fixture->told, "451 lost"));
	assert_int_equal(backend_teardown(&state), 0);
}

static void test_silence(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(silences); i++)
		be_silent(silences[i].script, silences[i].seconds);
}

/* Idle connections are given up after a while, in order. */
static void test_idle_time(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	send_one(fixture);
	uv_update_time(fixture->backends->loop);
	dialogue_tick(fixture->backends,
		      uv_now(fixture->backends->loop) + (POOL_IDLE_S - 10) * 1000);
	assert_int_equal(info_of(fixture, 0).idle, 1);
	dialogue_tick(fixture->backends, uv_now(fixture->backends->loop) + POOL_IDLE_S * 1000);
	assert_int_equal(info_of(fixture, 0).open, 0);
	check_scripts(fixture);
}

static void test_transactions_max(void **state)
{
	struct backend_fixture *fixture = *state;
	char *script = calloc(1, 1 << 16), *at = script;

	at += sprintf(at, "%s", HELLO);
	for (unsigned int i = 0; i < POOL_TRANSACTIONS_MAX; i++)
		at += sprintf(at, "%s", MAIL_OK RCPT_OK DATA_OK);
	add_server(fixture, SCRIPTS(script, HELLO MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	for (unsigned int i = 0; i < POOL_TRANSACTIONS_MAX + 1; i++) {
		*fixture->told = '\0';
		send_one(fixture);
		check_told(fixture, ALL_OK);
	}
	check_scripts(fixture);
	assert_int_equal(info_of(fixture, 0).reused, POOL_TRANSACTIONS_MAX - 1);
	free(script);
}

/* No room for another connection: later. */
static void test_connections_max(void **state)
{
	struct backend_fixture *fixture = *state;
	struct backend_mail *first;

	fixture->conf->smtp.connections_max = 1;
	add_server(fixture, SCRIPTS(HELLO MAIL_OK));
	start(fixture);
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 1);
	first = fixture->mail;
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 2);
	check_told(fixture, "MAIL 250 2.1.0 sender; MAIL " NO_SERVER);
	backend_mail_end(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_step),
		WITH_BACKENDS(test_in_the_message),
		WITH_BACKENDS(test_refused_early),
		WITH_BACKENDS(test_taken_early),
		cmocka_unit_test(test_after_dot),
		WITH_BACKENDS(test_no_354),
		WITH_BACKENDS(test_354_to_mail),
		WITH_BACKENDS(test_contradiction),
		WITH_BACKENDS(test_sender_contradiction),
		WITH_BACKENDS(test_refused_stay_refused),
		WITH_BACKENDS(test_in_a_group),
		WITH_BACKENDS(test_contradiction_in_a_group),
		WITH_BACKENDS(test_nobody_left_in_a_group),
		WITH_BACKENDS(test_all_fail),
		cmocka_unit_test(test_stale),
		WITH_BACKENDS(test_idle_ends),
		WITH_BACKENDS(test_idle_speaks),
		WITH_BACKENDS(test_answer_too_many),
		WITH_BACKENDS(test_answer_too_soon),
		WITH_BACKENDS(test_taken_and_closed),
		WITH_BACKENDS(test_split_answers),
		cmocka_unit_test(test_silence),
		WITH_BACKENDS(test_idle_time),
		WITH_BACKENDS(test_transactions_max),
		WITH_BACKENDS(test_connections_max),
	};

	return cmocka_run_group_tests_name("backend_fail", tests, NULL, NULL);
}
