/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/open.h - opening the gate: the part that needs privileges.
 *
 * The maps, and the link of the connection counter, are pinned under the pin directory in
 * a directory named after the ABI version, so filtering goes on when the agent ends, and the next
 * one adopts what it finds there: same ABI, same geometry. Anything else is replaced: new maps are
 * made and filled first, then the program on each interface is exchanged, then the old pins go.
 */
#ifndef POSTERN_GATE_OPEN_H
#define POSTERN_GATE_OPEN_H

#include "gate/gate.h"

#define GATE_PATH_MAX 200 /* bytes of the pin directory's path */

struct gate_options {
	const char *pin_directory; /* on a BPF file system, which is mounted if there is none */
	uint32_t capacity4;
	uint32_t capacity6;
	uint32_t meter_cells;
};

/*
 * Opens the gate for the network namespace of the caller. Nothing that filters already is changed
 * by opening: call gate_adopt() after the lists have been published.
 */
int gate_open(const struct gate_options *options, struct gate **out, struct error *err);

/* Whether the maps were adopted from an earlier agent, and if not although there were some, why. */
bool gate_adopted(const struct gate *gate, const char **why_not);

/*
 * Counts the connections that are open on the protected ports (so gate_set() comes before), then
 * exchanges the program on every interface that an earlier agent attached for this one's, without a
 * gap, and removes what is left of an older ABI. Returns how many interfaces there are.
 */
int gate_adopt(struct gate *gate, struct error *err);

/*
 * For a start that fails: if the maps were adopted, the settings that were in force before are in
 * force again. A refused configuration must not loosen a filter that works without an agent.
 */
void gate_restore(struct gate *gate);

/* Frees what this process holds. What is attached and pinned stays, and filtering goes on. */
void gate_close(struct gate **gate);

#endif
