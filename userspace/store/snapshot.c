/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/snapshot.c - see store/snapshot.h.
 *
 * The checksum is against disks and unfinished writes, not against people: whoever can write here
 * is the agent. Its key is a number that everybody knows.
 */
#include "store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/siphash.h"

#define MAGIC     "postern"
#define FRESH     ".new"
#define ASIDE     ".bad"
#define BOOT_ID   "/proc/sys/kernel/random/boot_id"
#define BOOT_TEXT 36u /* hexadecimal digits and hyphens */

_Static_assert(sizeof(MAGIC) == sizeof(((struct snapshot_head *)0)->magic),
	       "snapshot: the magic fills its field");

/* Which start of the machine this is. Without /proc each counts as another one. */
static void read_boot(uint8_t out[16])
{
	static const struct siphash_key halves[2] = { { { 0, 0 } }, { { 1, 0 } } };
	char text[BOOT_TEXT];
	const int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	uint64_t half;

	memset(out, 0, 16);
	if (fd < 0)
		return;
	for (size_t i = 0; i < 2 && pread(fd, text, sizeof(text), 0) == sizeof(text); i++) {
		half = siphash(&halves[i], text, sizeof(text));
		memcpy(out + i * sizeof(half), &half, sizeof(half));
	}
	close(fd);
}

void snapshot_now(struct snapshot_time *out)
{
	*out = (struct snapshot_time){ .wall = clock_wall(), .mono = clock_mono_seconds() };
	read_boot(out->boot);
}

/* The head's own field counts as 0. */
static uint64_t checksum(const struct snapshot_head *head, const void *data)
{
	struct siphash_key key = { { 0, 0 } };
	struct snapshot_head bare = *head;

	bare.checksum = 0;
	key.half[0] = siphash(&key, &bare, sizeof(bare));
	return siphash(&key, data, head->size);
}

static void *behind(void *whole)
{
	return (uint8_t *)whole + sizeof(struct snapshot_head);
}

void snapshot_seal(void *whole, size_t size, uint32_t version, const struct snapshot_time *now)
{
	struct snapshot_head head = {
		.magic = MAGIC,
		.size = size - sizeof(head),
		.time = *now,
		.version = version,
	};

	head.checksum = checksum(&head, behind(whole));
	memcpy(whole, &head, sizeof(head));
}

static bool is_same_boot(const struct snapshot_time *a, const struct snapshot_time *b)
{
	static const uint8_t unknown[sizeof(a->boot)];

	return memcmp(a->boot, unknown, sizeof(unknown)) != 0 &&
	       memcmp(a->boot, b->boot, sizeof(a->boot)) == 0;
}

static int find_age(const struct snapshot_time *then, const struct snapshot_time *now,
		    uint32_t *age, struct error *err)
{
	if (is_same_boot(then, now) && now->mono >= then->mono) {
		*age = now->mono - then->mono;
		return 0;
	}
	if (then->wall > now->wall && then->wall - now->wall > SNAPSHOT_AHEAD_MAX)
		return error_set(
			err, ERROR_REFUSED,
			"it was written %u seconds from now: one of the two times is wrong",
			then->wall - now->wall);
	*age = now->wall > then->wall ? now->wall - then->wall : 0;
	return 0;
}

int snapshot_check(const void *whole, size_t size, uint32_t version,
		   const struct snapshot_time *now, uint32_t *age, struct error *err)
{
	struct snapshot_head head;

	if (size < sizeof(head))
		return error_set(err, ERROR_REFUSED, "it has lost its end, and its head");
	memcpy(&head, whole, sizeof(head));
	if (memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0)
		return error_set(err, ERROR_REFUSED, "it is not Postern's");
	if (head.version != version)
		return error_set(err, ERROR_REFUSED,
				 "it has version %u and this agent reads version %u", head.version,
				 version);
	if (head.size != size - sizeof(head))
		return error_set(err, ERROR_REFUSED,
				 "it has lost its end, or has more than belongs to it");
	if (head.checksum != checksum(&head, (const uint8_t *)whole + sizeof(head)))
		return error_set(err, ERROR_REFUSED, "it is damaged: its checksum is wrong");
	return find_age(&head.time, now, age, err);
}

