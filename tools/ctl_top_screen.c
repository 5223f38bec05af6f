/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top_screen.c - see tools/ctl_top_screen.h.
 *
 * From the top: a bar with what is protected; the flows with their graphs, higher where the
 * terminal is; the reasons; the lists; the sources, which get what room is left; a bar with the
 * keys.
 */
#include "tools/ctl_top_screen.h"

#include <ncurses.h>
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "tools/ctl_text.h"
#include "tools/ctl_top_draw.h"

#define GRAPH_LINES_MAX 6
#define LINES_USUAL     24
#define LINES_A_GRAPH   8 /* more lines than usual that make the graphs one line higher */
#define LABEL_WIDTH     11
#define RATE_WIDTH      8
#define PEAK_WIDTH      12
#define NAME_MIN        16
#define NAME_MAX        32 /* LIST_NAME_MAX */
#define COLUMNS_USUAL   80
#define COLUMNS_A_NAME  4 /* more columns than usual that give a name one more */
#define LINES_FOR_GAPS  32
#define COUNT_WIDTH     11
#define TOTAL_WIDTH     15
#define ADDRESS_MIN     15
#define HITS_WIDTH      11
#define AGE_WIDTH       4
#define WHY_MIN         16
#define GAP             2
#define TABLES          3
#define MARGIN          1
#define HELP_WIDTH      62

static const char *const sort_names[TOP_SORTS] = {
	[SORT_HITS] = "hits",
	[SORT_RATE] = "rate",
	[SORT_LATEST] = "latest",
};

static int at_most(int wanted, int limit)
{
	return wanted < limit ? wanted : limit;
}

static struct field line_at(int y)
{
	return (struct field){ y, MARGIN, COLS - 2 * MARGIN };
}

static void draw_head(const struct top_choice *choice, const struct top_model *model)
{
	const char *badge = model->monitor ? " MONITOR MODE " : " ENFORCING ";
	char up[DURATION_TEXT_MAX], right[TOP_HEAD_MAX];
	struct field bar = { 0, 0, COLS }, text = line_at(0);

	draw_fill(bar, INK_BAR);
	snprintf(right, sizeof(right), "%sup %s", choice->paused ? "PAUSED  " : "",
		 duration_format(model->uptime, up));
	draw_right(text, INK_BAR, right);
	text.width -= (int)strlen(right) + GAP + (int)strlen(badge) + GAP;
	draw_format(text, INK_BAR, "Postern  %s",
		    *model->interfaces ? model->interfaces : "no interface is protected");
	text.x += text.width + GAP;
	text.width = (int)strlen(badge);
	draw_left(text, model->monitor ? INK_BADGE_WARN : INK_BADGE_GOOD, badge);
}

static void draw_flow(int y, int height, const char *name, enum ink ink, enum top_flow flow,
		      const struct top_model *model)
{
	const struct top_series *history = &model->history[flow];
	char rate[RATE_TEXT_MAX], peak[RATE_TEXT_MAX];
	struct field label = { y + height - 1, MARGIN, LABEL_WIDTH };
	struct field value = { y + height - 1, MARGIN + LABEL_WIDTH, RATE_WIDTH };
	struct field graph = { y, value.x + RATE_WIDTH + GAP, 0 };
	struct field right = { y, COLS - MARGIN - PEAK_WIDTH, PEAK_WIDTH };

	graph.width = right.x - GAP - graph.x;
	draw_left(label, INK_PLAIN, name);
	draw_right(value, ink, model->has_rates ? rate_format(model->rate[flow], rate) : "-");
	draw_graph(graph, height, ink, history);
	rate_format(top_series_peak(history, (size_t)graph.width), peak);
	draw_format(right, INK_FAINT, "peak %s/s", peak);
}

