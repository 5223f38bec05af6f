/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/proved.h - sources that have completed a handshake lately: see maps/flood.h.
 *
 * Written by the connection counter only, when a socket is established, so a flood of SYNs with
 * forged addresses can push nobody out.
 */
#ifndef POSTERN_BPF_PROVED_H
#define POSTERN_BPF_PROVED_H

#include "bpf/cell.h"

#define NS_PER_SECOND 1000000000ull

/* IPv6 sources stand for their /64, which costs an attacker nothing to fill. */
STAGE __u64 proved_hash(const struct address *a, __u32 family, __u64 secret)
{
	const __u32 level = family == FAMILY_IPV4 ? METER_SOURCE : METER_NET;
	const struct address at = address_at(a, family, level);

	return meter_hash(at.high, at.low, level, secret);
}

STAGE struct proved_line *proved_line(__u64 hash)
{
	const __u32 index = hash & (PROVED_LINES - 1);

	return bpf_map_lookup_elem(&proved, &index);
}

/* Whether a tag is in the line at `time`. Without a branch a cell, because the verifier would
 * follow each: so below, too. */
STAGE int proved_holds(const struct proved_line *line, __u32 tag, __u64 time)
{
	__u64 found = 0;

	for (int i = 0; i < PROVED_WAYS; i++) {
		const struct proved_cell *cell = &line->cell[i];
		const __u64 expired = (cell->until - time - 1) >> 63;

		found |= ZERO_MASK((cell->tag ^ tag) | expired);
	}
	return found & 1;
}

STAGE_APART int is_proved(const struct address *a, __u32 family, __u64 now)
{
	const struct settings *s = settings_get();
	const struct proved_line *line;
	__u64 hash;

	if (!a || !s)
		return 0;
	hash = proved_hash(a, family, s->secret);
	line = proved_line(hash);
	return line && proved_holds(line, meter_tag(hash), now >> PROVED_SHIFT);
}

/* The cell for a tag: its own, or else the one that runs out first. */
STAGE struct proved_cell *proved_cell_for(struct proved_line *line, __u32 tag)
{
	__u64 best = -1ull >> 1, candidate;

	for (__u32 i = 0; i < PROVED_WAYS; i++) {
		const struct proved_cell *cell = &line->cell[i];
		const __u64 other = ~ZERO_MASK(cell->tag ^ tag);

		candidate = (__u64)(cell->until & other) << 8 | i;
		best ^= (best ^ candidate) & ((__s64)(candidate - best) >> 63);
	}
	return &line->cell[best % PROVED_WAYS];
}

/* Two CPUs may take the same cell: then one of the sources proves itself once more. */
STAGE void proved_put(struct proved_line *line, __u32 tag, __u32 until)
{
	struct proved_cell *cell = proved_cell_for(line, tag);

	cell->until = until;
	cell->tag = tag;
}

STAGE void prove(const struct settings *s, const struct address *a, __u32 family, __u64 now)
{
	const __u64 hash = proved_hash(a, family, s->secret);
	struct proved_line *line = proved_line(hash);

	if (line)
		proved_put(line, meter_tag(hash),
			   ((now + s->flood.proof * NS_PER_SECOND) >> PROVED_SHIFT) + 1);
}

#endif
