/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_view.h - the terminal of `posternctl top`: draws a model, takes keys.
 *
 * Called by tools/ctl_top.c. Between open and close the terminal belongs to the view; close gives
 * it back as it was. What is drawn is tools/ctl_top_screen.c's.
 */
#ifndef POSTERN_TOOLS_CTL_TOP_VIEW_H
#define POSTERN_TOOLS_CTL_TOP_VIEW_H

#include <stdbool.h>

#include "tools/ctl_top_model.h"

struct top_view;

enum top_wish {
	WISH_NOTHING, /* no key */
	WISH_REDRAW,  /* something to show has changed */
	WISH_QUIT,
};

int top_view_open(struct top_view **out, struct error *err);
void top_view_close(struct top_view **view);

/* Sorts the model as the user wants it, and shows it. */
void top_view_draw(struct top_view *view, struct top_model *model);

/* Takes the keys that have been typed. */
enum top_wish top_view_keys(struct top_view *view);

/* Whether the user has stopped the clock. */
bool top_view_paused(const struct top_view *view);

#endif
