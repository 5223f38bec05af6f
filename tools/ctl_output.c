/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_output.c - see tools/ctl_output.h.
 *
 * Texts are formatted into a buffer on the stack, cleaned, and only then printed: there is no way
 * around the cleaning. The sequences for colours are printed beside it.
 */
#include "tools/ctl_output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/ctl_text.h"

#define LABEL_WIDTH 13 /* columns */
#define JSON_FORMAT JSON_INDENT(2)
#define PAINT_RESET "\033[0m"

static bool colours;

static const char *const sequences[PAINTS] = {
	[PAINT_TITLE] = "\033[1m", [PAINT_FAINT] = "\033[2m", [PAINT_GOOD] = "\033[32m",
	[PAINT_WARN] = "\033[33m", [PAINT_BAD] = "\033[31m",
};

void output_setup(void)
{
	const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
	bool shown = isatty(STDOUT_FILENO);

	colours = shown && !(refused && *refused) && terminal && strcmp(terminal, "dumb") != 0;
	show_setup(shown);
}

/* Prints all but the line breaks at the end of `fmt`, and returns those. */
__attribute__((format(printf, 1, 0))) static const char *print_clean(const char *fmt, va_list args)
{
	char raw[OUTPUT_TEXT_MAX], clean[OUTPUT_TEXT_MAX];
	size_t before = strspn(fmt, "\n"), length;
	const char *breaks = fmt + strlen(fmt);

	while (breaks > fmt + before && breaks[-1] == '\n')
		breaks--;
	vsnprintf(raw, sizeof(raw), fmt, args);
	length = strlen(raw);
	/* What was cut off had the line breaks with it. */
	if (length + 1 < sizeof(raw))
		raw[length - strlen(breaks)] = '\0';
	printf("%.*s%s", (int)before, fmt, show_clean(raw + before, clean, sizeof(clean)));
	return breaks;
}

void output_text(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs(print_clean(fmt, args), stdout);
	va_end(args);
}

void output_paint(enum paint paint, const char *fmt, ...)
{
	const char *sequence = colours ? sequences[paint] : NULL, *breaks;
	va_list args;

	if (sequence)
		fputs(sequence, stdout);
	va_start(args, fmt);
	breaks = print_clean(fmt, args);
	va_end(args);
	if (sequence)
		fputs(PAINT_RESET, stdout);
	fputs(breaks, stdout);
}

void output_ready(enum paint paint, const char *text)
{
	const char *sequence = colours ? sequences[paint] : NULL;

	if (sequence)
		fputs(sequence, stdout);
	fputs(text, stdout);
	if (sequence)
		fputs(PAINT_RESET, stdout);
}

void output_label(const char *label)
{
	output_paint(PAINT_TITLE, "%-*s", LABEL_WIDTH, label);
}

void output_numbers(const json_t *numbers)
{
	const json_t *number;
	size_t i;

	json_array_foreach(numbers, i, number)
		output_text("%s%" JSON_INTEGER_FORMAT, i ? ", " : "", json_integer_value(number));
}

int output_json(const json_t *document, struct error *err)
{
	if (json_dumpf(document, stdout, JSON_FORMAT) != 0)
		return error_set(err, ERROR_REFUSED, "cannot write to standard output");
	fputc('\n', stdout);
	return 0;
}

int output_finish(struct error *err)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return error_errno(err, ERROR_REFUSED, errno, "cannot write to standard output");
}

void output_error(const struct error *err)
{
	char clean[ERROR_TEXT_MAX];

	fprintf(stderr, "posternctl: %s\n", show_clean(err->text, clean, sizeof(clean)));
}
