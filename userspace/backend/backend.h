/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/backend.h - the mail servers behind the gateway: who is there, who is well, and mail
 * transactions with them (RFC 5321).
 *
 * One struct backends a worker, on its loop's thread. It keeps connections that can be used again
 * (after RSET, or after a transaction that ended), sees to the health of each server by a dialogue
 * (connect, greeting, EHLO, QUIT) at growing intervals, and chooses: primaries by weight among
 * those that are well, then backups. Connections are opened late, when there is a transaction.
 *
 * A transaction is what one MAIL command begins. Everything about it comes back through callbacks,
 * never from inside the call that caused it, in the order of the calls; inside of them everything
 * is allowed, also ending it. The replies are what the server said, with one change: a reply that a
 * sender must not see (421, or one that is no SMTP) becomes 451 4.3.2.
 *
 * Failover: until the message has been handed over whole, a server that fails is replaced by
 * another one that can do as much, and what has been said so far is said again. If the new one
 * answers anything otherwise than what the sender has been told, the transaction fails with 451:
 * nobody is told two things. After the final dot nothing is ever said again: what became of the
 * message is not known then, the sender gets 451 and may send it twice (RFC 1047), and that is
 * counted.
 */
#ifndef POSTERN_BACKEND_BACKEND_H
#define POSTERN_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "conf/conf.h"
#include "lib/addr.h"
#include "lib/error.h"
#include "loop/spool.h"

#define BACKENDS_MAX      16
#define BACKEND_REPLY_MAX 512  /* octets of a reply's text that is kept, with its NUL */
#define BACKEND_LINE_MAX  2048 /* octets of a line that a server sends; a longer one is no SMTP */

/* What a server offers in EHLO, as bits. */
enum backend_feature {
	BACKEND_PIPELINING = 1,
	BACKEND_8BITMIME = 2,
	BACKEND_SMTPUTF8 = 4,
	BACKEND_DSN = 8,
	BACKEND_SIZE = 16,
	BACKEND_CHUNKING = 32,
	BACKEND_STARTTLS = 64,
	BACKEND_XCLIENT = 128,
	BACKEND_AUTH_PLAIN = 256,
};

/*
 * What TLS with each server wants, by its number in the configuration; NULL: plain. It is read once
 * for all workers. References are its own; all zero is closed.
 */
struct tls_context;
struct backend_tls {
	struct tls_context *context[BACKENDS_MAX];
};
/* Reads smtp.backend-ca. Fails, and says which option and file, if it is not what it should be. */
int backend_tls_open(const struct conf *conf, struct backend_tls *out, struct error *err);
/* Whether it has read the same, for servers that are the same. */
bool backend_tls_same(const struct backend_tls *one, const struct backend_tls *other);
struct backend_tls backend_tls_ref(const struct backend_tls *tls);
void backend_tls_unref(struct backend_tls *tls);

struct backends;

/* `tls` is of this configuration; the backends take references of their own. Fails only if memory
 * is short. */
int backends_open(uv_loop_t *loop, const struct conf *conf, const struct backend_tls *tls,
		  struct backends **out, struct error *err);
/*
 * Ends what is under way, without callbacks; transactions and AUTHs are still to be ended by their
 * owners, before or after. Nulls the pointer; NULL is allowed. The loop has to run once more.
 */
void backends_close(struct backends **backends);

/*
 * What every server that is well offers: what the gateway may offer itself. The size is the least
 * of theirs, 0 for no limit. False if none is known to be well.
 */
bool backends_offer(const struct backends *backends, unsigned int *features, uint64_t *size);

struct backend_reply {
	uint16_t code; /* 200 to 599 */
	bool lost;     /* nobody answered: this text is the gateway's own */
	/* Without the code; lines are parted by '\n', and each begins with an enhanced status code
	 * (RFC 2034), the server's or one that says no more than the code. Printable ASCII. */
	char text[BACKEND_REPLY_MAX];
};

/* The client, for servers that are told (XCLIENT, PROXY). Copied. */
struct backend_client {
	struct addr addr, local;
	uint16_t port, local_port;
	const char *name; /* confirmed host name, or "" */
	const char *helo; /* as it was said; the backend gets it as xtext */
	bool esmtp;
	const char *login; /* who has authenticated, or "" */
};

enum backend_step { BACKEND_STEP_MAIL, BACKEND_STEP_RCPT, BACKEND_STEP_MESSAGE };

struct backend_mail;

/* `number` counts the recipients from 0. */
typedef void (*backend_reply_cb)(struct backend_mail *mail, enum backend_step step, size_t number,
				 const struct backend_reply *reply, void *arg);

/*
 * Begins a transaction with "MAIL FROM:" and `from`, which is a path with its parameters that
 * `features` lists as needed ("<a@b.example> SIZE=1000 BODY=8BITMIME"); it is sent as it is, and
 * holds no CR, LF or NUL. NULL only if memory is short.
 */
struct backend_mail *backend_mail_start(struct backends *backends,
					const struct backend_client *client, const char *from,
					unsigned int features, backend_reply_cb cb, void *arg);
/* Another recipient: "<c@d.example> NOTIFY=NEVER". False if memory is short. */
bool backend_mail_rcpt(struct backend_mail *mail, const char *to);
/*
 * The whole message: lines that end in CR LF, not dot-stuffed; a last line without an end gets one.
 * The spool is borrowed until the reply, or the end. If no recipient was accepted it is not sent,
 * and the reply is 554.
 */
bool backend_mail_message(struct backend_mail *mail, struct spool *message);
/* Ends it at any moment, without further callbacks. Nulls the pointer; NULL is allowed. */
void backend_mail_end(struct backend_mail **mail);

/*
 * Checks a name and a password by AUTH PLAIN at a backend, inside TLS only; `code` 235 is right.
 * Called back once; the owner ends it, also then.
 */
struct backend_auth;
typedef void (*backend_auth_cb)(const struct backend_reply *reply, void *arg);
struct backend_auth *backend_auth_start(struct backends *backends, const char *user,
					const char *password, backend_auth_cb cb, void *arg);
/* At any moment. Nulls the pointer; NULL is allowed. */
void backend_auth_end(struct backend_auth **auth);

/* For status and metrics; any thread may call it. */
struct backend_info {
	char name[64]; /* "192.0.2.1:25" */
	bool up, backup;
	char why[BACKEND_REPLY_MAX]; /* it is not up, or "" */
	uint64_t since;              /* ns of CLOCK_MONOTONIC */
	unsigned int features;
	uint64_t connections, reused, transactions, accepted, rejected, deferred;
	uint64_t failures, failovers, ambiguous; /* that only grow */
	uint64_t open, idle;                     /* gauges */
};
size_t backends_count(const struct backends *backends);
void backends_info(const struct backends *backends, size_t number, struct backend_info *out);

#endif
