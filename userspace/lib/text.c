/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/text.c - implements lib/text.h: a UTF-8 decoder that accepts nothing but RFC 3629, and the
 * copy that is built on it.
 *
 * Called wherever bytes of strangers are shown: lib/addr, lib/log, lib/listfile. Allocates nothing;
 * reads at most `len` bytes and writes at most `size`.
 */
#include "lib/text.h"

#include <string.h>

#define ELLIPSIS "..."

/* What the first byte says about the rest: a row for each length. */
struct utf8_form {
	uint8_t mask, lead; /* (first byte & mask) == lead */
	uint8_t length;
	uint32_t least; /* below it the form is longer than it need be: refused */
};

static const struct utf8_form utf8_forms[] = {
	{ 0x80, 0x00, 1, 0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

#define UTF8_FORMS         (sizeof(utf8_forms) / sizeof(utf8_forms[0]))
#define UNICODE_LAST       0x10ffffu
#define UNICODE_SURROGATES 0xd800u /* to 0xdfff */

static const struct utf8_form *form_of(uint8_t first)
{
	for (size_t i = 0; i < UTF8_FORMS; i++)
		if ((first & utf8_forms[i].mask) == utf8_forms[i].lead)
			return &utf8_forms[i];
	return NULL;
}

size_t text_character(const char *text, size_t len, uint32_t *code)
{
	const uint8_t *byte = (const uint8_t *)text;
	const struct utf8_form *form = form_of(byte[0]);
	uint32_t value;

	if (!form || form->length > len)
		return 0;
	value = byte[0] & (uint8_t)~form->mask;
	for (size_t i = 1; i < form->length; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte[i] & 0x3f);
	}
	if (value < form->least || value > UNICODE_LAST || (value & ~0x7ffu) == UNICODE_SURROGATES)
		return 0;
	*code = value;
	return form->length;
}

/* Ranges that a line or a terminal could take for something other than a character. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x00, 0x1f },       /* control characters (C0) */
	{ 0x7f, 0x9f },       /* delete, and control characters (C1) */
	{ 0x200b, 0x200f },   /* zero width, and marks of direction */
	{ 0x2028, 0x202e },   /* separators of lines and paragraphs, overrides of direction */
	{ 0x2060, 0x206f },   /* invisible operators, isolates of direction */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xfff9, 0xfffb },   /* interlinear annotation */
	{ 0xe0000, 0xe007f }, /* tags */
};

bool text_showable(uint32_t code)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	return true;
}

/* How much at the start is printable ASCII, as nearly all text is: it is shown as it is. */
static size_t plain_length(const char *text, size_t len)
{
	size_t plain = 0;

	while (plain < len && text[plain] >= ' ' && text[plain] <= '~')
		plain++;
	return plain;
}

size_t text_clean(char *out, size_t size, const char *text, size_t len)
{
	const size_t room = size - sizeof(ELLIPSIS);
	size_t used = 0, cut = 0, at = 0;

	if (len < size) { /* then it is never cut: what is shown is not longer than the text */
		used = at = plain_length(text, len);
		memcpy(out, text, at);
	}
	while (at < len) {
		uint32_t code;
		size_t taken = text_character(text + at, len - at, &code);
		bool shown = taken && text_showable(code);
		size_t wide = shown ? taken : 1;

		/* `cut` stays where the text and an ellipsis still fit together. */
		if (used + wide > size - 1) {
			memcpy(out + cut, ELLIPSIS, sizeof(ELLIPSIS));
			return cut + sizeof(ELLIPSIS) - 1;
		}
		if (shown)
			memcpy(out + used, text + at, taken);
		else
			out[used] = '?';
		used += wide;
		at += taken ? taken : 1;
		if (used <= room)
			cut = used;
	}
	out[used] = '\0';
	return used;
}
