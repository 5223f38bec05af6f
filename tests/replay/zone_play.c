/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/replay/zone_play.h"

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

static struct dns_query *play_ask(struct dns *dns, const char *name, enum dns_type type, dns_cb cb,
				  void *arg)
{
	struct zone_play *play = (struct zone_play *)dns;
	struct dns_query *query = calloc(1, sizeof(*query)), **end = &play->first;
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
	play->asked++;
	if (++play->pending > play->most_pending)
		play->most_pending = play->pending;
	return query;
}

static void take_out(struct zone_play *play, struct dns_query *query)
{
	struct dns_query **at = &play->first;

	while (*at && *at != query)
		at = &(*at)->next;
	if (!*at)
		abort(); /* it was answered, or cancelled before */
	*at = query->next;
	play->pending--;
}

static void play_cancel(struct dns *dns, struct dns_query *query)
{
	struct zone_play *play = (struct zone_play *)dns;

	take_out(play, query);
	play->cancelled++;
	free(query);
}

static uint64_t play_now(struct dns *dns)
{
	return ((struct zone_play *)dns)->now;
}

/* Evaluations of SPF tell at once what needs no question. */
static struct dns_query *play_later(struct dns *dns, dns_cb cb, void *arg)
{
	(void)dns;
	(void)cb;
	(void)arg;
	abort();
}

static const struct dns_ops play_ops = { play_ask, play_cancel, play_now, play_later };

void zone_play_open(struct zone_play *play, const json_t *zone)
{
	*play = (struct zone_play){ .dns.ops = &play_ops, .zone = zone, .now = 1000 };
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

static const json_t *find_name(const struct zone_play *play, const char *name)
{
	const json_t *found = json_object_get(play->zone, name);
	const char *other;

	for (int i = 0; found && i < CNAMES_MAX; i++) {
		other = json_string_value(json_object_get(found, "CNAME"));
		if (!other)
			return found;
		found = json_object_get(play->zone, other);
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

static void answer(struct zone_play *play, struct dns_query *query)
{
	const json_t *name = find_name(play, query->name);
	const json_t *list = json_object_get(name, type_names[query->type]);
	struct dns_record record[DNS_RECORDS_MAX];
	struct dns_answer answer = { .status = status_of(name, list), .record = record };

	for (size_t i = 0; answer.status == DNS_FOUND && i < json_array_size(list); i++) {
		answer.cut = i == DNS_RECORDS_MAX;
		if (answer.cut)
			break;
		read_record(json_array_get(list, i), query->type, &record[answer.count++]);
	}
	take_out(play, query);
	query->cb(&answer, query->arg);
	free(query);
	for (size_t i = 0; i < answer.count; i++)
		free((char *)record[i].text);
}

bool zone_play_step(struct zone_play *play)
{
	struct dns_query *query = play->first;
	size_t skip = 0;

	if (!query)
		return false;
	if (play->order == PLAY_LAST)
		skip = play->pending - 1;
	else if (play->order == PLAY_RANDOM)
		skip = (size_t)rand_r(&play->seed) % play->pending;
	while (skip--)
		query = query->next;
	answer(play, query);
	return true;
}

size_t zone_play_close(struct zone_play *play)
{
	const size_t left = play->pending;
	struct dns_query *query;

	while ((query = play->first)) {
		take_out(play, query);
		free(query);
	}
	return left;
}
