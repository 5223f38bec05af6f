/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/addr.c - implements lib/addr.h, but for parsing (lib/addr_parse.c): values, order and text of
 * addresses and prefixes.
 *
 * Called by everything that names an address. Pure functions of their arguments; nothing is
 * allocated or kept. The text is canonical: RFC 5952 for IPv6, where only ::ffff:0:0/96 is written
 * as IPv4, so that equal prefixes have equal texts and every text parses back to what it came from.
 */
#include "lib/addr.h"

#include <endian.h>
#include <string.h>

#define ADDRESS_BITS 128u
#define IPV4_OFFSET  96u       /* bits of an IPv6 address before the IPv4 address in it */
#define IPV4_MAPPED  0xffffull /* bits 64 to 95 of ::ffff:0:0/96 */
#define GROUPS       8u

uint64_t addr_high(const struct addr *addr)
{
	uint64_t half;

	memcpy(&half, addr->byte, sizeof(half));
	return be64toh(half);
}

uint64_t addr_low(const struct addr *addr)
{
	uint64_t half;

	memcpy(&half, addr->byte + sizeof(half), sizeof(half));
	return be64toh(half);
}

struct addr addr_from_halves(uint64_t high, uint64_t low)
{
	struct addr addr;

	high = htobe64(high);
	low = htobe64(low);
	memcpy(addr.byte, &high, sizeof(high));
	memcpy(addr.byte + sizeof(high), &low, sizeof(low));
	return addr;
}

struct addr addr_from_ipv4(uint32_t host_order)
{
	return addr_from_halves(0, IPV4_MAPPED << 32 | host_order);
}

bool addr_is_ipv4(const struct addr *addr)
{
	return addr_high(addr) == 0 && addr_low(addr) >> 32 == IPV4_MAPPED;
}

bool prefix_is_ipv4(const struct prefix *prefix)
{
	return prefix->len >= IPV4_OFFSET && addr_is_ipv4(&prefix->addr);
}

uint32_t addr_ipv4(const struct addr *addr)
{
	return (uint32_t)addr_low(addr);
}

/* The mask of the first `len` bits of 64; also for len <= 0 and len >= 64. */
static uint64_t mask64(int len)
{
	if (len <= 0)
		return 0;
	return len >= 64 ? ~0ull : ~0ull << (64 - len);
}

struct prefix prefix_of(const struct addr *addr, unsigned int len)
{
	struct prefix prefix;

	if (len > ADDRESS_BITS)
		len = ADDRESS_BITS;
	prefix.addr = addr_from_halves(addr_high(addr) & mask64((int)len),
				       addr_low(addr) & mask64((int)len - 64));
	prefix.len = (uint8_t)len;
	return prefix;
}

struct addr prefix_last(const struct prefix *prefix)
{
	return addr_from_halves(addr_high(&prefix->addr) | ~mask64(prefix->len),
				addr_low(&prefix->addr) | ~mask64(prefix->len - 64));
}

bool prefix_contains(const struct prefix *outer, const struct addr *addr)
{
	const uint64_t high = addr_high(&outer->addr) ^ addr_high(addr);
	const uint64_t low = addr_low(&outer->addr) ^ addr_low(addr);

	if (prefix_is_ipv4(outer) != addr_is_ipv4(addr))
		return false;
	return !(high & mask64(outer->len)) && !(low & mask64(outer->len - 64));
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	return memcmp(a, b, sizeof(*a));
}

/* Formatting. The functions below write at `out` and return where the text ends; no NUL. */

static char *format_decimal(char *out, unsigned int value)
{
	if (value >= 100)
		*out++ = (char)('0' + value / 100);
	if (value >= 10)
		*out++ = (char)('0' + value / 10 % 10);
	*out++ = (char)('0' + value % 10);
	return out;
}

static char *format_group(char *out, unsigned int value)
{
	static const char digits[] = "0123456789abcdef";

	for (int shift = 12; shift > 0; shift -= 4)
		if (value >> shift)
			*out++ = digits[value >> shift & 0xf];
	*out++ = digits[value & 0xf];
	return out;
}

static char *format_ipv4(char *out, const struct addr *addr)
{
	const uint32_t quad = addr_ipv4(addr);

	for (int shift = 24; shift >= 0; shift -= 8) {
		out = format_decimal(out, quad >> shift & 0xff);
		if (shift)
			*out++ = '.';
	}
	return out;
}

static unsigned int group_value(const struct addr *addr, unsigned int group)
{
	return (unsigned int)addr->byte[2 * group] << 8 | addr->byte[2 * group + 1];
}

/* The run of zero groups that "::" stands for: the longest of two or more, the first of equals. */
static unsigned int find_gap(const struct addr *addr, unsigned int *length)
{
	unsigned int start = GROUPS, run = 0;

	*length = 1;
	for (unsigned int i = 0; i < GROUPS; i++) {
		run = group_value(addr, i) ? 0 : run + 1;
		if (run > *length) {
			*length = run;
			start = i + 1 - run;
		}
	}
	return start;
}

static char *format_ipv6(char *out, const struct addr *addr)
{
	unsigned int gap_length;
	const unsigned int gap = find_gap(addr, &gap_length);
	unsigned int i = 0;

	while (i < GROUPS) {
		if (i == gap) {
			*out++ = ':';
			*out++ = ':';
			i += gap_length;
			continue;
		}
		if (i && i != gap + gap_length)
			*out++ = ':';
		out = format_group(out, group_value(addr, i));
		i++;
	}
	return out;
}

static char *format_address(char *out, const struct addr *addr)
{
	return addr_is_ipv4(addr) ? format_ipv4(out, addr) : format_ipv6(out, addr);
}

char *addr_format(const struct addr *addr, char out[PREFIX_TEXT_MAX])
{
	*format_address(out, addr) = '\0';
	return out;
}

char *prefix_format(const struct prefix *prefix, char out[PREFIX_TEXT_MAX])
{
	const unsigned int offset = prefix_is_ipv4(prefix) ? IPV4_OFFSET : 0;
	char *end = format_address(out, &prefix->addr);

	if (prefix->len < ADDRESS_BITS) {
		*end++ = '/';
		end = format_decimal(end, prefix->len - offset);
	}
	*end = '\0';
	return out;
}
