/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_floods.c - see tools/ctl_floods.h.
 */
#include "tools/ctl_floods.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

static void print_flood(const json_t *flood)
{
	const bool active = field_true(flood, "active");
	char rate[RATE_TEXT_MAX], peak[RATE_TEXT_MAX], since[WHEN_TEXT_MAX];

	output_paint(active ? PAINT_BAD : PAINT_NONE, "port %" PRIu64 ": %s",
		     field_count(flood, "port"),
		     active ? "a flood of SYNs is on, begun" : "no flood now, the last ended");
	output_text(" %s, %s/s now, %s/s at most; floods so far: %" PRIu64 "\n",
		    when_relative(field_count(flood, "since"), since),
		    rate_format((double)field_count(flood, "rate"), rate),
		    rate_format((double)field_count(flood, "peak"), peak),
		    field_count(flood, "floods"));
}

static void print_cookies(const json_t *cookies)
{
	const char *state = field_text(cookies, "state"), *why = field_text(cookies, "why");
	const bool bad = strcmp(state, "unavailable") == 0;

	output_label("SYN cookies");
	output_paint(bad ? PAINT_BAD : PAINT_NONE, "%s", state);
	output_text("%s%s\n", *why ? ": " : "", why);
}

void floods_print(const json_t *answer, bool labels)
{
	const json_t *flood;
	char threshold[RATE_TEXT_MAX];
	uint64_t most = 0;
	bool any = false;
	size_t i;

	json_array_foreach(json_object_get(answer, "floods"), i, flood)
	{
		most = field_count(flood, "threshold");
		if (!field_true(flood, "active") && !field_count(flood, "floods"))
			continue;
		if (labels)
			output_label(any ? "" : "Floods");
		print_flood(flood);
		any = true;
	}
	if (!labels)
		return;
	if (!any) {
		output_label("Floods");
		if (most)
			output_text("none so far: no port had more than %s attempts/s\n",
				    rate_format((double)most, threshold));
		else
			output_text("not looked for: flood.threshold is 0\n");
	}
	print_cookies(json_object_get(answer, "cookies"));
}

char *floods_now(const json_t *answer, char *out, size_t size)
{
	const json_t *flood;
	size_t i, used = 0;

	out[0] = '\0';
	json_array_foreach(json_object_get(answer, "floods"), i, flood)
	{
		char rate[RATE_TEXT_MAX];

		if (field_true(flood, "active") && used < size)
			used += (size_t)snprintf(
				out + used, size - used, "%sport %" PRIu64 " at %s/s",
				used ? ", " : "", field_count(flood, "port"),
				rate_format((double)field_count(flood, "rate"), rate));
	}
	return out;
}
