/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_why.c - why: everything that concerns one address, or one event or SMTP session by its
 * lookup id.
 *
 * The verdict is what would happen to a connection attempt from the address now: the stages of the
 * program in their order, on what its tables and meters hold at this moment. No attempt is made
 * and nothing is counted.
 */
#include <string.h>

#include "ctl/agent.h"
#include "ctl/args.h"
#include "ctl/ctl_reputation.h"
#include "ctl/match.h"
#include "gate/tuning.h"
#include "lib/clock.h"
#include "lib/lookup.h"
#include "obs/names.h"
#include "obs/refusal.h"

#define IPV6_NET  64
#define IPV6_SITE 48
#define IPV4_NET  (96 + 24)

_Static_assert(REASON_CONN_TOTAL - REASON_CONN_SOURCE == METER_TOTAL, "a reason for each level");
_Static_assert(REASON_RATE_TOTAL - REASON_RATE_SOURCE == METER_TOTAL, "a reason for each level");

/* One limit that the address is under, and how far it is used up. */
struct level {
	enum meter_level level;
	struct gate_limit limit;
	struct gate_meter meter;
};

struct situation {
	struct addr addr;
	struct matches matches;
	const struct match *deciding; /* of them, or NULL */
	struct level level[METER_LEVELS];
	size_t level_count;
	bool monitor;
	json_t *ports;
};

/* The limits in force, which the meters are compared with. */
static void read_conf(struct situation *now)
{
	const struct conf *conf = conf_read_begin();
	struct gate_settings settings = { 0 };

	if (conf)
		settings = tuning_settings(conf);
	now->monitor = settings.monitor;
	now->ports = json_array();
	for (size_t i = 0; i < settings.port_count; i++)
		json_array_append_new(now->ports, json_integer(settings.ports[i]));
	for (int level = 0; level < METER_LEVELS; level++) {
		/* IPv4 has no site. */
		if (level == METER_SITE && addr_is_ipv4(&now->addr))
			continue;
		now->level[now->level_count++] = (struct level){
			.level = (enum meter_level)level,
			.limit = settings.limit[level],
		};
	}
	conf_read_end();
}

static int look(const struct ctl_agent *agent, struct situation *now, struct error *err)
{
	int failed = matches_find(agent->gate, agent->lists, &now->addr, &now->matches, err);

	if (failed)
		return failed;
	now->deciding = matches_deciding(&now->matches);
	read_conf(now);
	for (size_t i = 0; i < now->level_count; i++) {
		struct level *level = &now->level[i];

		if (!level->limit.burst)
			level->limit.burst = level->limit.rate;
		gate_meter(agent->gate, &now->addr, level->level, &level->meter);
	}
	return 0;
}

/* The stages after the lists: level by level, connections before rates, as in bpf/limit.h. */
static enum reason limit_reason(const struct situation *now)
{
	for (size_t i = 0; i < now->level_count; i++) {
		const struct level *at = &now->level[i];

		if (at->limit.conns && at->meter.conns >= at->limit.conns)
			return (enum reason)(REASON_CONN_SOURCE + at->level);
		if (at->limit.rate && at->meter.used >= at->limit.burst)
			return (enum reason)(REASON_RATE_SOURCE + at->level);
	}
	return REASON_ACCEPTED;
}

/* A list in monitor mode stops nothing, so the limits decide; where they agree it is still worth
 * telling. */
static enum reason find_reason(const struct situation *now)
{
	const enum reason limited = limit_reason(now);

	if (!now->deciding)
		return limited;
	if (now->deciding->list.kind == LIST_KIND_ALLOW)
		return REASON_ALLOWED;
	if (now->deciding->list.monitor && !now->monitor && limited != REASON_ACCEPTED)
		return limited;
	return REASON_LISTED;
}

static const char *find_verdict(const struct situation *now, enum reason reason)
{
	if (reason == REASON_ACCEPTED || reason == REASON_ALLOWED)
		return "pass";
	if (now->monitor || (reason == REASON_LISTED && now->deciding->list.monitor))
		return outcome_name(OUTCOME_MONITORED);
	return action_name(reason == REASON_LISTED ? now->deciding->entry.action : ACTION_DROP);
}

static const char *level_prefix(const struct situation *now, enum meter_level level,
				char out[PREFIX_TEXT_MAX])
{
	const bool ipv4 = addr_is_ipv4(&now->addr);
	const unsigned int length[METER_TOTAL] = {
		[METER_SOURCE] = 128,
		[METER_NET] = ipv4 ? IPV4_NET : IPV6_NET,
		[METER_SITE] = IPV6_SITE,
	};
	struct prefix prefix;

	if (level >= METER_TOTAL)
		return "all";
	prefix = prefix_of(&now->addr, length[level]);
	return prefix_format(&prefix, out);
}

static json_t *levels_json(const struct situation *now)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < now->level_count; i++) {
		const struct level *at = &now->level[i];
		char prefix[PREFIX_TEXT_MAX];

		json_array_append_new(rows,
				      json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "level",
						meter_level_name(at->level), "prefix",
						level_prefix(now, at->level, prefix), "rate",
						(json_int_t)at->limit.rate, "burst",
						(json_int_t)at->limit.burst, "used",
						(json_int_t)at->meter.used, "conns",
						(json_int_t)at->meter.conns, "conn_limit",
						(json_int_t)at->limit.conns));
	}
	return rows;
}

static json_t *matches_json(const struct situation *now)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < now->matches.count; i++)
		json_array_append_new(rows, match_json(&now->matches.match[i]));
	return rows;
}

