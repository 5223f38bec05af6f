/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of store_check(), and of what is checked at once when a store is opened: every difference
 * that is looked for is made behind the store's back and must be found.
 */
#include "store_fixture.h"

#include <stdio.h>
#include <string.h>

/* The list that is damaged below: three entries, of which two have notes and two expire. */
static struct list_info damaged_list(struct fixture *fixture)
{
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK);

	put(txn, &list, "192.0.2.1", TEST_NOW + 1, "uid 0", "one");
	put(txn, &list, "192.0.2.2", TEST_NOW + 2, "uid 0", "two");
	put(txn, &list, "2001:db8::/32", 0, "", "");
	commit(&txn);
	fixture_close(fixture);
	return list;
}

static struct bytes slot_of(const struct list_info *list)
{
	static uint32_t slot;

	slot = list->slot;
	return (struct bytes){ &slot, sizeof(slot) };
}

/* Opening still works, and the check says this. */
static void check_says(struct fixture *fixture, const char *text)
{
	char expected[ERROR_TEXT_MAX];
	struct error err = { 0 };
	struct store_txn *txn;

	fixture_open(fixture);
	txn = begin_read(fixture->store);
	assert_int_equal(store_check(txn, &err), ERROR_REFUSED);
	snprintf(expected, sizeof(expected), "the store %s is damaged: %s", fixture->dir, text);
	assert_string_equal(err.text, expected);
	store_abort(&txn);
	store_close(&fixture->store);
}

static void write_record(struct fixture *fixture, const struct list_info *list)
{
	const struct bytes key = { list->name, strlen(list->name) };
	const struct bytes data = { list, sizeof(*list) };

	tamper(fixture->dir, "lists", key, NULL, &data);
}

static void wrong_counts_are_found(void **state)
{
	struct fixture *fixture = *state;
	const struct list_info list = damaged_list(fixture);
	struct list_info wrong = list;

	wrong.ipv4--;
	wrong.ipv6++;
	write_record(fixture, &wrong);
	check_says(fixture, "list local counts its entries wrongly");
	wrong = list;
	wrong.ipv4--;
	write_record(fixture, &wrong);
	check_says(fixture, "list local has more entries than it says");
	wrong.ipv4 = UINT64_MAX / 2;
	write_record(fixture, &wrong);
	check_says(fixture, "list local counts its entries wrongly");
	wrong = list;
	wrong.lengths[2] = 0;
	write_record(fixture, &wrong);
	check_says(fixture, "list local does not say that it has 192.0.2.1");
}

static void bad_entries_are_found(void **state)
{
	struct fixture *fixture = *state;
	struct list_info list = damaged_list(fixture);
	struct entry entry = { .prefix = prefix("192.0.2.9"), .action = ACTION_DROP };
	const struct bytes data = { &entry, sizeof(entry) };
	struct bytes slot;

	list.ipv4++;
	write_record(fixture, &list);
	slot = slot_of(&list);
	entry.prefix.len = 120; /* host bits */
	tamper(fixture->dir, "entries", slot, NULL, &data);
	check_says(fixture, "list local has an entry that is none");
	tamper(fixture->dir, "entries", slot, &data, NULL);
	entry.prefix = prefix("192.0.2.2"); /* a second one of the same prefix */
	entry.note = UINT32_MAX;
	tamper(fixture->dir, "entries", slot, NULL, &data);
	check_says(fixture, "list local is out of order at 192.0.2.2");
	tamper(fixture->dir, "entries", slot, &data, NULL);
	entry.prefix.len = 200; /* not even a walk may hand this out */
	tamper(fixture->dir, "entries", slot, NULL, &data);
	check_says(fixture, "a page of entries does not hold entries");
}

