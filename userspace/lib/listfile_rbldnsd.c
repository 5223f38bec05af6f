/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_rbldnsd.c - zone files of rbldnsd: the data sets ip4set, ip4tset, ip4trie, ip6trie
 * and ip6tset, on their own or several in one file.
 *
 *   $DATASET ip4set:name sub @   starts a data set; those of names (dnset, generic) are ignored
 *   $SOA $NS $TTL $TIMESTAMP     ignored
 *   $MAXRANGE4 /24               ranges with more addresses are ignored, as rbldnsd does
 *   $1 text, $= text             variables of the texts
 *   :127.0.0.2:text $            the default for the entries that follow
 *   192.0.2 :3:text              an entry with its own value and text; see lib/listfile_octets.c
 *   !192.0.2.1                   an exclusion
 *
 * The text becomes the reason, or the value (127.0.0.3) where there is none. Variables are filled
 * in, but a "$" that stands for the address stays, because one reason serves many addresses. An
 * exclusion reaches as far as in rbldnsd: in the tries to whatever is not more specific, and in
 * ip4set, which sorts by octets, to the end of its octet. A file without $DATASET is taken for
 * an ip4set where it holds IPv4, because then rather less than more is blocked.
 */
#include <string.h>

#include "lib/listfile_internal.h"
#include "lib/listfile_rbldnsd.h"

#define VARIABLES     11 /* $0 to $9, and $= */
#define BASE_TEMPLATE 10
#define VALUE_MAX     64 /* bytes of a value that is shown as a reason */
#define IPV4_BITS     32u

enum dataset_kind { DATASET_ANY, DATASET_IPV4, DATASET_IPV6, DATASET_IGNORED };

struct dataset_type {
	const char *name;
	enum dataset_kind kind;
	bool by_octet; /* how far exclusions reach */
};

static const struct dataset_type no_dataset = { "", DATASET_ANY, true };

static const struct dataset_type dataset_types[] = {
	{ "ip4set", DATASET_IPV4, true },     { "ip4tset", DATASET_IPV4, true },
	{ "ip4trie", DATASET_IPV4, false },   { "ip6trie", DATASET_IPV6, false },
	{ "ip6tset", DATASET_IPV6, false },   { "dnset", DATASET_IGNORED, false },
	{ "dnvset", DATASET_IGNORED, false }, { "generic", DATASET_IGNORED, false },
	{ "acl", DATASET_IGNORED, false },
};

/* ":127.0.0.2:text", ":127.0.0.2" or "text". */
struct value {
	struct span address;
	struct span text;
	bool has_text; /* also an empty one: it stands for none */
};

struct rbldnsd_state {
	const struct dataset_type *type; /* NULL: none yet */
	struct value standard;           /* the default */
	bool noted;                      /* `note` is that of `standard` */
	uint32_t note;
	struct span common[VARIABLES]; /* set before the first $DATASET: for all of them */
	struct span variable[VARIABLES];
	uint64_t range_max; /* addresses of an IPv4 entry; 0: any number */
};

static struct value parse_value(struct span text)
{
	struct value value = { .text = text, .has_text = !span_empty(text) };
	const char *colon;

	if (span_empty(text) || *text.at != ':')
		return value;
	value.address.at = text.at + 1;
	colon = memchr(value.address.at, ':', span_length(text) - 1);
	value.has_text = colon != NULL;
	value.address.end = colon ? colon : text.end;
	value.address = span_trim(value.address);
	value.text.at = colon ? colon + 1 : text.end;
	value.text = span_trim(value.text);
	return value;
}

/* Texts. The functions append to a buffer, and leave out what does not fit. */

struct buffer {
	char text[NOTE_TEXT_MAX + 1]; /* one more than a note may have, so that it is seen as cut */
	size_t used;
};

static void buffer_add(struct buffer *buffer, struct span text)
{
	const size_t room = sizeof(buffer->text) - buffer->used;
	const size_t len = span_length(text) < room ? span_length(text) : room;

	if (len)
		memcpy(buffer->text + buffer->used, text.at, len);
	buffer->used += len;
}

