/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/error.h - one way to say what went wrong, and where.
 *
 * A function that can fail returns 0, or a negative enum error_code after it has filled the
 * caller's struct error with one line for a person: what, where, and what to do if that is not
 * plain. Its other outputs are untouched on failure. The caller owns the struct; it holds no
 * memory of its own. The codes are the exit codes of the command line, negated.
 */
#ifndef POSTERN_LIB_ERROR_H
#define POSTERN_LIB_ERROR_H

#include <stdarg.h>

enum error_code {
	ERROR_USAGE = -2,       /* the request makes no sense: bad argument, bad syntax */
	ERROR_UNREACHABLE = -3, /* the agent cannot be reached */
	ERROR_REFUSED = -4,     /* understood, but refused or failed */
};

#define ERROR_TEXT_MAX 512

struct error {
	int code; /* an enum error_code, or 0 */
	char text[ERROR_TEXT_MAX];
};

/* Fill `err` (which may be NULL) and return `code`. */
__attribute__((format(printf, 3, 4))) int error_set(struct error *err, int code, const char *fmt,
						    ...);

/* The same, with ": " and the text of `errnum` (an errno value) appended. */
__attribute__((format(printf, 4, 5))) int error_errno(struct error *err, int code, int errnum,
						      const char *fmt, ...);

/* Put "text: " before what `err` says already; returns err->code. */
__attribute__((format(printf, 2, 3))) int error_prefix(struct error *err, const char *fmt, ...);

#endif
