/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/rdns: names that lead back and names that do not, hostile names, limits, failures
 * of the DNS, and that the speed of answers changes nothing. The answers are played
 * (tests/replay/dns_script.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "checks/host.h"
#include "checks/rdns.h"
#include "tests/unit/addr_fixture.h"
#include "tests/unit/check_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CONFIRMED    FINDING_BIT(FINDING_RDNS_CONFIRMED)
#define MISSING      FINDING_BIT(FINDING_RDNS_MISSING)
#define UNCONFIRMED  FINDING_BIT(FINDING_RDNS_UNCONFIRMED)
#define TEMPORARY    FINDING_BIT(FINDING_RDNS_TEMPORARY)
#define GENERIC      FINDING_BIT(FINDING_RDNS_GENERIC)
#define LABEL63      "a23456789012345678901234567890123456789012345678901234567890123"

static const char zone[] =
	"1.2.0.192.in-addr.arpa PTR ttl 200 mx.t\n"
	"mx.t A ttl 100 192.0.2.1\n"
	"2.2.0.192.in-addr.arpa PTR none.t\n"
	"2.2.0.192.in-addr.arpa PTR other.t\n"
	"2.2.0.192.in-addr.arpa PTR Two.T\n"
	"2.2.0.192.in-addr.arpa PTR late.t\n"
	"other.t A 192.0.2.99\n"
	"other.t AAAA 2001:db8::2\n"
	"two.t A 192.0.2.77\n"
	"two.t A 192.0.2.2\n"
	"late.t A after 5000 192.0.2.2\n"
	"4.2.0.192.in-addr.arpa TXT none\n"
	"5.2.0.192.in-addr.arpa ANY TEMPORARY\n"
	"6.2.0.192.in-addr.arpa ANY after 100 BUSY\n"
	"7.2.0.192.in-addr.arpa PTR temporary.t\n"
	"7.2.0.192.in-addr.arpa PTR seven.t\n"
	"temporary.t A TEMPORARY\n"
	"seven.t A 192.0.2.7\n"
	"8.2.0.192.in-addr.arpa PTR seven.t\n"
	"8.2.0.192.in-addr.arpa PTR temporary.t\n"
	"9.2.0.192.in-addr.arpa PTR seven.t\n"
	"9.2.0.192.in-addr.arpa PTR busy.t\n"
	"busy.t A BUSY\n"
	"10.2.0.192.in-addr.arpa PTR slow.t\n"
	"10.2.0.192.in-addr.arpa PTR ten.t\n"
	"slow.t A after 800 192.0.2.10\n"
	"ten.t A 192.0.2.10\n"
	"11.2.0.192.in-addr.arpa PTR localhost\n"
	"11.2.0.192.in-addr.arpa PTR a.localhost\n"
	"11.2.0.192.in-addr.arpa PTR localhost.localdomain\n"
	"11.2.0.192.in-addr.arpa PTR 11.2.0.192.in-addr.arpa\n"
	"11.2.0.192.in-addr.arpa PTR a\\.b.t\n"
	"11.2.0.192.in-addr.arpa PTR -a.t\n"
	"11.2.0.192.in-addr.arpa PTR a-.t\n"
	"11.2.0.192.in-addr.arpa PTR a\\027[2J.t\n"
	"11.2.0.192.in-addr.arpa PTR a\\013\\010b.t\n"
	"11.2.0.192.in-addr.arpa PTR \\195\\164.t\n"
	"11.2.0.192.in-addr.arpa PTR a\\032b.t\n"
	"11.2.0.192.in-addr.arpa PTR .\n"
	"11.2.0.192.in-addr.arpa PTR 192.0.2.11\n"
	"11.2.0.192.in-addr.arpa PTR mail\n"
	"11.2.0.192.in-addr.arpa PTR \\(.t\n"
	"11.2.0.192.in-addr.arpa A 192.0.2.11\n"
	"a.t A 192.0.2.11\n"
	"localhost A 192.0.2.11\n"
	"12.2.0.192.in-addr.arpa PTR <script>.t\n"
	"12.2.0.192.in-addr.arpa PTR " LABEL63 ".t\n"
	"12.2.0.192.in-addr.arpa PTR _a_.t\n" LABEL63 ".t A 192.0.2.12\n"
	"_a_.t A 192.0.2.12\n"
	"13.2.0.192.in-addr.arpa PTR 192-0-2-13.dyn.t\n"
	"192-0-2-13.dyn.t A 192.0.2.13\n"
	"14.2.0.192.in-addr.arpa PTR 192-0-2-14.dyn.t\n"
	"15.2.0.192.in-addr.arpa PTR alias.t\n"
	"alias.t CNAME real.t\n"
	"real.t A 192.0.2.15\n"
	"16.2.0.192.in-addr.arpa PTR n1.t\n"
	"16.2.0.192.in-addr.arpa PTR n2.t\n"
	"16.2.0.192.in-addr.arpa PTR n3.t\n"
	"16.2.0.192.in-addr.arpa PTR n4.t\n"
	"16.2.0.192.in-addr.arpa PTR n5.t\n"
	"16.2.0.192.in-addr.arpa PTR n6.t\n"
	"16.2.0.192.in-addr.arpa PTR n7.t\n"
	"16.2.0.192.in-addr.arpa PTR n8.t\n"
	"16.2.0.192.in-addr.arpa PTR n9.t\n"
	"16.2.0.192.in-addr.arpa PTR N9.t\n"
	"16.2.0.192.in-addr.arpa PTR n10.t\n"
	"16.2.0.192.in-addr.arpa PTR n11.t\n"
	"n11.t A 192.0.2.16\n"
	"17.2.0.192.in-addr.arpa PTR n1.t\n"
	"17.2.0.192.in-addr.arpa PTR n2.t\n"
	"17.2.0.192.in-addr.arpa PTR n3.t\n"
	"17.2.0.192.in-addr.arpa PTR n4.t\n"
	"17.2.0.192.in-addr.arpa PTR n5.t\n"
	"17.2.0.192.in-addr.arpa PTR n6.t\n"
	"17.2.0.192.in-addr.arpa PTR n7.t\n"
	"17.2.0.192.in-addr.arpa PTR n8.t\n"
	"17.2.0.192.in-addr.arpa PTR n9.t\n"
	"17.2.0.192.in-addr.arpa PTR N9.t\n"
	"17.2.0.192.in-addr.arpa PTR n17.t\n"
	"17.2.0.192.in-addr.arpa PTR n11.t\n"
	"n17.t A 192.0.2.17\n"
	"18.2.0.192.in-addr.arpa PTR mx.t\n"
	"19.2.0.192.in-addr.arpa PTR 192-0-2-19.dyn.t\n"
	"192-0-2-19.dyn.t A TEMPORARY\n"
	"20.2.0.192.in-addr.arpa PTR six.t\n"
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.t\n"
	"f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.ip6.arpa PTR v4.t\n"
	"six.t AAAA 2001:db8::1\n"
	"v4.t A 192.0.2.1\n";

static const struct {
	const char *addr;
	finding_set findings;
	const char *name;
	unsigned int names, invalid, queries;
	uint32_t ttl;
} cases[] = {
	{ "192.0.2.1", CONFIRMED, "mx.t", 1, 0, 2, 100 },
	{ "::ffff:192.0.2.1", CONFIRMED, "mx.t", 1, 0, 2, 100 },
	{ "192.0.2.2", CONFIRMED, "Two.T", 4, 0, 5, 300 },
	{ "192.0.2.3", MISSING, "", 0, 0, 1, 300 },
	{ "192.0.2.4", MISSING, "", 0, 0, 1, 300 },
	{ "192.0.2.5", TEMPORARY, "", 0, 0, 1, 300 },
	{ "192.0.2.6", TEMPORARY, "", 0, 0, 1, 300 },
	{ "192.0.2.7", CONFIRMED, "seven.t", 2, 0, 3, 300 },
	{ "192.0.2.8", TEMPORARY, "seven.t", 2, 0, 3, 300 },
	{ "192.0.2.9", TEMPORARY, "seven.t", 2, 0, 3, 300 },
	{ "192.0.2.10", CONFIRMED, "slow.t", 2, 0, 3, 300 },
	{ "192.0.2.11", UNCONFIRMED, "", 15, 15, 1, 300 },
	{ "192.0.2.12", CONFIRMED, LABEL63 ".t", 3, 1, 3, 300 },
	{ "192.0.2.13", CONFIRMED | GENERIC, "192-0-2-13.dyn.t", 1, 0, 2, 300 },
	{ "192.0.2.14", UNCONFIRMED | GENERIC, "192-0-2-14.dyn.t", 1, 0, 2, 300 },
	{ "192.0.2.15", CONFIRMED, "alias.t", 1, 0, 2, 300 },
	{ "192.0.2.16", UNCONFIRMED, "n1.t", 12, 0, 11, 300 },
	{ "192.0.2.17", CONFIRMED, "n17.t", 12, 0, 11, 300 },
	{ "192.0.2.18", UNCONFIRMED, "mx.t", 1, 0, 2, 100 },
	{ "192.0.2.20", UNCONFIRMED, "six.t", 1, 0, 2, 300 },
	{ "192.0.2.19", TEMPORARY | GENERIC, "192-0-2-19.dyn.t", 1, 0, 2, 300 },
	{ "2001:db8::1", CONFIRMED, "six.t", 1, 0, 2, 300 },
	{ "123:4567:89ab:cdef:123:4567:89ab:cdef", UNCONFIRMED, "v4.t", 1, 0, 2, 300 },
};

static void on_result(const struct rdns_result *result, void *scene)
{
	check_answered(scene, result);
}

/* On a client whose address is a text. */
static void *start(struct dns *dns, const void *what, struct check_scene *scene)
{
	const struct addr client = addr_of(what);

	return rdns_start(dns, &client, on_result, scene);
}

static const void *result(void *check)
{
	return rdns_result(check);
}

static void end(void *check)
{
	struct rdns *rdns = check;

	rdns_free(&rdns);
	assert_null(rdns);
}

static const struct check_kind kind = { start, result, end };

static void results(void **state)
{
	struct check_scene scene = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct rdns_result *found;

		check_start(&scene, &kind, zone, cases[i].addr);
		found = check_run(&scene);
		if (found->findings != cases[i].findings || strcmp(found->name, cases[i].name))
			fail_msg("%s: %llx %s", cases[i].addr, (unsigned long long)found->findings,
				 found->name);
		assert_int_equal(found->names, cases[i].names);
		assert_int_equal(found->invalid, cases[i].invalid);
		assert_int_equal(found->queries, cases[i].queries);
		assert_int_equal(found->ttl, cases[i].ttl);
		assert_int_equal(dns_script_asked(scene.script), cases[i].queries);
		check_end(&scene);
	}
}

