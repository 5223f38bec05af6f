/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/auth.h - SMTP AUTH: the exchange of SASL (RFC 4954) over libgsasl, the accounts that it
 * is checked against, and how fast may be guessed.
 *
 * Mechanisms: PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login, for old clients), SCRAM-SHA-256
 * (RFC 7677, without channel binding). Accounts are those of the users file (accounts/users.h), or
 * else the backend's own, for PLAIN and LOGIN only. Whatever fails, fails with one answer and takes
 * as long: an unknown user costs a hash, too (CVE-2025-53859), has a salt that stays the same, and
 * comparing takes constant time. Hashing runs in libuv's pool, at most AUTH_HASHES_MAX at a time.
 *
 * One struct auth for all workers, with locks of its own; exchanges belong to a loop's thread, and
 * may outlive it. An exchange goes by the users file that there was when it began.
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

#define AUTH_KEY_FILE     "auth.key" /* in the state directory */
#define AUTH_HASHES_MAX   4
#define AUTH_LINE_MAX     12288 /* octets of a base64 line (RFC 4954 4) */
#define AUTH_USER_MAX     256   /* octets of a name, with its NUL */
#define AUTH_PASSWORD_MAX 1024  /* likewise of a password */
#define AUTH_LINES_MAX    6     /* that a client may send in one exchange */

struct auth;

/*
 * Reads the users file; errors name file and line. A key that makes salts for unknown users is
 * kept in the file auth.key of the state directory, and made there if it is missing; where that
 * directory is "", the key is forgotten with the process.
 */
int auth_open(const struct conf *conf, struct auth **out, struct error *err);
/* Nulls the pointer; NULL is allowed. */
void auth_close(struct auth **auth);
/*
 * Reads the users file again, for auth_apply(), which cannot fail, or auth_drop(). Both null the
 * pointer; NULL is allowed.
 */
struct auth_part;
int auth_prepare(const struct conf *conf, struct auth_part **out, struct error *err);
void auth_apply(struct auth *auth, struct auth_part **part);
void auth_drop(struct auth_part **part);
/* All of that; what is refused changes nothing. */
int auth_reload(struct auth *auth, const struct conf *conf, struct error *err);

/* The mechanisms, for EHLO: "PLAIN LOGIN SCRAM-SHA-256"; "" if there are no accounts at all. */
const char *auth_mechanisms(struct auth *auth);

/*
 * Whether the user may use the address ("local@domain", folded by the caller) as a sender. "", the
 * null path, is everybody's: notifications of having read a message have it (RFC 8098 3). A user of
 * the backend's has the address that is his name, or his name at each of our own domains.
 */
bool auth_may_send_as(struct auth *auth, const char *user, const char *address);

/*
 * Throttling: failures count against the source, its network (/24, /64) and the account. A source
 * is told to wait, later refused, and in the end `block` says that the kernel should know.
 * Strangers' failures alone never lock an owner out: a source from which the account logged in
 * lately is not held up by the failures of others. Exchanges see to all of that by themselves; this
 * asks whether one should be begun at all. `user` may be NULL or "".
 */
struct auth_throttle {
	uint32_t wait; /* ms before the answer */
	bool refuse;   /* 454 4.7.0, without looking at the password */
	bool block;    /* the source (of IPv6, its /64) belongs into the kernel's table */
};
struct auth_throttle auth_throttle(struct auth *auth, const struct addr *source, const char *user);

enum auth_step {
	AUTH_CONTINUE, /* 334 with `text`, base64 */
	AUTH_DONE,     /* 235: `user` has authenticated */
	AUTH_FAILED,   /* 535 5.7.8 */
	AUTH_BAD,      /* 501 5.5.2: not base64, or not what the mechanism sends */
	AUTH_BACKEND,  /* ask a backend for `user` and `password`, then auth_exchange_decide() */
	AUTH_LATER,    /* 454 4.7.0: too much to do, or too many failures */
};

struct auth_result {
	enum auth_step step;
	const char *text; /* "" if there is none; and so with the next */
	const char *user; /* as it is in the users file; the one that was tried, if that is known */
	const char *password; /* AUTH_BACKEND only. All are valid during the callback, then wiped */
	uint32_t wait;        /* ms before this is told, whether it is right or wrong */
	bool block;           /* as in struct auth_throttle */
};

struct auth_exchange;
/* May end the exchange. */
typedef void (*auth_cb)(struct auth_exchange *exchange, const struct auth_result *result,
			void *arg);

/*
 * NULL: no such mechanism (in whatever letters), or memory is short. Nothing is called back before
 * auth_exchange_step(). `source` is the client's address.
 */
struct auth_exchange *auth_exchange_start(struct auth *auth, uv_loop_t *loop, const char *mechanism,
					  const struct addr *source, auth_cb cb, void *arg);
/*
 * A line of the client's, base64 ("=" for an empty initial response, NULL for none). Exactly one
 * callback follows, never from inside this call. The caller wipes the line, which may be a
 * password.
 */
void auth_exchange_step(struct auth_exchange *exchange, const char *line);
/* What the backend said to AUTH_BACKEND: DONE or FAILED follows. */
void auth_exchange_decide(struct auth_exchange *exchange, bool right);
/* No backend could say: LATER follows, and the attempt does not count. */
void auth_exchange_defer(struct auth_exchange *exchange);
/*
 * At any moment; what is under way goes on without effect, and a guess whose answer nobody waited
 * for was wrong. Nulls the pointer; NULL is allowed. The loop has to run once more.
 */
void auth_exchange_end(struct auth_exchange **exchange);

#endif
