/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of dns/server and dns/rewrites: servers that are silent, gone, back, refuse, cut their
 * answers off, talk nonsense, or answer for names that do not exist.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/log.h"
#include "tests/unit/dns_fixture.h"

#define BIG   6000
#define LOAD  50  /* questions at a time */
#define BURST 800 /* many times what is sent at once, however often that is before the time-out */

/* ---- TCP */

static char big[BIG];

/* What does not fit into a datagram is cut off there. */
static enum reaction script_big(struct fake *fake, const struct fake_question *question,
				struct built *out)
{
	(void)fake;
	built_start(out, question->id, RCODE_OK, question->name, question->type);
	if (!question->tcp) {
		built_truncated(out);
		return REACTION_ANSWER;
	}
	memset(big, 'x', sizeof(big));
	built_txt(out, question->name, 300, big, DNS_TEXT_MAX - 1);
	built_txt(out, question->name, 300, big, sizeof(big));
	return REACTION_ANSWER;
}

static void an_answer_that_needs_tcp(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	lab->fake[0].script = script_big;
	dns_lab_open(lab, 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_TXT);
	assert_int_equal(asked.answer.status, DNS_FOUND);
	assert_int_equal(asked.answer.count, 1);
	assert_true(asked.answer.cut);
	assert_int_equal(asked.first.length, DNS_TEXT_MAX - 1);
	assert_int_equal(strlen(asked.text), DNS_TEXT_MAX - 1);
	assert_int_equal(lab->fake[0].seen_tcp, 1);
	assert_int_equal(dns_lab_stats(lab).tcp, 1);
}

static enum reaction script_hang_up(struct fake *fake, const struct fake_question *question,
				    struct built *out)
{
	(void)fake;
	built_start(out, question->id, RCODE_OK, question->name, question->type);
	built_truncated(out);
	return question->tcp ? REACTION_CLOSE : REACTION_ANSWER;
}

/* A server that hangs up is asked again, as often as there are tries, and then another one. */
static void a_server_that_hangs_up(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	lab->fake[0].script = script_hang_up;
	lab->options.tries = 2;
	dns_lab_open(lab, 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_TXT);
	assert_int_equal(asked.answer.status, DNS_TEMPORARY);
	assert_int_equal(lab->fake[0].seen_tcp, 2);
	dns_resolver_close(&lab->resolver);
	dns_lab_open(lab, 2);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_FOUND);
}

/* ---- servers that do not answer */

static void nobody_answers(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	lab->options.timeout = SHORT_MS;
	lab->options.tries = 2;
	lab->fake[0].script = script_silent;
	dns_lab_open(lab, 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_TEMPORARY);
	assert_int_equal(dns_lab_stats(lab).timeouts, 2);
	assert_int_equal(lab->fake[0].seen, 2);
	assert_int_equal(dns_lab_stats(lab).in_flight, 0);
}

/* Nothing listens on the port: the kernel says so at once. */
static void a_port_without_a_server(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	fake_close(lab, &lab->fake[0]);
	dns_lab_open(lab, 2);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_FOUND);
	assert_int_equal(lab->fake[1].seen, 1);
	assert_int_equal(dns_lab_stats(lab).timeouts, 0);
}

/* After a few failures the dead server is left alone, and the next questions do not wait for it. */
static void the_second_server_takes_over(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };
	uint64_t seen;
	char name[32];

	lab->options.timeout = SHORT_MS;
	lab->options.tries = 10;
	lab->fake[0].script = script_silent;
	dns_lab_open(lab, 2);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "a%d.example", i);
		dns_lab_ask_now(lab, &asked, name, DNS_A);
		assert_int_equal(asked.answer.status, DNS_FOUND);
	}
	dns_lab_until(lab, dns_lab_stats(lab).servers_down == 1);
	assert_int_equal(dns_lab_stats(lab).failovers, 1);
	seen = lab->fake[0].seen;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "b%d.example", i);
		dns_lab_ask_now(lab, &asked, name, DNS_A);
		assert_int_equal(asked.answer.status, DNS_FOUND);
	}
	/* Probes, and what a busy machine made us take for silence of the other one. */
	assert_true(lab->fake[0].seen < seen + 10);
}

/* Says nothing about one zone, whose own servers are dead. */
static enum reaction script_dead_zone(struct fake *fake, const struct fake_question *question,
				      struct built *out)
{
	if (strstr(question->name, ".dead"))
		return script_silent(fake, question, out);
	return script_found(fake, question, out);
}

