/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_octets.c - addresses as rbldnsd writes them, where the last numbers may be left out.
 *
 *   192.0.2  192.0               the /24, the /16: two numbers at least
 *   10/8  172.16/12              a prefix; the missing numbers are 0
 *   172.16-31  192.0.2.1-5       a range: one number at the end replaces the last of the start
 *   10.0-10.3.7                  a range: missing numbers are 0 at the start and 255 at the end
 *   2001:db8:1:2  2001:db8/32    IPv6: groups at the end may be left out, two at least or a length
 *
 * Called by lib/listfile_rbldnsd. Whole addresses and prefixes are left to lib/addr. Pure
 * functions.
 */
#include <stdio.h>
#include <string.h>

#include "lib/listfile_rbldnsd.h"
#include "lib/text.h"

#define OCTETS       4u
#define GROUPS       8u
#define GROUP_BITS   16u
#define OCTET_BITS   8u
#define IPV4_BITS    32u
#define IPV4_OFFSET  96u
#define ADDRESS_BITS 128u
#define PADDED_MAX   64 /* bytes of an IPv6 prefix with "::" put in */

static const char WRONG_ADDRESSES[] = "not an address, prefix or range of rbldnsd";

/* Numbers between dots, as they were written. */
struct octets {
	uint8_t value[OCTETS];
	unsigned int count;
};

/* Reads as many as there are, at most four; false if there is none or one is no octet. */
static bool parse_octets(const char **at, const char *end, struct octets *out)
{
	out->count = 0;
	for (;;) {
		struct span number = { *at, *at };
		uint32_t value;

		while (number.end < end && is_decimal(*number.end))
			number.end++;
		if (!span_number(number, UINT8_MAX, &value) || out->count == OCTETS ||
		    (*number.at == '0' && span_length(number) > 1))
			return false;
		out->value[out->count++] = (uint8_t)value;
		*at = number.end;
		if (*at == end || **at != '.')
			return true;
		(*at)++;
	}
}

/* The address of the octets, with `fill` for those that are missing. */
static struct addr octets_address(const struct octets *octets, uint8_t fill)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < OCTETS; i++)
		value = value << OCTET_BITS | (i < octets->count ? octets->value[i] : fill);
	return addr_from_ipv4(value);
}

static int range_octets(struct span text, const struct octets *first, struct octets *last,
			struct item *out, struct error *err)
{
	const struct addr from = octets_address(first, 0);
	struct octets suffixed = *first;
	struct addr to;

	if (last->count == 1 && first->count > 1) {
		suffixed.value[first->count - 1] = last->value[0];
		last = &suffixed;
	}
	to = octets_address(last, UINT8_MAX);
	return item_range(text, &from, &to, out, err);
}

static int prefix_octets(struct span text, const struct octets *octets, unsigned int len,
			 struct item *out, struct error *err)
{
	const struct addr addr = octets_address(octets, 0);
	char right[PREFIX_TEXT_MAX], wrong[TEXT_SHOWN_MAX];

	out->range = false;
	out->prefix = prefix_of(&addr, len + IPV4_OFFSET);
	if (memcmp(&out->prefix.addr, &addr, sizeof(addr)) == 0)
		return 0;
	snprintf(wrong, sizeof(wrong), "host bits are set; the prefix is %s",
		 prefix_format(&out->prefix, right));
	return span_refuse(err, text, wrong);
}

static int parse_ipv4(struct span text, struct item *out, struct error *err)
{
	const char *at = text.at;
	struct octets first, last;
	uint32_t len;

	if (!parse_octets(&at, text.end, &first))
		return span_refuse(err, text, WRONG_ADDRESSES);
	if (at == text.end && first.count > 1)
		return prefix_octets(text, &first, first.count * OCTET_BITS, out, err);
	if (at < text.end && *at == '/' &&
	    span_number((struct span){ at + 1, text.end }, IPV4_BITS, &len))
		return prefix_octets(text, &first, len, out, err);
	if (at == text.end || *at++ != '-' || !parse_octets(&at, text.end, &last) || at != text.end)
		return span_refuse(err, text, WRONG_ADDRESSES);
	return range_octets(text, &first, &last, out, err);
}

/* How many groups are written before the length, if "::" is not among them; otherwise 0. */
static unsigned int count_groups(struct span text)
{
	unsigned int colons = 0;

	for (const char *at = text.at; at < text.end && *at != '/'; at++) {
		if (*at != ':')
			continue;
		if (at + 1 < text.end && at[1] == ':')
			return 0;
		colons++;
	}
	return colons + 1;
}

/* IPv6 with groups left out at the end: lib/addr reads it once "::" stands in their place. */
static int parse_ipv6(struct span text, struct item *out, struct error *err)
{
	const unsigned int groups = count_groups(text);
	const char *slash = memchr(text.at, '/', span_length(text));
	const char *end = slash ? slash : text.end;
	char padded[PADDED_MAX];
	struct prefix prefix;
	const size_t len = (size_t)(end - text.at);
	int rc;

	out->range = false;
	if (groups == 1 && !slash)
		return span_refuse(err, text, WRONG_ADDRESSES);
	if (groups == 0 || groups >= GROUPS || span_length(text) > sizeof(padded) - 2)
		return prefix_parse(text.at, span_length(text), &out->prefix, err);
	memcpy(padded, text.at, len);
	memcpy(padded + len, "::", 2);
	memcpy(padded + len + 2, end, (size_t)(text.end - end));
	rc = prefix_parse(padded, span_length(text) + 2, &prefix, err);
	if (rc)
		return rc;
	out->prefix = slash ? prefix : prefix_of(&prefix.addr, groups * GROUP_BITS);
	return 0;
}

static bool is_address_char(char c)
{
	return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
	       c == ':' || c == '/' || c == '-';
}

/* The addresses at the start of the line. IPv4 ends at a ":", where its value may start at once. */
static struct span find_addresses(struct span line, bool *ipv6)
{
	struct span text = { line.at, line.at };
	size_t digits = 0;

	while (text.end < line.end && is_address_char(*text.end))
		text.end++;
	while (digits < span_length(text) && is_decimal(text.at[digits]))
		digits++;
	*ipv6 = digits < span_length(text) && !memchr("./-", text.at[digits], 3);
	if (!*ipv6) {
		const char *colon = memchr(text.at, ':', span_length(text));

		text.end = colon ? colon : text.end;
	}
	return text;
}

int rbldnsd_addresses(struct span *line, struct item *out, struct error *err)
{
	bool ipv6;
	const struct span text = find_addresses(*line, &ipv6);
	const bool ends = text.end == line->end || memchr(" \t#;:", *text.end, 5);
	int rc;

	if (!ends || span_empty(text))
		return span_refuse(err, *line, WRONG_ADDRESSES);
	rc = ipv6 ? parse_ipv6(text, out, err) : parse_ipv4(text, out, err);
	if (rc)
		return rc;
	*line = span_trim((struct span){ text.end, line->end });
	return 0;
}