/* Returns the line below. */
static int draw_flows(const struct top_choice *choice, const struct top_model *model, int y)
{
	int higher = (LINES - LINES_USUAL) / LINES_A_GRAPH, height;
	struct field line;
	char seen[RATE_TEXT_MAX], connections[DURATION_TEXT_MAX], lost[DURATION_TEXT_MAX];

	height = higher < 0 ? 1 : higher >= GRAPH_LINES_MAX ? GRAPH_LINES_MAX : higher + 1;
	draw_flow(y, height, "stopped/s", INK_BAD, FLOW_STOPPED, model);
	y += height;
	if (choice->monitored) {
		draw_flow(y, 1, "monitored/s", INK_WARN, FLOW_MONITORED, model);
		y++;
	}
	draw_flow(y, height, "let in/s", INK_GOOD, FLOW_LET_IN, model);
	y += height;
	line = line_at(y);
	draw_format(line, model->events_lost ? INK_WARN : INK_PLAIN,
		    "%s %s open, %s packets/s in all, %s %s lost",
		    number_format(model->connections, connections),
		    plural(model->connections, "connection", "connections"),
		    rate_format(model->rate[FLOW_SEEN], seen),
		    number_format(model->events_lost, lost),
		    plural(model->events_lost, "event", "events"));
	if (*model->floods)
		draw_format(line_at(y + 1), INK_BAD, "flood of SYNs: %s", model->floods);
	return y + 2;
}

/* The columns of reasons and lists; `monitored` is 0 wide if it is not shown. */
struct row_fields {
	struct field name, rate, monitored, total, bar, graph;
};

static struct row_fields row_fields(const struct top_choice *choice, int y)
{
	int wider = COLS > COLUMNS_USUAL ? (COLS - COLUMNS_USUAL) / COLUMNS_A_NAME : 0;
	int name = at_most(NAME_MIN + wider, NAME_MAX), x = MARGIN + name + GAP, rest;
	struct row_fields at = { .name = { y, MARGIN, name } };

	at.rate = (struct field){ y, x, RATE_WIDTH };
	x += RATE_WIDTH + GAP;
	at.monitored = (struct field){ y, x, choice->monitored ? COUNT_WIDTH : 0 };
	x += choice->monitored ? COUNT_WIDTH + GAP : 0;
	at.total = (struct field){ y, x, TOTAL_WIDTH };
	x += TOTAL_WIDTH + GAP;
	rest = COLS - MARGIN - x;
	at.bar = (struct field){ y, x, rest > GAP ? (rest - GAP) / 2 : 0 };
	x += at.bar.width + GAP;
	at.graph = (struct field){ y, x, COLS - MARGIN - x };
	return at;
}

static void draw_row(const struct top_choice *choice, const struct top_row *row, int y,
		     double whole, bool has_rates)
{
	struct row_fields at = row_fields(choice, y);
	bool let_through = row->rate[TOP_MONITORED] > row->rate[TOP_ENFORCED];
	enum ink ink = row->harmless ? INK_GOOD : let_through ? INK_WARN : INK_BAD;
	uint64_t total =
		row->total[TOP_ENFORCED] + (choice->monitored ? row->total[TOP_MONITORED] : 0);
	double monitored = choice->monitored ? row->rate[TOP_MONITORED] : 0;
	char text[DURATION_TEXT_MAX];

	draw_left(at.name, ink, row->name);
	draw_right(at.rate, row->rate[TOP_ENFORCED] > 0 ? INK_PLAIN : INK_FAINT,
		   has_rates ? rate_format(row->rate[TOP_ENFORCED], text) : "-");
	if (choice->monitored && row->total[TOP_MONITORED])
		draw_right(at.monitored, INK_WARN, rate_format(monitored, text));
	draw_right(at.total, INK_FAINT, number_format(total, text));
	draw_bar(at.bar, ink, row->rate[TOP_ENFORCED], monitored, whole);
	draw_graph(at.graph, 1, ink, &row->history);
}

