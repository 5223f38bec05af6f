/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/spf_header: the two header fields, word for word, and that nothing a stranger
 * says gets out of its quotes or makes a line of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "checks/spf_header.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct spf_verdict verdict_of(enum spf_result result)
{
	return (struct spf_verdict){
		.result = result,
		.domain = "example.com",
		.explanation = "",
		.problem = "",
		.mechanism = "-all",
	};
}

static struct spf_header header_of(const struct spf_verdict *verdict, const char *ip)
{
	struct spf_header header = {
		.verdict = verdict,
		.helo = "mx.example.com",
		.from = "user@example.com",
		.receiver = "gate.example.net",
	};

	assert_int_equal(addr_parse(ip, strlen(ip), &header.ip, NULL), 0);
	return header;
}

static void received_spf(void **state)
{
	const struct spf_verdict verdict = verdict_of(SPF_FAIL);
	const struct spf_header header = header_of(&verdict, "192.0.2.1");
	char out[SPF_HEADER_MAX];

	(void)state;
	assert_string_equal(spf_header_received(&header, out),
			    "Received-SPF: fail\r\n"
			    "\t(gate.example.net:\r\n"
			    "\tdomain of example.com:\r\n"
			    "\t192.0.2.1 is not allowed to send its mail)\r\n"
			    "\treceiver=gate.example.net;\r\n"
			    "\tidentity=mailfrom;\r\n"
			    "\tenvelope-from=\"user@example.com\";\r\n"
			    "\thelo=mx.example.com;\r\n"
			    "\tmechanism=-all;\r\n"
			    "\tclient-ip=192.0.2.1\r\n");
}

static void authentication_results(void **state)
{
	struct spf_verdict verdict = verdict_of(SPF_PASS);
	struct spf_header header = header_of(&verdict, "2001:db8::1");
	char out[SPF_HEADER_MAX];

	(void)state;
	assert_string_equal(spf_header_results(&header, out),
			    "Authentication-Results: gate.example.net;\r\n"
			    "\tspf=pass\r\n"
			    "\tsmtp.mailfrom=user@example.com\r\n");
	header.from = "";
	verdict.result = SPF_PERMERROR;
	verdict.problem = "moo (record of \"x\"): no";
	assert_string_equal(spf_header_result(&header, out),
			    "spf=permerror\r\n"
			    "\treason=\"moo (record of \\\"x\\\"): no\"\r\n"
			    "\tsmtp.helo=mx.example.com");
	assert_non_null(strstr(spf_header_received(&header, out), "client-ip=\"2001:db8::1\"\r\n"));
	assert_non_null(strstr(out, "envelope-from=\"\";"));
	assert_non_null(strstr(out, "problem=\"moo (record of \\\"x\\\"): no\";"));
	assert_null(strstr(out, "mechanism="));
}

static void values_are_quoted(void **state)
{
	static const struct {
		const char *from, *written;
	} rows[] = {
		{ "a.b+c@example.com", "smtp.mailfrom=a.b+c@example.com" },
		{ "example.com", "smtp.mailfrom=example.com" },
		{ "a b@example.com", "smtp.mailfrom=\"a b@example.com\"" },
		{ "a\"b\\c@example.com", "smtp.mailfrom=\"a\\\"b\\\\c@example.com\"" },
		{ "a@b@example.com", "smtp.mailfrom=\"a@b@example.com\"" },
		{ "a..b@example.com", "smtp.mailfrom=\"a..b@example.com\"" },
		{ "@example.com", "smtp.mailfrom=\"@example.com\"" },
		{ "a@", "smtp.mailfrom=\"a@\"" },
		{ "a;spf=pass@example.com", "smtp.mailfrom=\"a;spf=pass@example.com\"" },
		{ "a=b@example.com", "smtp.mailfrom=\"a=b@example.com\"" },
		{ "a\r\nX: y@example.com", "smtp.mailfrom=\"a??X: y@example.com\"" },
		{ "\xc3\xa9@example.com", "smtp.mailfrom=\"??@example.com\"" },
	};
	const struct spf_verdict verdict = verdict_of(SPF_PASS);
	struct spf_header header = header_of(&verdict, "192.0.2.1");
	char out[SPF_HEADER_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		header.from = rows[i].from;
		spf_header_result(&header, out);
		assert_string_equal(out + strlen("spf=pass\r\n\t"), rows[i].written);
	}
}

/* Every line begins as a field or with a tab, ends in CR LF, and has at most 998 octets. */
static void check_lines(const char *text)
{
	size_t length;

	for (const char *line = text; *line; line += length + 2) {
		length = strcspn(line, "\r\n");
		assert_in_range(length, 1, 998);
		assert_memory_equal(line + length, "\r\n", 2);
		assert_true(line == text || *line == '\t');
		for (size_t i = 0; i < length; i++)
			assert_true(line[i] == '\t' || (line[i] >= ' ' && line[i] <= '~'));
	}
}

static void nothing_gets_out(void **state)
{
	struct spf_verdict verdict = verdict_of(SPF_TEMPERROR);
	struct spf_header header = header_of(&verdict, "192.0.2.1");
	char hostile[3000], out[SPF_HEADER_MAX];

	(void)state;
	for (unsigned int round = 1; round < 256; round++) {
		memset(hostile, (int)round, sizeof(hostile) - 1);
		hostile[sizeof(hostile) - 1] = '\0';
		hostile[1000 + round] = '@';
		verdict.domain = verdict.problem = hostile;
		header.helo = header.from = header.receiver = hostile;
		check_lines(spf_header_received(&header, out));
		check_lines(spf_header_results(&header, out));
		assert_in_range(strlen(out), 1, SPF_HEADER_MAX / 2);
	}
	verdict.domain = "a)(b\\.example";
	assert_non_null(
		strstr(spf_header_received(&header, out), "domain of a\\)\\(b\\\\.example:\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(received_spf),
		cmocka_unit_test(authentication_results),
		cmocka_unit_test(values_are_quoted),
		cmocka_unit_test(nothing_gets_out),
	};

	return cmocka_run_group_tests_name("spf_header", tests, NULL, NULL);
}
