/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/refusals.c - see session/smtp/refusals.h. The ring is an array that is written round
 * and round.
 */
#include "session/smtp/refusals.h"

#include <pthread.h>
#include <stdlib.h>

struct refusals {
	pthread_mutex_t lock;
	uint64_t written; /* ever: the next one goes to written % REFUSALS_KEPT */
	struct session_refusal kept[REFUSALS_KEPT];
};

int refusals_open(struct refusals **out, struct error *err)
{
	struct refusals *refusals = calloc(1, sizeof(*refusals));

	if (!refusals)
		return error_set(err, ERROR_REFUSED, "out of memory");
	pthread_mutex_init(&refusals->lock, NULL);
	*out = refusals;
	return 0;
}

void refusals_close(struct refusals **out)
{
	struct refusals *refusals = *out;

	*out = NULL;
	if (!refusals)
		return;
	pthread_mutex_destroy(&refusals->lock);
	free(refusals);
}

void refusals_add(struct refusals *refusals, const struct session_refusal *refusal)
{
	if (!refusals)
		return;
	pthread_mutex_lock(&refusals->lock);
	refusals->kept[refusals->written++ % REFUSALS_KEPT] = *refusal;
	pthread_mutex_unlock(&refusals->lock);
}

/* Looks from the newest back, and fills `out` from its end. */
static size_t find(const struct refusals *refusals, uint64_t id,
		   struct session_refusal out[REFUSALS_SHOWN_MAX])
{
	const uint64_t kept = refusals->written < REFUSALS_KEPT ? refusals->written : REFUSALS_KEPT;
	size_t first = REFUSALS_SHOWN_MAX;

	for (uint64_t back = 1; back <= kept && first; back++) {
		const struct session_refusal *at =
			&refusals->kept[(refusals->written - back) % REFUSALS_KEPT];

		if (at->id == id)
			out[--first] = *at;
	}
	return first;
}

size_t refusals_find(struct refusals *refusals, uint64_t id,
		     struct session_refusal out[REFUSALS_SHOWN_MAX])
{
	size_t first;

	if (!refusals)
		return 0;
	pthread_mutex_lock(&refusals->lock);
	first = find(refusals, id, out);
	pthread_mutex_unlock(&refusals->lock);
	for (size_t i = first; i < REFUSALS_SHOWN_MAX; i++)
		out[i - first] = out[i];
	return REFUSALS_SHOWN_MAX - first;
}
