/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/log_pack.c - implements lib/log_pack.h: json_pack() for strings that nobody has looked at.
 *
 * Called by lib/log for every line. json_pack() answers NULL when one string is not UTF-8, so that
 * whoever chooses the bytes of a name could keep events about himself out of the log. Here each
 * string is cleaned as it is written. Owns nothing after it returns; references that "o" hands over
 * are released as they are written. Depth is bounded by PACK_DEPTH_MAX, strings by LOG_TEXT_MAX;
 * the arguments have to agree with the format, as for printf().
 */
#include "lib/log_pack.h"

#include <string.h>

#define PACK_DEPTH_MAX 8

struct packer {
	struct log_line *line;
	const char *at; /* in the format */
	int depth;      /* 0: in the line itself */
	bool broken;
	va_list args;
};

static bool pack_value(struct packer *packer);

/* The next letter of the format; blanks, ":" and "," are only there for people. */
static char next_letter(struct packer *packer)
{
	packer->at += strspn(packer->at, " \t\n:,");
	return *packer->at ? *packer->at++ : '\0';
}

/* Whether the letter is followed by `sign`, which is then consumed. */
static bool next_is(struct packer *packer, char sign)
{
	if (*packer->at != sign)
		return false;
	packer->at++;
	return true;
}

static bool pack_text(struct packer *packer, const char *text)
{
	log_line_text(packer->line, text);
	return true;
}

/* What a NULL stands for: with "*" the member is left out, otherwise it is null. */
static bool pack_null(struct packer *packer)
{
	const bool left_out = next_is(packer, '*');

	next_is(packer, '?');
	return !left_out && pack_text(packer, "null");
}

static bool pack_string(struct packer *packer)
{
	const char *text = va_arg(packer->args, const char *);
	size_t len = 0;

	if (next_is(packer, '#'))
		len = (size_t)va_arg(packer->args, int);
	else if (next_is(packer, '%'))
		len = va_arg(packer->args, size_t);
	else if (text)
		len = strlen(text);
	if (!text)
		return pack_null(packer);
	packer->at += strspn(packer->at, "?*");
	if (packer->line->terminal && !packer->depth)
		log_line_words(packer->line, text, len);
	else
		log_line_string(packer->line, text, len);
	return true;
}

static bool pack_integer(struct packer *packer, json_int_t number)
{
	log_line_integer(packer->line, number);
	return true;
}

/* "o" takes over the caller's reference, "O" leaves it alone. */
static bool pack_given(struct packer *packer, bool take)
{
	json_t *value = va_arg(packer->args, json_t *);

	if (!value)
		return pack_null(packer);
	packer->at += strspn(packer->at, "?*");
	if (packer->line->terminal && !packer->depth && json_is_string(value))
		log_line_words(packer->line, json_string_value(value), json_string_length(value));
	else
		log_line_json(packer->line, value);
	if (take)
		json_decref(value);
	return true;
}

/* JSON has no infinity and no NaN: there json_real() is NULL, which is null. */
static bool pack_real(struct packer *packer, double number)
{
	json_t *real = json_real(number);

	log_line_json(packer->line, real);
	json_decref(real);
	return true;
}

static void write_name(struct packer *packer, const char *name, bool first)
{
	const bool words = packer->line->terminal && !packer->depth;

	pack_text(packer, words ? " " : first ? "\"" : ",\"");
	pack_text(packer, name);
	pack_text(packer, words ? "=" : "\":");
}

/* The fields that the line has already. */
static bool is_taken(const struct packer *packer, const char *name)
{
	return !packer->depth &&
	       (!strcmp(name, "time") || !strcmp(name, "level") || !strcmp(name, "event"));
}

/* Writes names and values up to the closing brace. One that comes to nothing is taken back. */
static void pack_members(struct packer *packer)
{
	bool first = packer->depth > 0;
	char letter;

	while (!packer->broken && (letter = next_letter(packer)) != '}') {
		const size_t before = packer->line->used;
		const char *name;

		if (letter != 's') {
			packer->broken = true;
			return;
		}
		name = va_arg(packer->args, const char *);
		write_name(packer, name, first);
		if (!pack_value(packer) || packer->broken || is_taken(packer, name))
			packer->line->used = before;
		else
			first = false;
	}
}

static void pack_object(struct packer *packer)
{
	pack_text(packer, "{");
	pack_members(packer);
	pack_text(packer, "}");
}

static void pack_array(struct packer *packer)
{
	bool first = true;

	pack_text(packer, "[");
	while (!packer->broken &&
	       (packer->at += strspn(packer->at, " \t\n,"), *packer->at != ']')) {
		const size_t before = packer->line->used;

		pack_text(packer, first ? "" : ",");
		if (pack_value(packer))
			first = false;
		else
			packer->line->used = before;
	}
	next_is(packer, ']');
	pack_text(packer, "]");
}

static bool pack_nested(struct packer *packer, void (*pack)(struct packer *))
{
	if (packer->depth == PACK_DEPTH_MAX) {
		packer->broken = true;
		return false;
	}
	packer->depth++;
	pack(packer);
	packer->depth--;
	return true;
}

/* False: nothing is to be there. */
static bool pack_value(struct packer *packer)
{
	switch (next_letter(packer)) {
	case 's':
		return pack_string(packer);
	case 'i':
		return pack_integer(packer, va_arg(packer->args, int));
	case 'I':
		return pack_integer(packer, va_arg(packer->args, json_int_t));
	case 'f':
		return pack_real(packer, va_arg(packer->args, double));
	case 'b':
		return pack_text(packer, va_arg(packer->args, int) ? "true" : "false");
	case 'n':
		return pack_text(packer, "null");
	case 'o':
		return pack_given(packer, true);
	case 'O':
		return pack_given(packer, false);
	case '{':
		return pack_nested(packer, pack_object);
	case '[':
		return pack_nested(packer, pack_array);
	default:
		packer->broken = true;
		return false;
	}
}

bool log_pack(struct log_line *line, const char *fmt, va_list args)
{
	struct packer packer = { .line = line, .at = fmt };

	if (next_letter(&packer) != '{')
		return false;
	va_copy(packer.args, args);
	pack_members(&packer);
	va_end(packer.args);
	return !packer.broken;
}
