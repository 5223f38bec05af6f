/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/internal.h - what the files of backend/ share. Nobody else includes it.
 *
 *   dialogue.c        one connection: opening it, commands and answers
 *   dialogue_open.c   its steps up to the last EHLO, as a table
 *   reply.c           what servers answer (pure)
 *   xclient.c         who the client is (pure)
 *   tls.c             what TLS with them wants
 *   pool.c            connections that wait for their next transaction, counters
 *   health.c          which servers are well
 *   choose.c          which of them is next
 *   mail.c            transactions: their life, and what their owners are told
 *   mail_talk.c       what is said to the server for them, and failover
 *   mail_data.c       handing the message over
 *   auth.c            AUTH PLAIN
 *
 * Everything here belongs to the loop's thread, but for what backends_info() reads: counters are
 * atomic, the health of a server is changed under `lock`.
 */
#ifndef POSTERN_BACKEND_INTERNAL_H
#define POSTERN_BACKEND_INTERNAL_H

#include <pthread.h>
#include <sys/queue.h>

#include "backend/dialogue.h"
#include "loop/tls.h"

#define BACKENDS_TICK_MS 1000u

#define POOL_IDLE_MAX         64u  /* connections of a server that wait */
#define POOL_IDLE_S           30u  /* and how long */
#define POOL_TRANSACTIONS_MAX 100u /* on one connection */

#define HEALTH_FAILURES_MAX 3u
#define HEALTH_PROBE_MS     10000u /* between two dialogues; of a server that is down, at first */
#define HEALTH_PROBE_MAX_MS 60000u /* and at last */
#define HEALTH_AGAIN_MS     1000u  /* after a probe that failed, while the server is not down yet */
#define HEALTH_BUSY_MS      5000u

_Static_assert(BACKENDS_MAX <= 32, "backend: servers tried are bits of 32");
_Static_assert(BACKENDS_MAX >= CONF_BACKENDS_MAX, "backend: all that may be configured");

LIST_HEAD(dialogue_list, dialogue);
TAILQ_HEAD(dialogue_queue, dialogue);
TAILQ_HEAD(mail_queue, backend_mail);
LIST_HEAD(mail_list, backend_mail);
LIST_HEAD(auth_list, backend_auth);

enum health_state { HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN };

struct backend_counters {
	uint64_t connections, reused, transactions, accepted, rejected, deferred;
	uint64_t failures, failovers, ambiguous;
	uint64_t open, idle;
};

struct backend_server {
	struct backends *backends;
	struct conf_backend conf;
	char name[64];
	unsigned int number;
	struct tls_context *tls; /* NULL: plain */
	struct dialogue_queue idle;
	struct backend_counters count;

	/* Changed under the lock. */
	enum health_state state;
	char why[BACKEND_REPLY_MAX];
	uint64_t since;
	unsigned int features;
	uint64_t size_max;

	unsigned int failures;         /* of dialogues in a row */
	uint64_t busy_until, probe_at; /* ms of the loop's clock */
	uint32_t pause;                /* ms to the probe after the next */
	struct dialogue *probe;
};

struct backends {
	uv_loop_t *loop;
	uv_timer_t tick;
	uv_idle_t later; /* runs while a transaction has to be looked at */
	unsigned int handles;
	bool closing;
	pthread_mutex_t lock;
	char hostname[CONF_DOMAIN_MAX];
	uint32_t connections_max; /* to one server */
	uint64_t random;
	unsigned int calls;                     /* of owners of dialogues that are under way */
	struct dialogue_list dialogues, buried; /* the latter are freed when there are none */
	struct mail_list mails;
	struct auth_list auths;
	struct mail_queue due;
	size_t count;
	struct backend_server server[BACKENDS_MAX];
};

static inline void backend_count(uint64_t *counter, int64_t by)
{
	__atomic_fetch_add(counter, (uint64_t)by, __ATOMIC_RELAXED);
}

static inline uint64_t backend_counted(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* dialogue_open.c: what the steps of the opening do. */
/* The connection is there, or TLS is. */
void dialogue_connected(struct dialogue *dialogue);
/* A line of the answer to EHLO. */
void dialogue_learn(struct dialogue *dialogue, const struct reply_span *line, bool first);
/* An answer while it opens. */
void dialogue_opening(struct dialogue *dialogue, const struct backend_reply *reply);
void dialogue_enter(struct dialogue *dialogue, enum dialogue_step step);
/* Whether the server knows for whom it is, so that what it says may be about that client. */
bool dialogue_has_told(const struct dialogue *dialogue);
const char *dialogue_step_name(const struct dialogue *dialogue);
/* dialogue.c */
void dialogue_fail(struct dialogue *dialogue, enum dialogue_loss loss,
		   const struct backend_reply *said, const char *why);

/* pool.c: a connection for a transaction. `reuse`: one that waits will do. NULL: none can be had.
 */
struct dialogue *pool_take(struct backend_server *server, const struct backend_client *who,
			   bool reuse, const struct dialogue_owner *owner, void *arg);
/* Gives it back, or ends it. `begun`: a transaction stands open on it. Nulls the pointer. */
void pool_put(struct dialogue **dialogue, bool begun);
void pool_close(struct backend_server *server);

/* choose.c: one that has the features and is not among those tried; or NULL. */
struct choice {
	unsigned int features;
	uint32_t tried; /* bits by number */
};
struct backend_server *choose_server(struct backends *backends, const struct choice *choice);

/* health.c */
void health_start(struct backend_server *server);
void health_tick(struct backend_server *server, uint64_t now);
/* It has said EHLO. */
void health_ready(struct backend_server *server, const struct dialogue *dialogue);
/* A transaction has come to its end. */
void health_proved(struct backend_server *server);
void health_lost(struct backend_server *server, const struct dialogue_end *end);

/* Calls what follows, from the loop. */
void pool_later(struct backends *backends);

/* mail.c */
/* Sees to those that wait for it; true if there are more. */
bool mail_due(struct backends *backends);
void mail_orphan(struct backends *backends);
/* auth.c */
bool auth_due(struct backends *backends);
void auth_orphan(struct backends *backends);

#endif
