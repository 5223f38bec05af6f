/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/dnsbl_name and checks/dnsbl_answer: names of questions, and what may be shown of
 * answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "checks/dnsbl_answer.h"
#include "checks/dnsbl_name.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LABEL_63 "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghi"
#define LABEL_50 "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvw"

static void addresses_in_reverse(void **state)
{
	static const struct {
		const char *addr, *name;
	} rows[] = {
		{ "127.0.0.2", "2.0.0.127" },
		{ "192.168.10.99", "99.10.168.192" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0."
					"0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2" },
	};
	struct dnsbl_prefix prefix;
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(addr_parse(rows[i].addr, strlen(rows[i].addr), &addr, NULL), 0);
		if (addr_is_ipv4(&addr))
			dnsbl_name_ipv4(addr_ipv4(&addr), &prefix);
		else
			dnsbl_name_ipv6(&addr, &prefix);
		assert_string_equal(prefix.text, rows[i].name);
		assert_int_equal(prefix.length, strlen(rows[i].name));
	}
	addr = addr_from_ipv4(0x7f000002);
	dnsbl_name_ipv6(&addr, &prefix);
	assert_string_equal(prefix.text,
			    "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0");
}

static void domains(void **state)
{
	static const char longest[] = LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_50 ".abcdefghij";
	static const struct {
		const char *domain, *name; /* NULL: none */
	} rows[] = {
		{ "example.com", "example.com" },
		{ "MX-1._a.Example.COM.", "MX-1._a.Example.COM" },
		{ "1.2.3.example", "1.2.3.example" },
		{ LABEL_63 ".example", LABEL_63 ".example" },
		{ longest, longest },
		{ "", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ "test", NULL },
		{ "com.", NULL },
		{ ".example.com", NULL },
		{ "a..example.com", NULL },
		{ "example.com..", NULL },
		{ LABEL_63 "x.example", NULL },
		{ "[192.0.2.1]", NULL },
		{ "[IPv6:2001:db8::1]", NULL },
		{ "192.0.2.1", NULL },
		{ "192.0.2.1.", NULL },
		{ "a b.example", NULL },
		{ "a\\.b.example", NULL },
		{ "m\xc3\xbcller.example", NULL },
		{ "*.example", NULL },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_50 ".abcdefghijk", NULL },
	};
	struct dnsbl_prefix prefix;

	(void)state;
	assert_int_equal(strlen(longest), DNS_NAME_MAX);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(dnsbl_name_domain(rows[i].domain, &prefix), rows[i].name != NULL);
		if (!rows[i].name)
			continue;
		assert_string_equal(prefix.text, rows[i].name);
		assert_int_equal(prefix.length, strlen(rows[i].name));
	}
}

static void joined(void **state)
{
	static const char zone[] = "dbl.example.org";
	char name[DNS_NAME_MAX + 1], long_zone[CONF_ZONE_NAME_MAX];
	struct dnsbl_prefix prefix;
	struct addr addr = { { 0 } };

	(void)state;
	assert_true(dnsbl_name_domain("www.example.com", &prefix));
	assert_true(dnsbl_name_join(&prefix, zone, strlen(zone), name));
	assert_string_equal(name, "www.example.com.dbl.example.org");

	/* Labels go in front, and no more than have to. */
	assert_true(dnsbl_name_domain(LABEL_63 "." LABEL_63 "." LABEL_63 ".bad.example", &prefix));
	assert_true(dnsbl_name_join(&prefix, zone, strlen(zone), name));
	assert_string_equal(name,
			    LABEL_63 "." LABEL_63 "." LABEL_63 ".bad.example.dbl.example.org");
	assert_true(
		dnsbl_name_domain(LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_50 ".x", &prefix));
	assert_true(dnsbl_name_join(&prefix, zone, strlen(zone), name));
	assert_string_equal(name, LABEL_63 "." LABEL_63 "." LABEL_50 ".x.dbl.example.org");

	/* Two labels have to remain; addresses are never cut. */
	memset(long_zone, 'z', sizeof(long_zone));
	long_zone[sizeof(long_zone) - 1] = '\0';
	assert_true(dnsbl_name_domain(LABEL_63 ".x", &prefix));
	assert_false(dnsbl_name_join(&prefix, long_zone, strlen(long_zone), name));
	dnsbl_name_ipv6(&addr, &prefix);
	assert_false(dnsbl_name_join(&prefix, long_zone, strlen(long_zone), name));
	long_zone[DNS_NAME_MAX - 64] = '\0';
	assert_true(dnsbl_name_join(&prefix, long_zone, strlen(long_zone), name));
	assert_int_equal(strspn(name, "0."), 64);
}

