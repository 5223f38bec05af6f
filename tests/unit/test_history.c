/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of policy/history: what follows from what a source has done, and what is remembered of it.
 * The way to the disk has a test of its own, test_history_store.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/learned.h"
#include "policy/history.h"
#include "tests/unit/addr_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START        1700000000u
#define HOUR         3600u
#define DAY          (24 * HOUR)
#define FORGIVE      (7 * DAY)
#define TRUST        DAY

static const struct escalation_rules rules = {
	.ttl = 600,
	.ttl_max = 7 * DAY,
	.factor = 6,
	.forgive = FORGIVE,
	.first_action = ACTION_REFUSE,
	.action = ACTION_DROP,
	.good = 3,
	.trust = TRUST,
};

/* What happens, in seconds after START, and what has to follow from it. */
struct step {
	uint64_t at;
	bool offence;
	bool block, trust;
	uint32_t ttl, offences;
};

static void play_by(const struct escalation_rules *by, const struct step *steps, size_t count)
{
	struct history_record record = { .last = START };

	for (size_t i = 0; i < count; i++) {
		const struct step *step = &steps[i];
		const struct escalation result =
			escalate(by, &record, step->offence, (uint32_t)(START + step->at));
		const enum action action =
			step->block && step->offences > 1 ? by->action : by->first_action;

		if (result.block != step->block || result.trust != step->trust ||
		    result.ttl != step->ttl || result.offences != step->offences ||
		    (result.block && result.action != action))
			fail_msg("step %zu: block %d, trust %d, action %d, ttl %u, offences %u", i,
				 result.block, result.trust, result.action, result.ttl,
				 result.offences);
	}
}

#define PLAY(steps) play_by(&rules, steps, COUNT(steps))

static void each_offence_is_answered_longer(void **state)
{
	static const struct step steps[] = {
		{ 0, true, true, false, 600, 1 },       { 1, true, true, false, 3600, 2 },
		{ 2, true, true, false, 21600, 3 },     { 3, true, true, false, 129600, 4 },
		{ 4, true, true, false, 7 * DAY, 5 },   { 5, true, true, false, 7 * DAY, 6 },
		{ DAY, true, true, false, 7 * DAY, 7 },
	};

	(void)state;
	PLAY(steps);
}

static void offences_are_forgiven_one_at_a_time(void **state)
{
	static const struct step steps[] = {
		{ 0, true, true, false, 600, 1 },
		{ 0, true, true, false, 3600, 2 },
		{ 0, true, true, false, 21600, 3 },
		{ FORGIVE - 1, false, false, false, 0, 3 },
		{ FORGIVE, false, false, false, 0, 2 },
		{ 2 * FORGIVE, false, false, false, 0, 1 },
		{ 2 * FORGIVE, true, true, false, 3600, 2 },
		/* The time begins again with each offence. */
		{ 3 * FORGIVE - 1, true, true, false, 21600, 3 },
		{ 4 * FORGIVE - 2, false, false, false, 0, 3 },
		{ 5 * FORGIVE - 1, true, true, false, 3600, 2 },
		/* All is forgiven: a first offence again. */
		{ 7 * FORGIVE - 1, true, true, false, 600, 1 },
	};

	(void)state;
	PLAY(steps);
}

static void a_clock_that_is_set_back_forgives_nothing(void **state)
{
	static const struct step steps[] = {
		{ 100 * DAY, true, true, false, 600, 1 },
		{ 0, true, true, false, 3600, 2 },
		/* And what was done by the old time counts from the new one. */
		{ FORGIVE, false, false, false, 0, 1 },
		{ 2 * FORGIVE, false, false, false, 0, 0 },
	};

	(void)state;
	PLAY(steps);
}