static json_t *offender_json(struct gate *gate, const struct addr *addr)
{
	struct offender found;

	if (!gate_offender_find(gate, addr, &found))
		return json_null();
	return json_pack("{s:I, s:s, s:I}", "hits", (json_int_t)found.hits, "last_reason",
			 reason_name(found.reason), "last_ms",
			 (json_int_t)clock_ms_since(found.last_ns));
}

/* Whether the source needs no SYN cookie during a flood, and for how many seconds yet. */
static json_t *proved_json(struct gate *gate, const struct addr *addr)
{
	uint32_t seconds = 0;
	const bool proved = gate_proved(gate, addr, &seconds);

	return json_pack("{s:b, s:I}", "proved", (int)proved, "seconds", (json_int_t)seconds);
}

/* The ports at which a flood is on. */
static json_t *floods_json(struct gate *gate)
{
	struct gate_flood flood[FLOOD_PORTS];
	const size_t count = gate_floods(gate, flood);
	json_t *ports = json_array();

	for (size_t i = 0; i < count; i++)
		if (flood[i].active)
			json_array_append_new(ports, json_integer(flood[i].port));
	return ports;
}

/* What a client is told if the entry that decides refuses it; or "". */
static char *refusal_text(struct gate *gate, const struct match *deciding,
			  char out[REFUSAL_TEXT_MAX + 1])
{
	out[0] = '\0';
	if (deciding && deciding->list.kind == LIST_KIND_BLOCK &&
	    deciding->entry.action == ACTION_REFUSE)
		gate_refusal(gate, deciding->list.slot, out);
	return out;
}

static int explain_address(struct ctl_request *request, const struct addr *addr, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);
	struct situation now = { .addr = *addr };
	char text[PREFIX_TEXT_MAX], refusal[REFUSAL_TEXT_MAX + 1];
	enum reason reason;
	int failed = look(agent, &now, err);

	if (failed)
		return failed;
	reason = find_reason(&now);
	request->result =
		json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o}",
			  "address", addr_format(addr, text), "verdict", find_verdict(&now, reason),
			  "reason", reason_name(reason), "help", reason_help(reason), "deciding",
			  now.deciding ? match_json(now.deciding) : json_null(), "matches",
			  matches_json(&now), "offender", offender_json(agent->gate, addr),
			  "limits", levels_json(&now), "ports", now.ports, "proof",
			  proved_json(agent->gate, addr), "floods", floods_json(agent->gate),
			  "refusal", refusal_text(agent->gate, now.deciding, refusal), "reputation",
			  reputation_json(agent, addr));
	matches_clear(&now.matches);
	return 0;
}

static int unknown_id(const char *text, struct error *err)
{
	return error_set(err, ERROR_REFUSED,
			 "%s: not among the last %d events; the log may have it", text,
			 EVENTS_KEPT);
}

/* An event that is not remembered: what the id itself tells, if it can be one of this machine. */
static int explain_id(struct ctl_request *request, uint64_t id, const char *text, struct error *err)
{
	const uint8_t list_class = lookup_id_class(id);
	const struct list_info *list = NULL;
	struct list_info lists[LIST_SLOTS];
	uint32_t then;
	int count;

	if (!lookup_id_wall(id, &then))
		return unknown_id(text, err);
	if (list_class != CLASS_NONE) {
		count = lists_all(ctl_agent(request)->lists, lists, err);
		if (count < 0)
			return count;
		list = list_by_slot(lists, (size_t)count, class_slot(list_class),
				    lookup_id_time(id));
		if (!list)
			return error_set(err, ERROR_REFUSED,
					 "%s: not among the last %d events, and of a list that "
					 "has been removed since, if of any; the log may have it",
					 text, EVENTS_KEPT);
	}
	request->result = json_pack("{s:s, s:n, s:I, s:s, s:s}", "id", text, "event", "time",
				    (json_int_t)then, "list", list ? list->name : "", "action",
				    list ? action_name(class_action(list_class)) : "");
	return 0;
}

/* What a session of the front was refused: {id, refusals: [{time, source, reason, ...}]}. */
static bool explain_session(struct ctl_request *request, uint64_t id, const char *text)
{
	struct session_refusal refusal[REFUSALS_SHOWN_MAX];
	const size_t count = refusals_find(ctl_agent(request)->refusals, id, refusal);
	json_t *rows;

	if (!count)
		return false;
	rows = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(rows, refusal_json(&refusal[i]));
	request->result = json_pack("{s:s, s:n, s:o}", "id", text, "event", "refusals", rows);
	return true;
}

static int explain_event(struct ctl_request *request, uint64_t id, struct error *err)
{
	char text[LOOKUP_ID_CHARS + 1];
	struct event_record record;

	lookup_id_format(id, text);
	if (explain_session(request, id, text))
		return 0;
	if (!event_log_find(ctl_agent(request)->events, id, &record))
		return explain_id(request, id, text, err);
	request->result = json_pack("{s:s, s:o}", "id", text, "event", event_json(&record));
	return 0;
}

int ctl_why(struct ctl_request *request, struct error *err)
{
	const char *what = arg_text(request, "what");
	struct addr addr;
	uint64_t id;

	if (lookup_id_parse(what, &id))
		return explain_event(request, id, err);
	if (addr_parse(what, strlen(what), &addr, err))
		return error_set(err, ERROR_USAGE, "\"%.40s\": neither an address nor a lookup id",
				 what);
	return explain_address(request, &addr, err);
}
