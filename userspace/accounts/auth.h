/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/auth.h - SMTP AUTH: the exchange of SASL (RFC 4954) over libgsasl, the accounts that it
 * is checked against, and how fast may be guessed.
 *
 * Mechanisms: PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login, for old clients), SCRAM-SHA-256
 * (RFC 7677, without channel binding). Accounts are those of the users file, or else the backend's
 * own, for PLAIN and LOGIN only. Whatever fails, fails with one answer and takes as long: an
 * unknown user costs a hash, too (CVE-2025-53859), and comparing takes constant time. Hashing runs
 * in libuv's pool, at most AUTH_HASHES_MAX at a time.
 *
 * One struct auth for all workers, with locks of its own; exchanges belong to a loop's thread.
 */
#ifndef POSTERN_ACCOUNTS_AUTH_H
#define POSTERN_ACCOUNTS_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "conf/conf.h"
#include "lib/addr.h"
#include "lib/error.h"

#define AUTH_HASHES_MAX 4
#define AUTH_LINE_MAX   12288 /* octets of a base64 line (RFC 4954 4) */
#define AUTH_USER_MAX   256   /* octets of a name, with its NUL */

struct auth;

/* Reads the users file; errors name file and line. */
int auth_open(const struct conf *conf, struct auth **out, struct error *err);
void auth_close(struct auth **auth);
/* Reads it again; what is refused changes nothing. */
int auth_reload(struct auth *auth, const struct conf *conf, struct error *err);

/* The mechanisms, for EHLO: "PLAIN LOGIN SCRAM-SHA-256"; "" if there are no accounts at all. */
const char *auth_mechanisms(const struct auth *auth);

/* Whether the user may use the address ("local@domain", folded by the caller) as a sender. */
bool auth_may_send_as(const struct auth *auth, const char *user, const char *address);

/*
 * Throttling: failures count against the source, its network (/24, /64) and the account. A source
 * is told to wait, later refused, and in the end `block` says that the kernel should know.
 * Strangers' failures alone never lock an owner out: a source from which the account logged in
 * lately is not held up by the failures of others.
 */
struct auth_throttle {
	uint32_t wait; /* ms before the answer */
	bool refuse;   /* 454 4.7.0, without looking at the password */
	bool block;    /* the source belongs into the kernel's table */
};
struct auth_throttle auth_throttle(struct auth *auth, const struct addr *source, const char *user);
void auth_note(struct auth *auth, const struct addr *source, const char *user, bool success);

enum auth_step {
	AUTH_CONTINUE, /* 334 with `text`, base64 */
	AUTH_DONE,     /* 235: `user` has authenticated */
	AUTH_FAILED,   /* 535 5.7.8 */
	AUTH_BAD,      /* 501 5.5.2: not base64, or not what the mechanism sends */
	AUTH_BACKEND,  /* ask a backend for `user` and `password`, then auth_exchange_decide() */
	AUTH_LATER,    /* 454 4.7.0: too much to do */
};

struct auth_result {
	enum auth_step step;
	const char *text;
	const char *user, *password; /* valid during the callback; wiped afterwards */
};

struct auth_exchange;
typedef void (*auth_cb)(struct auth_exchange *exchange, const struct auth_result *result,
			void *arg);

/* NULL: no such mechanism. Nothing is called back before auth_exchange_step(). */
struct auth_exchange *auth_exchange_start(struct auth *auth, uv_loop_t *loop, const char *mechanism,
					  auth_cb cb, void *arg);
/*
 * A line of the client's, base64 ("=" for an empty initial response, NULL for none). Exactly one
 * callback follows, never from inside this call.
 */
void auth_exchange_step(struct auth_exchange *exchange, const char *line);
/* What the backend said to AUTH_BACKEND: DONE or FAILED follows. */
void auth_exchange_decide(struct auth_exchange *exchange, bool right);
/* At any moment; what is under way goes on without effect. Nulls the pointer; NULL is allowed. */
void auth_exchange_end(struct auth_exchange **exchange);

#endif
