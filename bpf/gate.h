/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/gate.h - one packet through the stages, and what follows from their answer.
 *
 * Only TCP connection attempts (SYN without ACK) to protected ports are judged, and fragments that
 * hide such a one. Everything else passes at the cost of the parse. Each packet is counted once
 * under the reason of its verdict; what monitor mode would have stopped is counted besides.
 */
#ifndef POSTERN_BPF_GATE_H
#define POSTERN_BPF_GATE_H

#include "bpf/limit.h"
#include "bpf/lookup.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/report.h"
#include "bpf/reset.h"

/* The lists. A match in monitor mode is counted here and leaves the decision to the next stage. */
STAGE enum reason judge_lists(struct xdp_md *ctx, const struct settings *s, struct packet *p)
{
	const __u32 generation = s->generation & 1;
	const struct generation *table = &s->table[generation];
	__u32 flags;

	if (p->family == FAMILY_IPV6)
		p->list_class = lookup6(table, generation, &p->source);
	else
		p->list_class = lookup4(table, generation, (__u32)p->source.low);
	if (p->list_class == CLASS_NONE)
		return UNDECIDED;
	flags = table->list_flags[class_slot(p->list_class) & LIST_SLOTS];
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

STAGE enum reason judge(struct xdp_md *ctx, const struct settings *s, struct packet *p)
{
	enum reason reason = parse(ctx, p);

	if (reason != UNDECIDED)
		return reason;
	if (!port_is_protected(s, p->dest_port))
		return REASON_PORT;
	if (!p->attempt)
		return REASON_ESTABLISHED;
	reason = judge_lists(ctx, s, p);
	if (reason == UNDECIDED)
		reason = limit(s, p);
	return reason == UNDECIDED ? REASON_ACCEPTED : reason;
}

STAGE enum xdp_action stop(struct xdp_md *ctx, const struct settings *s, const struct packet *p,
			   enum reason reason)
{
	if (s->monitor) {
		count_reason(p, reason, OUTCOME_MONITORED);
		detail(ctx, p, reason, OUTCOME_MONITORED);
		count_reason(p, REASON_ACCEPTED, OUTCOME_ENFORCED);
		return XDP_PASS;
	}
	count_reason(p, reason, OUTCOME_ENFORCED);
	detail(ctx, p, reason, OUTCOME_ENFORCED);
	if (reason == REASON_LISTED && class_action(p->list_class) == ACTION_RESET)
		return reset(ctx, s, p);
	return XDP_DROP;
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
	return XDP_PASS;
}

#endif
