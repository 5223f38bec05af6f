/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/lists.c - the changes that operators make: see gate/lists.h. Each is a few edits of the
 * store between change_begin() and change_end(), which take care of the kernel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/internal.h"
#include "gate/lists_internal.h"
#include "gate/refusal.h"
#include "lib/clock.h"
#include "lib/log.h"

#define EXPIRE_BATCH STEPS_MAX
#define STALE_MAX    65536 /* removals in place, after which the filters are made anew */

int lists_open(struct lists **out, struct store *store, struct gate *gate, struct error *err)
{
	struct lists *lists = calloc(1, sizeof(*lists));
	struct resolve_lists view;
	struct store_txn *txn;
	int result;

	if (!lists)
		return error_set(err, ERROR_REFUSED, "out of memory");
	lists->store = store;
	lists->gate = gate;
	lists->table = gate->table;
	pthread_mutex_init(&lists->turn, NULL);
	result = store_begin_read(store, &txn, err);
	if (!result) {
		result = rebuild_fill(lists, txn, err);
		if (!result)
			result = resolve_lists_read(txn, &view, err);
		if (!result) {
			rebuild_publish(lists, &view);
			lists->slots = slots_of(&view);
		}
		store_abort(&txn);
	}
	if (result)
		lists_close(&lists);
	else
		*out = lists;
	return result;
}

void lists_close(struct lists **lists)
{
	if (!*lists)
		return;
	pthread_mutex_destroy(&(*lists)->turn);
	free(*lists);
	*lists = NULL;
}

static const char *list_or_default(const struct list_change *change)
{
	if (change->list)
		return change->list;
	return change->kind == LIST_KIND_ALLOW ? LIST_DEFAULT_ALLOW : LIST_DEFAULT_BLOCK;
}

/* An allow entry has no action; one value for all keeps them equal where entries are compared. */
static uint8_t entry_action(const struct list_change *wanted, uint8_t action)
{
	return wanted->kind == LIST_KIND_ALLOW ? ACTION_DROP : action;
}

static struct entry make_entry(const struct list_change *wanted, const struct prefix *prefix)
{
	const uint32_t now = clock_wall();

	return (struct entry){
		.prefix = *prefix,
		.action = entry_action(wanted, wanted->action),
		.added = now,
		.expires = wanted->ttl ? now + wanted->ttl : 0,
	};
}

int lists_add(struct lists *lists, const struct list_change *wanted, const struct prefix *prefix,
	      struct error *err)
{
	struct entry entry = make_entry(wanted, prefix);
	struct list_info list;
	struct change change;
	int result;

	result = list_name_check(list_or_default(wanted), err);
	if (!result)
		result = change_begin(&change, lists, err);
	if (result)
		return result;
	result = store_list_ensure(change.txn, list_or_default(wanted), wanted->kind, &list, err);
	if (!result)
		result = change_touch(&change, &list, prefix, err);
	if (!result)
		result = store_put(change.txn, &list, &entry, wanted->source, wanted->reason, err);
	return change_end(&change, result < 0 ? result : 0, err);
}

/* The error of a del that found nothing names what does hold the address. */
static int not_listed(struct change *change, const struct list_change *wanted,
		      const struct prefix *prefix, struct error *err)
{
	const char *kind = wanted->kind == LIST_KIND_ALLOW ? "an allow list" : "a block list";
	char text[PREFIX_TEXT_MAX], covering[PREFIX_TEXT_MAX];
	struct effect at, cover;
	struct resolve_lists view;
	int result;

	result = resolve_lists_read(change->txn, &view, err);
	if (!result)
		result = resolve_prefix(change->txn, &view, prefix, &at, &cover, err);
	if (result)
		return result;
	prefix_format(prefix, text);
	if (wanted->list)
		return error_set(err, ERROR_REFUSED, "%s is not on list %s", text, wanted->list);
	if (cover.list_class)
		return error_set(err, ERROR_REFUSED,
				 "%s itself is not on %s; %s, which holds it, is", text, kind,
				 prefix_format(&cover.prefix, covering));
	return error_set(err, ERROR_REFUSED, "%s is not on %s", text, kind);
}

