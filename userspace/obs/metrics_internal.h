/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/metrics_internal.h - what a row of the metrics is. For the files of obs/metrics.
 */
#ifndef POSTERN_OBS_METRICS_INTERNAL_H
#define POSTERN_OBS_METRICS_INTERNAL_H

#include "obs/metrics.h"

struct metric {
	const char *name;
	const char *type;
	const char *help;
	void (*write)(const struct metric *metric, const struct metrics_input *input, FILE *out);
	size_t detail; /* for `write`: which one of its kind */
};

#define METRIC_GAUGE     "gauge"
#define METRIC_COUNTER   "counter"
#define METRIC_HISTOGRAM "histogram"

/* Writes the rows of a table in its order, each with its help and its type. */
void metrics_write_table(const struct metric *metric, size_t count,
			 const struct metrics_input *input, FILE *out);

/* For rows of which `detail` is an offset: the 64 bits there. */
uint64_t metrics_field(const void *of, size_t offset);

/* What the guard and the DNS have counted (obs/metrics_guard.c). */
extern const struct metric metrics_guard[];
extern const size_t metrics_guard_count;

/* What the SMTP front and the backends have counted (obs/metrics_smtp.c). */
extern const struct metric metrics_smtp[];
extern const size_t metrics_smtp_count;

void metrics_write_latency(const char *name, const struct latency *latency, FILE *out);

#endif
