/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/guard.h - what `status` says about the guard.
 */
#ifndef POSTERN_OBS_GUARD_H
#define POSTERN_OBS_GUARD_H

#include <jansson.h>

#include "session/guard.h"

/*
 * {zones: [{zone, of, health, seconds, asked, listed, ...}], verdicts: {accept, ...}, learned:
 * {known, trusted, blocked}, dns: {servers_down, rewrites}}. A new reference, or NULL.
 */
json_t *guard_json(const struct guard_stats *stats);

#endif