static void draw_row_titles(const struct top_choice *choice, const char *name, int y)
{
	struct row_fields at = row_fields(choice, y);

	draw_fill(line_at(y), INK_TITLE);
	draw_left(at.name, INK_TITLE, name);
	draw_right(at.rate, INK_TITLE, "RATE/S");
	if (choice->monitored)
		draw_right(at.monitored, INK_TITLE, "MONITORED/S");
	draw_right(at.total, INK_TITLE, "TOTAL");
	draw_left(at.bar, INK_TITLE, "SHARE");
	draw_left(at.graph, INK_TITLE, "HISTORY");
}

static bool row_is_shown(const struct top_choice *choice, const struct top_row *row)
{
	return row->total[TOP_ENFORCED] || (choice->monitored && row->total[TOP_MONITORED]);
}

static int rows_shown(const struct top_choice *choice, const struct top_table *table)
{
	int count = 0;

	for (size_t i = 0; i < table->count; i++)
		count += row_is_shown(choice, &table->row[i]);
	return count;
}

/* What stops and what lets pass have shares of their own: established packets outnumber all else.
 */
static double whole_of(const struct top_table *table, bool harmless)
{
	double whole = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (table->row[i].harmless == harmless)
			whole += table->row[i].rate[TOP_ENFORCED] +
				 table->row[i].rate[TOP_MONITORED];
	}
	return whole;
}

/* Titles and at most `max` rows; returns the line below. */
static int draw_table(const struct top_choice *choice, const struct top_table *table,
		      const char *name, int y, int max, bool has_rates)
{
	double whole[] = { whole_of(table, false), whole_of(table, true) };
	int drawn = 0;

	draw_row_titles(choice, name, y++);
	for (size_t i = 0; i < table->count && drawn < max; i++) {
		const struct top_row *row = &table->row[i];

		if (row_is_shown(choice, row))
			draw_row(choice, row, y + drawn++, whole[row->harmless], has_rates);
	}
	return y + drawn;
}

static bool source_is_shown(const struct top_choice *choice, const struct top_source *source)
{
	return choice->monitored || !source->monitored;
}

/*
 * The columns of the sources: the addresses on so many lines get what they need, and the reason the
 * rest.
 */
struct source_fields {
	struct field address, hits, rate, age, why;
};

static struct source_fields source_fields(const struct top_choice *choice,
					  const struct top_model *model, int y, int lines)
{
	const int others = 4 * GAP + HITS_WIDTH + RATE_WIDTH + AGE_WIDTH + WHY_MIN;
	int room = COLS - 2 * MARGIN - others, width = ADDRESS_MIN;
	struct source_fields at;

	for (size_t i = 0; i < model->sources && lines > 0; i++) {
		int length = (int)strlen(model->source[i].address);

		if (!source_is_shown(choice, &model->source[i]))
			continue;
		if (length > width)
			width = length;
		lines--;
	}
	at.address = (struct field){ y, MARGIN, width < room ? width : room };
	at.hits = (struct field){ y, at.address.x + at.address.width + GAP, HITS_WIDTH };
	at.rate = (struct field){ y, at.hits.x + HITS_WIDTH + GAP, RATE_WIDTH };
	at.age = (struct field){ y, at.rate.x + RATE_WIDTH + GAP, AGE_WIDTH };
	at.why = (struct field){ y, at.age.x + AGE_WIDTH + GAP, 0 };
	at.why.width = COLS - MARGIN - at.why.x;
	return at;
}

static void draw_source(const struct top_model *model, const struct top_source *source,
			struct source_fields at, int y)
{
	bool listed = *source->list != '\0', marked = source->monitored && !model->monitor;
	char text[DURATION_TEXT_MAX];

	at.address.y = at.hits.y = at.rate.y = at.age.y = at.why.y = y;
	draw_left(at.address, source->monitored ? INK_WARN : INK_BAD, source->address);
	draw_right(at.hits, INK_PLAIN, number_format(source->hits, text));
	draw_right(at.rate, source->rate > 0 ? INK_PLAIN : INK_FAINT,
		   model->has_rates ? rate_format(source->rate, text) : "-");
	draw_right(at.age, INK_FAINT, age_format(source->age_ms, text));
	draw_format(at.why, INK_PLAIN, "%s%s%s%s", source->reason, listed ? ": " : "", source->list,
		    marked ? " (monitored)" : "");
}