static int del_from_all(struct change *change, const struct list_change *wanted,
			const struct prefix *prefix, struct error *err)
{
	struct resolve_lists view;
	int result, removed = 0;

	result = resolve_lists_read(change->txn, &view, err);
	for (int i = 0; i < view.count && !result; i++) {
		struct list_info *list = &view.list[i];

		if (list->kind != wanted->kind ||
		    (wanted->list && strcmp(wanted->list, list->name) != 0))
			continue;
		result = change_touch(change, list, prefix, err);
		if (result)
			break;
		result = store_del(change->txn, list, prefix, NULL, err);
		if (result > 0) {
			removed++;
			result = 0;
		}
	}
	return result ? result : removed;
}

int lists_del(struct lists *lists, const struct list_change *wanted, const struct prefix *prefix,
	      struct error *err)
{
	struct list_info list;
	struct change change;
	int removed, result;

	result = change_begin(&change, lists, err);
	if (result)
		return result;
	if (wanted->list)
		result = store_list_find(change.txn, wanted->list, &list, err);
	removed = result ? result : del_from_all(&change, wanted, prefix, err);
	if (!removed)
		removed = not_listed(&change, wanted, prefix, err);
	result = change_end(&change, removed < 0 ? removed : 0, err);
	return result ? result : removed;
}

/*
 * The file's own actions stay; the store turns times to live into times. The reason of the change
 * is the file that the list came from.
 */
static int replace(struct change *change, const struct list_change *wanted,
		   const struct entry_set *set, struct list_info *list, struct error *err)
{
	int result =
		store_list_ensure(change->txn, list_or_default(wanted), wanted->kind, list, err);

	change->rebuild = true;
	if (!result)
		result = store_replace(change->txn, list, set, wanted->source, clock_wall(), err);
	if (!result && wanted->refusal)
		result = refusal_keep(change->txn, list->name, wanted->refusal, err);
	if (result)
		return result;
	snprintf(list->origin, sizeof(list->origin), "%s", wanted->reason);
	return store_list_update(change->txn, list, err);
}

int lists_load(struct lists *lists, const struct list_change *wanted, struct entry_set *set,
	       struct load_result *out, struct error *err)
{
	const uint64_t start = clock_mono();
	struct load_result loaded = { 0 };
	struct list_info list;
	struct change change;
	int result;

	result = list_name_check(list_or_default(wanted), err);
	if (result)
		return result;
	for (size_t i = 0; i < set->count; i++)
		set->entry[i].action = entry_action(wanted, set->entry[i].action);
	loaded.merged = entry_set_sort(set);
	result = change_begin(&change, lists, err);
	if (result)
		return result;
	result = change_end(&change, replace(&change, wanted, set, &list, err), err);
	if (result)
		return result;
	loaded.ipv4 = list.ipv4;
	loaded.ipv6 = list.ipv6;
	loaded.slot = list.slot;
	loaded.table_ms = lists->gate->rebuild_ms;
	loaded.store_ms = (uint32_t)((clock_mono() - start) / NS_A_MS) - loaded.table_ms;
	*out = loaded;
	return 0;
}

int lists_clear(struct lists *lists, const struct list_change *wanted, uint64_t *removed,
		struct error *err)
{
	struct list_info list;
	struct change change;
	int result;

	result = change_begin(&change, lists, err);
	if (result)
		return result;
	change.rebuild = change.removes = true;
	result = store_list_find(change.txn, list_or_default(wanted), &list, err);
	if (!result) /* it is there, so all that this can say is that it is of the other kind */
		result = store_list_ensure(change.txn, list.name, wanted->kind, &list, err);
	if (!result)
		result = refusal_keep(change.txn, list.name, "", err);
	if (!result)
		result = store_list_remove(change.txn, list.name, err);
	result = change_end(&change, result, err);
	if (!result)
		*removed = list.ipv4 + list.ipv6;
	return result;
}

