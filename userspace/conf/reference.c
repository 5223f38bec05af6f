/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/reference.c - the schema written out for people: an example configuration, and the entries
 * of postern.yaml(5).
 *
 * Called by `posternd --example` and `posternd --reference`, and by the build of the manual. Both
 * outputs come from the rows of the schema alone, so neither can say what the code does not do.
 * The caller owns the stream and looks at its error flag.
 */
#include "conf/schema.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define EXAMPLE_WIDTH 80  /* columns of a comment */
#define VALUES_MAX    128 /* bytes of what describe_domain() says */

/* "a, b or c" */
static void describe_choices(const struct conf_option *row, char out[VALUES_MAX])
{
	size_t used = 0;

	for (size_t i = 0; row->choices[i]; i++) {
		const char *between = row->choices[i + 1] ? ", " : " or ";
		int len = snprintf(out + used, VALUES_MAX - used, "%s%s", i ? between : "",
				   row->choices[i]);

		used += (size_t)len;
	}
}

/* What values the option takes. */
static void describe_domain(const struct conf_option *row, char out[VALUES_MAX])
{
	switch (row->type) {
	case CONF_NUMBER:
		snprintf(out, VALUES_MAX, "%" PRIu32 " to %" PRIu32 " %s", row->min, row->max,
			 row->unit);
		break;
	case CONF_SCORE:
		snprintf(out, VALUES_MAX, "-%" PRIu32 " to %" PRIu32 " %s", row->max, row->max,
			 row->unit);
		break;
	case CONF_CHOICE:
		describe_choices(row, out);
		break;
	case CONF_TEXT:
		snprintf(out, VALUES_MAX, "%s", row->unit);
		break;
	default:
		snprintf(out, VALUES_MAX, "%s", conf_option_wanted(row));
	}
}

/* The default as it stands in a file. */
static void print_preset(FILE *out, const struct conf_option *row, const char *empty)
{
	if (conf_type_is_list(row->type))
		fprintf(out, "[%s]", row->preset);
	else
		fputs(row->preset[0] ? row->preset : empty, out);
}

/* A comment: words are put into lines, each of which starts with `lead`. The first one gets a
 * capital, which the words of findings have not. */
struct comment {
	FILE *out;
	const char *lead;
	size_t column;
};

static void comment_words(struct comment *comment, const char *text)
{
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		const size_t len = strcspn(text, " ");
		const bool full = comment->column + 1 + len > EXAMPLE_WIDTH;
		const bool starts = full || !comment->column;

		if (full)
			fputc('\n', comment->out);
		fputs(starts ? comment->lead : " ", comment->out);
		fputc(comment->column ? text[0] : toupper(text[0]), comment->out);
		fwrite(text + 1, 1, len - 1, comment->out);
		comment->column = (starts ? strlen(comment->lead) : comment->column + 1) + len;
		text += len;
	}
}

static void comment_end(struct comment *comment)
{
	fputc('\n', comment->out);
	comment->column = 0;
}

/* What the option takes, and that a reload does not apply it. */
static void example_domain(struct comment *comment, const struct conf_option *row)
{
	char domain[VALUES_MAX] = "";

	describe_domain(row, domain);
	comment_words(comment, "Takes");
	comment_words(comment, domain);
	comment_words(comment, row->reloadable ? "" : "(from the next start on)");
	comment_end(comment);
}

static void example_row(FILE *out, const struct conf_option *row, const char *key,
			const char *indent, bool brief)
{
	struct comment comment = { .out = out, .lead = *indent ? "  # " : "# " };

	comment_words(&comment, row->help);
	comment_end(&comment);
	if (!brief)
		example_domain(&comment, row);
	fprintf(out, "%s%s: ", indent, key);
	print_preset(out, row, "\"\"");
	fputc('\n', out);
}

/* Whether the row is a score like the one before it, of which all has been said by that. */
static bool is_another_score(const struct conf_option *row, const struct conf_option *before)
{
	size_t len, before_len;

	conf_option_key(row, &len);
	conf_option_key(before, &before_len);
	return row->type == CONF_SCORE && before->type == CONF_SCORE && len == before_len &&
	       !memcmp(row->name, before->name, len) && row->max == before->max;
}

void conf_example(FILE *out)
{
	const char *section = "";
	size_t len, section_len = 0;

	fputs("# The configuration of Postern, with every option at its default. What is left\n"
	      "# out has its default, too. \"posternctl reload\" applies changes, except where it\n"
	      "# says that they count from the next start on. Seconds may also be written as\n"
	      "# 90s, 15m, 1h30m or 7d, and ms as 500ms. See postern.yaml(5).\n",
	      out);
	for (size_t i = 0; i < conf_schema_count; i++) {
		const struct conf_option *row = &conf_schema[i];
		const char *key = conf_option_key(row, &len);
		const bool brief = i && is_another_score(row, row - 1);

		if (!brief)
			fputc('\n', out);
		if (len && (len != section_len || memcmp(section, row->name, len)))
			fprintf(out, "%.*s:\n", (int)len, row->name);
		section = row->name;
		section_len = len;
		example_row(out, row, key, len ? "  " : "", brief);
	}
}

/* Text in which roff(7) finds nothing to interpret. */
static void print_roff(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			fputs("\\e", out);
		else if (text[i] == '"')
			fputs("\\(dq", out);
		else if (text[i] == '-')
			fputs("\\-", out);
		else
			fputc(text[i], out);
	}
}

/* Every sentence starts a line, as mdoc(7) wants it, and the first one with a capital. No help text
 * starts one with "." or "'". */
static void print_sentences(FILE *out, const char *text)
{
	fputc(toupper(*text++), out);
	while (*text) {
		const char *end = strstr(text, ". ");
		const size_t len = end ? (size_t)(end + 1 - text) : strlen(text);

		print_roff(out, text, len);
		fputc('\n', out);
		text += len + (end != NULL);
	}
}

static void reference_row(FILE *out, const struct conf_option *row)
{
	char domain[VALUES_MAX] = "";

	describe_domain(row, domain);
	fputs(".It Cm ", out);
	print_roff(out, row->name, strlen(row->name));
	fputc('\n', out);
	print_sentences(out, row->help);
	fputs("Takes ", out);
	print_roff(out, domain, strlen(domain));
	if (row->preset[0] || conf_type_is_list(row->type)) {
		fputs(";\nthe default is\n.Ql \"", out);
		print_preset(out, row, "");
		fputs("\" .\n", out);
	} else {
		fputs(";\nthe default is empty.\n", out);
	}
	if (!row->reloadable)
		fputs("A change needs a restart.\n", out);
}

void conf_reference(FILE *out)
{
	for (size_t i = 0; i < conf_schema_count; i++)
		reference_row(out, &conf_schema[i]);
}
