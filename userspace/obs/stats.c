/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/stats.c - see obs/stats.h.
 */
#include "obs/stats.h"

#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/clock.h"
#include "lib/text.h"
#include "lib/lookup.h"
#include "obs/names.h"

static const char *const health_names[HEALTH_COUNT] = {
	[HEALTH_EVENTS_SENT] = "events_sent",
	[HEALTH_EVENTS_LOST] = "events_lost",
	[HEALTH_EVENTS_SKIPPED] = "events_skipped",
	[HEALTH_METER_FULL] = "meter_full",
	[HEALTH_RESETS_SENT] = "resets_sent",
	[HEALTH_RESETS_SKIPPED] = "resets_skipped",
	[HEALTH_COOKIES_SENT] = "cookies_sent",
	[HEALTH_COOKIES_SKIPPED] = "cookies_skipped",
	[HEALTH_HOLDS_SENT] = "holds_sent",
	[HEALTH_REFUSALS_SENT] = "refusals_sent",
	[HEALTH_ANSWERS_SKIPPED] = "answers_skipped",
	[HEALTH_NEWCOMERS_SYN] = "newcomers_syn",
	[HEALTH_NEWCOMERS_COMPLETED] = "newcomers_completed",
	[HEALTH_NEWCOMERS_SKIPPED] = "newcomers_skipped",
	[HEALTH_NEWCOMERS_LOST] = "newcomers_lost",
};

/* Adds a row for each family and outcome of one thing that has counted something. */
static void add_counts(json_t *rows, const char *key, const char *name, const char *kind,
		       const struct counter *counters)
{
	for (unsigned int i = 0; i < FAMILY_COUNT * OUTCOME_COUNT; i++)
		if (counters[i].packets)
			json_array_append_new(
				rows, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", key, name, "kind",
						kind, "family", family_name(i / OUTCOME_COUNT),
						"outcome", outcome_name(i % OUTCOME_COUNT),
						"packets", (json_int_t)counters[i].packets, "bytes",
						(json_int_t)counters[i].bytes));
}

static json_t *health_json(const struct view *view)
{
	json_t *health = json_object();

	for (unsigned int i = 0; i < HEALTH_COUNT; i++)
		json_object_set_new(health, health_names[i],
				    json_integer((json_int_t)view->counters.health[i]));
	return health;
}

json_t *stats_json(const struct view *view)
{
	const struct gate_counters *counters = &view->counters;
	json_t *reasons = json_array(), *lists = json_array();

	for (unsigned int reason = 0; reason < REASON_COUNT; reason++)
		add_counts(reasons, "reason", reason_name(reason), reason_kind_name(reason),
			   &counters->reason[reason_index(reason, 0, 0)]);
	for (size_t i = 0; i < view->list_count; i++)
		add_counts(lists, "list", view->list[i].name, list_kind_name(view->list[i].kind),
			   &counters->list[list_index(view->list[i].slot, 0, 0)]);
	return json_pack("{s:I, s:o, s:o, s:o, s:I}", "time_ns", (json_int_t)view->time_ns,
			 "reasons", reasons, "lists", lists, "health", health_json(view),
			 "connections", (json_int_t)view->connections);
}

static json_t *offender_json(const struct view *view, const struct offender *offender)
{
	const struct list_info *list = NULL;
	char text[PREFIX_TEXT_MAX];
	struct addr source;
	uint64_t age_ns;

	memcpy(source.byte, offender->source, sizeof(source.byte));
	if (offender->list_class != CLASS_NONE)
		list = list_by_slot(view->list, view->list_count, class_slot(offender->list_class),
				    offender->last_ns);
	/* The program may have written after the view was taken. */
	age_ns = view->time_ns > offender->last_ns ? view->time_ns - offender->last_ns : 0;
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:I}", "source", addr_format(&source, text),
			 "hits", (json_int_t)offender->hits, "reason",
			 reason_name(offender->reason), "list", list ? list->name : "", "outcome",
			 outcome_name(offender->outcome), "age_ms", (json_int_t)(age_ns / NS_A_MS));
}

