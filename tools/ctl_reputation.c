/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_reputation.c - see tools/ctl_reputation.h.
 *
 * A row a lookup: what was asked, what came of it, how old the answer is, and what it adds to the
 * score. Findings that no lookup of its own stands for are rows as well.
 */
#include "tools/ctl_reputation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "tools/ctl_text.h"

#define ANSWER_TEXT_MAX 320
#define SCORE_TEXT_MAX  16
#define NAME_TEXT_MAX   128

static const struct column titles[] = {
	{ "LOOKUP", ALIGN_LEFT },
	{ "ANSWER", ALIGN_LEFT },
	{ "AGE", ALIGN_RIGHT },
	{ "SCORE", ALIGN_RIGHT },
};

enum paint reputation_paint(const char *decision)
{
	if (!strcmp(decision, "accept"))
		return PAINT_GOOD;
	return strcmp(decision, "reject") != 0 ? PAINT_WARN : PAINT_BAD;
}

static json_int_t field_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static char *score_text(json_int_t score, char out[SCORE_TEXT_MAX])
{
	if (score)
		snprintf(out, SCORE_TEXT_MAX, "%+" JSON_INTEGER_FORMAT, score);
	else
		snprintf(out, SCORE_TEXT_MAX, "0");
	return out;
}

static enum paint score_paint(json_int_t score)
{
	if (!score)
		return PAINT_NONE;
	return score > 0 ? PAINT_BAD : PAINT_GOOD;
}

