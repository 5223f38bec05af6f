/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/dnsbl_health: a zone that passes its tests, and leaves clients without an answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dnsbl_fixture.h"
#include "tests/unit/log_capture.h"

#define MINUTE 60

static struct capture capture;

/* Zone z.t answers its tests, and of clients 192.0.2.1 alone. */
static void open_zone(struct dnsbl_scene *scene)
{
	capture_pipe(&capture);
	*scene = (struct dnsbl_scene){ .rewrites = false };
	zone_row(&scene->addresses, "z.t", 1);
	scene_open(scene,
		   "2.0.0.127.z.t A 127.0.0.2\n1.2.0.192.z.t A 127.0.0.3\n"
		   "7.2.0.192.z.t A after 1000 TEMPORARY\n",
		   SCENE_INTERVAL);
	scene_pass(scene, 1);
	assert_int_equal(scene_info(scene, 0).health, DNSBL_SERVING);
}

static void close_zone(struct dnsbl_scene *scene)
{
	scene_close(scene);
	free(capture_end(&capture));
}

static enum dnsbl_health health(const struct dnsbl_scene *scene)
{
	return scene_info(scene, 0).health;
}

/* A client a second that gets no answer, for so long; a tick comes in each. */
static void wait_in_vain(struct dnsbl_scene *scene, unsigned int seconds)
{
	struct heard heard = { .then = NULL };

	while (seconds--) {
		ask_address(scene, &heard, "192.0.2.7", false);
		scene_pass(scene, 1);
		assert_int_equal(heard.called, 1);
	}
}

static enum dnsbl_outcome outcome(struct dnsbl_scene *scene, const char *addr)
{
	struct heard heard = { .then = NULL };

	hear_address(scene, &heard, addr);
	return heard.zone[0].outcome;
}

static void goes_out_after_half_a_minute(void **state)
{
	struct dnsbl_scene scene;
	char *log;

	(void)state;
	open_zone(&scene);
	wait_in_vain(&scene, 30);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	wait_in_vain(&scene, 1);
	assert_int_equal(health(&scene), DNSBL_STALLED);
	assert_string_equal(dnsbl_health_name(health(&scene)), "stalled");
	assert_int_equal(scene_info(&scene, 0).failures, 1);
	assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_OUT);
	log = capture_end(&capture);
	assert_non_null(strstr(log, "\"event\":\"dnsbl.zone-out\",\"zone\":\"z.t\","
				    "\"service\":\"ipv4\",\"health\":\"stalled\""));
	free(log);
	capture_pipe(&capture);
	close_zone(&scene);
}

/* One that is answered begins the count anew. */
static void an_answer_forgets(void **state)
{
	struct dnsbl_scene scene;

	(void)state;
	open_zone(&scene);
	for (int round = 0; round < 4; round++) {
		wait_in_vain(&scene, 25);
		assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_LISTED);
	}
	assert_int_equal(health(&scene), DNSBL_SERVING);
	close_zone(&scene);
}

/* Few clients are no proof, however long it takes. */
static void few_are_not_enough(void **state)
{
	struct dnsbl_scene scene;

	(void)state;
	open_zone(&scene);
	for (int i = 0; i < 19; i++) {
		wait_in_vain(&scene, 1);
		scene_pass(&scene, 10);
	}
	assert_int_equal(health(&scene), DNSBL_SERVING);
	wait_in_vain(&scene, 1);
	assert_int_equal(health(&scene), DNSBL_STALLED);
	close_zone(&scene);
}

/* How many seconds it stays out. */
static unsigned int seconds_out(struct dnsbl_scene *scene)
{
	unsigned int seconds = 0;

	while (health(scene) == DNSBL_STALLED && seconds < 100000) {
		scene_pass(scene, 1);
		seconds++;
	}
	assert_int_equal(health(scene), DNSBL_SERVING);
	return seconds;
}

/* It comes back later and later, until it has answered clients for as long as it was out. */
static void comes_back_and_does_not_flap(void **state)
{
	static const unsigned int minutes[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	struct dnsbl_scene scene;
	unsigned int out = 0;

	(void)state;
	open_zone(&scene);
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		/* An answer or two in between do not make it well. */
		assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_LISTED);
		wait_in_vain(&scene, 31);
		out = seconds_out(&scene);
		assert_in_range(out, minutes[i] * MINUTE - 1, minutes[i] * MINUTE + 2);
	}
	scene_pass(&scene, MINUTE * MINUTE);
	assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_LISTED);
	wait_in_vain(&scene, 31);
	assert_in_range(seconds_out(&scene), MINUTE - 1, MINUTE + 2);
	close_zone(&scene);
}

/* Those who do not wait to the end count, too. */
static void who_hurries_counts(void **state)
{
	struct dnsbl_scene scene;
	struct heard heard = { .then = NULL };

	(void)state;
	open_zone(&scene);
	scene_add(&scene, "8.2.0.192.z.t A after 60000 127.0.0.2");
	for (int i = 0; i < 31; i++) {
		assert_int_equal(health(&scene), DNSBL_SERVING);
		ask_address(&scene, &heard, "192.0.2.8", false);
		scene_pass(&scene, 1);
		dnsbl_hurry(scene.dnsbl, heard.query);
		assert_int_equal(heard.called, 1);
		assert_int_equal(heard.zone[0].outcome, DNSBL_TEMPORARY);
	}
	assert_int_equal(health(&scene), DNSBL_STALLED);
	close_zone(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_out_after_half_a_minute),
		cmocka_unit_test(an_answer_forgets),
		cmocka_unit_test(few_are_not_enough),
		cmocka_unit_test(comes_back_and_does_not_flap),
		cmocka_unit_test(who_hurries_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
