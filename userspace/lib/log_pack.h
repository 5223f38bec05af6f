/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/log_pack.h - the fields of a log line. Internal to lib/log.
 */
#ifndef POSTERN_LIB_LOG_PACK_H
#define POSTERN_LIB_LOG_PACK_H

#include <stdarg.h>
#include <stdbool.h>

#include "lib/log_line.h"

/*
 * Adds to a line that has its time, level and event what `fmt` says, which is json_pack()'s
 * language for one object: s s? s* s# s% i I f b n o o? o* O O? O* { } [ ]. Differs from
 * json_pack() in that a string may hold any bytes: it is cleaned by text_clean(), where json_pack()
 * would refuse the whole object; in that a string that is NULL is null; and in that names are
 * written as they are. Fields called as the three that every line has are left out. Returns false
 * if `fmt` is broken; the whole fields before that stay.
 */
bool log_pack(struct log_line *line, const char *fmt, va_list args);

#endif
