/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/dnsbl: who holds a set of zones, and for how long: callbacks that exchange it or
 * close everything, questions that outlast several sets, and other threads that look.
 */
#include <pthread.h>
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
#define REPLACEMENTS 200

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

static void replace_all(struct heard *heard)
{
	heard->scene->addresses.count = 0;
	address(heard->scene, "b.t", 1);
	scene_replace(heard->scene, SCENE_INTERVAL);
}

static void close_all(struct heard *heard)
{
	replace_all(heard);
	dnsbl_close(&heard->scene->dnsbl);
}

/* Inside of a callback, also of one from the end of a test, for which several wait. */
static void from_callbacks(void **state)
{
	void (*const then[])(struct heard *) = { replace_all, close_all };

	(void)state;
	for (size_t i = 0; i < sizeof(then) / sizeof(then[0]); i++) {
		struct heard first = { .then = then[i] }, second = { .then = NULL };
		struct dnsbl_scene scene = { .rewrites = false };

		address(&scene, "a.t", 5);
		scene_open(&scene, "2.0.0.127.a.t A after 400 127.0.0.2\n" LISTED("a.t"),
			   SCENE_INTERVAL);
		ask_address(&scene, &first, CLIENT, false);
		ask_address(&scene, &second, CLIENT, false);
		dns_script_run(scene.script, SLOW_MS);
		assert_int_equal(first.result.score, 5);
		assert_int_equal(second.called, then[i] == replace_all);
		scene_close(&scene);
	}
}

/* Nothing is left of sets that questions hold, that are in force, or that never were. */
static void closed_meanwhile(void **state)
{
	struct heard heard[3];
	struct dnsbl_scene scene;
	struct dnsbl_set *set;
	struct error err;

	(void)state;
	open_scene(&scene, TEST("a.t") LATE("a.t") LATE("b.t"));
	memset(heard, 0, sizeof(heard));
	for (int i = 0; i < 3; i++) {
		ask_address(&scene, &heard[i], CLIENT, true);
		address(&scene, i ? "c.t" : "b.t", 1 + i);
		scene_replace(&scene, SCENE_INTERVAL);
	}
	assert_int_equal(
		dnsbl_set_new(&scene.addresses, &scene.domains, SCENE_INTERVAL, &set, &err), 0);
	assert_false(dnsbl_differs(scene.dnsbl, set));
	dnsbl_set_drop(&set);
	assert_null(set);
	dnsbl_set_drop(&set);
	scene_close(&scene);
	for (int i = 0; i < 3; i++)
		assert_int_equal(heard[i].called, 0);
}

struct reader {
	struct dnsbl *dnsbl;
	bool stop; /* atomic */
	unsigned int reads;
};

/* Whoever looks at the zones sees one set or the other. */
static void *read_zones(void *arg)
{
	struct dnsbl_zone_info info[DNSBL_ZONES_MAX];
	struct reader *reader = arg;

	while (!__atomic_load_n(&reader->stop, __ATOMIC_ACQUIRE)) {
		const size_t count = dnsbl_zones(reader->dnsbl, info, DNSBL_ZONES_MAX);

		if (count < 1 || count > 2 || strcmp(info[0].zone, "a.t") != 0 ||
		    (count == 2 && strcmp(info[1].zone, "b.t") != 0))
			return reader;
		reader->reads++;
	}
	return NULL;
}

static void seen_from_another_thread(void **state)
{
	struct heard heard = { .then = NULL };
	struct dnsbl_scene scene;
	struct reader reader = { .stop = false };
	pthread_t thread;
	void *wrong;

	(void)state;
	open_scene(&scene, TEST("a.t") TEST("b.t") LISTED("a.t") LISTED("b.t"));
	address(&scene, "b.t", 1);
	reader.dnsbl = scene.dnsbl;
	assert_int_equal(pthread_create(&thread, NULL, read_zones, &reader), 0);
	for (unsigned int i = 0; i < REPLACEMENTS; i++) {
		scene.addresses.count = 1 + i % 2;
		scene_replace(&scene, SCENE_INTERVAL);
		hear_address(&scene, &heard, CLIENT);
		assert_int_equal(heard.result.score, i % 2 ? 6 : 5);
	}
	__atomic_store_n(&reader.stop, true, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, &wrong), 0);
	assert_null(wrong);
	assert_int_equal(scene_info(&scene, 0).asked, REPLACEMENTS);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_callbacks),
		cmocka_unit_test(closed_meanwhile),
		cmocka_unit_test(seen_from_another_thread),
	};

	return cmocka_run_group_tests_name("dnsbl sets", tests, NULL, NULL);
}
