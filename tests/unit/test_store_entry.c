/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of store/store.h: single entries with their notes and their expiry.
 */
#include "store_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

static void an_entry_is_put_got_and_removed(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK);
	struct entry entry = { .prefix = prefix("192.0.2.0/24"),
			       .action = ACTION_RESET,
			       .added = TEST_NOW,
			       .expires = TEST_NOW + 9 };
	struct entry found, old;

	clock_freeze(TEST_NOW + 1, 1);
	assert_int_equal(store_put(txn, &list, &entry, "uid 0", "spam", NULL), 0);
	assert_int_not_equal(entry.note, 0);
	assert_int_equal(list.ipv4, 1);
	assert_int_equal(list.ipv6, 0);
	assert_int_equal(list.changed, TEST_NOW + 1);
	assert_int_equal(list.lengths[1], 1ull << (120 - 64));
	assert_int_equal(store_get(txn, &list, &entry.prefix, &found, NULL), 1);
	assert_memory_equal(&found, &entry, sizeof(entry));
	has_note(txn, &list, &found, "uid 0", "spam");

	clock_freeze(TEST_NOW + 2, 1);
	assert_int_equal(store_del(txn, &list, &entry.prefix, &old, NULL), 1);
	assert_memory_equal(&old, &entry, sizeof(entry));
	assert_int_equal(list.ipv4, 0);
	assert_int_equal(list.changed, TEST_NOW + 2);
	assert_int_equal(list.lengths[1], 0);
	assert_int_equal(store_get(txn, &list, &entry.prefix, &found, NULL), 0);
	assert_int_equal(store_del(txn, &list, &entry.prefix, &old, NULL), 0);
	commit(&txn);
	clock_freeze(0, 0);
}

/* Prefixes of which one is the start of another, or its neighbour, are told apart. */
static void only_exactly_this_prefix_is_found(void **state)
{
	static const char *const there[] = { "0.0.0.0/0", "192.0.2.0/24", "192.0.2.0/25",
					     "192.0.2.0", "::/0",         "2001:db8::/32",
					     "2001:db8::" };
	static const char *const absent[] = { "192.0.2.0/26",    "192.0.2.1",
					      "192.0.0.0/16",    "::",
					      "2001:db8::/33",   "2001:db8::1",
					      "255.255.255.255", "ffff::" };
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK);
	struct list_info empty = ensure(txn, "empty", LIST_KIND_BLOCK);
	struct entry entry = { .note = 77 };

	for (size_t i = 0; i < COUNT(there); i++)
		put(txn, &list, there[i], 0, "", "");
	for (size_t i = 0; i < COUNT(there); i++) {
		const struct prefix wanted = prefix(there[i]);

		assert_int_equal(store_get(txn, &list, &wanted, &entry, NULL), 1);
		assert_memory_equal(&entry.prefix, &wanted, sizeof(wanted));
		assert_int_equal(store_get(txn, &empty, &wanted, &entry, NULL), 0);
	}
	entry.note = 77;
	for (size_t i = 0; i < COUNT(absent); i++) {
		const struct prefix wanted = prefix(absent[i]);

		assert_int_equal(store_get(txn, &list, &wanted, &entry, NULL), 0);
		assert_int_equal(del(txn, &list, absent[i]), 0);
	}
	assert_int_equal(entry.note, 77); /* untouched */
	assert_int_equal(list.ipv4, 4);
	assert_int_equal(list.ipv6, 3);
	commit(&txn);
}

static void a_second_put_replaces_the_first(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK);
	const struct prefix which = prefix("192.0.2.1");
	struct entry found;
	uint8_t slot = list.slot;

	put(txn, &list, "192.0.2.1", TEST_NOW + 5, "uid 0", "first");
	put(txn, &list, "192.0.2.1", TEST_NOW + 9, "uid 1", "second");
	assert_int_equal(list.ipv4, 1);
	assert_int_equal(store_get(txn, &list, &which, &found, NULL), 1);
	assert_int_equal(found.expires, TEST_NOW + 9);
	has_note(txn, &list, &found, "uid 1", "second");
	put(txn, &list, "192.0.2.1", 0, "", "");
	assert_int_equal(store_get(txn, &list, &which, &found, NULL), 1);
	assert_int_equal(found.note, 0);
	has_note(txn, &list, &found, "", "");
	commit(&txn);
	fixture_close(fixture);
	assert_int_equal(records(fixture->dir, "entries", slot), 1);
	assert_int_equal(records(fixture->dir, "notes", slot), 0);
	assert_int_equal(records(fixture->dir, "expiry", slot), 0);
	fixture_open(fixture);
}

/* The record on disk counts, not what a caller has left from before. */
static void an_old_copy_of_the_record_does_no_harm(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK), copy = list;

	put(txn, &list, "192.0.2.1", 0, "uid 0", "a");
	put(txn, &copy, "192.0.2.2", 0, "uid 0", "b");
	assert_int_equal(copy.ipv4, 2);
	store_abort(&txn);
	txn = begin_write(fixture->store);
	list = ensure(txn, "local", LIST_KIND_BLOCK);
	put(txn, &copy, "192.0.2.3", 0, "uid 0", "c");
	assert_int_equal(copy.ipv4, 1);
	commit(&txn);
	fixture_close(fixture);
	fixture_open(fixture);
}

