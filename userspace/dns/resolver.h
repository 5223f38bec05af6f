/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/resolver.h - the `struct dns` that asks real resolvers, with c-ares on a libuv loop.
 *
 * Everything happens on the loop's thread, and every function here is called there but
 * dns_resolver_stats() and dns_resolver_rewrites(), which any thread may call. A loop has a
 * resolver of its own; they share nothing.
 *
 * An answer comes from the cache, from a question that is under way already, or from a server. The
 * callback always runs from the loop, never inside ask(); inside of it everything is allowed:
 * asking, cancelling any query, closing the resolver. A query that is cancelled stops mattering,
 * while the question goes on and its answer is kept.
 *
 * The servers are trusted, and so is the way to them: run one on the host or next to it. What they
 * say about the names of others is hostile, and is read by dns/wire.c.
 */
#ifndef POSTERN_DNS_RESOLVER_H
#define POSTERN_DNS_RESOLVER_H

#include <uv.h>

#include "dns/dns.h"
#include "dns/options.h"
#include "dns/stats.h"

struct dns_resolver;

/*
 * The resolver keeps no loop alive that has nothing else to do, unless a question is under way. A
 * program that lives for a few questions sets `rewrites_suffix` to NULL, and saves one more. After
 * a failure, too, the loop has to run once before uv_loop_close().
 */
int dns_resolver_open(uv_loop_t *loop, const struct dns_options *options, struct dns_resolver **out,
		      struct error *err);

/* Valid until the resolver is closed. */
struct dns *dns_resolver_dns(struct dns_resolver *resolver);

/* Takes another table of zones over and nulls the pointer. Questions that are under way stay
 * charged where they are. */
void dns_resolver_replace_groups(struct dns_resolver *resolver, struct dns_groups **groups);

/*
 * Nulls the pointer; NULL is allowed. Questions under way are dropped: their callbacks are not
 * called, and their queries must not be cancelled any more. The memory goes when the loop has run
 * once more, which must happen before uv_loop_close().
 */
void dns_resolver_close(struct dns_resolver **resolver);

/*
 * Whether one of the servers answers for names that do not exist, as found out at the start and
 * every hour. A check that takes an address for "listed" must not believe answers then.
 */
bool dns_resolver_rewrites(const struct dns_resolver *resolver);

void dns_resolver_stats(const struct dns_resolver *resolver, struct dns_stats *out);

#endif
