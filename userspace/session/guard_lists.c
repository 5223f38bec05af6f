/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_lists.c - other DNS lists while the guard runs: what they say of an address makes
 * other verdicts, as other scores do (session/guard_anew.c).
 *
 * Made by whoever reloads, put in force by the guard's thread. No verdict may rest on lists that
 * are not in force any more, so lookups that are under way begin again, within the time that they
 * had; what they asked goes on, and their answers come from there. Those of questions end as they
 * began.
 */
#include <stdio.h>
#include <stdlib.h>

#include "session/guard_internal.h"
#include "session/resolve.h"

struct guard_lists {
	struct resolve_lists *lists;
	size_t rows; /* of zones of addresses */
};

int guard_prepare(const struct conf *conf, struct guard_lists **out, struct error *err)
{
	struct guard_lists *lists = calloc(1, sizeof(*lists));
	int failed = lists ? resolve_lists_new(conf, true, &lists->lists, err)
			   : error_set(err, ERROR_REFUSED, "out of memory");

	if (failed) {
		free(lists);
		return failed;
	}
	lists->rows = conf->dnsbl.zones.count;
	*out = lists;
	return 0;
}

void guard_drop_lists(struct guard_lists **lists)
{
	struct guard_lists *dropped = *lists;

	*lists = NULL;
	if (!dropped)
		return;
	resolve_lists_drop(&dropped->lists);
	free(dropped);
}

/*
 * Each lookup has a question at each list under way, and one for names of strangers. So that forged
 * SYNs leave half of every budget of the resolver, there are only so many for them.
 */
void guard_limit_syns(struct guard *guard, size_t rows)
{
	const size_t all = guard->in_flight / (2 * (rows + 2)), zone = guard->in_flight_zone / 2;
	size_t most = GUARD_LOOKUPS_MAX / 2;

	if (all < most)
		most = all;
	if (rows && zone < most)
		most = zone;
	guard->syn_max = most ? most : 1;
}

/* Verdicts name zones by their numbers in the set in force, so they go before it does. */
void guard_take_lists(struct guard *guard, struct guard_lists **lists)
{
	const bool differ = dnsbl_differs(guard->dnsbl, (*lists)->lists->set);

	if (differ)
		verdicts_clear(guard->verdicts);
	guard_limit_syns(guard, (*lists)->rows);
	resolve_replace_lists(guard->resolver, guard->dnsbl, &(*lists)->lists);
	guard_drop_lists(lists);
	guard_follow_conf(guard, differ);
	if (differ)
		guard_look_up_again(guard);
}

const char *guard_lists_text(const struct guard *guard, const struct verdict *verdict,
			     char out[GUARD_LISTS_TEXT_MAX])
{
	size_t size = 0;

	out[0] = '\0';
	for (size_t i = 0; i < verdict->zone_count; i++) {
		const char *name = dnsbl_zone_name(guard->dnsbl, verdict->zone[i].number);

		if (name)
			size += (size_t)snprintf(out + size, GUARD_LISTS_TEXT_MAX - size, "%s%s %d",
						 size ? ", " : "", name, verdict->zone[i].score);
	}
	return out;
}
