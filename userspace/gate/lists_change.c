/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/lists_change.c - how a change reaches the store and the kernel: see gate/lists_internal.h.
 *
 * Everything that can fail is done before the store commits: the steps are worked out and tried for
 * room, or the other generation is filled. After the commit only stores to memory are left.
 */
#include <stdlib.h>
#include <string.h>

#include "gate/internal.h"
#include "gate/lists_internal.h"
#include "gate/refusal.h"
#include "lib/clock.h"
#include "lib/log.h"

#define BUILD_TRIES 8 /* with a new seed each, when a bucket was too crowded */

struct filling {
	struct table_batch *batch;
	enum family family; /* of the prefix that did not fit */
};

static int collect_one(const struct effect *effect, void *arg)
{
	struct filling *filling = arg;
	const enum table_result result =
		table_batch_add(filling->batch, &effect->prefix, effect->list_class);

	if (result != TABLE_OK)
		filling->family = prefix_is_ipv4(&effect->prefix) ? FAMILY_IPV4 : FAMILY_IPV6;
	return (int)result;
}

static int full_error(const struct lists *lists, enum table_result why, enum family family,
		      struct error *err)
{
	const struct table_geometry *geometry = &lists->gate->geometry;
	const bool ipv4 = family == FAMILY_IPV4;

	if (why == TABLE_NO_MEMORY)
		return error_set(err, ERROR_REFUSED, "out of memory for the block table");
	if (why != TABLE_FULL)
		return error_set(err, ERROR_REFUSED,
				 "the table is full: these %s prefixes crowd together; a larger "
				 "table.capacity-%s gives them room",
				 ipv4 ? "IPv4" : "IPv6", ipv4 ? "ipv4" : "ipv6");
	return error_set(err, ERROR_REFUSED,
			 "the table is full: it takes %u %s prefixes (option table.capacity-%s)",
			 ipv4 ? geometry->capacity4 : geometry->capacity6, ipv4 ? "IPv4" : "IPv6",
			 ipv4 ? "ipv4" : "ipv6");
}

/* Fills the generation once. Returns an error, or an enum table_result. */
static int fill(struct lists *lists, struct store_txn *txn, const struct resolve_lists *view,
		struct filling *filling, struct error *err)
{
	int result;

	table_begin(lists->table);
	result = table_batch_new(lists->table, &filling->batch, err);
	if (result)
		return result;
	result = resolve_walk(txn, view, collect_one, filling, err);
	if (!result)
		result = (int)table_batch_put(filling->batch, &filling->family);
	table_batch_free(&filling->batch);
	return result;
}

int rebuild_fill(struct lists *lists, struct store_txn *txn, struct error *err)
{
	struct filling filling = { .batch = NULL };
	struct resolve_lists view;
	const uint64_t start = clock_mono();
	int result;

	result = resolve_lists_read(txn, &view, err);
	if (result)
		return result;
	for (int try = 0; try < BUILD_TRIES; try++) {
		result = fill(lists, txn, &view, &filling, err);
		if (result != TABLE_CROWDED)
			break;
	}
	if (result > 0) /* an enum table_result, not an error of the store */
		return full_error(lists, (enum table_result)result, filling.family, err);
	__atomic_store_n(&lists->gate->rebuild_ms, (uint32_t)((clock_mono() - start) / NS_A_MS),
			 __ATOMIC_RELAXED);
	return result;
}

void rebuild_publish(struct lists *lists, const struct resolve_lists *view)
{
	uint8_t flags[LIST_SLOTS] = { 0 };

	for (int i = 0; i < view->count; i++) {
		const struct list_info *list = &view->list[i];

		flags[list->slot] = list->kind == LIST_KIND_ALLOW ? LIST_ALLOW
				    : list->monitor               ? LIST_MONITOR
								  : 0;
	}
	table_publish(lists->table, flags);
	__atomic_fetch_add(&lists->gate->rebuilds, 1, __ATOMIC_RELAXED);
}

int change_begin(struct change *change, struct lists *lists, struct error *err)
{
	int result;

	memset(change, 0, sizeof(*change));
	change->step = calloc(STEPS_MAX, sizeof(*change->step));
	if (!change->step)
		return error_set(err, ERROR_REFUSED, "out of memory");
	pthread_mutex_lock(&lists->turn);
	change->lists = lists;
	result = store_begin_write(lists->store, &change->txn, err);
	if (result) {
		pthread_mutex_unlock(&lists->turn);
		free(change->step);
	}
	return result;
}

/* What takes effect at a prefix as the transaction stands now. */
static int look(struct change *change, const struct prefix *prefix, struct effect *at,
		struct effect *cover, struct error *err)
{
	struct resolve_lists view;
	int result = resolve_lists_read(change->txn, &view, err);

