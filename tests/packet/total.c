/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/total.c - the limit of all attempts, which every CPU takes from in batches; and that
 * limits hold to the configured rate when packets come on all CPUs at once.
 */
#define _GNU_SOURCE /* CPU_SET, pthread_setaffinity_np */
#include <linux/bpf.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/packet/packet.h"

#define SECOND_NS 1000000000ull
#define BATCH     4
#define BURST     8
#define INTERVAL  1000000ull       /* ns */
#define BURST_NS  (30 * SECOND_NS) /* of a limit whose bucket never fills up */
#define AT_ONCE   500000
#define CPUS_MAX  64

static void arrange(const struct world *w, enum meter_level level, struct meter_limit limit)
{
	struct packet_case test = { .name = "" };

	test.given.limit[level] = limit;
	packet_arrange(w, &test);
}

static int send_one(const struct world *w, const struct faults *faults)
{
	const struct shape shape = { 0 };
	uint8_t frame[FRAME_MAX];
	size_t length = frame_build(&shape, frame);

	return w->run(frame, &length, faults);
}

static int accepted_of(const struct world *w, int count)
{
	const struct faults none = { 0 };
	int accepted = 0;

	for (int i = 0; i < count; i++)
		accepted += send_one(w, &none) == XDP_PASS;
	return accepted;
}

/* Whole batches leave the bucket, what a CPU holds is used first, and no more than a burst goes. */
static void total_in_batches(struct world *w)
{
	const struct meter_limit limit = { INTERVAL, BURST * INTERVAL, 0, BATCH };
	const uint64_t start = w->now();
	const struct faults missing = { .lookup = "lease" };

	w->advance(SECOND_NS); /* whatever the CPU held before is void */
	arrange(w, METER_TOTAL, limit);
	assert_int_equal(accepted_of(w, 1), 1);
	assert_int_equal(w->total->cell[0].tat, start + SECOND_NS + BATCH * INTERVAL);
	assert_int_equal(accepted_of(w, 3), 3);
	assert_int_equal(w->total->cell[0].tat, start + SECOND_NS + BATCH * INTERVAL);
	assert_int_equal(accepted_of(w, 10), BURST - BATCH);
	w->advance(2 * INTERVAL); /* room for two, not for a batch */
	assert_int_equal(accepted_of(w, 10), 2);
	w->advance(BATCH * INTERVAL);
	assert_int_equal(accepted_of(w, 1), 1);
	w->advance(SECOND_NS);
	w->total->cell[0].tat = w->now() + BURST * INTERVAL;
	assert_int_equal(accepted_of(w, 1), 0); /* what was left of the batch has run out */
	w->total->cell[0].tat = 0;
	w->advance(SECOND_NS);
	assert_int_equal(send_one(w, &missing), XDP_PASS);
	assert_int_equal(w->total->cell[0].tat, w->now() + INTERVAL);
}

static void total_coarse(struct world *w)
{
	const struct meter_limit limit = { INTERVAL, BURST_NS, 0, 1 };

	arrange(w, METER_TOTAL, limit);
	w->memory.settings->precise = 0;
	assert_int_equal(accepted_of(w, 100), 100);
	assert_true(w->total->cell[0].tat > w->now() + 50 * INTERVAL);
}

/* What other CPUs have charged while this one stood still is owed, and not a limit that was raised.
 */
static void total_held_up(struct world *w)
{
	const struct meter_limit limit = { INTERVAL, BURST * INTERVAL, 0, 1 };
	const struct faults held_up = { .held_up = SECOND_NS }, none = { 0 };
	const uint64_t owed = w->now() + BURST * INTERVAL + SECOND_NS / 2;

	arrange(w, METER_TOTAL, limit);
	w->memory.settings->precise = 1;
	w->total->cell[0].tat = owed;
	assert_int_equal(send_one(w, &held_up), XDP_DROP);
	assert_int_equal(w->total->cell[0].tat, owed);
	w->total->cell[0].tat = w->now() + BURST * INTERVAL + SECOND_NS / 2;
	assert_int_equal(send_one(w, &none), XDP_PASS);
}