static void good_verdicts_earn_trust(void **state)
{
	static const struct step steps[] = {
		{ 0, false, false, false, 0, 0 },
		/* Less than an hour later it does not count, and is not counted from. */
		{ HOUR - 1, false, false, false, 0, 0 },
		{ HOUR, false, false, false, 0, 0 },
		{ HOUR + 1, false, false, false, 0, 0 },
		{ 2 * HOUR - 1, false, false, false, 0, 0 },
		{ 2 * HOUR, false, false, true, TRUST, 0 },
		{ 2 * HOUR + 1, false, false, true, TRUST, 0 },
		{ 3 * DAY, false, false, true, TRUST, 0 },
		/* One offence, and it has to be earned again. */
		{ 4 * DAY, true, true, false, 600, 1 },
		{ 5 * DAY, false, false, false, 0, 1 },
		{ 5 * DAY + HOUR, false, false, false, 0, 1 },
		{ 5 * DAY + 2 * HOUR, false, false, true, TRUST, 1 },
	};

	(void)state;
	PLAY(steps);
}

static void an_offence_between_them_resets_good_verdicts(void **state)
{
	static const struct step steps[] = {
		{ 0, false, false, false, 0, 0 },        { HOUR, false, false, false, 0, 0 },
		{ HOUR + 1, true, true, false, 600, 1 }, { 2 * HOUR, false, false, false, 0, 1 },
		{ 3 * HOUR, false, false, false, 0, 1 }, { 4 * HOUR, false, false, true, TRUST, 1 },
	};

	(void)state;
	PLAY(steps);
}

static void good_verdicts_are_not_counted_by_a_clock_that_is_set_back(void **state)
{
	static const struct step steps[] = {
		{ 100 * DAY, false, false, false, 0, 0 },
		{ 50 * DAY, false, false, false, 0, 0 },
		{ 50 * DAY + HOUR - 1, false, false, false, 0, 0 },
		{ 0, false, false, false, 0, 0 },
		{ HOUR, false, false, false, 0, 0 },
		{ 2 * HOUR, false, false, true, TRUST, 0 },
	};

	(void)state;
	PLAY(steps);
}

static void good_verdicts_of_long_ago_mean_nothing(void **state)
{
	static const struct step steps[] = {
		{ 0, false, false, false, 0, 0 },
		{ HOUR, false, false, false, 0, 0 },
		{ 2 * HOUR, false, false, true, TRUST, 0 },
		{ 2 * HOUR + TRUST + HISTORY_GOOD_KEEP, false, false, true, TRUST, 0 },
		{ 2 * HOUR + 2 * (TRUST + HISTORY_GOOD_KEEP) + 1, false, false, false, 0, 0 },
	};

	(void)state;
	PLAY(steps);
}

static void trust_may_be_off(void **state)
{
	static const struct step steps[] = {
		{ 0, false, false, false, 0, 0 },
		{ HOUR, false, false, false, 0, 0 },
		{ 2 * HOUR, false, false, false, 0, 0 },
		{ 3 * HOUR, false, false, false, 0, 0 },
	};
	struct escalation_rules never = rules;

	(void)state;
	never.good = 0;
	play_by(&never, steps, COUNT(steps));
}

