/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_plain.c - the plain format of lib/listfile: one address, prefix or range a line.
 *
 *   192.0.2.1                   an address
 *   192.0.2.0/24 # reason       a prefix; the comment becomes the entry's reason
 *   192.0.2.9 - 192.0.2.20      a range, with or without the blanks
 *   # ; or //                   start a comment, anywhere in a line
 *
 * This is also what Spamhaus DROP in its text form looks like, and the .ipset and .netset files of
 * FireHOL. Called for every line of lists with millions of them, so it looks at each byte once.
 */
#include "lib/listfile_internal.h"

/* Where the comment of the line starts, or its end. */
static const char *find_comment(struct span line)
{
	for (const char *at = line.at; at < line.end; at++)
		if (*at == '#' || *at == ';' || (*at == '/' && at + 1 < line.end && at[1] == '/'))
			return at;
	return line.end;
}

/* The text of a comment, without what marks it. */
static struct span comment_text(struct span comment)
{
	while (!span_empty(comment) &&
	       (*comment.at == '#' || *comment.at == ';' || *comment.at == '/'))
		comment.at++;
	return span_trim(comment);
}

/* What stands before the comment is no entry. If its first word is one, the rest is what is wrong.
 */
static int refuse_line(struct span text, struct error *err, int rc)
{
	struct span rest = text;
	const struct span word = span_word(&rest);
	struct item ignored;

	if (span_empty(rest) || item_parse(word, &ignored, NULL))
		return rc;
	return span_refuse(err, text, "text after the address; write # before a comment");
}

int plain_line(struct listfile *file, struct span line, struct error *err)
{
	const char *comment = find_comment(line);
	const struct span text = span_trim((struct span){ line.at, comment });
	struct item item;
	uint32_t note = 0;
	int rc;

	if (span_empty(text))
		return 0;
	rc = item_parse(text, &item, err);
	if (rc)
		return refuse_line(text, err, rc);
	if (comment < line.end)
		rc = listfile_note(file, comment_text((struct span){ comment, line.end }), &note);
	return rc ? rc : listfile_add(file, &item, 0, note);
}

const struct format format_plain = {
	.name = "plain",
	.line = plain_line,
};
