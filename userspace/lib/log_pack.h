/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/log_pack.h - the fields of a log line. Internal to lib/log.
 */
#ifndef POSTERN_LIB_LOG_PACK_H
#define POSTERN_LIB_LOG_PACK_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>

#define LOG_TEXT_MAX 768 /* bytes that are kept of one string, with the final NUL */

/*
 * Adds to the object `line` what `fmt` says, which is json_pack()'s language for one object: s s?
 * s* s# s% i I f b n o o? o* O O? O* { } [ ]. Differs from json_pack() in that a string may hold
 * any bytes: it is cleaned by text_clean(), where json_pack() would refuse the whole object; and in
 * that a string that is NULL is null. A name that `line` has already stays as it is. Returns false
 * if `fmt` is broken or memory ran out; what was added before stays.
 */
bool log_pack(json_t *line, const char *fmt, va_list args);

#endif
