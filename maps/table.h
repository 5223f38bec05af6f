/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/table.h - the block table: which list, if any, an address is on.
 *
 * What counts is the number of loads from memory that wait for one another, so nothing here
 * follows a pointer. An address space is cut into groups of 256 at every eighth bit: a group of
 * level A holds the prefixes of lengths A+1 to A+8 below one prefix of length A. A group lives
 *
 *   - as slots, one a prefix, in the bucket (one cache line) that its prefix hashes to, or
 *   - when it has too many, as a page, with one slot in the bucket that names the page: 256
 * classes, painted from the shortest prefix to the longest; or packed, if the group has only
 * prefixes of its last length (addresses, of level 24) and one class: 256 bits and the class, in
 * one line.
 *
 * IPv4 uses the levels 24 and 16; a bit map of the /24s that hold or are covered by anything
 * answers most addresses at once. IPv6 uses the levels 16, 24 ... 120, each of them guarded by a
 * filter. Prefixes up to /16 of both families are painted into `top`, a class for every /16.
 *
 * A group of level 24 also holds its own /24, so that a hit on one costs what an address does.
 *
 * Everything exists twice. The agent fills the generation that is not live and publishes it with
 * one store; single changes are made in place, each by one store that an address sees whole.
 * The agent has already left out what another entry overrules (allow beats block, and so on), so
 * the program only looks for the longest match.
 */
#ifndef POSTERN_MAPS_TABLE_H
#define POSTERN_MAPS_TABLE_H

#include "action.h"
#include "mix.h"

#define GENERATIONS 2

/*
 * A class is what a match yields: a list and an action. 0 is no match.
 */
#define LIST_SLOTS 63
#define CLASS_NONE 0

static inline __u8 class_make(__u32 slot, __u32 action)
{
	return (__u8)((slot + 1) << 2 | (action & 3));
}

static inline __u32 class_slot(__u8 list_class)
{
	return (list_class >> 2) - 1u;
}

static inline __u32 class_action(__u8 list_class)
{
	return list_class & 3;
}

/* Flags of a list. */
enum { LIST_ALLOW = 1, LIST_MONITOR = 2 };

/* What belongs to one generation of the tables, beside their contents. */
struct generation {
	__u64 seed;    /* of the hashes and permutations below; kept from users */
	__u32 levels6; /* bit n: level 16 + 8n of IPv6 holds a group */
	__u32 top6;    /* not 0: an IPv6 prefix of /16 or shorter exists */
	__u32 answers; /* not 0: an entry with the action refuse or tarpit may exist */
	__u32 pad;
	__u8 list_flags[LIST_SLOTS + 1];
};
ABI_SIZE(struct generation, 88);

/* Geometry. The numbers of bits are the agent's choice at load: see struct identity. */
#define BITMAP4_WORDS      (1u << 18) /* a bit for each /24 */
#define BUCKET4_SHORT_BITS 12         /* level 16 of IPv4: 4096 buckets of 16 groups */
#define BUCKET4_MIN_BITS   12
#define BUCKET4_MAX_BITS   20 /* as many groups a bucket as slots */
#define BUCKET4_SLOTS      16
#define BUCKET6_SLOTS      4
#define BUCKET6_PROBES     8 /* buckets that a lookup follows; a table that needs more is full */
#define LEVEL6_FIRST       16
#define LEVELS6            14
#define TOP_CELLS          64   /* a top line: 64 classes */
#define TOP_LINES          1024 /* for each family */
#define PAGE_CELLS         256
#define PAGE_LINE_CELLS    64 /* a page is four lines, a packed page is one */
#define PAGE_LINES         (PAGE_CELLS / PAGE_LINE_CELLS)
#define PAGE_PACKED        1u

/*
 * An IPv4 slot is 32 bits: code 4 | tag | payload. The bucket's number and the tag together are the
 * permuted prefix, so a match is exact. For a prefix the code is its length below the level (1 to
 * 8) and the payload is "the 8 bits after the level" << 8 | class; for one that holds all of the
 * group (level 24) the code is 0 and its length stands where those 8 bits would; for a page the
 * code is SLOT_PAGE and the payload is the page's number: its first line << 1 | PAGE_PACKED. So of
 * the slots that match the largest is the longest prefix, and a page wins from the moment on when
 * it is there. A free slot is 0: its class is none.
 *
 * Where 2^B is the number of buckets of a level of L bits, the tag has L-B bits.
 */
#define SLOT_PAGE       15u
#define SLOT_CODE_SHIFT 28
#define SLOT_REST_SHIFT 8

static inline __u32 slot4_tag_shift(__u32 level, __u32 bucket_bits)
{
	return SLOT_CODE_SHIFT - (level - bucket_bits);
}

/* Page numbers are below this: what is left of a slot of level 24, less one bit. */
static inline __u32 slot4_pages(__u32 bucket_bits)
{
	return 1u << (slot4_tag_shift(24, bucket_bits) - 1);
}

