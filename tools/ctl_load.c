/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_load.c - `posternctl block load` and `allow load`: a file becomes a list.
 *
 * The file is parsed here, with the caller's privileges, and the agent gets records: it never opens
 * a path that somebody else names. The file is read and not mapped, because a download that
 * rewrites a mapped file would end the process in the middle. Limits: INPUT_MAX bytes, and those of
 * lib/listfile.h.
 *
 * A file without any entry is refused: it is far more often a failed download than the wish for
 * an empty list, for which there is `clear`.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/listfile.h"
#include "lib/text.h"
#include "lib/units.h"
#include "tools/ctl_commands.h"
#include "tools/ctl_list.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

#define INPUT_MAX    (4ull << 30)
#define INPUT_START  (1u << 20)
#define STDIN_WORD   "-"
#define STDIN_NAME   "standard input"
#define ORIGIN_BYTES (NOTE_TEXT_MAX + 1)

struct input {
	const char *name;
	char *data; /* `size` bytes of `capacity` */
	size_t size, capacity;
};

static void input_close(struct input *input)
{
	free(input->data);
	memset(input, 0, sizeof(*input));
}

static int input_grow(struct input *input, size_t capacity, struct error *err)
{
	char *grown;

	if (capacity > INPUT_MAX)
		return error_set(err, ERROR_REFUSED, "%s: more than %llu MiB", input->name,
				 INPUT_MAX >> 20);
	grown = realloc(input->data, capacity);
	if (!grown)
		return error_set(err, ERROR_REFUSED, "%s: out of memory", input->name);
	input->data = grown;
	input->capacity = capacity;
	return 0;
}

/* A regular file tells its size, so that one more byte finds its end without growing again. */
static size_t first_capacity(int fd)
{
	struct stat status;

	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
		return (size_t)status.st_size + 1;
	return INPUT_START;
}

static int input_read(struct input *input, int fd, struct error *err)
{
	int code = input_grow(input, first_capacity(fd), err);
	ssize_t got = 1;

	while (code == 0 && got != 0) {
		got = read(fd, input->data + input->size, input->capacity - input->size);
		if (got > 0)
			input->size += (size_t)got;
		else if (got < 0 && errno != EINTR)
			return error_errno(err, ERROR_REFUSED, errno, "%s", input->name);
		if (input->size == input->capacity)
			code = input_grow(input, input->capacity * 2, err);
	}
	return code;
}

static int input_open(struct input *input, const char *path, struct error *err)
{
	bool from_stdin = strcmp(path, STDIN_WORD) == 0;
	int fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), code;

	input->name = from_stdin ? STDIN_NAME : path;
	if (fd < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s", path);
	code = input_read(input, fd, err);
	if (!from_stdin)
		close(fd);
	if (code < 0)
		input_close(input);
	return code;
}

static int read_options(const struct cli_call *call, struct listfile_options *options,
			struct error *err)
{
	const char *format = call->option[OPTION_FORMAT];
	enum action action;
	int code = list_action(call, &action, err);

	if (code == 0)
		code = list_name_check(call->word[0], err);
	if (code == 0 && format)
		code = listfile_format_parse(format, &options->format, err);
	if (code < 0)
		return code;
	options->action = (uint8_t)action;
	options->skip_bad = call->option[OPTION_SKIP_BAD] != NULL;
	return 0;
}

/* Parses the file. The set owns copies: the file is not needed afterwards. */
static int parse_file(const struct cli_call *call, struct listfile_options *options,
		      struct entry_set *set, struct listfile_report *report, struct error *err)
{
	struct input input = { 0 };
	int code = input_open(&input, call->word[1], err);

	if (code < 0)
		return code;
	options->name = input.name;
	code = listfile_parse(options, input.data, input.size, set, report, err);
	input_close(&input);
	if (code < 0)
		return ERROR_REFUSED; /* the command line was right, the file is not */
	if (set->count)
		return 0;
	return error_set(err, ERROR_REFUSED,
			 "%s: no entries, so the list stays as it is ('%s clear %s' removes it)",
			 options->name, cli_kind(call), call->word[0]);
}

/* Where the list comes from, for `status`: the file's whole name, if it can be told. */
static void add_origin(json_t *request, const char *path)
{
	char whole[PATH_MAX], clean[ORIGIN_BYTES];
	const char *origin = STDIN_NAME;

	if (strcmp(path, STDIN_WORD) != 0)
		origin = realpath(path, whole) ? whole : path;
	text_clean(clean, sizeof(clean), origin, strlen(origin));
	json_object_set_new(request, "origin", json_string(clean));
}

