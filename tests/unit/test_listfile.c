/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/listfile: the plain format, how lines end, reasons, budgets, and the guess of the
 * format. Bad lines, exclusions and the other formats have files of their own, test_listfile_*.c.
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

static void plain_lines(void **state)
{
	(void)state;
	assert_listfile(LISTFILE_PLAIN,
			"# A list of our own\n"
			"; another comment\n"
			"// and another\n"
			"\n"
			"192.0.2.1\n"
			"192.0.2.128/25 # botnet, seen 2024-11-02\n"
			"  198.51.100.0/24\t; SBL256893  \n"
			"203.0.113.7 // open relay\n"
			"203.0.113.8#no blank\n"
			"203.0.113.9 #\n"
			"203.0.113.10 ### many marks\n"
			"2001:db8::/32 # documentation; not routed\n"
			"2001:db8:1::1\n",
			"192.0.2.1\n"
			"192.0.2.128/25 botnet, seen 2024-11-02\n"
			"198.51.100.0/24 SBL256893\n"
			"203.0.113.7 open relay\n"
			"203.0.113.8 no blank\n"
			"203.0.113.9\n"
			"203.0.113.10 many marks\n"
			"2001:db8::/32 documentation; not routed\n"
			"2001:db8:1::1\n");
}

static void plain_ranges(void **state)
{
	(void)state;
	assert_listfile(LISTFILE_PLAIN,
			"192.0.2.0 - 192.0.2.255 # whole\n"
			"198.51.100.7-198.51.100.9\n"
			"203.0.113.5 -203.0.113.5\n"
			"2001:db8::1- 2001:db8::4\n",
			"192.0.2.0/24 whole\n"
			"198.51.100.7\n"
			"198.51.100.8/31\n"
			"203.0.113.5\n"
			"2001:db8::1\n"
			"2001:db8::2/127\n"
			"2001:db8::4\n");
	assert_listfile(LISTFILE_PLAIN, "0.0.0.0-255.255.255.255\n", "0.0.0.0/0\n");
	assert_listfile(LISTFILE_PLAIN, "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n", "::/0\n");
}

/* A range of IPv6 that goes round ::ffff:0:0/96 must not become the block of all IPv4. */
static void ipv6_ranges_never_hold_ipv4(void **state)
{
	(void)state;
	assert_listfile(LISTFILE_PLAIN, "::fffe:8000:0 - ::1:0:0:0\n",
			"::fffe:8000:0/97\n"
			"::1:0:0:0\n");
	assert_listfile_refused(LISTFILE_PLAIN, "::1-0.0.0.9",
				"list:1: ::1-0.0.0.9: "
				"a range cannot go from one address family to the other");
}

/* FireHOL's files: plain, under a long heading. */
static void firehol_netset(void **state)
{
	static const char text[] = "#\n"
				   "# firehol_level1\n"
				   "#\n"
				   "# ipv4 hash:net ipset\n"
				   "#\n"
				   "# Entries         : 3 subnets, 611 unique IPs\n"
				   "# Category        : attacks\n"
				   "#\n"
				   "192.0.2.0/24\n"
				   "198.51.100.0/25\n"
				   "203.0.113.255\n";
	static const char expected[] = "192.0.2.0/24\n198.51.100.0/25\n203.0.113.255\n";

	(void)state;
	assert_listfile(LISTFILE_AUTO, text, expected);
	assert_listfile(LISTFILE_IPSET, text, expected);
}

static void line_ends(void **state)
{
	(void)state;
	assert_listfile(LISTFILE_AUTO, "", "");
	assert_listfile(LISTFILE_AUTO, "\n\n \t\n", "");
	assert_listfile(LISTFILE_AUTO, "192.0.2.1", "192.0.2.1\n");
	assert_listfile(LISTFILE_AUTO, "192.0.2.1 # last", "192.0.2.1 last\n");
	assert_listfile(LISTFILE_AUTO, "192.0.2.1\r\n\r\n192.0.2.2 # two\r\n192.0.2.3\r",
			"192.0.2.1\n192.0.2.2 two\n192.0.2.3\n");
	assert_listfile(LISTFILE_AUTO,
			"\xef\xbb\xbf"
			"192.0.2.1\n",
			"192.0.2.1\n");
	assert_listfile(LISTFILE_AUTO, "\xef\xbb\xbf", "");
}

