/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/dnsbl: other zones while it runs: what stays, what is new, what is gone, and what
 * becomes of questions that are under way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dnsbl_fixture.h"

#define TEST(zone)   "2.0.0.127." zone " A 127.0.0.2\n"
#define SLOW_MS      400
#define LATE(zone)   "1.2.0.192." zone " A after 400 127.0.0.2\n"
#define LISTED(zone) "1.2.0.192." zone " A 127.0.0.2\n"
#define CLIENT       "192.0.2.1"

static struct conf_zone *address(struct dnsbl_scene *scene, const char *name, int32_t weight)
{
	return zone_row(&scene->addresses, name, weight);
}

/* a.t alone, which has passed its first test. */
static void open_scene(struct dnsbl_scene *scene, const char *script)
{
	*scene = (struct dnsbl_scene){ .rewrites = false };
	address(scene, "a.t", 5);
	scene_open(scene, script, SCENE_INTERVAL);
	scene_pass(scene, 1);
	assert_int_equal(scene_info(scene, 0).health, DNSBL_SERVING);
}

static size_t tests_of(const struct dnsbl_scene *scene, const char *name)
{
	return dns_script_asked_for(scene->script, name, DNS_A);
}

static void what_stays(void **state)
{
	struct heard heard = { .then = NULL };
	struct dnsbl_zone_info before, after;
	struct dnsbl_scene scene;

	(void)state;
	open_scene(&scene, TEST("a.t") TEST("b.t") LISTED("a.t") LISTED("b.t"));
	hear_address(&scene, &heard, CLIENT);
	before = scene_info(&scene, 0);
	assert_int_equal(before.listed, 1);
	/* It has another number, and other points. */
	scene.addresses.count = 0;
	address(&scene, "b.t", 2);
	address(&scene, "a.t", 7);
	scene_replace(&scene, SCENE_INTERVAL);
	assert_int_equal(scene_zones(&scene), 2);
	after = scene_info(&scene, 1);
	assert_memory_equal(&after, &before, sizeof(before));
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 1);
	hear_address(&scene, &heard, CLIENT);
	assert_int_equal(heard.result.score, 9);
	assert_string_equal(heard.zone[1].zone, "a.t");
	assert_int_equal(heard.zone[1].number, 1);
	assert_int_equal(scene_info(&scene, 1).asked, 2);
	assert_int_equal(scene_info(&scene, 1).listed, 2);
	scene_close(&scene);
}

/* As at the start: a listing waits for the end of the test, and does not count if that fails. */
static void what_is_new(void **state)
{
	static const struct {
		const char *test;
		enum dnsbl_outcome outcome;
		int32_t score;
	} rows[] = {
		{ "2.0.0.127.b.t A after 400 127.0.0.2\n", DNSBL_LISTED, 2 },
		{ "2.0.0.127.b.t A after 400 127.255.255.254\n", DNSBL_OUT, 0 },
		{ "2.0.0.127.b.t A after 400 NXDOMAIN\n", DNSBL_OUT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard = { .then = NULL };
		struct dnsbl_scene scene;
		uint64_t start;

		open_scene(&scene, TEST("a.t") LISTED("b.t"));
		scene_add(&scene, rows[i].test);
		address(&scene, "b.t", 2);
		scene_replace(&scene, SCENE_INTERVAL);
		start = scene.dns->ops->now(scene.dns);
		assert_int_equal(scene_info(&scene, 1).health, DNSBL_UNTESTED);
		hear_address(&scene, &heard, CLIENT);
		assert_int_equal(heard.at - start, SLOW_MS);
		assert_int_equal(heard.zone[1].outcome, rows[i].outcome);
		assert_int_equal(heard.result.score, rows[i].score);
		scene_close(&scene);
	}
}

static void what_is_gone(void **state)
{
	struct heard before = { .then = NULL }, after = { .then = NULL };
	struct dnsbl_scene scene;

	(void)state;
	open_scene(&scene, TEST("a.t") LATE("a.t"));
	ask_address(&scene, &before, CLIENT, true);
	scene.addresses.count = 0;
	address(&scene, "b.t", 1);
	scene_replace(&scene, SCENE_INTERVAL);
	assert_int_equal(scene_zones(&scene), 1);
	assert_string_equal(scene_info(&scene, 0).zone, "b.t");
	ask_address(&scene, &after, CLIENT, true);
	dns_script_run(scene.script, SLOW_MS);
	assert_int_equal(before.called, 1);
	assert_int_equal(before.result.score, 5);
	assert_int_equal(before.zone[0].outcome, DNSBL_LISTED);
	assert_int_equal(after.called, 1);
	assert_int_equal(after.result.count, 1);
	assert_int_equal(after.result.score, 0);
	/* It is not tested any more. */
	scene_pass(&scene, 2 * SCENE_INTERVAL);
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 1);
	scene_close(&scene);
}

