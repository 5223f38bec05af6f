/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/store_fixture.c - see store_fixture.h.
 */
#include "store_fixture.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATABASES    7 /* of the store, for those who open it without the store */
#define REASON_BYTES 32

static void succeed(int result, const struct error *err)
{
	if (result < 0)
		fail_msg("%s", err->text);
}

int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	*fixture = (struct fixture){ .dir = "/tmp/postern-store-XXXXXX", .size = 64 * MIB };
	assert_non_null(mkdtemp(fixture->dir));
	fixture_open(fixture);
	*state = fixture;
	return 0;
}

int fixture_teardown(void **state)
{
	static const char *const names[] = { "data.mdb", "lock.mdb",     "lock",
					     "greylist", "greylist.new", "greylist.bad" };
	struct fixture *fixture = *state;

	store_close(&fixture->store);
	for (size_t i = 0; i < COUNT(names); i++)
		unlink(fixture_path(fixture, names[i]));
	assert_return_code(rmdir(fixture->dir), 0);
	free(fixture);
	return 0;
}

void fixture_open(struct fixture *fixture)
{
	struct error err = { 0 };

	succeed(store_open(&fixture->store, fixture->dir, fixture->size, &err), &err);
}

void fixture_close(struct fixture *fixture)
{
	struct store_txn *txn = begin_read(fixture->store);
	struct error err = { 0 };

	succeed(store_check(txn, &err), &err);
	store_abort(&txn);
	store_close(&fixture->store);
	assert_null(fixture->store);
}

/* Copies `text` with the directory put in for each "DIR". */
static void expand(const struct fixture *fixture, const char *text, char out[ERROR_TEXT_MAX])
{
	size_t used = 0;

	while (*text && used < ERROR_TEXT_MAX - 1) {
		if (!strncmp(text, "DIR", 3)) {
			used += (size_t)snprintf(out + used, ERROR_TEXT_MAX - used, "%s",
						 fixture->dir);
			text += 3;
		} else {
			out[used++] = *text++;
		}
	}
	out[used] = '\0';
}

void fixture_open_fails(struct fixture *fixture, const char *text)
{
	char expected[ERROR_TEXT_MAX];
	struct error err = { 0 };

	expand(fixture, text, expected);
	assert_int_equal(store_open(&fixture->store, fixture->dir, fixture->size, &err),
			 ERROR_REFUSED);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_string_equal(err.text, expected);
	assert_null(fixture->store);
}

const char *fixture_path(const struct fixture *fixture, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
	return path;
}

struct fixture fixture_inside(const struct fixture *outer, const char *name)
{
	struct fixture inner = { .size = outer->size };
	const char *path = fixture_path(outer, name);

	assert_in_range(strlen(path), 1, sizeof(inner.dir) - 1);
	memcpy(inner.dir, path, strlen(path));
	return inner;
}

struct store_txn *begin_read(struct store *store)
{
	struct store_txn *txn = NULL;
	struct error err = { 0 };

	succeed(store_begin_read(store, &txn, &err), &err);
	return txn;
}

struct store_txn *begin_write(struct store *store)
{
	struct store_txn *txn = NULL;
	struct error err = { 0 };

	succeed(store_begin_write(store, &txn, &err), &err);
	return txn;
}

void commit(struct store_txn **txn)
{
	struct error err = { 0 };

	succeed(store_commit(txn, &err), &err);
	assert_null(*txn);
}

struct prefix prefix(const char *text)
{
	struct error err = { 0 };
	struct prefix out;

	succeed(prefix_parse(text, strlen(text), &out, &err), &err);
	return out;
}

struct list_info ensure(struct store_txn *txn, const char *name, enum list_kind kind)
{
	struct error err = { 0 };
	struct list_info info;

	succeed(store_list_ensure(txn, name, kind, &info, &err), &err);
	return info;
}

struct list_info find(struct store_txn *txn, const char *name)
{
	struct error err = { 0 };
	struct list_info info;

	succeed(store_list_find(txn, name, &info, &err), &err);
	return info;
}

void put(struct store_txn *txn, struct list_info *list, const char *text, uint32_t expires,
	 const char *source, const char *reason)
{
	struct entry entry = {
		.prefix = prefix(text), .action = ACTION_DROP, .added = TEST_NOW, .expires = expires
	};
	struct error err = { 0 };

	succeed(store_put(txn, list, &entry, source, reason, &err), &err);
}

int del(struct store_txn *txn, struct list_info *list, const char *text)
{
	const struct prefix which = prefix(text);
	struct error err = { 0 };
	int result;

	result = store_del(txn, list, &which, NULL, &err);
	succeed(result, &err);
	return result;
}

void replace(struct store_txn *txn, struct list_info *list, const struct entry_set *set,
	     const char *source)
{
	struct error err = { 0 };

	succeed(store_replace(txn, list, set, source, TEST_NOW, &err), &err);
}

void has_note(struct store_txn *txn, const struct list_info *list, const struct entry *entry,
	      const char *source, const char *reason)
{
	const char *source_found, *reason_found;
	struct error err = { 0 };

	succeed(store_note(txn, list, entry->note, &source_found, &reason_found, &err), &err);
	assert_string_equal(source_found, source);
	assert_string_equal(reason_found, reason);
}

/* The store without the module: LMDB as it is. */
static MDB_txn *raw_open(const char *dir, const char *database, unsigned int flags, MDB_dbi *dbi)
{
	MDB_env *env;
	MDB_txn *txn;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, DATABASES), 0);
	assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, database, flags, dbi), 0);
	return txn;
}

