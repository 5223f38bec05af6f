/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_guard.c - from what the kernel tells to what the kernel is told: verdicts, their
 * second use, offences, trust, greylisting, and what is bounded. On the bed of
 * tests/unit/guard_bed.h; questions, reload and restart are in test_guard_ask.c.
 */
#include "session/guard_client.h"
#include "tests/unit/guard_bed.h"

#define BAD       "192.0.2.66"
#define GOOD      "192.0.2.1"
#define NO_ANSWER "192.0.2.7"
#define BAD6      "2001:db8:1:2::5"
#define GOOD6     "2001:db8:1:2::6"
#define BLOCK     "escalation: {ttl: 600, factor: 6}\n"
#define GUARD     "mode: guard\nscore: {rdns-missing: 0}\n" BLOCK
#define PROXY                                                                                      \
	"mode: proxy\nsmtp: {listen: [\"127.0.0.1:25\"], domains: [own.example], backends: "       \
	"[\"127.0.0.1:2525\"]}\n" BLOCK
#define HOUR 3600u

GUARD_BED_GATE

static uint64_t verdicts(struct guard_bed *bed)
{
	const struct guard_stats stats = bed_stats(bed);
	uint64_t sum = 0;

	for (size_t i = 0; i < DECISION_COUNT; i++)
		sum += stats.verdicts[i];
	return sum;
}

/* The kernel tells, and the guard has drawn its conclusion: from a new verdict, or from one that it
 * knew. */
static void tell_and_wait(struct guard_bed *bed, const char *source, bool completed)
{
	const uint64_t before = verdicts(bed) + bed_stats(bed).known;
	const unsigned int told = bed_times_learned(bed);

	bed_tell(bed, source, completed);
	bed_until(bed, verdicts(bed) + bed_stats(bed).known > before);
	/* One that is passed over without a word comes first, so what has no effect is over now. */
	bed_tell(bed, source, completed);
	bed_until(bed, verdicts(bed) + bed_stats(bed).known > before + 1);
	assert_true(bed_times_learned(bed) <= told + 2);
}

static void a_newcomer_becomes_a_verdict(void **state)
{
	struct guard_bed *bed = *state;
	struct gate_learned learned;
	struct verdict verdict;

	bed_open(bed, GUARD);
	assert_true(bed->evidence.on);
	assert_int_equal(bed->evidence.slot, BED_SLOT);
	bed_tell(bed, BAD, false);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 2);
	learned = bed_learned(bed, BAD);
	assert_int_equal(learned.kind, GATE_LEARNED_BLOCKED);
	assert_int_equal(learned.action, ACTION_REFUSE);
	assert_int_equal(learned.seconds, BED_TTL);
	learned = bed_learned(bed, GOOD);
	assert_int_equal(learned.kind, GATE_LEARNED_KNOWN);
	assert_true(guard_verdict(bed->guard, &learned.addr, &verdict));
	assert_int_equal(learned.seconds, verdict.until - verdict.made);
	assert_int_equal(verdict.decision, DECISION_ACCEPT);
	assert_int_equal(verdict.findings, FINDING_BIT(FINDING_RDNS_MISSING));
	bed_close(bed);
}

static void a_verdict_is_used_again(void **state)
{
	struct guard_bed *bed = *state;
	struct guard_stats stats;
	uint64_t questions;

	bed_open(bed, GUARD);
	bed_tell(bed, GOOD, false);
	bed_until(bed, bed_times_learned(bed) == 1);
	questions = bed_stats(bed).dns.questions;
	bed_kernel_forgets(bed);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 2);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_KNOWN);
	stats = bed_stats(bed);
	assert_int_equal(stats.evaluations, 1);
	assert_int_equal(stats.known, 1);
	assert_true(stats.dns.questions <= questions + 6); /* the zone's tests */
	bed_close(bed);
}

