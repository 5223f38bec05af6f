/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_model.h - what `posternctl top` knows: the last answers, and how they changed.
 *
 * The agent sends totals. The model keeps the last ones, turns differences into rates, and
 * remembers the rates for graphs. It knows nothing of terminals, so tests feed it answers directly.
 *
 * Limits: TOP_ROWS_MAX reasons and lists, TOP_SOURCES_MAX sources, TOP_HISTORY rates of each; what
 * is beyond them is left out. A total that went down (the filter was loaded anew) has the rate 0.
 */
#ifndef POSTERN_TOOLS_CTL_TOP_MODEL_H
#define POSTERN_TOOLS_CTL_TOP_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define TOP_HISTORY     512
#define TOP_ROWS_MAX    80
#define TOP_SOURCES_MAX 100
#define TOP_NAME_MAX    64
#define TOP_HEAD_MAX    256

/* Outcomes, as in maps/counter.h. */
enum { TOP_ENFORCED, TOP_MONITORED, TOP_OUTCOMES };

/* The latest TOP_HISTORY rates; value[(first + i) % TOP_HISTORY] is the i-th oldest. */
struct top_series {
	double value[TOP_HISTORY];
	size_t first, count;
};

/* A reason or a list. */
struct top_row {
	char name[TOP_NAME_MAX];
	bool harmless; /* it lets packets pass: a reason of that kind, or an allow list */
	uint64_t total[TOP_OUTCOMES];
	double rate[TOP_OUTCOMES];
	struct top_series history; /* of both outcomes together */
};

struct top_table {
	struct top_row row[TOP_ROWS_MAX];
	size_t count;
};

struct top_source {
	char address[TOP_NAME_MAX];
	char reason[TOP_NAME_MAX];
	char list[TOP_NAME_MAX];
	bool monitored;
	uint64_t hits, age_ms;
	double rate;
};

/* The attempts by what became of them, and all packets. */
enum top_flow { FLOW_STOPPED, FLOW_MONITORED, FLOW_LET_IN, FLOW_SEEN, TOP_FLOWS };

enum top_sort { SORT_HITS, SORT_RATE, SORT_LATEST, TOP_SORTS };

struct top_model {
	bool has_rates; /* two samples have been taken */
	uint64_t time_ns;
	double rate[TOP_FLOWS];
	struct top_series history[TOP_FLOWS];
	struct top_table reasons, lists;
	struct top_source source[TOP_SOURCES_MAX];
	size_t sources;
	uint64_t connections, events_lost, uptime;
	bool monitor;
	char interfaces[TOP_HEAD_MAX]; /* "eth0 native, eth1 generic" */
	char floods[TOP_HEAD_MAX];     /* those that are on, as floods_now() tells them */
};

int top_model_open(struct top_model **out, struct error *err);
void top_model_close(struct top_model **model);

/* Takes in the answers to top and status. */
void top_model_update(struct top_model *model, const json_t *top, const json_t *status);

/* Sorts the sources, and the rows: what stops comes first, then what is fastest. */
void top_model_sort(struct top_model *model, enum top_sort sort);

/* The value that is `back` samples before the latest; 0 for what is not known. */
double top_series_value(const struct top_series *series, size_t back);
/* The largest of the latest `count` values. */
double top_series_peak(const struct top_series *series, size_t count);

#endif
