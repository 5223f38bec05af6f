/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/privilege.c - see daemon/privilege.h.
 *
 * After privilege_drop() the agent has no capability at all. It reads and writes the kernel's maps
 * through descriptors and mappings that it opened before, which needs none; it listens on sockets
 * that are bound already; and the keeper attaches and detaches for it.
 */
#define _GNU_SOURCE /* setresuid, O_PATH */
#include "daemon/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY_MODE 0700

int privilege_find(const struct conf *conf, struct account *out, struct error *err)
{
	struct account found;
	const struct passwd *user;
	const struct group *group;

	if (geteuid() != 0)
		return error_set(
			err, ERROR_REFUSED,
			"must be started as root, to load the XDP program; it then becomes "
			"user %s by itself",
			conf->user);
	user = getpwnam(conf->user);
	if (!user)
		return error_set(err, ERROR_REFUSED,
				 "user: no account \"%s\" (useradd --system %s makes one)",
				 conf->user, conf->user);
	if (user->pw_uid == 0)
		return error_set(err, ERROR_REFUSED,
				 "user: \"%s\" is root, whose rights the agent must give up",
				 conf->user);
	found = (struct account){ user->pw_uid, user->pw_gid, user->pw_gid };
	if (conf->control.group[0]) {
		group = getgrnam(conf->control.group);
		if (!group)
			return error_set(err, ERROR_REFUSED, "control.group: no group \"%s\"",
					 conf->control.group);
		found.control_gid = group->gr_gid;
	}
	*out = found;
	return 0;
}

/* One regular file of root's with one name: anything else could be somebody else's by a link. */
static int give_file(int directory, const char *name, const struct account *account)
{
	struct stat info;
	int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int failed;

	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	failed = fstat(fd, &info) ? errno : 0;
	if (!failed && S_ISREG(info.st_mode) && info.st_uid == 0 && info.st_nlink == 1 &&
	    fchownat(fd, "", account->uid, account->gid, AT_EMPTY_PATH))
		failed = errno;
	close(fd);
	return failed;
}

static int open_directory(const char *directory, struct error *err)
{
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s", directory);
	return fd;
}

int privilege_give_files(const char *directory, const char *const *name, size_t names,
			 const struct account *account, struct error *err)
{
	const int fd = open_directory(directory, err);
	int failed = 0;

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < names && !failed; i++)
		failed = give_file(fd, name[i], account);
	close(fd);
	return failed ? error_errno(err, ERROR_REFUSED, failed, "owner of files in %s", directory)
		      : 0;
}

int privilege_give(const char *directory, const struct account *account, struct error *err)
{
	const int fd = open_directory(directory, err);
	int failed;

	if (fd < 0)
		return fd;
	failed = fchown(fd, account->uid, account->gid) ? errno : 0;
	close(fd);
	return failed ? error_errno(err, ERROR_REFUSED, failed, "owner of %s", directory) : 0;
}

int privilege_make(const char *directory, const struct account *account, struct error *err)
{
	if (!mkdir(directory, DIRECTORY_MODE))
		return privilege_give(directory, account, err);
	return errno == EEXIST ? 0 : error_errno(err, ERROR_REFUSED, errno, "%s", directory);
}

int privilege_check_owner(const char *directory, const struct account *account, const char *user,
			  struct error *err)
{
	const int fd = open_directory(directory, err);
	struct stat info;
	bool theirs;

	if (fd < 0)
		return fd;
	theirs = !fstat(fd, &info) && info.st_uid == account->uid;
	close(fd);
	if (theirs)
		return 0;
	return error_set(err, ERROR_REFUSED,
			 "%s was there and is not user %s's: name a directory that is not there "
			 "yet, or make it his (chown %s %s)",
			 directory, user, user, directory);
}

/* What no program that this process might start could regain: the bounding and ambient sets. */
static bool limit_capabilities(void)
{
	for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
		if (cap_drop_bound(cap))
			return false;
	return !cap_reset_ambient();
}

static bool clear_capabilities(void)
{
	cap_t none = cap_init(); /* every flag of every capability is off */
	bool cleared = none && !cap_set_proc(none);

	cap_free(none);
	return cleared;
}

static bool become_user(const struct account *account)
{
	return !setgroups(0, NULL) && !setresgid(account->gid, account->gid, account->gid) &&
	       !setresuid(account->uid, account->uid, account->uid);
}

/* Trust nothing: look whether it is so. */
static bool is_user(const struct account *account)
{
	uid_t real, effective, saved;
	cap_t held = cap_get_proc(), none = cap_init();
	bool bare = held && none && !cap_compare(held, none);

	cap_free(held);
	cap_free(none);
	return bare && !getresuid(&real, &effective, &saved) && real == account->uid &&
	       effective == account->uid && saved == account->uid && setresuid(0, 0, 0);
}

int privilege_drop(const struct account *account, struct error *err)
{
	/* In this order: each step but the last two needs what a later one takes away. */
	if (!limit_capabilities())
		return error_errno(err, ERROR_REFUSED, errno, "cannot limit capabilities");
	if (!become_user(account))
		return error_errno(err, ERROR_REFUSED, errno, "cannot become uid %u", account->uid);
	if (!clear_capabilities())
		return error_errno(err, ERROR_REFUSED, errno, "cannot give up capabilities");
	/* A set-user-ID program that it might be made to start gains nothing either. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return error_errno(err, ERROR_REFUSED, errno, "cannot refuse new privileges");
	if (!is_user(account))
		return error_set(err, ERROR_REFUSED, "privileges are still there after the drop");
	return 0;
}