static void lost_and_foreign_notes_are_found(void **state)
{
	static const uint8_t third[] = { 0, 0, 0, 3, 1, 0, 0, 0, 'a', 0, 'b', 0 };
	static const uint8_t no_text[] = { 0, 0, 0, 3, 1, 0, 0, 0, 'a', 0, 'b' };
	static const uint8_t first[] = { 0,   0,   0,   1,   1, 0,   0,   0,   'u',
					 'i', 'd', ' ', '0', 0, 'o', 'n', 'e', 0 };
	static const uint8_t first_twice[] = { 0, 0, 0, 1, 2, 0, 0, 0, 'a', 0, 'b', 0 };
	const char *const text = "the notes of list local do not fit its entries";
	const struct bytes extra = { third, sizeof(third) }, bad = { no_text, sizeof(no_text) };
	const struct bytes real = { first, sizeof(first) };
	const struct bytes twice = { first_twice, sizeof(first_twice) };
	struct fixture *fixture = *state;
	const struct list_info list = damaged_list(fixture);
	const struct bytes slot = slot_of(&list);

	tamper(fixture->dir, "notes", slot, NULL, &extra);
	check_says(fixture, text);
	tamper(fixture->dir, "notes", slot, &extra, &bad);
	check_says(fixture, text);
	tamper(fixture->dir, "notes", slot, &bad, NULL);
	fixture_open(fixture);
	fixture_close(fixture); /* all is well again */
	tamper(fixture->dir, "notes", slot, &real, &twice);
	check_says(fixture, text);
	tamper(fixture->dir, "notes", slot, &twice, NULL);
	check_says(fixture, text);
	tamper(fixture->dir, "notes", slot, NULL, NULL);
	check_says(fixture, text);
}

static void lost_and_foreign_expiry_is_found(void **state)
{
	uint8_t row[24] = { 0, 0, 0, 1 };
	const char *const text = "the expiry rows of list local do not fit its entries";
	const struct bytes extra = { row, sizeof(row) };
	struct fixture *fixture = *state;
	const struct list_info list = damaged_list(fixture);
	const struct bytes slot = slot_of(&list);

	tamper(fixture->dir, "expiry", slot, NULL, &extra);
	check_says(fixture, text);
	tamper(fixture->dir, "expiry", slot, &extra, NULL);
	fixture_open(fixture);
	fixture_close(fixture);
	tamper(fixture->dir, "expiry", slot, NULL, NULL);
	check_says(fixture, text);
}

static void records_without_a_list_are_found(void **state)
{
	static const char *const databases[] = { "entries", "notes", "expiry" };
	const uint32_t slots[] = { 5, LIST_SLOTS, UINT32_MAX };
	const struct entry entry = { .prefix = { .len = 0 } };
	struct fixture *fixture = *state;

	damaged_list(fixture);
	for (size_t i = 0; i < COUNT(databases); i++) {
		const struct bytes slot = { &slots[i], sizeof(slots[i]) };
		const struct bytes data = { &entry, i == 2 ? 24 : sizeof(entry) };

		tamper(fixture->dir, databases[i], slot, NULL, &data);
		check_says(fixture, "a list that is gone has left something");
		tamper(fixture->dir, databases[i], slot, NULL, NULL);
	}
	fixture_open(fixture);
}

static void bad_records_of_lists_are_refused_at_once(void **state)
{
	struct fixture *fixture = *state;
	const struct list_info list = damaged_list(fixture);
	const struct bytes key = { "local", 5 }, half = { &list, sizeof(list) / 2 };
	const struct bytes other = { "other", 5 }, whole = { &list, sizeof(list) };
	struct list_info wrong = list;

	tamper(fixture->dir, "lists", key, NULL, &half);
	fixture_open_fails(fixture, "the store DIR is damaged: the record of a list has 176 bytes");
	wrong.slot = LIST_SLOTS;
	write_record(fixture, &wrong);
	fixture_open_fails(fixture, "the store DIR is damaged: the record of a list is not one");
	wrong = list;
	wrong.kind = 2;
	write_record(fixture, &wrong);
	fixture_open_fails(fixture, "the store DIR is damaged: the record of a list is not one");
	wrong = list;
	memset(wrong.origin, 'x', sizeof(wrong.origin));
	write_record(fixture, &wrong);
	fixture_open_fails(fixture, "the store DIR is damaged: the record of a list is not one");
	write_record(fixture, &list);
	tamper(fixture->dir, "lists", other, NULL, &whole);
	fixture_open_fails(fixture, "the store DIR is damaged: the record of a list is not one");
	wrong = list;
	memcpy(wrong.name, "other", sizeof("other"));
	write_record(fixture, &wrong);
	fixture_open_fails(fixture, "the store DIR is damaged: two lists have the same slot");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(wrong_counts_are_found),
		STORE_TEST(bad_entries_are_found),
		STORE_TEST(lost_and_foreign_notes_are_found),
		STORE_TEST(lost_and_foreign_expiry_is_found),
		STORE_TEST(records_without_a_list_are_found),
		STORE_TEST(bad_records_of_lists_are_refused_at_once),
	};

	return cmocka_run_group_tests_name("store check", tests, NULL, NULL);
}
