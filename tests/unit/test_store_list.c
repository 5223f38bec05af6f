/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of store/store.h: the records of the lists, and the operator's settings.
 */
#include "store_fixture.h"

#include <stdio.h>
#include <string.h>

static void lists_come_in_the_order_of_their_names(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info lists[LIST_SLOTS], again;

	assert_int_equal(ensure(txn, "zen", LIST_KIND_BLOCK).slot, 0);
	assert_int_equal(ensure(txn, "Drop", LIST_KIND_BLOCK).slot, 1);
	assert_int_equal(ensure(txn, "trusted", LIST_KIND_ALLOW).slot, 2);
	again = ensure(txn, "Drop", LIST_KIND_BLOCK);
	assert_int_equal(again.slot, 1);
	commit(&txn);
	txn = begin_read(fixture->store);
	assert_int_equal(store_list_all(txn, lists, NULL), 3);
	assert_string_equal(lists[0].name, "Drop");
	assert_string_equal(lists[1].name, "trusted");
	assert_int_equal(lists[1].kind, LIST_KIND_ALLOW);
	assert_string_equal(lists[2].name, "zen");
	assert_int_equal(lists[2].ipv4 + lists[2].ipv6, 0);
	assert_string_equal(lists[2].origin, "");
	store_abort(&txn);
}

static void a_list_has_one_kind(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info untouched = { .name = "as it was" };
	struct error err = { 0 };

	ensure(txn, "trusted", LIST_KIND_ALLOW);
	ensure(txn, "local", LIST_KIND_BLOCK);
	assert_int_equal(store_list_ensure(txn, "trusted", LIST_KIND_BLOCK, &untouched, &err),
			 ERROR_REFUSED);
	assert_string_equal(err.text, "trusted is an allow list, not a block list");
	assert_int_equal(store_list_ensure(txn, "local", LIST_KIND_ALLOW, &untouched, &err),
			 ERROR_REFUSED);
	assert_string_equal(err.text, "local is a block list, not an allow list");
	assert_int_equal(store_list_ensure(txn, "a b", LIST_KIND_BLOCK, &untouched, &err),
			 ERROR_USAGE);
	assert_int_equal(store_list_find(txn, "", &untouched, &err), ERROR_USAGE);
	assert_int_equal(
		store_list_find(txn, "123456789012345678901234567890123", &untouched, &err),
		ERROR_USAGE);
	assert_string_equal(untouched.name, "as it was");
	commit(&txn); /* a refusal spoils nothing */
}

static void there_are_as_many_lists_as_slots(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list, removed;
	struct error err = { 0 };
	char name[16];

	for (int i = 0; i < LIST_SLOTS; i++) {
		snprintf(name, sizeof(name), "list-%d", i);
		list = ensure(txn, name, LIST_KIND_BLOCK);
		assert_int_equal(list.slot, i);
		put(txn, &list, "192.0.2.1", TEST_NOW, "uid 0", "spam");
	}
	assert_int_equal(store_list_ensure(txn, "one-more", LIST_KIND_BLOCK, &list, &err),
			 ERROR_REFUSED);
	assert_string_equal(err.text, "there are 63 lists already, which is as many as there can "
				      "be; none of them is empty");
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "list-%d", 17 + i);
		list = find(txn, name);
		assert_int_equal(del(txn, &list, "192.0.2.1"), 1);
	}
	assert_int_equal(store_list_ensure(txn, "one-more", LIST_KIND_BLOCK, &list, &err),
			 ERROR_REFUSED);
	assert_non_null(strstr(err.text, "; empty, and fit for clear: list-17, list-18"));
	removed = find(txn, "list-17");
	assert_int_equal(store_list_remove(txn, "list-17", &err), 0);
	assert_int_equal(store_list_find(txn, "list-17", &list, &err), ERROR_REFUSED);
	assert_int_equal(store_list_remove(txn, "list-17", &err), ERROR_REFUSED);
	assert_string_equal(err.text, "no list list-17");
	assert_int_equal(ensure(txn, "one-more", LIST_KIND_ALLOW).slot, removed.slot);
	commit(&txn);
	fixture_close(fixture); /* checks that nothing of the removed list is left */
	fixture_open(fixture);
}

