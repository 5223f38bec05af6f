/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/reply.h - what a server answers (RFC 5321 4.2, RFC 2034). Pure functions.
 *
 * A reply is read line by line from where it has arrived, so nothing is kept of a line that is not
 * there yet. A server is trusted as far as its administrator is: it may be broken, or somebody may
 * have put himself in its place before TLS began. What is no SMTP ends the dialogue.
 */
#ifndef POSTERN_BACKEND_REPLY_H
#define POSTERN_BACKEND_REPLY_H

#include "backend/backend.h"

#define REPLY_LINES_MAX 128 /* of one reply; BACKEND_LINE_MAX octets each, with CR LF */

enum reply_result {
	REPLY_MORE, /* the line is not there yet */
	REPLY_LINE, /* a line that others follow */
	REPLY_DONE, /* the last one */
	REPLY_BAD,  /* this is no SMTP */
};

struct reply_parser {
	struct backend_reply reply; /* as far as it has come */
	unsigned int lines;
	size_t length; /* of the text */
};

struct reply_span {
	const char *at; /* in the caller's memory; may hold any octets */
	size_t length;
};

/* Before each reply. */
void reply_begin(struct reply_parser *parser);

/*
 * Takes the line at the start of `data`: `used` octets. `line` is its text as it came, without the
 * code and CR LF. Lines end in CR LF, codes are 200 to 599 and the same in all lines.
 */
enum reply_result reply_take(struct reply_parser *parser, const uint8_t *data, size_t size,
			     size_t *used, struct reply_span *line);

/*
 * Sees that each line begins with an enhanced status code of the reply's class (RFC 2034 4). Where
 * the server gave none, that of the line before is put there, or X.0.0. Not for 3yz.
 */
void reply_complete(struct backend_reply *reply);

#endif
