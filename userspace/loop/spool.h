/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/spool.h - a message while it is under way: in memory up to a limit, beyond that in a file
 * without a name, which is gone when the process is.
 *
 * Written once from the beginning to the end, but for a few octets in front, then read from there
 * as often as need be, by several readers. A spool belongs to one thread. The file is written and
 * read in the thread itself, in pieces of SPOOL_PIECE: it lies in the page cache, and a queue to
 * the pool would cost more than it saves; a disk that is slow is a limit on how much is taken at a
 * time, not a lock.
 */
#ifndef POSTERN_LOOP_SPOOL_H
#define POSTERN_LOOP_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define SPOOL_PIECE (64u << 10)

/* What all spools share, those of other threads as well: limits, and how much is in use. */
struct spool_limits {
	const char *directory; /* for files: on a disk, or on tmpfs */
	size_t memory;         /* octets of one message that stay in memory */
	size_t memory_total;   /* of all of them; beyond it they go to files sooner */
	size_t memory_used;    /* kept by the spools; atomic, as file_used is */
	uint64_t file_total, file_used;
};

/* Whether a file can be made in the directory, which is the only thing that this looks at. */
int spool_try(const struct spool_limits *limits, struct error *err);

struct spool;

/* NULL only if memory is short. The limits outlive the spool. */
struct spool *spool_new(struct spool_limits *limits);
/* Nulls the pointer; NULL is allowed. */
void spool_free(struct spool **spool);

/* ERROR_REFUSED if there is no room: the message is to be deferred (452). */
int spool_write(struct spool *spool, const void *data, size_t size, struct error *err);
uint64_t spool_size(const struct spool *spool);

/*
 * Puts octets in front of all that has been written, once. They stay in memory, and are not
 * counted: they are few. False if memory is short.
 */
bool spool_put_front(struct spool *spool, const void *data, size_t size);

/*
 * Where the octets that were written lie, for who hands them to another process: the first in
 * memory, those behind them in the file, from its beginning on. What was put in front is in
 * neither. The descriptor is the spool's and can write: who gives it to somebody whom he does not
 * trust opens it anew (/proc/self/fd), to read only. Valid until the next call that writes.
 */
struct spool_parts {
	const uint8_t *memory;
	size_t memory_size;
	int fd; /* -1: no file */
	uint64_t file_size;
};
/* Negative: the file cannot be written. */
int spool_parts(struct spool *spool, struct spool_parts *out, struct error *err);

/*
 * The octets from `offset` on, in one piece: how many there are, at most SPOOL_PIECE; 0 at the end.
 * Valid until the next call of any kind. Negative: the file cannot be read.
 */
int spool_read(struct spool *spool, uint64_t offset, const uint8_t **data, struct error *err);

#endif
