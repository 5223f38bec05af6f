/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_stats.c - `posternctl stats`: how many packets, and why.
 *
 * The agent sends one element for each reason (or list), family and outcome that is not zero; here
 * they become one row a reason, in the order in which the agent names them, with the families and
 * outcomes side by side. Limits: STATS_ROWS_MAX rows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "maps/reason.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_floods.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

#define STATS_ROWS_MAX 128
#define CELLS          4 /* enforced and monitored packets of IPv4 and IPv6 */

struct stats_row {
	const char *name, *kind;
	uint64_t packets[CELLS];
};

/* The help of a reason; "" for one that this version does not know. */
static const char *reason_help(const char *name)
{
	static const struct {
		const char *name, *help;
	} reasons[REASON_COUNT] = {
#define REASON_ROW(id, text, kind, help_text) { text, help_text },
		REASON_LIST(REASON_ROW)
#undef REASON_ROW
	};

	for (size_t i = 0; i < REASON_COUNT; i++) {
		if (strcmp(reasons[i].name, name) == 0)
			return reasons[i].help;
	}
	return "";
}

static struct stats_row *find_row(struct stats_row *rows, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return *count < STATS_ROWS_MAX ? &rows[(*count)++] : NULL;
}

/* Gathers the elements by their `name_key`; returns how many rows that makes. */
static size_t gather(const json_t *elements, const char *name_key, struct stats_row *rows)
{
	const json_t *element;
	size_t i, count = 0;

	json_array_foreach(elements, i, element)
	{
		bool ipv6 = strcmp(field_text(element, "family"), "ipv6") == 0;
		bool monitored = strcmp(field_text(element, "outcome"), "monitored") == 0;
		struct stats_row *row = find_row(rows, &count, field_text(element, name_key));

		if (!row)
			continue;
		row->name = field_text(element, name_key);
		row->kind = field_text(element, "kind");
		row->packets[2 * monitored + ipv6] += field_count(element, "packets");
	}
	return count;
}

static int add_row(struct columns *columns, const struct stats_row *row, const char *help,
		   struct error *err)
{
	bool harmless = strcmp(row->kind, "pass") == 0 || strcmp(row->kind, "allow") == 0;
	char number[CELLS][DURATION_TEXT_MAX];
	struct cell cells[3 + CELLS] = {
		{ row->name, harmless ? PAINT_GOOD : PAINT_BAD },
		{ row->kind, PAINT_FAINT },
	};

	for (size_t i = 0; i < CELLS; i++) {
		uint64_t packets = row->packets[i];

		cells[2 + i].text = packets ? number_format(packets, number[i]) : "-";
		cells[2 + i].paint = !packets ? PAINT_FAINT : i >= 2 ? PAINT_WARN : PAINT_NONE;
	}
	cells[2 + CELLS] = (struct cell){ help, PAINT_FAINT };
	return columns_row(columns, cells, err);
}

static int print_rows(const json_t *elements, const char *name_key, const struct column *titles,
		      struct error *err)
{
	struct stats_row rows[STATS_ROWS_MAX] = { 0 };
	size_t count = gather(elements, name_key, rows);
	bool reasons = strcmp(name_key, "reason") == 0;
	struct columns *columns;
	int code;

	code = columns_begin(&columns, titles, 3 + CELLS, err);
	if (code < 0)
		return code;
	for (size_t i = 0; i < count && code == 0; i++)
		code = add_row(columns, &rows[i], reasons ? reason_help(rows[i].name) : "", err);
	columns_end(&columns);
	return code;
}

