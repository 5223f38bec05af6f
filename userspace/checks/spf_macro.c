/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_macro.c - implements checks/spf_macro.h.
 *
 * A macro string is read piece by piece, once to see that it is right and once to expand it, by the
 * same function. A value is never split into a list: the right-hand parts are found by counting
 * delimiters from one end, so a value may have any length and any number of parts.
 */
#include "checks/spf_macro.h"

#include <stdio.h>
#include <string.h>

#include "lib/ascii.h"

#define PARTS_MAX   65535u /* a higher number of parts means all as well; 7.3 asks for 127 */
#define VALUE_MAX   64     /* of a value that is made here: an address, dotted nibbles, a time */
#define EXPAND_KEEP 512    /* octets of the end of a name that are kept while it is expanded */

static const char unknown[] = "unknown";

/* Syntax. */

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static char span_take(struct spf_span *rest)
{
	if (!rest->length)
		return '\0';
	rest->length--;
	return *rest->at++;
}

/* The transformers: *DIGIT [ "r" ]. A number of parts must not be 0 (7.3). */
static bool take_transformers(struct spf_span *rest, struct spf_piece *piece)
{
	bool number = false;

	piece->parts = 0;
	while (rest->length && ascii_is_digit(*rest->at)) {
		number = true;
		piece->parts = piece->parts * 10 + (unsigned int)(span_take(rest) - '0');
		if (piece->parts > PARTS_MAX)
			piece->parts = PARTS_MAX;
	}
	piece->reverse = rest->length && ascii_lower(*rest->at) == 'r';
	if (piece->reverse)
		span_take(rest);
	return !number || piece->parts;
}

/* What is behind "%{". */
static bool take_macro(struct spf_span *rest, enum spf_place place, struct spf_piece *piece)
{
	const char letter = span_take(rest);

	piece->letter = ascii_lower(letter);
	piece->escape = letter != piece->letter;
	if (!is_one_of(piece->letter, place == SPF_IN_EXPLANATION ? "slodiphvcrt" : "slodiphv") ||
	    !take_transformers(rest, piece))
		return false;
	piece->delimiters = (struct spf_span){ .at = rest->at };
	while (rest->length && is_one_of(*rest->at, ".-+,/_=")) {
		span_take(rest);
		piece->delimiters.length++;
	}
	return span_take(rest) == '}';
}

static bool take_percent(struct spf_span *rest, enum spf_place place, struct spf_piece *piece)
{
	switch (span_take(rest)) {
	case '{':
		return take_macro(rest, place, piece);
	case '%':
		piece->literal = (struct spf_span){ "%", 1 };
		return true;
	case '_':
		piece->literal = (struct spf_span){ " ", 1 };
		return true;
	case '-':
		piece->literal = (struct spf_span){ "%20", 3 };
		return true;
	default:
		return false;
	}
}

static bool is_literal(char c, enum spf_place place)
{
	return (c > ' ' && c <= '~' && c != '%') || (c == ' ' && place == SPF_IN_EXPLANATION);
}

bool spf_macro_next(struct spf_span *rest, enum spf_place place, struct spf_piece *piece)
{
	*piece = (struct spf_piece){ .literal.at = rest->at };
	if (*rest->at == '%') {
		span_take(rest);
		return take_percent(rest, place, piece);
	}
	while (piece->literal.length < rest->length &&
	       is_literal(rest->at[piece->literal.length], place))
		piece->literal.length++;
	rest->at += piece->literal.length;
	rest->length -= piece->literal.length;
	return piece->literal.length > 0;
}

bool spf_macro_valid(struct spf_span text, enum spf_place place)
{
	struct spf_piece piece;

	while (text.length)
		if (!spf_macro_next(&text, place, &piece))
			return false;
	return true;
}

bool spf_macro_wants_name(struct spf_span text, enum spf_place place)
{
	struct spf_piece piece;

	if (!text.length || !memchr(text.at, '%', text.length))
		return false;
	while (text.length && spf_macro_next(&text, place, &piece))
		if (piece.letter == 'p')
			return true;
	return false;
}

/* Expansion. */

/* Where the expansion goes. Of a name the end is kept, of an explanation the start. */
struct sink {
	char *out;
	size_t size, used;
	bool keep_end;
	bool escape;
};

static void sink_put(struct sink *sink, char c)
{
	if (sink->used == sink->size) {
		if (!sink->keep_end)
			return;
		sink->used = sink->size / 2;
		memmove(sink->out, sink->out + sink->size - sink->used, sink->used);
	}
	sink->out[sink->used++] = c;
}

static void sink_literal(struct sink *sink, struct spf_span literal)
{
	if (literal.length <= sink->size - sink->used) {
		memcpy(sink->out + sink->used, literal.at, literal.length);
		sink->used += literal.length;
		return;
	}
	for (size_t i = 0; i < literal.length; i++)
		sink_put(sink, literal.at[i]);
}

/* The unreserved characters of RFC 3986 2.3. */
static bool is_unreserved(char c)
{
	return ascii_is_alphanumeric(c) || is_one_of(c, "-._~");
}

static void sink_value(struct sink *sink, char c)
{
	static const char digits[] = "0123456789ABCDEF";

	if (!sink->escape || is_unreserved(c)) {
		sink_put(sink, c);
		return;
	}
	sink_put(sink, '%');
	sink_put(sink, digits[(unsigned char)c >> 4]);
	sink_put(sink, digits[(unsigned char)c & 0xf]);
}

