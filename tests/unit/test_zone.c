/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of conf/zone: rows of DNS lists that are read, which answers count, what is refused and in
 * which words, and that a key is shown nowhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/zone.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LABEL_63     "abcdefghi-abcdefghi-abcdefghi-abcdefghi-abcdefghi-abcdefghi-abc"
#define KEY          "sekret"
#define UUID         "550e8400-e29b-41d4-a716-446655440000"

static struct conf_zone read_row(const char *text)
{
	struct conf_zone zone;
	struct error err = { 0 };

	if (conf_zone_parse(text, &zone, &err))
		fail_msg("%s", err.text);
	return zone;
}

static void rows_are_read(void **state)
{
	static const struct {
		const char *text, *name, *shown;
		int32_t weight;
		uint16_t filtered;
	} rows[] = {
		{ "zen.spamhaus.org", "zen.spamhaus.org", "zen.spamhaus.org", 1, 0 },
		{ "zen.spamhaus.org*8", "zen.spamhaus.org", "zen.spamhaus.org", 8, 0 },
		{ "Zen.SpamHaus.Org.*-1000", "zen.spamhaus.org", "zen.spamhaus.org", -1000, 0 },
		{ "list.dnswl.org=127.0.[0..255].[1..3]*-4", "list.dnswl.org", "list.dnswl.org", -4,
		  1 },
		{ "multi.uribl.com=127.0.0.&14*4", "multi.uribl.com", "multi.uribl.com", 4, 1 },
		{ "a.example.=127.0.0.2", "a.example", "a.example", 1, 1 },
		{ "local*1000", "local", "local", 1000, 0 },
		{ "local.", "local", "local", 1, 0 },
		{ "_x.1-2.3.b_*007", "_x.1-2.3.b_", "_x.1-2.3.b_", 7, 0 },
		{ "x." LABEL_63, "x." LABEL_63, "x." LABEL_63, 1, 0 },
		{ "{" KEY "}.dq.example.net", KEY ".dq.example.net", "dq.example.net", 1, 0 },
		{ "{Sekret}.DQ.example.net.=127.0.0.[2;4..7]*3", KEY ".dq.example.net",
		  "dq.example.net", 3, 1 },
		{ "{a.b}.example", "a.b.example", "example", 1, 0 },
		/* Keys without braces: 20 letters and digits, whatever is between them. */
		{ "abcdefghij0123456789.dq.example", "abcdefghij0123456789.dq.example",
		  "dq.example", 1, 0 },
		{ UUID ".example", UUID ".example", "example", 1, 0 },
		{ "abcdefghij012345678.dq.example", "abcdefghij012345678.dq.example",
		  "abcdefghij012345678.dq.example", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct conf_zone zone = read_row(rows[i].text);

		assert_string_equal(zone.name, rows[i].name);
		assert_string_equal(conf_zone_shown(&zone), rows[i].shown);
		assert_int_equal(zone.weight, rows[i].weight);
		assert_int_equal(zone.filtered, rows[i].filtered);
	}
}

static void answers_count(void **state)
{
	static const struct {
		const char *text;
		uint32_t answer;
		bool counts;
	} rows[] = {
		{ "z", 0x7f000002, true },
		{ "z", 0x7fffffff, true }, /* errors are not looked at here */
		{ "z", 0x7e000002, false },
		{ "z", 0x80000002, false },
		{ "z=127.0.0.2", 0x7f000002, true },
		{ "z=127.0.0.2", 0x7f000003, false },
		{ "z=127.0.0.2", 0x7f000102, false },
		{ "z=127.0.0.2", 0x7f010002, false },
		{ "z=127.0.0.[10;2;4..7]", 0x7f000002, true },
		{ "z=127.0.0.[10;2;4..7]", 0x7f000003, false },
		{ "z=127.0.0.[10;2;4..7]", 0x7f000004, true },
		{ "z=127.0.0.[10;2;4..7]", 0x7f000007, true },
		{ "z=127.0.0.[10;2;4..7]", 0x7f000008, false },
		{ "z=127.0.0.[10;2;4..7]", 0x7f00000a, true },
		{ "z=127.0.[0..255].[1..3]", 0x7f00ff01, true },
		{ "z=127.0.[0..255].[1..3]", 0x7f00ff00, false },
		{ "z=127.0.[0..255].[1..3]", 0x7f00ff04, false },
		{ "z=127.0.0.&14", 0x7f000001, false },
		{ "z=127.0.0.&14", 0x7f000002, true },
		{ "z=127.0.0.&14", 0x7f000011, false },
		{ "z=127.0.0.&14", 0x7f0000f8, true },
		{ "z=127.0.0.&128", 0x7f0000ff, true },
		{ "z=[0..255].0.0.2", 0x7f000002, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct conf_zone zone = read_row(rows[i].text);

		if (conf_zone_counts(&zone, rows[i].answer) != rows[i].counts)
			fail_msg("%s and %08x", rows[i].text, rows[i].answer);
	}
}

/* The message is the row, as it may be shown, and what is wrong with it. */
static void rows_are_refused(void **state)
{
#define CHARACTERS "has a name with something else than letters, digits, \"-\", \"_\" and \".\""
#define REPLIES    "has replies that are not four numbers, sets or masks, as 127.0.0.[2;4..7]"
#define SET                                                                                        \
	"has a set in its replies that is not numbers and ranges with \";\" between them, as "     \
	"[2;4..7]"
#define WEIGHT "has a weight that is not a whole number from -1000 to 1000"
	static const struct {
		const char *text, *shown, *wrong;
	} rows[] = {
		{ "", "\"\"", "has no name of a zone" },
		{ "*8", "*8", "has no name of a zone" },
		{ "=127.0.0.2", "=127.0.0.2", "has no name of a zone" },
		{ ".", ".", "has a name with an empty label" },
		{ ".a", ".a", "has a name with an empty label" },
		{ "a..b", "a..b", "has a name with an empty label" },
		{ "a..", "a..", "has a name with an empty label" },
		{ "a b.c", "a b.c", CHARACTERS },
		{ " a.c", " a.c", CHARACTERS },
		{ "a.c ", "a.c ", CHARACTERS },
		{ "a.c *2", "a.c *2", CHARACTERS },
		{ "a\n.c", "a?.c", CHARACTERS },
		{ "b\xc3\xbc.c", "b\xc3\xbc.c", CHARACTERS },
		{ "b\xff.c", "b?.c", CHARACTERS },
		{ "a.c:53", "a.c:53", CHARACTERS },
		{ "-a.c", "-a.c", "has a name with a label that starts or ends with \"-\"" },
		{ "a-.c", "a-.c", "has a name with a label that starts or ends with \"-\"" },
		{ "x." LABEL_63 "d", "...", "has a name with a label of more than 63 characters" },
		{ "127.0.0.2", "127.0.0.2",
		  "has an address or a number where the name of a zone is wanted" },
		{ "a.25*3", "a.25*3",
		  "has an address or a number where the name of a zone is wanted" },
		/* Replies. */
		{ "a=", "a=", REPLIES },
		{ "a=*2", "a=*2", REPLIES },
		{ "a=127.0.0", "a=127.0.0", REPLIES },
		{ "a=127.0.0.", "a=127.0.0.", REPLIES },
		{ "a=127.0.0.x", "a=127.0.0.x", REPLIES },
		{ "a=127.0.0.-2", "a=127.0.0.-2", REPLIES },
		{ "a=127 .0.0.2", "a=127 .0.0.2", REPLIES },
		{ "a=127.0.0.256", "a=127.0.0.256", "has a number above 255 in its replies" },
		{ "a=127.0.0.99999999999", "a=127.0.0.99999999999",
		  "has a number above 255 in its replies" },
		{ "a=127.0.0.02", "a=127.0.0.02",
		  "has a number in its replies that starts with 0" },
		{ "a=127.0.0.2.3", "a=127.0.0.2.3",
		  "has something else than \"*\" and a weight behind its replies" },
		{ "a=127.0.0.2=127.0.0.3", "a=127.0.0.2=127.0.0.3",
		  "has something else than \"*\" and a weight behind its replies" },
		{ "a=127.0.0.2;3", "a=127.0.0.2;3",
		  "has something else than \"*\" and a weight behind its replies" },
		{ "a=127.0.0.[]", "a=127.0.0.[]", REPLIES },
		{ "a=127.0.0.[2;]", "a=127.0.0.[2;]", REPLIES },
		{ "a=127.0.0.[2..]", "a=127.0.0.[2..]", REPLIES },
		{ "a=127.0.0.[&2]", "a=127.0.0.[&2]", REPLIES },
		{ "a=127.0.0.[2", "a=127.0.0.[2", SET },
		{ "a=127.0.0.[2,3]", "a=127.0.0.[2,3]", SET },
		{ "a=127.0.0.[2.3]", "a=127.0.0.[2.3]", SET },
		{ "a=127.0.0.[2..3..4]", "a=127.0.0.[2..3..4]", SET },
		{ "a=127.0.0.[0..256]", "a=127.0.0.[0..256]",
		  "has a number above 255 in its replies" },
		{ "a=127.0.0.[7..4]", "a=127.0.0.[7..4]",
		  "has a range that ends below its start in its replies" },
		{ "a=127.0.0.&0", "a=127.0.0.&0",
		  "has the mask &0 in its replies, which no answer matches" },
		{ "a=127.0.0.&", "a=127.0.0.&", REPLIES },
		{ "a=127.0.0.&256", "a=127.0.0.&256", "has a number above 255 in its replies" },
		{ "a=10.0.0.2", "a=10.0.0.2",
		  "has replies outside 127.0.0.0/8, which never count" },
		{ "a=[0..126].0.0.2", "a=[0..126].0.0.2",
		  "has replies outside 127.0.0.0/8, which never count" },
		{ "a=127.255.255.[0..255]", "a=127.255.255.[0..255]",
		  "has only replies that are errors of the list, which never count" },
		/* Weights. */
		{ "a*0", "a*0", "has a weight of 0, with which it means nothing" },
		{ "a*-0", "a*-0", "has a weight of 0, with which it means nothing" },
		{ "a*", "a*", WEIGHT },
		{ "a*-", "a*-", WEIGHT },
		{ "a*+1", "a*+1", WEIGHT },
		{ "a*1k", "a*1k", WEIGHT },
		{ "a*1.5", "a*1.5", WEIGHT },
		{ "a*1*2", "a*1*2", WEIGHT },
		{ "a*1=127.0.0.2", "a*1=127.0.0.2", WEIGHT },
		{ "a*1001", "a*1001", WEIGHT },
		{ "a*-1001", "a*-1001", WEIGHT },
		{ "a*99999999999999999999999", "a*99999999999999999999999", WEIGHT },
		/* Keys. */
		{ "{" KEY "}", "...", "has no \".\" and name of a zone behind its key" },
		{ "{" KEY "}.", "....", "has no \".\" and name of a zone behind its key" },
		{ "{" KEY "}.=127.0.0.2", "....=127.0.0.2",
		  "has no \".\" and name of a zone behind its key" },
		{ "{" KEY "}a.b", "...a.b", "has no \".\" and name of a zone behind its key" },
		{ "{" KEY ".a.b", "...", "has a \"{\" without its \"}\"" },
		{ "{}.a.b", "....a.b", "has nothing, or far too much, for a key in its braces" },
		{ "{" KEY "}.a.b*0", "....a.b*0",
		  "has a weight of 0, with which it means nothing" },
		{ "{" KEY ".}.a", "....a", "has a name with an empty label" },
		{ "{" KEY "*2}.a", "....a", CHARACTERS },
		{ KEY "}.a", "....a", CHARACTERS },
		{ " {" KEY "}.a", "....a", CHARACTERS },
		{ "a.{" KEY "}.a", "....a", CHARACTERS },
		{ "{{" KEY "}}.a", "....a", "has no \".\" and name of a zone behind its key" },
		{ "{a}.{" KEY "}.a", "....a", CHARACTERS },
		{ "{a}.b{" KEY, "...", CHARACTERS },
		{ "abcdefghij0123456789.a*0", "....a*0",
		  "has a weight of 0, with which it means nothing" },
		{ ".abcdefghij0123456789.a", "....a", "has a name with an empty label" },
		{ "{" KEY "}.abcdefghij0123456789.a b", "....a b", CHARACTERS },
		{ "{*" KEY "}.abcdefghij0123456789.a", "....a", CHARACTERS },
		{ "abcdefghij0123456789*2", "...*2",
		  "has a name that is taken for a key, with no other label behind it that could be "
		  "shown" },
	};
	char expected[ERROR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf_zone zone, before;
		struct error err = { 0 };

		memset(&zone, 0x55, sizeof(zone));
		before = zone;
		assert_int_equal(conf_zone_parse(rows[i].text, &zone, &err), ERROR_REFUSED);
		snprintf(expected, sizeof(expected), "%s %s", rows[i].shown, rows[i].wrong);
		assert_string_equal(err.text, expected);
		assert_null(strstr(err.text, KEY));
		assert_memory_equal(&zone, &before, sizeof(zone));
		assert_int_equal(conf_zone_parse(rows[i].text, &zone, NULL), ERROR_REFUSED);
	}
}

/* A reversed IPv6 address and the longest name make the longest name that can be asked for. */
static void names_leave_room_for_an_address(void **state)
{
	char text[CONF_ZONE_LENGTH_MAX + 16] = "";
	struct error err = { 0 };
	struct conf_zone zone;

	(void)state;
	for (size_t i = 0; i < CONF_ZONE_LENGTH_MAX; i++)
		text[i] = i % 10 == 9 && i + 1 < CONF_ZONE_LENGTH_MAX ? '.' : 'x';
	zone = read_row(text);
	assert_int_equal(strlen(zone.name), 253 - 64);
	strcat(text, ".");
	zone = read_row(text);
	assert_int_equal(strlen(zone.name), 253 - 64);
	text[strlen(text) - 1] = 'x';
	assert_int_equal(conf_zone_parse(text, &zone, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "... has a name of more than 189 characters, which leaves "
					 "no room for an address"));
	memset(text, 'x', sizeof(text) - 1);
	text[0] = '{';
	memcpy(text + sizeof(text) - 4, "}.a", 4);
	assert_int_equal(conf_zone_parse(text, &zone, &err), ERROR_REFUSED);
	assert_string_equal(err.text,
			    "....a has nothing, or far too much, for a key in its braces");
}

static void rows_are_compared(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "a.example*3", "A.Example.*-3", true },
		{ "a.example=127.0.0.[2;3]", "a.example=127.0.0.[3;2..3]", true },
		{ "a.example=127.0.0.&1*2", "a.example=127.0.0.&1", true },
		{ "{k}.a.example", "k.a.example", true },
		{ "a.example", "b.example", false },
		{ "a.example", "a.example=127.0.0.2", false },
		{ "a.example=127.0.0.2", "a.example=127.0.0.3", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct conf_zone a = read_row(rows[i].a), b = read_row(rows[i].b);

		assert_int_equal(conf_zone_same(&a, &b), rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read),
		cmocka_unit_test(answers_count),
		cmocka_unit_test(rows_are_refused),
		cmocka_unit_test(names_leave_room_for_an_address),
		cmocka_unit_test(rows_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
