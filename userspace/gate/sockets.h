/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/sockets.h - ends the established connections of sources that have just been listed.
 *
 * The XDP program stops attempts; what was established before an entry goes on. So after a change
 * the agent walks over the sockets of its network namespace, which anybody may, and has the keeper
 * destroy those on protected ports whose peer a list stops now (SOCK_DESTROY of inet_diag: the
 * peer gets a RST, the server an error). Nothing is ended for sources that an allow list holds, for
 * lists in monitor mode, or while Postern is in monitor mode.
 *
 * The kernel may lack it (CONFIG_INET_DIAG_DESTROY): then connections go on, which is told once in
 * the log and in `status`; no change fails for that.
 */
#ifndef POSTERN_GATE_SOCKETS_H
#define POSTERN_GATE_SOCKETS_H

#include <linux/inet_diag.h>
#include <pthread.h>

#include "gate/gate.h"
#include "gate/lists.h"

#define SOCKETS_MAX 65536 /* that one change ends; what is beyond goes on */

/*
 * Ends those whose peer is in `within`, NULL: anywhere. Returns how many were ended. May wait for
 * the keeper.
 */
uint32_t gate_end_listed(struct gate *gate, struct lists *lists, const struct prefix *within);

/* Finds out whether connections can be ended, as gate_end_listed() does each time. To be called
 * once, when the keeper is there. */
void gate_look_at_ending(struct gate *gate);
/* Why they cannot, or "". */
void gate_ending_why_not(struct gate *gate, char out[ERROR_TEXT_MAX]);

/* For the files of the gate: one socket, as the kernel names it. */
struct socket_name {
	uint8_t family; /* AF_INET, AF_INET6 */
	struct inet_diag_sockid id;
};

/* What the agent knows about it: part of struct gate. */
struct ending {
	pthread_mutex_t lock; /* of `why` */
	char why[ERROR_TEXT_MAX];
};

/*
 * With CAP_NET_ADMIN (gate/sockets_end.c): ends a socket on a protected port; others are refused.
 * The name of none, all zero, only asks whether the kernel can do it. One that has gone is no
 * error. Returns 1 if it was ended, 0 if it was not there, or an error.
 */
int end_socket(struct gate *gate, const struct socket_name *name, struct error *err);
/* Through the keeper, or here (gate/keeper.c). */
int keeper_end_socket(struct gate *gate, const struct socket_name *name, struct error *err);

/* The peer of a socket; IPv4 is ::ffff:a.b.c.d. */
struct addr socket_peer(const struct socket_name *name);

#endif
