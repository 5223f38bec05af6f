/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/socket.c - see ctl/socket.h. Two agents cannot race here: the store's lock, taken before,
 * lets only one of them come this far.
 */
#include "ctl/socket.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *out, struct error *err)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(out->sun_path))
		return error_set(err, ERROR_USAGE, "control socket %s: a path of at most %zu bytes",
				 path, sizeof(out->sun_path) - 1);
	memcpy(out->sun_path, path, strlen(path) + 1);
	return 0;
}

static int make_directory(const char *path, const struct ctl_socket_owner *owner, struct error *err)
{
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *directory;

	memcpy(copy, path, strlen(path) + 1);
	directory = dirname(copy);
	if (mkdir(directory, CTL_DIRECTORY_MODE)) {
		if (errno == EEXIST)
			return 0;
		return error_errno(err, ERROR_REFUSED, errno, "directory %s of the control socket",
				   directory);
	}
	if (chmod(directory, CTL_DIRECTORY_MODE) || chown(directory, owner->uid, owner->gid))
		return error_errno(err, ERROR_REFUSED, errno, "owner of %s", directory);
	return 0;
}

/* Whether someone accepts connections there: 1, 0, or an error. */
static int is_answered(const struct sockaddr_un *address, struct error *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int failed;

	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "control socket");
	failed = connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? errno : 0;
	close(fd);
	/* A full backlog (EAGAIN) is an answer too. */
	return failed != ECONNREFUSED && failed != ENOENT;
}

static int remove_stale(const struct sockaddr_un *address, struct error *err)
{
	struct stat info;
	int answered;

	if (lstat(address->sun_path, &info)) {
		if (errno == ENOENT)
			return 0;
		return error_errno(err, ERROR_REFUSED, errno, "control socket %s",
				   address->sun_path);
	}
	if (!S_ISSOCK(info.st_mode))
		return error_set(err, ERROR_REFUSED, "control socket %s: not a socket, left alone",
				 address->sun_path);
	answered = is_answered(address, err);
	if (answered < 0)
		return answered;
	if (answered)
		return error_set(err, ERROR_REFUSED,
				 "control socket %s: another agent answers there",
				 address->sun_path);
	if (unlink(address->sun_path))
		return error_errno(err, ERROR_REFUSED, errno, "control socket %s",
				   address->sun_path);
	return 0;
}

/* Nobody can connect before listen(), so the mode may follow the bind. */
static int bind_socket(int fd, const struct sockaddr_un *address,
		       const struct ctl_socket_owner *owner, struct error *err)
{
	const char *path = address->sun_path;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		return error_errno(err, ERROR_REFUSED, errno, "control socket %s", path);
	if (!chown(path, (uid_t)-1, owner->gid) && !chmod(path, CTL_SOCKET_MODE))
		return 0;
	error_errno(err, ERROR_REFUSED, errno, "owner of the control socket %s", path);
	unlink(path);
	return ERROR_REFUSED;
}

int ctl_socket_open(const char *path, const struct ctl_socket_owner *owner, int *fd,
		    struct error *err)
{
	struct sockaddr_un address;
	int failed, opened;

	failed = address_of(path, &address, err);
	if (!failed)
		failed = make_directory(path, owner, err);
	if (!failed)
		failed = remove_stale(&address, err);
	if (failed)
		return failed;
	opened = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (opened < 0)
		return error_errno(err, ERROR_REFUSED, errno, "control socket %s", path);
	failed = bind_socket(opened, &address, owner, err);
	if (failed) {
		close(opened);
		return failed;
	}
	*fd = opened;
	return 0;
}

void ctl_socket_close(const char *path, int *fd)
{
	if (*fd < 0)
		return;
	close(*fd);
	*fd = -1;
	unlink(path);
}
