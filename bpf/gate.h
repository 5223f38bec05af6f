/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/gate.h - one packet through the stages, and what follows from their answer.
 *
 * Only TCP connection attempts (SYN without ACK) to protected ports are judged, and fragments that
 * hide such a one. Everything else passes at the cost of the parse, but while entries or learned
 * blocks exist that answer their sources (refuse, tarpit) later segments are looked up, too, and
 * while a counter is at its limit of connections, ACKs. Each packet is counted once under the
 * reason of its verdict; what monitor mode would have done is counted besides.
 */
#ifndef POSTERN_BPF_GATE_H
#define POSTERN_BPF_GATE_H

#include "bpf/cookie.h"
#include "bpf/flood.h"
#include "bpf/handshake.h"
#include "bpf/hold.h"
#include "bpf/learned.h"
#include "bpf/limit.h"
#include "bpf/lookup.h"
#include "bpf/maps.h"
#include "bpf/newcomer.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/report.h"
#include "bpf/reset.h"

/* The lists. A match in monitor mode is counted here and leaves the decision to the next stage. */
STAGE enum reason judge_lists(struct xdp_md *ctx, const struct settings *s, struct packet *p,
			      __u32 flags)
{
	if (p->list_class == CLASS_NONE)
		return UNDECIDED;
	if (flags & LIST_ALLOW) {
		count_list(p, OUTCOME_ENFORCED);
		return REASON_ALLOWED;
	}
	if (!(flags & LIST_MONITOR) && !s->monitor) {
		count_list(p, OUTCOME_ENFORCED);
		return REASON_LISTED;
	}
	count_list(p, OUTCOME_MONITORED);
	if (s->monitor)
		return REASON_LISTED;
	count_reason(p, REASON_LISTED, OUTCOME_MONITORED);
	detail(ctx, p, REASON_LISTED, OUTCOME_MONITORED);
	p->list_class = CLASS_NONE;
	return UNDECIDED;
}

/* What a block that was learned does is what its list says. */
STAGE __u32 find_learned_list(const struct settings *s, struct packet *p)
{
	p->list_class = class_make(s->evidence.slot, learned_action(p->learned));
	return class_flags(&s->table[s->generation & 1], p->list_class);
}

/* What was learned, about an attempt that no list decides about. */
STAGE enum reason judge_learned(struct xdp_md *ctx, const struct settings *s, struct packet *p)
{
	p->learned = learned_find(&p->source, p->family, p->now);
	if (!learned_blocks(p->learned))
		return UNDECIDED;
	return judge_lists(ctx, s, p, find_learned_list(s, p));
}

/* Whether something that was learned may answer its source. */
STAGE int learned_answers(const struct settings *s)
{
	return s->evidence.on & s->evidence.answers;
}

/* Whether a segment that opens no connection may be one of those that the program holds. */
STAGE int may_be_held(const struct settings *s)
{
	return !s->monitor && (s->table[s->generation & 1].answers | learned_answers(s));
}

/* The list that holds the source of a later segment: its own, or else the one of what was learned.
 */
STAGE __u32 find_holder(const struct settings *s, struct packet *p, __u32 flags)
{
	const int decides = p->list_class != CLASS_NONE && !(flags & LIST_MONITOR);

	if (decides || !learned_answers(s))
		return flags;
	p->learned = learned_find(&p->source, p->family, bpf_ktime_get_coarse_ns());
	return learned_blocks(p->learned) ? find_learned_list(s, p) : flags;
}

/* Whether a segment that opens no connection must be looked at: it may be one of those that the
 * program holds, or the last one of a handshake that must not complete. */
STAGE int segment_matters(const struct settings *s, struct packet *p)
{
	if (handshakes_count(s) && acknowledges(p))
		p->over = connections_over(p);
	return p->over || may_be_held(s);
}

