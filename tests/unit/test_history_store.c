/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of policy/history_store and store/store_history: what is remembered of sources comes back
 * from a store that was closed, whatever state it was found in.
 */
#include "store_fixture.h"

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#include "log_capture.h"
#include "policy/history.h"

#define FORGIVE 1000u

static const struct escalation_rules rules = { .ttl = 1, .ttl_max = 1, .forgive = FORGIVE };
static const struct history_drain at_now = { &rules, TEST_NOW };

static struct history *make(size_t max)
{
	struct history *history = NULL;

	assert_int_equal(history_open(&history, max, NULL), 0);
	return history;
}

static struct addr address(const char *text)
{
	return prefix(text).addr;
}

static void offend(struct history *history, const struct addr *addr, uint32_t now)
{
	struct history_record *record = history_get(history, addr);

	escalate(&rules, record, true, now);
	history_touch(history, record, now);
}

/* Saves all that has changed. */
static void save(struct fixture *fixture, struct history *history)
{
	struct history_record record[64];
	struct error err;
	size_t count;

	while ((count = history_dirty(history, &at_now, record, COUNT(record))) != 0)
		if (history_save(fixture->store, record, count, &err))
			fail_msg("%s", err.text);
}

/* A history of that size with what another process finds. */
static struct history *reopen(struct fixture *fixture, size_t max)
{
	struct history *history = make(max);
	struct error err;

	fixture_close(fixture);
	fixture_open(fixture);
	if (history_load(history, &at_now, fixture->store, &err))
		fail_msg("%s", err.text);
	return history;
}

static bool count_record(const struct store_history *record, void *arg)
{
	size_t *count = arg;

	assert_non_null(record->value);
	++*count;
	return true;
}

static size_t stored(struct fixture *fixture)
{
	struct store_txn *txn = begin_read(fixture->store);
	struct error err;
	size_t count = 0;

	if (store_history_each(txn, count_record, &count, &err))
		fail_msg("%s", err.text);
	store_abort(&txn);
	return count;
}

static void records_come_back(void **state)
{
	const struct addr addr = address("192.0.2.1"), other = address("2001:db8::1");
	struct history *history = make(10);
	const struct history_record *found;
	struct history_record want;

	history_close(&history);
	history = reopen(*state, 10);
	assert_int_equal(history_count(history), 0);
	want = (struct history_record){
		.addr = addr,
		.first = TEST_NOW - 9,
		.last = TEST_NOW - 1,
		.offence_time = TEST_NOW - 2,
		.good_time = TEST_NOW - 3,
		.offences = 4,
		.good = 5,
		.until = TEST_NOW + 6,
		.kind = 3,
		.action = ACTION_TARPIT,
		.score = -1234,
	};
	*history_get(history, &addr) = want;
	history_touch(history, history_get(history, &addr), want.last);
	offend(history, &other, TEST_NOW);
	save(*state, history);
	history_close(&history);

	history = reopen(*state, 10);
	assert_int_equal(history_count(history), 2);
	found = history_find(history, &addr);
	assert_non_null(found);
	assert_memory_equal(found, &want, sizeof(want));
	assert_non_null(history_find(history, &other));
	/* Nothing has changed since. */
	save(*state, history);
	assert_int_equal(stored(*state), 2);
	history_close(&history);
}

static void what_is_forgotten_goes_from_the_store(void **state)
{
	const struct addr addr = address("192.0.2.1"), other = address("192.0.2.2");
	struct history *history = make(10);

	offend(history, &addr, TEST_NOW);
	offend(history, &other, TEST_NOW);
	save(*state, history);
	assert_int_equal(stored(*state), 2);
	history_close(&history);
	history = reopen(*state, 10);
	assert_true(history_forget(history, &addr));
	/* Known again before the store hears of it. */
	assert_true(history_forget(history, &other));
	offend(history, &other, TEST_NOW);
	save(*state, history);
	assert_int_equal(stored(*state), 1);
	history_close(&history);
	history = reopen(*state, 10);
	assert_null(history_find(history, &addr));
	assert_non_null(history_find(history, &other));
	history_close(&history);
}

