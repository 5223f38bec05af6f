/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/settings.h - limits, from the operator's words to the program's. Pure functions, for
 * gate/settings.c and for tests.
 */
#ifndef POSTERN_GATE_SETTINGS_H
#define POSTERN_GATE_SETTINGS_H

#include "gate/gate.h"

/* Of what holds in `total` a CPU may take a batch of attempts at once. */
struct meter_limit settings_limit(const struct gate_limit *wanted, bool total);

/* Whether a limit is so tight that the coarse clock, which goes in ticks, would be too coarse. */
bool settings_precise(const struct meter_limit limit[METER_LEVELS]);

#endif
