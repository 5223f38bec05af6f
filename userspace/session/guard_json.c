/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_json.c - what a lookup found, as `check ip` and `why` show it:
 *
 *   {address, decision, rejected, score, temporary, ttl,
 *    findings: [{finding, score, help}],
 *    zones: [{zone, of, outcome, score, codes, text, age, ttl}],
 *    rdns: {name, names, invalid, age, ttl}, helo: {age, ttl}, spf: {result, domain, ...}}
 *
 * What was not asked is null. Names and texts are those of strangers: the checks have left out what
 * is not printable.
 */
#include <stdio.h>
#include <string.h>

#include "lib/text.h"
#include "session/guard_internal.h"

#define CODE_TEXT_MAX 16
#define CLEAN_MAX     1024 /* bytes of a text that is shown */

/* JSON is UTF-8, and strangers need not be. */
static json_t *clean_text(const char *text)
{
	char clean[CLEAN_MAX];

	text_clean(clean, sizeof(clean), text, strlen(text));
	return json_string(clean);
}

static json_t *findings_json(const struct evaluate_result *result, const struct score_rules *rules)
{
	json_t *rows = json_array();

	for (unsigned int i = 0; i < FINDING_COUNT; i++)
		if (result->input.findings & FINDING_BIT(i))
			json_array_append_new(rows, json_pack("{s:s, s:i, s:s}", "finding",
							      finding_name((enum finding)i),
							      "score", (int)rules->score[i], "help",
							      finding_help((enum finding)i)));
	return rows;
}

static json_t *codes_json(const struct dnsbl_zone_result *zone)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < zone->codes; i++) {
		const uint32_t code = zone->code[i];
		char text[CODE_TEXT_MAX];

		snprintf(text, sizeof(text), "%u.%u.%u.%u", code >> 24, code >> 16 & 0xff,
			 code >> 8 & 0xff, code & 0xff);
		json_array_append_new(rows, json_string(text));
	}
	return rows;
}

static json_t *zones_json(const struct evaluate_result *result)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < result->details; i++) {
		const struct evaluate_zone *at = &result->detail[i];
		const struct dnsbl_zone_result *zone = &at->result;

		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:I, s:I}", "zone", zone->zone,
				  "of", at->domain ? "helo" : "address", "outcome",
				  dnsbl_outcome_name(zone->outcome), "score", (int)zone->score,
				  "codes", codes_json(zone), "text", clean_text(at->text), "age",
				  (json_int_t)zone->age, "ttl", (json_int_t)zone->ttl));
	}
	return rows;
}

static json_t *rdns_json(const struct rdns_result *rdns)
{
	if (!rdns)
		return json_null();
	return json_pack("{s:o, s:i, s:i, s:I, s:I}", "name", clean_text(rdns->name), "names",
			 (int)rdns->names, "invalid", (int)rdns->invalid, "age",
			 (json_int_t)rdns->age, "ttl", (json_int_t)rdns->ttl);
}

static json_t *helo_json(const struct helo_result *helo)
{
	if (!helo)
		return json_null();
	return json_pack("{s:I, s:I}", "age", (json_int_t)helo->age, "ttl", (json_int_t)helo->ttl);
}

static json_t *spf_json(const struct spf_verdict *spf)
{
	if (!spf)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "result", spf_result_name(spf->result),
			 "domain", clean_text(spf->domain), "mechanism", clean_text(spf->mechanism),
			 "problem", clean_text(spf->problem), "explanation",
			 clean_text(spf->explanation));
}

json_t *guard_result_json(const struct evaluate_result *result, const struct score_rules *rules)
{
	char text[PREFIX_TEXT_MAX];

	return json_pack("{s:s, s:s, s:b, s:i, s:b, s:I, s:o, s:o, s:o, s:o, s:o}", "address",
			 addr_format(&result->addr, text), "decision",
			 decision_name(result->score.decision), "rejected",
			 (int)(result->score.decision == DECISION_REJECT), "score",
			 (int)result->score.total, "temporary", (int)result->input.temporary, "ttl",
			 (json_int_t)result->ttl, "findings", findings_json(result, rules), "zones",
			 zones_json(result), "rdns", rdns_json(result->rdns), "helo",
			 helo_json(result->helo), "spf", spf_json(result->spf));
}
