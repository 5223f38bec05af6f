/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of tests/replay/dns_script: what other tests rely on when they play a script.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/replay/dns_script.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct heard {
	struct dns *dns;
	struct dns_query *query;
	unsigned int called;
	struct dns_answer answer;
	struct dns_record first;
	char text[DNS_TEXT_MAX + 1];
	uint64_t at;
	struct heard *victim; /* cancelled from inside the callback */
};

static void on_answer(const struct dns_answer *answer, void *arg)
{
	struct heard *heard = arg;

	heard->called++;
	heard->query = NULL;
	heard->answer = *answer;
	heard->at = heard->dns->ops->now(heard->dns);
	if (answer->count) {
		heard->first = answer->record[0];
		memcpy(heard->text, answer->record[0].text, answer->record[0].length + 1u);
	}
	if (heard->victim)
		dns_cancel(heard->dns, &heard->victim->query);
}

static struct dns_script *script_with(const char *text)
{
	struct dns_script *script = NULL;
	struct error err = { 0 };

	if (dns_script_open(text, &script, &err))
		fail_msg("%s", err.text);
	return script;
}

static void ask(struct dns_script *script, struct heard *heard, const char *name,
		enum dns_type type)
{
	heard->dns = dns_script_dns(script);
	heard->query = dns_ask(heard->dns, name, type, on_answer, heard);
}

static struct heard hear(struct dns_script *script, const char *name, enum dns_type type)
{
	struct heard heard = { .called = 0 };

	ask(script, &heard, name, type);
	assert_int_equal(heard.called, 0);
	assert_true(dns_script_run(script, 0));
	assert_int_equal(heard.called, 1);
	return heard;
}

static const char records[] = "# a comment\n"
			      "\n"
			      "a.example TXT \"v=spf1 \" \"-all\" ; another\n"
			      "a.example\tMX ttl 60 10 mx.example\n"
			      "a.example MX 0 .\n"
			      "deep.b.example A 192.0.2.1\n"
			      "six.example AAAA 2001:db8::1\r\n"
			      "4.3.2.1.in-addr.arpa PTR host.example\n"
			      "odd.example TXT \"a\\\"\\\\\\000\\255;#\"\n"
			      "word.example TXT plain\n"
			      "empty.example TXT \"\"\n"
			      "one.example CNAME two.example\n"
			      "two.example CNAME A.example\n"
			      "loop.example CNAME loop.example\n"
			      "gone.example ANY NXDOMAIN\n"
			      "dead.example TXT TEMPORARY\n"
			      "full.example A BUSY";

static void what_is_answered(void **state)
{
	static const struct {
		const char *name;
		enum dns_type type;
		enum dns_status status;
		size_t count;
		const char *text;
	} rows[] = {
		{ "A.EXAMPLE.", DNS_TXT, DNS_FOUND, 1, "v=spf1 -all" },
		{ "a.example", DNS_MX, DNS_FOUND, 2, "mx.example" },
		{ "a.example", DNS_A, DNS_NODATA, 0, NULL },
		{ "b.example", DNS_A, DNS_NODATA, 0, NULL },
		{ "c.example", DNS_A, DNS_NXDOMAIN, 0, NULL },
		{ "4.3.2.1.in-addr.arpa", DNS_PTR, DNS_FOUND, 1, "host.example" },
		{ "word.example", DNS_TXT, DNS_FOUND, 1, "plain" },
		{ "empty.example", DNS_TXT, DNS_FOUND, 1, "" },
		{ "one.example", DNS_TXT, DNS_FOUND, 1, "v=spf1 -all" },
		{ "one.example", DNS_PTR, DNS_NODATA, 0, NULL },
		{ "gone.example", DNS_MX, DNS_NXDOMAIN, 0, NULL },
		{ "dead.example", DNS_TXT, DNS_TEMPORARY, 0, NULL },
		{ "dead.example", DNS_A, DNS_NODATA, 0, NULL },
		{ "full.example", DNS_A, DNS_BUSY, 0, NULL },
		{ "not..a.name", DNS_A, DNS_TEMPORARY, 0, NULL },
		{ "loop.example", DNS_A, DNS_NODATA, 0, NULL },
	};
	struct dns_script *script = script_with(records);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct heard heard = hear(script, rows[i].name, rows[i].type);

		assert_int_equal(heard.answer.status, rows[i].status);
		assert_int_equal(heard.answer.count, rows[i].count);
		if (rows[i].text)
			assert_string_equal(heard.text, rows[i].text);
	}
	assert_int_equal(dns_script_asked(script), COUNT(rows) - 1);
	assert_int_equal(dns_script_asked_for(script, "DEAD.example", DNS_TXT), 1);
	dns_script_close(&script);
	assert_null(script);
}

