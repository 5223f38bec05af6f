/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/dnsbl: questions about clients and domains, of zones that stay as they are. What
 * zones do over time is in tests/unit/test_dnsbl_health.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dnsbl_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Reversed: 2001:db8::1 and ::ffff:127.0.0.2. */
#define SIX      "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
#define SIX_TEST "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"

static const char lists[] = "2.0.0.127.bl.t A 127.0.0.2\n"
			    "2.0.0.127.six.t A 127.0.0.2\n" SIX_TEST ".six.t A 127.0.0.2\n"
			    "2.0.0.127.wl.t A 127.0.10.0\n"
			    "2.0.0.127.key.multi.t A ttl 900 127.0.0.2\n"
			    "test.dbl.t A 127.0.1.2\n"
			    /* What they list. */
			    "1.2.0.192.bl.t A ttl 70 127.0.0.4\n"
			    "1.2.0.192.bl.t TXT \"listed\\010 by bl\"\n"
			    "2.2.0.192.six.t A 127.0.0.2\n2.2.0.192.six.t TXT \"Key\"\n"
			    "1.2.0.192.wl.t A ttl 60 127.0.10.3\n"
			    "1.2.0.192.key.multi.t A 127.0.0.6\n"
			    "1.2.0.192.key.multi.t A 127.0.0.10\n"
			    "1.2.0.192.key.multi.t TXT \"https://multi.t/KEY?key=key\"\n"
			    "1.2.0.192.key.multi.t TXT second\n" SIX ".six.t A 127.0.0.3\n"
			    "bad.example.dbl.t A 127.0.1.4\n"
			    "bad.example.dbl.t TXT \"bad.example is bad\"\n";

static void listed_and_clean(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };

	(void)state;
	zone_row(&scene.addresses, "bl.t", 5);
	zone_row(&scene.addresses, "wl.t", -3);
	scene_open(&scene, lists, SCENE_INTERVAL);
	hear_address(&scene, &heard, "192.0.2.1");
	assert_int_equal(heard.result.count, 2);
	assert_int_equal(heard.result.score, 2);
	assert_false(heard.result.temporary);
	assert_int_equal(heard.result.ttl, 60);
	assert_string_equal(heard.zone[0].zone, "bl.t");
	assert_int_equal(heard.zone[0].number, 0);
	assert_int_equal(heard.zone[0].outcome, DNSBL_LISTED);
	assert_int_equal(heard.zone[0].score, 5);
	assert_int_equal(heard.zone[0].ttl, 70);
	assert_int_equal(heard.zone[0].codes, 1);
	assert_int_equal(heard.zone[0].code[0], 0x7f000004);
	assert_string_equal(heard.text[0], "listed? by bl");
	assert_string_equal(heard.zone[1].zone, "wl.t");
	assert_int_equal(heard.zone[1].outcome, DNSBL_LISTED);
	assert_int_equal(heard.zone[1].score, -3);
	assert_string_equal(heard.text[1], "");

	hear_address(&scene, &heard, "192.0.2.2");
	assert_int_equal(heard.result.score, 0);
	assert_false(heard.result.temporary);
	assert_int_equal(heard.zone[0].outcome, DNSBL_CLEAN);
	assert_int_equal(heard.zone[0].codes, 0);
	assert_int_equal(heard.zone[1].outcome, DNSBL_CLEAN);
	assert_int_equal(dns_script_asked_for(scene.script, "2.2.0.192.bl.t", DNS_TXT), 0);
	assert_int_equal(scene_info(&scene, 0).asked, 2);
	assert_int_equal(scene_info(&scene, 0).listed, 1);
	scene_close(&scene);
}

/* Texts are asked for only if they are wanted. */
static void no_texts(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };

	(void)state;
	zone_row(&scene.addresses, "bl.t", 5);
	scene_open(&scene, lists, SCENE_INTERVAL);
	ask_address(&scene, &heard, "192.0.2.1", false);
	dns_script_advance(scene.script, 0);
	assert_int_equal(heard.called, 1);
	assert_int_equal(heard.result.score, 5);
	assert_string_equal(heard.text[0], "");
	assert_int_equal(dns_script_asked_for(scene.script, "1.2.0.192.bl.t", DNS_TXT), 0);
	scene_close(&scene);
}

