/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_backend_health.c - which servers are well, and which of them is chosen.
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

#define CHOICES 4000
#define EHLO    "C: EHLO gate.example\n"

/* Lets what is due by time happen, as if that much had passed, and waits for its end. */
static void pass(struct backend_fixture *fixture, uint64_t ms)
{
	uv_update_time(fixture->backends->loop);
	tick(fixture, ms);
	settle(fixture);
}

static void refuse_connections(struct backend_fixture *fixture, size_t server)
{
	listener_close(&fixture->server[server].listener);
	settle(fixture);
}

/* Until the first dialogue is over it is not up, and that is why. */
static void test_not_known_yet(void **state)
{
	struct backend_fixture *fixture = *state;
	struct backend_info info;

	add_server(fixture, SCRIPTS(NULL));
	begin(fixture);
	info = info_of(fixture, 0);
	assert_false(info.up);
	assert_string_equal(info.why, "it has not answered yet");
}

static void test_up_at_start(void **state)
{
	struct backend_fixture *fixture = *state;
	struct backend_info info;

	add_server(fixture, SCRIPTS(NULL));
	start(fixture);
	info = info_of(fixture, 0);
	assert_true(info.up);
	assert_false(info.backup);
	assert_string_equal(info.why, "");
	assert_true(info.since > 0);
	assert_memory_equal(info.name, "127.0.0.1:", 10);
	assert_int_equal(info.open, 0);
	check_scripts(fixture); /* QUIT was said */
}

/* One connection that fails takes a server out; a dialogue brings it back. */
static void test_unreachable(void **state)
{
	struct backend_fixture *fixture = *state;
	unsigned int features;
	uint64_t size;

	add_server(fixture, SCRIPTS(NULL));
	refuse_connections(fixture, 0);
	start(fixture);
	assert_false(info_of(fixture, 0).up);
	assert_string_equal(info_of(fixture, 0).why, "connect: connection refused");
	assert_false(backends_offer(fixture->backends, &features, &size));
	mail_from(fixture, "<a@s.example>", 0);
	until(fixture, 1);
	check_told(fixture, "MAIL " NO_SERVER);
	assert_int_equal(info_of(fixture, 0).connections, 1); /* not even tried */
}

/* The pauses between probes grow while it is down. */
static void test_pauses(void **state)
{
	struct backend_fixture *fixture = *state;
	static const uint64_t pauses[] = { 10000, 20000, 40000, 60000, 60000 };
	uint64_t asked;

	add_server(fixture, SCRIPTS(NULL));
	refuse_connections(fixture, 0);
	start(fixture);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		asked = info_of(fixture, 0).connections;
		pass(fixture, pauses[i] - 5000);
		assert_int_equal(info_of(fixture, 0).connections, asked);
		pass(fixture, pauses[i]);
		assert_int_equal(info_of(fixture, 0).connections, asked + 1);
	}
	assert_int_equal(info_of(fixture, 0).failures, 6);
}

static void test_back_again(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS("S: 220 mx\n" EHLO "E\n", "S: 554 no\n", HELLO, HELLO,
				    HELLO MAIL_OK RCPT_OK DATA_OK));
	fixture->server[0].hello = "E\n";
	start(fixture);
	assert_string_equal(info_of(fixture, 0).why, "greeting: closed by the server");
	pass(fixture, HEALTH_AGAIN_MS);
	assert_int_equal(fixture->backends->server[0].state, HEALTH_UNKNOWN);
	pass(fixture, HEALTH_AGAIN_MS);
	assert_int_equal(fixture->backends->server[0].state, HEALTH_DOWN);
	assert_string_equal(info_of(fixture, 0).why, "greeting: no");
	pass(fixture, HEALTH_PROBE_MS);
	assert_true(info_of(fixture, 0).up);
	/* Only a transaction shows that it takes mail. */
	assert_int_equal(fixture->backends->server[0].failures, HEALTH_FAILURES_MAX - 1);
	pass(fixture, HEALTH_PROBE_MS);
	assert_int_equal(fixture->backends->server[0].failures, HEALTH_FAILURES_MAX - 1);
	send_one(fixture);
	assert_int_equal(fixture->backends->server[0].failures, 0);
	check_scripts(fixture);
}

/* Three transactions that fail, though the dialogue between them is fine. */
static void test_failing_transactions(void **state)
{
	struct backend_fixture *fixture = *state;
	static const char bad[] = HELLO "C: MAIL FROM:<a@s.example>\nE\n";

	add_server(fixture, SCRIPTS(bad, HELLO, bad, HELLO, bad));
	start(fixture);
	for (unsigned int i = 1; i <= HEALTH_FAILURES_MAX; i++) {
		assert_true(info_of(fixture, 0).up);
		mail_from(fixture, "<a@s.example>", 0);
		until(fixture, i);
		backend_mail_end(&fixture->mail);
		if (i < HEALTH_FAILURES_MAX)
			pass(fixture, 0); /* it is asked at once */
	}
	assert_false(info_of(fixture, 0).up);
	check_scripts(fixture);
}

