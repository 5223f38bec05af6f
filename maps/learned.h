/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/learned.h - what the agent has learned about single sources: one cell a source, with the
 * time at which it ends.
 *
 * The key is exact: an IPv4 address, or the /64 of an IPv6 one. A key belongs to one line, picked
 * by a keyed hash, and sits in one of its cells, so a look costs one cache miss.
 *
 * The agent writes with plain stores while packets flow. A cell that changes its key has its word
 * cleared first and set last, and the program reads word, key and word again: so it never takes one
 * key's word for another's, where the processor keeps the order of loads. Where it does not, the
 * check, which is of the key, is wrong but for one in 65536 of the times that this can happen.
 *
 * The list that learned blocks belong to, and so their flags, counters and text, is not in the cell
 * but in the settings (struct evidence_settings): a slot that changes its list meanwhile does no
 * harm.
 */
#ifndef POSTERN_MAPS_LEARNED_H
#define POSTERN_MAPS_LEARNED_H

#include "action.h"
#include "counter.h"
#include "mix.h"

#define LEARNED_LINES (1u << 16)
#define LEARNED_WAYS  4

/* Times are in units of 2^LEARNED_SHIFT ns of CLOCK_MONOTONIC. */
#define LEARNED_SHIFT 30

enum learned_kind {
	LEARNED_NONE,
	LEARNED_KNOWN,   /* looked up, and let through */
	LEARNED_TRUSTED, /* likewise, because of a good history */
	LEARNED_BLOCKED,
	LEARNED_KINDS
};

struct learned_cell {
	__u64 key; /* IPv4: ::ffff:a.b.c.d without its high half, which is 0; IPv6: the high half */
	__u64 word; /* until 32 | check 16 | family 8 | kind 4 | action 4; 0 is an empty cell */
};
ABI_SIZE(struct learned_cell, 16);

struct learned_line {
	struct learned_cell cell[LEARNED_WAYS];
};
ABI_SIZE(struct learned_line, CACHE_LINE);

/* What of a word belongs to the key: check and family. */
#define LEARNED_KEY_BITS 0xffffff00ull

/* Of an address: its halves, in host byte order. */
static inline __u64 learned_key(__u64 high, __u64 low, __u32 family)
{
	return family == FAMILY_IPV4 ? low : high;
}

static inline __u64 learned_hash(__u64 key, __u32 family, __u64 secret)
{
	return mix64(mix64(key ^ secret) + (secret << 32 | secret >> 32) + family);
}

static inline __u32 learned_line_index(__u64 hash)
{
	return hash & (LEARNED_LINES - 1);
}

/* The bits of LEARNED_KEY_BITS. */
static inline __u64 learned_key_bits(__u64 hash, __u32 family)
{
	return (hash >> 48) << 16 | family << 8;
}

static inline __u64 learned_word(__u64 key_bits, __u32 kind, __u32 action, __u32 until)
{
	return (__u64)until << 32 | key_bits | kind << 4 | action;
}

static inline __u32 learned_until(__u64 word)
{
	return word >> 32;
}

/* Whether the cell says anything at `time`. */
static inline int learned_holds(__u64 word, __u32 time)
{
	return learned_until(word) > time;
}

static inline __u32 learned_family(__u64 word)
{
	return word >> 8 & 0xff;
}

static inline __u32 learned_kind(__u64 word)
{
	return word >> 4 & 0xf;
}

static inline __u32 learned_action(__u64 word)
{
	return word & 3;
}

#endif
