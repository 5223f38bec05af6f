/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/metrics.h - the Prometheus text (exposition format 0.0.4), one table row a metric.
 *
 * Called by the daemon's page for /metrics, in the HTTP thread. Pure: what it writes depends on its
 * input alone. Every series that can ever have a value is there from the start, as 0 where nothing
 * happened, because a rate cannot be taken of a series that begins with its first event.
 */
#ifndef POSTERN_OBS_METRICS_H
#define POSTERN_OBS_METRICS_H

#include <stdio.h>

#include "obs/smtp.h"
#include "obs/view.h"
#include "session/guard.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_limit {
	const char *key;
	uint64_t value;
};

struct metrics_input {
	const struct view *view;
	const struct guard_stats *guard;
	const struct smtp_view *smtp;      /* NULL but in mode proxy */
	const struct metrics_limit *limit; /* what is in force */
	size_t limit_count;
	bool monitor;
	uint64_t unlogged; /* see event_log_unlogged() */
	uint32_t started;  /* seconds since 1970 */
	const char *version;
};

void metrics_write(const struct metrics_input *input, FILE *out);

#endif
