/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of store/store.h: a store that is full, and the length of its file.
 */
#include "store_fixture.h"

#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void a_full_store_keeps_the_old_list(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn;
	struct list_info list, before;
	struct error err = { 0 };
	struct entry_set small, large;

	fixture_close(fixture);
	remove(fixture_path(fixture, "data.mdb"));
	fixture->size = MIB;
	fixture_open(fixture);
	random_set(&small, 2000, 1);
	random_set(&large, 60000, 2);
	txn = begin_write(fixture->store);
	list = ensure(txn, "drop", LIST_KIND_BLOCK);
	replace(txn, &list, &small, "uid 0");
	commit(&txn);

	before = list;
	txn = begin_write(fixture->store);
	assert_int_equal(store_replace(txn, &list, &large, "uid 0", TEST_NOW, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "is full: raise the option store-size (1 MiB now)"));
	assert_memory_equal(&list, &before, sizeof(list));
	assert_int_equal(store_commit(&txn, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "nothing was written, as a part of it had failed"));
	txn = begin_read(fixture->store);
	list = find(txn, "drop");
	list_is(txn, &list, &small, "uid 0");
	store_abort(&txn);

	txn = begin_write(fixture->store); /* what fits is still taken */
	put(txn, &list, "192.0.2.1", 0, "uid 0", "spam");
	commit(&txn);
	fixture_close(fixture);
	fixture->size = 64 * MIB; /* what the message asked for */
	fixture_open(fixture);
	txn = begin_write(fixture->store);
	replace(txn, &list, &large, "uid 0");
	commit(&txn);
	entry_set_clear(&small);
	entry_set_clear(&large);
}

static void a_store_larger_than_its_size_opens(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
	struct error err = { 0 };
	struct entry_set set;

	random_set(&set, 60000, 2);
	replace(txn, &list, &set, "uid 0");
	commit(&txn);
	fixture_close(fixture);
	fixture->size = MIB;
	fixture_open(fixture);
	txn = begin_write(fixture->store);
	list_is(txn, &list, &set, "uid 0");
	assert_int_equal(store_replace(txn, &list, &set, "uid 1", TEST_NOW, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "store-size"));
	store_abort(&txn);
	entry_set_clear(&set);
}

static bool file_is_short(const struct fixture *fixture)
{
	struct stat file;
	MDB_envinfo info;
	MDB_stat stats;
	MDB_env *env;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, fixture->dir, MDB_RDONLY, 0600), 0);
	assert_int_equal(mdb_env_info(env, &info), 0);
	assert_int_equal(mdb_env_stat(env, &stats), 0);
	mdb_env_close(env);
	assert_return_code(stat(fixture_path(fixture, "data.mdb"), &file), 0);
	return (size_t)file.st_size < (info.me_last_pgno + 1) * stats.ms_psize;
}

/* Puts entries and takes them out again, in one transaction; more of them in every round. */
static void come_and_go(struct store *store, uint64_t round)
{
	uint64_t seed = round;

	struct store_txn *txn = begin_write(store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
	struct entry_set set;

	random_set(&set, 200 * (1 + round * round), seed);
	for (size_t i = 0; i < set.count; i++)
		assert_int_equal(store_put(txn, &list, &set.entry[i], "uid 0", "some reason", NULL),
				 0);
	for (size_t left = set.count; left > 0; left--) {
		struct entry *entry = &set.entry[random_next(&seed) % left];

		assert_int_equal(store_del(txn, &list, &entry->prefix, NULL, NULL), 1);
		*entry = set.entry[left - 1];
	}
	put(txn, &list, "192.0.2.1", 0, "uid 0", "stays");
	commit(&txn);
	entry_set_clear(&set);
}

/*
 * Pages that a transaction takes and gives back are never written. If they lie at the end, the file
 * is shorter than LMDB's own count of its pages, and sound.
 */
static void a_file_that_ends_in_free_pages_is_sound(void **state)
{
	struct fixture *fixture = *state;
	bool is_short = false;
	struct store_txn *txn;
	struct list_info list;
	struct entry_set set;

	for (uint64_t round = 0; round < 12 && !is_short; round++) {
		come_and_go(fixture->store, round);
		fixture_close(fixture);
		is_short = file_is_short(fixture);
		fixture_open(fixture);
	}
	assert_true(is_short); /* or this tests nothing */
	txn = begin_write(fixture->store);
	list = find(txn, "drop");
	assert_int_equal(list.ipv4, 1);
	random_set(&set, 20000, 2);
	replace(txn, &list, &set, "uid 0");
	commit(&txn);
	fixture_close(fixture);
	fixture_open(fixture);
	entry_set_clear(&set);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(a_full_store_keeps_the_old_list),
		STORE_TEST(a_store_larger_than_its_size_opens),
		STORE_TEST(a_file_that_ends_in_free_pages_is_sound),
	};

	return cmocka_run_group_tests_name("store space", tests, NULL, NULL);
}
