/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of store/store.h: whole lists replaced.
 */
#include "store_fixture.h"

#include <malloc.h>
#include <string.h>

/*
 * From nothing through a single record, a part of a page, one page and several, and back, always on
 * top of what was there. LMDB keeps each of these in a different shape.
 */
static void lists_of_every_size_replace_each_other(void **state)
{
	static const size_t sizes[] = { 1,    0,   2,    3,    1,   20,  60,   61,   62,  63,
					64,   100, 126,  127,  128, 129, 1,    1023, 5,   1024,
					1025, 254, 2049, 5000, 2,   0,   5000, 4999, 5000 };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct store_txn *txn = begin_write(fixture->store);
		struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
		struct error err = { 0 };
		struct entry_set set;

		random_set(&set, sizes[i], i);
		replace(txn, &list, &set, "uid 0");
		list_is(txn, &list, &set, "uid 0");
		commit(&txn);
		txn = begin_read(fixture->store);
		list = find(txn, "drop");
		assert_int_equal(list.changed, TEST_NOW);
		list_is(txn, &list, &set, "uid 0");
		if (store_check(txn, &err))
			fail_msg("size %zu: %s", sizes[i], err.text);
		store_abort(&txn);
		entry_set_clear(&set);
	}
}

static void single_changes_follow_a_replacement(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
	struct list_info other = ensure(txn, "local", LIST_KIND_BLOCK);
	struct error err = { 0 };
	struct entry_set set;

	random_set(&set, 3000, 7);
	replace(txn, &list, &set, "uid 0");
	put(txn, &list, "192.0.2.1", TEST_NOW + 3, "uid 1", "by hand");
	put(txn, &other, "192.0.2.1", TEST_NOW + 3, "uid 1", "by hand");
	/* Most notes are shared: each goes with the last of its entries. */
	for (size_t i = 0; i < set.count; i++) {
		assert_int_equal(store_del(txn, &list, &set.entry[i].prefix, NULL, &err), 1);
		if (i % 500 == 0 && store_check(txn, &err))
			fail_msg("after %zu: %s", i, err.text);
	}
	assert_int_equal(list.ipv4, 1);
	assert_int_equal(list.ipv6, 0);
	commit(&txn);
	fixture_close(fixture);
	assert_int_equal(records(fixture->dir, "notes", list.slot), 1);
	assert_int_equal(records(fixture->dir, "expiry", list.slot), 1);
	fixture_open(fixture);
	txn = begin_write(fixture->store);
	replace(txn, &list, &set, "uid 0");
	replace(txn, &list, &set, "uid 2"); /* twice in one transaction */
	list_is(txn, &list, &set, "uid 2");
	other = find(txn, "local");
	assert_int_equal(other.ipv4, 1); /* the other list is left alone */
	commit(&txn);
	fixture_close(fixture);
	fixture_open(fixture);
	entry_set_clear(&set);
}

static void an_empty_set_clears(void **state)
{
	static const struct entry_set empty;
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
	struct entry_set set;

	random_set(&set, 1000, 3);
	replace(txn, &list, &set, "uid 0");
	commit(&txn);
	txn = begin_write(fixture->store);
	replace(txn, &list, &empty, "uid 0");
	assert_int_equal(list.ipv4 + list.ipv6, 0);
	assert_int_equal(list.lengths[0] | list.lengths[1] | list.lengths[2], 0);
	commit(&txn);
	fixture_close(fixture);
	assert_int_equal(records(fixture->dir, "entries", list.slot), 0);
	assert_int_equal(records(fixture->dir, "notes", list.slot), 0);
	assert_int_equal(records(fixture->dir, "expiry", list.slot), 0);
	fixture_open(fixture);
	entry_set_clear(&set);
}

