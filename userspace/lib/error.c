/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/error.h"

#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static int fill(struct error *err, int code, const char *fmt,
						      va_list args)
{
	if (err) {
		err->code = code;
		vsnprintf(err->text, sizeof(err->text), fmt, args);
	}
	return code;
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill(err, code, fmt, args);
	va_end(args);
	return code;
}

int error_errno(struct error *err, int code, int errnum, const char *fmt, ...)
{
	va_list args;
	size_t used;

	va_start(args, fmt);
	fill(err, code, fmt, args);
	va_end(args);
	if (err) {
		used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(errnum));
	}
	return code;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char rest[ERROR_TEXT_MAX];
	va_list args;
	size_t used;

	if (!err)
		return ERROR_REFUSED;
	memcpy(rest, err->text, sizeof(rest));
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", rest);
	return err->code;
}
