/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/dnsbl_health: zones that have not been tested yet, fail, and come back. A script
 * cannot take lines back, so what changes is led elsewhere by an alias, which goes before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dnsbl_fixture.h"
#include "tests/unit/log_capture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SIX            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
#define MAPPED(nibble) nibble ".0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"

#define PRESENT "2.0.0.127.z.t A 127.0.0.2\n"
#define CLIENT  "1.2.0.192.z.t A 127.0.0.3\n"
#define ELSEWHERE                                                                                  \
	"good.t A 127.0.0.2\nrefused.t A 127.255.255.254\nparked.t A 203.0.113.80\n"               \
	"dead.t A after 2000 TEMPORARY\nbusy.t A BUSY\n"

/* One zone of addresses, z.t, that weighs 1. */
static void open_zone(struct dnsbl_scene *scene, const char *script)
{
	*scene = (struct dnsbl_scene){ .rewrites = false };
	zone_row(&scene->addresses, "z.t", 1);
	scene_open(scene, script, SCENE_INTERVAL);
	scene_add(scene, ELSEWHERE);
}

static enum dnsbl_health health(const struct dnsbl_scene *scene)
{
	return scene_info(scene, 0).health;
}

static enum dnsbl_outcome outcome(struct dnsbl_scene *scene, const char *addr)
{
	struct heard heard = { .then = NULL };

	hear_address(scene, &heard, addr);
	return heard.result.count ? heard.zone[0].outcome : DNSBL_OUTCOMES;
}

static void lead(struct dnsbl_scene *scene, const char *from, const char *to)
{
	char line[2 * DNS_NAME_MAX];

	snprintf(line, sizeof(line), "%s CNAME %s", from, to);
	scene_add(scene, line);
}

/* ---- the start */

/* A listing waits for the test, which is slower; what is not listed does not. */
static void listing_waits_for_test(void **state)
{
	struct dnsbl_scene scene;
	struct heard listed = { .then = NULL }, clean = { .then = NULL };

	(void)state;
	open_zone(&scene, "2.0.0.127.z.t A after 700 127.0.0.2\n" CLIENT);
	assert_int_equal(health(&scene), DNSBL_UNTESTED);
	ask_address(&scene, &listed, "192.0.2.1", true);
	ask_address(&scene, &clean, "192.0.2.2", true);
	dns_script_advance(scene.script, 699);
	assert_int_equal(listed.called, 0);
	assert_int_equal(clean.called, 1);
	assert_int_equal(clean.zone[0].outcome, DNSBL_CLEAN);
	dns_script_advance(scene.script, 1);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	assert_int_equal(listed.called, 1);
	assert_int_equal(listed.result.score, 1);
	assert_int_equal(scene_info(&scene, 0).failures, 0);
	scene_close(&scene);
}