/* At its SYN, and when the handshake completes; the lookup is the real one's from then on. */
static void what_is_told_twice_is_one_offence(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	bed_server(bed, BED_HOLDS);
	bed_tell(bed, BAD, false);
	bed_tell(bed, BAD, true);
	bed_until(bed, bed_stats(bed).newcomers[GUARD_COMPLETED] == 1 &&
			       bed->lab->fake[0].held_count >= 2);
	bed_server(bed, BED_ANSWERS);
	bed_until(bed, bed_times_learned(bed) == 1);
	tell_and_wait(bed, BAD, true);
	assert_int_equal(bed_stats(bed).blocks, 1);
	assert_int_equal(bed_stats(bed).evaluations, 1);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL);
	bed_close(bed);
}

/* The kernel tells every few seconds of a source that it cannot keep. */
static void no_room_is_no_offence(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	bed_set(bed, &bed->full, true);
	for (unsigned int times = 1; times <= 3; times++) {
		bed_tell(bed, BAD, true);
		bed_until(bed, bed_times_learned(bed) == times);
	}
	bed_until(bed, bed_stats(bed).refused == 3);
	bed_set(bed, &bed->full, false);
	bed_pass(100);
	bed_tell(bed, BAD, true);
	bed_until(bed, bed_times_learned(bed) == 4);
	assert_int_equal(bed_stats(bed).blocks, 1);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL - 100);
	assert_int_equal(bed_learned(bed, BAD).action, ACTION_REFUSE);
	bed_close(bed);
}

static void blocks_grow_for_real_sources_only(void **state)
{
	static const uint32_t seconds[] = { BED_TTL, BED_TTL * BED_FACTOR,
					    BED_TTL * BED_FACTOR * BED_FACTOR };
	struct guard_bed *bed = *state;
	struct gate_learned learned;

	bed_open(bed, GUARD);
	for (unsigned int i = 0; i < COUNT(seconds); i++) {
		/* Its SYN is enough for the first time; later anybody could send one in its name.
		 */
		tell_and_wait(bed, BAD, false);
		if (i > 0)
			assert_int_equal(bed_times_learned(bed), i);
		tell_and_wait(bed, BAD, true);
		bed_until(bed, bed_times_learned(bed) == i + 1);
		learned = bed_learned(bed, BAD);
		assert_int_equal(learned.kind, GATE_LEARNED_BLOCKED);
		assert_int_equal(learned.seconds, seconds[i]);
		assert_int_equal(learned.action, i ? ACTION_DROP : ACTION_REFUSE);
		bed_pass(seconds[i] + 1);
	}
	assert_int_equal(bed_stats(bed).blocks, COUNT(seconds));
	bed_close(bed);
}

/* While nothing is stopped nobody is told anything, so whoever comes then has a first time yet. */
static void monitor_mode_holds_nothing_against_anybody(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD "monitor: true\n");
	for (unsigned int times = 1; times <= 2; times++) {
		tell_and_wait(bed, BAD, true);
		bed_until(bed, bed_times_learned(bed) == times);
		assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL);
		assert_int_equal(bed_learned(bed, BAD).action, ACTION_REFUSE);
		bed_pass(BED_TTL + 1);
	}
	bed_close(bed);
}

static void a_good_history_earns_trust(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD "history: {good: 3, trust: 7200}\n");
	for (unsigned int times = 1; times <= 3; times++) {
		assert_int_equal(bed_stats(bed).trusts, 0);
		bed_tell(bed, GOOD, true);
		bed_until(bed, bed_times_learned(bed) == times);
		assert_int_equal(bed_learned(bed, GOOD).kind,
				 times < 3 ? GATE_LEARNED_KNOWN : GATE_LEARNED_TRUSTED);
		bed_pass(HOUR + 1);
	}
	assert_int_equal(bed_stats(bed).trusts, 1);
	assert_int_equal(bed_learned(bed, GOOD).seconds, 7200 - HOUR - 1);
	bed_close(bed);
}

/* A dead name server is no good history, whoever it belongs to. */
static void what_is_not_known_earns_nothing(void **state)
{
	struct guard_bed *bed = *state;
	struct verdict verdict;
	struct addr addr = addr_of(NO_ANSWER);

	bed_open(bed, GUARD "history: {good: 2, trust: 7200}\n");
	for (unsigned int times = 1; times <= 3; times++) {
		bed_tell(bed, NO_ANSWER, true);
		bed_until(bed, bed_times_learned(bed) == times);
		assert_int_equal(bed_learned(bed, NO_ANSWER).kind, GATE_LEARNED_KNOWN);
		assert_int_equal(bed_learned(bed, NO_ANSWER).seconds, BED_TTL_MIN);
		assert_true(guard_verdict(bed->guard, &addr, &verdict));
		assert_true(verdict.temporary);
		assert_int_equal(verdict.until - verdict.made, BED_TTL_MIN);
		bed_pass(HOUR + 1);
	}
	assert_int_equal(bed_stats(bed).temporary, 3);
	assert_int_equal(bed_stats(bed).trusts, 0);
	bed_close(bed);
}