/* The nth offence gets this time, whatever the numbers of the configuration. */
static void no_overflow(void **state)
{
	static const struct {
		uint32_t ttl, ttl_max, factor;
		uint16_t before;
		uint32_t want;
	} rows[] = {
		{ 600, 604800, 1, 0, 600 },
		{ 600, 604800, 1, UINT16_MAX, 600 },
		{ 600, 604800, 0, 7, 600 },
		{ 600, 60, 6, 0, 60 },
		{ 600, 60, 1, 3, 60 },
		{ 1, UINT32_MAX, 2, 31, 1u << 31 },
		{ 1, UINT32_MAX, 2, 32, UINT32_MAX },
		{ 1, UINT32_MAX, 2, UINT16_MAX, UINT32_MAX },
		{ UINT32_MAX - 1, UINT32_MAX, 100, 1, UINT32_MAX },
		{ UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT16_MAX, UINT32_MAX },
		{ 0, 604800, 6, 4, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct escalation_rules by = { .ttl = rows[i].ttl,
						     .ttl_max = rows[i].ttl_max,
						     .factor = rows[i].factor,
						     .forgive = FORGIVE };
		struct history_record record = { .offences = rows[i].before,
						 .offence_time = START };
		const struct escalation result = escalate(&by, &record, true, START + 1);

		assert_int_equal(result.ttl, rows[i].want);
		assert_int_equal(record.offences,
				 rows[i].before < UINT16_MAX ? rows[i].before + 1 : UINT16_MAX);
	}
}

static void counters_stay_at_their_most(void **state)
{
	struct history_record record = { .good = UINT16_MAX, .good_time = START };

	(void)state;
	assert_true(escalate(&rules, &record, false, START + DAY).trust);
	assert_int_equal(record.good, UINT16_MAX);
	assert_int_equal(record.good_time, START + DAY);
	escalate(&rules, &record, true, START + DAY);
	assert_int_equal(record.good, 0);
	assert_int_equal(record.good_time, 0);
}

static void what_matters(void **state)
{
	static const struct {
		struct history_record record;
		uint32_t now;
		bool matters;
	} rows[] = {
		{ { .last = START }, START, false },
		{ { .offences = 1, .offence_time = START }, START + FORGIVE - 1, true },
		{ { .offences = 1, .offence_time = START }, START + FORGIVE, false },
		{ { .offences = 2, .offence_time = START }, START + FORGIVE, true },
		{ { .until = START }, START - 1, true },
		{ { .until = START }, START, false },
		{ { .good = 1, .good_time = START }, START + HISTORY_GOOD_KEEP + TRUST, true },
		{ { .good = 1, .good_time = START }, START + HISTORY_GOOD_KEEP + TRUST + 1, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(history_matters(&rules, &rows[i].record, rows[i].now),
				 rows[i].matters);
}

static void rules_are_those_of_the_configuration(void **state)
{
	static const char text[] =
		"escalation:\n  first-action: tarpit\n  action: reset\n  ttl: 11\n  ttl-max: 22\n"
		"  factor: 3\n  forgive: 66\nhistory:\n  good: 4\n  trust: 77\n";
	struct escalation_rules read;
	struct conf *conf = NULL;
	struct error err;

	(void)state;
	if (conf_parse("test", text, strlen(text), &conf, &err))
		fail_msg("%s", err.text);
	escalation_rules_conf(&read, conf);
	conf_free(&conf);
	assert_int_equal(read.first_action, ACTION_TARPIT);
	assert_int_equal(read.action, ACTION_RESET);
	assert_int_equal(read.ttl, 11);
	assert_int_equal(read.ttl_max, 22);
	assert_int_equal(read.factor, 3);
	assert_int_equal(read.forgive, 66);
	assert_int_equal(read.good, 4);
	assert_int_equal(read.trust, 77);
}

static struct history *make(size_t max)
{
	struct history *history = NULL;
	struct error err;

	if (history_open(&history, max, &err))
		fail_msg("%s", err.text);
	return history;
}

static struct history_record *get(struct history *history, const char *text)
{
	const struct addr addr = addr_of(text);

	return history_get(history, &addr);
}

static const struct history_record *find(const struct history *history, const char *text)
{
	const struct addr addr = addr_of(text);

	return history_find(history, &addr);
}

static void offend(struct history *history, const char *text, uint32_t now)
{
	struct history_record *record = get(history, text);

	escalate(&rules, record, true, now);
	history_touch(history, record, now);
}

static bool forget(struct history *history, const char *text)
{
	const struct addr addr = addr_of(text);

	return history_forget(history, &addr);
}

/* What history_dirty() says, as "ADDRESS ADDRESS!": "!" where it is to be removed. */
static const char *drain(struct history *history, uint32_t now, size_t max)
{
	const struct history_drain how = { &rules, now };
	struct history_record out[8];
	char text[PREFIX_TEXT_MAX];
	static char all[400];
	size_t count, used = 0;

	assert_in_range(max, 1, COUNT(out));
	all[0] = '\0';
	count = history_dirty(history, &how, out, max);
	assert_in_range(count, 0, max);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s%s", i ? " " : "",
					 addr_format(&out[i].addr, text), out[i].last ? "" : "!");
	return all;
}

static void records(void **state)
{
	const struct addr network = addr_of("2001:db8::");
	struct history *history = make(10);
	struct history_record *record;

	(void)state;
	assert_null(find(history, "192.0.2.1"));
	record = get(history, "192.0.2.1");
	assert_int_equal(record->first + record->last + record->offences + record->good, 0);
	record->score = 12;
	history_touch(history, record, START);
	history_touch(history, record, START + 5);
	assert_ptr_equal(get(history, "192.0.2.1"), record);
	assert_ptr_equal(find(history, "192.0.2.1"), record);
	assert_int_equal(record->first, START);
	assert_int_equal(record->last, START + 5);
	assert_null(find(history, "192.0.2.2"));
	/* IPv6 is known by the /64, IPv4 by the address. */
	record = get(history, "2001:db8::1");
	assert_memory_equal(&record->addr, &network, sizeof(network));
	assert_ptr_equal(find(history, "2001:db8::ffff:0:0:1"), record);
	assert_null(find(history, "2001:db8:0:1::1"));
	assert_int_equal(history_count(history), 2);
	assert_true(forget(history, "2001:db8::2"));
	assert_false(forget(history, "2001:db8::2"));
	assert_int_equal(history_count(history), 1);
	history_close(&history);
	assert_null(history);
	history_close(&history);
}

static void the_one_heard_of_longest_ago_gives_way(void **state)
{
	struct history *history = make(3);

	(void)state;
	offend(history, "192.0.2.1", START);
	offend(history, "192.0.2.2", START);
	offend(history, "192.0.2.3", START);
	offend(history, "192.0.2.1", START + 1);
	offend(history, "192.0.2.4", START + 2);
	assert_int_equal(history_count(history), 3);
	assert_non_null(find(history, "192.0.2.1"));
	assert_null(find(history, "192.0.2.2"));
	assert_non_null(find(history, "192.0.2.3"));
	/* It was never stored, so the store need not hear of it. */
	assert_string_equal(drain(history, START, 8), "192.0.2.1 192.0.2.3 192.0.2.4");
	history_close(&history);
}

static void changes_are_taken_in_their_order(void **state)
{
	struct history *history = make(3);

	(void)state;
	assert_string_equal(drain(history, START, 8), "");
	offend(history, "192.0.2.1", START);
	offend(history, "192.0.2.2", START);
	offend(history, "192.0.2.3", START);
	offend(history, "192.0.2.1", START);
	assert_string_equal(drain(history, START, 2), "192.0.2.1 192.0.2.2");
	offend(history, "192.0.2.1", START);
	assert_string_equal(drain(history, START, 8), "192.0.2.3 192.0.2.1");
	assert_string_equal(drain(history, START, 8), "");
	/* Reading changes nothing. */
	find(history, "192.0.2.1");
	get(history, "192.0.2.1");
	assert_string_equal(drain(history, START, 8), "");
	/* What the store has goes from there, too, in its turn. */
	offend(history, "192.0.2.2", START);
	forget(history, "192.0.2.3");
	offend(history, "192.0.2.4", START);
	offend(history, "192.0.2.5", START); /* in place of .1 */
	offend(history, "192.0.2.1", START); /* in place of .2 */
	assert_string_equal(drain(history, START, 2), "192.0.2.3! 192.0.2.4");
	assert_string_equal(drain(history, START, 8), "192.0.2.1! 192.0.2.5 192.0.2.2! 192.0.2.1");
	history_close(&history);
}

static void what_matters_no_more_is_dropped(void **state)
{
	struct history *history = make(10);
	struct history_record *record;

	(void)state;
	record = get(history, "192.0.2.1");
	history_touch(history, record, START);
	assert_string_equal(drain(history, START, 8), ""); /* nothing in it, nor in the store */
	assert_int_equal(history_count(history), 0);
	offend(history, "192.0.2.1", START);
	offend(history, "192.0.2.2", START);
	assert_string_equal(drain(history, START, 8), "192.0.2.1 192.0.2.2");
	history_touch(history, get(history, "192.0.2.1"), START + FORGIVE);
	get(history, "192.0.2.3"); /* and never touched */
	/* One that has changed, and those that have not. */
	assert_string_equal(drain(history, START + FORGIVE, 8), "192.0.2.1! 192.0.2.2!");
	assert_int_equal(history_count(history), 0);
	assert_string_equal(drain(history, START + FORGIVE, 8), "");
	history_close(&history);
}

/* Notes of what is to be removed are bounded: the oldest are lost. */
static void many(void **state)
{
	const struct history_drain how = { &rules, START };
	const size_t max = HISTORY_GONE_MAX + 10;
	struct history *history = make(max);
	struct history_record *out = calloc(max, sizeof(*out));
	struct addr addr;

	(void)state;
	assert_non_null(out);
	for (uint32_t i = 0; i < 3 * max; i++) {
		addr = addr_from_ipv4(i);
		escalate(&rules, history_get(history, &addr), true, START);
		history_touch(history, history_get(history, &addr), START);
	}
	assert_int_equal(history_count(history), max);
	assert_int_equal(history_dirty(history, &how, out, max), max);
	for (size_t i = 0; i < max; i++)
		assert_int_equal(addr_ipv4(&out[i].addr), 2 * max + i);
	for (size_t i = 0; i < max; i++)
		assert_true(history_forget(history, &out[i].addr));
	assert_int_equal(history_count(history), 0);
	assert_int_equal(history_dirty(history, &how, out, max), HISTORY_GONE_MAX);
	for (size_t i = 0; i < HISTORY_GONE_MAX; i++) {
		assert_int_equal(addr_ipv4(&out[i].addr), 2 * max + 10 + i);
		assert_int_equal(out[i].last, 0);
	}
	free(out);
	history_close(&history);
}

/* The store hears of each, however many they are; those that are not blocked any more stay. */
static void all_are_forgiven(void **state)
{
	const struct history_drain how = { &rules, START };
	const size_t max = HISTORY_GONE_MAX + 10;
	struct history *history = make(max);
	struct history_record *out = calloc(max, sizeof(*out)), *record;
	struct addr addr;

	(void)state;
	assert_non_null(out);
	for (uint32_t i = 0; i < max; i++) {
		addr = addr_from_ipv4(i);
		record = history_get(history, &addr);
		escalate(&rules, record, true, START);
		record->kind = GATE_LEARNED_BLOCKED;
		record->until = i < 5 ? START : START + 100;
		history_touch(history, record, START);
	}
	assert_int_equal(history_dirty(history, &how, out, max), max);
	assert_int_equal(history_forgive_blocked(history, START), max - 5);
	assert_int_equal(history_forgive_blocked(history, START), 0);
	assert_int_equal(history_dirty(history, &how, out, max), max - 5);
	for (size_t i = 0; i < max - 5; i++) {
		assert_int_equal(addr_ipv4(&out[i].addr), 5 + i);
		assert_int_equal(out[i].last, 0);
	}
	assert_int_equal(history_count(history), 5);
	free(out);
	history_close(&history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_forgiven),
		cmocka_unit_test(each_offence_is_answered_longer),
		cmocka_unit_test(offences_are_forgiven_one_at_a_time),
		cmocka_unit_test(a_clock_that_is_set_back_forgives_nothing),
		cmocka_unit_test(good_verdicts_earn_trust),
		cmocka_unit_test(an_offence_between_them_resets_good_verdicts),
		cmocka_unit_test(good_verdicts_are_not_counted_by_a_clock_that_is_set_back),
		cmocka_unit_test(good_verdicts_of_long_ago_mean_nothing),
		cmocka_unit_test(trust_may_be_off),
		cmocka_unit_test(no_overflow),
		cmocka_unit_test(counters_stay_at_their_most),
		cmocka_unit_test(what_matters),
		cmocka_unit_test(rules_are_those_of_the_configuration),
		cmocka_unit_test(records),
		cmocka_unit_test(the_one_heard_of_longest_ago_gives_way),
		cmocka_unit_test(changes_are_taken_in_their_order),
		cmocka_unit_test(what_matters_no_more_is_dropped),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
