/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_interfaces.c - attach and detach. The keeper does the work (gate/keeper.h); it outlives
 * no restart of the agent, so an interface that is to be attached at every start belongs into the
 * configuration.
 */
#include <string.h>

#include "conf/conf.h"
#include "ctl/agent.h"
#include "ctl/args.h"
#include "obs/names.h"

static int arg_iface(const struct ctl_request *request, const char **out, struct error *err)
{
	const char *name = arg_text(request, "iface");

	if (!*name || strlen(name) >= IF_NAMESIZE)
		return error_set(err, ERROR_USAGE, "interface \"%.32s\": 1 to %d characters", name,
				 IF_NAMESIZE - 1);
	*out = name;
	return 0;
}

static enum gate_mode configured_mode(void)
{
	const enum gate_mode mode = (enum gate_mode)conf_read_begin()->mode;

	conf_read_end();
	return mode;
}

int ctl_attach(struct ctl_request *request, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);
	char detail[ERROR_TEXT_MAX] = "";
	enum gate_mode mode = configured_mode(); /* unless the request names one */
	const char *name;
	int failed;

	failed = arg_iface(request, &name, err);
	if (!failed)
		failed = arg_mode(request, &mode, err);
	if (!failed)
		failed = gate_attach(agent->gate, name, mode, detail, err);
	if (failed)
		return failed;
	request->result = json_pack("{s:s, s:s}", "iface", name, "detail", detail);
	return 0;
}

int ctl_detach(struct ctl_request *request, struct error *err)
{
	const char *name;
	int failed;

	failed = arg_iface(request, &name, err);
	if (!failed)
		failed = gate_detach(ctl_agent(request)->gate, name, err);
	if (failed)
		return failed;
	request->result = json_pack("{s:s}", "iface", name);
	return 0;
}
