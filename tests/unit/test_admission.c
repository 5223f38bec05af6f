/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of the limits of connections for clients that a load balancer names
 * (session/smtp/admission.c), by the test's clock and under several threads. What a session does is
 * in test_smtp_admit.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "gate/settings.h"
#include "lib/clock.h"
#include "session/smtp/admission.h"

#define EVERY (1u << METER_SOURCE | 1u << METER_NET | 1u << METER_TOTAL) /* of IPv4 */

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr, NULL), 0);
	return addr;
}

static struct admission *open_table(uint32_t cells)
{
	struct admission *admission;
	struct error err;

	assert_int_equal(admission_open(cells, &admission, &err), 0);
	return admission;
}

static void set(struct admission_rules *rules, enum meter_level level, uint32_t rate,
		uint32_t burst, uint32_t conns)
{
	const struct gate_limit limit = { rate, burst, conns };

	rules->limit[level] = settings_limit(&limit, false);
}

/* What stands against one more from an address; `levels` may be NULL, then it stays for good. */
static enum reason enter(struct admission *admission, const struct admission_rules *rules,
			 const char *from, uint8_t *levels)
{
	const struct addr addr = address(from);
	uint8_t unused;

	return admission_enter(admission, rules, &addr, levels ? levels : &unused);
}

static void leave(struct admission *admission, const char *from, uint8_t levels)
{
	const struct addr addr = address(from);

	admission_leave(admission, &addr, levels);
}

static void connections(void **state)
{
	struct admission *admission = open_table(1024);
	struct admission_rules rules = { 0 };
	uint8_t first, levels;

	(void)state;
	clock_freeze(1, 1000 * NS_A_SECOND);
	set(&rules, METER_SOURCE, 0, 0, 2);
	set(&rules, METER_NET, 0, 0, 3);
	set(&rules, METER_SITE, 0, 0, 4);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", &first), REASON_ACCEPTED);
	assert_int_equal(first, EVERY);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", &levels), REASON_CONN_SOURCE);
	assert_int_equal(levels, 0);
	assert_int_equal(enter(admission, &rules, "192.0.2.2", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "192.0.2.3", NULL), REASON_CONN_NET);
	assert_int_equal(enter(admission, &rules, "192.0.3.3", NULL), REASON_ACCEPTED);
	leave(admission, "192.0.2.1", levels);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_CONN_SOURCE);
	leave(admission, "192.0.2.1", first);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_ACCEPTED);
	admission_close(&admission);
	clock_freeze(0, 0);
}

