/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_parse.c - implements checks/spf_parse.h.
 *
 * A function a rule of the grammar. Each works on a span that it makes shorter, and none looks
 * behind the end of it. Letters are compared without their case, as ABNF does, and by ASCII.
 */
#include "checks/spf_parse.h"

#include <string.h>

#include "lib/ascii.h"
#include "lib/text.h"

#define CIDR_DIGITS 3

static const char version[] = "v=spf1";
_Static_assert(sizeof(version) - 1 == SPF_START, "terms start behind the version");

enum argument { NO_DOMAIN, MAY_HAVE_DOMAIN, NEEDS_DOMAIN, NEEDS_NETWORK };

/* What may be behind a mechanism's name. */
static const struct mechanism {
	const char *name;
	enum argument argument;
	bool cidr; /* a dual-cidr-length */
} mechanisms[] = {
	[SPF_ALL] = { "all", NO_DOMAIN, false },
	[SPF_INCLUDE] = { "include", NEEDS_DOMAIN, false },
	[SPF_A] = { "a", MAY_HAVE_DOMAIN, true },
	[SPF_MX] = { "mx", MAY_HAVE_DOMAIN, true },
	[SPF_PTR] = { "ptr", MAY_HAVE_DOMAIN, false },
	[SPF_IP4] = { "ip4", NEEDS_NETWORK, false },
	[SPF_IP6] = { "ip6", NEEDS_NETWORK, false },
	[SPF_EXISTS] = { "exists", NEEDS_DOMAIN, false },
};
#define MECHANISMS (sizeof(mechanisms) / sizeof(mechanisms[0]))

static bool same_letter(char a, char b)
{
	return a == b || (ascii_is_letter(a) && ascii_is_letter(b) && (a | 0x20) == (b | 0x20));
}

static bool span_is(struct spf_span span, const char *word)
{
	size_t i = 0;

	while (i < span.length && word[i] && same_letter(span.at[i], word[i]))
		i++;
	return i == span.length && !word[i];
}

static struct spf_span span_behind(struct spf_span span, size_t count)
{
	return (struct spf_span){ span.at + count, span.length - count };
}

static int bad_term(struct spf_span term, const char *why, struct error *err)
{
	char shown[TEXT_SHOWN_MAX];

	text_clean(shown, sizeof(shown), term.at, term.length);
	return error_set(err, ERROR_REFUSED, "%s: %s", shown, why);
}

/* domain-spec */

/* toplabel: letters, digits and inner hyphens, and not digits alone. */
static bool is_toplabel(struct spf_span label)
{
	bool more_than_digits = false;

	if (!label.length || !ascii_is_alphanumeric(label.at[0]) ||
	    !ascii_is_alphanumeric(label.at[label.length - 1]))
		return false;
	for (size_t i = 0; i < label.length; i++) {
		if (!ascii_is_alphanumeric(label.at[i]) && label.at[i] != '-')
			return false;
		more_than_digits |= !ascii_is_digit(label.at[i]);
	}
	return more_than_digits;
}

/* The literal that ends a domain-spec: anything, "." toplabel [ "." ]. */
static bool is_domain_end(struct spf_span literal)
{
	struct spf_span label;

	if (literal.length && literal.at[literal.length - 1] == '.')
		literal.length--;
	label = span_behind(literal, literal.length);
	while (label.at > literal.at && label.at[-1] != '.') {
		label.at--;
		label.length++;
	}
	return label.at > literal.at && is_toplabel(label);
}

static bool is_domain_spec(struct spf_span spec)
{
	struct spf_piece piece;
	bool literal = true;

	if (!spec.length)
		return false;
	while (spec.length) {
		literal = *spec.at != '%';
		if (!spf_macro_next(&spec, SPF_IN_RECORD, &piece))
			return false;
	}
	return !literal || is_domain_end(piece.literal);
}

/* ip4-cidr-length and ip6-cidr-length */

/* "0", or digits that do not begin with 0; at most `max`. */
static bool read_cidr(struct spf_span digits, unsigned int max, uint8_t *out)
{
	unsigned int value = 0;

	if (!digits.length || digits.length > CIDR_DIGITS ||
	    (digits.at[0] == '0' && digits.length > 1))
		return false;
	for (size_t i = 0; i < digits.length; i++) {
		if (!ascii_is_digit(digits.at[i]))
			return false;
		value = value * 10 + (unsigned int)(digits.at[i] - '0');
	}
	*out = (uint8_t)value;
	return value <= max;
}

/* The digits that a span ends with, if `before` is in front of them; takes both away. */
static bool take_ending(struct spf_span *span, const char *before, struct spf_span *digits)
{
	size_t start = span->length;
	const size_t length = strlen(before);

	while (start > 0 && ascii_is_digit(span->at[start - 1]))
		start--;
	if (start == span->length || start < length ||
	    memcmp(span->at + start - length, before, length) != 0)
		return false;
	*digits = span_behind(*span, start);
	span->length = start - length;
	return true;
}

/*
 * dual-cidr-length at the end of an argument. A domain-spec never ends in "/" and digits, so it is
 * plain where it begins.
 */
static bool take_dual_cidr(struct spf_span *argument, struct spf_term *term)
{
	struct spf_span digits;

	if (take_ending(argument, "//", &digits) && !read_cidr(digits, 128, &term->cidr6))
		return false;
	return !take_ending(argument, "/", &digits) || read_cidr(digits, 32, &term->cidr4);
}

/* ip4-network and ip6-network with their lengths */

