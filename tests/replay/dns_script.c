/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/replay/dns_script.c - implements tests/replay/dns_script.h: plays a script. How its lines
 * are read is in tests/replay/dns_script_line.c.
 *
 * It is for tests, so it ends the program when there is no memory left.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/replay/dns_script_line.h"

#define ALIASES_MAX 16
#define START_MS    1000000u /* not 0, so that nobody takes 0 for "now" */

struct dns_query {
	TAILQ_ENTRY(dns_query) link; /* in the order in which answers are due */
	uint64_t due;
	struct dns_result *result;
	dns_cb cb;
	void *arg;
	bool later; /* it asks nothing: dns_later() */
};

struct asked {
	TAILQ_ENTRY(asked) link;
	struct dns_name name;
	enum dns_type type;
};

struct dns_script {
	struct dns dns;
	uint64_t now;
	struct script_lines lines;
	TAILQ_HEAD(, dns_query) pending;
	TAILQ_HEAD(, asked) asked;
	size_t cancelled;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static struct dns_script *script_of(struct dns *dns)
{
	return (struct dns_script *)((char *)dns - offsetof(struct dns_script, dns));
}

/* ---- what is answered */

/* What the script has for a question: its records, or a failure. */
struct found {
	struct dns_name name;
	const struct script_line *records[DNS_RECORDS_MAX];
	size_t count;
	enum dns_status status;
	uint64_t after;
	uint32_t ttl;
	bool exists, failed;
};

static void note_line(struct found *found, const struct script_line *line)
{
	if (line->after > found->after)
		found->after = line->after;
	if (line->ttl < found->ttl)
		found->ttl = line->ttl;
}

/* The line that makes an alias of the name. */
static const struct script_line *alias_of(const struct dns_script *script,
					  const struct dns_name *name)
{
	const struct script_line *line;

	TAILQ_FOREACH(line, &script->lines, link)
	if (line->kind == LINE_ALIAS && dns_name_equal(&line->name, name))
		return line;
	return NULL;
}

static void take_line(struct found *found, const struct script_line *line, enum dns_type type)
{
	const bool same = dns_name_equal(&line->name, &found->name);

	found->exists = found->exists || dns_name_below(&line->name, &found->name);
	if (!same || (line->type != type && !line->any))
		return;
	if (line->kind == LINE_STATUS) {
		found->failed = true;
		found->status = line->status;
	} else if (line->kind == LINE_RECORD && found->count < DNS_RECORDS_MAX) {
		found->records[found->count++] = line;
	}
	note_line(found, line);
}

static void look_up(const struct dns_script *script, enum dns_type type, struct found *found)
{
	const struct script_line *line;

	for (int i = 0; i < ALIASES_MAX && (line = alias_of(script, &found->name)); i++) {
		note_line(found, line);
		found->name = line->target;
	}
	TAILQ_FOREACH(line, &script->lines, link)
	take_line(found, line, type);
	if (found->failed)
		found->count = 0;
	else if (found->count)
		found->status = DNS_FOUND;
	else
		found->status = found->exists ? DNS_NODATA : DNS_NXDOMAIN;
	if (found->status == DNS_FOUND && !found->count)
		found->status = DNS_NODATA;
}

static struct dns_result *result_of(const struct found *found)
{
	struct dns_result *result;
	size_t text = 0;
	char *at;

