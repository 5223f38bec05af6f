/* SPDX-License-Identifier: GPL-2.0-only */
#include "listfile_shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "maps/action.h"

#define SHOWN_MAX 65536

/* The parser must not need a terminator: it gets a copy that ends where the text does. */
static int parse(enum listfile_format format, const char *data, size_t size, struct entry_set *set,
		 struct listfile_report *report, struct error *err)
{
	const struct listfile_options options = {
		.name = "list",
		.format = format,
		.action = ACTION_RESET,
	};
	char *copy = malloc(size ? size : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, data, size);
	rc = listfile_parse(&options, copy, size, set, report, err);
	free(copy);
	return rc;
}

struct entry_set listfile_load(enum listfile_format format, const char *data, size_t size,
			       struct listfile_report *report)
{
	struct entry_set set = { 0 };
	struct error err = { 0 };

	if (parse(format, data, size, &set, report, &err))
		fail_msg("%s", err.text);
	assert_int_equal(report->entries, set.count);
	return set;
}

const char *note_text(const struct entry_set *set, uint32_t note)
{
	const char *text = set->notes;

	if (note == 0)
		return "";
	assert_true(note <= set->note_count);
	while (--note)
		text += strlen(text) + 1;
	assert_true(text + strlen(text) + 1 <= set->notes + set->notes_size);
	return text;
}

/* By prefix; equal ones by their time to live, so that the order is always the same. */
static int compare(const void *a, const void *b)
{
	const struct entry *one = a, *two = b;
	const int order = prefix_compare(&one->prefix, &two->prefix);

	return order ? order : (one->expires > two->expires) - (one->expires < two->expires);
}

static size_t show(char *out, size_t size, const struct entry_set *set, const struct entry *entry)
{
	char prefix[PREFIX_TEXT_MAX], ttl[32] = "";
	const char *note = note_text(set, entry->note);

	assert_int_equal(entry->action, ACTION_RESET);
	assert_int_equal(entry->added, 0);
	assert_int_equal(entry->reserved, 0);
	if (entry->expires)
		snprintf(ttl, sizeof(ttl), " %us", entry->expires);
	return (size_t)snprintf(out, size, "%s%s%s%s\n", prefix_format(&entry->prefix, prefix), ttl,
				*note ? " " : "", note);
}

void assert_listfile(enum listfile_format format, const char *data, const char *expected)
{
	struct listfile_report report;
	struct entry_set set = listfile_load(format, data, strlen(data), &report);
	char *shown = calloc(1, SHOWN_MAX);
	size_t used = 0;

	assert_non_null(shown);
	if (set.count)
		qsort(set.entry, set.count, sizeof(*set.entry), compare);
	for (size_t i = 0; i < set.count; i++) {
		used += show(shown + used, SHOWN_MAX - used, &set, &set.entry[i]);
		assert_true(used < SHOWN_MAX);
	}
	assert_string_equal(shown, expected);
	free(shown);
	entry_set_clear(&set);
}

void assert_listfile_refused(enum listfile_format format, const char *data, const char *expected)
{
	struct listfile_report report, report_before;
	struct entry_set set, set_before;
	struct error err = { 0 };

	memset(&set, 0xa5, sizeof(set));
	memset(&report, 0xa5, sizeof(report));
	set_before = set;
	report_before = report;
	assert_int_equal(parse(format, data, strlen(data), &set, &report, &err), ERROR_REFUSED);
	assert_string_equal(err.text, expected);
	assert_memory_equal(&set, &set_before, sizeof(set));
	assert_memory_equal(&report, &report_before, sizeof(report));
}
