/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of store/store.h: opening and the lock, transactions and what readers see.
 */
#include "store_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define READERS_MAX 126 /* what the store allows */

static void a_new_store_is_private_and_empty(void **state)
{
	struct fixture *fixture = *state;
	struct list_info lists[LIST_SLOTS];
	struct store_txn *txn = begin_read(fixture->store);
	struct stat file;

	assert_int_equal(store_list_all(txn, lists, NULL), 0);
	store_abort(&txn);
	assert_null(txn);
	assert_return_code(stat(fixture_path(fixture, "data.mdb"), &file), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
	assert_return_code(stat(fixture_path(fixture, "lock"), &file), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
}

static void the_directory_is_created(void **state)
{
	struct fixture *fixture = *state;
	struct fixture inner = fixture_inside(fixture, "new");
	struct stat file;

	fixture_open(&inner);
	assert_return_code(stat(inner.dir, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0700);
	fixture_close(&inner);
	unlink(fixture_path(&inner, "data.mdb"));
	unlink(fixture_path(&inner, "lock.mdb"));
	unlink(fixture_path(&inner, "lock"));
	assert_return_code(rmdir(inner.dir), 0);
}

static void a_directory_that_cannot_be_is_said(void **state)
{
	struct fixture *fixture = *state;
	struct fixture missing = fixture_inside(fixture, "no/such");
	struct fixture file = fixture_inside(fixture, "data.mdb");

	fixture_open_fails(&missing, "cannot create the directory DIR: No such file or directory");
	fixture_open_fails(&file, "cannot open the directory DIR: Not a directory");
}

static void what_was_committed_is_there_after_reopening(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK), again;
	char value[8];

	put(txn, &list, "192.0.2.1", TEST_NOW + 60, "uid 0", "spam");
	assert_int_equal(store_setting_put(txn, "monitor", "on", NULL), 0);
	commit(&txn);
	fixture_close(fixture);
	fixture_open(fixture);
	txn = begin_read(fixture->store);
	again = find(txn, "local");
	assert_memory_equal(&again, &list, sizeof(list));
	assert_int_equal(store_setting_get(txn, "monitor", value, sizeof(value), NULL), 1);
	assert_string_equal(value, "on");
	store_abort(&txn);
}

static void what_was_aborted_never_was(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK);
	struct error err = { 0 };

	put(txn, &list, "192.0.2.1", 0, "uid 0", "spam");
	store_abort(&txn);
	assert_null(txn);
	txn = begin_read(fixture->store);
	assert_int_equal(store_list_find(txn, "local", &list, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "no list local");
	store_abort(&txn);
	store_abort(&txn); /* nothing to end is nothing to do */
}

/* Tries to open the store; the exit code says whether the text was the right one. */
static void open_elsewhere(struct fixture *fixture, pid_t owner)
{
	struct store *store = NULL;
	struct error err = { 0 };
	char text[ERROR_TEXT_MAX];

	snprintf(text, sizeof(text), "the store %s is already in use by process %d", fixture->dir,
		 (int)owner);
	if (store_open(&store, fixture->dir, fixture->size, &err) != ERROR_REFUSED || store)
		_exit(1);
	_exit(strcmp(err.text, text) ? 2 : 0);
}

static void a_second_process_is_refused(void **state)
{
	struct fixture *fixture = *state;
	const pid_t child = fork();
	struct fixture second = *fixture;
	char text[64];
	int status;

	assert_true(child >= 0);
	if (child == 0)
		open_elsewhere(fixture, getppid());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);

	/* The same process again, too; and the first is none the worse for it. */
	snprintf(text, sizeof(text), "the store DIR is already in use by process %d",
		 (int)getpid());
	second.store = NULL;
	fixture_open_fails(&second, text);
	fixture_close(fixture);
	fixture_open(fixture);
}

static void a_killed_owner_gives_the_lock_back(void **state)
{
	struct fixture *fixture = *state;
	int ready[2], status;
	char byte, text[64];
	pid_t child;

	fixture_close(fixture);
	assert_return_code(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store *store;
		struct store_txn *txn;

		if (store_open(&store, fixture->dir, fixture->size, NULL) ||
		    store_begin_write(store, &txn, NULL) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	snprintf(text, sizeof(text), "the store DIR is already in use by process %d", (int)child);
	fixture_open_fails(fixture, text);
	assert_return_code(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	fixture_open(fixture);
}

static void a_reader_sees_the_moment_it_began(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store), *before, *after;
	struct list_info list = ensure(txn, "local", LIST_KIND_BLOCK);
	const struct prefix first = prefix("192.0.2.1"), second = prefix("192.0.2.2");
	struct entry entry;

	put(txn, &list, "192.0.2.1", 0, "uid 0", "old");
	commit(&txn);
	before = begin_read(fixture->store);
	txn = begin_write(fixture->store);
	put(txn, &list, "192.0.2.2", 0, "uid 0", "new");
	assert_int_equal(del(txn, &list, "192.0.2.1"), 1);
	assert_int_equal(store_get(before, &list, &first, &entry, NULL), 1); /* not committed */
	commit(&txn);
	after = begin_read(fixture->store);

	list = find(before, "local");
	assert_int_equal(store_get(before, &list, &first, &entry, NULL), 1);
	has_note(before, &list, &entry, "uid 0", "old");
	assert_int_equal(store_get(before, &list, &second, &entry, NULL), 0);
	assert_int_equal(store_get(after, &list, &first, &entry, NULL), 0);
	assert_int_equal(store_get(after, &list, &second, &entry, NULL), 1);
	has_note(after, &list, &entry, "uid 0", "new");
	store_abort(&before);
	store_abort(&after);
}

static void *end_reading(void *arg)
{
	struct store_txn *txn = arg;
	struct list_info lists[LIST_SLOTS];
	const int count = store_list_all(txn, lists, NULL);

	store_abort(&txn);
	return (void *)(intptr_t)count;
}

static void a_reader_may_move_to_another_thread(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store), *mine;
	pthread_t thread;
	void *count;

	ensure(txn, "local", LIST_KIND_BLOCK);
	commit(&txn);
	txn = begin_read(fixture->store);
	mine = begin_read(fixture->store); /* two in one thread are allowed */
	assert_int_equal(pthread_create(&thread, NULL, end_reading, txn), 0);
	assert_int_equal(pthread_join(thread, &count), 0);
	assert_int_equal((intptr_t)count, 1);
	store_abort(&mine);
}

static void too_many_readers_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn[READERS_MAX], *more = NULL;
	struct error err = { 0 };

	for (int i = 0; i < READERS_MAX; i++)
		txn[i] = begin_read(fixture->store);
	assert_int_equal(store_begin_read(fixture->store, &more, &err), ERROR_REFUSED);
	assert_null(more);
	assert_non_null(strstr(err.text, "is being read by as many as it allows"));
	store_abort(&txn[0]);
	txn[0] = begin_read(fixture->store);
	for (int i = 0; i < READERS_MAX; i++)
		store_abort(&txn[i]);
}

static void a_second_writer_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store), *second = NULL;
	struct error err = { 0 };

	assert_int_equal(store_begin_write(fixture->store, &second, &err), ERROR_REFUSED);
	assert_null(second);
	assert_non_null(strstr(err.text, "is being written by another change"));
	commit(&txn);
	txn = begin_write(fixture->store);
	store_abort(&txn);
	txn = begin_write(fixture->store);
	store_abort(&txn);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(a_new_store_is_private_and_empty),
		STORE_TEST(the_directory_is_created),
		STORE_TEST(a_directory_that_cannot_be_is_said),
		STORE_TEST(what_was_committed_is_there_after_reopening),
		STORE_TEST(what_was_aborted_never_was),
		STORE_TEST(a_second_process_is_refused),
		STORE_TEST(a_killed_owner_gives_the_lock_back),
		STORE_TEST(a_reader_sees_the_moment_it_began),
		STORE_TEST(a_reader_may_move_to_another_thread),
		STORE_TEST(too_many_readers_are_refused),
		STORE_TEST(a_second_writer_is_refused),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
