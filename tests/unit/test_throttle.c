/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of accounts/throttle with the clock stopped: who waits, who is refused, who belongs into
 * the kernel's table, and whom strangers must not hold up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "accounts/throttle.h"
#include "lib/clock.h"
#include "tests/unit/addr_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND       1000000000ull
#define START        (100000 * SECOND)
#define REFUSED      20u /* failures of a source after which it is */
#define BLOCKED      40u
#define ALICE        "alice@example.org"

static uint64_t now;

static void pass(uint64_t seconds)
{
	now += seconds * SECOND;
	clock_freeze(1, now);
}

static int setup(void **state)
{
	now = START;
	clock_freeze(1, now);
	*state = throttle_open(1000);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct throttle *throttle = *state;

	throttle_close(&throttle);
	assert_null(throttle);
	clock_freeze(0, 0);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A guess, which must not be refused; returns how long it waits. */
static uint32_t guess(struct throttle *throttle, const char *from, const char *user,
		      enum throttle_outcome outcome)
{
	const struct addr source = addr_of(from);
	const struct auth_throttle out = throttle_begin(throttle, &source, user);

	assert_false(out.refuse);
	throttle_end(throttle, &source, user, outcome);
	return out.wait;
}

static void wrong(struct throttle *throttle, const char *from, const char *user, unsigned int times)
{
	while (times--)
		guess(throttle, from, user, THROTTLE_WRONG);
}

static struct auth_throttle look(struct throttle *throttle, const char *from, const char *user)
{
	const struct addr source = addr_of(from);

	return throttle_look(throttle, &source, user);
}

static bool is_refused(struct throttle *throttle, const char *from, const char *user)
{
	const struct addr source = addr_of(from);
	const struct auth_throttle out = throttle_begin(throttle, &source, user);

	if (!out.refuse)
		throttle_end(throttle, &source, user, THROTTLE_UNKNOWN);
	return out.refuse;
}

static void test_waits_double(void **state)
{
	static const uint32_t waits[] = { 0, 500, 1000, 2000, 4000, 8000, 8000, 8000 };

	for (size_t i = 0; i < COUNT(waits); i++)
		assert_int_equal(guess(*state, "192.0.2.1", ALICE, THROTTLE_WRONG), waits[i]);
	assert_int_equal(look(*state, "192.0.2.1", NULL).wait, 8000);
	assert_int_equal(look(*state, "198.51.100.1", NULL).wait, 0);
}

static void test_right_waits_as_long_as_wrong(void **state)
{
	wrong(*state, "192.0.2.1", ALICE, 3);
	assert_int_equal(guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT), 2000);
}

static void test_refused_then_blocked(void **state)
{
	const struct addr source = addr_of("192.0.2.1");

	wrong(*state, "192.0.2.1", ALICE, REFUSED - 1);
	assert_false(look(*state, "192.0.2.1", ALICE).refuse);
	wrong(*state, "192.0.2.1", ALICE, 1);
	assert_true(look(*state, "192.0.2.1", ALICE).refuse);
	assert_true(look(*state, "192.0.2.1", NULL).refuse);
	/* Who goes on is blocked: what is refused counts, too. */
	for (unsigned int i = REFUSED; i < BLOCKED; i++) {
		assert_false(look(*state, "192.0.2.1", ALICE).block);
		assert_true(throttle_begin(*state, &source, ALICE).refuse);
	}
	assert_true(look(*state, "192.0.2.1", ALICE).block);
	assert_true(look(*state, "192.0.2.1", NULL).block);
	assert_false(look(*state, "192.0.2.2", ALICE).block);
}

/* A guess counts from its beginning: many at once are no way around. */
static void test_many_at_once(void **state)
{
	const struct addr source = addr_of("192.0.2.1");
	unsigned int through = 0;

	for (int i = 0; i < 100; i++)
		through += !throttle_begin(*state, &source, ALICE).refuse;
	assert_int_equal(through, REFUSED);
}

static void test_unknown_does_not_count(void **state)
{
	for (int i = 0; i < 100; i++)
		assert_int_equal(guess(*state, "192.0.2.1", ALICE, THROTTLE_UNKNOWN), 0);
	assert_int_equal(look(*state, "192.0.2.1", ALICE).wait, 0);
}

static void test_success_clears(void **state)
{
	wrong(*state, "192.0.2.1", ALICE, 6);
	guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT);
	assert_int_equal(look(*state, "192.0.2.1", ALICE).wait, 0);
	assert_int_equal(look(*state, "192.0.2.1", "bob@example.org").wait, 0);
	assert_int_equal(look(*state, "198.51.100.1", ALICE).wait, 0);
}

/* An account of one's own does not pay for guesses at others. */
static void test_success_clears_only_its_own(void **state)
{
	for (unsigned int i = 0; i < REFUSED / 2; i++) {
		wrong(*state, "192.0.2.1", ALICE, 2);
		if (i + 1 < REFUSED / 2)
			guess(*state, "192.0.2.1", "mallory@example.org", THROTTLE_RIGHT);
	}
	assert_true(is_refused(*state, "192.0.2.1", ALICE));
}

