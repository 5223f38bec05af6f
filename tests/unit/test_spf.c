/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks/spf: the budgets, what goes wrong in the DNS, and that an evaluation can be
 * ended, or run out of time, at every single step. The answers are played
 * (tests/replay/zone_play.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks/spf.h"
#include "tests/replay/zone_play.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STEPS_MAX    200

/* Every name of the tests. */
static const char zone_text[] =
	"{\"mx.t\":{\"TXT\":[\"v=spf1 mx "
	"-all\"],\"MX\":[[20,\"m2.t\"],[10,\"m1.t\"],[30,\"m3.t\"]]},"
	"\"m1.t\":{\"A\":[\"192.0.2.1\"]},"
	"\"m2.t\":{\"A\":[\"192.0.2.2\"],\"AAAA\":[\"2001:db8::2\"]},"
	"\"m3.t\":{\"A\":\"TEMPORARY\"},"
	"\"busy.t\":{\"TXT\":[\"v=spf1 a:m4.t -all\"]},\"m4.t\":{\"A\":\"BUSY\"},"
	"\"temporary.t\":{\"TXT\":\"TEMPORARY\"},"
	"\"ten.t\":{\"TXT\":[\"v=spf1 a a a a a a a a a a ?all\"],\"A\":[\"192.0.2.9\"]},"
	"\"eleven.t\":{\"TXT\":[\"v=spf1 a a a a a a a a a a a\"],\"A\":[\"192.0.2.9\"]},"
	"\"eleventh.t\":{\"TXT\":[\"v=spf1 a a a a a a a a a a redirect=m1.t\"],\"A\":"
	"[\"192.0.2.9\"]},"
	"\"notneeded.t\":{\"TXT\":[\"v=spf1 a a a a a a a a a a all redirect=m1.t\"],\"A\":"
	"[\"192.0.2.9\"]},"
	"\"loop.t\":{\"TXT\":[\"v=spf1 include:loop.t -all\"]},"
	"\"turn.t\":{\"TXT\":[\"v=spf1 redirect=turn.t\"]},"
	"\"void2.t\":{\"TXT\":[\"v=spf1 a:no1.t exists:no2.t -all\"]},"
	"\"void3.t\":{\"TXT\":[\"v=spf1 a:no1.t mx:no2.t a:no3.t\"]},"
	"\"voidmx.t\":{\"TXT\":[\"v=spf1 mx -all\"],\"MX\":[[1,\"no1.t\"],[2,\"no2.t\"],[3,"
	"\"no3.t\"],[4,\"no4.t\"]]},"
	"\"nullmx.t\":{\"TXT\":[\"v=spf1 mx -all\"],\"MX\":[[0,\"\"]]},"
	"\"mx11.t\":{\"TXT\":[\"v=spf1 mx -all\"],\"MX\":[[1,\"m1.t\"],[2,\"m1.t\"],[3,\"m1.t\"],"
	"[4,\"m1.t\"],[5,\"m1.t\"],[6,\"m1.t\"],[7,\"m1.t\"],[8,\"m1.t\"],[9,\"m1.t\"],[10,"
	"\"m1.t\"],[11,\"m1.t\"]]},"
	"\"ptr.t\":{\"TXT\":[\"v=spf1 ptr exists:%{p}.x.t -all\"]},"
	"\"host.ptr.t\":{\"A\":[\"192.0.2.5\"]},"
	"\"host.other.t\":{\"A\":[\"192.0.2.5\"]},"
	"\"5.2.0.192.in-addr.arpa\":{\"PTR\":[\"m3.t\",\"host.other.t\",\"HOST.ptr.t\"]},"
	"\"6.2.0.192.in-addr.arpa\":{\"PTR\":\"TEMPORARY\"},"
	"\"7.2.0.192.in-addr.arpa\":{\"PTR\":[\"no1.t\",\"no2.t\",\"no3.t\",\"no4.t\",\"no5.t\","
	"\"no6.t\",\"no7.t\",\"no8.t\",\"no9.t\",\"no10.t\",\"late.ptr.t\"]},"
	"\"late.ptr.t\":{\"A\":[\"192.0.2.7\",\"192.0.2.10\"]},"
	"\"10.2.0.192.in-addr.arpa\":{\"PTR\":[\"no1.t\",\"no2.t\",\"no3.t\",\"no4.t\",\"no5.t\","
	"\"no6.t\",\"no7.t\",\"no8.t\",\"no9.t\",\"late.ptr.t\"]},"
	"\"11.2.0.192.in-addr.arpa\":{\"PTR\":[\"a\\\\.ptr.t\"]},"
	"\"a.ptr.t\":{\"A\":[\"192.0.2.11\"]},"
	"\"not.t\":{\"TXT\":[\"v=spf1 -mx:mx.t\"]},"
	"\"popped.t\":{\"TXT\":[\"v=spf1 include:not.t a:m3.t a:m1.t ~all\"]},"
	"\"pcount.t\":{\"TXT\":[\"v=spf1 exists:%{p}.a.m1.t a a a a a a a a -all\"],\"A\":"
	"[\"192.0.2.9\"]},"
	"\"pover.t\":{\"TXT\":[\"v=spf1 exists:%{p}.a.m1.t a a a a a a a a a -all\"],\"A\":"
	"[\"192.0.2.9\"]},"
	"\"inc.t\":{\"TXT\":[\"v=spf1 -include:mx.t include:none.t ?all\"]},"
	"\"none.t\":{\"TXT\":[\"something else\"]},"
	"\"two.t\":{\"TXT\":[\"v=spf1 all\",\"x\",\"V=SPF1\"]},"
	"\"exp.t\":{\"TXT\":[\"v=spf1 exp=%{l}.why.t -all\"]},"
	"\"a.why.t\":{\"TXT\":[\"%{i} may not, says %{d}: %{p}\"]},"
	"\"b.why.t\":{\"TXT\":\"TEMPORARY\"},\"c.why.t\":{\"TXT\":[\"one\",\"two\"]},"
	"\"d.why.t\":{\"TXT\":[\"bad %\"]},\"e.why.t\":{\"TXT\":[\"\"]},"
	"\"back.t\":{\"TXT\":[\"v=spf1 exists:%{l}.x.t -all\"]},"
	"\"a\\\\b.x.t\":{\"A\":[\"127.0.0.2\"]},"
	"\"all.t\":{\"TXT\":[\"v=spf1 -ip4:192.0.2.9 all\"]},"
	"\"all2.t\":{\"TXT\":[\"v=spf1 include:not.t include:all.t -all\"]},"
	"\"all3.t\":{\"TXT\":[\"v=spf1 redirect=all2.t\"]},"
	"\"all4.t\":{\"TXT\":[\"v=spf1 -include:all.t all\"]},"
	"\"host.all.t\":{\"TXT\":[\"v=spf1 include:mx.t all\"]},"
	"\"bad.t\":{\"TXT\":[\"v=spf1 a:1.2.3.4 -all\"]}}";

static const struct {
	const char *ip, *from;
	enum spf_result result;
	unsigned int lookups, voids;
	const char *said; /* by the problem or the explanation */
} cases[] = {
	{ "192.0.2.1", "u@mx.t", SPF_PASS, 1, 0, "" },
	{ "192.0.2.2", "u@mx.t", SPF_PASS, 1, 0, "" },
	{ "192.0.2.3", "u@mx.t", SPF_TEMPERROR, 1, 0, "mx (record of mx.t): the DNS did not" },
	{ "2001:db8::2", "u@mx.t", SPF_PASS, 1, 1, "" },
	{ "2001:db8::3", "u@mx.t", SPF_FAIL, 1, 1, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.1", "u@busy.t", SPF_TEMPERROR, 1, 0, "a:m4.t (record of busy.t)" },
	{ "192.0.2.1", "u@temporary.t", SPF_TEMPERROR, 0, 0, "for the record of temporary.t" },
	{ "192.0.2.1", "u@ten.t", SPF_NEUTRAL, 10, 0, "" },
	{ "192.0.2.1", "u@eleven.t", SPF_PERMERROR, 11, 0, "more than 10 terms" },
	{ "192.0.2.1", "u@eleventh.t", SPF_PERMERROR, 11, 0, "redirect=m1.t (record of" },
	{ "192.0.2.1", "u@notneeded.t", SPF_PASS, 10, 0, "" },
	{ "192.0.2.1", "u@loop.t", SPF_PERMERROR, 11, 0, "include:loop.t (record of loop.t)" },
	{ "192.0.2.1", "u@turn.t", SPF_PERMERROR, 11, 0, "redirect=turn.t" },
	{ "192.0.2.1", "u@void2.t", SPF_FAIL, 2, 2, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.1", "u@void3.t", SPF_PERMERROR, 3, 3, "a:no3.t (record of void3.t): more" },
	{ "192.0.2.1", "u@voidmx.t", SPF_FAIL, 1, 1, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.1", "u@nullmx.t", SPF_FAIL, 1, 0, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.1", "u@mx11.t", SPF_PERMERROR, 1, 0, "more than 10 mail exchanges" },
	{ "192.0.2.5", "u@ptr.t", SPF_PASS, 1, 0, "" },
	{ "192.0.2.6", "u@ptr.t", SPF_FAIL, 2, 1, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.7", "u@ptr.t", SPF_FAIL, 2, 1, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.8", "u@ptr.t", SPF_FAIL, 2, 2, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.10", "u@ptr.t", SPF_PASS, 1, 0, "" },
	{ "192.0.2.11", "u@ptr.t", SPF_FAIL, 2, 1, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.1", "u@popped.t", SPF_TEMPERROR, 3, 0, "a:m3.t (record of popped.t)" },
	{ "192.0.2.5", "u@pcount.t", SPF_FAIL, 10, 1, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.5", "u@pover.t", SPF_PERMERROR, 11, 1, "more than 10 terms" },
	{ "192.0.2.1", "u@inc.t", SPF_FAIL, 2, 0, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.3", "u@inc.t", SPF_TEMPERROR, 2, 0, "mx (record of mx.t)" },
	{ "2001:db8::3", "u@inc.t", SPF_PERMERROR, 3, 1, "none.t, which a record includes: it" },
	{ "192.0.2.1", "u@none.t", SPF_NONE, 0, 0, "none.t: it has no SPF record" },
	{ "192.0.2.1", "u@m1.t", SPF_NONE, 0, 0, "m1.t: it has no TXT records" },
	{ "192.0.2.1", "u@no.t", SPF_NONE, 0, 0, "no.t: there is no such domain" },
	{ "192.0.2.1", "u@t", SPF_NONE, 0, 0, "t: not a domain" },
	{ "192.0.2.1", "u@[192.0.2.1]", SPF_NONE, 0, 0, "not a domain" },
	{ "192.0.2.1", "u@a..t", SPF_NONE, 0, 0, "not a domain" },
	{ "192.0.2.1", "u@two.t", SPF_PERMERROR, 0, 0, "more than one SPF record" },
	{ "192.0.2.1", "mx.t", SPF_PASS, 1, 0, "" },
	{ "192.0.2.1", "@mx.t", SPF_PASS, 1, 0, "" },
	{ "192.0.2.1", "u@x@mx.t.", SPF_PASS, 1, 0, "" },
	{ "192.0.2.1", "", SPF_PASS, 1, 0, "" },
	{ "192.0.2.5", "a@exp.t", SPF_FAIL, 0, 0, "192.0.2.5 may not, says exp.t: host.other.t" },
	{ "192.0.2.6", "a@exp.t", SPF_FAIL, 0, 0, "192.0.2.6 may not, says exp.t: unknown" },
	{ "192.0.2.5", "b@exp.t", SPF_FAIL, 0, 0, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.5", "c@exp.t", SPF_FAIL, 0, 0, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.5", "d@exp.t", SPF_FAIL, 0, 0, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.5", "e@exp.t", SPF_FAIL, 0, 0, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.5", "f@exp.t", SPF_FAIL, 0, 0, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.5", "..@exp.t", SPF_FAIL, 0, 0, SPF_EXPLANATION_DEFAULT },
	{ "192.0.2.5", "a\\b@back.t", SPF_PASS, 1, 0, "" },
	{ "192.0.2.5", "u@bad.t", SPF_PERMERROR, 0, 0, "record of bad.t: a:1.2.3.4: not a domain" },
};

struct scene {
	json_t *zone;
	struct zone_play play;
	struct spf_request request;
	struct spf *spf;
	size_t calls;
	bool free_inside;
};

static void done(const struct spf_verdict *verdict, void *arg)
{
	struct scene *scene = arg;

	scene->calls++;
	assert_int_equal(scene->play.pending, 0);
	assert_ptr_equal(verdict, spf_verdict(scene->spf));
	if (scene->free_inside)
		spf_free(&scene->spf);
}

static void scene_start(struct scene *scene, const char *ip, const char *from)
{
	json_error_t err;

	if (!scene->zone) {
		scene->zone = json_loads(zone_text, 0, &err);
		if (!scene->zone)
			fail_msg("%s", err.text);
	}
	zone_play_open(&scene->play, scene->zone);
	scene->calls = 0;
	scene->request = (struct spf_request){
		.dns = &scene->play.dns,
		.helo = "mx.t",
		.from = from,
		.explain = true,
	};
	assert_int_equal(addr_parse(ip, strlen(ip), &scene->request.ip, NULL), 0);
	scene->spf = spf_start(&scene->request, done, scene);
	assert_non_null(scene->spf);
	assert_int_equal(scene->calls, 0);
}

static void scene_end(struct scene *scene)
{
	spf_free(&scene->spf);
	assert_null(scene->spf);
	assert_int_equal(zone_play_close(&scene->play), 0);
}

static void check_case(const struct spf_verdict *verdict, size_t i)
{
	const char *said = verdict->result == SPF_FAIL ? verdict->explanation : verdict->problem;

	if (verdict->result != cases[i].result || verdict->lookups != cases[i].lookups ||
	    verdict->void_lookups != cases[i].voids || !strstr(said, cases[i].said))
		fail_msg("%s from %s: %s, %u lookups, %u void, %s", cases[i].from, cases[i].ip,
			 spf_result_name(verdict->result), verdict->lookups, verdict->void_lookups,
			 said);
	assert_int_equal(verdict->result == SPF_FAIL, *verdict->explanation != '\0');
}

/* In whatever order the answers come. */
static void verdicts(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (unsigned int order = 0; order < 8; order++) {
			scene_start(&scene, cases[i].ip, cases[i].from);
			scene.play.order = order < 2 ? order : PLAY_RANDOM;
			scene.play.seed = order;
			while (zone_play_step(&scene.play))
				;
			assert_non_null(spf_verdict(scene.spf));
			assert_int_equal(scene.calls, scene.play.asked > 0);
			assert_in_range(scene.play.most_pending, 0, SPF_NAMES_MAX);
			check_case(spf_verdict(scene.spf), i);
			scene_end(&scene);
		}
	}
	json_decref(scene.zone);
}

/* Plays a case for so many steps; false if there were not as many. */
static bool play_steps(struct scene *scene, size_t i, size_t steps)
{
	scene_start(scene, cases[i].ip, cases[i].from);
	scene->play.order = PLAY_RANDOM;
	for (size_t step = 0; step < steps; step++)
		if (!zone_play_step(&scene->play))
			return false;
	return true;
}

static void ended_at_every_step(void **state)
{
	struct scene scene = { 0 };
	size_t steps;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (steps = 0; play_steps(&scene, i, steps); steps++) {
			assert_in_range(steps, 0, STEPS_MAX);
			scene_end(&scene);
		}
		scene_end(&scene);
	}
	json_decref(scene.zone);
}

static void time_is_over_at_every_step(void **state)
{
	struct scene scene = { 0 };
	const struct spf_verdict *verdict;
	size_t unexplained = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t steps = 0; play_steps(&scene, i, steps); steps++) {
			const bool over = spf_verdict(scene.spf);

			scene.play.now += SPF_SECONDS_MAX * 1000 - 1;
			spf_timeout(scene.spf);
			assert_int_equal(scene.calls, over && scene.play.asked);
			assert_int_equal(spf_wait(scene.spf), 1);
			scene.play.now++;
			spf_timeout(scene.spf);
			assert_int_equal(spf_wait(scene.spf), 0);
			assert_int_equal(scene.calls, scene.play.asked > 0);
			verdict = spf_verdict(scene.spf);
			/* A fail that only had to be explained stays one. */
			if (!over && verdict->result == SPF_FAIL)
				unexplained++;
			else if (!over)
				assert_string_equal(verdict->problem,
						    "no verdict within 20 seconds");
			scene_end(&scene);
		}
		scene_end(&scene);
	}
	assert_true(unexplained > 0);
	json_decref(scene.zone);
}

/* An answer after the time is over does not go on, even if the caller's timer is late. */
static void late_answers(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	scene_start(&scene, "192.0.2.1", "u@mx.t");
	scene.play.now += SPF_SECONDS_MAX * 1000;
	assert_true(zone_play_step(&scene.play));
	assert_int_equal(spf_verdict(scene.spf)->result, SPF_TEMPERROR);
	assert_int_equal(scene.play.asked, 1);
	scene_end(&scene);
	json_decref(scene.zone);
}

static void freed_by_the_callback(void **state)
{
	struct scene scene = { .free_inside = true };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		scene_start(&scene, cases[i].ip, cases[i].from);
		while (zone_play_step(&scene.play))
			;
		assert_int_equal(scene.spf != NULL, scene.play.asked == 0);
		scene_end(&scene);
	}
	scene_start(&scene, "192.0.2.1", "u@mx.t");
	scene.play.now += SPF_SECONDS_MAX * 1000;
	spf_timeout(scene.spf);
	assert_null(scene.spf);
	scene_end(&scene);
	json_decref(scene.zone);
}

/* HELO is an identity of its own; a receiver may have its own words, and not ask for others. */
static void identities(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	scene_start(&scene, "192.0.2.5", "u@none.t");
	scene_end(&scene);
	scene.request.identity = SPF_HELO;
	scene.request.helo = "exp.t";
	scene.request.explain = false;
	scene.request.explanation = "not from you";
	scene.spf = spf_start(&scene.request, done, &scene);
	while (zone_play_step(&scene.play))
		;
	assert_int_equal(spf_verdict(scene.spf)->result, SPF_FAIL);
	assert_string_equal(spf_verdict(scene.spf)->explanation, "not from you");
	assert_string_equal(spf_verdict(scene.spf)->domain, "exp.t");
	assert_string_equal(spf_verdict(scene.spf)->mechanism, "-all");
	assert_int_equal(spf_verdict(scene.spf)->queries, 1);
	scene_end(&scene);
	json_decref(scene.zone);
}

/* Whether "all" let it pass, in the record itself, in one it includes or redirects to. */
static void everybody_passes(void **state)
{
	static const struct {
		const char *from;
		enum spf_result result;
		bool everybody;
	} rows[] = {
		{ "u@all.t", SPF_PASS, true },       { "u@all2.t", SPF_PASS, true },
		{ "u@all3.t", SPF_PASS, true },      { "u@all4.t", SPF_FAIL, false },
		{ "u@host.all.t", SPF_PASS, false }, { "u@mx.t", SPF_PASS, false },
	};
	struct scene scene = { .zone = NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scene_start(&scene, "192.0.2.1", rows[i].from);
		while (zone_play_step(&scene.play))
			;
		assert_int_equal(spf_verdict(scene.spf)->result, rows[i].result);
		assert_int_equal(spf_verdict(scene.spf)->everybody, rows[i].everybody);
		scene_end(&scene);
	}
	json_decref(scene.zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(ended_at_every_step),
		cmocka_unit_test(time_is_over_at_every_step),
		cmocka_unit_test(late_answers),
		cmocka_unit_test(freed_by_the_callback),
		cmocka_unit_test(identities),
		cmocka_unit_test(everybody_passes),
	};

	return cmocka_run_group_tests_name("spf", tests, NULL, NULL);
}