static void raw_close(MDB_txn *txn)
{
	MDB_env *env = mdb_txn_env(txn);

	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

size_t records(const char *dir, const char *database, uint8_t slot)
{
	uint32_t number = slot;
	MDB_val key = { sizeof(number), &number }, data;
	MDB_cursor *cursor;
	MDB_txn *txn;
	MDB_dbi dbi;
	size_t count = 0;
	int rc;

	txn = raw_open(dir, database, 0, &dbi);
	assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), 0);
	rc = mdb_cursor_get(cursor, &key, &data, MDB_SET);
	if (!rc)
		rc = mdb_cursor_count(cursor, &count);
	assert_true(rc == 0 || rc == MDB_NOTFOUND);
	mdb_cursor_close(cursor);
	raw_close(txn);
	return count;
}

void tamper(const char *dir, const char *database, struct bytes key, const struct bytes *old,
	    const struct bytes *data)
{
	MDB_val name = { key.size, (void *)key.at };
	MDB_val from, to;
	MDB_txn *txn;
	MDB_dbi dbi;

	txn = raw_open(dir, database, MDB_CREATE, &dbi);
	if (old)
		from = (MDB_val){ old->size, (void *)old->at };
	if (data)
		to = (MDB_val){ data->size, (void *)data->at };
	if (old || !data)
		assert_int_equal(mdb_del(txn, dbi, &name, old ? &from : NULL), 0);
	if (data)
		assert_int_equal(mdb_put(txn, dbi, &name, &to, 0), 0);
	raw_close(txn);
}

uint64_t random_next(uint64_t *seed)
{
	*seed += 0x9e3779b97f4a7c15ull;
	return mix64(*seed);
}

static struct prefix random_prefix(uint64_t *seed)
{
	static const uint8_t lengths4[] = { 112, 117, 120, 125, 128, 128, 128, 128 };
	static const uint8_t lengths6[] = { 32, 48, 56, 64, 64, 64, 127, 128 };
	const uint64_t kind = random_next(seed), high = random_next(seed), low = random_next(seed);
	struct addr addr;

	if (kind & 3) {
		addr = addr_from_ipv4((uint32_t)high);
		return prefix_of(&addr, lengths4[kind >> 8 & 7]);
	}
	addr = addr_from_halves(0x2000000000000000ull | high >> 3, low);
	return prefix_of(&addr, lengths6[kind >> 8 & 7]);
}

void random_set(struct entry_set *set, size_t count, uint64_t seed)
{
	const uint32_t notes = (uint32_t)(count / 4);

	memset(set, 0, sizeof(*set));
	set->entry = calloc(count + 1, sizeof(*set->entry));
	set->notes = calloc(notes + 1, REASON_BYTES);
	assert_non_null(set->entry);
	assert_non_null(set->notes);
	for (uint32_t i = 0; i < notes; i++)
		set->notes_size += 1 + (size_t)snprintf(set->notes + set->notes_size, REASON_BYTES,
							"reason %u", i);
	set->note_count = notes;
	for (size_t i = 0; i < count; i++) {
		const uint64_t dice = random_next(&seed);

		set->entry[i].prefix = random_prefix(&seed);
		set->entry[i].action = dice & 1 ? ACTION_DROP : ACTION_RESET;
		set->entry[i].expires = dice & 2 ? 1 + (uint32_t)(dice >> 8) % 5000 : 0;
		set->entry[i].note = dice & 4 && notes ? 1 + (uint32_t)(dice >> 32) % notes : 0;
	}
	set->count = count;
	entry_set_sort(set);
}

/* What a note of the set must be in the store: its texts, and the number once it is known. */
struct wanted_note {
	const char *reason;
	uint32_t number;
	bool seen;
};

/* The notes of the set, the first for entries without one; the caller frees the array. */
static struct wanted_note *wanted_notes(const struct entry_set *set)
{
	struct wanted_note *notes = calloc(set->note_count + 1, sizeof(*notes));
	const char *text = set->notes;

	assert_non_null(notes);
	notes[0].reason = "";
	for (uint32_t i = 1; i <= set->note_count; i++) {
		notes[i].reason = text;
		text += strlen(text) + 1;
	}
	return notes;
}

static void entry_is(struct store_txn *txn, const struct list_info *list, const struct entry *found,
		     const struct entry *wanted, const char *source, struct wanted_note *notes)
{
	struct wanted_note *note = &notes[wanted->note];

	assert_memory_equal(&found->prefix, &wanted->prefix, sizeof(found->prefix));
	assert_int_equal(found->action, wanted->action);
	assert_int_equal(found->added, TEST_NOW);
	assert_int_equal(found->expires, wanted->expires ? TEST_NOW + wanted->expires : 0);
	if (note->seen) {
		assert_int_equal(found->note, note->number);
		return;
	}
	has_note(txn, list, found, source, note->reason);
	note->number = found->note;
	note->seen = true;
}

void list_is(struct store_txn *txn, const struct list_info *list, const struct entry_set *set,
	     const char *source)
{
	struct wanted_note *notes = wanted_notes(set);
	struct error err = { 0 };
	struct store_scan *scan;
	const struct entry *run;
	size_t at = 0;
	int count;

	succeed(store_scan_open(txn, list, NULL, &scan, &err), &err);
	while ((count = store_scan_next(scan, &run, &err)) > 0) {
		assert_in_range(at + (size_t)count, 1, set->count);
		for (int i = 0; i < count; i++)
			entry_is(txn, list, &run[i], &set->entry[at++], source, notes);
	}
	succeed(count, &err);
	assert_int_equal(at, set->count);
	assert_int_equal(list->ipv4 + list->ipv6, set->count);
	store_scan_close(&scan);
	free(notes);
}
