/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/line.c - see session/smtp/line.h.
 */
#include "session/smtp/line.h"

#include <stdbool.h>
#include <string.h>

enum line_result line_find(const uint8_t *input, size_t size, size_t max, size_t *size_out)
{
	const uint8_t *lf = memchr(input, '\n', size);
	const size_t length = lf ? (size_t)(lf - input) + 1 : 0;
	bool proper;

	*size_out = length;
	if (length > max || (!length && size >= max))
		return LINE_TOO_LONG;
	if (!length)
		return LINE_MORE;
	proper = length >= 2 && input[length - 2] == '\r' && !memchr(input, '\r', length - 2) &&
		 !memchr(input, '\0', length);
	return proper ? LINE_WHOLE : LINE_BARE;
}
