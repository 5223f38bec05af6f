/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/relay.h - whom mail is taken for, and from whom (H1: no open relay).
 *
 * Pure but for its tables, which are made from the configuration and replaced whole. Recipients
 * are taken for our own domains, from anybody; for any domain from trusted networks and from users
 * who have authenticated, who may use the sender addresses that are theirs. postmaster and abuse at
 * our domains are always taken (RFC 5321 4.5.1, RFC 2142). An address that could be sent on by the
 * backend (struct path: indirect, literal, route) is taken from nobody who may not relay.
 */
#ifndef POSTERN_SESSION_SMTP_RELAY_H
#define POSTERN_SESSION_SMTP_RELAY_H

#include "conf/conf.h"
#include "lib/addr.h"
#include "session/smtp/path.h"

struct relay; /* immutable, shared by all workers; counted */

/* Reads the file of recipients, too; errors name file and line. To reload is to open a new one. */
int relay_open(const struct conf *conf, struct relay **out, struct error *err);
struct relay *relay_ref(struct relay *relay);
/* Nulls the pointer; NULL is allowed. */
void relay_unref(struct relay **relay);

bool relay_is_own_domain(const struct relay *relay, const char *domain);
bool relay_is_trusted(const struct relay *relay, const struct addr *client);

enum relay_answer {
	RELAY_YES,
	RELAY_SPECIAL, /* postmaster or abuse: taken whatever the checks say */
	RELAY_DENIED,  /* 550 5.7.1: we do not send mail on for you */
	RELAY_UNKNOWN, /* 550 5.1.1: no such recipient, as far as the configuration knows */
	RELAY_ASK,     /* the backend knows who is there */
};

/* `user`: who has authenticated, or "". The null path is no recipient: RELAY_UNKNOWN. */
enum relay_answer relay_recipient(const struct relay *relay, const struct addr *client,
				  const char *user, const struct path *to);

#endif
