/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/keeper.h - the process that keeps the privileges which the agent gives up.
 *
 * It does four things, attach, detach, switch the kernel's settings for SYN cookies
 * (gate/cookies.h), and end connections to protected ports (gate/sockets.h), for one client, the
 * agent, over a socket pair; it reads nothing from the network and ends when the agent does. What
 * it has switched it switches back then, so signals that are meant for the agent do not end it. Of
 * root's capabilities it keeps:
 *   - CAP_BPF: load the XDP program, and libxdp's dispatcher;
 *   - CAP_PERFMON: programs with pointers in them pass the verifier only with it;
 *   - CAP_NET_ADMIN: attach to an interface, switch the settings, end connections;
 *   - CAP_SYS_ADMIN: libxdp finds the programs on an interface by their ids, which the kernel lets
 *     nobody else turn into descriptors.
 */
#ifndef POSTERN_GATE_KEEPER_H
#define POSTERN_GATE_KEEPER_H

#include "gate/gate.h"

/*
 * Forks the keeper. Call it as root, before there are threads. `kept` is the path of the file for
 * gate/kept.h, in a directory that is there; without it, or if it cannot be used, which is logged,
 * a keeper that is killed during a flood leaves the settings switched.
 */
int keeper_start(struct gate *gate, const char *kept, struct error *err);

/* Ends it. For gate_close(). */
void keeper_stop(struct gate *gate);

#endif
