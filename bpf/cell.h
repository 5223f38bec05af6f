/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/cell.h - finding and claiming the meter cell of an address: see maps/meter.h.
 *
 * Used by the XDP program (rates) and by the connection counter, on all CPUs at once: a cell
 * changes hands by compare-and-exchange of its tag together with its connection count, so one that
 * holds connections cannot be taken away.
 */
#ifndef POSTERN_BPF_CELL_H
#define POSTERN_BPF_CELL_H

#include <bpf/bpf_endian.h>

#include "bpf/maps.h"
#include "bpf/packet.h"

#define CELL_RETRIES 8 /* of a compare-and-exchange that another CPU won */

/* The address at a level: its host part cleared. IPv4 has no site. */
STAGE struct address address_at(const struct address *a, __u32 family, __u32 level)
{
	struct address at = *a;

	if (level == METER_NET && family == FAMILY_IPV4)
		at.low &= ~0xffull;
	if (level >= METER_NET && family == FAMILY_IPV6)
		at.low = 0;
	if (level == METER_SITE)
		at.high &= ~0xffffull;
	return at;
}

/* An address as the maps carry it: 16 bytes in network byte order. */
STAGE void address_store(const struct address *a, void *out)
{
	__be64 *half = out;

	half[0] = bpf_cpu_to_be64(a->high);
	half[1] = bpf_cpu_to_be64(a->low);
}

#define ZERO_MASK(x) ((((__u64)(x) | -(__u64)(x)) >> 63) - 1) /* all ones if x is 0, else 0 */

/*
 * 1 more than the number of the last cell for which `wrong` is 0, or 0 if there is none. Without a
 * branch a cell, because the verifier would follow each.
 */
#define CELL_PICK(line, cell_name, wrong)                                                          \
	({                                                                                         \
		__u32 picked = 0;                                                                  \
		for (__u32 i = 0; i < METER_WAYS; i++) {                                           \
			const struct meter_cell *cell_name = &(line)->cell[i];                     \
			const __u32 mask = ZERO_MASK(wrong);                                       \
			picked = (picked & ~mask) | ((i + 1) & mask);                              \
		}                                                                                  \
		picked;                                                                            \
	})

/*
 * Cells are named by their place: 1 more than their number in the table, 0 for none. A number, not
 * a pointer, so that the verifier need not tell apart where it came from.
 */
STAGE struct meter_cell *cell_at(__u32 level, __u32 place)
{
	const __u32 zero = 0, index = (place - 1) / METER_WAYS;
	struct meter_line *line;

	if (level == METER_TOTAL) {
		line = bpf_map_lookup_elem(&total, &zero);
		return line ? &line->cell[TOTAL_ATTEMPTS] : NULL;
	}
	if (!place)
		return NULL;
	line = bpf_map_lookup_elem(&meter, &index);
	if (!line)
		return NULL;
	barrier_var(
		line); /* or the compiler adds to the pointer before it is known not to be NULL */
	return &line->cell[(place - 1) % METER_WAYS];
}

/* Takes a free cell of the line for `tag`; returns its way + 1, or 0 if there is none. */
STAGE __u32 cell_claim(struct meter_line *line, __u32 tag, __u64 now)
{
	const __u32 way = CELL_PICK(line, c, c->conns | (c->tat & -(__u64)(c->tat > now)));
	struct meter_cell held, wanted = { .tag = tag };
	struct meter_cell *cell;

	if (!way)
		return 0;
	cell = &line->cell[(way - 1) % METER_WAYS];
	held.claim = cell->claim;
	held.conns = 0; /* if it has got one meanwhile, the exchange fails */
	if (__sync_val_compare_and_swap(&cell->claim, held.claim, wanted.claim) != held.claim)
		return 0;
	return way;
}

STAGE __u64 cell_hash(const struct settings *s, const struct address *a, __u32 family, __u32 level)
{
	const struct address at = address_at(a, family, level);

	return meter_hash(at.high, at.low, level, s->secret);
}

STAGE struct meter_line *cell_line(__u64 hash)
{
	const __u32 index = meter_line_index(hash, geometry.meter_bits);

	return bpf_map_lookup_elem(&meter, &index);
}

/*
 * The place of a hash, or 0: with `claim`, because its line is full (or another CPU took the free
 * cell first); without, because there is none.
 */
STAGE_APART int cell_place(__u64 hash, __u64 now, int claim)
{
	struct meter_line *line = cell_line(hash);
	const __u32 index = meter_line_index(hash, geometry.meter_bits), tag = meter_tag(hash);
	__u32 way;

	if (!line)
		return 0;
	way = CELL_PICK(line, c, c->tag ^ tag);
	if (!way && claim)
		way = cell_claim(line, tag, now);
	return way ? index * METER_WAYS + way : 0;
}

/* Whether the cell holds as many connections as its level's limit allows. */
STAGE int cell_is_full(const struct meter_limit *limit, const struct meter_cell *cell)
{
	return limit->conns && cell->conns >= limit->conns;
}

/* One connection more in a cell that still bears its tag; returns 1 if it was counted. */
STAGE int cell_count_in(struct meter_cell *cell)
{
	struct meter_cell held, wanted;
	const __u32 tag = cell->tag;

	for (int i = 0; i < CELL_RETRIES; i++) {
		held.claim = cell->claim;
		if (held.tag != tag)
			return 0;
		wanted.tag = tag;
		wanted.conns = held.conns + 1;
		if (__sync_val_compare_and_swap(&cell->claim, held.claim, wanted.claim) ==
		    held.claim)
			return 1;
	}
	return 0;
}

/* One fewer. It cannot fail: a cell that holds connections is never taken away. */
STAGE void cell_count_out(struct meter_cell *cell)
{
	if (cell->conns)
		__sync_fetch_and_add(&cell->conns, -1);
}

#endif
