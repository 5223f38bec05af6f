/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/meter.h - rate and concurrency of sources, networks and sites.
 *
 * One cell answers both questions about one address or prefix: how fast its connection attempts
 * come, and how many connections it holds. Four cells make a cache line; a key belongs to one line
 * and may sit in any of its cells, so a check costs one cache miss and the state is bounded.
 *
 * The rate is a token bucket in its virtual-scheduling form (GCRA, ITU-T I.371): `tat` is the time
 * at which the bucket would be full again. A full bucket says nothing, so a cell whose tat has
 * passed and that holds no connection is free. When a line has no free cell the check is left to
 * the next wider level, never skipped.
 */
#ifndef POSTERN_MAPS_METER_H
#define POSTERN_MAPS_METER_H

#include "mix.h"

#define METER_WAYS 4

struct meter_cell {
	union {
		struct {
			__u32 tag;   /* which key of this line; 0 is an empty cell */
			__u32 conns; /* connections that are open now */
		};
		__u64 claim; /* both at once, for compare-and-exchange */
	};
	__u64 tat; /* ns of CLOCK_MONOTONIC */
};
ABI_SIZE(struct meter_cell, 16);

struct meter_line {
	struct meter_cell cell[METER_WAYS];
};
ABI_SIZE(struct meter_line, CACHE_LINE);

/* The levels, from the narrowest to the widest. */
enum meter_level {
	METER_SOURCE, /* one address */
	METER_NET,    /* IPv4 /24, IPv6 /64 */
	METER_SITE,   /* IPv6 /48; IPv4 has none */
	METER_TOTAL,  /* everything: cell 0 of the one line of the map "total" */
	METER_LEVELS
};

/* Where the key of a level is: the host part of high:low (host byte order) is cleared. */
static inline __u64 meter_hash(__u64 high, __u64 low, __u32 level, __u64 secret)
{
	return mix64(mix64(high ^ secret) + low * 0x9e3779b97f4a7c15ull + level);
}

static inline __u32 meter_line_index(__u64 hash, __u32 bits)
{
	return (__u32)hash & ((1u << bits) - 1);
}

static inline __u32 meter_tag(__u64 hash)
{
	return (__u32)(hash >> 32) | 1;
}

/* A limit of 0 is no limit. */
struct meter_limit {
	__u64 interval_ns; /* between two attempts at the configured rate */
	__u64 burst_ns;    /* interval_ns times the attempts that may come at once */
	__u32 conns;       /* connections at a time */
	__u32 batch;       /* in total: attempts that a CPU takes out of the bucket at once */
};
ABI_SIZE(struct meter_limit, 24);

/* The bucket after one more attempt, or 0 if it is empty. */
static inline __u64 meter_next(const struct meter_limit *limit, __u64 tat, __u64 now)
{
	if (tat < now)
		tat = now;
	tat += limit->interval_ns;
	return tat > now + limit->burst_ns ? 0 : tat;
}

#endif
