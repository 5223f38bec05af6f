/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/units: what is read, what is refused and with which words, and how it is shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/units.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} rows[] = {
		{ "1", 1 },
		{ "90", 90 },
		{ "90s", 90 },
		{ "15m", 900 },
		{ "1h", 3600 },
		{ "7d", 604800 },
		{ "2w", 1209600 },
		{ "1h30m", 5400 },
		{ "1w1d1h1m1s", 694861 },
		{ "1w0d5s", 604805 },
		{ "0h1s", 1 },
		{ "100h", 360000 },
		{ "007s", 7 },
		{ "18250d", 1576800000 },
		{ "1576800000", 1576800000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };
		uint32_t seconds = 0;

		if (duration_parse(rows[i].text, &seconds, &err))
			fail_msg("%s", err.text);
		assert_int_equal(seconds, rows[i].seconds);
	}
}

#define NO_DURATION "not a duration; write seconds, or numbers with w, d, h, m, s, as 7d or 1h30m"

static void wrong_durations_say_why(void **state)
{
	static const char *const rows[][2] = {
		{ "", "\"\": " NO_DURATION },
		{ "s", "s: " NO_DURATION },
		{ "1x", "1x: " NO_DURATION },
		{ "1H", "1H: " NO_DURATION },
		{ "-5", "-5: " NO_DURATION },
		{ "+5", "+5: " NO_DURATION },
		{ " 5", " 5: " NO_DURATION },
		{ "5 ", "5 : " NO_DURATION },
		{ "1.5h", "1.5h: " NO_DURATION },
		{ "1h30", "1h30: " NO_DURATION },
		{ "30m1h", "30m1h: " NO_DURATION },
		{ "1h1h", "1h1h: " NO_DURATION },
		{ "1hm", "1hm: " NO_DURATION },
		{ "1s\n", "1s?: " NO_DURATION },
		{ "0", "0: a duration must be longer than 0" },
		{ "0w0s", "0w0s: a duration must be longer than 0" },
		{ "18251d", "18251d: a duration must not be longer than 50 years" },
		{ "1576800001", "1576800001: a duration must not be longer than 50 years" },
		{ "4294967297", "4294967297: a duration must not be longer than 50 years" },
		/* These would wrap to something small if they were multiplied or added blindly. */
		{ "18446744073709551617", "18446744073709551617: " NO_DURATION },
		{ "30500568904944w", "30500568904944w: " NO_DURATION },
		{ "30500568904943w18446744073709551615s",
		  "30500568904943w18446744073709551615s: " NO_DURATION },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };
		uint32_t seconds = 77;

		assert_int_equal(duration_parse(rows[i][0], &seconds, &err), ERROR_USAGE);
		assert_string_equal(err.text, rows[i][1]);
		assert_int_equal(seconds, 77);
	}
}

static void durations_are_shown(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "0s" },
		{ 59, "59s" },
		{ 60, "1m" },
		{ 61, "1m 1s" },
		{ 3600, "1h" },
		{ 3659, "1h" },
		{ 5400, "1h 30m" },
		{ 86399, "23h 59m" },
		{ 86400, "1d" },
		{ 90000, "1d 1h" },
		{ 604799, "6d 23h" },
		{ 604800, "1w" },
		{ 1576800000, "2607w 1d" },
		{ UINT64_MAX, "30500568904943w" },
	};
	char out[DURATION_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_ptr_equal(duration_format(rows[i].seconds, out), out);
		assert_string_equal(out, rows[i].text);
	}
}

static void numbers_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} rows[] = {
		{ "0", 0 },          { "25", 25 },         { "1k", 1000 },
		{ "10M", 10000000 }, { "2G", 2000000000 }, { "18446744073709551615", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };
		uint64_t value = 1;

		if (number_parse(rows[i].text, 0, UINT64_MAX, &value, &err))
			fail_msg("%s", err.text);
		assert_true(value == rows[i].value);
	}
}

#define NO_NUMBER "not a whole number, with or without a suffix k, M or G"

static void wrong_numbers_say_why(void **state)
{
	static const char *const rows[][2] = {
		{ "", "\"\": " NO_NUMBER },
		{ "k", "k: " NO_NUMBER },
		{ "-1", "-1: " NO_NUMBER },
		{ "1.5", "1.5: " NO_NUMBER },
		{ "0x10", "0x10: " NO_NUMBER },
		{ "1kk", "1kk: " NO_NUMBER },
		{ "1m", "1m: " NO_NUMBER },
		{ "18446744073709551616", "18446744073709551616: " NO_NUMBER },
		{ "18446744073709552k", "18446744073709552k: " NO_NUMBER },
		{ "9", "9: must be from 10 to 1000" },
		{ "1001", "1001: must be from 10 to 1000" },
		{ "2k", "2k: must be from 10 to 1000" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };
		uint64_t value = 77;

		assert_int_equal(number_parse(rows[i][0], 10, 1000, &value, &err), ERROR_USAGE);
		assert_string_equal(err.text, rows[i][1]);
		assert_true(value == 77);
	}
}

static void numbers_are_shown(void **state)
{
	static const struct {
		uint64_t value;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1,000" },
		{ 12345, "12,345" },
		{ 123456, "123,456" },
		{ 1234567, "1,234,567" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};
	char out[DURATION_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_ptr_equal(number_format(rows[i].value, out), out);
		assert_string_equal(out, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read),    cmocka_unit_test(wrong_durations_say_why),
		cmocka_unit_test(durations_are_shown),   cmocka_unit_test(numbers_are_read),
		cmocka_unit_test(wrong_numbers_say_why), cmocka_unit_test(numbers_are_shown),
	};

	return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
