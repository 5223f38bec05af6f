/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_list.c - the records of the lists.
 *
 * Called by the functions that change a list's entries, and by gate/lists for the rest. A record is
 * a struct list_info under the list's name, so the database is in the order of the names. The
 * record on disk is what counts: a caller's copy only names the list, because it may be older, or
 * come from a transaction that was aborted. There are at most LIST_SLOTS lists.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "store/store_internal.h"

#define TOO_MANY        "there are %d lists already, which is as many as there can be"
#define EMPTY_NAMES_MAX 300 /* bytes of the names in an error */

static int decode(struct store_txn *txn, const MDB_val *key, const MDB_val *data,
		  struct list_info *out, struct error *err)
{
	struct list_info info;

	if (data->mv_size != sizeof(info)) {
		store_damaged(txn, err, "the record of a list has %zu bytes", data->mv_size);
		return ERROR_REFUSED;
	}
	memcpy(&info, data->mv_data, sizeof(info));
	info.name[sizeof(info.name) - 1] = '\0';
	if (list_name_check(info.name, NULL) || strlen(info.name) != key->mv_size ||
	    memcmp(info.name, key->mv_data, key->mv_size) != 0 ||
	    !memchr(info.origin, '\0', sizeof(info.origin)) || info.kind > LIST_KIND_ALLOW ||
	    info.slot >= LIST_SLOTS) {
		store_damaged(txn, err, "the record of a list is not one");
		return ERROR_REFUSED;
	}
	*out = info;
	return 0;
}

/* Returns 1 and fills `out` if there is such a list, 0 if not. */
static int find(struct store_txn *txn, const char *name, struct list_info *out, struct error *err)
{
	const size_t len = strnlen(name, LIST_NAME_MAX + 1);
	MDB_val key = store_val(name, len), data;
	int rc;

	if (len == 0 || len > LIST_NAME_MAX)
		return 0;
	rc = mdb_get(txn->txn, txn->store->db[DB_LISTS], &key, &data);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc)
		return store_txn_fail(txn, rc, "read a list", err);
	rc = decode(txn, &key, &data, out, err);
	return rc ? rc : 1;
}

int store_list_find(struct store_txn *txn, const char *name, struct list_info *out,
		    struct error *err)
{
	int found = list_name_check(name, err);

	if (found)
		return found;
	found = find(txn, name, out, err);
	if (found < 0)
		return found;
	return found ? 0 : error_set(err, ERROR_REFUSED, "no list %s", name);
}

int store_list_current(struct store_txn *txn, const struct list_info *list, struct list_info *out,
		       struct error *err)
{
	return store_list_find(txn, list->name, out, err);
}

int store_list_write(struct store_txn *txn, const struct list_info *info, struct error *err)
{
	MDB_val key = store_val(info->name, strlen(info->name));
	MDB_val data = store_val(info, sizeof(*info));
	int rc;

	rc = mdb_put(txn->txn, txn->store->db[DB_LISTS], &key, &data, 0);
	return rc ? store_txn_fail(txn, rc, "write a list", err) : 0;
}

int store_list_all(struct store_txn *txn, struct list_info out[LIST_SLOTS], struct error *err)
{
	MDB_cursor *cursor;
	MDB_val key, data;
	uint64_t slots = 0;
	int rc, result = 0, count = 0;

	rc = mdb_cursor_open(txn->txn, txn->store->db[DB_LISTS], &cursor);
	if (rc)
		return store_txn_fail(txn, rc, "read the lists", err);
	while (!result && !(rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT))) {
		if (count == LIST_SLOTS)
			result = store_damaged(txn, err, "it has more than %d lists", LIST_SLOTS);
		else
			result = decode(txn, &key, &data, &out[count], err);
		if (!result && slots >> out[count].slot & 1)
			result = store_damaged(txn, err, "two lists have the same slot");
		if (!result)
			slots |= 1ull << out[count++].slot;
	}
	mdb_cursor_close(cursor);
	if (!result && rc != MDB_NOTFOUND)
		result = store_txn_fail(txn, rc, "read the lists", err);
	return result ? result : count;
}

static const char *kind_text(uint8_t kind)
{
	return kind == LIST_KIND_ALLOW ? "an allow list" : "a block list";
}

