/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/stats.h - what a resolver has counted: plain numbers that only grow, but for the gauges.
 *
 * Written by the loop's thread alone; dns_resolver_stats() copies them for any thread.
 */
#ifndef POSTERN_DNS_STATS_H
#define POSTERN_DNS_STATS_H

#include <stdint.h>

#include "dns/dns.h"
#include "lib/latency.h"

struct dns_stats {
	uint64_t questions;                 /* asked by anybody */
	uint64_t answers[DNS_STATUS_COUNT]; /* given to anybody, by status */
	uint64_t hits;                      /* answered from the cache */
	uint64_t coalesced;                 /* joined a question that was under way */
	uint64_t busy;                      /* over a budget */
	uint64_t cancelled;
	uint64_t queries;       /* sent to a server: tries, and what says how it is */
	uint64_t timeouts;      /* of these, those that nobody answered in time */
	uint64_t refusals;      /* answered with SERVFAIL, REFUSED and the like */
	uint64_t nonsense;      /* answered with what could not be read */
	uint64_t tcp;           /* connections over TCP */
	uint64_t failovers;     /* times that a server was given up for a while */
	uint64_t evicted;       /* answers that left the cache before their time */
	struct latency latency; /* of answered queries */
	/* gauges */
	uint64_t in_flight;
	uint64_t cache_entries;
	uint64_t cache_bytes;
	uint64_t servers_down;
	uint64_t rewrites; /* 1: a server answers for names that do not exist */
};

/* Of several resolvers together. They ask the same servers, so of those that are down it is the
 * most that one of them has found. */
void dns_stats_add(struct dns_stats *sum, const struct dns_stats *more);

#endif
