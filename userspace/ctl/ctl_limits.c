/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_limits.c - limits.show, limits.set and monitor: what the operator tunes (gate/tuning.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "ctl/agent.h"
#include "ctl/args.h"

#define OPTION_TEXT_MAX 64
#define VALUE_DEFAULT   "default"

static void add_limit(const struct conf_limit_row *row, void *arg)
{
	json_array_append_new(arg, json_pack("{s:s, s:I, s:I, s:s, s:s, s:s}", "key", row->key,
					     "value", (json_int_t)row->value, "default",
					     (json_int_t)row->preset, "origin", row->origin, "help",
					     row->help, "unit", row->unit));
}

int ctl_limits_show(struct ctl_request *request, struct error *err)
{
	json_t *limits = json_array();
	const struct conf *conf = conf_read_begin();

	(void)err;
	if (conf)
		conf_limits(conf, add_limit, limits);
	conf_read_end();
	request->result = json_pack("{s:o}", "limits", limits);
	return 0;
}

/* The value as text; NULL takes the operator's setting back. */
static const char *value_text(const struct ctl_request *request, char number[OPTION_TEXT_MAX])
{
	const json_t *value = json_object_get(request->args, "value");

	if (json_is_integer(value)) {
		snprintf(number, OPTION_TEXT_MAX, "%" PRIu64, (uint64_t)json_integer_value(value));
		return number;
	}
	return strcmp(json_string_value(value), VALUE_DEFAULT) ? json_string_value(value) : NULL;
}

struct wanted {
	const char *key;
	json_t *row;
};

static void keep_wanted(const struct conf_limit_row *row, void *arg)
{
	struct wanted *wanted = arg;

	if (!strcmp(row->key, wanted->key))
		wanted->row = json_pack("{s:s, s:I, s:s}", "key", row->key, "value",
					(json_int_t)row->value, "origin", row->origin);
}

int ctl_limits_set(struct ctl_request *request, struct error *err)
{
	struct wanted wanted = { .key = arg_text(request, "key") };
	char option[OPTION_TEXT_MAX], number[OPTION_TEXT_MAX];
	const struct conf *conf;
	int failed;

	snprintf(option, sizeof(option), CONF_LIMITS "%.32s", wanted.key);
	failed = tuning_set(ctl_agent(request)->tuning, option, value_text(request, number), err);
	if (failed)
		return failed;
	conf = conf_read_begin();
	if (conf)
		conf_limits(conf, keep_wanted, &wanted);
	conf_read_end();
	request->result = wanted.row;
	return 0;
}

int ctl_monitor(struct ctl_request *request, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);
	const bool on = json_is_true(json_object_get(request->args, "on"));
	const char *list;
	int failed = arg_list(request, &list, err);

	if (failed)
		return failed;
	failed = list ? lists_monitor(agent->lists, list, on, err)
		      : tuning_set(agent->tuning, TUNING_MONITOR, on ? "true" : "false", err);
	if (failed)
		return failed;
	request->result = json_pack("{s:b}", "monitor", (int)on);
	if (list)
		json_object_set_new(request->result, "list", json_string(list));
	return 0;
}
