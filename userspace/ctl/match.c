/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/match.c - see ctl/match.h.
 */
#include "ctl/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "obs/names.h"

/* Room for one more, or NULL. */
static struct match *grow(struct matches *matches)
{
	struct match *grown = NULL;

	if (matches->count < MATCHES_MAX)
		grown = realloc(matches->match, (matches->count + 1) * sizeof(*grown));
	if (!grown) {
		matches->incomplete = true;
		return NULL;
	}
	matches->match = grown;
	return &grown[matches->count++];
}

static void on_match(const struct list_match *found, void *arg)
{
	struct match *match = grow(arg);

	if (!match)
		return;
	match->list = found->list;
	match->entry = found->entry;
	match->decides = found->decides;
	snprintf(match->source, sizeof(match->source), "%s", found->source);
	snprintf(match->reason, sizeof(match->reason), "%s", found->reason);
	snprintf(match->overruled, sizeof(match->overruled), "%s",
		 found->overruled ? found->overruled : "");
}

/* IPv6 sources are known by their /64. The kernel does not keep since when. */
struct entry learned_entry(const struct gate_learned *learned)
{
	const unsigned int length = addr_is_ipv4(&learned->addr) ? ADDR_BITS : LEARNED_IPV6_BITS;

	return (struct entry){ .prefix = prefix_of(&learned->addr, length),
			       .action = (uint8_t)learned->action,
			       .expires = clock_wall() + learned->seconds };
}

static bool find_list(struct lists *lists, struct list_info *out)
{
	struct list_info all[LIST_SLOTS];
	const int count = lists_all(lists, all, NULL);

	for (int i = 0; i < count; i++) {
		if (strcmp(all[i].name, LEARNED_LIST) != 0)
			continue;
		*out = all[i];
		return true;
	}
	return false;
}

static void add_learned(struct lists *lists, const struct gate_learned *learned,
			struct matches *matches)
{
	struct match *match, *above;
	struct list_info list;
	bool first;

	if (!find_list(lists, &list))
		return;
	match = grow(matches);
	if (!match)
		return;
	above = matches->count > 1 && matches->match[0].decides ? &matches->match[0] : NULL;
	first = !above ||
		(above->list.monitor && above->list.kind == LIST_KIND_BLOCK && !list.monitor);
	if (first && above) {
		above->decides = false;
		snprintf(above->overruled, sizeof(above->overruled),
			 "its list is in monitor mode, so what was learned decides");
	}
	*match = (struct match){ .list = list,
				 .entry = learned_entry(learned),
				 .decides = first,
				 .source = LEARNED_SOURCE,
				 .reason = LEARNED_REASON };
	if (!first)
		snprintf(match->overruled, sizeof(match->overruled), "lists go first");
}

int matches_find(struct gate *gate, struct lists *lists, const struct addr *addr,
		 struct matches *out, struct error *err)
{
	struct matches found = { 0 };
	struct gate_learned learned;
	int count = lists_test(lists, addr, on_match, &found, err);

	if (count < 0) {
		matches_clear(&found);
		return count;
	}
	if (gate_learned_decides(gate) && gate_learned_find(gate, addr, &learned) &&
	    learned.kind == GATE_LEARNED_BLOCKED)
		add_learned(lists, &learned, &found);
	*out = found;
	return 0;
}

bool match_is_learned(const struct match *match)
{
	return !strcmp(match->list.name, LEARNED_LIST);
}

void matches_clear(struct matches *matches)
{
	free(matches->match);
	*matches = (struct matches){ 0 };
}

const struct match *matches_deciding(const struct matches *matches)
{
	for (size_t i = 0; i < matches->count; i++)
		if (matches->match[i].decides)
			return &matches->match[i];
	return NULL;
}

/* The rules of gate/lists.h as one number: the higher rank wins. What was learned stands between
 * lists that are enforced and those that are not. */
static unsigned int rank(const struct match *match)
{
	const unsigned int allow = match->list.kind == LIST_KIND_ALLOW;
	const unsigned int enforced = !match->list.monitor;
	const unsigned int listed = !match_is_learned(match);

	return ((allow << 2 | enforced << 1 | listed) << 8 | match->entry.prefix.len) << 2 |
	       match->entry.action;
}

const struct match *matches_effective(const struct matches *matches, const struct prefix *prefix)
{
	const struct match *best = NULL;

	for (size_t i = 0; i < matches->count; i++) {
		const struct match *match = &matches->match[i];

		if (match->entry.prefix.len <= prefix->len && (!best || rank(match) > rank(best)))
			best = match;
	}
	return best;
}

json_t *match_json(const struct match *match)
{
	const struct entry *entry = &match->entry;
	char prefix[PREFIX_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:s}", "list",
			 match->list.name, "kind", list_kind_name(match->list.kind), "prefix",
			 prefix_format(&entry->prefix, prefix), "action",
			 match->list.kind == LIST_KIND_ALLOW ? "allow" : action_name(entry->action),
			 "reason", match->reason, "source", match->source, "added",
			 (json_int_t)entry->added, "expires", (json_int_t)entry->expires, "decides",
			 (int)match->decides, "overruled", match->overruled);
}
