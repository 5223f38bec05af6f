/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/path.h - the arguments of MAIL and RCPT: paths and their parameters (RFC 5321 4.1.2,
 * RFC 6531 3.3, RFC 3461 for DSN).
 *
 * Pure. Strict where it matters for relaying: what is not exactly a mailbox is an error, source
 * routes are taken off (RFC 5321 4.1.1.3: "SHOULD ignore"), and a quoted local part is kept as it
 * was written, so that the backend sees what was checked. An address that could mean something else
 * behind the gateway (a local part with "@", "%" or "!", in quotes or not) is told apart by its
 * flags and never relayed for strangers. Control characters are refused wherever they are.
 *
 * Where clients are sloppier than the RFC: blanks between the colon and the path, and at the end
 * of the line, are skipped, because they are common and cannot change what is meant. A path without
 * brackets is refused, because where it ends is a guess, and so is whatever stands behind one
 * without a blank. A local part may have more octets than RFC 5321 4.5.3.1.1 demands at least.
 */
#ifndef POSTERN_SESSION_SMTP_PATH_H
#define POSTERN_SESSION_SMTP_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/domain.h"
#include "lib/error.h"

/* Octets of a local part as it is written; 64 at least, and bounces of mailing lists need more. */
#define PATH_LOCAL_MAX      128
#define PATH_TEXT_MAX       512 /* octets of an address as it is sent on, with brackets and NUL */
#define PATH_PARAMETERS_MAX 16

struct path {
	char text[PATH_TEXT_MAX];       /* "<local@domain>", "<>", "<postmaster>" */
	char local[PATH_LOCAL_MAX + 1]; /* without quotes; "" of "<>" */
	char domain[DOMAIN_MAX]; /* lib/domain.h, or "[192.0.2.1]", "[IPv6:2001:db8::1]"; "" of "<>"
				    and "<postmaster>" */
	bool null;               /* "<>" */
	bool literal;            /* the domain is an address in brackets */
	bool quoted;             /* the local part was */
	bool route;              /* a source route was taken off */
	bool indirect;           /* "%", "!" or "@" in the local part, quoted or not */
	bool utf8; /* was written with other characters than ASCII: MAIL has to say SMTPUTF8 */
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
 * Reads what stands behind "MAIL FROM:" or "RCPT TO:": `len` octets, then a NUL; changes the line.
 * `utf8`: other characters than ASCII are allowed (RFC 6531 3.4: to RCPT, if MAIL said SMTPUTF8).
 * Parameters have the form of RFC 5321 4.1.2, none is there twice, and those of SIZE, 8BITMIME,
 * SMTPUTF8, DSN and AUTH have values that they can have; which of them the command takes is not
 * looked at. ERROR_REFUSED with a text of ASCII that fits a 501 reply and repeats nothing.
 */
int path_parse(char *line, size_t len, bool utf8, struct path_line *out, struct error *err);

/* A parameter by its name, blind to case; NULL if it is not there. */
const struct path_parameter *path_parameter(const struct path_line *line, const char *name);

/* session/smtp/parameter.c, for path.c: the parameters, from `text` to the end of the line. */
int path_parameters_parse(char *text, struct path_line *out, struct error *err);

#endif
