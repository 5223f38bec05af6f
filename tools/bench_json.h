/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_json.h - figures of a benchmark: printed as they come, and written to
 * build/bench/NAME.json as a list of {"figure", "value", "unit", "subject", "runs", "min", "max"},
 * where "value" is the median of the runs.
 */
#ifndef POSTERN_TOOLS_BENCH_JSON_H
#define POSTERN_TOOLS_BENCH_JSON_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BENCH_DIRECTORY "build/bench"
#define BENCH_RUNS_MAX  101

struct bench_figure {
	const char *figure;
	const char *unit;
	const char *subject;
	double value, min, max;
	int runs;
};

struct bench_json {
	char path[128];
	json_t *list;
};

static inline int bench_compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline struct bench_figure bench_figure_of(const char *figure, const char *unit,
						  const char *subject, const double *values,
						  int runs)
{
	double sorted[BENCH_RUNS_MAX];

	memcpy(sorted, values, (size_t)runs * sizeof(*sorted));
	qsort(sorted, (size_t)runs, sizeof(*sorted), bench_compare);
	return (struct bench_figure){
		.figure = figure,
		.unit = unit,
		.subject = subject,
		.value = sorted[runs / 2],
		.min = sorted[0],
		.max = sorted[runs - 1],
		.runs = runs,
	};
}

static inline void bench_json_open(struct bench_json *json, const char *name)
{
	snprintf(json->path, sizeof(json->path), BENCH_DIRECTORY "/%s.json", name);
	json->list = json_array();
}

static inline void bench_json_add(struct bench_json *json, const struct bench_figure *f)
{
	printf("%-24s %-34s %10.1f %s  (%.1f to %.1f)\n", f->subject, f->figure, f->value, f->unit,
	       f->min, f->max);
	fflush(stdout);
	json_array_append_new(json->list,
			      json_pack("{s:s, s:f, s:s, s:s, s:i, s:f, s:f}", "figure", f->figure,
					"value", f->value, "unit", f->unit, "subject", f->subject,
					"runs", f->runs, "min", f->min, "max", f->max));
}

/* Writes the file; returns an exit status. */
static inline int bench_json_close(struct bench_json *json)
{
	int failed;

	mkdir(BENCH_DIRECTORY, 0755);
	failed = json_dump_file(json->list, json->path, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	if (failed)
		perror(json->path);
	json_decref(json->list);
	return failed ? 1 : 0;
}

#endif
