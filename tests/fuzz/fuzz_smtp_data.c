/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes the framing of messages: the first octet says whether it is DATA or BDAT and how the input
 * is cut into pieces, the rest is what the client sends.
 *
 * However it is cut, the same comes out, or the same fault. Without a fault there is no CR or LF
 * alone in it, and no line is too long; the end is where CR LF "." CR LF is, found in a second way.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "session/smtp/data.h"
#include "session/smtp/line.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct output {
	uint8_t *data;
	size_t size, taken;
	struct smtp_data state;
};

static void sink(const uint8_t *piece, size_t size, void *arg)
{
	struct output *out = arg;

	CHECK(size > 0);
	memcpy(out->data + out->size, piece, size);
	out->size += size;
}

static void feed(struct output *out, bool chunked, const uint8_t *input, size_t size, size_t step)
{
	*out = (struct output){ .data = malloc(size + 2) };
	CHECK(out->data);
	data_begin(&out->state, chunked);
	while (out->taken < size && !out->state.ended) {
		const size_t piece = size - out->taken < step ? size - out->taken : step;
		const size_t taken = data_feed(&out->state, input + out->taken, piece, sink, out);

		CHECK(taken <= piece && (taken == piece || out->state.ended));
		out->taken += taken;
	}
	if (chunked)
		data_finish(&out->state);
}

static void check_lines(const struct output *out)
{
	size_t line = 0;

	for (size_t i = 0; i < out->size; i++) {
		if (out->data[i] == '\r' && i + 1 < out->size)
			CHECK(out->data[i + 1] == '\n');
		if (out->data[i] == '\n')
			CHECK(i && out->data[i - 1] == '\r');
		line = out->data[i] == '\n' ? 0 : line + 1;
		CHECK(line <= DATA_LINE_MAX + 1);
	}
}

/* Where DATA ends: behind the first CR LF "." CR LF, or what is as good at the start. */
static size_t find_end(const uint8_t *input, size_t size)
{
	if (size >= 3 && !memcmp(input, ".\r\n", 3))
		return 3;
	for (size_t i = 0; i + 5 <= size; i++)
		if (!memcmp(input + i, "\r\n.\r\n", 5))
			return i + 5;
	return 0;
}

static void check_line(const uint8_t *input, size_t size)
{
	size_t length;
	const enum line_result result = line_find(input, size, LINE_MAX_BASE, &length);

	CHECK(length <= size);
	if (result != LINE_WHOLE)
		return;
	CHECK(length >= 2 && length <= LINE_MAX_BASE && input[length - 1] == '\n');
	CHECK(!memchr(input, '\0', length) && memchr(input, '\r', length) == input + length - 2);
	CHECK(memchr(input, '\n', length) == input + length - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct output whole, pieces;
	bool chunked;
	size_t step;

	if (!size)
		return 0;
	chunked = *data & 1;
	step = (size_t)(*data >> 1) + 1;
	data++;
	size--;
	check_line(data, size);
	feed(&whole, chunked, data, size, size + 1);
	feed(&pieces, chunked, data, size, step);
	CHECK(whole.taken == pieces.taken);
	CHECK(whole.state.fault == pieces.state.fault && whole.state.ended == pieces.state.ended);
	if (whole.state.fault == DATA_FINE) {
		CHECK(whole.size == pieces.size);
		CHECK(!memcmp(whole.data, pieces.data, whole.size));
		check_lines(&whole);
	}
	if (!chunked) {
		CHECK(whole.state.ended == (find_end(data, size) != 0));
		CHECK(!whole.state.ended || whole.taken == find_end(data, size));
	}
	free(whole.data);
	free(pieces.data);
	return 0;
}
