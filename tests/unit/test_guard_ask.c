/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_guard_ask.c - the guard and the other threads: questions, also while it ends;
 * other rules while it runs; what it knows after a restart. On the bed of tests/unit/guard_bed.h.
 */
#include "tests/unit/guard_bed.h"

#define BAD   "192.0.2.66"
#define GOOD  "192.0.2.1"
#define BAD6  "2001:db8:1:2::5"
#define GOOD6 "2001:db8:1:2::6"
#define GUARD "mode: guard\nscore: {rdns-missing: 0}\nescalation: {ttl: 600, factor: 6}\n"

GUARD_BED_GATE

static void explain(struct bed_question *question)
{
	struct error err;

	question->failed = guard_explain(question->bed->guard, &question->addr, question->helo,
					 &question->json, &err);
}

static void forget(struct bed_question *question)
{
	question->found = guard_forget(question->bed->guard, &question->addr);
}

static void forget_blocked(struct bed_question *question)
{
	question->count = guard_forget_blocked(question->bed->guard);
}

static void history(struct bed_question *question)
{
	question->found = guard_history(question->bed->guard, &question->addr, &question->record);
}

/* Asks and waits for the answer. */
static struct bed_question ask(struct guard_bed *bed, void (*how)(struct bed_question *),
			       const char *source)
{
	struct bed_question question = { .failed = 0 };

	bed_ask(bed, &question, how, source);
	bed_answered(&question);
	return question;
}

static void publish(struct guard_bed *bed, const char *more)
{
	conf_publish(bed_conf(bed, more));
}

static const char *word(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	assert_non_null(text);
	return text;
}

static void block_bad(struct guard_bed *bed)
{
	bed_tell(bed, BAD, true);
	bed_until(bed, bed_learned(bed, BAD).kind == GATE_LEARNED_BLOCKED);
}

/* A question changes nothing, and its answer says all that was found. */
static void explained(void **state)
{
	struct guard_bed *bed = *state;
	struct bed_question question = { .helo = "mx.example.net" };
	const struct addr addr = addr_of(BAD);
	struct verdict verdict;
	const json_t *zone;

	bed_open(bed, GUARD);
	bed_ask(bed, &question, explain, BAD);
	bed_answered(&question);
	assert_int_equal(question.failed, 0);
	assert_string_equal(word(question.json, "decision"), "reject");
	zone = json_array_get(json_object_get(question.json, "zones"), 0);
	assert_string_equal(word(zone, "zone"), "bl.test");
	assert_string_equal(word(zone, "outcome"), "listed");
	assert_string_equal(word(zone, "text"), "spam source");
	assert_string_equal(word(json_object_get(question.json, "spf"), "result"), "none");
	json_decref(question.json);
	assert_false(guard_verdict(bed->guard, &addr, &verdict));
	assert_int_equal(bed_times_learned(bed), 0);
	assert_int_equal(bed_stats(bed).evaluations, 0);
	bed_close(bed);
}

static void forgotten(void **state)
{
	struct guard_bed *bed = *state;
	struct bed_question question;

	bed_open(bed, GUARD);
	assert_false(ask(bed, forget, BAD).found);
	block_bad(bed);
	question = ask(bed, history, BAD);
	assert_true(question.found);
	assert_int_equal(question.record.offences, 1);
	assert_int_equal(question.record.until, BED_START + BED_TTL);
	assert_true(ask(bed, forget, BAD).found);
	assert_false(ask(bed, history, BAD).found);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_NONE);
	assert_false(guard_verdict(bed->guard, &question.record.addr, &(struct verdict){ 0 }));
	bed_close(bed);
}

/* What is known of a network is forgotten with each of its addresses. */
static void forgotten_by_network(void **state)
{
	struct guard_bed *bed = *state;
	const struct addr addr = addr_of(BAD6);
	struct verdict verdict;

	bed_open(bed, GUARD);
	bed_tell(bed, BAD6, true);
	bed_until(bed, bed_times_learned(bed) == 1);
	assert_true(guard_verdict(bed->guard, &addr, &verdict));
	assert_true(ask(bed, forget, "2001:db8:1:2::").found);
	assert_false(guard_verdict(bed->guard, &addr, &verdict));
	assert_false(ask(bed, history, GOOD6).found);
	assert_false(ask(bed, forget, BAD6).found);
	bed_close(bed);
}

