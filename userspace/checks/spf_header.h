/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/spf_header.h - a verdict as header fields: Received-SPF (RFC 7208 9.1) and
 * Authentication-Results (RFC 8601, RFC 7208 9.2).
 *
 * Pure functions. Names and mailboxes are what strangers said: each is written as an atom where it
 * is one, else as a quoted string, in which octets that are not printable ASCII are "?". So none
 * can end a string, a comment or a line, or add a field. A value is cut at SPF_VALUE_MAX octets,
 * which keeps every line below the 998 octets of RFC 5322 2.1.1.
 */
#ifndef POSTERN_CHECKS_SPF_HEADER_H
#define POSTERN_CHECKS_SPF_HEADER_H

#include "checks/spf.h"

#define SPF_VALUE_MAX  320
#define SPF_HEADER_MAX 8192 /* enough for whatever is in a verdict */

struct spf_header {
	const struct spf_verdict *verdict;
	struct addr ip;
	const char *helo;
	const char *from;     /* as in struct spf_request */
	const char *receiver; /* the host name of the gateway: the authserv-id, too */
};

/* The whole field, folded, with CR LF at the end of each of its lines. Returns `out`. */
char *spf_header_received(const struct spf_header *header, char out[SPF_HEADER_MAX]);
char *spf_header_results(const struct spf_header *header, char out[SPF_HEADER_MAX]);

/* One result of Authentication-Results alone, "spf=pass ...", to stand beside others. */
char *spf_header_result(const struct spf_header *header, char out[SPF_HEADER_MAX]);

#endif
