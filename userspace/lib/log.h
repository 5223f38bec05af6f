/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/log.h - JSON log lines on standard error, one object a line.
 *
 * Every line has "time" (RFC 3339, UTC, ms), "level" and "event" (a dotted name that does not
 * change between versions); the rest are the fields that the caller packs with Jansson's format
 * language, for example log_info("list.loaded", "{s:s, s:I}", "list", name, "entries", n).
 * When standard error is a terminal the line is written for people instead.
 */
#ifndef POSTERN_LIB_LOG_H
#define POSTERN_LIB_LOG_H

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Lines below `level` are not written; LOG_LEVEL_INFO at start. */
void log_set_level(enum log_level level);

/* The level of "debug", "info", "warning" or "error"; -1 for anything else. */
int log_level_parse(const char *text);

/*
 * `fmt` is a json_pack() format of one object, or NULL for no fields. Safe from any thread. A
 * string may hold any bytes: what could break the line or steer a terminal is written as "?"
 * (lib/text.h).
 */
void log_write(enum log_level level, const char *event, const char *fmt, ...);

#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
