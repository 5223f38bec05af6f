/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * content/checker.h - what looks into a message before anything of it goes to a backend, as the
 * SMTP front sees it.
 *
 * A front has an array of checkers (struct smtp_service_options) and asks them in that order, one
 * after the other, about each message that is complete and that it would hand over. The first
 * refusal ends the message; fields that were asked for are put in front of it when all have let it
 * pass. Each worker has its own array, and all calls are made on the worker's thread.
 *
 * A checker says what it has found. What is done about it is the operator's choice: the weaker of
 * the answer and the action of the checker's option counts.
 */
#ifndef POSTERN_CONTENT_CHECKER_H
#define POSTERN_CONTENT_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/addr.h"
#include "loop/spool.h"

#define CONTENT_CHECKERS_MAX 4u
#define CONTENT_TIME_MS      60000u /* for each of them; then it has answered CONTENT_DEFER */
#define CONTENT_FIELDS_MAX   8u     /* of one answer */
#define CONTENT_NAME_MAX     64u    /* octets of a field's name, with a NUL */
#define CONTENT_VALUE_MAX    900u   /* and of its value: a line has 998 (RFC 5322 2.1.1) */
#define CONTENT_TEXT_MAX     256u   /* of what a sender is told, with a NUL */

/*
 * Valid, with all that it points to, until the checker has called back or is cancelled. Texts are
 * never NULL; what strangers said in them may hold any octets but NUL, CR and LF.
 */
struct content_message {
	uint64_t id; /* lookup id of the session */
	enum conf_service service;
	struct addr client;
	uint16_t client_port;
	const char *client_name; /* confirmed host name, or "" */
	const char *helo;
	const char *user;      /* who has authenticated, or "" */
	const char *from;      /* "<a@b.example>" (session/smtp/path.h), or "<>" */
	const char *const *to; /* likewise, the recipients that were accepted, in order */
	size_t recipients;     /* at least 1 */
	bool tls, utf8;        /* the connection is encrypted; SMTPUTF8 was asked for */
	bool trusted;          /* the client is of smtp.networks, or on an allow list */
	const char *hostname;  /* ours */
	/*
	 * The message, our own fields first: spool_size(), spool_read() octet by octet without a
	 * copy, and spool_parts() for who has to know what lies in memory and what in a file. It is
	 * read only, and does not change meanwhile.
	 */
	struct spool *spool;
	uint64_t own; /* octets of our fields: there the sender's message begins */
};

enum content_answer {
	CONTENT_ACCEPT,
	CONTENT_TAG,    /* with `field` */
	CONTENT_DEFER,  /* 451 */
	CONTENT_REJECT, /* 554 */
};

/*
 * A header field. A name that is none (RFC 5322 2.2) leaves the field out, and the log says so;
 * whatever is no printable ASCII in a value becomes "?", so nothing in it can end the line, and
 * what is too long is cut. A value that needs other characters is encoded (RFC 2047).
 */
struct content_field {
	const char *name, *value;
};

/* Only looked at while it is handed over. */
struct content_verdict {
	enum content_answer answer;
	const char *detail; /* of the enhanced code behind its class: "6.0"; NULL for "7.1" */
	const char *text;   /* why it is refused, for the sender and the log; may be NULL to pass */
	/* Put in front where it is tagged, also if the answer was to refuse. */
	const struct content_field *field;
	size_t fields;
};

/* One message at one checker; the checker's own, and its memory as well. */
struct content_check;

typedef void (*content_cb)(const struct content_verdict *verdict, void *arg);

struct content_checker {
	const char *name; /* of few letters: for the log, and for X-Postern */
	/* Its option. CONF_CHECK_OFF: it is not asked. */
	enum conf_check (*action)(const struct content_checker *checker, const struct conf *conf);
	/*
	 * `cb` is called once, from inside of this or later from the loop; afterwards the checker
	 * alone knows of the check. NULL without a call: it cannot begin (out of memory), which
	 * counts as CONTENT_DEFER.
	 */
	struct content_check *(*start)(const struct content_checker *checker,
				       const struct content_message *message, content_cb cb,
				       void *cb_arg);
	/*
	 * The client or the session has gone, or the time is over: the check is ended without a
	 * call. Never after `cb`. Nulls the pointer.
	 */
	void (*cancel)(struct content_check **check);
	void *arg; /* the checker's */
};

#endif
