/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_act.c - what follows from a verdict: the source's history, and what the kernel is
 * told.
 *
 * In guard mode nobody speaks SMTP but the mail server. So what would be a temporary refusal
 * (greylisting) is silence for a while, and mail that should be taken slowly is taken. In proxy
 * mode sessions refuse, and tell what came of it; evidence of the kernel only warms the cache.
 */
#include "lib/action.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "session/guard_internal.h"

static void learn(struct guard *guard, const struct gate_learned *learned)
{
	if (!gate_learn(guard->gate, learned))
		guard_count(&guard->stats.refused);
}

/* What the kernel knows the source as. IPv6 sources are a /64 there. */
static enum gate_learned_kind known_as(struct guard *guard, const struct verdict *verdict)
{
	struct gate_learned learned;

	if (!gate_learned_find(guard->gate, &verdict->addr, &learned))
		return GATE_LEARNED_NONE;
	return learned.kind;
}

/*
 * A block stands for its time: what a neighbour in the /64 does, or a session that was there
 * before, neither lifts it nor counts as another offence.
 */
static bool is_blocked(struct guard *guard, const struct verdict *verdict)
{
	return known_as(guard, verdict) == GATE_LEARNED_BLOCKED;
}

/*
 * Whether the kernel knows the source as what the verdict would make of it. It tells of most
 * sources twice and may have been told meanwhile.
 */
static bool is_settled(struct guard *guard, const struct verdict *verdict, bool fresh)
{
	const enum gate_learned_kind kind = known_as(guard, verdict);

	return kind == GATE_LEARNED_BLOCKED ||
	       (kind != GATE_LEARNED_NONE && !fresh && verdict->decision != DECISION_REJECT);
}

/* A block that still holds, but for which the kernel had no room, is no reason for a longer one. */
static bool block_again(struct guard *guard, const struct verdict *verdict)
{
	const struct history_record *record = history_find(guard->history, &verdict->addr);
	const uint32_t now = clock_wall();
	struct gate_learned learned = { .addr = verdict->addr, .kind = GATE_LEARNED_BLOCKED };

	if (!record || record->kind != GATE_LEARNED_BLOCKED || record->until <= now ||
	    record->last > now) /* the clock was set back */
		return false;
	learned.action = (enum action)record->action;
	learned.seconds = record->until - now;
	learn(guard, &learned);
	return true;
}

/* Rejected again, by other scores than those by which it was blocked. */
static bool block_lifted(struct guard *guard, const struct verdict *verdict)
{
	struct gate_learned learned;

	if (verdict->decision != DECISION_REJECT ||
	    !guard_block_lifted(guard, &verdict->addr, &learned))
		return false;
	learn(guard, &learned);
	return true;
}

/* Rounded up, so that the kernel does not tell of a source whose verdict still holds. */
static uint32_t seconds_left(const struct verdict *verdict)
{
	const uint32_t now = clock_mono_seconds();

	return verdict->until > now ? verdict->until - now : 1;
}

static void let_through(struct guard *guard, const struct verdict *verdict,
			const struct escalation *next)
{
	const struct gate_learned learned = {
		.addr = verdict->addr,
		.kind = next->trust ? GATE_LEARNED_TRUSTED : GATE_LEARNED_KNOWN,
		.seconds = next->trust ? next->ttl : seconds_left(verdict),
	};

	if (next->trust)
		guard_count(&guard->stats.trusts);
	learn(guard, &learned);
}

static void log_block(const struct verdict *verdict, const struct escalation *next)
{
	char text[PREFIX_TEXT_MAX];

	log_info("guard.blocked", "{s:s, s:s, s:I, s:I, s:i}", "source",
		 addr_format(&verdict->addr, text), "action", action_name(next->action), "seconds",
		 (json_int_t)next->ttl, "offences", (json_int_t)next->offences, "score",
		 (int)verdict->total);
}

static void block(struct guard *guard, const struct verdict *verdict, const struct escalation *next)
{
	const struct gate_learned learned = {
		.addr = verdict->addr,
		.kind = GATE_LEARNED_BLOCKED,
		.action = next->action,
		.seconds = next->ttl,
	};

	guard_count(&guard->stats.blocks);
	learn(guard, &learned);
	if (guard->block_lines) {
		guard->block_lines--;
		log_block(verdict, next);
	}
}

