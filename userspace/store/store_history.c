/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_history.c - what is remembered of sources: a record for each address.
 *
 * Called by policy/history_store.c, which knows what the records mean; here they are bytes, at most
 * STORE_HISTORY_MAX of them, in the order of their addresses.
 */
#include <string.h>

#include "store/store_internal.h"

int store_history_put(struct store_txn *txn, const uint8_t key[STORE_HISTORY_KEY],
		      const void *value, size_t size, struct error *err)
{
	MDB_val name = store_val(key, STORE_HISTORY_KEY), data = store_val(value, size);
	int rc;

	if (!size || size > STORE_HISTORY_MAX)
		return error_set(err, ERROR_USAGE, "a record of the history has 1 to %d bytes",
				 STORE_HISTORY_MAX);
	rc = mdb_put(txn->txn, txn->store->db[DB_HISTORY], &name, &data, 0);
	return rc ? store_txn_fail(txn, rc, "write the history of a source", err) : 0;
}

int store_history_del(struct store_txn *txn, const uint8_t key[STORE_HISTORY_KEY],
		      struct error *err)
{
	MDB_val name = store_val(key, STORE_HISTORY_KEY);
	int rc;

	rc = mdb_del(txn->txn, txn->store->db[DB_HISTORY], &name, NULL);
	return rc && rc != MDB_NOTFOUND
		       ? store_txn_fail(txn, rc, "forget the history of a source", err)
		       : 0;
}

int store_history_each(struct store_txn *txn, store_history_cb cb, void *arg, struct error *err)
{
	MDB_cursor *cursor;
	MDB_val key, data;
	int rc;

	rc = mdb_cursor_open(txn->txn, txn->store->db[DB_HISTORY], &cursor);
	if (rc)
		return store_txn_fail(txn, rc, "read the history", err);
	/* LMDB goes on behind a record that was removed. */
	while (!rc && !(rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT))) {
		const struct store_history record = { .key = key.mv_data,
						      .key_size = key.mv_size,
						      .value = data.mv_data,
						      .size = data.mv_size };

		if (!cb(&record, arg))
			rc = mdb_cursor_del(cursor, 0);
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : store_txn_fail(txn, rc, "walk over the history", err);
}