static void texts(void **state)
{
	static const struct {
		const char *text, *key, *shown;
	} rows[] = {
		{ "Listed, see https://bl.example/?ip=192.0.2.1", "",
		  "Listed, see https://bl.example/?ip=192.0.2.1" },
		{ "a\r\n554 b\t\x1b[0m\x7f \xc3\xbc", "", "a??554 b??[0m? ??" },
		{ "https://sEcReT.dq.example/SECRET", "secret", "https://***.dq.example/***" },
		{ "secretsecret secre", "secret", "****** ***re" },
		{ "abcabcabab", "abcab", "***cabab" },
		{ "secret", "secret", "***" },
		{ "?q=%73ecre%74&r=%5365%63ret", "secret", "?q=***&r=%5365%63ret" },
		{ "%73%65%43%52%65%54.", "secret", "***." },
		{ "%2573ecret %252573ecret %25", "secret", "*** *** %25" },
		{ "%7 %zz%%73ecret%7", "secret", "%7 %zz%***%7" },
		{ "terces.TERCES", "secret", "***.***" },
		{ "%74erces tercess", "secret", "*** ***s" },
		{ "%73%65%63%72%65%7", "secret", "***%72%65%7" },
		{ "", "secret", "" },
	};
	char shown[DNSBL_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct dns_record record = { .text = rows[i].text,
						   .length = (uint16_t)strlen(rows[i].text) };
		const struct dns_answer answer = { .count = 1, .record = &record };
		const size_t length = strlen(rows[i].key);
		/* Keys are not ended, and the longer of two is masked. */
		const struct dnsbl_keys keys = {
			.count = length ? 3 : 0,
			.key = { { "abcde", 3 }, { rows[i].key, length }, { "secretary", 3 } }
		};

		dnsbl_answer_text(&answer, &keys, shown);
		assert_string_equal(shown, rows[i].shown);
	}
}

/* The key is masked also where the end of the text cuts it in two, and where a NUL is. */
static void long_texts(void **state)
{
	char text[DNS_TEXT_MAX], shown[DNSBL_TEXT_MAX];
	const struct dns_record record = { .text = text, .length = sizeof(text) };
	const struct dns_answer answer = { .count = 1, .record = &record };
	const struct dns_answer none = { .count = 0 };
	const struct dnsbl_keys keys = { .count = 1, .key = { { "secret", 6 } } };

	(void)state;
	for (size_t at = DNSBL_TEXT_MAX - 10; at < DNSBL_TEXT_MAX; at++) {
		memset(text, 'x', sizeof(text));
		memcpy(text + at, "secret", 6);
		dnsbl_answer_text(&answer, &keys, shown);
		assert_int_equal(strlen(shown), DNSBL_TEXT_MAX - 1);
		assert_null(strchr(shown, 's'));
	}
	memcpy(text, "a\0secret", 8);
	dnsbl_answer_text(&answer, &keys, shown);
	assert_memory_equal(shown, "a?***xxx", 8);
	dnsbl_answer_text(&none, &keys, shown);
	assert_string_equal(shown, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_in_reverse),
		cmocka_unit_test(domains),
		cmocka_unit_test(joined),
		cmocka_unit_test(texts),
		cmocka_unit_test(long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
