/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check_ip.c - `posternctl check ip`: what the gateway would find out about a client.
 *
 * The agent looks it up with the lists, the cache and the rules that it judges connections by.
 */
#include <string.h>

#include "lib/addr.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_output.h"
#include "tools/ctl_reputation.h"
#include "tools/ctl_text.h"

static json_t *request_check_ip(const struct cli_call *call, struct error *err)
{
	const char *helo = call->option[OPTION_HELO];
	char canonical[PREFIX_TEXT_MAX];
	struct addr addr;
	json_t *request;

	if (addr_parse(call->word[0], strlen(call->word[0]), &addr, err) < 0) {
		err->code = ERROR_USAGE;
		return NULL;
	}
	request = cli_request("check.ip", err);
	if (!request)
		return NULL;
	json_object_set_new(request, "address", json_string(addr_format(&addr, canonical)));
	if (!helo || cli_request_text(request, "helo", helo, err) == 0)
		return request;
	json_decref(request);
	return NULL;
}

static int show_check_ip(struct cli_call *call, const json_t *result, struct error *err)
{
	const char *decision = field_text(result, "decision");

	(void)call;
	output_paint(PAINT_TITLE, "%s", field_text(result, "address"));
	output_text(" scores %" JSON_INTEGER_FORMAT ": ",
		    json_integer_value(json_object_get(result, "score")));
	output_paint(reputation_paint(decision), "%s\n\n", decision);
	return reputation_print_lookups(result, err);
}

const struct cli_command command_check_ip = {
	.name = "check ip",
	.arguments = "ADDR",
	.min = 1,
	.max = 1,
	.options = CLI_TAKES(OPTION_HELO),
	.group = GROUP_CHECK,
	.family = "try what the gateway checks",
	.summary = "look a client up: DNS lists, reverse DNS, HELO name, score",
	.text = "Asks the agent to look the address up as it does for a client that connects: in "
		"all DNS lists of the configuration, and by its reverse DNS. With --helo also the "
		"name that a client gives in HELO or EHLO is checked, in the lists of domains and "
		"by SPF, too. Every answer is shown with its age and what it adds to the score, "
		"and "
		"what the score comes to. Nothing is blocked because of it, and lists, limits and "
		"what the kernel has learned play no part: see 'posternctl why' for these.\n\n"
		"The exit code is 1 if the client would be refused.",
	.examples = { "posternctl check ip 192.0.2.7",
		      "posternctl check ip 192.0.2.7 --helo mx.example.net --json" },
	.request = request_check_ip,
	.show = show_check_ip,
	.found = "rejected",
};