	for (size_t i = 0; i < found->count; i++)
		text += found->records[i]->length + 1u;
	result = must(dns_result_new(found->status, found->count, text));
	at = dns_result_text(result);
	for (size_t i = 0; i < found->count; i++) {
		const struct script_line *line = found->records[i];

		result->record[i] = (struct dns_record){ .preference = line->preference,
							 .length = line->length,
							 .addr = line->addr,
							 .text = at };
		memcpy(at, line->text, line->length + 1u);
		at += line->length + 1u;
	}
	result->ttl = found->ttl;
	return result;
}

/* ---- the interface */

static void queue(struct dns_script *script, struct dns_query *query)
{
	struct dns_query *before;

	TAILQ_FOREACH(before, &script->pending, link)
	{
		if (before->due > query->due) {
			TAILQ_INSERT_BEFORE(before, query, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&script->pending, query, link);
}

static void remember(struct dns_script *script, const struct dns_name *name, enum dns_type type)
{
	struct asked *asked = must(calloc(1, sizeof(*asked)));

	asked->name = *name;
	asked->type = type;
	TAILQ_INSERT_TAIL(&script->asked, asked, link);
}

static struct dns_query *script_ask(struct dns *dns, const char *name, enum dns_type type,
				    dns_cb cb, void *arg)
{
	struct dns_script *script = script_of(dns);
	struct dns_query *query = must(calloc(1, sizeof(*query)));
	struct found found = { .ttl = SCRIPT_TTL };

	if (dns_name_parse(name, &found.name)) {
		remember(script, &found.name, type);
		look_up(script, type, &found);
	} else {
		found.status = DNS_TEMPORARY;
	}
	query->due = script->now + found.after;
	query->result = result_of(&found);
	query->cb = cb;
	query->arg = arg;
	queue(script, query);
	return query;
}

/* Due at once, and asks nothing. */
static struct dns_query *script_later(struct dns *dns, dns_cb cb, void *arg)
{
	struct dns_script *script = script_of(dns);
	struct dns_query *query = must(calloc(1, sizeof(*query)));

	query->due = script->now;
	query->result = must(dns_result_new(DNS_NODATA, 0, 0));
	query->cb = cb;
	query->arg = arg;
	query->later = true;
	queue(script, query);
	return query;
}

static void take_out(struct dns_script *script, struct dns_query *query)
{
	TAILQ_REMOVE(&script->pending, query, link);
	dns_result_unref(query->result);
	free(query);
}

static void script_cancel(struct dns *dns, struct dns_query *query)
{
	struct dns_script *script = script_of(dns);

	script->cancelled += !query->later;
	take_out(script, query);
}

static uint64_t script_now(struct dns *dns)
{
	return script_of(dns)->now;
}

struct dns *dns_script_dns(struct dns_script *script)
{
	return &script->dns;
}

/* ---- time */

static void answer_first(struct dns_script *script)
{
	struct dns_query *query = TAILQ_FIRST(&script->pending);
	struct dns_result *result = dns_result_ref(query->result);
	const struct dns_answer answer = dns_result_answer(result, result->ttl, 0);
	const dns_cb cb = query->cb;
	void *arg = query->arg;

	script->now = query->due > script->now ? query->due : script->now;
	take_out(script, query);
	cb(&answer, arg);
	dns_result_unref(result);
}

void dns_script_advance(struct dns_script *script, uint64_t ms)
{
	const uint64_t until = script->now + ms;
	const struct dns_query *query;

	while ((query = TAILQ_FIRST(&script->pending)) && query->due <= until)
		answer_first(script);
	script->now = until;
}

bool dns_script_run(struct dns_script *script, uint64_t ms)
{
	const uint64_t until = script->now + ms;
	const struct dns_query *query;

	while ((query = TAILQ_FIRST(&script->pending)) && query->due <= until)
		answer_first(script);
	if (query)
		script->now = until;
	return !query;
}

/* ---- what has been asked */

size_t dns_script_asked(const struct dns_script *script)
{
	const struct asked *asked;
	size_t count = 0;

	TAILQ_FOREACH(asked, &script->asked, link)
	count++;
	return count;
}

size_t dns_script_asked_for(const struct dns_script *script, const char *name, enum dns_type type)
{
	const struct asked *asked;
	struct dns_name wire;
	size_t count = 0;

	if (!dns_name_parse(name, &wire))
		return 0;
	TAILQ_FOREACH(asked, &script->asked, link)
	count += asked->type == type && dns_name_equal(&asked->name, &wire);
	return count;
}

size_t dns_script_cancelled(const struct dns_script *script)
{
	return script->cancelled;
}

size_t dns_script_pending(const struct dns_script *script)
{
	const struct dns_query *query;
	size_t count = 0;

	TAILQ_FOREACH(query, &script->pending, link)
	count++;
	return count;
}

/* ---- opening and closing */

static const struct dns_ops script_ops = {
	.ask = script_ask, .cancel = script_cancel, .now = script_now, .later = script_later
};

int dns_script_open(const char *text, struct dns_script **out, struct error *err)
{
	struct dns_script *script = must(calloc(1, sizeof(*script)));
	int rc;

	script->dns.ops = &script_ops;
	script->now = START_MS;
	TAILQ_INIT(&script->lines);
	TAILQ_INIT(&script->pending);
	TAILQ_INIT(&script->asked);
	rc = dns_script_add(script, text, err);
	if (rc)
		dns_script_close(&script);
	else
		*out = script;
	return rc;
}

int dns_script_add(struct dns_script *script, const char *text, struct error *err)
{
	return script_lines_read(text, &script->lines, err);
}

void dns_script_close(struct dns_script **script)
{
	struct dns_script *closing = *script;
	struct asked *asked;

	*script = NULL;
	if (!closing)
		return;
	while (!TAILQ_EMPTY(&closing->pending))
		take_out(closing, TAILQ_FIRST(&closing->pending));
	while ((asked = TAILQ_FIRST(&closing->asked))) {
		TAILQ_REMOVE(&closing->asked, asked, link);
		free(asked);
	}
	script_lines_free(&closing->lines);
	free(closing);
}
