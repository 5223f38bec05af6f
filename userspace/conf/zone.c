/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/zone.c - reads a row of a list of DNS lists; the grammar is in conf/zone.h.
 *
 * Called for every member of dnsbl.zones and dnsbl.domains, and by whoever has a row from a command
 * line. Strict, because a row that is misread scores all mail wrongly: what is not understood to
 * the last character, or could never count, is refused. Messages repeat the row, but never what may
 * be a key in it. Pure functions; nothing is allocated, and every loop ends with the text or with
 * the 256 values of an octet.
 */
#include "conf/zone.h"

#include <stdio.h>
#include <string.h>

#include "conf/finding.h"
#include "lib/ascii.h"

#define LABEL_MAX  63 /* characters of a label (RFC 1035, 2.3.4) */
#define KEY_LENGTH 20 /* letters and digits from which on a label is taken for a key */
#define OCTET_MAX  255
#define LOOPBACK   127 /* the first octet of every answer that counts (RFC 5782, 2.1) */

/* The words that end a row's parts: replies start with the first, the weight with the second. */
#define PARTS "=*"

#define MESSAGE_MAX    128
#define WANTED_REPLIES "has replies that are not four numbers, sets or masks, as 127.0.0.[2;4..7]"

struct row {
	const char *text; /* all of it */
	const char *at;   /* what is to be read next */
	struct conf_zone zone;
	struct error *err;
};

/* Whether `len` characters of a label are a key, as far as one can see. */
static bool is_key(const char *label, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ascii_is_alphanumeric(label[i]);
	return count >= KEY_LENGTH;
}

/* How much of a row, from its start, may be a key or stand before one. */
static size_t hidden_length(const char *text)
{
	const char *opened = strrchr(text, '{'), *closed = strrchr(text, '}');
	size_t hidden = closed ? (size_t)(closed + 1 - text) : 0, at = hidden, len;

	if (opened && (!closed || closed < opened))
		return strlen(text);
	do {
		len = strcspn(text + at, "." PARTS);
		if (is_key(text + at, len))
			hidden = at + len;
		at += len;
	} while (text[at++] == '.');
	return hidden;
}

char *conf_zone_clean(const char *text, char out[TEXT_SHOWN_MAX])
{
	const size_t hidden = hidden_length(text);
	const size_t used = hidden ? strlen("...") : 0;

	memcpy(out, "...", used);
	text_clean(out + used, TEXT_SHOWN_MAX - used, text + hidden, strlen(text + hidden));
	return out;
}

/* "ROW followed by what is wrong with it". */
static int refuse(const struct row *row, const char *wrong)
{
	char shown[TEXT_SHOWN_MAX];

	conf_zone_clean(row->text, shown);
	return error_set(row->err, ERROR_REFUSED, "%s %s", *shown ? shown : "\"\"", wrong);
}

/* What is wrong with a label, or NULL. */
static const char *label_fault(const char *label, size_t len)
{
	if (len == 0)
		return "has a name with an empty label";
	if (len > LABEL_MAX)
		return "has a name with a label of more than 63 characters";
	for (size_t i = 0; i < len; i++)
		if (!ascii_is_of_label(label[i]))
			return "has a name with something else than letters, digits, \"-\", \"_\" "
			       "and \".\"";
	if (label[0] == '-' || label[len - 1] == '-')
		return "has a name with a label that starts or ends with \"-\"";
	return NULL;
}

/* What is wrong with a name, or NULL. No domain at the top is a number, so one is an address. */
static const char *name_fault(const char *name)
{
	const char *fault = NULL, *label = name;
	size_t len = strcspn(label, ".");

	while (!(fault = label_fault(label, len)) && label[len]) {
		label += len + 1;
		len = strcspn(label, ".");
	}
	if (!fault && strspn(label, "0123456789") == len)
		fault = "has an address or a number where the name of a zone is wanted";
	return fault;
}