/* One that is busy gets nothing for a while, but is not down. */
static void busy(const char *greeting)
{
	struct backend_fixture *fixture;
	void *state;

	assert_int_equal(backend_setup(&state), 0);
	fixture = state;
	add_server(fixture, SCRIPTS(greeting, HELLO));
	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK))->weight = 0;
	start(fixture);
	send_one(fixture);
	check_told(fixture, ALL_OK);
	assert_true(info_of(fixture, 0).up);
	assert_non_null(strstr(info_of(fixture, 0).why, "4.3.2 busy"));
	assert_int_equal(info_of(fixture, 0).failures, 0);
	assert_true(fixture->backends->server[0].busy_until > uv_now(fixture->backends->loop));
	pass(fixture, HEALTH_BUSY_MS - 1000);
	pass(fixture, HEALTH_BUSY_MS);
	assert_int_equal(fixture->backends->server[0].busy_until, 0);
	check_scripts(fixture);
	assert_int_equal(backend_teardown(&state), 0);
}

static void test_busy(void **state)
{
	(void)state;
	busy("S: 450 4.3.2 busy\n");
	busy("S: 421 4.3.2 busy\nE\n");
	busy("S: 220 mx.example ESMTP\nC: EHLO gate.example\nS: 421 4.3.2 busy\nE\n");
}

#define RCPT_ENDS(end) HELLO MAIL_OK "C: RCPT TO:<b@d.example>\n" end "E\n"

/* That a connection ends which has worked is no news about the server: a new one is tried. */
static void ends_once(const char *script)
{
	struct backend_fixture *fixture;
	void *state;

	assert_int_equal(backend_setup(&state), 0);
	fixture = state;
	add_server(fixture, SCRIPTS(script, HELLO MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	send_one(fixture);
	check_told(fixture, ALL_OK);
	assert_int_equal(info_of(fixture, 0).failures, 0);
	assert_int_equal(info_of(fixture, 0).failovers, 0);
	assert_int_equal(fixture->backends->server[0].busy_until, 0);
	check_scripts(fixture);
	assert_int_equal(backend_teardown(&state), 0);
}

static void test_ends_once(void **state)
{
	(void)state;
	ends_once(RCPT_ENDS("S: 421 4.7.0 too many errors\n"));
	ends_once(RCPT_ENDS(""));
}

/* 421 on each of them: two are tried, and then the next server; this one is not busy. */
static void test_ends_always(void **state)
{
	struct backend_fixture *fixture = *state;
	static const char ends[] = RCPT_ENDS("S: 421 4.7.0 too many errors\n");

	add_server(fixture, SCRIPTS(ends, ends));
	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK))->weight = 0;
	start(fixture);
	send_one(fixture);
	check_told(fixture, ALL_OK);
	assert_int_equal(info_of(fixture, 0).failures, 0);
	assert_int_equal(info_of(fixture, 0).failovers, 1);
	assert_int_equal(fixture->backends->server[0].busy_until, 0);
	check_scripts(fixture);
}

static void refuse_some(unsigned int refusals, const char *rest, const char *next)
{
	struct backend_fixture *fixture;
	char script[2048] = HELLO MAIL_OK;
	void *state;

	assert_int_equal(backend_setup(&state), 0);
	fixture = state;
	for (unsigned int i = 0; i < refusals; i++)
		strcat(script, "C: RCPT TO:<x@d.example>\nS: 550 5.1.1 no\n");
	strcat(script, rest);
	add_server(fixture, SCRIPTS(script, next));
	start(fixture);
	mail_from(fixture, "<a@s.example>", 0);
	for (unsigned int i = 0; i < refusals; i++)
		rcpt(fixture, "<x@d.example>");
	until(fixture, refusals + 1);
	backend_mail_end(&fixture->mail);
	settle(fixture);
	*fixture->told = '\0';
	fixture->answers = 0;
	send_one(fixture);
	check_told(fixture, ALL_OK);
	assert_int_equal(fixture->server[0].connections, next ? 3 : 2);
	assert_string_equal(fixture->server[0].wrong, "");
	assert_int_equal(backend_teardown(&state), 0);
}

/* Nobody pays for the errors of another client: a connection with many is not used again. */
static void test_refusals(void **state)
{
	(void)state;
	refuse_some(POOL_REFUSALS_MAX - 1, "C: RSET\nS: 250 ok\n" MAIL_OK RCPT_OK DATA_OK, NULL);
	refuse_some(POOL_REFUSALS_MAX, "C: QUIT\nS: 221 bye\nE\n", HELLO MAIL_OK RCPT_OK DATA_OK);
}

/* When a server goes down, the connections that wait for work go with it. */
static void test_down_closes(void **state)
{
	struct backend_fixture *fixture = *state;

	add_server(fixture, SCRIPTS(HELLO MAIL_OK RCPT_OK DATA_OK));
	start(fixture);
	send_one(fixture);
	assert_int_equal(info_of(fixture, 0).idle, 1);
	refuse_connections(fixture, 0);
	pass(fixture, HEALTH_PROBE_MS);
	assert_false(info_of(fixture, 0).up);
	assert_int_equal(info_of(fixture, 0).open, 0);
}