static json_t *load_request(const struct cli_call *call, const struct listfile_options *options,
			    const struct entry_set *set, struct error *err)
{
	json_t *request = list_request(call, "list.load", call->word[0], err);
	size_t payload = set->count * sizeof(*set->entry) + set->notes_size;

	if (!request)
		return NULL;
	json_object_set_new(request, "action",
			    json_string(list_action_text((enum action)options->action)));
	add_origin(request, call->word[1]);
	json_object_set_new(request, "entries", json_integer((json_int_t)set->count));
	json_object_set_new(request, "notes", json_integer(set->note_count));
	json_object_set_new(request, "notes_size", json_integer((json_int_t)set->notes_size));
	json_object_set_new(request, "payload", json_integer((json_int_t)payload));
	return request;
}

/* What is refused by the list is told to its clients: sent only if it is to change. */
static json_t *request_with_reason(const struct cli_call *call,
				   const struct listfile_options *options,
				   const struct entry_set *set, struct error *err)
{
	const char *reason = call->option[OPTION_REASON];
	json_t *request = load_request(call, options, set, err);

	if (!request || !reason || list_add_reason(request, reason, err) == 0)
		return request;
	json_decref(request);
	return NULL;
}

static int send_set(struct cli_call *call, const struct listfile_options *options,
		    const struct entry_set *set, json_t **result, struct error *err)
{
	json_t *request = request_with_reason(call, options, set, err);
	const struct agent_question question = {
		.request = request,
		.payload = { { set->entry, set->count * sizeof(*set->entry) },
			     { set->notes, set->notes_size } },
	};
	int code = request ? cli_connect(call, err) : err->code;

	if (code == 0)
		code = agent_link_ask(call->agent, &question, result, err);
	json_decref(request);
	return code;
}

static void print_skipped(const struct listfile_report *report)
{
	char number[DURATION_TEXT_MAX];
	uint64_t shown = report->bad < LISTFILE_BAD_SHOWN ? report->bad : LISTFILE_BAD_SHOWN;

	if (!report->bad)
		return;
	output_paint(PAINT_WARN, "%s bad %s skipped:\n", number_format(report->bad, number),
		     plural(report->bad, "line was", "lines were"));
	for (uint64_t i = 0; i < shown; i++)
		output_text("  line %" PRIu64 ": %s\n", report->first[i].line,
			    report->first[i].text);
	if (report->bad > shown)
		output_text("  and %s more\n", number_format(report->bad - shown, number));
}

/* `refuses`: the list has entries with the action refuse. */
static void print_loaded(const struct cli_call *call, const json_t *result,
			 const struct listfile_report *report, bool refuses)
{
	const char *reason = call->option[OPTION_REASON];
	char ipv4[DURATION_TEXT_MAX], ipv6[DURATION_TEXT_MAX], merged[DURATION_TEXT_MAX];
	uint64_t duplicates = field_count(result, "merged"), last = field_count(result, "ipv6");

	output_text("%s list %s has %s IPv4 and %s IPv6 %s now", cli_kind(call),
		    field_text(result, "list"), number_format(field_count(result, "ipv4"), ipv4),
		    number_format(last, ipv6), plural(last, "entry", "entries"));
	if (duplicates)
		output_text(", %s %s merged", number_format(duplicates, merged),
			    plural(duplicates, "duplicate", "duplicates"));
	output_text(" (format %s; stored in %" PRIu64 " ms, in effect after %" PRIu64 " ms more)\n",
		    listfile_format_name(report->format), field_count(result, "store_ms"),
		    field_count(result, "table_ms"));
	print_skipped(report);
	list_print_ended(result);
	if (refuses)
		output_text("A client that it refuses is told: %s\n",
			    field_text(result, "refusal"));
	else if (reason && *reason)
		output_text("It refuses nobody, so no client is told the reason; the list keeps it "
			    "for entries with the action refuse\n");
}

static bool any_refuses(const struct entry_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->entry[i].action == ACTION_REFUSE)
			return true;
	return false;
}

int list_run_load(struct cli_call *call, struct error *err)
{
	struct listfile_options options = { .format = LISTFILE_AUTO };
	struct listfile_report report = { 0 };
	struct entry_set set = { 0 };
	json_t *result = NULL;
	bool refuses;
	int code = read_options(call, &options, err);

	if (code == 0)
		code = parse_file(call, &options, &set, &report, err);
	if (code == 0)
		code = send_set(call, &options, &set, &result, err);
	refuses = any_refuses(&set);
	entry_set_clear(&set);
	if (code == 0 && call->option[OPTION_JSON]) {
		/* What only this side knows. */
		json_object_set_new(result, "skipped", json_integer((json_int_t)report.bad));
		code = output_json(result, err);
	} else if (code == 0) {
		print_loaded(call, result, &report, refuses);
	}
	json_decref(result);
	return code;
}