	return result ? result : resolve_prefix(change->txn, &view, prefix, at, cover, err);
}

int change_touch(struct change *change, const struct list_info *list, const struct prefix *prefix,
		 struct error *err)
{
	struct step *step = &change->step[change->steps];
	struct effect at, cover;
	struct resolve_lists view;
	int result;

	if (change->rebuild)
		return 0;
	result = resolve_lists_read(change->txn, &view, err);
	if (!result)
		result = resolve_reaches_inside(change->txn, &view, list, prefix, err);
	if (result < 0)
		return result;
	change->rebuild = result || change->steps == STEPS_MAX;
	if (change->rebuild)
		return 0;
	result = look(change, prefix, &at, &cover, err);
	if (result)
		return result;
	for (size_t i = 0; i < change->steps; i++)
		if (!memcmp(&change->step[i].prefix, prefix, sizeof(*prefix)))
			return 0; /* noted already: more than one list has it */
	step->prefix = *prefix;
	step->before = at.list_class;
	change->steps++;
	return 0;
}

/* Works out what the steps lead to, and whether they can be taken in place. */
static int plan(struct change *change, struct error *err)
{
	struct effect at, cover;
	size_t added = 0;
	int result;

	for (size_t i = 0; i < change->steps && !change->rebuild; i++) {
		struct step *step = &change->step[i];

		result = look(change, &step->prefix, &at, &cover, err);
		if (result)
			return result;
		step->after = at.list_class;
		step->cover.prefix = cover.prefix;
		step->cover.list_class = cover.list_class;
		if (!step->after || step->after == step->before)
			continue;
		/* Room for another prefix was looked for one by one, so it may not do for several.
		 */
		added += !step->before;
		change->rebuild = added > 1 || table_fits(change->lists->table, &step->prefix,
							  step->after, step->before) != TABLE_OK;
	}
	return change->rebuild ? rebuild_fill(change->lists, change->txn, err) : 0;
}

static void take_step(struct table *table, const struct step *step)
{
	if (step->before && step->after)
		table_replace(table, &step->prefix, step->after);
	else if (step->after)
		table_insert(table, &step->prefix, step->after);
	else if (step->before)
		table_remove(table, &step->prefix, &step->cover);
}

static void follow(struct change *change, const struct resolve_lists *view)
{
	if (change->rebuild) {
		rebuild_publish(change->lists, view);
		return;
	}
	for (size_t i = 0; i < change->steps; i++)
		take_step(change->lists->table, &change->step[i]);
}

/* A list that this change made has no flags in the live generation yet. */
static void flags_in_place(struct lists *lists, const struct resolve_lists *view)
{
	struct settings *settings = gate_kernel_settings(lists->gate);
	struct generation *live = &settings->table[settings->generation & 1];

	for (int i = 0; i < view->count; i++)
		if (view->list[i].kind == LIST_KIND_ALLOW)
			__atomic_store_n(&live->list_flags[view->list[i].slot], LIST_ALLOW,
					 __ATOMIC_RELEASE);
}

uint64_t slots_of(const struct resolve_lists *view)
{
	uint64_t slots = 0;

	for (int i = 0; i < view->count; i++)
		slots |= 1ull << view->list[i].slot;
	return slots;
}

/* A list that this change made counts from nothing, whoever had its slot before. */
static void start_counting(struct lists *lists, uint64_t slots)
{
	const uint64_t fresh = slots & ~lists->slots;

	for (uint32_t slot = 0; slot < LIST_SLOTS; slot++)
		if (fresh >> slot & 1)
			counters_clear_list(lists->gate, slot);
	lists->slots = slots;
}

/*
 * The order is for the packets that come meanwhile: texts, counters and flags are there before the
 * first entry that needs them, and stay until the last packet has gone that saw one.
 */
static void publish(struct change *change, const struct resolve_lists *view,
		    const struct refusals *refusals)
{
	struct lists *lists = change->lists;

	start_counting(lists, slots_of(view));
	refusals_publish(lists, refusals);
	flags_in_place(lists, view);
	follow(change, view);
	if (change->removes)
		table_wait();
	refusals_withdraw(lists, refusals);
}

int change_end(struct change *change, int result, struct error *err)
{
	struct lists *lists = change->lists;
	struct resolve_lists view = { .count = 0 };
	struct refusals refusals;

	if (!result)
		result = plan(change, err);
	if (!result)
		result = resolve_lists_read(change->txn, &view, err);
	if (!result)
		result = refusals_compose(change->txn, &view, lists->contact, &refusals, err);
	if (!result)
		result = store_commit(&change->txn, err);
	if (result)
		store_abort(&change->txn);
	else
		publish(change, &view, &refusals);
	pthread_mutex_unlock(&lists->turn);
	free(change->step);
	return result;
}
