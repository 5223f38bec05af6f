/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_range.c - what one line of a list names: an address, a prefix or a range of
 * addresses.
 *
 * Called by the formats of lib/listfile for every entry. A range becomes the fewest prefixes that
 * cover exactly it: at most 62 for IPv4 and RANGE_PREFIXES_MAX for IPv6. Pure functions.
 */
#include <string.h>

#include "lib/listfile_internal.h"
#include "lib/text.h"

#define ADDRESS_BITS 128

typedef unsigned __int128 wide;

static wide address_number(const struct addr *addr)
{
	return (wide)addr_high(addr) << 64 | addr_low(addr);
}

static unsigned int trailing_zeros(wide value)
{
	if ((uint64_t)value)
		return (unsigned int)__builtin_ctzll((uint64_t)value);
	if (value)
		return 64 + (unsigned int)__builtin_ctzll((uint64_t)(value >> 64));
	return ADDRESS_BITS;
}

/* The bits of the largest block that `count` addresses fill; 0 stands for 2^128 of them. */
static unsigned int whole_bits(wide count)
{
	if (count == 0)
		return ADDRESS_BITS;
	if (count >> 64)
		return 127 - (unsigned int)__builtin_clzll((uint64_t)(count >> 64));
	return 63 - (unsigned int)__builtin_clzll((uint64_t)count);
}

size_t range_split(bool ipv4, const struct addr *first, const struct addr *last,
		   struct prefix out[RANGE_PREFIXES_MAX])
{
	const wide end = address_number(last);
	wide at = address_number(first);
	size_t count = 0;

	for (;;) {
		const unsigned int aligned = trailing_zeros(at);
		const unsigned int filled = whole_bits(end - at + 1);
		const unsigned int bits = aligned < filled ? aligned : filled;
		const struct addr start = addr_from_halves((uint64_t)(at >> 64), (uint64_t)at);

		out[count] = prefix_of(&start, ADDRESS_BITS - bits);
		if (prefix_is_ipv4(&out[count]) == ipv4)
			count++;
		if (bits == ADDRESS_BITS)
			return count;
		at += (wide)1 << bits;
		if (at == 0 || at > end)
			return count;
	}
}

int item_range(struct span text, const struct addr *first, const struct addr *last,
	       struct item *out, struct error *err)
{
	if (addr_is_ipv4(first) != addr_is_ipv4(last))
		return span_refuse(err, text,
				   "a range cannot go from one address family to the other");
	if (memcmp(first, last, sizeof(*first)) > 0)
		return span_refuse(err, text, "the range ends before it starts");
	out->prefix = prefix_of(first, ADDRESS_BITS);
	out->last = *last;
	out->range = true;
	return 0;
}

static int parse_range(struct span text, const char *dash, struct item *out, struct error *err)
{
	const struct span from = span_trim((struct span){ text.at, dash });
	const struct span to = span_trim((struct span){ dash + 1, text.end });
	struct addr first, last;
	int rc;

	rc = addr_parse(from.at, span_length(from), &first, err);
	if (!rc)
		rc = addr_parse(to.at, span_length(to), &last, err);
	return rc ? rc : item_range(text, &first, &last, out, err);
}

int item_parse(struct span text, struct item *out, struct error *err)
{
	const char *dash = memchr(text.at, '-', span_length(text));

	if (dash)
		return parse_range(text, dash, out, err);
	out->range = false;
	return prefix_parse(text.at, span_length(text), &out->prefix, err);
}
