/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_entry.c - single entries: looked up, put, removed.
 *
 * Called by gate/lists for every change that is not a whole list, and many times in one
 * transaction when entries expire. Each change keeps five things in step: the entry, its note, its
 * row in the expiry index, the counts in the list's record, and the caller's copy of that record.
 * The copy is touched last, so it is right also if the change fails.
 */
#include <string.h>

#include "lib/clock.h"
#include "store/store_internal.h"

int store_entry_check(const struct entry *entry, struct error *err)
{
	const struct prefix *prefix = &entry->prefix;
	struct prefix clean;

	if (prefix->len >= PREFIX_LENGTHS)
		return error_set(err, ERROR_USAGE, "a prefix length of %u", prefix->len);
	clean = prefix_of(&prefix->addr, prefix->len);
	if (prefix_compare(&clean, prefix))
		return error_set(err, ERROR_USAGE, "a prefix whose host part is not zero");
	if (entry->action >= ACTION_COUNT || entry->reserved)
		return error_set(err, ERROR_USAGE, "an action that does not exist");
	return 0;
}

/* Puts the cursor on the entry and fills `out`. */
static int seek(MDB_cursor *cursor, uint32_t slot, const struct prefix *prefix, struct entry *out)
{
	const struct entry first = { .prefix = *prefix };
	MDB_val key = store_val(&slot, sizeof(slot)), data = store_val(&first, sizeof(first));
	struct entry found;
	int rc;

	rc = mdb_cursor_get(cursor, &key, &data, MDB_GET_BOTH_RANGE);
	if (rc)
		return rc;
	if (data.mv_size != sizeof(found))
		return MDB_CORRUPTED;
	memcpy(&found, data.mv_data, sizeof(found));
	if (prefix_compare(&found.prefix, prefix))
		return MDB_NOTFOUND;
	*out = found;
	return 0;
}

static int open_cursor(struct store_txn *txn, MDB_cursor **cursor, struct error *err)
{
	const int rc = mdb_cursor_open(txn->txn, txn->store->db[DB_ENTRIES], cursor);

	return rc ? store_txn_fail(txn, rc, "read the entries", err) : 0;
}

int store_get(struct store_txn *txn, const struct list_info *list, const struct prefix *prefix,
	      struct entry *out, struct error *err)
{
	MDB_cursor *cursor;
	int rc;

	rc = open_cursor(txn, &cursor, err);
	if (rc)
		return rc;
	rc = seek(cursor, list->slot, prefix, out);
	mdb_cursor_close(cursor);
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc ? store_txn_fail(txn, rc, "read an entry", err) : 1;
}

static uint64_t *family_count(struct list_info *info, const struct prefix *prefix)
{
	return prefix_is_ipv4(prefix) ? &info->ipv4 : &info->ipv6;
}

/* Takes the entry away, with its note and its expiry; returns 1 if it was there, 0 if not. */
static int take_out(struct store_txn *txn, struct list_info *info, const struct prefix *prefix,
		    struct entry *old, struct error *err)
{
	MDB_cursor *cursor;
	struct entry entry;
	int rc;

	rc = open_cursor(txn, &cursor, err);
	if (rc)
		return rc;
	rc = seek(cursor, info->slot, prefix, &entry);
	if (!rc)
		rc = mdb_cursor_del(cursor, 0);
	mdb_cursor_close(cursor);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc)
		return store_txn_fail(txn, rc, "remove an entry", err);
	if (store_expiry_del(txn, info->slot, &entry, err) ||
	    store_note_release(txn, info->slot, entry.note, err))
		return ERROR_REFUSED;
	--*family_count(info, prefix);
	*old = entry;
	return 1;
}

static int bring_in(struct store_txn *txn, struct list_info *info, const struct entry *entry,
		    struct error *err)
{
	const uint32_t slot = info->slot;
	MDB_val key = store_val(&slot, sizeof(slot)), data = store_val(entry, sizeof(*entry));
	int rc;

	rc = mdb_put(txn->txn, txn->store->db[DB_ENTRIES], &key, &data, MDB_NODUPDATA);
	if (rc)
		return store_txn_fail(txn, rc, "write an entry", err);
	++*family_count(info, &entry->prefix);
	info->lengths[entry->prefix.len / 64] |= 1ull << entry->prefix.len % 64;
	return store_expiry_add(txn, slot, entry, err);
}

/* Writes the changed record, and shows it to the caller. */
static int finish(struct store_txn *txn, struct list_info *info, struct list_info *list,
		  struct error *err)
{
	int result;

	if (!info->ipv4 && !info->ipv6)
		memset(info->lengths, 0, sizeof(info->lengths));
	info->changed = clock_wall();
	result = store_list_write(txn, info, err);
	if (!result)
		*list = *info;
	return result;
}

int store_put(struct store_txn *txn, struct list_info *list, struct entry *entry,
	      const char *source, const char *reason, struct error *err)
{
	struct entry fresh = *entry, old;
	struct list_info info;
	int result;

	result = store_entry_check(entry, err);
	if (!result)
		result = store_note_check(source, reason, err);
	if (!result)
		result = store_list_current(txn, list, &info, err);
	if (!result && take_out(txn, &info, &fresh.prefix, &old, err) < 0)
		result = ERROR_REFUSED;
	if (!result)
		result = store_note_add(txn, &info, source, reason, &fresh.note, err);
	if (!result)
		result = bring_in(txn, &info, &fresh, err);
	if (!result)
		result = finish(txn, &info, list, err);
	if (!result)
		entry->note = fresh.note;
	return result;
}

int store_del(struct store_txn *txn, struct list_info *list, const struct prefix *prefix,
	      struct entry *old, struct error *err)
{
	struct list_info info;
	struct entry removed;
	int result;

	result = store_list_current(txn, list, &info, err);
	if (result)
		return result;
	result = take_out(txn, &info, prefix, &removed, err);
	if (result <= 0)
		return result;
	result = finish(txn, &info, list, err);
	if (result)
		return result;
	if (old)
		*old = removed;
	return 1;
}
