/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/daemon.h - the agent as a whole, shared by the files of daemon/.
 *
 *   main.c        the command line
 *   start.c       what is opened, in which order, and closed in the opposite one
 *   privilege.c   from root to an ordinary user
 *   front.c       the SMTP front: sockets, workers, rules; front_worker.c is one worker,
 *                 front_lists.c gives all of them other DNS lists
 *   interfaces.c  attaches what the configuration names
 *   serve.c       the loop: timers, signals, the control server
 *   floods.c      tells of floods
 *   page.c        the page /metrics
 *   reload.c      a new configuration while packets flow
 *
 * There is one struct daemon, on the stack of main(); each part is opened by a step of start.c and
 * owned by it from then on.
 */
#ifndef POSTERN_DAEMON_DAEMON_H
#define POSTERN_DAEMON_DAEMON_H

#include <pthread.h>
#include <uv.h>

#include "conf/conf.h"
#include "ctl/agent.h"
#include "ctl/server.h"
#include "daemon/front.h"
#include "daemon/privilege.h"
#include "gate/gate.h"
#include "gate/lists.h"
#include "gate/tuning.h"
#include "obs/events.h"
#include "obs/http.h"
#include "session/guard.h"
#include "store/store.h"

struct daemon {
	const char *config_path;
	struct conf *started; /* the file as it was at the start: what only a restart changes */
	struct account account;
	uint32_t started_wall;

	struct store *store;
	struct gate *gate;
	struct lists *lists;
	struct tuning *tuning;
	struct event_log *events;
	struct guard *guard;
	struct front *front; /* NULL but in mode proxy */
	int control_fd;
	int metrics_fd;
	struct http *http;

	pthread_mutex_t reloading; /* guards `file`, and reloads take turns */
	struct conf *file;         /* the file as it was read last */

	struct ctl_agent agent; /* for the handlers */
};

/* start.c. On failure everything that was opened is closed, and what was attached is detached. */
int daemon_start(struct daemon *daemon, const char *config_path, struct error *err);
void daemon_stop(struct daemon *daemon);

/* Tells of what is allowed and hardly meant, at the start and after a reload. */
void daemon_log_doubts(const struct daemon *daemon);

/* serve.c. Returns when a signal has ended the agent. */
int daemon_serve(struct daemon *daemon, struct error *err);

/* reload.c. Fills a new reference; may wait. */
int daemon_reload(struct daemon *daemon, json_t **result, struct error *err);

/* page.c. For http_open(): `arg` is the daemon. */
char *daemon_metrics_page(void *arg, size_t *size);

#endif