static void what_is_wrong_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK), before = list, other = list;
	struct entry entry = { .prefix = prefix("192.0.2.1"), .action = ACTION_COUNT, .note = 5 };
	char reason[NOTE_TEXT_MAX + 2], source[NOTE_SOURCE_MAX + 2];
	struct error err = { 0 };

	memset(reason, 'r', sizeof(reason));
	memset(source, 's', sizeof(source));
	reason[NOTE_TEXT_MAX + 1] = source[NOTE_SOURCE_MAX + 1] = '\0';
	assert_int_equal(store_put(txn, &list, &entry, "", "", &err), ERROR_USAGE);
	assert_string_equal(err.text, "an action that does not exist");
	entry.action = ACTION_DROP;
	entry.reserved = 1;
	assert_int_equal(store_put(txn, &list, &entry, "", "", &err), ERROR_USAGE);
	entry.reserved = 0;
	entry.prefix.len = 129;
	assert_int_equal(store_put(txn, &list, &entry, "", "", &err), ERROR_USAGE);
	assert_string_equal(err.text, "a prefix length of 129");
	entry.prefix.len = 127;
	assert_int_equal(store_put(txn, &list, &entry, "", "", &err), ERROR_USAGE);
	assert_string_equal(err.text, "a prefix whose host part is not zero");
	entry.prefix.len = 128;
	assert_int_equal(store_put(txn, &list, &entry, "", reason, &err), ERROR_USAGE);
	assert_string_equal(err.text, "the reason has more than 256 bytes");
	assert_int_equal(store_put(txn, &list, &entry, source, "", &err), ERROR_USAGE);
	assert_string_equal(err.text, "the source has more than 128 bytes");
	memcpy(other.name, "other", sizeof("other"));
	assert_int_equal(store_put(txn, &other, &entry, "", "", &err), ERROR_REFUSED);
	assert_string_equal(err.text, "no list other");
	assert_int_equal(store_del(txn, &other, &entry.prefix, NULL, &err), ERROR_REFUSED);
	assert_memory_equal(&list, &before, sizeof(list));
	assert_int_equal(entry.note, 5);

	reason[NOTE_TEXT_MAX] = source[NOTE_SOURCE_MAX] = '\0'; /* the longest that fit */
	assert_int_equal(store_put(txn, &list, &entry, source, reason, &err), 0);
	has_note(txn, &list, &entry, source, reason);
	commit(&txn);
}

static void a_reader_cannot_write(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK), before = list;
	struct entry entry = { .prefix = prefix("192.0.2.1"), .action = ACTION_DROP };
	struct error err = { 0 };

	commit(&txn);
	txn = begin_read(fixture->store);
	assert_int_equal(store_put(txn, &list, &entry, "", "", &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "cannot write an entry"));
	assert_memory_equal(&list, &before, sizeof(list));
	store_abort(&txn);
}

static void a_lost_note_is_damage(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK);
	const char *source = "before", *reason = "before";
	struct error err = { 0 };

	put(txn, &list, "192.0.2.1", 0, "uid 0", "spam");
	assert_int_equal(store_note(txn, &list, 9, &source, &reason, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "is damaged: list local has lost note 9"));
	assert_string_equal(source, "before");
	assert_string_equal(reason, "before");
	assert_int_equal(store_commit(&txn, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "nothing was written"));
	assert_null(txn);
}

static uint32_t note_of(struct store_txn *txn, struct list_info *list, const char *text)
{
	const struct prefix which = prefix(text);
	struct entry entry;

	assert_int_equal(store_get(txn, list, &which, &entry, NULL), 1);
	return entry.note;
}

static void set_next_note(struct fixture *fixture, struct list_info list, uint32_t next)
{
	const struct bytes key = { list.name, strlen(list.name) }, data = { &list, sizeof(list) };

	list.next_note = next;
	store_close(&fixture->store);
	tamper(fixture->dir, "lists", key, NULL, &data);
	fixture_open(fixture);
}

static void numbers_of_notes_start_again_after_the_last(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK);

	put(txn, &list, "192.0.2.1", 0, "uid 0", "a");
	assert_int_equal(note_of(txn, &list, "192.0.2.1"), 1);
	commit(&txn);
	set_next_note(fixture, list, UINT32_MAX);
	txn = begin_write(fixture->store);
	put(txn, &list, "192.0.2.2", 0, "uid 0", "b");
	put(txn, &list, "192.0.2.3", 0, "uid 0", "c");
	assert_int_equal(note_of(txn, &list, "192.0.2.2"), UINT32_MAX);
	assert_int_equal(note_of(txn, &list, "192.0.2.3"), 2); /* neither 0 nor 1, which is used */
	commit(&txn);
	fixture_close(fixture);
	fixture_open(fixture);
}

