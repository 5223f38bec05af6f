/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/addr_parse.c - the parsers of lib/addr.h.
 *
 * Called for every line of a list, which may have millions, so it is written out by hand, takes no
 * copy of its input, allocates nothing, and makes a message only when there is an error. It is
 * strict: a dotted quad is four decimal numbers without leading zeros (which some parsers take for
 * octal), an IPv6 address is the text of RFC 4291 without a zone. The input is not trusted: it may
 * hold any bytes, and what a message repeats of it is cleaned first.
 */
#include "lib/ascii.h"
#include "lib/addr.h"

#include <string.h>

#include "lib/text.h"

#define ADDRESS_BITS    128u
#define IPV4_OFFSET     96u /* bits of an IPv6 address before the IPv4 address in it */
#define GROUPS          8u
#define GROUP_DIGITS    4u
#define QUAD_GROUPS     2u
#define LENGTH_DIGITS   3u
#define QUAD_TEXT_LEAST 7u /* "0.0.0.0" */

/*
 * The functions below move `*at` towards `end` and return NULL, or say what is wrong; the
 * text that they return is the second half of the message.
 */

static const char WRONG_QUAD[] = "an IPv4 address has four numbers from 0 to 255";
static const char WRONG_ZERO[] = "a leading zero is ambiguous; write the numbers without it";
static const char WRONG_GROUP[] = "an IPv6 address has groups of one to four hexadecimal digits";
static const char WRONG_COUNT[] = "an IPv6 address has eight groups, or fewer and one \"::\"";
static const char WRONG_DOUBLE[] = "an IPv6 address has only one \"::\"";
static const char WRONG_ZONE[] =
	"an address with a zone (%) belongs to one link and cannot be listed";
static const char WRONG_NOTHING[] = "not an IPv4 or IPv6 address";

/* 1 + the value of a hexadecimal digit; 0 for all other bytes. */
static const uint8_t hex_digit[UINT8_MAX + 1] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* One number of a dotted quad. */
static const char *parse_octet(const char **at, const char *end, uint32_t *value)
{
	const char *p = *at;
	uint32_t octet;

	if (p == end || !ascii_is_digit(*p))
		return WRONG_QUAD;
	octet = (uint32_t)(*p++ - '0');
	if (octet == 0 && p < end && ascii_is_digit(*p))
		return WRONG_ZERO;
	while (p < end && ascii_is_digit(*p) && octet <= UINT8_MAX)
		octet = octet * 10 + (uint32_t)(*p++ - '0');
	if (octet > UINT8_MAX)
		return WRONG_QUAD;
	*value = *value << 8 | octet;
	*at = p;
	return NULL;
}

static const char *parse_quad(const char **at, const char *end, uint32_t *out)
{
	const char *wrong = NULL;
	uint32_t value = 0;

	for (int octet = 0; octet < 4 && !wrong; octet++) {
		if (octet && (*at == end || *(*at)++ != '.'))
			return WRONG_QUAD;
		wrong = parse_octet(at, end, &value);
	}
	*out = value;
	return wrong;
}

/* The groups that were read so far, and where among them "::" stands. */
struct groups {
	uint16_t value[GROUPS];
	unsigned int count;
	int gap; /* -1: no "::" */
};

static const char *parse_group(const char **at, const char *end, struct groups *groups)
{
	const char *start = *at;
	const char *most = end - start > (int)GROUP_DIGITS ? start + GROUP_DIGITS : end;
	const bool start_of_all = groups->count == 0 && groups->gap < 0;
	const char *p = start;
	unsigned int value = 0;
	uint32_t quad;

	for (unsigned int digit; p < most && (digit = hex_digit[(uint8_t)*p]); p++)
		value = value << 4 | (digit - 1);
	if (p < end && *p == '.') {
		const char *wrong = parse_quad(at, end, &quad);

		if (wrong)
			return wrong;
		if (start_of_all || (*at != end && **at != ':'))
			return WRONG_NOTHING; /* "192.0.2.1:25", say */
		if (*at != end || groups->count + QUAD_GROUPS > GROUPS)
			return WRONG_COUNT;
		groups->value[groups->count++] = (uint16_t)(quad >> 16);
		groups->value[groups->count++] = (uint16_t)quad;
		return NULL;
	}
	if (p == start || (p < end && *p != ':'))
		return p < end && *p == '%' ? WRONG_ZONE : WRONG_GROUP;
	if (groups->count == GROUPS)
		return WRONG_COUNT;
	groups->value[groups->count++] = (uint16_t)value;
	*at = p;
	return NULL;
}

/* What stands between two groups: ":" or "::". Sets `more` if a group must follow. */
static const char *parse_colons(const char **at, const char *end, struct groups *groups, bool *more)
{
	const bool first = groups->count == 0 && groups->gap < 0;
	const char *p = *at;

	*more = true;
	if (p == end || *p != ':')
		return first && p < end ? NULL : WRONG_GROUP;
	p++;
	if (p < end && *p == ':') {
		if (groups->gap >= 0)
			return WRONG_DOUBLE;
		groups->gap = (int)groups->count;
		p++;
		*more = p < end;
	} else if (first) {
		return WRONG_GROUP;
	}
	*at = p;
	return NULL;
}

