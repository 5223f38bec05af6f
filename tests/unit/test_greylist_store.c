/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of policy/greylist_store: what greylisting knows after a restart, from a directory of the
 * test's and by clocks of the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "policy/greylist_internal.h"
#include "tests/unit/addr_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DELAY        300u
#define WINDOW       86400u
#define KEEP         3000000u
#define ROOM         20000
#define WALL         1700000000u
#define UPTIME       5000000u
#define HEADS        (sizeof(struct snapshot_head) + 32)

static const struct greylist_rules rules = { DELAY, WINDOW, KEEP };

struct place {
	char directory[32];
	char path[64];
	uint32_t passed; /* seconds since the test began */
	struct greylist *greylist;
};

/* The time of day is `ahead` of what it should be. */
static void set_time(const struct place *place, int32_t ahead)
{
	clock_freeze(WALL + place->passed + (uint32_t)ahead,
		     (UPTIME + place->passed) * NS_A_SECOND);
}

static void pass(struct place *place, uint32_t seconds)
{
	place->passed += seconds;
	set_time(place, 0);
}

static const char *path(struct place *place, const char *suffix)
{
	snprintf(place->path, sizeof(place->path), "%s/" GREYLIST_FILE "%s", place->directory,
		 suffix);
	return place->path;
}

