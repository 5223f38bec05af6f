/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_setting.c - what the operator set at run time: a key and a short text.
 *
 * Called by gate/lists. The store does not know what the keys mean; it keeps them within
 * SETTING_KEY_MAX and the texts within SETTING_VALUE_MAX, and each ends with its NUL on disk.
 */
#include <string.h>

#include "store/store_internal.h"

static int check_key(const char *key, struct error *err)
{
	const size_t len = strnlen(key, SETTING_KEY_MAX + 1);

	if (len == 0 || len > SETTING_KEY_MAX)
		return error_set(err, ERROR_USAGE, "a setting's key has 1 to %d bytes",
				 SETTING_KEY_MAX);
	return 0;
}

int store_setting_get(struct store_txn *txn, const char *key, char *out, size_t size,
		      struct error *err)
{
	MDB_val name, data;
	int rc = check_key(key, err);

	if (rc)
		return rc;
	name = store_val(key, strlen(key));
	rc = mdb_get(txn->txn, txn->store->db[DB_SETTINGS], &name, &data);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc)
		return store_txn_fail(txn, rc, "read a setting", err);
	if (!data.mv_size || memchr(data.mv_data, '\0', data.mv_size) !=
				     (const char *)data.mv_data + data.mv_size - 1)
		return store_damaged(txn, err, "the setting %s is not a text", key);
	if (data.mv_size > size)
		return error_set(err, ERROR_REFUSED, "the setting %s has more than %zu bytes", key,
				 size);
	memcpy(out, data.mv_data, data.mv_size);
	return 1;
}

int store_setting_put(struct store_txn *txn, const char *key, const char *value, struct error *err)
{
	MDB_val name, data;
	int rc = check_key(key, err);

	if (rc)
		return rc;
	if (strlen(value) > SETTING_VALUE_MAX)
		return error_set(err, ERROR_USAGE, "the value of %s has more than %d bytes", key,
				 SETTING_VALUE_MAX);
	name = store_val(key, strlen(key));
	data = store_val(value, strlen(value) + 1);
	rc = mdb_put(txn->txn, txn->store->db[DB_SETTINGS], &name, &data, 0);
	return rc ? store_txn_fail(txn, rc, "write a setting", err) : 0;
}

int store_setting_del(struct store_txn *txn, const char *key, struct error *err)
{
	MDB_val name;
	int rc = check_key(key, err);

	if (rc)
		return rc;
	name = store_val(key, strlen(key));
	rc = mdb_del(txn->txn, txn->store->db[DB_SETTINGS], &name, NULL);
	return rc && rc != MDB_NOTFOUND ? store_txn_fail(txn, rc, "remove a setting", err) : 0;
}
