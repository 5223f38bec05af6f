/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/stats.h - the counters as the JSON that `stats`, `top` and `status` answer with.
 *
 * Called by the handlers in ctl/. Every function returns a new reference, or NULL when memory is
 * out.
 */
#ifndef POSTERN_OBS_STATS_H
#define POSTERN_OBS_STATS_H

#include <jansson.h>

#include "obs/view.h"

/* {time_ns, reasons, lists, health, connections}; rows that counted nothing are left out. */
json_t *stats_json(const struct view *view);

/* The offenders with the most hits, at most `max` of OFFENDERS_SHOWN_MAX. */
#define OFFENDERS_SHOWN_MAX 1000
json_t *offenders_json(struct gate *gate, const struct view *view, size_t max);

/* A row for each protected port; `threshold` is what makes a flood, in attempts a second. */
json_t *floods_json(const struct view *view, uint32_t threshold);
/* {state, why} of SYN cookies. */
json_t *cookies_json(const struct view *view);
/* {up, why}: what does not work without the keeper, or "". */
json_t *keeper_json(const struct view *view);
/* {possible, why}: whether established connections of listed sources are ended. */
json_t *ending_json(const struct view *view);

/* The parts of `status` that are read from the kernel and the store. */
json_t *interfaces_json(const struct view *view);
json_t *lists_json(const struct view *view);
json_t *table_json(const struct view *view);

#endif