static void entries_without_a_reason_share_the_source(void **state)
{
	struct entry entries[] = {
		{ .prefix = prefix("192.0.2.1"), .action = ACTION_DROP },
		{ .prefix = prefix("192.0.2.2"), .action = ACTION_DROP, .note = 3 },
		{ .prefix = prefix("192.0.2.3"), .action = ACTION_DROP },
	};
	char notes[] = "unused\0also unused\0used";
	const struct entry_set set = { .entry = entries,
				       .count = COUNT(entries),
				       .notes = notes,
				       .notes_size = sizeof(notes),
				       .note_count = 3 };
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);

	replace(txn, &list, &set, "uid 0");
	list_is(txn, &list, &set, "uid 0");
	commit(&txn);
	fixture_close(fixture);
	assert_int_equal(records(fixture->dir, "notes", list.slot), 2);
	fixture_open(fixture);
	txn = begin_write(fixture->store);
	replace(txn, &list, &set, "");
	list_is(txn, &list, &set, "");
	commit(&txn);
	fixture_close(fixture);
	assert_int_equal(records(fixture->dir, "notes", list.slot), 1);
	fixture_open(fixture);
}

static void a_time_to_live_ends_with_the_clock(void **state)
{
	struct entry entries[] = {
		{ .prefix = prefix("192.0.2.1"), .action = ACTION_DROP, .expires = UINT32_MAX },
		{ .prefix = prefix("192.0.2.2"), .action = ACTION_DROP, .expires = 60 },
	};
	const struct entry_set set = { .entry = entries, .count = COUNT(entries) };
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
	struct expired expired[2];
	struct entry found;

	replace(txn, &list, &set, "");
	assert_int_equal(store_get(txn, &list, &entries[0].prefix, &found, NULL), 1);
	assert_int_equal(found.expires, UINT32_MAX);
	assert_int_equal(store_get(txn, &list, &entries[1].prefix, &found, NULL), 1);
	assert_int_equal(found.expires, TEST_NOW + 60);
	assert_int_equal(store_expired(txn, TEST_NOW + 60, expired, 2, NULL), 1);
	assert_memory_equal(&expired[0].prefix, &entries[1].prefix, sizeof(struct prefix));
	commit(&txn);
}

/* What is wrong with a set, and how it is said. Each row changes a good set of three in one way. */
struct bad_set {
	void (*spoil)(struct entry_set *set);
	const char *text;
};

static void unsort(struct entry_set *set)
{
	set->entry[2].prefix = set->entry[0].prefix;
}

static void repeat(struct entry_set *set)
{
	set->entry[1].prefix = set->entry[0].prefix;
}

static void stretch(struct entry_set *set)
{
	set->entry[2].prefix.len = 200;
}

static void set_host_bits(struct entry_set *set)
{
	set->entry[1].prefix.len = 120;
}

static void act_strangely(struct entry_set *set)
{
	set->entry[0].action = 4;
}

static void refer_to_nothing(struct entry_set *set)
{
	set->entry[1].note = 3;
}

static void cut_the_notes(struct entry_set *set)
{
	set->notes_size--;
}

static void add_to_the_notes(struct entry_set *set)
{
	set->note_count--;
	set->entry[1].note = 0;
}

static void count_more_notes(struct entry_set *set)
{
	set->note_count = 200;
}

static void lose_the_notes(struct entry_set *set)
{
	set->notes = NULL;
}

static const struct bad_set bad_sets[] = {
	{ unsort, "entry 3 is not after the one before it: sort the set" },
	{ repeat, "entry 2 is not after the one before it: sort the set" },
	{ stretch, "entry 3: a prefix length of 200" },
	{ set_host_bits, "entry 2: a prefix whose host part is not zero" },
	{ act_strangely, "entry 1: an action that does not exist" },
	{ refer_to_nothing, "entry 2 has a reason that is not there" },
	{ cut_the_notes, "reason 2 has no end" },
	{ add_to_the_notes, "4 bytes follow the last reason" },
	{ count_more_notes, "200 reasons in 8 bytes" },
	{ lose_the_notes, "reason 1 has no end" },
};

