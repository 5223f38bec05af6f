/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_note.c - who asked for an entry and why.
 *
 * Called by store_entry.c and store_replace.c, and by whoever shows entries. The texts are kept
 * beside the entries and not in them, because most entries of a large list share one: a note counts
 * the entries that have it and goes when the last of them goes. Numbers are given in ascending
 * order and skip those that are still in use after 2^32 of them, within NOTE_TRIES.
 */
#include <endian.h>
#include <string.h>

#include "store/store_internal.h"

#define NOTE_TRIES 4096

int store_note_check(const char *source, const char *reason, struct error *err)
{
	if (strlen(source) > NOTE_SOURCE_MAX)
		return error_set(err, ERROR_USAGE, "the source has more than %d bytes",
				 NOTE_SOURCE_MAX);
	if (strlen(reason) > NOTE_TEXT_MAX)
		return error_set(err, ERROR_USAGE, "the reason has more than %d bytes",
				 NOTE_TEXT_MAX);
	return 0;
}

bool store_note_valid(const MDB_val *record)
{
	const char *texts = (const char *)record->mv_data + sizeof(struct note_head);
	const char *reason;
	size_t left;

	if (record->mv_size < sizeof(struct note_head) + 2 || record->mv_size > NOTE_RECORD_MAX)
		return false;
	left = record->mv_size - sizeof(struct note_head);
	reason = memchr(texts, '\0', left - 1);
	if (!reason)
		return false;
	reason++;
	return memchr(reason, '\0', (size_t)(texts + left - reason)) == texts + left - 1;
}

uint32_t store_note_number(const MDB_val *record)
{
	uint32_t number;

	memcpy(&number, record->mv_data, sizeof(number));
	return be32toh(number);
}

uint32_t store_note_uses(const MDB_val *record)
{
	uint32_t uses;

	memcpy(&uses, (const uint8_t *)record->mv_data + offsetof(struct note_head, uses),
	       sizeof(uses));
	return uses;
}

/* Puts the cursor on the note. */
static int seek(MDB_cursor *cursor, uint32_t slot, uint32_t note, MDB_val *record)
{
	const uint32_t number = htobe32(note);
	MDB_val key = store_val(&slot, sizeof(slot));
	int rc;

	*record = store_val(&number, sizeof(number));
	rc = mdb_cursor_get(cursor, &key, record, MDB_GET_BOTH_RANGE);
	if (rc)
		return rc;
	if (!store_note_valid(record))
		return MDB_CORRUPTED;
	return store_note_number(record) == note ? 0 : MDB_NOTFOUND;
}

static int open_cursor(struct store_txn *txn, MDB_cursor **cursor, struct error *err)
{
	const int rc = mdb_cursor_open(txn->txn, txn->store->db[DB_NOTES], cursor);

	return rc ? store_txn_fail(txn, rc, "read the notes", err) : 0;
}

int store_note(struct store_txn *txn, const struct list_info *list, uint32_t note,
	       const char **source, const char **reason, struct error *err)
{
	MDB_cursor *cursor;
	MDB_val record;
	int result;

	if (!note) {
		*source = *reason = "";
		return 0;
	}
	result = open_cursor(txn, &cursor, err);
	if (result)
		return result;
	result = seek(cursor, list->slot, note, &record);
	mdb_cursor_close(cursor);
	if (result == MDB_NOTFOUND)
		return store_damaged(txn, err, "list %s has lost note %u", list->name, note);
	if (result)
		return store_txn_fail(txn, result, "read a note", err);
	*source = (const char *)record.mv_data + sizeof(struct note_head);
	*reason = *source + strlen(*source) + 1;
	return 0;
}

/* The texts fit: store_note_check() has said so. */
static MDB_val pack(uint8_t out[NOTE_RECORD_MAX], uint32_t note, uint32_t uses, const char *source,
		    const char *reason)
{
	const size_t source_size = strlen(source) + 1, reason_size = strlen(reason) + 1;
	struct note_head head;
	uint8_t *end = out;

	note = htobe32(note);
	memcpy(head.number, &note, sizeof(note));
	memcpy(head.uses, &uses, sizeof(uses));
	memcpy(end, &head, sizeof(head));
	end += sizeof(head);
	memcpy(end, source, source_size);
	end += source_size;
	memcpy(end, reason, reason_size);
	end += reason_size;
	return store_val(out, (size_t)(end - out));
}

