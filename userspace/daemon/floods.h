/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/floods.h - tells when a flood of SYNs begins and ends, and whether the kernel's settings
 * for SYN cookies have to follow.
 *
 * The program decides what a flood is; the loop looks GATE_REFILLS times a second, and what may
 * wait, the switching, is work for the pool.
 */
#ifndef POSTERN_DAEMON_FLOODS_H
#define POSTERN_DAEMON_FLOODS_H

#include "gate/gate.h"

/* What the last look saw; starts as zeros. */
struct flood_watch {
	struct gate_flood seen[FLOOD_PORTS];
	size_t count;
	uint64_t last_ns; /* when a flood was on last; 0 is never */
};

/* Logs what has begun or ended since the last look. */
void floods_look(struct flood_watch *watch, struct gate *gate);

/*
 * Whether cookies are needed. They are for some seconds after the last flood, too, so that the
 * answers to those that are under way are understood.
 */
bool floods_need_cookies(const struct flood_watch *watch);

#endif
