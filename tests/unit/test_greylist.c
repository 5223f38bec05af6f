/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of policy/greylist: who has come again, by a clock of the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "policy/greylist.h"
#include "tests/unit/addr_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DELAY        300
#define WINDOW       86400
#define KEEP         3000000
#define START        1700000000u

static const struct greylist_rules rules = { DELAY, WINDOW, KEEP };

static struct greylist *make(size_t max)
{
	struct greylist *greylist = NULL;
	struct error err;

	if (greylist_open(&greylist, max, &err))
		fail_msg("%s", err.text);
	return greylist;
}

static struct greylist_answer ask(struct greylist *greylist, const char *text, const char *domain,
				  uint32_t now)
{
	const struct greylist_key key = { .addr = addr_of(text), .domain = domain };

	return greylist_ask(greylist, &rules, &key, now);
}

/* One after another, by seconds after START. */
struct step {
	uint32_t at;
	const char *addr, *domain;
	enum greylist_state state;
	uint32_t wait;
};

static void play(const struct step *steps, size_t count)
{
	struct greylist *greylist = make(1000);

	for (size_t i = 0; i < count; i++) {
		const struct step *step = &steps[i];
		const struct greylist_answer answer =
			ask(greylist, step->addr, step->domain, START + step->at);

		if (answer.state != step->state || answer.wait != step->wait)
			fail_msg("step %zu, at %u: state %d, wait %u; not %d, %u", i, step->at,
				 answer.state, answer.wait, step->state, step->wait);
	}
	greylist_close(&greylist);
	assert_null(greylist);
}

#define PLAY(steps) play(steps, COUNT(steps))

