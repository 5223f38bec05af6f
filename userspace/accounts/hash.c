/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/hash.c - see accounts/hash.h.
 *
 * A place among those that run is taken under the lock by who starts, or handed by who has done to
 * the first that waits. That one's loop may be another's, and only its own thread may give it to
 * libuv, so it is woken there. In every state but RUNNING a job is its loop's alone, or in the
 * queue; while it runs the pool has it, and it cannot be freed.
 */
#include "accounts/hash.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum state { WAITING, GRANTED, RUNNING, ENDED };

struct hash_job {
	TAILQ_ENTRY(hash_job) queue; /* while it waits */
	uv_async_t wake;
	uv_work_t work;
	struct hashes *hashes;
	enum state state; /* under the lock */
	atomic_bool vain; /* nobody wants to know any more */
	enum hash_result result;
	hash_cb cb;
	void *arg;
	char *password; /* behind `hash` */
	size_t size;    /* of both */
	char hash[];
};

TAILQ_HEAD(jobs, hash_job);

struct hashes {
	atomic_uint references; /* one is the owner's, the others are jobs' */
	pthread_mutex_t lock;   /* and under it: */
	struct jobs queue;
	unsigned int running, run;
	unsigned int waiting, wait;
};

struct hashes *hashes_open(unsigned int run, unsigned int wait)
{
	struct hashes *hashes = calloc(1, sizeof(*hashes));

	if (!hashes)
		return NULL;
	atomic_init(&hashes->references, 1);
	pthread_mutex_init(&hashes->lock, NULL);
	TAILQ_INIT(&hashes->queue);
	hashes->run = run;
	hashes->wait = wait;
	return hashes;
}

static void release(struct hashes *hashes)
{
	if (atomic_fetch_sub(&hashes->references, 1) != 1)
		return;
	pthread_mutex_destroy(&hashes->lock);
	free(hashes);
}

void hashes_close(struct hashes **hashes)
{
	if (*hashes)
		release(*hashes);
	*hashes = NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct hash_job *job = handle->data;

	release(job->hashes);
	sodium_memzero(job->hash, job->size);
	free(job);
}

static void job_close(struct hash_job *job)
{
	uv_close((uv_handle_t *)&job->wake, on_closed);
}

/* Gives the place of one that ran to the first that waits. Under the lock. */
static void hand_on(struct hashes *hashes)
{
	struct hash_job *next = TAILQ_FIRST(&hashes->queue);

	if (!next) {
		hashes->running--;
		return;
	}
	TAILQ_REMOVE(&hashes->queue, next, queue);
	hashes->waiting--;
	next->state = GRANTED;
	uv_async_send(&next->wake);
}

/* In a thread of the pool. */
static void on_work(uv_work_t *work)
{
	struct hash_job *job = work->data;

	job->result = HASH_WRONG;
	if (!atomic_load(&job->vain)) {
		errno = 0;
		if (!crypto_pwhash_str_verify(job->hash, job->password, strlen(job->password)))
			job->result = HASH_RIGHT;
		else if (errno == ENOMEM)
			job->result = HASH_FAILED;
	}
	sodium_memzero(job->hash, job->size);
	pthread_mutex_lock(&job->hashes->lock);
	hand_on(job->hashes);
	pthread_mutex_unlock(&job->hashes->lock);
}

static void on_worked(uv_work_t *work, int status)
{
	struct hash_job *job = work->data;

	(void)status; /* nothing is ever cancelled */
	if (!atomic_load(&job->vain))
		job->cb(job->result, job->arg);
	job_close(job);
}

static void run(struct hash_job *job)
{
	job->work.data = job;
	uv_queue_work(job->wake.loop, &job->work, on_work, on_worked);
}

/* Takes what was granted, unless the job has ended meanwhile. */
static void on_wake(uv_async_t *wake)
{
	struct hash_job *job = wake->data;
	bool granted;

	pthread_mutex_lock(&job->hashes->lock);
	granted = job->state == GRANTED;
	if (granted)
		job->state = RUNNING;
	pthread_mutex_unlock(&job->hashes->lock);
	if (granted)
		run(job);
}

static struct hash_job *job_new(struct hashes *hashes, uv_loop_t *loop, const char *hash,
				const char *password)
{
	const size_t hash_size = strlen(hash) + 1, size = hash_size + strlen(password) + 1;
	struct hash_job *job = calloc(1, sizeof(*job) + size);

	if (!job || uv_async_init(loop, &job->wake, on_wake)) {
		free(job);
		return NULL;
	}
	job->wake.data = job;
	job->size = size;
	job->password = job->hash + hash_size;
	memcpy(job->hash, hash, hash_size);
	memcpy(job->password, password, size - hash_size);
	job->hashes = hashes;
	atomic_fetch_add(&hashes->references, 1);
	return job;
}

/* Where it begins: it runs, waits, or has no place. */
static enum state place(struct hashes *hashes, struct hash_job *job)
{
	enum state state = ENDED;

	pthread_mutex_lock(&hashes->lock);
	if (hashes->running < hashes->run) {
		hashes->running++;
		state = RUNNING;
	} else if (hashes->waiting < hashes->wait) {
		hashes->waiting++;
		TAILQ_INSERT_TAIL(&hashes->queue, job, queue);
		state = WAITING;
	}
	job->state = state;
	pthread_mutex_unlock(&hashes->lock);
	return state;
}

struct hash_job *hash_start(struct hashes *hashes, uv_loop_t *loop, const char *hash,
			    const char *password, hash_cb cb, void *arg)
{
	struct hash_job *job = job_new(hashes, loop, hash, password);
	enum state state;

	if (!job)
		return NULL;
	job->cb = cb;
	job->arg = arg;
	state = place(hashes, job);
	if (state == RUNNING)
		run(job);
	if (state != ENDED)
		return job;
	job_close(job);
	return NULL;
}

void hash_end(struct hash_job **ended)
{
	struct hash_job *job = *ended;
	struct hashes *hashes = job ? job->hashes : NULL;
	bool running;

	if (!job)
		return;
	*ended = NULL;
	pthread_mutex_lock(&hashes->lock);
	running = job->state == RUNNING;
	if (job->state == GRANTED)
		hand_on(hashes);
	if (job->state == WAITING) {
		TAILQ_REMOVE(&hashes->queue, job, queue);
		hashes->waiting--;
	}
	if (!running)
		job->state = ENDED;
	pthread_mutex_unlock(&hashes->lock);
	atomic_store(&job->vain, true);
	if (!running)
		job_close(job);
}