/* The sources get all lines that are left. */
static void draw_sources(const struct top_choice *choice, const struct top_model *model, int y)
{
	int last = LINES - 2;
	struct source_fields at = source_fields(choice, model, y, last - y);

	draw_fill(line_at(y), INK_TITLE);
	draw_left(at.address, INK_TITLE, "SOURCE");
	draw_right(at.hits, INK_TITLE, "HITS");
	draw_right(at.rate, INK_TITLE, "RATE/S");
	draw_right(at.age, INK_TITLE, "AGO");
	draw_left(at.why, INK_TITLE, "STOPPED BY");
	for (size_t i = 0; i < model->sources && y < last; i++) {
		if (source_is_shown(choice, &model->source[i]))
			draw_source(model, &model->source[i], at, ++y);
	}
}

static void draw_foot(const struct top_choice *choice)
{
	struct field bar = { LINES - 1, 0, COLS };

	draw_fill(bar, INK_BAR);
	draw_format(line_at(LINES - 1), INK_BAR,
		    "q quit   p %s   s sort sources: %s   m monitored: %s   ? help",
		    choice->paused ? "go on" : "pause", sort_names[choice->sort],
		    choice->monitored ? "shown" : "hidden");
}

/* Over everything else, in the middle. */
static void draw_help(void)
{
	static const char *const lines[] = {
		"q         quit",
		"p, space  pause and go on",
		"s         sort the sources by hits, rate, or the latest",
		"m         show or hide what monitor mode only counts",
		"?         this help",
		"",
		"Rates are packets a second since the last look. Red was",
		"stopped, green let through; yellow would have been stopped",
		"but for monitor mode. SHARE is of all that was stopped, or",
		"of all that was let through. Hits beyond the event budget",
		"are estimates.",
	};
	const int count = (int)(sizeof(lines) / sizeof(lines[0])), height = count + 2;
	int top = LINES > height ? (LINES - height) / 2 : 0;
	int left = COLS > HELP_WIDTH ? (COLS - HELP_WIDTH) / 2 : 0;

	for (int i = 0; i < height && top + i < LINES; i++) {
		struct field line = { top + i, left, HELP_WIDTH };

		draw_fill(line, INK_BAR);
		line.x += GAP;
		line.width -= 2 * GAP;
		if (i > 0 && i <= count)
			draw_left(line, INK_BAR, lines[i - 1]);
	}
}

/* Of the room the lists get at most a fourth, the reasons two fifths, the sources the rest. */
static void draw_tables(const struct top_choice *choice, const struct top_model *model, int y)
{
	int reasons = rows_shown(choice, &model->reasons),
	    lists = rows_shown(choice, &model->lists);
	int gap = LINES >= LINES_FOR_GAPS;
	int room = LINES - 1 - y - TABLES * (1 + gap); /* a line of titles for each */

	y = draw_table(choice, &model->reasons, "REASON", y, at_most(reasons, room * 2 / 5),
		       model->has_rates) +
	    gap;
	if (lists)
		y = draw_table(choice, &model->lists, "LIST", y, at_most(lists, room / 4),
			       model->has_rates) +
		    gap;
	draw_sources(choice, model, y);
}

void top_screen_draw(const struct top_choice *choice, const struct top_model *model)
{
	if (LINES < SCREEN_LINES_MIN || COLS < SCREEN_COLUMNS_MIN) {
		draw_left((struct field){ 0, 0, COLS }, INK_PLAIN, "The terminal is too small.");
		return;
	}
	draw_head(choice, model);
	draw_tables(choice, model, draw_flows(choice, model, 1));
	draw_foot(choice);
	if (choice->help)
		draw_help();
}
