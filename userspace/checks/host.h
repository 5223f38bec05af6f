/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/host.h - hosts as people name them: host names, address literals, and what the answers of
 * the DNS say about an address. What the checks of hosts share.
 *
 * Pure functions. Names and answers are hostile input.
 */
#ifndef POSTERN_CHECKS_HOST_H
#define POSTERN_CHECKS_HOST_H

#include "dns/dns.h"

#define HOST_REVERSE_MAX 80 /* bytes of the longest name of host_reverse_name(), with its NUL */

/*
 * Whether the text is a host name (RFC 1123 2.1: letters, digits, "-", and "_" which is about),
 * with at least one dot unless `bare`. It has no final dot, and its last label is no number, so no
 * address is one.
 */
bool host_name_is_valid(const char *text, bool bare);
/* Copies a name without its final dot; false, and "", if it is no host name. */
bool host_name_take(const char *text, bool bare, char out[DNS_NAME_MAX + 1]);
/* Without case and a final dot. */
bool host_names_equal(const char *a, const char *b);
/* Whether a name is the suffix or below it. Both without a final dot. */
bool host_name_within(const char *name, const char *suffix);
/* What every host calls itself: localhost, and names below (RFC 6761 6.3); localhost.localdomain.
 */
bool host_name_is_local(const char *name);

/* An address literal in brackets (RFC 5321 4.1.3), of IPv4 or IPv6; general ones are none. */
bool host_literal(const char *text, struct addr *out);

static inline bool host_address_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* No other host can be reached at it: the unspecified address, 0.0.0.0/8, and loopback. */
bool host_address_is_local(const struct addr *addr);
/* The name that has the address's PTR records (RFC 1035 3.5, RFC 3596 2.5). */
void host_reverse_name(const struct addr *addr, char out[HOST_REVERSE_MAX]);

/* A, or AAAA for an IPv6 address; and the other one. */
static inline enum dns_type host_address_type(const struct addr *addr)
{
	return addr_is_ipv4(addr) ? DNS_A : DNS_AAAA;
}

static inline enum dns_type host_other_type(const struct addr *addr)
{
	return addr_is_ipv4(addr) ? DNS_AAAA : DNS_A;
}

/* How a question for the addresses of a name went, for one that looks for an address. */
enum host_outcome {
	HOST_PENDING,
	HOST_LEADS,    /* the address is among them */
	HOST_OTHER,    /* there are others only */
	HOST_NODATA,   /* the name has none of this family */
	HOST_NXDOMAIN, /* there is no such name */
	HOST_FAILED,   /* the DNS could not tell now */
};
enum host_outcome host_outcome(const struct dns_answer *answer, const struct addr *addr);

/* For how long a result holds that was made of several answers, and how old it is. */
struct host_time {
	uint32_t ttl, age; /* seconds: the least, and the most */
	bool known;
};

void host_time_add(struct host_time *time, uint32_t ttl, uint32_t age);

#endif
