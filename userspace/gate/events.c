/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/events.c - events from the ring, and the budget that the program may spend on them.
 */
#include "gate/events.h"
#include "gate/internal.h"

#define EVENTS_A_READ 8192

struct reader {
	gate_event_cb cb;
	void *arg;
};

static void deliver(const void *record, void *arg)
{
	const struct reader *reader = arg;

	reader->cb(record, reader->arg);
}

int gate_events_open(struct gate *gate, struct error *err)
{
	return ring_open(&gate->events, gate->map[GATE_MAP_events].fd, sizeof(struct event),
			 "the event ring", err);
}

void gate_events_close(struct gate *gate)
{
	ring_close(&gate->events);
}

int gate_events_fd(struct gate *gate)
{
	return ring_fd(&gate->events);
}

int gate_events_read(struct gate *gate, gate_event_cb cb, void *arg)
{
	struct reader reader = { cb, arg };

	return ring_read(&gate->events, EVENTS_A_READ, deliver, &reader);
}

/* Every CPU gets the whole rate's share of a refill: a flood may well arrive on one queue. */
void gate_budget_refill(struct gate *gate)
{
	const uint32_t rate = __atomic_load_n(&gate->events_rate, __ATOMIC_RELAXED);
	struct budget *budget = gate->map[GATE_MAP_budget].memory;
	const uint32_t share = (rate + GATE_REFILLS - 1) / GATE_REFILLS;

	for (uint32_t cpu = 0; cpu < gate->cpus && cpu < BUDGET_CPUS; cpu++)
		__atomic_store_n(&budget[cpu].left, share, __ATOMIC_RELAXED);
	settings_settle(gate);
}
