/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/dns_script.h"

#include <stdlib.h>
#include <string.h>

#define CNAMES_MAX 8

struct dns_query {
	struct dns_query *next;
	char name[DNS_NAME_MAX + 1];
	enum dns_type type;
	dns_cb cb;
	void *arg;
};

static const char *const type_names[DNS_TYPE_COUNT] = {
	[DNS_A] = "A", [DNS_AAAA] = "AAAA", [DNS_PTR] = "PTR", [DNS_TXT] = "TXT", [DNS_MX] = "MX",
};

static struct dns_query *script_ask(struct dns *dns, const char *name, enum dns_type type,
				    dns_cb cb, void *arg)
{
	struct dns_script *script = (struct dns_script *)dns;
	struct dns_query *query = calloc(1, sizeof(*query)), **end = &script->first;
	size_t used = 0;

	if (!query)
		abort();
	for (; *name && used < DNS_NAME_MAX; name++) {
		if (*name == '\\' && name[1])
			name++;
		query->name[used++] = (char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
	}
	query->type = type;
	query->cb = cb;
	query->arg = arg;
	while (*end)
		end = &(*end)->next;
	*end = query;
	script->asked++;
	if (++script->pending > script->most_pending)
		script->most_pending = script->pending;
	return query;
}

static void take_out(struct dns_script *script, struct dns_query *query)
{
	struct dns_query **at = &script->first;

	while (*at && *at != query)
		at = &(*at)->next;
	if (!*at)
		abort(); /* it was answered, or cancelled before */
	*at = query->next;
	script->pending--;
}

static void script_cancel(struct dns *dns, struct dns_query *query)
{
	struct dns_script *script = (struct dns_script *)dns;

	take_out(script, query);
	script->cancelled++;
	free(query);
}

static uint64_t script_now(struct dns *dns)
{
	return ((struct dns_script *)dns)->now;
}

static const struct dns_ops script_ops = { script_ask, script_cancel, script_now };

void dns_script_open(struct dns_script *script, const json_t *zone)
{
	*script = (struct dns_script){ .dns.ops = &script_ops, .zone = zone, .now = 1000 };
}

/* Reads one item of a zone; text is copied, so that reading beyond its end is noticed. */
static void read_record(const json_t *item, enum dns_type type, struct dns_record *out)
{
	const json_t *value = type == DNS_MX ? json_array_get(item, 1) : item;
	const char *text = json_string_value(value);
	const size_t length = json_string_length(value);
	char *copy;

	*out = (struct dns_record){ 0 };
	if (type == DNS_MX)
		out->preference = (uint16_t)json_integer_value(json_array_get(item, 0));
	if (!text ||
	    ((type == DNS_A || type == DNS_AAAA) && addr_parse(text, length, &out->addr, NULL) < 0))
		abort();
	copy = malloc(length + 1);
	if (!copy)
		abort();
	memcpy(copy, text, length);
	copy[length] = '\0';
	out->text = copy;
	out->length = (uint16_t)length;
}

static const json_t *find_name(const struct dns_script *script, const char *name)
{
	const json_t *found = json_object_get(script->zone, name);
	const char *other;

	for (int i = 0; found && i < CNAMES_MAX; i++) {
		other = json_string_value(json_object_get(found, "CNAME"));
		if (!other)
			return found;
		found = json_object_get(script->zone, other);
	}
	return NULL;
}

static enum dns_status status_of(const json_t *name, const json_t *list)
{
	if (json_is_string(list))
		return strcmp(json_string_value(list), "BUSY") == 0 ? DNS_BUSY : DNS_TEMPORARY;
	if (json_array_size(list) > 0)
		return DNS_FOUND;
	return name ? DNS_NODATA : DNS_NXDOMAIN;
}

static void answer(struct dns_script *script, struct dns_query *query)
{
	const json_t *name = find_name(script, query->name);
	const json_t *list = json_object_get(name, type_names[query->type]);
	struct dns_record record[DNS_RECORDS_MAX];
	struct dns_answer answer = { .status = status_of(name, list), .record = record };

	for (size_t i = 0; answer.status == DNS_FOUND && i < json_array_size(list); i++) {
		answer.cut = i == DNS_RECORDS_MAX;
		if (answer.cut)
			break;
		read_record(json_array_get(list, i), query->type, &record[answer.count++]);
	}
	take_out(script, query);
	query->cb(&answer, query->arg);
	free(query);
	for (size_t i = 0; i < answer.count; i++)
		free((char *)record[i].text);
}

bool dns_script_step(struct dns_script *script)
{
	struct dns_query *query = script->first;
	size_t skip = 0;

	if (!query)
		return false;
	if (script->order == SCRIPT_LAST)
		skip = script->pending - 1;
	else if (script->order == SCRIPT_RANDOM)
		skip = (size_t)rand_r(&script->seed) % script->pending;
	while (skip--)
		query = query->next;
	answer(script, query);
	return true;
}

size_t dns_script_close(struct dns_script *script)
{
	const size_t left = script->pending;
	struct dns_query *query;

	while ((query = script->first)) {
		take_out(script, query);
		free(query);
	}
	return left;
}
