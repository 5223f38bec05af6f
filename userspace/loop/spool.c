/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/spool.c - see loop/spool.h.
 *
 * What comes first stays in memory, what goes beyond the limits is in the file. One buffer of
 * SPOOL_PIECE collects what is to be written there, and then holds what was read from it; spools
 * that have no file have no such buffer. It is not counted.
 */
#define _GNU_SOURCE /* O_TMPFILE, mkostemp() */
#include "loop/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_LEAST 4096u

struct spool {
	struct spool_limits *limits;
	uint8_t *front; /* before all that was written */
	size_t front_size;
	uint8_t *memory;
	size_t memory_size, memory_capacity;
	int fd;             /* -1: no file */
	bool failed;        /* something is missing in the middle: it takes no more */
	uint8_t *piece;     /* SPOOL_PIECE octets, once there is a file */
	size_t piece_size;  /* used of it */
	uint64_t piece_at;  /* where in the file it begins */
	bool piece_unsaved; /* it is not in the file yet: its last octets */
	uint64_t file_size; /* with what is in `piece` */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

struct spool *spool_new(struct spool_limits *limits)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (!spool)
		return NULL;
	spool->limits = limits;
	spool->fd = -1;
	return spool;
}

/* As much of `size` as is left of the total. Other threads take of it, too. */
static uint64_t take(uint64_t *used, uint64_t total, uint64_t size)
{
	uint64_t before = __atomic_load_n(used, __ATOMIC_RELAXED), taken;

	do {
		taken = before < total ? least(size, total - before) : 0;
	} while (!__atomic_compare_exchange_n(used, &before, before + taken, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return taken;
}

static void give_back(uint64_t *used, uint64_t size)
{
	__atomic_sub_fetch(used, size, __ATOMIC_RELAXED);
}

void spool_free(struct spool **spool)
{
	struct spool *gone = *spool;

	if (!gone)
		return;
	*spool = NULL;
	give_back(&gone->limits->memory_used, gone->memory_capacity);
	give_back(&gone->limits->file_used, gone->file_size);
	if (gone->fd >= 0)
		close(gone->fd);
	free(gone->front);
	free(gone->memory);
	free(gone->piece);
	free(gone);
}

uint64_t spool_size(const struct spool *spool)
{
	return spool->front_size + spool->memory_size + spool->file_size;
}

/* Doubled as long as the limits allow it; how much there is then may be less than `need`. */
static void memory_grow(struct spool *spool, size_t need)
{
	struct spool_limits *limits = spool->limits;
	const size_t had = spool->memory_capacity;
	size_t capacity = had * 2 > MEMORY_LEAST ? had * 2 : MEMORY_LEAST;
	size_t more;
	uint8_t *grown;

	if (capacity < need)
		capacity = need;
	capacity = least(capacity, limits->memory);
	if (capacity <= had)
		return;
	more = take(&limits->memory_used, limits->memory_total, capacity - had);
	grown = more ? realloc(spool->memory, had + more) : NULL;
	if (!grown) {
		give_back(&limits->memory_used, more);
		return;
	}
	spool->memory = grown;
	spool->memory_capacity = had + more;
}

/* How much of it was taken. */
static size_t memory_write(struct spool *spool, const uint8_t *data, size_t size)
{
	if (spool->fd >= 0)
		return 0;
	if (size > spool->memory_capacity - spool->memory_size)
		memory_grow(spool, spool->memory_size + size);
	size = least(size, spool->memory_capacity - spool->memory_size);
	if (size)
		memcpy(spool->memory + spool->memory_size, data, size);
	spool->memory_size += size;
	return size;
}

/* File systems that know of no O_TMPFILE say so in several ways. */
static int open_nameless(const char *directory)
{
	char path[PATH_MAX];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	if (snprintf(path, sizeof(path), "%s/spool-XXXXXX", directory) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int file_open(struct spool *spool, struct error *err)
{
	uint8_t *piece;
	int fd;

	if (spool->fd >= 0)
		return 0;
	piece = malloc(SPOOL_PIECE);
	if (!piece)
		return error_set(err, ERROR_REFUSED, "spool: out of memory");
	fd = open_nameless(spool->limits->directory);
	if (fd < 0) {
		error_errno(err, ERROR_REFUSED, errno, "spool %s", spool->limits->directory);
		free(piece);
		return ERROR_REFUSED;
	}
	spool->piece = piece;
	spool->fd = fd;
	return 0;
}

int spool_try(const struct spool_limits *limits, struct error *err)
{
	const int fd = open_nameless(limits->directory);

	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s", limits->directory);
	close(fd);
	return 0;
}

static int file_save(struct spool *spool, struct error *err)
{
	size_t saved = 0;
	ssize_t done;

	while (spool->piece_unsaved && saved < spool->piece_size) {
		done = pwrite(spool->fd, spool->piece + saved, spool->piece_size - saved,
			      (off_t)(spool->piece_at + saved));
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_errno(err, ERROR_REFUSED, errno, "spool %s",
					   spool->limits->directory);
		saved += (size_t)done;
	}
	spool->piece_unsaved = false;
	return 0;
}

static int file_write(struct spool *spool, const uint8_t *data, size_t size, struct error *err)
{
	struct spool_limits *limits = spool->limits;
	const uint64_t granted = take(&limits->file_used, limits->file_total, size);
	size_t part;
	int failed;

	if (granted < size) {
		give_back(&limits->file_used, granted);
		return error_set(err, ERROR_REFUSED,
				 "spool %s: all messages together may have %llu "
				 "octets there",
				 limits->directory, (unsigned long long)limits->file_total);
	}
	failed = file_open(spool, err);
	while (!failed && size) {
		if (!spool->piece_unsaved || spool->piece_size == SPOOL_PIECE) {
			failed = file_save(spool, err);
			if (failed)
				break;
			spool->piece_at = spool->file_size;
			spool->piece_size = 0;
		}
		part = least(size, SPOOL_PIECE - spool->piece_size);
		memcpy(spool->piece + spool->piece_size, data, part);
		spool->piece_unsaved = true;
		spool->piece_size += part;
		spool->file_size += part;
		data += part;
		size -= part;
	}
	give_back(&limits->file_used, size); /* what was not written */
	return failed;
}

int spool_write(struct spool *spool, const void *data, size_t size, struct error *err)
{
	const size_t taken = spool->failed ? 0 : memory_write(spool, data, size);
	int failed;

	if (spool->failed)
		return error_set(err, ERROR_REFUSED, "spool %s: it has failed before",
				 spool->limits->directory);
	if (taken == size)
		return 0;
	failed = file_write(spool, (const uint8_t *)data + taken, size - taken, err);
	spool->failed = failed != 0;
	return failed;
}

bool spool_put_front(struct spool *spool, const void *data, size_t size)
{
	if (!size)
		return true;
	spool->front = malloc(size);
	if (!spool->front)
		return false;
	memcpy(spool->front, data, size);
	spool->front_size = size;
	return true;
}

int spool_parts(struct spool *spool, struct spool_parts *out, struct error *err)
{
	const int failed = file_save(spool, err);

	if (failed)
		return failed;
	*out = (struct spool_parts){ spool->memory, spool->memory_size, spool->fd,
				     spool->file_size };
	return 0;
}

/* The piece of the file that begins at `offset`. */
static int file_load(struct spool *spool, uint64_t offset, struct error *err)
{
	size_t size = least(SPOOL_PIECE, spool->file_size - offset);
	size_t loaded = 0;
	ssize_t done;

	spool->piece_at = offset;
	spool->piece_size = 0;
	while (loaded < size) {
		done = pread(spool->fd, spool->piece + loaded, size - loaded,
			     (off_t)(offset + loaded));
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_errno(err, ERROR_REFUSED, errno, "spool %s",
					   spool->limits->directory);
		if (done == 0)
			return error_set(err, ERROR_REFUSED, "spool %s: the file is cut short",
					 spool->limits->directory);
		loaded += (size_t)done;
	}
	spool->piece_size = size;
	return 0;
}

static int file_read(struct spool *spool, uint64_t offset, const uint8_t **data, struct error *err)
{
	int failed;

	if (offset >= spool->file_size)
		return 0;
	if (offset < spool->piece_at || offset >= spool->piece_at + spool->piece_size) {
		failed = file_save(spool, err);
		if (!failed)
			failed = file_load(spool, offset, err);
		if (failed)
			return failed;
	}
	*data = spool->piece + (offset - spool->piece_at);
	return (int)(spool->piece_at + spool->piece_size - offset);
}

int spool_read(struct spool *spool, uint64_t offset, const uint8_t **data, struct error *err)
{
	if (offset < spool->front_size) {
		*data = spool->front + offset;
		return (int)least(spool->front_size - (size_t)offset, SPOOL_PIECE);
	}
	offset -= spool->front_size;
	if (offset >= spool->memory_size)
		return file_read(spool, offset - spool->memory_size, data, err);
	*data = spool->memory + offset;
	return (int)least(spool->memory_size - (size_t)offset, SPOOL_PIECE);
}
