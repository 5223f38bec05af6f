/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check.h - what the commands of the family `check` share: a loop and a resolver of their
 * own. They run the code of the gateway in this process and need no agent.
 *
 * The caller owns the struct from check_open() to check_close(), also after check_open() failed.
 */
#ifndef POSTERN_TOOLS_CTL_CHECK_H
#define POSTERN_TOOLS_CTL_CHECK_H

#include <uv.h>

#include "dns/resolver.h"
#include "tools/ctl.h"

struct check {
	uv_loop_t loop;
	struct dns_resolver *resolver;
	bool open;
};

/* Asks the server of --dns alone, or without that what the host is set up to ask. */
int check_open(struct check *check, const struct cli_call *call, struct error *err);
void check_close(struct check *check);

#endif
