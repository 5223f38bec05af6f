/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_reload.c - reload: the daemon does it (daemon/reload.c), as on SIGHUP.
 */
#include "ctl/agent.h"

int ctl_reload(struct ctl_request *request, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);

	return agent->reload(agent->daemon, &request->result, err);
}
