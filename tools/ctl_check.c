/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check.c - see tools/ctl_check.h.
 */
#include "tools/ctl_check.h"

#include "lib/log.h"

int check_open(struct check *check, const struct cli_call *call, struct error *err)
{
	struct dns_options options;
	int code;

	*check = (struct check){ 0 };
	code = dns_options_default(&options, err);
	if (code < 0)
		return code;
	options.rewrites_suffix = NULL;
	if (call->option[OPTION_DNS]) {
		options.server_count = 0;
		code = dns_options_add_server(&options, call->option[OPTION_DNS], err);
		if (code < 0) {
			err->code = ERROR_USAGE;
			return error_prefix(err, "--dns");
		}
	}
	/* What a server does wrong shows in the answer, and standard error is for one line. */
	log_set_level(LOG_LEVEL_ERROR);
	if (uv_loop_init(&check->loop) != 0)
		return error_set(err, ERROR_REFUSED, "cannot make an event loop");
	check->open = true;
	return dns_resolver_open(&check->loop, &options, &check->resolver, err);
}

void check_close(struct check *check)
{
	if (!check->open)
		return;
	dns_resolver_close(&check->resolver);
	uv_run(&check->loop, UV_RUN_DEFAULT);
	uv_loop_close(&check->loop);
	check->open = false;
}
