/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/header_filter.c - what of a sender's header passes, for session/smtp/header.h.
 *
 * Called with every piece of every message. One octet after the other goes through a function for
 * the state that it is met in; only fields that pass, and the body, go on in runs. At most
 * HEADER_HELD_MAX octets wait for a decision: a name of a field up to its colon, and
 * Authentication-Results up to the name in them. What cannot be decided within that is removed if
 * it is Authentication-Results, and passes otherwise.
 *
 * A line ends in LF here, whether or not there is a CR before it: sessions refuse the one without
 * the other, and if they did not nothing would get past.
 */
#include "session/smtp/header.h"

#include <string.h>
#include <strings.h>

/* Characters that end the name in Authentication-Results: tspecials of RFC 2045 5.1 and blanks.
 * Comments do not: "mx(a comment).example" is read as one name, in case somebody else does so. */
#define ENDS " \t\r\n;,<>@:\\\"/[]?=)"

void header_filter_start(struct header_filter *filter, const char *id, header_sink sink, void *arg)
{
	memset(filter, 0, offsetof(struct header_filter, held));
	filter->id = id;
	filter->sink = sink;
	filter->arg = arg;
	filter->state = HEADER_LINE;
	filter->field = HEADER_PASS;
	filter->held_len = 0;
}

static void fail(struct header_filter *filter, enum header_result result)
{
	if (filter->result == HEADER_OK)
		filter->result = result;
}

static void give(struct header_filter *filter, const char *data, size_t size)
{
	if (size && filter->result == HEADER_OK && !filter->sink(data, size, filter->arg))
		fail(filter, HEADER_FULL);
}

/* What is held passes. */
static void release(struct header_filter *filter)
{
	give(filter, filter->held, filter->held_len);
	filter->held_len = 0;
}

static void pass(struct header_filter *filter)
{
	release(filter);
	filter->state = filter->field = HEADER_PASS;
}

/* What is held does not pass, nor the rest of the field. */
static void drop(struct header_filter *filter)
{
	filter->held_len = 0;
	filter->removed++;
	filter->state = filter->field = HEADER_DROP;
}

/* Whether the name that is held, maybe with blanks and the colon behind it, is this one. */
static bool is_named(const struct header_filter *filter, const char *name)
{
	size_t len = filter->held_len;

	while (len && strchr(" \t:", filter->held[len - 1]))
		len--;
	return len == strlen(name) && !strncasecmp(filter->held, name, len);
}

static bool is_results(const struct header_filter *filter)
{
	return is_named(filter, "Authentication-Results");
}

/* Whether the name in Authentication-Results is ours. Without one they could be anybody's. */
static bool is_ours(struct header_filter *filter)
{
	char *value = filter->value, folded[DOMAIN_MAX];
	size_t len = filter->value_len;

	while (len && value[len - 1] == '.')
		len--;
	if (!len)
		return true;
	if (!domain_parse(value, len, folded, NULL) && !strcasecmp(folded, filter->id))
		return true;
	return len == strlen(filter->id) && !strncasecmp(value, filter->id, len);
}

static void decide(struct header_filter *filter)
{
	if (is_ours(filter))
		drop(filter);
	else
		pass(filter);
}

/* Keeps an octet until it is known what becomes of it; false if there is no room. */
static bool hold(struct header_filter *filter, char c)
{
	if (filter->held_len == HEADER_HELD_MAX)
		return false;
	filter->held[filter->held_len++] = c;
	return true;
}

/* A blank in front goes on with the field before; everything else ends it. Takes no octet. */
static void begin_line(struct header_filter *filter, char c)
{
	if (c == ' ' || c == '\t') {
		filter->state = filter->field;
		return;
	}
	if (filter->field == HEADER_ID)
		drop(filter);
	filter->field = HEADER_PASS;
	filter->blank = false;
	filter->state = c == '\r' || c == '\n' ? HEADER_BREAK : HEADER_NAME;
}

/* An empty line, or a CR that only looks like one. */
static void take_break(struct header_filter *filter, char c)
{
	hold(filter, c);
	if (c == '\n') {
		release(filter);
		filter->state = HEADER_BODY;
	} else if (filter->held_len > 1) {
		filter->odd = true;
		pass(filter);
	}
}

