/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/privilege.h - from root to an ordinary user.
 *
 * Called by start.c: first to find the user, then, when everything that needs root is open, to
 * become it. What still needs privileges afterwards, attaching and detaching, is asked of the
 * keeper.
 */
#ifndef POSTERN_DAEMON_PRIVILEGE_H
#define POSTERN_DAEMON_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "conf/conf.h"

struct account {
	uid_t uid;
	gid_t gid;
	gid_t control_gid; /* whose members may use the control socket */
};

/* Refuses to run as anybody but root; looks the user and the group up. */
int privilege_find(const struct conf *conf, struct account *out, struct error *err);

/* Makes a directory that is not there, as the agent's user's; one that is there stays as it is. */
int privilege_make(const char *directory, const struct account *account, struct error *err);
/* Gives a directory to the agent's user, and nothing in it. */
int privilege_give(const char *directory, const struct account *account, struct error *err);
/* Refuses a directory that is not the agent's user's, whose name is `user`. */
int privilege_check_owner(const char *directory, const struct account *account, const char *user,
			  struct error *err);
/*
 * Gives these files in the directory, as far as they are there and root's, to the agent's user.
 * Nothing is followed out of the directory, because the user may have put links there.
 */
int privilege_give_files(const char *directory, const char *const *name, size_t names,
			 const struct account *account, struct error *err);

/* Becomes the user, without capabilities and without a way back. */
int privilege_drop(const struct account *account, struct error *err);

#endif
