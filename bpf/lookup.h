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

/* Two slots in one register. */
typedef __u64 __attribute__((may_alias)) slot_pair;

#define BOTH_TOP 0x8000000080000000ull /* the top bit of each slot of a pair */
#define BOTH_LOW                                                                                   \
	0x7fffffff7fffffffull /* all others; added to them it carries into the top bit,            \
			       */
			      /* and no further, unless they are 0 */

/*
 * The slots whose tag is that of `key`, free ones left out, as bits: 7 to 0 for the low halves of
 * pairs 0 to 7, 15 to 8 for the high halves. All sixteen are compared without a branch, because one
 * that depends on memory costs more than the arithmetic, and the verifier would follow each.
 */
STAGE __u32 bucket4_same_tag(const struct bucket4 *bucket, __u32 key, __u32 tag_mask)
{
	const slot_pair *pair = (const slot_pair *)bucket->slot;
	const __u64 mask = (__u64)tag_mask << 32 | tag_mask;
	const __u64 tags = ((__u64)key << 32 | key) & mask;
	__u64 other, taken, same = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < BUCKET4_SLOTS / 2; i++) {
		other = ((pair[i] ^ tags) & mask) + BOTH_LOW;
		taken = ((pair[i] & BOTH_LOW) + BOTH_LOW) | pair[i];
		same |= (taken & ~other & BOTH_TOP) >> i;
	}
	return (same >> 24 & 0xff) | (same >> 48 & 0xff00);
}

/*
 * The number of the one bit of 16 that is set: it moves a window of its own of this de Bruijn
 * sequence to the top, and the constant below is the table from windows to numbers.
 */
#define BIT_SEQUENCE 0x09afu
#define BIT_NUMBERS  0xcd7ea84fb6935210ull

STAGE __u32 bit_number(__u32 bit)
{
	return BIT_NUMBERS >> ((bit * BIT_SEQUENCE >> 12 & 15) * 4) & 15;
}

/* The slot with the longest match, or 0. Mostly one slot has the tag, or none. */
STAGE __u32 bucket4_match(const struct bucket4 *bucket, __u32 key, __u32 tag_mask)
{
	const slot_pair *pair = (const slot_pair *)bucket->slot;
	__u32 same = bucket4_same_tag(bucket, key, tag_mask), number, slot;
	__u64 best = 0, candidate, missed;

	for (int i = 0; i < BUCKET4_SLOTS; i++) {
		if (!same)
			break;
		number = bit_number(same & -same);
		same &= same - 1;
		slot = pair[~number & 7] >> (number >> 3) * 32;
		missed = (slot ^ key) & slot_rest_mask(slot);
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

/* What the bit map does not rule out; apart, because its sixteen slots take much of the stack. */
STAGE_APART int levels4_class(__u32 generation, __u64 seed, __u32 addr)
{
	__u8 found;

	found = bucket4_class(&bucket4, 24, geometry.bucket4_bits, generation, seed, addr);
	if (!found) /* asked before it is known, this costs a hit more than it saves it */
		found = bucket4_class(&short4, 16, BUCKET4_SHORT_BITS, generation, seed, addr);
	return found ? found : top_class(generation, FAMILY_IPV4, addr >> 16);
}

STAGE __u8 lookup4(const struct generation *table, __u32 generation, __u32 addr)
{
	const __u32 word_index = generation * BITMAP4_WORDS + (addr >> 14);
	const __u64 *word = bpf_map_lookup_elem(&bitmap4, &word_index);

	if (!word || !(*word >> ((addr >> 8) & 63) & 1))
		return CLASS_NONE;
	return levels4_class(generation & 1, table->seed, addr);
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

/* One group of IPv6; apart, so that the verifier need not follow fourteen of them in a row. */
STAGE_APART int group6_class(__u32 generation, __u64 hash, __u32 rest)
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

/*
 * From the longest level to the shortest. Unrolled, so that what depends on the level alone is
 * constant; the filters of the levels do not wait for one another, because their answer is mostly
 * the predicted one.
 */
STAGE __u8 lookup6(const struct generation *table, __u32 generation, const struct address *addr)
{
	const __u32 levels = table->levels6;
	const __u64 seed = table->seed;
	__u64 hash;
	__u8 found;

#pragma clang loop unroll(full)
	for (int n = LEVELS6 - 1; n >= 0; n--) {
		const __u32 level = LEVEL6_FIRST + n * 8;

		if (!(levels >> n & 1))
			continue;
		hash = group6_hash(addr->high, addr->low, level, seed);
		if (!filter6_holds(generation, hash))
			continue;
		found = group6_class(generation, hash, group6_rest(addr->high, addr->low, level));
		if (found)
			return found;
	}
	return table->top6 ? top_class(generation, FAMILY_IPV6, addr->high >> 48) : CLASS_NONE;
}

STAGE __u32 class_flags(const struct generation *table, __u8 list_class)
{
	return table->list_flags[class_slot(list_class) & LIST_SLOTS];
}

/* Looks the source up in the live generation; returns the flags of the list that it is on. */
STAGE __u32 find_list(const struct settings *s, struct packet *p)
{
	const __u32 generation = s->generation & 1;
	const struct generation *table = &s->table[generation];

	if (p->family == FAMILY_IPV6)
		p->list_class = lookup6(table, generation, &p->source);
	else
		p->list_class = lookup4(table, generation, (__u32)p->source.low);
	return class_flags(table, p->list_class);
}

#endif