/* The variable that the text behind a "$" names, or -1. */
static int variable_index(struct span rest)
{
	if (span_empty(rest))
		return -1;
	if (*rest.at == '=')
		return BASE_TEMPLATE;
	return is_decimal(*rest.at) ? *rest.at - '0' : -1;
}

/* Adds `text` with its variables; in a base template `own` is what "$=" stands for. */
static void expand(struct buffer *buffer, const struct rbldnsd_state *state, struct span text,
		   const struct span *own)
{
	while (text.at < text.end) {
		const char *dollar = memchr(text.at, '$', span_length(text));
		struct span rest = { dollar ? dollar + 1 : text.end, text.end };
		int index;

		buffer_add(buffer, (struct span){ text.at, dollar ? dollar : text.end });
		if (!dollar)
			return;
		index = variable_index(rest);
		if (index == BASE_TEMPLATE && own)
			buffer_add(buffer, *own);
		else if (index >= 0 && index != BASE_TEMPLATE)
			buffer_add(buffer, state->variable[index]);
		else
			buffer_add(buffer, (struct span){ dollar, dollar + 1 });
		text.at = rest.at + (index >= 0 || (rest.at < rest.end && *rest.at == '$'));
	}
}

static int text_note(struct listfile *file, struct span text, uint32_t *note)
{
	const struct rbldnsd_state *state = file->state;
	const struct span base = state->variable[BASE_TEMPLATE];
	struct buffer buffer = { .used = 0 };

	if (*text.at == '=')
		text.at++;
	else if (!span_empty(base))
		expand(&buffer, state, base, &text);
	if (buffer.used == 0)
		expand(&buffer, state, text, NULL);
	return listfile_note(file, (struct span){ buffer.text, buffer.text + buffer.used }, note);
}

/* "127.0.0.3": the value may leave out everything but its last number. */
static int address_note(struct listfile *file, struct span address, uint32_t *note)
{
	static const char whole[] = "127.0.0.";
	struct buffer buffer = { .used = 0 };

	if (!memchr(address.at, '.', span_length(address)))
		buffer_add(&buffer, (struct span){ whole, whole + strlen(whole) });
	buffer_add(&buffer, address);
	return listfile_note(file, (struct span){ buffer.text, buffer.text + buffer.used }, note);
}

static int value_note(struct listfile *file, const struct value *value, uint32_t *note)
{
	*note = 0;
	if (!span_empty(value->text))
		return text_note(file, value->text, note);
	if (!span_empty(value->address))
		return address_note(file, value->address, note);
	return 0;
}

static int standard_note(struct listfile *file, uint32_t *note)
{
	struct rbldnsd_state *state = file->state;

	if (!state->noted && value_note(file, &state->standard, &state->note))
		return ERROR_REFUSED;
	state->noted = true;
	*note = state->note;
	return 0;
}

/* What follows the addresses of an entry: nothing, a comment, or a value. */
static int entry_note(struct listfile *file, struct span text, uint32_t *note)
{
	const struct rbldnsd_state *state = file->state;
	struct value value;

	if (span_empty(text) || *text.at == '#' || *text.at == ';')
		return standard_note(file, note);
	value = parse_value(text);
	if (!value.has_text)
		value.text = state->standard.text;
	return value_note(file, &value, note);
}

/* Lines that start with "$" */

static int start_dataset(struct listfile *file, struct span rest, struct error *err)
{
	struct rbldnsd_state *state = file->state;
	struct span name = span_word(&rest);
	const char *colon = memchr(name.at, ':', span_length(name));

	if (colon)
		name.end = colon;
	for (size_t i = 0; i < sizeof(dataset_types) / sizeof(dataset_types[0]); i++) {
		if (!span_is(name, dataset_types[i].name))
			continue;
		state->type = &dataset_types[i];
		memset(&state->standard, 0, sizeof(state->standard));
		memcpy(state->variable, state->common, sizeof(state->variable));
		state->noted = false;
		state->range_max = 0;
		return listfile_end_section(file);
	}
	return span_refuse(err, name, "not a type of data set that can be loaded");
}

