/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/newcomer.c - who is told about as a newcomer, and when again.
 */
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/packet/packet.h"

#define UNIT_NS (1ull << PROVED_SHIFT)
#define REPEAT  3 /* units: of packet_arrange() */
#define ALL     1000

/* Sends a SYN that is accepted; returns whether its source was told about. */
static bool told(struct world *w, const char *source)
{
	const struct shape shape = { .source = source };
	const struct faults none = { 0 };
	struct newcomer newcomer;
	uint8_t frame[FRAME_MAX];
	size_t length = frame_build(&shape, frame);

	w->reset_counters();
	assert_int_equal(w->run(frame, &length, &none), XDP_PASS);
	return w->last_newcomer(&newcomer);
}

static void arrange(struct world *w, struct given given)
{
	const struct packet_case test = { .given = given };

	packet_arrange(w, &test);
}

static uint64_t skipped(struct world *w)
{
	static struct counter reasons[REASON_COUNTERS], lists[LIST_COUNTERS];
	uint64_t health[HEALTH_COUNT];

	w->read_counters(reasons, lists, health);
	return health[HEALTH_NEWCOMERS_SKIPPED];
}

/* Each source once, IPv6 for its /64; that takes nothing out of the budget again. */
static void newcomer_once(struct world *w)
{
	arrange(w, (struct given){ .evidence = true, .newcomers = ALL });
	assert_true(told(w, "192.0.2.1"));
	assert_false(told(w, "192.0.2.1"));
	assert_true(told(w, "192.0.2.2"));
	assert_true(told(w, "2001:db8::1"));
	assert_false(told(w, "2001:db8::2"));
	assert_true(told(w, "2001:db8:0:1::1"));
	assert_int_equal(skipped(w), 0);
	assert_int_equal(w->newcomer_budget[NEWCOMER_SYN].left, ALL - 4);
	assert_int_equal(w->newcomer_budget[NEWCOMER_COMPLETED].left, ALL);
	w->memory.settings->secret ^= 1; /* known by nothing else */
	assert_true(told(w, "192.0.2.1"));
}

static void newcomer_again(struct world *w)
{
	arrange(w, (struct given){ .evidence = true, .newcomers = ALL });
	assert_true(told(w, "192.0.2.1"));
	w->advance(REPEAT * UNIT_NS);
	assert_false(told(w, "192.0.2.1"));
	w->advance(UNIT_NS);
	assert_true(told(w, "192.0.2.1"));
	assert_false(told(w, "192.0.2.1"));
}

/* What the budget has no room for is not remembered as told. */
static void newcomer_beyond_budget(struct world *w)
{
	arrange(w, (struct given){ .evidence = true, .newcomers = 1 });
	assert_true(told(w, "192.0.2.1"));
	assert_false(told(w, "192.0.2.2"));
	assert_int_equal(skipped(w), 1);
	w->newcomer_budget[NEWCOMER_SYN].left = 1;
	assert_true(told(w, "192.0.2.2"));
}

/* More than the memory has room for: who was told about longest ago is forgotten. */
static void newcomer_many(struct world *w)
{
	char source[32];
	int again = 0;

	arrange(w, (struct given){ .evidence = true, .newcomers = 1 << 20 });
	for (int i = 0; i < 20000; i++) {
		snprintf(source, sizeof(source), "10.0.%d.%d", i / 250, i % 250 + 1);
		assert_true(told(w, source));
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(source, sizeof(source), "10.0.%d.%d", i / 250, i % 250 + 1);
		again += told(w, source);
	}
	assert_true(again < 20000 / 4);
}

/* While a flood is on at the port nobody is told about, not even who has proved himself. */
static void newcomer_in_flood(struct world *w)
{
	const struct flood_settings armed = {
		.threshold = 1000, .release = 1, .quiet = 1000, .batch = 1, .proof = 100
	};

	arrange(w, (struct given){ .evidence = true, .newcomers = ALL, .flood = armed });
	assert_true(told(w, "192.0.2.1"));
	w->flood[0].active = 1;
	assert_false(told(w, "192.0.2.2"));
	assert_int_equal(skipped(w), 0);
	w->flood[0].active = 0;
	assert_true(told(w, "192.0.2.2"));
}

/* What the counters say of completed handshakes. */
static uint64_t completed(struct world *w)
{
	static struct counter reasons[REASON_COUNTERS], lists[LIST_COUNTERS];
	uint64_t health[HEALTH_COUNT];

	w->read_counters(reasons, lists, health);
	return health[HEALTH_NEWCOMERS_COMPLETED];
}

