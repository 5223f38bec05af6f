/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/path.h - the arguments of MAIL and RCPT: paths and their parameters (RFC 5321 4.1.2,
 * RFC 6531 3.3, RFC 3461 for DSN).
 *
 * Pure. Strict where it matters for relaying: what is not exactly a mailbox is an error, source
 * routes are taken off (RFC 5321 4.1.1.3: "SHOULD ignore"), and a quoted local part is kept as it
 * was written, so that the backend sees what was checked. An address that could mean something else
 * behind the gateway (a local part with "@", "%", "!" outside of quotes, or with control
 * characters) is told apart by its flags and never relayed.
 */
#ifndef POSTERN_SESSION_SMTP_PATH_H
#define POSTERN_SESSION_SMTP_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define PATH_LOCAL_MAX      64 /* octets (RFC 5321 4.5.3.1.1) */
#define PATH_DOMAIN_MAX     255
#define PATH_TEXT_MAX       512 /* octets of an address as it is sent on, with brackets and NUL */
#define PATH_PARAMETERS_MAX 16

struct path {
	char text[PATH_TEXT_MAX];       /* "<local@domain>", "<>", "<postmaster>" */
	char local[PATH_LOCAL_MAX + 1]; /* without quotes; "" of "<>" */
	char domain[PATH_DOMAIN_MAX +
		    1]; /* small letters, A-labels; "" of "<>" and "<postmaster>" */
	bool null;      /* "<>" */
	bool literal;   /* the domain is an address in brackets */
	bool quoted;    /* the local part was */
	bool route;     /* a source route was taken off */
	bool indirect;  /* "%", "!" or "@" in the local part, quoted or not */
	bool utf8;      /* needs SMTPUTF8 */
};

struct path_parameter {
	const char *name, *value; /* in the caller's line, ended by NUL; value NULL without "=" */
};

struct path_line {
	struct path path;
	size_t count;
	struct path_parameter parameter[PATH_PARAMETERS_MAX];
};

/*
 * Reads what stands behind "MAIL FROM:" or "RCPT TO:"; changes the line. `utf8`: the client may use
 * it. ERROR_REFUSED with a text that fits a 501 reply.
 */
int path_parse(char *line, bool utf8, struct path_line *out, struct error *err);

#endif
