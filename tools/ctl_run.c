/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_run.c - the table of commands, and what happens to a command line.
 *
 * Called by main() in tools/posternctl.c and by the tests. Every error of every command comes back
 * here as a struct error and is printed here, once, as one line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl_args.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_help.h"
#include "tools/ctl_output.h"
#include "version.h"

/* By group, and a family's commands together: the order of the help. */
const struct cli_command *const cli_commands[] = {
	&command_status,     &command_stats,        &command_top,         &command_why,
	&command_attach,     &command_detach,       &command_block_add,   &command_block_del,
	&command_block_test, &command_block_show,   &command_block_load,  &command_block_clear,
	&command_allow_add,  &command_allow_del,    &command_allow_test,  &command_allow_show,
	&command_allow_load, &command_allow_clear,  &command_limits_show, &command_limits_set,
	&command_monitor,    &command_check_ip,     &command_check_spf,   &command_check_mx,
	&command_reload,     &command_config_check,
};
const size_t cli_command_count = sizeof(cli_commands) / sizeof(cli_commands[0]);

int cli_connect(struct cli_call *call, struct error *err)
{
	const char *path = call->option[OPTION_SOCKET], *variable = getenv("POSTERN_SOCKET");

	if (call->agent)
		return 0;
	if (!path)
		path = variable && *variable ? variable : CLI_SOCKET_DEFAULT;
	return agent_link_open(&call->agent, path, err);
}

int cli_ask(struct cli_call *call, json_t *request, json_t **result, struct error *err)
{
	const struct agent_question question = { .request = request };
	int code = ERROR_REFUSED;

	if (request)
		code = cli_connect(call, err);
	if (code == 0)
		code = agent_link_ask(call->agent, &question, result, err);
	json_decref(request);
	return code;
}

json_t *cli_request(const char *name, struct error *err)
{
	json_t *request = json_pack("{s:s}", "cmd", name);

	if (!request)
		error_set(err, ERROR_REFUSED, "out of memory");
	return request;
}

int cli_request_text(json_t *request, const char *key, const char *text, struct error *err)
{
	json_t *value = json_string(text);

	if (!value)
		return error_set(err, ERROR_USAGE, "the %s is not UTF-8", key);
	if (json_object_set_new(request, key, value) != 0)
		return error_set(err, ERROR_REFUSED, "out of memory");
	return 0;
}

const char *cli_kind(const struct cli_call *call)
{
	return args_in_family(call->command, "allow", strlen("allow")) ? "allow" : "block";
}

/* One question to the agent, its answer shown. */
static int ask_and_show(struct cli_call *call, struct error *err)
{
	json_t *request = call->command->request(call, err), *result = NULL;
	int code;

	if (!request)
		return err->code;
	code = cli_ask(call, request, &result, err);
	if (code < 0)
		return code;
	if (call->option[OPTION_JSON])
		code = output_json(result, err);
	else
		code = call->command->show(call, result, err);
	if (code == 0 && call->command->found &&
	    json_is_true(json_object_get(result, call->command->found)))
		code = CLI_FOUND;
	json_decref(result);
	return code;
}

static int run_command(struct cli_call *call, struct error *err)
{
	int code = args_check(call, err), finished;

	if (code < 0)
		return code;
	code = call->command->run ? call->command->run(call, err) : ask_and_show(call, err);
	agent_link_close(&call->agent);
	if (code < 0)
		return code;
	finished = output_finish(err);
	return finished < 0 ? finished : code;
}

/* `help` with the words behind it, or --help with those before it. */
static int run_help(struct cli_call *call, struct error *err)
{
	int code;

	if (!call->words || strcmp(call->word[0], "help") == 0) {
		help_overview();
		return output_finish(err);
	}
	if (call->words > 1 || !help_family(call->word[0])) {
		code = args_find(call, err);
		if (code < 0)
			return code;
		help_command(call->command);
	}
	return output_finish(err);
}

/* Whether the words ask for help; takes a first word "help" away. */
static bool asks_for_help(struct cli_call *call)
{
	if (!call->words || strcmp(call->word[0], "help") != 0)
		return call->option[OPTION_HELP] != NULL;
	call->words--;
	memmove(call->word, call->word + 1, call->words * sizeof(call->word[0]));
	return true;
}

static int run_line(int argc, char **argv, struct error *err)
{
	struct cli_call call = { 0 };
	int code = args_split(argc, argv, &call, err);

	if (code < 0)
		return code;
	if (asks_for_help(&call))
		return run_help(&call, err);
	if (call.option[OPTION_VERSION] && !call.words) {
		output_text("posternctl %s\n", POSTERN_VERSION);
		return output_finish(err);
	}
	if (!call.words)
		return error_set(err, ERROR_USAGE, "no command given (see 'posternctl help')");
	code = args_find(&call, err);
	return code < 0 ? code : run_command(&call, err);
}

int ctl_run(int argc, char **argv)
{
	struct error err = { 0 };
	int code;

	output_setup();
	code = run_line(argc, argv, &err);
	if (code >= 0)
		return code;
	fflush(stdout);
	output_error(&err);
	return -code;
}
