/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of dns/resolver: what is asked, answered, shared, cancelled and closed, with servers that
 * the test plays itself. Real servers are in tests/lab/test_dns.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dns_fixture.h"

#define ADDRESS 0x7f000002u
#define MANY    500

/* ---- answers */

static enum reaction script_types(struct fake *fake, const struct fake_question *question,
				  struct built *out)
{
	(void)fake;
	built_start(out, question->id, RCODE_OK, question->name, question->type);
	if (question->type == T_A)
		built_a(out, question->name, 77, ADDRESS);
	else if (question->type == T_MX)
		built_mx(out, question->name, 300, 10, "mx.example");
	else if (question->type == T_TXT)
		built_txt(out, question->name, 300, "v=spf1 -all", 11);
	else if (question->type == T_PTR)
		built_target(out, question->name, T_PTR, 300, "host.example");
	else
		built_soa(out, "example", 300, 60);
	return REACTION_ANSWER;
}

static void answers_of_all_types(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };
	uint64_t measured = 0;

	lab->fake[0].script = script_types;
	dns_lab_open(lab, 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_FOUND);
	assert_int_equal(asked.answer.ttl, 77);
	assert_int_equal(addr_ipv4(&asked.first.addr), ADDRESS);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_AAAA);
	assert_int_equal(asked.answer.status, DNS_NODATA);
	assert_int_equal(asked.answer.ttl, 60);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_MX);
	assert_string_equal(asked.text, "mx.example");
	assert_int_equal(asked.first.preference, 10);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_TXT);
	assert_string_equal(asked.text, "v=spf1 -all");
	dns_lab_ask_now(lab, &asked, "2.0.0.127.in-addr.arpa", DNS_PTR);
	assert_string_equal(asked.text, "host.example");
	assert_int_equal(dns_lab_stats(lab).answers[DNS_FOUND], 4);
	assert_int_equal(dns_lab_stats(lab).queries, 5);
	for (size_t i = 0; i < LATENCY_CLASSES; i++)
		measured += dns_lab_stats(lab).latency.class[i];
	assert_int_equal(measured, 5);
	assert_int_equal(dns_lab_stats(lab).in_flight, 0);
}

