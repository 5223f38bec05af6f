/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/users.c - see accounts/users.h; users_line.c reads the lines.
 *
 * The file's text is kept, cut up where it stands, and users are in the order of their names. Texts
 * hold secrets, so they are wiped before they are freed.
 */
#include "accounts/users_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/text.h"

struct users {
	atomic_uint references;
	char *text;
	size_t len; /* without the NUL that is behind it */
	struct user *user;
	size_t count, room;
	uint32_t *with_hash, *with_scram; /* places of those who have the secret */
	size_t hashes, scrams;
};

static void users_free(struct users *users)
{
	if (users->text)
		sodium_memzero(users->text, users->len);
	free(users->text);
	free(users->user);
	free(users->with_hash);
	free(users->with_scram);
	free(users);
}

struct users *users_hold(struct users *users)
{
	if (users)
		atomic_fetch_add(&users->references, 1);
	return users;
}

void users_release(struct users **users)
{
	if (*users && atomic_fetch_sub(&(*users)->references, 1) == 1)
		users_free(*users);
	*users = NULL;
}

static struct user *users_add(struct users *users)
{
	if (users->count == users->room) {
		const size_t room = users->room ? 2 * users->room : 16;
		struct user *grown = reallocarray(users->user, room, sizeof(*grown));

		if (!grown)
			return NULL;
		users->user = grown;
		users->room = room;
	}
	users->user[users->count] = (struct user){ 0 };
	return &users->user[users->count++];
}

static int read_line(const char *name, struct users *users, size_t number, char *line, size_t len,
		     struct error *err)
{
	const char *wrong;
	struct user *user;

	if (!len || *line == '#')
		return 0;
	if (users->count == USERS_MAX)
		return error_set(err, ERROR_REFUSED, "%s:%zu: more than %u users", name, number,
				 USERS_MAX);
	user = users_add(users);
	if (!user)
		return error_set(err, ERROR_REFUSED, "%s: out of memory", name);
	user->line = number;
	wrong = users_line_read(line, len, user);
	return wrong ? error_set(err, ERROR_REFUSED, "%s:%zu: %s", name, number, wrong) : 0;
}

/* A NUL within the text stays in a line, where it is found to be a control character. */
static int read_lines(const char *name, struct users *users, struct error *err)
{
	char *at = users->text, *const end = users->text + users->len;
	int rc = 0;

	for (size_t number = 1; !rc && at < end; number++) {
		char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len;

		stop = stop ? stop : end;
		len = (size_t)(stop - at);
		if (len && at[len - 1] == '\r')
			len--;
		at[len] = '\0';
		rc = read_line(name, users, number, at, len, err);
		at = stop + 1;
	}
	return rc;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct user *)a)->name, ((const struct user *)b)->name);
}

static int check_twice(const char *name, const struct users *users, struct error *err)
{
	for (size_t i = 1; i < users->count; i++) {
		const struct user *before = &users->user[i - 1], *user = &users->user[i];
		char shown[TEXT_SHOWN_MAX];

		if (strcmp(before->name, user->name) != 0)
			continue;
		text_clean(shown, sizeof(shown), user->name, strlen(user->name));
		return error_set(err, ERROR_REFUSED, "%s:%zu: the user %s is in line %zu, too",
				 name, before->line > user->line ? before->line : user->line, shown,
				 before->line < user->line ? before->line : user->line);
	}
	return 0;
}

static int sort_users(const char *name, struct users *users, struct error *err)
{
	if (!users->count)
		return 0;
	qsort(users->user, users->count, sizeof(*users->user), compare);
	users->with_hash = calloc(users->count, sizeof(uint32_t));
	users->with_scram = calloc(users->count, sizeof(uint32_t));
	if (!users->with_hash || !users->with_scram)
		return error_set(err, ERROR_REFUSED, "%s: out of memory", name);
	for (size_t i = 0; i < users->count; i++) {
		if (users->user[i].hash)
			users->with_hash[users->hashes++] = (uint32_t)i;
		if (users->user[i].scram.salt)
			users->with_scram[users->scrams++] = (uint32_t)i;
	}
	return check_twice(name, users, err);
}

int users_parse(const char *name, const char *text, size_t len, struct users **out,
		struct error *err)
{
	struct users *users = calloc(1, sizeof(*users));
	int rc;

	if (users)
		users->text = malloc(len + 1);
	if (!users || !users->text) {
		free(users);
		return error_set(err, ERROR_REFUSED, "%s: out of memory", name);
	}
	atomic_init(&users->references, 1);
	users->len = len;
	memcpy(users->text, text, len);
	users->text[len] = '\0';
	rc = read_lines(name, users, err);
	if (!rc)
		rc = sort_users(name, users, err);
	if (rc)
		users_free(users);
	else
		*out = users;
	return rc;
}

/* Whether the open file may be read: its size, or an error. */
static off_t file_size(const char *path, int fd, struct error *err)
{
	struct stat info;

	if (fstat(fd, &info))
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	if (!S_ISREG(info.st_mode))
		return error_set(err, ERROR_REFUSED, "%s: not a regular file", path);
	if (info.st_mode & (S_IROTH | S_IWOTH))
		return error_set(err, ERROR_REFUSED,
				 "%s: open to everybody, while it holds secrets: chmod 640", path);
	if (info.st_size > (off_t)USERS_BYTES_MAX)
		return error_set(err, ERROR_REFUSED, "%s: larger than %u bytes", path,
				 USERS_BYTES_MAX);
	return info.st_size;
}

/* What is written to the file meanwhile is not seen; what is taken from it is not missed. */
static int read_file(const char *path, int fd, struct users **out, struct error *err)
{
	const off_t size = file_size(path, fd, err);
	char *text = size < 0 ? NULL : malloc((size_t)size + 1);
	ssize_t got;
	size_t len = 0;
	int rc;

	if (size < 0)
		return (int)size;
	if (!text)
		return error_set(err, ERROR_REFUSED, "%s: out of memory", path);
	do {
		got = read(fd, text + len, (size_t)size - len);
		len += got > 0 ? (size_t)got : 0;
	} while ((got > 0 && len < (size_t)size) || (got < 0 && errno == EINTR));
	rc = got < 0 ? error_errno(err, ERROR_REFUSED, errno, "%s", path)
		     : users_parse(path, text, len, out, err);
	sodium_memzero(text, (size_t)size);
	free(text);
	return rc;
}

int users_open(const char *path, struct users **out, struct error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	rc = read_file(path, fd, out, err);
	close(fd);
	return rc;
}

size_t users_count(const struct users *users)
{
	return users->count;
}

const struct user *users_find(const struct users *users, const char *name)
{
	const struct user key = { .name = name };

	if (!users->count)
		return NULL;
	return bsearch(&key, users->user, users->count, sizeof(*users->user), compare);
}

bool users_may_send_as(const struct user *user, const char *address)
{
	const char *domain = strrchr(address, '@');
	const char *own = user->addresses;

	while (*own) {
		const size_t len = strcspn(own, ",");

		if ((len == 1 && *own == '*') ||
		    (strlen(address) == len && !strncmp(own, address, len)) ||
		    (domain && strlen(domain) == len && !strncmp(own, domain, len)))
			return true;
		own += len + (own[len] == ',');
	}
	return false;
}

const struct user *users_with_hash(const struct users *users, uint64_t number)
{
	return users->hashes ? &users->user[users->with_hash[number % users->hashes]] : NULL;
}

const struct user *users_with_scram(const struct users *users, uint64_t number)
{
	return users->scrams ? &users->user[users->with_scram[number % users->scrams]] : NULL;
}
