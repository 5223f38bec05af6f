/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/refusal.h - what a refused client is told.
 *
 * The reply is `text`, then "; client [ADDRESS]; id LOOKUP-ID" and CRLF: one line of at most
 * REPLY_TEXT_MAX octets, which fits any path's segment size (RFC 9293: 536, RFC 8200: 1220).
 */
#ifndef POSTERN_MAPS_REFUSAL_H
#define POSTERN_MAPS_REFUSAL_H

#include "table.h"

#define REFUSAL_TEXT_MAX 120
#define REPLY_TEXT_MAX   192

/* Map "refusal": one a list slot. The agent sets `length` to 0 while it changes the text. */
struct refusal {
	__u32 length; /* 0: there is none, and the program has its own words */
	__u32 pad;
	/* "554 5.7.1 ..." in printable ASCII, padded with spaces: so what a packet copies while it
	 * changes is a line all the same. */
	char text[REFUSAL_TEXT_MAX];
};
ABI_SIZE(struct refusal, 128);

#endif
