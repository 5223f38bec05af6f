/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/helo.h - what a client calls itself in HELO or EHLO (RFC 5321 4.1.1.1, 4.1.3).
 *
 * A host name with a domain that leads to the client's address, or at the least the client's
 * address as a literal: everything else is found out about. Exactly one of these, in this order:
 *
 *   HELO_SYNTAX         neither a host name (checks/host.h; a final dot is dropped) nor a literal
 *                       of IPv4 or IPv6; so an address without its brackets is one
 *   HELO_LITERAL        the client's address
 *   HELO_OWN            a name or an address of ours from somebody who does not have it; also
 *                       localhost and its addresses, which nobody else can be
 *   HELO_LITERAL_WRONG  another address
 *   HELO_CONFIRMED with HELO_MATCH   the confirmed host name, so it leads to the client: not asked
 *   HELO_BARE           a name without a domain: not asked for
 *   HELO_CONFIRMED      the name leads to the client's address, but is not its host name
 *   HELO_MISMATCH       the name has addresses, of either family, but not the client's
 *   HELO_UNKNOWN        there is no such name, or it has no address at all (RFC 5321 2.3.5)
 *   HELO_TEMPORARY      the DNS cannot tell now
 *
 * One callback, as in checks/rdns.h, also when nothing has to be asked.
 */
#ifndef POSTERN_CHECKS_HELO_H
#define POSTERN_CHECKS_HELO_H

#include "conf/finding.h"
#include "dns/dns.h"

#define HELO_OWN_MAX 16 /* names, and addresses, of ours that are looked at */

/* The texts and lists need not outlive helo_start(). */
struct helo_request {
	struct dns *dns;
	struct addr addr;      /* of the client */
	const char *helo;      /* as it was said */
	const char *host_name; /* the client's confirmed host name, or "" */
	size_t own_names;      /* ours, which nobody else is */
	const char *const *own_name;
	size_t own_addresses; /* likewise */
	const struct addr *own_address;
};

struct helo_result {
	finding_set findings; /* of HELO_*, see above */
	uint32_t ttl, age;    /* seconds; 0 if nothing was asked */
	unsigned int queries;
};

struct helo;
typedef void (*helo_cb)(const struct helo_result *result, void *arg);

/* NULL only if memory is short. */
struct helo *helo_start(const struct helo_request *request, helo_cb cb, void *arg);
const struct helo_result *helo_result(const struct helo *helo);
void helo_free(struct helo **helo);

/* Pure. What can be found out without asking; false if the name has to be asked for. */
bool helo_judge(const struct helo_request *request, finding_set *out);

#endif
