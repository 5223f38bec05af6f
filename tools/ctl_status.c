/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_status.c - `posternctl status`: what protects what.
 *
 * For a person two questions are asked, status and limits.show; --json prints the first one's
 * answer as it came. Nothing is kept.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_floods.h"
#include "tools/ctl_output.h"
#include "tools/ctl_smtp.h"
#include "tools/ctl_text.h"
#include "tools/ctl_zones.h"

#define FILL_WARN     85 /* per cent of a table */
#define FILL_BAD      97
#define LIMIT_KEY_MAX 32
#define BYTES_PER_MIB (1u << 20)
#define KIND_ALLOW    "allow"

/* What the mode does; of one of another version its word alone. */
static void print_mode(const char *mode)
{
	static const struct {
		const char *mode, *text;
	} modes[] = {
		{ "filter", ": nobody is looked up" },
		{ "guard", ": clients that are new are looked up" },
		{ "proxy", ": clients are looked up, and mail is handed on to backends" },
	};
	const char *text = "";

	if (!*mode)
		return;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(mode, modes[i].mode))
			text = modes[i].text;
	output_label("Mode");
	output_text("%s%s\n", mode, text);
}

static void print_head(const json_t *status)
{
	bool monitor = field_true(status, "monitor");
	char up[DURATION_TEXT_MAX];

	output_paint(monitor ? PAINT_WARN : PAINT_GOOD, "%s",
		     monitor ? "Monitor mode: nothing is stopped" : "Enforcing");
	output_text(", up %s\n", duration_format(field_count(status, "uptime"), up));
	output_label("Agent");
	output_text("posternd %s, process %" PRIu64 "\n", field_text(status, "version"),
		    field_count(status, "pid"));
	output_label("Configured");
	output_text("%s\n", field_text(status, "config"));
	print_mode(field_text(status, "mode"));
}

/* Told only if there is something to tell. */
static void print_trouble(const char *label, const json_t *part, enum paint paint)
{
	const char *why = field_text(part, "why");

	if (!*why)
		return;
	output_label(label);
	output_paint(paint, "%s\n", why);
}

static void print_warnings(const json_t *warnings)
{
	const json_t *warning;
	size_t i;

	json_array_foreach(warnings, i, warning)
	{
		output_label("Warning");
		output_paint(PAINT_WARN, "%s\n", json_string_value(warning));
	}
}

static void print_ports(const json_t *ports)
{
	output_label("Ports");
	output_numbers(ports);
	output_text("\n");
}

static int add_interface(struct columns *columns, const json_t *interface, struct error *err)
{
	const char *mode = field_text(interface, "mode");
	char program[DURATION_TEXT_MAX];
	const struct cell cells[] = {
		{ field_text(interface, "iface"), PAINT_NONE },
		{ mode, strcmp(mode, "native") == 0 ? PAINT_GOOD : PAINT_WARN },
		{ field_true(interface, "shared") ? "yes" : "no", PAINT_FAINT },
		{ program, PAINT_FAINT },
	};

	snprintf(program, sizeof(program), "%" PRIu64, field_count(interface, "program_id"));
	return columns_row(columns, cells, err);
}

static int print_interfaces(const json_t *interfaces, struct error *err)
{
	static const struct column titles[] = {
		{ "INTERFACE", ALIGN_LEFT },
		{ "MODE", ALIGN_LEFT },
		{ "SHARED", ALIGN_LEFT },
		{ "PROGRAM", ALIGN_RIGHT },
	};

	if (!json_array_size(interfaces)) {
		output_paint(PAINT_BAD, "No interface is protected");
		output_text(": posternctl attach IFACE\n");
		return 0;
	}
	return columns_print(titles, sizeof(titles) / sizeof(titles[0]), interfaces, add_interface,
			     err);
}

static int add_list(struct columns *columns, const json_t *list, struct error *err)
{
	const char *kind = field_text(list, "kind");
	bool allow = strcmp(kind, KIND_ALLOW) == 0, monitor = field_true(list, "monitor");
	const uint64_t since = field_count(list, "changed"); /* 0: not since the agent's start */
	char ipv4[DURATION_TEXT_MAX], ipv6[DURATION_TEXT_MAX], changed[WHEN_TEXT_MAX];
	const struct cell cells[] = {
		{ field_text(list, "list"), PAINT_NONE },
		{ kind, allow ? PAINT_GOOD : PAINT_BAD },
		{ number_format(field_count(list, "ipv4"), ipv4), PAINT_NONE },
		{ number_format(field_count(list, "ipv6"), ipv6), PAINT_NONE },
		{ monitor ? "monitored" : "enforced", monitor ? PAINT_WARN : PAINT_NONE },
		{ since ? when_relative(since, changed) : "", PAINT_FAINT },
		{ field_text(list, "origin"), PAINT_FAINT },
	};

	return columns_row(columns, cells, err);
}

static int print_lists(const json_t *lists, struct error *err)
{
	static const struct column titles[] = {
		{ "LIST", ALIGN_LEFT },  { "KIND", ALIGN_LEFT },  { "IPV4", ALIGN_RIGHT },
		{ "IPV6", ALIGN_RIGHT }, { "STATE", ALIGN_LEFT }, { "CHANGED", ALIGN_LEFT },
		{ "FROM", ALIGN_LEFT },
	};

	if (!json_array_size(lists)) {
		output_text("No lists yet: posternctl block add CIDR, or block load NAME FILE\n");
		return 0;
	}
	return columns_print(titles, sizeof(titles) / sizeof(titles[0]), lists, add_list, err);
}

