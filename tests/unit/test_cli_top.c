/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what `posternctl top` makes of the agent's totals, and of its snapshots.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli_scene.h"
#include "tools/ctl_top_model.h"

#define NS_A_SECOND 1000000000ll

/* One look at the agent: totals of the reasons and of one list. */
struct totals {
	double seconds;
	long long listed, listed6, monitored, accepted, allowed, established, list;
};

static json_t *reason(const char *name, const char *kind, const char *family, const char *outcome,
		      long long packets)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "reason", name, "kind", kind, "family",
			 family, "outcome", outcome, "packets", (json_int_t)packets);
}

static void update(struct top_model *model, const struct totals *totals, json_t *offenders)
{
	json_t *status = json_pack("{s:b, s:i, s:[{s:s, s:s}]}", "monitor", 1, "uptime", 60,
				   "interfaces", "iface", "eth0", "mode", "native");
	json_t *top = json_pack(
		"{s:I, s:[o, o, o, o, o, o], s:[{s:s, s:s, s:s, s:s, s:I}], s:o, s:i}", "time_ns",
		(json_int_t)(totals->seconds * NS_A_SECOND), "reasons",
		reason("listed", "stop", "ipv4", "enforced", totals->listed),
		reason("listed", "stop", "ipv6", "enforced", totals->listed6),
		reason("listed", "stop", "ipv4", "monitored", totals->monitored),
		reason("accepted", "pass", "ipv4", "enforced", totals->accepted),
		reason("allowed", "pass", "ipv4", "enforced", totals->allowed),
		reason("established", "pass", "ipv4", "enforced", totals->established), "lists",
		"list", "drop", "kind", "block", "family", "ipv4", "outcome", "enforced", "packets",
		(json_int_t)totals->list, "offenders", offenders, "connections", 7);

	assert_non_null(top);
	top_model_update(model, top, status);
	json_decref(top);
	json_decref(status);
}

static struct top_model *model_of(const struct totals *looks, size_t count)
{
	struct top_model *model = NULL;
	struct error err;

	assert_int_equal(top_model_open(&model, &err), 0);
	for (size_t i = 0; i < count; i++)
		update(model, &looks[i], json_array());
	return model;
}

static const struct top_row *row_of(const struct top_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->row[i].name, name) == 0)
			return &table->row[i];
	}
	fail_msg("no row %s", name);
	return NULL;
}

static void test_rates(void **state)
{
	static const struct totals looks[] = {
		{ 10, 1000, 100, 50, 10, 1, 5000, 1000 },
		{ 12, 3000, 100, 60, 14, 3, 6000, 3000 },
	};
	struct top_model *model = model_of(looks, 2);
	const struct top_row *listed = row_of(&model->reasons, "listed");

	(void)state;
	assert_true(model->has_rates);
	assert_true(listed->rate[TOP_ENFORCED] == 1000);
	assert_true(listed->rate[TOP_MONITORED] == 5);
	assert_int_equal(listed->total[TOP_ENFORCED], 3100);
	assert_false(listed->harmless);
	assert_true(row_of(&model->reasons, "accepted")->harmless);
	assert_true(row_of(&model->lists, "drop")->rate[TOP_ENFORCED] == 1000);
	assert_true(model->rate[FLOW_STOPPED] == 1000);
	assert_true(model->rate[FLOW_MONITORED] == 5);
	assert_true(model->rate[FLOW_LET_IN] == 3); /* accepted and allowed, not established */
	assert_true(model->rate[FLOW_SEEN] == 1503);
	assert_int_equal(model->connections, 7);
	assert_true(model->monitor);
	assert_string_equal(model->interfaces, "eth0 native");
	top_model_close(&model);
	assert_null(model);
}

static void test_one_look_has_no_rates(void **state)
{
	static const struct totals look = { 10, 1000, 0, 0, 0, 0, 0, 0 };
	struct top_model *model = model_of(&look, 1);

	(void)state;
	assert_false(model->has_rates);
	assert_true(model->rate[FLOW_STOPPED] == 0);
	assert_int_equal(model->history[FLOW_STOPPED].count, 0);
	assert_int_equal(row_of(&model->reasons, "listed")->total[TOP_ENFORCED], 1000);
	top_model_close(&model);
}

