/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_flood.c - limits and floods from the operator's words to the program's, and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gate/flood.h"
#include "gate/internal.h"
#include "gate/settings.h"
#include "lib/clock.h"

#define WINDOW(number) ((uint64_t)(number) << FLOOD_WINDOW_SHIFT)

static void test_rates(void **state)
{
	(void)state;
	assert_int_equal(flood_attempts(0), 0);
	assert_int_equal(flood_attempts(1), 1); /* never none: 0 would be "never" */
	assert_int_equal(flood_attempts(20000), 2684);
	assert_int_equal(flood_attempts(100000000), 13421773);
	assert_int_equal(flood_rate(0), 0);
	assert_int_equal(flood_rate(2684), 19997);
	assert_true(flood_rate(UINT32_MAX) == UINT32_MAX); /* more than can be told */
}

static void test_settings(void **state)
{
	struct gate_flood_limits limits = { .threshold = 20000, .hold = 5, .proof = 86400 };
	struct flood_settings made = flood_settings_for(&limits, 2);

	(void)state;
	assert_int_equal(made.threshold, 2684);
	assert_int_equal(made.release, 1342);
	assert_int_equal(made.quiet, 38); /* 5.1 s */
	assert_int_equal(made.batch, 2684 / 16);
	assert_int_equal(made.proof, 86400);
	limits.release = 1000;
	limits.threshold = 50;
	made = flood_settings_for(&limits, 64);
	assert_int_equal(made.release, 134);
	assert_int_equal(made.batch, 1);
	limits.threshold = 0;
	assert_int_equal(flood_settings_for(&limits, 0).threshold, 0);
}

static void test_limits(void **state)
{
	const struct gate_limit none = { 0 }, total = { .rate = 50000, .burst = 60, .conns = 9 };
	const struct gate_limit slow = { .rate = 20 }, fast = { .rate = 50000 };
	struct meter_limit made = settings_limit(&none, true);

	(void)state;
	assert_int_equal(made.interval_ns, 0);
	assert_int_equal(made.batch, 1);
	made = settings_limit(&slow, false);
	assert_int_equal(made.interval_ns, 50000000);
	assert_int_equal(made.burst_ns, 1000000000); /* as many as the rate */
	assert_int_equal(made.batch, 1);
	assert_int_equal(settings_limit(&fast, true).batch, 50);
	assert_int_equal(settings_limit(&fast, false).batch, 1);
	assert_int_equal(settings_limit(&slow, true).batch, 1);
	made = settings_limit(&total, true);
	assert_int_equal(made.batch, 30); /* half of the burst */
	assert_int_equal(made.burst_ns, 60 * 20000);
	assert_int_equal(made.conns, 9);
}

static void test_precise(void **state)
{
	struct meter_limit limit[METER_LEVELS] = { 0 };

	(void)state;
	assert_false(settings_precise(limit));
	limit[METER_NET] = (struct meter_limit){ .interval_ns = 1, .burst_ns = 50000000 };
	assert_false(settings_precise(limit));
	limit[METER_TOTAL] = (struct meter_limit){ .interval_ns = 1, .burst_ns = 49999999 };
	assert_true(settings_precise(limit));
	limit[METER_TOTAL].interval_ns = 0; /* no limit */
	assert_false(settings_precise(limit));
}

static void test_shown(void **state)
{
	struct flood_port port = { .window = 1000,
				   .count = 500,
				   .last = 2684,
				   .active = 1,
				   .floods = 3,
				   .peak = 5000,
				   .since = 77 };
	struct gate_flood shown = flood_shown(&port, 25, 38, WINDOW(1000) + 1);

	(void)state;
	assert_int_equal(shown.port, 25);
	assert_true(shown.active);
	assert_int_equal(shown.rate, flood_rate(2684));
	assert_int_equal(shown.peak, flood_rate(5000));
	assert_int_equal(shown.floods, 3);
	assert_int_equal(shown.since_ns, 77);
	port.last = 6000;
	assert_int_equal(flood_shown(&port, 25, 38, WINDOW(1000)).peak, flood_rate(6000));
	assert_int_equal(flood_shown(&port, 25, 38, WINDOW(1001)).rate, flood_rate(500));
	shown = flood_shown(&port, 25, 38, WINDOW(1038));
	assert_int_equal(shown.rate, 0);
	assert_true(shown.active);
	/* No packet came that would have ended it. */
	shown = flood_shown(&port, 25, 38, WINDOW(1100));
	assert_false(shown.active);
	assert_int_equal(shown.since_ns, WINDOW(1039));
	assert_false(flood_shown(&port, 25, 38, WINDOW(1039)).active);
}

