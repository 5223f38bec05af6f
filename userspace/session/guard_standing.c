/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_standing.c - guard_client_standing() of session/guard_client.h: on a worker's
 * thread, from what all threads may read.
 */
#include <string.h>

#include "session/guard_client.h"
#include "session/guard_internal.h"

static bool is_learned_block(struct gate *gate, const struct addr *addr)
{
	struct gate_learned learned;

	return gate_learned_decides(gate) && gate_learned_find(gate, addr, &learned) &&
	       learned.kind == GATE_LEARNED_BLOCKED;
}

/* A list in monitor mode leaves the decision to what was learned. */
void guard_client_standing(struct guard_client *client, const struct addr *addr,
			   struct guard_standing *out)
{
	const struct guard *guard = guard_client_guard(client);
	struct list_info list;

	*out = (struct guard_standing){ .kind = GUARD_STANDING_NONE };
	if (lists_decide(guard->lists, addr, &list)) {
		out->kind = list.kind == LIST_KIND_ALLOW ? GUARD_STANDING_ALLOWED
							 : GUARD_STANDING_BLOCKED;
		out->watched = list.monitor;
		memcpy(out->list, list.name, sizeof(out->list));
	}
	if ((out->kind != GUARD_STANDING_NONE && !out->watched) ||
	    !is_learned_block(guard->gate, addr))
		return;
	out->kind = GUARD_STANDING_BLOCKED;
	out->watched = gate_learned_watched(guard->gate);
	memcpy(out->list, LEARNED_LIST, sizeof(LEARNED_LIST));
}
