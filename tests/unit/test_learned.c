/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_learned.c - what was learned about sources, in the cells that the program reads:
 * who gives way to whom, when it ends, and what of it is shown. The gate is on memory of the host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gate/internal.h"
#include "gate/learned.h"
#include "lib/clock.h"
#include "maps/learned.h"
#include "tests/unit/addr_fixture.h"

#define SECOND_NS 1000000000ull
#define START     (1000 * SECOND_NS)
#define SECRET    0x5eed
#define NEVER     UINT32_MAX

static int setup(void **state)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	pthread_mutex_init(&gate->learned.lock, NULL);
	gate->map[GATE_MAP_settings].memory = calloc(1, sizeof(struct settings));
	gate->map[GATE_MAP_learned].memory = calloc(LEARNED_LINES, sizeof(struct learned_line));
	gate->map[GATE_MAP_newcomer_budget].memory =
		calloc(NEWCOMER_STAGES, sizeof(struct newcomer_budget));
	gate_kernel_settings(gate)->secret = SECRET;
	clock_freeze(1, START);
	*state = gate;
	return 0;
}

static int teardown(void **state)
{
	struct gate *gate = *state;

	clock_freeze(0, 0);
	pthread_mutex_destroy(&gate->learned.lock);
	free(gate->map[GATE_MAP_settings].memory);
	free(gate->map[GATE_MAP_learned].memory);
	free(gate->map[GATE_MAP_newcomer_budget].memory);
	free(gate);
	return 0;
}

/* The n-th IPv4 address whose cell is in the line of 192.0.2.1. */
static struct addr crowd(unsigned int n)
{
	const uint32_t line = learned_line_index(learned_hash(0xffffc0000201, FAMILY_IPV4, SECRET));
	uint64_t key = 0xffff0a000000;

	for (;; key++)
		if (learned_line_index(learned_hash(key, FAMILY_IPV4, SECRET)) == line && !n--)
			return addr_from_halves(0, key);
}

static bool learn(struct gate *gate, struct addr addr, enum gate_learned_kind kind,
		  uint32_t seconds)
{
	const struct gate_learned learned = { addr, kind, ACTION_DROP, seconds };

	return gate_learn(gate, &learned);
}

static enum gate_learned_kind kind_of(struct gate *gate, struct addr addr)
{
	struct gate_learned found;
	const bool known = gate_learned_find(gate, &addr, &found);

	assert_int_equal(known, found.kind != GATE_LEARNED_NONE);
	return found.kind;
}

static void test_both_families(void **state)
{
	const struct gate_learned block = { addr_of("192.0.2.1"), GATE_LEARNED_BLOCKED,
					    ACTION_RESET, 60 };
	const struct addr six = addr_of("2001:db8:1:2:3:4:5:6"), same = addr_of("2001:db8:1:2::1");
	const struct addr net = addr_of("2001:db8:1:2::"), other = addr_of("2001:db8:1:3::");
	struct gate_learned found;

	assert_int_equal(kind_of(*state, block.addr), GATE_LEARNED_NONE);
	assert_true(gate_learn(*state, &block));
	assert_true(gate_learned_find(*state, &block.addr, &found));
	assert_int_equal(found.kind, GATE_LEARNED_BLOCKED);
	assert_int_equal(found.action, ACTION_RESET);
	assert_in_range(found.seconds, 60, 62);
	assert_memory_equal(&found.addr, &block.addr, sizeof(found.addr));
	assert_int_equal(kind_of(*state, addr_of("192.0.2.2")), GATE_LEARNED_NONE);
	assert_true(learn(*state, six, GATE_LEARNED_KNOWN, 60));
	assert_true(gate_learned_find(*state, &same, &found));
	assert_int_equal(found.kind, GATE_LEARNED_KNOWN);
	assert_memory_equal(&found.addr, &net, sizeof(net));
	assert_int_equal(kind_of(*state, other), GATE_LEARNED_NONE);
}

