/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_reputation.h - what the gateway finds out about a client, for people: shared by
 * `check ip` and `why`.
 */
#ifndef POSTERN_TOOLS_CTL_REPUTATION_H
#define POSTERN_TOOLS_CTL_REPUTATION_H

#include <jansson.h>

#include "lib/error.h"
#include "tools/ctl_output.h"

/* "reject", painted. */
enum paint reputation_paint(const char *decision);

/* Every lookup with its answer, its age and its score, as a table. */
int reputation_print_lookups(const json_t *lookups, struct error *err);

/* The part of `why`: the verdict, the history, what the kernel knows, and the lookups now. */
int reputation_print(const json_t *reputation, struct error *err);

#endif
