/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_config.c - `posternctl config check`: is a configuration file right?
 *
 * Reads the file with the agent's own code (conf/conf.h) and needs no running agent. Whatever is
 * wrong with the file is ERROR_REFUSED: the command line itself was right.
 */
#include "conf/doubt.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_output.h"

static void print_text(const char *path, const struct conf_scope *scope)
{
	const char *doubt[CONF_DOUBTS_MAX];
	const size_t count = conf_doubts(scope, doubt);

	output_text("%s: ", path);
	output_paint(PAINT_GOOD, "no mistakes\n");
	for (size_t i = 0; i < count; i++)
		output_paint(PAINT_WARN, "warning: %s\n", doubt[i]);
}

static int print_verdict(const struct cli_call *call, const char *path, const struct conf *conf,
			 struct error *err)
{
	const struct conf_scope scope = conf_scope(conf);
	json_t *verdict;
	int code;

	if (!call->option[OPTION_JSON]) {
		print_text(path, &scope);
		return 0;
	}
	verdict = json_pack("{s:s, s:b, s:o}", "file", path, "valid", 1, "warnings",
			    conf_doubts_json(&scope));
	if (!verdict)
		return error_set(err, ERROR_USAGE, "the name of the file is not UTF-8");
	code = output_json(verdict, err);
	json_decref(verdict);
	return code;
}

static int run_config_check(struct cli_call *call, struct error *err)
{
	const char *path = call->words ? call->word[0] : CONF_FILE_DEFAULT;
	struct conf *conf = NULL;
	int code;

	if (conf_load(path, &conf, err) < 0)
		return ERROR_REFUSED;
	code = print_verdict(call, path, conf, err);
	conf_free(&conf);
	return code;
}

const struct cli_command command_config_check = {
	.name = "config check",
	.arguments = "[FILE]",
	.max = 1,
	.group = GROUP_CONFIG,
	.summary = "look for mistakes in a configuration file",
	.text = "Reads a configuration file, /etc/postern/postern.yaml unless FILE says "
		"otherwise, as the agent would, and names the first mistake with its line, "
		"and what is allowed but hardly meant as a warning. Nothing is changed, and no "
		"agent has to run. The exit code is 0 if the file is "
		"right and 4 if it is not.",
	.examples = { "posternctl config check", "posternctl config check ./new.yaml" },
	.run = run_config_check,
};
