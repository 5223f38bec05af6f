/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes path_parse() with lines; the first octet says whether UTF-8 is allowed. What is accepted
 * has no control characters, folds its domain, and is read again as the same address; with its
 * parameters, written as a session sends them on, it is the same line.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "session/smtp/path.h"

#define LINE_SIZE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_octets(const char *text, int utf8)
{
	for (; *text; text++) {
		require((unsigned char)*text >= ' ' && *text != '\x7f');
		require(utf8 || (unsigned char)*text < 0x80);
	}
}

static void check_path(const struct path *path, int utf8)
{
	const size_t len = strlen(path->text);

	check_octets(path->text, utf8);
	check_octets(path->local, utf8);
	check_octets(path->domain, 0);
	require(len >= 2 && path->text[0] == '<' && path->text[len - 1] == '>');
	require(path->null == !path->local[0]);
	require(!path->null || !path->domain[0]);
	for (const char *at = path->domain; *at && !path->literal; at++)
		require(*at < 'A' || *at > 'Z');
	require(path->indirect == (strpbrk(path->local, "%!@") != NULL));
	if (path->domain[0])
		require(!strncmp(path->text + len - 1 - strlen(path->domain), path->domain,
				 strlen(path->domain)));
}

static void check_again(const struct path_line *line, int utf8)
{
	char text[2 * LINE_SIZE];
	struct path_line again;
	size_t used = strlen(line->path.text);

	memcpy(text, line->path.text, used);
	for (size_t i = 0; i < line->count; i++) {
		const char *parts[] = { " ", line->parameter[i].name,
					line->parameter[i].value ? "=" : "",
					line->parameter[i].value ? line->parameter[i].value : "" };

		for (int j = 0; j < 4; j++) {
			memcpy(text + used, parts[j], strlen(parts[j]));
			used += strlen(parts[j]);
		}
	}
	text[used] = '\0';
	require(!path_parse(text, used, utf8, &again, NULL));
	require(!strcmp(again.path.text, line->path.text));
	require(!strcmp(again.path.local, line->path.local));
	require(!strcmp(again.path.domain, line->path.domain));
	require(again.path.literal == line->path.literal && again.path.quoted == line->path.quoted);
	require(!again.path.route && again.count == line->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct path_line line;
	struct error err = { 0 };
	char text[LINE_SIZE];
	int utf8;

	if (!size || size > LINE_SIZE)
		return 0;
	utf8 = data[0] & 1;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (path_parse(text, size - 1, utf8, &line, &err)) {
		require(err.code == ERROR_REFUSED);
		check_octets(err.text, 0);
	} else {
		check_path(&line.path, utf8);
		check_again(&line, utf8);
	}
	return 0;
}