static void first_test_fails(void **state)
{
	static const struct {
		const char *zone;
		enum dnsbl_health health;
		enum dnsbl_outcome first, later;
	} rows[] = {
		{ "1.0.0.127.z.t A after 700 127.0.0.2\n" PRESENT, DNSBL_WORLD, DNSBL_OUT,
		  DNSBL_OUT },
		{ "2.0.0.127.z.t A after 700 127.255.255.254\n", DNSBL_REFUSING, DNSBL_OUT,
		  DNSBL_OUT },
		{ "1.0.0.127.z.t A after 700 127.0.0.1\n" PRESENT, DNSBL_REFUSING, DNSBL_OUT,
		  DNSBL_OUT },
		{ "2.0.0.127.z.t A after 700 203.0.113.80\n", DNSBL_WORLD, DNSBL_OUT, DNSBL_OUT },
		{ "1.0.0.127.z.t A after 700 203.0.113.80\n" PRESENT, DNSBL_WORLD, DNSBL_OUT,
		  DNSBL_OUT },
		{ "2.0.0.127.z.t A after 700 NXDOMAIN\n", DNSBL_SILENT, DNSBL_OUT, DNSBL_OUT },
		{ "2.0.0.127.z.t A after 700 TEMPORARY\n", DNSBL_SILENT, DNSBL_TEMPORARY,
		  DNSBL_OUT },
		{ "1.0.0.127.z.t A after 700 TEMPORARY\n" PRESENT, DNSBL_SILENT, DNSBL_TEMPORARY,
		  DNSBL_OUT },
		{ "2.0.0.127.z.t A after 700 BUSY\n", DNSBL_UNTESTED, DNSBL_TEMPORARY,
		  DNSBL_TEMPORARY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dnsbl_scene scene;
		struct heard heard = { .then = NULL };
		struct capture capture;

		capture_pipe(&capture);
		open_zone(&scene, rows[i].zone);
		scene_add(&scene, CLIENT);
		ask_address(&scene, &heard, "192.0.2.1", true);
		dns_script_advance(scene.script, 699);
		assert_int_equal(heard.called, 0);
		dns_script_advance(scene.script, 1);
		free(capture_end(&capture));
		assert_int_equal(heard.called, 1);
		assert_int_equal(heard.result.score, 0);
		assert_int_equal(heard.zone[0].outcome, rows[i].first);
		assert_int_equal(heard.result.temporary, rows[i].first == DNSBL_TEMPORARY);
		assert_true(heard.result.ttl <= DNSBL_TTL_OUT || heard.result.temporary);
		assert_int_equal(health(&scene), rows[i].health);
		assert_int_equal(scene_info(&scene, 0).failures, rows[i].health != DNSBL_UNTESTED);
		assert_int_equal(outcome(&scene, "192.0.2.1"), rows[i].later);
		scene_close(&scene);
	}
}

/* A test that was over a budget says nothing, and is done again soon. */
static void busy_test(void **state)
{
	struct dnsbl_scene scene;

	(void)state;
	open_zone(&scene, "2.0.0.127.z.t CNAME first.t\nfirst.t A BUSY\n" CLIENT);
	dns_script_advance(scene.script, 0);
	assert_int_equal(health(&scene), DNSBL_UNTESTED);
	scene_add(&scene, "first.t CNAME good.t");
	scene_pass(&scene, 2);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_LISTED);
	scene_close(&scene);
}

/* ---- a zone that served */

static void open_serving(struct dnsbl_scene *scene)
{
	open_zone(scene, PRESENT CLIENT);
	scene_pass(scene, 1);
	assert_int_equal(health(scene), DNSBL_SERVING);
	assert_int_equal(outcome(scene, "192.0.2.1"), DNSBL_LISTED);
}

static void found_by_regular_test(void **state)
{
	static const struct {
		const char *from, *to;
		enum dnsbl_health health;
	} rows[] = {
		{ "1.0.0.127.z.t", "good.t", DNSBL_WORLD },
		{ "2.0.0.127.z.t", "refused.t", DNSBL_REFUSING },
		{ "1.0.0.127.z.t", "parked.t", DNSBL_WORLD },
		{ "2.0.0.127.z.t", "nothing.t", DNSBL_SILENT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dnsbl_scene scene;
		struct capture capture;
		uint64_t since;

		capture_pipe(&capture);
		open_serving(&scene);
		since = scene_info(&scene, 0).since;
		lead(&scene, rows[i].from, rows[i].to);
		scene_pass(&scene, SCENE_INTERVAL - 2);
		assert_int_equal(health(&scene), DNSBL_SERVING);
		scene_pass(&scene, 2);
		free(capture_end(&capture));
		assert_int_equal(health(&scene), rows[i].health);
		assert_true(scene_info(&scene, 0).since > since);
		assert_int_equal(scene_info(&scene, 0).failures, 1);
		assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_OUT);
		assert_int_equal(dns_script_asked_for(scene.script, "1.2.0.192.z.t", DNS_A), 1);
		scene_close(&scene);
	}
}