/* Names with octets that c-ares would take for something else reach the server as they are. */
static void unusual_names(void **state)
{
	static const char *const names[] = { "a\\.b.example", "a\\\\b.example", "a b.example",
					     "\xff\x01.example" };
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	dns_lab_open(lab, 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		dns_lab_ask_now(lab, &asked, names[i], DNS_A);
		assert_int_equal(asked.answer.status, DNS_FOUND);
		assert_string_equal(lab->fake[0].last, names[i]);
	}
	dns_lab_ask_now(lab, &asked, "a..example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_TEMPORARY);
	dns_lab_ask_now(lab, &asked, "nul\\000.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_TEMPORARY);
	dns_lab_ask_now(lab, &asked, "hidden.onion", DNS_A);
	assert_int_equal(asked.answer.status, DNS_NXDOMAIN);
	assert_int_equal(lab->fake[0].seen, 4);
}

static void on_later(const struct dns_answer *answer, void *arg)
{
	assert_int_equal(answer->status, DNS_NODATA);
	assert_int_equal(answer->count, 0);
	(*(unsigned int *)arg)++;
}

/* It is called back once, from the loop; asked and counted is nothing. */
static void later_is_no_question(void **state)
{
	static const uint64_t nothing[DNS_STATUS_COUNT];
	struct dns_lab *lab = *state;
	unsigned int called = 0;
	struct dns_query *query;
	struct dns_stats stats;

	dns_lab_open(lab, 1);
	dns_later(lab->dns, on_later, &called);
	query = dns_later(lab->dns, on_later, &called);
	dns_cancel(lab->dns, &query);
	assert_null(query);
	assert_int_equal(called, 0);
	dns_lab_until(lab, called);
	dns_lab_some(lab);
	assert_int_equal(called, 1);
	stats = dns_lab_stats(lab);
	assert_int_equal(stats.questions, 0);
	assert_int_equal(stats.cancelled, 0);
	assert_memory_equal(stats.answers, nothing, sizeof(nothing));
	assert_int_equal(lab->fake[0].seen, 0);
}

static void what_is_kept_is_not_asked_again(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	dns_lab_open(lab, 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	dns_lab_ask_now(lab, &asked, "A.EXAMPLE.", DNS_A);
	assert_int_equal(asked.answer.status, DNS_FOUND);
	assert_int_equal(addr_ipv4(&asked.first.addr), ADDRESS);
	assert_int_equal(lab->fake[0].seen, 1);
	assert_int_equal(dns_lab_stats(lab).hits, 1);
	assert_int_equal(dns_lab_stats(lab).cache_entries, 1);
	lab->fake[0].script = script_nxdomain;
	dns_lab_ask_now(lab, &asked, "b.example", DNS_A);
	dns_lab_ask_now(lab, &asked, "b.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_NXDOMAIN);
	assert_int_equal(lab->fake[0].seen, 2);
}

static void times_to_live_are_clamped(void **state)
{
	static const struct {
		uint32_t min, max, negative;
		fake_script script;
		uint32_t expected;
	} rows[] = {
		{ 0, 3600, 900, script_found, 300 },  { 400, 3600, 900, script_found, 400 },
		{ 0, 200, 900, script_found, 200 },   { 0, 3600, 900, script_nxdomain, 60 },
		{ 0, 3600, 30, script_nxdomain, 30 }, { 90, 3600, 900, script_nxdomain, 90 },
		{ 0, 3600, 900, script_servfail, 3 },
	};
	struct dns_lab *lab = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct asked asked = { .called = 0 };

		lab->options.ttl_min = rows[i].min;
		lab->options.ttl_max = rows[i].max;
		lab->options.ttl_negative = rows[i].negative;
		lab->fake[0].script = rows[i].script;
		dns_lab_open(lab, 1);
		dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
		assert_int_equal(asked.answer.ttl, rows[i].expected);
		dns_resolver_close(&lab->resolver);
	}
}

/* ---- sharing */

static void one_question_for_many(void **state)
{
	static struct asked asked[MANY];
	struct dns_lab *lab = *state;

	memset(asked, 0, sizeof(asked));
	lab->fake[0].script = script_hold;
	dns_lab_open(lab, 1);
	for (size_t i = 0; i < MANY; i++)
		dns_lab_ask(lab, &asked[i], i % 2 ? "a.example" : "A.Example.", DNS_A);
	dns_lab_until(lab, lab->fake[0].held_count == 1);
	lab->fake[0].script = script_found;
	fake_release(&lab->fake[0]);
	dns_lab_until(lab, asked[MANY - 1].called);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(asked[i].called, 1);
		assert_int_equal(asked[i].answer.status, DNS_FOUND);
	}
	assert_int_equal(lab->fake[0].seen, 1);
	assert_int_equal(dns_lab_stats(lab).coalesced, MANY - 1);
	assert_int_equal(dns_lab_stats(lab).queries, 1);
}

static void a_budget_is_used_up(void **state)
{
	static const struct dns_zone zones[] = { { "bl.example", 2 } };
	struct asked stranger[5] = { { .called = 0 } }, listed[3] = { { .called = 0 } };
	struct dns_lab *lab = *state;
	char name[32];

	lab->options.in_flight = 5;
	lab->options.zone = zones;
	lab->options.zone_count = 1;
	lab->fake[0].script = script_hold;
	dns_lab_open(lab, 1);
	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "s%zu.example", i);
		dns_lab_ask(lab, &stranger[i], name, DNS_A);
		snprintf(name, sizeof(name), "l%zu.bl.example", i);
		dns_lab_ask(lab, &listed[i], name, DNS_A);
	}
	/* Joining costs nothing; the fourth stranger is one too many. */
	dns_lab_ask(lab, &stranger[3], "s0.example", DNS_A);
	dns_lab_ask(lab, &stranger[4], "s4.example", DNS_A);
	dns_lab_until(lab, listed[2].called && stranger[4].called);
	assert_int_equal(listed[2].answer.status, DNS_BUSY);
	assert_int_equal(stranger[4].answer.status, DNS_BUSY);
	assert_int_equal(dns_lab_stats(lab).busy, 2);
	dns_lab_until(lab, lab->fake[0].held_count == 5);
	lab->fake[0].script = script_found;
	fake_release(&lab->fake[0]);
	dns_lab_until(lab, listed[1].called && stranger[3].called);
	/* That there was no room is not kept. */
	dns_lab_ask_now(lab, &listed[2], "l2.bl.example", DNS_A);
	assert_int_equal(listed[2].answer.status, DNS_FOUND);
}