/* One CPU's share of a flood. */
struct share {
	const struct world *world;
	int cpu;
	uint64_t end;
	uint64_t last_begun; /* ns: when its last call began */
	pthread_t thread;
};

static void *send_share(void *arg)
{
	struct share *share = arg;
	const struct shape shape = { 0 };
	uint8_t frame[FRAME_MAX];
	const size_t length = frame_build(&shape, frame);
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(share->cpu, &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	while (share->last_begun < share->end) {
		share->last_begun = share->world->now();
		share->world->run_many(frame, length, AT_ONCE);
	}
	return NULL;
}

static uint64_t accepted_since_reset(const struct world *w)
{
	static struct counter reasons[REASON_COUNTERS], lists[LIST_COUNTERS];
	uint64_t health[HEALTH_COUNT];

	w->read_counters(reasons, lists, health);
	return reasons[reason_index(REASON_ACCEPTED, FAMILY_IPV4, OUTCOME_ENFORCED)].packets;
}

/*
 * More than the limit from every CPU for a while: what passes is the rate times that while, to
 * within a twentieth. The bucket is empty at first, and holds longer than the calls may pause. A
 * call returns some time after its last packet, which is no more than one call's time.
 */
static void check_rate(const struct world *w, enum meter_level level, struct meter_limit limit,
		       bool coarse)
{
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	const int cpus = online < CPUS_MAX ? (int)online : CPUS_MAX;
	struct share share[CPUS_MAX];
	struct packet_case test = { .name = "" };
	uint64_t accepted, start, first_end = 0;

	test.given.limit[level] = limit;
	test.given.spent[level] = true;
	packet_arrange(w, &test);
	w->memory.settings->precise = !coarse;
	start = w->now();
	for (int i = 0; i < cpus; i++) {
		share[i] = (struct share){ .world = w, .cpu = i, .end = start + SECOND_NS };
		assert_int_equal(pthread_create(&share[i].thread, NULL, send_share, &share[i]), 0);
	}
	for (int i = 0; i < cpus; i++)
		pthread_join(share[i].thread, NULL);
	for (int i = 0; i < cpus; i++)
		if (share[i].last_begun > first_end)
			first_end = share[i].last_begun;
	accepted = accepted_since_reset(w) * limit.interval_ns;
	if (accepted < (first_end - start) / 20 * 19 || accepted > (w->now() - start) / 20 * 21)
		print_error("level %d, %" PRIu64 " ns: accepted %" PRIu64 " ns' worth in %" PRIu64
			    " to %" PRIu64 "\n",
			    (int)level, (uint64_t)limit.interval_ns, accepted, first_end - start,
			    w->now() - start);
	assert_true(accepted >= (first_end - start) / 20 * 19);
	assert_true(accepted <= (w->now() - start) / 20 * 21);
}

static void rates_over_cpus(struct world *w)
{
	if (!w->run_many)
		return;
	check_rate(w, METER_SOURCE, (struct meter_limit){ 1000000, BURST_NS, 0, 1 }, false);
	check_rate(w, METER_NET, (struct meter_limit){ 100000, BURST_NS, 0, 1 }, true);
	check_rate(w, METER_TOTAL, (struct meter_limit){ 20000, BURST_NS, 0, 50 }, true);
	check_rate(w, METER_TOTAL, (struct meter_limit){ 500000, BURST_NS, 0, 1 }, false);
}

const struct talk total_talks[] = {
	{ "total, in batches", total_in_batches, true },
	{ "total, by the coarse clock", total_coarse, false },
	{ "total, on a CPU that is held up", total_held_up, true },
	{ "rates over all cpus", rates_over_cpus, false },
};
const size_t total_talk_count = sizeof(total_talks) / sizeof(total_talks[0]);
