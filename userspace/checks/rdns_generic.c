/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/rdns_generic.c - implements rdns_is_generic() of checks/rdns.h: is a host name made of the
 * address?
 *
 * The name is cut into pieces of digits, decimal for IPv4 and hexadecimal in any case, and the
 * address, or its reverse, is looked for as neighbours among them, in small letters. Only host
 * names come here, so a name has at most DNS_NAME_MAX octets, and half as many pieces; all that is
 * done for a piece is bounded by the length of a label.
 */
#include "checks/rdns.h"

#include <stdio.h>
#include <string.h>

#include "checks/host.h"

#define PIECES_MAX    ((DNS_NAME_MAX + 1) / 2)
#define OCTETS        4u
#define OCTETS_ENOUGH 3u /* neighbours that count, parted by "-", "." or "_" */
#define RUN_LEAST     8u /* digits of a number without parts that is no accident */
#define OCTET_DIGITS  3u
#define GROUP_DIGITS  4u
#define GROUPS_ENOUGH 4u
#define NIBBLES       32u

/* How a piece is parted from the one before it. */
enum parting { PARTED_WIDELY, PARTED_BY_MARK, PARTED_BY_LETTER };

struct piece {
	size_t start, length; /* in the name */
	enum parting parting;
	uint32_t value; /* as a number of the base; UINT32_MAX if it is none that counts */
};

struct pieces {
	size_t count;
	struct piece piece[PIECES_MAX];
};

