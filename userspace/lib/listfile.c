/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile.c - implements lib/listfile.h: the lines of a list file, one after the other, each
 * given to the format's parser, and what becomes of the bad ones.
 *
 * Owns the half-built set until it is handed over whole. Reads the data once, front to back, in
 * one thread; a line is bounded by LISTFILE_LINE_MAX, everything else by the budgets of
 * lib/listfile.h. The formats are the rows of one table.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/listfile_internal.h"
#include "lib/text.h"
#include "lib/units.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define NAME_SHOWN_MAX  64 /* bytes of a file's name in a message, with the final NUL */
#define TAIL_TEXT_MAX   64 /* bytes that "; and 1,234,567 more bad lines" may need */

static const struct format *const formats[LISTFILE_FORMATS] = {
	[LISTFILE_PLAIN] = &format_plain,
	[LISTFILE_IPSET] = &format_ipset,
	[LISTFILE_DROP] = &format_drop,
	[LISTFILE_RBLDNSD] = &format_rbldnsd,
};

const char *listfile_format_name(enum listfile_format format)
{
	return formats[format] ? formats[format]->name : "auto";
}

int listfile_format_parse(const char *text, enum listfile_format *out, struct error *err)
{
	const struct span span = { text, text + strlen(text) };

	for (int i = 0; i < LISTFILE_FORMATS; i++)
		if (strcmp(text, listfile_format_name((enum listfile_format)i)) == 0) {
			*out = (enum listfile_format)i;
			return 0;
		}
	return span_refuse(err, span, "the formats are auto, plain, ipset, drop and rbldnsd");
}

/* Bad lines: the first ones in words, all of them in numbers. */

static void note_bad(struct listfile *file, const struct error *err)
{
	struct listfile_report *report = &file->report;

	if (report->bad < LISTFILE_BAD_SHOWN) {
		struct listfile_bad *bad = &report->first[report->bad];

		bad->line = report->lines;
		text_clean(bad->text, sizeof(bad->text), err->text, strlen(err->text));
	}
	report->bad++;
}

/* "FILE:1: reason; FILE:7: reason; and 17 more bad lines", as many as fit into one message. */
static int refuse_bad(const struct listfile *file, const char *name, struct error *err)
{
	const struct listfile_report *report = &file->report;
	char text[ERROR_TEXT_MAX], more[DURATION_TEXT_MAX];
	size_t used = 0, shown = 0;
	int len = 0;

	while (shown < report->bad && shown < LISTFILE_BAD_SHOWN) {
		len = snprintf(text + used, sizeof(text) - used, "%s%s:%" PRIu64 ": %s",
			       shown ? "; " : "", name, report->first[shown].line,
			       report->first[shown].text);
		if (used + (size_t)len > sizeof(text) - TAIL_TEXT_MAX)
			break;
		used += (size_t)len;
		shown++;
	}
	text[used] = '\0';
	if (shown < report->bad)
		snprintf(text + used, sizeof(text) - used, "; and %s more bad line%s",
			 number_format(report->bad - shown, more),
			 report->bad - shown == 1 ? "" : "s");
	return error_set(err, ERROR_REFUSED, "%s", text);
}

/* Lines */

static int parse_line(struct listfile *file, struct span line, bool zeros, struct error *err)
{
	if (span_length(line) > LISTFILE_LINE_MAX)
		return error_set(err, ERROR_USAGE, "a line of more than %u bytes",
				 LISTFILE_LINE_MAX);
	if (zeros && memchr(line.at, '\0', span_length(line)))
		return error_set(err, ERROR_USAGE, "a line with a NUL byte");
	if (!span_empty(line) && line.at[span_length(line) - 1] == '\r')
		line.end--;
	line = span_trim(line);
	return span_empty(line) ? 0 : file->format->line(file, line, err);
}

static void parse_lines(struct listfile *file, struct span data)
{
	const bool zeros = !span_empty(data) && memchr(data.at, '\0', span_length(data));

	while (!span_empty(data) && !file->failed) {
		const char *newline = memchr(data.at, '\n', span_length(data));
		const struct span line = { data.at, newline ? newline : data.end };
		const bool told = file->report.bad < LISTFILE_BAD_SHOWN;
		struct error err;

		data.at = newline ? newline + 1 : data.end;
		file->report.lines++;
		if (parse_line(file, line, zeros, told ? &err : NULL) && !file->failed)
			note_bad(file, &err);
	}
}

/* Parses into `file`; says what is wrong with it as a whole. */
static int parse_file(struct listfile *file, struct span data, struct error *err)
{
	char name[NAME_SHOWN_MAX];

	text_clean(name, sizeof(name), file->options->name, strlen(file->options->name));
	parse_lines(file, data);
	if (!file->failed && file->report.bad && !file->options->skip_bad)
		return refuse_bad(file, name, err);
	if (!file->failed && file->format->finish)
		file->format->finish(file);
	if (file->failed)
		return error_set(err, ERROR_REFUSED, "%s:%" PRIu64 ": %s", name, file->report.lines,
				 file->failure.text);
	file->report.entries = file->set.count;
	return 0;
}

static void listfile_free(struct listfile **file)
{
	if (!*file)
		return;
	free((*file)->set.entry);
	free((*file)->set.notes);
	free((*file)->exclusion);
	free((*file)->state);
	free(*file);
	*file = NULL;
}

static struct listfile *listfile_new(const struct listfile_options *options,
				     enum listfile_format format)
{
	struct listfile *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->options = options;
	file->format = formats[format];
	file->report.format = format;
	file->entries_max = LISTFILE_ENTRIES_MAX;
	if (options->entries_max && options->entries_max < LISTFILE_ENTRIES_MAX)
		file->entries_max = options->entries_max;
	file->state = calloc(1, file->format->state_size ? file->format->state_size : 1);
	if (!file->state)
		listfile_free(&file);
	return file;
}

int listfile_parse(const struct listfile_options *options, const char *data, size_t size,
		   struct entry_set *out, struct listfile_report *report, struct error *err)
{
	static const char nothing[] = "";
	struct span span = { size ? data : nothing, size ? data + size : nothing };
	enum listfile_format format = options->format;
	struct listfile *file;
	int rc = listfile_check_text(options->name, span, err);

	if (rc)
		return rc;
	if (span_starts(span, BYTE_ORDER_MARK))
		span.at += strlen(BYTE_ORDER_MARK);
	if (format == LISTFILE_AUTO)
		format = listfile_detect(span);
	file = listfile_new(options, format);
	if (!file)
		return error_set(err, ERROR_REFUSED, "not enough memory");
	rc = parse_file(file, span, err);
	if (!rc) {
		*out = file->set;
		*report = file->report;
		memset(&file->set, 0, sizeof(file->set));
	}
	listfile_free(&file);
	return rc;
}
