/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_list.c - the questions of `posternctl block` and `allow`: see tools/ctl_list.h.
 *
 * Addresses, times, names and reasons are parsed here, so that a mistake is told without an agent,
 * and are sent in their canonical form. Each function returns a request that the caller owns, or
 * NULL after it has filled the error.
 */
#include "tools/ctl_list.h"

#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/entry.h"
#include "lib/text.h"
#include "lib/units.h"

#define ACTIONS_TEXT_MAX 64

#define ACTION_TEXT(name, text) [ACTION_##name] = text,
static const char *const actions[ACTION_COUNT] = { ACTION_LIST(ACTION_TEXT) };
#undef ACTION_TEXT

json_t *list_request(const struct cli_call *call, const char *name, const char *list,
		     struct error *err)
{
	json_t *request;

	if (list && list_name_check(list, err) < 0)
		return NULL;
	request = cli_request(name, err);
	if (!request)
		return NULL;
	json_object_set_new(request, "kind", json_string(cli_kind(call)));
	if (list)
		json_object_set_new(request, "list", json_string(list));
	return request;
}

const char *list_action_text(enum action action)
{
	return actions[action];
}

/* "drop, tarpit, reset and refuse": the strictest first. */
static const char *all_actions(char out[ACTIONS_TEXT_MAX])
{
	size_t used = 0;

	out[0] = '\0';
	for (int i = ACTION_COUNT - 1; i >= 0 && used < ACTIONS_TEXT_MAX; i--)
		used += (size_t)snprintf(out + used, ACTIONS_TEXT_MAX - used, "%s%s", actions[i],
					 i > 1 ? ", "
					 : i   ? " and "
					       : "");
	return out;
}

int list_action(const struct cli_call *call, enum action *out, struct error *err)
{
	const char *text = call->option[OPTION_ACTION];
	char all[ACTIONS_TEXT_MAX];
	int action = 0;

	if (!text) {
		*out = ACTION_DROP;
		return 0;
	}
	while (action < ACTION_COUNT && strcmp(actions[action], text) != 0)
		action++;
	if (action == ACTION_COUNT)
		return error_set(err, ERROR_USAGE, "there is no action '%s', only %s", text,
				 all_actions(all));
	*out = (enum action)action;
	return 0;
}

static int add_prefix(json_t *request, const char *text, struct error *err)
{
	char canonical[PREFIX_TEXT_MAX];
	struct prefix prefix;

	if (prefix_parse(text, strlen(text), &prefix, err) < 0)
		return err->code;
	return cli_request_text(request, "prefix", prefix_format(&prefix, canonical), err);
}

static int add_ttl(json_t *request, const char *text, struct error *err)
{
	uint32_t seconds;

	if (duration_parse(text, &seconds, err) < 0)
		return error_prefix(err, "--ttl");
	json_object_set_new(request, "ttl", json_integer(seconds));
	return 0;
}

int list_add_reason(json_t *request, const char *text, struct error *err)
{
	char clean[NOTE_TEXT_MAX + 1];

	if (strlen(text) > NOTE_TEXT_MAX)
		return error_set(err, ERROR_USAGE, "--reason: at most %d bytes, these are %zu",
				 NOTE_TEXT_MAX, strlen(text));
	text_clean(clean, sizeof(clean), text, strlen(text));
	if (strcmp(clean, text) != 0)
		return error_set(err, ERROR_USAGE,
				 "--reason: one line of UTF-8 without control characters");
	return cli_request_text(request, "reason", text, err);
}

/* The parts of `add` that are options. */
static int add_options(const struct cli_call *call, json_t *request, struct error *err)
{
	enum action action;
	int code = list_action(call, &action, err);

	if (code == 0 && call->option[OPTION_TTL])
		code = add_ttl(request, call->option[OPTION_TTL], err);
	if (code == 0 && call->option[OPTION_REASON])
		code = list_add_reason(request, call->option[OPTION_REASON], err);
	if (code == 0 && call->option[OPTION_ACTION])
		json_object_set_new(request, "action", json_string(list_action_text(action)));
	return code;
}

/* Hands `request` on, or frees it if `code` is an error. */
static json_t *finish(json_t *request, int code)
{
	if (code == 0)
		return request;
	json_decref(request);
	return NULL;
}

json_t *list_request_add(const struct cli_call *call, struct error *err)
{
	json_t *request = list_request(call, "list.add", call->option[OPTION_LIST], err);
	int code;

	if (!request)
		return NULL;
	code = add_prefix(request, call->word[0], err);
	if (code == 0)
		code = add_options(call, request, err);
	return finish(request, code);
}

json_t *list_request_del(const struct cli_call *call, struct error *err)
{
	json_t *request = list_request(call, "list.del", call->option[OPTION_LIST], err);

	return request ? finish(request, add_prefix(request, call->word[0], err)) : NULL;
}

json_t *list_request_test(const struct cli_call *call, struct error *err)
{
	char canonical[PREFIX_TEXT_MAX];
	struct addr addr;
	json_t *request;

	if (addr_parse(call->word[0], strlen(call->word[0]), &addr, err) < 0)
		return NULL;
	request = list_request(call, "list.test", NULL, err);
	if (!request)
		return NULL;
	return finish(request,
		      cli_request_text(request, "address", addr_format(&addr, canonical), err));
}

json_t *list_request_clear(const struct cli_call *call, struct error *err)
{
	return list_request(call, "list.clear", call->word[0], err);
}
