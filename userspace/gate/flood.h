/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/flood.h - between rates, as people know them, and the windows in which the program counts:
 * see maps/flood.h. Pure functions, for the files of the gate and for tests.
 */
#ifndef POSTERN_GATE_FLOOD_H
#define POSTERN_GATE_FLOOD_H

#include "gate/gate.h"

/* Attempts in a window at a rate, at least 1 unless the rate is 0; and the rate of a window. */
uint32_t flood_attempts(uint32_t rate);
uint32_t flood_rate(uint32_t attempts);

/* The program's settings, but for what depends on the kernel's (gate/cookies.h). */
struct flood_settings flood_settings_for(const struct gate_flood_limits *limits, uint32_t cpus);

/*
 * A port's state as it is to be shown at `now_ns`. The program looks at a flood only when a packet
 * comes, so one that stopped dead is over after `quiet` windows although it still says otherwise.
 */
struct gate_flood flood_shown(const struct flood_port *state, uint16_t port, uint32_t quiet,
			      uint64_t now_ns);

#endif
