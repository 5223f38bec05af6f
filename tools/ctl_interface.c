/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_interface.c - `posternctl attach` and `detach`: which network interfaces are filtered.
 *
 * The agent has the work done by its keeper; whether the interface exists and what its driver can
 * do is the agent's to say. Only the name's form and the mode are checked here.
 */
#include <net/if.h>
#include <string.h>

#include "tools/ctl_commands.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

static json_t *interface_request(const char *name, const struct cli_call *call, struct error *err)
{
	json_t *request;

	if (!*call->word[0] || strlen(call->word[0]) >= IF_NAMESIZE) {
		error_set(err, ERROR_USAGE,
			  "'%s' cannot be the name of an interface: 1 to %d bytes", call->word[0],
			  IF_NAMESIZE - 1);
		return NULL;
	}
	request = cli_request(name, err);
	if (request && cli_request_text(request, "iface", call->word[0], err) < 0) {
		json_decref(request);
		return NULL;
	}
	return request;
}

static json_t *request_attach(const struct cli_call *call, struct error *err)
{
	static const char *const modes[] = { "auto", "native", "generic" };
	const char *mode = call->option[OPTION_MODE];
	size_t i = 0, count = sizeof(modes) / sizeof(modes[0]);
	json_t *request;

	while (mode && i < count && strcmp(mode, modes[i]) != 0)
		i++;
	if (i == count) {
		error_set(err, ERROR_USAGE, "--mode is native, generic or auto, not '%s'", mode);
		return NULL;
	}
	request = interface_request("attach", call, err);
	if (request && mode)
		json_object_set_new(request, "mode", json_string(mode));
	return request;
}

static json_t *request_detach(const struct cli_call *call, struct error *err)
{
	return interface_request("detach", call, err);
}

/* The agent's line says the mode, whether there is room for other programs, and why not. */
static int show_attach(struct cli_call *call, const json_t *result, struct error *err)
{
	const char *detail = field_text(result, "detail");

	(void)err;
	output_paint(PAINT_GOOD, "protected");
	output_text(" %s\n", *detail ? detail : call->word[0]);
	return 0;
}

static int show_detach(struct cli_call *call, const json_t *result, struct error *err)
{
	(void)result;
	(void)err;
	output_text("%s is not protected any more\n", call->word[0]);
	return 0;
}

const struct cli_command command_attach = {
	.name = "attach",
	.arguments = "IFACE",
	.min = 1,
	.max = 1,
	.options = CLI_TAKES(OPTION_MODE),
	.group = GROUP_ATTACH,
	.summary = "filter what arrives on an interface",
	.text = "Attaches the filter to a network interface. From then on connection attempts "
		"to the protected ports are checked before the kernel's TCP stack sees them; "
		"everything else passes untouched.\n\n"
		"Native mode runs in the driver and is the fast one. Where the driver cannot, "
		"generic mode is used and said aloud; with --mode native that is an error "
		"instead. To change the mode, detach first. Other XDP programs on the interface "
		"are kept where the kernel can load libxdp's dispatcher.",
	.examples = { "posternctl attach eth0",
		      "posternctl attach eth0 --mode native   # fail rather than be slow" },
	.request = request_attach,
	.show = show_attach,
};

const struct cli_command command_detach = {
	.name = "detach",
	.arguments = "IFACE",
	.min = 1,
	.max = 1,
	.group = GROUP_ATTACH,
	.summary = "stop filtering an interface",
	.text = "Takes the filter off a network interface. Lists, limits and counters stay; "
		"established connections do not notice. Other XDP programs on the interface "
		"stay.",
	.examples = { "posternctl detach eth0" },
	.request = request_detach,
	.show = show_detach,
};