static void test_forgotten_by_halves(void **state)
{
	wrong(*state, "192.0.2.1", ALICE, 4);
	assert_int_equal(look(*state, "192.0.2.1", NULL).wait, 4000);
	pass(THROTTLE_HALF_LIFE);
	assert_int_equal(look(*state, "192.0.2.1", NULL).wait, 1000);
	pass(THROTTLE_HALF_LIFE / 2);
	assert_int_equal(look(*state, "192.0.2.1", NULL).wait, 1000); /* 1.5, rounded */
	pass(THROTTLE_HALF_LIFE / 2);
	assert_int_equal(look(*state, "192.0.2.1", NULL).wait, 500);
	pass(2ull * THROTTLE_HALF_LIFE);
	assert_int_equal(look(*state, "192.0.2.1", NULL).wait, 0);
	pass(1000ull * THROTTLE_HALF_LIFE);
	assert_int_equal(look(*state, "192.0.2.1", NULL).wait, 0);
}

/* However long somebody has knocked, some hours later it is over. */
static void test_there_is_an_end_to_it(void **state)
{
	const struct addr source = addr_of("192.0.2.1");

	for (int i = 0; i < 100000; i++)
		throttle_begin(*state, &source, ALICE);
	pass(7ull * THROTTLE_HALF_LIFE);
	assert_false(look(*state, "192.0.2.1", ALICE).refuse);
}

static void spray(struct throttle *throttle, unsigned int guesses)
{
	char from[32], user[32];

	for (unsigned int i = 0; i < guesses; i++) {
		snprintf(from, sizeof(from), "192.0.2.%u", 10 + i % 200);
		snprintf(user, sizeof(user), "user%u", i);
		wrong(throttle, from, user, 1);
	}
}

static void test_network(void **state)
{
	spray(*state, 99);
	assert_false(is_refused(*state, "192.0.2.250", ALICE));
	assert_int_equal(look(*state, "192.0.2.250", ALICE).wait, 8000);
	spray(*state, 1);
	assert_true(is_refused(*state, "192.0.2.250", ALICE));
	assert_false(look(*state, "192.0.2.250", ALICE).block);
	assert_false(is_refused(*state, "192.0.3.1", ALICE));
}

/* Of IPv6 a /64 is one source, whatever addresses it takes. */
static void test_network_of_ipv6(void **state)
{
	char from[64];

	for (unsigned int i = 0; i < REFUSED; i++) {
		snprintf(from, sizeof(from), "2001:db8::%x", i);
		wrong(*state, from, ALICE, 1);
	}
	assert_true(is_refused(*state, "2001:db8::ffff", "bob@example.org"));
	assert_false(is_refused(*state, "2001:db8:0:1::1", "bob@example.org"));
	for (unsigned int i = REFUSED; i < BLOCKED; i++)
		is_refused(*state, "2001:db8::ffff:1", ALICE);
	assert_true(look(*state, "2001:db8::ffff:2", NULL).block);
}

/* Guesses at an account from everywhere, refused or not. */
static void besiege(struct throttle *throttle, const char *user, unsigned int guesses)
{
	char from[32];

	for (unsigned int i = 0; i < guesses; i++) {
		struct addr source;

		snprintf(from, sizeof(from), "10.%u.%u.1", i / 250, i % 250);
		source = addr_of(from);
		if (!throttle_begin(throttle, &source, user).refuse)
			throttle_end(throttle, &source, user, THROTTLE_WRONG);
	}
}

static void test_account(void **state)
{
	besiege(*state, ALICE, 4);
	assert_int_equal(look(*state, "192.0.2.1", ALICE).wait, 0);
	besiege(*state, ALICE, 96);
	assert_int_equal(look(*state, "192.0.2.1", ALICE).wait, 8000);
	assert_true(look(*state, "192.0.2.1", ALICE).refuse);
	assert_false(look(*state, "192.0.2.1", ALICE).block);
	assert_false(look(*state, "192.0.2.1", "bob@example.org").refuse);
}

/* From a place where he has not been the owner gets through now and then. */
static void test_account_trickles(void **state)
{
	besiege(*state, ALICE, 100);
	assert_false(is_refused(*state, "192.0.2.1", ALICE));
	besiege(*state, "bob@example.org", 100);
	assert_true(is_refused(*state, "192.0.2.1", ALICE));
	pass(THROTTLE_TRICKLE - 1);
	assert_true(is_refused(*state, "192.0.2.1", ALICE));
	pass(1);
	guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT);
	/* And from then on he is at home there. */
	assert_int_equal(guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT), 0);
	assert_true(is_refused(*state, "198.51.100.1", ALICE));
}

