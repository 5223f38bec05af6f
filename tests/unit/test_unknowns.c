/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of session/smtp/unknowns.c: what is certain, for how long it is known, and what is bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "session/smtp/unknowns.h"

#define TTL 300u

static const struct unknowns_rules rules = { .ttl = TTL };

static void at(uint32_t seconds)
{
	clock_freeze(1800000000, seconds * NS_A_SECOND);
}

static struct unknowns *open_table(size_t max)
{
	struct unknowns *unknowns;
	struct error err;

	assert_int_equal(unknowns_open(max, &unknowns, &err), 0);
	at(1000);
	return unknowns;
}

static struct unknowns_key key_of(const char *to)
{
	return (struct unknowns_key){ to, strlen(to) };
}

static void note(struct unknowns *unknowns, const struct unknowns_rules *by, const char *to)
{
	const struct unknowns_key key = key_of(to);

	unknowns_note(unknowns, by, &key, "5.1.1 gone");
}

static bool knows(struct unknowns *unknowns, const struct unknowns_rules *by, const char *to)
{
	const struct unknowns_key key = key_of(to);
	struct unknowns_answer answer;

	return unknowns_find(unknowns, by, &key, &answer);
}

static void what_is_certain(void **state)
{
	static const struct {
		unsigned int code;
		const char *text;
		bool certain;
	} said[] = {
		{ 550, "5.1.1 <a@b.example>: Recipient address rejected: User unknown", true },
		{ 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", true },
		{ 550, "5.1.6 moved", true },
		{ 550, "5.1.1", true },
		{ 550, "5.1.1 one\n5.1.1 two", true },
		{ 550, "5.0.0 Unrouteable address", true }, /* Exim, without a status */
		{ 550, "5.0.0 Unknown user", true },
		{ 550, "5.1.1 one\n5.7.1 two", false },
		{ 550, "5.7.1 one\n5.1.1 two", false },
		{ 550, "5.1.1 one\n", false },
		{ 550, "5.1.11 no such status", false },
		{ 550, "5.1.0 Sender address rejected: User unknown", false },
		{ 550, "5.1.2 no such domain", false },
		{ 550, "5.1.8 the sender's domain does not exist", false },
		{ 550, "5.2.1 disabled", false },
		{ 550, "5.2.2 full", false },
		{ 550, "5.4.1 Recipient address rejected: Access denied", false },
		{ 550, "5.7.1 blocked, and not 5.1.1", false },
		{ 550, "5.0.0 Administrative prohibition", false },
		{ 550,
		  "5.0.0 Verification failed\n5.0.0 Unrouteable address\n"
		  "5.0.0 Sender verify failed",
		  false },
		{ 550, "5.0.0 Unknown user here", false },
		{ 550, "", false },
		{ 450, "4.1.1 not found yet", false },
		{ 450, "5.1.1 which is no status of 450", false },
		{ 451, "4.3.0 Unknown user", false },
		{ 551, "5.1.1 elsewhere", false },
		{ 553, "5.1.1 not allowed", false },
		{ 554, "5.1.1 the transaction failed", false },
		{ 250, "2.1.5 taken", false },
	};
	struct backend_reply reply = { .code = 550, .lost = true, .text = "5.1.1 nobody" };

	(void)state;
	assert_false(unknowns_is_certain(&reply));
	reply.lost = false;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		reply.code = (uint16_t)said[i].code;
		snprintf(reply.text, sizeof(reply.text), "%s", said[i].text);
		if (unknowns_is_certain(&reply) != said[i].certain)
			fail_msg("%u %s", said[i].code, said[i].text);
	}
}

static void for_a_time(void **state)
{
	struct unknowns *unknowns = open_table(10);
	const struct unknowns_key key = key_of("<a@own.example>");
	struct unknowns_answer answer;

	(void)state;
	assert_false(unknowns_find(unknowns, &rules, &key, &answer));
	note(unknowns, &rules, key.to);
	at(1000 + TTL - 1);
	assert_true(unknowns_find(unknowns, &rules, &key, &answer));
	assert_int_equal(answer.seconds, TTL - 1);
	assert_int_equal(answer.reply.code, 550);
	assert_false(answer.reply.lost);
	assert_string_equal(answer.reply.text, "5.1.1 gone");
	assert_int_equal(unknowns_count(unknowns), 1);
	at(1000 + TTL); /* that it was asked for makes it no younger */
	assert_int_equal(unknowns_count(unknowns), 0);
	assert_false(unknowns_find(unknowns, &rules, &key, &answer));
	note(unknowns, &rules, key.to);
	at(1000 + TTL + 200); /* a backend has said it again */
	note(unknowns, &rules, key.to);
	assert_int_equal(unknowns_count(unknowns), 1);
	at(1000 + TTL + 400);
	assert_true(unknowns_find(unknowns, &rules, &key, &answer));
	assert_int_equal(answer.seconds, 200);
	unknowns_forget(unknowns, &key);
	assert_false(unknowns_find(unknowns, &rules, &key, &answer));
	unknowns_forget(unknowns, &key);
	assert_int_equal(unknowns_count(unknowns), 0);
	unknowns_close(&unknowns);
}

