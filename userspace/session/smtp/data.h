/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/data.h - where a message ends, and what is in it: the framing of DATA and BDAT.
 *
 * Pure. DATA ends at CR LF "." CR LF and nowhere else (RFC 5321 4.1.1.4); a dot that stands first
 * in a line is taken off if anything but that follows. A CR or a LF that stands alone is in no
 * message (RFC 5321 2.3.8): what one server takes for the end of a line, another one does not, and
 * between the two a message can be smuggled in (CVE-2023-51764, -65, -66). Such a message is read
 * to its end and refused, and none of it goes on. Any other octet is let through, NUL as well; but
 * not a line that would be a dot alone for somebody who leaves out NULs.
 */
#ifndef POSTERN_SESSION_SMTP_DATA_H
#define POSTERN_SESSION_SMTP_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATA_LINE_MAX 998 /* octets of a line, without CR LF (RFC 5321 4.5.3.1.6) */

enum data_fault {
	DATA_FINE,
	DATA_BARE, /* a CR or a LF alone */
	DATA_LONG, /* a line that is too long */
	DATA_DOT,  /* a dot alone in its line, but for NULs */
};

struct smtp_data {
	uint8_t state;
	uint8_t fault; /* enum data_fault: the first one */
	uint8_t nuls;  /* enum nuls (data.c): what the line has been so far */
	bool chunked;  /* BDAT: no dots, the end is told by a number */
	bool ended;
	uint32_t line; /* octets of the line so far */
};

/* For BDAT `chunked`; several chunks are one message. */
void data_begin(struct smtp_data *data, bool chunked);

typedef void (*data_sink)(const uint8_t *piece, size_t size, void *arg);

/*
 * Takes octets off `input`, and gives those of the message to `sink` while there is no fault.
 * Returns how many were taken: all, or up to the end of the message.
 */
size_t data_feed(struct smtp_data *data, const uint8_t *input, size_t size, data_sink sink,
		 void *arg);

/* The last chunk has been fed: what hangs in the air, a CR at the end, is a fault. */
void data_finish(struct smtp_data *data);

#endif
