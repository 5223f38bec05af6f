/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of session/smtp/path: addresses that are read and what is sent on of them, addresses that
 * are refused, and parameters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "session/smtp/path.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LINE_SIZE    2048
#define TEN          "abcdefghij"
#define SIXTY        TEN TEN TEN TEN TEN TEN
#define LOCAL_128    SIXTY SIXTY "12345678"
#define LABEL_63     SIXTY "123"
#define DOMAIN_253   LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY "a"

static int parse(const char *text, bool utf8, struct path_line *out, struct error *err)
{
	static char line[LINE_SIZE];

	assert_true(strlen(text) < sizeof(line));
	memcpy(line, text, strlen(text) + 1);
	return path_parse(line, strlen(text), utf8, out, err);
}

/* The flags as letters: null, literal, quoted, route, indirect, utf8. */
static void flags_of(const struct path *path, char out[8])
{
	snprintf(out, 8, "%s%s%s%s%s%s", path->null ? "n" : "", path->literal ? "l" : "",
		 path->quoted ? "q" : "", path->route ? "r" : "", path->indirect ? "i" : "",
		 path->utf8 ? "u" : "");
}

static void paths_that_are_read(void **state)
{
	static const struct {
		const char *line, *text, *local, *domain, *flags;
	} rows[] = {
		{ "<>", "<>", "", "", "n" },
		{ "<a@b>", "<a@b>", "a", "b", "" },
		{ "<User@Example.ORG>", "<User@example.org>", "User", "example.org", "" },
		{ " <a@b.example>", "<a@b.example>", "a", "b.example", "" },
		{ "   <a@b.example> \t ", "<a@b.example>", "a", "b.example", "" },
		{ "<postmaster>", "<postmaster>", "postmaster", "", "" },
		{ "<PostMaster>", "<PostMaster>", "PostMaster", "", "" },
		{ "<a.b-c+d=e@x.example>", "<a.b-c+d=e@x.example>", "a.b-c+d=e", "x.example", "" },
		{ "<!#$&'*+-/=?^_`{|}~@x>", "<!#$&'*+-/=?^_`{|}~@x>", "!#$&'*+-/=?^_`{|}~", "x",
		  "i" },
		{ "<a@x_y.example>", "<a@x_y.example>", "a", "x_y.example", "" },
		{ "<a@xn--bcher-kva.example>", "<a@xn--bcher-kva.example>", "a",
		  "xn--bcher-kva.example", "" },
		{ "<a@b--c.1a>", "<a@b--c.1a>", "a", "b--c.1a", "" },
		/* Quoted. */
		{ "<\"a b\"@x>", "<\"a b\"@x>", "a b", "x", "q" },
		{ "<\"a@b\"@x>", "<\"a@b\"@x>", "a@b", "x", "qi" },
		{ "<\"\\\"\"@x>", "<\"\\\"\"@x>", "\"", "x", "q" },
		{ "<\"a\\b\"@x>", "<\"a\\b\"@x>", "ab", "x", "q" },
		{ "<\"a\\\\\"@x>", "<\"a\\\\\"@x>", "a\\", "x", "q" },
		{ "<\"a>\"@x>", "<\"a>\"@x>", "a>", "x", "q" },
		{ "<\"a> <b\"@x>", "<\"a> <b\"@x>", "a> <b", "x", "q" },
		{ "<\"a..b\"@x>", "<\"a..b\"@x>", "a..b", "x", "q" },
		{ "<\"postmaster\"@x>", "<\"postmaster\"@x>", "postmaster", "x", "q" },
		{ "<\"\\@\"@x>", "<\"\\@\"@x>", "@", "x", "qi" },
		/* What somebody behind could read otherwise. */
		{ "<a%b@x>", "<a%b@x>", "a%b", "x", "i" },
		{ "<b!a@x>", "<b!a@x>", "b!a", "x", "i" },
		{ "<%@x>", "<%@x>", "%", "x", "i" },
		{ "<\"b!a\"@x>", "<\"b!a\"@x>", "b!a", "x", "qi" },
		/* Source routes. */
		{ "<@a.example:b@x>", "<b@x>", "b", "x", "r" },
		{ "<@a.example,@b.example:c@x>", "<c@x>", "c", "x", "r" },
		{ "<@a:\"@b:c\"@x>", "<\"@b:c\"@x>", "@b:c", "x", "qri" },
		/* Literals. */
		{ "<a@[192.0.2.1]>", "<a@[192.0.2.1]>", "a", "[192.0.2.1]", "l" },
		{ "<a@[IPv6:2001:DB8:0::1]>", "<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]",
		  "l" },
		{ "<a@[ipv6:::1]>", "<a@[IPv6:::1]>", "a", "[IPv6:::1]", "l" },
		{ "<a@[IPv6:::ffff:192.0.2.1]>", "<a@[192.0.2.1]>", "a", "[192.0.2.1]", "l" },
		/* Lengths. */
		{ "<" LOCAL_128 "@" DOMAIN_253 ">", "<" LOCAL_128 "@" DOMAIN_253 ">", LOCAL_128,
		  DOMAIN_253, "" },
		/* Other characters than ASCII. */
		{ "<j\xc3\xbcrgen@x>", "<j\xc3\xbcrgen@x>", "j\xc3\xbcrgen", "x", "u" },
		{ "<a@b\xc3\xbc"
		  "cher.example>",
		  "<a@xn--bcher-kva.example>", "a", "xn--bcher-kva.example", "u" },
		{ "<a@B\xc3\x9c"
		  "CHER.example>",
		  "<a@xn--bcher-kva.example>", "a", "xn--bcher-kva.example", "u" },
		{ "<\"j \xc3\xbc\"@x>", "<\"j \xc3\xbc\"@x>", "j \xc3\xbc", "x", "qu" },
		{ "<a@stra\xc3\x9f"
		  "e.example>",
		  "<a@xn--strae-oqa.example>", "a", "xn--strae-oqa.example", "u" },
	};
	struct path_line line;
	struct error err = { 0 };
	char flags[8];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse(rows[i].line, true, &line, &err))
			fail_msg("%s: %s", rows[i].line, err.text);
		assert_string_equal(line.path.text, rows[i].text);
		assert_string_equal(line.path.local, rows[i].local);
		assert_string_equal(line.path.domain, rows[i].domain);
		flags_of(&line.path, flags);
		assert_string_equal(flags, rows[i].flags);
		assert_int_equal(line.count, 0);
		/* Without the extension it is the same, or it needs the extension. */
		assert_int_equal(parse(rows[i].line, false, &line, NULL) != 0, line.path.utf8);
	}
}

