/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/log.c - implements lib/log.h: a line a call, on standard error.
 *
 * Called from every module and every thread. A line goes out in one write(2) of at most
 * LOG_LINE_MAX bytes, which a pipe takes whole, so lines of several threads and processes never mix
 * and there is no lock. A line that would be longer keeps its event and says that its fields were
 * left out. Strings are cleaned (lib/log_pack), so a hostile name can break neither the line nor
 * the terminal. Logging never fails for its caller: when nobody reads, the line is lost.
 */
#include "lib/log.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log_pack.h"
#include "lib/text.h"

#define LOG_LINE_MAX PIPE_BUF
#define LOG_TIME_MAX 32
#define CLOCK_OFFSET 11 /* of the time of day in the time */
#define FIXED_FIELDS 3  /* time, level, event: they come first */
#define REAL_DIGITS  6
#define DUMP_FLAGS   (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(REAL_DIGITS))

struct level_style {
	const char *name;
	const char *colour; /* of the level on a terminal */
};

static const struct level_style styles[] = {
	[LOG_LEVEL_DEBUG] = { "debug", "\x1b[2m" },
	[LOG_LEVEL_INFO] = { "info", "\x1b[32m" },
	[LOG_LEVEL_WARNING] = { "warning", "\x1b[33m" },
	[LOG_LEVEL_ERROR] = { "error", "\x1b[31m" },
};

#define LEVELS       (sizeof(styles) / sizeof(styles[0]))
#define COLOUR_RESET "\x1b[0m"

static atomic_int lowest_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&lowest_level, (int)level, memory_order_relaxed);
}

int log_level_parse(const char *text)
{
	for (size_t i = 0; i < LEVELS; i++)
		if (strcmp(text, styles[i].name) == 0)
			return (int)i;
	return -1;
}

/* What is put together of one line. Once it is full it only remembers that. */
struct line {
	char text[LOG_LINE_MAX];
	size_t used;
	bool full;
};

static void line_add(struct line *line, const char *text, size_t len)
{
	if (len > sizeof(line->text) - line->used) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->used, text, len);
	line->used += len;
}

static void line_text(struct line *line, const char *text)
{
	line_add(line, text, strlen(text));
}

/* What json_dump_callback() calls. It always succeeds: that something did not fit is in the line.
 */
static int line_json(const char *text, size_t len, void *line)
{
	line_add(line, text, len);
	return 0;
}

/* Everything, in one call: a pipe takes up to PIPE_BUF bytes whole or not at all. */
static void line_write(const struct line *line)
{
	ssize_t written;

	do
		written = write(STDERR_FILENO, line->text, line->used);
	while (written < 0 && errno == EINTR);
}

/* RFC 3339, UTC, in milliseconds. Returns `out`. */
static const char *format_time(char out[LOG_TIME_MAX])
{
	struct timespec now;
	struct tm utc;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	used = strftime(out, LOG_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out + used, LOG_TIME_MAX - used, ".%03dZ", (int)(now.tv_nsec / 1000000));
	return out;
}

static json_t *new_fields(enum log_level level, const char *event)
{
	char time[LOG_TIME_MAX];

	return json_pack("{s:s, s:s, s:s}", "time", format_time(time), "level", styles[level].name,
			 "event", event);
}

static void render_json(struct line *line, json_t *fields)
{
	json_dump_callback(fields, line_json, line, DUMP_FLAGS);
	line_text(line, "\n");
}

/* A string for people: in quotes only where it could be taken for something else. */
static void render_string(struct line *line, const char *text)
{
	char clean[LOG_TEXT_MAX];
	const size_t len = text_clean(clean, sizeof(clean), text, strlen(text));
	const bool quotes = len == 0 || strcspn(clean, " \"=\\") < len;

	line_text(line, quotes ? "\"" : "");
	for (size_t i = 0; i < len; i++) {
		if (clean[i] == '"' || clean[i] == '\\')
			line_text(line, "\\");
		line_add(line, clean + i, 1);
	}
	line_text(line, quotes ? "\"" : "");
}

static void render_value(struct line *line, json_t *value)
{
	if (json_is_string(value))
		render_string(line, json_string_value(value));
	else
		json_dump_callback(value, line_json, line, DUMP_FLAGS | JSON_ENCODE_ANY);
}

/* "12:00:00.000Z warning table.full list=local entries=5" */
static void render_terminal(struct line *line, json_t *fields, enum log_level level)
{
	const bool colours = !getenv("NO_COLOR");
	size_t seen = 0;
	const char *name;
	json_t *value;

	line_text(line, json_string_value(json_object_get(fields, "time")) + CLOCK_OFFSET);
	line_text(line, colours ? styles[level].colour : "");
	line_text(line, " ");
	line_text(line, styles[level].name);
	line_text(line, colours ? COLOUR_RESET " " : " ");
	line_text(line, json_string_value(json_object_get(fields, "event")));
	json_object_foreach(fields, name, value)
	{
		if (seen++ < FIXED_FIELDS)
			continue;
		line_text(line, " ");
		line_text(line, name);
		line_text(line, "=");
		render_value(line, value);
	}
	line_text(line, "\n");
}

static void render(struct line *line, json_t *fields, enum log_level level)
{
	line->used = 0;
	line->full = false;
	if (isatty(STDERR_FILENO))
		render_terminal(line, fields, level);
	else
		render_json(line, fields);
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
	const int saved_errno = errno;
	struct line line;
	json_t *fields;
	va_list args;

	if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed))
		return;
	fields = new_fields(level, event);
	va_start(args, fmt);
	if (fmt && !log_pack(fields, fmt, args))
		json_object_set_new(fields, "log", json_string("some fields are missing here"));
	va_end(args);
	if (fields)
		render(&line, fields, level);
	if (fields && line.full) {
		json_decref(fields);
		fields = new_fields(level, event);
		json_object_set_new(fields, "log", json_string("the fields are too long to log"));
		render(&line, fields, level);
	}
	if (fields)
		line_write(&line);
	json_decref(fields);
	errno = saved_errno;
}
