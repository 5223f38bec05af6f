/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/gate.h - one packet through the stages, and what follows from their answer.
 *
 * Only TCP connection attempts (SYN without ACK) to protected ports are judged, and fragments that
 * hide such a one. Everything else passes at the cost of the parse, but while entries exist that
 * answer their sources (refuse, tarpit) later segments are looked up, too. Each packet is counted
 * once under the reason of its verdict; what monitor mode would have done is counted besides.
 */
#ifndef POSTERN_BPF_GATE_H
#define POSTERN_BPF_GATE_H

#include "bpf/cookie.h"
#include "bpf/flood.h"
#include "bpf/hold.h"
#include "bpf/limit.h"
#include "bpf/lookup.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/report.h"
#include "bpf/reset.h"

/* Looks the source up in the live generation; returns the flags of the list that it is on. */
STAGE __u32 find_list(const struct settings *s, struct packet *p)
{
	const __u32 generation = s->generation & 1;
	const struct generation *table = &s->table[generation];

	if (p->family == FAMILY_IPV6)
		p->list_class = lookup6(table, generation, &p->source);
	else
		p->list_class = lookup4(table, generation, (__u32)p->source.low);
	return table->list_flags[class_slot(p->list_class) & LIST_SLOTS];
}

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

/* Whether a segment that opens no connection may be one of those that the program holds. */
STAGE int may_be_held(const struct settings *s)
{
	return !s->monitor && s->table[s->generation & 1].answers;
}

STAGE enum reason judge_segment(struct packet *p, __u32 flags)
{
	if (p->list_class == CLASS_NONE || flags & (LIST_ALLOW | LIST_MONITOR))
		return REASON_ESTABLISHED;
	return hold_owns(p) ? REASON_HELD : REASON_ESTABLISHED;
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
	if (!p->attempt && !may_be_held(s))
		return REASON_ESTABLISHED;
	flags = find_list(s, p);
	if (!p->attempt)
		return judge_segment(p, flags);
	reason = judge_lists(ctx, s, p, flags);
	if (reason != UNDECIDED)
		return reason;
	p->now = limit_clock(s);
	flooded = flood_is_on(s, p);
	if (flooded)
		reason = judge_flood(ctx, p);
	if (reason == UNDECIDED)
		reason = limit(p);
	if (!flooded)
		flood_watch(s, p, reason);
	return reason == UNDECIDED ? REASON_ACCEPTED : reason;
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
	count_reason(p, REASON_ACCEPTED, OUTCOME_ENFORCED);
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