static void a_verdict_waits_so_long(void **state)
{
	struct guard_bed *bed = *state;
	struct guard_stats stats;

	bed_open(bed, GUARD "guard: {timeout: 100}\n");
	bed_server(bed, BED_MUTE);
	bed_tell(bed, BAD, false);
	bed_until(bed, bed_times_learned(bed) == 1);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_KNOWN);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL_MIN);
	stats = bed_stats(bed);
	assert_int_equal(stats.timeouts, 1);
	assert_int_equal(stats.temporary, 1);
	bed_until(bed, bed_stats(bed).under_way == 0);
	bed_close(bed);
}

/* Half of the places are for those that have completed a handshake; all end with the guard. */
static void so_many_at_a_time(void **state)
{
	const uint32_t half = GUARD_LOOKUPS_MAX / 2;
	struct guard_bed *bed = *state;
	struct guard_stats stats;

	bed_open(bed, GUARD "guard: {timeout: 60000}\n");
	bed_server(bed, BED_MUTE);
	bed_tell_many(bed, 0, half + 9, false);
	bed_until(bed, bed_stats(bed).skipped == 9);
	assert_int_equal(bed_stats(bed).under_way, half);
	/* These are under way, and one each leaves its place to another. */
	bed_tell_many(bed, 0, 5, true);
	bed_tell_many(bed, half, 9, false);
	bed_until(bed, bed_stats(bed).skipped == 9 + 4);
	assert_int_equal(bed_stats(bed).under_way, half + 5);
	bed_tell_many(bed, 10000, half, true);
	bed_until(bed, bed_stats(bed).skipped == 13 + 5);
	stats = bed_stats(bed);
	assert_int_equal(stats.under_way, GUARD_LOOKUPS_MAX);
	assert_int_equal(stats.evaluations, GUARD_LOOKUPS_MAX);
	bed_close(bed);
	assert_int_equal(bed->learned, 0);
}

static void who_has_to_come_again(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, "mode: guard\nscore: {rdns-missing: 7}\ngreylist: {enabled: true}\n");
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 1);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_BLOCKED);
	assert_int_equal(bed_learned(bed, GOOD).action, ACTION_DROP);
	assert_int_equal(bed_learned(bed, GOOD).seconds, 300);
	bed_pass(100);
	bed_kernel_forgets(bed);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 2);
	assert_int_equal(bed_learned(bed, GOOD).seconds, 200);
	bed_pass(200);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 3);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_KNOWN);
	assert_int_equal(bed_stats(bed).greylisted, 2);
	assert_int_equal(bed_stats(bed).blocks, 0);
	bed_close(bed);
}

/* The kernel knows them by their /64. A block is not lifted by who lives next to it, and is the
 * same offence for all of them. */
static void neighbours(void **state)
{
	struct guard_bed *bed = *state;
	struct gate_learned learned;

	bed_open(bed, GUARD);
	bed_tell(bed, BAD6, true);
	bed_until(bed, bed_times_learned(bed) == 1);
	tell_and_wait(bed, GOOD6, true);
	tell_and_wait(bed, "2001:db8:1:2:1::5", true);
	learned = bed_learned(bed, GOOD6);
	assert_int_equal(learned.kind, GATE_LEARNED_BLOCKED);
	assert_int_equal(learned.seconds, BED_TTL);
	assert_int_equal(bed_stats(bed).blocks, 1);
	assert_int_equal(bed_times_learned(bed), 1);
	/* The other way round the stricter one holds, too, also if it was known before. */
	bed_kernel_forgets(bed);
	bed_pass(BED_TTL + 1);
	tell_and_wait(bed, GOOD6, true);
	assert_int_equal(bed_learned(bed, GOOD6).kind, GATE_LEARNED_KNOWN);
	tell_and_wait(bed, BAD6, true);
	assert_int_equal(bed_learned(bed, GOOD6).kind, GATE_LEARNED_BLOCKED);
	bed_close(bed);
}