/* Rows of one zone: asked once, all that match add up; the key is nowhere. */
static void several_rows(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };

	(void)state;
	row_code(zone_row(&scene.addresses, "{key}.multi.t", 1), 0x7f000006);
	zone_row(&scene.addresses, "bl.t", 100);
	row_mask(zone_row(&scene.addresses, "{key}.multi.t", 10), 8);
	row_mask(zone_row(&scene.addresses, "key.multi.t", 1000), 1);
	row_code(zone_row(&scene.addresses, "{key}.multi.t", -4), 0x7f00000a);
	zone_row(&scene.addresses, "six.t", 1);
	scene_open(&scene, lists, SCENE_INTERVAL);
	assert_int_equal(scene_zones(&scene), 3);
	hear_address(&scene, &heard, "192.0.2.1");
	assert_int_equal(dns_script_asked_for(scene.script, "1.2.0.192.key.multi.t", DNS_A), 1);
	assert_int_equal(heard.result.count, 3);
	assert_int_equal(heard.zone[0].score, 1 + 10 - 4);
	assert_int_equal(heard.zone[0].codes, 2);
	assert_string_equal(heard.zone[0].zone, "multi.t");
	assert_string_equal(heard.text[0], "https://multi.t/***?***=***");
	assert_int_equal(heard.result.score, 107);
	assert_string_equal(scene_info(&scene, 0).zone, "multi.t");
	/* Nor does another zone show it. */
	hear_address(&scene, &heard, "192.0.2.2");
	assert_string_equal(heard.text[2], "***");
	scene_close(&scene);
}

/* Zones that differ only in what is hidden are told apart, those of addresses and of domains each
 * for themselves. */
static void shown_alike(void **state)
{
	static const char *const shown[] = { "multi.t", "multi.t#2", "other.multi.t", "multi.t#3",
					     "multi.t" };
	struct dnsbl_scene scene = { .rewrites = false };

	(void)state;
	zone_row(&scene.addresses, "{one}.multi.t", 1);
	zone_row(&scene.addresses, "multi.t", 1);
	zone_row(&scene.addresses, "other.multi.t", 1);
	zone_row(&scene.addresses, "{one}.multi.t", 2);
	zone_row(&scene.addresses, "{two}.multi.t", 1);
	zone_row(&scene.domains, "{one}.multi.t", 1);
	scene_open(&scene, lists, SCENE_INTERVAL);
	assert_int_equal(scene_zones(&scene), COUNT(shown));
	for (size_t i = 0; i < COUNT(shown); i++)
		assert_string_equal(scene_info(&scene, i).zone, shown[i]);
	scene_close(&scene);
}

/* Codes that no row asks for are no listing, and no text is asked for. */
static void filtered_out(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };

	(void)state;
	row_code(zone_row(&scene.addresses, "bl.t", 5), 0x7f000003);
	scene_open(&scene, lists, SCENE_INTERVAL);
	hear_address(&scene, &heard, "192.0.2.1");
	assert_int_equal(heard.result.score, 0);
	assert_int_equal(heard.zone[0].outcome, DNSBL_CLEAN);
	assert_int_equal(heard.zone[0].codes, 1);
	assert_int_equal(dns_script_asked_for(scene.script, "1.2.0.192.bl.t", DNS_TXT), 0);
	scene_close(&scene);
}

static void ipv6_clients(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };

	(void)state;
	zone_row(&scene.addresses, "bl.t", 5);
	zone_row(&scene.addresses, "six.t", 7);
	scene_open(&scene, lists, SCENE_INTERVAL);
	scene_pass(&scene, 1);
	hear_address(&scene, &heard, "2001:db8::1");
	assert_int_equal(heard.result.count, 1);
	assert_int_equal(heard.zone[0].number, 1);
	assert_int_equal(heard.result.score, 7);
	assert_int_equal(dns_script_asked_for(scene.script, SIX ".bl.t", DNS_A), 0);
	assert_true(scene_info(&scene, 1).ipv6);
	assert_false(scene_info(&scene, 0).ipv6);
	assert_int_equal(scene_info(&scene, 0).health, DNSBL_SERVING);
	assert_int_equal(scene_info(&scene, 0).failures, 0);
	scene_close(&scene);
}

