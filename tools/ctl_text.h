/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_text.h - texts for people: cleaning, widths, times, rates, and the fields of answers.
 *
 * Called by all that prints. Everything works on buffers of the caller. The fields of an answer
 * that are missing are "", 0 and false: an agent of another version makes for gaps in a table, not
 * for a crash.
 */
#ifndef POSTERN_TOOLS_CTL_TEXT_H
#define POSTERN_TOOLS_CTL_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEN_TEXT_MAX 64
#define RATE_TEXT_MAX 16

/* Looks at the locale; `terminal` says that a terminal will read what is printed. */
void show_setup(bool terminal);

/* Whether characters beyond ASCII may be used for drawing. */
bool show_is_utf8(void);

/*
 * Copies `text` as text_clean() of lib/text.h does; on a terminal that does not read UTF-8 all
 * beyond ASCII becomes '?' too. Returns `out`.
 */
char *show_clean(const char *text, char *out, size_t size);

/* Columns of a terminal that a clean text takes. */
size_t show_width(const char *text);

/* The longest beginning of a clean text that fits `columns`, in bytes. */
size_t show_fit(const char *text, size_t columns);

/* Fields of an object of an answer. */
const char *field_text(const json_t *object, const char *key);
uint64_t field_count(const json_t *object, const char *key);
bool field_true(const json_t *object, const char *key);

/* The noun that goes with a number: `one` for 1, `many` for all others. */
const char *plural(uint64_t count, const char *one, const char *many);

/* A time (seconds since 1970) as "2026-11-24 08:41:07"; 0 is "never". Returns `out`. */
char *when_format(uint64_t time, char out[WHEN_TEXT_MAX]);

/* How far a time is from now: "in 3h 20m", "2d 4h ago", "now"; 0 is "never". Returns `out`. */
char *when_relative(uint64_t time, char out[WHEN_TEXT_MAX]);

/* How long ago something happened, in a few characters: "now", "12s", "3h". Returns `out`. */
char *age_format(uint64_t milliseconds, char out[RATE_TEXT_MAX]);

/* A rate or count in at most six characters: "0", "812", "12.3k", "1.24M". Returns `out`. */
char *rate_format(double rate, char out[RATE_TEXT_MAX]);

#endif