static void the_host_itself_is_no_newcomer(void **state)
{
	struct guard_bed *bed = *state;

	bed_open(bed, GUARD);
	bed_tell(bed, "127.0.0.1", true);
	bed_tell(bed, "127.9.9.9", false);
	bed_tell(bed, "::1", true);
	bed_tell(bed, GOOD, true);
	bed_until(bed, bed_times_learned(bed) == 1);
	assert_int_equal(bed_learned(bed, GOOD).kind, GATE_LEARNED_KNOWN);
	assert_int_equal(bed_stats(bed).newcomers[GUARD_COMPLETED], 1);
	assert_int_equal(bed_stats(bed).newcomers[GUARD_SYN], 0);
	bed_close(bed);
}

/* What sessions tell, in order. */
static void note(struct guard_bed *bed, const struct verdict *verdict, bool offence, size_t times)
{
	struct guard_client *client;
	struct error err;

	assert_int_equal(guard_client_open(bed->guard, &bed->lab->loop, &client, &err), 0);
	while (times--)
		guard_client_note(client, verdict, offence);
	guard_client_close(&client);
}

/* The first time a session has told the client; what other sessions of his, which were there
 * before the block, come to meanwhile makes it no longer. */
static void sessions_of_one_source_are_one_offence(void **state)
{
	const struct verdict bad = { .addr = addr_of(BAD), .decision = DECISION_REJECT };
	struct guard_bed *bed = *state;

	bed_open(bed, PROXY);
	note(bed, &bad, true, 1);
	bed_pass(1);
	note(bed, &bad, true, 20);
	bed_until(bed, bed_times_learned(bed) == 1);
	bed_tell(bed, GOOD, true); /* behind them */
	bed_until(bed, bed_times_learned(bed) == 2);
	assert_int_equal(bed_learned(bed, BAD).kind, GATE_LEARNED_BLOCKED);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL * BED_FACTOR);
	assert_int_equal(bed_stats(bed).blocks, 1);
	bed_pass(BED_TTL * BED_FACTOR + 1);
	note(bed, &bad, true, 1);
	bed_until(bed, bed_stats(bed).blocks == 2);
	assert_int_equal(bed_learned(bed, BAD).seconds, BED_TTL * BED_FACTOR * BED_FACTOR);
	bed_close(bed);
}

static void mail_earns_trust_if_the_verdict_is_complete(void **state)
{
	struct verdict verdict = { .addr = addr_of(GOOD), .temporary = true };
	struct guard_bed *bed = *state;

	bed_open(bed, PROXY "history: {good: 1, trust: 7200}\n");
	note(bed, &verdict, false, 1);
	verdict.addr = addr_of(GOOD6);
	verdict.temporary = false;
	note(bed, &verdict, false, 1);
	bed_until(bed, bed_times_learned(bed) == 1);
	assert_int_equal(bed_learned(bed, GOOD6).kind, GATE_LEARNED_TRUSTED);
	assert_int_equal(bed_stats(bed).trusts, 1);
	bed_close(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(a_newcomer_becomes_a_verdict),
		BED_TEST(a_verdict_is_used_again),
		BED_TEST(what_is_told_twice_is_one_offence),
		BED_TEST(no_room_is_no_offence),
		BED_TEST(blocks_grow_for_real_sources_only),
		BED_TEST(monitor_mode_holds_nothing_against_anybody),
		BED_TEST(a_good_history_earns_trust),
		BED_TEST(what_is_not_known_earns_nothing),
		BED_TEST(a_verdict_waits_so_long),
		BED_TEST(so_many_at_a_time),
		BED_TEST(who_has_to_come_again),
		BED_TEST(neighbours),
		BED_TEST(the_host_itself_is_no_newcomer),
		BED_TEST(sessions_of_one_source_are_one_offence),
		BED_TEST(mail_earns_trust_if_the_verdict_is_complete),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