static void open_empty(struct place *place, size_t max)
{
	struct error err;

	greylist_close(&place->greylist);
	if (greylist_open(&place->greylist, max, &err))
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	/* In memory, so that much is saved while little changes. */
	strcpy(place->directory, "/dev/shm/postern-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	set_time(place, 0);
	open_empty(place, ROOM);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = { "", ".bad" };
	struct place *place = *state;

	greylist_close(&place->greylist);
	for (size_t i = 0; i < COUNT(suffixes); i++)
		unlink(path(place, suffixes[i]));
	assert_return_code(rmdir(place->directory), 0);
	free(place);
	clock_freeze(0, 0);
	return 0;
}

static struct greylist_answer ask(struct place *place, const char *text, const char *domain)
{
	const struct greylist_key key = { .addr = addr_of(text), .domain = domain };

	return greylist_ask(place->greylist, &rules, &key, greylist_now());
}

static struct greylist_kept save(struct place *place)
{
	struct greylist_kept kept;
	struct error err;

	if (greylist_save(place->greylist, place->directory, greylist_now(), &kept, &err))
		fail_msg("%s", err.text);
	return kept;
}

static struct greylist_kept load(struct place *place)
{
	struct greylist_kept kept;
	struct error err;

	open_empty(place, ROOM);
	if (greylist_load(place->greylist, &rules, place->directory, greylist_now(), &kept, &err))
		fail_msg("%s", err.text);
	return kept;
}

/* With the whole state directory as it was. */
static void restart(struct place *place)
{
	save(place);
	load(place);
}

static void nothing_is_there_at_first(void **state)
{
	struct place *place = *state;

	assert_int_equal(load(place).bytes, 0);
	assert_int_equal(save(place).bytes, 0);
	assert_int_equal(access(path(place, ""), F_OK), -1);
}

static void who_waits_and_who_has_passed(void **state)
{
	struct place *place = *state;
	struct greylist_kept kept;

	assert_int_equal(ask(place, "192.0.2.1", NULL).state, GREYLIST_FIRST);
	ask(place, "2001:db8::1", "mail.example");
	pass(place, DELAY);
	assert_int_equal(ask(place, "192.0.2.1", NULL).state, GREYLIST_PASSED);
	assert_int_equal(ask(place, "198.51.100.1", NULL).state, GREYLIST_FIRST);
	pass(place, 100);
	kept = save(place);
	assert_int_equal(kept.waiting, 2);
	assert_int_equal(kept.passed, 1);
	assert_int_equal(kept.makers, 1);
	assert_int_equal(kept.bytes, HEADS + 4 * 16);
	pass(place, 50);
	kept = load(place);
	assert_int_equal(kept.waiting, 2);
	assert_int_equal(kept.passed, 1);
	assert_int_equal(kept.makers, 1);
	assert_int_equal(kept.bytes, HEADS + 4 * 16);
	assert_int_equal(kept.age, 50);
	assert_int_equal(ask(place, "198.51.100.1", NULL).wait, DELAY - 150);
	assert_int_equal(ask(place, "192.0.2.9", NULL).state, GREYLIST_PASSED);
	assert_int_equal(ask(place, "203.0.113.1", "mail.example").state, GREYLIST_PASSED);
	assert_int_equal(ask(place, "203.0.113.1", NULL).state, GREYLIST_FIRST);
}

/* The time that was waited adds up over restarts, and so does that without mail. */
static void over_and_over(void **state)
{
	struct place *place = *state;

	ask(place, "192.0.2.1", NULL);
	for (unsigned int i = 1; i < 30; i++) {
		pass(place, 10);
		restart(place);
		assert_int_equal(ask(place, "192.0.2.1", NULL).wait, DELAY - 10 * i);
	}
	pass(place, 10);
	restart(place);
	assert_int_equal(ask(place, "192.0.2.1", NULL).state, GREYLIST_PASSED);
	for (unsigned int i = 0; i < 3; i++) {
		pass(place, KEEP / 3);
		restart(place);
	}
	assert_int_equal(ask(place, "192.0.2.1", NULL).state, GREYLIST_PASSED);
	restart(place);
	pass(place, KEEP + 1);
	assert_int_equal(load(place).passed, 0);
	assert_int_equal(ask(place, "192.0.2.1", NULL).state, GREYLIST_FIRST);
}

static void what_is_over_stays_away(void **state)
{
	struct place *place = *state;

	ask(place, "192.0.2.1", "mail.example");
	save(place);
	pass(place, 3599);
	assert_int_equal(load(place).makers, 1);
	pass(place, 1);
	assert_int_equal(load(place).makers, 0);
	pass(place, WINDOW - 3600);
	assert_int_equal(load(place).waiting, 1);
	pass(place, 1);
	assert_int_equal(load(place).waiting, 0);
	pass(place, 10 * KEEP);
	assert_int_equal(load(place).waiting, 0);
}

/* Neither is a wait cut short, nor does one begin again, because somebody sets the time of day. */
static void the_time_of_day_is_set(void **state)
{
	static const int32_t ahead[] = { 3600, -3600, 40000000, -1690000000 };
	struct place *place = *state;

	ask(place, "192.0.2.1", NULL);
	pass(place, DELAY);
	ask(place, "192.0.2.1", NULL);
	ask(place, "198.51.100.1", NULL);
	for (size_t i = 0; i < COUNT(ahead); i++) {
		restart(place);
		pass(place, 10);
		set_time(place, ahead[i]);
		load(place);
		assert_int_equal(ask(place, "198.51.100.1", NULL).wait, DELAY - 10 * (i + 1));
		assert_int_equal(ask(place, "192.0.2.1", NULL).state, GREYLIST_PASSED);
		set_time(place, -ahead[i]);
		assert_int_equal(ask(place, "198.51.100.1", NULL).wait, DELAY - 10 * (i + 1));
		assert_int_equal(ask(place, "192.0.2.1", NULL).state, GREYLIST_PASSED);
		set_time(place, 0);
	}
}

static void a_network_has_no_more_domains(void **state)
{
	struct place *place = *state;
	char domain[32];

	for (unsigned int i = 0; i < GREYLIST_DOMAINS_MAX; i++) {
		snprintf(domain, sizeof(domain), "d%u.example", i);
		ask(place, "192.0.2.1", domain);
	}
	restart(place);
	assert_int_equal(ask(place, "192.0.2.1", "more.example").state, GREYLIST_FIRST);
	assert_int_equal(ask(place, "192.0.2.1", "evenmore.example").state, GREYLIST_EARLY);
	assert_int_equal(greylist_count(place->greylist), GREYLIST_DOMAINS_MAX + 1);
}

/* In the order in which they were seen, so that who was seen longest ago gives way. */
static void a_smaller_greylist(void **state)
{
	static const char *const sources[] = { "192.0.2.1", "198.51.100.1", "203.0.113.1" };
	struct place *place = *state;
	struct greylist_kept kept;
	struct error err;

	for (size_t i = 0; i < 3; i++)
		ask(place, sources[i], NULL);
	for (size_t i = 0; i < 3; i++) {
		pass(place, 1);
		ask(place, sources[2 - i], NULL);
	}
	save(place);
	open_empty(place, 2);
	assert_int_equal(greylist_load(place->greylist, &rules, place->directory, greylist_now(),
				       &kept, &err),
			 0);
	assert_int_equal(kept.waiting, 2);
	assert_int_equal(ask(place, "192.0.2.1", NULL).state, GREYLIST_EARLY);
	assert_int_equal(ask(place, "198.51.100.1", NULL).state, GREYLIST_EARLY);
	assert_int_equal(ask(place, "203.0.113.1", NULL).state, GREYLIST_FIRST);
}

/* Nobody has asked: there is nothing to write. After a write that failed there is. */
static void written_when_there_is_something(void **state)
{
	struct place *place = *state;
	struct greylist_kept kept;
	struct error err;

	ask(place, "192.0.2.1", NULL);
	assert_int_equal(
		greylist_save(place->greylist, "/nonexistent", greylist_now(), &kept, &err),
		ERROR_REFUSED);
	assert_non_null(strstr(err.text, "/nonexistent/greylist: No such file"));
	assert_true(save(place).bytes > 0);
	assert_int_equal(save(place).bytes, 0);
	assert_true(load(place).bytes > 0);
	assert_int_equal(save(place).bytes, 0);
	ask(place, "192.0.2.1", NULL);
	assert_true(save(place).bytes > 0);
}

#define MOVERS 20000u

struct mover {
	struct greylist *greylist;
	bool begun, ended; /* atomic */
};

/* Each has waited, and passes now. */
static void *move(void *arg)
{
	struct mover *mover = arg;

	for (uint32_t i = 0; i < MOVERS; i++) {
		const struct greylist_key key = { .addr = addr_from_ipv4(0x0a000000u + (i << 8)) };

		greylist_ask(mover->greylist, &rules, &key, greylist_now());
		__atomic_store_n(&mover->begun, true, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&mover->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Who moves from one table to the other while the copy is made is in it. */
static void nobody_is_lost_while_it_is_saved(void **state)
{
	struct place *place = *state;

	for (int round = 0; round < 40; round++) {
		struct mover mover = { NULL, false, false };
		pthread_t thread;

		open_empty(place, ROOM);
		mover.greylist = place->greylist;
		move(&mover);
		pass(place, DELAY);
		mover.begun = mover.ended = false;
		pthread_create(&thread, NULL, move, &mover);
		while (!__atomic_load_n(&mover.begun, __ATOMIC_ACQUIRE))
			continue;
		do {
			const struct greylist_kept kept = save(place);

			assert_true(!kept.bytes || kept.waiting + kept.passed >= MOVERS);
		} while (!__atomic_load_n(&mover.ended, __ATOMIC_ACQUIRE));
		pthread_join(thread, NULL);
		save(place);
		assert_int_equal(load(place).passed, MOVERS);
	}
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(nothing_is_there_at_first),
		PLACE_TEST(who_waits_and_who_has_passed),
		PLACE_TEST(over_and_over),
		PLACE_TEST(what_is_over_stays_away),
		PLACE_TEST(the_time_of_day_is_set),
		PLACE_TEST(a_network_has_no_more_domains),
		PLACE_TEST(a_smaller_greylist),
		PLACE_TEST(written_when_there_is_something),
		PLACE_TEST(nobody_is_lost_while_it_is_saved),
	};

	return cmocka_run_group_tests_name("greylist store", tests, NULL, NULL);
}
