/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_parts.c - what a guard is put together from, with what the configuration says.
 *
 * Called by guard_open(), before there is a thread.
 */
#include <stdio.h>

#include "lib/clock.h"
#include "session/guard_internal.h"
#include "session/resolve.h"

#define REFUSAL_TEXT "refused: the reputation of your address is bad"

/* No longer than it could be, were it new: a machine that has just started may take it for 1970. */
static uint32_t seconds_left(const struct escalation_rules *rules,
			     const struct history_record *record)
{
	const uint32_t now = clock_wall();
	const uint32_t left = record->until > now ? record->until - now : 0;
	const uint32_t most = record->kind == GATE_LEARNED_TRUSTED ? rules->trust : rules->ttl_max;

	return left < most ? left : most;
}

/* What the kernel has forgotten, because the machine was started again. */
static void restore(const struct history_record *record, void *arg)
{
	struct guard *guard = arg;
	const struct gate_learned learned = {
		.addr = record->addr,
		.kind = (enum gate_learned_kind)record->kind,
		.action = (enum action)record->action,
		.seconds = seconds_left(&guard->rules.escalation, record),
	};
	struct gate_learned known;

	if (learned.kind != GATE_LEARNED_NONE && learned.seconds &&
	    !gate_learned_find(guard->gate, &record->addr, &known))
		gate_learn(guard->gate, &learned);
}

/* And where the greylist is. */
static int get_history(struct store *store, void *arg, struct error *err)
{
	struct guard *guard = arg;
	const struct history_drain drain = { &guard->rules.escalation, clock_wall() };

	snprintf(guard->directory, sizeof(guard->directory), "%s", store_directory(store));
	return history_load(guard->history, &drain, store, err);
}

static int open_memory(struct guard *guard, const struct conf *conf, struct error *err)
{
	int failed = verdicts_open(&guard->verdicts, conf->guard.cache, err);

	if (!failed)
		failed = greylist_open(&guard->greylist, GUARD_GREYLIST, err);
	if (!failed)
		failed = history_open(&guard->history, GUARD_HISTORIES, err);
	if (!failed)
		failed = lists_with_store(guard->lists, get_history, guard, err);
	if (!failed)
		guard_load_greylist(guard);
	if (!failed && guard->watching)
		history_each(guard->history, restore, guard);
	return failed;
}

int guard_open_parts(struct guard *guard, const struct conf *conf, struct error *err)
{
	int failed = 0;

	own_find(&guard->own);
	guard->in_flight = conf->dns.in_flight;
	guard->in_flight_zone = conf->dns.in_flight_zone;
	guard_limit_syns(guard, conf->dnsbl.zones.count);
	if (guard->watching)
		failed = lists_own(guard->lists, LEARNED_LIST, REFUSAL_TEXT, &guard->slot, err);
	if (!failed)
		failed = open_memory(guard, conf, err);
	if (!failed)
		failed = resolve_open(&guard->loop, conf, &guard->resolver, err);
	if (!failed)
		failed = resolve_open_lists(guard->resolver, conf, true, &guard->dnsbl, err);
	return failed;
}
