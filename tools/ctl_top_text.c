/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_text.c - see tools/ctl_top_text.h.
 *
 * Only what has counted something is printed, and at most TEXT_SOURCES sources.
 */
#include "tools/ctl_top_text.h"

#include "lib/clock.h"
#include "lib/units.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

#define TEXT_SOURCES 20

static void print_head(const struct top_model *model)
{
	char when[WHEN_TEXT_MAX], up[DURATION_TEXT_MAX], connections[DURATION_TEXT_MAX];
	char stopped[RATE_TEXT_MAX], monitored[RATE_TEXT_MAX], let_in[RATE_TEXT_MAX];

	output_paint(PAINT_TITLE, "%s", when_format(clock_wall(), when));
	output_text("  %s  %s  up %s\n", *model->interfaces ? model->interfaces : "no interface",
		    model->monitor ? "monitor mode" : "enforcing",
		    duration_format(model->uptime, up));
	output_text("stopped %s/s  monitored %s/s  let in %s/s  %s %s  %llu %s lost\n",
		    rate_format(model->rate[FLOW_STOPPED], stopped),
		    rate_format(model->rate[FLOW_MONITORED], monitored),
		    rate_format(model->rate[FLOW_LET_IN], let_in),
		    number_format(model->connections, connections),
		    plural(model->connections, "connection", "connections"),
		    (unsigned long long)model->events_lost,
		    plural(model->events_lost, "event", "events"));
	if (*model->floods)
		output_paint(PAINT_BAD, "flood of SYNs: %s\n", model->floods);
}

static int add_row(struct columns *columns, const struct top_row *row, struct error *err)
{
	char rate[RATE_TEXT_MAX], monitored[RATE_TEXT_MAX], total[DURATION_TEXT_MAX];
	const struct cell cells[] = {
		{ row->name, row->harmless ? PAINT_GOOD : PAINT_BAD },
		{ rate_format(row->rate[TOP_ENFORCED], rate), PAINT_NONE },
		{ rate_format(row->rate[TOP_MONITORED], monitored), PAINT_NONE },
		{ number_format(row->total[TOP_ENFORCED] + row->total[TOP_MONITORED], total),
		  PAINT_NONE },
	};

	return columns_row(columns, cells, err);
}

static int print_table(const struct top_table *table, const char *title, struct error *err)
{
	const struct column titles[] = {
		{ title, ALIGN_LEFT },
		{ "RATE/S", ALIGN_RIGHT },
		{ "MONITORED/S", ALIGN_RIGHT },
		{ "TOTAL", ALIGN_RIGHT },
	};
	struct columns *columns;
	int code = columns_begin(&columns, titles, sizeof(titles) / sizeof(titles[0]), err);

	if (code < 0)
		return code;
	output_text("\n");
	for (size_t i = 0; i < table->count && code == 0; i++) {
		if (table->row[i].total[TOP_ENFORCED] || table->row[i].total[TOP_MONITORED])
			code = add_row(columns, &table->row[i], err);
	}
	columns_end(&columns);
	return code;
}

static int add_source(struct columns *columns, const struct top_source *source, struct error *err)
{
	char hits[DURATION_TEXT_MAX], rate[RATE_TEXT_MAX], age[RATE_TEXT_MAX];
	const struct cell cells[] = {
		{ source->address, PAINT_NONE },
		{ number_format(source->hits, hits), PAINT_NONE },
		{ rate_format(source->rate, rate), PAINT_NONE },
		{ age_format(source->age_ms, age), PAINT_FAINT },
		{ source->monitored ? "monitored" : "stopped",
		  source->monitored ? PAINT_WARN : PAINT_BAD },
		{ source->reason, PAINT_NONE },
		{ source->list, PAINT_NONE },
	};

	return columns_row(columns, cells, err);
}

static int print_sources(const struct top_model *model, struct error *err)
{
	static const struct column titles[] = {
		{ "SOURCE", ALIGN_LEFT }, { "HITS", ALIGN_RIGHT },   { "RATE/S", ALIGN_RIGHT },
		{ "AGO", ALIGN_RIGHT },   { "OUTCOME", ALIGN_LEFT }, { "REASON", ALIGN_LEFT },
		{ "LIST", ALIGN_LEFT },
	};
	struct columns *columns;
	int code = columns_begin(&columns, titles, sizeof(titles) / sizeof(titles[0]), err);

	if (code < 0)
		return code;
	output_text("\n");
	for (size_t i = 0; i < model->sources && i < TEXT_SOURCES && code == 0; i++)
		code = add_source(columns, &model->source[i], err);
	columns_end(&columns);
	output_text("\n");
	return code;
}

int top_text_print(struct top_model *model, struct error *err)
{
	int code;

	top_model_sort(model, SORT_HITS);
	print_head(model);
	code = print_table(&model->reasons, "REASON", err);
	if (code == 0)
		code = print_table(&model->lists, "LIST", err);
	return code == 0 ? print_sources(model, err) : code;
}