/* Names the lists that could go, as many as the line has room for. */
static int no_slot_left(const struct list_info lists[LIST_SLOTS], struct error *err)
{
	char names[EMPTY_NAMES_MAX] = "";
	size_t used = 0;
	int more = 0;

	for (int i = 0; i < LIST_SLOTS; i++) {
		const size_t length = strlen(lists[i].name);

		if (lists[i].ipv4 + lists[i].ipv6 || !strcmp(lists[i].name, LEARNED_LIST))
			continue;
		if (used + length + sizeof(", ") > sizeof(names)) {
			more++;
			continue;
		}
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", lists[i].name);
	}
	if (!used)
		return error_set(err, ERROR_REFUSED, TOO_MANY "; none of them is empty",
				 LIST_SLOTS);
	if (more)
		return error_set(err, ERROR_REFUSED,
				 TOO_MANY "; empty, and fit for clear: %s, "
					  "and %d more",
				 LIST_SLOTS, names, more);
	return error_set(err, ERROR_REFUSED, TOO_MANY "; empty, and fit for clear: %s", LIST_SLOTS,
			 names);
}

/* The lowest slot that no list has. */
static int find_slot(struct store_txn *txn, uint8_t *slot, struct error *err)
{
	struct list_info lists[LIST_SLOTS] = { 0 };
	const int count = store_list_all(txn, lists, err);
	uint64_t taken = 0;

	if (count < 0)
		return count;
	if (count == LIST_SLOTS)
		return no_slot_left(lists, err);
	for (int i = 0; i < count; i++)
		taken |= 1ull << lists[i].slot;
	for (*slot = 0; taken >> *slot & 1;)
		(*slot)++;
	return 0;
}

static int create(struct store_txn *txn, const char *name, enum list_kind kind,
		  struct list_info *info, struct error *err)
{
	int result;

	memset(info, 0, sizeof(*info)); /* all of it goes to disk */
	memcpy(info->name, name, strlen(name));
	info->kind = (uint8_t)kind;
	info->next_note = 1;
	info->created = clock_wall_at(clock_mono());
	result = find_slot(txn, &info->slot, err);
	return result ? result : store_list_write(txn, info, err);
}

int store_list_ensure(struct store_txn *txn, const char *name, enum list_kind kind,
		      struct list_info *out, struct error *err)
{
	struct list_info info = { 0 };
	int result = list_name_check(name, err);

	if (result)
		return result;
	result = find(txn, name, &info, err);
	if (result < 0)
		return result;
	if (result && info.kind != kind)
		return error_set(err, ERROR_REFUSED, "%s is %s, not %s", name, kind_text(info.kind),
				 kind_text((uint8_t)kind));
	result = result ? 0 : create(txn, name, kind, &info, err);
	if (!result)
		*out = info;
	return result;
}

int store_list_update(struct store_txn *txn, const struct list_info *info, struct error *err)
{
	struct list_info current = { 0 };
	int result;

	if (!memchr(info->origin, '\0', sizeof(info->origin)))
		return error_set(err, ERROR_USAGE, "the origin of list %s has no end", info->name);
	result = store_list_current(txn, info, &current, err);
	if (result)
		return result;
	current.monitor = info->monitor != 0;
	memset(current.origin, 0, sizeof(current.origin));
	memcpy(current.origin, info->origin, strlen(info->origin));
	return store_list_write(txn, &current, err);
}

int store_list_empty(struct store_txn *txn, uint32_t slot, struct error *err)
{
	static const enum store_db databases[] = { DB_ENTRIES, DB_NOTES, DB_EXPIRY };
	MDB_val key = store_val(&slot, sizeof(slot));
	int rc;

	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
		rc = mdb_del(txn->txn, txn->store->db[databases[i]], &key, NULL);
		if (rc && rc != MDB_NOTFOUND)
			return store_txn_fail(txn, rc, "empty a list", err);
	}
	return 0;
}

int store_list_remove(struct store_txn *txn, const char *name, struct error *err)
{
	MDB_val key = store_val(name, strlen(name));
	struct list_info info = { 0 };
	int rc, result;

	result = store_list_find(txn, name, &info, err);
	if (!result)
		result = store_list_empty(txn, info.slot, err);
	if (result)
		return result;
	rc = mdb_del(txn->txn, txn->store->db[DB_LISTS], &key, NULL);
	return rc ? store_txn_fail(txn, rc, "remove a list", err) : 0;
}
