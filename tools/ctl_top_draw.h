/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_draw.h - the strokes of `posternctl top`: text in a field, bars, graphs.
 *
 * Called by tools/ctl_top_view.c on the screen that it has opened. Everything is clipped to the
 * field that it is drawn into. Without UTF-8 bars and graphs are made of ASCII.
 */
#ifndef POSTERN_TOOLS_CTL_TOP_DRAW_H
#define POSTERN_TOOLS_CTL_TOP_DRAW_H

#include "tools/ctl_top_model.h"

enum ink {
	INK_PLAIN,
	INK_FAINT,
	INK_TITLE,
	INK_BAR, /* the lines at the top and the bottom */
	INK_GOOD,
	INK_WARN,
	INK_BAD,
	INK_BADGE_GOOD,
	INK_BADGE_WARN,
	INKS
};

struct field {
	int y, x, width;
};

/* Prepares the inks; without `colours` they differ in brightness only. */
void draw_setup(bool colours);

/* Text at the left or the right of a field; what does not fit is cut. */
void draw_left(struct field field, enum ink ink, const char *text);
void draw_right(struct field field, enum ink ink, const char *text);
__attribute__((format(printf, 3, 4))) void draw_format(struct field field, enum ink ink,
						       const char *fmt, ...);

/* Fills the field with the ink's background. */
void draw_fill(struct field field, enum ink ink);

/* A bar of which `enforced` and `monitored` are shares of `whole`. */
void draw_bar(struct field field, enum ink ink, double enforced, double monitored, double whole);

/* The latest values of a series, the newest at the right, `height` lines high from field.y down. */
void draw_graph(struct field field, int height, enum ink ink, const struct top_series *series);

#endif
