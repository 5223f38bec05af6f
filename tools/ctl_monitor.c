/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_monitor.c - `posternctl monitor on|off`: count and report, but stop nothing.
 *
 * For everything, or for one block list.
 */
#include <string.h>

#include "lib/entry.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

static json_t *request_monitor(const struct cli_call *call, struct error *err)
{
	const char *list = call->option[OPTION_LIST];
	bool on = strcmp(call->word[0], "on") == 0;
	json_t *request;

	if (!on && strcmp(call->word[0], "off") != 0) {
		error_set(err, ERROR_USAGE, "monitor is on or off, not '%s'", call->word[0]);
		return NULL;
	}
	if (list && list_name_check(list, err) < 0)
		return NULL;
	request = cli_request("monitor", err);
	if (!request)
		return NULL;
	json_object_set_new(request, "on", json_boolean(on));
	if (list)
		json_object_set_new(request, "list", json_string(list));
	return request;
}

static int show_monitor(struct cli_call *call, const json_t *result, struct error *err)
{
	const char *list = call->option[OPTION_LIST];
	bool on = field_true(result, "monitor");

	(void)err;
	output_paint(on ? PAINT_WARN : PAINT_GOOD, "monitor mode is %s", on ? "on" : "off");
	if (list)
		output_text(" for list %s", list);
	output_text(": %s\n", on ? "what would be stopped is counted and let through"
				 : "what is found is stopped");
	return 0;
}

const struct cli_command command_monitor = {
	.name = "monitor",
	.arguments = "on|off",
	.min = 1,
	.max = 1,
	.options = CLI_TAKES(OPTION_LIST),
	.group = GROUP_LIMITS,
	.summary = "count what would be stopped, but stop nothing",
	.text = "Switches monitor mode, for everything or for the block list that --list names. "
		"In monitor mode every decision is made, counted and reported as always, and "
		"then the packet is let through. Use it to try a new list, or new limits, on "
		"real traffic: 'posternctl stats' shows in the columns MONITORED what would "
		"have been stopped.",
	.examples = { "posternctl monitor on --list newfeed", "posternctl monitor off" },
	.request = request_monitor,
	.show = show_monitor,
};
