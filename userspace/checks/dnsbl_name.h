/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_name.h - the names that a DNS list is asked for (RFC 5782 2.1, 2.4, 3).
 *
 * Pure. What stands before the zone is made once for a question, and joined with each zone's name.
 */
#ifndef POSTERN_CHECKS_DNSBL_NAME_H
#define POSTERN_CHECKS_DNSBL_NAME_H

#include "dns/dns.h"

/* What stands before a zone's name, without the dot between the two. */
struct dnsbl_prefix {
	bool domain; /* labels may be left out in front */
	uint8_t length;
	char text[DNS_NAME_MAX + 1];
};

/* The four octets in reverse, "2.0.0.127" for 127.0.0.2, given in host byte order. */
void dnsbl_name_ipv4(uint32_t addr, struct dnsbl_prefix *out);

/* The 32 nibbles in reverse, in small letters; also of an IPv4 address, as ::ffff:a.b.c.d. */
void dnsbl_name_ipv6(const struct addr *addr, struct dnsbl_prefix *out);

/*
 * A domain as it was said, with or without a final dot. False for what no list of domains can have:
 * anything but labels of letters, digits, "-" and "_" (so address literals, too), a single label,
 * and what ends in a number, for which some lists answer with an error code.
 */
bool dnsbl_name_domain(const char *domain, struct dnsbl_prefix *out);

/*
 * Puts the two together; `zone_length` is that of the text `zone`. A domain that is too long loses
 * labels in front, because lists have domains with everything below them; false if it cannot be
 * made short enough with two of them.
 */
bool dnsbl_name_join(const struct dnsbl_prefix *prefix, const char *zone, size_t zone_length,
		     char out[DNS_NAME_MAX + 1]);

#endif