static void a_bad_set_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK), before;
	struct entry_set old;

	random_set(&old, 100, 1);
	replace(txn, &list, &old, "uid 0");
	before = list;
	for (size_t i = 0; i < COUNT(bad_sets); i++) {
		struct entry entries[] = {
			{ .prefix = prefix("192.0.2.1"), .action = ACTION_DROP, .note = 1 },
			{ .prefix = prefix("192.0.2.2"), .action = ACTION_DROP, .note = 2 },
			{ .prefix = prefix("192.0.2.3"), .action = ACTION_DROP },
		};
		char notes[] = "one\0two";
		struct entry_set set = { entries, COUNT(entries), notes, sizeof(notes), 2 };
		struct error err = { 0 };

		bad_sets[i].spoil(&set);
		assert_int_equal(store_replace(txn, &list, &set, "uid 0", TEST_NOW, &err),
				 ERROR_USAGE);
		assert_string_equal(err.text, bad_sets[i].text);
		assert_memory_equal(&list, &before, sizeof(list));
	}
	list_is(txn, &list, &old, "uid 0");
	commit(&txn);
	entry_set_clear(&old);
}

static void texts_have_limits(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
	struct entry entry = { .prefix = prefix("192.0.2.1"), .action = ACTION_DROP, .note = 1 };
	char notes[NOTE_TEXT_MAX + 2], source[NOTE_SOURCE_MAX + 2];
	struct entry_set set = { &entry, 1, notes, sizeof(notes), 1 };
	struct error err = { 0 };

	memset(notes, 'n', sizeof(notes));
	memset(source, 's', sizeof(source));
	notes[NOTE_TEXT_MAX + 1] = source[NOTE_SOURCE_MAX + 1] = '\0';
	assert_int_equal(store_replace(txn, &list, &set, "", TEST_NOW, &err), ERROR_USAGE);
	assert_string_equal(err.text, "reason 1 has more than 256 bytes");
	notes[NOTE_TEXT_MAX] = '\0';
	set.notes_size--;
	assert_int_equal(store_replace(txn, &list, &set, source, TEST_NOW, &err), ERROR_USAGE);
	assert_string_equal(err.text, "the source has more than 128 bytes");
	source[NOTE_SOURCE_MAX] = '\0';
	assert_int_equal(store_replace(txn, &list, &set, source, TEST_NOW, &err), 0);
	list_is(txn, &list, &set, source);
	memcpy(list.name, "other", sizeof("other"));
	assert_int_equal(store_replace(txn, &list, &set, source, TEST_NOW, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "no list other");
	commit(&txn);
}

#define LARGE 120000 /* entries: LMDB dirties 3.7 MiB of pages for them */

/* The pages of a large change go as soon as nobody has a transaction, and everything is still
 * there. */
static void memory_of_a_large_change_is_given_back(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store), *reader;
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
	struct entry_set set;
	size_t held, kept;

	random_set(&set, LARGE, 9);
	replace(txn, &list, &set, "uid 0");
	commit(&txn);
	reader = begin_read(fixture->store);
	held = mallinfo2().uordblks;
	store_trim(fixture->store); /* too early */
	list_is(reader, &list, &set, "uid 0");
	store_abort(&reader);
	kept = mallinfo2().uordblks;
	store_trim(fixture->store);
	if (held) /* the sanitizers' allocators do not say */
		assert_true(kept + MIB > held && mallinfo2().uordblks + 3 * MIB < kept);
	txn = begin_write(fixture->store);
	list_is(txn, &list, &set, "uid 0");
	put(txn, &list, "192.0.2.1", 0, "uid 1", "by hand");
	commit(&txn);
	entry_set_clear(&set);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(lists_of_every_size_replace_each_other),
		STORE_TEST(single_changes_follow_a_replacement),
		STORE_TEST(an_empty_set_clears),
		STORE_TEST(entries_without_a_reason_share_the_source),
		STORE_TEST(a_time_to_live_ends_with_the_clock),
		STORE_TEST(a_bad_set_changes_nothing),
		STORE_TEST(texts_have_limits),
		STORE_TEST(memory_of_a_large_change_is_given_back),
	};

	return cmocka_run_group_tests_name("store replacement", tests, NULL, NULL);
}
