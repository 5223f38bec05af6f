/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/spf_parse: which records are SPF records, which are right, what is said of those
 * that are not, and what is read from each term.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "checks/spf_parse.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct spf_span span_of(const char *text)
{
	return (struct spf_span){ text, strlen(text) };
}

static void versions(void **state)
{
	static const char *const records[] = { "v=spf1", "V=SPF1 ", "v=SpF1 all" };
	static const char *const others[] = {
		"",           "v=spf",   "v=spf10", "v=spf1\tall",
		"v=spf1,all", " v=spf1", "w=spf1",  "spf2.0/pra all"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(records); i++)
		assert_true(spf_is_record(span_of(records[i])));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(spf_is_record(span_of(others[i])));
}

/* Terms that are right, as what stands behind "v=spf1 ". */
static const char *const right[] = {
	"",
	"   ",
	"all",
	"-ALL",
	"a",
	"a/0",
	"a//0",
	"a/32//128",
	"a:%{d}/24//64",
	"a:.com",
	"a:foo/bar:baz.example.com",
	"a:x.museum.",
	"a:example.1-1",
	"a:example.xn--zckzah",
	"a:x%%",
	"a:x%_",
	"a:%-",
	"a:$.example.com",
	"mx:%{l1r+-}._spf.%{d2}",
	"ptr:%{O127R.-+,/_=}",
	"include:_spf.%{d}",
	"exists:%{ir}.%{v}.example.com",
	"ip4:0.0.0.0/0",
	"ip4:255.255.255.255/32",
	"ip6:::/0",
	"ip6:::1.2.3.4/128",
	"ip6:2001:DB8::",
	"redirect=example.com",
	"exp=%{p}.example.com all",
	"REDIRECT=example.com Exp=example.net",
	"foo= foo= a.b-c_9=x%%y",
	"exp.=1",
	"a=b mx=c all=d",
};

static const struct {
	const char *terms, *said;
} wrong[] = {
	{ "%{d}=x", "there is no such mechanism" },
	{ "moo", "moo: there is no such mechanism" },
	{ "all moo", "moo: " },
	{ "all.", "there is no such mechanism" },
	{ "all:x", "behind the name" },
	{ "all/8", "behind the name" },
	{ "+-all", "no such mechanism" },
	{ "=all", "no such mechanism" },
	{ "-", "no such mechanism" },
	{ "1up=foo", "no such mechanism" },
	{ "a:", "not a domain" },
	{ "a/", "behind the name" },
	{ "a:/24", "not a domain" },
	{ "a/33", "not a length" },
	{ "a//129", "not a length" },
	{ "a/032", "not a length" },
	{ "a/24/64", "not a length" },
	{ "a/24//064", "not a length" },
	{ "a/99999999999999999999", "not a length" },
	{ "a:museum", "not a domain" },
	{ "a:museum.", "not a domain" },
	{ "a:1.2.3.4", "not a domain" },
	{ "a:example.-com", "not a domain" },
	{ "a:example.com-", "not a domain" },
	{ "a:example.com:80", "not a domain" },
	{ "a:%{d}.", "not a domain" },
	{ "a:%{d}com", "not a domain" },
	{ "a:%{d", "not a domain" },
	{ "a:%{d0}", "not a domain" },
	{ "a:%{d00r}", "not a domain" },
	{ "a:%{x}", "not a domain" },
	{ "a:%{c}", "not a domain" },
	{ "a:%{d;}", "not a domain" },
	{ "a:%{dr2}", "not a domain" },
	{ "a:%(d)", "not a domain" },
	{ "a:x%", "not a domain" },
	{ "a:x\x80.com", "not a domain" },
	{ "a:x\x7f.com", "not a domain" },
	{ "a\t-all", "no such mechanism" },
	{ "include", "the domain is missing" },
	{ "include:", "not a domain" },
	{ "include:example.com/24", "not a domain" },
	{ "exists", "the domain is missing" },
	{ "ptr/0", "behind the name" },
	{ "ptr:example.com/8", "not a domain" },
	{ "ip4", "not a network" },
	{ "ip4:", "not a network" },
	{ "ip4:1.2.3", "not a network" },
	{ "ip4:1.2.3.04", "not a network" },
	{ "ip4:1.2.3.256", "not a network" },
	{ "ip4:1.2.3.4/33", "not a network" },
	{ "ip4:1.2.3.4/", "not a network" },
	{ "ip4:1.2.3.4//32", "not a network" },
	{ "ip4:1.2.3.4:80", "not a network" },
	{ "ip4:::1", "not a network" },
	{ "ip6", "not a network" },
	{ "ip6:1.2.3.4", "not a network" },
	{ "ip6:::1/129", "not a network" },
	{ "ip6::1::2", "not a network" },
	{ "ip6:::1//33", "not a network" },
	{ "redirect=", "not a domain" },
	{ "redirect=-all", "not a domain" },
	{ "exp=", "not a domain" },
	{ "redirect=a.example redirect=a.example", "twice" },
	{ "exp=a.example EXP=b.example", "twice" },
	{ "foo=%x", "not a macro string" },
	{ "foo=%{r}", "not a macro string" },
	{ "\x1b[31m:x", "?[31m:x: there is no such mechanism" },
};

