/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_status.c - status, stats and top: what there is and what was counted.
 */
#include <string.h>
#include <unistd.h>

#include "conf/doubt.h"
#include "ctl/agent.h"
#include "ctl/args.h"
#include "ctl/match.h"
#include "lib/clock.h"
#include "obs/guard.h"
#include "obs/names.h"
#include "obs/stats.h"
#include "version.h"

#define TOP_DEFAULT 20

static json_t *ports_json(const struct conf *conf)
{
	json_t *ports = json_array();

	for (size_t i = 0; i < conf->ports.count; i++)
		json_array_append_new(ports, json_integer(conf->ports.port[i]));
	return ports;
}

/* What the published configuration says; but the mode is that since the start. */
static void add_configured(json_t *status, const struct ctl_agent *agent)
{
	const struct conf *conf = conf_read_begin();

	if (conf) {
		json_object_set_new(status, "monitor", json_boolean(conf->monitor));
		json_object_set_new(status, "mode", json_string(role_name(agent->role)));
		json_object_set_new(status, "attach_mode", json_string(gate_mode_name(conf->mode)));
		json_object_set_new(status, "ports", ports_json(conf));
	}
	conf_read_end();
}

/* Attempts a second that make a flood. */
static uint32_t flood_threshold(void)
{
	const struct conf *conf = conf_read_begin();
	const uint32_t threshold = conf ? conf->flood.threshold : 0;

	conf_read_end();
	return threshold;
}

static void add_floods(json_t *answer, const struct view *view)
{
	json_object_set_new(answer, "floods", floods_json(view, flood_threshold()));
	json_object_set_new(answer, "cookies", cookies_json(view));
}

/* How many of each family are blocked. */
struct blocked {
	json_int_t ipv4, ipv6;
};

static bool count_blocked(const struct gate_learned *learned, void *arg)
{
	struct blocked *blocked = arg;

	if (learned->kind == GATE_LEARNED_BLOCKED)
		(*(addr_is_ipv4(&learned->addr) ? &blocked->ipv4 : &blocked->ipv6))++;
	return true;
}

/* What was learned is not in the store, which the rows of lists are from. */
static void add_learned(json_t *lists, struct gate *gate)
{
	struct blocked blocked = { 0 };
	json_t *row;
	size_t i;

	if (!gate_learned_decides(gate))
		return;
	gate_learned_each(gate, count_blocked, &blocked);
	json_array_foreach(lists, i, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "list")), LEARNED_LIST) != 0)
			continue;
		json_object_set_new(row, "ipv4", json_integer(blocked.ipv4));
		json_object_set_new(row, "ipv6", json_integer(blocked.ipv6));
		json_object_set_new(row, "origin", json_string(LEARNED_SOURCE));
		json_object_set_new(row, "changed", json_integer(gate_learned_changed(gate)));
	}
}

static void add_guard(json_t *status, const struct ctl_agent *agent, const struct view *view)
{
	struct conf_scope scope = conf_scope_now();
	struct guard_stats stats;

	guard_stats(agent->guard, &stats);
	if (agent->add_lookups)
		agent->add_lookups(agent->daemon, &stats);
	json_object_set_new(status, "guard", guard_json(&stats));
	scope.role = agent->role;
	scope.interfaces = view->interface_count;
	scope.zones = 0;
	for (size_t i = 0; i < stats.zones; i++)
		scope.zones += !stats.zone[i].domains;
	json_object_set_new(status, "warnings", conf_doubts_json(&scope));
}

static void add_smtp(json_t *status, const struct ctl_agent *agent)
{
	struct smtp_view view;

	if (agent->smtp && agent->smtp(agent->daemon, &view))
		json_object_set_new(status, "smtp", smtp_json(&view));
}

static json_t *status_json(const struct ctl_agent *agent, const struct view *view)
{
	const uint64_t uptime = (view->time_ns - agent->started_ns) / NS_A_SECOND;
	json_t *status =
		json_pack("{s:s, s:i, s:i, s:I, s:o, s:o, s:o, s:I, s:s, s:I}", "version",
			  POSTERN_VERSION, "abi", (int)POSTERN_ABI_VERSION, "pid", (int)getpid(),
			  "uptime", (json_int_t)uptime, "interfaces", interfaces_json(view),
			  "lists", lists_json(view), "table", table_json(view), "connections",
			  (json_int_t)view->connections, "config", agent->config_path,
			  "events_lost", (json_int_t)view->counters.health[HEALTH_EVENTS_LOST]);

	if (status) {
		add_floods(status, view);
		json_object_set_new(status, "keeper", keeper_json(view));
		json_object_set_new(status, "ending", ending_json(view));
		add_configured(status, agent);
		add_learned(json_object_get(status, "lists"), agent->gate);
		add_guard(status, agent, view);
		add_smtp(status, agent);
	}
	return status;
}

int ctl_status(struct ctl_request *request, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);
	struct view *view;
	int failed = view_open(agent->gate, agent->lists, &view, err);

	if (failed)
		return failed;
	request->result = status_json(agent, view);
	view_close(&view);
	return 0;
}

int ctl_stats(struct ctl_request *request, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);
	struct view *view;
	int failed = view_open(agent->gate, agent->lists, &view, err);

	if (failed)
		return failed;
	request->result = stats_json(view);
	if (request->result)
		add_floods(request->result, view);
	view_close(&view);
	return 0;
}

int ctl_top(struct ctl_request *request, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);
	const uint64_t limit = arg_number(request, "limit", TOP_DEFAULT);
	struct view *view;
	int failed;

	if (limit > OFFENDERS_SHOWN_MAX)
		return error_set(err, ERROR_USAGE, "limit: at most %d", OFFENDERS_SHOWN_MAX);
	failed = view_open(agent->gate, agent->lists, &view, err);
	if (failed)
		return failed;
	request->result = stats_json(view);
	if (request->result) {
		add_floods(request->result, view);
		json_object_set_new(request->result, "offenders",
				    offenders_json(agent->gate, view, limit));
	}
	view_close(&view);
	return 0;
}