/* A number of addresses, or the length of a prefix of so many. */
static int limit_ranges(struct listfile *file, struct span rest, struct error *err)
{
	struct rbldnsd_state *state = file->state;
	struct span word = span_word(&rest);
	const bool length = !span_empty(word) && *word.at == '/';
	const struct span digits = { word.at + length, word.end };
	uint32_t number;

	if (!span_number(digits, length ? IPV4_BITS : UINT32_MAX, &number))
		return span_refuse(err, word, "$MAXRANGE4 needs a number or a /length");
	state->range_max = length ? 1ull << (IPV4_BITS - number) : number;
	return 0;
}

static int ignore_special(struct listfile *file, struct span rest, struct error *err)
{
	(void)rest;
	(void)err;
	file->report.ignored++;
	return 0;
}

static void set_variable(struct rbldnsd_state *state, int index, struct span text)
{
	state->variable[index] = text;
	if (!state->type)
		state->common[index] = text;
	state->noted = false;
}

static const struct {
	const char *word;
	int (*run)(struct listfile *file, struct span rest, struct error *err);
} specials[] = {
	{ "DATASET", start_dataset }, { "MAXRANGE4", limit_ranges },
	{ "SOA", ignore_special },    { "NS", ignore_special },
	{ "TTL", ignore_special },    { "TIMESTAMP", ignore_special },
};

/* `line` is what follows the "$". A comment may start with one, too, if it is none of ours. */
static int special_line(struct listfile *file, struct span line, bool comment, struct error *err)
{
	struct span rest = line;
	const struct span word = span_word(&rest);
	const int index = span_length(word) == 1 ? variable_index(word) : -1;

	if (index >= 0) {
		set_variable(file->state, index, rest);
		return 0;
	}
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
		if (span_is(word, specials[i].word))
			return specials[i].run(file, rest, err);
	if (comment)
		return 0;
	return span_refuse(err, line, "not a $-line of rbldnsd");
}

/* Entries */

static bool wrong_family(const struct dataset_type *type, const struct item *item)
{
	const bool ipv4 = prefix_is_ipv4(&item->prefix);

	return (type->kind == DATASET_IPV4 && !ipv4) || (type->kind == DATASET_IPV6 && ipv4);
}

static uint64_t count_ipv4(const struct item *item)
{
	const struct addr last = item->range ? item->last : prefix_last(&item->prefix);

	return (uint64_t)addr_ipv4(&last) - addr_ipv4(&item->prefix.addr) + 1;
}

static int entry_line(struct listfile *file, struct span line, struct error *err)
{
	const struct rbldnsd_state *state = file->state;
	const struct dataset_type *type = state->type ? state->type : &no_dataset;
	const bool excluded = *line.at == '!';
	struct span rest = span_trim((struct span){ line.at + excluded, line.end });
	struct item item;
	uint32_t note;
	bool ipv4;
	int rc = rbldnsd_addresses(&rest, &item, err);

	if (rc)
		return rc;
	if (wrong_family(type, &item))
		return span_refuse(err, line, "the data set is one of the other address family");
	ipv4 = prefix_is_ipv4(&item.prefix);
	if (ipv4 && state->range_max && count_ipv4(&item) > state->range_max)
		return ignore_special(file, rest, err);
	if (excluded)
		return listfile_exclude(file, &item, ipv4 && type->by_octet);
	rc = entry_note(file, rest, &note);
	return rc ? rc : listfile_add(file, &item, 0, note);
}

static int rbldnsd_line(struct listfile *file, struct span line, struct error *err)
{
	struct rbldnsd_state *state = file->state;
	const bool comment = *line.at == '#' || *line.at == ';';
	const char *mark = line.at + (comment || *line.at == ':');

	if (mark < line.end && *mark == '$')
		return special_line(file, (struct span){ mark + 1, line.end }, comment, err);
	if (comment)
		return 0;
	if (state->type && state->type->kind == DATASET_IGNORED)
		return ignore_special(file, line, err);
	if (*line.at == ':' && (mark == line.end || *mark != ':')) {
		state->standard = parse_value(line);
		state->noted = false;
		return 0;
	}
	return entry_line(file, line, err);
}

static void rbldnsd_finish(struct listfile *file)
{
	listfile_end_section(file);
}

const struct format format_rbldnsd = {
	.name = "rbldnsd",
	.state_size = sizeof(struct rbldnsd_state),
	.line = rbldnsd_line,
	.finish = rbldnsd_finish,
};
