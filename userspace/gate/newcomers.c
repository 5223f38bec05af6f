/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/newcomers.c - the evidence path: its settings, the budget of newcomers, and their ring.
 */
#include "gate/internal.h"
#include "gate/learned.h"
#include "lib/clock.h"

#define BURST_PART       2 /* of a second that the budget may save up */
#define NEWCOMERS_A_READ 1024

#define store(place, value) __atomic_store_n(place, value, __ATOMIC_RELAXED)

struct reader {
	gate_newcomer_cb cb;
	void *arg;
};

static void deliver(const void *record, void *arg)
{
	const struct reader *reader = arg;

	reader->cb(record, reader->arg);
}

int gate_newcomers_open(struct gate *gate, struct error *err)
{
	return ring_open(&gate->newcomers, gate->map[GATE_MAP_newcomers].fd,
			 sizeof(struct newcomer), "the ring of newcomers", err);
}

void gate_newcomers_close(struct gate *gate)
{
	ring_close(&gate->newcomers);
}

int gate_newcomers_fd(struct gate *gate)
{
	return ring_fd(&gate->newcomers);
}

int gate_newcomers_read(struct gate *gate, gate_newcomer_cb cb, void *arg)
{
	struct reader reader = { cb, arg };

	return ring_read(&gate->newcomers, NEWCOMERS_A_READ, deliver, &reader);
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
	const uint32_t rate = __atomic_load_n(&gate->newcomers_rate, __ATOMIC_RELAXED);

	for (int stage = 0; stage < NEWCOMER_STAGES; stage++)
		fill_budget(&budgets(gate)[stage], rate);
	learned_settle(gate);
}

void gate_evidence_set(struct gate *gate, const struct gate_evidence *evidence)
{
	struct evidence_settings *kernel = &gate_kernel_settings(gate)->evidence;

	store(&kernel->slot, evidence->slot);
	store(&kernel->repeat, (uint32_t)(evidence->repeat * NS_A_SECOND >> PROVED_SHIFT));
	store(&gate->newcomers_rate, evidence->on ? evidence->rate : 0);
	if (!evidence->on)
		empty_budgets(gate);
	__atomic_store_n(&kernel->on, evidence->on, __ATOMIC_RELEASE);
}

bool gate_learned_decides(struct gate *gate)
{
	return __atomic_load_n(&gate_kernel_settings(gate)->evidence.on, __ATOMIC_ACQUIRE);
}
