/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/reply.c - see backend/reply.h.
 */
#include "backend/reply.h"

#include <stdio.h>
#include <string.h>

#define CODE_DIGITS   3
#define STATUS_MAX    12 /* octets of "5.999.999" and its NUL */
#define STATUS_DIGITS 3  /* of its subject and of its detail (RFC 3463 2) */

void reply_begin(struct reply_parser *parser)
{
	parser->reply.code = 0;
	parser->reply.lost = false;
	parser->reply.text[0] = '\0';
	parser->lines = 0;
	parser->length = 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The code at the start of a line, or 0. */
static uint16_t read_code(const char *line, size_t length)
{
	uint16_t code;

	if (length < CODE_DIGITS || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]))
		return 0;
	code = (uint16_t)((line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0');
	return code >= 200 && code <= 599 ? code : 0;
}

static void add_text(struct reply_parser *parser, const char *text, size_t length)
{
	char *out = parser->reply.text;
	size_t at = parser->length;

	if (parser->lines && at < BACKEND_REPLY_MAX - 1)
		out[at++] = '\n';
	for (size_t i = 0; i < length && at < BACKEND_REPLY_MAX - 1; i++)
		out[at++] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i]
				   : text[i] == '\t'                ? ' '
								    : '?');
	out[at] = '\0';
	parser->length = at;
}

/* Without its CR LF. */
static enum reply_result take_line(struct reply_parser *parser, const char *text, size_t length,
				   struct reply_span *line)
{
	const uint16_t code = read_code(text, length);
	const char mark = length > CODE_DIGITS ? text[CODE_DIGITS] : ' ';
	const size_t head = length > CODE_DIGITS ? CODE_DIGITS + 1 : length;

	if (!code || (mark != ' ' && mark != '-'))
		return REPLY_BAD;
	if (parser->lines && code != parser->reply.code)
		return REPLY_BAD;
	if (parser->lines == REPLY_LINES_MAX)
		return REPLY_BAD;
	parser->reply.code = code;
	*line = (struct reply_span){ text + head, length - head };
	add_text(parser, line->at, line->length);
	parser->lines++;
	return mark == '-' ? REPLY_LINE : REPLY_DONE;
}

enum reply_result reply_take(struct reply_parser *parser, const uint8_t *data, size_t size,
			     size_t *used, struct reply_span *line)
{
	const size_t looked = size < BACKEND_LINE_MAX ? size : BACKEND_LINE_MAX;
	const uint8_t *end = size ? memchr(data, '\n', looked) : NULL;

	*used = 0;
	if (!end)
		return size >= BACKEND_LINE_MAX ? REPLY_BAD : REPLY_MORE;
	if (end == data || end[-1] != '\r')
		return REPLY_BAD;
	*used = (size_t)(end - data) + 1;
	return take_line(parser, (const char *)data, *used - 2, line);
}

/* The length of one to three digits without a zero in front. */
static size_t number_length(const char *text, size_t length)
{
	size_t digits = 0;

	while (digits < length && is_digit(text[digits]))
		digits++;
	if (!digits || digits > STATUS_DIGITS || (digits > 1 && text[0] == '0'))
		return 0;
	return digits;
}

/* The length of an enhanced status code of the class at the start of a line, or 0. */
static size_t status_length(const char *text, size_t length, char class)
{
	size_t at = 2, digits;

	if (length < 5 || text[0] != class || text[1] != '.')
		return 0;
	digits = number_length(text + at, length - at);
	at += digits;
	if (!digits || at >= length || text[at] != '.')
		return 0;
	digits = number_length(text + at + 1, length - at - 1);
	at += digits + 1;
	return digits && (at == length || text[at] == ' ') ? at : 0;
}

/* Appends what there is room for. */
static size_t append(char *out, size_t at, const char *text, size_t length)
{
	const size_t room = BACKEND_REPLY_MAX - 1 - at;

	if (length > room)
		length = room;
	memcpy(out + at, text, length);
	out[at + length] = '\0';
	return at + length;
}

void reply_complete(struct backend_reply *reply)
{
	const char class = (char)('0' + reply->code / 100);
	char status[STATUS_MAX] = { class, '.', '0', '.', '0', ' ' };
	const struct backend_reply before = *reply;
	const char *line = before.text, *end;
	size_t at = 0, length, known;

	for (;; line = end + 1) {
		end = line + strcspn(line, "\n");
		length = (size_t)(end - line);
		known = status_length(line, length, class);
		if (known)
			snprintf(status, sizeof(status), "%.*s ", (int)known, line);
		else
			at = append(reply->text, at, status, strlen(status));
		at = append(reply->text, at, line, length);
		if (!*end)
			break;
		at = append(reply->text, at, "\n", 1);
	}
}
