/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/helo: everything a client may say, from where it may say it, and what the DNS may
 * answer. The answers are played (tests/replay/dns_script.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checks/helo.h"
#include "tests/unit/addr_fixture.h"
#include "tests/unit/check_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SAID(name)   FINDING_BIT(FINDING_HELO_##name)
#define BOTH         (SAID(CONFIRMED) | SAID(MATCH))
#define LABEL63      "a23456789012345678901234567890123456789012345678901234567890123"

static const char zone[] = "mx.t A ttl 100 192.0.2.1\n"
			   "mx.t A 192.0.2.2\n"
			   "mx.t AAAA 2001:db8::1\n"
			   "alias.t CNAME mx.t\n"
			   "_under.t A 192.0.2.1\n"
			   "four.t A 192.0.2.9\n"
			   "six.t AAAA 2001:db8::9\n"
			   "nothing.t TXT nothing\n"
			   "domain.t MX 10 mx.t\n"
			   "temporary.t A after 3000 TEMPORARY\n"
			   "busy.t A BUSY\n"
			   "half.t TXT x\n"
			   "half.t AAAA TEMPORARY\n"
			   "host.t A 192.0.2.50\n";

/* A client whose confirmed host name is host.t, and a gateway that is gate.t and 192.0.2.100. */
static const struct helo_case {
	const char *addr, *helo;
	finding_set findings;
	unsigned int queries;
} cases[] = {
	/* Names and what they lead to. */
	{ "192.0.2.1", "mx.t", SAID(CONFIRMED), 1 },
	{ "192.0.2.2", "MX.T.", SAID(CONFIRMED), 1 },
	{ "::ffff:192.0.2.1", "mx.t", SAID(CONFIRMED), 1 },
	{ "2001:db8::1", "mx.t", SAID(CONFIRMED), 1 },
	{ "192.0.2.1", "alias.t", SAID(CONFIRMED), 1 },
	{ "192.0.2.1", "_under.t", SAID(CONFIRMED), 1 },
	{ "192.0.2.1", "four.t", SAID(MISMATCH), 1 },
	{ "2001:db8::2", "four.t", SAID(MISMATCH), 2 },
	{ "192.0.2.1", "six.t", SAID(MISMATCH), 2 },
	{ "192.0.2.1", "no.t", SAID(UNKNOWN), 1 },
	{ "192.0.2.1", "nothing.t", SAID(UNKNOWN), 2 },
	{ "192.0.2.1", "domain.t", SAID(UNKNOWN), 2 },
	{ "192.0.2.1", "temporary.t", SAID(TEMPORARY), 1 },
	{ "192.0.2.1", "busy.t", SAID(TEMPORARY), 1 },
	{ "192.0.2.1", "half.t", SAID(TEMPORARY), 2 },
	{ "192.0.2.1", "host.t", BOTH, 0 },
	{ "192.0.2.1", "Host.T.", BOTH, 0 },
	{ "192.0.2.1", "a.host.t", SAID(UNKNOWN), 1 },
	/* Bare names. */
	{ "192.0.2.1", "mail", SAID(BARE), 0 },
	{ "192.0.2.1", "WIN-7K3.", SAID(BARE), 0 },
	/* Literals. */
	{ "192.0.2.1", "[192.0.2.1]", SAID(LITERAL), 0 },
	{ "::ffff:192.0.2.1", "[192.0.2.1]", SAID(LITERAL), 0 },
	{ "192.0.2.1", "[IPv6:::ffff:192.0.2.1]", SAID(LITERAL), 0 },
	{ "2001:db8::1", "[IPv6:2001:db8::1]", SAID(LITERAL), 0 },
	{ "2001:db8::1", "[ipV6:2001:DB8:0:0::1]", SAID(LITERAL), 0 },
	{ "192.0.2.1", "[192.0.2.2]", SAID(LITERAL_WRONG), 0 },
	{ "192.0.2.1", "[IPv6:2001:db8::1]", SAID(LITERAL_WRONG), 0 },
	{ "2001:db8::1", "[IPv6:2001:db8::2]", SAID(LITERAL_WRONG), 0 },
	/* What is neither. */
	{ "192.0.2.1", "", SAID(SYNTAX), 0 },
	{ "192.0.2.1", ".", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "192.0.2.1", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "192.0.2.1.", SAID(SYNTAX), 0 },
	{ "2001:db8::1", "2001:db8::1", SAID(SYNTAX), 0 },
	{ "2001:db8::1", "[2001:db8::1]", SAID(SYNTAX), 0 },
	{ "2001:db8::1", "[IPv6:2001:db8::1", SAID(SYNTAX), 0 },
	{ "2001:db8::1", "[IPv62001:db8::1]", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "[IPv6:192.0.2.1]", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "[IPv6:]", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "[]", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "[", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "[192.0.2.01]", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "[192.0.2.1].", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "[ 192.0.2.1]", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "[host.t]", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "[x-tag:192.0.2.1]", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "-a.t", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "a..t", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "a b.t", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "a\\.t", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "\xc3\xa4.t", SAID(SYNTAX), 0 },
	{ "192.0.2.1", "a.t\x1b[2J", SAID(SYNTAX), 0 },
	{ "192.0.2.1", LABEL63 "4.t", SAID(SYNTAX), 0 },
	{ "192.0.2.1", LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, SAID(SYNTAX), 0 },
	/* Who we are. */
	{ "192.0.2.1", "gate.t", SAID(OWN), 0 },
	{ "192.0.2.1", "GATE.t.", SAID(OWN), 0 },
	{ "192.0.2.1", "gate", SAID(OWN), 0 },
	{ "192.0.2.1", "a.gate.t", SAID(UNKNOWN), 1 },
	{ "192.0.2.1", "[192.0.2.100]", SAID(OWN), 0 },
	{ "192.0.2.1", "[IPv6:2001:db8::100]", SAID(OWN), 0 },
	{ "192.0.2.1", "localhost", SAID(OWN), 0 },
	{ "192.0.2.1", "LocalHost.LocalDomain", SAID(OWN), 0 },
	{ "192.0.2.1", "a.localhost", SAID(OWN), 0 },
	{ "192.0.2.1", "[127.0.0.1]", SAID(OWN), 0 },
	{ "192.0.2.1", "[IPv6:::1]", SAID(OWN), 0 },
	{ "192.0.2.1", "[0.0.0.0]", SAID(OWN), 0 },
	{ "192.0.2.100", "gate.t", SAID(UNKNOWN), 1 },
	{ "192.0.2.100", "[192.0.2.100]", SAID(LITERAL), 0 },
	{ "192.0.2.100", "[IPv6:2001:db8::100]", SAID(LITERAL_WRONG), 0 },
	{ "127.0.0.1", "localhost", SAID(BARE), 0 },
	{ "::1", "[IPv6:::1]", SAID(LITERAL), 0 },
	{ "127.0.0.1", "gate.t", SAID(UNKNOWN), 1 },
};

static void on_result(const struct helo_result *result, void *scene)
{
	check_answered(scene, result);
}

/* On one of the cases. */
static void *start(struct dns *dns, const void *what, struct check_scene *scene)
{
	static const char *const names[] = { "gate", "Gate.T." };
	const struct addr own[] = { addr_of("192.0.2.100"), addr_of("2001:db8::100") };
	const struct helo_case *row = what;
	const struct helo_request request = {
		.dns = dns,
		.addr = addr_of(row->addr),
		.helo = row->helo,
		.host_name = "host.t",
		.own_names = COUNT(names),
		.own_name = names,
		.own_addresses = COUNT(own),
		.own_address = own,
	};

	return helo_start(&request, on_result, scene);
}

static const void *result(void *check)
{
	return helo_result(check);
}

static void end(void *check)
{
	struct helo *helo = check;

	helo_free(&helo);
	assert_null(helo);
}

static const struct check_kind kind = { start, result, end };

static void results(void **state)
{
	struct check_scene scene = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct helo_result *found;

		check_start(&scene, &kind, zone, &cases[i]);
		found = check_run(&scene);
		if (found->findings != cases[i].findings || found->queries != cases[i].queries)
			fail_msg("%s from %s: %llx after %u", cases[i].helo, cases[i].addr,
				 (unsigned long long)found->findings, found->queries);
		assert_int_equal(dns_script_asked(scene.script), cases[i].queries);
		assert_int_equal(found->ttl != 0, cases[i].queries != 0);
		check_end(&scene);
	}
}

static void ended_at_every_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_end_at_every_moment(&kind, zone, &cases[i]);
}

static void nothing_is_confirmed_without_a_host_name(void **state)
{
	const struct helo_request request = { .addr = addr_of("192.0.2.1"),
					      .helo = "mx.t",
					      .host_name = "" };
	finding_set findings = 0;

	(void)state;
	assert_false(helo_judge(&request, &findings));
	assert_int_equal(findings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(ended_at_every_moment),
		cmocka_unit_test(nothing_is_confirmed_without_a_host_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
