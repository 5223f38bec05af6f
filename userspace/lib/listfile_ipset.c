/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_ipset.c - the format of `ipset save`, for sets of addresses and networks.
 *
 *   create NAME hash:net family inet hashsize 1024 maxelem 65536 timeout 600 comment
 *   add NAME 192.0.2.0/24 timeout 300 comment "reason"
 *   add NAME 192.0.2.7 nomatch
 *
 * The sets of a file are loaded together, whatever their names. A timeout is the entry's time to
 * live (0 is never), an entry without one takes its set's; a comment is its reason; an entry of a
 * set with a netmask is the network that it stands for. `nomatch` excludes from the entries of its
 * own set, as long as the set is written in one piece, which `ipset save` does. Other lines that
 * `ipset restore` takes and that add nothing (flush, destroy, swap, COMMIT) are ignored. Everything
 * else is read as the plain format, which is what .ipset and .netset files of FireHOL are.
 */
#include <string.h>

#include "lib/listfile_internal.h"

#define SETS_MAX     64 /* of one file: more are a bad line */
#define SET_NAME_MAX 31 /* ipset's own limit */
#define TIMEOUT_MAX  2147483u
#define ADDRESS_BITS 128u
#define IPV4_OFFSET  96u

struct ipset {
	char name[SET_NAME_MAX + 1];
	uint32_t timeout;
	uint32_t netmask; /* 0: none */
};

struct ipset_state {
	struct ipset set[SETS_MAX];
	size_t count;
	const struct ipset *last; /* the set that the entries of this section are in */
};

/* What follows the entry of an "add". */
struct additions {
	uint32_t timeout;
	struct span comment;
	bool nomatch;
};

typedef int (*command_fn)(struct listfile *file, struct span rest, struct error *err);

static struct ipset *find_set(struct ipset_state *state, struct span name)
{
	for (size_t i = 0; i < state->count; i++)
		if (span_is(name, state->set[i].name))
			return &state->set[i];
	return NULL;
}

/* The set of that name, made if it is not known. NULL, with an error, if there cannot be one. */
static struct ipset *take_set(struct ipset_state *state, struct span name, struct error *err)
{
	struct ipset *set = find_set(state, name);

	if (set)
		return set;
	if (span_empty(name) || span_length(name) > SET_NAME_MAX) {
		span_refuse(err, name, "a set's name has 1 to 31 characters");
		return NULL;
	}
	if (state->count == SETS_MAX) {
		span_refuse(err, name, "more than 64 sets in one file");
		return NULL;
	}
	set = &state->set[state->count++];
	memcpy(set->name, name.at, span_length(name));
	return set;
}

static bool holds_addresses(struct span type)
{
	static const char *const types[] = { "hash:ip", "hash:net", "bitmap:ip",
					     "iphash",  "nethash",  "ipmap" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_is(type, types[i]))
			return true;
	return false;
}

/* Options of "create" that change what the entries mean; all others are passed over. */
static int create_option(struct ipset *set, struct span option, struct span *rest,
			 struct error *err)
{
	if (span_is(option, "timeout")) {
		if (!span_number(span_word(rest), TIMEOUT_MAX, &set->timeout))
			return span_refuse(err, option, "needs a number of seconds up to 2147483");
	} else if (span_is(option, "netmask")) {
		if (!span_number(span_word(rest), ADDRESS_BITS, &set->netmask) || !set->netmask)
			return span_refuse(err, option, "needs a length from 1 to 128");
	} else if (span_is(option, "bitmask")) {
		return span_refuse(err, option, "sets with a bitmask cannot be loaded");
	}
	return 0;
}

static int command_create(struct listfile *file, struct span rest, struct error *err)
{
	const struct span name = span_word(&rest);
	const struct span type = span_word(&rest);
	struct ipset made = { .timeout = 0 };
	struct ipset *set;
	int rc = 0;

	if (!holds_addresses(type))
		return span_refuse(err, type,
				   "only sets of the types hash:ip, hash:net and bitmap:ip "
				   "can be loaded");
	while (!span_empty(rest) && !rc) {
		const struct span option = span_word(&rest);

		rc = create_option(&made, option, &rest, err);
	}
	if (rc)
		return rc;
	set = take_set(file->state, name, err);
	if (!set)
		return ERROR_USAGE;
	set->timeout = made.timeout;
	set->netmask = made.netmask;
	return 0;
}