/* A dead zone: the third silence in a row puts it out; it comes back, and both are logged. */
static void dies_and_comes_back(void **state)
{
	struct dnsbl_scene scene;
	struct capture capture;
	char *log;

	(void)state;
	capture_pipe(&capture);
	open_serving(&scene);
	lead(&scene, "2.0.0.127.z.t", "state.t");
	scene_add(&scene, "state.t CNAME dead.t\n7.2.0.192.z.t A after 2000 TEMPORARY");
	assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_TEMPORARY);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	/* The client made the test due, which counts as well, and is done again. */
	scene_pass(&scene, 20);
	assert_int_equal(health(&scene), DNSBL_SILENT);
	assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_OUT);
	scene_pass(&scene, 120);
	assert_int_equal(health(&scene), DNSBL_SILENT);
	lead(&scene, "dead.t", "good.t");
	scene_pass(&scene, 61);
	log = capture_end(&capture);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	assert_int_equal(scene_info(&scene, 0).failures, 1);
	assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_LISTED);
	assert_non_null(strstr(log,
			       "\"event\":\"dnsbl.zone-out\",\"zone\":\"z.t\",\"service\":\"ipv4\","
			       "\"health\":\"silent\""));
	assert_non_null(strstr(log, "\"answered\":\"no answer\""));
	assert_non_null(strstr(log, "\"event\":\"dnsbl.zone-back\",\"zone\":\"z.t\""));
	free(log);
	scene_close(&scene);
}

/* Many silences at once are one, and an answer in between forgets them. */
static void silences(void **state)
{
	struct dnsbl_scene scene;
	struct heard heard[8] = { { .then = NULL } };
	struct capture capture;

	(void)state;
	capture_pipe(&capture);
	open_serving(&scene);
	scene_add(&scene, "7.2.0.192.z.t A after 500 TEMPORARY");
	for (int round = 0; round < 6; round++) {
		for (size_t i = 0; i < COUNT(heard); i++)
			ask_address(&scene, &heard[i], "192.0.2.7", false);
		dns_script_advance(scene.script, 1500);
		assert_int_equal(health(&scene), DNSBL_SERVING);
		assert_int_equal(heard[7].zone[0].outcome, DNSBL_TEMPORARY);
		if (round == 1)
			assert_int_equal(outcome(&scene, "192.0.2.2"), DNSBL_CLEAN);
		if (round == 3)
			scene_pass(&scene, 1); /* a test that passes does, too */
	}
	for (size_t i = 0; i < COUNT(heard); i++)
		ask_address(&scene, &heard[i], "192.0.2.7", false);
	dns_script_advance(scene.script, 1500);
	assert_int_equal(health(&scene), DNSBL_SILENT);
	/* The others of these were answered when it was out. */
	assert_int_equal(scene_info(&scene, 0).temporary, 6 * COUNT(heard) + 1);
	assert_int_equal(heard[0].zone[0].outcome, DNSBL_TEMPORARY);
	assert_int_equal(heard[1].zone[0].outcome, DNSBL_OUT);
	free(capture_end(&capture));
	scene_close(&scene);
}

/* An error code that a client's question shows acts at once; a passed test brings the zone back. */
static void refuses_a_client(void **state)
{
	static const char *const answers[] = { "refused.t", "parked.t" };
	static const enum dnsbl_health healths[] = { DNSBL_REFUSING, DNSBL_WORLD };

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct dnsbl_scene scene;
		struct heard under_way = { .then = NULL };
		struct capture capture;
		char *log;

		capture_pipe(&capture);
		open_serving(&scene);
		lead(&scene, "7.2.0.192.z.t", answers[i]);
		scene_add(&scene, "8.2.0.192.z.t A after 100 127.0.0.2");
		ask_address(&scene, &under_way, "192.0.2.8", true);
		assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_ERROR);
		assert_int_equal(health(&scene), healths[i]);
		/* What had been asked before does not count either. */
		dns_script_advance(scene.script, 100);
		assert_int_equal(under_way.called, 1);
		assert_int_equal(under_way.zone[0].outcome, DNSBL_OUT);
		assert_int_equal(under_way.result.score, 0);
		assert_false(under_way.result.temporary);
		assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_OUT);
		scene_pass(&scene, 1);
		assert_int_equal(health(&scene), DNSBL_SERVING);
		assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_LISTED);
		/* The second time it takes longer. */
		assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_ERROR);
		scene_pass(&scene, 4);
		assert_int_equal(health(&scene), healths[i]);
		scene_pass(&scene, 2);
		assert_int_equal(health(&scene), DNSBL_SERVING);
		assert_int_equal(scene_info(&scene, 0).failures, 2);
		assert_int_equal(scene_info(&scene, 0).errors, 2);
		log = capture_end(&capture);
		assert_non_null(strstr(log, "\"asked\":\"a client\""));
		assert_non_null(strstr(log, i ? "\"203.0.113.80\"" : "\"127.255.255.254\""));
		free(log);
		scene_close(&scene);
	}
}