static bool read_network(struct spf_span argument, struct spf_term *term)
{
	const bool six = term->kind == SPF_IP6;
	struct spf_span digits = { 0 }, network = argument;
	const char *slash = memchr(argument.at, '/', argument.length);

	if (slash) {
		network.length = (size_t)(slash - argument.at);
		digits = span_behind(argument, network.length + 1);
	}
	if ((memchr(network.at, ':', network.length) != NULL) != six ||
	    addr_parse(network.at, network.length, &term->network, NULL) < 0)
		return false;
	return !slash || read_cidr(digits, six ? 128 : 32, six ? &term->cidr6 : &term->cidr4);
}

/* Terms */

/* What is behind the name of a mechanism, with the ":" or "/" that it begins with. */
static const char *read_argument(struct spf_span argument, struct spf_term *term)
{
	const struct mechanism *mechanism = &mechanisms[term->kind];
	const bool given = argument.length && argument.at[0] == ':';

	if (given)
		argument = span_behind(argument, 1);
	if (mechanism->argument == NEEDS_NETWORK)
		return given && read_network(argument, term) ? NULL : "not a network";
	if (mechanism->cidr && !take_dual_cidr(&argument, term))
		return "not a length of a prefix";
	if (given && mechanism->argument != NO_DOMAIN) {
		term->spec = argument;
		return is_domain_spec(argument) ? NULL : "not a domain";
	}
	if (argument.length || given)
		return "this cannot be behind the name of the mechanism";
	return mechanism->argument == NEEDS_DOMAIN ? "the domain is missing" : NULL;
}

static int read_mechanism(struct spf_span rest, struct spf_term *term, struct error *err)
{
	struct spf_span name = { rest.at, 0 };
	const char *wrong;

	term->qualifier = '+';
	if (rest.length && strchr("+-?~", rest.at[0]) && rest.at[0]) {
		term->qualifier = rest.at[0];
		rest = span_behind(rest, 1);
		name.at = rest.at;
	}
	while (name.length < rest.length && rest.at[name.length] != ':' &&
	       rest.at[name.length] != '/')
		name.length++;
	for (term->kind = 0; term->kind < MECHANISMS; term->kind++)
		if (span_is(name, mechanisms[term->kind].name))
			break;
	if (term->kind == MECHANISMS)
		return bad_term(term->text, "there is no such mechanism", err);
	wrong = read_argument(span_behind(rest, name.length), term);
	return wrong ? bad_term(term->text, wrong, err) : 0;
}

static int read_modifier(size_t name_length, struct spf_term *term, struct error *err)
{
	const struct spf_span name = { term->text.at, name_length };

	term->spec = span_behind(term->text, name_length + 1);
	term->kind = SPF_OTHER_MODIFIER;
	if (span_is(name, "redirect"))
		term->kind = SPF_REDIRECT;
	else if (span_is(name, "exp"))
		term->kind = SPF_EXP;
	if (term->kind == SPF_OTHER_MODIFIER) {
		if (!spf_macro_valid(term->spec, SPF_IN_RECORD))
			return bad_term(term->text, "not a macro string", err);
	} else if (!is_domain_spec(term->spec)) {
		return bad_term(term->text, "not a domain", err);
	}
	return 0;
}

/* The length of a modifier's name, which "=" is behind; 0 if the term is no modifier. */
static size_t modifier_name(struct spf_span term)
{
	size_t length = 0;

	if (!term.length || !ascii_is_letter(term.at[0]))
		return 0;
	while (length < term.length &&
	       (ascii_is_alphanumeric(term.at[length]) || term.at[length] == '-' ||
		term.at[length] == '_' || term.at[length] == '.'))
		length++;
	return length < term.length && term.at[length] == '=' ? length : 0;
}

static int read_term(struct spf_term *term, struct error *err)
{
	const size_t name_length = modifier_name(term->text);

	return name_length ? read_modifier(name_length, term, err)
			   : read_mechanism(term->text, term, err);
}

/* The next term, which is not read yet. Terms are parted by blanks. */
static bool find_term(struct spf_span record, size_t *place, struct spf_term *term)
{
	const char *blank;
	size_t start = *place, end;

	while (start < record.length && record.at[start] == ' ')
		start++;
	blank = memchr(record.at + start, ' ', record.length - start);
	end = blank ? (size_t)(blank - record.at) : record.length;
	*place = end;
	*term = (struct spf_term){
		.text = { record.at + start, end - start },
		.cidr4 = 32,
		.cidr6 = 128,
	};
	return end > start;
}

bool spf_is_record(struct spf_span text)
{
	if (text.length < SPF_START || (text.length > SPF_START && text.at[SPF_START] != ' '))
		return false;
	return span_is((struct spf_span){ text.at, SPF_START }, version);
}

/* redirect and exp: at most once each (section 6). */
static int keep_modifier(const struct spf_term *term, struct spf_record *record, struct error *err)
{
	struct spf_span *kept = term->kind == SPF_EXP ? &record->exp : &record->redirect;

	if (kept->length)
		return bad_term(term->text, "this modifier is there twice", err);
	*kept = term->spec;
	if (term->kind == SPF_REDIRECT)
		record->redirect_term = term->text;
	return 0;
}

int spf_parse(struct spf_span text, struct spf_record *out, struct error *err)
{
	struct spf_record record = { .text = text };
	struct spf_term term;
	size_t place = SPF_START;

	while (find_term(text, &place, &term)) {
		if (read_term(&term, err) < 0)
			return ERROR_REFUSED;
		if ((term.kind == SPF_REDIRECT || term.kind == SPF_EXP) &&
		    keep_modifier(&term, &record, err) < 0)
			return ERROR_REFUSED;
	}
	*out = record;
	return 0;
}

bool spf_next(const struct spf_record *record, size_t *place, struct spf_term *out)
{
	while (find_term(record->text, place, out))
		if (read_term(out, NULL) == 0 && out->kind < MECHANISMS)
			return true;
	return false;
}
