/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_anew.c - other scores or DNS lists make other decisions, also of what was looked up
 * already.
 *
 * A verdict does not keep all that it rests on, and a block outlasts its verdict, so neither is
 * decided again where it stands: verdicts are dropped and blocks are lifted, and when the source
 * comes again it is looked up, mostly from the DNS cache. If it is rejected by the new rules as
 * well, its block goes on to its old end, which is no new offence. Offences stay in the history.
 * What sessions block for what a client did, and trust, stay for their time.
 */
#include "lib/clock.h"
#include "lib/log.h"
#include "session/guard_internal.h"

struct lifting {
	struct guard *guard;
	size_t count;
};

/* Of a block that the history does not know as one any more, or never did (it had to wait). */
static bool lift(const struct gate_learned *learned, void *arg)
{
	struct lifting *lifting = arg;
	struct guard *guard = lifting->guard;
	const struct history_record *record;

	if (learned->kind != GATE_LEARNED_BLOCKED)
		return true;
	record = history_find(guard->history, &learned->addr);
	if (!record || record->kind != GATE_LEARNED_BLOCKED)
		lifting->count += gate_forget(guard->gate, &learned->addr);
	return true;
}

/* The least score of those whom a verdict has blocked. Only sessions block others. */
static int32_t least_blocked(const struct guard *guard, const struct score_rules *rules)
{
	if (!guard->proxy)
		return INT32_MIN;
	return rules->reject ? rules->reject : INT32_MAX;
}

void guard_judge_anew(struct guard *guard, const struct score_rules *before)
{
	struct lifting lifting = { .guard = guard };

	guard->judged++;
	verdicts_clear(guard->verdicts);
	gate_forget_kind(guard->gate, GATE_LEARNED_KNOWN);
	history_lift_blocks(guard->history, least_blocked(guard, before), clock_wall());
	gate_learned_each(guard->gate, lift, &lifting);
	log_info("guard.judged-anew", "{s:I}", "lifted", (json_int_t)lifting.count);
}

struct score guard_score_now(const struct guard_lookup *lookup,
			     const struct evaluate_result *result)
{
	if (lookup->judged == lookup->guard->judged)
		return result->score;
	return score_decide(&lookup->guard->rules.score, &result->input);
}

bool guard_block_lifted(struct guard *guard, const struct addr *addr, struct gate_learned *out)
{
	const struct history_record *found = history_find(guard->history, addr);
	const uint32_t now = clock_wall();
	struct history_record *record;

	if (!found || found->kind != GATE_LEARNED_NONE || found->until <= now ||
	    found->last > now) /* the clock was set back */
		return false;
	record = history_get(guard->history, addr);
	record->kind = GATE_LEARNED_BLOCKED;
	history_touch(guard->history, record, now);
	*out = (struct gate_learned){ .addr = *addr,
				      .kind = GATE_LEARNED_BLOCKED,
				      .action = (enum action)record->action,
				      .seconds = record->until - now };
	return true;
}
