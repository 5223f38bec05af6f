/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of store/snapshot: files that are there as a whole or not at all, and how old they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "store/snapshot.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VERSION      3u
#define TEXT         "what is worth keeping"
#define SIZE         (sizeof(struct snapshot_head) + sizeof(TEXT))
#define DAY          86400u

struct place {
	char directory[32];
	struct snapshot_file file;
	char path[64];
};

static const struct snapshot_time noon = { 1700000000u, 5000, { 1, 2, 3 } };

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->directory, "/tmp/postern-snapshot-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	place->file = (struct snapshot_file){ place->directory, "kept", VERSION, 4096 };
	*state = place;
	return 0;
}

static const char *path(struct place *place, const char *suffix)
{
	snprintf(place->path, sizeof(place->path), "%s/kept%s", place->directory, suffix);
	return place->path;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = { "", ".new", ".bad" };
	struct place *place = *state;

	for (size_t i = 0; i < COUNT(suffixes); i++)
		if (unlink(path(place, suffixes[i])))
			rmdir(path(place, suffixes[i]));
	assert_return_code(rmdir(place->directory), 0);
	free(place);
	clock_freeze(0, 0);
	return 0;
}

static void fill(uint8_t whole[SIZE])
{
	memcpy(whole + sizeof(struct snapshot_head), TEXT, sizeof(TEXT));
}

static int write_text(const struct place *place, struct error *err)
{
	uint8_t whole[SIZE];

	fill(whole);
	return snapshot_write(&place->file, whole, sizeof(whole), err);
}

static void expect_text(const struct place *place, uint32_t age)
{
	struct snapshot got;
	struct error err;

	if (snapshot_read(&place->file, &got, &err) != 1)
		fail_msg("%s", err.text);
	assert_int_equal(got.size, sizeof(TEXT));
	assert_string_equal((const char *)got.data, TEXT);
	assert_int_equal(got.age, age);
	snapshot_free(&got);
	assert_null(got.whole);
}

