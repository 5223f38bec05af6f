/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/log_pack.c - implements lib/log_pack.h: json_pack() for strings that nobody has looked at.
 *
 * Called by lib/log for every line. json_pack() answers NULL when one string is not UTF-8, so that
 * whoever chooses the bytes of a name could keep events about himself out of the log. Here each
 * string is cleaned before Jansson sees it. Owns nothing after it returns; references that "o"
 * hands over are released with `line`. Depth is bounded by PACK_DEPTH_MAX, strings by
 * LOG_TEXT_MAX; the arguments have to agree with the format, as for printf().
 */
#include "lib/log_pack.h"

#include <string.h>

#include "lib/text.h"

#define PACK_DEPTH_MAX 8

struct packer {
	const char *at; /* in the format */
	int depth;
	bool broken;
	va_list args;
};

static json_t *pack_value(struct packer *packer);

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

/* What a NULL stands for: with "*" the member is left out, otherwise it is null. */
static json_t *pack_null(struct packer *packer)
{
	const bool left_out = next_is(packer, '*');

	next_is(packer, '?');
	return left_out ? NULL : json_null();
}

static json_t *pack_string(struct packer *packer)
{
	const char *text = va_arg(packer->args, const char *);
	char clean[LOG_TEXT_MAX];
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
	len = text_clean(clean, sizeof(clean), text, len);
	return json_stringn_nocheck(clean, len);
}

/* "o" takes over the caller's reference, "O" takes one of its own. */
static json_t *pack_given(struct packer *packer, bool take)
{
	json_t *value = va_arg(packer->args, json_t *);

	if (!value)
		return pack_null(packer);
	packer->at += strspn(packer->at, "?*");
	return take ? value : json_incref(value);
}

static json_t *pack_real(double value)
{
	json_t *real = json_real(value);

	return real ? real : json_null(); /* JSON has no infinity and no NaN */
}

/* Adds name and value up to the closing brace. A value that is NULL is left out. */
static void pack_members(struct packer *packer, json_t *object)
{
	char letter;

	while (!packer->broken && (letter = next_letter(packer)) != '}') {
		const char *name;
		json_t *value;

		if (letter != 's') {
			packer->broken = true;
			return;
		}
		name = va_arg(packer->args, const char *);
		value = pack_value(packer);
		if (!value)
			continue;
		if (json_object_get(object, name))
			json_decref(value);
		else if (json_object_set_new(object, name, value))
			packer->broken = true;
	}
}

static json_t *pack_object(struct packer *packer)
{
	json_t *object = json_object();

	pack_members(packer, object);
	return object;
}

static json_t *pack_array(struct packer *packer)
{
	json_t *array = json_array();

	while (!packer->broken &&
	       (packer->at += strspn(packer->at, " \t\n,"), *packer->at != ']')) {
		json_t *value = pack_value(packer);

		if (value && json_array_append_new(array, value))
			packer->broken = true;
	}
	next_is(packer, ']');
	return array;
}

static json_t *pack_nested(struct packer *packer, json_t *(*pack)(struct packer *))
{
	json_t *value;

	if (packer->depth == PACK_DEPTH_MAX) {
		packer->broken = true;
		return NULL;
	}
	packer->depth++;
	value = pack(packer);
	packer->depth--;
	return value;
}

static json_t *pack_value(struct packer *packer)
{
	switch (next_letter(packer)) {
	case 's':
		return pack_string(packer);
	case 'i':
		return json_integer(va_arg(packer->args, int));
	case 'I':
		return json_integer(va_arg(packer->args, json_int_t));
	case 'f':
		return pack_real(va_arg(packer->args, double));
	case 'b':
		return json_boolean(va_arg(packer->args, int));
	case 'n':
		return json_null();
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
		return NULL;
	}
}

bool log_pack(json_t *line, const char *fmt, va_list args)
{
	struct packer packer = { .at = fmt };

	if (next_letter(&packer) != '{')
		return false;
	va_copy(packer.args, args);
	pack_members(&packer, line);
	va_end(packer.args);
	return !packer.broken;
}