/* An IPv6 network whose key is the same number as that of an IPv4 address. */
static void test_families_are_apart(void **state)
{
	const struct addr four = addr_of("192.0.2.1"), six = addr_from_halves(0xffffc0000201, 0);

	assert_true(learn(*state, four, GATE_LEARNED_BLOCKED, 60));
	assert_int_equal(kind_of(*state, six), GATE_LEARNED_NONE);
	assert_true(learn(*state, six, GATE_LEARNED_KNOWN, 60));
	assert_int_equal(kind_of(*state, four), GATE_LEARNED_BLOCKED);
}

static void test_expiry(void **state)
{
	const struct addr addr = addr_of("192.0.2.1");

	assert_true(learn(*state, addr, GATE_LEARNED_BLOCKED, 60));
	clock_freeze(1, START + 60 * SECOND_NS - 1);
	assert_int_equal(kind_of(*state, addr), GATE_LEARNED_BLOCKED);
	clock_freeze(1, START + 60 * SECOND_NS + (1ull << LEARNED_SHIFT));
	assert_int_equal(kind_of(*state, addr), GATE_LEARNED_NONE);
	assert_false(gate_forget(*state, &addr));
	assert_true(learn(*state, addr, GATE_LEARNED_BLOCKED, NEVER)); /* as long as it can be */
	clock_freeze(1, START + 4000000000ull * SECOND_NS);
	assert_int_equal(kind_of(*state, addr), GATE_LEARNED_BLOCKED);
}

static void test_replaced_and_forgotten(void **state)
{
	const struct addr addr = addr_of("192.0.2.1");
	struct gate_learned_counts counts;

	assert_true(learn(*state, addr, GATE_LEARNED_BLOCKED, 600));
	assert_true(learn(*state, addr, GATE_LEARNED_TRUSTED, 60)); /* also by what ends earlier */
	assert_int_equal(kind_of(*state, addr), GATE_LEARNED_TRUSTED);
	gate_learned_counts(*state, &counts);
	assert_int_equal(counts.kind[GATE_LEARNED_BLOCKED], 0);
	assert_int_equal(counts.kind[GATE_LEARNED_TRUSTED], 1);
	assert_int_equal(counts.capacity, 262144);
	assert_true(gate_forget(*state, &addr));
	assert_false(gate_forget(*state, &addr));
	assert_int_equal(kind_of(*state, addr), GATE_LEARNED_NONE);
	assert_true(learn(*state, addr, GATE_LEARNED_KNOWN, 60));
	assert_true(learn(*state, addr, GATE_LEARNED_KNOWN, 0));
	assert_int_equal(kind_of(*state, addr), GATE_LEARNED_NONE);
	assert_true(learn(*state, addr, GATE_LEARNED_KNOWN, 60));
	assert_true(learn(*state, addr, GATE_LEARNED_NONE, 60));
	assert_int_equal(kind_of(*state, addr), GATE_LEARNED_NONE);
}

/* In a full line what runs out first gives way, but a block only to one that lasts as long. */
static void test_full_line(void **state)
{
	struct addr addr[8];

	for (unsigned int i = 0; i < 8; i++)
		addr[i] = crowd(i);
	assert_true(learn(*state, addr[0], GATE_LEARNED_BLOCKED, 100));
	assert_true(learn(*state, addr[1], GATE_LEARNED_KNOWN, 3000));
	assert_true(learn(*state, addr[2], GATE_LEARNED_TRUSTED, 2000));
	assert_true(learn(*state, addr[3], GATE_LEARNED_KNOWN, 1000));
	assert_true(learn(*state, addr[4], GATE_LEARNED_KNOWN, 10));
	assert_int_equal(kind_of(*state, addr[3]), GATE_LEARNED_NONE);
	assert_int_equal(kind_of(*state, addr[4]), GATE_LEARNED_KNOWN);
	clock_freeze(1, START + 20 * SECOND_NS); /* what has run out is room */
	assert_true(learn(*state, addr[3], GATE_LEARNED_BLOCKED, 400));
	assert_int_equal(kind_of(*state, addr[2]), GATE_LEARNED_TRUSTED);
	assert_true(learn(*state, addr[5], GATE_LEARNED_BLOCKED, 300));
	assert_true(learn(*state, addr[6], GATE_LEARNED_BLOCKED, 200));
	assert_int_equal(kind_of(*state, addr[1]), GATE_LEARNED_NONE);
	/* Four blocks now, of which the first ends in 80 s. */
	assert_false(learn(*state, addr[1], GATE_LEARNED_KNOWN, 5000));
	assert_false(learn(*state, addr[7], GATE_LEARNED_BLOCKED, 50));
	assert_int_equal(kind_of(*state, addr[0]), GATE_LEARNED_BLOCKED);
	assert_true(learn(*state, addr[7], GATE_LEARNED_BLOCKED, 90));
	assert_int_equal(kind_of(*state, addr[0]), GATE_LEARNED_NONE);
	assert_true(learn(*state, addr[3], GATE_LEARNED_KNOWN, 1)); /* its own cell is its own */
	assert_int_equal(kind_of(*state, addr[3]), GATE_LEARNED_KNOWN);
}