/* One test without an answer is no reason; it is done again soon. */
static void one_silent_test(void **state)
{
	struct dnsbl_scene scene;

	(void)state;
	open_serving(&scene);
	lead(&scene, "2.0.0.127.z.t", "state.t");
	scene_add(&scene, "state.t CNAME dead.t");
	scene_pass(&scene, SCENE_INTERVAL + 4);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	lead(&scene, "dead.t", "good.t");
	scene_pass(&scene, 60);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	assert_int_equal(scene_info(&scene, 0).failures, 0);
	assert_int_equal(dns_script_asked_for(scene.script, "2.0.0.127.z.t", DNS_A), 3);
	scene_close(&scene);
}

/* Between tests of what is out there is less and less to ask. */
static void pauses_grow(void **state)
{
	struct dnsbl_scene scene;
	struct capture capture;

	(void)state;
	capture_pipe(&capture);
	open_zone(&scene, "1.0.0.127.z.t A 127.0.0.2\n" PRESENT);
	scene_pass(&scene, 1000);
	free(capture_end(&capture));
	/* 0, 0, 5, 10, 20, 40 and then every 60 seconds. */
	assert_in_range(dns_script_asked_for(scene.script, "2.0.0.127.z.t", DNS_A), 20, 23);
	scene_close(&scene);
}

/* ---- IPv6 */

static void ipv6_that_never_was(void **state)
{
	struct dnsbl_scene scene;
	struct capture capture;
	char *log;

	(void)state;
	capture_pipe(&capture);
	open_zone(&scene, PRESENT SIX ".z.t A 127.0.0.2\n");
	scene_pass(&scene, 10);
	log = capture_end(&capture);
	assert_string_equal(log, "");
	free(log);
	assert_int_equal(outcome(&scene, "2001:db8::1"), DNSBL_OUTCOMES);
	assert_int_equal(scene_info(&scene, 0).failures, 0);
	/* It may come one day, and is not asked for more often than zones that serve. */
	assert_int_equal(dns_script_asked_for(scene.script, MAPPED("2") ".z.t", DNS_A), 1);
	scene_add(&scene, MAPPED("2") ".z.t A 127.0.0.2");
	scene_pass(&scene, SCENE_INTERVAL);
	assert_true(scene_info(&scene, 0).ipv6);
	assert_int_equal(outcome(&scene, "2001:db8::1"), DNSBL_LISTED);
	scene_close(&scene);
}

static void ipv6_that_fails(void **state)
{
	struct dnsbl_scene scene;
	struct capture capture;
	char *log;

	(void)state;
	capture_pipe(&capture);
	open_zone(&scene, PRESENT SIX ".z.t A 127.0.0.2\n" MAPPED("2") ".z.t A 127.0.0.2\n");
	scene_pass(&scene, 1);
	assert_int_equal(outcome(&scene, "2001:db8::1"), DNSBL_LISTED);
	scene_add(&scene, MAPPED("1") ".z.t A 127.0.0.2\n");
	scene_pass(&scene, SCENE_INTERVAL + 1);
	log = capture_end(&capture);
	assert_non_null(strstr(log, "\"service\":\"ipv6\",\"health\":\"world\""));
	free(log);
	assert_int_equal(outcome(&scene, "2001:db8::1"), DNSBL_OUT);
	assert_int_equal(outcome(&scene, "192.0.2.2"), DNSBL_CLEAN);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	assert_false(scene_info(&scene, 0).ipv6);
	assert_int_equal(scene_info(&scene, 0).failures, 1);
	scene_close(&scene);
}

/* That IPv6 serves does not hide that IPv4 has gone, but a zone may be one of IPv6. */
static void ipv6_alone(void **state)
{
	struct dnsbl_scene scene;
	struct capture capture;

	(void)state;
	capture_pipe(&capture);
	open_zone(&scene, MAPPED("2") ".z.t A 127.0.0.2\n");
	scene_pass(&scene, 1);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_OUT);
	scene_close(&scene);

	open_zone(&scene, PRESENT MAPPED("2") ".z.t A 127.0.0.2\n");
	scene_pass(&scene, 1);
	lead(&scene, "2.0.0.127.z.t", "nothing.t");
	scene_pass(&scene, SCENE_INTERVAL + 1);
	free(capture_end(&capture));
	assert_int_equal(health(&scene), DNSBL_SILENT);
	assert_true(scene_info(&scene, 0).ipv6);
	scene_close(&scene);
}

