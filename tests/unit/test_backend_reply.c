/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_backend_reply.c - what servers answer, as a table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/reply.h"

#define LONG_LINE 4096

/* Takes as many lines as there are, from memory that ends where they do. */
static enum reply_result take(struct reply_parser *parser, const char *text, size_t size,
			      size_t *taken)
{
	uint8_t *copy = malloc(size ? size : 1);
	enum reply_result result;
	struct reply_span line;
	size_t used;

	memcpy(copy, text, size);
	reply_begin(parser);
	*taken = 0;
	do {
		result = reply_take(parser, copy + *taken, size - *taken, &used, &line);
		*taken += used;
	} while (result == REPLY_LINE);
	free(copy);
	return result;
}

static const struct {
	const char *text;
	enum reply_result result;
	uint16_t code;
	const char *said;
} table[] = {
	{ "250 ok\r\n", REPLY_DONE, 250, "ok" },
	{ "250\r\n", REPLY_DONE, 250, "" },
	{ "250 \r\n", REPLY_DONE, 250, "" },
	{ "250-a\r\n250-\r\n250 c\r\n", REPLY_DONE, 250, "a\n\nc" },
	{ "550-5.1.1 no\r\n550 5.1.1 such\r\n", REPLY_DONE, 550, "5.1.1 no\n5.1.1 such" },
	{ "354 go\r\n", REPLY_DONE, 354, "go" },
	{ "250 a\tb\r\n", REPLY_DONE, 250, "a b" },
	{ "250 a\rb\x1b[2J\x7f\xc3\xa9\r\n", REPLY_DONE, 250, "a?b?[2J???" },
	{ "250 ok\r\n250 more\r\n", REPLY_DONE, 250, "ok" },
	/* Not there yet. */
	{ "", REPLY_MORE, 0, "" },
	{ "2", REPLY_MORE, 0, "" },
	{ "250 ok", REPLY_MORE, 0, "" },
	{ "250 ok\r", REPLY_MORE, 0, "" },
	{ "250-ok\r\n", REPLY_MORE, 250, "ok" },
	{ "250-ok\r\n25", REPLY_MORE, 250, "ok" },
	/* No SMTP. */
	{ "\r\n", REPLY_BAD, 0, "" },
	{ "\n", REPLY_BAD, 0, "" },
	{ "250 ok\n", REPLY_BAD, 0, "" },
	{ "25 ok\r\n", REPLY_BAD, 0, "" },
	{ "2500 ok\r\n", REPLY_BAD, 0, "" },
	{ "250ok\r\n", REPLY_BAD, 0, "" },
	{ "250\tok\r\n", REPLY_BAD, 0, "" },
	{ " 250 ok\r\n", REPLY_BAD, 0, "" },
	{ "ok\r\n", REPLY_BAD, 0, "" },
	{ "100 wait\r\n", REPLY_BAD, 0, "" },
	{ "199 wait\r\n", REPLY_BAD, 0, "" },
	{ "600 what\r\n", REPLY_BAD, 0, "" },
	{ "999 what\r\n", REPLY_BAD, 0, "" },
	{ "000 what\r\n", REPLY_BAD, 0, "" },
	{ "-25 what\r\n", REPLY_BAD, 0, "" },
	{ "250-a\r\n550 b\r\n", REPLY_BAD, 250, "a" },
	{ "250-a\r\nb\r\n", REPLY_BAD, 250, "a" },
	{ "HTTP/1.1 400 Bad Request\r\n", REPLY_BAD, 0, "" },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct reply_parser parser;
		size_t taken;
		enum reply_result result =
			take(&parser, table[i].text, strlen(table[i].text), &taken);

		if (result != table[i].result)
			fail_msg("'%s': %d", table[i].text, result);
		assert_int_equal(parser.reply.code, table[i].code);
		assert_string_equal(parser.reply.text, table[i].said);
	}
}

/* Wherever the octets are parted, the same comes out. */
static void test_split(void **state)
{
	static const char text[] = "250-mx.example\r\n250-SIZE 1000\r\n250 DSN\r\n250 next\r\n";
	struct reply_parser whole, parser;
	struct reply_span line;
	size_t end, used, at;

	(void)state;
	assert_int_equal(take(&whole, text, sizeof(text) - 1, &end), REPLY_DONE);
	reply_begin(&parser);
	at = 0;
	for (size_t there = 0; there < end; there++) {
		enum reply_result result =
			reply_take(&parser, (const uint8_t *)text + at, there - at, &used, &line);

		assert_true(result == REPLY_MORE || result == REPLY_LINE);
		at += used;
	}
	assert_int_equal(reply_take(&parser, (const uint8_t *)text + at, end - at, &used, &line),
			 REPLY_DONE);
	assert_int_equal(at + used, end);
	assert_string_equal(parser.reply.text, whole.reply.text);
	assert_string_equal(parser.reply.text, "mx.example\nSIZE 1000\nDSN");
}

