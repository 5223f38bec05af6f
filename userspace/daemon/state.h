/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/state.h - whose the state directory is: the agent's user's, or it is not used.
 *
 * Called by start.c, as root, around the opening of the store. A directory that was there and that
 * the operator has named may hold what is not Postern's, so it is not taken over.
 */
#ifndef POSTERN_DAEMON_STATE_H
#define POSTERN_DAEMON_STATE_H

#include "conf/conf.h"
#include "daemon/privilege.h"

/*
 * Makes it if it is not there, and refuses one that is another user's, unless it is the default.
 * Changes nothing of one that is there: another agent may have it.
 */
int state_make(const struct conf *conf, const struct account *account, struct error *err);
/* With the store's lock: gives the default one, and in any one Postern's files, to the user. */
int state_give(const struct conf *conf, const struct account *account, struct error *err);

#endif
