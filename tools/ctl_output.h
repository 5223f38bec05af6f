/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_output.h - what posternctl writes: text, colours, JSON, tables, errors.
 *
 * Reasons and names may come from a list that somebody else wrote, so everything that is printed
 * for a person is cleaned on its way out (tools/ctl_text.h), and a terminal never obeys it.
 * Colours appear only on a terminal and without NO_COLOR in the environment.
 *
 * Called by every command. Nothing here is kept between two calls except whether there are colours,
 * which output_setup() decides once for the process.
 */
#ifndef POSTERN_TOOLS_CTL_OUTPUT_H
#define POSTERN_TOOLS_CTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

#define OUTPUT_TEXT_MAX 4096 /* bytes that one call of output_text() prints at most */

enum paint { PAINT_NONE, PAINT_TITLE, PAINT_FAINT, PAINT_GOOD, PAINT_WARN, PAINT_BAD, PAINTS };

void output_setup(void);

/*
 * Print like printf(), cleaned. Of line breaks only those at the end of `fmt` are printed as such:
 * a text from outside cannot make a line of its own.
 */
__attribute__((format(printf, 1, 2))) void output_text(const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void output_paint(enum paint paint, const char *fmt, ...);

/* Prints a text that show_clean() has made, as it is. */
void output_ready(enum paint paint, const char *text);

/* What a line of a report is about, in front of it and as wide as all others. */
void output_label(const char *label);
/* An array of whole numbers: "25, 465, 587". */
void output_numbers(const json_t *numbers);

/* A whole document, indented, with its newline. */
int output_json(const json_t *document, struct error *err);

/* Flushes; a full disk is an error. */
int output_finish(struct error *err);

/* "posternctl: TEXT" on standard error, as one line. */
void output_error(const struct error *err);

/*
 * Tables. The first COLUMNS_SAMPLE rows are held back to find out how wide the columns are; from
 * then on rows are printed as they come, so a table may have any number of them.
 */
#define COLUMNS_MAX    10
#define COLUMNS_SAMPLE 256

enum align { ALIGN_LEFT, ALIGN_RIGHT };
struct column {
	const char *title;
	enum align align;
};
struct cell {
	const char *text;
	enum paint paint;
};

struct columns;

/* `column` is borrowed until columns_end(). At most COLUMNS_MAX. */
int columns_begin(struct columns **out, const struct column *column, size_t count,
		  struct error *err);
/* Adds a row of as many cells as there are columns; their texts are copied. */
int columns_row(struct columns *columns, const struct cell *cell, struct error *err);
/* Prints what is left and frees; a table without rows prints nothing. */
void columns_end(struct columns **columns);

/* A whole table of an array of an answer: `add` makes a row of each of its objects. */
typedef int (*columns_add)(struct columns *columns, const json_t *row, struct error *err);
int columns_print(const struct column *column, size_t count, const json_t *rows, columns_add add,
		  struct error *err);

#endif
