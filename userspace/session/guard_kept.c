/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_kept.c - the greylist outlives the agent: it is read at the start, and saved every
 * minute and at the end (policy/greylist.h).
 *
 * Nothing here stops the agent or a session: what cannot be read is not known, and what cannot be
 * written is tried again a minute later.
 */
#include "lib/clock.h"
#include "lib/log.h"
#include "session/guard_internal.h"

void guard_load_greylist(struct guard *guard)
{
	struct greylist_kept kept;
	struct error err;

	guard->stats.greylist_saved = clock_wall();
	if (greylist_load(guard->greylist, &guard->rules.greylist, guard->directory, greylist_now(),
			  &kept, &err)) {
		log_warning("greylist.damaged", "{s:s}", "error", err.text);
		return;
	}
	guard->stats.greylist_bytes = kept.bytes;
	if (kept.bytes)
		log_info("greylist.restored", "{s:I, s:I, s:I}", "waiting",
			 (json_int_t)kept.waiting, "passed", (json_int_t)kept.passed, "age",
			 (json_int_t)kept.age);
}

/* Only one thread at a time. */
static void save_now(struct guard *guard)
{
	struct greylist_kept kept;
	struct error err;

	if (greylist_save(guard->greylist, guard->directory, greylist_now(), &kept, &err)) {
		guard_count(&guard->stats.greylist_failures);
		log_warning("greylist.failed", "{s:s}", "error", err.text);
		return;
	}
	__atomic_store_n(&guard->stats.greylist_saved, clock_wall(), __ATOMIC_RELAXED);
	if (kept.bytes)
		__atomic_store_n(&guard->stats.greylist_bytes, kept.bytes, __ATOMIC_RELAXED);
}

static void save(uv_work_t *work)
{
	save_now(work->data);
}

static void on_saved(uv_work_t *work, int status)
{
	struct guard *guard = work->data;

	(void)status;
	guard->keeping = false;
}

void guard_save_greylist(struct guard *guard)
{
	if (guard->keeping)
		return;
	guard->keeping = true;
	guard->keep.data = guard;
	uv_queue_work(&guard->loop, &guard->keep, save, on_saved);
}

void guard_save_greylist_last(struct guard *guard)
{
	save_now(guard);
}
