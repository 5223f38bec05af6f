/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/cache.h - answers that are still good.
 *
 * Of one resolver and one thread; time is given by the caller, in ms of any monotonic clock. The
 * cache holds a reference to each result that it keeps.
 *
 * Limits: entries and bytes. What is kept leaves when its time is over and somebody asks, or when
 * room is needed: then the oldest goes, except that one which was asked for since it was last
 * looked at gets a second chance.
 */
#ifndef POSTERN_DNS_CACHE_H
#define POSTERN_DNS_CACHE_H

#include "dns/name.h"
#include "dns/result.h"
#include "lib/error.h"

struct dns_cache;

struct dns_cache_limits {
	uint32_t entries; /* 0: nothing is kept */
	size_t bytes;
};

struct dns_cache_hit {
	struct dns_result *result; /* a reference of the caller's */
	uint32_t ttl, age;         /* seconds left, seconds since it was put */
};

struct dns_cache_usage {
	size_t entries, bytes;
	uint64_t evicted; /* before their time */
};

int dns_cache_open(const struct dns_cache_limits *limits, struct dns_cache **out,
		   struct error *err);
void dns_cache_close(struct dns_cache **cache);

bool dns_cache_find(struct dns_cache *cache, const struct dns_key *key, uint64_t now,
		    struct dns_cache_hit *out);

/* Keeps the result for `ttl` seconds in place of another for the key; not at all for 0, or if it is
 * too big or there is no memory. */
void dns_cache_put(struct dns_cache *cache, const struct dns_key *key, struct dns_result *result,
		   uint32_t ttl, uint64_t now);

struct dns_cache_usage dns_cache_usage(const struct dns_cache *cache);

#endif
