/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/resolve.h - the resolver and the DNS lists of a loop, as the configuration has them.
 *
 * The guard and each worker has its own; they share nothing.
 */
#ifndef POSTERN_SESSION_RESOLVE_H
#define POSTERN_SESSION_RESOLVE_H

#include <uv.h>

#include "checks/dnsbl.h"
#include "conf/conf.h"
#include "dns/resolver.h"

/* Each list has a budget of its own, so that a slow one holds up no other. */
int resolve_open(uv_loop_t *loop, const struct conf *conf, struct dns_resolver **out,
		 struct error *err);
/* `addresses`: those of addresses, too, and not only those of domains. */
int resolve_open_lists(struct dns_resolver *resolver, const struct conf *conf, bool addresses,
		       struct dnsbl **out, struct error *err);

/*
 * Other lists while it runs, made by any thread: that is all that can fail. resolve_replace_lists()
 * is for the loop's thread, takes them over and nulls the pointer.
 */
struct resolve_lists {
	struct dnsbl_set *set;
	struct dns_groups *groups;
};
int resolve_lists_new(const struct conf *conf, bool addresses, struct resolve_lists **out,
		      struct error *err);
/* Nulls the pointer; NULL is allowed. */
void resolve_lists_drop(struct resolve_lists **lists);
void resolve_replace_lists(struct dns_resolver *resolver, struct dnsbl *dnsbl,
			   struct resolve_lists **lists);

#endif