/* Each question by the points with which it began; what it finds out counts for all. */
static void other_points_meanwhile(void **state)
{
	struct heard before = { .then = NULL }, after = { .then = NULL };
	struct dnsbl_scene scene;

	(void)state;
	open_scene(&scene, TEST("a.t") LATE("a.t"));
	ask_address(&scene, &before, CLIENT, false);
	scene.addresses.zone[0].weight = -7;
	scene_replace(&scene, SCENE_INTERVAL);
	ask_address(&scene, &after, CLIENT, false);
	dns_script_run(scene.script, SLOW_MS);
	assert_int_equal(before.result.score, 5);
	assert_int_equal(after.result.score, -7);
	assert_int_equal(scene_info(&scene, 0).asked, 2);
	assert_int_equal(scene_info(&scene, 0).listed, 2);
	scene_close(&scene);
}

/* Who waits for the first test of a zone hears of its end, though the zone is gone. */
static void a_test_under_way(void **state)
{
	struct heard heard = { .then = NULL };
	struct dnsbl_scene scene = { .rewrites = false };

	(void)state;
	address(&scene, "a.t", 5);
	scene_open(&scene, "2.0.0.127.a.t A after 400 127.0.0.2\n" LISTED("a.t"), SCENE_INTERVAL);
	ask_address(&scene, &heard, CLIENT, false);
	dns_script_advance(scene.script, 0);
	scene.addresses.count = 0;
	scene_replace(&scene, SCENE_INTERVAL);
	assert_int_equal(heard.called, 0);
	dns_script_run(scene.script, SLOW_MS);
	assert_int_equal(heard.called, 1);
	assert_int_equal(heard.result.score, 5);
	assert_int_equal(scene_zones(&scene), 0);
	scene_close(&scene);
}

/* Another filter makes another zone: what is a listing and what an error is something else. */
static void other_replies(void **state)
{
	struct heard heard = { .then = NULL };
	struct dnsbl_scene scene;

	(void)state;
	open_scene(&scene, TEST("a.t") "1.2.0.192.a.t A 127.0.0.1\n");
	hear_address(&scene, &heard, CLIENT);
	assert_int_equal(heard.zone[0].outcome, DNSBL_ERROR);
	assert_int_equal(scene_info(&scene, 0).health, DNSBL_REFUSING);
	row_code(&scene.addresses.zone[0], 0x7f000001);
	scene_replace(&scene, SCENE_INTERVAL);
	assert_int_equal(scene_info(&scene, 0).health, DNSBL_UNTESTED);
	assert_int_equal(scene_info(&scene, 0).asked, 0);
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 2);
	hear_address(&scene, &heard, CLIENT);
	assert_int_equal(heard.result.score, 5);
	scene_close(&scene);
}

/* Rows of one zone in another order are the same zone; one row less is not. */
static void rows_of_one_zone(void **state)
{
	struct dnsbl_scene scene;
	struct conf_zone first;

	(void)state;
	open_scene(&scene, TEST("a.t"));
	row_mask(address(&scene, "a.t", 2), 4);
	scene_replace(&scene, SCENE_INTERVAL);
	assert_int_equal(scene_zones(&scene), 1);
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 2);
	first = scene.addresses.zone[0];
	scene.addresses.zone[0] = scene.addresses.zone[1];
	scene.addresses.zone[1] = first;
	scene_replace(&scene, SCENE_INTERVAL);
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 2);
	scene.addresses.count = 1;
	scene_replace(&scene, SCENE_INTERVAL);
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 3);
	scene_close(&scene);
}

/* Domains are zones of their own; what is shown alike has other numbers when one is gone. */
static void names_and_kinds(void **state)
{
	struct dnsbl_zone_info before;
	struct dnsbl_scene scene;

	(void)state;
	open_scene(&scene, TEST("a.t") TEST("k1.b.t") TEST("k2.b.t") "test.a.t A 127.0.0.2\n");
	address(&scene, "{k1}.b.t", 1);
	address(&scene, "{k2}.b.t", 1);
	zone_row(&scene.domains, "a.t", 3);
	scene_replace(&scene, SCENE_INTERVAL);
	scene_pass(&scene, 1);
	assert_string_equal(scene_info(&scene, 2).zone, "b.t#2");
	before = scene_info(&scene, 2);
	assert_int_equal(before.health, DNSBL_SERVING);
	assert_true(scene_info(&scene, 3).domains);
	scene.addresses.zone[1] = scene.addresses.zone[2];
	scene.addresses.count = 2;
	scene_replace(&scene, SCENE_INTERVAL);
	assert_int_equal(scene_zones(&scene), 3);
	assert_string_equal(scene_info(&scene, 1).zone, "b.t");
	assert_int_equal(scene_info(&scene, 1).health, DNSBL_SERVING);
	assert_int_equal(tests_of(&scene, "2.0.0.127.k2.b.t"), 1);
	assert_int_equal(tests_of(&scene, "test.a.t"), 1);
	scene_close(&scene);
}

