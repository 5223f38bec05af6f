/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_drop.c - the format of the Spamhaus DROP lists, as text and as JSON lines.
 *
 *   192.0.2.0/24 ; SBL123456
 *   {"cidr":"192.0.2.0/24","sblid":"SBL123456","rir":"ripencc"}
 *   {"type":"metadata","timestamp":1700000000,"size":98765,"records":1234,...}
 *
 * The text form is the plain format with ";" before the comment. The JSON form ends in an object of
 * type "metadata"; if that says how many records there are, and there are others, the file has
 * been cut or stitched and the line is a bad line. Other members of an object are ignored, because
 * the provider may add some. Each line is one small JSON text, parsed by Jansson, whose depth is
 * bounded and whose size is that of the line.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "lib/listfile_internal.h"

struct drop_state {
	uint64_t records; /* since the start of the file or the last metadata */
};

static struct span string_span(json_t *string)
{
	const char *text = json_string_value(string);

	return (struct span){ text, text ? text + json_string_length(string) : NULL };
}

/* "SBL123456 (ripencc)", of what is there. */
static int drop_note(struct listfile *file, json_t *object, uint32_t *note)
{
	const char *id = json_string_value(json_object_get(object, "sblid"));
	const char *registry = json_string_value(json_object_get(object, "rir"));
	char text[NOTE_TEXT_MAX];
	int len;

	*note = 0;
	if (!id)
		return 0;
	len = snprintf(text, sizeof(text), registry ? "%s (%s)" : "%s", id, registry);
	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	return listfile_note(file, (struct span){ text, text + len }, note);
}

/* The count may or may not include the metadata itself. */
static int drop_metadata(struct listfile *file, json_t *object, struct error *err)
{
	struct drop_state *state = file->state;
	const json_t *records = json_object_get(object, "records");
	const uint64_t seen = state->records;
	const json_int_t said = json_integer_value(records);

	file->report.ignored++;
	state->records = 0;
	if (!json_is_integer(records) || said == (json_int_t)seen || said == (json_int_t)seen + 1)
		return 0;
	return error_set(err, ERROR_USAGE,
			 "the metadata counts %lld records, but %llu stand before it: "
			 "the file is not complete",
			 (long long)said, (unsigned long long)seen);
}

static int drop_record(struct listfile *file, json_t *object, struct error *err)
{
	struct drop_state *state = file->state;
	const struct span cidr = string_span(json_object_get(object, "cidr"));
	struct item item = { .range = false };
	uint32_t note;
	int rc;

	state->records++;
	if (!cidr.at)
		return error_set(err, ERROR_USAGE, "an object without a \"cidr\"");
	rc = prefix_parse(cidr.at, span_length(cidr), &item.prefix, err);
	if (!rc)
		rc = drop_note(file, object, &note);
	return rc ? rc : listfile_add(file, &item, 0, note);
}

static int drop_json(struct listfile *file, struct span line, struct error *err)
{
	json_error_t wrong;
	json_t *object = json_loadb(line.at, span_length(line), JSON_REJECT_DUPLICATES, &wrong);
	const char *type = json_string_value(json_object_get(object, "type"));
	int rc;

	if (!object)
		return error_set(err, ERROR_USAGE, "not a JSON object (column %d)", wrong.column);
	if (type && strcmp(type, "metadata") == 0)
		rc = drop_metadata(file, object, err);
	else
		rc = drop_record(file, object, err);
	json_decref(object);
	return rc;
}

static int drop_line(struct listfile *file, struct span line, struct error *err)
{
	return *line.at == '{' ? drop_json(file, line, err) : plain_line(file, line, err);
}

const struct format format_drop = {
	.name = "drop",
	.state_size = sizeof(struct drop_state),
	.line = drop_line,
};