/* ---- bursts */

#define BURST     300
#define UNREAD    128 /* as dns/try.c has it */
#define UNREAD_MS 100 /* that, too: after it a question has been read */

static struct asked burst[BURST];
static struct dns_lab *burst_lab;
static uint64_t most_unread; /* questions at once that were sent and not read, with a fence */

static void ask_a_burst(struct dns_lab *lab)
{
	char name[32];

	memset(burst, 0, sizeof(burst));
	burst_lab = lab;
	most_unread = 0;
	dns_lab_open(lab, 1);
	for (size_t i = 0; i < BURST; i++) {
		snprintf(name, sizeof(name), "n%zu.example", i);
		dns_lab_ask(lab, &burst[i], name, DNS_A);
	}
}

static enum reaction script_in_order(struct fake *fake, const struct fake_question *question,
				     struct built *out)
{
	static unsigned int number;
	const uint64_t unread = dns_lab_stats(burst_lab).queries - (fake->seen - 1);
	char name[32];

	most_unread = unread > most_unread ? unread : most_unread;
	if (!strcmp(question->name, "localhost")) /* a fence */
		return script_found(fake, question, out);
	snprintf(name, sizeof(name), "n%u.example", number++);
	assert_string_equal(question->name, name);
	return script_found(fake, question, out);
}

/* As many at once as the buffer of the server's socket holds, the others in order. */
static void a_burst_is_sent_as_it_is_answered(void **state)
{
	struct dns_lab *lab = *state;
	uint64_t begin;

	lab->fake[0].script = script_in_order;
	begin = uv_now(&lab->loop);
	ask_a_burst(lab);
	assert_int_equal(dns_lab_stats(lab).queries, UNREAD + 1);
	assert_int_equal(dns_lab_stats(lab).in_flight, BURST);
	dns_lab_until(lab, burst[BURST - 1].called);
	assert_true(most_unread <= UNREAD + 1 || uv_now(&lab->loop) - begin >= UNREAD_MS);
	for (size_t i = 0; i < BURST; i++)
		assert_int_equal(burst[i].answer.status, DNS_FOUND);
	assert_int_equal(lab->fake[0].seen, dns_lab_stats(lab).queries);
}

/* That a later question is answered says of those before that they were read. */
static enum reaction script_fences_only(struct fake *fake, const struct fake_question *question,
					struct built *out)
{
	return strcmp(question->name, "localhost") ? script_hold(fake, question, out)
						   : script_found(fake, question, out);
}

static void a_burst_is_sent_behind_fences(void **state)
{
	struct dns_lab *lab = *state;

	lab->fake[0].script = script_fences_only;
	ask_a_burst(lab);
	dns_lab_until(lab, lab->fake[0].held_count == BURST);
	assert_true(lab->fake[0].seen <= BURST + BURST / UNREAD);
}

static void a_burst_is_sent_without_answers_too(void **state)
{
	struct dns_lab *lab = *state;

	lab->fake[0].script = script_hold;
	ask_a_burst(lab);
	dns_lab_until(lab, lab->fake[0].held_count == BURST + 1);
	lab->fake[0].script = script_found;
	fake_release(&lab->fake[0]);
	dns_lab_until(lab, burst[BURST - 1].called);
	assert_int_equal(dns_lab_stats(lab).in_flight, 0);
}

static void a_burst_is_dropped(void **state)
{
	struct dns_lab *lab = *state;

	ask_a_burst(lab);
	dns_resolver_close(&lab->resolver);
	dns_lab_some(lab);
	for (size_t i = 0; i < BURST; i++)
		assert_int_equal(burst[i].called, 0);
}

/* ---- cancelling */

