/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/report.h - counters for every packet, detail for as many as the agent has asked for.
 */
#ifndef POSTERN_BPF_REPORT_H
#define POSTERN_BPF_REPORT_H

#include "bpf/cell.h"
#include "bpf/maps.h"
#include "bpf/packet.h"

STAGE void counter_add(void *map, __u32 index, __u32 bytes)
{
	struct counter *counter = bpf_map_lookup_elem(map, &index);

	if (counter) {
		counter->packets += 1;
		counter->bytes += bytes;
	}
}

STAGE void count_reason(const struct packet *p, __u32 reason, __u32 outcome)
{
	counter_add(&reasons, reason_index(reason, p->family, outcome), p->length);
}

STAGE void count_list(const struct packet *p, __u32 outcome)
{
	counter_add(&lists, list_index(class_slot(p->list_class), p->family, outcome), p->length);
}

STAGE struct offender *offender_cell(const struct packet *p)
{
	const __u64 hash = mix64(mix64(p->source.high) ^ p->source.low);
	const __u32 index = hash & (OFFENDER_LINES - 1);
	struct offender_line *line = bpf_map_lookup_elem(&offenders, &index);
	struct offender *cell;
	__u64 source[2];

	if (!line)
		return NULL;
	address_store(&p->source, source);
	for (int i = 0; i < OFFENDER_WAYS; i++) {
		cell = &line->cell[i];
		if (cell->source[0] == source[0] && cell->source[1] == source[1])
			return cell;
	}
	cell = &line->cell[line->cell[0].last_ns > line->cell[1].last_ns];
	cell->source[0] = source[0];
	cell->source[1] = source[1];
	cell->hits = 0;
	return cell;
}

STAGE_APART int offender_note(const struct packet *p, __u32 reason, __u32 outcome, __u32 weight,
			      __u64 now)
{
	struct offender *cell;

	if (!p)
		return 0;
	cell = offender_cell(p);
	if (!cell)
		return 0;
	__sync_fetch_and_add(&cell->hits, weight);
	cell->reason = reason;
	cell->outcome = outcome;
	cell->list_class = p->list_class;
	cell->last_ns = now;
	return 1;
}

/* The lookup id of what happens now: whoever has it can still tell when it was, and what list. */
STAGE __u64 event_id(__u64 now, __u8 list_class)
{
	return (now & ~0xffull) | list_class;
}

#define EVENT_TOLD 0 /* weight of an event whose id the client was told: it stops no packet */

STAGE void event_send(struct xdp_md *ctx, const struct packet *p, __u32 reason, __u32 outcome,
		      __u32 weight, __u64 now)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		health_count(HEALTH_EVENTS_LOST);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->id = event_id(now, p->list_class);
	address_store(&p->source, e->source);
	address_store(&p->dest, e->dest);
	e->weight = weight;
	e->ifindex = ctx->ingress_ifindex;
	e->source_port = p->source_port;
	e->dest_port = p->dest_port;
	e->vlan = p->vlan;
	e->reason = reason;
	e->outcome = outcome;
	e->list_class = p->list_class;
	e->action = class_action(p->list_class);
	e->told = weight == EVENT_TOLD;
	bpf_ringbuf_submit(e, 0);
	health_count(HEALTH_EVENTS_SENT);
}

/* Counts a packet that gets no event. Among the offenders one in EVENT_SAMPLE stands for all. */
STAGE void detail_skip(const struct packet *p, __u32 reason, __u32 outcome, struct budget *b)
{
	b->skipped += 1;
	health_count(HEALTH_EVENTS_SKIPPED);
	if (b->skipped % EVENT_SAMPLE == 0)
		offender_note(p, reason, outcome, EVENT_SAMPLE, bpf_ktime_get_ns());
}

/* Tells the agent of a packet that the budget has room for, and of those before it. */
STAGE_APART int detail_tell(struct xdp_md *ctx, const struct packet *p, __u32 reason, __u32 outcome,
			    __u32 skipped)
{
	const __u64 now = bpf_ktime_get_ns();

	if (!p)
		return 0;
	event_send(ctx, p, reason, outcome, 1 + skipped, now);
	/* With those since the last one that was noted. */
	return offender_note(p, reason, outcome, 1 + skipped % EVENT_SAMPLE, now);
}

/* Detail about a packet that was stopped, or would have been: as far as the budget goes. */
STAGE void detail(struct xdp_md *ctx, const struct packet *p, __u32 reason, __u32 outcome)
{
	const __u32 cpu = bpf_get_smp_processor_id();
	struct budget *b = bpf_map_lookup_elem(&budget, &cpu);
	__u32 left, skipped;

	if (!b)
		return;
	left = b->left; /* read once: the agent may store a new one at any moment */
	if (!left) {
		detail_skip(p, reason, outcome, b);
		return;
	}
	skipped = b->skipped;
	b->left = left - 1;
	b->skipped = 0;
	detail_tell(ctx, p, reason, outcome, skipped);
}

#endif