/* The name of a field is complete, and its colon held. */
static void take_field(struct header_filter *filter)
{
	if (is_named(filter, "Received") && ++filter->hops >= HEADER_HOPS_MAX)
		fail(filter, HEADER_LOOP);
	if (is_named(filter, "X-Postern")) {
		drop(filter);
	} else if (is_results(filter)) {
		filter->depth = 0;
		filter->quoted = filter->escaped = false;
		filter->value_len = 0;
		filter->state = filter->field = HEADER_ID;
	} else {
		pass(filter);
	}
}

/* ftext of RFC 5322 3.6.8; blanks before the colon are obsolete, but read by many. Returns whether
 * the octet was taken. */
static bool take_name(struct header_filter *filter, char c)
{
	const bool blank = c == ' ' || c == '\t';
	const bool fits = blank || (c > ' ' && c < '\x7f' && (!filter->blank || c == ':'));

	if (fits && hold(filter, c)) {
		filter->blank = blank;
		if (c == ':')
			take_field(filter);
		return true;
	}
	filter->odd = filter->odd || !fits;
	if (fits && is_results(filter))
		drop(filter);
	else
		pass(filter);
	return false;
}

static void take_comment(struct header_filter *filter, char c)
{
	const bool literal = filter->escaped;

	filter->escaped = !literal && c == '\\';
	if (literal || filter->escaped)
		return;
	filter->depth += c == '(';
	filter->depth -= c == ')';
}

static void add_value(struct header_filter *filter, char c)
{
	if (filter->value_len < sizeof(filter->value))
		filter->value[filter->value_len++] = c;
}

/* Returns whether the string has ended. */
static bool take_quoted(struct header_filter *filter, char c)
{
	const bool literal = filter->escaped;

	filter->escaped = !literal && c == '\\';
	if (filter->escaped)
		return false;
	if (!literal && c == '"')
		return true;
	if (c != '\r' && c != '\n')
		add_value(filter, c);
	return false;
}

/* Looks at an octet of Authentication-Results; returns whether the name in them is complete. */
static bool is_complete(struct header_filter *filter, char c)
{
	if (filter->quoted)
		return take_quoted(filter, c);
	if (filter->depth) {
		take_comment(filter, c);
		return false;
	}
	if (c == '(' || (c == '"' && !filter->value_len)) {
		filter->depth = c == '(';
		filter->quoted = c == '"';
		filter->escaped = false;
		return false;
	}
	if (strchr(ENDS, c))
		return filter->value_len || !strchr(" \t\r\n", c) || !c;
	add_value(filter, c);
	return false;
}

/* Returns whether the octet was taken. */
static bool take_id(struct header_filter *filter, char c)
{
	if (!hold(filter, c)) {
		drop(filter);
		return false;
	}
	if (is_complete(filter, c))
		decide(filter);
	if (c == '\n')
		filter->state = HEADER_LINE;
	return true;
}

/* Takes the rest of a line, or of what there is of it. */
static size_t take_run(struct header_filter *filter, const char *data, size_t size)
{
	const char *end = memchr(data, '\n', size);
	const size_t len = end ? (size_t)(end - data) + 1 : size;

	if (filter->state == HEADER_PASS)
		give(filter, data, len);
	if (end)
		filter->state = HEADER_LINE;
	return len;
}

/* Takes something from the start of `data`; returns how much. 0: only the state has changed. */
static size_t take(struct header_filter *filter, const char *data, size_t size)
{
	switch (filter->state) {
	case HEADER_LINE:
		begin_line(filter, *data);
		return 0;
	case HEADER_BREAK:
		take_break(filter, *data);
		return 1;
	case HEADER_NAME:
		return take_name(filter, *data);
	case HEADER_ID:
		return take_id(filter, *data);
	case HEADER_BODY:
		give(filter, data, size);
		return size;
	default:
		return take_run(filter, data, size);
	}
}

enum header_result header_filter_feed(struct header_filter *filter, const void *data, size_t size)
{
	const char *at = data, *end = at + size;

	while (at < end && filter->result == HEADER_OK) {
		const size_t taken = take(filter, at, (size_t)(end - at));

		at += taken;
		if (filter->state == HEADER_BODY)
			continue;
		filter->bytes += taken;
		if (filter->bytes > HEADER_BYTES_MAX && !filter->odd)
			fail(filter, HEADER_LARGE);
	}
	return filter->result;
}

enum header_result header_filter_end(struct header_filter *filter)
{
	if (filter->field == HEADER_ID)
		drop(filter);
	else
		release(filter);
	return filter->result;
}