/* All names are asked for at once, and no longer than the result takes. */
static void names_are_asked_for_together(void **state)
{
	struct check_scene scene = { 0 };

	(void)state;
	check_start(&scene, &kind, zone, "192.0.2.2");
	dns_script_advance(scene.script, 0);
	assert_int_equal(scene.calls, 1);
	assert_int_equal(dns_script_cancelled(scene.script), 1); /* late.t */
	check_end(&scene);
	check_start(&scene, &kind, zone, "192.0.2.10");
	dns_script_advance(scene.script, 799);
	assert_int_equal(scene.calls, 0); /* ten.t leads back, but slow.t may, too */
	dns_script_advance(scene.script, 1);
	assert_int_equal(scene.calls, 1);
	check_end(&scene);
}

static void ended_at_every_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_end_at_every_moment(&kind, zone, cases[i].addr);
}

static void reverse_names(void **state)
{
	static const char *const rows[][2] = {
		{ "192.0.2.7", "7.2.0.192.in-addr.arpa" },
		{ "::ffff:192.0.2.255", "255.2.0.192.in-addr.arpa" },
		{ "2001:db8:123::af", "f.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
				      "3.2.1.0.8.b.d.0.1.0.0.2.ip6.arpa" },
	};
	char name[HOST_REVERSE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct addr addr = addr_of(rows[i][0]);

		host_reverse_name(&addr, name);
		assert_string_equal(name, rows[i][1]);
	}
}

