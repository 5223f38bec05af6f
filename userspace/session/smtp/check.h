/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/check.h - what a session can find out against a client, a sender or a message.
 *
 * For the files of session/smtp, and for those that show what it has counted.
 */
#ifndef POSTERN_SESSION_SMTP_CHECK_H
#define POSTERN_SESSION_SMTP_CHECK_H

enum check {
	CHECK_NONE,
	CHECK_CLIENT, /* the score of the address */
	CHECK_RDNS,
	CHECK_HELO,
	CHECK_LISTED, /* the sender's domain, or the HELO name */
	CHECK_SPF,
	CHECK_SPF_TEMPORARY,
	CHECK_NULL_MX,
	CHECK_SENDER,
	CHECK_SCORE,
	CHECK_GREYLIST,   /* the score, and it was not here before, or not long ago */
	CHECK_PREGREET,   /* it talked before the greeting */
	CHECK_PIPELINING, /* it did not wait for an answer */
	CHECK_CONTENT,    /* what a checker says of the message */
	CHECK_COUNT
};

/* As the log, the header field and the metrics have it. */
const char *check_name(enum check check);

#endif