/* Counters that start anew, and a clock that stands still, are no rates of any kind. */
static void test_totals_that_go_down(void **state)
{
	static const struct totals looks[] = {
		{ 10, 1000, 0, 0, 0, 0, 0, 1000 },
		{ 11, 40, 0, 0, 0, 0, 0, 40 },
		{ 12, 90, 0, 0, 0, 0, 0, 90 },
		{ 12, 95, 0, 0, 0, 0, 0, 95 },
	};
	struct top_model *model = model_of(looks, 2);

	(void)state;
	assert_true(row_of(&model->reasons, "listed")->rate[TOP_ENFORCED] == 0);
	update(model, &looks[2], json_array());
	assert_true(row_of(&model->reasons, "listed")->rate[TOP_ENFORCED] == 50);
	update(model, &looks[3], json_array());
	assert_false(model->has_rates);
	assert_true(row_of(&model->reasons, "listed")->rate[TOP_ENFORCED] == 0);
	top_model_close(&model);
}

static void test_history_is_bounded(void **state)
{
	struct totals look = { 0 };
	struct top_model *model = model_of(&look, 1);
	const struct top_series *history = &model->history[FLOW_STOPPED];

	(void)state;
	for (int i = 1; i <= TOP_HISTORY + 10; i++) {
		look.seconds = i;
		look.listed += i == 5 ? 1000000 : i;
		update(model, &look, json_array());
	}
	assert_int_equal(history->count, TOP_HISTORY);
	assert_true(top_series_value(history, 0) == TOP_HISTORY + 10);
	/* The first look had no time, the second no rate: the peak of the fifth is long gone. */
	assert_true(top_series_value(history, TOP_HISTORY - 1) == 11);
	assert_true(top_series_value(history, TOP_HISTORY) == 0);
	assert_true(top_series_peak(history, TOP_HISTORY) == TOP_HISTORY + 10);
	assert_true(top_series_peak(history, 0) == 0);
	top_model_close(&model);
}

static json_t *offender(const char *source, long long hits, long long age_ms)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:I}", "source", source, "hits",
			 (json_int_t)hits, "reason", "listed", "list", "drop", "outcome",
			 "monitored", "age_ms", (json_int_t)age_ms);
}

static void test_sources_and_sorting(void **state)
{
	struct totals look = { 0 };
	struct top_model *model = model_of(&look, 0);

	(void)state;
	look.seconds = 1;
	update(model, &look,
	       json_pack("[o, o]", offender("192.0.2.1", 100, 0), offender("192.0.2.2", 50, 0)));
	look.seconds = 2;
	update(model, &look,
	       json_pack("[o, o, o]", offender("192.0.2.1", 110, 500),
			 offender("192.0.2.2", 90, 900), offender("2001:db8::3", 60, 20)));
	assert_int_equal(model->sources, 3);
	top_model_sort(model, SORT_HITS);
	assert_string_equal(model->source[0].address, "192.0.2.1");
	assert_true(model->source[0].rate == 10);
	assert_true(model->source[0].monitored);
	top_model_sort(model, SORT_RATE);
	assert_string_equal(model->source[0].address, "192.0.2.2");
	assert_true(model->source[0].rate == 40);
	/* What was not there before has hits, but no rate yet. */
	assert_true(model->source[2].rate == 0);
	top_model_sort(model, SORT_LATEST);
	assert_string_equal(model->source[0].address, "2001:db8::3");
	top_model_close(&model);
}