static void host_names(void **state)
{
	static const struct {
		const char *text;
		bool host, bare;
	} rows[] = {
		{ "mx.example.com", true, true },
		{ "MX-1.example.com", true, true },
		{ "_a_.example", true, true },
		{ "1and1.com", true, true },
		{ "7.2.0.192.example", true, true },
		{ LABEL63 ".t", true, true },
		{ LABEL63 "4.t", false, false },
		{ LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, false, false },
		{ "mail", false, true },
		{ "x25", false, true },
		{ "25", false, false },
		{ "192.0.2.1", false, false },
		{ "a.25", false, false },
		{ "2001:db8::1", false, false },
		{ "", false, false },
		{ ".", false, false },
		{ "a.example.", false, false },
		{ ".a.example", false, false },
		{ "a..example", false, false },
		{ "-a.example", false, false },
		{ "a-.example", false, false },
		{ "a b.example", false, false },
		{ "a\\.b.example", false, false },
		{ "a\n.example", false, false },
		{ "\x1b[2J.example", false, false },
		{ "\xc3\xa4.example", false, false },
		{ "a.example\x7f", false, false },
		{ "[192.0.2.1]", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (host_name_is_valid(rows[i].text, false) != rows[i].host ||
		    host_name_is_valid(rows[i].text, true) != rows[i].bare)
			fail_msg("%s", rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(names_are_asked_for_together),
		cmocka_unit_test(ended_at_every_moment),
		cmocka_unit_test(reverse_names),
		cmocka_unit_test(host_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
