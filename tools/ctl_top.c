/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_top.c - `posternctl top`: what happens now, on a terminal or as snapshots.
 *
 * On a terminal it is a live view (tools/ctl_top_view.c) until q, SIGINT or SIGTERM; the terminal
 * is given back however it ends, also when the agent goes away. Otherwise, and with --json, one
 * snapshot an interval is printed: --count of them; without --count one, or with --interval any
 * number. Limits: TOP_WAIT_MS for the agent to answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/units.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_output.h"
#include "tools/ctl_top_model.h"
#include "tools/ctl_top_text.h"
#include "tools/ctl_top_view.h"

#define TOP_WAIT_MS   10000
#define FIRST_WAIT_MS 300 /* before the second look, so that rates are there soon */
#define INTERVAL_MAX  3600
#define COUNT_MAX     1000000000

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	interrupted = 0;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

struct schedule {
	uint32_t interval; /* seconds */
	uint64_t count;    /* 0 is no end */
};

static int read_schedule(const struct cli_call *call, bool live, struct schedule *out,
			 struct error *err)
{
	const char *interval = call->option[OPTION_INTERVAL], *count = call->option[OPTION_COUNT];
	struct schedule schedule = { .interval = 1, .count = live || interval ? 0 : 1 };

	if (interval && duration_parse(interval, &schedule.interval, err) < 0)
		return error_prefix(err, "--interval");
	if (schedule.interval > INTERVAL_MAX)
		return error_set(err, ERROR_USAGE, "--interval: at most %d seconds", INTERVAL_MAX);
	if (count && number_parse(count, 0, COUNT_MAX, &schedule.count, err) < 0)
		return error_prefix(err, "--count");
	*out = schedule;
	return 0;
}

static int ask_top(struct cli_call *call, json_t **top, struct error *err)
{
	json_t *request = cli_request("top", err);

	if (request)
		json_object_set_new(request, "limit", json_integer(TOP_SOURCES_MAX));
	return cli_ask(call, request, top, err);
}

/* Asks the agent and takes the answers into the model. */
static int look(struct cli_call *call, struct top_model *model, struct error *err)
{
	json_t *top = NULL, *status = NULL;
	int code = ask_top(call, &top, err);

	if (code == 0)
		code = cli_ask(call, cli_request("status", err), &status, err);
	if (code == 0)
		top_model_update(model, top, status);
	json_decref(top);
	json_decref(status);
	return code;
}

static int64_t now_ms(void)
{
	return (int64_t)clock_mono_ms();
}

/* Waits for `until` and follows the keys meanwhile; returns WISH_QUIT or WISH_NOTHING. */
static enum top_wish follow_keys(struct top_view *view, struct top_model *model, int64_t until)
{
	struct pollfd keyboard = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left;

	while ((left = until - now_ms()) > 0 && !interrupted) {
		if (poll(&keyboard, 1, (int)left) < 0 && errno != EINTR)
			return WISH_QUIT;
		if (keyboard.revents & (POLLHUP | POLLERR | POLLNVAL))
			return WISH_QUIT;
		switch (top_view_keys(view)) {
		case WISH_QUIT:
			return WISH_QUIT;
		case WISH_REDRAW:
			top_view_draw(view, model);
			break;
		case WISH_NOTHING:
			break;
		}
	}
	return interrupted ? WISH_QUIT : WISH_NOTHING;
}

static int live_loop(struct cli_call *call, const struct schedule *schedule, struct top_view *view,
		     struct top_model *model, struct error *err)
{
	int64_t wait_ms = FIRST_WAIT_MS;
	uint64_t looks = 0;

	for (;;) {
		if (!top_view_paused(view)) {
			int code = look(call, model, err);

			if (code < 0)
				return interrupted ? 0 : code;
			looks++;
		}
		top_view_draw(view, model);
		if (schedule->count && looks > schedule->count)
			return 0;
		if (follow_keys(view, model, now_ms() + wait_ms) == WISH_QUIT)
			return 0;
		wait_ms = (int64_t)schedule->interval * MS_A_SECOND;
	}
}

static int run_live(struct cli_call *call, const struct schedule *schedule, struct top_model *model,
		    struct error *err)
{
	struct top_view *view;
	/* The agent is asked first: an error must not flash a screen. */
	int code = look(call, model, err);

	if (code < 0)
		return code;
	catch_signals();
	code = top_view_open(&view, err);
	if (code < 0)
		return code;
	agent_link_patience(call->agent, TOP_WAIT_MS, &interrupted);
	code = live_loop(call, schedule, view, model, err);
	top_view_close(&view);
	return code;
}

static void sleep_until(int64_t until)
{
	int64_t left;

	while ((left = until - now_ms()) > 0)
		poll(NULL, 0, (int)left);
}

/* The answer as it came, at once: who reads JSON makes rates of its own, from "time_ns". */
static int print_json(struct cli_call *call, struct error *err)
{
	json_t *top = NULL;
	int code = ask_top(call, &top, err);

	if (code == 0)
		code = output_json(top, err);
	json_decref(top);
	return code;
}

static int print_snapshot(struct cli_call *call, struct top_model *model, struct error *err)
{
	int code = look(call, model, err);

	return code == 0 ? top_text_print(model, err) : code;
}

static int run_snapshots(struct cli_call *call, const struct schedule *schedule,
			 struct top_model *model, struct error *err)
{
	bool json = call->option[OPTION_JSON] != NULL;
	int64_t interval = (int64_t)schedule->interval * MS_A_SECOND, next = now_ms();
	/* Rates need an earlier look. */
	int code = json ? 0 : look(call, model, err);

	for (uint64_t i = 0; code == 0 && (!schedule->count || i < schedule->count); i++) {
		if (!json || i)
			sleep_until(next += interval);
		code = json ? print_json(call, err) : print_snapshot(call, model, err);
		if (code == 0)
			code = output_finish(err);
	}
	return code;
}

static int run_top(struct cli_call *call, struct error *err)
{
	bool live = !call->option[OPTION_JSON] && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
	struct top_model *model = NULL;
	struct schedule schedule = { 0 };
	int code = read_schedule(call, live, &schedule, err);

	if (code == 0)
		code = top_model_open(&model, err);
	if (code == 0)
		code = live ? run_live(call, &schedule, model, err)
			    : run_snapshots(call, &schedule, model, err);
	top_model_close(&model);
	return code;
}

const struct cli_command command_top = {
	.name = "top",
	.arguments = "",
	.options = CLI_TAKES(OPTION_INTERVAL) | CLI_TAKES(OPTION_COUNT),
	.group = GROUP_LOOK,
	.summary = "what happens now: rates, reasons, top sources",
	.text = "A live view of what is stopped and let in: packets a second by reason and by "
		"list with their history, and the sources that were stopped most. Keys: q "
		"quits, p pauses, s sorts the sources, m shows or hides what monitor mode only "
		"counts, ? explains.\n\n"
		"When standard output is not a terminal, or with --json, snapshots are printed "
		"instead: one, or as many as --count says, or with --interval alone one an "
		"interval until interrupted.",
	.examples = { "posternctl top", "posternctl top --interval 10s --count 6 >minute.txt",
		      "posternctl top --json | jq -r '.offenders[] | \"\\(.hits) \\(.source)\"'" },
	.run = run_top,
};
