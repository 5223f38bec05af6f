/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/lookup.h - the longest listed prefix that holds an address: see maps/table.h for the layout.
 *
 * An address that is on no list costs one load (IPv4) or one a populated level (IPv6) from arrays
 * that stay in the cache; an address that is on one costs one load from memory more, two for a
 * page.
 */
#ifndef POSTERN_BPF_LOOKUP_H
#define POSTERN_BPF_LOOKUP_H

#include "bpf/maps.h"
#include "bpf/packet.h"

STAGE __u8 page_class(__u32 generation, __u32 number, __u32 rest)
{
	const __u32 index = generation * geometry.page_lines + page_line_of(number, rest);
	const struct page_line *line = bpf_map_lookup_elem(&page, &index);

	return line ? page_line_class(line, number, rest) : CLASS_NONE;
}

STAGE __u8 top_class(__u32 generation, __u32 family, __u32 prefix)
{
	const __u32 index = (generation * FAMILY_COUNT + family) * TOP_LINES + prefix / TOP_CELLS;
	const struct top_line *line = bpf_map_lookup_elem(&top, &index);

	return line ? line->list_class[prefix % TOP_CELLS] : CLASS_NONE;
}

/*
 * The slot with the longest match, or 0. Sixteen compares without a branch: a branch that depends
 * on memory costs more than the arithmetic, and the verifier follows each one.
 */
STAGE __u32 bucket4_match(const struct bucket4 *bucket, __u32 key, __u32 tag_mask)
{
	__u64 best = 0, candidate, missed;
	__u32 slot;

#pragma clang loop unroll(full)
	for (int i = 0; i < BUCKET4_SLOTS; i++) {
		slot = bucket->slot[i];
		missed = (slot ^ key) & (tag_mask | slot_rest_mask(slot));
		candidate =
			slot & ((missed - 1) >> 32); /* all ones above bit 31 only if 0 missed */
		best ^= (best ^ candidate) & ((__s64)(best - candidate) >> 63);
	}
	return (__u32)best;
}

/* One level of IPv4, in the 2^bits buckets of a generation of `map`. */
STAGE __u8 bucket4_class(void *map, __u32 level, __u32 bits, __u32 generation, __u64 seed,
			 __u32 addr)
{
	const __u32 permuted = permute(addr >> (32 - level), level, seed);
	const __u32 shift = slot4_tag_shift(level, bits);
	const __u32 tag_mask = (1u << SLOT_CODE_SHIFT) - (1u << shift);
	const __u32 rest = (addr >> (24 - level)) & 0xff;
	const __u32 key = ((permuted << shift) & tag_mask) | rest << SLOT_REST_SHIFT;
	const __u32 index = (generation << bits) + (permuted >> (level - bits));
	const struct bucket4 *bucket = bpf_map_lookup_elem(map, &index);
	__u32 slot;

	if (!bucket)
		return CLASS_NONE;
	slot = bucket4_match(bucket, key, tag_mask);
	if (slot >> SLOT_CODE_SHIFT == SLOT_PAGE)
		return page_class(generation, slot & ((1u << shift) - 1), rest);
	return (__u8)slot;
}

STAGE __u8 lookup4(const struct generation *table, __u32 generation, __u32 addr)
{
	const __u32 word_index = generation * BITMAP4_WORDS + (addr >> 14);
	const __u64 *word = bpf_map_lookup_elem(&bitmap4, &word_index);
	const __u64 seed = table->seed;
	__u8 found;

	if (!word || !(*word >> ((addr >> 8) & 63) & 1))
		return CLASS_NONE;
	found = bucket4_class(&bucket4, 24, geometry.bucket4_bits, generation, seed, addr);
	if (!found)
		found = bucket4_class(&short4, 16, BUCKET4_SHORT_BITS, generation, seed, addr);
	return found ? found : top_class(generation, FAMILY_IPV4, addr >> 16);
}

/* The info (above bit 31) and page number of the longest match; `best` is what is known so far. */
STAGE __u64 bucket6_match(const struct bucket6 *bucket, __u64 hash, __u32 key, __u64 best)
{
	__u64 candidate, missed;

#pragma clang loop unroll(full)
	for (int i = 0; i < BUCKET6_SLOTS; i++) {
		const struct slot6 *slot = &bucket->slot[i];
		const __u32 info = slot->info;

		missed = (slot->fingerprint ^ hash) | ((info ^ key) & slot_rest_mask(info));
		candidate = (__u64)(info & ~SLOT6_OVERFLOW) << 32 | slot->page;
		candidate &= ((missed | -missed) >> 63) - 1; /* keep it only if 0 missed */
		best ^= (best ^ candidate) & -(__u64)(best < candidate);
	}
	return best;
}

STAGE __u8 group6_class(__u64 hash, __u32 generation, __u32 rest)
{
	const __u32 bits = geometry.bucket6_bits;
	const struct bucket6 *bucket;
	__u64 best = 0;
	__u32 index;

	for (__u32 i = 0; i < BUCKET6_PROBES; i++) {
		index = (generation << bits) + bucket6_index(hash, bits, i);
		bucket = bpf_map_lookup_elem(&bucket6, &index);
		if (!bucket)
			break;
		best = bucket6_match(bucket, hash, rest << SLOT_REST_SHIFT, best);
		if (!(bucket->slot[0].info & SLOT6_OVERFLOW))
			break;
	}
	if (best >> (32 + SLOT_CODE_SHIFT) == SLOT_PAGE)
		return page_class(generation, (__u32)best, rest);
	return (__u8)(best >> 32);
}

STAGE int filter6_holds(__u32 generation, __u64 hash)
{
	const __u32 bits = geometry.filter6_bits;
	const __u32 index = (generation << bits) + filter6_word(hash, bits);
	const __u64 *word = bpf_map_lookup_elem(&filter6, &index);

	return word && (*word & filter6_mask(hash)) == filter6_mask(hash);
}

/* One level of IPv6; apart, so that the verifier need not follow fourteen of them in a row. */
STAGE_APART int level6_class(__u32 generation, __u64 hash, __u32 rest)
{
	return filter6_holds(generation, hash) ? group6_class(hash, generation, rest) : CLASS_NONE;
}

STAGE __u8 lookup6(const struct generation *table, __u32 generation, const struct address *addr)
{
	const __u32 levels = table->levels6;
	const __u64 seed = table->seed;
	__u32 level;
	__u64 hash;
	__u8 found;

	for (int n = LEVELS6 - 1; n >= 0; n--) {
		if (!(levels >> n & 1))
			continue;
		level = LEVEL6_FIRST + n * 8;
		hash = group6_hash(addr->high, addr->low, level, seed);
		found = level6_class(generation, hash, group6_rest(addr->high, addr->low, level));
		if (found)
			return found;
	}
	return table->top6 ? top_class(generation, FAMILY_IPV6, addr->high >> 48) : CLASS_NONE;
}

#endif
