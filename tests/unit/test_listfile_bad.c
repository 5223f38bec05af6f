/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/listfile: what is said about bad lines, one or many, and what becomes of the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "listfile_shown.h"

#define MILLION       1000000u
#define LINE_MAX_TEXT 32

static void bad_lines_say_why(void **state)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1/24", "192.0.2.1/24: host bits are set; the prefix is 192.0.2.0/24" },
		{ "010.0.0.1",
		  "010.0.0.1: a leading zero is ambiguous; write the numbers without it" },
		{ "192.0.2", "192.0.2: an IPv4 address has four numbers from 0 to 255" },
		{ "mail.example.org # x", "mail.example.org: not an IPv4 or IPv6 address" },
		{ "192.0.2.1 spam",
		  "192.0.2.1 spam: text after the address; write # before a comment" },
		{ "spam 192.0.2.1", "spam 192.0.2.1: not an IPv4 or IPv6 address" },
		{ "192.0.2.9-192.0.2.1", "192.0.2.9-192.0.2.1: the range ends before it starts" },
		{ "192.0.2.1-9", "9: an IPv4 address has four numbers from 0 to 255" },
		{ "192.0.2.0/24-192.0.3.0/24", "192.0.2.0/24: not an IPv4 or IPv6 address" },
		{ "-", "\"\": not an IPv4 or IPv6 address" },
		{ "!192.0.2.1", "!192.0.2.1: not an IPv4 or IPv6 address" },
	};
	char text[256], expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "192.0.2.7\n\n%s\n192.0.2.8\n", rows[i][0]);
		snprintf(expected, sizeof(expected), "list:3: %s", rows[i][1]);
		assert_listfile_refused(LISTFILE_PLAIN, text, expected);
	}
}

/* What is said about a line of 70 zeros and more; NUMBER is the line's. */
#define TEN_ZEROS "0000000000"
#define ZEROS(number)                                                                              \
	"list:" #number ": " TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS TEN_ZEROS \
	".0.0.1...: a leading zero is ambiguous; write the numbers without it; "

static void first_bad_lines_are_named(void **state)
{
	char text[4096] = "", *at = text;

	(void)state;
	assert_listfile_refused(LISTFILE_PLAIN, "x\n192.0.2.1\ny\n",
				"list:1: x: not an IPv4 or IPv6 address; "
				"list:3: y: not an IPv4 or IPv6 address");
	assert_listfile_refused(LISTFILE_PLAIN, "a\nb\nc\nd\ne\nf",
				"list:1: a: not an IPv4 or IPv6 address; "
				"list:2: b: not an IPv4 or IPv6 address; "
				"list:3: c: not an IPv4 or IPv6 address; "
				"list:4: d: not an IPv4 or IPv6 address; "
				"list:5: e: not an IPv4 or IPv6 address; and 1 more bad line");
	for (int i = 0; i < 20; i++)
		at += sprintf(at, "%070d.0.0.1/%070d\n", 0, i);
	assert_listfile_refused(LISTFILE_PLAIN, text,
				ZEROS(1) ZEROS(2) ZEROS(3) "and 17 more bad lines");
}

/* A name as long as a path may be, and reasons as long as they get, still make one message. */
static void long_names_fit(void **state)
{
	struct listfile_options options = { .format = LISTFILE_PLAIN };
	struct listfile_report report;
	struct entry_set set = { 0 };
	struct error err = { 0 };
	char name[4096];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[1] = '\n';
	name[sizeof(name) - 1] = '\0';
	options.name = name;
	assert_int_equal(listfile_parse(&options, "1.2.3.4/1\nq\nr\n", 14, &set, &report, &err),
			 ERROR_REFUSED);
	assert_true(strncmp(err.text, "n?nnn", 5) == 0);
	assert_null(strchr(err.text, '\n'));
	assert_non_null(strstr(
		err.text, "nnn...:1: 1.2.3.4/1: host bits are set; the prefix is 0.0.0.0/1; n?"));
	assert_non_null(strstr(err.text, "nnn...:3: r: not an IPv4 or IPv6 address"));
}

