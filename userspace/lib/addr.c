/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/addr.c - implements lib/addr.h, but for parsing (lib/addr_parse.c): the text of addresses and
 * prefixes.
 *
 * Called by everything that names an address. Pure functions of their arguments; nothing is
 * allocated or kept. The text is canonical: RFC 5952 for IPv6, where only ::ffff:0:0/96 is written
 * as IPv4, so that equal prefixes have equal texts and every text parses back to what it came from.
 */
#include "lib/addr.h"

#include <string.h>

#define GROUPS 8u

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
	const unsigned int offset = prefix_is_ipv4(prefix) ? ADDR_IPV4_OFFSET : 0;
	char *end = format_address(out, &prefix->addr);

	if (prefix->len < ADDR_BITS) {
		*end++ = '/';
		end = format_decimal(end, prefix->len - offset);
	}
	*end = '\0';
	return out;
}
