/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/log.c - implements lib/log.h: a line a call, on standard error.
 *
 * Called from every module and every thread. A line goes out in one write(2) of at most
 * LOG_LINE_MAX bytes, which a pipe takes whole, so lines of several threads and processes never mix
 * and there is no lock. A line that would be longer keeps its event and says that its fields were
 * left out. Strings are cleaned (lib/log_line), so a hostile name can break neither the line nor
 * the terminal. Logging never fails for its caller: when nobody reads, the line is lost.
 */
#include "lib/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log_pack.h"

#define LOG_TIME_MAX 32
#define CLOCK_OFFSET 11 /* of the time of day in the time */

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

/* Everything, in one call: a pipe takes up to PIPE_BUF bytes whole or not at all. */
static void line_write(const struct log_line *line)
{
	ssize_t written;

	do
		written = write(STDERR_FILENO, line->text, line->used);
	while (written < 0 && errno == EINTR);
}

static void write_milliseconds(char *out, unsigned int ms)
{
	const char text[] = {
		'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z',
		'\0'
	};

	memcpy(out, text, sizeof(text));
}

/*
 * RFC 3339, UTC, in milliseconds; for this thread, until its next line. The calendar is asked once
 * a second: most lines of a busy thread are of the same one.
 */
static const char *format_time(void)
{
	static _Thread_local struct {
		time_t second;
		size_t used; /* of the text, up to the second; 0: none yet */
		char text[LOG_TIME_MAX];
	} last;
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!last.used || last.second != now.tv_sec) {
		gmtime_r(&now.tv_sec, &utc);
		last.used = strftime(last.text, LOG_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
		last.second = now.tv_sec;
	}
	write_milliseconds(last.text + last.used, (unsigned int)(now.tv_nsec / 1000000));
	return last.text;
}

/* `{"time":"2026-01-01T12:00:00.000Z","level":"warning","event":"table.full"` */
static void begin_json(struct log_line *line, enum log_level level, const char *event)
{
	log_line_text(line, "{\"time\":\"");
	log_line_text(line, format_time());
	log_line_text(line, "\",\"level\":\"");
	log_line_text(line, styles[level].name);
	log_line_text(line, "\",\"event\":");
	log_line_string(line, event, strlen(event));
}

/* `12:00:00.000Z warning table.full`; fields follow as `list=local entries=5` */
static void begin_terminal(struct log_line *line, enum log_level level, const char *event)
{
	const bool colours = !getenv("NO_COLOR");

	log_line_text(line, format_time() + CLOCK_OFFSET);
	log_line_text(line, colours ? styles[level].colour : "");
	log_line_text(line, " ");
	log_line_text(line, styles[level].name);
	log_line_text(line, colours ? COLOUR_RESET " " : " ");
	log_line_text(line, event);
}

static void begin(struct log_line *line, enum log_level level, const char *event)
{
	line->used = 0;
	line->full = false;
	line->terminal = isatty(STDERR_FILENO);
	if (line->terminal)
		begin_terminal(line, level, event);
	else
		begin_json(line, level, event);
}

/* What is wrong with the fields, as one of them. */
static void add_note(struct log_line *line, const char *note)
{
	log_line_text(line, line->terminal ? " log=\"" : ",\"log\":\"");
	log_line_text(line, note);
	log_line_text(line, "\"");
}

static void end(struct log_line *line)
{
	log_line_text(line, line->terminal ? "\n" : "}\n");
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
	const int saved_errno = errno;
	struct log_line line;
	va_list args;

	if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed))
		return;
	begin(&line, level, event);
	va_start(args, fmt);
	if (fmt && !log_pack(&line, fmt, args))
		add_note(&line, "some fields are missing here");
	va_end(args);
	end(&line);
	if (line.full) {
		begin(&line, level, event);
		add_note(&line, "the fields are too long to log");
		end(&line);
	}
	line_write(&line);
	errno = saved_errno;
}
