/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes session/smtp/header. The first octet says what with: messages go through the filter whole
 * and in pieces, which must be the same, and what has passed must pass again; texts, between NULs,
 * are put into our own fields, none of which may get a line that they did not have.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "session/smtp/header.h"

#define OURS      "gate.example.net"
#define TEXTS_MAX 7
#define LINE_LAST 998 /* octets of a line without its end (RFC 5322 2.1.1) */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

struct sunk {
	uint8_t *data;
	size_t len, size;
};

static bool sink(const void *data, size_t size, void *arg)
{
	struct sunk *sunk = arg;

	require(size > 0 && sunk->len + size <= sunk->size);
	memcpy(sunk->data + sunk->len, data, size);
	sunk->len += size;
	return true;
}

static enum header_result filtered(const uint8_t *data, size_t size, size_t piece,
				   struct sunk *sunk, unsigned int *removed)
{
	struct header_filter filter;
	enum header_result result;

	*sunk = (struct sunk){ .data = malloc(size + 1), .size = size };
	require(sunk->data != NULL);
	header_filter_start(&filter, OURS, sink, sunk);
	for (size_t at = 0; at < size; at += piece)
		header_filter_feed(&filter, data + at, size - at < piece ? size - at : piece);
	result = header_filter_end(&filter);
	*removed = filter.removed;
	return result;
}

static void check_filter(const uint8_t *data, size_t size, size_t piece)
{
	struct sunk whole, pieces, again;
	unsigned int removed, counted;
	const enum header_result result = filtered(data, size, size + 1, &whole, &removed);

	require(filtered(data, size, piece, &pieces, &counted) == result);
	if (result == HEADER_OK) {
		require(removed == counted && whole.len == pieces.len);
		require(!memcmp(whole.data, pieces.data, whole.len));
		require(removed || whole.len == size);
		require(filtered(whole.data, whole.len, 1, &again, &counted) == HEADER_OK);
		require(!counted && again.len == whole.len);
		free(again.data);
	}
	free(whole.data);
	free(pieces.data);
}

static void check_lines(const char *text, size_t len)
{
	require(strlen(text) == len && len < HEADER_OWN_MAX - 1);
	while (*text) {
		const char *end = strstr(text, "\r\n");

		require(end && end - text <= LINE_LAST);
		require(*text == '\t' || !strncmp(text, "Received: from ", 15) ||
			!strncmp(text, "X-Postern: ", 11));
		for (; text < end; text++)
			require((unsigned char)*text >= ' ' || *text == '\t');
		text = end + 2;
	}
}

static void check_compose(const char *text, const char *end, unsigned int flags)
{
	const char *texts[TEXTS_MAX];
	char out[HEADER_OWN_MAX];
	struct header_hop hop = { .esmtp = flags & 1,
				  .authenticated = flags & 2,
				  .utf8 = flags & 4 };

	for (size_t i = 0; i < TEXTS_MAX; i++) {
		texts[i] = text < end ? text : "";
		text = text < end ? text + strlen(text) + 1 : text;
	}
	hop.hostname = texts[0];
	hop.client_name = texts[1];
	hop.helo = texts[2];
	hop.tls_version = texts[3];
	hop.tls_cipher = texts[4];
	hop.id = texts[5];
	hop.findings = texts[6];
	hop.recipient = strlen(texts[2]) < 400 ? texts[2] : "";
	hop.when = (time_t)flags << 26;
	check_lines(out, header_compose(&hop, out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	if (data[0] >= 0x20) {
		check_filter(data + 1, size - 1, data[0] - 0x1f);
		return 0;
	}
	text = malloc(size);
	require(text != NULL);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	check_compose(text, text + size, data[0]);
	free(text);
	return 0;
}