static bool is_mark(char c)
{
	return c == '-' || c == '.' || c == '_';
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_digit_of(char c, int base)
{
	return base == 16 ? is_hex(c) : c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Of pieces of at most `digits` digits; more are no octet and no group. */
static uint32_t piece_value(const char *start, size_t length, int base, size_t digits)
{
	uint32_t value = 0;

	if (length > digits)
		return UINT32_MAX;
	for (size_t i = 0; i < length; i++) {
		const int digit = start[i] <= '9' ? start[i] - '0' : start[i] - 'a' + 10;

		value = value * (uint32_t)base + (uint32_t)digit;
	}
	return value;
}

/* Cuts into pieces that are all digits of the base, with at most so many digits to a value. */
static void cut(const char *name, int base, size_t digits, struct pieces *out)
{
	size_t end = 0;

	out->count = 0;
	for (size_t i = 0; name[i] && out->count < PIECES_MAX;) {
		struct piece *piece = &out->piece[out->count];

		if (!is_digit_of(name[i], base)) {
			i++;
			continue;
		}
		*piece = (struct piece){ .start = i, .parting = PARTED_WIDELY };
		if (out->count && i == end + 1)
			piece->parting = is_mark(name[end]) ? PARTED_BY_MARK : PARTED_BY_LETTER;
		while (is_digit_of(name[i], base))
			i++;
		end = i;
		piece->length = end - piece->start;
		piece->value = piece_value(name + piece->start, piece->length, base, digits);
		out->count++;
	}
}

/* How many pieces from `first` on are those numbers in their order, each parted as is allowed. */
static size_t neighbours(const struct pieces *pieces, size_t first, const uint32_t *number,
			 size_t numbers, enum parting widest)
{
	size_t i = 0;

	while (i < numbers && first + i < pieces->count) {
		const struct piece *piece = &pieces->piece[first + i];

		if (piece->value != number[i])
			break;
		if (i && (piece->parting == PARTED_WIDELY || piece->parting > widest))
			break;
		i++;
	}
	return i;
}

/* Whether `enough` of the numbers, which are neighbours among them, are neighbours in the name. */
static bool holds_numbers(const struct pieces *pieces, const uint32_t *number, size_t numbers,
			  size_t enough, enum parting widest)
{
	for (size_t first = 0; first < pieces->count; first++)
		for (size_t from = 0; from + enough <= numbers; from++)
			if (neighbours(pieces, first, number + from, numbers - from, widest) >=
			    enough)
				return true;
	return false;
}

static bool holds_text(const char *name, const char *text)
{
	return strstr(name, text) != NULL;
}

/* IPv4 */

/* A piece that is that text and nothing more, and long enough to mean something. */
static bool holds_run(const char *name, const struct pieces *pieces, const char *text)
{
	const size_t length = strlen(text);

	for (size_t i = 0; length >= RUN_LEAST && i < pieces->count; i++)
		if (pieces->piece[i].length == length &&
		    memcmp(name + pieces->piece[i].start, text, length) == 0)
			return true;
	return false;
}

/* The octets in one order, parted. */
static bool holds_octets(const struct pieces *decimal, const struct pieces *hex,
			 const uint32_t octet[OCTETS])
{
	return holds_numbers(decimal, octet, OCTETS, OCTETS_ENOUGH, PARTED_BY_MARK) ||
	       holds_numbers(decimal, octet, OCTETS, OCTETS, PARTED_BY_LETTER) ||
	       holds_numbers(hex, octet, OCTETS, OCTETS, PARTED_BY_MARK);
}

/* The octets in one order, run together. */
static bool holds_joined(const char *name, const struct pieces *decimal,
			 const uint32_t octet[OCTETS])
{
	char run[OCTETS * 3 + 1], filled[OCTETS * 3 + 1], digits[OCTETS * 2 + 1];

	snprintf(run, sizeof(run), "%u%u%u%u", octet[0] & 0xff, octet[1] & 0xff, octet[2] & 0xff,
		 octet[3] & 0xff);
	snprintf(filled, sizeof(filled), "%03u%03u%03u%03u", octet[0] & 0xff, octet[1] & 0xff,
		 octet[2] & 0xff, octet[3] & 0xff);
	snprintf(digits, sizeof(digits), "%02x%02x%02x%02x", octet[0] & 0xff, octet[1] & 0xff,
		 octet[2] & 0xff, octet[3] & 0xff);
	return holds_run(name, decimal, run) || holds_run(name, decimal, filled) ||
	       holds_text(name, digits);
}

/* Whether there are so many digits in a row that they can be an address: most names have not. */
static bool has_long_piece(const struct pieces *hex)
{
	for (size_t i = 0; i < hex->count; i++)
		if (hex->piece[i].length >= RUN_LEAST)
			return true;
	return false;
}

static bool holds_ipv4(const char *name, uint32_t addr)
{
	uint32_t octet[OCTETS], reverse[OCTETS];
	struct pieces decimal, hex;
	char number[sizeof("4294967295")];

	for (size_t i = 0; i < OCTETS; i++) {
		octet[i] = addr >> (24 - 8 * i) & 0xff;
		reverse[OCTETS - 1 - i] = octet[i];
	}
	cut(name, 10, OCTET_DIGITS, &decimal);
	cut(name, 16, 2, &hex);
	if (holds_octets(&decimal, &hex, octet) || holds_octets(&decimal, &hex, reverse))
		return true;
	if (!has_long_piece(&hex))
		return false;
	snprintf(number, sizeof(number), "%u", addr);
	return holds_joined(name, &decimal, octet) || holds_joined(name, &decimal, reverse) ||
	       holds_run(name, &decimal, number);
}

/* IPv6 */

static void nibbles_of(const struct addr *addr, char forward[NIBBLES + 1],
		       char backward[NIBBLES + 1])
{
	for (size_t i = 0; i < sizeof(addr->byte); i++)
		snprintf(forward + 2 * i, 3, "%02x", addr->byte[i]);
	for (size_t i = 0; i < NIBBLES; i++)
		backward[i] = forward[NIBBLES - 1 - i];
	backward[NIBBLES] = '\0';
}

/* Half an address that is not mostly zero, as sixteen nibbles or four groups. */
static bool holds_half(const char *joined, const struct pieces *groups, uint64_t half)
{
	uint32_t group[GROUPS_ENOUGH];
	char nibbles[NIBBLES / 2 + 1];
	size_t filled = 0;

	for (size_t i = 0; i < GROUPS_ENOUGH; i++) {
		group[i] = (uint32_t)(half >> (48 - 16 * i) & 0xffff);
		filled += group[i] != 0;
	}
	if (filled < 2)
		return false;
	snprintf(nibbles, sizeof(nibbles), "%016llx", (unsigned long long)half);
	return holds_text(joined, nibbles) ||
	       holds_numbers(groups, group, GROUPS_ENOUGH, GROUPS_ENOUGH, PARTED_BY_MARK);
}

/* The text of an address with "-" for ":", from this place to where the words end to be digits. */
static bool is_written(const char *at, const struct addr *addr)
{
	char text[DNS_LABEL_MAX + 1];
	size_t length = 0, end = 0;
	struct addr read;

	for (; length < DNS_LABEL_MAX && (is_hex(at[length]) || at[length] == '-'); length++) {
		text[length] = at[length] == '-' ? ':' : at[length];
		if (at[length] != '-')
			end = length + 1;
	}
	/* A word that goes on with other letters is no group. */
	if (at[length] && !is_mark(at[length]))
		while (end && text[end - 1] != ':')
			end--;
	while (end && text[end - 1] == ':')
		end--;
	return end && addr_parse(text, end, &read, NULL) == 0 &&
	       memcmp(&read, addr, sizeof(read)) == 0;
}

static bool holds_written(const char *name, const struct pieces *groups, const struct addr *addr)
{
	for (size_t i = 0; i < groups->count; i++) {
		const size_t start = groups->piece[i].start;

		if ((!start || is_mark(name[start - 1])) && is_written(name + start, addr))
			return true;
	}
	return false;
}

static void join(const char *name, char out[DNS_NAME_MAX + 1])
{
	for (; *name; name++)
		if (!is_mark(*name))
			*out++ = *name;
	*out = '\0';
}

static bool holds_ipv6(const char *name, const struct addr *addr)
{
	char joined[DNS_NAME_MAX + 1], forward[NIBBLES + 1], backward[NIBBLES + 1];
	struct pieces groups;

	join(name, joined);
	nibbles_of(addr, forward, backward);
	cut(name, 16, GROUP_DIGITS, &groups);
	return holds_text(joined, forward) || holds_text(joined, backward) ||
	       holds_written(name, &groups, addr) || holds_half(joined, &groups, addr_high(addr)) ||
	       holds_half(joined, &groups, addr_low(addr));
}

/* Words */

struct word {
	const char *text;
	size_t length;
};

#define WORD(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}
#define WORDS(list) list, sizeof(list) / sizeof((list)[0])

static const struct word mail_words[] = {
	WORD("mail"), WORD("mx"),       WORD("smtp"),   WORD("mta"),     WORD("relay"),
	WORD("out"),  WORD("outbound"), WORD("mailer"), WORD("mailout"), WORD("mxout"),
};

static const struct word dynamic_words[] = {
	WORD("dyn"),    WORD("dynamic"),   WORD("dynip"),    WORD("dhcp"),    WORD("dsl"),
	WORD("adsl"),   WORD("vdsl"),      WORD("xdsl"),     WORD("cable"),   WORD("pool"),
	WORD("pools"),  WORD("ppp"),       WORD("pppoe"),    WORD("dial"),    WORD("dialup"),
	WORD("dialin"), WORD("cust"),      WORD("client"),   WORD("fttx"),    WORD("ftth"),
	WORD("mobile"), WORD("broadband"), WORD("customer"), WORD("clients"), WORD("lte"),
	WORD("wifi"),   WORD("cpe"),       WORD("modem"),    WORD("dip"),
};

/* The letters at the start of a text. */
static size_t word_length(const char *text)
{
	size_t length = 0;

	while (is_letter(text[length]))
		length++;
	return length;
}

static bool is_one_of(const char *text, size_t length, const struct word *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].length == length && memcmp(text, words[i].text, length) == 0)
			return true;
	return false;
}

static bool says_dynamic(const char *name)
{
	while (*name) {
		const size_t length = word_length(name);

		if (is_one_of(name, length, WORDS(dynamic_words)))
			return true;
		name += length ? length : 1;
	}
	return false;
}

static bool says_mail(const char *name)
{
	return is_one_of(name, word_length(name), WORDS(mail_words));
}

static void fold(const char *name, char out[DNS_NAME_MAX + 1])
{
	for (; *name; name++)
		*out++ = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
	*out = '\0';
}

bool rdns_is_generic(const char *name, const struct addr *addr)
{
	char folded[DNS_NAME_MAX + 1];

	if (!host_name_is_valid(name, true))
		return false;
	fold(name, folded);
	if (says_mail(folded) && !says_dynamic(folded))
		return false;
	return addr_is_ipv4(addr) ? holds_ipv4(folded, addr_ipv4(addr)) : holds_ipv6(folded, addr);
}
