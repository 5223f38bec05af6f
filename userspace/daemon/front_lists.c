/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/front_lists.c - other DNS lists of domains for the workers of the front, by a reload.
 *
 * Each worker has zones of its own, so each is given some. They are made by the reload's thread,
 * and what is left to a worker cannot fail.
 */
#include "daemon/front_internal.h"

int front_lists_prepare(const struct front *front, const struct conf *conf,
			struct front_rules *rules, struct error *err)
{
	int failed = 0;

	for (unsigned int i = 0; i < front->count && !failed; i++)
		failed = resolve_lists_new(conf, false, &rules->lists[i], err);
	return failed;
}

void front_lists_drop(struct front_rules *rules)
{
	for (unsigned int i = 0; i < WORKERS_MAX; i++)
		resolve_lists_drop(&rules->lists[i]);
	resolve_lists_drop(&rules->own);
}
