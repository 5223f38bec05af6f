/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_guard_lists.c - other DNS lists while the guard runs: what becomes of verdicts
 * and blocks that came of the old ones, and of lookups that are under way. On the bed of
 * tests/unit/guard_bed.h.
 */
#include "tests/unit/guard_bed.h"

#define BAD   "192.0.2.66"
#define GOOD  "192.0.2.1"
#define GUARD "mode: guard\nscore: {rdns-missing: 0}\nescalation: {ttl: 600, factor: 6}\n"

GUARD_BED_GATE

/* How the one list of the bed is configured: left out, or with other points. */
enum bed_list { OUT, AS_EVER, LIGHTER };

static void reload(struct guard_bed *bed, enum bed_list list, const char *more)
{
	struct conf *conf = bed_conf(bed, more);
	struct guard_lists *lists;
	struct error err;

	if (list == OUT)
		conf->dnsbl.zones.count = 0;
	if (list == LIGHTER)
		conf->dnsbl.zones.zone[0].weight = 1;
	assert_int_equal(guard_prepare(conf, &lists, &err), 0);
	conf_publish(conf);
	guard_reload(bed->guard, &lists);
	assert_null(lists);
}

static void block(struct guard_bed *bed, const char *source)
{
	bed_tell(bed, source, true);
	bed_until(bed, bed_learned(bed, source).kind == GATE_LEARNED_BLOCKED);
}

static void let_in(struct guard_bed *bed, const char *source)
{
	bed_tell(bed, source, true);
	bed_until(bed, bed_learned(bed, source).kind == GATE_LEARNED_KNOWN);
}

static bool has_verdict(struct guard_bed *bed, const char *source)
{
	const struct addr addr = addr_of(source);
	struct verdict verdict;

	return guard_verdict(bed->guard, &addr, &verdict);
}

/* When the reload has returned, the block is lifted, and who was let in is a stranger. */
static void a_list_goes_and_comes(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	block(bed, BAD);
	let_in(bed, GOOD);
	reload(bed, OUT, GUARD);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_NONE);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_NONE);
	assert_false(has_verdict(bed, BAD));
	assert_int_equal(bed_stats(bed).zones, 0);
	let_in(bed, BAD);
	reload(bed, AS_EVER, GUARD);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_NONE);
	assert_int_equal(bed_stats(bed).zones, 1);
	/* The list has to pass its tests, which are asked for meanwhile. */
	block(bed, BAD);
	assert_int_equal(bed_stats(bed).zone[0].listed, 1);
	bed_close(bed);
}

static void other_points(void **state)
{
	struct guard_bed *bed = *state;
	struct guard_stats before;

	bed_open(bed, GUARD);
	block(bed, BAD);
	before = bed_stats(bed);
	reload(bed, LIGHTER, GUARD);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_NONE);
	let_in(bed, BAD);
	assert_int_equal(bed_stats(bed).zone[0].health, DNSBL_SERVING);
	assert_int_equal(bed_stats(bed).zone[0].since, before.zone[0].since);
	assert_int_equal(bed_stats(bed).zone[0].asked, 2);
	assert_int_equal(bed_stats(bed).zone[0].listed, 2);
	bed_close(bed);
}

/* The same lists, other options: nothing is judged anew, and the options are in force at once. */
static void nothing_else(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	block(bed, BAD);
	let_in(bed, GOOD);
	reload(bed, AS_EVER, GUARD "guard: {rate: 7}\n");
	assert_int_equal(bed_rate(bed), 7);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_BLOCKED);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_KNOWN);
	assert_true(has_verdict(bed, BAD) && has_verdict(bed, GOOD));
	bed_close(bed);
}

/* Scores that came with them are in force at once, too. */
static void with_other_scores(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	block(bed, BAD);
	reload(bed, LIGHTER, GUARD "policy: {reject: 1, greylist: 1, slow: 1}\n");
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_NONE);
	block(bed, BAD);
	bed_close(bed);
}

/* What is being looked up meanwhile has its verdict by the new lists, as good as any. */
static void under_way(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	bed_server(bed, BED_HOLDS);
	bed_tell(bed, BAD, true);
	bed_tell(bed, GOOD, false);
	bed_until(bed, bed_stats(bed).under_way == 2);
	reload(bed, OUT, GUARD);
	assert_int_equal(bed_stats(bed).under_way, 2);
	bed_server(bed, BED_ANSWERS);
	bed_until(bed, bed_times_learned(bed) == 2);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_KNOWN);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_KNOWN);
	assert_true(bed_learned(bed, BAD).seconds > BED_TTL_MIN);
	assert_int_equal(bed_stats(bed).evaluations, 2);
	assert_int_equal(bed_stats(bed).timeouts, 0);
	bed_close(bed);
}

static void explain(struct bed_question *question)
{
	struct error err;

	question->failed =
		guard_explain(question->bed->guard, &question->addr, NULL, &question->json, &err);
}

/* Whoever asks what is known sees the lists with which his question began, with their names. */
static void asked_meanwhile(void **state)
{
	struct guard_bed *bed = *state;
	struct bed_question question = { .failed = 1 };
	const json_t *zone;

	bed_open(bed, GUARD);
	bed_server(bed, BED_HOLDS);
	bed_ask(bed, &question, explain, BAD);
	bed_until(bed, bed_stats(bed).under_way == 1);
	reload(bed, OUT, GUARD);
	bed_server(bed, BED_ANSWERS);
	bed_answered(&question);
	assert_int_equal(question.failed, 0);
	assert_int_equal(json_array_size(json_object_get(question.json, "zones")), 1);
	zone = json_array_get(json_object_get(question.json, "zones"), 0);
	assert_string_equal(json_string_value(json_object_get(zone, "zone")), "bl.test");
	assert_string_equal(json_string_value(json_object_get(zone, "outcome")), "listed");
	json_decref(question.json);
	question = bed_question(bed, explain, BAD);
	assert_int_equal(json_array_size(json_object_get(question.json, "zones")), 0);
	json_decref(question.json);
	bed_close(bed);
}

/* A guard that ends takes no lists any more, and nobody waits for it. */
static void at_the_end(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	guard_hush(bed->guard);
	reload(bed, OUT, GUARD);
	reload(bed, OUT, GUARD);
	bed_close(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(a_list_goes_and_comes),
		BED_TEST(other_points),
		BED_TEST(nothing_else),
		BED_TEST(with_other_scores),
		BED_TEST(under_way),
		BED_TEST(asked_meanwhile),
		BED_TEST(at_the_end),
	};

	return cmocka_run_group_tests_name("guard lists", tests, NULL, NULL);
}
