/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/tuning.h - what is in force: the configuration file with the operator's settings on top.
 *
 * Limits and monitor mode can be set at run time; such a setting is kept in the store and wins over
 * the file until it is taken back. Here the two are put together, checked, published (conf/conf.h)
 * and given to the kernel, in this order and under one lock, so every change is whole or not made.
 *
 * Called by the daemon at start and reload, and by the handlers in ctl/. Readers need no tuning:
 * they read the published configuration.
 */
#ifndef POSTERN_GATE_TUNING_H
#define POSTERN_GATE_TUNING_H

#include "conf/conf.h"
#include "gate/gate.h"
#include "gate/lists.h"

struct tuning;

#define TUNING_MONITOR "monitor" /* the name of the option */

/*
 * Takes a copy of `file`, reads the operator's settings, publishes the result and sets the gate.
 * Settings that contradict the file are left aloud: a stale one must not keep the gate shut.
 */
int tuning_open(struct tuning **out, struct gate *gate, struct lists *lists,
		const struct conf *file, struct error *err);
void tuning_close(struct tuning **tuning);

/* Puts the settings on top of another file; refused if they contradict each other. */
int tuning_reload(struct tuning *tuning, const struct conf *file, struct error *err);

/*
 * Sets an option ("monitor", or "limits.KEY") to `text` as it would stand in a file, or to what the
 * file says if `text` is NULL.
 */
int tuning_set(struct tuning *tuning, const char *option, const char *text, struct error *err);

/* The gate's settings that follow from a configuration; borrows its ports. */
struct gate_settings tuning_settings(const struct conf *conf);

/* Whether monitor mode is in force. */
bool tuning_monitor(void);

#endif
