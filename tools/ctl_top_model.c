/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_model.c - see tools/ctl_top_model.h.
 *
 * Rows are found again by their names, so that a list which comes or goes does not disturb the
 * history of the others. What the agent no longer sends has counted nothing.
 */
#include "tools/ctl_top_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "maps/reason.h"
#include "tools/ctl_floods.h"
#include "tools/ctl_text.h"

int top_model_open(struct top_model **out, struct error *err)
{
	struct top_model *model = calloc(1, sizeof(*model));

	if (!model)
		return error_set(err, ERROR_REFUSED, "out of memory");
	*out = model;
	return 0;
}

void top_model_close(struct top_model **model)
{
	free(*model);
	*model = NULL;
}

static void series_add(struct top_series *series, double value)
{
	series->value[(series->first + series->count) % TOP_HISTORY] = value;
	if (series->count < TOP_HISTORY)
		series->count++;
	else
		series->first = (series->first + 1) % TOP_HISTORY;
}

double top_series_value(const struct top_series *series, size_t back)
{
	if (back >= series->count)
		return 0;
	return series->value[(series->first + series->count - 1 - back) % TOP_HISTORY];
}

double top_series_peak(const struct top_series *series, size_t count)
{
	double peak = 0, value;

	for (size_t back = 0; back < count && back < series->count; back++) {
		value = top_series_value(series, back);
		if (value > peak)
			peak = value;
	}
	return peak;
}

static double rate_of(uint64_t before, uint64_t after, double seconds)
{
	return seconds > 0 && after > before ? (double)(after - before) / seconds : 0;
}

static void copy_name(char out[TOP_NAME_MAX], const char *text)
{
	show_clean(text, out, TOP_NAME_MAX);
}

static struct top_row *find_row(struct top_table *table, const char *name)
{
	struct top_row *row;

	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->row[i].name, name) == 0)
			return &table->row[i];
	}
	if (table->count == TOP_ROWS_MAX)
		return NULL;
	row = &table->row[table->count++];
	memset(row, 0, sizeof(*row));
	copy_name(row->name, name);
	return row;
}

/* Adds up the families of each row's new totals; `fresh` goes with the rows of the table. */
static void sum_totals(struct top_table *table, const json_t *elements, const char *name_key,
		       uint64_t fresh[TOP_ROWS_MAX][TOP_OUTCOMES])
{
	const json_t *element;
	size_t i;

	json_array_foreach(elements, i, element)
	{
		const char *kind = field_text(element, "kind");
		bool monitored = strcmp(field_text(element, "outcome"), "monitored") == 0;
		struct top_row *row = find_row(table, field_text(element, name_key));

		if (!row)
			continue;
		row->harmless = strcmp(kind, "pass") == 0 || strcmp(kind, "allow") == 0;
		fresh[row - table->row][monitored ? TOP_MONITORED : TOP_ENFORCED] +=
			field_count(element, "packets");
	}
}

static void update_table(struct top_table *table, const json_t *elements, const char *name_key,
			 double seconds)
{
	uint64_t fresh[TOP_ROWS_MAX][TOP_OUTCOMES] = { 0 };

	sum_totals(table, elements, name_key, fresh);
	for (size_t i = 0; i < table->count; i++) {
		struct top_row *row = &table->row[i];

		for (int outcome = 0; outcome < TOP_OUTCOMES; outcome++) {
			row->rate[outcome] =
				rate_of(row->total[outcome], fresh[i][outcome], seconds);
			row->total[outcome] = fresh[i][outcome];
		}
		if (seconds > 0)
			series_add(&row->history,
				   row->rate[TOP_ENFORCED] + row->rate[TOP_MONITORED]);
	}
}

/* Whether a reason is that of a connection attempt which came through. */
static bool is_let_in(const char *name)
{
#define REASON_NAME(id, text, kind, help) [REASON_##id] = text,
	static const char *const names[REASON_COUNT] = { REASON_LIST(REASON_NAME) };
#undef REASON_NAME

	return strcmp(name, names[REASON_ACCEPTED]) == 0 ||
	       strcmp(name, names[REASON_ALLOWED]) == 0;
}

static void update_flows(struct top_model *model)
{
	memset(model->rate, 0, sizeof(model->rate));
	for (size_t i = 0; i < model->reasons.count; i++) {
		const struct top_row *row = &model->reasons.row[i];

		if (!row->harmless) {
			model->rate[FLOW_STOPPED] += row->rate[TOP_ENFORCED];
			model->rate[FLOW_MONITORED] += row->rate[TOP_MONITORED];
		} else if (is_let_in(row->name)) {
			model->rate[FLOW_LET_IN] += row->rate[TOP_ENFORCED];
		}
		/* What monitor mode lets through is counted once more where it comes out. */
		model->rate[FLOW_SEEN] += row->rate[TOP_ENFORCED];
	}
	for (int flow = 0; model->has_rates && flow < TOP_FLOWS; flow++)
		series_add(&model->history[flow], model->rate[flow]);
}