static void domains(void **state)
{
	static const char *const nothing[] = { "[192.0.2.1]", "192.0.2.1", "test", "", "a b.t" };
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };
	size_t asked;

	(void)state;
	zone_row(&scene.addresses, "bl.t", 5);
	zone_row(&scene.domains, "dbl.t", 9);
	scene_open(&scene, lists, SCENE_INTERVAL);
	hear_domain(&scene, &heard, "Bad.Example.");
	assert_int_equal(heard.result.count, 1);
	assert_int_equal(heard.result.score, 9);
	assert_int_equal(heard.zone[0].number, 1);
	assert_string_equal(heard.text[0], "bad.example is bad");
	assert_true(scene_info(&scene, 1).domains);
	assert_int_equal(scene_info(&scene, 1).listed, 1);
	asked = dns_script_asked(scene.script);
	for (size_t i = 0; i < COUNT(nothing); i++) {
		hear_domain(&scene, &heard, nothing[i]);
		assert_int_equal(heard.result.count, 0);
		assert_int_equal(heard.result.score, 0);
		assert_int_equal(heard.result.ttl, DNSBL_TTL_OUT);
	}
	assert_int_equal(dns_script_asked(scene.script), asked);
	scene_close(&scene);
}

static void no_zones(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };

	(void)state;
	scene_open(&scene, lists, SCENE_INTERVAL);
	scene_pass(&scene, 1);
	assert_int_equal(scene_zones(&scene), 0);
	hear_address(&scene, &heard, "192.0.2.1");
	assert_int_equal(heard.result.count, 0);
	assert_false(heard.result.temporary);
	ask_address(&scene, &heard, "192.0.2.1", true);
	dnsbl_cancel(scene.dnsbl, &heard.query);
	assert_int_equal(dns_script_asked(scene.script), 0);
	scene_close(&scene);
}