/* A zone whose name leaves no room for 64 octets of nibbles is a zone for IPv4. */
static void ipv6_without_room(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };
	char name[CONF_ZONE_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 50 == 49 ? '.' : 'z';
	name[195] = '\0';
	zone_row(&scene.addresses, name, 1);
	scene_open(&scene, "", 0);
	hear_address(&scene, &heard, "2001:db8::1");
	assert_int_equal(heard.result.count, 0);
	hear_address(&scene, &heard, "192.0.2.1");
	assert_int_equal(heard.zone[0].outcome, DNSBL_CLEAN);
	scene_close(&scene);
}

/* ---- domains, keys, rewriting */

static void domains_and_keys(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };
	struct capture capture;
	char *log;

	(void)state;
	capture_pipe(&capture);
	zone_row(&scene.domains, "{s3cret}.dbl.t", 1);
	zone_row(&scene.domains, "uribl.t", 2);
	scene_open(&scene,
		   "test.s3cret.dbl.t A 127.0.1.2\ninvalid.s3cret.dbl.t A 127.0.1.2\n"
		   "test.uribl.t A 127.0.0.2\nbad.example.uribl.t A 127.0.0.2\n",
		   SCENE_INTERVAL);
	scene_pass(&scene, 1);
	hear_domain(&scene, &heard, "bad.example");
	log = capture_end(&capture);
	assert_int_equal(heard.zone[0].outcome, DNSBL_OUT);
	assert_int_equal(heard.zone[1].outcome, DNSBL_LISTED);
	assert_int_equal(health(&scene), DNSBL_WORLD);
	assert_non_null(strstr(log, "\"zone\":\"dbl.t\",\"service\":\"domains\""));
	assert_null(strstr(log, "s3cret"));
	free(log);
	scene_close(&scene);
}

static void resolver_rewrites(void **state)
{
	struct dnsbl_scene scene;
	struct heard heard = { .then = NULL };
	struct capture capture;

	(void)state;
	capture_pipe(&capture);
	open_serving(&scene);
	ask_address(&scene, &heard, "192.0.2.1", true);
	scene.rewrites = true;
	dns_script_advance(scene.script, 0);
	assert_int_equal(heard.zone[0].outcome, DNSBL_OUT);
	assert_int_equal(heard.result.score, 0);
	assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_OUT);
	assert_int_equal(dns_script_asked_for(scene.script, "1.2.0.192.z.t", DNS_A), 2);
	scene_pass(&scene, 100);
	assert_int_equal(health(&scene), DNSBL_WORLD);
	assert_int_equal(scene_info(&scene, 0).failures, 1);
	scene.rewrites = false;
	scene_pass(&scene, 1);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_LISTED);
	free(capture_end(&capture));
	scene_close(&scene);
}

/* No test can pass with such a resolver. */
static void resolver_rewrites_at_start(void **state)
{
	struct dnsbl_scene scene;
	struct capture capture;

	(void)state;
	capture_pipe(&capture);
	open_zone(&scene, PRESENT);
	scene.rewrites = true;
	dns_script_advance(scene.script, 0);
	free(capture_end(&capture));
	assert_int_equal(health(&scene), DNSBL_WORLD);
	scene_close(&scene);
}

/* ---- which questions are asked */

static void never_tested(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };

	(void)state;
	zone_row(&scene.addresses, "z.t", 1);
	scene_open(&scene, CLIENT ELSEWHERE, 0);
	scene_pass(&scene, 100);
	assert_int_equal(dns_script_asked(scene.script), 0);
	lead(&scene, "7.2.0.192.z.t", "refused.t");
	assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_ERROR);
	assert_int_equal(outcome(&scene, "192.0.2.1"), DNSBL_LISTED);
	assert_int_equal(health(&scene), DNSBL_UNTESTED);
	scene_close(&scene);
}

