/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/smtp.h - the SMTP front: sessions on listening sockets, in front of mail servers
 * that exist already (RFC 5321).
 *
 * One service a worker, on its loop's thread. Nothing is promised to a sender before a backend has
 * promised it: there is no queue, and a crash at any moment loses nothing.
 *
 *   service.c     listeners, sessions, deadlines, the end
 *   session.c     one session: its states, its input
 *   command.c     the table of commands; cmd_*.c has one family a file
 *   admit.c       lists and limits, for clients that a load balancer names
 *   reply.c       what is said
 *   checks.c      what is found out about the client and the sender
 *   ruling.c      what follows from it; greylisting.c asks who was here before
 *   content.c     a message before its checkers (content/checker.h)
 *   delivery.c    the transaction with the backend
 *   refusals.c    the last refusals, of all workers
 *   admission.c   the connections of such clients, and who names unknown recipients, of all workers
 *   unknowns.c    which recipients are unknown, for a while, of all workers
 *   data, line, path, header, relay: pure
 */
#ifndef POSTERN_SESSION_SMTP_SMTP_H
#define POSTERN_SESSION_SMTP_SMTP_H

#include "accounts/auth.h"
#include "backend/backend.h"
#include "checks/dnsbl.h"
#include "conf/conf.h"
#include "content/checker.h"
#include "lib/latency.h"
#include "loop/listener.h"
#include "loop/tls.h"
#include "session/guard_client.h"
#include "session/smtp/admission.h"
#include "session/smtp/check.h"
#include "session/smtp/refusals.h"
#include "session/smtp/relay.h"
#include "session/smtp/unknowns.h"

struct smtp_service;

/* What can be reloaded is counted and replaced whole by smtp_service_set(). */
struct smtp_rules {
	const struct conf *conf; /* copied by the service */
	struct relay *relay;
	struct tls_context *tls;   /* NULL: no TLS */
	struct backends *backends; /* of this worker; NULL: those of the rules before */
	uint64_t generation;       /* unknowns_clear() */
};

struct smtp_service_options {
	uv_loop_t *loop;
	struct smtp_rules rules;
	const int *fd; /* a bound socket for each listener of the configuration; taken over */
	/* Of this worker; they outlive the service. */
	struct guard_client *guard;
	struct dns *dns;
	struct dnsbl *domains;                 /* lists of domains */
	const struct content_checker *checker; /* asked in this order about each message */
	size_t checkers;                       /* CONTENT_CHECKERS_MAX at most; may be 0 */
	/* Of all workers. */
	struct auth *auth;
	struct refusals *refusals;   /* NULL: none are kept */
	struct admission *admission; /* NULL: no limits for whom a balancer names, no budgets */
	struct unknowns *unknowns;   /* NULL: the backend is always asked */
	uint64_t *connections;       /* that are open; atomic */
	struct spool_limits *spool;  /* smtp_spool_limits() */
};

int smtp_service_open(const struct smtp_service_options *options, struct smtp_service **out,
		      struct error *err);
/*
 * New rules hold for sessions that begin from now on; those that there are keep theirs, with their
 * backends. References, and backends, are the service's afterwards, also if opening fails; if
 * smtp_service_set() fails they are not.
 */
int smtp_service_set(struct smtp_service *service, const struct smtp_rules *rules,
		     struct error *err);
/* Accepts no more; who is idle is told 421, and what is under way is let finish for a while. */
void smtp_service_drain(struct smtp_service *service);
/* Ends what is left. Nulls the pointer; NULL is allowed. The loop has to run once more. */
void smtp_service_close(struct smtp_service **service);

/* What messages may take, as the configuration says; `directory` is pointed to. */
#define SMTP_SPOOL_MAX (CONF_PATH_MAX + 8)
void smtp_spool_limits(const struct conf *conf, char directory[SMTP_SPOOL_MAX],
		       struct spool_limits *out);

/* Why a session, a sender or a recipient was refused. */
enum smtp_refusal {
	SMTP_REFUSED_REPUTATION,
	SMTP_REFUSED_GREYLIST, /* told to come again */
	SMTP_REFUSED_EARLY,    /* talked before its turn */
	SMTP_REFUSED_RELAY,
	SMTP_REFUSED_RECIPIENT,
	SMTP_REFUSED_SPF,
	SMTP_REFUSED_SENDER,
	SMTP_REFUSED_HELO,
	SMTP_REFUSED_RDNS,
	SMTP_REFUSED_AUTH,
	SMTP_REFUSED_CONTENT, /* bare CR or LF, lines too long, loops */
	SMTP_REFUSED_SIZE,
	SMTP_REFUSED_ERRORS,
	SMTP_REFUSED_TIME,
	SMTP_REFUSED_LOAD,
	SMTP_REFUSED_BACKEND, /* none answers */
	/* Of who came through a load balancer: by a block list, by limits.*. The latter also of who
	 * has named too many unknown recipients. */
	SMTP_REFUSED_LISTED,
	SMTP_REFUSED_LIMIT,
	SMTP_REFUSALS
};
const char *smtp_refusal_name(enum smtp_refusal refusal);

/* Any thread may read them: written with atomic stores by the worker. */
struct smtp_stats {
	uint64_t sessions, tls_sessions, authenticated;
	uint64_t messages, message_bytes, recipients; /* that a backend took */
	uint64_t rejected, deferred;                  /* messages, by the backend */
	uint64_t refused[SMTP_REFUSALS];
	uint64_t greylist_passed; /* recipients of who has come again */
	uint64_t remembered;      /* recipients that were refused and the backend was not asked */
	/* What checks would have refused that only look: once for a transaction, or a session. */
	uint64_t watched[CHECK_COUNT];
	/* sessions that a list or a limit would have refused, but for monitor mode */
	uint64_t admission_watched;
	/* connections of load balancers that did not say who their client is */
	uint64_t balancer_errors;
	struct latency latency;  /* from the end of the data to the reply */
	uint64_t open, spooling; /* gauges */
};
void smtp_service_stats(const struct smtp_service *service, struct smtp_stats *out);

#endif