static void what_gives_way_goes_from_the_store(void **state)
{
	struct history *history = make(100);
	struct addr addr;

	for (uint32_t i = 0; i < 1000; i++) {
		addr = addr_from_ipv4(i);
		offend(history, &addr, TEST_NOW);
		if (i % 70 == 0)
			save(*state, history);
	}
	save(*state, history);
	assert_int_equal(stored(*state), 100);
	history_close(&history);
	history = reopen(*state, 100);
	for (uint32_t i = 900; i < 1000; i++) {
		addr = addr_from_ipv4(i);
		assert_non_null(history_find(history, &addr));
	}
	history_close(&history);
}

static void a_smaller_history_keeps_the_latest(void **state)
{
	struct history *history = make(1000);
	struct addr addr;

	/* The order of the addresses is not that of the times. */
	for (uint32_t i = 0; i < 1000; i++) {
		addr = addr_from_ipv4(i * 7919 % 1000);
		offend(history, &addr, TEST_NOW - 999 + i);
	}
	save(*state, history);
	history_close(&history);
	history = reopen(*state, 30);
	assert_int_equal(history_count(history), 30);
	assert_int_equal(stored(*state), 30);
	for (uint32_t i = 970; i < 1000; i++) {
		addr = addr_from_ipv4(i * 7919 % 1000);
		assert_non_null(history_find(history, &addr));
	}
	/* And which is the oldest is known. */
	addr = address("192.0.2.1");
	offend(history, &addr, TEST_NOW);
	addr = addr_from_ipv4(970 * 7919 % 1000);
	assert_null(history_find(history, &addr));
	history_close(&history);
}

static void what_matters_no_more_is_not_loaded(void **state)
{
	const struct history_drain later = { &rules, TEST_NOW + FORGIVE };
	const struct addr addr = address("192.0.2.1"), other = address("192.0.2.2");
	struct history *history = make(10);
	struct fixture *fixture = *state;

	offend(history, &addr, TEST_NOW);
	offend(history, &other, TEST_NOW);
	offend(history, &other, TEST_NOW);
	save(fixture, history);
	history_close(&history);
	history = make(10);
	assert_int_equal(history_load(history, &later, fixture->store, NULL), 0);
	assert_null(history_find(history, &addr));
	assert_non_null(history_find(history, &other));
	assert_int_equal(stored(fixture), 1);
	history_close(&history);
}

/* Writes a record as it is. */
static void plant(struct fixture *fixture, struct addr addr, const void *value, size_t size)
{
	struct store_txn *txn = begin_write(fixture->store);
	struct error err;

	if (store_history_put(txn, addr.byte, value, size, &err))
		fail_msg("%s", err.text);
	commit(&txn);
}

static void damaged_records_are_left_out_aloud(void **state)
{
	/* As on disk: five times, two counters, the score, kind and action. */
	static const struct {
		uint32_t time[5];
		uint16_t count[2];
		int16_t score;
		uint8_t kind, action;
	} good = { { TEST_NOW, TEST_NOW, TEST_NOW, 0, 0 }, { 1, 0 }, 7, 3, ACTION_DROP },
	  no_time = { { TEST_NOW, 0, TEST_NOW, 0, 0 }, { 1, 0 }, 7, 3, ACTION_DROP },
	  no_kind = { { TEST_NOW, TEST_NOW, TEST_NOW, 0, 0 }, { 1, 0 }, 7, 4, ACTION_DROP },
	  no_action = { { TEST_NOW, TEST_NOW, TEST_NOW, 0, 0 }, { 1, 0 }, 7, 3, ACTION_COUNT };
	const struct addr addr = address("192.0.2.1");
	const struct bytes key = { "odd", 3 }, value = { &good, sizeof(good) };
	struct fixture *fixture = *state;
	struct history *history = make(10);
	struct capture capture;
	char *text;

	assert_int_equal(sizeof(good), 28);
	plant(fixture, addr, &good, sizeof(good));
	plant(fixture, address("192.0.2.2"), &good, sizeof(good) - 1);
	plant(fixture, address("192.0.2.3"), &no_time, sizeof(good));
	plant(fixture, address("192.0.2.4"), &no_kind, sizeof(good));
	plant(fixture, address("192.0.2.5"), &no_action, sizeof(good));
	plant(fixture, address("2001:db8::1"), &good, sizeof(good)); /* is no /64 */
	fixture_close(fixture);
	tamper(fixture->dir, "history", key, NULL, &value);
	fixture_open(fixture);
	capture_pipe(&capture);
	assert_int_equal(history_load(history, &at_now, fixture->store, NULL), 0);
	text = capture_end(&capture);
	assert_non_null(strstr(text, "\"history.damaged\""));
	assert_non_null(strstr(text, "\"records\":6"));
	free(text);
	assert_int_equal(history_count(history), 1);
	assert_int_equal(history_find(history, &addr)->score, 7);
	assert_int_equal(stored(fixture), 1);
	history_close(&history);
}

