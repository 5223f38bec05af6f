/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/number.c - options that are numbers: counts, times and scores.
 *
 * Called by type.c, whose rules hold here, too. A number may have a suffix (k, M, G), a time may
 * also be a duration ("1h30m"), a score has a sign and nothing else. What is out of the range of
 * its row is refused and never cut to it.
 */
#include "conf/schema.h"

#include <inttypes.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/units.h"

/* "TEXT followed by what is wrong with it", in the form of every message of this file. */
int conf_refuse(struct error *err, const char *text, const char *wrong)
{
	char shown[TEXT_SHOWN_MAX];

	text_clean(shown, sizeof(shown), text, strlen(text));
	return error_set(err, ERROR_REFUSED, "%s %s", *text ? shown : "\"\"", wrong);
}

/* Tells a number that is too large to be read, or negative, from what is no number at all. */
static bool is_integer(const char *text)
{
	const char *digits = text + (text[0] == '-');

	return *digits && !digits[strspn(digits, "0123456789")];
}

static int refuse_range(struct error *err, const char *text, uint64_t min, uint64_t max)
{
	char wrong[TEXT_SHOWN_MAX];

	snprintf(wrong, sizeof(wrong), "is out of range %" PRIu64 " to %" PRIu64, min, max);
	return conf_refuse(err, text, wrong);
}

int conf_range_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct error *err)
{
	uint64_t value;
	bool known = !number_parse(text, 0, UINT64_MAX, &value, NULL);

	if (!known && !is_integer(text))
		return conf_refuse(err, text, "is not a whole number");
	if (!known || value < min || value > max)
		return refuse_range(err, text, min, max);
	*out = value;
	return 0;
}

/* How many units of a time make a second; 0 if the option is no time. */
static uint32_t units_of_second(const struct conf_option *option)
{
	if (option->type != CONF_NUMBER || !option->unit)
		return 0;
	if (!strcmp(option->unit, CONF_SECONDS))
		return 1;
	return strcmp(option->unit, CONF_MS) ? 0 : MS_A_SECOND;
}

bool conf_is_time(const struct conf_option *option)
{
	return units_of_second(option) != 0;
}

/* Reads "500ms", which is no duration, because those count seconds. */
static bool read_ms(const char *text, uint64_t *out)
{
	const size_t len = strspn(text, "0123456789");
	char digits[DURATION_TEXT_MAX] = "";

	if (strcmp(text + len, CONF_MS) != 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	return !number_parse(digits, 0, UINT64_MAX, out, NULL);
}

/* Reads what is no plain number, in the units of the option. */
static bool read_time(const struct conf_option *option, const char *text, uint64_t *out)
{
	const uint32_t units = units_of_second(option);
	uint32_t seconds = 0;

	if (units == MS_A_SECOND && read_ms(text, out))
		return true;
	if (duration_parse(text, &seconds, NULL))
		return false;
	*out = (uint64_t)seconds * units;
	return true;
}

static int parse_time(const struct conf_option *option, const char *text, uint64_t *out,
		      struct error *err)
{
	uint64_t value = 0;

	if (!read_time(option, text, &value))
		return conf_refuse(
			err, text,
			"is neither a whole number nor a duration, as 90s, 15m, 1h30m or 7d");
	if (value < option->min || value > option->max)
		return refuse_range(err, text, option->min, option->max);
	*out = value;
	return 0;
}

int conf_number_parse(const struct conf_option *option, const char *text, void *field,
		      struct error *err)
{
	uint64_t value = 0;
	const bool plain = is_integer(text) || !number_parse(text, 0, UINT64_MAX, &value, NULL);
	int rc = plain || !conf_is_time(option)
			 ? conf_range_parse(text, option->min, option->max, &value, err)
			 : parse_time(option, text, &value, err);

	if (!rc)
		*(uint32_t *)field = (uint32_t)value;
	return rc;
}

/* A whole number with a sign. */
int conf_score_parse(const struct conf_option *option, const char *text, void *field,
		     struct error *err)
{
	const bool negative = text[0] == '-';
	char wrong[TEXT_SHOWN_MAX];
	uint64_t value = 0;

	if (!is_integer(text))
		return conf_refuse(err, text, "is not a whole number");
	if (number_parse(text + negative, 0, option->max, &value, NULL)) {
		snprintf(wrong, sizeof(wrong), "is out of range -%" PRIu32 " to %" PRIu32,
			 option->max, option->max);
		return conf_refuse(err, text, wrong);
	}
	*(int32_t *)field = negative ? -(int32_t)value : (int32_t)value;
	return 0;
}
