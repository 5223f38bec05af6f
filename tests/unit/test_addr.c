/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/addr: what is accepted, what is refused and with which words, and that values, order
 * and text agree with one another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/addr.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct prefix prefix(const char *text)
{
	struct error err = { 0 };
	struct prefix out;

	if (prefix_parse(text, strlen(text), &out, &err))
		fail_msg("%s", err.text);
	return out;
}

static struct addr addr(const char *text)
{
	struct error err = { 0 };
	struct addr out;

	if (addr_parse(text, strlen(text), &out, &err))
		fail_msg("%s", err.text);
	return out;
}

/* What is written on the left reads back as what stands on the right. */
static void texts_are_canonical(void **state)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "192.0.2.1/32", "192.0.2.1" },
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "::", "::" },
		{ "::/0", "::/0" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:DB8::1", "2001:db8::1" },
		{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:db8::1/128", "2001:db8::1" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "1:2:3:4::6:7:8", "1:2:3:4:0:6:7:8" },
		/* RFC 5952 4.2.3: the longest run, and the first of two that are equal. */
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::ffff:c000:201", "192.0.2.1" },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
		{ "::fffe:0:0/95", "::fffe:0:0/95" },
		{ "::192.0.2.1", "::c000:201" },
		{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
		{ "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char out[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prefix value = prefix(rows[i][0]);

		if (!strchr(rows[i][1], '/'))
			assert_string_equal(addr_format(&value.addr, out), rows[i][1]);
		assert_string_equal(prefix_format(&value, out), rows[i][1]);
		value = prefix(rows[i][1]);
		assert_string_equal(prefix_format(&value, out), rows[i][1]);
	}
}

#define QUAD   "an IPv4 address has four numbers from 0 to 255"
#define ZERO   "a leading zero is ambiguous; write the numbers without it"
#define GROUP  "an IPv6 address has groups of one to four hexadecimal digits"
#define EIGHT  "an IPv6 address has eight groups, or fewer and one \"::\""
#define DOUBLE "an IPv6 address has only one \"::\""
#define NONE   "not an IPv4 or IPv6 address"
#define LEN4   "an IPv4 prefix has a length from 0 to 32"
#define LEN6   "an IPv6 prefix has a length from 0 to 128"
#define ZONE   "an address with a zone (%) belongs to one link and cannot be listed"

static const char *const refused[][2] = {
	{ "1.2.3", "1.2.3: " QUAD },
	{ "1.2.3.4.5", "1.2.3.4.5: " QUAD },
	{ "1.2.3.", "1.2.3.: " QUAD },
	{ "192.0.2.", "192.0.2.: " QUAD },
	{ "1.2.3.256", "1.2.3.256: " QUAD },
	{ "1.2.3.4294967297", "1.2.3.4294967297: " QUAD },
	{ "1..2.3.4", "1..2.3.4: " QUAD },
	{ "3232235777", "3232235777: " QUAD },
	{ "010.0.0.1", "010.0.0.1: " ZERO },
	{ "10.0.0.00", "10.0.0.00: " ZERO },
	{ "0x7f.0.0.1", "0x7f.0.0.1: " NONE },
	{ "", "\"\": " NONE },
	{ "/24", "/24: " NONE },
	{ "mail.example.org", "mail.example.org: " NONE },
	{ " 192.0.2.1", " 192.0.2.1: " NONE },
	{ "192.0.2.1 ", "192.0.2.1 : " NONE },
	{ "-1.2.3.4", "-1.2.3.4: " NONE },
	{ "192.0.2.1/24", "192.0.2.1/24: host bits are set; the prefix is 192.0.2.0/24" },
	{ "192.0.2.1/0", "192.0.2.1/0: host bits are set; the prefix is 0.0.0.0/0" },
	{ "2001:db8::1/64", "2001:db8::1/64: host bits are set; the prefix is 2001:db8::/64" },
	{ "::ffff:192.0.2.1/120",
	  "::ffff:192.0.2.1/120: host bits are set; the prefix is 192.0.2.0/24" },
	{ "192.0.2.0/", "192.0.2.0/: " LEN4 },
	{ "192.0.2.0/33", "192.0.2.0/33: " LEN4 },
	{ "192.0.2.0/024", "192.0.2.0/024: " LEN4 },
	{ "192.0.2.0/2x", "192.0.2.0/2x: " LEN4 },
	{ "192.0.2.0/-1", "192.0.2.0/-1: " LEN4 },
	{ "192.0.2.0/255.255.255.0", "192.0.2.0/255.255.255.0: " LEN4 },
	{ "192.0.2.0/24/24", "192.0.2.0/24/24: " LEN4 },
	{ "192.0.2.0/4294967320", "192.0.2.0/4294967320: " LEN4 },
	{ "2001:db8::/129", "2001:db8::/129: " LEN6 },
	{ "2001:db8::/", "2001:db8::/: " LEN6 },
	{ "::ffff:1.2.3.4/129", "::ffff:1.2.3.4/129: " LEN6 },
	{ ":", ":: " GROUP },
	{ ":::", ":::: " GROUP },
	{ "1:", "1:: " GROUP },
	{ ":1:2:3:4:5:6:7:8", ":1:2:3:4:5:6:7:8: " GROUP },
	{ "1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7:8:: " GROUP },
	{ "2001:db8::12345", "2001:db8::12345: " GROUP },
	{ "2001:db8::g", "2001:db8::g: " GROUP },
	{ "1:2:3:4:5:6:7", "1:2:3:4:5:6:7: " EIGHT },
	{ "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:9: " EIGHT },
	{ "1:2:3:4::5:6:7:8", "1:2:3:4::5:6:7:8: " EIGHT },
	{ "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4: " EIGHT },
	{ "::1.2.3.4:5", "::1.2.3.4:5: " EIGHT },
	{ "192.0.2.1:25", "192.0.2.1:25: " NONE },
	{ "192.0.2.1,tcp:25", "192.0.2.1,tcp:25: " NONE },
	{ "1::2::3", "1::2::3: " DOUBLE },
	{ "::ffff:1.2.3", "::ffff:1.2.3: " QUAD },
	{ "::ffff:01.2.3.4", "::ffff:01.2.3.4: " ZERO },
	{ "fe80::1%eth0", "fe80::1%eth0: " ZONE },
};

static void refusals_say_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct error err = { 0 };
		struct prefix out, untouched;

		memset(&out, 0xa5, sizeof(out));
		memset(&untouched, 0xa5, sizeof(untouched));
		assert_int_equal(prefix_parse(refused[i][0], strlen(refused[i][0]), &out, &err),
				 ERROR_USAGE);
		assert_string_equal(err.text, refused[i][1]);
		assert_int_equal(err.code, ERROR_USAGE);
		assert_memory_equal(&out, &untouched, sizeof(out));
		assert_int_equal(prefix_parse(refused[i][0], strlen(refused[i][0]), &out, NULL),
				 ERROR_USAGE);
	}
}

