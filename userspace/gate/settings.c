/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/settings.c - the operator's settings, as the program wants them.
 *
 * Each is published by a store of its own: a packet that arrives meanwhile may see an old rate with
 * a new burst, never half a number.
 */
#include <stddef.h>
#include <string.h>

#include "gate/flood.h"
#include "gate/internal.h"
#include "gate/settings.h"
#include "lib/clock.h"

#define COARSE_NS                                                                                  \
	50000000u         /* some ticks of the coarse clock, at the 100 a second that are least    \
			   */
#define BATCHES     1000u /* that a CPU takes out of the total a second, at its rate */
#define BATCH_BURST 2u    /* of these fit into the burst */

#define load(place)         __atomic_load_n(place, __ATOMIC_RELAXED)
#define store(place, value) __atomic_store_n(place, value, __ATOMIC_RELAXED)

struct meter_limit settings_limit(const struct gate_limit *wanted, bool total)
{
	const uint64_t interval = wanted->rate ? NS_A_SECOND / wanted->rate : 0;
	const uint32_t burst = wanted->burst ? wanted->burst : wanted->rate;
	uint32_t batch = 1;

	if (total && wanted->rate) {
		batch = wanted->rate / BATCHES;
		if (batch > burst / BATCH_BURST)
			batch = burst / BATCH_BURST;
	}
	return (struct meter_limit){ .interval_ns = interval,
				     .burst_ns = interval * burst,
				     .conns = wanted->conns,
				     .batch = batch ? batch : 1 };
}

bool settings_precise(const struct meter_limit limit[METER_LEVELS])
{
	for (int level = 0; level < METER_LEVELS; level++)
		if (limit[level].interval_ns && limit[level].burst_ns < COARSE_NS)
			return true;
	return false;
}

static void put_limit(struct meter_limit *kernel, const struct meter_limit *wanted)
{
	store(&kernel->burst_ns, wanted->burst_ns);
	store(&kernel->batch, wanted->batch);
	__atomic_store_n(&kernel->interval_ns, wanted->interval_ns, __ATOMIC_RELEASE);
	store(&kernel->conns, wanted->conns);
}

/* A lower limit of connections may be reached already, by counters that nothing comes to any more.
 */
static void put_limits(struct settings *kernel, const struct meter_limit limit[METER_LEVELS])
{
	bool lower = false;

	for (int level = 0; level < METER_LEVELS; level++) {
		const uint32_t before = kernel->limit[level].conns, conns = limit[level].conns;

		lower = lower || (conns && (!before || conns < before));
		put_limit(&kernel->limit[level], &limit[level]);
	}
	if (lower)
		store(&kernel->full_until, handshakes_end(clock_mono()));
}

void settings_settle(struct gate *gate)
{
	__u32 *full = &gate_kernel_settings(gate)->full_until, until = load(full);

	if (until && until <= clock_mono() >> PROVED_SHIFT)
		__atomic_compare_exchange_n(full, &until, 0, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
}

/* But for what depends on the kernel: see cookies_publish(). */
static void put_flood(struct flood_settings *kernel, const struct flood_settings *wanted)
{
	store(&kernel->release, wanted->release);
	store(&kernel->quiet, wanted->quiet);
	store(&kernel->batch, wanted->batch);
	store(&kernel->proof, wanted->proof);
	__atomic_store_n(&kernel->threshold, wanted->threshold, __ATOMIC_RELEASE);
}

static bool is_among(const uint16_t *ports, size_t count, uint32_t port)
{
	for (size_t i = 0; i < count; i++)
		if (ports[i] == port)
			return true;
	return false;
}

/* The numbers that ports have, bit n for n + 1. One that cannot be, of a damaged map, is none. */
static uint64_t numbers_taken(const struct settings *kernel)
{
	uint64_t taken = 0;

	for (uint32_t port = 0; port < PORT_COUNT; port++)
		if (kernel->port[port] && kernel->port[port] <= FLOOD_PORTS)
			taken |= 1ull << (kernel->port[port] - 1);
	return taken;
}

/* A port that is new gets a number that is free, and starts from nothing; the others keep theirs.
 */
static void number_port(struct gate *gate, uint16_t port, uint64_t *taken)
{
	struct flood_port *floods = gate->map[GATE_MAP_flood].memory;
	__u8 *kernel = &gate_kernel_settings(gate)->port[port];
	uint32_t number = 0;

	if (*kernel && *kernel <= FLOOD_PORTS)
		return;
	while (number < FLOOD_PORTS - 1 && *taken >> number & 1)
		number++;
	*taken |= 1ull << number;
	memset(&floods[number], 0, sizeof(floods[number]));
	__atomic_store_n(kernel, (uint8_t)(number + 1), __ATOMIC_RELEASE);
}

static void put_ports(struct gate *gate, const uint16_t *ports, size_t count)
{
	struct settings *kernel = gate_kernel_settings(gate);
	uint64_t taken;

	for (uint32_t port = 0; port < PORT_COUNT; port++)
		if (kernel->port[port] && !is_among(ports, count, port))
			store(&kernel->port[port], 0);
	taken = numbers_taken(kernel);
	for (size_t i = 0; i < FLOOD_PORTS; i++) {
		if (i < count)
			number_port(gate, ports[i], &taken);
		store(&gate->flood_port[i], i < count ? ports[i] : 0);
	}
}

void gate_set(struct gate *gate, const struct gate_settings *settings)
{
	const struct gate_limit resets = { .rate = settings->reset_rate };
	const struct flood_settings flood = flood_settings_for(&settings->flood, gate->cpus);
	const struct meter_limit reset = settings_limit(&resets, false);
	struct settings *kernel = gate_kernel_settings(gate);
	struct meter_limit limit[METER_LEVELS];

	for (int level = 0; level < METER_LEVELS; level++)
		limit[level] = settings_limit(&settings->limit[level], level == METER_TOTAL);
	put_limits(kernel, limit);
	put_limit(&kernel->reset, &reset);
	store(&kernel->precise, settings_precise(limit));
	put_flood(&kernel->flood, &flood);
	store(&gate->cookies.wanted, settings->flood.cookies);
	cookies_publish(gate);
	put_ports(gate, settings->ports, settings->port_count);
	__atomic_store_n(&kernel->monitor, settings->monitor, __ATOMIC_RELEASE);
	__atomic_store_n(&gate->events_rate, settings->events, __ATOMIC_RELAXED);
}

void gate_restore(struct gate *gate)
{
	struct settings *kernel = gate_kernel_settings(gate);
	const struct settings *before = &gate->before;

	if (!gate->adopted)
		return;
	put_limits(kernel, before->limit);
	put_limit(&kernel->reset, &before->reset);
	store(&kernel->precise, before->precise);
	put_flood(&kernel->flood, &before->flood);
	for (size_t i = 0; i < PORT_COUNT; i++)
		store(&kernel->port[i], before->port[i]);
	__atomic_store_n(&kernel->monitor, before->monitor, __ATOMIC_RELEASE);
}