int lists_monitor(struct lists *lists, const char *name, bool on, struct error *err)
{
	struct list_info list;
	struct change change;
	int result;

	result = change_begin(&change, lists, err);
	if (result)
		return result;
	result = store_list_find(change.txn, name, &list, err);
	if (!result && list.kind == LIST_KIND_ALLOW)
		result = error_set(err, ERROR_REFUSED,
				   "%s is an allow list: it stops nothing, so there is nothing to "
				   "monitor",
				   name);
	if (!result) {
		list.monitor = on;
		change.rebuild = true;
		result = store_list_update(change.txn, &list, err);
	}
	return change_end(&change, result, err);
}

/* The list of a slot; expiry rows name slots, so that a name may be as long as it likes. */
static struct list_info *list_of_slot(struct resolve_lists *view, uint8_t slot)
{
	for (int i = 0; i < view->count; i++)
		if (view->list[i].slot == slot)
			return &view->list[i];
	return NULL;
}

static int expire_batch(struct change *change, struct error *err)
{
	struct expired expired[EXPIRE_BATCH];
	struct resolve_lists view;
	struct list_info *list;
	int count, result;

	count = store_expired(change->txn, clock_wall(), expired, EXPIRE_BATCH, err);
	if (count <= 0)
		return count;
	result = resolve_lists_read(change->txn, &view, err);
	for (int i = 0; i < count && !result; i++) {
		list = list_of_slot(&view, expired[i].slot);
		if (!list)
			continue;
		result = change_touch(change, list, &expired[i].prefix, err);
		if (!result)
			result = store_del(change->txn, list, &expired[i].prefix, NULL, err);
		result = result > 0 ? 0 : result;
	}
	return result ? result : count;
}

/* Whether there is anything to do, asked without keeping a writer waiting. */
static int anything_expired(struct lists *lists, struct error *err)
{
	struct expired first;
	struct store_txn *txn;
	int result = store_begin_read(lists->store, &txn, err);

	if (result)
		return result;
	result = store_expired(txn, clock_wall(), &first, 1, err);
	store_abort(&txn);
	return result;
}

int lists_expire(struct lists *lists, struct error *err)
{
	const bool stale = table_use(lists->table).stale > STALE_MAX;
	struct change change;
	int count, result;

	store_trim(lists->store);
	result = anything_expired(lists, err);
	if (result < 0 || (!result && !stale))
		return result;
	result = change_begin(&change, lists, err);
	if (result)
		return result;
	change.rebuild = stale;
	count = expire_batch(&change, err);
	result = change_end(&change, count < 0 ? count : 0, err);
	return result ? result : count;
}

int lists_own(struct lists *lists, const char *name, const char *refusal, uint8_t *slot,
	      struct error *err)
{
	struct list_info list;
	struct change change;
	int result;

	result = change_begin(&change, lists, err);
	if (result)
		return result;
	result = store_list_ensure(change.txn, name, LIST_KIND_BLOCK, &list, err);
	if (!result)
		result = refusal_keep(change.txn, name, refusal, err);
	result = change_end(&change, result, err);
	if (!result)
		*slot = list.slot;
	return result;
}

int lists_with_store(struct lists *lists, lists_store_cb cb, void *arg, struct error *err)
{
	int result;

	pthread_mutex_lock(&lists->turn);
	result = cb(lists->store, arg, err);
	pthread_mutex_unlock(&lists->turn);
	return result;
}

int lists_setting_put(struct lists *lists, const char *key, const char *value, struct error *err)
{
	struct change change;
	int result = change_begin(&change, lists, err);

	if (result)
		return result;
	result = value ? store_setting_put(change.txn, key, value, err)
		       : store_setting_del(change.txn, key, err);
	return change_end(&change, result < 0 ? result : 0, err);
}
