/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/page.c - the page /metrics: gathers what obs/metrics.c writes. Runs in the HTTP thread.
 */
#include <stdlib.h>

#include "daemon/daemon.h"
#include "lib/log.h"
#include "obs/metrics.h"
#include "version.h"

/* The texts of the rows are the schema's and outlive the snapshot. */
struct limits {
	struct metrics_limit limit[CONF_OPTIONS_MAX];
	size_t count;
};

static void keep_limit(const struct conf_limit_row *row, void *arg)
{
	struct limits *limits = arg;

	if (limits->count < CONF_OPTIONS_MAX)
		limits->limit[limits->count++] = (struct metrics_limit){ row->key, row->value };
}

/* Copies what it needs of the configuration in force; returns whether monitor mode is. */
static bool read_conf(struct limits *limits)
{
	const struct conf *conf = conf_read_begin();
	const bool monitor = conf && conf->monitor;

	limits->count = 0;
	if (conf)
		conf_limits(conf, keep_limit, limits);
	conf_read_end();
	return monitor;
}

static char *write_page(const struct metrics_input *input, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	bool failed;

	if (!out)
		return NULL;
	metrics_write(input, out);
	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

char *daemon_metrics_page(void *arg, size_t *size)
{
	const struct daemon *daemon = arg;
	struct metrics_input input = { .started = daemon->started_wall,
				       .version = POSTERN_VERSION };
	struct guard_stats stats;
	struct smtp_view smtp;
	struct limits limits;
	struct view *view;
	struct error err;
	char *text;

	if (view_open(daemon->gate, daemon->lists, &view, &err)) {
		log_warning("metrics.failed", "{s:s}", "error", err.text);
		return NULL;
	}
	input.monitor = read_conf(&limits);
	input.limit = limits.limit;
	input.limit_count = limits.count;
	guard_stats(daemon->guard, &stats);
	front_add_lookups(daemon->front, &stats);
	input.guard = &stats;
	input.smtp = front_view(daemon->front, &smtp) ? &smtp : NULL;
	input.view = view;
	input.unlogged = event_log_unlogged(daemon->events);
	text = write_page(&input, size);
	view_close(&view);
	return text;
}