static void equal_reasons_share_a_note(void **state)
{
	static const char text[] = "192.0.2.1 # spam\n192.0.2.2 # spam\n192.0.2.3 # virus\n"
				   "192.0.2.4 # spam\n192.0.2.5\n";
	struct listfile_report report;
	struct entry_set set = listfile_load(LISTFILE_PLAIN, text, strlen(text), &report);

	(void)state;
	assert_int_equal(set.note_count, 2);
	assert_int_equal(set.notes_size, sizeof("spam") + sizeof("virus"));
	assert_int_equal(set.entry[0].note, 1);
	assert_int_equal(set.entry[1].note, 1);
	assert_int_equal(set.entry[2].note, 2);
	assert_int_equal(set.entry[3].note, 1);
	assert_int_equal(set.entry[4].note, 0);
	entry_set_clear(&set);
}

static void reasons_are_clean_and_short(void **state)
{
	char text[1024] = "192.0.2.1 # \x1b[31mred\xff\xc3\xa9\n192.0.2.2 # ";
	struct listfile_report report;
	struct entry_set set;
	const char *note;
	size_t len = strlen(text);

	(void)state;
	for (int i = 0; i < 300; i += 2)
		len += (size_t)sprintf(text + len, "\xc3\xa9");
	set = listfile_load(LISTFILE_PLAIN, text, len, &report);
	assert_int_equal(set.count, 2);
	assert_string_equal(note_text(&set, 1), "?[31mred?\xc3\xa9");
	note = note_text(&set, 2);
	assert_true(strlen(note) <= NOTE_TEXT_MAX);
	assert_true(strlen(note) > NOTE_TEXT_MAX - 4);
	assert_string_equal(note + strlen(note) - 5, "\xc3\xa9...");
	entry_set_clear(&set);
}

/* A budget is an error that names the line where it ran out, also when bad lines are skipped. */
static void budgets_are_errors(void **state)
{
	struct listfile_options options = { .name = "list", .entries_max = 10, .skip_bad = true };
	static const char ten[] = "1.0.0.1\n1.0.0.2\n1.0.0.3\n1.0.0.4\n1.0.0.5\n"
				  "1.0.0.6\n1.0.0.7\n1.0.0.8\n1.0.0.9\nx\n1.0.0.10";
	static const char eleven[] = "1.0.0.1\n1.0.0.2\n1.0.0.3\n1.0.0.4\n1.0.0.5\n"
				     "1.0.0.6\n1.0.0.7\n1.0.0.8\n1.0.0.9\nx\n1.0.0.10\n1.0.0.11\n";
	static const char split[] = "10.0.0.1-10.0.0.254";
	static const char excluded[] = "10.0.0.0/8\n!10.0.0.1-10.0.0.254\n";
	static const char cut[] = "10.0.0.0/8\n!10.0.0.1\n";
	struct listfile_report report;
	struct entry_set set = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(listfile_parse(&options, ten, strlen(ten), &set, &report, &err), 0);
	assert_int_equal(set.count, 10);
	entry_set_clear(&set);
	assert_int_equal(listfile_parse(&options, eleven, strlen(eleven), &set, &report, &err),
			 ERROR_REFUSED);
	assert_string_equal(err.text, "list:12: more than 10 entries");
	assert_null(set.entry);
	assert_int_equal(listfile_parse(&options, split, strlen(split), &set, &report, &err),
			 ERROR_REFUSED);
	assert_string_equal(err.text, "list:1: more than 10 entries");
	assert_int_equal(listfile_parse(&options, excluded, strlen(excluded), &set, &report, &err),
			 ERROR_REFUSED);
	assert_string_equal(err.text, "list:2: more than 10 exclusions");
	assert_int_equal(listfile_parse(&options, cut, strlen(cut), &set, &report, &err),
			 ERROR_REFUSED);
	assert_string_equal(err.text, "list:2: more than 10 entries");
	assert_null(set.entry);
}