static void cancelled_while_waiting(void **state)
{
	struct asked first = { .called = 0 }, second = { .called = 0 }, later = { .called = 0 };
	struct dns_lab *lab = *state;

	lab->fake[0].script = script_hold;
	dns_lab_open(lab, 1);
	dns_lab_ask(lab, &first, "a.example", DNS_A);
	dns_lab_ask(lab, &second, "a.example", DNS_A);
	dns_lab_cancel(&first);
	dns_lab_cancel(&first); /* NULL is allowed */
	dns_lab_until(lab, lab->fake[0].held_count == 1);
	dns_lab_cancel(&second);
	lab->fake[0].script = script_found;
	fake_release(&lab->fake[0]);
	dns_lab_until(lab, !dns_lab_stats(lab).in_flight);
	dns_lab_some(lab);
	assert_int_equal(first.called + second.called, 0);
	/* The answer that nobody waited for was kept. */
	dns_lab_ask_now(lab, &later, "a.example", DNS_A);
	assert_int_equal(lab->fake[0].seen, 1);
	assert_int_equal(dns_lab_stats(lab).cancelled, 2);
}

static void cancelled_when_ready(void **state)
{
	struct asked asked = { .called = 0 };
	struct dns_lab *lab = *state;

	dns_lab_open(lab, 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	dns_lab_ask(lab, &asked, "a.example", DNS_A);
	dns_lab_cancel(&asked);
	dns_lab_ask(lab, &asked, "a..b", DNS_A);
	dns_lab_cancel(&asked);
	dns_lab_some(lab);
	assert_int_equal(asked.called, 1);
}

static void cancel_the_other(struct asked *asked)
{
	dns_lab_cancel(asked->arg);
}

/* Of two that get ready together the first one cancels the second. */
static void cancelled_inside_a_callback(void **state)
{
	struct asked second = { .called = 0 }, first = { .then = cancel_the_other, .arg = &second };
	struct dns_lab *lab = *state;

	dns_lab_open(lab, 1);
	dns_lab_ask(lab, &first, "a.example", DNS_A);
	dns_lab_ask(lab, &second, "a.example", DNS_A);
	dns_lab_until(lab, first.called);
	dns_lab_some(lab);
	assert_int_equal(second.called, 0);
	/* And one that is under way. */
	first.arg = &second;
	lab->fake[0].script = script_hold;
	dns_lab_ask(lab, &second, "b.example", DNS_A);
	dns_lab_ask(lab, &first, "a.example", DNS_A);
	dns_lab_until(lab, first.called == 2);
	assert_null(second.query);
}

static void ask_again(struct asked *asked)
{
	if (asked->called < 100)
		dns_lab_ask(asked->lab, asked, "a.example", DNS_A);
}

/* A chain of answers from the cache does not keep the loop from looking at its sockets. */
static void asked_inside_a_callback(void **state)
{
	struct asked chain = { .then = ask_again }, other = { .called = 0 };
	struct dns_lab *lab = *state;

	dns_lab_open(lab, 1);
	dns_lab_ask(lab, &chain, "a.example", DNS_A);
	dns_lab_until(lab, chain.called);
	uv_run(&lab->loop, UV_RUN_NOWAIT);
	assert_true(chain.called < 100);
	dns_lab_ask_now(lab, &other, "b.example", DNS_A);
	dns_lab_until(lab, chain.called == 100);
}

/* Many questions, of which a part is cancelled at every stage. */
static void a_storm_of_cancels(void **state)
{
	static struct asked asked[MANY];
	struct dns_lab *lab = *state;
	unsigned int left = 0;
	char name[32];

	memset(asked, 0, sizeof(asked));
	lab->fake[0].script = script_hold;
	dns_lab_open(lab, 1);
	for (size_t round = 0; round < 4; round++) {
		for (size_t i = round; i < MANY; i += 4) {
			snprintf(name, sizeof(name), "n%zu.example", i / 8);
			dns_lab_ask(lab, &asked[i], name, i % 3 ? DNS_A : DNS_TXT);
		}
		dns_lab_some(lab);
		lab->fake[0].script = round % 2 ? script_found : script_servfail;
		fake_release(&lab->fake[0]);
		for (size_t i = 0; i < MANY; i += 3)
			if (asked[i].query)
				dns_lab_cancel(&asked[i]);
		dns_lab_some(lab);
		lab->fake[0].script = script_hold;
	}
	lab->fake[0].script = script_found;
	fake_release(&lab->fake[0]);
	dns_lab_until(lab, !dns_lab_stats(lab).in_flight);
	dns_lab_some(lab);
	for (size_t i = 0; i < MANY; i++) {
		assert_true(asked[i].called <= 1);
		assert_null(asked[i].query);
		left += asked[i].called;
	}
	assert_int_equal(left + dns_lab_stats(lab).cancelled, MANY);
}

/* ---- closing */

static void closed_with_questions_under_way(void **state)
{
	static struct asked asked[20];
	struct dns_lab *lab = *state;
	char name[32];

	memset(asked, 0, sizeof(asked));
	lab->fake[0].script = script_hold;
	dns_lab_open(lab, 2);
	for (size_t i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%zu.example", i / 2);
		dns_lab_ask(lab, &asked[i], i == 7 ? "a..b" : name, DNS_A);
		if (i == 15)
			dns_lab_until(lab, lab->fake[0].held_count);
	}
	dns_resolver_close(&lab->resolver);
	assert_null(lab->resolver);
	dns_resolver_close(&lab->resolver);
	dns_lab_some(lab);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(asked[i].called, i == 7);
}

static void close_the_resolver(struct asked *asked)
{
	dns_resolver_close(&asked->lab->resolver);
}

static void closed_inside_a_callback(void **state)
{
	struct asked first = { .then = close_the_resolver }, second = { .called = 0 };
	struct dns_lab *lab = *state;

	dns_lab_open(lab, 1);
	dns_lab_ask(lab, &first, "a.example", DNS_A);
	dns_lab_ask(lab, &second, "a.example", DNS_A);
	dns_lab_until(lab, first.called);
	dns_lab_some(lab);
	assert_int_equal(second.called, 0);
}

/* The server of this test closes the resolver that asks it over TCP. */
static struct dns_lab *closing;

static enum reaction script_close(struct fake *fake, const struct fake_question *question,
				  struct built *out)
{
	script_found(fake, question, out);
	if (question->tcp)
		dns_resolver_close(&closing->resolver);
	else
		built_truncated(out);
	return REACTION_ANSWER;
}

static void closed_with_a_connection(void **state)
{
	struct asked asked = { .called = 0 };

	closing = *state;
	closing->fake[0].script = script_close;
	dns_lab_open(closing, 1);
	dns_lab_ask(closing, &asked, "a.example", DNS_A);
	dns_lab_until(closing, !closing->resolver);
	dns_lab_some(closing);
	assert_int_equal(asked.called, 0);
}

static void options_out_of_range(void **state)
{
	struct dns_lab *lab = *state;
	struct dns_resolver *none = NULL;
	struct error err = { 0 };

	lab->options.tries = 0;
	assert_int_equal(dns_resolver_open(&lab->loop, &lab->options, &none, &err), ERROR_USAGE);
	lab->options.tries = 1;
	lab->options.rewrites_suffix = "a..b";
	assert_int_equal(dns_resolver_open(&lab->loop, &lab->options, &none, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "a..b"));
	assert_null(none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, dns_lab_start, dns_lab_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_of_all_types),
		TEST(unusual_names),
		TEST(later_is_no_question),
		TEST(what_is_kept_is_not_asked_again),
		TEST(times_to_live_are_clamped),
		TEST(one_question_for_many),
		TEST(a_budget_is_used_up),
		TEST(a_burst_is_sent_as_it_is_answered),
		TEST(a_burst_is_sent_behind_fences),
		TEST(a_burst_is_sent_without_answers_too),
		TEST(a_burst_is_dropped),
		TEST(cancelled_while_waiting),
		TEST(cancelled_when_ready),
		TEST(cancelled_inside_a_callback),
		TEST(asked_inside_a_callback),
		TEST(a_storm_of_cancels),
		TEST(closed_with_questions_under_way),
		TEST(closed_inside_a_callback),
		TEST(closed_with_a_connection),
		TEST(options_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