#define DOTS    "a dot at the wrong place of the local part"
#define NAME    "not a domain name"
#define LONG    "the local part is too long"
#define LENGTH  "a domain has 1 to 253 characters"
#define WANTED  "an address in < and > is wanted"
#define END     "an address that does not end in >"
#define BEHIND  "something behind the address"
#define NEITHER "not an address with a local part and a domain"
#define CONTROL "a control character"
#define BRACKET "not an address in the brackets"
#define ROUTE   "a source route that does not end"
#define NO_IDN  "not an internationalized domain name"
static void paths_that_are_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{ "", WANTED },
		{ " ", WANTED },
		{ "a@b", WANTED },
		{ "a@b>", WANTED },
		{ "User <a@b>", WANTED },
		{ "(comment)<a@b>", WANTED },
		{ "<", "no local part" },
		{ "<a@b", END },
		{ "<a@b <c@d>", NAME },
		{ "<a@b>c", BEHIND },
		{ "<a@b>>", BEHIND },
		{ "<a@b><c@d>", BEHIND },
		{ "<a@b>,<c@d>", BEHIND },
		{ "<>>", BEHIND },
		{ "<> <a@b>", "a parameter that is not NAME or NAME=VALUE" },
		{ "< >", "no local part" },
		{ "< a@b>", "no local part" },
		{ "<a@b >", NAME },
		{ "<a @b>", NEITHER },
		{ "<a>", NEITHER },
		{ "<abuse>", NEITHER },
		{ "<\"postmaster\">", NEITHER },
		{ "<@x:postmaster>", NEITHER },
		{ "<postmaster", NEITHER },
		{ "<@b>", ROUTE },
		{ "<a@>", LENGTH },
		{ "<@>", LENGTH },
		{ "<.a@b>", DOTS },
		{ "<a.@b>", DOTS },
		{ "<a..c@b>", DOTS },
		{ "<a@.b>", NAME },
		{ "<a@b.>", NAME },
		{ "<a@b..c>", NAME },
		{ "<a@-b>", NAME },
		{ "<a@b-.c>", NAME },
		{ "<a@b c>", NAME },
		{ "<a@b@c>", NAME },
		{ "<a@b%c>", NAME },
		{ "<a@b/c>", NAME },
		{ "<a@b(c)>", NAME },
		{ "<a@b:25>", NAME },
		{ "<a@[192.0.2.1>", BRACKET },
		{ "<a@192.0.2.1>", "an address, not a domain name" },
		{ "<a@1>", "an address, not a domain name" },
		{ "<a@" LABEL_63 "a>", NAME },
		{ "<a@" DOMAIN_253 "b>", LENGTH },
		{ "<" LOCAL_128 "9@b>", LONG },
		{ "<\"" LOCAL_128 "9\"@b>", LONG },
		{ "<\"" LOCAL_128 "\"@b>", LONG },
		{ "<(c)a@b>", "no local part" },
		{ "<a(c)@b>", NEITHER },
		{ "<a,c@b>", NEITHER },
		{ "<a:c@b>", NEITHER },
		{ "<a\\@c@b>", NEITHER },
		{ "<a\\\"@b>", NEITHER },
		{ "<a<c@b>", NEITHER },
		{ "<a[c]@b>", NEITHER },
		{ "<\"a@b>", "a quote that does not end" },
		{ "<\"a\\\"@b>", "a quote that does not end" },
		{ "<\"a\\", "a quote that does not end" },
		{ "<\"\"@b>", "no local part" },
		{ "<\"a\"c@b>", NEITHER },
		{ "<a\"c\"@b>", NEITHER },
		{ "<\"a\".\"c\"@b>", NEITHER },
		{ "<@a:@b:c@d>", "no local part" },
		{ "<@a,b@c>", ROUTE },
		{ "<@a,:b@c>", ROUTE },
		{ "<@a b@c>", NAME },
		{ "<@[192.0.2.1]:b@c>", NAME },
		{ "<@:b@c>", LENGTH },
		{ "<a@[192.0.2]>", BRACKET },
		{ "<a@[192.0.2.256]>", BRACKET },
		{ "<a@[]>", BRACKET },
		{ "<a@[2001:db8::1]>", BRACKET },
		{ "<a@[IPv6:192.0.2.1]>", BRACKET },
		{ "<a@[IPv6:]>", BRACKET },
		{ "<a@[IPv6:fe80::1%eth0]>", BRACKET },
		{ "<a@[x400:c]>", BRACKET },
		{ "<a@[192.0.2.1/24]>", BRACKET },
		{ "<a@[ 192.0.2.1]>", BRACKET },
		{ "<a@[192.0.2.1]b>", END },
		{ "<a@[192.0.2.1].b>", END },
		{ "<a\t@b>", CONTROL },
		{ "<a\r\n@b>", CONTROL },
		{ "<a@b\n>", CONTROL },
		{ "<\"a\rb\"@c>", CONTROL },
		{ "<\"a\\\nb\"@c>", CONTROL },
		{ "<\"\x7f\"@c>", CONTROL },
		{ "<\"\xc2\x85\"@c>", CONTROL },
		{ "<a\xe2\x80\xae@c>", CONTROL },
		{ "\t<a@b>", CONTROL },
		{ "<a@b> SIZE=1\r\nRCPT TO:<c@d>", CONTROL },
		{ "<a\xff@b>", "not valid UTF-8" },
		{ "<a\xc0\xaf@b>", "not valid UTF-8" },
		{ "<a@b\xc3>", "not valid UTF-8" },
		/* Characters that a mapping could turn into others. */
		{ "<a@b\xef\xbc\xa0"
		  "c>",
		  NAME },                                                /* U+FF20, "@" */
		{ "<a@b\xef\xbc\x9e>", NAME },                           /* U+FF1E, ">" */
		{ "<a@\xe3\x80\x80>", NAME },                            /* U+3000, " " */
		{ "<a@b\xe3\x80\x82>", NAME },                           /* U+3002, "." */
		{ "<a@\xef\xbc\x91>", "an address, not a domain name" }, /* U+FF11, "1" */
		{ "<a@xn--\xc3\xbc>", NO_IDN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct path_line line, before;
		struct error err = { 0 };

		memset(&line, 0x5a, sizeof(line));
		before = line;
		if (parse(rows[i].line, true, &line, &err) != ERROR_REFUSED)
			fail_msg("%s: taken as %s", rows[i].line, line.path.text);
		if (strcmp(err.text, rows[i].why) != 0)
			fail_msg("%s: %s, not %s", rows[i].line, err.text, rows[i].why);
		assert_memory_equal(&line, &before, sizeof(line));
	}
}