/* A gate on memory of the host, for gate_set(). */
static struct gate *make_gate(void)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	gate->cpus = 2;
	gate->cookies.directory = "/nonexistent";
	pthread_mutex_init(&gate->cookies.lock, NULL);
	gate->map[GATE_MAP_settings].memory = calloc(1, sizeof(struct settings));
	gate->map[GATE_MAP_flood].memory = calloc(FLOOD_PORTS, sizeof(struct flood_port));
	return gate;
}

static void free_gate(struct gate *gate)
{
	pthread_mutex_destroy(&gate->cookies.lock);
	free(gate->map[GATE_MAP_settings].memory);
	free(gate->map[GATE_MAP_flood].memory);
	free(gate);
}

static void test_ports_have_numbers(void **state)
{
	static const uint16_t before[] = { 25, 587, 465 }, after[] = { 465, 110, 25 };
	struct gate *gate = make_gate();
	struct gate_settings settings = { .ports = before, .port_count = 3 };
	const struct settings *kernel = gate->map[GATE_MAP_settings].memory;
	struct flood_port *port = gate->map[GATE_MAP_flood].memory;
	struct gate_flood flood[FLOOD_PORTS];

	(void)state;
	clock_freeze(1, WINDOW(1000));
	gate_set(gate, &settings);
	assert_int_equal(kernel->port[25], 1);
	assert_int_equal(kernel->port[587], 2);
	assert_int_equal(kernel->port[465], 3);
	assert_int_equal(kernel->port[80], 0);
	port[0].floods = 1;
	port[1].floods = 2;
	port[2].floods = 3;
	assert_int_equal(gate_floods(gate, flood), 3);
	assert_int_equal(flood[1].port, 587);
	assert_int_equal(flood[1].floods, 2);
	gate_set(gate, &settings); /* nothing is forgotten */
	assert_int_equal(port[1].floods, 2);
	settings.ports = after; /* in another order, and 110 for 587 */
	gate_set(gate, &settings);
	assert_int_equal(gate_floods(gate, flood), 3);
	assert_int_equal(kernel->port[587], 0);
	assert_int_equal(kernel->port[465], 3);
	assert_int_equal(kernel->port[110], 2);
	assert_int_equal(flood[0].port, 465);
	assert_int_equal(flood[0].floods, 3);
	assert_int_equal(flood[1].port, 110);
	assert_int_equal(flood[1].floods, 0); /* what 587 saw is not what it saw */
	assert_int_equal(flood[2].port, 25);
	assert_int_equal(flood[2].floods, 1);
	clock_freeze(0, 0);
	free_gate(gate);
}

/* A lower limit may be reached already, so ACKs are looked at for a while; and then no longer. */
static void test_lower_limits(void **state)
{
	struct gate *gate = make_gate();
	struct gate_settings settings = { .limit = { { .conns = 50 } } };
	__u32 *full = &gate_kernel_settings(gate)->full_until;

	(void)state;
	clock_freeze(1, WINDOW(1000));
	gate_set(gate, &settings);
	assert_int_equal(*full, handshakes_end(WINDOW(1000)));
	*full = 0;
	gate_set(gate, &settings);
	settings.limit[METER_SOURCE].conns = 60;
	gate_set(gate, &settings);
	settings.limit[METER_SOURCE].conns = 0;
	gate_set(gate, &settings);
	assert_int_equal(*full, 0);
	settings.limit[METER_SOURCE].conns = 49;
	gate_set(gate, &settings);
	clock_freeze(1, WINDOW(1000) + HANDSHAKE_NS);
	settings_settle(gate);
	assert_int_equal(*full, handshakes_end(WINDOW(1000)));
	clock_freeze(1, WINDOW(1000) + HANDSHAKE_NS + (1ull << PROVED_SHIFT));
	settings_settle(gate);
	assert_int_equal(*full, 0);
	clock_freeze(0, 0);
	free_gate(gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),        cmocka_unit_test(test_settings),
		cmocka_unit_test(test_limits),       cmocka_unit_test(test_precise),
		cmocka_unit_test(test_shown),        cmocka_unit_test(test_ports_have_numbers),
		cmocka_unit_test(test_lower_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
