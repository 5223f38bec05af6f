/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check_talk.h - what `posternctl check mx` says to a mail host, and what it hears.
 *
 * A dialogue as far as the question whether the host takes mail for a domain, and no further:
 * greeting, EHLO, MAIL FROM:<>, RCPT TO:<postmaster@DOMAIN>, QUIT; never DATA. It knows no sockets:
 * the caller hands in what has come and sends what is to be said (tools/ctl_check_probe.c).
 *
 * The host is hostile: its lines, and the lines of a reply, are counted, and what is kept of them
 * is clean and cut.
 */
#ifndef POSTERN_TOOLS_CTL_CHECK_TALK_H
#define POSTERN_TOOLS_CTL_CHECK_TALK_H

#include <stdbool.h>
#include <stddef.h>

#include "dns/dns.h"

#define TALK_LINE_MAX   1000 /* octets of a line; RFC 5321 4.5.3.1.5 has 512 */
#define TALK_LINES_MAX  100  /* of a reply */
#define TALK_SHOWN_MAX  160  /* of the last line of a reply, with the NUL */
#define TALK_REASON_MAX 240
#define TALK_SAY_MAX    (DNS_NAME_MAX + 64)

enum talk_step { TALK_CONNECT, TALK_GREETING, TALK_EHLO, TALK_MAIL, TALK_RCPT, TALK_QUIT };
#define TALK_STEPS (TALK_QUIT + 1)

struct talk_reply {
	unsigned int code; /* 0: there was none */
	char text[TALK_SHOWN_MAX];
};

struct talk {
	const char *domain; /* borrowed */
	enum talk_step step;
	bool works;                   /* the recipient was accepted */
	bool starttls;                /* offered */
	bool over;                    /* nothing is waited for any more, and nothing to be said */
	char reason[TALK_REASON_MAX]; /* why it does not work; "" while it may, or does */
	struct talk_reply reply[TALK_STEPS];

	char name[DNS_NAME_MAX + 1]; /* what we call ourselves */
	char say[TALK_SAY_MAX];      /* to be sent now; the caller empties it */
	char line[TALK_LINE_MAX + 1];
	size_t used, lines;
	unsigned int code; /* of the reply that is under way */
};

/* The TCP connection is there; `name` is a host name or an address literal. */
void talk_begin(struct talk *talk, const char *domain, const char *name);
/* Takes what has come. */
void talk_hear(struct talk *talk, const char *data, size_t size);
/* The connection is gone, or the time: `what` says so. Nothing if it is over. */
void talk_end(struct talk *talk, const char *what);

const char *talk_step_name(enum talk_step step); /* "connect", "greeting", "EHLO", ... */

#endif