static bool is_delimiter(char c, const struct spf_piece *piece)
{
	if (!piece->delimiters.length)
		return c == '.';
	return memchr(piece->delimiters.at, c, piece->delimiters.length);
}

/* The right-hand parts in their order, joined by dots. */
static void put_forward(struct sink *sink, struct spf_span value, const struct spf_piece *piece)
{
	size_t start = value.length, found = 0;

	while (start > 0) {
		if (is_delimiter(value.at[start - 1], piece) && ++found == piece->parts)
			break;
		start--;
	}
	for (size_t i = start; i < value.length; i++)
		sink_value(sink, is_delimiter(value.at[i], piece) ? '.' : value.at[i]);
}

/* The same of the reversed list, whose right-hand parts are the first ones of the value. */
static void put_reverse(struct sink *sink, struct spf_span value, const struct spf_piece *piece)
{
	size_t end = 0, found = 0, start;

	while (end < value.length) {
		if (is_delimiter(value.at[end], piece) && ++found == piece->parts)
			break;
		end++;
	}
	for (;; end = start - 1) {
		start = end;
		while (start > 0 && !is_delimiter(value.at[start - 1], piece))
			start--;
		for (size_t i = start; i < end; i++)
			sink_value(sink, value.at[i]);
		if (!start)
			return;
		sink_value(sink, '.');
	}
}

/* "C.A.F.E..." of IPv6, for names below ip6.arpa; the dotted quad of IPv4. */
static void format_dotted(const struct addr *ip, char out[VALUE_MAX])
{
	static const char digits[] = "0123456789ABCDEF";
	char *at = out;

	if (addr_is_ipv4(ip)) {
		addr_format(ip, out);
		return;
	}
	for (size_t i = 0; i < sizeof(ip->byte); i++) {
		*at++ = digits[ip->byte[i] >> 4];
		*at++ = '.';
		*at++ = digits[ip->byte[i] & 0xf];
		*at++ = '.';
	}
	at[-1] = '\0';
}

_Static_assert(VALUE_MAX >= PREFIX_TEXT_MAX, "an address fits");

/* The text of a letter; what has to be made is made in `made`. */
static const char *value_of(char letter, const struct spf_macros *macros, char made[VALUE_MAX])
{
	switch (letter) {
	case 's':
		return macros->mailbox;
	case 'l':
		return macros->local;
	case 'o':
		return macros->sender;
	case 'd':
		return macros->domain;
	case 'h':
		return macros->helo;
	case 'p':
		return macros->validated ? macros->validated : unknown;
	case 'r':
		return macros->receiver ? macros->receiver : unknown;
	case 'v':
		return addr_is_ipv4(&macros->ip) ? "in-addr" : "ip6";
	case 'i':
		format_dotted(&macros->ip, made);
		return made;
	case 'c':
		return addr_format(&macros->ip, made);
	default: /* t */
		snprintf(made, VALUE_MAX, "%llu", (unsigned long long)macros->time);
		return made;
	}
}

static void put_value(struct sink *sink, struct spf_span value, const struct spf_piece *piece)
{
	if (piece->reverse)
		put_reverse(sink, value, piece);
	else
		put_forward(sink, value, piece);
}

static void put_piece(struct sink *sink, const struct spf_piece *piece,
		      const struct spf_macros *macros)
{
	char made[VALUE_MAX];
	const char *value;

	sink->escape = piece->escape;
	if (piece->letter) {
		value = value_of(piece->letter, macros, made);
		put_value(sink, (struct spf_span){ value, strlen(value) }, piece);
		return;
	}
	sink_literal(sink, piece->literal);
}

static void put_text(struct sink *sink, struct spf_span text, enum spf_place place,
		     const struct spf_macros *macros)
{
	struct spf_piece piece;

	while (text.length && spf_macro_next(&text, place, &piece))
		put_piece(sink, &piece, macros);
}

/* Takes labels away from the left until the rest fits; a last label that does not is kept. */
static struct spf_span cut_name(struct spf_span name)
{
	const char *dot;

	while (name.length > DNS_NAME_MAX && (dot = memchr(name.at, '.', name.length))) {
		name.length -= (size_t)(dot + 1 - name.at);
		name.at = dot + 1;
	}
	if (name.length > DNS_NAME_MAX)
		name.length = DNS_NAME_MAX;
	return name;
}

void spf_macro_domain(struct spf_span spec, const struct spf_macros *macros,
		      char out[DNS_NAME_MAX + 1])
{
	char text[2 * EXPAND_KEEP];
	struct sink sink = { .out = text, .size = sizeof(text), .keep_end = true };
	struct spf_span name;

	put_text(&sink, spec, SPF_IN_RECORD, macros);
	if (sink.used && text[sink.used - 1] == '.')
		sink.used--;
	name = cut_name((struct spf_span){ text, sink.used });
	memcpy(out, name.at, name.length);
	out[name.length] = '\0';
}

void spf_macro_explanation(struct spf_span text, const struct spf_macros *macros, char *out,
			   size_t size)
{
	struct sink sink = { .out = out, .size = size - 1 };

	put_text(&sink, text, SPF_IN_EXPLANATION, macros);
	for (size_t i = 0; i < sink.used; i++)
		if (out[i] < ' ' || out[i] > '~')
			out[i] = '?';
	out[sink.used] = '\0';
}

bool spf_name_valid(const char *name)
{
	size_t total = 0, label;

	for (;; total++) {
		label = strcspn(name + total, ".");
		if (label < 1 || label > DNS_LABEL_MAX)
			return false;
		total += label;
		if (!name[total])
			return total <= DNS_NAME_MAX;
	}
}