static void addresses_have_no_length(void **state)
{
	struct error err = { 0 };
	struct addr out;

	(void)state;
	assert_int_equal(addr_parse("192.0.2.0/24", 12, &out, &err), ERROR_USAGE);
	assert_string_equal(err.text, "192.0.2.0/24: " NONE);
	assert_int_equal(addr_parse("2001:db8::/32", 13, &out, &err), ERROR_USAGE);
}

/* The text ends where the caller says, even if digits follow; a heap copy lets ASan see an
 * overread. */
static void input_ends_at_len(void **state)
{
	const char *const texts[] = {
		"192.0.2.1", "2001:db8::1", "10.0.0.0/8", "::", "1:", "1.2.3."
	};
	struct prefix out;

	(void)state;
	assert_int_equal(prefix_parse("192.0.2.123", 10, &out, NULL), 0);
	assert_int_equal(addr_ipv4(&out.addr), 0xc000020c);
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t len = 0; len <= strlen(texts[i]); len++) {
			char *copy = malloc(len ? len : 1);

			assert_non_null(copy);
			memcpy(copy, texts[i], len);
			prefix_parse(copy, len, &out, NULL);
			free(copy);
		}
}

/* What a message repeats of its input cannot break the line or fill the message. */
static void messages_are_clean(void **state)
{
	char longest[4096];
	struct error err = { 0 };
	struct prefix out;

	(void)state;
	assert_int_equal(prefix_parse("1.2\n\x1b[31m\xff", 10, &out, &err), ERROR_USAGE);
	assert_string_equal(err.text, "1.2??[31m?: " NONE);
	memset(longest, '1', sizeof(longest));
	assert_int_equal(prefix_parse(longest, sizeof(longest), &out, &err), ERROR_USAGE);
	assert_non_null(strstr(err.text, "111...: " QUAD));
	assert_true(strlen(err.text) < 160);
}