static void formats_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum listfile_format format;
	} rows[] = {
		{ "", LISTFILE_PLAIN },
		{ "192.0.2.1\n", LISTFILE_PLAIN },
		{ "::1\n", LISTFILE_PLAIN },
		{ "# $SOA is not in this comment\n192.0.2.1", LISTFILE_PLAIN },
		{ "create x hash:ip family inet\n", LISTFILE_IPSET },
		{ "# generated\nadd x 192.0.2.1\n", LISTFILE_IPSET },
		{ "{\"cidr\":\"192.0.2.0/24\"}\n", LISTFILE_DROP },
		{ "; Spamhaus DROP List 2024/11/24\n192.0.2.0/24 ; SBL1\n", LISTFILE_DROP },
		{ "$SOA 1w a b 0 2h 2h 1w 1h\n", LISTFILE_RBLDNSD },
		{ "#$NS 1w a\n192.0.2.1", LISTFILE_RBLDNSD },
		{ ":127.0.0.2:Listed\n192.0.2.1", LISTFILE_RBLDNSD },
		{ "192.0.2.0/24\n!192.0.2.1\n", LISTFILE_RBLDNSD },
		{ "192.0.2.1 :3:relay\n", LISTFILE_RBLDNSD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct listfile_report report;
		struct entry_set set =
			listfile_load(LISTFILE_AUTO, rows[i].text, strlen(rows[i].text), &report);

		assert_string_equal(listfile_format_name(report.format),
				    listfile_format_name(rows[i].format));
		entry_set_clear(&set);
	}
	/* A typing error in a plain list must not turn it into a zone, where 192.0.2 is a /24. */
	assert_listfile_refused(LISTFILE_AUTO, "192.0.2.1\n192.0.2\n",
				"list:2: 192.0.2: an IPv4 address has four numbers from 0 to 255");
}

static void what_is_not_text_is_named(void **state)
{
	(void)state;
	assert_listfile_refused(LISTFILE_AUTO, "\x1f\x8b\x08",
				"list: the file is compressed with gzip; unpack it first");
	assert_listfile_refused(LISTFILE_PLAIN,
				"\xff\xfe"
				"1",
				"list: the file is in UTF-16; convert it to UTF-8 first");
	assert_listfile_refused(LISTFILE_AUTO, "<!DOCTYPE html>\n",
				"list: the file is an HTML page, not a list");
}

static void format_names(void **state)
{
	enum listfile_format format = LISTFILE_PLAIN;
	struct error err = { 0 };

	(void)state;
	for (int i = 0; i < LISTFILE_FORMATS; i++) {
		const char *name = listfile_format_name((enum listfile_format)i);

		assert_int_equal(listfile_format_parse(name, &format, &err), 0);
		assert_int_equal(format, i);
	}
	assert_int_equal(listfile_format_parse("csv", &format, &err), ERROR_USAGE);
	assert_string_equal(err.text, "csv: the formats are auto, plain, ipset, drop and rbldnsd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_lines),
		cmocka_unit_test(plain_ranges),
		cmocka_unit_test(ipv6_ranges_never_hold_ipv4),
		cmocka_unit_test(firehol_netset),
		cmocka_unit_test(line_ends),
		cmocka_unit_test(equal_reasons_share_a_note),
		cmocka_unit_test(reasons_are_clean_and_short),
		cmocka_unit_test(budgets_are_errors),
		cmocka_unit_test(formats_are_told_apart),
		cmocka_unit_test(what_is_not_text_is_named),
		cmocka_unit_test(format_names),
	};

	return cmocka_run_group_tests_name("listfile", tests, NULL, NULL);
}