static bool count_all(const struct gate_learned *learned, void *arg)
{
	size_t *count = arg;

	assert_true(addr_is_ipv4(&learned->addr) || !addr_low(&learned->addr));
	return ++*count < 500;
}

static void test_walks(void **state)
{
	struct gate_learned_counts counts;
	size_t count = 0;

	for (uint64_t i = 0; i < 100; i++) {
		learn(*state, addr_from_halves(0, 0xffffc0000200 + i), GATE_LEARNED_KNOWN, 60);
		learn(*state, addr_from_halves(0x20010db800000000 + i, 1), GATE_LEARNED_BLOCKED,
		      i < 50 ? 10 : 60);
	}
	gate_learned_each(*state, count_all, &count);
	assert_int_equal(count, 200);
	clock_freeze(1, START + 20 * SECOND_NS);
	gate_learned_counts(*state, &counts);
	assert_int_equal(counts.kind[GATE_LEARNED_KNOWN], 100);
	assert_int_equal(counts.kind[GATE_LEARNED_BLOCKED], 50);
	count = 490;
	gate_learned_each(*state, count_all, &count);
	assert_int_equal(count, 500); /* it ended when it was told to */
	assert_int_equal(gate_forget_kind(*state, GATE_LEARNED_BLOCKED), 50);
	assert_int_equal(gate_forget_kind(*state, GATE_LEARNED_BLOCKED), 0);
	gate_learned_counts(*state, &counts);
	assert_int_equal(counts.kind[GATE_LEARNED_KNOWN], 100);
}

static void test_when_blocks_changed(void **state)
{
	const struct addr one = addr_of("192.0.2.1"), two = addr_of("192.0.2.2");
	struct gate *gate = *state;

	clock_freeze(1001, START);
	learn(gate, one, GATE_LEARNED_KNOWN, 60);
	gate_forget_kind(gate, GATE_LEARNED_BLOCKED);
	assert_int_equal(gate_learned_changed(gate), 0);
	learn(gate, one, GATE_LEARNED_BLOCKED, 60);
	assert_int_equal(gate_learned_changed(gate), 1001);
	clock_freeze(1002, START);
	learn(gate, one, GATE_LEARNED_KNOWN, 60);
	assert_int_equal(gate_learned_changed(gate), 1002);
	learn(gate, two, GATE_LEARNED_BLOCKED, 60);
	clock_freeze(1003, START);
	gate_forget(gate, &one);
	assert_int_equal(gate_learned_changed(gate), 1002);
	gate_forget(gate, &two);
	assert_int_equal(gate_learned_changed(gate), 1003);
	learn(gate, two, GATE_LEARNED_BLOCKED, 60);
	clock_freeze(1004, START);
	gate_forget_kind(gate, GATE_LEARNED_BLOCKED);
	assert_int_equal(gate_learned_changed(gate), 1004);
}

