/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/worker.h - threads that each run a loop, and what is shared between them: nothing.
 *
 * Every worker has listening sockets of its own (SO_REUSEPORT), so the kernel spreads connections
 * over them and no worker waits for another. A worker that dies takes the process with it: the
 * service is started again, and as nothing was promised to a sender before a backend had it,
 * nothing is lost.
 */
#ifndef POSTERN_LOOP_WORKER_H
#define POSTERN_LOOP_WORKER_H

#include <stdbool.h>
#include <uv.h>

#include "lib/error.h"

#define WORKERS_MAX      64
#define WORKER_CALLS_MAX 65536 /* that wait for one worker */

struct workers;

struct worker_ops {
	/* In the worker's thread, before its loop runs; fills what the worker is known by. After a
	 * failure the loop is run once more, until no handle is left; the others are not called. */
	int (*open)(uv_loop_t *loop, unsigned int number, void *arg, void **state,
		    struct error *err);
	/* In the worker's thread: close every handle, now or as soon as what is under way is done.
	 * The worker ends when its loop has nothing left. Called once. */
	void (*stop)(void *state);
	/* In the worker's thread, when its loop has ended. */
	void (*close)(void *state);
};

/* Starts `count` threads; if one cannot open, all are stopped again. */
int workers_open(unsigned int count, const struct worker_ops *ops, void *arg, struct workers **out,
		 struct error *err);
unsigned int workers_count(const struct workers *workers);
/* Tells all to stop, and waits for them. Nulls the pointer; NULL is allowed. */
void workers_close(struct workers **workers);

/*
 * Runs `call` in a worker's thread, from any thread, soon, in the order in which they were posted;
 * what was posted is run, also if the worker is told to stop meanwhile. False if it is stopping, if
 * memory is short or if WORKER_CALLS_MAX calls wait.
 */
typedef void (*worker_call)(void *state, void *arg);
bool workers_post(struct workers *workers, unsigned int number, worker_call call, void *arg);

#endif
