/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_scan.c - walks over a list.
 *
 * Called by store/resolve, which walks all lists together to build the kernel's table, and by
 * whoever shows entries. A run is what lies on one page of the database (up to 127 entries), handed
 * out where it lies. The kernel's table is built from what is read here, so every run is checked
 * for values that would lead outside of it. The scan belongs to its opener and lives within the
 * transaction.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/store_internal.h"

struct store_scan {
	struct store_txn *txn;
	MDB_cursor *cursor;
	MDB_val first; /* the first run, as long as it has not been handed out */
	bool ended;
};

/* The cursor is on an entry: what is on its page from there on. */
static int rest_of_page(MDB_cursor *cursor, const MDB_val *entry, MDB_val *run)
{
	MDB_val key, page = { .mv_size = 0 };
	size_t skipped;
	int rc;

	rc = mdb_cursor_get(cursor, &key, &page, MDB_GET_MULTIPLE);
	if (rc)
		return rc;
	if (!page.mv_size) {
		*run = *entry; /* the only one of its list: there is no page of several */
		return 0;
	}
	skipped = (size_t)((const char *)entry->mv_data - (const char *)page.mv_data);
	*run = store_val(entry->mv_data, page.mv_size - skipped);
	return 0;
}

static int seek(struct store_scan *scan, uint32_t slot, const struct prefix *from)
{
	const struct entry first = { .prefix = from ? *from : (struct prefix){ .len = 0 } };
	MDB_val key = store_val(&slot, sizeof(slot)), data = store_val(&first, sizeof(first));
	int rc;

	rc = mdb_cursor_get(scan->cursor, &key, &data, MDB_GET_BOTH_RANGE);
	if (!rc)
		rc = rest_of_page(scan->cursor, &data, &scan->first);
	if (rc == MDB_NOTFOUND) {
		scan->ended = true;
		rc = 0;
	}
	return rc;
}

int store_scan_open(struct store_txn *txn, const struct list_info *list, const struct prefix *from,
		    struct store_scan **out, struct error *err)
{
	struct store_scan *scan = calloc(1, sizeof(*scan));
	int rc;

	if (!scan)
		return store_fail(txn->store, ENOMEM, "read a list", err);
	scan->txn = txn;
	rc = mdb_cursor_open(txn->txn, txn->store->db[DB_ENTRIES], &scan->cursor);
	if (!rc)
		rc = seek(scan, list->slot, from);
	if (rc) {
		store_scan_close(&scan);
		return store_txn_fail(txn, rc, "read a list", err);
	}
	*out = scan;
	return 0;
}

static bool is_run(const MDB_val *run)
{
	const struct entry *entry = run->mv_data;

	if (run->mv_size % sizeof(*entry) || (uintptr_t)entry % _Alignof(struct entry))
		return false;
	for (size_t i = 0; i < run->mv_size / sizeof(*entry); i++)
		if (entry[i].prefix.len >= PREFIX_LENGTHS || entry[i].action >= ACTION_COUNT)
			return false;
	return true;
}

int store_scan_next(struct store_scan *scan, const struct entry **run, struct error *err)
{
	MDB_val key, data = scan->first;
	int rc;

	if (scan->ended)
		return 0;
	if (!data.mv_size) {
		rc = mdb_cursor_get(scan->cursor, &key, &data, MDB_NEXT_MULTIPLE);
		if (rc == MDB_NOTFOUND) {
			scan->ended = true;
			return 0;
		}
		if (rc)
			return store_txn_fail(scan->txn, rc, "read a list", err);
	}
	scan->first.mv_size = 0;
	if (!is_run(&data))
		return store_damaged(scan->txn, err, "a page of entries does not hold entries");
	*run = data.mv_data;
	return (int)(data.mv_size / sizeof(struct entry));
}

void store_scan_close(struct store_scan **scan)
{
	if (!*scan)
		return;
	if ((*scan)->cursor)
		mdb_cursor_close((*scan)->cursor);
	free(*scan);
	*scan = NULL;
}
