/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/request.c - see ctl/request.h.
 */
#include "ctl/request.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/payload.h"
#include "lib/text.h"

#define PAYLOAD_MEMBER "payload"
#define COMMAND_MEMBER "cmd"

static const char *const type_names[] = {
	[CTL_TEXT] = "a string",
	[CTL_NUMBER] = "a whole number",
	[CTL_SWITCH] = "true or false",
	[CTL_VALUE] = "a whole number or a string",
};

static bool is_number(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool has_type(const json_t *value, enum ctl_type type)
{
	switch (type) {
	case CTL_TEXT:
		return json_is_string(value);
	case CTL_NUMBER:
		return is_number(value);
	case CTL_SWITCH:
		return json_is_boolean(value);
	case CTL_VALUE:
		return json_is_string(value) || is_number(value);
	}
	return false;
}

static const struct ctl_argument *find_argument(const struct ctl_command *command, const char *name)
{
	for (const struct ctl_argument *a = command->arguments; a->name; a++)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

static const struct ctl_command *find_command(const struct ctl_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->command[i].name, name))
			return &table->command[i];
	return NULL;
}

/* Every member is an argument of the command, and of its type. */
static int check_members(const struct ctl_command *command, json_t *args, struct error *err)
{
	const struct ctl_argument *argument;
	const char *name;
	json_t *value;

	json_object_foreach(args, name, value)
	{
		if (!strcmp(name, COMMAND_MEMBER))
			continue;
		argument = find_argument(command, name);
		if (!argument)
			return error_set(err, ERROR_USAGE, "%s: no argument \"%.32s\"",
					 command->name, name);
		if (!has_type(value, argument->type))
			return error_set(err, ERROR_USAGE, "%s: \"%s\" must be %s", command->name,
					 name, type_names[argument->type]);
	}
	return 0;
}

static int check_required(const struct ctl_command *command, const json_t *args, struct error *err)
{
	for (const struct ctl_argument *a = command->arguments; a->name; a++)
		if (a->required && !json_object_get(args, a->name))
			return error_set(err, ERROR_USAGE, "%s: \"%s\" is missing", command->name,
					 a->name);
	return 0;
}

/* An argument that is null is one that is not there. */
static void drop_nulls(json_t *args)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(args, next, name, value) if (json_is_null(value))
		json_object_del(args, name);
}

static int parse_object(const char *line, size_t len, json_t **out, struct error *err)
{
	json_error_t fault;
	json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &fault);

	if (!root)
		return error_set(err, ERROR_USAGE, "request is not JSON: %s at column %d",
				 fault.text, fault.column);
	if (!json_is_object(root) || json_object_size(root) > CTL_REQUEST_MEMBERS_MAX) {
		json_decref(root);
		return error_set(err, ERROR_USAGE, "request is not an object of at most %d members",
				 CTL_REQUEST_MEMBERS_MAX);
	}
	drop_nulls(root);
	*out = root;
	return 0;
}

/* A payload belongs to the framing: its size counts even if everything else is wrong. */
static int read_sequel(const json_t *args, struct ctl_sequel *sequel, struct error *err)
{
	const json_t *value = json_object_get(args, PAYLOAD_MEMBER);

	sequel->payload = 0;
	sequel->lost = false;
	if (!value)
		return 0;
	if (!is_number(value) || (uint64_t)json_integer_value(value) > PAYLOAD_MAX) {
		sequel->lost = true;
		return error_set(err, ERROR_REFUSED, "a payload has at most %zu bytes",
				 PAYLOAD_MAX);
	}
	sequel->payload = (size_t)json_integer_value(value);
	return 0;
}

static int choose_command(const struct ctl_table *table, struct ctl_request *request,
			  struct error *err)
{
	const char *name = json_string_value(json_object_get(request->args, COMMAND_MEMBER));

	if (!name)
		return error_set(err, ERROR_USAGE, "request has no \"cmd\"");
	request->command = find_command(table, name);
	if (!request->command)
		return error_set(err, ERROR_USAGE, "no command \"%.32s\"", name);
	return 0;
}

int ctl_request_parse(const struct ctl_table *table, const char *line, size_t len,
		      struct ctl_request *out, struct ctl_sequel *sequel, struct error *err)
{
	int failed;

	memset(out, 0, sizeof(*out));
	*sequel = (struct ctl_sequel){ .lost = true };
	failed = parse_object(line, len, &out->args, err);
	if (!failed)
		failed = read_sequel(out->args, sequel, err);
	if (!failed)
		failed = choose_command(table, out, err);
	if (!failed)
		failed = check_members(out->command, out->args, err);
	if (!failed)
		failed = check_required(out->command, out->args, err);
	return failed;
}

void ctl_request_clear(struct ctl_request *request)
{
	json_decref(request->args);
	json_decref(request->result);
	free(request->payload);
	memset(request, 0, sizeof(*request));
}

/* Takes over `answer`. */
static char *answer_line(json_t *answer)
{
	size_t size = answer ? json_dumpb(answer, NULL, 0, JSON_COMPACT) : 0;
	char *line = size ? malloc(size + 2) : NULL;

	if (line) {
		json_dumpb(answer, line, size, JSON_COMPACT);
		line[size] = '\n';
		line[size + 1] = '\0';
	}
	json_decref(answer);
	return line;
}

char *ctl_answer_result(json_t *result)
{
	return answer_line(json_pack("{s:b, s:O}", "ok", 1, "result", result));
}

char *ctl_answer_error(const struct error *err)
{
	char text[ERROR_TEXT_MAX];

	/* An error may quote what is not UTF-8, or be cut in the middle of a character. */
	text_clean(text, sizeof(text), err->text, strnlen(err->text, sizeof(err->text)));
	return answer_line(
		json_pack("{s:b, s:i, s:s}", "ok", 0, "code", -err->code, "error", text));
}