static void a_list_may_have_no_number_left(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK), before;
	struct entry entry = { .action = ACTION_DROP };
	struct error err = { 0 };

	for (uint32_t i = 0; i < 5000; i++) {
		const struct addr addr = addr_from_ipv4(i);

		entry.prefix = prefix_of(&addr, 128);
		assert_int_equal(store_put(txn, &list, &entry, "uid 0", "spam", &err), 0);
	}
	commit(&txn);
	set_next_note(fixture, list, 1);
	txn = begin_write(fixture->store);
	before = list;
	entry.prefix = prefix("192.0.2.1");
	assert_int_equal(store_put(txn, &list, &entry, "uid 0", "more", &err), ERROR_REFUSED);
	assert_string_equal(err.text,
			    "list local has no free number for another reason: load it anew");
	assert_memory_equal(&list, &before, sizeof(list));
	assert_int_equal(store_commit(&txn, &err), ERROR_REFUSED);
}

static void what_expires_comes_oldest_first(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info one = ensure(txn, "one", LIST_KIND_BLOCK);
	struct list_info two = ensure(txn, "two", LIST_KIND_ALLOW);
	const struct prefix wanted[] = { prefix("192.0.2.4"), prefix("192.0.2.3"),
					 prefix("192.0.2.2"), prefix("192.0.2.1") };
	const uint8_t slots[] = { one.slot, two.slot, one.slot, two.slot };
	struct expired expired[8];

	put(txn, &two, "192.0.2.1", 0x01000000, "", "");
	put(txn, &one, "192.0.2.2", 0x00ffffff, "", "");
	put(txn, &two, "192.0.2.3", 0x000000ff, "", "");
	put(txn, &one, "192.0.2.4", 1, "", "");
	put(txn, &one, "192.0.2.5", 0x01000001, "", "");
	put(txn, &two, "192.0.2.6", 0, "", "");
	assert_int_equal(store_expired(txn, 0, expired, COUNT(expired), NULL), 0);
	assert_int_equal(store_expired(txn, 0x01000000, expired, 0, NULL), 0);
	assert_int_equal(store_expired(txn, 0x01000000, expired, COUNT(expired), NULL), 4);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		assert_int_equal(expired[i].slot, slots[i]);
		assert_memory_equal(&expired[i].prefix, &wanted[i], sizeof(wanted[i]));
	}
	expired[2].slot = 99;
	assert_int_equal(store_expired(txn, 0x01000000, expired, 2, NULL), 2);
	assert_int_equal(expired[2].slot, 99);
	assert_int_equal(store_expired(txn, UINT32_MAX, expired, COUNT(expired), NULL), 5);
	assert_int_equal(del(txn, &one, "192.0.2.4"), 1);
	assert_int_equal(store_expired(txn, 1, expired, COUNT(expired), NULL), 0);
	commit(&txn);
}

static void fifty_thousand_expire_at_once(void **state)
{
	const int count = 50000;
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK);
	struct entry entry = { .action = ACTION_DROP, .expires = TEST_NOW };
	struct expired *expired = calloc((size_t)count, sizeof(*expired));

	assert_non_null(expired);
	for (int i = 0; i < count; i++) {
		const struct addr addr = addr_from_ipv4(mix64((uint64_t)i) & 0xffffffff);

		entry.prefix = prefix_of(&addr, 128);
		assert_int_equal(store_put(txn, &list, &entry, "uid 0", "", NULL), 0);
	}
	put(txn, &list, "192.0.2.1", TEST_NOW + 1, "", "stays");
	commit(&txn);
	txn = begin_write(fixture->store);
	assert_int_equal(store_expired(txn, TEST_NOW, expired, (size_t)count, NULL), count);
	for (int i = 0; i < count; i++)
		assert_int_equal(store_del(txn, &list, &expired[i].prefix, NULL, NULL), 1);
	assert_int_equal(store_expired(txn, TEST_NOW, expired, (size_t)count, NULL), 0);
	assert_int_equal(list.ipv4, 1);
	commit(&txn);
	fixture_close(fixture);
	assert_int_equal(records(fixture->dir, "notes", list.slot), 1);
	fixture_open(fixture);
	free(expired);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(an_entry_is_put_got_and_removed),
		STORE_TEST(only_exactly_this_prefix_is_found),
		STORE_TEST(a_second_put_replaces_the_first),
		STORE_TEST(an_old_copy_of_the_record_does_no_harm),
		STORE_TEST(what_is_wrong_changes_nothing),
		STORE_TEST(a_reader_cannot_write),
		STORE_TEST(a_lost_note_is_damage),
		STORE_TEST(numbers_of_notes_start_again_after_the_last),
		STORE_TEST(a_list_may_have_no_number_left),
		STORE_TEST(what_expires_comes_oldest_first),
		STORE_TEST(fifty_thousand_expire_at_once),
	};

	return cmocka_run_group_tests_name("store entries", tests, NULL, NULL);
}