/* A zone that is dead is no server that is. */
static void a_dead_zone_is_no_dead_server(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };
	char name[32];

	lab->options.timeout = SHORT_MS;
	lab->options.tries = 1;
	lab->fake[0].script = script_dead_zone;
	dns_lab_open(lab, 1);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "a%d.dead", i);
		dns_lab_ask_now(lab, &asked, name, DNS_A);
		assert_int_equal(asked.answer.status, DNS_TEMPORARY);
		assert_int_equal(dns_lab_stats(lab).servers_down, 0);
	}
	assert_int_equal(dns_lab_stats(lab).failovers, 0);
	dns_lab_ask_now(lab, &asked, "b.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_FOUND);
}

/* One of the questions that keep coming. */
struct stream {
	struct asked asked;
	unsigned int number;
	uint64_t found, temporary;
	bool stop;
};

static void next_of_stream(struct asked *asked)
{
	struct stream *stream = asked->arg;
	char name[48];

	stream->found += asked->answer.status == DNS_FOUND;
	stream->temporary += asked->answer.status == DNS_TEMPORARY;
	if (stream->stop)
		return;
	snprintf(name, sizeof(name), "n%u.s%p.example", asked->called, asked->arg);
	dns_lab_ask(asked->lab, asked, name, DNS_A);
}

static uint64_t sum_of(const struct stream *stream, bool found)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < LOAD; i++)
		sum += found ? stream[i].found : stream[i].temporary;
	return sum;
}

/* Both servers die under load, and come back on their own. */
static void death_and_return_under_load(void **state)
{
	static struct stream stream[LOAD];
	struct dns_lab *lab = *state;
	uint64_t before;

	memset(stream, 0, sizeof(stream));
	lab->options.timeout = SHORT_MS;
	lab->options.tries = 2;
	dns_lab_open(lab, 2);
	for (size_t i = 0; i < LOAD; i++) {
		stream[i].asked.then = next_of_stream;
		stream[i].asked.arg = &stream[i];
		dns_lab_ask(lab, &stream[i].asked, i % 2 ? "x.example" : "y.example", DNS_A);
	}
	dns_lab_until(lab, sum_of(stream, true) > 10 * LOAD);
	fake_close(lab, &lab->fake[0]);
	before = sum_of(stream, true);
	dns_lab_until(lab, sum_of(stream, true) > before + 10 * LOAD);
	lab->fake[1].script = script_silent;
	before = sum_of(stream, false);
	dns_lab_until(lab, sum_of(stream, false) > before + LOAD &&
				   dns_lab_stats(lab).servers_down == 2);
	fake_listen(&lab->fake[0]);
	dns_lab_until(lab, dns_lab_stats(lab).servers_down == 1);
	before = sum_of(stream, true);
	dns_lab_until(lab, sum_of(stream, true) > before + 10 * LOAD);
	lab->fake[1].script = script_found;
	dns_lab_until(lab, dns_lab_stats(lab).servers_down == 0);
	for (size_t i = 0; i < LOAD; i++)
		stream[i].stop = true;
	dns_lab_until(lab, !dns_lab_stats(lab).in_flight);
	dns_lab_some(lab);
	assert_int_equal(dns_lab_stats(lab).in_flight, 0);
}

/* ---- servers that cannot or will not say */

/* What waits in a burst to be sent to a server that turns out to be down goes to the other one. */
static void a_burst_at_a_dead_server(void **state)
{
	static struct asked asked[BURST];
	struct dns_lab *lab = *state;
	char name[32];

	memset(asked, 0, sizeof(asked));
	lab->options.timeout = SHORT_MS;
	lab->options.tries = 10;
	lab->fake[0].script = script_silent;
	dns_lab_open(lab, 2);
	for (size_t i = 0; i < BURST; i++) {
		snprintf(name, sizeof(name), "n%zu.example", i);
		dns_lab_ask(lab, &asked[i], name, DNS_A);
	}
	for (size_t i = 0; i < BURST; i++)
		dns_lab_until(lab, asked[i].called);
	for (size_t i = 0; i < BURST; i++)
		assert_int_equal(asked[i].answer.status, DNS_FOUND);
	assert_true(lab->fake[0].seen < BURST);
}

static void a_failure_is_kept_for_a_moment(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	lab->fake[0].script = script_servfail;
	dns_lab_open(lab, 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_TEMPORARY);
	assert_int_equal(lab->fake[0].seen, 1); /* the same server would say the same */
	assert_int_equal(dns_lab_stats(lab).refusals, 1);
	assert_int_equal(asked.answer.ttl, 3);
	/* The loop's clock says how long ago that was: only if it is less can it be looked at. */
	dns_lab_ask(lab, &asked, "a.example", DNS_A);
	dns_lab_until(lab, asked.called == 2);
	assert_int_equal(asked.answer.status, DNS_TEMPORARY);
	assert_int_equal(lab->fake[0].seen + dns_lab_stats(lab).hits, 2);
}

static void another_server_knows(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	lab->fake[0].script = script_servfail;
	dns_lab_open(lab, 2);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_FOUND);
	assert_int_equal(dns_lab_stats(lab).servers_down, 0);
}

