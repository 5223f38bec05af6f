/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_view.c - see tools/ctl_top_view.h.
 *
 * Owns the terminal and what the user has chosen; what is drawn is in tools/ctl_top_screen.c. The
 * size of the terminal and its changes are ncurses' business.
 */
#include "tools/ctl_top_view.h"

#include <ncurses.h>
#include <stdlib.h>

#include "tools/ctl_top_draw.h"
#include "tools/ctl_top_screen.h"

#define ESCAPE 27

struct top_view {
	SCREEN *screen;
	struct top_choice choice;
};

int top_view_open(struct top_view **out, struct error *err)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
	struct top_view *view = calloc(1, sizeof(*view));
	bool colours = !(no_colour && *no_colour);

	if (!view)
		return error_set(err, ERROR_REFUSED, "out of memory");
	view->screen = newterm(NULL, stdout, stdin);
	if (!view->screen) {
		free(view);
		return error_set(err, ERROR_REFUSED,
				 "the terminal (TERM=%s) cannot be drawn on; use --json or a pipe",
				 terminal ? terminal : "");
	}
	view->choice.monitored = true;
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	if (colours && start_color() == OK)
		use_default_colors();
	draw_setup(colours && has_colors());
	*out = view;
	return 0;
}

void top_view_close(struct top_view **view)
{
	if (!*view)
		return;
	endwin();
	delscreen((*view)->screen);
	free(*view);
	*view = NULL;
}

bool top_view_paused(const struct top_view *view)
{
	return view->choice.paused;
}

static enum top_wish take_key(struct top_view *view, int key)
{
	if (view->choice.help && key != KEY_RESIZE) {
		view->choice.help = false;
		return WISH_REDRAW;
	}
	switch (key) {
	case 'q':
	case 'Q':
	case ESCAPE:
		return WISH_QUIT;
	case 'p':
	case ' ':
		view->choice.paused = !view->choice.paused;
		return WISH_REDRAW;
	case 's':
		view->choice.sort = (view->choice.sort + 1) % TOP_SORTS;
		return WISH_REDRAW;
	case 'm':
		view->choice.monitored = !view->choice.monitored;
		return WISH_REDRAW;
	case '?':
	case 'h':
		view->choice.help = true;
		return WISH_REDRAW;
	case KEY_RESIZE:
		return WISH_REDRAW;
	default:
		return WISH_NOTHING;
	}
}

enum top_wish top_view_keys(struct top_view *view)
{
	enum top_wish wish = WISH_NOTHING, taken;
	int key;

	while (wish != WISH_QUIT && (key = getch()) != ERR) {
		taken = take_key(view, key);
		if (taken != WISH_NOTHING)
			wish = taken;
	}
	return wish;
}

void top_view_draw(struct top_view *view, struct top_model *model)
{
	top_model_sort(model, view->choice.sort);
	erase();
	top_screen_draw(&view->choice, model);
	refresh();
}