/* Appends `len` characters in small letters. The caller has looked whether they fit. */
static void add_name(struct conf_zone *zone, const char *text, size_t len)
{
	const size_t used = strlen(zone->name);

	for (size_t i = 0; i < len; i++)
		zone->name[used + i] = ascii_lower(text[i]);
}

/* Reads "{KEY}" of the name; what follows it begins with the dot. */
static int read_key(struct row *row)
{
	const char *key = row->at + 1, *end = strchr(key, '}');

	if (!end)
		return refuse(row, "has a \"{\" without its \"}\"");
	if (end == key || end - key > CONF_ZONE_LENGTH_MAX)
		return refuse(row, "has nothing, or far too much, for a key in its braces");
	if (end[1] != '.' || !end[2] || strchr(PARTS, end[2]))
		return refuse(row, "has no \".\" and name of a zone behind its key");
	add_name(&row->zone, key, (size_t)(end - key));
	row->zone.shown = (uint16_t)(end - key + 1);
	row->at = end + 1;
	return 0;
}

/* Finds a key that nobody has put in braces. */
static int find_key(struct row *row)
{
	const char *name = row->zone.name;
	const size_t len = strcspn(name, ".");

	if (!is_key(name, len))
		return 0;
	if (!name[len])
		return refuse(row, "has a name that is taken for a key, with no other label "
				   "behind it that could be shown");
	row->zone.shown = (uint16_t)(len + 1);
	return 0;
}

static int read_name(struct row *row)
{
	size_t len, dot;
	const char *fault;

	if (*row->at == '{' && read_key(row))
		return ERROR_REFUSED;
	len = strcspn(row->at, PARTS);
	if (!len)
		return refuse(row, "has no name of a zone");
	dot = len > 1 && row->at[len - 1] == '.';
	if (strlen(row->zone.name) + len - dot > CONF_ZONE_LENGTH_MAX)
		return refuse(row, "has a name of more than 189 characters, which leaves no room "
				   "for an address");
	add_name(&row->zone, row->at, len - dot);
	row->at += len;
	fault = name_fault(row->zone.name);
	if (fault)
		return refuse(row, fault);
	return row->zone.shown ? 0 : find_key(row);
}

static void add_values(struct conf_octets *octet, unsigned int first, unsigned int last)
{
	for (unsigned int value = first; value <= last; value++)
		octet->word[value / 64] |= 1ull << value % 64;
}

static bool has_value(const struct conf_octets *octet, unsigned int value)
{
	return octet->word[value / 64] >> value % 64 & 1;
}

/* Reads a number without needless zeros, which other programs take for octal. */
static const char *read_value(const char **at, unsigned int *out)
{
	const char *digits = *at;
	unsigned int value = 0;

	if (!ascii_is_digit(*digits))
		return WANTED_REPLIES;
	if (digits[0] == '0' && ascii_is_digit(digits[1]))
		return "has a number in its replies that starts with 0";
	for (; ascii_is_digit(**at); (*at)++)
		if (value <= OCTET_MAX)
			value = value * 10 + (unsigned int)(**at - '0');
	if (value > OCTET_MAX)
		return "has a number above 255 in its replies";
	*out = value;
	return NULL;
}

/* Reads "4" or "4..7" of a set. */
static const char *read_range(const char **at, struct conf_octets *octet)
{
	unsigned int first = 0, last;
	const char *fault = read_value(at, &first);

	last = first;
	if (!fault && !strncmp(*at, "..", 2)) {
		*at += 2;
		fault = read_value(at, &last);
	}
	if (!fault && last < first)
		fault = "has a range that ends below its start in its replies";
	if (!fault)
		add_values(octet, first, last);
	return fault;
}

