/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/front_internal.h - shared by front.c, front_lists.c and front_worker.c.
 */
#ifndef POSTERN_DAEMON_FRONT_INTERNAL_H
#define POSTERN_DAEMON_FRONT_INTERNAL_H

#include <pthread.h>

#include "daemon/front.h"
#include "dns/resolver.h"
#include "loop/worker.h"
#include "session/resolve.h"
#include "session/smtp/smtp.h"

/* What is read again by a reload. References are its own. */
struct front_rules {
	struct conf *conf;
	struct relay *relay;
	struct tls_context *tls; /* NULL: no certificates */
	struct backend_tls backend_tls;
	struct auth_part *users;                  /* until they are in force, for all workers */
	struct resolve_lists *lists[WORKERS_MAX]; /* likewise, one for each worker */
	struct resolve_lists *own;                /* in the copy for a worker: that one */
	bool new_backends;                        /* other ones than before, or than a worker has */
	uint64_t generation;                      /* of unknown recipients: unknowns_clear() */
};

struct front {
	unsigned int count;            /* workers */
	int (*fd)[CONF_LISTENERS_MAX]; /* [worker][listener]; -1: taken over */
	struct conf_listeners listen;  /* what is bound, whatever a reload wants */
	struct guard *guard;
	struct auth *auth;
	struct refusals *refusals;
	struct admission *admission;
	struct unknowns *unknowns;
	struct workers *workers;
	struct front_worker *worker[WORKERS_MAX];
	uint64_t connections; /* atomic */
	bool behind;          /* atomic: a worker has not got what the others have */
	struct spool_limits spool;
	char spool_directory[SMTP_SPOOL_MAX];

	pthread_mutex_t lock;
	struct front_rules *rules; /* in force */
};

/* front_worker.c */
extern const struct worker_ops front_worker_ops; /* `arg` is the front */
/* In the worker's thread; these are for workers_post(). */
void front_worker_set(void *state, void *rules); /* takes the rules over */
void front_worker_drain(void *state, void *unused);
/* Any thread, while the worker lives. */
void front_worker_add(struct front_worker *worker, struct smtp_view *view);
void front_worker_add_lookups(struct front_worker *worker, struct guard_stats *stats);

/* front_lists.c: as front_prepare() and front_drop(), for the DNS lists of domains. */
int front_lists_prepare(const struct front *front, const struct conf *conf,
			struct front_rules *rules, struct error *err);
void front_lists_drop(struct front_rules *rules);

/* front.c: a copy with references of its own, or NULL. */
struct front_rules *front_rules_copy(const struct front_rules *rules);
void front_rotate_keys(struct front *front);
/* Any thread: a worker has kept what it had. The next reload gives it everything. */
void front_note_behind(struct front *front, const char *why);

#endif
