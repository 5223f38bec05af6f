/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/sender: domains with and without mail exchangers, null MX, hostile MX, failures
 * of the DNS. The answers are played (tests/replay/dns_script.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checks/sender.h"
#include "tests/unit/check_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LABEL63      "a23456789012345678901234567890123456789012345678901234567890123"

static const char zone[] = "mx.t MX ttl 100 10 a.t\n"
			   "null.t MX 0 .\n"
			   "null.t A 192.0.2.1\n"
			   "null7.t MX 7 .\n"
			   "both.t MX 0 .\n"
			   "both.t MX 10 a.t\n"
			   "nullbad.t MX 0 .\n"
			   "nullbad.t MX 10 192.0.2.1\n"
			   "literal.t MX 10 192.0.2.1\n"
			   "literal.t A 192.0.2.1\n"
			   "local.t MX 10 localhost\n"
			   "local.t MX 20 LOCALHOST.LocalDomain\n"
			   "local.t A 192.0.2.1\n"
			   "bad.t MX 10 a\\032b.t\n"
			   "bad.t MX 10 -a.t\n"
			   "bad.t MX 10 mail\n"
			   "bad.t MX 10 a\\.b.t\n"
			   "good.t MX 10 192.0.2.1\n"
			   "good.t MX 20 _a.t\n"
			   "four.t A 192.0.2.1\n"
			   "six.t AAAA after 500 2001:db8::1\n"
			   "loop.t A 127.0.0.1\n"
			   "loop.t AAAA ::1\n"
			   "zero.t A 0.0.0.0\n"
			   "some.t A 127.0.0.1\n"
			   "some.t A 192.0.2.1\n"
			   "text.t TXT text\n"
			   "alias.t CNAME mx.t\n"
			   "temporary.t MX TEMPORARY\n"
			   "busy.t MX after 10 BUSY\n"
			   "noaddr.t A TEMPORARY\n"
			   "noaddr6.t AAAA after 900 BUSY\n"
			   "half.t A TEMPORARY\n"
			   "half.t AAAA 2001:db8::1\n"
			   "tld MX 10 a.t\n"
			   "localhost A 127.0.0.1\n";

#define SENDER(name) FINDING_SENDER_##name

static const struct {
	const char *domain;
	enum finding finding;
	unsigned int queries;
} cases[] = {
	{ "mx.t", SENDER(USABLE), 1 },
	{ "MX.T.", SENDER(USABLE), 1 },
	{ "alias.t", SENDER(USABLE), 1 },
	{ "tld", SENDER(USABLE), 1 },
	{ "null.t", SENDER(NULL_MX), 1 },
	{ "null7.t", SENDER(NULL_MX), 1 },
	{ "both.t", SENDER(USABLE), 1 },
	{ "nullbad.t", SENDER(MISSING), 1 },
	{ "literal.t", SENDER(MISSING), 1 },
	{ "local.t", SENDER(MISSING), 1 },
	{ "bad.t", SENDER(MISSING), 1 },
	{ "good.t", SENDER(USABLE), 1 },
	{ "four.t", SENDER(USABLE), 3 },
	{ "six.t", SENDER(USABLE), 3 },
	{ "loop.t", SENDER(MISSING), 3 },
	{ "zero.t", SENDER(MISSING), 3 },
	{ "some.t", SENDER(USABLE), 3 },
	{ "text.t", SENDER(MISSING), 3 },
	{ "no.t", SENDER(MISSING), 1 },
	{ "temporary.t", SENDER(TEMPORARY), 1 },
	{ "busy.t", SENDER(TEMPORARY), 1 },
	{ "noaddr.t", SENDER(TEMPORARY), 3 },
	{ "noaddr6.t", SENDER(TEMPORARY), 3 },
	{ "half.t", SENDER(USABLE), 3 },
	{ "", SENDER(USABLE), 0 },
	{ "[192.0.2.1]", SENDER(USABLE), 0 },
	{ "[IPv6:2001:db8::1]", SENDER(USABLE), 0 },
	{ "[127.0.0.1]", SENDER(MISSING), 0 },
	{ "[IPv6:::]", SENDER(MISSING), 0 },
	{ "[192.0.2.1", SENDER(MISSING), 0 },
	{ "192.0.2.1", SENDER(MISSING), 0 },
	{ "localhost", SENDER(MISSING), 0 },
	{ "a.localhost", SENDER(MISSING), 0 },
	{ ".", SENDER(MISSING), 0 },
	{ "a..t", SENDER(MISSING), 0 },
	{ "a\n.t", SENDER(MISSING), 0 },
	{ LABEL63 "4.t", SENDER(MISSING), 0 },
	{ LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, SENDER(MISSING), 0 },
};

static void on_result(const struct sender_result *result, void *scene)
{
	check_answered(scene, result);
}

/* On a domain. */
static void *start(struct dns *dns, const void *what, struct check_scene *scene)
{
	return sender_start(dns, what, on_result, scene);
}

static const void *result(void *check)
{
	return sender_result(check);
}

static void end(void *check)
{
	struct sender *sender = check;

	sender_free(&sender);
	assert_null(sender);
}

static const struct check_kind kind = { start, result, end };

static void results(void **state)
{
	struct check_scene scene = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct sender_result *found;

		check_start(&scene, &kind, zone, cases[i].domain);
		found = check_run(&scene);
		if (found->findings != FINDING_BIT(cases[i].finding) ||
		    found->queries != cases[i].queries)
			fail_msg("%s: %llx after %u", cases[i].domain,
				 (unsigned long long)found->findings, found->queries);
		assert_int_equal(dns_script_asked(scene.script), cases[i].queries);
		assert_int_equal(found->ttl != 0, cases[i].queries != 0);
		check_end(&scene);
	}
}

/* Both families are asked at once, and the first address is enough. */
static void one_family_is_enough(void **state)
{
	struct check_scene scene = { 0 };

	(void)state;
	check_start(&scene, &kind, zone, "noaddr6.t");
	dns_script_advance(scene.script, 899);
	assert_int_equal(scene.calls, 0);
	assert_int_equal(dns_script_asked_for(scene.script, "noaddr6.t", DNS_A), 1);
	check_end(&scene);
	check_start(&scene, &kind, zone, "noaddr6.t");
	dns_script_add(scene.script, "noaddr6.t A 192.0.2.1", NULL);
	dns_script_advance(scene.script, 0);
	assert_int_equal(scene.calls, 1);
	assert_int_equal(dns_script_cancelled(scene.script), 1);
	check_end(&scene);
}

static void ended_at_every_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_end_at_every_moment(&kind, zone, cases[i].domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(one_family_is_enough),
		cmocka_unit_test(ended_at_every_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
