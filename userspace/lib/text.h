/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/text.h - text from outside made fit to show.
 *
 * List files, the network and other processes may hand over any bytes. Whatever of them reaches a
 * message, a log line, a terminal or a stored reason passes through here first, so that it can
 * neither break a line, nor steer a terminal, nor be refused by Jansson as invalid UTF-8.
 */
#ifndef POSTERN_LIB_TEXT_H
#define POSTERN_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_SHOWN_MAX 80 /* bytes of a quoted input that a message repeats, with the final NUL */

/*
 * Copies `len` bytes of `text` to `out` as valid UTF-8 on one line. Control characters, characters
 * that reorder or break lines, and bytes that are not UTF-8 each become "?". What does not fit
 * into `size` bytes (at least 4, with the final NUL) is cut at a character and ends in "...".
 * Returns the length of `out`.
 */
size_t text_clean(char *out, size_t size, const char *text, size_t len);

/*
 * The character at the start of `text`: returns how many bytes it takes (1 to 4) and sets `code`,
 * or returns 0 if the bytes are not UTF-8 (RFC 3629). `len` is at least 1.
 */
size_t text_character(const char *text, size_t len, uint32_t *code);

/* Whether a character may be shown as it is: false for what text_clean() replaces. */
bool text_showable(uint32_t code);

#endif