json_t *offenders_json(struct gate *gate, const struct view *view, size_t max)
{
	struct offender *found;
	json_t *rows = NULL;
	size_t count;

	if (max > OFFENDERS_SHOWN_MAX)
		max = OFFENDERS_SHOWN_MAX;
	found = calloc(max ? max : 1, sizeof(*found));
	if (!found)
		return NULL;
	rows = json_array();
	count = gate_offenders(gate, found, max);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(rows, offender_json(view, &found[i]));
	free(found);
	return rows;
}

/* When something of the program's clock was, in seconds since 1970; 0 is never. */
static json_int_t wall_time(const struct view *view, uint64_t ns)
{
	if (!ns)
		return 0;
	return lookup_wall(ns < view->time_ns ? ns : view->time_ns);
}

json_t *floods_json(const struct view *view, uint32_t threshold)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < view->flood_count; i++) {
		const struct gate_flood *flood = &view->flood[i];

		json_array_append_new(
			rows,
			json_pack("{s:i, s:b, s:I, s:I, s:I, s:I, s:I}", "port", (int)flood->port,
				  "active", (int)flood->active, "rate", (json_int_t)flood->rate,
				  "threshold", (json_int_t)threshold, "since",
				  wall_time(view, flood->since_ns), "floods",
				  (json_int_t)flood->floods, "peak", (json_int_t)flood->peak));
	}
	return rows;
}

json_t *cookies_json(const struct view *view)
{
	return json_pack("{s:s, s:s}", "state", cookies_name(view->cookies.cookies), "why",
			 view->cookies.why);
}

json_t *keeper_json(const struct view *view)
{
	return json_pack("{s:b, s:s}", "up", (int)view->keeper_up, "why",
			 view->keeper_up ? "" : GATE_WITHOUT_KEEPER);
}

json_t *ending_json(const struct view *view)
{
	return json_pack("{s:b, s:s}", "possible", (int)!*view->ending_why, "why",
			 view->ending_why);
}

json_t *interfaces_json(const struct view *view)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < view->interface_count; i++) {
		const struct gate_interface *at = &view->interface[i];
		char name[IF_NAMESIZE];

		text_clean(name, sizeof(name), at->name, strnlen(at->name, sizeof(at->name)));
		json_array_append_new(rows,
				      json_pack("{s:s, s:I, s:s, s:b, s:I}", "iface", name,
						"ifindex", (json_int_t)at->ifindex, "mode",
						gate_mode_name(at->mode), "shared", (int)at->shared,
						"program_id", (json_int_t)at->program_id));
	}
	return rows;
}

json_t *lists_json(const struct view *view)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < view->list_count; i++) {
		const struct list_info *list = &view->list[i];

		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:I, s:I, s:b, s:s, s:I, s:i}", "list", list->name,
				  "kind", list_kind_name(list->kind), "ipv4",
				  (json_int_t)list->ipv4, "ipv6", (json_int_t)list->ipv6, "monitor",
				  (int)(list->monitor != 0), "origin", list->origin, "changed",
				  (json_int_t)list->changed, "slot", (int)list->slot));
	}
	return rows;
}

json_t *table_json(const struct view *view)
{
	const struct gate_sizes *sizes = &view->sizes;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "entries4",
			 (json_int_t)sizes->entries4, "capacity4", (json_int_t)sizes->capacity4,
			 "entries6", (json_int_t)sizes->entries6, "capacity6",
			 (json_int_t)sizes->capacity6, "pages", (json_int_t)sizes->pages,
			 "page_capacity", (json_int_t)sizes->page_capacity, "bytes",
			 (json_int_t)sizes->bytes, "rebuilds", (json_int_t)sizes->rebuilds,
			 "rebuild_ms", (json_int_t)sizes->rebuild_ms);
}
