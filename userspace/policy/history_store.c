/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/history_store.c - the history on disk: see policy/history.h.
 *
 * Called by the agent: history_load() at its start, history_save() from a thread that may wait. A
 * record on disk is known by its address and has no padding; numbers are in the host's byte order,
 * as in the other records of the store. What is read is checked like anything from outside.
 */
#include <stdlib.h>
#include <string.h>

#include "gate/learned.h"
#include <jansson.h>
#include "lib/log.h"
#include "policy/history_internal.h"

/* Records that are held while loading, as a multiple of the size of the history. */
#define LOAD_FACTOR 2

struct stored {
	uint32_t first, last, offence_time, good_time, until;
	uint16_t offences, good;
	int16_t score;
	uint8_t kind, action;
};
_Static_assert(sizeof(struct stored) == 28, "history: a record on disk has no padding");
_Static_assert(sizeof(struct stored) <= STORE_HISTORY_MAX, "history: the store takes the record");
_Static_assert(sizeof(struct addr) == STORE_HISTORY_KEY, "history: the store takes the address");

static struct stored encode(const struct history_record *record)
{
	return (struct stored){
		.first = record->first,
		.last = record->last,
		.offence_time = record->offence_time,
		.good_time = record->good_time,
		.until = record->until,
		.offences = record->offences,
		.good = record->good,
		.score = record->score,
		.kind = record->kind,
		.action = record->action,
	};
}

/* False if it is no record. */
static bool decode(const struct store_history *from, struct history_record *out)
{
	struct stored stored;
	struct addr addr, key;

	if (from->key_size != sizeof(addr) || from->size != sizeof(stored))
		return false;
	memcpy(&addr, from->key, sizeof(addr));
	memcpy(&stored, from->value, sizeof(stored));
	key = history_key(&addr);
	*out = (struct history_record){
		.addr = addr,
		.first = stored.first,
		.last = stored.last,
		.offence_time = stored.offence_time,
		.good_time = stored.good_time,
		.offences = stored.offences,
		.good = stored.good,
		.until = stored.until,
		.kind = stored.kind,
		.action = stored.action,
		.score = stored.score,
	};
	return !memcmp(&addr, &key, sizeof(addr)) && stored.last &&
	       stored.kind < GATE_LEARNED_KINDS && stored.action < ACTION_COUNT;
}

/* What was found in the store that is worth keeping, as far as there is room for it. */
struct found {
	const struct history_drain *drain;
	struct history_record *record;
	size_t count, max; /* there is room for LOAD_FACTOR * max */
	size_t seen, damaged;
};

static int compare_last(const void *a, const void *b)
{
	const struct history_record *left = a, *right = b;

	return (left->last > right->last) - (left->last < right->last);
}

/* Leaves those that were heard of last, oldest first. */
static void keep_latest(struct found *found)
{
	const size_t surplus = found->count > found->max ? found->count - found->max : 0;

	qsort(found->record, found->count, sizeof(*found->record), compare_last);
	found->count -= surplus;
	memmove(found->record, found->record + surplus, found->count * sizeof(*found->record));
}

static bool look_at(const struct store_history *from, void *arg)
{
	struct found *found = arg;
	struct history_record record;

	found->seen++;
	if (!decode(from, &record))
		found->damaged++;
	else if (history_matters(found->drain->rules, &record, found->drain->now))
		found->record[found->count++] = record;
	if (found->count == LOAD_FACTOR * found->max)
		keep_latest(found);
	return true;
}

static int read_all(struct store *store, struct found *found, struct error *err)
{
	struct store_txn *txn;
	int result;

	result = store_begin_read(store, &txn, err);
	if (result)
		return result;
	result = store_history_each(txn, look_at, found, err);
	store_abort(&txn);
	return result;
}

static bool is_loaded(const struct store_history *from, void *arg)
{
	struct history_record record;

	return decode(from, &record) && history_find(arg, &record.addr);
}

/* Removes from the store what was left out. Where that cannot be, there is only more to read. */
static void remove_rest(struct history *history, struct store *store)
{
	struct store_txn *txn = NULL;
	struct error err;
	int result;

	result = store_begin_write(store, &txn, &err);
	if (!result)
		result = store_history_each(txn, is_loaded, history, &err);
	if (!result)
		result = store_commit(&txn, &err);
	if (result)
		log_warning("history.kept", "{s:s}", "error", err.text);
	store_abort(&txn);
}

int history_load(struct history *history, const struct history_drain *drain, struct store *store,
		 struct error *err)
{
	struct found found = { .drain = drain, .max = history_max(history) };
	int result;

	found.record = calloc(found.max, LOAD_FACTOR * sizeof(*found.record));
	if (!found.record)
		return error_set(err, ERROR_REFUSED, "history: out of memory to load it");
	result = read_all(store, &found, err);
	if (!result) {
		keep_latest(&found);
		for (size_t i = 0; i < found.count; i++)
			history_adopt(history, &found.record[i]);
	}
	free(found.record);
	if (result)
		return result;
	if (found.damaged)
		log_warning("history.damaged", "{s:I}", "records", (json_int_t)found.damaged);
	if (found.count < found.seen)
		remove_rest(history, store);
	return 0;
}

static int save(struct store_txn *txn, const struct history_record *record, struct error *err)
{
	const struct stored stored = encode(record);

	if (!record->last)
		return store_history_del(txn, record->addr.byte, err);
	return store_history_put(txn, record->addr.byte, &stored, sizeof(stored), err);
}

int history_save(struct store *store, const struct history_record *records, size_t count,
		 struct error *err)
{
	struct store_txn *txn;
	int result;

	if (!count)
		return 0;
	result = store_begin_write(store, &txn, err);
	if (result)
		return result;
	for (size_t i = 0; i < count && !result; i++)
		result = save(txn, &records[i], err);
	if (!result)
		return store_commit(&txn, err);
	store_abort(&txn);
	return result;
}
