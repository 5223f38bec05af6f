/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_limits.c - `posternctl limits show` and `limits set`.
 *
 * Which limits there are, what they mean and what values they may have is the agent's to say (the
 * section "limits" of its configuration); here a value is only read as a number.
 */
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

#define DEFAULT_WORD "default"
#define BURST_KEYS   "burst-"

static json_t *request_show(const struct cli_call *call, struct error *err)
{
	(void)call;
	return cli_request("limits.show", err);
}

static json_t *request_set(const struct cli_call *call, struct error *err)
{
	const char *text = call->word[1];
	bool back = strcmp(text, DEFAULT_WORD) == 0;
	uint64_t value = 0;
	json_t *request;

	if (!back && number_parse(text, 0, UINT32_MAX, &value, err) < 0) {
		error_prefix(err, "%s", call->word[0]);
		return NULL;
	}
	request = cli_request("limits.set", err);
	if (!request)
		return NULL;
	json_object_set_new(request, "value",
			    back ? json_string(text) : json_integer((json_int_t)value));
	if (cli_request_text(request, "key", call->word[0], err) == 0)
		return request;
	json_decref(request);
	return NULL;
}

/* 0 switches a limit off, but a burst of 0 is that of the rate. */
static const char *value_text(const char *key, uint64_t value, char out[DURATION_TEXT_MAX])
{
	if (value)
		return number_format(value, out);
	return strncmp(key, BURST_KEYS, strlen(BURST_KEYS)) == 0 ? "as rate" : "off";
}

static int add_row(struct columns *columns, const json_t *limit, struct error *err)
{
	const char *origin = field_text(limit, "origin"), *key = field_text(limit, "key");
	char value[DURATION_TEXT_MAX], preset[DURATION_TEXT_MAX];
	bool own = strcmp(origin, "operator") == 0;
	const struct cell cells[] = {
		{ key, PAINT_NONE },
		{ value_text(key, field_count(limit, "value"), value), PAINT_TITLE },
		{ field_text(limit, "unit"), PAINT_FAINT },
		{ value_text(key, field_count(limit, "default"), preset), PAINT_FAINT },
		{ origin, own ? PAINT_WARN : PAINT_FAINT },
		{ field_text(limit, "help"), PAINT_NONE },
	};

	return columns_row(columns, cells, err);
}

static int show_limits(struct cli_call *call, const json_t *result, struct error *err)
{
	static const struct column titles[] = {
		{ "KEY", ALIGN_LEFT },      { "VALUE", ALIGN_RIGHT }, { "UNIT", ALIGN_LEFT },
		{ "DEFAULT", ALIGN_RIGHT }, { "SET BY", ALIGN_LEFT }, { "MEANING", ALIGN_LEFT },
	};

	(void)call;
	return columns_print(titles, sizeof(titles) / sizeof(titles[0]),
			     json_object_get(result, "limits"), add_row, err);
}

static int show_set(struct cli_call *call, const json_t *result, struct error *err)
{
	const json_t *value = json_object_get(result, "value");
	char number[DURATION_TEXT_MAX];

	(void)err;
	if (json_is_integer(value))
		output_text("%s is now %s\n", call->word[0],
			    value_text(call->word[0], field_count(result, "value"), number));
	else
		output_text("%s is now %s\n", call->word[0], call->word[1]);
	return 0;
}

const struct cli_command command_limits_show = {
	.name = "limits show",
	.arguments = "",
	.group = GROUP_LIMITS,
	.family = "how many connections, and how fast, for everybody",
	.summary = "print the limits, their defaults and who set them",
	.text = "Prints every limit. \"rate\" is connection attempts a second, \"burst\" how "
		"many may come at once, and \"conn\" how many connections may be open; for one "
		"address (source), for its /24 or /64 (net), for its IPv6 /48 (site), and for "
		"all together (total). \"off\" is no limit. What is on an allow list is not "
		"limited.",
	.examples = { "posternctl limits show" },
	.request = request_show,
	.show = show_limits,
};

const struct cli_command command_limits_set = {
	.name = "limits set",
	.arguments = "KEY VALUE",
	.min = 2,
	.max = 2,
	.group = GROUP_LIMITS,
	.summary = "change a limit, from the next packet on",
	.text = "Sets a limit. The change is in effect at once, survives a restart, and wins "
		"over the configuration file until it is set back with \"default\". VALUE is a "
		"number, with k or M if you like; 0 switches the limit off. A limit that "
		"contradicts another is refused.",
	.examples = { "posternctl limits set rate-source 50", "posternctl limits set conn-total 2k",
		      "posternctl limits set rate-source default" },
	.request = request_set,
	.show = show_set,
};