static void expect_refused(const struct place *place, const char *why)
{
	struct snapshot got;
	struct error err = { 0 };

	assert_int_equal(snapshot_read(&place->file, &got, &err), ERROR_REFUSED);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void what_was_written_is_read(void **state)
{
	struct place *place = *state;
	struct snapshot got;
	struct stat info;
	struct error err;

	assert_int_equal(snapshot_read(&place->file, &got, &err), 0);
	umask(0);
	assert_int_equal(write_text(place, &err), 0);
	expect_text(place, 0);
	assert_int_equal(write_text(place, &err), 0);
	expect_text(place, 0);
	assert_return_code(stat(path(place, ""), &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(access(path(place, ".new"), F_OK), -1);
}

/* Each bit of each octet counts, and so does each length. */
static void whatever_is_damaged_is_refused(void **state)
{
	uint8_t whole[SIZE], longer[SIZE + 1] = { 0 };
	struct error err;
	uint32_t age = 7;

	(void)state;
	fill(whole);
	snapshot_seal(whole, SIZE, VERSION, &noon);
	assert_int_equal(snapshot_check(whole, SIZE, VERSION, &noon, &age, &err), 0);
	assert_int_equal(age, 0);
	for (size_t bit = 0; bit < 8 * SIZE; bit++) {
		whole[bit / 8] ^= (uint8_t)(1u << bit % 8);
		err.text[0] = '\0';
		if (snapshot_check(whole, SIZE, VERSION, &noon, &age, &err) != ERROR_REFUSED ||
		    !err.text[0])
			fail_msg("bit %zu may be any", bit);
		whole[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t size = 0; size < SIZE; size++)
		assert_int_equal(snapshot_check(whole, size, VERSION, &noon, &age, &err),
				 ERROR_REFUSED);
	memcpy(longer, whole, SIZE);
	assert_int_equal(snapshot_check(longer, SIZE + 1, VERSION, &noon, &age, &err),
			 ERROR_REFUSED);
}

static void another_version(void **state)
{
	uint8_t whole[SIZE];
	struct error err;
	uint32_t age;

	(void)state;
	fill(whole);
	snapshot_seal(whole, SIZE, VERSION + 1, &noon);
	assert_int_equal(snapshot_check(whole, SIZE, VERSION, &noon, &age, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "it has version 4 and this agent reads version 3");
}

/* How old it is, by which of the clocks; -1: it is refused. */
static void the_clocks(void **state)
{
	static const struct {
		int64_t wall, mono; /* seconds later than `noon` */
		uint8_t boot;
		int64_t age;
	} cases[] = {
		{ 10, 10, 1, 10 },
		/* The machine was not started again: the time of day is nothing. */
		{ 10 + DAY, 10, 1, 10 },
		{ 10 - 3 * DAY, 10, 1, 10 },
		{ -1700000000, 10, 1, 10 },
		/* It was. */
		{ 3600, -4990, 2, 3600 },
		{ 3600, 100000, 2, 3600 },
		{ 0, -4990, 2, 0 },
		{ -60, -4990, 2, 0 },
		{ -(int64_t)DAY, -4990, 2, 0 },
		{ -(int64_t)DAY - 1, -4990, 2, -1 },
		{ -1700000000, -4990, 2, -1 },
		/* A clock of the same start that goes back is none. */
		{ 3600, -1, 1, 3600 },
	};
	uint8_t whole[SIZE];

	(void)state;
	fill(whole);
	snapshot_seal(whole, SIZE, VERSION, &noon);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct snapshot_time now = { (uint32_t)(noon.wall + cases[i].wall),
						   (uint32_t)(noon.mono + cases[i].mono),
						   { cases[i].boot, 2, 3 } };
		struct error err;
		uint32_t age = 77;
		const int failed = snapshot_check(whole, SIZE, VERSION, &now, &age, &err);

		if (failed ? cases[i].age >= 0 : age != cases[i].age)
			fail_msg("case %zu: %d, age %u", i, failed, age);
	}
}

/* Without a name for the start of the machine two of them are never the same. */
static void a_start_that_has_no_name(void **state)
{
	const struct snapshot_time then = { 1700000000u, 5000, { 0 } };
	const struct snapshot_time now = { 1700000060u, 5001, { 0 } };
	uint8_t whole[SIZE];
	struct error err;
	uint32_t age;

	(void)state;
	fill(whole);
	snapshot_seal(whole, SIZE, VERSION, &then);
	assert_int_equal(snapshot_check(whole, SIZE, VERSION, &now, &age, &err), 0);
	assert_int_equal(age, 60);
}

/* The clock of the machine, and the name of its start, are the real ones. */
static void the_time_that_passes(void **state)
{
	struct place *place = *state;
	struct snapshot_time now;
	struct error err;

	snapshot_now(&now);
	assert_memory_not_equal(now.boot, ((uint8_t[16]){ 0 }), sizeof(now.boot));
	clock_freeze(1700000000u, 1000 * NS_A_SECOND);
	assert_int_equal(write_text(place, &err), 0);
	clock_freeze(1600000000u, 1090 * NS_A_SECOND);
	expect_text(place, 90);
}

/* What is no regular file is neither followed, waited for, nor written to. */
static void what_is_in_the_way(void **state)
{
	struct place *place = *state;
	char other[64];
	struct stat info;
	struct error err;

	snprintf(other, sizeof(other), "%s", path(place, ".bad"));
	close(open(other, O_WRONLY | O_CREAT | O_EXCL, 0600));
	assert_return_code(symlink(other, path(place, "")), 0);
	expect_refused(place, "Too many levels of symbolic links");
	assert_return_code(symlink(other, path(place, ".new")), 0);
	assert_int_equal(write_text(place, &err), 0);
	expect_text(place, 0);
	assert_return_code(stat(other, &info), 0);
	assert_int_equal(info.st_size, 0);
	unlink(path(place, ""));
	assert_return_code(mkfifo(path(place, ""), 0600), 0);
	expect_refused(place, "not a regular file");
	assert_return_code(mkfifo(path(place, ".new"), 0600), 0);
	assert_int_equal(write_text(place, &err), 0);
	expect_text(place, 0);
}

static void put_aside(void **state)
{
	struct place *place = *state;
	struct snapshot got;
	struct error err;

	assert_int_equal(snapshot_put_aside(&place->file, &err), ERROR_REFUSED);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(write_text(place, &err), 0);
		assert_int_equal(snapshot_put_aside(&place->file, &err), 0);
		assert_int_equal(snapshot_read(&place->file, &got, &err), 0);
		assert_return_code(access(path(place, ".bad"), F_OK), 0);
	}
}

static void too_large(void **state)
{
	struct place *place = *state;
	struct error err;

	assert_int_equal(write_text(place, &err), 0);
	assert_return_code(truncate(path(place, ""), 4097), 0);
	expect_refused(place, "too large");
	assert_return_code(truncate(path(place, ""), 4096), 0);
	expect_refused(place, "more than belongs to it");
	assert_return_code(truncate(path(place, ""), SIZE - 1), 0);
	expect_refused(place, "lost its end");
}

/* A write that cannot be completed leaves what there was. */
static void a_full_disk(void **state)
{
	struct rlimit before, limit;
	struct place *place = *state;
	struct error err;

	assert_int_equal(write_text(place, &err), 0);
	assert_return_code(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ SIZE - 1, before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_return_code(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(write_text(place, &err), ERROR_REFUSED);
	assert_return_code(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_non_null(strstr(err.text, "cannot write "));
	assert_non_null(strstr(err.text, "/kept: File too large"));
	assert_int_equal(access(path(place, ".new"), F_OK), -1);
	expect_text(place, 0);
}

/* Nor does one that has no directory, or a name that cannot be replaced. */
static void no_place(void **state)
{
	struct place *place = *state;
	struct error err;

	assert_return_code(mkdir(path(place, ""), 0700), 0);
	assert_int_equal(write_text(place, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "cannot replace "));
	assert_int_equal(access(path(place, ".new"), F_OK), -1);
	expect_refused(place, "not a regular file");
	place->file.directory = "/nonexistent";
	assert_int_equal(write_text(place, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "cannot write /nonexistent/kept: No such file or directory");
	place->file.directory = place->directory;
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(what_was_written_is_read),
		cmocka_unit_test(whatever_is_damaged_is_refused),
		cmocka_unit_test(another_version),
		cmocka_unit_test(the_clocks),
		cmocka_unit_test(a_start_that_has_no_name),
		PLACE_TEST(the_time_that_passes),
		PLACE_TEST(what_is_in_the_way),
		PLACE_TEST(put_aside),
		PLACE_TEST(too_large),
		PLACE_TEST(a_full_disk),
		PLACE_TEST(no_place),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