/* What the program could not do, where there is something to say. */
static void print_health(const json_t *health)
{
	static const struct {
		const char *key, *one, *many, *text;
		enum paint paint;
	} lines[] = {
		{ "resets_sent", "reset", "resets", "sent", PAINT_NONE },
		{ "resets_skipped", "reset", "resets", "beyond reset-rate: dropped instead",
		  PAINT_WARN },
		{ "cookies_sent", "SYN cookie", "SYN cookies", "sent during floods", PAINT_NONE },
		{ "cookies_skipped", "attempt", "attempts",
		  "during floods without one: left to the limits", PAINT_WARN },
		{ "refusals_sent", "SMTP reply 554", "SMTP replies 554", "sent", PAINT_NONE },
		{ "holds_sent", "segment", "segments",
		  "sent to hold sources in a refusal or tarpit", PAINT_NONE },
		{ "answers_skipped", "answer", "answers",
		  "of these two kinds that could not be sent", PAINT_WARN },
		{ "meter_full", "check", "checks",
		  "left to the next wider limit: no room for the source", PAINT_WARN },
		{ "events_sent", "event", "events", "told", PAINT_NONE },
		{ "events_skipped", "event", "events", "beyond events.rate: counted only",
		  PAINT_NONE },
		{ "events_lost", "event", "events", "lost: the agent did not keep up", PAINT_WARN },
		{ "newcomers_syn", "new source", "new sources", "told to the guard at their SYN",
		  PAINT_NONE },
		{ "newcomers_completed", "new source", "new sources",
		  "told to it when they had connected", PAINT_NONE },
		{ "newcomers_skipped", "new source", "new sources",
		  "beyond guard.rate: not told then", PAINT_WARN },
		{ "newcomers_lost", "new source", "new sources", "lost: the agent did not keep up",
		  PAINT_WARN },
	};
	char number[DURATION_TEXT_MAX];
	uint64_t count;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		count = field_count(health, lines[i].key);
		if (count)
			output_paint(lines[i].paint, "%s %s %s\n", number_format(count, number),
				     plural(count, lines[i].one, lines[i].many), lines[i].text);
	}
}

static int show_stats(struct cli_call *call, const json_t *result, struct error *err)
{
	static const struct column reason_titles[] = {
		{ "REASON", ALIGN_LEFT },          { "VERDICT", ALIGN_LEFT },
		{ "IPV4", ALIGN_RIGHT },           { "IPV6", ALIGN_RIGHT },
		{ "MONITORED IPV4", ALIGN_RIGHT }, { "MONITORED IPV6", ALIGN_RIGHT },
		{ "MEANING", ALIGN_LEFT },
	};
	static const struct column list_titles[] = {
		{ "LIST", ALIGN_LEFT },
		{ "KIND", ALIGN_LEFT },
		{ "IPV4", ALIGN_RIGHT },
		{ "IPV6", ALIGN_RIGHT },
		{ "MONITORED IPV4", ALIGN_RIGHT },
		{ "MONITORED IPV6", ALIGN_RIGHT },
		{ "", ALIGN_LEFT },
	};
	const uint64_t open = field_count(result, "connections");
	char number[DURATION_TEXT_MAX];
	int code;

	(void)call;
	output_text("Packets since the filter was loaded; %s %s open.\n\n",
		    number_format(open, number), plural(open, "connection is", "connections are"));
	if (!json_array_size(json_object_get(result, "reasons")))
		output_text("No packet has been seen yet.\n");
	code = print_rows(json_object_get(result, "reasons"), "reason", reason_titles, err);
	if (code == 0 && json_array_size(json_object_get(result, "lists"))) {
		output_text("\n");
		code = print_rows(json_object_get(result, "lists"), "list", list_titles, err);
	}
	output_text("\n");
	floods_print(result, false);
	print_health(json_object_get(result, "health"));
	return code;
}

static json_t *request_stats(const struct cli_call *call, struct error *err)
{
	(void)call;
	return cli_request("stats", err);
}

const struct cli_command command_stats = {
	.name = "stats",
	.arguments = "",
	.group = GROUP_LOOK,
	.summary = "packets by reason and by list",
	.text = "Shows how many packets passed or were stopped since the filter was loaded, by "
		"reason and by list, for IPv4 and IPv6. The columns MONITORED count what would "
		"have been stopped but was let through, because Postern or the list is in "
		"monitor mode. Ports at which there was a flood follow, and what the program sent "
		"in answer. With --json bytes are there too.",
	.examples = { "posternctl stats",
		      "posternctl stats --json | jq '.reasons[] | select(.kind == \"stop\")'" },
	.request = request_stats,
	.show = show_stats,
};