static void tests_are_spread(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct capture capture;
	char text[64];
	size_t asked;

	(void)state;
	capture_pipe(&capture);
	for (int i = 0; i < CONF_ZONES_MAX; i++) {
		snprintf(text, sizeof(text), "z%d.t", i);
		zone_row(&scene.domains, text, 1);
	}
	scene_open(&scene, "", SCENE_INTERVAL);
	for (int i = 0; i < CONF_ZONES_MAX; i++) {
		snprintf(text, sizeof(text), "test.z%d.t A 127.0.0.2", i);
		scene_add(&scene, text);
	}
	/* All at the start; they fail, because they were asked before the entries were there. */
	assert_int_equal(dns_script_asked(scene.script), 3 * CONF_ZONES_MAX);
	dns_script_advance(scene.script, 0);
	for (size_t tick = 0; tick < CONF_ZONES_MAX / 16; tick++) {
		asked = dns_script_asked(scene.script);
		scene_pass(&scene, 1);
		assert_int_equal(dns_script_asked(scene.script) - asked, 3 * 16);
	}
	for (size_t i = 0; i < CONF_ZONES_MAX; i++)
		assert_int_equal(scene_info(&scene, i).health, DNSBL_SERVING);
	free(capture_end(&capture));
	scene_close(&scene);
}

/* A DNS that takes every entry of z.t that a test makes up for one and the same, and says of
 * answers about 192.0.2.7 that they are so old. */
struct made_up {
	struct dns dns;
	struct dns *script;
	size_t asked;
	uint32_t age;
	dns_cb cb;
	void *arg;
};

static void on_aged(const struct dns_answer *answer, void *arg)
{
	struct made_up *made_up = arg;
	struct dns_answer aged = *answer;

	aged.age = made_up->age;
	made_up->cb(&aged, made_up->arg);
}

static struct dns_query *made_up_ask(struct dns *dns, const char *name, enum dns_type type,
				     dns_cb cb, void *arg)
{
	struct made_up *made_up = (struct made_up *)dns;
	const bool known = strncmp(name, "2.0.0.127.", 10) == 0 ||
			   strncmp(name, "1.0.0.127.", 10) == 0 || strlen(name) > 30;

	if (strcmp(name, "7.2.0.192.z.t") == 0) {
		made_up->cb = cb;
		made_up->arg = arg;
		return dns_ask(made_up->script, name, type, on_aged, made_up);
	}
	made_up->asked += !known;
	return dns_ask(made_up->script, known ? name : "random.z.t", type, cb, arg);
}

static void made_up_cancel(struct dns *dns, struct dns_query *query)
{
	dns_cancel(((struct made_up *)dns)->script, &query);
}

static uint64_t made_up_now(struct dns *dns)
{
	struct dns *script = ((struct made_up *)dns)->script;

	return script->ops->now(script);
}

static const struct dns_ops made_up_ops = { made_up_ask, made_up_cancel, made_up_now };

static void open_made_up(struct dnsbl_scene *scene, struct made_up *made_up)
{
	const struct dnsbl_options options = { .dns = &made_up->dns,
					       .addresses = &scene->addresses,
					       .test_interval = SCENE_INTERVAL };

	*scene = (struct dnsbl_scene){ .rewrites = false };
	*made_up = (struct made_up){ .dns.ops = &made_up_ops };
	zone_row(&scene->addresses, "z.t", 1);
	assert_int_equal(dns_script_open(PRESENT ELSEWHERE, &scene->script, NULL), 0);
	made_up->script = scene->dns = dns_script_dns(scene->script);
	assert_int_equal(dnsbl_open(&options, &scene->dnsbl, NULL), 0);
}

/* Test entries come from caches, so whether the zone answers now is asked with another. */
static void random_entry(void **state)
{
	static const struct {
		const char *answer;
		enum dnsbl_health health;
	} rows[] = {
		{ "random.z.t A NXDOMAIN", DNSBL_SERVING },
		{ "random.z.t A 127.0.0.2", DNSBL_SERVING },
		{ "random.z.t A 127.255.255.255", DNSBL_REFUSING },
		{ "random.z.t A TEMPORARY", DNSBL_SILENT },
		{ "random.z.t A 203.0.113.80", DNSBL_WORLD },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dnsbl_scene scene;
		struct made_up made_up;
		struct capture capture;

		capture_pipe(&capture);
		open_made_up(&scene, &made_up);
		scene_pass(&scene, 1);
		assert_int_equal(health(&scene), DNSBL_SERVING);
		assert_int_equal(made_up.asked, 1);
		scene_add(&scene, rows[i].answer);
		/* A silence is only the first of three. */
		scene_pass(&scene, SCENE_INTERVAL + 15);
		free(capture_end(&capture));
		assert_true(made_up.asked > 1);
		assert_int_equal(health(&scene), rows[i].health);
		scene_close(&scene);
	}
}