/* "IPv4 1,024 of 2,000,000 (0%)", in a colour that tells how full that is. */
static void print_fill(const char *what, uint64_t used, uint64_t capacity)
{
	char used_text[DURATION_TEXT_MAX], capacity_text[DURATION_TEXT_MAX];
	unsigned int share = capacity ? (unsigned int)((double)used * 100 / (double)capacity) : 0;

	output_paint(share >= FILL_BAD    ? PAINT_BAD
		     : share >= FILL_WARN ? PAINT_WARN
					  : PAINT_NONE,
		     "%s %s of %s (%u%%)", what, number_format(used, used_text),
		     number_format(capacity, capacity_text), share);
}

static void print_table(const json_t *table)
{
	const uint64_t rebuilds = field_count(table, "rebuilds");

	output_label("Table");
	print_fill("IPv4", field_count(table, "entries4"), field_count(table, "capacity4"));
	output_text(", ");
	print_fill("IPv6", field_count(table, "entries6"), field_count(table, "capacity6"));
	output_text(",\n");
	output_label("");
	print_fill("pages", field_count(table, "pages"), field_count(table, "page_capacity"));
	output_text(", %" PRIu64 " MiB; %" PRIu64 " %s, the last took %" PRIu64 " ms\n",
		    field_count(table, "bytes") / BYTES_PER_MIB, rebuilds,
		    plural(rebuilds, "rebuild", "rebuilds"), field_count(table, "rebuild_ms"));
}

/* The value of the limit "PART-LEVEL". */
static uint64_t limit_value(const json_t *limits, const char *part, const char *level)
{
	char key[LIMIT_KEY_MAX];
	const json_t *limit;
	size_t i;

	snprintf(key, sizeof(key), "%s-%s", part, level);
	json_array_foreach(limits, i, limit)
	{
		if (strcmp(field_text(limit, "key"), key) == 0)
			return field_count(limit, "value");
	}
	return 0;
}

/* "an address 20/s (40 at once), 50 connections" */
static void print_level(const json_t *limits, const char *level, const char *name)
{
	uint64_t rate = limit_value(limits, "rate", level),
		 burst = limit_value(limits, "burst", level);
	uint64_t conns = limit_value(limits, "conn", level);

	output_text("%s ", name);
	if (rate)
		output_text("%" PRIu64 " a second (%" PRIu64 " at once)", rate,
			    burst ? burst : rate);
	if (conns)
		output_text("%s%" PRIu64 " %s", rate ? ", " : "", conns,
			    plural(conns, "connection", "connections"));
	if (!rate && !conns)
		output_paint(PAINT_FAINT, "no limit");
	output_text("\n");
}

static void print_limits(const json_t *limits)
{
	static const struct {
		const char *level, *name;
	} levels[] = {
		{ "source", "an address       " },
		{ "net", "its /24 or /64   " },
		{ "site", "its IPv6 /48     " },
		{ "total", "all together     " },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		output_label(i ? "" : "Limits");
		print_level(limits, levels[i].level, levels[i].name);
	}
}

static void print_foot(const json_t *status)
{
	char connections[DURATION_TEXT_MAX], lost[DURATION_TEXT_MAX];
	uint64_t events_lost = field_count(status, "events_lost");

	output_label("Connections");
	output_text("%s\n", number_format(field_count(status, "connections"), connections));
	output_label("Events lost");
	output_paint(events_lost ? PAINT_WARN : PAINT_NONE, "%s\n",
		     number_format(events_lost, lost));
}

static int show_status(struct cli_call *call, const json_t *result, struct error *err)
{
	json_t *limits = NULL;
	int code = cli_ask(call, cli_request("limits.show", err), &limits, err);

	if (code < 0)
		return code;
	print_head(result);
	print_warnings(json_object_get(result, "warnings"));
	print_trouble("Keeper", json_object_get(result, "keeper"), PAINT_BAD);
	print_trouble("Established", json_object_get(result, "ending"), PAINT_WARN);
	print_ports(json_object_get(result, "ports"));
	output_text("\n");
	code = print_interfaces(json_object_get(result, "interfaces"), err);
	output_text("\n");
	if (code == 0)
		code = print_lists(json_object_get(result, "lists"), err);
	output_text("\n");
	if (code == 0 && strcmp(field_text(result, "mode"), "filter") != 0)
		code = zones_print(json_object_get(result, "guard"), err);
	if (code == 0)
		code = smtp_print(json_object_get(result, "smtp"), err);
	print_table(json_object_get(result, "table"));
	print_limits(json_object_get(limits, "limits"));
	floods_print(result, true);
	print_foot(result);
	json_decref(limits);
	return code;
}

static json_t *request_status(const struct cli_call *call, struct error *err)
{
	(void)call;
	return cli_request("status", err);
}

const struct cli_command command_status = {
	.name = "status",
	.arguments = "",
	.group = GROUP_LOOK,
	.summary = "what protects what: interfaces, lists, limits, floods; mail servers",
	.text = "Shows which interfaces are protected and how, the lists and how many entries "
		"they have, in guard mode the health of the DNS lists and the verdicts, in proxy "
		"mode also sessions, messages, what the gateway refused by itself and why, what "
		"checks would have refused that only look, when certificates expire, and each mail "
		"server behind it and what is wrong with it, how full the kernel's table is, the "
		"limits, the floods, whether there can be SYN cookies, and how many connections "
		"are open.",
	.examples = { "posternctl status", "posternctl status --json | jq -r '.lists[].list'" },
	.request = request_status,
	.show = show_status,
};