/* Also after a restart, and what the kernel had no room for. */
static void all_forgotten(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	block_bad(bed);
	bed_set(bed, &bed->full, true);
	bed_tell(bed, "198.51.100.9", true);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_stats(bed).refused == 2);
	bed_close(bed); /* the store has them */
	bed_set(bed, &bed->full, false);
	bed_open(bed, GUARD);
	assert_int_equal(ask(bed, forget_blocked, BAD).count, 2);
	assert_false(ask(bed, history, BAD).found);
	assert_true(ask(bed, history, GOOD).found);
	bed_close(bed);
	bed_kernel_forgets(bed);
	bed_open(bed, GUARD);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_NONE);
	assert_int_equal(bed_learned(bed, "198.51.100.9").kind, GATE_LEARNED_NONE);
	assert_false(ask(bed, history, BAD).found);
	bed_close(bed);
}

/* Nobody waits longer than the guard lives, whether the question has begun or not. */
static void closed_while_asked(void **state)
{
	struct guard_bed *bed = *state;
	struct bed_question question[3] = { { .failed = 0 } };

	bed_open(bed, GUARD "guard: {timeout: 60000}\n");
	bed_server(bed, BED_MUTE);
	bed_tell_many(bed, 0, 50, false);
	for (size_t i = 0; i < COUNT(question); i++)
		bed_ask(bed, &question[i], explain, BAD);
	bed_until(bed, bed_stats(bed).under_way == 50 + COUNT(question));
	guard_hush(bed->guard);
	for (size_t i = 0; i < COUNT(question); i++) {
		bed_answered(&question[i]);
		assert_int_equal(question[i].failed, ERROR_REFUSED);
		assert_null(question[i].json);
	}
	/* Newcomers are looked up as before; questions that come later are told so at once. */
	bed_until(bed, bed_stats(bed).under_way == 50);
	assert_int_equal(ask(bed, explain, GOOD).failed, ERROR_REFUSED);
	assert_false(ask(bed, forget, GOOD).found);
	assert_int_equal(ask(bed, forget_blocked, GOOD).count, 0);
	bed_close(bed);
	assert_int_equal(bed->learned, 0);
}

/* Only a few threads may wait for lookups, so that others are left for everything else. */
static void too_many_explain(void **state)
{
	struct guard_bed *bed = *state;
	struct bed_question question[3] = { { .failed = 0 } };

	bed_open(bed, GUARD "guard: {timeout: 60000}\n");
	bed_server(bed, BED_MUTE);
	for (size_t i = 0; i < COUNT(question); i++)
		bed_ask(bed, &question[i], explain, BAD);
	bed_until(bed, bed_stats(bed).under_way == COUNT(question));
	assert_int_equal(ask(bed, explain, GOOD).failed, ERROR_REFUSED);
	assert_false(ask(bed, forget, GOOD).found);
	guard_hush(bed->guard);
	for (size_t i = 0; i < COUNT(question); i++)
		bed_answered(&question[i]);
	bed_close(bed);
}

static void *ask_until_refused(void *arg)
{
	struct bed_question *question = arg;

	while (!question->failed) {
		guard_history(question->bed->guard, &question->addr, &question->record);
		explain(question);
		json_decref(question->json);
		question->json = NULL;
	}
	return NULL;
}

/* As many questions as can be are put while it stops to answer. */
static void hushed_while_asking(void **state)
{
	struct guard_bed *bed = *state;
	struct bed_question question[3];
	pthread_t thread[COUNT(question)];

	bed_open(bed, GUARD);
	for (size_t i = 0; i < COUNT(question); i++) {
		question[i] = (struct bed_question){ .bed = bed, .addr = addr_of(BAD) };
		pthread_create(&thread[i], NULL, ask_until_refused, &question[i]);
	}
	bed_tell_many(bed, 0, 200, true);
	bed_until(bed, bed_stats(bed).verdicts[DECISION_ACCEPT] >= 200);
	guard_hush(bed->guard);
	for (size_t i = 0; i < COUNT(question); i++)
		pthread_join(thread[i], NULL);
	bed_close(bed);
}

