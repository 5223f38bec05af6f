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

const struct talk newcomer_talks[] = {
	{ "newcomer, once", newcomer_once, false },
	{ "newcomer, again", newcomer_again, true },
	{ "newcomer, budget", newcomer_beyond_budget, false },
	{ "newcomer, many", newcomer_many, true },
	{ "newcomer, flood", newcomer_in_flood, false },
};
const size_t newcomer_talk_count = sizeof(newcomer_talks) / sizeof(newcomer_talks[0]);
