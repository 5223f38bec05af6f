/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile.h - files of addresses, as people and list providers write them, into a set of
 * entries.
 *
 * Called by `posternctl block load` and `allow load` with the file mapped into memory. Nothing of
 * the file is trusted. Every format has a file of its own, lib/listfile_FORMAT.c, which documents
 * what it accepts; listfile_detect.c guesses the format.
 *
 * A file is taken whole or not at all, unless its reader asks to skip bad lines. What is excluded
 * ("!", nomatch) is cut out of what covers it, see lib/listfile_cut.c.
 */
#ifndef POSTERN_LIB_LISTFILE_H
#define POSTERN_LIB_LISTFILE_H

#include "lib/entry.h"

/* Budgets. What exceeds one of them is an error, never cut off in silence. */
#define LISTFILE_ENTRIES_MAX 20000000u    /* entries, after ranges are split and exclusions cut */
#define LISTFILE_NOTES_MAX   (512u << 20) /* bytes of different reasons */
#define LISTFILE_LINE_MAX    4096u        /* bytes of a line; a longer one is a bad line */
#define LISTFILE_CUTS_MAX    50000000u    /* meetings of an entry with an exclusion inside it */

#define LISTFILE_BAD_SHOWN    5   /* bad lines that are reported in words */
#define LISTFILE_BAD_TEXT_MAX 200 /* bytes of such a report, with the final NUL */

enum listfile_format {
	LISTFILE_AUTO,
	LISTFILE_PLAIN,
	LISTFILE_IPSET,
	LISTFILE_DROP,
	LISTFILE_RBLDNSD,
	LISTFILE_FORMATS
};

struct listfile_options {
	const char *name; /* of the file, for messages */
	enum listfile_format format;
	uint8_t action;     /* enum action, for every entry */
	bool skip_bad;      /* count and report bad lines instead of refusing the file */
	size_t entries_max; /* 0 is LISTFILE_ENTRIES_MAX, which it cannot exceed */
};

struct listfile_bad {
	uint64_t line; /* from 1 */
	char text[LISTFILE_BAD_TEXT_MAX];
};

struct listfile_report {
	enum listfile_format format; /* the one that was used: never AUTO */
	uint64_t lines;
	uint64_t entries;    /* in the set */
	uint64_t exclusions; /* that were honoured */
	uint64_t ignored;    /* lines that say something which a list of addresses has no use for */
	uint64_t bad;
	struct listfile_bad
		first[LISTFILE_BAD_SHOWN]; /* the first ones: min(bad, LISTFILE_BAD_SHOWN) */
};

/*
 * Parses `size` bytes of `data`, which need not be terminated and are not changed. Fills `out`,
 * which was empty and which the caller clears, and `report`.
 *
 * The entries stand in the order of the file and may hold a prefix more than once: `added` is 0,
 * `expires` the time to live. On failure `out` and `report` are untouched; when lines are bad the
 * error names the first of them, "FILE:LINE: reason; FILE:LINE: reason; and 17 more bad lines".
 */
int listfile_parse(const struct listfile_options *options, const char *data, size_t size,
		   struct entry_set *out, struct listfile_report *report, struct error *err);

/* The format called "auto", "plain", "ipset", "drop" or "rbldnsd". */
int listfile_format_parse(const char *text, enum listfile_format *out, struct error *err);
const char *listfile_format_name(enum listfile_format format);

#endif
