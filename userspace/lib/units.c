/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/units.c - implements lib/units.h: numbers and times as people write them.
 *
 * Called by the configuration, the command line and list files. Strict, because a time to live that
 * was misread blocks or frees somebody: no signs, no blanks, no fractions, every unit at most once
 * and the larger before the smaller ("1h30m", not "30m1h"), and a number that does not fit is an
 * error and never wraps. Pure functions; nothing is allocated.
 */
#include "lib/units.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

#define DURATION_MAX (50ull * 365 * 24 * 60 * 60)

struct unit {
	char letter;
	uint64_t size;
};

/* From the largest to the smallest. */
static const struct unit time_units[] = {
	{ 'w', 7 * 24 * 60 * 60 }, { 'd', 24 * 60 * 60 }, { 'h', 60 * 60 }, { 'm', 60 }, { 's', 1 },
};
static const struct unit number_suffixes[] = {
	{ 'G', 1000000000 },
	{ 'M', 1000000 },
	{ 'k', 1000 },
};

#define TIME_UNITS      (sizeof(time_units) / sizeof(time_units[0]))
#define NUMBER_SUFFIXES (sizeof(number_suffixes) / sizeof(number_suffixes[0]))

static int refuse(struct error *err, const char *text, const char *wrong)
{
	char shown[TEXT_SHOWN_MAX];

	text_clean(shown, sizeof(shown), text, strlen(text));
	return error_set(err, ERROR_USAGE, "%s: %s", *text ? shown : "\"\"", wrong);
}

/* Reads decimal digits at `*text` and moves it behind them; false if there are none or too many. */
static bool read_digits(const char **text, uint64_t *out)
{
	const char *at = *text;
	uint64_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return false;
	if (at == *text)
		return false;
	*text = at;
	*out = value;
	return true;
}

/* The place of a letter among the units from `first` on; `count` if it is not there. */
static size_t find_unit(const struct unit *units, size_t count, size_t first, char letter)
{
	while (first < count && units[first].letter != letter)
		first++;
	return first;
}

/* Adds one "30m" of a duration to `total`. `unit` is the first that may still come. */
static bool read_part(const char **text, bool alone, size_t *unit, uint64_t *total)
{
	uint64_t value, size = 1;

	if (!read_digits(text, &value))
		return false;
	if (**text || !alone) {
		*unit = find_unit(time_units, TIME_UNITS, *unit, **text);
		if (*unit == TIME_UNITS)
			return false;
		size = time_units[(*unit)++].size;
		(*text)++;
	}
	return !__builtin_mul_overflow(value, size, &value) &&
	       !__builtin_add_overflow(*total, value, total);
}

int duration_parse(const char *text, uint32_t *seconds, struct error *err)
{
	const char *at = text;
	uint64_t total = 0;
	size_t unit = 0;

	do {
		if (!read_part(&at, at == text, &unit, &total))
			return refuse(
				err, text,
				"not a duration; write seconds, or numbers with w, d, h, m, s, "
				"as 7d or 1h30m");
	} while (*at);
	if (total == 0)
		return refuse(err, text, "a duration must be longer than 0");
	if (total > DURATION_MAX)
		return refuse(err, text, "a duration must not be longer than 50 years");
	*seconds = (uint32_t)total;
	return 0;
}

char *duration_format(uint64_t seconds, char out[DURATION_TEXT_MAX])
{
	size_t unit = 0;
	uint64_t next;
	int used;

	while (unit < TIME_UNITS - 1 && seconds < time_units[unit].size)
		unit++;
	used = snprintf(out, DURATION_TEXT_MAX, "%" PRIu64 "%c", seconds / time_units[unit].size,
			time_units[unit].letter);
	if (unit == TIME_UNITS - 1)
		return out;
	next = seconds % time_units[unit].size / time_units[unit + 1].size;
	if (next)
		snprintf(out + used, DURATION_TEXT_MAX - (size_t)used, " %" PRIu64 "%c", next,
			 time_units[unit + 1].letter);
	return out;
}

int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct error *err)
{
	const char *at = text;
	uint64_t value, scale = 1;
	bool known = read_digits(&at, &value);

	if (known && *at) {
		size_t suffix = find_unit(number_suffixes, NUMBER_SUFFIXES, 0, *at);

		known = suffix < NUMBER_SUFFIXES && !at[1];
		scale = known ? number_suffixes[suffix].size : 1;
	}
	if (!known || __builtin_mul_overflow(value, scale, &value))
		return refuse(err, text, "not a whole number, with or without a suffix k, M or G");
	if (value < min || value > max) {
		char wrong[TEXT_SHOWN_MAX];

		snprintf(wrong, sizeof(wrong), "must be from %" PRIu64 " to %" PRIu64, min, max);
		return refuse(err, text, wrong);
	}
	*out = value;
	return 0;
}

char *number_format(uint64_t value, char out[DURATION_TEXT_MAX])
{
	char digits[DURATION_TEXT_MAX];
	const int count = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	char *to = out;

	for (int i = 0; i < count; i++) {
		if (i && (count - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return out;
}
