/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_screen.h - what `posternctl top` shows, and where.
 *
 * Called by tools/ctl_top_view.c, which owns the terminal. Draws into whatever size there is, from
 * SCREEN_LINES_MIN x SCREEN_COLUMNS_MIN on; smaller ones get one line that says so.
 */
#ifndef POSTERN_TOOLS_CTL_TOP_SCREEN_H
#define POSTERN_TOOLS_CTL_TOP_SCREEN_H

#include "tools/ctl_top_model.h"

#define SCREEN_LINES_MIN   16
#define SCREEN_COLUMNS_MIN 60

/* What the user has chosen with keys. */
struct top_choice {
	enum top_sort sort;
	bool paused;
	bool monitored; /* show what monitor mode only counts */
	bool help;
};

/* Draws a sorted model on the erased screen. */
void top_screen_draw(const struct top_choice *choice, const struct top_model *model);

#endif
