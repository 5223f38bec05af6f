/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/rdns.h - reverse DNS that is confirmed: which of the address's host names lead back to it.
 *
 * Asks for the PTR records of the address (RFC 1035 3.5, RFC 3596 2.5) and then, for at most
 * RDNS_NAMES_MAX of the names, all at once, for their addresses. The first in the order of the
 * answer that leads back is the client's host name; how fast the names are answered changes
 * nothing. PTR names are whatever the owner of the address wrote: a name that is no host name
 * (checks/host.h), that every host has (localhost), or that is itself one of the reverse tree
 * (below arpa) is never asked for, shown, or given on. Names beyond the budget are not looked at.
 *
 * No answer now (RDNS_TEMPORARY) is a finding only where it could matter: not for one name if
 * another leads back.
 *
 * As in dns/dns.h: one callback, never from inside rdns_start(), as the last thing that happens;
 * the caller may free it there.
 */
#ifndef POSTERN_CHECKS_RDNS_H
#define POSTERN_CHECKS_RDNS_H

#include "conf/finding.h"
#include "dns/dns.h"

#define RDNS_NAMES_MAX 10

/* All that it can find. */
#define RDNS_FINDINGS                                                                              \
	(FINDING_BIT(FINDING_RDNS_CONFIRMED) | FINDING_BIT(FINDING_RDNS_MISSING) |                 \
	 FINDING_BIT(FINDING_RDNS_UNCONFIRMED) | FINDING_BIT(FINDING_RDNS_TEMPORARY) |             \
	 FINDING_BIT(FINDING_RDNS_GENERIC))

struct rdns_result {
	finding_set findings; /* one of RDNS_CONFIRMED, _MISSING, _UNCONFIRMED and _TEMPORARY, and
			       * RDNS_GENERIC if `name` is so */
	char name[DNS_NAME_MAX + 1]; /* confirmed; or the first host name that is not; or "" */
	unsigned int names;          /* names that the address has, of those that were read */
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

/*
 * Pure. Whether a host name is made of the address, as 192-0-2-7.dyn.example.net is.
 *
 * It is if the name holds
 *   IPv4: the four octets in either order, parted by one character, or three that are neighbours,
 *         parted by "-", "." or "_"; all of them run together, with zeros filled in or long enough
 *         to be no accident; or the address as one number, in hexadecimal or decimal;
 *   IPv6: all nibbles in either order, with or without marks between them; the address as it is
 *         written, with "-" for ":"; or half of it, four groups or sixteen nibbles, if that half is
 *         not mostly zero.
 *
 * Two octets are not enough: well-run farms number their hosts by them. A name whose first word
 * says mail (mail, mx, smtp, mta, relay, out ...) has been chosen by somebody for a mail server,
 * and is generic only if one of its words also says that the address is handed out (dyn, dhcp, dsl,
 * pool, ppp ...).
 */
bool rdns_is_generic(const char *name, const struct addr *addr);

#endif
