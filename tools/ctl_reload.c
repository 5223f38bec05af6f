/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_reload.c - `posternctl reload`: the agent reads its configuration again.
 */
#include "tools/ctl_commands.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

static json_t *request_reload(const struct cli_call *call, struct error *err)
{
	(void)call;
	return cli_request("reload", err);
}

/* "title: key, key"; nothing if there are no keys. */
static void print_keys(const json_t *keys, enum paint paint, const char *title)
{
	const json_t *key;
	size_t i;

	if (!json_array_size(keys))
		return;
	output_paint(paint, "%s", title);
	json_array_foreach(keys, i, key)
	{
		const char *name = json_string_value(key);

		output_text("%s %s", i ? "," : ":", name ? name : "?");
	}
	output_text("\n");
}

static int show_reload(struct cli_call *call, const json_t *result, struct error *err)
{
	const bool files_read = field_true(result, "files_read");

	(void)call;
	(void)err;
	if (field_true(result, "unchanged"))
		output_text(files_read ? "no option has changed\n" : "nothing has changed\n");
	print_keys(json_object_get(result, "applied"), PAINT_GOOD, "in effect now");
	print_keys(json_object_get(result, "overridden"), PAINT_WARN,
		   "not in effect, because posternctl set another value (limits show, monitor)");
	print_keys(json_object_get(result, "restart_needed"), PAINT_WARN,
		   "in effect after a restart of posternd");
	if (files_read)
		output_text("certificates, CAs, users and recipients were read again\n");
	return 0;
}

const struct cli_command command_reload = {
	.name = "reload",
	.arguments = "",
	.group = GROUP_CONFIG,
	.summary = "read the configuration again and apply what changed",
	.text = "Makes the agent read its configuration file again. What can change while "
		"packets flow is applied at once, without dropping a connection; for the rest "
		"the answer names the options that wait for a restart. A file with a mistake "
		"changes nothing: the mistake is named with its line. In mode proxy certificates, "
		"keys, CAs, users and recipients are read again, too, for sessions that begin "
		"afterwards.",
	.examples = { "posternctl config check && posternctl reload" },
	.request = request_reload,
	.show = show_reload,
};