/* A comment is in double quotes and cannot hold one. */
static int take_comment(struct span *rest, struct span *comment, struct error *err)
{
	const char *close;

	if (span_empty(*rest) || *rest->at != '"')
		return span_refuse(err, *rest, "a comment stands in double quotes");
	close = memchr(rest->at + 1, '"', span_length(*rest) - 1);
	if (!close)
		return span_refuse(err, *rest, "a comment without its closing quote");
	*comment = span_trim((struct span){ rest->at + 1, close });
	rest->at = close + 1;
	*rest = span_trim(*rest);
	return 0;
}

static bool is_counter(struct span option)
{
	static const char *const counters[] = { "packets", "bytes", "skbmark", "skbprio",
						"skbqueue" };

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (span_is(option, counters[i]))
			return true;
	return false;
}

static int add_option(struct additions *additions, struct span option, struct span *rest,
		      struct error *err)
{
	if (span_is(option, "timeout")) {
		if (!span_number(span_word(rest), TIMEOUT_MAX, &additions->timeout))
			return span_refuse(err, option, "needs a number of seconds up to 2147483");
	} else if (span_is(option, "comment")) {
		return take_comment(rest, &additions->comment, err);
	} else if (span_is(option, "nomatch")) {
		additions->nomatch = true;
	} else if (is_counter(option)) {
		span_word(rest);
	} else if (!span_is(option, "-exist") && !span_is(option, "-!")) {
		return span_refuse(err, option, "not an option of an ipset entry");
	}
	return 0;
}

/* The network that an address stands for in a set with a netmask; both ends of a range likewise. */
static void apply_netmask(const struct ipset *set, struct item *item)
{
	const uint32_t len = set->netmask + (prefix_is_ipv4(&item->prefix) ? IPV4_OFFSET : 0);
	struct prefix end;

	if (!set->netmask || len >= item->prefix.len)
		return;
	item->prefix = prefix_of(&item->prefix.addr, len);
	if (item->range) {
		end = prefix_of(&item->last, len);
		item->last = prefix_last(&end);
	}
}

/* Exclusions of another set do not reach the entries that follow. */
static int enter_set(struct listfile *file, const struct ipset *set)
{
	struct ipset_state *state = file->state;
	const bool other = state->last && state->last != set;

	state->last = set;
	return other ? listfile_end_section(file) : 0;
}

static int command_add(struct listfile *file, struct span rest, struct error *err)
{
	const struct span name = span_word(&rest);
	const struct span entry = span_word(&rest);
	const struct ipset *known = find_set(file->state, name);
	struct additions additions = { .timeout = known ? known->timeout : 0 };
	struct item item;
	uint32_t note;
	int rc = item_parse(entry, &item, err);

	while (!rc && !span_empty(rest)) {
		const struct span option = span_word(&rest);

		rc = add_option(&additions, option, &rest, err);
	}
	if (!rc && !known) {
		known = take_set(file->state, name, err);
		rc = known ? 0 : ERROR_USAGE;
	}
	if (rc)
		return rc;
	apply_netmask(known, &item);
	if (enter_set(file, known))
		return ERROR_REFUSED;
	if (additions.nomatch)
		return listfile_exclude(file, &item, false);
	rc = listfile_note(file, additions.comment, &note);
	return rc ? rc : listfile_add(file, &item, additions.timeout, note);
}

static int command_nothing(struct listfile *file, struct span rest, struct error *err)
{
	(void)rest;
	(void)err;
	file->report.ignored++;
	return 0;
}

static const struct {
	const char *word;
	command_fn run;
} commands[] = {
	{ "add", command_add },         { "-A", command_add },         { "create", command_create },
	{ "-N", command_create },       { "flush", command_nothing },  { "-F", command_nothing },
	{ "destroy", command_nothing }, { "-X", command_nothing },     { "swap", command_nothing },
	{ "-W", command_nothing },      { "COMMIT", command_nothing },
};

static int ipset_line(struct listfile *file, struct span line, struct error *err)
{
	struct span rest = line;
	const struct span word = span_word(&rest);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (span_is(word, commands[i].word))
			return commands[i].run(file, rest, err);
	return plain_line(file, line, err);
}

static void ipset_finish(struct listfile *file)
{
	listfile_end_section(file);
}

const struct format format_ipset = {
	.name = "ipset",
	.state_size = sizeof(struct ipset_state),
	.line = ipset_line,
	.finish = ipset_finish,
};
