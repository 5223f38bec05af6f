/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of policy/evaluate: everything that is found out about a client is put together and scored,
 * whatever answers first, is late, or never comes. The DNS is played (tests/replay/dns_script.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "policy/evaluate.h"
#include "tests/replay/dns_script.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONG_MS      60000

static const char script_text[] =
	"2.0.0.127.bl.test A 127.0.0.2\n"
	"2.0.0.127.wl.test A 127.0.0.2\n"
	"2.0.0.127.slow.test A 127.0.0.2\n"
	"2.0.0.127.mid.test A 127.0.0.2\n"
	"TEST.dbl.test A 127.0.1.2\n"
	/* listed, and a host with confirmed reverse DNS */
	"1.2.0.192.bl.test A ttl 120 127.0.0.2\n"
	"1.2.0.192.bl.test TXT \"spam source\"\n"
	"1.2.0.192.in-addr.arpa PTR ttl 300 mx.good.test\n"
	"mx.good.test A ttl 600 192.0.2.1\n"
	"mx.good.test TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
	/* listed, and on the allow list */
	"2.2.0.192.bl.test A 127.0.0.2\n"
	"2.2.0.192.wl.test A 127.0.0.2\n"
	"2.2.0.192.in-addr.arpa PTR mx.good.test\n"
	/* no reverse DNS */
	"3.2.0.192.slow.test A after 3000 127.0.0.2\n"
	/* a domain that is listed, and that forbids the host */
	"6.2.0.192.in-addr.arpa PTR mx.good.test\n"
	"6.2.0.192.bl.test A 127.0.0.2\n"
	"6.2.0.192.wl.test A TEMPORARY\n"
	"4.2.0.192.in-addr.arpa PTR mail.bad.test\n"
	"mail.bad.test A 192.0.2.4\n"
	"mail.bad.test TXT \"v=spf1 -all\"\n"
	"mail.bad.test.dbl.test A 127.0.1.2\n"
	"5.2.0.192.in-addr.arpa PTR TEMPORARY\n"
	/* listed, with a name that takes its time */
	"7.2.0.192.bl.test A ttl 120 127.0.0.2\n"
	"7.2.0.192.in-addr.arpa PTR after 1800 ttl 60 mx.slow.test\n"
	"mx.slow.test A 192.0.2.7\n"
	/* the same, and a list that would have more to say */
	"8.2.0.192.bl.test A 127.0.0.2\n"
	"8.2.0.192.slow.test A after 3000 127.0.0.2\n"
	"8.2.0.192.in-addr.arpa PTR after 1800 mx.slow.test\n"
	/* the same, and the allow list knows it, late */
	"9.2.0.192.bl.test A 127.0.0.2\n"
	"9.2.0.192.wl.test A after 1000 127.0.0.2\n"
	"9.2.0.192.in-addr.arpa PTR after 1800 mx.slow.test\n"
	/* the same, and the allow list does not know it, late */
	"10.2.0.192.bl.test A 127.0.0.2\n"
	"10.2.0.192.wl.test A after 1000 NXDOMAIN\n"
	"10.2.0.192.in-addr.arpa PTR after 1800 mx.slow.test\n"
	/* not bad enough without what the name says, and a list is late */
	"11.2.0.192.in-addr.arpa PTR after 500 mx.slow.test\n"
	"11.2.0.192.mid.test A 127.0.0.2\n"
	"11.2.0.192.slow.test A after 3000 127.0.0.2\n";

struct fixture {
	struct dns_script *script;
	struct dnsbl *dnsbl;
	struct score_rules rules;
	unsigned int called;
	struct evaluate_result seen;
};

static void add_zone(struct conf_zones *zones, const char *text)
{
	struct error err;

	assert_int_equal(conf_zone_parse(text, &zones->zone[zones->count++], &err), 0);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct conf_zones *zones = calloc(2, sizeof(*zones));
	struct dnsbl_options options = { .addresses = &zones[0],
					 .domains = &zones[1],
					 .test_interval = 600 };
	struct conf *conf;
	struct error err;

	add_zone(&zones[0], "bl.test*10");
	add_zone(&zones[0], "wl.test*-12");
	add_zone(&zones[0], "slow.test*3");
	add_zone(&zones[0], "mid.test*8");
	add_zone(&zones[1], "dbl.test*5");
	assert_int_equal(dns_script_open(script_text, &fixture->script, &err), 0);
	options.dns = dns_script_dns(fixture->script);
	assert_int_equal(dnsbl_open(&options, &fixture->dnsbl, &err), 0);
	free(zones);
	assert_int_equal(conf_defaults(&conf, &err), 0);
	score_rules_conf(&fixture->rules, conf);
	conf_free(&conf);
	dnsbl_tick(fixture->dnsbl);
	assert_true(dns_script_run(fixture->script, LONG_MS));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	dnsbl_close(&fixture->dnsbl);
	dns_script_close(&fixture->script);
	free(fixture);
	return 0;
}

static void on_done(const struct evaluate_result *result, void *arg)
{
	struct fixture *fixture = arg;

	fixture->called++;
	fixture->seen = *result;
}

static const char *const own_name[] = { "gate.test" };

static struct evaluation *start(struct fixture *fixture, const char *ip, const char *helo,
				bool details)
{
	struct evaluate_request request = {
		.dns = dns_script_dns(fixture->script),
		.dnsbl = fixture->dnsbl,
		.rules = &fixture->rules,
		.helo = helo,
		.details = details,
		.own_names = 1,
		.own_name = own_name,
	};
	struct evaluation *evaluation;

	assert_int_equal(addr_parse(ip, strlen(ip), &request.addr, NULL), 0);
	fixture->called = 0;
	evaluation = evaluate_start(&request, on_done, fixture);
	assert_non_null(evaluation);
	assert_int_equal(fixture->called, 0);
	assert_null(evaluate_result(evaluation));
	return evaluation;
}

/* What each client comes to. */
static void clients_are_scored(void **state)
{
	static const struct {
		const char *ip, *helo;
		finding_set findings;
		int32_t zones, total;
		enum decision decision;
		bool temporary;
	} rows[] = {
		/* whatever its name is, so nothing is found out about that */
		{ "192.0.2.1", NULL, 0, 10, 10, DECISION_REJECT, false },
		{ "192.0.2.1", "mx.good.test",
		  FINDING_BIT(FINDING_RDNS_CONFIRMED) | FINDING_BIT(FINDING_HELO_CONFIRMED) |
			  FINDING_BIT(FINDING_HELO_MATCH),
		  10, 9, DECISION_GREYLIST, false },
		{ "192.0.2.2", NULL, FINDING_BIT(FINDING_RDNS_UNCONFIRMED), -2, 1, DECISION_ACCEPT,
		  false },
		/* an allow list that gives no answer could have saved it */
		{ "192.0.2.6", NULL, FINDING_BIT(FINDING_RDNS_UNCONFIRMED), 10, 13,
		  DECISION_GREYLIST, true },
		{ "192.0.2.3", NULL, FINDING_BIT(FINDING_RDNS_MISSING), 3, 7, DECISION_GREYLIST,
		  false },
		{ "192.0.2.4", "mail.bad.test",
		  FINDING_BIT(FINDING_RDNS_CONFIRMED) | FINDING_BIT(FINDING_HELO_CONFIRMED) |
			  FINDING_BIT(FINDING_HELO_MATCH) | FINDING_BIT(FINDING_SPF_HELO_FAIL),
		  5, 12, DECISION_REJECT, false },
		{ "192.0.2.4", "gate.test",
		  FINDING_BIT(FINDING_RDNS_CONFIRMED) | FINDING_BIT(FINDING_HELO_OWN), 0, 10,
		  DECISION_REJECT, false },
		{ "192.0.2.5", "", FINDING_BIT(FINDING_RDNS_TEMPORARY), 0, 0, DECISION_ACCEPT,
		  true },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct evaluation *evaluation = start(fixture, rows[i].ip, rows[i].helo, false);

		assert_true(dns_script_run(fixture->script, LONG_MS));
		assert_int_equal(fixture->called, 1);
		assert_int_equal(fixture->seen.input.findings, rows[i].findings);
		assert_int_equal(fixture->seen.input.zones, rows[i].zones);
		assert_int_equal(fixture->seen.score.total, rows[i].total);
		assert_int_equal(fixture->seen.score.decision, rows[i].decision);
		assert_int_equal(fixture->seen.input.temporary, rows[i].temporary);
		assert_null(fixture->seen.detail);
		evaluate_free(&evaluation);
	}
}

/* The verdict holds no longer than the answer that runs out first. */
static void the_least_time_counts(void **state)
{
	struct fixture *fixture = *state;
	struct evaluation *evaluation = start(fixture, "192.0.2.1", NULL, false);

	assert_true(dns_script_run(fixture->script, LONG_MS));
	assert_true(fixture->seen.ttl > 0 && fixture->seen.ttl <= 120);
	evaluate_free(&evaluation);
}

static void zones_are_named(void **state)
{
	struct fixture *fixture = *state;
	struct evaluation *evaluation = start(fixture, "192.0.2.2", NULL, false);

	assert_true(dns_script_run(fixture->script, LONG_MS));
	assert_int_equal(fixture->seen.zone_count, 2);
	assert_int_equal(fixture->seen.zone[0].number, 0);
	assert_int_equal(fixture->seen.zone[0].score, 10);
	assert_int_equal(fixture->seen.zone[1].number, 1);
	assert_int_equal(fixture->seen.zone[1].score, -12);
	evaluate_free(&evaluation);
}

static void details_have_every_zone_and_its_text(void **state)
{
	struct fixture *fixture = *state;
	struct evaluation *evaluation = start(fixture, "192.0.2.1", "mail.bad.test", true);
	const struct evaluate_result *result;

	assert_true(dns_script_run(fixture->script, LONG_MS));
	result = evaluate_result(evaluation);
	assert_non_null(result);
	assert_int_equal(result->details, 5);
	for (size_t i = 0; i < result->details; i++) {
		const struct evaluate_zone *at = &result->detail[i];

		assert_int_equal(at->domain, !strcmp(at->result.zone, "dbl.test"));
		assert_string_equal(at->result.text,
				    strcmp(at->result.zone, "bl.test") != 0 ? "" : "spam source");
	}
	assert_non_null(result->spf);
	assert_int_equal(result->spf->result, SPF_FAIL);
	evaluate_free(&evaluation);
}

/* What is not there in time counts as a temporary failure, and what is there counts. */
static void what_is_late_is_left_out(void **state)
{
	struct fixture *fixture = *state;
	struct evaluation *evaluation = start(fixture, "192.0.2.3", NULL, true);

	dns_script_advance(fixture->script, 1000);
	assert_int_equal(fixture->called, 0);
	evaluate_timeout(evaluation);
	assert_int_equal(fixture->called, 1);
	assert_true(fixture->seen.input.temporary);
	assert_int_equal(fixture->seen.ttl, 0);
	assert_int_equal(fixture->seen.input.findings, FINDING_BIT(FINDING_RDNS_MISSING));
	assert_int_equal(fixture->seen.score.total, 4);
	evaluate_timeout(evaluation);
	dns_script_advance(fixture->script, LONG_MS);
	assert_int_equal(fixture->called, 1);
	evaluate_free(&evaluation);
}

/* What is certain does not wait, and claims nothing that was not found out. */
static void what_is_certain_does_not_wait(void **state)
{
	struct fixture *fixture = *state;
	struct evaluation *evaluation = start(fixture, "192.0.2.7", NULL, false);

	dns_script_advance(fixture->script, 0);
	assert_int_equal(fixture->called, 1);
	assert_int_equal(fixture->seen.score.decision, DECISION_REJECT);
	assert_int_equal(fixture->seen.score.total, 10);
	assert_int_equal(fixture->seen.input.findings, 0);
	assert_null(fixture->seen.rdns);
	assert_false(fixture->seen.input.temporary);
	assert_int_equal(fixture->seen.ttl, 120);
	assert_int_equal(dns_script_pending(fixture->script), 0);
	evaluate_timeout(evaluation);
	assert_int_equal(fixture->called, 1);
	evaluate_free(&evaluation);
}

/* Nor does it for single lists, if they can only make it worse. */
static void slow_lists_that_change_nothing_are_left(void **state)
{
	struct fixture *fixture = *state;
	struct evaluation *evaluation = start(fixture, "192.0.2.8", NULL, false);

	dns_script_advance(fixture->script, 0);
	assert_int_equal(fixture->called, 1);
	assert_int_equal(fixture->seen.score.decision, DECISION_REJECT);
	assert_int_equal(fixture->seen.input.zones, 10);
	assert_int_equal(fixture->seen.zone_count, 1);
	assert_int_equal(fixture->seen.zone[0].number, 0);
	assert_false(fixture->seen.input.temporary);
	assert_int_equal(dns_script_pending(fixture->script), 0);
	evaluate_free(&evaluation);
}

/* What each waits for, in ms, and what it comes to. */
static void what_could_change_it_is_waited_for(void **state)
{
	static const struct {
		const char *ip, *helo;
		bool details;
		int32_t confirmed, reject; /* score and threshold */
		uint64_t ms;
		enum decision decision;
	} rows[] = {
		{ "192.0.2.7", NULL, false, 0, 10, 0, DECISION_REJECT },
		{ "192.0.2.7", NULL, false, -1, 10, 1800, DECISION_GREYLIST },
		{ "192.0.2.7", NULL, false, -1, 9, 0, DECISION_REJECT },
		{ "192.0.2.7", NULL, false, 0, 0, 1800, DECISION_GREYLIST },
		{ "192.0.2.7", NULL, true, 0, 10, 1800, DECISION_REJECT },
		{ "192.0.2.7", "mx.slow.test", false, 0, 10, 1800, DECISION_GREYLIST },
		/* the allow list: it saves the client, or it does not */
		{ "192.0.2.9", NULL, false, 0, 10, 1800, DECISION_ACCEPT },
		{ "192.0.2.10", NULL, false, 0, 10, 1000, DECISION_REJECT },
		/* the name decides, before the last list has spoken */
		{ "192.0.2.11", NULL, false, 0, 10, 500, DECISION_REJECT },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct evaluation *evaluation;

		fixture->rules.score[FINDING_RDNS_CONFIRMED] = rows[i].confirmed;
		fixture->rules.reject = rows[i].reject;
		evaluation = start(fixture, rows[i].ip, rows[i].helo, rows[i].details);
		if (rows[i].ms)
			dns_script_advance(fixture->script, rows[i].ms - 1);
		assert_int_equal(fixture->called, 0);
		dns_script_advance(fixture->script, rows[i].ms ? 1 : 0);
		assert_int_equal(fixture->called, 1);
		assert_int_equal(fixture->seen.score.decision, rows[i].decision);
		evaluate_free(&evaluation);
		assert_int_equal(dns_script_pending(fixture->script), 0);
	}
}

/* Nobody is rejected whom a name could have saved that did not come in time. */
static void a_name_that_is_late_is_a_failure(void **state)
{
	struct fixture *fixture = *state;
	struct evaluation *evaluation;

	fixture->rules.score[FINDING_RDNS_CONFIRMED] = -1;
	evaluation = start(fixture, "192.0.2.7", NULL, false);
	dns_script_advance(fixture->script, 1000);
	assert_int_equal(fixture->called, 0);
	evaluate_timeout(evaluation);
	assert_int_equal(fixture->called, 1);
	assert_int_equal(fixture->seen.input.findings, FINDING_BIT(FINDING_RDNS_TEMPORARY));
	assert_int_equal(fixture->seen.score.decision, DECISION_GREYLIST);
	assert_true(fixture->seen.input.temporary);
	evaluate_free(&evaluation);
}

/* Freed at any moment: nothing comes afterwards. */
static void it_may_be_freed_at_any_moment(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned int steps = 0; steps < 6; steps++) {
		struct evaluation *evaluation = start(fixture, "192.0.2.3", "mail.bad.test", true);

		for (unsigned int i = 0; i < steps; i++)
			dns_script_advance(fixture->script, i * 200);
		fixture->called = 0;
		evaluate_free(&evaluation);
		assert_null(evaluation);
		dns_script_advance(fixture->script, LONG_MS);
		assert_int_equal(fixture->called, 0);
	}
}

