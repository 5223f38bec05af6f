/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_check.c - whether everything in the store agrees.
 *
 * Called by tests after every kind of change and crash, and fit for a command that looks at a
 * store. It reads everything once: the entries give the notes and the rows that there must be,
 * these are sorted and compared with what there is. Memory: 28 bytes an entry at most, one list at
 * a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"

/* What the entries of a list say that there must be. */
struct expected {
	struct store_txn *txn;
	const struct list_info *info;
	uint64_t ipv4, ipv6;
	uint32_t *note; /* of each entry that has one */
	size_t notes;
	struct expiry_row *row; /* of each entry that expires */
	size_t rows;
	struct prefix last;
};

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static int compare_rows(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct expiry_row));
}

static int add_entry(struct expected *want, const struct entry *entry, struct error *err)
{
	const struct list_info *info = want->info;
	const uint8_t len = entry->prefix.len;
	char text[PREFIX_TEXT_MAX];

	if (store_entry_check(entry, err))
		return store_damaged(want->txn, err, "list %s has an entry that is none",
				     info->name);
	prefix_format(&entry->prefix, text);
	if (want->ipv4 + want->ipv6 && prefix_compare(&want->last, &entry->prefix) >= 0)
		return store_damaged(want->txn, err, "list %s is out of order at %s", info->name,
				     text);
	if (!(info->lengths[len / 64] >> (len % 64) & 1))
		return store_damaged(want->txn, err, "list %s does not say that it has %s",
				     info->name, text);
	want->last = entry->prefix;
	if (prefix_is_ipv4(&entry->prefix))
		want->ipv4++;
	else
		want->ipv6++;
	if (entry->note)
		want->note[want->notes++] = entry->note;
	if (entry->expires)
		want->row[want->rows++] = store_expiry_row(entry->expires, &entry->prefix);
	return 0;
}

static int read_entries(struct expected *want, struct error *err)
{
	const uint64_t most = want->info->ipv4 + want->info->ipv6;
	const struct entry *run;
	struct store_scan *scan;
	int count, result;

	result = store_scan_open(want->txn, want->info, NULL, &scan, err);
	if (result)
		return result;
	while (!result && (count = store_scan_next(scan, &run, err)) != 0) {
		if (count < 0)
			result = count;
		else if (want->ipv4 + want->ipv6 + (uint64_t)count > most)
			result = store_damaged(want->txn, err,
					       "list %s has more entries than it says",
					       want->info->name);
		for (int i = 0; i < count && !result; i++)
			result = add_entry(want, &run[i], err);
	}
	store_scan_close(&scan);
	if (!result && (want->ipv4 != want->info->ipv4 || want->ipv6 != want->info->ipv6))
		result = store_damaged(want->txn, err, "list %s counts its entries wrongly",
				       want->info->name);
	return result;
}

/* One record of a list's sorted set; `seen` counts what the records stand for. */
typedef bool (*record_fits)(const struct expected *want, const MDB_val *record, size_t *seen);

/* The note must be that of the next entries, in as many of them as it says. */
static bool note_fits(const struct expected *want, const MDB_val *record, size_t *seen)
{
	uint32_t number, uses;

	if (!store_note_valid(record))
		return false;
	number = store_note_number(record);
	uses = store_note_uses(record);
	if (!number || !uses || uses > want->notes - *seen || want->note[*seen] != number ||
	    want->note[*seen + uses - 1] != number)
		return false;
	*seen += uses;
	return *seen == want->notes || want->note[*seen] != number;
}

static bool row_fits(const struct expected *want, const MDB_val *record, size_t *seen)
{
	return record->mv_size == sizeof(*want->row) && *seen < want->rows &&
	       !memcmp(record->mv_data, &want->row[(*seen)++], sizeof(*want->row));
}

