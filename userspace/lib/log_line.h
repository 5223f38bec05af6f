/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/log_line.h - one line of the log while it is put together. Internal to lib/log.
 *
 * The text is written where it goes out from, without a tree of values first: under a flood of
 * strangers lines are what a refusal costs most. What does not fit is left away and remembered.
 */
#ifndef POSTERN_LIB_LOG_LINE_H
#define POSTERN_LIB_LOG_LINE_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define LOG_LINE_MAX PIPE_BUF /* bytes that a pipe takes in one piece */
#define LOG_TEXT_MAX 768      /* bytes that are kept of one string, with the final NUL */

struct log_line {
	char text[LOG_LINE_MAX];
	size_t used;
	bool full;     /* something did not fit */
	bool terminal; /* for people, and not JSON */
};

void log_line_add(struct log_line *line, const char *text, size_t len);
void log_line_text(struct log_line *line, const char *text);

/* A string of anybody's as JSON, cleaned (lib/text.h), in ASCII. */
void log_line_string(struct log_line *line, const char *text, size_t len);
/* The same for people: in quotes only where it could be taken for something else. */
void log_line_words(struct log_line *line, const char *text, size_t len);
void log_line_integer(struct log_line *line, json_int_t number);
/* A value that is there already, as JSON; NULL is null. */
void log_line_json(struct log_line *line, const json_t *value);

#endif