/* Scores and thresholds that are reloaded hold for what was looked up before, too. */
static void judged_anew(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	bed_tell(bed, GOOD, true);
	bed_tell(bed, "192.0.2.3", true);
	block_bad(bed);
	bed_until(bed, bed_times_learned(bed) == 3);
	publish(bed, "mode: guard\nscore: {rdns-missing: 10}\nescalation: {ttl: 60}\n");
	bed_until(bed, bed_learned(bed, GOOD).kind == GATE_LEARNED_NONE);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 4);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_BLOCKED);
	assert_int_equal(bed_learned(bed, GOOD).seconds, 60);
	bed_close(bed);
}

/* A shorter time-out is for what is under way, too; a new rate reaches the kernel. */
static void hurried(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD "guard: {timeout: 60000}\n");
	assert_int_equal(bed->evidence.rate, 500);
	bed_server(bed, BED_MUTE);
	bed_tell(bed, BAD, true);
	bed_until(bed, bed_stats(bed).under_way == 1);
	publish(bed, GUARD "guard: {timeout: 100, rate: 7}\n");
	bed_until(bed, bed_stats(bed).timeouts == 1);
	bed_close(bed);
	assert_int_equal(bed->evidence.rate, 7);
}

/* The kernel has its maps yet, or not; a clock that was set back makes nothing last for years. */
static void restarted(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD "history: {good: 1, trust: 7200}\n");
	block_bad(bed);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 2);
	bed_close(bed);
	bed_open(bed, GUARD);
	assert_int_equal(bed_times_learned(bed), 2);
	bed_close(bed);
	bed_kernel_forgets(bed);
	bed_pass(100);
	bed_open(bed, GUARD);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_BLOCKED);
	assert_int_equal(bed_learned(bed, BAD).action, ACTION_REFUSE);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL - 100);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_TRUSTED);
	bed_close(bed);
	bed_kernel_forgets(bed);
	bed_set_wall(1000);
	bed_open(bed, GUARD "history: {trust: 3000}\n");
	assert_int_equal(bed_learned(bed, BAD).seconds, 604800); /* escalation.ttl-max */
	assert_int_equal(bed_learned(bed, GOOD).seconds, 3000);
	bed_close(bed);
}

static void written_when_the_disk_is_back(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	bed_set(bed, &bed->broken, true);
	block_bad(bed);
	bed_until(bed, bed_failed_saves(bed));
	bed_set(bed, &bed->broken, false);
	bed_close(bed);
	bed_kernel_forgets(bed);
	bed_open(bed, GUARD);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_BLOCKED);
	bed_close(bed);
}

/* Nobody is watched and nothing is taken from the history, but questions are answered. */
static void in_filter_mode(void **state)
{
	struct guard_bed *bed = *state;
	struct bed_question question;

	bed_open(bed, GUARD);
	block_bad(bed);
	bed_close(bed);
	bed_kernel_forgets(bed);
	bed_open(bed, "mode: filter\n");
	assert_false(bed->evidence.on);
	assert_int_equal(bed->evidence.slot, 0); /* no list was made for it */
	bed_tell(bed, GOOD, true);
	question = ask(bed, explain, BAD);
	assert_string_equal(word(question.json, "decision"), "reject");
	json_decref(question.json);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_NONE);
	assert_int_equal(bed_stats(bed).newcomers[GUARD_COMPLETED], 0);
	assert_true(ask(bed, forget, BAD).found);
	bed_close(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(explained),
		BED_TEST(forgotten),
		BED_TEST(forgotten_by_network),
		BED_TEST(all_forgotten),
		BED_TEST(closed_while_asked),
		BED_TEST(too_many_explain),
		BED_TEST(hushed_while_asking),
		BED_TEST(judged_anew),
		BED_TEST(hurried),
		BED_TEST(restarted),
		BED_TEST(written_when_the_disk_is_back),
		BED_TEST(in_filter_mode),
	};

	return cmocka_run_group_tests_name("guard ask", tests, NULL, NULL);
}