static enum reaction script_no_edns(struct fake *fake, const struct fake_question *question,
				    struct built *out)
{
	if (!question->edns)
		return script_found(fake, question, out);
	built_start(out, question->id, RCODE_FORMERR, question->name, question->type);
	return REACTION_ANSWER;
}

static void a_server_without_edns(void **state)
{
	struct asked asked[4] = { { .called = 0 } };
	struct dns_lab *lab = *state;
	char name[32];

	lab->fake[0].script = script_no_edns;
	dns_lab_open(lab, 1);
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "a%zu.example", i);
		dns_lab_ask(lab, &asked[i], name, DNS_A);
	}
	for (size_t i = 0; i < 4; i++) {
		dns_lab_until(lab, asked[i].called);
		assert_int_equal(asked[i].answer.status, DNS_FOUND);
	}
}

/* ---- nonsense, and answers that are not for us */

static enum reaction script_nonsense(struct fake *fake, const struct fake_question *question,
				     struct built *out)
{
	size_t record;

	(void)fake;
	built_start(out, question->id, RCODE_OK, question->name, question->type);
	record = built_record(out, SECTION_ANSWER, question->name, T_A, 300);
	built_octets(out, "123", 3);
	built_end(out, record);
	return REACTION_ANSWER;
}

static void an_answer_that_cannot_be_read(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	lab->fake[0].script = script_nonsense;
	dns_lab_open(lab, 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_TEMPORARY);
	assert_int_equal(dns_lab_stats(lab).nonsense, 1);
}

static enum reaction script_others(struct fake *fake, const struct fake_question *question,
				   struct built *out)
{
	/* The first one is for another question, the second for another name, then the right one.
	 */
	static const char *const names[] = { "a.example", "b.example", "a.example" };
	const size_t nth = (fake->seen - 1) % 3;

	built_start(out, nth == 0 ? (uint16_t)(question->id + 1) : question->id, RCODE_OK,
		    names[nth], question->type);
	built_a(out, names[nth], 300, nth == 2 ? 0x7f000002u : 0x7f000003u);
	return REACTION_ANSWER;
}

static void answers_that_are_not_for_us(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	lab->options.timeout = SHORT_MS;
	lab->options.tries = 10;
	lab->fake[0].script = script_others;
	dns_lab_open(lab, 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_FOUND);
	assert_int_equal(addr_ipv4(&asked.first.addr), 0x7f000002u);
	assert_true(dns_lab_stats(lab).timeouts >= 2);
}

/* ---- servers that answer for names that do not exist */

static void servers_that_rewrite(void **state)
{
	struct dns_lab *lab = *state;
	struct asked asked = { .called = 0 };

	lab->fake[1].script = script_nxdomain;
	lab->options.rewrites_suffix = "random.invalid";
	dns_lab_open(lab, 2);
	assert_false(dns_resolver_rewrites(lab->resolver));
	dns_lab_until(lab, dns_resolver_rewrites(lab->resolver));
	assert_int_equal(dns_lab_stats(lab).rewrites, 1);
	assert_non_null(strstr(lab->fake[0].last, ".random.invalid"));
	assert_int_equal(strlen(lab->fake[0].last), 16 + strlen(".random.invalid"));
	/* The other one is asked from now on. */
	dns_lab_until(lab, lab->fake[1].seen == 1);
	dns_lab_ask_now(lab, &asked, "a.example", DNS_A);
	assert_int_equal(asked.answer.status, DNS_NXDOMAIN);
	assert_int_equal(lab->fake[0].seen, 1);
}

static void servers_that_do_not_rewrite(void **state)
{
	struct dns_lab *lab = *state;

	lab->fake[0].script = script_nxdomain;
	lab->fake[1].script = script_servfail;
	lab->options.rewrites_suffix = "random.invalid";
	dns_lab_open(lab, 2);
	dns_lab_until(lab, lab->fake[0].seen && lab->fake[1].seen);
	dns_lab_some(lab);
	assert_false(dns_resolver_rewrites(lab->resolver));
	assert_string_equal(lab->fake[0].last, lab->fake[1].last);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, dns_lab_start, dns_lab_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_that_needs_tcp),
		TEST(a_server_that_hangs_up),
		TEST(nobody_answers),
		TEST(a_port_without_a_server),
		TEST(the_second_server_takes_over),
		TEST(a_dead_zone_is_no_dead_server),
		TEST(death_and_return_under_load),
		TEST(a_burst_at_a_dead_server),
		TEST(a_failure_is_kept_for_a_moment),
		TEST(another_server_knows),
		TEST(a_server_without_edns),
		TEST(an_answer_that_cannot_be_read),
		TEST(answers_that_are_not_for_us),
		TEST(servers_that_rewrite),
		TEST(servers_that_do_not_rewrite),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