/* Without tests everything is believed, also what waits; with them nothing, before it has passed.
 */
static void tests_end_and_begin(void **state)
{
	struct heard heard = { .then = NULL };
	struct dnsbl_scene scene;

	(void)state;
	open_scene(&scene, TEST("a.t") "2.0.0.127.b.t A after 400 NXDOMAIN\n" LISTED("b.t"));
	address(&scene, "b.t", 2);
	scene_replace(&scene, SCENE_INTERVAL);
	ask_address(&scene, &heard, CLIENT, false);
	dns_script_advance(scene.script, 0);
	scene_replace(&scene, 0);
	dns_script_run(scene.script, SLOW_MS);
	assert_int_equal(heard.result.score, 2);
	assert_int_equal(scene_info(&scene, 0).health, DNSBL_UNTESTED);
	assert_int_equal(scene_info(&scene, 1).health, DNSBL_UNTESTED);
	scene_pass(&scene, SCENE_INTERVAL);
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 1);
	scene_replace(&scene, SCENE_INTERVAL);
	scene_pass(&scene, 1);
	assert_int_equal(scene_info(&scene, 0).health, DNSBL_SERVING);
	assert_int_equal(scene_info(&scene, 1).health, DNSBL_SILENT);
	/* One that is out comes in, too. */
	scene_replace(&scene, 0);
	hear_address(&scene, &heard, CLIENT);
	assert_int_equal(heard.result.score, 2);
	scene_close(&scene);
}

static void a_shorter_interval(void **state)
{
	struct dnsbl_scene scene;

	(void)state;
	open_scene(&scene, TEST("a.t"));
	scene_replace(&scene, 10);
	scene_pass(&scene, 12);
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 2);
	scene_replace(&scene, SCENE_INTERVAL);
	scene_pass(&scene, 12);
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 3);
	scene_pass(&scene, SCENE_INTERVAL - 15);
	assert_int_equal(tests_of(&scene, "2.0.0.127.a.t"), 3);
	scene_close(&scene);
}

static bool differs(struct dnsbl_scene *scene, uint32_t interval)
{
	struct dnsbl_set *set;
	struct error err;
	bool differ;

	assert_int_equal(dnsbl_set_new(&scene->addresses, &scene->domains, interval, &set, &err),
			 0);
	differ = dnsbl_differs(scene->dnsbl, set);
	dnsbl_set_drop(&set);
	return differ;
}

/* Only what may make another result of an address. */
static void what_makes_a_difference(void **state)
{
	struct dnsbl_scene scene;

	(void)state;
	open_scene(&scene, TEST("a.t"));
	assert_false(differs(&scene, SCENE_INTERVAL));
	assert_false(differs(&scene, 1));
	assert_true(differs(&scene, 0));
	zone_row(&scene.domains, "d.t", 1);
	assert_false(differs(&scene, SCENE_INTERVAL));
	scene.addresses.zone[0].weight++;
	assert_true(differs(&scene, SCENE_INTERVAL));
	scene.addresses.zone[0].weight--;
	row_mask(&scene.addresses.zone[0], 2);
	assert_true(differs(&scene, SCENE_INTERVAL));
	scene.addresses.count = 0;
	assert_true(differs(&scene, SCENE_INTERVAL));
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays),
		cmocka_unit_test(what_is_new),
		cmocka_unit_test(what_is_gone),
		cmocka_unit_test(other_points_meanwhile),
		cmocka_unit_test(a_test_under_way),
		cmocka_unit_test(other_replies),
		cmocka_unit_test(rows_of_one_zone),
		cmocka_unit_test(names_and_kinds),
		cmocka_unit_test(tests_end_and_begin),
		cmocka_unit_test(a_shorter_interval),
		cmocka_unit_test(what_makes_a_difference),
	};

	return cmocka_run_group_tests_name("dnsbl replace", tests, NULL, NULL);
}