/*
 * What of a slot must equal the key beside the tag: as much of the 8 bits as the code says, and
 * nothing for a page. The sum makes 16 of a page's code alone, without a branch.
 */
static inline __u32 slot_rest_mask(__u32 slot)
{
	const __u32 code = slot >> SLOT_CODE_SHIFT;

	return (0xff0000u >> (code + ((code + 1) >> 4))) & 0xff00u;
}

struct bucket4 {
	__u32 slot[BUCKET4_SLOTS];
};
ABI_SIZE(struct bucket4, CACHE_LINE);

/*
 * An IPv6 slot. The fingerprint is 64 bits of a seeded hash of level and prefix; `info` is like an
 * IPv4 slot without a tag: code 4 | ... | overflow 1 | ... | the 8 bits after the level | class.
 */
#define SLOT6_OVERFLOW                                                                             \
	(1u << 24) /* in slot 0: the bucket was full once, look into the next too                  \
		    */

struct slot6 {
	__u64 fingerprint;
	__u32 page; /* the page's number, where the code is SLOT_PAGE */
	__u32 info; /* 0 is free; but slot 0 may be free and bear SLOT6_OVERFLOW */
};
ABI_SIZE(struct slot6, 16);

struct bucket6 {
	struct slot6 slot[BUCKET6_SLOTS];
};
ABI_SIZE(struct bucket6, CACHE_LINE);

/* `under` is what holds all of the group, and so the class of those whose bit is not set. */
struct packed_page {
	__u64 bit[PAGE_CELLS / 64];
	__u8 list_class;
	__u8 under;
	__u8 under_note; /* of the agent: see gate/table_page.c */
};

struct page_line {
	union {
		__u8 list_class[PAGE_LINE_CELLS]; /* a quarter of a page */
		struct packed_page packed;
	};
};
ABI_SIZE(struct page_line, CACHE_LINE);

/* The line of a page that `rest` is in, and what it says about it. */
static inline __u32 page_line_of(__u32 page, __u32 rest)
{
	return (page >> 1) + (rest / PAGE_LINE_CELLS & ((page & PAGE_PACKED) - 1));
}

static inline __u8 page_line_class(const struct page_line *line, __u32 page, __u32 rest)
{
	const struct packed_page *packed = &line->packed;
	__u8 listed;

	if (!(page & PAGE_PACKED))
		return line->list_class[rest % PAGE_LINE_CELLS];
	listed = -(__u8)(packed->bit[rest / 64 % (PAGE_CELLS / 64)] >> rest % 64 & 1);
	return (packed->list_class & listed) | (packed->under & (__u8)~listed);
}

struct top_line {
	__u8 list_class[TOP_CELLS];
};
ABI_SIZE(struct top_line, CACHE_LINE);

/* A seeded bijection of `bits`-bit numbers: xor, odd multiplication and shift are each invertible.
 */
static inline __u32 permute(__u32 x, __u32 bits, __u64 seed)
{
	const __u32 mask = (1u << bits) - 1;

	x ^= (__u32)seed & mask;
	x = (x * ((__u32)(seed >> 8) | 1)) & mask;
	x ^= x >> (bits / 2);
	x = (x * ((__u32)(seed >> 32) | 1)) & mask;
	x ^= x >> (bits / 2);
	x = (x * 0x9e3779b1u) & mask;
	return x ^ (x >> (bits / 2));
}

/* The hash of the group of `level` that holds the address high:low (host byte order). */
static inline __u64 group6_hash(__u64 high, __u64 low, __u32 level, __u64 seed)
{
	if (level <= 64) {
		high &= ~0ull << (64 - level);
		low = 0;
	} else {
		low &= ~0ull << (128 - level);
	}
	/* The last 8 bits of `low` are always zero here, so the level fits there without a clash.
	 */
	return mix64(mix64(high ^ seed) + (low | level) * 0x9e3779b97f4a7c15ull);
}

/* The 8 bits of the address that follow `level`. */
static inline __u32 group6_rest(__u64 high, __u64 low, __u32 level)
{
	return (level < 64 ? high >> (56 - level) : low >> (120 - level)) & 0xff;
}

/*
 * The filter word of a hash and the three bits in it. The first bucket, word and bits use
 * parts of the hash that do not overlap for the sizes that the geometry allows.
 */
static inline __u64 filter6_mask(__u64 hash)
{
	return 1ull << (hash & 63) | 1ull << ((hash >> 6) & 63) | 1ull << ((hash >> 12) & 63);
}

static inline __u32 filter6_word(__u64 hash, __u32 bits)
{
	return (__u32)(hash >> 18) & ((1u << bits) - 1);
}

/* The buckets of a group in the order in which they are tried: each group has an order of its own.
 */
static inline __u32 bucket6_index(__u64 hash, __u32 bits, __u32 probe)
{
	return ((__u32)(hash >> 40) + probe * ((__u32)(hash >> 18) | 1)) & ((1u << bits) - 1);
}

#endif