/* ---- the choice */

static void count_choices(struct backend_fixture *fixture, const struct choice *choice,
			  unsigned int chosen[SERVERS_MAX])
{
	memset(chosen, 0, SERVERS_MAX * sizeof(*chosen));
	for (unsigned int i = 0; i < CHOICES; i++) {
		struct backend_server *server = choose_server(fixture->backends, choice);

		if (server)
			chosen[server->number]++;
	}
}

static void test_weights(void **state)
{
	struct backend_fixture *fixture = *state;
	struct choice choice = { 0, 0 };
	unsigned int chosen[SERVERS_MAX];

	add_server(fixture, SCRIPTS(NULL))->weight = 1;
	add_server(fixture, SCRIPTS(NULL))->weight = 3;
	add_server(fixture, SCRIPTS(NULL))->weight = 0;
	start(fixture);
	fixture->backends->random = 1;
	count_choices(fixture, &choice, chosen);
	assert_in_range(chosen[0], CHOICES / 4 - 200, CHOICES / 4 + 200);
	assert_int_equal(chosen[0] + chosen[1], CHOICES);
	choice.tried = 2;
	count_choices(fixture, &choice, chosen);
	assert_int_equal(chosen[0], CHOICES);
	choice.tried = 3;
	count_choices(fixture, &choice, chosen);
	assert_int_equal(chosen[2], CHOICES);
	choice.tried = 7;
	count_choices(fixture, &choice, chosen);
	assert_int_equal(chosen[0] + chosen[1] + chosen[2], 0);
}

static void test_choice_by_health(void **state)
{
	struct backend_fixture *fixture = *state;
	const struct choice any = { 0, 0 }, utf8 = { BACKEND_SMTPUTF8, 0 };
	unsigned int chosen[SERVERS_MAX];
	struct backend_server *server;

	for (size_t i = 0; i < SERVERS_MAX; i++)
		add_server(fixture, SCRIPTS(NULL))->weight = i < 2;
	start(fixture);
	server = fixture->backends->server;
	server[0].busy_until = uv_now(fixture->backends->loop) + 1000;
	count_choices(fixture, &any, chosen);
	assert_int_equal(chosen[1], CHOICES);
	server[1].state = HEALTH_DOWN;
	count_choices(fixture, &any, chosen);
	assert_int_equal(chosen[2], CHOICES);
	server[2].state = HEALTH_DOWN;
	count_choices(fixture, &any, chosen);
	assert_int_equal(chosen[0] + chosen[1] + chosen[2], 0);
	/* Of one that is not known yet everything may be hoped. */
	server[1].state = HEALTH_UNKNOWN;
	count_choices(fixture, &utf8, chosen);
	assert_int_equal(chosen[1], CHOICES);
}

/* What is offered is what all offer that are well, of which the least size. */
static void test_offer(void **state)
{
	struct backend_fixture *fixture = *state;
	unsigned int features = 0;
	uint64_t size = 0;

	for (size_t i = 0; i < SERVERS_MAX; i++)
		add_server(fixture, SCRIPTS(NULL));
	fixture->server[1].hello = "S: 220 b\n" EHLO "S: 250-b\nS: 250-SIZE 0\nS: 250-DSN\n"
				   "S: 250-SIZE\nS: 250 8BITMIME\n";
	fixture->server[2].hello = "S: 220 c\n" EHLO "S: 250 c\n";
	start(fixture);
	assert_true(backends_offer(fixture->backends, &features, &size));
	assert_int_equal(features, 0);
	assert_int_equal(size, 1000);
	fixture->backends->server[2].state = HEALTH_DOWN;
	assert_true(backends_offer(fixture->backends, &features, &size));
	assert_int_equal(features, BACKEND_SIZE | BACKEND_8BITMIME);
	assert_int_equal(size, 1000);
	fixture->backends->server[0].state = HEALTH_DOWN;
	assert_true(backends_offer(fixture->backends, &features, &size));
	assert_int_equal(features, BACKEND_SIZE | BACKEND_8BITMIME | BACKEND_DSN);
	assert_int_equal(size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BACKENDS(test_not_known_yet),    WITH_BACKENDS(test_up_at_start),
		WITH_BACKENDS(test_unreachable),      WITH_BACKENDS(test_pauses),
		WITH_BACKENDS(test_back_again),       WITH_BACKENDS(test_failing_transactions),
		cmocka_unit_test(test_busy),          cmocka_unit_test(test_ends_once),
		WITH_BACKENDS(test_ends_always),      cmocka_unit_test(test_refusals),
		WITH_BACKENDS(test_down_closes),      WITH_BACKENDS(test_weights),
		WITH_BACKENDS(test_choice_by_health), WITH_BACKENDS(test_offer),
	};

	return cmocka_run_group_tests_name("backend_health", tests, NULL, NULL);
}
