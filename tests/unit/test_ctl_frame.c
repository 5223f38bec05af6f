/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_ctl_frame.c - lines and payloads come out whole, however the bytes arrive.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/frame.h"

#define STEPS_MAX 8

/* Gives the frame `size` bytes, at most `chunk` at a time and as many as it has room for. */
static size_t feed(struct frame *frame, const char *bytes, size_t size, size_t chunk)
{
	size_t room;
	char *space = frame_space(frame, &room);
	size_t count = size < chunk ? size : chunk;

	if (count > room)
		count = room;
	memcpy(space, bytes, count);
	frame_filled(frame, count);
	return count;
}

/* Reads "line", a payload of 5 bytes, "next" and "last" from one run of bytes. */
static void read_script(const char *bytes, size_t size, size_t chunk)
{
	struct frame frame;
	struct error err;
	char seen[STEPS_MAX][16], *text, *payload;
	size_t count = 0, len, at = 0;
	enum frame_part part;

	assert_int_equal(frame_open(&frame, &err), 0);
	while (at < size) {
		at += feed(&frame, bytes + at, size - at, chunk);
		while ((part = frame_next(&frame, &text, &len)) != FRAME_NOTHING) {
			assert_true(count < STEPS_MAX);
			if (part == FRAME_PAYLOAD) {
				payload = frame_take_payload(&frame);
				snprintf(seen[count++], sizeof(seen[0]), "%.5s", payload);
				free(payload);
				continue;
			}
			assert_int_equal(part, FRAME_LINE);
			assert_int_equal(text[len], '\0');
			snprintf(seen[count++], sizeof(seen[0]), "%s", text);
			if (count == 1)
				assert_int_equal(frame_expect(&frame, 5, false, &err), 0);
		}
	}
	assert_false(frame_is_partial(&frame));
	assert_int_equal(count, 4);
	assert_string_equal(seen[0], "line");
	assert_string_equal(seen[1], "\n\nxy\n");
	assert_string_equal(seen[2], "next");
	assert_string_equal(seen[3], "last");
	frame_close(&frame);
}

static void test_any_split(void **state)
{
	static const char bytes[] = "line\n\n\nxy\nnext\nlast\n";

	(void)state;
	for (size_t chunk = 1; chunk < sizeof(bytes); chunk++)
		read_script(bytes, sizeof(bytes) - 1, chunk);
}

static void test_longest_line(void **state)
{
	char *bytes = malloc(FRAME_LINE_MAX), *text;
	struct frame frame;
	struct error err;
	size_t len;

	(void)state;
	memset(bytes, 'a', FRAME_LINE_MAX);
	bytes[FRAME_LINE_MAX - 1] = '\n';
	assert_int_equal(frame_open(&frame, &err), 0);
	assert_int_equal(feed(&frame, bytes, FRAME_LINE_MAX, FRAME_LINE_MAX), FRAME_LINE_MAX);
	assert_int_equal(frame_next(&frame, &text, &len), FRAME_LINE);
	assert_int_equal(len, FRAME_LINE_MAX - 1);
	bytes[FRAME_LINE_MAX - 1] = 'a';
	assert_int_equal(feed(&frame, bytes, FRAME_LINE_MAX, FRAME_LINE_MAX), FRAME_LINE_MAX);
	assert_int_equal(frame_next(&frame, &text, &len), FRAME_TOO_LONG);
	frame_close(&frame);
	free(bytes);
}

/* What is announced costs nothing until it arrives. */
static void test_payload_grows_with_bytes(void **state)
{
	const size_t announced = (size_t)1 << 40;
	struct frame frame;
	struct error err;
	size_t room;

	(void)state;
	assert_int_equal(frame_open(&frame, &err), 0);
	assert_int_equal(frame_expect(&frame, announced, false, &err), 0);
	frame_space(&frame, &room);
	assert_in_range(room, 1, FRAME_READ_MAX);
	assert_true(frame.held <= FRAME_READ_MAX);
	frame_filled(&frame, room);
	frame_space(&frame, &room);
	assert_true(frame.held <= 2 * FRAME_READ_MAX);
	assert_true(frame_is_partial(&frame));
	frame_close(&frame);
}

static void test_discarded_payload(void **state)
{
	static const char bytes[] = "line\n";
	struct frame frame;
	struct error err;
	size_t len, left = 3 * FRAME_LINE_MAX;
	char *text, *space;

	(void)state;
	assert_int_equal(frame_open(&frame, &err), 0);
	feed(&frame, bytes, sizeof(bytes) - 1, sizeof(bytes));
	assert_int_equal(frame_next(&frame, &text, &len), FRAME_LINE);
	assert_int_equal(frame_expect(&frame, left, true, &err), 0);
	while (left) {
		assert_int_equal(frame_next(&frame, &text, &len), FRAME_NOTHING);
		space = frame_space(&frame, &len);
		assert_in_range(len, 1, left);
		memset(space, 'x', len);
		frame_filled(&frame, len);
		left -= len;
	}
	assert_int_equal(frame_next(&frame, &text, &len), FRAME_PAYLOAD);
	assert_null(frame_take_payload(&frame));
	feed(&frame, bytes, sizeof(bytes) - 1, sizeof(bytes));
	assert_int_equal(frame_next(&frame, &text, &len), FRAME_LINE);
	assert_string_equal(text, "line");
	frame_close(&frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_split),
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_payload_grows_with_bytes),
		cmocka_unit_test(test_discarded_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
