/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of policy/greylist_store with files that are not what greylist_save() has written: nothing
 * of them is used, they are put aside, and greylisting goes on with an empty memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "policy/greylist_internal.h"
#include "tests/unit/addr_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DELAY        300u
#define WALL         1700000000u
#define UPTIME       5000u
#define WHOLE_MAX    1024
#define VERSION      1u
#define HEAD         sizeof(struct snapshot_head)
#define COUNTS       (HEAD + 16)
#define ROWS         (HEAD + 32)
#define ROW          16u

static const struct greylist_rules rules = { DELAY, 86400, 3000000 };

/* A good file, with a row of each kind in this order: one that waits, one that has passed, a maker.
 */
struct place {
	char directory[32];
	char path[64], bad[64];
	uint8_t whole[WHOLE_MAX];
	size_t size;
};

static struct greylist *open_greylist(void)
{
	struct greylist *greylist = NULL;
	struct error err;

	if (greylist_open(&greylist, 100, &err))
		fail_msg("%s", err.text);
	return greylist;
}

static void ask(struct greylist *greylist, const char *text, const char *domain)
{
	const struct greylist_key key = { .addr = addr_of(text), .domain = domain };

	greylist_ask(greylist, &rules, &key, greylist_now());
}

static void make_file(struct place *place)
{
	struct greylist *greylist = open_greylist();
	struct greylist_kept kept;
	struct error err;
	FILE *file;

	ask(greylist, "192.0.2.1", NULL);
	clock_freeze(WALL + DELAY, (UPTIME + DELAY) * NS_A_SECOND);
	ask(greylist, "192.0.2.1", NULL);
	ask(greylist, "198.51.100.1", "mail.example");
	if (greylist_save(greylist, place->directory, greylist_now(), &kept, &err))
		fail_msg("%s", err.text);
	greylist_close(&greylist);
	file = fopen(place->path, "rb");
	assert_non_null(file);
	place->size = fread(place->whole, 1, WHOLE_MAX, file);
	fclose(file);
	assert_int_equal(place->size, ROWS + 3 * ROW);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->directory, "/tmp/postern-greylist-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	snprintf(place->path, sizeof(place->path), "%s/greylist", place->directory);
	snprintf(place->bad, sizeof(place->bad), "%s/greylist.bad", place->directory);
	clock_freeze(WALL, UPTIME * NS_A_SECOND);
	make_file(place);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	unlink(place->bad);
	assert_return_code(rmdir(place->directory), 0);
	free(place);
	clock_freeze(0, 0);
	return 0;
}

