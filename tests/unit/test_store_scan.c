/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of store/store.h: walks over lists.
 */
#include "store_fixture.h"

#include <string.h>

#define PAGE_ENTRIES 127 /* on a page of 4096 bytes */

/* The walk from `from` must give what a list of these entries has from there on. */
static void walk_gives(struct store_txn *txn, const struct list_info *list,
		       const struct prefix *from, const struct entry_set *set)
{
	struct store_scan *scan;
	const struct entry *run = NULL;
	size_t at = 0;
	int count;

	while (at < set->count && prefix_compare(&set->entry[at].prefix, from) < 0)
		at++;
	assert_int_equal(store_scan_open(txn, list, from, &scan, NULL), 0);
	while ((count = store_scan_next(scan, &run, NULL)) > 0) {
		assert_in_range(count, 1, PAGE_ENTRIES);
		for (int i = 0; i < count; i++, at++)
			assert_memory_equal(&run[i].prefix, &set->entry[at].prefix,
					    sizeof(struct prefix));
	}
	assert_int_equal(count, 0);
	assert_int_equal(at, set->count);
	assert_int_equal(store_scan_next(scan, &run, NULL), 0); /* the end stays the end */
	store_scan_close(&scan);
	assert_null(scan);
	store_scan_close(&scan);
}

static void walks_start_where_they_are_told(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 50, 127, 300, 2000 };
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	uint64_t seed = 5;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
		const struct prefix first = { .len = 0 };
		struct prefix from;
		struct entry_set set;

		random_set(&set, sizes[i], i);
		replace(txn, &list, &set, "");
		walk_gives(txn, &list, &first, &set);
		memset(&from, 0xff, sizeof(from));
		walk_gives(txn, &list, &from, &set);
		for (int probe = 0; probe < 200 && set.count; probe++) {
			from = set.entry[random_next(&seed) % set.count].prefix;
			walk_gives(txn, &list, &from, &set);
			from.len += probe & 1; /* just behind it */
			walk_gives(txn, &list, &from, &set);
		}
		entry_set_clear(&set);
	}
	commit(&txn);
}

static void walks_stay_in_their_list(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info lists[3];
	struct entry_set sets[3];
	char name[] = "list-0";

	for (size_t i = 0; i < COUNT(lists); i++) {
		name[5] = (char)('0' + i);
		lists[i] = ensure(txn, name, LIST_KIND_BLOCK);
		random_set(&sets[i], i == 1 ? 0 : 300, i);
		replace(txn, &lists[i], &sets[i], name);
	}
	name[5] = '0';
	list_is(txn, &lists[0], &sets[0], name);
	list_is(txn, &lists[1], &sets[1], name);
	name[5] = '2';
	list_is(txn, &lists[2], &sets[2], name);
	commit(&txn);
	for (size_t i = 0; i < COUNT(lists); i++)
		entry_set_clear(&sets[i]);
}

static void a_reader_keeps_the_old_list_through_replacements(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store), *reader;
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK), old;
	struct entry_set first, next;

	random_set(&first, 3000, 1);
	replace(txn, &list, &first, "first");
	commit(&txn);
	reader = begin_read(fixture->store);
	old = find(reader, "drop");
	for (uint64_t i = 2; i < 10; i++) {
		txn = begin_write(fixture->store);
		random_set(&next, 3000, i);
		replace(txn, &list, &next, "next");
		commit(&txn);
		entry_set_clear(&next);
	}
	list_is(reader, &old, &first, "first");
	store_abort(&reader);
	entry_set_clear(&first);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(walks_start_where_they_are_told),
		STORE_TEST(walks_stay_in_their_list),
		STORE_TEST(a_reader_keeps_the_old_list_through_replacements),
	};

	return cmocka_run_group_tests_name("store walks", tests, NULL, NULL);
}
