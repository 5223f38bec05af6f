/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_columns.c - tables with aligned columns: see tools/ctl_output.h.
 *
 * The widths come from the titles and the rows that were held back. A later cell that is wider
 * pushes its row to the right and widens the column for the rows that follow, so that even then
 * nothing is cut. The table owns the rows it holds back: at most COLUMNS_SAMPLE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

#define CELL_TEXT_MAX 512
#define GAP           2

struct held_row {
	char *text[COLUMNS_MAX];
	enum paint paint[COLUMNS_MAX];
};

struct columns {
	const struct column *column;
	size_t count;
	size_t width[COLUMNS_MAX];
	struct held_row held[COLUMNS_SAMPLE];
	size_t rows; /* held back */
	bool streaming;
};

int columns_begin(struct columns **out, const struct column *column, size_t count,
		  struct error *err)
{
	struct columns *columns = calloc(1, sizeof(*columns));

	if (!columns)
		return error_set(err, ERROR_REFUSED, "out of memory");
	columns->column = column;
	columns->count = count < COLUMNS_MAX ? count : COLUMNS_MAX;
	for (size_t i = 0; i < columns->count; i++)
		columns->width[i] = show_width(column[i].title);
	*out = columns;
	return 0;
}

/* Blanks are printed before what they part, so that no line ends with any. */
static void print_row(const struct columns *columns, char *const text[], const enum paint paint[])
{
	size_t blanks = 0, pad, width;

	for (size_t i = 0; i < columns->count; i++) {
		width = show_width(text[i]);
		pad = width < columns->width[i] ? columns->width[i] - width : 0;
		if (columns->column[i].align == ALIGN_RIGHT)
			blanks += pad;
		if (*text[i]) {
			printf("%*s", (int)blanks, "");
			output_ready(paint[i], text[i]);
			blanks = 0;
		}
		blanks += GAP + (columns->column[i].align == ALIGN_LEFT ? pad : 0);
	}
	putchar('\n');
}

static void print_titles(const struct columns *columns)
{
	char *title[COLUMNS_MAX];
	enum paint paint[COLUMNS_MAX];

	for (size_t i = 0; i < columns->count; i++) {
		title[i] = (char *)columns->column[i].title;
		paint[i] = PAINT_TITLE;
	}
	print_row(columns, title, paint);
}

static void free_row(struct held_row *row)
{
	for (size_t i = 0; i < COLUMNS_MAX; i++)
		free(row->text[i]);
	memset(row, 0, sizeof(*row));
}

static void flush_held(struct columns *columns)
{
	if (!columns->streaming && columns->rows)
		print_titles(columns);
	for (size_t i = 0; i < columns->rows; i++) {
		print_row(columns, columns->held[i].text, columns->held[i].paint);
		free_row(&columns->held[i]);
	}
	columns->rows = 0;
}

/* Copies the cells and widens the columns. */
static int hold_row(struct columns *columns, const struct cell *cell, struct held_row *row)
{
	char clean[CELL_TEXT_MAX];

	for (size_t i = 0; i < columns->count; i++) {
		size_t width;

		row->text[i] = strdup(show_clean(cell[i].text, clean, sizeof(clean)));
		row->paint[i] = cell[i].paint;
		if (!row->text[i])
			return -1;
		width = show_width(row->text[i]);
		if (width > columns->width[i])
			columns->width[i] = width;
	}
	return 0;
}

int columns_row(struct columns *columns, const struct cell *cell, struct error *err)
{
	struct held_row *row = &columns->held[columns->rows];

	if (hold_row(columns, cell, row) < 0) {
		free_row(row);
		return error_set(err, ERROR_REFUSED, "out of memory");
	}
	columns->rows++;
	if (columns->streaming || columns->rows == COLUMNS_SAMPLE) {
		flush_held(columns);
		columns->streaming = true;
	}
	return 0;
}

void columns_end(struct columns **columns)
{
	if (!*columns)
		return;
	flush_held(*columns);
	free(*columns);
	*columns = NULL;
}

int columns_print(const struct column *column, size_t count, const json_t *rows, columns_add add,
		  struct error *err)
{
	struct columns *columns;
	const json_t *row;
	size_t i;
	int code = columns_begin(&columns, column, count, err);

	if (code < 0)
		return code;
	json_array_foreach(rows, i, row)
	{
		if (code == 0)
			code = add(columns, row, err);
	}
	columns_end(&columns);
	return code;
}
