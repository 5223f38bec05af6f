/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/newcomers.c - the evidence path: its settings, the budget of newcomers, and their ring.
 */
#include <errno.h>

#include <bpf/libbpf.h>

#include "gate/internal.h"
#include "gate/learned.h"
#include "lib/clock.h"

#define BURST_PART       2    /* of a second that the budget may save up */
#define NEWCOMERS_A_READ 1024 /* what more there is waits for the next read */

#define store(place, value) __atomic_store_n(place, value, __ATOMIC_RELAXED)

static int deliver(void *context, void *data, size_t size)
{
	struct gate_newcomers *newcomers = context;

	if (size >= sizeof(struct newcomer) && newcomers->cb)
		newcomers->cb(data, newcomers->arg);
	return --newcomers->left > 0 ? 0 : -EAGAIN;
}

int gate_newcomers_open(struct gate *gate, struct error *err)
{
	struct gate_newcomers *newcomers = &gate->newcomers;

	newcomers->ring =
		ring_buffer__new(gate->map[GATE_MAP_newcomers].fd, deliver, newcomers, NULL);
	return newcomers->ring ? 0
			       : error_errno(err, ERROR_REFUSED, errno,
					     "cannot read the ring of newcomers");
}

void gate_newcomers_close(struct gate *gate)
{
	ring_buffer__free(gate->newcomers.ring);
	gate->newcomers.ring = NULL;
}

int gate_newcomers_fd(struct gate *gate)
{
	return ring_buffer__epoll_fd(gate->newcomers.ring);
}

int gate_newcomers_read(struct gate *gate, gate_newcomer_cb cb, void *arg)
{
	struct gate_newcomers *newcomers = &gate->newcomers;

	newcomers->cb = cb;
	newcomers->arg = arg;
	newcomers->left = NEWCOMERS_A_READ;
	ring_buffer__consume(newcomers->ring);
	newcomers->cb = NULL;
	return NEWCOMERS_A_READ - newcomers->left;
}

static struct newcomer_budget *budgets(const struct gate *gate)
{
	return gate->map[GATE_MAP_newcomer_budget].memory;
}

static void empty_budgets(struct gate *gate)
{
	for (int stage = 0; stage < NEWCOMER_STAGES; stage++)
		store(&budgets(gate)[stage].left, 0);
}

/* What is not used is kept for BURST_PART of a second: newcomers come in groups. */
static void fill_budget(struct newcomer_budget *budget, uint32_t rate)
{
	const int32_t share = (int32_t)(rate / GATE_REFILLS + (rate % GATE_REFILLS != 0));
	const int32_t most =
		(int32_t)(rate / BURST_PART) > share ? (int32_t)(rate / BURST_PART) : share;
	const int32_t left = __atomic_load_n(&budget->left, __ATOMIC_RELAXED);

	__atomic_fetch_add(&budget->left, left + share > most ? most - left : share,
			   __ATOMIC_RELAXED);
}

void gate_newcomers_refill(struct gate *gate)
{
	const uint32_t rate = __atomic_load_n(&gate->newcomers.rate, __ATOMIC_RELAXED);

	for (int stage = 0; stage < NEWCOMER_STAGES; stage++)
		fill_budget(&budgets(gate)[stage], rate);
	learned_settle(gate);
}

void gate_evidence_set(struct gate *gate, const struct gate_evidence *evidence)
{
	struct evidence_settings *kernel = &gate_kernel_settings(gate)->evidence;

	store(&kernel->slot, evidence->slot);
	store(&kernel->repeat, (uint32_t)(evidence->repeat * NS_A_SECOND >> PROVED_SHIFT));
	store(&gate->newcomers.rate, evidence->on ? evidence->rate : 0);
	if (!evidence->on)
		empty_budgets(gate);
	__atomic_store_n(&kernel->on, evidence->on, __ATOMIC_RELEASE);
}

bool gate_learned_decides(struct gate *gate)
{
	return __atomic_load_n(&gate_kernel_settings(gate)->evidence.on, __ATOMIC_ACQUIRE);
}
