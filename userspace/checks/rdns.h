/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/rdns.h - reverse DNS that is confirmed: which of the address's host names lead back to it.
 *
 * Asks for the PTR records of the address (RFC 1035 3.5, RFC 3596 2.5) and then, for at most
 * RDNS_NAMES_MAX of the names, for their addresses. The first in the order of the answer that leads
 * back is the client's host name. PTR names are whatever the owner of the address wrote: a name
 * that is no host name (RFC 1123 2.1: letters, digits, "-", and "_" which is about) is never asked
 * for, shown, or given on.
 *
 * As in dns/dns.h: one callback, never from inside rdns_start(), as the last thing that happens;
 * the caller may free it there.
 */
#ifndef POSTERN_CHECKS_RDNS_H
#define POSTERN_CHECKS_RDNS_H

#include "conf/finding.h"
#include "dns/dns.h"

#define RDNS_NAMES_MAX 10

struct rdns_result {
	finding_set findings; /* one of RDNS_CONFIRMED, _MISSING, _UNCONFIRMED and _TEMPORARY, and
			       * perhaps RDNS_GENERIC */
	char name[DNS_NAME_MAX + 1]; /* confirmed; or the first host name that is not; or "" */
	unsigned int names;          /* host names that the address has, of those that were read */
	unsigned int invalid;        /* of them, names that are no host names */
	uint32_t ttl;                /* seconds for which this holds */
	uint32_t age;                /* of the oldest answer */
	unsigned int queries;
};

struct rdns;
typedef void (*rdns_cb)(const struct rdns_result *result, void *arg);

/* NULL only if memory is short. The caller frees it, before or after the callback. */
struct rdns *rdns_start(struct dns *dns, const struct addr *addr, rdns_cb cb, void *arg);
/* NULL while it is under way. */
const struct rdns_result *rdns_result(const struct rdns *rdns);
void rdns_free(struct rdns **rdns);

/* Pure. Whether the text is a host name as above, with at least one dot unless `bare`. */
bool rdns_is_host_name(const char *text, bool bare);
/* Pure. Whether a host name is made of the address, as 192-0-2-7.dyn.example.net is. */
bool rdns_is_generic(const char *name, const struct addr *addr);

#endif
