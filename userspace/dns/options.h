/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/options.h - what a resolver is told when it is opened: whom to ask, how long, and its limits.
 *
 * Plain values. dns_options_default() has what the configuration has when nobody wrote anything;
 * whoever wants other values changes them before dns_resolver_open(), which copies all it needs.
 */
#ifndef POSTERN_DNS_OPTIONS_H
#define POSTERN_DNS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/addr.h"

#define DNS_PORT            53
#define DNS_SERVERS_MAX     CONF_SERVERS_MAX
#define DNS_ZONES_MAX       256
#define DNS_IN_FLIGHT_MAX   20000 /* an identifier of a query has 16 bits */
#define DNS_RESOLV_CONF     "/etc/resolv.conf"
#define DNS_REWRITES_SUFFIX "random.invalid"

struct dns_server_address {
	struct addr addr;
	uint16_t port;
};

/* A budget of its own for the names that end in `suffix`; of several suffixes the longest counts.
 */
struct dns_zone {
	const char *suffix; /* without the final dot */
	uint32_t in_flight; /* 0: `in_flight_zone` of the options */
};

/* A table of zones for a resolver that is open already: copies, and may be made by any thread. */
struct dns_groups;
int dns_groups_new(const struct dns_zone *zone, size_t count, struct dns_groups **out,
		   struct error *err);
/* One that no resolver has taken over. Nulls the pointer; NULL is allowed. */
void dns_groups_drop(struct dns_groups **groups);

struct dns_options {
	/* Asked in this order: the next one when one does not answer. None: those of `resolv_conf`.
	 */
	size_t server_count;
	struct dns_server_address server[DNS_SERVERS_MAX];
	const char *resolv_conf; /* a path; without any server in it 127.0.0.1 is asked, as ever */

	uint32_t timeout; /* ms that one try waits, and again when it has to change to TCP */
	uint32_t tries;   /* of one question, of all servers together */

	uint32_t cache_entries; /* 0: no cache */
	uint32_t cache_bytes;   /* 0: 512 for each entry */
	uint32_t ttl_min;       /* seconds, of all answers that are kept */
	uint32_t ttl_max;       /* of what was found */
	uint32_t ttl_negative;  /* the most for what is not there */

	uint32_t in_flight;      /* questions under way, all together */
	uint32_t in_flight_zone; /* and of one zone, where the table does not say */
	const struct dns_zone *zone;
	size_t zone_count;

	const char *rewrites_suffix; /* no name exists below it; NULL: never look */
};

/* The defaults of the configuration. It fails for want of memory only. */
int dns_options_default(struct dns_options *options, struct error *err);

/* The options of the configuration; the table of zones is left to the checks that know them. */
void dns_options_conf(struct dns_options *options, const struct conf *conf);

/* Adds a server, "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353". */
int dns_options_add_server(struct dns_options *options, const char *text, struct error *err);

/* Without a server: takes those of `resolv_conf`, or else the one on this host. */
void dns_options_fill_servers(struct dns_options *options);

#endif
