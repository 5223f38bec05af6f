/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/frame.h - cuts the bytes of a control connection into request lines and payloads.
 *
 * Called by the connection (ctl/client.c) and by the fuzzer; knows nothing of sockets or JSON. The
 * caller asks where the next bytes go, reads them there, says how many came, and then takes what is
 * complete. A payload is read in place, without a copy, into memory that grows with what has
 * arrived: a peer that only announces gigabytes costs nothing.
 *
 * Limits: a line has at most FRAME_LINE_MAX bytes with its newline; a payload has exactly the size
 * that frame_expect() was given, and the caller bounds that.
 */
#ifndef POSTERN_CTL_FRAME_H
#define POSTERN_CTL_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

#define FRAME_LINE_MAX (64u << 10)
#define FRAME_READ_MAX (1u << 20) /* the most that one read may bring of a payload */

enum frame_part {
	FRAME_NOTHING,  /* more bytes are needed */
	FRAME_LINE,     /* a line is complete */
	FRAME_PAYLOAD,  /* the payload that was expected is complete */
	FRAME_TOO_LONG, /* a line exceeds its limit: the connection cannot be followed any more */
};

struct frame {
	char *line;     /* FRAME_LINE_MAX bytes: what has arrived and is not taken */
	size_t used;    /* bytes in `line` */
	size_t scanned; /* of them, those that hold no newline */
	size_t taken;   /* of them, those of the line that was handed out last */
	char *payload;
	size_t held;     /* bytes allocated for `payload` */
	size_t expected; /* bytes of payload that were announced; 0 while lines are read */
	size_t arrived;
	bool discard; /* read the payload and forget it */
};

int frame_open(struct frame *frame, struct error *err);
void frame_close(struct frame *frame);

/* Where the next bytes go, and how many fit; none when there is no memory for more payload. */
char *frame_space(struct frame *frame, size_t *size);

/* `count` bytes have been written to the space. */
void frame_filled(struct frame *frame, size_t count);

/*
 * What is complete. For FRAME_LINE `text` and `len` are the line without its newline, followed by a
 * NUL; they stay valid until the next call of any function here.
 */
enum frame_part frame_next(struct frame *frame, char **text, size_t *len);

/* After the line that was handed out follow `size` (not 0) bytes of payload. */
int frame_expect(struct frame *frame, size_t size, bool discard, struct error *err);

/* Hands the complete payload to the caller, who frees it; NULL if it was discarded. */
char *frame_take_payload(struct frame *frame);

/* Whether a part of a line or payload has arrived: a peer that stops here is in the middle of it.
 */
bool frame_is_partial(const struct frame *frame);

#endif