static void halves_and_ipv4(void **state)
{
	struct addr a = addr("2001:db8:1:2:3:4:5:6");
	struct addr b = addr_from_ipv4(0xc0000201);

	(void)state;
	assert_true(addr_high(&a) == 0x20010db800010002ull);
	assert_true(addr_low(&a) == 0x0003000400050006ull);
	assert_false(addr_is_ipv4(&a));
	a = addr_from_halves(0, 0xffffc0000201ull);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(addr_is_ipv4(&b));
	assert_true(addr_ipv4(&b) == 0xc0000201);
	b = addr("192.0.2.1");
	assert_memory_equal(&a, &b, sizeof(a));
}

/* Every length: the first and last address are inside, their neighbours are not. */
static void prefixes_hold_their_range(void **state)
{
	struct addr inside = addr("2001:db8:5555:aaaa:5555:aaaa:5555:aaaa");

	(void)state;
	for (unsigned int len = 0; len <= 128; len++) {
		struct prefix p = prefix_of(&inside, len);
		struct addr last = prefix_last(&p);
		struct addr outside;

		assert_int_equal(p.len, len);
		assert_true(prefix_contains(&p, &inside));
		assert_true(prefix_contains(&p, &p.addr));
		assert_true(prefix_contains(&p, &last));
		outside = last;
		if (len) {
			outside.byte[(len - 1) / 8] ^= (uint8_t)(0x80 >> (len - 1) % 8);
			assert_false(prefix_contains(&p, &outside));
		}
		p = prefix_of(&last, len);
		assert_true(prefix_contains(&p, &inside));
	}
	assert_int_equal(prefix_of(&inside, 4000).len, 128);
}

static void families_are_apart(void **state)
{
	struct addr four = addr("192.0.2.1"), six = addr("2001:db8::1");
	struct prefix all4 = prefix("0.0.0.0/0"), all6 = prefix("::/0");

	(void)state;
	assert_true(prefix_is_ipv4(&all4));
	assert_false(prefix_is_ipv4(&all6));
	assert_true(prefix_contains(&all4, &four));
	assert_false(prefix_contains(&all4, &six));
	assert_true(prefix_contains(&all6, &six));
	assert_false(prefix_contains(&all6, &four));
}

static void order_is_address_then_length(void **state)
{
	static const char *const sorted[] = { "::/0",          "::1",           "0.0.0.0/0",
					      "10.0.0.0/8",    "10.0.0.0/24",   "10.0.0.0",
					      "10.0.0.1",      "192.0.2.0/24",  "255.255.255.255",
					      "2001:db8::/32", "2001:db8::/64", "2001:db8::1" };

	(void)state;
	for (size_t i = 0; i < COUNT(sorted); i++)
		for (size_t j = 0; j < COUNT(sorted); j++) {
			struct prefix a = prefix(sorted[i]), b = prefix(sorted[j]);
			int order = prefix_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_canonical),
		cmocka_unit_test(refusals_say_why),
		cmocka_unit_test(addresses_have_no_length),
		cmocka_unit_test(input_ends_at_len),
		cmocka_unit_test(messages_are_clean),
		cmocka_unit_test(halves_and_ipv4),
		cmocka_unit_test(prefixes_hold_their_range),
		cmocka_unit_test(families_are_apart),
		cmocka_unit_test(order_is_address_then_length),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
