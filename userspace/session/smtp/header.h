/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/header.h - the header of a message on its way through: the fields that this hop puts
 * in front of it, and the fields of the sender's that do not pass.
 *
 * Pure. header_compose() writes our fields, which go to the spool first. A struct header_filter
 * then takes the message as it comes, in pieces of any size, and gives on what passes: everything
 * but
 *
 * - Authentication-Results that bear our name (RFC 8601 5), or that bear none;
 * - X-Postern, which is ours.
 *
 * The filter works up to the first empty line. A line that is no field does not end the header for
 * it, because whether it does for those behind the gateway is not known.
 */
#ifndef POSTERN_SESSION_SMTP_HEADER_H
#define POSTERN_SESSION_SMTP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "checks/spf_header.h"
#include "lib/addr.h"
#include "lib/domain.h"

#define HEADER_OWN_MAX   (2 * SPF_HEADER_MAX + 4096) /* octets of our fields, with a NUL */
#define HEADER_VALUE_MAX 255 /* octets that are repeated of what somebody said */
#define HEADER_HOPS_MAX  50  /* Received fields: with as many it is a loop (RFC 5321 6.3) */
#define HEADER_BYTES_MAX (512u << 10) /* octets of a header */
#define HEADER_HELD_MAX  1024 /* octets that wait until it is known whether a field passes */

/* What this hop knows. Texts are never NULL; what strangers said in them may hold anything. */
struct header_hop {
	const char *hostname; /* ours */
	struct addr client;
	const char *client_name; /* confirmed, or "" */
	const char *helo;
	bool esmtp, authenticated, utf8;      /* EHLO, AUTH, SMTPUTF8 */
	const char *tls_version, *tls_cipher; /* "" without TLS */
	const char *id;                       /* the lookup id */
	const char *recipient; /* "<a@b.example>" as in struct path, if there is one alone; or "" */
	time_t when;
	const struct spf_header *spf; /* NULL: not looked for */
	const char *findings;         /* words for those who are to tag mail; "" for none */
};

/* Authentication-Results, Received-SPF, X-Postern, Received, each with CR LF. Returns the length.
 */
size_t header_compose(const struct header_hop *hop, char out[HEADER_OWN_MAX]);

enum header_result {
	HEADER_OK,
	HEADER_LOOP,  /* 554 5.4.6: too many hops */
	HEADER_LARGE, /* 552 5.3.4: the header is too large */
	HEADER_FULL,  /* the sink does not take more */
};

/* Takes what passes; false to end it. */
typedef bool (*header_sink)(const void *data, size_t size, void *arg);

enum header_state {
	HEADER_LINE,  /* at the start of a line */
	HEADER_BREAK, /* behind a CR there */
	HEADER_NAME,  /* in what may be the name of a field */
	HEADER_ID,    /* in Authentication-Results, before it is known whose they are */
	HEADER_PASS,
	HEADER_DROP,
	HEADER_BODY,
};

struct header_filter {
	const char *id; /* our name; borrowed */
	header_sink sink;
	void *arg;
	enum header_state state;
	enum header_state field;   /* PASS, DROP or ID: what a folded line goes on with */
	enum header_result result; /* the first that was not OK; nothing is taken after it */
	bool odd;                  /* there was a line that is no field */
	bool blank;                /* the name has ended, the colon is to come */
	unsigned int hops, removed;
	size_t bytes; /* of the header */
	/* Of Authentication-Results: where in the syntax it stands, and the name so far. */
	unsigned int depth; /* of comments */
	bool quoted, escaped;
	char value[DOMAIN_MAX];
	size_t value_len;
	char held[HEADER_HELD_MAX];
	size_t held_len;
};

/* `id`: our name in Authentication-Results; it outlives the filter. */
void header_filter_start(struct header_filter *filter, const char *id, header_sink sink, void *arg);
enum header_result header_filter_feed(struct header_filter *filter, const void *data, size_t size);
/* The message is complete: what is held is decided on. */
enum header_result header_filter_end(struct header_filter *filter);

#endif