static void skipped_lines_are_counted(void **state)
{
	const struct listfile_options options = { .name = "list", .skip_bad = true };
	static const char text[] = "192.0.2.1\na\nb\nc\nd\ne\nf\n192.0.2.2\n";
	struct listfile_report report;
	struct entry_set set = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(listfile_parse(&options, text, strlen(text), &set, &report, &err), 0);
	assert_int_equal(set.count, 2);
	assert_int_equal(report.entries, 2);
	assert_int_equal(report.lines, 8);
	assert_int_equal(report.bad, 6);
	assert_int_equal(report.format, LISTFILE_PLAIN);
	for (int i = 0; i < LISTFILE_BAD_SHOWN; i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "%c: not an IPv4 or IPv6 address", 'a' + i);
		assert_int_equal(report.first[i].line, i + 2);
		assert_string_equal(report.first[i].text, expected);
	}
	entry_set_clear(&set);
}

/* A million good lines, among them at one place a bad one. Returns how long the text is. */
static char *million_lines(size_t bad_line, size_t *size)
{
	char *text = malloc((size_t)MILLION * LINE_MAX_TEXT), *at = text;

	assert_non_null(text);
	for (uint32_t i = 1; i <= MILLION; i++) {
		const uint32_t value = i * 2654435761u;

		if (i == bad_line)
			at += sprintf(at, "198.51.100.1/24\n");
		else if (i % 2)
			at += sprintf(at, "%u.%u.%u.%u\n", value >> 24, value >> 16 & 255,
				      value >> 8 & 255, value & 255);
		else
			at += sprintf(at, "2001:db8:%x:%x::/64\n", value >> 16, value & 0xffff);
	}
	*size = (size_t)(at - text);
	return text;
}

static void one_bad_line_in_a_million(void **state)
{
	struct listfile_options options = { .name = "drop.txt" };
	struct listfile_report report;
	struct entry_set set = { 0 };
	struct error err = { 0 };
	size_t size;
	char *text = million_lines(654321, &size);

	(void)state;
	assert_int_equal(listfile_parse(&options, text, size, &set, &report, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "drop.txt:654321: 198.51.100.1/24: host bits are set; "
				      "the prefix is 198.51.100.0/24");
	assert_null(set.entry);
	options.skip_bad = true;
	assert_int_equal(listfile_parse(&options, text, size, &set, &report, &err), 0);
	assert_int_equal(report.bad, 1);
	assert_int_equal(report.first[0].line, 654321);
	assert_int_equal(report.lines, MILLION);
	assert_int_equal(set.count, MILLION - 1);
	entry_set_clear(&set);
	free(text);
}

static void nul_bytes_and_long_lines_are_bad(void **state)
{
	struct listfile_options options = { .name = "list", .skip_bad = true };
	struct listfile_report report;
	struct entry_set set = { 0 };
	struct error err = { 0 };
	char text[LISTFILE_LINE_MAX + 64];
	size_t len = 0;

	(void)state;
	memcpy(text, "192.0.2.1\n192.0.2.2\0x\n192.0.2.3 #", 32);
	len = 32;
	memset(text + len, 'x', LISTFILE_LINE_MAX);
	len += LISTFILE_LINE_MAX;
	memcpy(text + len, "\n192.0.2.4", 10);
	len += 10;
	assert_int_equal(listfile_parse(&options, text, len, &set, &report, &err), 0);
	assert_int_equal(report.lines, 4);
	assert_int_equal(report.bad, 2);
	assert_int_equal(set.count, 2);
	assert_int_equal(report.first[0].line, 2);
	assert_string_equal(report.first[0].text, "a line with a NUL byte");
	assert_int_equal(report.first[1].line, 3);
	assert_string_equal(report.first[1].text, "a line of more than 4096 bytes");
	entry_set_clear(&set);

	options.skip_bad = false;
	assert_int_equal(listfile_parse(&options, "\0", 1, &set, &report, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "list:1: a line with a NUL byte");
	/* Exactly as long as allowed. */
	memset(text, ' ', LISTFILE_LINE_MAX);
	memcpy(text, "192.0.2.1", 9);
	assert_int_equal(listfile_parse(&options, text, LISTFILE_LINE_MAX, &set, &report, &err), 0);
	assert_int_equal(set.count, 1);
	entry_set_clear(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines_say_why),
		cmocka_unit_test(first_bad_lines_are_named),
		cmocka_unit_test(long_names_fit),
		cmocka_unit_test(skipped_lines_are_counted),
		cmocka_unit_test(one_bad_line_in_a_million),
		cmocka_unit_test(nul_bytes_and_long_lines_are_bad),
	};

	return cmocka_run_group_tests_name("listfile_bad", tests, NULL, NULL);
}
