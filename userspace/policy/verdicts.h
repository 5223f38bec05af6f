/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/verdicts.h - the verdicts on clients that are still good: read by every worker without a
 * lock, written by whoever finds one out.
 *
 * A hash table of liburcu (cds_lfht) by address (all 128 bits). Bounded: over `max`, a few of the
 * others are looked at, and one that has run out goes, or else the oldest. So strangers who make
 * verdicts that last long do not push out others sooner than their number does. A verdict takes
 * VERDICT_BYTES_MAX at most, with everything that the table needs for it; what each lookup said is
 * not kept here, because the DNS cache has it.
 *
 * Any thread may read or write (lib/rcu.h); writers take turns. verdicts_find() copies.
 */
#ifndef POSTERN_POLICY_VERDICTS_H
#define POSTERN_POLICY_VERDICTS_H

#include "lib/addr.h"
#include "policy/score.h"

#define VERDICT_ZONES_MAX 6   /* zones that a verdict names; more are only in the score */
#define VERDICT_BYTES_MAX 128 /* of memory, a verdict */

struct verdict_zone {
	uint8_t number; /* dnsbl_zones() */
	int8_t score;   /* clamped */
};

/* Times are seconds of CLOCK_MONOTONIC. */
struct verdict {
	struct addr addr;
	uint32_t made, until;
	finding_set findings;
	int16_t zones, total; /* scores, clamped: of the DNS lists, and of everything */
	int16_t missing;      /* likewise: what lists that were silent might have said for it */
	uint16_t took;        /* ms from the first packet to the verdict, clamped */
	uint8_t decision;     /* enum decision */
	uint8_t temporary;    /* 1: something could not be found out */
	uint8_t zone_count;
	struct verdict_zone zone[VERDICT_ZONES_MAX];
	uint8_t judged; /* the guard's, modulo 256: by which scores and lists */
};
_Static_assert(sizeof(struct verdict) == 56, "verdicts: a verdict has no padding");

struct verdicts;

int verdicts_open(struct verdicts **out, size_t max, struct error *err);
/* Nobody may use it any more. */
void verdicts_close(struct verdicts **verdicts);

/* False if there is none, or it has run out at `now`. Without a lock. */
bool verdicts_find(struct verdicts *verdicts, const struct addr *addr, uint32_t now,
		   struct verdict *out);
/* Replaces the verdict on that address, which may run out sooner or later than it. False only if
 * memory is short. */
bool verdicts_put(struct verdicts *verdicts, const struct verdict *verdict, uint32_t now);
/* Whether there was one. */
bool verdicts_drop(struct verdicts *verdicts, const struct addr *addr);
/* Those in a network; whether there was one. Walks over all: tens of ms for a full table. */
bool verdicts_drop_network(struct verdicts *verdicts, const struct prefix *network);
/* Drops all that there are at the moment; readers and writers go on meanwhile. */
void verdicts_clear(struct verdicts *verdicts);
/* To be called about once a second: drops what has run out, a bounded number a call. */
void verdicts_expire(struct verdicts *verdicts, uint32_t now);

struct verdicts_stats {
	uint64_t entries, bytes; /* gauges */
	uint64_t hits, misses;   /* of verdicts_find() */
	uint64_t evicted;        /* before they had run out, because there was no room */
};
void verdicts_stats(const struct verdicts *verdicts, struct verdicts_stats *out);

#endif
