/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what the store says of files that are damaged, lost or not its own.
 */
#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static void overwrite(const struct fixture *fixture, const void *bytes, size_t size, off_t at)
{
	const int fd = open(fixture_path(fixture, "data.mdb"), O_WRONLY);

	assert_return_code(fd, errno);
	assert_int_equal(pwrite(fd, bytes, size, at), size);
	close(fd);
}

static off_t length(const struct fixture *fixture)
{
	struct stat file;

	assert_return_code(stat(fixture_path(fixture, "data.mdb"), &file), errno);
	return file.st_size;
}

static void another_kind_of_file_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char bytes[4 * PAGE];

	fixture_close(fixture);
	memset(bytes, 'x', sizeof(bytes));
	overwrite(fixture, bytes, sizeof(bytes), 0);
	fixture_open_fails(fixture, "the store DIR is damaged or not Postern's: cannot open it: "
				    "MDB_INVALID: File is not an LMDB file");
	assert_return_code(truncate(fixture_path(fixture, "data.mdb"), 100), errno);
	fixture_open_fails(fixture, "the store DIR is damaged or not Postern's: cannot open it: "
				    "MDB_INVALID: File is not an LMDB file");
	assert_int_equal(length(fixture), 100);
}

static void the_database_of_another_program_is_refused(void **state)
{
	const struct bytes key = { "key", 3 }, data = { "data", 4 };
	struct fixture *fixture = *state;

	fixture_close(fixture);
	remove(fixture_path(fixture, "data.mdb"));
	tamper(fixture->dir, "birds", key, NULL, &data);
	fixture_open_fails(fixture, "the store DIR is damaged or not Postern's: no meta in it");
	tamper(fixture->dir, "meta", key, NULL, &data);
	fixture_open_fails(fixture, "the store DIR is damaged or not Postern's: no version in it");
}

static void another_version_is_refused(void **state)
{
	const uint32_t version = 7;
	const struct bytes key = { "version", 7 }, data = { &version, sizeof(version) };
	const struct bytes text = { "seven", 5 };
	struct fixture *fixture = *state;

	fixture_close(fixture);
	tamper(fixture->dir, "meta", key, NULL, &data);
	fixture_open_fails(fixture, "the store DIR has version 7 and this agent reads version 1: "
				    "use the agent that wrote it, or another state-directory");
	tamper(fixture->dir, "meta", key, NULL, &text);
	fixture_open_fails(fixture, "the store DIR is damaged: its version is not a number");
}

static void a_database_of_another_kind_is_refused(void **state)
{
	struct fixture *fixture = *state;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	fixture_close(fixture);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 1), 0);
	assert_int_equal(mdb_env_open(env, fixture->dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "expiry", 0, &dbi), 0);
	assert_int_equal(mdb_drop(txn, dbi, 1), 0);
	assert_int_equal(mdb_dbi_open(txn, "expiry", MDB_CREATE | MDB_REVERSEKEY, &dbi), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	fixture_open_fails(fixture, "the store DIR is damaged or not Postern's: cannot open its "
				    "databases: MDB_INCOMPATIBLE: Operation and DB incompatible, "
				    "or DB flags changed");
}

static void a_file_that_lost_its_end_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
	struct entry_set set;
	char text[128];
	long pages;

	random_set(&set, 5000, 1);
	replace(txn, &list, &set, "uid 0");
	commit(&txn);
	fixture_close(fixture);
	pages = length(fixture) / PAGE;
	for (long keep = pages - 1; keep >= 2; keep -= 7) {
		assert_return_code(truncate(fixture_path(fixture, "data.mdb"), keep * PAGE), errno);
		snprintf(
			text, sizeof(text),
			"the store DIR is damaged: data.mdb has lost its end (%ld of %ld pages are "
			"there)",
			keep, pages);
		fixture_open_fails(fixture, text);
		assert_int_equal(length(fixture), keep * PAGE);
	}
	entry_set_clear(&set);
}

