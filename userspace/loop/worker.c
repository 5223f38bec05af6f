/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/worker.c - see loop/worker.h.
 *
 * What a worker and the others share is its row of calls, under a lock, and the handle that wakes
 * its loop. That a worker has opened, or could not, is said under the same lock.
 */
#define _GNU_SOURCE /* pthread_setname_np() */
#include "loop/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct call {
	struct call *next;
	worker_call call;
	void *arg;
};

enum worker_stage { WORKER_OPENING, WORKER_RUNNING, WORKER_STOPPING, WORKER_FAILED };

struct worker {
	pthread_t thread;
	unsigned int number;
	uv_loop_t loop;
	uv_async_t wake;
	const struct worker_ops *ops;
	void *arg, *state;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t opened;
	enum worker_stage stage;
	struct call *calls, **last;
	size_t waiting;
	struct error err; /* of WORKER_FAILED */
};

struct workers {
	unsigned int count;
	struct worker worker[];
};

/* All that wait; whether it is to stop is seen at the same moment, so that none comes later. */
static struct call *take_calls(struct worker *worker, bool *stop)
{
	struct call *calls;

	pthread_mutex_lock(&worker->lock);
	calls = worker->calls;
	worker->calls = NULL;
	worker->last = &worker->calls;
	worker->waiting = 0;
	*stop = worker->stage == WORKER_STOPPING;
	pthread_mutex_unlock(&worker->lock);
	return calls;
}

static void on_wake(uv_async_t *wake)
{
	struct worker *worker = wake->data;
	struct call *call, *next;
	bool stop;

	for (call = take_calls(worker, &stop); call; call = next) {
		next = call->next;
		call->call(worker->state, call->arg);
		free(call);
	}
	if (!stop)
		return;
	uv_close((uv_handle_t *)&worker->wake, NULL);
	worker->ops->stop(worker->state);
}

static void say_opened(struct worker *worker, int failed)
{
	pthread_mutex_lock(&worker->lock);
	worker->stage = failed ? WORKER_FAILED : WORKER_RUNNING;
	pthread_cond_signal(&worker->opened);
	pthread_mutex_unlock(&worker->lock);
}

static void *run(void *arg)
{
	struct worker *worker = arg;
	char name[16]; /* as much as the kernel keeps */
	int failed;

	snprintf(name, sizeof(name), "worker-%u", worker->number);
	pthread_setname_np(pthread_self(), name);
	failed = worker->ops->open(&worker->loop, worker->number, worker->arg, &worker->state,
				   &worker->err);
	if (failed)
		uv_close((uv_handle_t *)&worker->wake, NULL);
	say_opened(worker, failed);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	if (!failed)
		worker->ops->close(worker->state);
	return NULL;
}

/* Signals are for the main thread. */
static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&worker->thread, NULL, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

static void worker_free(struct worker *worker)
{
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	uv_loop_close(&worker->loop);
	pthread_cond_destroy(&worker->opened);
	pthread_mutex_destroy(&worker->lock);
}

static int await_open(struct worker *worker, struct error *err)
{
	bool failed;

	pthread_mutex_lock(&worker->lock);
	while (worker->stage == WORKER_OPENING)
		pthread_cond_wait(&worker->opened, &worker->lock);
	failed = worker->stage == WORKER_FAILED;
	pthread_mutex_unlock(&worker->lock);
	if (!failed)
		return 0;
	pthread_join(worker->thread, NULL);
	worker_free(worker);
	return error_set(err, worker->err.code, "%s", worker->err.text);
}

static int worker_open(struct worker *worker, struct error *err)
{
	int failed = uv_loop_init(&worker->loop);

	if (failed)
		return error_set(err, ERROR_REFUSED, "worker: %s", uv_strerror(failed));
	failed = uv_async_init(&worker->loop, &worker->wake, on_wake);
	if (failed) {
		uv_loop_close(&worker->loop);
		return error_set(err, ERROR_REFUSED, "worker: %s", uv_strerror(failed));
	}
	worker->wake.data = worker;
	worker->last = &worker->calls;
	worker->err.code = ERROR_REFUSED;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->opened, NULL);
	failed = start_thread(worker);
	if (!failed)
		return await_open(worker, err);
	uv_close((uv_handle_t *)&worker->wake, NULL);
	worker_free(worker);
	return error_errno(err, ERROR_REFUSED, failed, "worker");
}

int workers_open(unsigned int count, const struct worker_ops *ops, void *arg, struct workers **out,
		 struct error *err)
{
	struct workers *workers;
	int failed = 0;

	if (!count || count > WORKERS_MAX)
		return error_set(err, ERROR_USAGE, "workers: 1 to %d", WORKERS_MAX);
	workers = calloc(1, sizeof(*workers) + count * sizeof(workers->worker[0]));
	if (!workers)
		return error_set(err, ERROR_REFUSED, "workers: out of memory");
	while (workers->count < count && !failed) {
		struct worker *worker = &workers->worker[workers->count];

		worker->number = workers->count;
		worker->ops = ops;
		worker->arg = arg;
		failed = worker_open(worker, err);
		workers->count += !failed;
	}
	if (failed)
		workers_close(&workers);
	else
		*out = workers;
	return failed;
}

unsigned int workers_count(const struct workers *workers)
{
	return workers->count;
}

static void worker_stop(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->stage = WORKER_STOPPING;
	uv_async_send(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}

void workers_close(struct workers **workers)
{
	struct workers *gone = *workers;

	if (!gone)
		return;
	*workers = NULL;
	for (unsigned int i = 0; i < gone->count; i++)
		worker_stop(&gone->worker[i]);
	for (unsigned int i = 0; i < gone->count; i++) {
		pthread_join(gone->worker[i].thread, NULL);
		worker_free(&gone->worker[i]);
	}
	free(gone);
}

/* The wake-up is inside of the lock, because the handle may be closed as soon as it is let go. */
bool workers_post(struct workers *workers, unsigned int number, worker_call function, void *arg)
{
	struct worker *worker = &workers->worker[number];
	struct call *call = calloc(1, sizeof(*call));
	bool taken;

	if (!call)
		return false;
	call->call = function;
	call->arg = arg;
	pthread_mutex_lock(&worker->lock);
	taken = worker->stage == WORKER_RUNNING && worker->waiting < WORKER_CALLS_MAX;
	if (taken) {
		*worker->last = call;
		worker->last = &call->next;
		if (!worker->waiting++)
			uv_async_send(&worker->wake);
	}
	pthread_mutex_unlock(&worker->lock);
	if (!taken)
		free(call);
	return taken;
}
