/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_guard_anew.c - other scores while the guard runs: what becomes of verdicts and
 * blocks that came of the old ones. On the bed of tests/unit/guard_bed.h.
 */
#include "session/guard_client.h"
#include "tests/unit/guard_bed.h"

#define BAD   "192.0.2.66"
#define GOOD  "192.0.2.1"
#define BAD6  "2001:db8:1:2::5"
#define NEVER "policy: {reject: 20}\n" /* what bl.test comes to is less */
#define BLOCK "escalation: {ttl: 600, factor: 6}\n"
#define GUARD "mode: guard\nscore: {rdns-missing: 0}\n" BLOCK
#define PROXY                                                                                      \
	"mode: proxy\nsmtp: {listen: [\"127.0.0.1:25\"], domains: [own.example], backends: "       \
	"[\"127.0.0.1:2525\"]}\nscore: {rdns-missing: 0}\n" BLOCK

GUARD_BED_GATE

static void block(struct guard_bed *bed, const char *source)
{
	bed_tell(bed, source, true);
	bed_until(bed, bed_learned(bed, source).kind == GATE_LEARNED_BLOCKED);
}

static struct history_record history(struct guard_bed *bed, const char *source)
{
	const struct bed_question question = bed_question(bed, bed_history, source);

	assert_true(question.found);
	return question.record;
}

/* Rejected by the new scores, who was let in by the old ones. */
static void raised(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_learned(bed, GOOD).kind == GATE_LEARNED_KNOWN);
	bed_publish(bed, "mode: guard\nscore: {rdns-missing: 10}\nescalation: {ttl: 60}\n");
	bed_until(bed, bed_learned(bed, GOOD).kind == GATE_LEARNED_NONE);
	block(bed, GOOD);
	assert_int_equal(bed_learned(bed, GOOD).seconds, 60);
	bed_close(bed);
}

/* The block is lifted; the offence stays, and nothing brings the block back. */
static void lowered(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	block(bed, BAD);
	block(bed, BAD6);
	bed_publish(bed, GUARD NEVER);
	bed_until(bed, bed_learned(bed, BAD).kind == GATE_LEARNED_NONE &&
			       bed_learned(bed, BAD6).kind == GATE_LEARNED_NONE);
	assert_int_equal(history(bed, BAD).offences, 1);
	bed_tell(bed, BAD, true);
	bed_until(bed, bed_learned(bed, BAD).kind != GATE_LEARNED_NONE);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_KNOWN);
	bed_close(bed);
	bed_kernel_forgets(bed);
	bed_open(bed, GUARD NEVER);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_NONE);
	assert_int_equal(bed_learned(bed, BAD6).kind, GATE_LEARNED_NONE);
	bed_close(bed);
}

/* Who is rejected by the new scores, too, is blocked until the old block would have ended. */
static void as_bad_as_before(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	block(bed, BAD);
	bed_pass(100);
	bed_publish(bed, GUARD "policy: {reject: 9}\n");
	bed_until(bed, bed_learned(bed, BAD).kind == GATE_LEARNED_NONE);
	bed_pass(100);
	block(bed, BAD);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL - 200);
	assert_int_equal(bed_learned(bed, BAD).action, ACTION_REFUSE);
	assert_int_equal(history(bed, BAD).offences, 1);
	assert_int_equal(bed_stats(bed).blocks, 1);
	/* It is an ordinary block again, after which the next offence is the second. */
	bed_pass(BED_TTL);
	block(bed, BAD);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL * BED_FACTOR);
	bed_close(bed);
}

static void who_waits(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, "mode: guard\nscore: {rdns-missing: 7}\ngreylist: {enabled: true}\n");
	block(bed, GOOD);
	bed_publish(bed, "mode: guard\nscore: {rdns-missing: 1}\ngreylist: {enabled: true}\n");
	bed_until(bed, bed_learned(bed, GOOD).kind == GATE_LEARNED_NONE);
	bed_close(bed);
}

static void note(struct guard_bed *bed, const struct verdict *verdict)
{
	struct guard_client *client;
	struct error err;

	assert_int_equal(guard_client_open(bed->guard, &bed->lab->loop, &client, &err), 0);
	guard_client_note(client, verdict, true);
	guard_client_note(client, verdict, true);
	guard_client_close(&client);
}

/* What a session has blocked for what the client did has nothing to do with scores. */
static void blocked_by_sessions(void **state)
{
	struct verdict bad = { .addr = addr_of(BAD), .decision = DECISION_REJECT, .total = 10 };
	const struct verdict rude = { .addr = addr_of(GOOD), .total = 9 };
	struct guard_bed *bed = *state;

	bed_open(bed, PROXY);
	note(bed, &bad);
	note(bed, &rude);
	bed_until(bed, bed_stats(bed).blocks == 2);
	bed_publish(bed, PROXY NEVER);
	bed_until(bed, bed_learned(bed, BAD).kind == GATE_LEARNED_NONE);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_BLOCKED);
	/* One that refuses it by the old verdict still is told of too late. */
	note(bed, &bad);
	assert_int_equal(history(bed, BAD).offences, 2);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_NONE);
	/* If a session refuses it by a new one, it is the old block that goes on. */
	bad.judged++;
	note(bed, &bad);
	bed_until(bed, bed_learned(bed, BAD).kind == GATE_LEARNED_BLOCKED);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL * BED_FACTOR);
	assert_int_equal(history(bed, BAD).offences, 2);
	bed_close(bed);
}

/* What is being looked up meanwhile is decided by the new scores. */
static void under_way(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	bed_server(bed, BED_HOLDS);
	bed_tell(bed, BAD, true);
	bed_until(bed, bed_stats(bed).under_way == 1);
	bed_publish(bed, GUARD NEVER "guard: {rate: 7}\n");
	bed_until(bed, bed_rate(bed) == 7);
	bed_pass(1);
	bed_server(bed, BED_ANSWERS);
	bed_until(bed, bed_times_learned(bed) == 1);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_KNOWN);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL_MIN);
	bed_close(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(raised),
		BED_TEST(lowered),
		BED_TEST(as_bad_as_before),
		BED_TEST(who_waits),
		BED_TEST(blocked_by_sessions),
		BED_TEST(under_way),
	};

	return cmocka_run_group_tests_name("guard anew", tests, NULL, NULL);
}
