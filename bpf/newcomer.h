/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/newcomer.h - tells the agent about a source that nothing is known of: see maps/newcomer.h.
 *
 * Used by the XDP program, at SYNs, and by the connection counter, when a handshake completes. What
 * is not told is not remembered as told either, so it has its chance with the next packet.
 */
#ifndef POSTERN_BPF_NEWCOMER_H
#define POSTERN_BPF_NEWCOMER_H

#include "bpf/proved.h"

/* Takes one out of the budget of all CPUs; each may overdraw it by one for a moment. */
STAGE int newcomer_allowed(__u32 stage)
{
	struct newcomer_budget *of_all = bpf_map_lookup_elem(&newcomer_budget, &stage);

	if (!of_all || of_all->left <= 0)
		return 0;
	__sync_fetch_and_add(&of_all->left, -1);
	return 1;
}

STAGE int newcomer_send(const struct packet *p, __u32 stage)
{
	struct newcomer *n = bpf_ringbuf_reserve(&newcomers, sizeof(*n), 0);

	if (!n)
		return 0;
	__builtin_memset(n, 0, sizeof(*n));
	n->time = bpf_ktime_get_ns();
	address_store(&p->source, n->source);
	address_store(&p->dest, n->dest);
	n->dest_port = p->dest_port;
	n->completed = stage == NEWCOMER_COMPLETED;
	bpf_ringbuf_submit(n, BPF_RB_FORCE_WAKEUP); /* each millisecond counts */
	return 1;
}

/* Tells about the packet's source (of `p`: addresses, family, destination port and time), unless it
 * was told about lately; returns whether it did. */
STAGE_APART int newcomer_tell(const struct packet *p, __u32 stage)
{
	const struct settings *s = settings_get();
	struct proved_line *line;
	__u64 hash, time;
	__u32 index;

	if (!s || !p || stage >= NEWCOMER_STAGES)
		return 0;
	hash = proved_hash(&p->source, p->family, s->secret);
	index = stage * TOLD_LINES + (hash & (TOLD_LINES - 1));
	line = bpf_map_lookup_elem(&told, &index);
	time = p->now >> PROVED_SHIFT;
	if (!line || proved_holds(line, meter_tag(hash), time))
		return 0;
	if (!newcomer_allowed(stage)) {
		health_count(HEALTH_NEWCOMERS_SKIPPED);
		return 0;
	}
	if (!newcomer_send(p, stage)) {
		health_count(HEALTH_NEWCOMERS_LOST);
		return 0;
	}
	proved_put(line, meter_tag(hash), time + s->evidence.repeat + 1);
	health_count(HEALTH_NEWCOMERS_SYN + stage);
	return 1;
}

_Static_assert(HEALTH_NEWCOMERS_COMPLETED - HEALTH_NEWCOMERS_SYN == NEWCOMER_COMPLETED,
	       "newcomers are counted in the order of their stages");

#endif
