/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/events.h - the reading end of the event ring, for the other files of the gate.
 */
#ifndef POSTERN_GATE_EVENTS_H
#define POSTERN_GATE_EVENTS_H

#include "gate/gate.h"

int gate_events_open(struct gate *gate, struct error *err);
void gate_events_close(struct gate *gate);

#endif