static void test_nul(void **state)
{
	static const char text[] = "250 a\0b\r\n";
	struct reply_parser parser;
	size_t taken;

	(void)state;
	assert_int_equal(take(&parser, text, sizeof(text) - 1, &taken), REPLY_DONE);
	assert_string_equal(parser.reply.text, "a?b");
	assert_int_equal(take(&parser, "2\0000 ok\r\n", 9, &taken), REPLY_BAD);
}

static void test_long_lines(void **state)
{
	struct reply_parser parser;
	char text[LONG_LINE];
	size_t taken;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "250 ", 4);
	/* The longest that is taken, of which the beginning is kept. */
	memcpy(text + BACKEND_LINE_MAX - 2, "\r\n", 2);
	assert_int_equal(take(&parser, text, BACKEND_LINE_MAX, &taken), REPLY_DONE);
	assert_int_equal(strlen(parser.reply.text), BACKEND_REPLY_MAX - 1);
	/* One octet more; also before its end has come. */
	memcpy(text + BACKEND_LINE_MAX - 2, "xx\r\n", 4);
	memcpy(text + BACKEND_LINE_MAX - 1, "\r\n", 2);
	assert_int_equal(take(&parser, text, BACKEND_LINE_MAX + 1, &taken), REPLY_BAD);
	memset(text + 4, 'x', sizeof(text) - 4);
	assert_int_equal(take(&parser, text, BACKEND_LINE_MAX - 1, &taken), REPLY_MORE);
	assert_int_equal(take(&parser, text, BACKEND_LINE_MAX, &taken), REPLY_BAD);
}

static void test_many_lines(void **state)
{
	struct reply_parser parser;
	struct reply_span line;
	size_t used;

	(void)state;
	reply_begin(&parser);
	for (unsigned int i = 0; i < REPLY_LINES_MAX; i++)
		assert_int_equal(reply_take(&parser, (const uint8_t *)"250-more of it\r\n", 16,
					    &used, &line),
				 REPLY_LINE);
	assert_int_equal(strlen(parser.reply.text), BACKEND_REPLY_MAX - 1);
	assert_int_equal(reply_take(&parser, (const uint8_t *)"250 end\r\n", 9, &used, &line),
			 REPLY_BAD);
}

static const struct {
	uint16_t code;
	const char *text, *completed;
} statuses[] = {
	{ 250, "2.1.5 ok", "2.1.5 ok" },
	{ 250, "ok", "2.0.0 ok" },
	{ 250, "", "2.0.0 " },
	{ 550, "5.7.1", "5.7.1" },
	{ 450, "4.2.2 full\nreally", "4.2.2 full\n4.2.2 really" },
	{ 550, "first\n5.1.1 second\nthird", "5.0.0 first\n5.1.1 second\n5.1.1 third" },
	/* Not of the reply's class, or none at all (RFC 2034 4, RFC 3463 2). */
	{ 550, "2.0.0 fine", "5.0.0 2.0.0 fine" },
	{ 450, "5.1.1 no", "4.0.0 5.1.1 no" },
	{ 550, "5.1.1234 no", "5.0.0 5.1.1234 no" },
	{ 550, "5.01.1 no", "5.0.0 5.01.1 no" },
	{ 550, "5.1. no", "5.0.0 5.1. no" },
	{ 550, "5.1.1no", "5.0.0 5.1.1no" },
	{ 550, "5..1 no", "5.0.0 5..1 no" },
	{ 550, "5.999.999 no\nmore", "5.999.999 no\n5.999.999 more" },
};

static void test_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct backend_reply reply = { .code = statuses[i].code };

		strcpy(reply.text, statuses[i].text);
		reply_complete(&reply);
		assert_string_equal(reply.text, statuses[i].completed);
	}
}

/* What does not fit any more is left out. */
static void test_status_room(void **state)
{
	struct backend_reply reply = { .code = 550 };

	(void)state;
	for (size_t i = 0; i < BACKEND_REPLY_MAX - 1; i++)
		reply.text[i] = i % 2 ? '\n' : 'a';
	reply_complete(&reply);
	assert_int_equal(strlen(reply.text), BACKEND_REPLY_MAX - 1);
	assert_memory_equal(reply.text, "5.0.0 a\n5.0.0 a\n", 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),       cmocka_unit_test(test_split),
		cmocka_unit_test(test_nul),         cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_many_lines),  cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_room),
	};

	return cmocka_run_group_tests_name("backend_reply", tests, NULL, NULL);
}