/* Connects; returns whether the source was told about, which is counted once. */
static bool told_completed(struct world *w, const char *source)
{
	static const uint8_t here[16] = { [10] = 255, 255, 127, 0, 0, 1 };
	struct newcomer newcomer;
	bool sent;

	w->reset_counters();
	assert_true(w->connect(source, false));
	sent = w->last_newcomer(&newcomer);
	assert_int_equal(completed(w), sent);
	if (!sent)
		return false;
	assert_int_equal(newcomer.completed, 1);
	assert_int_equal(newcomer.dest_port, 25);
	assert_memory_equal(newcomer.source, here, 15);
	assert_memory_equal(newcomer.dest, here, 16);
	return true;
}

/* A handshake that is complete is told about once, whatever was told of its SYN, and in floods. */
static void newcomer_completes(struct world *w)
{
	if (!w->connect)
		return;
	arrange(w, (struct given){ .evidence = true, .newcomers = ALL });
	assert_true(told(w, "127.0.0.2"));
	assert_true(told_completed(w, "::ffff:127.0.0.2"));
	assert_false(told_completed(w, "::ffff:127.0.0.2"));
	assert_int_equal(skipped(w), 0);
	assert_int_equal(w->newcomer_budget[NEWCOMER_COMPLETED].left, ALL - 1);
	w->newcomer_budget[NEWCOMER_SYN].left = 0;
	w->flood[0].active = 1;
	assert_true(told_completed(w, "::ffff:127.0.0.3"));
	w->newcomer_budget[NEWCOMER_COMPLETED].left = 0;
	assert_false(told_completed(w, "::ffff:127.0.0.4"));
	assert_int_equal(skipped(w), 1);
	w->newcomer_budget[NEWCOMER_COMPLETED].left = 1;
	assert_true(told_completed(w, "::ffff:127.0.0.4"));
}

/* Not about those that are known or that a list decides about, nor while nobody wants to know. */
static void newcomer_is_none(struct world *w)
{
	const struct given none[] = {
		{ .newcomers = ALL },
		{ .evidence = true, .newcomers = ALL, .allow = "127.0.0.0/8" },
		{ .evidence = true, .newcomers = ALL, .drop = "127.0.0.1" },
	};

	if (!w->connect)
		return;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		arrange(w, none[i]);
		assert_false(told_completed(w, "::ffff:127.0.0.1"));
	}
	arrange(w, (struct given){ .evidence = true, .newcomers = ALL, .watched = "127.0.0.1" });
	assert_true(told_completed(w, "::ffff:127.0.0.1"));
}

static void newcomer_is_known(struct world *w)
{
	const struct packet_case test = {
		.shape = { .source = "127.0.0.1" },
		.given = { .evidence = true,
			   .newcomers = ALL,
			   .learned = { .kind = LEARNED_KNOWN } },
	};

	if (!w->connect)
		return;
	packet_arrange(w, &test);
	assert_false(told_completed(w, "::ffff:127.0.0.1"));
	assert_true(told_completed(w, "::ffff:127.0.0.2"));
}

/* A counter that reaches its limit is noted, for as long as handshakes may be under way. */
static void limit_is_reached(struct world *w)
{
	struct given given = { .limit = { [METER_NET] = { .conns = 2 } } };
	__u32 *full = &w->memory.settings->full_until;

	if (!w->connect)
		return;
	arrange(w, given);
	assert_true(w->connect("::ffff:127.0.0.1", true));
	assert_int_equal(*full, 0);
	assert_true(w->connect("::ffff:127.0.0.2", true));
	assert_in_range(*full, (w->now() + 120000000000ull) >> PROVED_SHIFT,
			(w->now() + 130000000000ull) >> PROVED_SHIFT);
	w->connect(NULL, false);
}

const struct talk newcomer_talks[] = {
	{ "newcomer, once", newcomer_once, false },
	{ "newcomer, again", newcomer_again, true },
	{ "newcomer, budget", newcomer_beyond_budget, false },
	{ "newcomer, many", newcomer_many, true },
	{ "newcomer, flood", newcomer_in_flood, false },
	{ "newcomer, completed", newcomer_completes, false },
	{ "newcomer, completed, listed", newcomer_is_none, false },
	{ "newcomer, completed, known", newcomer_is_known, false },
	{ "limit of connections is noted", limit_is_reached, false },
};
const size_t newcomer_talk_count = sizeof(newcomer_talks) / sizeof(newcomer_talks[0]);