static void prefixes_of_ipv6(void **state)
{
	struct admission *admission = open_table(1024);
	struct admission_rules rules = { 0 };

	(void)state;
	clock_freeze(1, 1000 * NS_A_SECOND);
	set(&rules, METER_NET, 0, 0, 2);
	set(&rules, METER_SITE, 0, 0, 3);
	assert_int_equal(enter(admission, &rules, "2001:db8:1:1::1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "2001:db8:1:1::2", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "2001:db8:1:1::3", NULL), REASON_CONN_NET);
	assert_int_equal(enter(admission, &rules, "2001:db8:1:2::1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "2001:db8:1:3::1", NULL), REASON_CONN_SITE);
	assert_int_equal(enter(admission, &rules, "2001:db8:2:1::1", NULL), REASON_ACCEPTED);
	admission_close(&admission);
	clock_freeze(0, 0);
}

/* A burst at once, then as fast as the rate; what a wider level stops costs the source nothing. */
static void rates(void **state)
{
	struct admission *admission = open_table(1024);
	struct admission_rules rules = { 0 };
	const uint64_t begin = 1000 * NS_A_SECOND;

	(void)state;
	clock_freeze(1, begin);
	set(&rules, METER_SOURCE, 10, 3, 0);
	set(&rules, METER_NET, 10, 4, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_RATE_SOURCE);
	assert_int_equal(enter(admission, &rules, "192.0.2.2", NULL), REASON_ACCEPTED);
	for (int i = 0; i < 5; i++)
		assert_int_equal(enter(admission, &rules, "192.0.2.2", NULL), REASON_RATE_NET);
	clock_freeze(1, begin + 99 * NS_A_MS);
	assert_int_equal(enter(admission, &rules, "192.0.2.2", NULL), REASON_RATE_NET);
	clock_freeze(1, begin + 100 * NS_A_MS);
	assert_int_equal(enter(admission, &rules, "192.0.2.2", NULL), REASON_ACCEPTED);
	clock_freeze(1, begin + 200 * NS_A_MS);
	assert_int_equal(enter(admission, &rules, "192.0.2.2", NULL), REASON_ACCEPTED);
	admission_close(&admission);
	clock_freeze(0, 0);
}

/* What is owed under a slow limit is forgiven when it is raised. */
static void raised(void **state)
{
	struct admission *admission = open_table(1024);
	struct admission_rules rules = { 0 };

	(void)state;
	clock_freeze(1, 1000 * NS_A_SECOND);
	set(&rules, METER_TOTAL, 1, 2, 0);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "198.51.100.1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "203.0.113.1", NULL), REASON_RATE_TOTAL);
	set(&rules, METER_TOTAL, 100, 2, 0);
	assert_int_equal(enter(admission, &rules, "203.0.113.1", NULL), REASON_ACCEPTED);
	admission_close(&admission);
	clock_freeze(0, 0);
}

/* In monitor mode they are let in, and count; but what is over a rate is not charged to it. */
static void monitored(void **state)
{
	struct admission *admission = open_table(1024);
	struct admission_rules rules = { .monitor = true };
	uint8_t levels;

	(void)state;
	clock_freeze(1, 1000 * NS_A_SECOND);
	set(&rules, METER_SOURCE, 1, 1, 2);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", &levels), REASON_RATE_SOURCE);
	assert_int_equal(levels, EVERY);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_CONN_SOURCE);
	rules.monitor = false;
	set(&rules, METER_SOURCE, 1, 1, 0);
	clock_freeze(1, 1001 * NS_A_SECOND);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_ACCEPTED);
	admission_close(&admission);
	clock_freeze(0, 0);
}

/* One line: two sources and their networks keep their cells, and the total holds for a third.
 */
static void full_line(void **state)
{
	struct admission *admission = open_table(1);
	struct admission_rules rules = { 0 };
	uint8_t levels[2];

	(void)state;
	clock_freeze(1, 1000 * NS_A_SECOND);
	set(&rules, METER_SOURCE, 0, 0, 1);
	set(&rules, METER_TOTAL, 0, 0, 3);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", &levels[0]), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "198.51.100.1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "203.0.113.1", &levels[1]), REASON_ACCEPTED);
	assert_int_equal(levels[1], 1u << METER_TOTAL);
	assert_int_equal(enter(admission, &rules, "192.0.2.1", NULL), REASON_CONN_SOURCE);
	leave(admission, "192.0.2.1", levels[0]);
	assert_int_equal(enter(admission, &rules, "203.0.113.1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "203.0.113.1", NULL), REASON_CONN_SOURCE);
	leave(admission, "203.0.113.1", levels[1]);
	assert_int_equal(enter(admission, &rules, "192.0.2.7", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(admission, &rules, "192.0.2.8", NULL), REASON_CONN_TOTAL);
	admission_close(&admission);
	clock_freeze(0, 0);
}

#define THREADS 4
#define TURNS   20000

struct crowd {
	struct admission *admission;
	struct admission_rules rules;
	unsigned int open, most; /* from the one address; atomic */
};

static void *come_and_go(void *arg)
{
	struct crowd *crowd = arg;
	const struct addr addr = addr_from_ipv4(0xc0000201u);
	unsigned int now, most;
	uint8_t levels;

	for (int i = 0; i < TURNS; i++) {
		if (admission_enter(crowd->admission, &crowd->rules, &addr, &levels) !=
		    REASON_ACCEPTED)
			continue;
		now = __atomic_add_fetch(&crowd->open, 1, __ATOMIC_RELAXED);
		most = __atomic_load_n(&crowd->most, __ATOMIC_RELAXED);
		while (now > most &&
		       !__atomic_compare_exchange_n(&crowd->most, &most, now, false,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			;
		__atomic_sub_fetch(&crowd->open, 1, __ATOMIC_RELAXED);
		admission_leave(crowd->admission, &addr, levels);
	}
	return NULL;
}

/* Never more at a time than the limit, and all places are free afterwards. */
static void threads(void **state)
{
	struct crowd crowd = { .admission = open_table(1024) };
	pthread_t thread[THREADS];

	(void)state;
	set(&crowd.rules, METER_SOURCE, 0, 0, 2);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, &crowd), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_in_range(crowd.most, 1, 2);
	assert_int_equal(enter(crowd.admission, &crowd.rules, "192.0.2.1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(crowd.admission, &crowd.rules, "192.0.2.1", NULL), REASON_ACCEPTED);
	assert_int_equal(enter(crowd.admission, &crowd.rules, "192.0.2.1", NULL),
			 REASON_CONN_SOURCE);
	admission_close(&crowd.admission);
}

#define UNKNOWN_MAX 50u

/* As many as there are, and one more in 72 seconds; what was known costs nothing. */
static void unknown_recipients(void **state)
{
	struct admission *admission = open_table(1024);
	const struct addr one = address("2001:db8::1"), same = address("2001:db8::2:1");
	const struct addr other = address("2001:db8:0:1::1"), four = address("192.0.2.1");
	const struct addr next = address("192.0.2.2");

	(void)state;
	clock_freeze(1, NS_A_SECOND);
	for (unsigned int i = 0; i < UNKNOWN_MAX; i++) {
		assert_true(admission_may_ask(admission, &same, UNKNOWN_MAX));
		admission_unknown(admission, i % 2 ? &one : &same, UNKNOWN_MAX);
		assert_true(admission_may_ask(admission, &four, UNKNOWN_MAX));
		admission_unknown(admission, &four, UNKNOWN_MAX);
	}
	admission_unknown(admission, &one, UNKNOWN_MAX); /* was under way */
	assert_false(admission_may_ask(admission, &one, UNKNOWN_MAX));
	assert_false(admission_may_ask(admission, &same, UNKNOWN_MAX));
	assert_false(admission_may_ask(admission, &four, UNKNOWN_MAX));
	assert_true(admission_may_ask(admission, &other, UNKNOWN_MAX));
	assert_true(admission_may_ask(admission, &next, UNKNOWN_MAX));
	clock_freeze(1, 72 * NS_A_SECOND);
	assert_false(admission_may_ask(admission, &one, UNKNOWN_MAX));
	clock_freeze(1, 73 * NS_A_SECOND);
	assert_true(admission_may_ask(admission, &one, UNKNOWN_MAX));
	admission_unknown(admission, &one, UNKNOWN_MAX);
	assert_false(admission_may_ask(admission, &one, UNKNOWN_MAX));
	admission_delivered(admission, &same, UNKNOWN_MAX, 2); /* and was empty by one */
	admission_unknown(admission, &one, UNKNOWN_MAX);
	assert_true(admission_may_ask(admission, &one, UNKNOWN_MAX));
	admission_unknown(admission, &one, UNKNOWN_MAX);
	assert_false(admission_may_ask(admission, &one, UNKNOWN_MAX));
	/* What is made up for is never more than there was. */
	admission_delivered(admission, &one, UNKNOWN_MAX, 1000);
	for (unsigned int i = 0; i < UNKNOWN_MAX; i++) {
		assert_true(admission_may_ask(admission, &one, UNKNOWN_MAX));
		admission_unknown(admission, &one, UNKNOWN_MAX);
	}
	assert_false(admission_may_ask(admission, &one, UNKNOWN_MAX));
	admission_delivered(admission, &next, UNKNOWN_MAX, 1);
	assert_true(admission_may_ask(NULL, &one, UNKNOWN_MAX));
	admission_delivered(NULL, &one, UNKNOWN_MAX, 1);
	admission_unknown(NULL, &one, UNKNOWN_MAX);
	clock_freeze(0, 0);
	admission_close(&admission);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_recipients),
		cmocka_unit_test(connections),
		cmocka_unit_test(prefixes_of_ipv6),
		cmocka_unit_test(rates),
		cmocka_unit_test(raised),
		cmocka_unit_test(monitored),
		cmocka_unit_test(full_line),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