/* The address of the groups, with zeros where "::" stood. */
static struct addr groups_address(const struct groups *groups)
{
	const unsigned int missing = GROUPS - groups->count;
	struct addr addr = { { 0 } };

	for (unsigned int i = 0; i < groups->count; i++) {
		unsigned int to =
			groups->gap >= 0 && i >= (unsigned int)groups->gap ? i + missing : i;

		addr.byte[2 * to] = (uint8_t)(groups->value[i] >> 8);
		addr.byte[2 * to + 1] = (uint8_t)groups->value[i];
	}
	return addr;
}

static const char *parse_ipv6(const char *at, const char *end, struct addr *out)
{
	struct groups groups = { .gap = -1 };
	const char *wrong = NULL;
	bool more = true;

	/* Every turn reads a group or ends, and there is room for GROUPS of them: that bounds it.
	 */
	while (!wrong && more && (at < end || groups.count == 0)) {
		wrong = parse_colons(&at, end, &groups, &more);
		if (!wrong && more)
			wrong = parse_group(&at, end, &groups);
	}
	if (wrong)
		return wrong;
	if (groups.gap < 0 ? groups.count != GROUPS : groups.count == GROUPS)
		return WRONG_COUNT;
	*out = groups_address(&groups);
	return NULL;
}

/* Why neither parser can be the one that was meant. */
static const char *parse_nothing(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!ascii_is_digit(text[i]) && text[i] != '.')
			return WRONG_NOTHING;
	return len ? WRONG_QUAD : WRONG_NOTHING;
}

/* Sets `dotted` if the address is written as a dotted quad alone. */
static const char *parse_address(const char *text, size_t len, struct addr *out, bool *dotted)
{
	const char *at = text;
	const char *wrong;
	uint32_t quad;

	wrong = len >= QUAD_TEXT_LEAST ? parse_quad(&at, text + len, &quad) : WRONG_QUAD;
	*dotted = !wrong && at == text + len;
	if (*dotted) {
		*out = addr_from_ipv4(quad);
		return NULL;
	}
	if (memchr(text, ':', len))
		return parse_ipv6(text, text + len, out);
	return wrong == WRONG_ZERO ? wrong : parse_nothing(text, len);
}

static int refuse(struct error *err, const char *text, size_t len, const char *wrong)
{
	char shown[TEXT_SHOWN_MAX];

	if (!err)
		return ERROR_USAGE;
	text_clean(shown, sizeof(shown), text, len);
	return error_set(err, ERROR_USAGE, "%s: %s", len ? shown : "\"\"", wrong);
}

int addr_parse(const char *text, size_t len, struct addr *out, struct error *err)
{
	struct addr addr;
	bool dotted;
	const char *wrong = parse_address(text, len, &addr, &dotted);

	if (wrong)
		return refuse(err, text, len, wrong);
	*out = addr;
	return 0;
}

/* The decimal number after "/", without leading zeros; -1 if it is none or above `most`. */
static int parse_length(const char *at, const char *end, unsigned int most)
{
	unsigned int value = 0;

	if (at == end || end - at > (int)LENGTH_DIGITS || (*at == '0' && end - at > 1))
		return -1;
	for (; at < end; at++) {
		if (!ascii_is_digit(*at))
			return -1;
		value = value * 10 + (unsigned int)(*at - '0');
	}
	return value <= most ? (int)value : -1;
}

static int refuse_host_bits(struct error *err, const char *text, size_t len,
			    const struct prefix *meant)
{
	char shown[TEXT_SHOWN_MAX], right[PREFIX_TEXT_MAX];

	if (!err)
		return ERROR_USAGE;
	text_clean(shown, sizeof(shown), text, len);
	return error_set(err, ERROR_USAGE, "%s: host bits are set; the prefix is %s", shown,
			 prefix_format(meant, right));
}

int prefix_parse(const char *text, size_t len, struct prefix *out, struct error *err)
{
	const char *slash = memchr(text, '/', len);
	const size_t address_len = slash ? (size_t)(slash - text) : len;
	unsigned int most = ADDRESS_BITS, offset = 0;
	struct prefix prefix;
	struct addr addr;
	bool dotted;
	const char *wrong = parse_address(text, address_len, &addr, &dotted);
	int length;

	if (wrong)
		return refuse(err, text, len, wrong);
	if (dotted) {
		offset = IPV4_OFFSET;
		most = ADDRESS_BITS - IPV4_OFFSET;
	}
	length = slash ? parse_length(slash + 1, text + len, most) : (int)most;
	if (length < 0)
		return refuse(err, text, len,
			      offset ? "an IPv4 prefix has a length from 0 to 32"
				     : "an IPv6 prefix has a length from 0 to 128");
	prefix = prefix_of(&addr, (unsigned int)length + offset);
	if (memcmp(&prefix.addr, &addr, sizeof(addr)))
		return refuse_host_bits(err, text, len, &prefix);
	*out = prefix;
	return 0;
}
