/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/args.c - see ctl/args.h.
 */
#include "ctl/args.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "ctl/payload.h"
#include "gate/learned.h"
#include "obs/names.h"

#define USER_RECORD_MAX 4096 /* bytes that the user database may need for one user */

const char *arg_text(const struct ctl_request *request, const char *name)
{
	return json_string_value(json_object_get(request->args, name));
}

uint64_t arg_number(const struct ctl_request *request, const char *name, uint64_t missing)
{
	const json_t *value = json_object_get(request->args, name);

	return value ? (uint64_t)json_integer_value(value) : missing;
}

/* The number for which `word` gives the text; `count` if there is none. */
static unsigned int find_word(const char *text, const char *(*word)(unsigned int),
			      unsigned int count)
{
	unsigned int number = 0;

	while (number < count && strcmp(word(number), text) != 0)
		number++;
	return number;
}

int arg_kind(const struct ctl_request *request, enum list_kind *out, struct error *err)
{
	const char *text = arg_text(request, "kind");
	const unsigned int kind = find_word(text, list_kind_name, LIST_KIND_ALLOW + 1);

	if (kind > LIST_KIND_ALLOW)
		return error_set(err, ERROR_USAGE, "kind \"%.32s\": block or allow", text);
	*out = (enum list_kind)kind;
	return 0;
}

int arg_action(const struct ctl_request *request, enum action *out, struct error *err)
{
	const char *text = arg_text(request, "action");
	unsigned int action = ACTION_DROP;

	if (text)
		action = find_word(text, action_name, ACTION_COUNT);
	if (action == ACTION_COUNT)
		return error_set(err, ERROR_USAGE,
				 "action \"%.32s\": drop, tarpit, reset or refuse", text);
	*out = (enum action)action;
	return 0;
}

int arg_mode(const struct ctl_request *request, enum gate_mode *out, struct error *err)
{
	const char *text = arg_text(request, "mode");
	unsigned int mode = *out;

	if (text)
		mode = find_word(text, gate_mode_name, GATE_MODE_GENERIC + 1);
	if (mode > GATE_MODE_GENERIC)
		return error_set(err, ERROR_USAGE, "mode \"%.32s\": auto, native or generic", text);
	*out = (enum gate_mode)mode;
	return 0;
}

int arg_prefix(const struct ctl_request *request, struct prefix *out, struct error *err)
{
	const char *text = arg_text(request, "prefix");

	return prefix_parse(text, strlen(text), out, err);
}

int arg_address(const struct ctl_request *request, struct addr *out, struct error *err)
{
	const char *text = arg_text(request, "address");

	return addr_parse(text, strlen(text), out, err);
}

int arg_list(const struct ctl_request *request, const char **out, struct error *err)
{
	const char *text = arg_text(request, "list");

	if (text && list_name_check(text, err))
		return err->code;
	*out = text;
	return 0;
}

int arg_list_by_hand(const struct ctl_request *request, const char **out, struct error *err)
{
	const char *list = NULL;
	int failed = arg_list(request, &list, err);

	if (failed)
		return failed;
	if (list && !strcmp(list, LEARNED_LIST))
		return error_set(err, ERROR_REFUSED, LEARNED_LIST " is kept by Postern itself");
	*out = list;
	return 0;
}

int arg_note(const struct ctl_request *request, const char *name, const char **out,
	     struct error *err)
{
	const char *text = arg_text(request, name);

	if (text && note_check(text, strlen(text), err))
		return error_prefix(err, "%s", name);
	*out = text ? text : "";
	return 0;
}

char *arg_source(const struct ctl_request *request, char out[SOURCE_TEXT_MAX])
{
	char record[USER_RECORD_MAX];
	struct passwd user, *found = NULL;

	if (!getpwuid_r(request->uid, &user, record, sizeof(record), &found) && found)
		snprintf(out, SOURCE_TEXT_MAX, "posternctl, user %.64s (uid %u)", user.pw_name,
			 request->uid);
	else
		snprintf(out, SOURCE_TEXT_MAX, "posternctl, uid %u", request->uid);
	return out;
}
