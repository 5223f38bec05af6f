/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_config.c - `posternctl config check`: is a configuration file right?
 *
 * Reads the file with the agent's own code (conf/conf.h) and needs no running agent. Whatever is
 * wrong with the file is ERROR_REFUSED: the command line itself was right.
 */
#include "conf/doubt.h"
#include "session/files.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_output.h"

static void print_text(const char *path, const json_t *warnings)
{
	const json_t *warning;
	size_t i;

	output_text("%s: ", path);
	output_paint(PAINT_GOOD, "no mistakes\n");
	json_array_foreach(warnings, i, warning)
	{
		output_paint(PAINT_WARN, "warning: %s\n", json_string_value(warning));
	}
}

static int print_verdict(const struct cli_call *call, const char *path, json_t *warnings,
			 struct error *err)
{
	json_t *verdict;
	int code;

	if (!call->option[OPTION_JSON]) {
		print_text(path, warnings);
		return 0;
	}
	verdict = json_pack("{s:s, s:b, s:O}", "file", path, "valid", 1, "warnings", warnings);
	if (!verdict)
		return error_set(err, ERROR_USAGE, "the name of the file is not UTF-8");
	code = output_json(verdict, err);
	json_decref(verdict);
	return code;
}

static void add_warning(const char *text, void *warnings)
{
	json_array_append_new(warnings, json_string(text));
}

static int check(const struct cli_call *call, const char *path, const struct conf *conf,
		 struct error *err)
{
	const struct conf_scope scope = conf_scope(conf);
	json_t *warnings = conf_doubts_json(&scope);
	int code = files_check(conf, add_warning, warnings, err);

	if (!code)
		code = print_verdict(call, path, warnings, err);
	json_decref(warnings);
	return code;
}

static int run_config_check(struct cli_call *call, struct error *err)
{
	const char *path = call->words ? call->word[0] : CONF_FILE_DEFAULT;
	struct conf *conf = NULL;
	int code;

	if (conf_load(path, &conf, err) < 0)
		return ERROR_REFUSED;
	code = check(call, path, conf, err);
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
		"and what is allowed but hardly meant as a warning. Certificates, keys, users, "
		"recipients and CAs that it names are read, too: by root as the agent's user, and "
		"what whoever else asks may not read is told as a warning. A backend that is this "
		"machine itself is a mistake, so look on the machine that the file is for. Nothing "
		"is changed, and no agent has to run. The exit code is 0 if all is right and 4 if "
		"it is not.",
	.examples = { "posternctl config check", "posternctl config check ./new.yaml" },
	.run = run_config_check,
};