/* The program looks at later segments for as long as a block may answer, and no longer. */
static void test_answers(void **state)
{
	struct gate *gate = *state;
	const struct evidence_settings *kernel = &gate_kernel_settings(gate)->evidence;
	struct gate_learned block = { addr_of("192.0.2.1"), GATE_LEARNED_BLOCKED, ACTION_DROP, 60 };

	gate_learn(gate, &block);
	block.action = ACTION_RESET;
	gate_learn(gate, &block);
	block.kind = GATE_LEARNED_KNOWN;
	block.action = ACTION_TARPIT;
	gate_learn(gate, &block);
	assert_int_equal(kernel->answers, 0);
	block.kind = GATE_LEARNED_BLOCKED;
	gate_learn(gate, &block);
	assert_int_equal(kernel->answers, 1);
	block.addr = addr_of("2001:db8::");
	block.action = ACTION_REFUSE;
	block.seconds = 100;
	gate_learn(gate, &block);
	clock_freeze(1, START + 70 * SECOND_NS);
	gate_newcomers_refill(gate);
	assert_int_equal(kernel->answers, 1);
	gate->learned.answers_until = 0; /* as in an agent that has just started */
	gate_newcomers_refill(gate);
	assert_int_equal(kernel->answers, 1);
	clock_freeze(1, START + 102 * SECOND_NS);
	gate_newcomers_refill(gate);
	assert_int_equal(kernel->answers, 0);
	gate_learn(gate, &block);
	gate_forget_kind(gate, GATE_LEARNED_BLOCKED);
	gate_newcomers_refill(gate);
	assert_int_equal(kernel->answers, 0);
}

/* It is the live generation that says so, and only of the list of learned blocks. */
static void test_watched(void **state)
{
	struct gate *gate = *state;
	struct settings *kernel = gate_kernel_settings(gate);
	const struct gate_evidence evidence = { .on = true, .slot = 5 };

	gate_evidence_set(gate, &evidence);
	kernel->table[0].list_flags[4] = LIST_MONITOR;
	kernel->table[1].list_flags[5] = LIST_MONITOR;
	assert_false(gate_learned_watched(gate));
	kernel->generation = 1;
	assert_true(gate_learned_watched(gate));
	assert_true(gate_learned_decides(gate));
}

static void test_budget(void **state)
{
	struct gate *gate = *state;
	struct newcomer_budget *budget = gate->map[GATE_MAP_newcomer_budget].memory;
	const struct evidence_settings *kernel = &gate_kernel_settings(gate)->evidence;
	struct gate_evidence evidence = { .on = true, .slot = 5, .rate = 101, .repeat = 100 };

	gate_evidence_set(gate, &evidence);
	assert_int_equal(kernel->on, 1);
	assert_int_equal(kernel->slot, 5);
	assert_int_equal(kernel->repeat, 93); /* units of 1.07 s */
	gate_newcomers_refill(gate);
	assert_int_equal(budget[NEWCOMER_SYN].left, 11);
	assert_int_equal(budget[NEWCOMER_COMPLETED].left, 11);
	/* What is left is kept, up to what half a second brings. */
	for (int i = 0; i < GATE_REFILLS; i++)
		gate_newcomers_refill(gate);
	assert_int_equal(budget[NEWCOMER_SYN].left, 50);
	budget[NEWCOMER_SYN].left = -1;
	gate_newcomers_refill(gate);
	assert_int_equal(budget[NEWCOMER_SYN].left, 10);
	evidence.on = false;
	gate_evidence_set(gate, &evidence);
	assert_int_equal(kernel->on, 0);
	assert_int_equal(budget[NEWCOMER_SYN].left, 0);
	gate_newcomers_refill(gate);
	assert_int_equal(budget[NEWCOMER_SYN].left, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_both_families), TEST(test_families_are_apart),
		TEST(test_expiry),        TEST(test_replaced_and_forgotten),
		TEST(test_full_line),     TEST(test_walks),
		TEST(test_answers),       TEST(test_budget),
		TEST(test_watched),       TEST(test_when_blocks_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