static void an_update_writes_monitor_and_origin_only(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK), mine = list;
	struct error err = { 0 };

	put(txn, &list, "192.0.2.1", 0, "", "");
	mine.monitor = 7; /* the rest of `mine` is older than the put */
	memcpy(mine.origin, "/etc/drop.txt", sizeof("/etc/drop.txt"));
	assert_int_equal(store_list_update(txn, &mine, &err), 0);
	list = find(txn, "local");
	assert_int_equal(list.monitor, 1);
	assert_string_equal(list.origin, "/etc/drop.txt");
	assert_int_equal(list.ipv4, 1);

	memset(mine.origin, 'x', sizeof(mine.origin));
	assert_int_equal(store_list_update(txn, &mine, &err), ERROR_USAGE);
	memcpy(mine.name, "other", sizeof("other"));
	mine.origin[0] = '\0';
	assert_int_equal(store_list_update(txn, &mine, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "no list other");
	commit(&txn);
}

static void settings_are_kept(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	char value[8] = "before";

	assert_int_equal(store_setting_get(txn, "rate-source", value, sizeof(value), NULL), 0);
	assert_string_equal(value, "before");
	assert_int_equal(store_setting_put(txn, "rate-source", "20", NULL), 0);
	assert_int_equal(store_setting_put(txn, "rate-source", "40", NULL), 0);
	assert_int_equal(store_setting_put(txn, "rate", "", NULL), 0);
	commit(&txn);
	txn = begin_write(fixture->store);
	assert_int_equal(store_setting_get(txn, "rate-source", value, sizeof(value), NULL), 1);
	assert_string_equal(value, "40");
	assert_int_equal(store_setting_get(txn, "rate", value, sizeof(value), NULL), 1);
	assert_string_equal(value, "");
	assert_int_equal(store_setting_del(txn, "rate-source", NULL), 0);
	assert_int_equal(store_setting_del(txn, "rate-source", NULL), 0);
	assert_int_equal(store_setting_get(txn, "rate-source", value, sizeof(value), NULL), 0);
	commit(&txn);
}

static void settings_have_limits(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	char key[SETTING_KEY_MAX + 2], value[SETTING_VALUE_MAX + 2], small[4] = "old";
	struct error err = { 0 };

	memset(key, 'k', sizeof(key));
	memset(value, 'v', sizeof(value));
	key[SETTING_KEY_MAX + 1] = value[SETTING_VALUE_MAX + 1] = '\0';
	assert_int_equal(store_setting_put(txn, key, "", &err), ERROR_USAGE);
	assert_string_equal(err.text, "a setting's key has 1 to 64 bytes");
	assert_int_equal(store_setting_put(txn, "", "", &err), ERROR_USAGE);
	assert_int_equal(store_setting_get(txn, "", small, sizeof(small), &err), ERROR_USAGE);
	assert_int_equal(store_setting_del(txn, "", &err), ERROR_USAGE);
	assert_int_equal(store_setting_put(txn, "k", value, &err), ERROR_USAGE);
	assert_string_equal(err.text, "the value of k has more than 1024 bytes");
	key[SETTING_KEY_MAX] = value[SETTING_VALUE_MAX] = '\0';
	assert_int_equal(store_setting_put(txn, key, value, &err), 0);
	assert_int_equal(store_setting_get(txn, key, small, sizeof(small), &err), ERROR_REFUSED);
	assert_string_equal(small, "old");
	assert_int_equal(store_setting_get(txn, key, value, sizeof(value), &err), 1);
	commit(&txn);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(lists_come_in_the_order_of_their_names),
		STORE_TEST(a_list_has_one_kind),
		STORE_TEST(there_are_as_many_lists_as_slots),
		STORE_TEST(an_update_writes_monitor_and_origin_only),
		STORE_TEST(settings_are_kept),
		STORE_TEST(settings_have_limits),
	};

	return cmocka_run_group_tests_name("store lists", tests, NULL, NULL);
}