/* Silence until it may come again; whether it has to wait. */
static bool has_to_wait(struct guard *guard, const struct verdict *verdict)
{
	const struct greylist_key key = { .addr = verdict->addr };
	struct greylist_answer answer;
	struct gate_learned learned = { .addr = verdict->addr,
					.kind = GATE_LEARNED_BLOCKED,
					.action = ACTION_DROP };

	if (verdict->decision != DECISION_GREYLIST || !guard->rules.greylisting)
		return false;
	answer = greylist_ask(guard->greylist, &guard->rules.greylist, &key, greylist_now());
	if (answer.state == GREYLIST_PASSED)
		return false;
	learned.seconds = answer.wait;
	guard_count(&guard->stats.greylisted);
	learn(guard, &learned);
	return true;
}

/* The kernel's entry, as the history keeps it for the next start. */
static void remember(struct history_record *record, const struct verdict *verdict,
		     const struct escalation *next, uint32_t now)
{
	record->score = verdict->total;
	record->kind = next->block   ? GATE_LEARNED_BLOCKED
		       : next->trust ? GATE_LEARNED_TRUSTED
				     : GATE_LEARNED_NONE;
	record->action = next->block ? (uint8_t)next->action : 0;
	record->until = next->block || next->trust ? now + next->ttl : 0;
}

/* An offence. In monitor mode nobody was told, so it is a first one each time. */
static struct escalation offend(struct guard *guard, struct history_record *record, uint32_t now)
{
	const struct escalation_rules *rules = &guard->rules.escalation;
	struct history_record watched = *record;

	if (!guard->rules.monitor && !gate_learned_watched(guard->gate))
		return escalate(rules, record, true, now);
	watched.offences = 0;
	return escalate(rules, &watched, true, now);
}

/* Only what is clearly good or clearly bad is history: what the DNS did not tell is not good. */
static bool is_good(const struct verdict *verdict)
{
	return verdict->decision == DECISION_ACCEPT && !verdict->temporary;
}

static struct escalation escalate_verdict(struct guard *guard, const struct verdict *verdict)
{
	const bool offence = verdict->decision == DECISION_REJECT;
	const uint32_t now = clock_wall();
	struct escalation next = { 0 };
	struct history_record *record;

	if (!offence && !is_good(verdict))
		return next;
	record = history_get(guard->history, &verdict->addr);
	next = offence ? offend(guard, record, now)
		       : escalate(&guard->rules.escalation, record, false, now);
	remember(record, verdict, &next, now);
	history_touch(guard->history, record, now);
	return next;
}

/* In front of sessions: the kernel need not tell of the source again while the verdict holds. */
static void let_in(struct guard *guard, const struct verdict *verdict)
{
	const struct escalation nothing = { 0 };

	if (!is_blocked(guard, verdict))
		let_through(guard, verdict, &nothing);
}

/*
 * A source that has offended before would be blocked for longer. That waits for its handshake,
 * because anybody can send a SYN in its name; the kernel tells when it is done.
 */
static bool awaits_proof(struct guard *guard, const struct verdict *verdict, bool proven)
{
	const struct history_record *record = history_find(guard->history, &verdict->addr);

	return verdict->decision == DECISION_REJECT && !proven && record &&
	       escalation_offences(&guard->rules.escalation, record, clock_wall());
}

void guard_act(struct guard *guard, const struct verdict *verdict, bool fresh, bool proven)
{
	struct escalation next;

	if (guard->proxy) {
		let_in(guard, verdict);
		return;
	}
	if (is_settled(guard, verdict, fresh) || has_to_wait(guard, verdict) ||
	    block_again(guard, verdict) || block_lifted(guard, verdict) ||
	    awaits_proof(guard, verdict, proven))
		return;
	next = escalate_verdict(guard, verdict);
	if (next.block)
		block(guard, verdict, &next);
	else
		let_through(guard, verdict, &next);
}

/* Refused by scores or lists that are not in force any more: that counts against nobody. */
static bool is_outdated(const struct guard *guard, const struct verdict *verdict)
{
	return verdict->decision == DECISION_REJECT && verdict->judged != (uint8_t)guard->judged;
}

/*
 * A session was spoken to, so the address is no forgery. The first offence was answered by the
 * session, with a reply that says why; from the second one on the kernel answers.
 */
void guard_note(struct guard *guard, const struct verdict *verdict, bool offence)
{
	const uint32_t now = clock_wall();
	struct history_record *record;
	struct escalation next;

	if (is_blocked(guard, verdict) || (!offence && !is_good(verdict)) ||
	    (offence && (is_outdated(guard, verdict) || block_lifted(guard, verdict))))
		return;
	record = history_get(guard->history, &verdict->addr);
	next = escalate(&guard->rules.escalation, record, offence, now);
	next.block = next.block && next.offences > 1;
	remember(record, verdict, &next, now);
	history_touch(guard->history, record, now);
	if (next.block)
		block(guard, verdict, &next);
	else if (next.trust)
		let_through(guard, verdict, &next);
}
