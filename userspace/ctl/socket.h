/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/socket.h - the control socket in the file system.
 *
 * Called by the daemon before it gives up its privileges, because the directory may belong to root.
 * Whoever may open the socket may command the agent: its mode is the access control.
 */
#ifndef POSTERN_CTL_SOCKET_H
#define POSTERN_CTL_SOCKET_H

#include <sys/types.h>

#include "lib/error.h"

#define CTL_SOCKET_MODE    0660
#define CTL_DIRECTORY_MODE 0755

struct ctl_socket_owner {
	uid_t uid; /* of the directory, if it has to be made */
	gid_t gid; /* of the socket: its members may command the agent */
};

/*
 * Binds the socket and fills `fd`. A directory that is missing is made, its parent is not. A socket
 * that nobody answers on is replaced; one that is in use, or another kind of file, is refused.
 */
int ctl_socket_open(const char *path, const struct ctl_socket_owner *owner, int *fd,
		    struct error *err);

/* Closes `*fd` and removes the path if that is permitted; what stays is replaced at the next start.
 */
void ctl_socket_close(const char *path, int *fd);

#endif
