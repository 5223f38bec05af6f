/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_draw.c - see tools/ctl_top_draw.h.
 *
 * A cell is divided into eight steps, for which there are characters of their own.
 */
#include "tools/ctl_top_draw.h"

#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/ctl_text.h"

#define STEPS          8
#define FIELD_TEXT_MAX 512

static const char *const columns_utf8[STEPS + 1] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const columns_ascii[STEPS + 1] = { " ", "_", ".", "-", "=", "+", "*", "#", "#" };
static const char *const bars_utf8[STEPS + 1] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };
static const char *const bars_ascii[STEPS + 1] = { " ", "-", "-", "-", "=", "=", "=", "#", "#" };

enum { PAIR_GOOD = 1, PAIR_WARN, PAIR_BAD, PAIR_BADGE_GOOD, PAIR_BADGE_WARN };

static attr_t inks[INKS];

void draw_setup(bool colours)
{
	const attr_t plain[INKS] = {
		[INK_PLAIN] = A_NORMAL,
		[INK_FAINT] = A_DIM,
		[INK_TITLE] = A_BOLD | A_UNDERLINE,
		[INK_BAR] = A_REVERSE,
		[INK_GOOD] = A_NORMAL,
		[INK_WARN] = A_BOLD,
		[INK_BAD] = A_NORMAL,
		[INK_BADGE_GOOD] = A_BOLD,
		[INK_BADGE_WARN] = A_BOLD | A_REVERSE,
	};

	memcpy(inks, plain, sizeof(inks));
	if (!colours)
		return;
	init_pair(PAIR_GOOD, COLOR_GREEN, -1);
	init_pair(PAIR_WARN, COLOR_YELLOW, -1);
	init_pair(PAIR_BAD, COLOR_RED, -1);
	init_pair(PAIR_BADGE_GOOD, COLOR_BLACK, COLOR_GREEN);
	init_pair(PAIR_BADGE_WARN, COLOR_BLACK, COLOR_YELLOW);
	inks[INK_GOOD] = (attr_t)COLOR_PAIR(PAIR_GOOD);
	inks[INK_WARN] = (attr_t)COLOR_PAIR(PAIR_WARN);
	inks[INK_BAD] = (attr_t)COLOR_PAIR(PAIR_BAD);
	inks[INK_BADGE_GOOD] = (attr_t)COLOR_PAIR(PAIR_BADGE_GOOD);
	inks[INK_BADGE_WARN] = (attr_t)COLOR_PAIR(PAIR_BADGE_WARN);
}

static void put(int y, int x, enum ink ink, const char *text, size_t bytes)
{
	attrset((int)inks[ink]);
	mvaddnstr(y, x, text, (int)bytes);
	attrset(A_NORMAL);
}

/* The bytes of `text` that fit; the end of what does not is marked. */
static size_t clip(struct field field, const char *text, char out[FIELD_TEXT_MAX])
{
	const char *mark = show_is_utf8() ? "…" : "~";
	size_t columns = field.width > 0 ? (size_t)field.width : 0, bytes;

	if (show_width(text) <= columns)
		bytes = (size_t)snprintf(out, FIELD_TEXT_MAX, "%s", text);
	else
		bytes = (size_t)snprintf(out, FIELD_TEXT_MAX, "%.*s%s",
					 (int)show_fit(text, columns ? columns - 1 : 0), text,
					 columns ? mark : "");
	return bytes < FIELD_TEXT_MAX ? bytes : FIELD_TEXT_MAX - 1;
}

void draw_left(struct field field, enum ink ink, const char *text)
{
	char clipped[FIELD_TEXT_MAX];

	put(field.y, field.x, ink, clipped, clip(field, text, clipped));
}

void draw_right(struct field field, enum ink ink, const char *text)
{
	char clipped[FIELD_TEXT_MAX];
	size_t bytes = clip(field, text, clipped);

	put(field.y, field.x + field.width - (int)show_width(clipped), ink, clipped, bytes);
}

void draw_format(struct field field, enum ink ink, const char *fmt, ...)
{
	char text[FIELD_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	draw_left(field, ink, text);
}

void draw_fill(struct field field, enum ink ink)
{
	attrset((int)inks[ink]);
	mvhline(field.y, field.x, ' ', field.width);
	attrset(A_NORMAL);
}

/* The steps of `cells` cells that a share takes; something is never nothing. */
static int steps_of(double value, double whole, int cells)
{
	double share = whole > 0 ? value / whole : 0;
	int steps = (int)(share * cells * STEPS + 0.5);

	if (steps > cells * STEPS)
		steps = cells * STEPS;
	return value > 0 && steps == 0 ? 1 : steps;
}

/* Whole cells of one ink, and a last one in part; returns how many cells that took. */
static int draw_cells(struct field field, enum ink ink, int steps)
{
	const char *const *shapes = show_is_utf8() ? bars_utf8 : bars_ascii;
	int cell = 0;

	for (; steps > 0 && cell < field.width; steps -= STEPS, cell++) {
		const char *shape = shapes[steps < STEPS ? steps : STEPS];

		put(field.y, field.x + cell, ink, shape, strlen(shape));
	}
	return cell;
}

void draw_bar(struct field field, enum ink ink, double enforced, double monitored, double whole)
{
	int used = draw_cells(field, ink, steps_of(enforced, whole, field.width));
	struct field rest = { field.y, field.x + used, field.width - used };

	draw_cells(rest, INK_WARN, steps_of(monitored, whole, field.width));
}

void draw_graph(struct field field, int height, enum ink ink, const struct top_series *series)
{
	const char *const *shapes = show_is_utf8() ? columns_utf8 : columns_ascii;
	double peak = top_series_peak(series, field.width > 0 ? (size_t)field.width : 0);

	for (int column = 0; column < field.width; column++) {
		size_t back = (size_t)(field.width - 1 - column);
		int steps = steps_of(top_series_value(series, back), peak, height);

		for (int line = height - 1; line >= 0 && steps > 0; line--, steps -= STEPS) {
			const char *shape = shapes[steps < STEPS ? steps : STEPS];

			put(field.y + line, field.x + column, ink, shape, strlen(shape));
		}
	}
}
