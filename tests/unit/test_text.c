/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/text: which characters are taken for characters, which are shown, and where a text
 * is cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void characters_are_decoded(void **state)
{
	static const struct {
		const char *text;
		size_t len, taken;
		uint32_t code;
	} rows[] = {
		{ "A", 1, 1, 'A' },
		{ "\0", 1, 1, 0 },
		{ "\xc2\x80", 2, 2, 0x80 },
		{ "\xdf\xbf", 2, 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 3, 0x800 },
		{ "\xed\x9f\xbf", 3, 3, 0xd7ff },
		{ "\xee\x80\x80", 3, 3, 0xe000 },
		{ "\xf0\x90\x80\x80", 4, 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
		/* Longer than need be, surrogates, beyond the last, cut short, not a start. */
		{ "\xc1\xbf", 2, 0, 0 },
		{ "\xe0\x9f\xbf", 3, 0, 0 },
		{ "\xf0\x8f\xbf\xbf", 4, 0, 0 },
		{ "\xed\xa0\x80", 3, 0, 0 },
		{ "\xed\xbf\xbf", 3, 0, 0 },
		{ "\xf4\x90\x80\x80", 4, 0, 0 },
		{ "\xe2\x82\xac", 2, 0, 0 },
		{ "\xe2(\xac", 3, 0, 0 },
		{ "\x80", 1, 0, 0 },
		{ "\xf8\x88\x80\x80\x80", 5, 0, 0 },
		{ "\xff", 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t code = 0;

		assert_int_equal(text_character(rows[i].text, rows[i].len, &code), rows[i].taken);
		assert_int_equal(code, rows[i].code);
	}
}

static void what_steers_is_not_shown(void **state)
{
	static const uint32_t hidden[] = {
		0,      '\t',   '\n',   0x1b,   0x7f,   0x9b,   0x200b,
		0x200f, 0x2028, 0x2029, 0x202e, 0x2066, 0xfeff, 0xe0041
	};
	static const uint32_t shown[] = { ' ', '~', 0xa0, 0xe9, 0x2010, 0x20ac, 0x4e2d, 0x1f4e8 };

	(void)state;
	for (size_t i = 0; i < COUNT(hidden); i++)
		assert_false(text_showable(hidden[i]));
	for (size_t i = 0; i < COUNT(shown); i++)
		assert_true(text_showable(shown[i]));
}

/* Into every size there is: never too long, always the start of the whole, always whole characters.
 */
static void cuts_are_at_characters(void **state)
{
	static const char text[] = "ab\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xa8z";
	static const char *const cut[] = {
		[4] = "...",
		[5] = "a...",
		[6] = "ab...",
		[7] = "ab...",
		[8] = "ab\xc3\xa9...",
		[9] = "ab\xc3\xa9...",
		[10] = "ab\xc3\xa9...",
		[11] = "ab\xc3\xa9\xe2\x82\xac...",
		[12] = "ab\xc3\xa9\xe2\x82\xac...",
		[13] = text,
	};
	char out[32];

	(void)state;
	assert_int_equal(strlen(text), 12);
	for (size_t size = 4; size < COUNT(cut); size++) {
		memset(out, 0x55, sizeof(out));
		assert_int_equal(text_clean(out, size, text, strlen(text)), strlen(cut[size]));
		assert_string_equal(out, cut[size]);
		assert_int_equal(out[size], 0x55);
	}
}

static void only_len_bytes_are_read(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(text_clean(out, sizeof(out), "abcdef", 3), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(text_clean(out, sizeof(out), NULL, 0), 0);
	assert_string_equal(out, "");
	assert_int_equal(text_clean(out, sizeof(out), "a\0b", 3), 3);
	assert_string_equal(out, "a?b");
	assert_int_equal(text_clean(out, sizeof(out), "\xe2\x82\xac", 2), 2);
	assert_string_equal(out, "??");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_decoded),
		cmocka_unit_test(what_steers_is_not_shown),
		cmocka_unit_test(cuts_are_at_characters),
		cmocka_unit_test(only_len_bytes_are_read),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
