/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of dns/name and dns/wire: names as text and on the wire, and messages, good and hostile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/message.h"
#include "dns/wire.h"
#include "tests/unit/dns_message.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LOCALHOST    0x7f000002u

static struct built built;

/* Reads what has been built as the answer for a name; the copy lets a sanitizer see every octet. */
static enum dns_verdict read_as(const char *name, enum dns_type type, struct dns_result **out)
{
	struct dns_name wire;
	uint8_t *copy = malloc(built.size);
	enum dns_verdict verdict;

	assert_non_null(copy);
	memcpy(copy, built.octet, built.size);
	assert_true(dns_name_parse(name, &wire));
	verdict = dns_wire_read(copy, built.size, &wire, type, out);
	free(copy);
	return verdict;
}

static struct dns_result *answer_to(const char *name, enum dns_type type)
{
	struct dns_result *result = NULL;

	assert_int_equal(read_as(name, type, &result), DNS_VERDICT_ANSWER);
	assert_non_null(result);
	return result;
}

static void assert_verdict(const char *name, enum dns_type type, enum dns_verdict expected)
{
	struct dns_result *result = NULL;

	assert_int_equal(read_as(name, type, &result), expected);
	assert_null(result);
}

/* ---- names */

static void names_that_are_read(void **state)
{
	static const char *const rows[][2] = {
		{ "example.com", "example.com" },
		{ "example.com.", "example.com" },
		{ "", "" },
		{ ".", "" },
		{ "a", "a" },
		{ "Ex-ample_1.COM", "Ex-ample_1.COM" },
		{ "a\\.b.c", "a\\.b.c" },
		{ "a\\\\.c", "a\\\\.c" },
		{ "a\\046b.c", "a\\.b.c" },
		{ "\\065", "A" },
		{ "two words.c", "two words.c" },
	};
	char text[DNS_NAME_MAX + 1];
	struct dns_name name;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(dns_name_parse(rows[i][0], &name));
		assert_true(dns_name_format(&name, text));
		assert_string_equal(text, rows[i][1]);
	}
}

static void names_that_are_refused(void **state)
{
	static const char *const rows[] = { "..",    ".a",     "a..b",  "a..",    "a\\",    "a\\1",
					    "a\\25", "a\\256", "a\\1x", "a\\12x", "\\999.c" };
	struct dns_name name;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_false(dns_name_parse(rows[i], &name));
}

/* The longest label and the longest name, and one octet more of each. */
static void names_at_their_limits(void **state)
{
	char text[DNS_NAME_MAX + 8] = "", back[DNS_NAME_MAX + 1];
	struct dns_name name;

	(void)state;
	memset(text, 'a', DNS_LABEL_MAX);
	assert_true(dns_name_parse(text, &name));
	text[DNS_LABEL_MAX] = 'a';
	assert_false(dns_name_parse(text, &name));

	memset(text, 'a', DNS_NAME_MAX);
	for (size_t dot = DNS_LABEL_MAX; dot < DNS_NAME_MAX; dot += DNS_LABEL_MAX + 1)
		text[dot] = '.';
	assert_true(dns_name_parse(text, &name));
	assert_int_equal(name.length, DNS_WIRE_NAME_MAX);
	assert_true(dns_name_format(&name, back));
	assert_string_equal(back, text);
	text[DNS_NAME_MAX] = 'a';
	assert_false(dns_name_parse(text, &name));
	text[DNS_NAME_MAX] = '.';
	assert_true(dns_name_parse(text, &name));
	strcpy(text + DNS_NAME_MAX - 1, ".a");
	assert_false(dns_name_parse(text, &name));
}

/* What C text cannot hold: a NUL, and more backslashes than there is room for. */
static void names_that_are_no_text(void **state)
{
	char text[4 * DNS_LABEL_MAX * 3 + 8] = "", out[DNS_NAME_MAX + 1];
	struct dns_name name;

	(void)state;
	assert_true(dns_name_parse("a\\000b.c", &name));
	assert_false(dns_name_format(&name, out));
	for (int label = 0; label < 3; label++) {
		for (int i = 0; i < DNS_LABEL_MAX; i++)
			strcat(text, "\\.");
		strcat(text, ".");
	}
	assert_true(dns_name_parse(text, &name));
	assert_false(dns_name_format(&name, out));
}

