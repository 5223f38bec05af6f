/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/auth_key.c - the key from which unknown users get their salts.
 *
 * Whoever asks for a salt before and after a restart must not see by a change of it that there is
 * no such user; so the key outlives the process. It is made once, under another name first, so that
 * there is never half a key.
 */
#include "accounts/auth_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FRESH      AUTH_KEY_FILE ".new"
#define PATH_BYTES (CONF_PATH_MAX + sizeof("/" FRESH))

static int write_key(const char *path, const uint8_t *key)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool done;

	if (fd < 0)
		return -1;
	done = write(fd, key, crypto_generichash_KEYBYTES) == crypto_generichash_KEYBYTES &&
	       !fsync(fd);
	return !close(fd) && done ? 0 : -1;
}

static int make_key(const char *directory, const char *path, uint8_t *key, struct error *err)
{
	char fresh[PATH_BYTES];

	snprintf(fresh, sizeof(fresh), "%.*s/" FRESH, CONF_PATH_MAX, directory);
	randombytes_buf(key, crypto_generichash_KEYBYTES);
	if (write_key(fresh, key) || rename(fresh, path))
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	return 0;
}

int auth_key_open(const char *directory, uint8_t key[crypto_generichash_KEYBYTES],
		  struct error *err)
{
	char path[PATH_BYTES];
	ssize_t got;
	int fd;

	if (!*directory) {
		randombytes_buf(key, crypto_generichash_KEYBYTES);
		return 0;
	}
	snprintf(path, sizeof(path), "%.*s/" AUTH_KEY_FILE, CONF_PATH_MAX, directory);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return make_key(directory, path, key, err);
	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	got = read(fd, key, crypto_generichash_KEYBYTES);
	close(fd);
	if (got != crypto_generichash_KEYBYTES)
		return error_set(err, ERROR_REFUSED, "%s: damaged; remove it, and it is made anew",
				 path);
	return 0;
}
