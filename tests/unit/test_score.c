/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of policy/score: what findings add up to, and what is decided from that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "policy/score.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(name)    FINDING_BIT(FINDING_##name)

static struct score_rules presets(void)
{
	struct score_rules rules;
	struct conf *conf = NULL;

	assert_int_equal(conf_defaults(&conf, NULL), 0);
	score_rules_conf(&rules, conf);
	conf_free(&conf);
	return rules;
}

static const struct {
	enum finding finding;
	const char *name, *preset, *help;
} list[] = {
#define ROW(name, text, preset, help) { FINDING_##name, text, preset, help },
	FINDING_LIST(ROW)
#undef ROW
};

/* Each alone has the score that the list gives it, and what is decided follows from that. */
static void every_finding_alone(void **state)
{
	const struct score_rules rules = presets();

	(void)state;
	assert_int_equal(COUNT(list), FINDING_COUNT);
	for (size_t i = 0; i < COUNT(list); i++) {
		const struct score_input input = { .findings = FINDING_BIT(list[i].finding) };
		const struct score score = score_decide(&rules, &input);
		const long preset = strtol(list[i].preset, NULL, 10);

		assert_int_equal(score.total, preset);
		assert_int_equal(score.decision, preset >= 10  ? DECISION_REJECT
						 : preset >= 6 ? DECISION_GREYLIST
						 : preset >= 4 ? DECISION_SLOW
							       : DECISION_ACCEPT);
	}
}

static void names_and_helps_are_those_of_the_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(list); i++) {
		assert_string_equal(finding_name(list[i].finding), list[i].name);
		assert_string_equal(finding_help(list[i].finding), list[i].help);
	}
	assert_string_equal(finding_name(FINDING_COUNT), "unknown");
	assert_string_equal(finding_help(FINDING_COUNT), "unknown");
	assert_string_equal(finding_name((enum finding) - 1), "unknown");
	assert_string_equal(decision_name(DECISION_ACCEPT), "accept");
	assert_string_equal(decision_name(DECISION_SLOW), "slow");
	assert_string_equal(decision_name(DECISION_GREYLIST), "greylist");
	assert_string_equal(decision_name(DECISION_REJECT), "reject");
	assert_string_equal(decision_name(DECISION_COUNT), "unknown");
	assert_string_equal(decision_name((enum decision) - 1), "unknown");
}

/* Thresholds of 4, 6 and 10, and the scores of the list, but where the row says another. */
struct row {
	const char *what;
	finding_set findings;
	int32_t zones;
	bool temporary;
	int32_t slow, greylist, reject;
	int32_t of_temporary; /* the score of each temporary finding */
	int32_t total;
	enum decision decision;
};

#define THRESHOLDS 4, 6, 10
#define HIDDEN                                                                                     \
	(BIT(RDNS_TEMPORARY) | BIT(HELO_TEMPORARY) | BIT(SPF_TEMPERROR) | BIT(SENDER_TEMPORARY))

