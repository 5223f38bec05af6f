/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/dnsbl: an allow list that is out of service because it gives no answer leaves
 * open what it might have said; one that is out for what it answers does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/evaluate.h"
#include "tests/unit/addr_fixture.h"
#include "tests/unit/dnsbl_fixture.h"
#include "tests/unit/log_capture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CREDIT       (-6)
#define BLOCKED      "2.0.0.127.bl.t A 127.0.0.2\n1.2.0.192.bl.t A 127.0.0.2\n"
#define WELL         "2.0.0.127.wl.t A 127.0.0.2\n"
#define DEAD         "2.0.0.127.wl.t A TEMPORARY\n"

static struct capture capture;

/* A block list and an allow list of addresses; the first test is over. */
static void open_lists(struct dnsbl_scene *scene, int32_t credit, const char *script)
{
	char whole[400];

	capture_pipe(&capture);
	*scene = (struct dnsbl_scene){ .rewrites = false };
	zone_row(&scene->addresses, "bl.t", 10);
	zone_row(&scene->addresses, "wl.t", credit);
	zone_row(&scene->domains, "dwl.t", credit);
	snprintf(whole, sizeof(whole), BLOCKED "%s", script);
	scene_open(scene, whole, SCENE_INTERVAL);
	scene_pass(scene, 1);
}

static void close_lists(struct dnsbl_scene *scene)
{
	scene_close(scene);
	free(capture_end(&capture));
}

static void why_it_is_out(void **state)
{
	static const struct {
		const char *test;
		enum dnsbl_health health;
		int32_t credit, missing;
	} rows[] = {
		{ DEAD, DNSBL_SILENT, CREDIT, CREDIT },
		{ WELL "1.0.0.127.wl.t A TEMPORARY\n", DNSBL_SILENT, CREDIT, CREDIT },
		{ DEAD, DNSBL_SILENT, 1, 0 },
		{ "2.0.0.127.wl.t A NXDOMAIN\n", DNSBL_SILENT, CREDIT, 0 },
		{ "2.0.0.127.wl.t A 127.255.255.254\n", DNSBL_REFUSING, CREDIT, 0 },
		{ WELL "1.0.0.127.wl.t A 127.0.0.2\n", DNSBL_WORLD, CREDIT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct heard heard = { .then = NULL };
		struct dnsbl_scene scene;

		open_lists(&scene, rows[i].credit, rows[i].test);
		assert_int_equal(scene_info(&scene, 1).health, rows[i].health);
		hear_address(&scene, &heard, "192.0.2.1");
		assert_int_equal(heard.result.score, 10);
		assert_int_equal(heard.zone[1].outcome, DNSBL_OUT);
		assert_int_equal(heard.result.missing, rows[i].missing);
		assert_int_equal(heard.result.temporary, rows[i].missing != 0);
		close_lists(&scene);
	}
}

/* Of domains, and of IPv6 where nobody knows whether it serves these. */
static void other_names(void **state)
{
	struct heard heard = { .then = NULL };
	struct dnsbl_scene scene;

	(void)state;
	open_lists(&scene, CREDIT,
		   WELL "TEST.dwl.t A TEMPORARY\n"
			"2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.wl.t "
			"A TEMPORARY\n");
	hear_domain(&scene, &heard, "mail.example");
	assert_int_equal(heard.zone[0].outcome, DNSBL_OUT);
	assert_int_equal(heard.result.missing, CREDIT);
	assert_true(heard.result.temporary);
	hear_address(&scene, &heard, "2001:db8::1");
	assert_int_equal(heard.result.missing, CREDIT);
	assert_true(heard.result.temporary);
	hear_address(&scene, &heard, "192.0.2.1");
	assert_false(heard.result.temporary);
	close_lists(&scene);
}

/* One that goes out while clients ask it, and comes back. */
static void goes_and_comes_back(void **state)
{
	struct heard heard = { .then = NULL };
	struct dnsbl_scene scene;

	(void)state;
	open_lists(&scene, CREDIT, WELL "7.2.0.192.wl.t A after 1000 TEMPORARY\n");
	for (int i = 0; i < 31; i++) {
		ask_address(&scene, &heard, "192.0.2.7", false);
		scene_pass(&scene, 1);
		assert_int_equal(heard.called, 1);
		assert_int_equal(heard.result.missing, CREDIT);
	}
	assert_int_equal(scene_info(&scene, 1).health, DNSBL_STALLED);
	hear_address(&scene, &heard, "192.0.2.1");
	assert_int_equal(heard.zone[1].outcome, DNSBL_OUT);
	assert_int_equal(heard.result.missing, CREDIT);
	scene_pass(&scene, 62);
	assert_int_equal(scene_info(&scene, 1).health, DNSBL_SERVING);
	hear_address(&scene, &heard, "192.0.2.1");
	assert_int_equal(heard.result.missing, 0);
	assert_false(heard.result.temporary);
	close_lists(&scene);
}

static void on_evaluated(const struct evaluate_result *result, void *arg)
{
	*(struct evaluate_result *)arg = *result;
}

static struct evaluate_result evaluated(struct dnsbl_scene *scene)
{
	struct evaluate_result seen = { .score.total = -1 };
	struct evaluate_request request = { .dns = scene->dns,
					    .dnsbl = scene->dnsbl,
					    .addr = addr_of("192.0.2.1") };
	const struct score_rules rules = { .greylist = 6, .reject = 10 };
	struct evaluation *evaluation;

	request.rules = &rules;
	evaluation = evaluate_start(&request, on_evaluated, &seen);
	dns_script_run(scene->script, 60000);
	evaluate_free(&evaluation);
	return seen;
}

/* Nobody is rejected for that the list that would save him is dead, nor before the rest answers. */
static void no_rejection(void **state)
{
	struct evaluate_result seen;
	struct dnsbl_scene scene;

	(void)state;
	open_lists(&scene, CREDIT, DEAD);
	seen = evaluated(&scene);
	assert_int_equal(seen.score.total, 10);
	assert_int_equal(seen.score.decision, DECISION_GREYLIST);
	assert_int_equal(seen.input.missing, CREDIT);
	assert_true(seen.input.temporary);
	close_lists(&scene);

	open_lists(&scene, CREDIT, "2.0.0.127.wl.t A NXDOMAIN\n");
	assert_int_equal(evaluated(&scene).score.decision, DECISION_REJECT);
	close_lists(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(why_it_is_out),
		cmocka_unit_test(other_names),
		cmocka_unit_test(goes_and_comes_back),
		cmocka_unit_test(no_rejection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
