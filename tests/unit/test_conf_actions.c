/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of conf/actions: rows of check.domains, what is refused in them, and what follows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OWN          "smtp: {domains: [a.example, b.example, c.example]}\n"
#define AT           "f:2: check.domains: "
#define ROW(text)    OWN "check: {domains: [\"" text "\"]}"

static void assert_actions(const struct conf_actions *actions, const char *expected)
{
	static const char letter[] = "omtdr"; /* off, monitor, tag, defer, reject */
	char text[CONF_ABOUT_COUNT + 1] = "";

	for (size_t i = 0; i < CONF_ABOUT_COUNT; i++)
		text[i] = letter[actions->about[i]];
	assert_string_equal(text, expected);
}

static void assert_domain(const struct conf *conf, const char *domain, const char *expected)
{
	const struct conf_actions actions = conf_actions(conf, domain);

	assert_actions(&actions, expected);
}

/* In the order of enum conf_about: dnsbl, rdns, helo, spf, sender, score. */
static void actions_of_domains(void **state)
{
	struct conf *conf =
		read_conf(OWN "check: {stage: rcpt, dnsbl: defer, rdns: tag, helo: off,\n"
			      "  domains: [A.example spf=tag  score=monitor dnsbl=off,\n"
			      "            b.example sender=off helo=reject rdns=monitor]}");
	struct conf_actions most;

	(void)state;
	assert_domain(conf, "a.example", "ototrm");
	assert_domain(conf, "b.example", "dmrror");
	assert_domain(conf, "c.example", "dtorrr");
	assert_domain(conf, "x.a.example", "dtorrr");
	assert_domain(conf, "example", "dtorrr");
	assert_domain(conf, "", "dtorrr");
	most = conf_actions_most(conf);
	assert_actions(&most, "dtrrrr");
	conf_free(&conf);
}

/* What no domain wants is off. */
static void what_nobody_wants(void **state)
{
	struct conf *conf = read_conf(
		OWN "check: {dnsbl: off, rdns: off, helo: off, spf: off, sender: off, score: off,\n"
		    "  domains: [a.example spf=monitor dnsbl=off, b.example spf=tag]}");
	const struct conf_actions most = conf_actions_most(conf);

	(void)state;
	assert_actions(&most, "oootoo");
	assert_domain(conf, "a.example", "ooomoo");
	conf_free(&conf);
}

static void every_option_has_rows(void **state)
{
	struct conf *conf = read_conf(every_option);

	(void)state;
	assert_int_equal(conf->check.domains.count, 2);
	assert_domain(conf, "example.net", "tdrtor");
	assert_domain(conf, "xn--bcher-kva.example", "rodmot");
	conf_free(&conf);
}

static void rows_that_are_refused(void **state)
{
	static const struct refused rows[] = {
		{ ROW(""), AT "\"\" is refused: a domain has 1 to 253 characters" },
		{ ROW("a.example"),
		  AT "a.example says nothing of its domain: add words as spf=tag" },
		{ ROW(".a.example spf=tag"), AT ".a.example is refused: not a domain name" },
		{ ROW("*.example spf=tag"), AT "*.example is refused: not a domain name" },
		{ ROW("spf=tag a.example"), AT "spf=tag is refused: not a domain name" },
		{ ROW("a.example spf"),
		  AT "spf is none of dnsbl=, rdns=, helo=, spf=, sender=, score=, with an action" },
		{ ROW("a.example spam=tag"), AT "spam=tag is none of dnsbl=, rdns=, helo=, spf=, "
						"sender=, score=, with an action" },
		{ ROW("a.example spf=maybe"),
		  AT "spf: maybe is none of off, monitor, tag, defer, reject" },
		{ ROW("a.example spf="),
		  AT "spf: \"\" is none of off, monitor, tag, defer, reject" },
		{ ROW("a.example spf=tag spf=tag"),
		  AT "spf=tag contradicts or repeats a word before it" },
		{ ROW("a.example pregreet=off"),
		  AT "pregreet=off is about a whole session, not about a recipient" },
		{ ROW("a.example spf=tag pipelining=off"),
		  AT "pipelining=off is about a whole session, not about a recipient" },
		{ ROW("a.example stage=rcpt"),
		  AT "stage=rcpt is about a whole session, not about a recipient" },
		{ OWN "check:\n  domains:\n    - a.example spf=tag\n    - A.Example spf=off",
		  "f:5: check.domains: A.Example spf=off is there twice, on lines 4 and 5" },
		{ ROW("d.example spf=tag"), AT "d.example is not in smtp.domains" },
		{ "check: {domains: [a.example spf=tag]}",
		  "f:1: check.domains: a.example is not in smtp.domains" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

/* A client that is refused in place of the greeting is refused for all domains. */
static void too_late(void **state)
{
	static const struct refused rows[] = {
		{ ROW("a.example score=monitor"),
		  AT "a.example: a milder score needs check.stage rcpt, because at connect nobody "
		     "knows the recipient" },
		{ ROW("a.example score=defer"),
		  AT "a.example: a milder score needs check.stage rcpt, because at connect nobody "
		     "knows the recipient" },
		{ OWN "check: {rdns: defer, domains: [b.example rdns=tag]}",
		  AT "b.example: a milder rdns needs check.stage rcpt, because at connect nobody "
		     "knows the recipient" },
	};
	static const char *const fine[] = {
		OWN "check: {stage: rcpt, domains: [a.example score=off]}",
		OWN "check: {score: tag, domains: [a.example score=off]}",
		OWN "check: {score: tag, domains: [a.example score=reject]}",
		OWN "check: {domains: [a.example score=reject]}",
		OWN "check: {rdns: defer, domains: [a.example rdns=reject]}",
		OWN "check: {domains: [a.example dnsbl=tag spf=off sender=off helo=defer]}",
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
	for (size_t i = 0; i < COUNT(fine); i++) {
		struct conf *conf = read_conf(fine[i]);

		conf_free(&conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_of_domains),
		cmocka_unit_test(what_nobody_wants),
		cmocka_unit_test(every_option_has_rows),
		cmocka_unit_test(rows_that_are_refused),
		cmocka_unit_test(too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