static const struct row rows[] = {
	{ "nothing", 0, 0, false, THRESHOLDS, 0, 0, DECISION_ACCEPT },
	{ "just below slow", 0, 3, false, THRESHOLDS, 0, 3, DECISION_ACCEPT },
	{ "slow", 0, 4, false, THRESHOLDS, 0, 4, DECISION_SLOW },
	{ "just below greylist", 0, 5, false, THRESHOLDS, 0, 5, DECISION_SLOW },
	{ "greylist", 0, 6, false, THRESHOLDS, 0, 6, DECISION_GREYLIST },
	{ "just below reject", 0, 9, false, THRESHOLDS, 0, 9, DECISION_GREYLIST },
	{ "reject", 0, 10, false, THRESHOLDS, 0, 10, DECISION_REJECT },
	{ "a sum", BIT(RDNS_MISSING) | BIT(HELO_UNKNOWN), 0, false, THRESHOLDS, 0, 7,
	  DECISION_GREYLIST },
	{ "a sum with zones", BIT(RDNS_MISSING) | BIT(HELO_UNKNOWN), 3, false, THRESHOLDS, 0, 10,
	  DECISION_REJECT },
	{ "what speaks for it", BIT(SPF_PASS) | BIT(HELO_MATCH), 0, false, THRESHOLDS, 0, -2,
	  DECISION_ACCEPT },
	{ "for and against", BIT(SPF_PASS) | BIT(HELO_OWN), 0, false, THRESHOLDS, 0, 9,
	  DECISION_GREYLIST },
	{ "an allow list outweighs", BIT(SPF_FAIL) | BIT(RDNS_MISSING), -12, false, THRESHOLDS, 0,
	  2, DECISION_ACCEPT },
	{ "no slow", 0, 5, false, 0, 6, 10, 0, 5, DECISION_ACCEPT },
	{ "no greylist", 0, 9, false, 4, 0, 10, 0, 9, DECISION_SLOW },
	{ "no reject", 0, 1000, false, 4, 6, 0, 0, 1000, DECISION_GREYLIST },
	{ "never anything", 0, 1000, false, 0, 0, 0, 0, 1000, DECISION_ACCEPT },
	{ "the strictest first", 0, 5, false, 5, 5, 5, 0, 5, DECISION_REJECT },
	{ "reject below slow", 0, 3, false, 9, 6, 3, 0, 3, DECISION_REJECT },
	{ "a threshold below 0", 0, -3, false, -3, 0, 0, 0, -3, DECISION_SLOW },
	{ "all that there is", ~(finding_set)0, INT32_MAX, false, THRESHOLDS, 1000, INT32_MAX,
	  DECISION_REJECT },
	{ "all that speaks for it", BIT(SPF_PASS), INT32_MIN, false, THRESHOLDS, 0, INT32_MIN,
	  DECISION_ACCEPT },
	{ "findings of another version", (finding_set)1 << 63, 0, false, THRESHOLDS, 0, 0,
	  DECISION_ACCEPT },

	{ "something is not known", 0, 10, true, THRESHOLDS, 0, 10, DECISION_REJECT },
	{ "nothing is known", 0, 0, true, THRESHOLDS, 0, 0, DECISION_ACCEPT },
	{ "failures alone", HIDDEN, 0, true, THRESHOLDS, 10, 40, DECISION_ACCEPT },
	{ "one failure alone", BIT(SPF_TEMPERROR), 0, true, THRESHOLDS, 4, 4, DECISION_ACCEPT },
	{ "failures and what is not enough", HIDDEN, 3, true, THRESHOLDS, 10, 43, DECISION_ACCEPT },
	{ "failures do not reject", HIDDEN, 4, true, THRESHOLDS, 10, 44, DECISION_GREYLIST },
	{ "nor without greylisting", HIDDEN, 4, true, 4, 0, 10, 10, 44, DECISION_SLOW },
	{ "failures make greylist of slow", BIT(RDNS_TEMPORARY), 4, true, THRESHOLDS, 2, 6,
	  DECISION_GREYLIST },
	{ "failures beside what rejects", HIDDEN, 10, true, THRESHOLDS, 10, 50, DECISION_REJECT },
	{ "failures that speak for it", HIDDEN, 10, true, THRESHOLDS, -1, 6, DECISION_GREYLIST },
};

static void decisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct score_rules rules = presets();
		const struct score_input input = { .findings = row->findings,
						   .zones = row->zones,
						   .temporary = row->temporary };
		struct score score;

		rules.slow = row->slow;
		rules.greylist = row->greylist;
		rules.reject = row->reject;
		for (int finding = 0; finding < FINDING_COUNT; finding++)
			if (HIDDEN & FINDING_BIT(finding))
				rules.score[finding] = row->of_temporary;
		score = score_decide(&rules, &input);
		if (score.total != row->total || score.decision != row->decision)
			fail_msg("%s: %d, %s; not %d, %s", row->what, score.total,
				 decision_name(score.decision), row->total,
				 decision_name(row->decision));
	}
}