/* Octet by octet; an octet may be any. */
static void no_other_recipient(void **state)
{
	static const char *const others[] = { "<A@own.example>",   "<a@own.exampl>",
					      "<a@own.example>x",  "<ab@own.example>",
					      "<a@other.example>", "" };
	struct unknowns *unknowns = open_table(10);

	(void)state;
	note(unknowns, &rules, "<a@own.example>");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(knows(unknowns, &rules, others[i]));
	assert_true(knows(unknowns, &rules, "<a@own.example>"));
	unknowns_close(&unknowns);
}

static void turned_off(void **state)
{
	const struct unknowns_rules off = { .ttl = 0 };
	struct unknowns *unknowns = open_table(10);

	(void)state;
	note(unknowns, &off, "<a@own.example>");
	assert_int_equal(unknowns_count(unknowns), 0);
	note(unknowns, &rules, "<a@own.example>");
	assert_false(knows(unknowns, &off, "<a@own.example>"));
	unknowns_close(&unknowns);
	assert_null(unknowns);
	note(NULL, &rules, "<a@own.example>");
	assert_false(knows(NULL, &rules, "<a@own.example>"));
	assert_int_equal(unknowns_count(NULL), 0);
	assert_int_equal(unknowns_clear(NULL), 0);
	unknowns_close(&unknowns);
}

/* What sessions from before a reload hear may be said by backends that are no longer there. */
static void generations(void **state)
{
	struct unknowns *unknowns = open_table(10);
	const struct unknowns_key key = key_of("<b@own.example>");
	struct unknowns_rules next = rules;

	(void)state;
	note(unknowns, &rules, "<a@own.example>");
	next.generation = unknowns_clear(unknowns);
	assert_int_equal(next.generation, 1);
	assert_int_equal(unknowns_count(unknowns), 0);
	assert_false(knows(unknowns, &next, "<a@own.example>"));
	note(unknowns, &rules, "<a@own.example>");
	assert_int_equal(unknowns_count(unknowns), 0);
	note(unknowns, &next, key.to);
	assert_false(knows(unknowns, &rules, key.to));
	assert_true(knows(unknowns, &next, key.to));
	unknowns_forget(unknowns, &key); /* by a session of any */
	assert_false(knows(unknowns, &next, key.to));
	unknowns_close(&unknowns);
}

static char *numbered(unsigned int number, char out[64])
{
	snprintf(out, 64, "<user%u@own.example>", number);
	return out;
}

/* A flood of names pushes out those that were learned first, and makes nothing larger. */
static void bounded(void **state)
{
	struct unknowns *unknowns = open_table(300);
	char to[64];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		note(unknowns, &rules, numbered(i, to));
		assert_in_range(unknowns_count(unknowns), 1, 300);
	}
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(knows(unknowns, &rules, numbered(i, to)), i >= 700);
	note(unknowns, &rules, numbered(950, to)); /* needs no room */
	assert_true(knows(unknowns, &rules, numbered(700, to)));
	/* When all are over none is found, though not all are gone at once. */
	at(1000 + TTL);
	assert_false(knows(unknowns, &rules, numbered(999, to)));
	assert_false(knows(unknowns, &rules, numbered(998, to)));
	note(unknowns, &rules, numbered(999, to));
	assert_true(knows(unknowns, &rules, numbered(999, to)));
	assert_int_equal(unknowns_count(unknowns), 1);
	unknowns_close(&unknowns);
}

#define THREADS 4
#define ROUNDS  20000

static void *ask_and_note(void *arg)
{
	struct unknowns *unknowns = arg;
	char to[64];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		const struct unknowns_key key = key_of(numbered(i % 150, to));
		struct unknowns_answer answer;

		if (unknowns_find(unknowns, &rules, &key, &answer) &&
		    (strcmp(answer.reply.text, "5.1.1 gone") != 0 || i % 150 >= 140))
			return arg;
		if (i % 150 < 140)
			unknowns_note(unknowns, &rules, &key, "5.1.1 gone");
		if (i % 7 == 0)
			unknowns_forget(unknowns, &key);
		if (i % 1000 == 0)
			unknowns_count(unknowns);
	}
	return NULL;
}

static void threads(void **state)
{
	struct unknowns *unknowns = open_table(100);
	pthread_t thread[THREADS];
	void *wrong;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, ask_and_note, unknowns), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &wrong);
		assert_null(wrong);
	}
	unknowns_close(&unknowns);
	clock_freeze(0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_certain),
		cmocka_unit_test(for_a_time),
		cmocka_unit_test(no_other_recipient),
		cmocka_unit_test(turned_off),
		cmocka_unit_test(generations),
		cmocka_unit_test(bounded),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