/* Parses from memory that ends where the text does, so that reading on is noticed. */
static int parse(const char *terms, struct spf_record *record, struct error *err, char **text)
{
	const size_t length = SPF_START + 1 + strlen(terms);

	*text = malloc(length);
	assert_non_null(*text);
	memcpy(*text, "v=spf1 ", SPF_START + 1);
	memcpy(*text + SPF_START + 1, terms, length - SPF_START - 1);
	return spf_parse((struct spf_span){ *text, length }, record, err);
}

static void right_records(void **state)
{
	struct spf_record record;
	struct error err;
	char *text;

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		if (parse(right[i], &record, &err, &text) != 0)
			fail_msg("%s: %s", right[i], err.text);
		free(text);
	}
}

static void wrong_records(void **state)
{
	struct spf_record record;
	struct error err;
	char *text;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (parse(wrong[i].terms, &record, &err, &text) != ERROR_REFUSED ||
		    !strstr(err.text, wrong[i].said))
			fail_msg("%s: %s", wrong[i].terms, err.text);
		free(text);
	}
}

/* A NUL in a record is an octet like others, and none that is allowed. */
static void nul_is_wrong(void **state)
{
	static const char text[] = "v=spf1 a:example.com\0";
	struct spf_record record;
	struct error err;

	(void)state;
	assert_int_equal(spf_parse((struct spf_span){ text, sizeof(text) - 1 }, &record, &err),
			 ERROR_REFUSED);
	assert_string_equal(err.text, "a:example.com?: not a domain");
}

static void terms_are_read(void **state)
{
	static const struct {
		enum spf_kind kind;
		char qualifier;
		const char *spec;
		uint8_t cidr4, cidr6;
	} expected[] = {
		{ SPF_A, '-', "", 24, 64 },    { SPF_MX, '+', "%{d}", 32, 128 },
		{ SPF_IP6, '~', "", 32, 33 },  { SPF_INCLUDE, '?', "x.example", 32, 128 },
		{ SPF_ALL, '-', "", 32, 128 },
	};
	struct spf_record record;
	size_t place = SPF_START;
	struct spf_term term;
	struct error err;
	char *text;

	(void)state;
	assert_int_equal(parse("-a/24//64 redirect=r.example mx:%{d}  ~ip6:CAFE::/33 exp=e.example "
			       "?INCLUDE:x.example foo=bar -all ",
			       &record, &err, &text),
			 0);
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_true(spf_next(&record, &place, &term));
		assert_int_equal(term.kind, expected[i].kind);
		assert_int_equal(term.qualifier, expected[i].qualifier);
		assert_int_equal(term.spec.length, strlen(expected[i].spec));
		assert_memory_equal(term.spec.at ? term.spec.at : "", expected[i].spec,
				    term.spec.length);
		assert_int_equal(term.cidr4, expected[i].cidr4);
		assert_int_equal(term.cidr6, expected[i].cidr6);
	}
	assert_false(spf_next(&record, &place, &term));
	assert_memory_equal(record.redirect.at, "r.example", record.redirect.length);
	assert_memory_equal(record.exp.at, "e.example", record.exp.length);
	free(text);
}

/* As many terms as fit a TXT record. */
static void many_terms(void **state)
{
	char *terms = malloc(DNS_TEXT_MAX), *text;
	struct spf_record record;
	size_t place = SPF_START, count = 0;
	struct spf_term term;
	struct error err;

	(void)state;
	assert_non_null(terms);
	for (size_t i = 0; i + 1 < DNS_TEXT_MAX; i++)
		terms[i] = i % 2 ? ' ' : 'a';
	terms[DNS_TEXT_MAX - 1] = '\0';
	assert_int_equal(parse(terms, &record, &err, &text), 0);
	while (spf_next(&record, &place, &term))
		count++;
	assert_int_equal(count, DNS_TEXT_MAX / 2);
	free(terms);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),       cmocka_unit_test(right_records),
		cmocka_unit_test(wrong_records),  cmocka_unit_test(nul_is_wrong),
		cmocka_unit_test(terms_are_read), cmocka_unit_test(many_terms),
	};

	return cmocka_run_group_tests_name("spf_parse", tests, NULL, NULL);
}