/* Which answers are errors, also where rows ask for odd ones. */
static void errors(void **state)
{
	static const struct {
		const char *answers;
		uint32_t row; /* the code that it counts; 0: any */
		enum dnsbl_outcome outcome;
	} rows[] = {
		{ "1.2.0.192.z.t A 127.255.255.252", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 127.255.255.254", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 127.255.255.255", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 127.255.255.254", 0x7ffffffe, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 127.255.254.1", 0, DNSBL_LISTED },
		{ "1.2.0.192.z.t A 127.0.0.1", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 127.0.0.1", 0x7f000002, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 127.0.0.1", 0x7f000001, DNSBL_LISTED },
		{ "1.2.0.192.z.t A 127.0.1.255", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 127.0.1.255", 0x7f0001ff, DNSBL_LISTED },
		{ "1.2.0.192.z.t A 192.0.2.80", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 128.0.0.2", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 126.255.255.255", 0x7effffff, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 0.0.0.0", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 127.0.0.2\n1.2.0.192.z.t A 127.255.255.254", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A 127.0.0.2\n1.2.0.192.z.t A 8.8.8.8", 0, DNSBL_ERROR },
		{ "1.2.0.192.z.t A NXDOMAIN", 0, DNSBL_CLEAN },
		{ "1.2.0.192.z.t A FOUND", 0, DNSBL_CLEAN },
		{ "1.2.0.192.z.t A TEMPORARY", 0, DNSBL_TEMPORARY },
		{ "1.2.0.192.z.t A BUSY", 0, DNSBL_TEMPORARY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dnsbl_scene scene = { .rewrites = false };
		struct heard heard = { .then = NULL };
		struct conf_zone *row = zone_row(&scene.addresses, "z.t", 1);

		if (rows[i].row)
			row_code(row, rows[i].row);
		scene_open(&scene, rows[i].answers, 0);
		hear_address(&scene, &heard, "192.0.2.1");
		assert_int_equal(heard.zone[0].outcome, rows[i].outcome);
		assert_int_equal(heard.result.score, rows[i].outcome == DNSBL_LISTED);
		assert_int_equal(heard.result.temporary, rows[i].outcome == DNSBL_TEMPORARY);
		assert_int_equal(scene_info(&scene, 0).errors, rows[i].outcome == DNSBL_ERROR);
		assert_int_equal(scene_info(&scene, 0).temporary,
				 rows[i].outcome == DNSBL_TEMPORARY);
		assert_int_equal(scene_info(&scene, 0).listed, rows[i].outcome == DNSBL_LISTED);
		scene_close(&scene);
	}
}

/* A row without replies does not count an odd code for which another row asks. */
static void odd_code_of_one_row(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };

	(void)state;
	zone_row(&scene.addresses, "z.t", 100);
	row_code(zone_row(&scene.addresses, "z.t", 1), 0x7f000001);
	scene_open(&scene, "1.2.0.192.z.t A 127.0.0.1", 0);
	hear_address(&scene, &heard, "192.0.2.1");
	assert_int_equal(heard.result.score, 1);
	scene_close(&scene);
}

/* A zone that has more to say than is kept: everything counts, the first codes are shown. */
static void many_codes(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };
	char line[64];

	(void)state;
	row_code(zone_row(&scene.addresses, "z.t", 3), 0x7f000000 + 20);
	scene_open(&scene, "", 0);
	for (int i = 2; i <= 20; i++) {
		snprintf(line, sizeof(line), "1.2.0.192.z.t A 127.0.0.%d", i);
		scene_add(&scene, line);
	}
	hear_address(&scene, &heard, "192.0.2.1");
	assert_int_equal(heard.result.score, 3);
	assert_int_equal(heard.zone[0].codes, DNSBL_CODES_MAX);
	assert_int_equal(heard.zone[0].code[DNSBL_CODES_MAX - 1], 0x7f000000 + 9);
	scene_close(&scene);
}

/* Each question waits for its own zones; all are asked at once. */
static void slow_zone(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard client = { .then = NULL }, domain = { .then = NULL };
	const char *const slow = "1.2.0.192.slow.t A after 4000 127.0.0.2\n"
				 "1.2.0.192.slower.t A after 5000 TEMPORARY\n"
				 "1.2.0.192.fast.t A after 20 127.0.0.2\n"
				 "bad.example.dbl.t A after 30 127.0.1.2\n";

	(void)state;
	zone_row(&scene.addresses, "slow.t", 1);
	zone_row(&scene.addresses, "slower.t", 2);
	zone_row(&scene.addresses, "fast.t", 4);
	zone_row(&scene.domains, "dbl.t", 8);
	scene_open(&scene, slow, 0);
	ask_address(&scene, &client, "192.0.2.1", true);
	ask_domain(&scene, &domain, "bad.example", true);
	dns_script_advance(scene.script, 30);
	assert_int_equal(domain.called, 1);
	assert_int_equal(domain.result.score, 8);
	dns_script_advance(scene.script, 4969);
	assert_int_equal(client.called, 0);
	dns_script_advance(scene.script, 1);
	assert_int_equal(client.called, 1);
	assert_int_equal(client.result.score, 5);
	assert_true(client.result.temporary);
	scene_close(&scene);
}

/* A text holds the result up as long as its own answer takes, and no answer is no text. */
static void slow_text(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard heard = { .then = NULL };

	(void)state;
	zone_row(&scene.addresses, "z.t", 1);
	scene_open(&scene, "1.2.0.192.z.t A 127.0.0.2\n1.2.0.192.z.t TXT after 900 TEMPORARY", 0);
	ask_address(&scene, &heard, "192.0.2.1", true);
	dns_script_advance(scene.script, 899);
	assert_int_equal(heard.called, 0);
	dns_script_advance(scene.script, 1);
	assert_int_equal(heard.called, 1);
	assert_int_equal(heard.result.score, 1);
	assert_false(heard.result.temporary);
	assert_string_equal(heard.text[0], "");
	scene_close(&scene);
}

/* ---- callbacks that do things */

static struct heard *other;

static void cancel_other(struct heard *heard)
{
	dnsbl_cancel(heard->scene->dnsbl, &other->query);
	assert_null(other->query);
}

static void close_all(struct heard *heard)
{
	dnsbl_close(&heard->scene->dnsbl);
}

static void ask_other(struct heard *heard)
{
	ask_address(heard->scene, other, "192.0.2.2", true);
}

static void cancelled(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard first = { .then = NULL }, second = { .then = cancel_other };

	(void)state;
	zone_row(&scene.addresses, "bl.t", 5);
	zone_row(&scene.addresses, "wl.t", 5);
	scene_open(&scene, lists, SCENE_INTERVAL);
	ask_address(&scene, &first, "192.0.2.1", true);
	dnsbl_cancel(scene.dnsbl, &first.query);
	assert_null(first.query);
	dnsbl_cancel(scene.dnsbl, &first.query);
	dns_script_run(scene.script, 1000);
	assert_int_equal(first.called, 0);

	/* From inside a callback, while the text of the other is under way. */
	scene_add(&scene, "1.2.0.192.bl.t TXT after 50 late");
	ask_address(&scene, &first, "192.0.2.1", true);
	ask_address(&scene, &second, "192.0.2.2", true);
	other = &first;
	dns_script_run(scene.script, 1000);
	assert_int_equal(first.called, 0);
	assert_int_equal(second.called, 1);
	scene_close(&scene);
}

static void asked_from_inside(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard first = { .then = ask_other }, second = { .then = NULL };

	(void)state;
	zone_row(&scene.addresses, "bl.t", 5);
	scene_open(&scene, lists, SCENE_INTERVAL);
	other = &second;
	hear_address(&scene, &first, "192.0.2.1");
	assert_int_equal(second.called, 1);
	assert_int_equal(second.result.score, 0);
	scene_close(&scene);
}

static void closed_from_inside(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct heard first = { .then = close_all }, second = { .then = NULL };

	(void)state;
	zone_row(&scene.addresses, "bl.t", 5);
	scene_open(&scene, lists, SCENE_INTERVAL);
	ask_address(&scene, &second, "192.0.2.1", true);
	hear_address(&scene, &first, "192.0.2.2");
	assert_null(scene.dnsbl);
	assert_int_equal(second.called, 0);
	assert_true(dns_script_cancelled(scene.script) > 0);
	scene_close(&scene);
}

/* At every step, for the sake of the sanitizers. */
static void closed_at_any_time(void **state)
{
	(void)state;
	for (uint64_t ms = 0; ms <= 60; ms += 10) {
		struct dnsbl_scene scene = { .rewrites = false };
		struct heard heard = { .then = NULL };

		zone_row(&scene.addresses, "z.t", 1);
		zone_row(&scene.addresses, "y.t", 1);
		scene_open(
			&scene,
			"2.0.0.127.z.t A after 30 127.0.0.2\n1.2.0.192.z.t A after 10 127.0.0.2\n"
			"1.2.0.192.z.t TXT after 20 text\n1.2.0.192.y.t A after 40 127.0.0.2\n"
			"2.0.0.127.y.t A 127.0.0.2\n",
			SCENE_INTERVAL);
		ask_address(&scene, &heard, "192.0.2.1", true);
		dns_script_advance(scene.script, ms);
		scene_close(&scene);
		assert_int_equal(heard.called, ms > 40);
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(dnsbl_outcome_name(DNSBL_CLEAN), "clean");
	assert_string_equal(dnsbl_outcome_name(DNSBL_OUT), "out");
	assert_string_equal(dnsbl_health_name(DNSBL_UNTESTED), "untested");
	assert_string_equal(dnsbl_health_name(DNSBL_WORLD), "world");
}

/* Which news there were. */
struct watched {
	struct heard heard; /* the argument of the question, so it comes first */
	unsigned int news;
	struct dnsbl_result so_far;
	bool close;
};

static void on_watched(void *arg)
{
	struct watched *watched = arg;

	watched->news++;
	dnsbl_so_far(watched->heard.query, &watched->so_far);
	if (watched->close)
		dnsbl_close(&watched->heard.scene->dnsbl);
}

static const char watched_lists[] = "2.0.0.127.bl.t A 127.0.0.2\n"
				    "2.0.0.127.wl.t A 127.0.0.2\n"
				    "2.0.0.127.clean.t A 127.0.0.2\n"
				    "2.0.0.127.slow.t A 127.0.0.2\n"
				    "1.2.0.192.clean.t A after 100 NXDOMAIN\n"
				    "1.2.0.192.bl.t A after 200 ttl 70 127.0.0.2\n"
				    "1.2.0.192.wl.t A after 300 NXDOMAIN\n"
				    "1.2.0.192.slow.t A after 900 127.0.0.2\n";

static void open_watched(struct dnsbl_scene *scene)
{
	zone_row(&scene->addresses, "clean.t", 1);
	zone_row(&scene->addresses, "bl.t", 5);
	zone_row(&scene->addresses, "wl.t", -3);
	zone_row(&scene->addresses, "slow.t", 2);
	scene_open(scene, watched_lists, SCENE_INTERVAL);
	scene_pass(scene, 1);
}

static void ask_watched(struct dnsbl_scene *scene, struct watched *watched)
{
	ask_address(scene, &watched->heard, "192.0.2.1", false);
	dnsbl_watch(watched->heard.query, on_watched);
}

/* Told of what scores, and of allow lists, but not of the end; what is open counts as missing. */
static void news_of_zones_that_matter(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct watched watched = { .heard.then = NULL };

	(void)state;
	open_watched(&scene);
	ask_watched(&scene, &watched);
	dns_script_advance(scene.script, 199);
	assert_int_equal(watched.news, 0);
	dns_script_advance(scene.script, 1);
	assert_int_equal(watched.news, 1);
	assert_int_equal(watched.so_far.score, 5);
	assert_int_equal(watched.so_far.missing, -3);
	assert_int_equal(watched.so_far.count, 4);
	assert_true(watched.so_far.temporary);
	assert_true(watched.so_far.ttl > 0 && watched.so_far.ttl <= 70);
	dns_script_advance(scene.script, 100);
	assert_int_equal(watched.news, 2);
	assert_int_equal(watched.so_far.missing, 0);
	assert_int_equal(watched.heard.called, 0);
	dns_script_advance(scene.script, 600);
	assert_int_equal(watched.news, 2);
	assert_int_equal(watched.heard.called, 1);
	assert_int_equal(watched.heard.result.score, 7);
	assert_false(watched.heard.result.temporary);
	assert_int_equal(scene_info(&scene, 3).temporary, 0);
	scene_close(&scene);
}

/* Who is told may close; who hurries is not told. */
static void news_may_close(void **state)
{
	struct dnsbl_scene scene = { .rewrites = false };
	struct watched watched = { .heard.then = NULL };

	(void)state;
	open_watched(&scene);
	ask_watched(&scene, &watched);
	dnsbl_hurry(scene.dnsbl, watched.heard.query);
	assert_int_equal(watched.news, 0);
	assert_int_equal(watched.heard.called, 1);
	assert_int_equal(watched.heard.result.missing, -3);

	watched.close = true;
	ask_watched(&scene, &watched);
	dns_script_advance(scene.script, 900);
	assert_int_equal(watched.news, 1);
	assert_int_equal(watched.heard.called, 0);
	assert_int_equal(dns_script_pending(scene.script), 0);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listed_and_clean),
		cmocka_unit_test(no_texts),
		cmocka_unit_test(several_rows),
		cmocka_unit_test(shown_alike),
		cmocka_unit_test(filtered_out),
		cmocka_unit_test(ipv6_clients),
		cmocka_unit_test(domains),
		cmocka_unit_test(no_zones),
		cmocka_unit_test(errors),
		cmocka_unit_test(odd_code_of_one_row),
		cmocka_unit_test(many_codes),
		cmocka_unit_test(slow_zone),
		cmocka_unit_test(slow_text),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(asked_from_inside),
		cmocka_unit_test(closed_from_inside),
		cmocka_unit_test(closed_at_any_time),
		cmocka_unit_test(names),
		cmocka_unit_test(news_of_zones_that_matter),
		cmocka_unit_test(news_may_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