static void data_of_records(void **state)
{
	struct dns_script *script = script_with(records);
	struct heard heard = hear(script, "odd.example", DNS_TXT);

	(void)state;
	assert_int_equal(heard.first.length, 7);
	assert_memory_equal(heard.text, "a\"\\\0\377;#", 8);
	heard = hear(script, "deep.b.example", DNS_A);
	assert_int_equal(addr_ipv4(&heard.first.addr), 0xc0000201u);
	heard = hear(script, "a.example", DNS_MX);
	assert_int_equal(heard.first.preference, 10);
	assert_int_equal(heard.answer.ttl, 60);
	heard = hear(script, "six.example", DNS_AAAA);
	assert_int_equal(addr_high(&heard.first.addr) >> 32, 0x20010db8u);
	assert_int_equal(dns_script_add(script, "six.example AAAA 2001:db8::2", NULL), 0);
	assert_int_equal(hear(script, "six.example", DNS_AAAA).answer.count, 2);
	dns_script_close(&script);
}

static void time_passes(void **state)
{
	struct dns_script *script = script_with("slow.example A after 1500 192.0.2.1\n"
						"slower.example A after 3000 TEMPORARY\n"
						"fast.example A 192.0.2.2\n");
	struct heard slow = { .called = 0 }, slower = { .called = 0 }, fast = { .called = 0 };
	uint64_t start;

	(void)state;
	ask(script, &slower, "slower.example", DNS_A);
	ask(script, &slow, "slow.example", DNS_A);
	ask(script, &fast, "fast.example", DNS_A);
	start = slow.dns->ops->now(slow.dns);
	dns_script_advance(script, 0);
	assert_int_equal(fast.called, 1);
	dns_script_advance(script, 1499);
	assert_int_equal(slow.called, 0);
	dns_script_advance(script, 1);
	assert_int_equal(slow.called, 1);
	assert_int_equal(dns_script_pending(script), 1);
	assert_false(dns_script_run(script, 1000));
	assert_true(dns_script_run(script, 5000));
	assert_int_equal(slower.at - start, 3000); /* and not a moment later */
	assert_int_equal(slower.dns->ops->now(slower.dns) - start, 3000);
	dns_script_close(&script);
}

static void cancelling_and_closing(void **state)
{
	struct dns_script *script = script_with("a.example A 192.0.2.1\n");
	struct heard first = { .called = 0 }, second = { .called = 0 }, third = { .called = 0 };

	(void)state;
	ask(script, &first, "a.example", DNS_A);
	ask(script, &second, "a.example", DNS_A);
	first.victim = &second;
	assert_true(dns_script_run(script, 0));
	assert_int_equal(first.called, 1);
	assert_int_equal(second.called, 0);
	assert_int_equal(dns_script_cancelled(script), 1);
	ask(script, &third, "a.example", DNS_A);
	dns_script_close(&script);
	assert_int_equal(third.called, 0);
}

static void lines_that_are_refused(void **state)
{
	static const char *const rows[] = {
		"a..b A 192.0.2.1",        "a.example SRV x",        "a.example A",
		"a.example A 2001:db8::1", "a.example AAAA 1.2.3.4", "a.example MX mx.example",
		"a.example TXT \"open",    "a.example ANY x",        "a.example PTR",
		"a.example A 1.2.3.4 x",   "a.example TXT",          "a.example CNAME",
	};
	struct dns_script *script = NULL;
	struct error err;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		strcpy(stpcpy(text, "# first\nok.example A 192.0.2.1\n"), rows[i]);
		memset(&err, 0, sizeof(err));
		assert_int_equal(dns_script_open(text, &script, &err), ERROR_USAGE);
		assert_non_null(strstr(err.text, "line 3: "));
		assert_null(script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_answered),
		cmocka_unit_test(data_of_records),
		cmocka_unit_test(time_passes),
		cmocka_unit_test(cancelling_and_closing),
		cmocka_unit_test(lines_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