/* An answer from the cache tells nothing of the zone's health, neither good nor bad. */
static void old_answers(void **state)
{
	struct dnsbl_scene scene;
	struct made_up made_up;
	struct capture capture;

	(void)state;
	capture_pipe(&capture);
	open_made_up(&scene, &made_up);
	scene_pass(&scene, 1);
	made_up.age = 2;
	lead(&scene, "7.2.0.192.z.t", "was.t");
	scene_add(&scene, "was.t CNAME refused.t");
	assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_ERROR);
	lead(&scene, "refused.t", "dead.t");
	for (int i = 0; i < 4; i++)
		assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_TEMPORARY);
	assert_int_equal(health(&scene), DNSBL_SERVING);
	made_up.age = 0;
	for (int i = 0; i < 2; i++)
		assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_TEMPORARY);
	made_up.age = 2;
	lead(&scene, "dead.t", "nothing.t");
	assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_CLEAN);
	made_up.age = 0;
	lead(&scene, "nothing.t", "gone.t");
	scene_add(&scene, "gone.t A after 2000 TEMPORARY");
	assert_int_equal(outcome(&scene, "192.0.2.7"), DNSBL_TEMPORARY);
	assert_int_equal(health(&scene), DNSBL_SILENT);
	free(capture_end(&capture));
	scene_close(&scene);
}

/* ---- callbacks of those who waited for a test */

static struct heard *others;

static void cancel_second(struct heard *heard)
{
	dnsbl_cancel(heard->scene->dnsbl, &others[1].query);
}

static void close_all(struct heard *heard)
{
	dnsbl_close(&heard->scene->dnsbl);
}

static void waiting(void (*then)(struct heard *heard), struct heard *heard,
		    struct dnsbl_scene *scene)
{
	open_zone(scene, "2.0.0.127.z.t A after 700 127.0.0.2\n" CLIENT);
	others = heard;
	heard[0].then = then;
	for (int i = 0; i < 3; i++)
		ask_address(scene, &heard[i], "192.0.2.1", false);
	dns_script_advance(scene->script, 100);
	assert_int_equal(heard[0].called + heard[1].called + heard[2].called, 0);
	dns_script_advance(scene->script, 600);
	assert_int_equal(heard[0].called, 1);
	assert_int_equal(heard[1].called, 0);
}

static void callbacks_after_test(void **state)
{
	struct heard heard[3] = { { .then = NULL } };
	struct dnsbl_scene scene;

	(void)state;
	waiting(cancel_second, heard, &scene);
	assert_int_equal(heard[2].called, 1);
	assert_int_equal(heard[2].result.score, 1);
	scene_close(&scene);

	waiting(close_all, heard, &scene);
	assert_null(scene.dnsbl);
	assert_int_equal(heard[2].called, 0);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listing_waits_for_test),
		cmocka_unit_test(first_test_fails),
		cmocka_unit_test(busy_test),
		cmocka_unit_test(found_by_regular_test),
		cmocka_unit_test(dies_and_comes_back),
		cmocka_unit_test(silences),
		cmocka_unit_test(refuses_a_client),
		cmocka_unit_test(one_silent_test),
		cmocka_unit_test(pauses_grow),
		cmocka_unit_test(ipv6_that_never_was),
		cmocka_unit_test(ipv6_that_fails),
		cmocka_unit_test(ipv6_alone),
		cmocka_unit_test(ipv6_without_room),
		cmocka_unit_test(domains_and_keys),
		cmocka_unit_test(resolver_rewrites),
		cmocka_unit_test(resolver_rewrites_at_start),
		cmocka_unit_test(never_tested),
		cmocka_unit_test(tests_are_spread),
		cmocka_unit_test(random_entry),
		cmocka_unit_test(old_answers),
		cmocka_unit_test(callbacks_after_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
