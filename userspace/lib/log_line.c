/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/log_line.c - see lib/log_line.h. Called by lib/log and lib/log_pack; owns nothing.
 */
#include "lib/log_line.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

#define REAL_DIGITS 6
#define DUMP_FLAGS                                                                                 \
	(JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS))
#define NUMBER_MAX 24 /* of an integer, or an escaped character, with the final NUL */

/* Of characters beyond the first 64 Ki, which JSON writes as two (RFC 8259 7). */
#define PAIRS_FROM 0x10000u
#define PAIR_HIGH  0xd800u
#define PAIR_LOW   0xdc00u
#define PAIR_BITS  10
#define PAIR_MASK  0x3ffu

void log_line_add(struct log_line *line, const char *text, size_t len)
{
	if (len > sizeof(line->text) - line->used) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->used, text, len);
	line->used += len;
}

void log_line_text(struct log_line *line, const char *text)
{
	log_line_add(line, text, strlen(text));
}

/* How many characters at the start stand for themselves. Control characters are cleaned away. */
static size_t plain_run(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && (unsigned char)text[at] < 0x80 && text[at] != '"' && text[at] != '\\')
		at++;
	return at;
}

/* The character at the start; returns how many bytes it takes. */
static size_t add_escaped(struct log_line *line, const char *text, size_t len)
{
	char escaped[NUMBER_MAX];
	uint32_t code = 0;
	const size_t bytes = text_character(text, len, &code);

	if (code < 0x80)
		snprintf(escaped, sizeof(escaped), "\\%c", (char)code);
	else if (code < PAIRS_FROM)
		snprintf(escaped, sizeof(escaped), "\\u%04X", code);
	else
		snprintf(escaped, sizeof(escaped), "\\u%04X\\u%04X",
			 PAIR_HIGH + ((code - PAIRS_FROM) >> PAIR_BITS),
			 PAIR_LOW + ((code - PAIRS_FROM) & PAIR_MASK));
	log_line_text(line, escaped);
	return bytes ? bytes : 1;
}

void log_line_string(struct log_line *line, const char *text, size_t len)
{
	char clean[LOG_TEXT_MAX];
	size_t at = 0;

	len = text_clean(clean, sizeof(clean), text, len);
	log_line_text(line, "\"");
	while (at < len) {
		const size_t run = plain_run(clean + at, len - at);

		log_line_add(line, clean + at, run);
		at += run;
		if (at < len)
			at += add_escaped(line, clean + at, len - at);
	}
	log_line_text(line, "\"");
}

void log_line_words(struct log_line *line, const char *text, size_t len)
{
	char clean[LOG_TEXT_MAX];
	bool quotes;

	len = text_clean(clean, sizeof(clean), text, len);
	quotes = len == 0 || strcspn(clean, " \"=\\") < len;
	log_line_text(line, quotes ? "\"" : "");
	for (size_t i = 0; i < len; i++) {
		if (clean[i] == '"' || clean[i] == '\\')
			log_line_text(line, "\\");
		log_line_add(line, clean + i, 1);
	}
	log_line_text(line, quotes ? "\"" : "");
}

void log_line_integer(struct log_line *line, json_int_t number)
{
	char digits[NUMBER_MAX];
	char *at = digits + sizeof(digits);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*--at = '-';
	log_line_add(line, at, (size_t)(digits + sizeof(digits) - at));
}

/* What json_dump_callback() calls. It always succeeds: that something did not fit is in the line.
 */
static int add_dumped(const char *text, size_t len, void *line)
{
	log_line_add(line, text, len);
	return 0;
}

void log_line_json(struct log_line *line, const json_t *value)
{
	if (!value || json_dump_callback(value, add_dumped, line, DUMP_FLAGS))
		log_line_text(line, "null");
}
