/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/pins.h - the pin directory: sets of pins, and which program was put on which interface.
 * Needs privileges. For the other files of the gate.
 */
#ifndef POSTERN_GATE_PINS_H
#define POSTERN_GATE_PINS_H

#include "gate/internal.h"

/*
 * Makes the pin directory (mounting the BPF file system if need be) and fills `set_directory`: with
 * the set that can be adopted, or else with a new one. Says in `why_not` why another was not
 * adopted.
 */
int pins_choose_set(struct gate *gate, struct error *err);

/* Removes all sets but the gate's own; or just that one, if it could not be filled. */
void pins_remove_others(const struct gate *gate);
void pins_remove_own(const struct gate *gate);

/* The program of an interface is pinned as xdp-NAME in the set of the agent that attached it. */
int pins_put_program(const struct gate *gate, const char *iface, int fd, struct error *err);
void pins_remove_program(const struct gate *gate, const char *iface);
/* The id of the program that was pinned for the interface in any set; 0 if there is none. */
uint32_t pins_program_id(const struct gate *gate, const char *iface);

/*
 * Whether a program uses the settings of any set: then an agent attached it, even if it was killed
 * before it had pinned it.
 */
bool pins_own_program(const struct gate *gate, uint32_t id);

/* Calls `cb` for the name of each interface for which a program is pinned in any set. */
typedef void (*pins_interface_cb)(const char *iface, void *arg);
void pins_each_interface(const struct gate *gate, pins_interface_cb cb, void *arg);

#endif
