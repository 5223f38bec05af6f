/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/hash.h - passwords compared with Argon2id hashes, in libuv's pool.
 *
 * A hash takes tens of milliseconds of a processor and its megabytes, so no more than
 * AUTH_HASHES_MAX run at once, whichever loops they are for, and HASH_QUEUE_MAX wait. A struct
 * hashes is shared by threads; a job belongs to its loop's thread.
 */
#ifndef POSTERN_ACCOUNTS_HASH_H
#define POSTERN_ACCOUNTS_HASH_H

#include <stddef.h>
#include <uv.h>

#define HASH_QUEUE_MAX 64u

enum hash_result {
	HASH_RIGHT,
	HASH_WRONG,
	HASH_FAILED, /* memory is short: nothing is known */
};

struct hashes;
struct hash_job;
typedef void (*hash_cb)(enum hash_result result, void *arg);

/* `run` at once, `wait` more. NULL if memory is short. */
struct hashes *hashes_open(unsigned int run, unsigned int wait);
/* Jobs may still run, and end later. Nulls the pointer; NULL is allowed. */
void hashes_close(struct hashes **hashes);

/*
 * Compares `password` with `hash`, both copied; the callback comes later and ends the job. NULL if
 * too many wait, or memory is short. The loop runs until the job has ended.
 */
struct hash_job *hash_start(struct hashes *hashes, uv_loop_t *loop, const char *hash,
			    const char *password, hash_cb cb, void *arg);
/* No callback will come; what runs already does so in vain. Nulls the pointer; NULL is allowed. */
void hash_end(struct hash_job **job);

#endif