int store_note_append(struct store_txn *txn, uint32_t slot, uint32_t note, uint32_t uses,
		      const char *source, const char *reason, struct error *err)
{
	uint8_t buffer[NOTE_RECORD_MAX];
	MDB_val key = store_val(&slot, sizeof(slot));
	MDB_val record = pack(buffer, note, uses, source, reason);
	int rc;

	rc = mdb_put(txn->txn, txn->store->db[DB_NOTES], &key, &record, MDB_APPENDDUP);
	return rc ? store_txn_fail(txn, rc, "write a note", err) : 0;
}

/* Finds a number from `*note` on that no note has. */
static int find_number(MDB_cursor *cursor, uint32_t slot, uint32_t *note)
{
	MDB_val record;
	int rc;

	for (int try = 0; try < NOTE_TRIES; try++, (*note)++) {
		if (!*note)
			continue; /* 0 is none */
		rc = seek(cursor, slot, *note, &record);
		if (rc)
			return rc == MDB_NOTFOUND ? 0 : rc;
	}
	return MDB_KEYEXIST;
}

static int no_number(struct store_txn *txn, const struct list_info *info, struct error *err)
{
	txn->broken = true;
	return error_set(err, ERROR_REFUSED,
			 "list %s has no free number for another reason: load it anew", info->name);
}

int store_note_add(struct store_txn *txn, struct list_info *info, const char *source,
		   const char *reason, uint32_t *note, struct error *err)
{
	const uint32_t slot = info->slot;
	uint8_t buffer[NOTE_RECORD_MAX];
	MDB_val key = store_val(&slot, sizeof(slot)), record;
	uint32_t number = info->next_note;
	MDB_cursor *cursor;
	int rc;

	if (!*source && !*reason) {
		*note = 0;
		return 0;
	}
	rc = open_cursor(txn, &cursor, err);
	if (rc)
		return rc;
	rc = find_number(cursor, slot, &number);
	if (!rc) {
		record = pack(buffer, number, 1, source, reason);
		rc = mdb_cursor_put(cursor, &key, &record, MDB_NODUPDATA);
	}
	mdb_cursor_close(cursor);
	if (rc == MDB_KEYEXIST)
		return no_number(txn, info, err);
	if (rc)
		return store_txn_fail(txn, rc, "write a note", err);
	info->next_note = number + 1;
	*note = number;
	return 0;
}

/* Writes the note under the cursor anew, for one entry less, or removes it with the last. */
static int count_down(MDB_cursor *cursor, uint32_t slot, const MDB_val *record)
{
	const uint32_t uses = store_note_uses(record);
	uint8_t buffer[NOTE_RECORD_MAX];
	MDB_val key = store_val(&slot, sizeof(slot)), fewer;
	const char *source = (const char *)record->mv_data + sizeof(struct note_head);
	int rc;

	fewer = pack(buffer, store_note_number(record), uses - 1, source,
		     source + strlen(source) + 1);
	rc = mdb_cursor_del(cursor, 0);
	if (rc || uses <= 1)
		return rc;
	return mdb_cursor_put(cursor, &key, &fewer, MDB_NODUPDATA);
}

int store_note_release(struct store_txn *txn, uint32_t slot, uint32_t note, struct error *err)
{
	MDB_cursor *cursor;
	MDB_val record;
	int rc;

	if (!note)
		return 0;
	rc = open_cursor(txn, &cursor, err);
	if (rc)
		return rc;
	rc = seek(cursor, slot, note, &record);
	if (!rc)
		rc = count_down(cursor, slot, &record);
	mdb_cursor_close(cursor);
	/* An entry whose note is lost can still be removed. */
	return rc && rc != MDB_NOTFOUND ? store_txn_fail(txn, rc, "remove a note", err) : 0;
}
