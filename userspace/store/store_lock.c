/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_lock.c - the directory of the store and the lock on it.
 *
 * Called by store_open() before anything else is touched, and by store_close() after everything
 * else is done. LMDB would let two agents share a store; their kernel tables would then differ from
 * it, so only one may have it. The lock is a flock() on DIR/lock, which the kernel gives back
 * however the process ends; the file holds the owner's process id for the message that a second
 * one gets. The file is never removed, because a lock on a removed file locks nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_internal.h"

#define LOCK_NAME    "lock"
#define PID_TEXT_MAX 16

/* Returns the descriptor, or an error (which is negative too). */
static int open_directory(const char *dir, struct error *err)
{
	int fd;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return error_errno(err, ERROR_REFUSED, errno, "cannot create the directory %s",
				   dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "cannot open the directory %s", dir);
	return fd;
}

/* 0 or less if the file does not say. */
static long read_owner(int lock)
{
	char text[PID_TEXT_MAX + 1] = "";

	if (pread(lock, text, PID_TEXT_MAX, 0) <= 0)
		return 0;
	return strtol(text, NULL, 10);
}

static int refuse(int lock, const char *dir, int errnum, struct error *err)
{
	const long owner = errnum == EWOULDBLOCK ? read_owner(lock) : 0;

	if (owner > 0)
		return error_set(err, ERROR_REFUSED,
				 "the store %s is already in use by process %ld", dir, owner);
	if (errnum == EWOULDBLOCK)
		return error_set(err, ERROR_REFUSED,
				 "the store %s is already in use by another process", dir);
	return error_errno(err, ERROR_REFUSED, errnum, "cannot lock %s/%s", dir, LOCK_NAME);
}

static int write_owner(int lock)
{
	char text[PID_TEXT_MAX];
	const int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	return ftruncate(lock, 0) || pwrite(lock, text, (size_t)len, 0) != len ? -1 : 0;
}

/* What the directory holds already may be anything: only regular files are opened in it. */
static int check_files(int directory, const char *dir, struct error *err)
{
	static const char *const names[] = { STORE_FILES };
	struct stat file;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!fstatat(directory, names[i], &file, AT_SYMLINK_NOFOLLOW) &&
		    !S_ISREG(file.st_mode))
			return error_set(err, ERROR_REFUSED, "%s/%s is not a regular file", dir,
					 names[i]);
	return 0;
}

static int lock_in(int directory, const char *dir, int *lock, struct error *err)
{
	int fd;

	fd = openat(directory, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "cannot open %s/%s", dir, LOCK_NAME);
	if (flock(fd, LOCK_EX | LOCK_NB) || write_owner(fd)) {
		refuse(fd, dir, errno, err);
		close(fd);
		return ERROR_REFUSED;
	}
	*lock = fd;
	return 0;
}

int store_lock_take(const char *dir, int *lock, struct error *err)
{
	const int directory = open_directory(dir, err);
	int result;

	if (directory < 0)
		return directory;
	result = check_files(directory, dir, err);
	if (!result)
		result = lock_in(directory, dir, lock, err);
	close(directory);
	return result;
}

void store_lock_drop(int *lock)
{
	if (*lock < 0)
		return;
	/* The id of an owner that is gone harms nobody: it is read only while the lock is held. */
	close(*lock);
	*lock = -1;
}