static uint64_t hits_before(const struct top_source *before, size_t count, const char *address,
			    uint64_t unknown)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(before[i].address, address) == 0)
			return before[i].hits;
	}
	return unknown;
}

static void update_sources(struct top_model *model, const json_t *offenders, double seconds)
{
	struct top_source before[TOP_SOURCES_MAX];
	size_t count = model->sources, i;
	const json_t *offender;

	memcpy(before, model->source, sizeof(before));
	model->sources = 0;
	json_array_foreach(offenders, i, offender)
	{
		struct top_source *source = &model->source[model->sources];

		if (model->sources == TOP_SOURCES_MAX)
			return;
		copy_name(source->address, field_text(offender, "source"));
		copy_name(source->reason, field_text(offender, "reason"));
		copy_name(source->list, field_text(offender, "list"));
		source->monitored = strcmp(field_text(offender, "outcome"), "monitored") == 0;
		source->hits = field_count(offender, "hits");
		source->age_ms = field_count(offender, "age_ms");
		source->rate = rate_of(hits_before(before, count, source->address, source->hits),
				       source->hits, seconds);
		model->sources++;
	}
}

static void update_head(struct top_model *model, const json_t *status)
{
	char names[TOP_HEAD_MAX] = "";
	const json_t *interface;
	size_t i, used = 0;

	model->monitor = field_true(status, "monitor");
	model->uptime = field_count(status, "uptime");
	model->events_lost = field_count(status, "events_lost");
	json_array_foreach(json_object_get(status, "interfaces"), i, interface)
	{
		if (used < TOP_HEAD_MAX)
			used += (size_t)snprintf(names + used, TOP_HEAD_MAX - used, "%s%s %s",
						 i ? ", " : "", field_text(interface, "iface"),
						 field_text(interface, "mode"));
	}
	show_clean(names, model->interfaces, sizeof(model->interfaces));
}

void top_model_update(struct top_model *model, const json_t *top, const json_t *status)
{
	uint64_t time_ns = field_count(top, "time_ns");
	double seconds = 0;

	if (model->time_ns && time_ns > model->time_ns)
		seconds = (double)(time_ns - model->time_ns) / NS_A_SECOND;
	model->has_rates = seconds > 0;
	model->time_ns = time_ns;
	model->connections = field_count(top, "connections");
	update_table(&model->reasons, json_object_get(top, "reasons"), "reason", seconds);
	update_table(&model->lists, json_object_get(top, "lists"), "list", seconds);
	update_flows(model);
	update_sources(model, json_object_get(top, "offenders"), seconds);
	update_head(model, status);
	floods_now(top, model->floods, sizeof(model->floods));
}

static int compare(double a, double b)
{
	return a < b ? 1 : a > b ? -1 : 0; /* the larger first */
}

static int compare_rows(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;
	int order = (int)x->harmless - (int)y->harmless;

	if (!order)
		order = compare(x->rate[0] + x->rate[1], y->rate[0] + y->rate[1]);
	if (!order)
		order = compare((double)(x->total[0] + x->total[1]),
				(double)(y->total[0] + y->total[1]));
	return order ? order : strcmp(x->name, y->name);
}

static int compare_hits(const void *a, const void *b)
{
	const struct top_source *x = a, *y = b;
	int order = compare((double)x->hits, (double)y->hits);

	return order ? order : strcmp(x->address, y->address);
}

static int compare_rates(const void *a, const void *b)
{
	const struct top_source *x = a, *y = b;
	int order = compare(x->rate, y->rate);

	return order ? order : compare_hits(a, b);
}

static int compare_latest(const void *a, const void *b)
{
	const struct top_source *x = a, *y = b;
	int order = compare((double)y->age_ms, (double)x->age_ms);

	return order ? order : compare_hits(a, b);
}

void top_model_sort(struct top_model *model, enum top_sort sort)
{
	static int (*const order[TOP_SORTS])(const void *, const void *) = {
		[SORT_HITS] = compare_hits,
		[SORT_RATE] = compare_rates,
		[SORT_LATEST] = compare_latest,
	};

	qsort(model->source, model->sources, sizeof(model->source[0]), order[sort]);
	qsort(model->reasons.row, model->reasons.count, sizeof(model->reasons.row[0]),
	      compare_rows);
	qsort(model->lists.row, model->lists.count, sizeof(model->lists.row[0]), compare_rows);
}