static void store_check_sees_a_key_that_is_no_address(void **state)
{
	const struct bytes key = { "odd", 3 }, value = { "x", 1 };
	struct fixture *fixture = *state;
	struct store_txn *txn;
	struct error err = { 0 };

	fixture_close(fixture);
	tamper(fixture->dir, "history", key, NULL, &value);
	fixture_open(fixture);
	txn = begin_read(fixture->store);
	assert_int_equal(store_check(txn, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "is damaged: a record of the history is none"));
	store_abort(&txn);
}

/* A store of an agent that knew no history. */
static void a_store_without_the_database_gets_it(void **state)
{
	const struct addr addr = address("192.0.2.1");
	struct fixture *fixture = *state;
	struct history *history;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	fixture_close(fixture);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 1), 0);
	assert_int_equal(mdb_env_open(env, fixture->dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "history", 0, &dbi), 0);
	assert_int_equal(mdb_drop(txn, dbi, 1), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	fixture_open(fixture);
	history = reopen(fixture, 10);
	offend(history, &addr, TEST_NOW);
	save(fixture, history);
	history_close(&history);
	history = reopen(fixture, 10);
	assert_non_null(history_find(history, &addr));
	history_close(&history);
}

static void a_save_that_fails_has_not_happened(void **state)
{
	struct history_record record[2] = { { .addr = address("192.0.2.1"), .last = TEST_NOW },
					    { .addr = address("192.0.2.2"), .last = TEST_NOW } };
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct error err = { 0 };

	assert_int_equal(history_save(fixture->store, record, 2, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "is being written by another change"));
	assert_int_equal(store_history_put(txn, record[0].addr.byte, record, 0, &err), ERROR_USAGE);
	assert_int_equal(
		store_history_put(txn, record[0].addr.byte, record, STORE_HISTORY_MAX + 1, &err),
		ERROR_USAGE);
	store_abort(&txn);
	assert_int_equal(stored(fixture), 0);
	assert_int_equal(history_save(fixture->store, record, 0, &err), 0);
	assert_int_equal(history_save(fixture->store, record, 2, &err), 0);
	record[0].last = 0;
	record[1].last = 0;
	assert_int_equal(history_save(fixture->store, record, 1, &err), 0);
	assert_int_equal(stored(fixture), 1);
	assert_int_equal(history_save(fixture->store, record, 2, &err),
			 0); /* one is gone already */
	assert_int_equal(stored(fixture), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(records_come_back),
		STORE_TEST(what_is_forgotten_goes_from_the_store),
		STORE_TEST(what_gives_way_goes_from_the_store),
		STORE_TEST(a_smaller_history_keeps_the_latest),
		STORE_TEST(what_matters_no_more_is_not_loaded),
		STORE_TEST(damaged_records_are_left_out_aloud),
		STORE_TEST(store_check_sees_a_key_that_is_no_address),
		STORE_TEST(a_store_without_the_database_gets_it),
		STORE_TEST(a_save_that_fails_has_not_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
