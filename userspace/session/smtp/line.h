/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/line.h - lines of commands, and the words in them (RFC 5321 2.4, 4.5.3.1.4).
 *
 * Pure. A line ends in CR LF. One that ends in a LF alone, or has a CR or a NUL in it, is refused:
 * it is read differently by different servers.
 */
#ifndef POSTERN_SESSION_SMTP_LINE_H
#define POSTERN_SESSION_SMTP_LINE_H

#include <stddef.h>
#include <stdint.h>

#define LINE_MAX_BASE 512   /* octets, with CR LF (RFC 5321 4.5.3.1.4) */
#define LINE_MAX_MAIL 2048  /* of MAIL, RCPT: room for the parameters of all extensions */
#define LINE_MAX_AUTH 12288 /* of AUTH and what answers it (RFC 4954 4) */

enum line_result {
	LINE_MORE,     /* not complete, and not too long yet */
	LINE_TOO_LONG, /* more than `max` octets; complete or not */
	LINE_BARE,     /* it has a CR, a LF or a NUL where there must be none */
	LINE_WHOLE,
};

/* Looks at the first line of the input. `size_out`: octets up to and with its end (not for MORE;
 * for TOO_LONG 0 if the end is not there yet). */
enum line_result line_find(const uint8_t *input, size_t size, size_t max, size_t *size_out);

#endif
