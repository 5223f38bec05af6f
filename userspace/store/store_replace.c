/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_replace.c - a whole list at once.
 *
 * Called by gate/lists for `block load` and `block clear`. The old list is dropped page by page,
 * without its records being read, and the new one is appended in order, which fills the pages to
 * the brim. Everything in the set is checked before anything is changed: it came over a socket. A
 * replacement owns its tables until it is closed; the set stays the caller's and is only read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"

#define CHUNK   1024   /* records that are handed to LMDB in one call */
#define SWOLLEN 100000 /* entries whose pages are worth giving back: 3 MiB */

struct replacement {
	struct store_txn *txn;
	const struct entry_set *set;
	const char *source;
	uint32_t now;
	struct list_info info; /* the new record */
	const char **reason;   /* of note n: reason[n - 1] */
	uint32_t *uses;        /* entries with note n; uses[0] have no reason */
	uint32_t source_note;  /* for entries without a reason; 0 if there is no source either */
	size_t expiring;       /* entries that expire */
	union {
		struct entry entry[CHUNK];
		struct expiry_row row[CHUNK];
	} * chunk;
};

static void replacement_close(struct replacement *new)
{
	free(new->reason);
	free(new->uses);
	free(new->chunk);
}

static int replacement_open(struct replacement *new, struct error *err)
{
	const size_t notes = new->set->note_count;

	if (new->set->count > UINT32_MAX || notes > UINT32_MAX - 2)
		return error_set(err, ERROR_USAGE, "more entries than can be counted");
	/* Each text takes a byte at least, so memory is bounded by what the caller really holds. */
	if (notes > new->set->notes_size)
		return error_set(err, ERROR_USAGE, "%zu reasons in %zu bytes", notes,
				 new->set->notes_size);
	new->reason = calloc(notes + 1, sizeof(*new->reason));
	new->uses = calloc(notes + 1, sizeof(*new->uses));
	new->chunk = malloc(sizeof(*new->chunk));
	if (!new->reason || !new->uses || !new->chunk)
		return store_fail(new->txn->store, ENOMEM, "replace a list", err);
	return 0;
}

/* Finds where the text of each note begins. */
static int read_notes(struct replacement *new, struct error *err)
{
	const struct entry_set *set = new->set;
	const char *text = set->notes ? set->notes : "";
	const char *end = text + (set->notes ? set->notes_size : 0);

	for (uint32_t i = 0; i < set->note_count; i++) {
		const char *nul = memchr(text, '\0', (size_t)(end - text));

		if (!nul)
			return error_set(err, ERROR_USAGE, "reason %u has no end", i + 1);
		if (nul - text > NOTE_TEXT_MAX)
			return error_set(err, ERROR_USAGE, "reason %u has more than %d bytes",
					 i + 1, NOTE_TEXT_MAX);
		new->reason[i] = text;
		text = nul + 1;
	}
	if (text != end)
		return error_set(err, ERROR_USAGE, "%zu bytes follow the last reason",
				 (size_t)(end - text));
	return store_note_check(new->source, "", err);
}

static int check_entry(const struct replacement *new, size_t i, struct error *err)
{
	const struct entry *entry = &new->set->entry[i];

	if (store_entry_check(entry, err))
		return error_prefix(err, "entry %zu", i + 1);
	if (i && prefix_compare(&entry[-1].prefix, &entry->prefix) >= 0)
		return error_set(err, ERROR_USAGE,
				 "entry %zu is not after the one before it: sort the set", i + 1);
	if (entry->note > new->set->note_count)
		return error_set(err, ERROR_USAGE, "entry %zu has a reason that is not there",
				 i + 1);
	return 0;
}

/* Checks every entry, and counts what the new record says. */
static int read_entries(struct replacement *new, struct error *err)
{
	struct list_info *info = &new->info;
	int result;

	info->ipv4 = info->ipv6 = 0;
	memset(info->lengths, 0, sizeof(info->lengths));
	for (size_t i = 0; i < new->set->count; i++) {
		const struct entry *entry = &new->set->entry[i];

		result = check_entry(new, i, err);
		if (result)
			return result;
		if (prefix_is_ipv4(&entry->prefix))
			info->ipv4++;
		else
			info->ipv6++;
		info->lengths[entry->prefix.len / 64] |= 1ull << entry->prefix.len % 64;
		new->uses[entry->note]++;
		new->expiring += entry->expires != 0;
	}
	return 0;
}

/* Adds `count` records, which come after all that the list has, to its sorted set. */
static int append(struct replacement *new, MDB_cursor *cursor, const void *records, size_t size,
		  size_t count, struct error *err)
{
	const uint32_t slot = new->info.slot;
	MDB_val key = store_val(&slot, sizeof(slot));
	MDB_val data[2] = { store_val(records, size), { .mv_size = count } };
	int rc;

	if (!count)
		return 0;
	rc = mdb_cursor_put(cursor, &key, data, MDB_MULTIPLE | MDB_APPENDDUP);
	if (!rc && data[1].mv_size != count)
		rc = MDB_CORRUPTED;
	return rc ? store_txn_fail(new->txn, rc, "write a list", err) : 0;
}

