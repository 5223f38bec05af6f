/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_text.c - see tools/ctl_text.h.
 *
 * What is well-formed is lib/text.h's to say and does not depend on the locale that a cron job
 * happens to have; the locale only decides what may be drawn, and how wide a character is.
 */
#define _GNU_SOURCE /* wcwidth */
#include "tools/ctl_text.h"

#include <ctype.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "lib/clock.h"
#include "lib/text.h"
#include "lib/units.h"

#define SUBSTITUTE    '?'
#define CHARACTER_MAX 4 /* bytes of UTF-8 */
#define MINUTE        60
#define HOUR          3600
#define DAY           86400

static bool utf8, ascii_only;

void show_setup(bool terminal)
{
	utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* The second byte of many characters is a control code to a terminal that reads Latin-1. */
	ascii_only = terminal && !utf8;
}

bool show_is_utf8(void)
{
	return utf8;
}

char *show_clean(const char *text, char *out, size_t size)
{
	text_clean(out, size, text, strlen(text));
	for (char *at = out; ascii_only && *at; at++) {
		if (!isascii((unsigned char)*at))
			*at = SUBSTITUTE;
	}
	return out;
}

/* Columns of the character at `text`; `length` becomes its bytes. */
static size_t character_width(const char *text, size_t *length)
{
	uint32_t code;
	int width;

	if (isascii((unsigned char)*text)) {
		*length = 1;
		return 1;
	}
	*length = text_character(text, strnlen(text, CHARACTER_MAX), &code);
	if (!*length) {
		*length = 1;
		return 1;
	}
	width = utf8 ? wcwidth((wchar_t)code) : 1;
	return width < 0 ? 1 : (size_t)width;
}

size_t show_width(const char *text)
{
	size_t width = 0, length;

	for (; *text; text += length)
		width += character_width(text, &length);
	return width;
}

size_t show_fit(const char *text, size_t columns)
{
	size_t bytes = 0, width = 0, length;

	while (text[bytes]) {
		width += character_width(text + bytes, &length);
		if (width > columns)
			break;
		bytes += length;
	}
	return bytes;
}

const char *field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

uint64_t field_count(const json_t *object, const char *key)
{
	double value = json_number_value(json_object_get(object, key));
	const json_t *field = json_object_get(object, key);

	if (json_is_integer(field))
		return json_integer_value(field) > 0 ? (uint64_t)json_integer_value(field) : 0;
	return value > 0 && value < 1e18 ? (uint64_t)value : 0;
}

bool field_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

const char *plural(uint64_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

char *when_format(uint64_t time, char out[WHEN_TEXT_MAX])
{
	time_t seconds = (time_t)time;
	struct tm local;

	if (!time)
		snprintf(out, WHEN_TEXT_MAX, "never");
	else if (!localtime_r(&seconds, &local) ||
		 !strftime(out, WHEN_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &local))
		snprintf(out, WHEN_TEXT_MAX, "%llu", (unsigned long long)time);
	return out;
}

char *when_relative(uint64_t time, char out[WHEN_TEXT_MAX])
{
	char duration[DURATION_TEXT_MAX];
	uint64_t now = clock_wall();

	if (!time)
		snprintf(out, WHEN_TEXT_MAX, "never");
	else if (time > now)
		snprintf(out, WHEN_TEXT_MAX, "in %s", duration_format(time - now, duration));
	else if (time == now)
		snprintf(out, WHEN_TEXT_MAX, "now");
	else
		snprintf(out, WHEN_TEXT_MAX, "%s ago", duration_format(now - time, duration));
	return out;
}

char *age_format(uint64_t milliseconds, char out[RATE_TEXT_MAX])
{
	unsigned long long seconds = milliseconds / 1000;

	if (seconds < 1)
		snprintf(out, RATE_TEXT_MAX, "now");
	else if (seconds < MINUTE)
		snprintf(out, RATE_TEXT_MAX, "%llus", seconds);
	else if (seconds < HOUR)
		snprintf(out, RATE_TEXT_MAX, "%llum", seconds / MINUTE);
	else if (seconds < DAY)
		snprintf(out, RATE_TEXT_MAX, "%lluh", seconds / HOUR);
	else
		snprintf(out, RATE_TEXT_MAX, "%llud", seconds / DAY);
	return out;
}

char *rate_format(double rate, char out[RATE_TEXT_MAX])
{
	static const char suffixes[] = "kMGT";
	size_t step = 0;

	if (rate < 9.95 && rate > 0.05) {
		snprintf(out, RATE_TEXT_MAX, "%.1f", rate);
		return out;
	}
	if (rate < 9999.5) {
		snprintf(out, RATE_TEXT_MAX, "%.0f", rate > 0 ? rate : 0);
		return out;
	}
	for (rate /= 1000; rate >= 999.5 && suffixes[step + 1]; step++)
		rate /= 1000;
	snprintf(out, RATE_TEXT_MAX,
		 rate < 9.995   ? "%.2f%c"
		 : rate < 99.95 ? "%.1f%c"
				: "%.0f%c",
		 rate, suffixes[step]);
	return out;
}