static void write_file(const struct place *place, const uint8_t *data, size_t size)
{
	FILE *file = fopen(place->path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* How many it has loaded; -1 if the file was refused and put aside, and then it has none. */
static int loaded(const struct place *place, const uint8_t *data, size_t size, struct error *err)
{
	struct greylist *greylist = open_greylist();
	struct greylist_kept kept;
	int count, failed;

	write_file(place, data, size);
	failed = greylist_load(greylist, &rules, place->directory, greylist_now(), &kept, err);
	count = (int)greylist_count(greylist);
	greylist_close(&greylist);
	if (!failed)
		return count;
	assert_int_equal(count, 0);
	assert_int_equal(kept.bytes, 0);
	assert_int_equal(access(place->path, F_OK), -1);
	assert_return_code(access(place->bad, F_OK), 0);
	return -1;
}

static void the_file_is_good(void **state)
{
	struct place *place = *state;
	struct error err;

	assert_int_equal(loaded(place, place->whole, place->size, &err), 2);
	assert_int_equal(access(place->bad, F_OK), -1);
}

static void each_octet_counts(void **state)
{
	struct place *place = *state;
	struct error err;

	for (size_t at = 0; at < place->size; at++) {
		for (unsigned int bit = 0; bit < 8; bit += 7) {
			place->whole[at] ^= (uint8_t)(1u << bit);
			if (loaded(place, place->whole, place->size, &err) != -1)
				fail_msg("octet %zu may be any", at);
			place->whole[at] ^= (uint8_t)(1u << bit);
		}
		if (loaded(place, place->whole, at, &err) != -1)
			fail_msg("%zu octets are enough", at);
	}
	assert_int_equal(loaded(place, place->whole, place->size, &err), 2);
}

/* One line says what, where, and where it is now. */
static void what_is_said(void **state)
{
	struct place *place = *state;
	char expected[ERROR_TEXT_MAX];
	struct error err;

	place->whole[ROWS] ^= 1;
	assert_int_equal(loaded(place, place->whole, place->size, &err), -1);
	snprintf(expected, sizeof(expected),
		 "%s: it is damaged: its checksum is wrong; it is called greylist.bad now",
		 place->path);
	assert_string_equal(err.text, expected);
}

static void set_number(struct place *place, size_t at, uint32_t value)
{
	memcpy(place->whole + at, &value, sizeof(value));
}

static void seal(struct place *place, uint32_t version, const struct snapshot_time *now)
{
	snapshot_seal(place->whole, place->size, version, now);
}

/* The checksum is right, and what is in it cannot be: each by itself. */
static void what_cannot_be(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		int count;
	} cases[] = {
		{ COUNTS, 0, -1 },
		{ COUNTS, 2, -1 },
		{ COUNTS, UINT32_MAX, -1 },
		{ COUNTS + 4, 0, -1 },
		{ COUNTS + 8, UINT32_MAX, -1 },
		/* Seen last before it was seen first. */
		{ ROWS + 12, 1000, -1 },
		{ ROWS + ROW + 8, 0, 2 },
		{ ROWS + ROW + 12, DELAY + 1, -1 },
		/* Domains of a network. */
		{ ROWS + 2 * ROW + 12, 0, -1 },
		{ ROWS + 2 * ROW + 12, GREYLIST_DOMAINS_MAX, 2 },
		{ ROWS + 2 * ROW + 12, GREYLIST_DOMAINS_MAX + 1, -1 },
		/* As old as can be: not loaded, and no damage. */
		{ ROWS + 8, UINT32_MAX, 1 },
		{ ROWS + 2 * ROW + 8, UINT32_MAX, 2 },
	};
	struct place *place = *state;
	uint8_t good[WHOLE_MAX];
	struct snapshot_time now;
	struct error err;

	snapshot_now(&now);
	memcpy(good, place->whole, sizeof(good));
	for (size_t i = 0; i < COUNT(cases); i++) {
		memcpy(place->whole, good, sizeof(good));
		set_number(place, cases[i].at, cases[i].value);
		seal(place, VERSION, &now);
		if (loaded(place, place->whole, place->size, &err) != cases[i].count)
			fail_msg("case %zu: %s", i, err.text);
	}
}

/* A key that is in both tables has passed. */
static void who_waits_and_has_passed(void **state)
{
	struct place *place = *state;
	struct snapshot_time now;
	struct error err;

	snapshot_now(&now);
	memcpy(place->whole + ROWS, place->whole + ROWS + ROW, 8);
	seal(place, VERSION, &now);
	assert_int_equal(loaded(place, place->whole, place->size, &err), 1);
}

static void another_version(void **state)
{
	struct place *place = *state;
	struct snapshot_time now;
	struct error err;

	snapshot_now(&now);
	seal(place, VERSION + 1, &now);
	assert_int_equal(loaded(place, place->whole, place->size, &err), -1);
	assert_non_null(strstr(err.text, "it has version 2 and this agent reads version 1"));
}

/* The machine was started again meanwhile, or the file is from another one. */
static void the_time_of_day(void **state)
{
	static const struct {
		int32_t later; /* the file, in seconds */
		int count;
	} cases[] = {
		{ 0, 2 },     { -86400, 2 }, { -86401, 1 },
		{ 86400, 2 }, { 86401, -1 }, { -3000001, 0 },
	};
	struct place *place = *state;
	struct error err;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct snapshot_time then = { WALL + DELAY + (uint32_t)cases[i].later,
						    77,
						    { 1 } };

		seal(place, VERSION, &then);
		if (loaded(place, place->whole, place->size, &err) != cases[i].count)
			fail_msg("case %zu: %s", i, err.text);
	}
	assert_int_equal(access(place->bad, F_OK), 0);
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(the_file_is_good),
		PLACE_TEST(each_octet_counts),
		PLACE_TEST(what_is_said),
		PLACE_TEST(what_cannot_be),
		PLACE_TEST(who_waits_and_has_passed),
		PLACE_TEST(another_version),
		PLACE_TEST(the_time_of_day),
	};

	return cmocka_run_group_tests_name("greylist damage", tests, NULL, NULL);
}
