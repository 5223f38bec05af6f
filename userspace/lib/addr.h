/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/addr.h - addresses and prefixes of both families as one type.
 *
 * An address is 16 bytes in network byte order; IPv4 is ::ffff:a.b.c.d (RFC 4291 2.5.5.2). A prefix
 * of IPv4 length n has the length 96 + n, so both families sort in one order and a length alone
 * never says the family: ask prefix_is_ipv4(). The host part of a prefix is always zero.
 */
#ifndef POSTERN_LIB_ADDR_H
#define POSTERN_LIB_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define PREFIX_TEXT_MAX 64 /* bytes that prefix_format() may write, with the final NUL */

struct addr {
	uint8_t byte[16];
};

struct prefix {
	struct addr addr;
	uint8_t len; /* 0 to 128 */
};

/* Parse "192.0.2.1" or "2001:db8::1" (no zone, no prefix length). `text` need not end at `len`. */
int addr_parse(const char *text, size_t len, struct addr *out, struct error *err);

/*
 * Parse an address or CIDR. An address alone is its /32 or /128. Host bits that are set are an
 * error that names the prefix that was probably meant. An IPv4-mapped IPv6 prefix of length 96 or
 * more is the IPv4 prefix.
 */
int prefix_parse(const char *text, size_t len, struct prefix *out, struct error *err);

/* The text of an address: RFC 5952 for IPv6, dotted quad for IPv4. Returns `out`. */
char *addr_format(const struct addr *addr, char out[PREFIX_TEXT_MAX]);

/* The text of a prefix; a /32 or /128 is written as an address. Returns `out`. */
char *prefix_format(const struct prefix *prefix, char out[PREFIX_TEXT_MAX]);

bool addr_is_ipv4(const struct addr *addr);
bool prefix_is_ipv4(const struct prefix *prefix);

/* IPv4 in host byte order; only for addresses for which addr_is_ipv4() holds. */
uint32_t addr_ipv4(const struct addr *addr);
struct addr addr_from_ipv4(uint32_t host_order);

/* The two halves in host byte order. */
uint64_t addr_high(const struct addr *addr);
uint64_t addr_low(const struct addr *addr);
struct addr addr_from_halves(uint64_t high, uint64_t low);

/* The prefix of `len` (0 to 128) that holds `addr`. */
struct prefix prefix_of(const struct addr *addr, unsigned int len);

/* An IPv6 prefix never holds an IPv4 address, not even ::/0: the families are apart everywhere. */
bool prefix_contains(const struct prefix *outer, const struct addr *addr);

/* Order by address, then by length, shortest first: a prefix comes before everything inside it. */
int prefix_compare(const struct prefix *a, const struct prefix *b);

/* The last address of a prefix. */
struct addr prefix_last(const struct prefix *prefix);

#endif
