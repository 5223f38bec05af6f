/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/settings.c - the operator's settings, as the program wants them.
 *
 * Each is published by a store of its own: a packet that arrives meanwhile may see an old rate with
 * a new burst, never half a number.
 */
#include <stddef.h>

#include "gate/internal.h"

#define SECOND_NS 1000000000ull

static void set_limit(struct meter_limit *kernel, const struct gate_limit *wanted)
{
	const uint64_t interval = wanted->rate ? SECOND_NS / wanted->rate : 0;
	const uint64_t burst = wanted->burst ? wanted->burst : wanted->rate;

	__atomic_store_n(&kernel->burst_ns, interval * burst, __ATOMIC_RELAXED);
	__atomic_store_n(&kernel->interval_ns, interval, __ATOMIC_RELEASE);
	__atomic_store_n(&kernel->conns, wanted->conns, __ATOMIC_RELAXED);
}

static void set_ports(struct settings *kernel, const uint16_t *ports, size_t count)
{
	uint64_t wanted[PORT_WORDS] = { 0 };

	for (size_t i = 0; i < count; i++)
		wanted[ports[i] / 64] |= 1ull << (ports[i] % 64);
	for (size_t i = 0; i < PORT_WORDS; i++)
		__atomic_store_n(&kernel->port[i], wanted[i], __ATOMIC_RELAXED);
}

void gate_set(struct gate *gate, const struct gate_settings *settings)
{
	const struct gate_limit resets = { .rate = settings->reset_rate };
	struct settings *kernel = gate_kernel_settings(gate);

	for (int level = 0; level < METER_LEVELS; level++)
		set_limit(&kernel->limit[level], &settings->limit[level]);
	set_limit(&kernel->reset, &resets);
	set_ports(kernel, settings->ports, settings->port_count);
	__atomic_store_n(&kernel->monitor, settings->monitor, __ATOMIC_RELEASE);
	__atomic_store_n(&gate->events_rate, settings->events, __ATOMIC_RELAXED);
}

static void restore_limit(struct meter_limit *kernel, const struct meter_limit *before)
{
	__atomic_store_n(&kernel->burst_ns, before->burst_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&kernel->interval_ns, before->interval_ns, __ATOMIC_RELEASE);
	__atomic_store_n(&kernel->conns, before->conns, __ATOMIC_RELAXED);
}

void gate_restore(struct gate *gate)
{
	struct settings *kernel = gate_kernel_settings(gate);
	const struct settings *before = &gate->before;

	if (!gate->adopted)
		return;
	for (int level = 0; level < METER_LEVELS; level++)
		restore_limit(&kernel->limit[level], &before->limit[level]);
	restore_limit(&kernel->reset, &before->reset);
	for (size_t i = 0; i < PORT_WORDS; i++)
		__atomic_store_n(&kernel->port[i], before->port[i], __ATOMIC_RELAXED);
	__atomic_store_n(&kernel->monitor, before->monitor, __ATOMIC_RELEASE);
}
