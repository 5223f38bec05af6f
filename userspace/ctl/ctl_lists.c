/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/ctl_lists.c - list.add, list.del and list.clear: changes of single entries and whole lists.
 *
 * Each looks at the lists before it changes them, to be able to say what it has done. Changes take
 * turns (ctl/run.c), so nothing but an expiry can come in between.
 */
#include <string.h>

#include "ctl/agent.h"
#include "ctl/args.h"
#include "ctl/match.h"
#include "ctl/payload.h"
#include "gate/sockets.h"
#include "gate/tuning.h"
#include "obs/names.h"

static const char *default_list(enum list_kind kind)
{
	return kind == LIST_KIND_ALLOW ? LIST_DEFAULT_ALLOW : LIST_DEFAULT_BLOCK;
}

typedef int (*read_list)(const struct ctl_request *request, const char **out, struct error *err);

/* Reads what add, del and clear have in common. */
static int read_change(const struct ctl_request *request, read_list read, struct list_change *out,
		       char source[SOURCE_TEXT_MAX], struct error *err)
{
	int failed;

	memset(out, 0, sizeof(*out));
	out->reason = "";
	failed = arg_kind(request, &out->kind, err);
	if (!failed)
		failed = read(request, &out->list, err);
	if (failed)
		return failed;
	out->source = arg_source(request, source);
	return 0;
}

static int read_ttl(const struct ctl_request *request, uint32_t *out, struct error *err)
{
	const uint64_t ttl = arg_number(request, "ttl", 0);

	if (ttl > PAYLOAD_TTL_MAX)
		return error_set(err, ERROR_USAGE, "ttl: at most 100 years");
	*out = (uint32_t)ttl;
	return 0;
}

/* Whether the entry of exactly this prefix is in the list; `list` NULL: in any list of the kind. */
static bool is_entry(const struct match *match, const struct list_change *change,
		     const struct prefix *prefix)
{
	return match->list.kind == change->kind &&
	       (!change->list || !strcmp(match->list.name, change->list)) &&
	       !prefix_compare(&match->entry.prefix, prefix);
}

static bool has_entry(const struct matches *matches, const struct list_change *change,
		      const struct prefix *prefix)
{
	for (size_t i = 0; i < matches->count; i++)
		if (is_entry(&matches->match[i], change, prefix))
			return true;
	return false;
}

/* What now happens to an attempt from the prefix, in one word. */
static const char *effect_name(const struct match *match)
{
	if (!match)
		return "none";
	if (match->list.kind == LIST_KIND_ALLOW)
		return "allowed";
	if (match->list.monitor || tuning_monitor())
		return outcome_name(OUTCOME_MONITORED);
	return action_name(match->entry.action);
}

uint32_t ctl_end_listed(const struct ctl_agent *agent, const struct prefix *within)
{
	uint32_t ended = gate_end_listed(agent->gate, agent->lists, within);

	if (agent->end_listed)
		ended += agent->end_listed(agent->daemon, within);
	return ended;
}

/* Adds the entry, with a look before and a look after. */
static int add_entry(const struct ctl_agent *agent, const struct list_change *change,
		     const struct prefix *prefix, json_t **result, struct error *err)
{
	char text[PREFIX_TEXT_MAX];
	struct matches matches;
	uint32_t ended = 0;
	bool replaced;
	int failed;

	failed = matches_find(agent->gate, agent->lists, &prefix->addr, &matches, err);
	if (failed)
		return failed;
	replaced = has_entry(&matches, change, prefix);
	matches_clear(&matches);
	failed = lists_add(agent->lists, change, prefix, err);
	if (failed)
		return failed;
	if (change->kind == LIST_KIND_BLOCK)
		ended = ctl_end_listed(agent, prefix);
	failed = matches_find(agent->gate, agent->lists, &prefix->addr, &matches, err);
	if (failed)
		return error_prefix(err, "added, but its effect cannot be told");
	*result = json_pack("{s:s, s:s, s:b, s:s, s:I}", "list", change->list, "prefix",
			    prefix_format(prefix, text), "replaced", (int)replaced, "effective",
			    effect_name(matches_effective(&matches, prefix)), "ended",
			    (json_int_t)ended);
	matches_clear(&matches);
	return 0;
}