STAGE enum reason judge_segment(struct xdp_md *ctx, const struct settings *s, struct packet *p,
				__u32 flags)
{
	if (may_be_held(s)) {
		flags = find_holder(s, p, flags);
		if (p->list_class != CLASS_NONE && !(flags & (LIST_ALLOW | LIST_MONITOR)) &&
		    hold_owns(p))
			return REASON_HELD;
	}
	if (flags & LIST_ALLOW || !p->over || !opens_connection(ctx, p))
		return REASON_ESTABLISHED;
	p->list_class = CLASS_NONE; /* it is not the list that stops it */
	return p->over;
}

/* During a flood a source that has not proved itself is answered here; if that cannot be done, or
 * is only watched, the limits decide. */
STAGE_APART int judge_flood(struct xdp_md *ctx, const struct packet *p)
{
	const struct settings *s = settings_get();

	if (!s || !p || !flood_doubts(s, p))
		return UNDECIDED;
	if (!s->monitor)
		return challenge(ctx, p) ? REASON_CHALLENGED : UNDECIDED;
	count_reason(p, REASON_CHALLENGED, OUTCOME_MONITORED);
	return UNDECIDED;
}

STAGE enum reason judge(struct xdp_md *ctx, const struct settings *s, struct packet *p)
{
	enum reason reason = parse(ctx, p);
	__u32 flags;
	int flooded;

	if (reason != UNDECIDED)
		return reason;
	if (!port_is_protected(s, p->dest_port))
		return REASON_PORT;
	if (!p->attempt && !segment_matters(s, p))
		return REASON_ESTABLISHED;
	flags = find_list(s, p);
	if (!p->attempt)
		return judge_segment(ctx, s, p, flags);
	reason = judge_lists(ctx, s, p, flags);
	if (reason != UNDECIDED)
		return reason;
	p->now = limit_clock(s);
	if (s->evidence.on) {
		reason = judge_learned(ctx, s, p);
		if (reason != UNDECIDED)
			return reason;
	}
	flooded = flood_is_on(s, p);
	if (flooded)
		reason = judge_flood(ctx, p);
	if (reason == UNDECIDED)
		reason = limit(p);
	if (!flooded)
		flood_watch(s, p, reason);
	if (reason != UNDECIDED)
		return reason;
	if (s->evidence.on && !p->learned && !flooded)
		newcomer_tell(p, NEWCOMER_SYN);
	return REASON_ACCEPTED;
}

/* What is done to a source on a list, as its entry says. */
STAGE enum xdp_action stop_listed(struct xdp_md *ctx, const struct packet *p)
{
	if (p->flags & (TCP_RST | TCP_FIN))
		return XDP_DROP; /* no segment answers a reset, and a listener takes no SYN with FIN
				  */
	switch (class_action(p->list_class)) {
	case ACTION_RESET:
		return reset(ctx, p);
	case ACTION_REFUSE:
	case ACTION_TARPIT:
		return hold_syn(ctx, p);
	default:
		return XDP_DROP;
	}
}

STAGE enum xdp_action stop(struct xdp_md *ctx, const struct settings *s, const struct packet *p,
			   enum reason reason)
{
	const __u32 outcome = s->monitor ? OUTCOME_MONITORED : OUTCOME_ENFORCED;

	count_reason(p, reason, outcome);
	if (reason == REASON_HELD)
		return hold(ctx, p);
	detail(ctx, p, reason, outcome);
	if (outcome == OUTCOME_ENFORCED)
		return reason == REASON_LISTED ? stop_listed(ctx, p) : XDP_DROP;
	count_reason(p, p->over ? REASON_ESTABLISHED : REASON_ACCEPTED, OUTCOME_ENFORCED);
	return XDP_PASS;
}

STAGE enum xdp_action gate(struct xdp_md *ctx)
{
	const struct settings *s = settings_get();
	struct packet p = {};
	enum reason reason;

	if (!s)
		return XDP_PASS;
	reason = judge(ctx, s, &p);
	if (reason >= REASON_FIRST_STOP)
		return stop(ctx, s, &p, reason);
	count_reason(&p, reason, OUTCOME_ENFORCED);
	return reason == REASON_CHALLENGED ? XDP_TX : XDP_PASS;
}

#endif