/* Compares all that a database has for the list with the `total` that it must have. */
static int compare(const struct expected *want, enum store_db db, record_fits fits, size_t total,
		   const char *what, struct error *err)
{
	uint32_t slot = want->info->slot;
	MDB_val key = store_val(&slot, sizeof(slot)), record;
	MDB_cursor *cursor;
	size_t seen = 0;
	bool good = true;
	int rc;

	rc = mdb_cursor_open(want->txn->txn, want->txn->store->db[db], &cursor);
	if (rc)
		return store_txn_fail(want->txn, rc, what, err);
	rc = mdb_cursor_get(cursor, &key, &record, MDB_SET);
	while (!rc && (good = fits(want, &record, &seen)))
		rc = mdb_cursor_get(cursor, &key, &record, MDB_NEXT_DUP);
	mdb_cursor_close(cursor);
	if (rc && rc != MDB_NOTFOUND)
		return store_txn_fail(want->txn, rc, what, err);
	if (!good || seen != total)
		return store_damaged(want->txn, err, "the %s of list %s do not fit its entries",
				     what, want->info->name);
	return 0;
}

static int compare_all(struct expected *want, struct error *err)
{
	int result = read_entries(want, err);

	if (result)
		return result;
	qsort(want->note, want->notes, sizeof(*want->note), compare_numbers);
	qsort(want->row, want->rows, sizeof(*want->row), compare_rows);
	result = compare(want, DB_NOTES, note_fits, want->notes, "notes", err);
	if (!result)
		result = compare(want, DB_EXPIRY, row_fits, want->rows, "expiry rows", err);
	return result;
}

static int check_list(struct store_txn *txn, const struct list_info *info, struct error *err)
{
	struct expected want = { .txn = txn, .info = info };
	const uint64_t count = info->ipv4 + info->ipv6;
	int result;

	if (count > SIZE_MAX / sizeof(*want.row) - 1)
		return store_damaged(txn, err, "list %s counts its entries wrongly", info->name);
	want.note = malloc((size_t)(count + 1) * sizeof(*want.note));
	want.row = malloc((size_t)(count + 1) * sizeof(*want.row));
	if (want.note && want.row)
		result = compare_all(&want, err);
	else
		result = store_fail(txn->store, ENOMEM, "check a list", err);
	free(want.note);
	free(want.row);
	return result;
}

/* Whether every key of the database is the slot of a list. */
static int check_slots(struct store_txn *txn, enum store_db db, uint64_t slots, struct error *err)
{
	MDB_val key, data;
	MDB_cursor *cursor;
	uint32_t slot;
	int rc, result = 0;

	rc = mdb_cursor_open(txn->txn, txn->store->db[db], &cursor);
	if (rc)
		return store_txn_fail(txn, rc, "read the slots", err);
	while (!result && !(rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT_NODUP))) {
		slot = LIST_SLOTS;
		if (key.mv_size == sizeof(slot))
			memcpy(&slot, key.mv_data, sizeof(slot));
		if (slot >= LIST_SLOTS || !(slots >> slot & 1))
			result = store_damaged(txn, err, "a list that is gone has left something");
	}
	mdb_cursor_close(cursor);
	if (!result && rc != MDB_NOTFOUND)
		result = store_txn_fail(txn, rc, "read the slots", err);
	return result;
}

static bool has_address(const struct store_history *record, void *arg)
{
	bool *all = arg;

	*all = *all && record->key_size == STORE_HISTORY_KEY && record->size &&
	       record->size <= STORE_HISTORY_MAX;
	return true;
}

static int check_history(struct store_txn *txn, struct error *err)
{
	bool all = true;
	int result = store_history_each(txn, has_address, &all, err);

	if (!result && !all)
		result = store_damaged(txn, err, "a record of the history is none");
	return result;
}

int store_check(struct store_txn *txn, struct error *err)
{
	static const enum store_db databases[] = { DB_ENTRIES, DB_NOTES, DB_EXPIRY };
	struct list_info lists[LIST_SLOTS];
	const int count = store_list_all(txn, lists, err);
	uint64_t slots = 0;
	int result = count < 0 ? count : 0;

	for (int i = 0; i < count && !result; i++) {
		slots |= 1ull << lists[i].slot;
		result = check_list(txn, &lists[i], err);
	}
	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]) && !result; i++)
		result = check_slots(txn, databases[i], slots, err);
	return result ? result : check_history(txn, err);
}