int ctl_list_add(struct ctl_request *request, struct error *err)
{
	char source[SOURCE_TEXT_MAX];
	struct list_change change;
	struct prefix prefix;
	int failed;

	failed = read_change(request, arg_list_by_hand, &change, source, err);
	if (!failed)
		failed = arg_prefix(request, &prefix, err);
	if (!failed)
		failed = arg_action(request, &change.action, err);
	if (!failed)
		failed = arg_note(request, "reason", &change.reason, err);
	if (!failed)
		failed = read_ttl(request, &change.ttl, err);
	if (failed)
		return failed;
	if (!change.list)
		change.list = default_list(change.kind);
	return add_entry(ctl_agent(request), &change, &prefix, &request->result, err);
}

/* What `del` removes: the lists' names, and whether something that was learned is among it. */
struct removal {
	json_t *names;
	size_t listed;
	bool learned;
};

/* Whether the list of what was learned is meant, too. */
static bool covers_learned(const struct list_change *change)
{
	return change->kind == LIST_KIND_BLOCK &&
	       (!change->list || !strcmp(change->list, LEARNED_LIST));
}

/* A source that offended and is not blocked at the moment would be for longer the next time. */
static bool has_offended(const struct ctl_agent *agent, const struct prefix *prefix)
{
	struct history_record record;

	return prefix->len == ADDR_BITS && guard_history(agent->guard, &prefix->addr, &record) &&
	       record.offences;
}

/* Of what was learned about a network a single address is as good as the whole. */
static bool is_removed(const struct match *match, const struct list_change *change,
		       const struct prefix *prefix)
{
	if (!match_is_learned(match))
		return is_entry(match, change, prefix);
	return covers_learned(change) &&
	       (prefix->len == ADDR_BITS || !prefix_compare(&match->entry.prefix, prefix));
}

static int plan_removal(const struct ctl_agent *agent, const struct list_change *change,
			const struct prefix *prefix, struct removal *out, struct error *err)
{
	struct matches matches;
	int failed = matches_find(agent->gate, agent->lists, &prefix->addr, &matches, err);

	if (failed)
		return failed;
	*out = (struct removal){ .names = json_array() };
	for (size_t i = 0; i < matches.count; i++) {
		const struct match *match = &matches.match[i];

		if (!is_removed(match, change, prefix))
			continue;
		json_array_append_new(out->names, json_string(match->list.name));
		out->learned = out->learned || match_is_learned(match);
		out->listed += !match_is_learned(match);
	}
	matches_clear(&matches);
	if (!out->learned && covers_learned(change) && has_offended(agent, prefix)) {
		json_array_append_new(out->names, json_string(LEARNED_LIST));
		out->learned = true;
	}
	return 0;
}

int ctl_list_del(struct ctl_request *request, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);
	char source[SOURCE_TEXT_MAX];
	struct list_change change;
	struct removal removal;
	struct prefix prefix;
	int failed;

	failed = read_change(request, arg_list, &change, source, err);
	if (!failed)
		failed = arg_prefix(request, &prefix, err);
	if (!failed)
		failed = plan_removal(agent, &change, &prefix, &removal, err);
	if (failed)
		return failed;
	/* Nothing at all: lists_del() says what holds the address instead. */
	if (removal.listed || !removal.learned)
		failed = lists_del(agent->lists, &change, &prefix, err);
	if (failed < 0) {
		json_decref(removal.names);
		return failed;
	}
	if (removal.learned)
		guard_forget(agent->guard, &prefix.addr);
	request->result = json_pack("{s:o}", "removed", removal.names);
	return 0;
}

/* What was learned is not in the store, and is forgotten by whoever learned it. */
static bool is_learned(const struct list_change *change)
{
	return change->kind == LIST_KIND_BLOCK && change->list &&
	       !strcmp(change->list, LEARNED_LIST);
}

int ctl_list_clear(struct ctl_request *request, struct error *err)
{
	const struct ctl_agent *agent = ctl_agent(request);
	char source[SOURCE_TEXT_MAX];
	struct list_change change;
	uint64_t removed = 0;
	int failed;

	failed = read_change(request, arg_list, &change, source, err);
	if (!failed && is_learned(&change))
		removed = guard_forget_blocked(agent->guard);
	else if (!failed)
		failed = arg_list_by_hand(request, &change.list, err) ||
			 lists_clear(agent->lists, &change, &removed, err);
	if (failed)
		return err->code;
	request->result = json_pack("{s:I}", "removed", (json_int_t)removed);
	return 0;
}
