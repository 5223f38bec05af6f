/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_reputation.c - check.ip, and the guard's part of why.
 */
#include "ctl/ctl_reputation.h"

#include <string.h>

#include "ctl/args.h"
#include "lib/action.h"
#include "lib/clock.h"
#include "obs/names.h"
#include "obs/refusal.h"

#define HELO_MAX 1024 /* octets of a HELO name that is looked up */

/* The zones of a verdict are numbers in the lists that are in force. */
static json_t *zones_json(const struct guard_stats *stats, const struct verdict *verdict)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < verdict->zone_count; i++) {
		const struct verdict_zone *zone = &verdict->zone[i];

		if (zone->number < stats->zones)
			json_array_append_new(rows, json_pack("{s:s, s:i}", "zone",
							      stats->zone[zone->number].zone,
							      "score", (int)zone->score));
	}
	return rows;
}

/*
 * With the lists that its zones are of: a reload drops all verdicts before it exchanges them, so
 * they are those that were looked at between two looks at verdicts of one time.
 */
static bool find_verdict(struct guard *guard, const struct addr *addr, struct verdict *verdict,
			 struct guard_stats *stats)
{
	uint8_t judged;

	do {
		if (!guard_verdict(guard, addr, verdict))
			return false;
		judged = verdict->judged;
		guard_stats(guard, stats);
		if (!guard_verdict(guard, addr, verdict))
			return false;
	} while (verdict->judged != judged);
	return true;
}

static json_t *verdict_json(struct guard *guard, const struct addr *addr)
{
	struct guard_stats stats;
	struct verdict verdict;
	uint32_t now;

	if (!find_verdict(guard, addr, &verdict, &stats))
		return json_null();
	now = clock_mono_seconds(); /* not before it was made */
	return json_pack("{s:s, s:i, s:b, s:I, s:I, s:I, s:o, s:o}", "decision",
			 decision_name(verdict.decision), "score", (int)verdict.total, "temporary",
			 (int)verdict.temporary, "age", (json_int_t)(now - verdict.made), "holds",
			 (json_int_t)(verdict.until > now ? verdict.until - now : 0), "ms",
			 (json_int_t)verdict.took, "findings", finding_names_json(verdict.findings),
			 "zones", zones_json(&stats, &verdict));
}

static json_t *history_json(struct guard *guard, const struct addr *addr)
{
	struct history_record record;

	if (!guard_history(guard, addr, &record))
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "first", (json_int_t)record.first, "last",
			 (json_int_t)record.last, "offences", (json_int_t)record.offences,
			 "offence_time", (json_int_t)record.offence_time, "good",
			 (json_int_t)record.good);
}

/* Of its network. What came with SPF is known by the sender's domain, and not here. */
static json_t *greylist_json(struct guard *guard, const struct addr *addr)
{
	struct greylist_record record;

	if (!guard_greylist(guard, addr, &record))
		return json_null();
	return json_pack("{s:b, s:I, s:I, s:I}", "passed", (int)record.passed, "wait",
			 (json_int_t)record.wait, "first", (json_int_t)record.first, "last",
			 (json_int_t)record.last);
}

static const char *learned_kind_name(enum gate_learned_kind kind)
{
	static const char *const names[GATE_LEARNED_KINDS] = { "none", "known", "trusted",
							       "blocked" };

	return kind < GATE_LEARNED_KINDS ? names[kind] : NAME_UNKNOWN;
}

static json_t *learned_json(struct gate *gate, const struct addr *addr)
{
	struct gate_learned learned;

	if (!gate_learned_find(gate, addr, &learned))
		return json_null();
	return json_pack("{s:s, s:s, s:I}", "kind", learned_kind_name(learned.kind), "action",
			 learned.kind == GATE_LEARNED_BLOCKED ? action_name(learned.action) : "",
			 "seconds", (json_int_t)learned.seconds);
}

json_t *reputation_json(const struct ctl_agent *agent, const struct addr *addr)
{
	json_t *now = NULL;

	if (agent->role != CONF_ROLE_FILTER && guard_explain(agent->guard, addr, NULL, &now, NULL))
		now = NULL;
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o?}", "mode", role_name(agent->role),
			 "verdict", verdict_json(agent->guard, addr), "history",
			 history_json(agent->guard, addr), "greylist",
			 greylist_json(agent->guard, addr), "learned",
			 learned_json(agent->gate, addr), "now", now);
}

int ctl_check_ip(struct ctl_request *request, struct error *err)
{
	const char *helo = arg_text(request, "helo");
	struct addr addr;
	int failed = arg_address(request, &addr, err);

	if (failed)
		return failed;
	if (helo && strlen(helo) > HELO_MAX)
		return error_set(err, ERROR_USAGE, "helo: longer than %d octets", HELO_MAX);
	return guard_explain(ctl_agent(request)->guard, &addr, helo, &request->result, err);
}
