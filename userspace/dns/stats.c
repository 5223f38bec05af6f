/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/stats.c - see dns/stats.h.
 */
#include "dns/stats.h"

#include "lib/counters.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void dns_stats_add(struct dns_stats *sum, const struct dns_stats *more)
{
	const uint64_t down = larger(sum->servers_down, more->servers_down);
	const uint64_t rewrites = larger(sum->rewrites, more->rewrites);

	_Static_assert(sizeof(*sum) % sizeof(uint64_t) == 0, "dns: all counters have 64 bits");
	counters_add(sum, more, sizeof(*sum));
	sum->servers_down = down;
	sum->rewrites = rewrites;
}