static void names_that_are_compared(void **state)
{
	static const struct {
		const char *name, *suffix;
		bool below;
	} rows[] = {
		{ "a.b.example", "b.example", true },
		{ "B.EXAMPLE", "b.example", true },
		{ "ab.example", "b.example", false },
		{ "example", "b.example", false },
		{ "anything", "", true },
		{ "a\\.b.example", "b.example", false },
		{ "", "", true },
	};
	struct dns_name name, suffix;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(dns_name_parse(rows[i].name, &name));
		assert_true(dns_name_parse(rows[i].suffix, &suffix));
		assert_int_equal(dns_name_below(&name, &suffix), rows[i].below);
	}
	assert_true(dns_name_parse("B.EXAMPLE", &name) && dns_name_parse("b.example", &suffix));
	assert_true(dns_name_equal(&name, &suffix));
	dns_name_fold(&name);
	assert_memory_equal(name.octet, suffix.octet, suffix.length);
}

/* ---- answers */

static void addresses(void **state)
{
	const uint8_t six[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct dns_result *result;
	size_t record;

	(void)state;
	built_start(&built, 1, RCODE_OK, "a.example", T_A);
	built_a(&built, "a.example", 300, LOCALHOST);
	built_a(&built, "A.Example", 200, LOCALHOST + 1);
	built_a(&built, "b.example", 1, LOCALHOST); /* not asked for */
	result = answer_to("a.example", DNS_A);
	assert_int_equal(result->status, DNS_FOUND);
	assert_int_equal(result->count, 2);
	assert_int_equal(result->ttl, 200);
	assert_false(result->cut);
	assert_int_equal(addr_ipv4(&result->record[1].addr), LOCALHOST + 1);
	dns_result_unref(result);

	built_start(&built, 1, RCODE_OK, "a.example", T_AAAA);
	record = built_record(&built, SECTION_ANSWER, "a.example", T_AAAA, 60);
	built_octets(&built, six, sizeof(six));
	built_end(&built, record);
	result = answer_to("A.EXAMPLE", DNS_AAAA);
	assert_memory_equal(result->record[0].addr.byte, six, sizeof(six));
	dns_result_unref(result);
}

static void mail_exchangers(void **state)
{
	struct dns_result *result;

	(void)state;
	built_start(&built, 1, RCODE_OK, "example", T_MX);
	built_mx(&built, "example", 300, 10, "Mx.example");
	built_mx(&built, "example", 300, 0, "");
	result = answer_to("example", DNS_MX);
	assert_int_equal(result->count, 2);
	assert_int_equal(result->record[0].preference, 10);
	assert_string_equal(result->record[0].text, "Mx.example");
	assert_int_equal(result->record[0].length, 10);
	assert_string_equal(result->record[1].text, "");
	dns_result_unref(result);
}

static void texts(void **state)
{
	static const char with_nul[] = "v=spf1\0-all";
	char longer[DNS_TEXT_MAX + 1];
	struct dns_result *result;
	size_t record;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	built_start(&built, 1, RCODE_OK, "example", T_TXT);
	built_txt(&built, "example", 300, "v=spf1 -all", 11);
	built_txt(&built, "example", 300, "", 0);
	built_end(&built, built_record(&built, SECTION_ANSWER, "example", T_TXT, 100));
	built_txt(&built, "example", 300, with_nul, sizeof(with_nul) - 1);
	built_txt(&built, "example", 300, longer, DNS_TEXT_MAX);
	record = built_record(&built, SECTION_ANSWER, "example", T_TXT, 300);
	built_octets(&built, "\2ab\0\3cde", 8);
	built_end(&built, record);
	result = answer_to("example", DNS_TXT);
	assert_int_equal(result->count, 6);
	assert_int_equal(result->ttl, 100);
	assert_false(result->cut);
	assert_string_equal(result->record[0].text, "v=spf1 -all");
	assert_int_equal(result->record[1].length, 0);
	assert_int_equal(result->record[2].length, 0);
	assert_int_equal(result->record[3].length, sizeof(with_nul) - 1);
	assert_memory_equal(result->record[3].text, with_nul, sizeof(with_nul));
	assert_int_equal(result->record[4].length, DNS_TEXT_MAX);
	assert_string_equal(result->record[5].text, "abcde");
	dns_result_unref(result);

	built_start(&built, 1, RCODE_OK, "example", T_TXT);
	built_txt(&built, "example", 300, longer, sizeof(longer));
	result = answer_to("example", DNS_TXT);
	assert_int_equal(result->status, DNS_NODATA);
	assert_true(result->cut);
	dns_result_unref(result);
}

/* A host whose name has a NUL is nobody's: as text it would be another name. */
static void hostile_names(void **state)
{
	struct dns_result *result;

	(void)state;
	built_start(&built, 1, RCODE_OK, "1.in-addr.arpa", T_PTR);
	built_target(&built, "1.in-addr.arpa", T_PTR, 300, "good.example\\000.evil");
	built_target(&built, "1.in-addr.arpa", T_PTR, 300, "a\\.b\\\\.\\007evil");
	result = answer_to("1.in-addr.arpa", DNS_PTR);
	assert_int_equal(result->count, 1);
	assert_true(result->cut);
	assert_string_equal(result->record[0].text, "a\\.b\\\\.\aevil");
	dns_result_unref(result);
}

static void more_records_than_are_taken(void **state)
{
	struct dns_result *result;

	(void)state;
	built_start(&built, 1, RCODE_OK, "example", T_A);
	for (uint32_t i = 0; i < DNS_RECORDS_MAX; i++)
		built_a(&built, "example", 300, i);
	result = answer_to("example", DNS_A);
	assert_int_equal(result->count, DNS_RECORDS_MAX);
	assert_false(result->cut);
	dns_result_unref(result);
	for (uint32_t i = 0; i < 300; i++)
		built_a(&built, "example", 300, i);
	result = answer_to("example", DNS_A);
	assert_int_equal(result->count, DNS_RECORDS_MAX);
	assert_true(result->cut);
	dns_result_unref(result);
}

static void aliases(void **state)
{
	struct dns_result *result;

	(void)state;
	/* In any order; the least TTL counts, also that of an alias. */
	built_start(&built, 1, RCODE_OK, "a.example", T_A);
	built_a(&built, "c.example", 300, LOCALHOST);
	built_target(&built, "b.example", T_CNAME, 20, "c.example");
	built_target(&built, "a.example", T_CNAME, 100, "B.example");
	result = answer_to("a.example", DNS_A);
	assert_int_equal(result->count, 1);
	assert_int_equal(result->ttl, 20);
	dns_result_unref(result);

	built_start(&built, 1, RCODE_NXDOMAIN, "a.example", T_A);
	built_target(&built, "a.example", T_CNAME, 30, "b.other");
	built_soa(&built, "other", 100, 50);
	result = answer_to("a.example", DNS_A);
	assert_int_equal(result->status, DNS_NXDOMAIN);
	assert_int_equal(result->ttl, 30);
	dns_result_unref(result);
}

static void alias_chain(unsigned int aliases)
{
	char from[16], to[16];

	built_start(&built, 1, RCODE_OK, "n0", T_A);
	for (unsigned int i = 0; i < aliases; i++) {
		snprintf(from, sizeof(from), "n%u", i);
		snprintf(to, sizeof(to), "n%u", i + 1);
		built_target(&built, from, T_CNAME, 100, to);
	}
	snprintf(from, sizeof(from), "n%u", aliases);
	built_a(&built, from, 100, LOCALHOST);
}

static void chains_of_aliases(void **state)
{
	struct dns_result *result;

	(void)state;
	alias_chain(DNS_CHAIN_MAX);
	result = answer_to("n0", DNS_A);
	assert_int_equal(result->count, 1);
	dns_result_unref(result);
	alias_chain(DNS_CHAIN_MAX + 1);
	assert_verdict("n0", DNS_A, DNS_VERDICT_NONSENSE);
	built_start(&built, 1, RCODE_OK, "n0", T_A);
	built_target(&built, "n0", T_CNAME, 100, "n0");
	assert_verdict("n0", DNS_A, DNS_VERDICT_NONSENSE);
}

static void what_is_not_there(void **state)
{
	static const struct {
		unsigned int rcode;
		const char *soa;
		uint32_t ttl, minimum;
		enum dns_status status;
		uint32_t expected;
	} rows[] = {
		{ RCODE_OK, "example", 100, 50, DNS_NODATA, 50 },
		{ RCODE_OK, "example", 50, 100, DNS_NODATA, 50 },
		{ RCODE_NXDOMAIN, "example", 7, 100, DNS_NXDOMAIN, 7 },
		{ RCODE_NXDOMAIN, "", 100, 60, DNS_NXDOMAIN, 60 },
		{ RCODE_NXDOMAIN, "other", 100, 60, DNS_NXDOMAIN, 0 },
		{ RCODE_NXDOMAIN, NULL, 0, 0, DNS_NXDOMAIN, 0 },
		{ RCODE_OK, NULL, 0, 0, DNS_NODATA, 0 },
		{ RCODE_OK, "example", 100, 0x80000000u, DNS_NODATA, 0 },
		{ RCODE_OK, "example", 0x80000001u, 100, DNS_NODATA, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dns_result *result;

		built_start(&built, 1, rows[i].rcode, "a.example", T_TXT);
		if (rows[i].soa)
			built_soa(&built, rows[i].soa, rows[i].ttl, rows[i].minimum);
		result = answer_to("a.example", DNS_TXT);
		assert_int_equal(result->status, rows[i].status);
		assert_int_equal(result->ttl, rows[i].expected);
		assert_int_equal(result->count, 0);
		dns_result_unref(result);
	}
}

static void what_the_server_does_not_say(void **state)
{
	size_t record;

	(void)state;
	built_start(&built, 1, RCODE_SERVFAIL, "a.example", T_A);
	assert_verdict("a.example", DNS_A, DNS_VERDICT_REFUSED);
	built_start(&built, 1, RCODE_REFUSED, "a.example", T_A);
	assert_verdict("a.example", DNS_A, DNS_VERDICT_REFUSED);
	built_start(&built, 1, RCODE_FORMERR, "a.example", T_A);
	assert_verdict("a.example", DNS_A, DNS_VERDICT_FORMAT);
	/* A referral: the server does not ask others. */
	built_start(&built, 1, RCODE_OK, "a.example", T_A);
	record = built_record(&built, SECTION_AUTHORITY, "example", T_NS, 100);
	built_name(&built, "ns.example");
	built_end(&built, record);
	assert_verdict("a.example", DNS_A, DNS_VERDICT_REFUSED);
}

static void answers_to_something_else(void **state)
{
	(void)state;
	built_start(&built, 1, RCODE_OK, "a.example", T_A);
	built_a(&built, "a.example", 300, LOCALHOST);
	assert_verdict("b.example", DNS_A, DNS_VERDICT_NONSENSE);
	assert_verdict("a.example", DNS_AAAA, DNS_VERDICT_NONSENSE);
	built.octet[2] &= 0x7f; /* a question */
	assert_verdict("a.example", DNS_A, DNS_VERDICT_NONSENSE);
	built_start(&built, 1, RCODE_NXDOMAIN, "a.example", T_A);
	built_a(&built, "a.example", 300, LOCALHOST);
	assert_verdict("a.example", DNS_A, DNS_VERDICT_NONSENSE);
}

static void data_of_a_wrong_length(void **state)
{
	size_t record;

	(void)state;
	built_start(&built, 1, RCODE_OK, "a.example", T_A);
	record = built_record(&built, SECTION_ANSWER, "a.example", T_A, 300);
	built_octets(&built, "12345", 5);
	built_end(&built, record);
	assert_verdict("a.example", DNS_A, DNS_VERDICT_NONSENSE);

	built_start(&built, 1, RCODE_OK, "a.example", T_TXT);
	record = built_record(&built, SECTION_ANSWER, "a.example", T_TXT, 300);
	built_octets(&built, "\5abcd", 5);
	built_end(&built, record);
	assert_verdict("a.example", DNS_TXT, DNS_VERDICT_NONSENSE);

	built_start(&built, 1, RCODE_OK, "a.example", T_MX);
	record = built_record(&built, SECTION_ANSWER, "a.example", T_MX, 300);
	built_octets(&built, "\0", 1);
	built_end(&built, record);
	assert_verdict("a.example", DNS_MX, DNS_VERDICT_NONSENSE);
}

/* A pointer to itself, one ahead, a label of a reserved kind. */
static void pointers(void **state)
{
	static const char *const names[] = { "\300\47", "\300\60", "\100a\0", "\200a\0" };
	struct dns_result *result;
	size_t record;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		built_start(&built, 1, RCODE_OK, "a.example", T_PTR);
		record = built_record(&built, SECTION_ANSWER, "a.example", T_PTR, 300);
		built_octets(&built, names[i], 3);
		built_end(&built, record);
		built.octet[record] = (uint8_t)names[i][0];
		if (i < 2)
			built.octet[record + 1] = (uint8_t)(record + i);
		assert_verdict("a.example", DNS_PTR, DNS_VERDICT_NONSENSE);
	}

	/* "x" and a pointer to the question's name, as every server writes it. */
	built_start(&built, 1, RCODE_OK, "a.example", T_PTR);
	record = built_record(&built, SECTION_ANSWER, "a.example", T_PTR, 300);
	built_octets(&built, "\1x\300\14", 4);
	built_end(&built, record);
	result = answer_to("a.example", DNS_PTR);
	assert_string_equal(result->record[0].text, "x.a.example");
	dns_result_unref(result);
}

/* A record whose name is reached by so many pointers. */
static void pointer_chain(size_t jumps)
{
	size_t record, at;

	built_start(&built, 1, RCODE_OK, "a.example", T_PTR);
	record = built_record(&built, SECTION_ANSWER, "other.example", T_TXT, 300);
	built_number(&built, 0, 1);
	for (at = record; --jumps; at = built.size - 2)
		built_number(&built, 0xc000u | (uint32_t)at, 2);
	built_end(&built, record);
	record = built_record(&built, SECTION_ANSWER, "a.example", T_PTR, 300);
	built_number(&built, 0xc000u | (uint32_t)at, 2);
	built_end(&built, record);
}

static void pointers_to_pointers(void **state)
{
	struct dns_result *result;

	(void)state;
	pointer_chain(MESSAGE_JUMPS_MAX);
	result = answer_to("a.example", DNS_PTR);
	assert_string_equal(result->record[0].text, "");
	dns_result_unref(result);
	pointer_chain(MESSAGE_JUMPS_MAX + 1);
	assert_verdict("a.example", DNS_PTR, DNS_VERDICT_NONSENSE);
}

/* Whatever is cut off, nothing is read behind the end, and nothing is half an answer. */
static void messages_that_are_cut_off(void **state)
{
	size_t whole;

	(void)state;
	built_start(&built, 1, RCODE_OK, "a.example", T_MX);
	built_target(&built, "a.example", T_CNAME, 300, "b.example");
	built_mx(&built, "b.example", 300, 10, "mx.example");
	built_soa(&built, "example", 300, 300);
	whole = built.size;
	dns_result_unref(answer_to("a.example", DNS_MX));
	for (built.size = 0; built.size < whole; built.size++)
		assert_verdict("a.example", DNS_MX, DNS_VERDICT_NONSENSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_read),
		cmocka_unit_test(names_that_are_refused),
		cmocka_unit_test(names_at_their_limits),
		cmocka_unit_test(names_that_are_no_text),
		cmocka_unit_test(names_that_are_compared),
		cmocka_unit_test(addresses),
		cmocka_unit_test(mail_exchangers),
		cmocka_unit_test(texts),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(more_records_than_are_taken),
		cmocka_unit_test(aliases),
		cmocka_unit_test(chains_of_aliases),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(what_the_server_does_not_say),
		cmocka_unit_test(answers_to_something_else),
		cmocka_unit_test(data_of_a_wrong_length),
		cmocka_unit_test(pointers),
		cmocka_unit_test(pointers_to_pointers),
		cmocka_unit_test(messages_that_are_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