/* More rows and sources than there is room for are left out, not written past the end. */
static void test_too_many(void **state)
{
	struct top_model *model = NULL;
	json_t *reasons = json_array(), *offenders = json_array(), *top;
	char name[TOP_NAME_MAX * 2];
	struct error err;

	(void)state;
	assert_int_equal(top_model_open(&model, &err), 0);
	for (int i = 0; i < TOP_ROWS_MAX * 2; i++) {
		snprintf(name, sizeof(name), "reason-%090d", i);
		json_array_append_new(reasons, reason(name, "stop", "ipv4", "enforced", i));
		json_array_append_new(offenders, offender(name, i, i));
	}
	top = json_pack("{s:i, s:o, s:o}", "time_ns", 1, "reasons", reasons, "offenders",
			offenders);
	top_model_update(model, top, NULL);
	assert_true(model->reasons.count <= TOP_ROWS_MAX);
	assert_int_equal(model->sources, TOP_SOURCES_MAX);
	assert_int_equal(strlen(model->source[0].address), TOP_NAME_MAX - 1);
	json_decref(top);
	top_model_close(&model);
}

/* An answer without anything in it, or with nonsense, changes nothing but the time. */
static void test_empty_answers(void **state)
{
	struct top_model *model = NULL;
	json_t *nonsense = json_pack("{s:s, s:i, s:[i, s]}", "time_ns", "x", "reasons", 7,
				     "offenders", 1, "x");
	struct error err;

	(void)state;
	assert_int_equal(top_model_open(&model, &err), 0);
	top_model_update(model, nonsense, nonsense);
	assert_false(model->has_rates);
	assert_int_equal(model->reasons.count, 0);
	top_model_sort(model, SORT_RATE);
	json_decref(nonsense);
	top_model_close(&model);
}

#define ANSWER(seconds, packets)                                                                   \
	"{\"ok\": true, \"result\": {\"time_ns\": " #seconds                                       \
	"000000000, \"reasons\": [{\"reason\": \"listed\", \"kind\": \"stop\", \"family\": "       \
	"\"ipv4\", "                                                                               \
	"\"outcome\": \"enforced\", \"packets\": " #packets                                        \
	"}], \"offenders\": [{\"source\": \"192.0.2.7\", \"hits\": 5, \"reason\": \"listed\", "    \
	"\"list\": \"drop\", \"outcome\": \"enforced\", \"age_ms\": 2000}]}}\n"

static void test_text_snapshot(void **state)
{
	const struct scene_script script = {
		.answer = { ANSWER(1, 1000), SCENE_DONE, ANSWER(2, 1500), SCENE_DONE },
	};
	struct scene scene;

	(void)state;
	scene_play(&script, "top", &scene);
	assert_int_equal(scene.code, 0);
	assert_int_equal(scene.requests, 4);
	assert_non_null(strstr(scene.out, "\nstopped 500/s  monitored 0/s  let in 0/s"));
	assert_non_null(strstr(scene.out, "\nREASON  RATE/S  MONITORED/S  TOTAL\n"
					  "listed     500            0  1,500\n"));
	assert_non_null(strstr(scene.out, "\nSOURCE     HITS  RATE/S  AGO  OUTCOME  REASON  LIST\n"
					  "192.0.2.7     5       0   2s  stopped  listed  drop\n"));
	scene_clear(&scene);
}

static void test_json_snapshots(void **state)
{
	const struct scene_script script = { .answer = { ANSWER(1, 1000), ANSWER(2, 1500) } };
	struct scene scene;
	json_error_t where;
	json_t *first, *second;

	(void)state;
	scene_play(&script, "top --json --count 2", &scene);
	assert_int_equal(scene.code, 0);
	first = json_loads(scene.out, JSON_DISABLE_EOF_CHECK, &where);
	second = json_loads(scene.out + where.position, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(first, "time_ns")), NS_A_SECOND);
	assert_int_equal(json_integer_value(json_object_get(second, "time_ns")), 2 * NS_A_SECOND);
	json_decref(first);
	json_decref(second);
	scene_clear(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_one_look_has_no_rates),
		cmocka_unit_test(test_totals_that_go_down),
		cmocka_unit_test(test_history_is_bounded),
		cmocka_unit_test(test_sources_and_sorting),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_empty_answers),
		cmocka_unit_test(test_text_snapshot),
		cmocka_unit_test(test_json_snapshots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