/* Nobody is rejected whom a list that gives no answer could have saved. */
static void what_could_have_saved_it(void **state)
{
	static const struct {
		int32_t zones, missing, greylist;
		enum decision decision;
	} cases[] = {
		{ 10, 0, 6, DECISION_REJECT },   { 10, -1, 6, DECISION_GREYLIST },
		{ 12, -2, 6, DECISION_REJECT },  { 12, -3, 0, DECISION_SLOW },
		{ 12, -12, 0, DECISION_ACCEPT }, { 7, -7, 6, DECISION_GREYLIST },
	};
	struct score_rules rules = presets();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct score_input input = { .zones = cases[i].zones,
						   .missing = cases[i].missing,
						   .temporary = true };

		rules.slow = 4;
		rules.greylist = cases[i].greylist;
		rules.reject = 10;
		assert_int_equal(score_decide(&rules, &input).decision, cases[i].decision);
		assert_int_equal(score_decide(&rules, &input).total, cases[i].zones);
	}
}

/* Nor by what temporary failures add, where an allow list hides something, too. */
static void failures_do_not_make_up_for_what_is_missing(void **state)
{
	struct score_input input = {
		.findings = BIT(HELO_TEMPORARY), .zones = 10, .missing = -1, .temporary = true
	};
	struct score_rules rules = presets();

	(void)state;
	rules.score[FINDING_HELO_TEMPORARY] = 4;
	assert_int_equal(score_decide(&rules, &input).decision, DECISION_GREYLIST);
	assert_int_equal(score_decide(&rules, &input).total, 14);
	input.missing = 0;
	assert_int_equal(score_decide(&rules, &input).decision, DECISION_REJECT);
}

static void only_what_speaks_for_it_is_credit(void **state)
{
	const struct score_rules rules = presets();

	(void)state;
	assert_int_equal(score_credit(&rules, 0), 0);
	assert_int_equal(score_credit(&rules, BIT(RDNS_MISSING) | BIT(HELO_MATCH)), -1);
	assert_int_equal(score_credit(&rules, ~(finding_set)0), -2);
}

static void rules_are_those_of_the_configuration(void **state)
{
	static const char text[] = "score:\n  rdns-missing: -7\npolicy:\n  slow: 1\n"
				   "  greylist: 0\n  reject: 33\n";
	struct score_rules rules;
	struct conf *conf = NULL;
	struct error err;

	(void)state;
	if (conf_parse("test", text, strlen(text), &conf, &err))
		fail_msg("%s", err.text);
	score_rules_conf(&rules, conf);
	conf_free(&conf);
	assert_int_equal(rules.score[FINDING_RDNS_MISSING], -7);
	assert_int_equal(rules.score[FINDING_SENDER_NULL_MX], 10);
	assert_int_equal(rules.slow, 1);
	assert_int_equal(rules.greylist, 0);
	assert_int_equal(rules.reject, 33);
}

static void a_clamped_score_is_the_nearest_one(void **state)
{
	(void)state;
	assert_int_equal(score_clamp(127, INT8_MAX), 127);
	assert_int_equal(score_clamp(128, INT8_MAX), 127);
	assert_int_equal(score_clamp(-128, INT8_MAX), -128);
	assert_int_equal(score_clamp(-129, INT8_MAX), -128);
	assert_int_equal(score_clamp(INT32_MAX, INT16_MAX), INT16_MAX);
	assert_int_equal(score_clamp(INT64_MIN, INT32_MAX), INT32_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_finding_alone),
		cmocka_unit_test(names_and_helps_are_those_of_the_list),
		cmocka_unit_test(decisions),
		cmocka_unit_test(what_could_have_saved_it),
		cmocka_unit_test(failures_do_not_make_up_for_what_is_missing),
		cmocka_unit_test(only_what_speaks_for_it_is_credit),
		cmocka_unit_test(rules_are_those_of_the_configuration),
		cmocka_unit_test(a_clamped_score_is_the_nearest_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
