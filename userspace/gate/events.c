/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/events.c - events from the ring, and the budget that the program may spend on them.
 */
#include <errno.h>

#include <bpf/libbpf.h>

#include "gate/events.h"
#include "gate/internal.h"

#define EVENTS_A_READ 8192 /* what more there is waits for the next read */

static int deliver(void *context, void *data, size_t size)
{
	struct gate *gate = context;

	if (size >= sizeof(struct event) && gate->event_cb)
		gate->event_cb(data, gate->event_arg);
	return --gate->events_left > 0 ? 0 : -EAGAIN;
}

int gate_events_open(struct gate *gate, struct error *err)
{
	gate->ring = ring_buffer__new(gate->map[GATE_MAP_events].fd, deliver, gate, NULL);
	return gate->ring ? 0
			  : error_errno(err, ERROR_REFUSED, errno, "cannot read the event ring");
}

void gate_events_close(struct gate *gate)
{
	ring_buffer__free(gate->ring);
	gate->ring = NULL;
}

int gate_events_fd(struct gate *gate)
{
	return ring_buffer__epoll_fd(gate->ring);
}

int gate_events_read(struct gate *gate, gate_event_cb cb, void *arg)
{
	gate->event_cb = cb;
	gate->event_arg = arg;
	gate->events_left = EVENTS_A_READ;
	ring_buffer__consume(gate->ring);
	gate->event_cb = NULL;
	return EVENTS_A_READ - gate->events_left;
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
