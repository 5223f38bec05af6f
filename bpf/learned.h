/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/learned.h - what the agent has learned about a source: see maps/learned.h.
 *
 * Asked about sources that no list decides about, and only while the agent wants it.
 */
#ifndef POSTERN_BPF_LEARNED_H
#define POSTERN_BPF_LEARNED_H

#include "bpf/cell.h"

#define LEARNED_SAID 0xff /* of a word: kind and action */

/*
 * The kind and action of what holds about a source (LEARNED_SAID of the word), or 0. Without a
 * branch a cell; at most one bears the key.
 */
STAGE_APART int learned_find(const struct address *a, __u32 family, __u64 now)
{
	const struct settings *s = settings_get();
	const __u64 time = now >> LEARNED_SHIFT;
	const struct learned_line *line;
	__u64 key, hash, key_bits, found = 0;
	__u32 index;

	if (!a || !s)
		return 0;
	key = learned_key(a->high, a->low, family);
	hash = learned_hash(key, family, s->secret);
	key_bits = learned_key_bits(hash, family);
	index = learned_line_index(hash);
	line = bpf_map_lookup_elem(&learned, &index);
	if (!line)
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < LEARNED_WAYS; i++) {
		const struct learned_cell *cell = &line->cell[i];
		const __u64 word = READ_ONCE(cell->word);
		const __u64 other = READ_ONCE(cell->key) ^ key;
		const __u64 moved = READ_ONCE(cell->word) ^ word;
		const __u64 expired = ((word >> 32) - time - 1) >> 63;

		found |= word & ZERO_MASK(other | moved | ((word ^ key_bits) & LEARNED_KEY_BITS) |
					  expired);
	}
	return found & LEARNED_SAID;
}

STAGE int learned_blocks(__u32 said)
{
	return learned_kind(said) == LEARNED_BLOCKED;
}

#endif