/* Whatever lies behind a NUL is part of the line, so the line is refused. */
static void a_line_with_a_nul(void **state)
{
	static const char *const rows[] = { "<a@b>|", "<a@b>| SIZE=1", "|<a@b>",
					    "<a|@b>", "<\"a|\"@b>",    "<a@b> SIZE=1|" };
	struct path_line line;
	struct error err;
	char text[40];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const size_t len = strlen(rows[i]);

		memcpy(text, rows[i], len + 1);
		*strchr(text, '|') = '\0';
		assert_int_equal(path_parse(text, len, true, &line, &err), ERROR_REFUSED);
		assert_string_equal(err.text, CONTROL);
	}
}

static void utf8_needs_the_extension(void **state)
{
	static const char *const rows[] = { "<\xc3\xbc@b>", "<a@\xc3\xbc.example>", "<a@\xff>",
					    "<@\xc3\xbc.example:a@b>", "<a@b> X=\xc3\xbc" };
	struct path_line line;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(parse(rows[i], false, &line, &err), ERROR_REFUSED);
		assert_string_equal(err.text, "not ASCII, and without SMTPUTF8");
	}
}

static void parameters_that_are_read(void **state)
{
	static const struct {
		const char *line, *name, *value;
		size_t count;
	} rows[] = {
		{ "<a@b> SIZE=1000", "size", "1000", 1 },
		{ "<a@b> size=00000000000000000000", "SIZE", "00000000000000000000", 1 },
		{ "<a@b>  SIZE=1   BODY=8bitmime  ", "BODY", "8bitmime", 2 },
		{ "<a@b> BODY=7BIT", "BODY", "7BIT", 1 },
		{ "<a@b> SMTPUTF8 BODY=BINARYMIME", "SMTPUTF8", NULL, 2 },
		{ "<> RET=HDRS ENVID=QQ314159", "ENVID", "QQ314159", 2 },
		{ "<a@b> RET=full", "RET", "full", 1 },
		{ "<a@b> NOTIFY=NEVER", "NOTIFY", "NEVER", 1 },
		{ "<a@b> NOTIFY=SUCCESS,delay,FAILURE", "NOTIFY", "SUCCESS,delay,FAILURE", 1 },
		{ "<a@b> ORCPT=rfc822;a+2Bc@b", "ORCPT", "rfc822;a+2Bc@b", 1 },
		{ "<a@b> ORCPT=utf-8;\xc3\xbc@b", "ORCPT", "utf-8;\xc3\xbc@b", 1 },
		{ "<a@b> AUTH=<>", "AUTH", "<>", 1 },
		{ "<a@b> AUTH=e+3Dmc2@example.com", "AUTH", "e+3Dmc2@example.com", 1 },
		{ "<a@b> X-UNKNOWN", "X-UNKNOWN", NULL, 1 },
		{ "<a@b> 1=2", "1", "2", 1 },
		{ "<a@b> A B C D E F G H I J K L M N O P", "P", NULL, PATH_PARAMETERS_MAX },
	};
	struct path_line line;
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct path_parameter *found;

		if (parse(rows[i].line, true, &line, &err))
			fail_msg("%s: %s", rows[i].line, err.text);
		assert_int_equal(line.count, rows[i].count);
		found = path_parameter(&line, rows[i].name);
		assert_non_null(found);
		if (rows[i].value)
			assert_string_equal(found->value, rows[i].value);
		else
			assert_null(found->value);
		assert_null(path_parameter(&line, "NONE"));
	}
}

