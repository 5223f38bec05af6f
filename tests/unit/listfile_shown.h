/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listfile_shown.h - list files in tests: parsed, and shown as text that a test can compare.
 */
#ifndef POSTERN_TESTS_LISTFILE_SHOWN_H
#define POSTERN_TESTS_LISTFILE_SHOWN_H

#include "lib/listfile.h"

/* Parses `size` bytes of `data`; the test fails if they are refused. The caller clears the set. */
struct entry_set listfile_load(enum listfile_format format, const char *data, size_t size,
			       struct listfile_report *report);

/*
 * Compares the entries that the text `data` yields, sorted by prefix, with `expected`: a line for
 * each, "PREFIX", "PREFIX 60s", "PREFIX reason" or "PREFIX 60s reason".
 */
void assert_listfile(enum listfile_format format, const char *data, const char *expected);

/* Compares the error for the text `data`, in the file "list", with `expected`. */
void assert_listfile_refused(enum listfile_format format, const char *data, const char *expected);

/* The reason of an entry of the set; "" if it has none. */
const char *note_text(const struct entry_set *set, uint32_t note);

#endif
