/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/kept.c - see gate/kept.h.
 */
#define _GNU_SOURCE /* flock */
#include "gate/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

#define KEPT_MODE    0600
#define BOOT_ID      "/proc/sys/kernel/random/boot_id"
#define NAMESPACE    "/proc/self/ns/net"
#define BOOT_MAX     40 /* bytes of a boot's id */
#define NOT_KEPT     '-'
#define LOCK_TRIES   100 /* of LOCK_WAIT_US: a keeper ends within moments of its agent */
#define LOCK_WAIT_US 20000

static void make_head(char head[KEPT_TEXT_MAX])
{
	char boot[BOOT_MAX] = "";
	struct stat netns = { 0 };
	FILE *file = fopen(BOOT_ID, "re");

	if (file) {
		if (fgets(boot, sizeof(boot), file))
			boot[strcspn(boot, "\n")] = '\0';
		fclose(file);
	}
	if (stat(NAMESPACE, &netns))
		netns.st_ino = 0;
	snprintf(head, KEPT_TEXT_MAX, "postern-keeper 1 boot %s netns %ju switched ", boot,
		 (uintmax_t)netns.st_ino);
}

/* A regular file of this user's with one name, or -1: anything else is somebody else's doing. */
static int open_own(const char *path, int flags)
{
	struct stat info;
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, KEPT_MODE);

	if (fd < 0)
		return -1;
	if (!fstat(fd, &info) && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
	    info.st_nlink == 1 && !(info.st_mode & (S_IRWXG | S_IRWXO)))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

static int lock(int fd)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return -1;
		usleep(LOCK_WAIT_US);
	}
	return -1;
}

int kept_open(struct kept *kept, const char *path, struct error *err)
{
	int fd = open_own(path, 0);

	if (fd < 0) {
		unlink(path);
		fd = open_own(path, O_CREAT | O_EXCL);
	}
	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	if (lock(fd)) {
		error_errno(err, ERROR_REFUSED, errno, "%s: another keeper has it", path);
		close(fd);
		return ERROR_REFUSED;
	}
	make_head(kept->head);
	kept->fd = fd;
	return 0;
}

void kept_close(struct kept *kept)
{
	close(kept->fd);
	kept->fd = -1;
}

static char value_text(const struct cookie_switch *state, int which)
{
	if (!state->switched[which] || state->before[which] > KEPT_VALUE_MAX)
		return NOT_KEPT;
	return (char)('0' + state->before[which]);
}

void kept_write(const struct kept *kept, const struct cookie_switch *state)
{
	char line[KEPT_TEXT_MAX + COOKIE_SYSCTLS + 2];
	size_t length = strlen(kept->head);
	bool any = false;

	memcpy(line, kept->head, length);
	for (int which = 0; which < COOKIE_SYSCTLS; which++) {
		line[length++] = value_text(state, which);
		any = any || state->switched[which];
	}
	line[length++] = '\n';
	if (!any)
		length = 0;
	/* In this order a kill finds the old line or the new one, which are of one length. */
	if (pwrite(kept->fd, line, length, 0) != (ssize_t)length ||
	    ftruncate(kept->fd, (off_t)length))
		log_warning("cookies.unkept", "{s:s}", "reason", strerror(errno));
}

bool kept_read(const struct kept *kept, struct cookie_switch *state)
{
	const size_t head = strlen(kept->head), whole = head + COOKIE_SYSCTLS + 1;
	char line[KEPT_TEXT_MAX + COOKIE_SYSCTLS + 2];
	struct cookie_switch found = *state;
	bool any = false;

	if (pread(kept->fd, line, sizeof(line), 0) != (ssize_t)whole ||
	    memcmp(line, kept->head, head) != 0 || line[whole - 1] != '\n')
		return false;
	for (int which = 0; which < COOKIE_SYSCTLS; which++) {
		const char value = line[head + (size_t)which];

		if (value == NOT_KEPT)
			continue;
		if (value < '0' || value > '0' + KEPT_VALUE_MAX)
			return false;
		found.switched[which] = any = true;
		found.before[which] = (uint32_t)(value - '0');
	}
	*state = found;
	return any;
}