#define FORM  "a parameter that is not NAME or NAME=VALUE"
#define VALUE "a parameter with a value it cannot have"
#define TWICE "a parameter that is there twice"
static void parameters_that_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "=1", FORM },
		{ "-A=1", FORM },
		{ "A_B=1", FORM },
		{ "A=", FORM },
		{ "A=b=c", FORM },
		{ "<b@c>", FORM },
		{ "\xc3\xbc=1", FORM },
		{ "SIZE", VALUE },
		{ "SIZE=-1", VALUE },
		{ "SIZE=1k", VALUE },
		{ "SIZE=123456789012345678901", VALUE },
		{ "SIZE=1 SIZE=1", TWICE },
		{ "SIZE=1 size=2", TWICE },
		{ "BODY", VALUE },
		{ "BODY=8BIT", VALUE },
		{ "SMTPUTF8=yes", VALUE },
		{ "RET=ALL", VALUE },
		{ "RET", VALUE },
		{ "ENVID=a+b", VALUE },
		{ "ENVID=a+2b", VALUE },
		{ "ENVID=a+2", VALUE },
		{ "ENVID=" SIXTY TEN TEN TEN TEN "1", VALUE },
		{ "NOTIFY=NEVER,SUCCESS", VALUE },
		{ "NOTIFY=SUCCESS,SUCCESS", VALUE },
		{ "NOTIFY=SUCCESS,", VALUE },
		{ "NOTIFY=,SUCCESS", VALUE },
		{ "NOTIFY=SUCC", VALUE },
		{ "NOTIFY=SUCCESSFUL", VALUE },
		{ "NOTIFY", VALUE },
		{ "ORCPT=rfc822", VALUE },
		{ "ORCPT=;a", VALUE },
		{ "ORCPT=rfc822;", VALUE },
		{ "ORCPT=rfc822;+zz", VALUE },
		{ "AUTH", VALUE },
		{ "AUTH=+", VALUE },
		{ "A B C D E F G H I J K L M N O P Q", "too many parameters" },
	};
	struct path_line line;
	struct error err = { 0 };
	char text[400];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "<a@b> %s", rows[i].text);
		if (parse(text, true, &line, &err) != ERROR_REFUSED)
			fail_msg("%s: taken", rows[i].text);
		if (strcmp(err.text, rows[i].why) != 0)
			fail_msg("%s: %s", rows[i].text, err.text);
	}
	assert_int_equal(parse("<a@b> SIZE=x", true, &line, NULL), ERROR_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_that_are_read),
		cmocka_unit_test(paths_that_are_refused),
		cmocka_unit_test(a_line_with_a_nul),
		cmocka_unit_test(utf8_needs_the_extension),
		cmocka_unit_test(parameters_that_are_read),
		cmocka_unit_test(parameters_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