/* Who is refused for what he did himself does not profit from it. */
static void test_no_trickle_for_the_guilty(void **state)
{
	wrong(*state, "192.0.2.1", "bob@example.org", REFUSED);
	besiege(*state, ALICE, 100);
	assert_true(is_refused(*state, "192.0.2.1", ALICE));
}

static void test_owner_is_not_held_up(void **state)
{
	guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT);
	wrong(*state, "192.0.2.1", "bob@example.org", REFUSED); /* behind the same NAT */
	spray(*state, 80);
	besiege(*state, ALICE, 100);
	assert_true(look(*state, "192.0.2.1", NULL).refuse);
	assert_true(look(*state, "192.0.2.1", "bob@example.org").refuse);
	assert_false(look(*state, "192.0.2.1", ALICE).refuse);
	for (int i = 0; i < 50; i++)
		assert_int_equal(guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT), 0);
	pass(THROTTLE_OWNER - 1);
	besiege(*state, ALICE, 150);
	assert_int_equal(look(*state, "192.0.2.1", ALICE).wait, 0);
	pass(1);
	besiege(*state, ALICE, 150);
	assert_int_equal(look(*state, "192.0.2.1", ALICE).wait, 8000);
}

static void test_owner_is_held_up_by_himself(void **state)
{
	guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT);
	wrong(*state, "192.0.2.1", ALICE, 2);
	assert_int_equal(look(*state, "192.0.2.1", ALICE).wait, 1000);
	wrong(*state, "192.0.2.1", ALICE, REFUSED - 2);
	assert_true(is_refused(*state, "192.0.2.1", ALICE));
}

/* The kernel does not know accounts: a block would cut the owner off, too. */
static void test_owner_is_not_blocked(void **state)
{
	guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT);
	for (unsigned int i = 0; i < 2 * BLOCKED; i++)
		is_refused(*state, "192.0.2.1", "bob@example.org");
	wrong(*state, "192.0.2.2", "bob@example.org", REFUSED);
	for (unsigned int i = 0; i < 2 * BLOCKED; i++) {
		const struct addr home = addr_of("192.0.2.1"), other = addr_of("192.0.2.2");

		throttle_begin(*state, &home, "bob@example.org");
		throttle_begin(*state, &other, "bob@example.org");
	}
	assert_true(look(*state, "192.0.2.1", "bob@example.org").refuse);
	assert_false(look(*state, "192.0.2.1", "bob@example.org").block);
	assert_true(look(*state, "192.0.2.2", "bob@example.org").block);
}

/* An owner is at home in all of an IPv6 /64. */
static void test_owner_with_ipv6(void **state)
{
	guess(*state, "2001:db8::1", ALICE, THROTTLE_RIGHT);
	besiege(*state, ALICE, 120);
	assert_int_equal(guess(*state, "2001:db8::2", ALICE, THROTTLE_RIGHT), 0);
}

/* Names that are made up crowd out names that are made up, but no owner. */
static void test_tables_are_bounded(void **state)
{
	char from[32], user[32];

	guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT);
	for (unsigned int i = 0; i < 5000; i++) {
		snprintf(from, sizeof(from), "10.%u.%u.1", i / 250, i % 250);
		snprintf(user, sizeof(user), "user%u", i);
		wrong(*state, from, user, 1);
	}
	besiege(*state, ALICE, 120);
	assert_int_equal(guess(*state, "192.0.2.1", ALICE, THROTTLE_RIGHT), 0);
	assert_int_equal(look(*state, "10.19.200.1", NULL).wait, 500);
	assert_int_equal(look(*state, "10.1.1.1", "user251").wait, 0);
}

static void *hammer(void *arg)
{
	char user[32];

	for (unsigned int i = 0; i < 2000; i++) {
		snprintf(user, sizeof(user), "user%u", i % 7);
		guess(arg, "192.0.2.1", user, i % 2 ? THROTTLE_RIGHT : THROTTLE_UNKNOWN);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t thread[4];

	for (size_t i = 0; i < COUNT(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hammer, *state), 0);
	for (size_t i = 0; i < COUNT(thread); i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(look(*state, "192.0.2.1", NULL).wait, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_waits_double),
		TEST(test_right_waits_as_long_as_wrong),
		TEST(test_refused_then_blocked),
		TEST(test_many_at_once),
		TEST(test_unknown_does_not_count),
		TEST(test_success_clears),
		TEST(test_success_clears_only_its_own),
		TEST(test_forgotten_by_halves),
		TEST(test_there_is_an_end_to_it),
		TEST(test_network),
		TEST(test_network_of_ipv6),
		TEST(test_account),
		TEST(test_account_trickles),
		TEST(test_no_trickle_for_the_guilty),
		TEST(test_owner_is_not_held_up),
		TEST(test_owner_is_held_up_by_himself),
		TEST(test_owner_is_not_blocked),
		TEST(test_owner_with_ipv6),
		TEST(test_tables_are_bounded),
		TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