static void who_comes_again_passes(void **state)
{
	static const struct step steps[] = {
		{ 0, "192.0.2.1", NULL, GREYLIST_FIRST, DELAY },
		{ 0, "192.0.2.1", NULL, GREYLIST_EARLY, DELAY },
		{ 1, "192.0.2.1", "", GREYLIST_EARLY, DELAY - 1 },
		/* Coming too soon does not begin again. */
		{ DELAY - 1, "192.0.2.1", NULL, GREYLIST_EARLY, 1 },
		{ DELAY, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
		{ DELAY, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
		/* Once passed, the window means nothing. */
		{ DELAY + WINDOW + 1, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
	};

	(void)state;
	PLAY(steps);
}

static void the_window(void **state)
{
	static const struct step steps[] = {
		{ 0, "192.0.2.1", NULL, GREYLIST_FIRST, DELAY },
		{ 0, "198.51.100.1", NULL, GREYLIST_FIRST, DELAY },
		{ WINDOW, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
		{ WINDOW + 1, "198.51.100.1", NULL, GREYLIST_FIRST, DELAY },
		{ WINDOW + 2, "198.51.100.1", NULL, GREYLIST_EARLY, DELAY - 1 },
		{ WINDOW + 1 + DELAY, "198.51.100.1", NULL, GREYLIST_PASSED, 0 },
	};

	(void)state;
	PLAY(steps);
}

static void who_has_passed_is_forgotten(void **state)
{
	static const struct step steps[] = {
		{ 0, "192.0.2.1", NULL, GREYLIST_FIRST, DELAY },
		{ DELAY, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
		/* Each time counts, not the first. */
		{ DELAY + KEEP, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
		{ DELAY + 2 * KEEP, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
		{ DELAY + 3 * KEEP + 1, "192.0.2.1", NULL, GREYLIST_FIRST, DELAY },
	};

	(void)state;
	PLAY(steps);
}

static void a_clock_that_is_set_back(void **state)
{
	static const struct step steps[] = {
		{ 50000, "192.0.2.1", NULL, GREYLIST_FIRST, DELAY },
		/* Who waits begins again, and does not wait until the old time comes. */
		{ 0, "192.0.2.1", NULL, GREYLIST_FIRST, DELAY },
		{ DELAY, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
		/* Who has passed has passed. */
		{ 1, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
		{ 1 + KEEP, "192.0.2.1", NULL, GREYLIST_PASSED, 0 },
		{ 2 + 2 * KEEP, "192.0.2.1", NULL, GREYLIST_FIRST, DELAY },
	};

	(void)state;
	PLAY(steps);
}

static void a_network_is_one_sender(void **state)
{
	static const struct step steps[] = {
		{ 0, "192.0.2.1", NULL, GREYLIST_FIRST, DELAY },
		{ 400, "192.0.2.255", NULL, GREYLIST_PASSED, 0 },
		{ 400, "192.0.3.1", NULL, GREYLIST_FIRST, DELAY },
		{ 500, "2001:db8:0:1::1", NULL, GREYLIST_FIRST, DELAY },
		{ 900, "2001:db8:0:1:ffff::9", NULL, GREYLIST_PASSED, 0 },
		{ 900, "2001:db8:0:2::1", NULL, GREYLIST_FIRST, DELAY },
	};

	(void)state;
	PLAY(steps);
}

static void the_hosts_of_a_domain_take_turns(void **state)
{
	static const struct step steps[] = {
		{ 0, "192.0.2.1", "mail.example", GREYLIST_FIRST, DELAY },
		{ 100, "198.51.100.7", "mail.example", GREYLIST_EARLY, DELAY - 100 },
		{ 400, "2001:db8::1", "Mail.EXAMPLE.", GREYLIST_PASSED, 0 },
		{ 500, "203.0.113.9", "mail.example", GREYLIST_PASSED, 0 },
		/* Without SPF the name is only a name, and these networks were never here. */
		{ 500, "203.0.113.9", NULL, GREYLIST_FIRST, DELAY },
		{ 500, "192.0.2.1", "", GREYLIST_FIRST, DELAY },
		{ 500, "203.0.113.9", "mail.example.net", GREYLIST_FIRST, DELAY },
		{ 500, "203.0.113.9", "mail", GREYLIST_FIRST, DELAY },
	};

	(void)state;
	PLAY(steps);
}

/* Who has a domain is not worse off than his network without one. */
static void a_domain_has_what_its_network_has(void **state)
{
	static const struct step steps[] = {
		{ 0, "192.0.2.1", NULL, GREYLIST_FIRST, DELAY },
		{ 100, "192.0.2.7", "mail.example", GREYLIST_EARLY, DELAY - 100 },
		{ 100, "198.51.100.7", "mail.example", GREYLIST_EARLY, DELAY },
		{ DELAY, "192.0.2.7", "mail.example", GREYLIST_PASSED, 0 },
		/* The domain itself has waited from its own first time on. */
		{ DELAY, "198.51.100.7", "mail.example", GREYLIST_EARLY, 100 },
		{ DELAY, "192.0.2.7", NULL, GREYLIST_PASSED, 0 },
		{ DELAY, "192.0.2.7", "new.example", GREYLIST_PASSED, 0 },
		{ DELAY + KEEP + 1, "192.0.2.7", "late.example", GREYLIST_FIRST, DELAY },
	};

	(void)state;
	PLAY(steps);
}

static void what_is_known_of_a_network(void **state)
{
	const struct addr addr = addr_of("192.0.2.9"), other = addr_of("192.0.3.1");
	struct greylist *greylist = make(100);
	struct greylist_record record;

	(void)state;
	assert_false(greylist_find(greylist, &rules, &addr, START, &record));
	ask(greylist, "192.0.2.1", NULL, START);
	ask(greylist, "192.0.2.1", NULL, START + 10);
	for (int twice = 0; twice < 2; twice++) { /* looking changes nothing */
		assert_true(greylist_find(greylist, &rules, &addr, START + 50, &record));
		assert_int_equal(record.first, START);
		assert_int_equal(record.last, START + 10);
		assert_int_equal(record.wait, DELAY - 50);
		assert_false(record.passed);
	}
	assert_true(greylist_find(greylist, &rules, &addr, START + DELAY, &record));
	assert_int_equal(record.wait, 0);
	assert_false(record.passed);
	ask(greylist, "192.0.2.1", NULL, START + DELAY);
	assert_true(greylist_find(greylist, &rules, &addr, START + DELAY, &record));
	assert_true(record.passed);
	assert_false(greylist_find(greylist, &rules, &addr, START + DELAY + KEEP + 1, &record));
	assert_false(greylist_find(greylist, &rules, &other, START, &record));
	greylist_close(&greylist);
}

#define THREADS 4
#define VISITS  20000u

static void *ask_often(void *arg)
{
	struct greylist *greylist = arg;
	struct greylist_record record;

	for (uint32_t i = 0; i < VISITS; i++) {
		const struct greylist_key key = {
			.addr = addr_from_ipv4(0x0a000000u + (i % 500 << 8)),
			.domain = i % 3 ? NULL : "mail.example",
		};

		greylist_ask(greylist, &rules, &key, START);
		greylist_find(greylist, &rules, &key.addr, START, &record);
	}
	return NULL;
}

/* More keys than there is room for, from several threads. */
static void asked_by_many_at_once(void **state)
{
	struct greylist *greylist = make(200);
	pthread_t thread[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, ask_often, greylist);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(greylist_count(greylist), 200);
	greylist_close(&greylist);
}

/* A name that DNS cannot have is no name. */
static void impossible_domains(void **state)
{
	struct greylist *greylist = make(100);
	char longest[254], longer[256];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(ask(greylist, "192.0.2.1", longest, START).state, GREYLIST_FIRST);
	assert_int_equal(ask(greylist, "198.51.100.1", longest, START).state, GREYLIST_EARLY);
	assert_int_equal(ask(greylist, "192.0.2.1", longer, START).state, GREYLIST_FIRST);
	assert_int_equal(ask(greylist, "198.51.100.1", longer, START).state, GREYLIST_FIRST);
	assert_int_equal(ask(greylist, "192.0.2.1", NULL, START).state, GREYLIST_EARLY);
	assert_int_equal(ask(greylist, "192.0.2.1", ".", START).state, GREYLIST_EARLY);
	greylist_close(&greylist);
}

static void the_one_seen_longest_ago_gives_way(void **state)
{
	struct greylist *greylist = make(3);

	(void)state;
	ask(greylist, "192.0.2.1", NULL, START);
	ask(greylist, "198.51.100.1", NULL, START + 1);
	ask(greylist, "203.0.113.1", NULL, START + 2);
	ask(greylist, "192.0.2.1", NULL, START + 3);
	assert_int_equal(greylist_count(greylist), 3);
	ask(greylist, "10.0.0.1", NULL, START + 4);
	assert_int_equal(greylist_count(greylist), 3);
	assert_int_equal(ask(greylist, "192.0.2.1", NULL, START + 5).state, GREYLIST_EARLY);
	assert_int_equal(ask(greylist, "203.0.113.1", NULL, START + 5).state, GREYLIST_EARLY);
	assert_int_equal(ask(greylist, "198.51.100.1", NULL, START + 5).state, GREYLIST_FIRST);
	greylist_close(&greylist);
}

/* However many come and wait. */
static void who_has_passed_stays(void **state)
{
	struct greylist *greylist = make(10);
	char text[32];

	(void)state;
	ask(greylist, "192.0.2.1", NULL, START);
	ask(greylist, "198.51.100.1", "mail.example", START);
	assert_int_equal(ask(greylist, "192.0.2.1", NULL, START + DELAY).state, GREYLIST_PASSED);
	assert_int_equal(ask(greylist, "203.0.113.1", "mail.example", START + DELAY).state,
			 GREYLIST_PASSED);
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.1", i >> 8, i & 255);
		assert_int_equal(ask(greylist, text, i % 2 ? text : NULL, START + DELAY).state,
				 GREYLIST_FIRST);
	}
	assert_int_equal(greylist_count(greylist), 12);
	assert_int_equal(ask(greylist, "192.0.2.1", NULL, START + DELAY).state, GREYLIST_PASSED);
	assert_int_equal(ask(greylist, "203.0.113.1", "mail.example", START + DELAY).state,
			 GREYLIST_PASSED);
	greylist_close(&greylist);
}

/* By a domain of a number, and whether it is a key of its own, for which there is one more. */
static bool is_key(struct greylist *greylist, const char *addr, unsigned int number, uint32_t now)
{
	const size_t before = greylist_count(greylist);
	char domain[32];

	snprintf(domain, sizeof(domain), "d%u.example", number);
	ask(greylist, addr, domain, now);
	return greylist_count(greylist) > before;
}

/* Who makes up names in his domain is known by his network, and what he made before stays. */
static void a_network_has_so_many_domains(void **state)
{
	struct greylist *greylist = make(1000);
	unsigned int number = 0;

	(void)state;
	while (number < GREYLIST_DOMAINS_MAX)
		assert_true(is_key(greylist, "192.0.2.1", number++, START));
	assert_int_equal(ask(greylist, "192.0.2.1", "d64.example", START).state, GREYLIST_FIRST);
	assert_int_equal(ask(greylist, "192.0.2.9", "d65.example", START + 1).wait, DELAY - 1);
	while (number < 1000)
		assert_false(is_key(greylist, "192.0.2.1", number++, START + 3599));
	assert_int_equal(greylist_count(greylist), GREYLIST_DOMAINS_MAX + 1);
	assert_true(is_key(greylist, "192.0.3.1", number, START));
	assert_int_equal(ask(greylist, "192.0.4.1", "d63.example", START + DELAY).state,
			 GREYLIST_PASSED);
	assert_int_equal(ask(greylist, "192.0.4.1", "d64.example", START + DELAY).state,
			 GREYLIST_FIRST);
	assert_true(is_key(greylist, "192.0.2.1", 2000, START + 3600));
	greylist_close(&greylist);
}

static void many(void **state)
{
	struct greylist *greylist = make(5000);
	char text[32];

	(void)state;
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < 6000; i++) {
			snprintf(text, sizeof(text), "10.%u.%u.1", i >> 8, i & 255);
			assert_int_equal(ask(greylist, text, NULL, START + round * DELAY).state,
					 GREYLIST_FIRST);
		}
	assert_int_equal(greylist_count(greylist), 5000);
	for (uint32_t i = 5999; i >= 1000; i--) {
		snprintf(text, sizeof(text), "10.%u.%u.1", i >> 8, i & 255);
		assert_int_equal(ask(greylist, text, NULL, START + 3 * DELAY).state,
				 GREYLIST_PASSED);
	}
	greylist_close(&greylist);
	greylist_close(&greylist);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_again_passes),
		cmocka_unit_test(the_window),
		cmocka_unit_test(who_has_passed_is_forgotten),
		cmocka_unit_test(a_clock_that_is_set_back),
		cmocka_unit_test(a_network_is_one_sender),
		cmocka_unit_test(the_hosts_of_a_domain_take_turns),
		cmocka_unit_test(a_domain_has_what_its_network_has),
		cmocka_unit_test(what_is_known_of_a_network),
		cmocka_unit_test(asked_by_many_at_once),
		cmocka_unit_test(impossible_domains),
		cmocka_unit_test(the_one_seen_longest_ago_gives_way),
		cmocka_unit_test(who_has_passed_stays),
		cmocka_unit_test(a_network_has_so_many_domains),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
