/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_zones.c - see tools/ctl_zones.h.
 */
#include "tools/ctl_zones.h"

#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

static const struct column titles[] = {
	{ "DNS LIST", ALIGN_LEFT },   { "OF", ALIGN_LEFT },      { "HEALTH", ALIGN_LEFT },
	{ "FOR", ALIGN_RIGHT },       { "ASKED", ALIGN_RIGHT },  { "LISTED", ALIGN_RIGHT },
	{ "NO ANSWER", ALIGN_RIGHT }, { "ERRORS", ALIGN_RIGHT },
};

static enum paint health_paint(const char *health)
{
	if (!strcmp(health, "serving"))
		return PAINT_GOOD;
	return strcmp(health, "untested") != 0 ? PAINT_BAD : PAINT_WARN;
}

static int add_zone(struct columns *columns, const json_t *zone, struct error *err)
{
	static const char *const counts[] = { "asked", "listed", "temporary", "errors" };
	char number[sizeof(counts) / sizeof(counts[0])][DURATION_TEXT_MAX];
	const char *health = field_text(zone, "health");
	char since[DURATION_TEXT_MAX];
	struct cell cells[sizeof(titles) / sizeof(titles[0])] = {
		{ field_text(zone, "zone"), PAINT_NONE },
		{ field_text(zone, "of"), PAINT_NONE },
		{ health, health_paint(health) },
		{ duration_format(field_count(zone, "seconds"), since), PAINT_FAINT },
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		cells[4 + i].text = number_format(field_count(zone, counts[i]), number[i]);
	return columns_row(columns, cells, err);
}

static int print_zones(const json_t *zones, struct error *err)
{
	int code;

	if (!json_array_size(zones))
		return 0;
	code = columns_print(titles, sizeof(titles) / sizeof(titles[0]), zones, add_zone, err);
	output_text("\n");
	return code;
}

static void print_count(const json_t *counts, const char *key, const char *between)
{
	char number[DURATION_TEXT_MAX];

	output_text("%s%s %s", between, number_format(field_count(counts, key), number), key);
}

static void print_verdicts(const json_t *guard)
{
	const json_t *verdicts = json_object_get(guard, "verdicts"),
		     *learned = json_object_get(guard, "learned");

	output_label("Verdicts");
	print_count(verdicts, "accept", "");
	print_count(verdicts, "slow", ", ");
	print_count(verdicts, "greylist", ", ");
	print_count(verdicts, "reject", ", ");
	output_text("\n");
	output_label("Learned");
	print_count(learned, "known", "");
	print_count(learned, "trusted", ", ");
	print_count(learned, "blocked", ", ");
	output_text("\n");
}

int zones_print(const json_t *guard, struct error *err)
{
	const json_t *dns = json_object_get(guard, "dns");
	int code;

	if (!json_is_object(guard))
		return 0;
	code = print_zones(json_object_get(guard, "zones"), err);
	print_verdicts(guard);
	if (field_true(dns, "rewrites"))
		output_paint(PAINT_BAD, "A DNS server answers for names that do not exist: no DNS "
					"list counts\n");
	if (field_count(dns, "servers_down"))
		output_paint(PAINT_WARN, "A DNS server does not answer\n");
	return code;
}
