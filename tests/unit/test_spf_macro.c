/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/spf_macro: the examples of RFC 7208 7.4, what transformers do, and that no value
 * is too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks/spf_macro.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct spf_macros macros_for(const char *ip)
{
	struct spf_macros macros = {
		.mailbox = "strong-bad@email.example.com",
		.local = "strong-bad",
		.sender = "email.example.com",
		.domain = "email.example.com",
		.helo = "mx.example.org",
		.validated = "mx.example.org",
		.receiver = "gate.example.net",
		.time = 1234567890,
	};

	assert_int_equal(addr_parse(ip, strlen(ip), &macros.ip, NULL), 0);
	return macros;
}

static struct spf_span span_of(const char *text)
{
	return (struct spf_span){ text, strlen(text) };
}

static const struct {
	const char *spec, *name;
} names[] = {
	/* 7.4 */
	{ "%{s}", "strong-bad@email.example.com" },
	{ "%{o}", "email.example.com" },
	{ "%{d}", "email.example.com" },
	{ "%{d4}", "email.example.com" },
	{ "%{d3}", "email.example.com" },
	{ "%{d2}", "example.com" },
	{ "%{d1}", "com" },
	{ "%{dr}", "com.example.email" },
	{ "%{d2r}", "example.email" },
	{ "%{l}", "strong-bad" },
	{ "%{l-}", "strong.bad" },
	{ "%{lr}", "strong-bad" },
	{ "%{lr-}", "bad.strong" },
	{ "%{l1r-}", "strong" },
	{ "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" },
	{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
	{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
	{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com" },
	{ "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net" },
	/* And what these leave out. */
	{ "%{h}.%{p}", "mx.example.org.mx.example.org" },
	{ "%{S1-@}", "" }, /* not valid, see below */
	{ "%{s1.}", "com" },
	{ "%{S}", "strong-bad%40email.example.com" },
	{ "%{d9999999999}", "email.example.com" },
	{ "%{D2R}.x.example.com.", "example.email.x.example.com" },
	{ "a%%b%_c%-d.example", "a%b c%20d.example" },
	{ "%{l,}", "strong-bad" },
	{ "%{o=.-}", "email.example.com" },
};

static void names_are_expanded(void **state)
{
	const struct spf_macros macros = macros_for("192.0.2.3");
	char out[DNS_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		if (!spf_macro_valid(span_of(names[i].spec), SPF_IN_RECORD)) {
			assert_string_equal(names[i].name, "");
			continue;
		}
		spf_macro_domain(span_of(names[i].spec), &macros, out);
		assert_string_equal(out, names[i].name);
	}
}

static void addresses(void **state)
{
	struct spf_macros macros = macros_for("2001:db8::cb01");
	char out[DNS_NAME_MAX + 1], text[256];

	(void)state;
	spf_macro_domain(span_of("%{ir}.%{v}._spf.%{d2}"), &macros, out);
	assert_string_equal(out, "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2."
				 "ip6._spf.example.com");
	spf_macro_explanation(span_of("%{c} at %{t} on %{r}: %{i4}"), &macros, text, sizeof(text));
	assert_string_equal(text, "2001:db8::cb01 at 1234567890 on gate.example.net: C.B.0.1");
	macros.receiver = macros.validated = NULL;
	spf_macro_explanation(span_of("%{r} %{p}"), &macros, text, sizeof(text));
	assert_string_equal(text, "unknown unknown");
}

/* Parts may be empty: no delimiter is special for where it is. */
static void parts(void **state)
{
	static const struct {
		const char *local, *spec, *name;
	} rows[] = {
		{ "a..b", "%{l}", "a..b" },      { "a..b", "%{lr}", "b..a" },
		{ "a..b", "%{l2}", ".b" },       { "a..b", "%{l2r}", ".a" },
		{ ".a.", "%{l1r}.x", ".x" },     { "-a-", "%{l-}x", ".a.x" },
		{ "a", "%{l3r-}", "a" },         { "", "%{lr}x", "x" },
		{ "a+b-c", "%{lr+-}", "c.b.a" }, { "a+b-c.d", "%{l2+-}", "b.c.d" },
		{ "a/b", "%{L}", "a%2Fb" },      { "\xff", "%{L}", "%FF" },
	};
	struct spf_macros macros = macros_for("192.0.2.3");
	char out[DNS_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		macros.local = rows[i].local;
		spf_macro_domain(span_of(rows[i].spec), &macros, out);
		assert_string_equal(out, rows[i].name);
	}
}

/* A name is cut on the left, at a label, until it fits (7.3). */
static void long_names_are_cut(void **state)
{
	struct spf_macros macros = macros_for("192.0.2.3");
	char out[DNS_NAME_MAX + 1], local[3000], label[301];

	(void)state;
	for (size_t i = 0; i < sizeof(local) - 1; i++)
		local[i] = i % 10 == 9 ? '.' : 'x';
	local[sizeof(local) - 1] = '\0';
	macros.local = local;
	spf_macro_domain(span_of("%{l}.%{l}.%{l}.end.example"), &macros, out);
	assert_in_range(strlen(out), DNS_NAME_MAX - 10, DNS_NAME_MAX);
	assert_int_equal(strncmp(out, "xxxxxxxxx.xxxxxxxxx.", 20), 0);
	assert_non_null(strstr(out, ".end.example"));
	assert_true(spf_name_valid(out));

	memset(label, 'y', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	macros.local = label;
	spf_macro_domain(span_of("%{l}"), &macros, out);
	assert_int_equal(strlen(out), DNS_NAME_MAX);
	assert_false(spf_name_valid(out));
	spf_macro_domain(span_of("%{l}.example.com"), &macros, out);
	assert_string_equal(out, "example.com");
}

/* An explanation keeps its start, and of octets that are not ASCII nothing. */
static void explanations_are_cut(void **state)
{
	struct spf_macros macros = macros_for("192.0.2.3");
	char out[16];

	(void)state;
	macros.local = "a\r\nb\xc3\xa9";
	spf_macro_explanation(span_of("%{l} and more than fits"), &macros, out, sizeof(out));
	assert_string_equal(out, "a??b?? and more");
}

static void syntax(void **state)
{
	(void)state;
	assert_true(spf_macro_valid(span_of(""), SPF_IN_RECORD));
	assert_true(spf_macro_valid(span_of("a b %{c}"), SPF_IN_EXPLANATION));
	assert_false(spf_macro_valid(span_of("a b"), SPF_IN_RECORD));
	assert_false(spf_macro_valid(span_of("%{c}"), SPF_IN_RECORD));
	assert_false(spf_macro_valid(span_of("%{x}"), SPF_IN_EXPLANATION));
	assert_false(spf_macro_valid(span_of("caf\xc3\xa9"), SPF_IN_EXPLANATION));
	assert_false(spf_macro_valid(span_of("tab\t"), SPF_IN_EXPLANATION));
	assert_false(spf_macro_valid((struct spf_span){ "\0", 1 }, SPF_IN_EXPLANATION));
	assert_true(spf_macro_wants_name(span_of("%{d}.%{P2}"), SPF_IN_RECORD));
	assert_false(spf_macro_wants_name(span_of("%%{p}"), SPF_IN_RECORD));
}

static void valid_names(void **state)
{
	char label[66];

	(void)state;
	memset(label, 'x', 64);
	label[64] = '\0';
	assert_false(spf_name_valid(label));
	assert_true(spf_name_valid(label + 1));
	assert_true(spf_name_valid("a.b"));
	assert_false(spf_name_valid(""));
	assert_false(spf_name_valid("."));
	assert_false(spf_name_valid("a..b"));
	assert_false(spf_name_valid(".a"));
	assert_false(spf_name_valid("a."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_expanded),
		cmocka_unit_test(addresses),
		cmocka_unit_test(parts),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(explanations_are_cut),
		cmocka_unit_test(syntax),
		cmocka_unit_test(valid_names),
	};

	return cmocka_run_group_tests_name("spf_macro", tests, NULL, NULL);
}