static int write_notes(struct replacement *new, struct error *err)
{
	const uint32_t count = new->set->note_count;
	const uint32_t slot = new->info.slot;
	int result = 0;

	for (uint32_t note = 1; note <= count && !result; note++)
		if (new->uses[note])
			result = store_note_append(new->txn, slot, note, new->uses[note],
						   new->source, new->reason[note - 1], err);
	new->info.next_note = count + 1;
	if (!result && new->uses[0] && *new->source) {
		new->source_note = new->info.next_note++;
		result = store_note_append(new->txn, slot, new->source_note, new->uses[0],
					   new->source, "", err);
	}
	return result;
}

static uint32_t expiry_time(uint32_t now, uint32_t ttl)
{
	if (!ttl)
		return 0;
	return ttl > UINT32_MAX - now ? UINT32_MAX : now + ttl;
}

static struct entry stored_entry(const struct replacement *new, const struct entry *entry)
{
	struct entry stored = *entry;

	stored.added = new->now;
	stored.expires = expiry_time(new->now, entry->expires);
	stored.note = entry->note ? entry->note : new->source_note;
	return stored;
}

static int write_entries(struct replacement *new, MDB_cursor *cursor, struct error *err)
{
	const struct entry_set *set = new->set;
	int result = 0;

	for (size_t done = 0, count; done < set->count && !result; done += count) {
		count = set->count - done < CHUNK ? set->count - done : CHUNK;
		for (size_t i = 0; i < count; i++)
			new->chunk->entry[i] = stored_entry(new, &set->entry[done + i]);
		result = append(new, cursor, new->chunk->entry, sizeof(struct entry), count, err);
	}
	return result;
}

static int compare_keys(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/*
 * The entries that expire in the order in which they do: the time to live in the high half and the
 * number of the entry in the low half. Mostly all have the same time to live, and the order is
 * that of the entries.
 */
static void order_expiry(const struct replacement *new, uint64_t *key)
{
	bool sorted = true;
	size_t found = 0;

	for (size_t i = 0; i < new->set->count; i++) {
		if (!new->set->entry[i].expires)
			continue;
		key[found] = (uint64_t)expiry_time(new->now, new->set->entry[i].expires) << 32 | i;
		if (found && key[found - 1] > key[found])
			sorted = false;
		found++;
	}
	if (!sorted)
		qsort(key, found, sizeof(*key), compare_keys);
}

static int write_rows(struct replacement *new, MDB_cursor *cursor, const uint64_t *key,
		      struct error *err)
{
	const struct entry *entry = new->set->entry;
	int result = 0;

	for (size_t done = 0, count; done < new->expiring && !result; done += count) {
		count = new->expiring - done < CHUNK ? new->expiring - done : CHUNK;
		for (size_t i = 0; i < count; i++)
			new->chunk->row[i] =
				store_expiry_row((uint32_t)(key[done + i] >> 32),
						 &entry[(uint32_t)key[done + i]].prefix);
		result =
			append(new, cursor, new->chunk->row, sizeof(struct expiry_row), count, err);
	}
	return result;
}

static int write_expiry(struct replacement *new, MDB_cursor *cursor, struct error *err)
{
	uint64_t *key;
	int result;

	if (!new->expiring)
		return 0;
	key = calloc(new->expiring, sizeof(*key));
	if (!key)
		return store_txn_fail(new->txn, ENOMEM, "replace a list", err);
	order_expiry(new, key);
	result = write_rows(new, cursor, key, err);
	free(key);
	return result;
}

static int with_cursor(struct replacement *new, enum store_db db,
		       int (*write)(struct replacement *new, MDB_cursor *cursor, struct error *err),
		       struct error *err)
{
	MDB_cursor *cursor;
	int result;

	result = mdb_cursor_open(new->txn->txn, new->txn->store->db[db], &cursor);
	if (result)
		return store_txn_fail(new->txn, result, "write a list", err);
	result = write(new, cursor, err);
	mdb_cursor_close(cursor);
	return result;
}

int store_replace(struct store_txn *txn, struct list_info *list, const struct entry_set *set,
		  const char *source, uint32_t now, struct error *err)
{
	struct replacement new = { .txn = txn, .set = set, .source = source, .now = now };
	int result;

	result = store_list_current(txn, list, &new.info, err);
	if (!result)
		result = replacement_open(&new, err);
	if (!result)
		result = read_notes(&new, err);
	if (!result)
		result = read_entries(&new, err);
	if (!result)
		result = store_list_empty(txn, new.info.slot, err);
	if (!result)
		result = write_notes(&new, err);
	if (!result)
		result = with_cursor(&new, DB_ENTRIES, write_entries, err);
	if (!result)
		result = with_cursor(&new, DB_EXPIRY, write_expiry, err);
	if (set->count >= SWOLLEN)
		atomic_store(&txn->store->swollen, true);
	new.info.changed = now;
	if (!result)
		result = store_list_write(txn, &new.info, err);
	if (!result)
		*list = new.info;
	replacement_close(&new);
	return result;
}
