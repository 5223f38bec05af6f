/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes lib/listfile: no bytes may crash it or break what it promises about its results. The first
 * byte chooses the format and whether bad lines are skipped; the rest is the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/listfile.h"
#include "lib/text.h"
#include "maps/action.h"

#define ENTRIES_MAX 20000 /* small, so that the budget is met and memory stays small */

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	const size_t len = strlen(text);
	size_t taken;

	for (size_t at = 0; at < len; at += taken) {
		uint32_t code;

		taken = text_character(text + at, len - at, &code);
		CHECK(taken && text_showable(code));
	}
}

/* Counts the notes, each of which must be fit to be shown and within its bounds. */
static void check_notes(const struct entry_set *set)
{
	uint32_t count = 0;

	for (size_t at = 0; at < set->notes_size; count++) {
		const char *note = set->notes + at;
		const size_t len = strnlen(note, set->notes_size - at);

		CHECK(len && len <= NOTE_TEXT_MAX && at + len < set->notes_size);
		check_text(note);
		at += len + 1;
	}
	CHECK(count == set->note_count);
}

static void check_entries(const struct entry_set *set)
{
	CHECK(set->count <= ENTRIES_MAX);
	for (size_t i = 0; i < set->count; i++) {
		const struct entry *entry = &set->entry[i];
		const struct prefix same = prefix_of(&entry->prefix.addr, entry->prefix.len);

		CHECK(memcmp(&same, &entry->prefix, sizeof(same)) == 0);
		CHECK(entry->action == ACTION_DROP && !entry->reserved && !entry->added);
		CHECK(entry->note <= set->note_count);
	}
}

static void check_report(const struct listfile_report *report, const struct entry_set *set,
			 bool skip_bad)
{
	CHECK(report->format > LISTFILE_AUTO && report->format < LISTFILE_FORMATS);
	CHECK(report->entries == set->count && report->bad <= report->lines);
	CHECK(skip_bad || report->bad == 0);
	for (size_t i = 0; i < report->bad && i < LISTFILE_BAD_SHOWN; i++) {
		CHECK(report->first[i].line >= 1 && report->first[i].line <= report->lines);
		CHECK(i == 0 || report->first[i].line > report->first[i - 1].line);
		check_text(report->first[i].text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct listfile_options options = { .name = "list",
					    .action = ACTION_DROP,
					    .entries_max = ENTRIES_MAX };
	struct listfile_report report;
	struct entry_set set = { 0 };
	struct error err = { 0 };

	if (size == 0)
		return 0;
	options.format = (enum listfile_format)(*data % LISTFILE_FORMATS);
	options.skip_bad = *data / LISTFILE_FORMATS % 2;
	if (listfile_parse(&options, (const char *)data + 1, size - 1, &set, &report, &err)) {
		CHECK(err.code == ERROR_REFUSED && *err.text);
		CHECK(!set.entry && !set.notes);
		check_text(err.text);
		return 0;
	}
	check_report(&report, &set, options.skip_bad);
	check_entries(&set);
	check_notes(&set);
	entry_set_sort(&set);
	check_entries(&set);
	entry_set_clear(&set);
	return 0;
}
