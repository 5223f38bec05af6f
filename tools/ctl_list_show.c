/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_list_show.c - `posternctl block show` and `allow show`: the entries, as they come.
 *
 * A list may have millions of entries, so a row is printed when it arrives and then forgotten:
 * memory does not grow with the list. With --json the rows make one array.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "tools/ctl_list.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

static const struct column block_columns[] = {
	{ "PREFIX", ALIGN_LEFT },  { "LIST", ALIGN_LEFT },  { "ACTION", ALIGN_LEFT },
	{ "EXPIRES", ALIGN_LEFT }, { "ADDED", ALIGN_LEFT }, { "SOURCE", ALIGN_LEFT },
	{ "REASON", ALIGN_LEFT },
};
#define SHOW_COLUMNS (sizeof(block_columns) / sizeof(block_columns[0]))

struct show {
	struct columns *columns; /* NULL with --json */
	uint64_t rows;
};

static int print_row(struct show *show, const json_t *row, struct error *err)
{
	char added[WHEN_TEXT_MAX], expires[WHEN_TEXT_MAX];
	const char *action = field_text(row, "action");
	bool allow = strcmp(field_text(row, "kind"), "allow") == 0;
	const struct cell cells[SHOW_COLUMNS] = {
		{ field_text(row, "prefix"), PAINT_NONE },
		{ field_text(row, "list"), PAINT_NONE },
		{ action, allow ? PAINT_GOOD : PAINT_BAD },
		{ when_relative(field_count(row, "expires"), expires), PAINT_NONE },
		{ when_format(field_count(row, "added"), added), PAINT_FAINT },
		{ field_text(row, "source"), PAINT_FAINT },
		{ field_text(row, "reason"), PAINT_NONE },
	};

	return columns_row(show->columns, cells, err);
}

static int print_json_row(const struct show *show, const json_t *row, struct error *err)
{
	fputs(show->rows ? ",\n  " : "[\n  ", stdout);
	if (json_dumpf(row, stdout, JSON_COMPACT) != 0)
		return error_set(err, ERROR_REFUSED, "cannot write to standard output");
	return 0;
}

static int take_row(const json_t *row, void *arg, struct error *err)
{
	struct show *show = arg;
	int code = show->columns ? print_row(show, row, err) : print_json_row(show, row, err);

	show->rows++;
	return code;
}

static void print_end(const struct cli_call *call, struct show *show)
{
	char number[DURATION_TEXT_MAX];

	if (call->option[OPTION_JSON]) {
		fputs(show->rows ? "\n]\n" : "[]\n", stdout);
		return;
	}
	columns_end(&show->columns);
	output_paint(PAINT_FAINT, "%s %s\n", number_format(show->rows, number),
		     plural(show->rows, "entry", "entries"));
}

int list_run_show(struct cli_call *call, struct error *err)
{
	struct show show = { 0 };
	json_t *request = list_request(call, "list.show", call->option[OPTION_LIST], err);
	const struct agent_question question = { .request = request,
						 .row = take_row,
						 .arg = &show };
	json_t *result = NULL;
	int code;

	if (!request)
		return err->code;
	code = cli_connect(call, err);
	if (code == 0 && !call->option[OPTION_JSON])
		code = columns_begin(&show.columns, block_columns, SHOW_COLUMNS, err);
	if (code == 0)
		code = agent_link_ask(call->agent, &question, &result, err);
	if (code == 0)
		print_end(call, &show);
	columns_end(&show.columns);
	json_decref(request);
	json_decref(result);
	return code;
}
