/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_zones.h - the part of `status` about the guard: verdicts, and the health of DNS lists.
 */
#ifndef POSTERN_TOOLS_CTL_ZONES_H
#define POSTERN_TOOLS_CTL_ZONES_H

#include <jansson.h>

#include "lib/error.h"

/* `guard` is that member of the status; prints nothing if there is none. */
int zones_print(const json_t *guard, struct error *err);

#endif