/* False if the path is too long; `errno` says so. */
static bool path_of(const struct snapshot_file *file, const char *suffix, char out[PATH_MAX])
{
	const int len = snprintf(out, PATH_MAX, "%s/%s%s", file->directory, file->name, suffix);

	if (len < 0 || len >= PATH_MAX)
		errno = ENAMETOOLONG;
	return len >= 0 && len < PATH_MAX;
}

static int fail(const struct snapshot_file *file, const char *what, struct error *err)
{
	return error_errno(err, ERROR_REFUSED, errno, "cannot %s %s/%s", what, file->directory,
			   file->name);
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		const ssize_t wrote = write(fd, data, size);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		data += wrote;
		size -= (size_t)wrote;
	}
	return true;
}

/* What is in the way of the new file goes first: it may be anything, and is never written to. */
static bool write_fresh(const char *path, const void *whole, size_t size)
{
	int fd, errnum = 0;

	if (unlink(path) && errno != ENOENT)
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (!write_all(fd, whole, size) || fsync(fd))
		errnum = errno;
	if (close(fd) && !errnum)
		errnum = errno;
	if (errnum)
		unlink(path);
	errno = errnum;
	return !errnum;
}

/* The new name is safe only when its directory is. */
static bool sync_directory(const char *directory)
{
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced;

	if (fd < 0)
		return false;
	synced = !fsync(fd);
	close(fd);
	return synced;
}

int snapshot_write(const struct snapshot_file *file, void *whole, size_t size, struct error *err)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	struct snapshot_time now;

	snapshot_now(&now);
	snapshot_seal(whole, size, file->version, &now);
	if (!path_of(file, "", path) || !path_of(file, FRESH, fresh) ||
	    !write_fresh(fresh, whole, size))
		return fail(file, "write", err);
	if (rename(fresh, path)) {
		fail(file, "replace", err);
		unlink(fresh);
		return ERROR_REFUSED;
	}
	return sync_directory(file->directory) ? 0 : fail(file, "make durable", err);
}

static bool read_all(int fd, uint8_t *data, size_t size)
{
	while (size) {
		const ssize_t got = read(fd, data, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		data += got;
		size -= (size_t)got;
	}
	return true;
}

/* The whole file, as far as it is one that could be read; NULL if not. */
static void *read_file(const struct snapshot_file *file, int fd, size_t *size, struct error *err)
{
	struct stat info;
	void *whole;

	if (fstat(fd, &info)) {
		fail(file, "look at", err);
		return NULL;
	}
	if (!S_ISREG(info.st_mode) || info.st_size < 0 || (size_t)info.st_size > file->size_max) {
		error_set(err, ERROR_REFUSED, "it is not a regular file, or too large");
		return NULL;
	}
	*size = (size_t)info.st_size;
	whole = malloc(*size + 1);
	errno = 0;
	if (whole && read_all(fd, whole, *size))
		return whole;
	free(whole);
	errno = errno ? errno : EIO;
	fail(file, "read", err);
	return NULL;
}

static int use(const struct snapshot_file *file, void *whole, size_t size, struct snapshot *out,
	       struct error *err)
{
	struct snapshot_time now;
	uint32_t age;
	int failed;

	snapshot_now(&now);
	failed = snapshot_check(whole, size, file->version, &now, &age, err);
	if (failed) {
		free(whole);
		return failed;
	}
	*out = (struct snapshot){ whole, behind(whole), size - sizeof(struct snapshot_head), age };
	return 1;
}

int snapshot_read(const struct snapshot_file *file, struct snapshot *out, struct error *err)
{
	char path[PATH_MAX];
	size_t size = 0;
	void *whole;
	int fd;

	fd = path_of(file, "", path) ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
				     : -1;
	if (fd < 0)
		return errno == ENOENT ? 0 : fail(file, "open", err);
	whole = read_file(file, fd, &size, err);
	close(fd);
	return whole ? use(file, whole, size, out, err) : ERROR_REFUSED;
}

void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->whole);
	*snapshot = (struct snapshot){ NULL, NULL, 0, 0 };
}

int snapshot_put_aside(const struct snapshot_file *file, struct error *err)
{
	char path[PATH_MAX], aside[PATH_MAX];

	if (!path_of(file, "", path) || !path_of(file, ASIDE, aside) || rename(path, aside))
		return fail(file, "put aside", err);
	return 0;
}
