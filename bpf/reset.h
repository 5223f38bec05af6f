/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/reset.h - the answer to a listed source whose entry says reset: one RST (RFC 9293 3.5.2).
 *
 * The answer is never longer than the question, and the rate of answers is limited, so nobody can
 * aim them at a third party to any effect. Beyond the limit the packet is dropped.
 */
#ifndef POSTERN_BPF_RESET_H
#define POSTERN_BPF_RESET_H

#include "bpf/limit.h"
#include "bpf/reply.h"

/* Whether the limit of answers has room for one more. */
STAGE int reset_allowed(const struct settings *s)
{
	const __u32 zero = 0;
	struct meter_line *line = bpf_map_lookup_elem(&total, &zero);

	if (!line)
		return 0;
	return !s->reset.interval_ns ||
	       rate_charge(&s->reset, &line->cell[TOTAL_RESETS], bpf_ktime_get_ns());
}

STAGE_APART int reset(struct xdp_md *ctx, const struct packet *p)
{
	const struct settings *s = settings_get();
	struct reply r = { .flags = TCP_RST | TCP_ACK };

	if (!s || !p)
		return XDP_DROP;
	r.acknowledged = p->sequence + p->segment;
	if (!reset_allowed(s) || !reply_send(ctx, p, &r)) {
		health_count(HEALTH_RESETS_SKIPPED);
		return XDP_DROP;
	}
	health_count(HEALTH_RESETS_SENT);
	return XDP_TX;
}

#endif