static void only_regular_files_are_opened(void **state)
{
	static const char *const names[] = { "data.mdb", "lock", "lock.mdb" };
	struct fixture *fixture = *state;
	char text[64];

	fixture_close(fixture);
	for (size_t i = 0; i < COUNT(names); i++) {
		remove(fixture_path(fixture, names[i]));
		assert_return_code(symlink("/dev/null", fixture_path(fixture, names[i])), errno);
		snprintf(text, sizeof(text), "DIR/%s is not a regular file", names[i]);
		fixture_open_fails(fixture, text);
		remove(fixture_path(fixture, names[i]));
	}
	fixture_open(fixture);
}

static void a_directory_without_permission_is_said(void **state)
{
	struct fixture *fixture = *state;

	fixture_close(fixture);
	if (geteuid() == 0 && seteuid(65534))
		fail_msg("cannot become nobody");
	fixture_open_fails(fixture, "cannot open the directory DIR: Permission denied");
	if (getuid() == 0)
		assert_return_code(seteuid(0), errno);
}

static void a_setting_that_is_no_text_is_damage(void **state)
{
	const struct bytes key = { "rate", 4 }, data = { "20", 2 };
	struct fixture *fixture = *state;
	struct error err = { 0 };
	struct store_txn *txn;
	char value[8];

	fixture_close(fixture);
	tamper(fixture->dir, "settings", key, NULL, &data);
	fixture_open(fixture);
	txn = begin_read(fixture->store);
	assert_int_equal(store_setting_get(txn, "rate", value, sizeof(value), &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "is damaged: the setting rate is not a text"));
	store_abort(&txn);
}

/* In a process of its own: the exit code is 0 if something was found, or LMDB aborts. */
static void look_at(const struct fixture *fixture)
{
	const int null = open("/dev/null", O_WRONLY);
	struct store_txn *txn;
	struct store *store;

	if (dup2(null, STDERR_FILENO) < 0)
		_exit(2);
	if (store_open(&store, fixture->dir, fixture->size, NULL))
		_exit(0);
	if (store_begin_read(store, &txn, NULL))
		_exit(0);
	_exit(store_check(txn, NULL) ? 0 : 1);
}

/* Whether it is noticed that the page is lost. It must not end in a crash of another kind. */
static bool loss_is_noticed(const struct fixture *fixture, long page)
{
	static const char zeroes[PAGE];
	const int fd = open(fixture_path(fixture, "data.mdb"), O_RDONLY);
	char saved[PAGE];
	int status;
	pid_t child;

	assert_int_equal(pread(fd, saved, PAGE, page * PAGE), PAGE);
	close(fd);
	overwrite(fixture, zeroes, PAGE, page * PAGE);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		look_at(fixture);
	assert_int_equal(waitpid(child, &status, 0), child);
	overwrite(fixture, saved, PAGE, page * PAGE);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGABRT);
		return true;
	}
	assert_in_range(WEXITSTATUS(status), 0, 1);
	return WEXITSTATUS(status) == 0;
}

static void lost_pages_are_noticed(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn = begin_write(fixture->store);
	struct list_info list = ensure(txn, "drop", LIST_KIND_BLOCK);
	struct entry_set set;
	long pages, noticed = 0;

	random_set(&set, 3000, 1);
	replace(txn, &list, &set, "uid 0");
	commit(&txn);
	fixture_close(fixture);
	pages = length(fixture) / PAGE;
	for (long page = 2; page < pages; page++)
		noticed += loss_is_noticed(fixture, page);
	assert_in_range(noticed, 3000 / 127, pages); /* the others are free */
	fixture_open(fixture);
	entry_set_clear(&set);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(another_kind_of_file_is_refused),
		STORE_TEST(the_database_of_another_program_is_refused),
		STORE_TEST(another_version_is_refused),
		STORE_TEST(a_database_of_another_kind_is_refused),
		STORE_TEST(a_file_that_lost_its_end_is_refused),
		STORE_TEST(only_regular_files_are_opened),
		STORE_TEST(a_directory_without_permission_is_said),
		STORE_TEST(a_setting_that_is_no_text_is_damage),
		STORE_TEST(lost_pages_are_noticed),
	};

	return cmocka_run_group_tests_name("store damage", tests, NULL, NULL);
}