/* What the outcomes of checks/dnsbl.h are to people. */
static const char *outcome_text(const char *outcome)
{
	static const struct {
		const char *outcome, *text;
	} texts[] = {
		{ "clean", "not listed" },
		{ "temporary", "no answer" },
		{ "error", "refuses to answer:" },
		{ "out", "out of service, counts nothing" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(outcome, texts[i].outcome))
			return texts[i].text;
	return outcome;
}

/* "listed 127.0.0.2, 127.0.0.4: spam source" */
static void zone_answer(const json_t *zone, char out[ANSWER_TEXT_MAX])
{
	const json_t *codes = json_object_get(zone, "codes"), *code;
	const char *text = field_text(zone, "text");
	size_t used, i;

	snprintf(out, ANSWER_TEXT_MAX, "%s", outcome_text(field_text(zone, "outcome")));
	json_array_foreach(codes, i, code)
	{
		used = strlen(out);
		snprintf(out + used, ANSWER_TEXT_MAX - used, "%s%s", i ? ", " : " ",
			 json_string_value(code));
	}
	used = strlen(out);
	if (*text)
		snprintf(out + used, ANSWER_TEXT_MAX - used, ": %s", text);
}

static int add_row(struct columns *columns, const char *name, const char *answer,
		   const json_t *aged, json_int_t score, struct error *err)
{
	char points[SCORE_TEXT_MAX], age[DURATION_TEXT_MAX] = "";
	const struct cell cells[] = {
		{ name, PAINT_NONE },
		{ answer, PAINT_NONE },
		{ age, PAINT_FAINT },
		{ score_text(score, points), score_paint(score) },
	};

	if (json_object_get(aged, "age"))
		duration_format(field_count(aged, "age"), age);
	return columns_row(columns, cells, err);
}

static int add_zones(struct columns *columns, const json_t *lookups, struct error *err)
{
	const json_t *zones = json_object_get(lookups, "zones"), *zone;
	char name[NAME_TEXT_MAX], answer[ANSWER_TEXT_MAX];
	int code = 0;
	size_t i;

	json_array_foreach(zones, i, zone)
	{
		if (code < 0)
			break;
		snprintf(name, sizeof(name), "%s%s", field_text(zone, "zone"),
			 strcmp(field_text(zone, "of"), "helo") != 0 ? "" : " (HELO)");
		zone_answer(zone, answer);
		/* Of one that was not asked there is no answer that could have an age. */
		code = add_row(columns, name, answer,
			       strcmp(field_text(zone, "outcome"), "out") != 0 ? zone : NULL,
			       field_number(zone, "score"), err);
	}
	return code;
}

/* The lookup that a finding comes from, by the first word of its name. */
static const json_t *lookup_of(const json_t *lookups, const char *finding)
{
	if (!strncmp(finding, "rdns-", strlen("rdns-")))
		return json_object_get(lookups, "rdns");
	if (!strncmp(finding, "helo-", strlen("helo-")))
		return json_object_get(lookups, "helo");
	return NULL;
}

static int add_findings(struct columns *columns, const json_t *lookups, struct error *err)
{
	const json_t *findings = json_object_get(lookups, "findings"), *finding;
	char answer[ANSWER_TEXT_MAX];
	int code = 0;
	size_t i;

	json_array_foreach(findings, i, finding)
	{
		const char *name = field_text(finding, "finding");
		const json_t *lookup = lookup_of(lookups, name);
		const char *host = field_text(lookup, "name");

		if (code < 0)
			break;
		snprintf(answer, sizeof(answer), "%s%s%s", field_text(finding, "help"),
			 *host ? ": " : "", host);
		code = add_row(columns, name, answer, lookup, field_number(finding, "score"), err);
	}
	return code;
}

static void print_spf(const json_t *spf)
{
	const char *domain = field_text(spf, "domain"), *problem = field_text(spf, "problem");
	const char *mechanism = field_text(spf, "mechanism");

	if (!json_is_object(spf) || *domain == '[') /* an address has no policy */
		return;
	output_text("  SPF of the HELO name %s: %s%s%s%s%s\n", domain, field_text(spf, "result"),
		    *mechanism ? ", by " : "", mechanism, *problem ? ": " : "", problem);
}

int reputation_print_lookups(const json_t *lookups, struct error *err)
{
	struct columns *columns;
	int code = columns_begin(&columns, titles, sizeof(titles) / sizeof(titles[0]), err);

	if (code < 0)
		return code;
	code = add_zones(columns, lookups, err);
	if (code == 0)
		code = add_findings(columns, lookups, err);
	columns_end(&columns);
	print_spf(json_object_get(lookups, "spf"));
	if (field_true(lookups, "temporary"))
		output_paint(PAINT_WARN, "  the DNS did not answer everything: the score may be "
					 "another one later\n");
	return code;
}

/* What the kernel knows it does not tell of, and what it does not tell of is not looked up. */
static void print_verdict(const json_t *verdict, const json_t *learned)
{
	char age[DURATION_TEXT_MAX], holds[DURATION_TEXT_MAX];
	const char *decision = field_text(verdict, "decision");

	if (!json_is_object(verdict)) {
		output_text(json_is_object(learned)
				    ? "  no verdict is kept any more\n"
				    : "  no verdict is kept: it is looked up when it connects\n");
		return;
	}
	output_text("  ");
	output_paint(reputation_paint(decision), "%s", decision);
	output_text(" with a score of %" JSON_INTEGER_FORMAT ", found %s ago in %" PRIu64
		    " ms, holds for %s\n",
		    field_number(verdict, "score"),
		    duration_format(field_count(verdict, "age"), age), field_count(verdict, "ms"),
		    duration_format(field_count(verdict, "holds"), holds));
}

static void print_history(const json_t *history)
{
	const uint64_t offences = field_count(history, "offences");
	const uint64_t good = field_count(history, "good");
	char first[WHEN_TEXT_MAX], last[WHEN_TEXT_MAX];

	if (!json_is_object(history))
		return;
	output_text("  known since %s; ", when_format(field_count(history, "first"), first));
	if (offences)
		output_text("offended %" PRIu64 " %s, the last time %s\n", offences,
			    plural(offences, "time", "times"),
			    when_relative(field_count(history, "offence_time"), last));
	else
		output_text("no offence, %" PRIu64 " good %s\n", good,
			    plural(good, "verdict", "verdicts"));
}

static void print_greylist(const json_t *greylist)
{
	char text[WHEN_TEXT_MAX], wait[DURATION_TEXT_MAX];

	if (!json_is_object(greylist))
		return;
	if (field_true(greylist, "passed"))
		output_text("  greylisting: its network has come again, the last time %s\n",
			    when_relative(field_count(greylist, "last"), text));
	else if (field_count(greylist, "wait"))
		output_text("  greylisting: its network has to wait for %s, first seen %s\n",
			    duration_format(field_count(greylist, "wait"), wait),
			    when_relative(field_count(greylist, "first"), text));
	else
		output_text("  greylisting: its network may come now, first seen %s\n",
			    when_relative(field_count(greylist, "first"), text));
}

static void print_learned(const json_t *learned)
{
	char left[DURATION_TEXT_MAX];
	const char *kind = field_text(learned, "kind");

	if (!json_is_object(learned))
		return;
	duration_format(field_count(learned, "seconds"), left);
	if (!strcmp(kind, "blocked"))
		output_text("  the kernel blocks it for %s, action %s\n", left,
			    field_text(learned, "action"));
	else
		output_text("  the kernel lets it in for %s without another lookup%s\n", left,
			    strcmp(kind, "trusted") != 0 ? "" : ": its history is good");
}

int reputation_print(const json_t *reputation, struct error *err)
{
	const json_t *now = json_object_get(reputation, "now");
	const json_t *learned = json_object_get(reputation, "learned");

	if (!json_is_object(reputation))
		return 0;
	output_paint(PAINT_TITLE, "\nReputation\n");
	if (!strcmp(field_text(reputation, "mode"), "filter")) {
		output_text("  clients are not looked up (mode: filter)\n");
		return 0;
	}
	print_verdict(json_object_get(reputation, "verdict"), learned);
	print_history(json_object_get(reputation, "history"));
	print_greylist(json_object_get(reputation, "greylist"));
	print_learned(learned);
	if (!json_is_object(now))
		return 0;
	output_text("  looked up now, it scores %" JSON_INTEGER_FORMAT ": %s\n\n",
		    field_number(now, "score"), field_text(now, "decision"));
	return reputation_print_lookups(now, err);
}
