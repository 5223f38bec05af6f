/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/addr.h - addresses and prefixes of both families as one type.
 *
 * An address is 16 bytes in network byte order; IPv4 is ::ffff:a.b.c.d (RFC 4291 2.5.5.2). A prefix
 * of IPv4 length n has the length 96 + n, so both families sort in one order and a length alone
 * never says the family: ask prefix_is_ipv4(). The host part of a prefix is always zero.
 *
 * What is asked for each of millions of entries is inline.
 */
#ifndef POSTERN_LIB_ADDR_H
#define POSTERN_LIB_ADDR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/error.h"

#define ADDR_BITS        128u
#define ADDR_IPV4_OFFSET 96u       /* bits of an IPv6 address before the IPv4 address in it */
#define ADDR_IPV4_MAPPED 0xffffull /* bits 64 to 95 of ::ffff:0:0/96 */
#define PREFIX_TEXT_MAX  64        /* bytes that prefix_format() may write, with the final NUL */

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

/* The two halves in host byte order. */
static inline uint64_t addr_high(const struct addr *addr)
{
	uint64_t half;

	memcpy(&half, addr->byte, sizeof(half));
	return be64toh(half);
}

static inline uint64_t addr_low(const struct addr *addr)
{
	uint64_t half;

	memcpy(&half, addr->byte + sizeof(half), sizeof(half));
	return be64toh(half);
}

static inline struct addr addr_from_halves(uint64_t high, uint64_t low)
{
	struct addr addr;

	high = htobe64(high);
	low = htobe64(low);
	memcpy(addr.byte, &high, sizeof(high));
	memcpy(addr.byte + sizeof(high), &low, sizeof(low));
	return addr;
}

static inline bool addr_is_ipv4(const struct addr *addr)
{
	return addr_high(addr) == 0 && addr_low(addr) >> 32 == ADDR_IPV4_MAPPED;
}

static inline bool prefix_is_ipv4(const struct prefix *prefix)
{
	return prefix->len >= ADDR_IPV4_OFFSET && addr_is_ipv4(&prefix->addr);
}

/* IPv4 in host byte order; only for addresses for which addr_is_ipv4() holds. */
static inline uint32_t addr_ipv4(const struct addr *addr)
{
	return (uint32_t)addr_low(addr);
}

static inline struct addr addr_from_ipv4(uint32_t host_order)
{
	return addr_from_halves(0, ADDR_IPV4_MAPPED << 32 | host_order);
}

/* The mask of the first `len` bits of 64; also for len <= 0 and len >= 64. */
static inline uint64_t addr_mask(int len)
{
	if (len <= 0)
		return 0;
	return len >= 64 ? ~0ull : ~0ull << (64 - len);
}

/* The prefix of `len` (0 to 128) that holds `addr`. */
static inline struct prefix prefix_of(const struct addr *addr, unsigned int len)
{
	struct prefix prefix;

	if (len > ADDR_BITS)
		len = ADDR_BITS;
	prefix.addr = addr_from_halves(addr_high(addr) & addr_mask((int)len),
				       addr_low(addr) & addr_mask((int)len - 64));
	prefix.len = (uint8_t)len;
	return prefix;
}

/* An IPv6 prefix never holds an IPv4 address, not even ::/0: the families are apart everywhere. */
static inline bool prefix_contains(const struct prefix *outer, const struct addr *addr)
{
	const uint64_t high = addr_high(&outer->addr) ^ addr_high(addr);
	const uint64_t low = addr_low(&outer->addr) ^ addr_low(addr);

	if (prefix_is_ipv4(outer) != addr_is_ipv4(addr))
		return false;
	return !(high & addr_mask(outer->len)) && !(low & addr_mask(outer->len - 64));
}

/* Order by address, then by length, shortest first: a prefix comes before everything inside it. */
static inline int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	const uint64_t high[] = { addr_high(&a->addr), addr_high(&b->addr) };
	const uint64_t low[] = { addr_low(&a->addr), addr_low(&b->addr) };

	if (high[0] != high[1])
		return high[0] < high[1] ? -1 : 1;
	if (low[0] != low[1])
		return low[0] < low[1] ? -1 : 1;
	return a->len - b->len;
}

/* The last address of a prefix. */
static inline struct addr prefix_last(const struct prefix *prefix)
{
	return addr_from_halves(addr_high(&prefix->addr) | ~addr_mask(prefix->len),
				addr_low(&prefix->addr) | ~addr_mask(prefix->len - 64));
}

#endif
