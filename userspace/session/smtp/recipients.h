/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/recipients.h - the file of the recipients that exist, for session/smtp/relay.h.
 *
 * A line is an address, "@" and a domain of which anybody may exist, or nothing; "#" starts a
 * comment at the start of a line or after a blank. Addresses are read as those of clients are
 * (path.h) and compared without regard to the case of letters of ASCII. A set is immutable.
 */
#ifndef POSTERN_SESSION_SMTP_RECIPIENTS_H
#define POSTERN_SESSION_SMTP_RECIPIENTS_H

#include <stdbool.h>

#include "lib/error.h"
#include "session/smtp/path.h"

#define RECIPIENTS_MAX      1000000 /* lines of the file that say something */
#define RECIPIENTS_LINE_MAX 1024    /* octets of a line with its end */

struct recipients;

/*
 * Reads a file whole or not at all; errors say "FILE:LINE: what is wrong". `own` says whether a
 * domain is one of ours: a recipient in another one is a mistake.
 */
int recipients_load(const char *file, bool (*own)(const char *domain, const void *arg),
		    const void *arg, struct recipients **out, struct error *err);
/* Nulls the pointer; NULL is allowed. */
void recipients_free(struct recipients **recipients);

enum recipients_answer {
	RECIPIENTS_NO,
	RECIPIENTS_YES,    /* it is there, or without what follows its first "+" */
	RECIPIENTS_DOMAIN, /* its domain is: anybody may exist */
};
enum recipients_answer recipients_find(const struct recipients *recipients, const struct path *to);

#endif
