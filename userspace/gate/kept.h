/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/kept.h - the file in which a keeper notes what the kernel's settings were before it switched
 * them, for the next keeper, should it be killed. For the other files of the gate.
 *
 * Only root writes it: it is opened before the privileges go, and the agent closes it. Where the
 * agent owns the directory it can take the file away or put one of its own there, which is not
 * read; so the worst that it can do is that the settings stay as they are. Whatever the file says,
 * only values from 0 to KEPT_VALUE_MAX are taken from it, and only for these two settings.
 *
 * The file holds one line: a version, the boot and the network namespace that it is true for, and
 * the settings. It is locked for as long as a keeper may write it.
 */
#ifndef POSTERN_GATE_KEPT_H
#define POSTERN_GATE_KEPT_H

#include "gate/cookies.h"

#define KEPT_VALUE_MAX 2
#define KEPT_TEXT_MAX  128

struct kept {
	int fd;
	char head[KEPT_TEXT_MAX]; /* what the line must begin with to be true here and now */
};

/* Opens the file, or creates it, and waits a moment for a keeper that is about to end. */
int kept_open(struct kept *kept, const char *path, struct error *err);
/* Lets go of it; the lock stays with whoever else has the descriptor. */
void kept_close(struct kept *kept);

/* Notes what is switched; nothing is, if nothing is. A failure is logged: floods do not wait. */
void kept_write(const struct kept *kept, const struct cookie_switch *state);
/* Fills what an earlier keeper left switched; false, and nothing is touched, if there is nothing.
 */
bool kept_read(const struct kept *kept, struct cookie_switch *state);

#endif