static void free_it(const struct evaluate_result *result, void *arg)
{
	(void)result;
	evaluate_free(arg);
}

/* At its end, before that by one answer of many, and at its time. */
static void done_may_free_it_of(struct fixture *fixture, uint32_t ip, bool late)
{
	struct evaluation *evaluation = NULL;
	const struct evaluate_request request = { .dns = dns_script_dns(fixture->script),
						  .dnsbl = fixture->dnsbl,
						  .rules = &fixture->rules,
						  .addr = addr_from_ipv4(ip) };

	evaluation = evaluate_start(&request, free_it, &evaluation);
	if (late)
		evaluate_timeout(evaluation);
	assert_true(dns_script_run(fixture->script, LONG_MS));
	assert_null(evaluation);
}

static void done_may_free_it(void **state)
{
	done_may_free_it_of(*state, 0xc0000203, false);
	done_may_free_it_of(*state, 0xc0000207, false);
	done_may_free_it_of(*state, 0xc0000208, false);
	done_may_free_it_of(*state, 0xc0000208, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(clients_are_scored, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_least_time_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zones_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(details_have_every_zone_and_its_text, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_late_is_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_certain_does_not_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slow_lists_that_change_nothing_are_left, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_could_change_it_is_waited_for, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_name_that_is_late_is_a_failure, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(it_may_be_freed_at_any_moment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(done_may_free_it, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