/* Reads a set from behind its "[". */
static const char *read_set(const char **at, struct conf_octets *octet)
{
	const char *fault = read_range(at, octet);

	while (!fault && **at == ';') {
		(*at)++;
		fault = read_range(at, octet);
	}
	if (fault)
		return fault;
	if (**at != ']')
		return "has a set in its replies that is not numbers and ranges with \";\" between "
		       "them, as [2;4..7]";
	(*at)++;
	return NULL;
}

/* Reads a mask from behind its "&". */
static const char *read_mask(const char **at, struct conf_octets *octet)
{
	unsigned int mask = 0;
	const char *fault = read_value(at, &mask);

	if (fault)
		return fault;
	if (!mask)
		return "has the mask &0 in its replies, which no answer matches";
	for (unsigned int value = 1; value <= OCTET_MAX; value++)
		if (value & mask)
			add_values(octet, value, value);
	return NULL;
}

static const char *read_octet(const char **at, struct conf_octets *octet)
{
	unsigned int value = 0;
	const char *fault;

	if (**at == '[' || **at == '&')
		return *(*at)++ == '[' ? read_set(at, octet) : read_mask(at, octet);
	fault = read_value(at, &value);
	if (!fault)
		add_values(octet, value, value);
	return fault;
}

/* Whether all that matches are answers with which lists refuse to answer: 127.255.255.0/24. */
static bool only_errors(const struct conf_zone *zone)
{
	for (unsigned int value = 0; value < OCTET_MAX; value++)
		if (has_value(&zone->reply[1], value) || has_value(&zone->reply[2], value))
			return false;
	return true;
}

static int read_replies(struct row *row)
{
	struct conf_zone *zone = &row->zone;
	const char *fault = NULL;

	row->at++;
	for (int i = 0; i < 4 && !fault; i++) {
		if (i > 0 && *row->at++ != '.')
			return refuse(row, WANTED_REPLIES);
		fault = read_octet(&row->at, &zone->reply[i]);
	}
	if (!fault && *row->at && *row->at != '*')
		fault = "has something else than \"*\" and a weight behind its replies";
	if (!fault && !has_value(&zone->reply[0], LOOPBACK))
		fault = "has replies outside 127.0.0.0/8, which never count";
	if (!fault && only_errors(zone))
		fault = "has only replies that are errors of the list, which never count";
	zone->filtered = 1;
	return fault ? refuse(row, fault) : 0;
}

static int read_weight(struct row *row)
{
	const bool negative = *++row->at == '-';
	const char *digits = row->at + negative;
	const size_t len = strspn(digits, "0123456789");
	char wrong[MESSAGE_MAX];
	int32_t weight = 0;

	for (size_t i = 0; i < len && weight <= SCORE_MAX; i++)
		weight = weight * 10 + (digits[i] - '0');
	if (!len || digits[len] || weight > SCORE_MAX) {
		snprintf(wrong, sizeof(wrong),
			 "has a weight that is not a whole number from -%d to %d", SCORE_MAX,
			 SCORE_MAX);
		return refuse(row, wrong);
	}
	if (!weight)
		return refuse(row, "has a weight of 0, with which it means nothing");
	row->zone.weight = negative ? -weight : weight;
	return 0;
}

int conf_zone_parse(const char *text, struct conf_zone *out, struct error *err)
{
	struct row row = { .text = text, .at = text, .zone = { .weight = 1 }, .err = err };

	if (read_name(&row))
		return ERROR_REFUSED;
	if (*row.at == '=') {
		if (read_replies(&row))
			return ERROR_REFUSED;
	} else {
		add_values(&row.zone.reply[0], LOOPBACK, LOOPBACK);
		for (int i = 1; i < 4; i++)
			add_values(&row.zone.reply[i], 0, OCTET_MAX);
	}
	if (*row.at == '*' && read_weight(&row))
		return ERROR_REFUSED;
	*out = row.zone;
	return 0;
}

bool conf_zone_same(const struct conf_zone *a, const struct conf_zone *b)
{
	return !strcmp(a->name, b->name) && !memcmp(a->reply, b->reply, sizeof(a->reply));
}
