/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/lists_query.c - questions about the lists: which entries hold an address and which of them
 * decides, what a list holds. Each sees one snapshot of the store and blocks nobody.
 */
#include <stdlib.h>
#include <string.h>

#include "gate/internal.h"
#include "gate/lists_internal.h"

#define MATCHES_MAX 512 /* entries that are shown for one address */

struct matches {
	struct list_match match[MATCHES_MAX];
	int count;
};

static int collect_list(struct store_txn *txn, const struct list_info *list,
			const struct addr *addr, struct matches *matches, struct error *err)
{
	const int shortest = addr_is_ipv4(addr) ? 96 : 0;
	struct list_match *match;
	int result;

	for (int len = 128; len >= shortest && matches->count < MATCHES_MAX; len--) {
		const struct prefix prefix = prefix_of(addr, (unsigned int)len);

		if (!(list->lengths[len / 64] >> (len % 64) & 1))
			continue;
		match = &matches->match[matches->count];
		result = store_get(txn, list, &prefix, &match->entry, err);
		if (result < 0)
			return result;
		if (!result)
			continue;
		match->list = *list;
		result = store_note(txn, list, match->entry.note, &match->source, &match->reason,
				    err);
		if (result)
			return result;
		matches->count++;
	}
	return 0;
}

/* How the rules of gate/lists.h rank a match, most important first. */
static int tier(const struct list_match *match)
{
	if (match->list.kind == LIST_KIND_ALLOW)
		return 2;
	return match->list.monitor ? 0 : 1;
}

static int rank(const struct list_match *a, const struct list_match *b)
{
	if (tier(a) != tier(b))
		return tier(b) - tier(a);
	if (a->entry.prefix.len != b->entry.prefix.len)
		return b->entry.prefix.len - a->entry.prefix.len;
	if (a->entry.action != b->entry.action)
		return b->entry.action - a->entry.action;
	return strcmp(a->list.name, b->list.name);
}

static int rank_cb(const void *a, const void *b)
{
	return rank(a, b);
}

static const char *why_overruled(const struct list_match *winner, const struct list_match *loser)
{
	if (tier(winner) == 2 && tier(loser) != 2)
		return "an allow entry wins";
	if (tier(winner) != tier(loser))
		return "an enforced list wins over one in monitor mode";
	if (winner->entry.prefix.len != loser->entry.prefix.len)
		return "a longer prefix wins";
	if (winner->entry.action != loser->entry.action)
		return "a stricter action wins";
	return "the list whose name sorts first wins";
}

int lists_test(struct lists *lists, const struct addr *addr, list_match_cb cb, void *arg,
	       struct error *err)
{
	struct matches *matches = calloc(1, sizeof(*matches));
	struct resolve_lists view = { .count = 0 };
	struct store_txn *txn = NULL;
	int result, count = 0;

	if (!matches)
		return error_set(err, ERROR_REFUSED, "out of memory");
	result = store_begin_read(lists->store, &txn, err);
	if (!result)
		result = resolve_lists_read(txn, &view, err);
	for (int i = 0; i < view.count && !result; i++)
		result = collect_list(txn, &view.list[i], addr, matches, err);
	if (!result) {
		count = matches->count;
		qsort(matches->match, (size_t)count, sizeof(matches->match[0]), rank_cb);
		for (int i = 0; i < count; i++) {
			matches->match[i].decides = i == 0;
			if (i)
				matches->match[i].overruled =
					why_overruled(&matches->match[0], &matches->match[i]);
			cb(&matches->match[i], arg);
		}
	}
	store_abort(&txn);
	free(matches);
	return result ? result : count;
}

/* Returns 1 when the caller has seen enough. */
static int show_list(struct store_txn *txn, const struct list_info *list, list_row_cb cb, void *arg,
		     struct error *err)
{
	const char *source, *reason;
	const struct entry *run;
	struct store_scan *scan;
	bool more = true;
	int count = 0, result;

	result = store_scan_open(txn, list, NULL, &scan, err);
	if (result)
		return result;
	while (more && !result && (count = store_scan_next(scan, &run, err)) > 0) {
		for (int i = 0; i < count && more && !result; i++) {
			result = store_note(txn, list, run[i].note, &source, &reason, err);
			if (!result)
				more = cb(list, &run[i], source, reason, arg);
		}
	}
	store_scan_close(&scan);
	if (result || count < 0)
		return result ? result : count;
	return !more;
}

int lists_show(struct lists *lists, enum list_kind kind, const char *name, list_row_cb cb,
	       void *arg, struct error *err)
{
	struct resolve_lists view = { .count = 0 };
	struct store_txn *txn = NULL;
	struct list_info list;
	int result;

	result = store_begin_read(lists->store, &txn, err);
	if (!result && name)
		result = store_list_find(txn, name, &list, err);
	if (!result && name && list.kind != kind)
		result = error_set(err, ERROR_REFUSED, "%s is %s list", name,
				   list.kind == LIST_KIND_ALLOW ? "an allow" : "a block");
	if (!result)
		result = resolve_lists_read(txn, &view, err);
	for (int i = 0; i < view.count && !result; i++)
		if (view.list[i].kind == kind && (!name || !strcmp(name, view.list[i].name)))
			result = show_list(txn, &view.list[i], cb, arg, err);
	store_abort(&txn);
	return result < 0 ? result : 0;
}

bool lists_stop(struct lists *lists, const struct addr *addr)
{
	const struct settings *settings = gate_kernel_settings(lists->gate);
	const uint8_t *flags;
	uint8_t list_class;

	pthread_mutex_lock(&lists->turn); /* a rebuild may not clear what is looked at */
	list_class = table_lookup(lists->table, addr);
	flags = settings->table[settings->generation & 1].list_flags;
	if (list_class != CLASS_NONE && flags[class_slot(list_class)] & (LIST_ALLOW | LIST_MONITOR))
		list_class = CLASS_NONE;
	pthread_mutex_unlock(&lists->turn);
	return list_class != CLASS_NONE;
}

/* False also if a change is under way, which may last for seconds. */
static bool is_on_no_list(struct lists *lists, const struct addr *addr)
{
	bool none;

	if (pthread_mutex_trylock(&lists->turn))
		return false;
	none = table_lookup(lists->table, addr) == CLASS_NONE;
	pthread_mutex_unlock(&lists->turn);
	return none;
}

static void note_deciding(const struct list_match *match, void *arg)
{
	struct list_info *list = arg;

	if (match->decides)
		*list = match->list;
}

bool lists_decide(struct lists *lists, const struct addr *addr, struct list_info *out)
{
	struct error err;

	return !is_on_no_list(lists, addr) && lists_test(lists, addr, note_deciding, out, &err) > 0;
}

int lists_all(struct lists *lists, struct list_info out[LIST_SLOTS], struct error *err)
{
	struct store_txn *txn;
	int result = store_begin_read(lists->store, &txn, err);

	if (result)
		return result;
	result = store_list_all(txn, out, err);
	store_abort(&txn);
	return result;
}

int lists_setting_get(struct lists *lists, const char *key, char *out, size_t size,
		      struct error *err)
{
	struct store_txn *txn;
	int result = store_begin_read(lists->store, &txn, err);

	if (result)
		return result;
	result = store_setting_get(txn, key, out, size, err);
	store_abort(&txn);
	return result;
}
