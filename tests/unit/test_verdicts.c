/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of policy/verdicts: what is found, what has to go, and that threads may read while others
 * write. AddressSanitizer shows that no verdict is freed under a reader, ThreadSanitizer that no
 * access is unordered, LeakSanitizer that all are freed in the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#include "policy/verdicts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW          5000u
#define LONG         3600u

static struct verdicts *make(size_t max)
{
	struct verdicts *verdicts = NULL;
	struct error err;

	if (verdicts_open(&verdicts, max, &err))
		fail_msg("%s", err.text);
	return verdicts;
}

/* A verdict all of whose parts follow from `number`. */
static struct verdict verdict_of(uint32_t addr, uint32_t number, uint32_t until)
{
	struct verdict verdict = {
		.addr = addr_from_ipv4(addr),
		.made = number,
		.until = until,
		.findings = (finding_set)number << 32 | number,
		.zones = (int16_t)(number & 0x7fff),
		.total = (int16_t)(number & 0x7fff),
		.decision = number % DECISION_COUNT,
		.zone_count = VERDICT_ZONES_MAX,
		.took = (uint16_t)number,
	};

	for (size_t i = 0; i < VERDICT_ZONES_MAX; i++)
		verdict.zone[i] = (struct verdict_zone){ (uint8_t)number, (int8_t)(number & 0x7f) };
	return verdict;
}

static bool is_whole(const struct verdict *verdict, uint32_t addr)
{
	const struct verdict want = verdict_of(addr, verdict->made, verdict->until);

	return !memcmp(verdict, &want, sizeof(want));
}

static void put(struct verdicts *verdicts, uint32_t addr, uint32_t number, uint32_t until)
{
	const struct verdict verdict = verdict_of(addr, number, until);

	assert_true(verdicts_put(verdicts, &verdict, NOW));
}

/* The number of the verdict on the address at `now`, or 0. */
static uint32_t find(struct verdicts *verdicts, uint32_t host, uint32_t now)
{
	const struct addr addr = addr_from_ipv4(host);
	struct verdict verdict;

	if (!verdicts_find(verdicts, &addr, now, &verdict))
		return 0;
	assert_true(is_whole(&verdict, host));
	return verdict.made;
}

static struct verdicts_stats stats_of(const struct verdicts *verdicts)
{
	struct verdicts_stats stats;

	verdicts_stats(verdicts, &stats);
	return stats;
}

static size_t entries(const struct verdicts *verdicts)
{
	return stats_of(verdicts).entries;
}

static void found_until_it_runs_out(void **state)
{
	struct verdicts *verdicts = make(100);

	(void)state;
	assert_int_equal(find(verdicts, 1, NOW), 0);
	put(verdicts, 1, 11, NOW + 10);
	assert_int_equal(find(verdicts, 1, NOW), 11);
	assert_int_equal(find(verdicts, 2, NOW), 0);
	assert_int_equal(find(verdicts, 1, NOW + 9), 11);
	assert_int_equal(find(verdicts, 1, NOW + 10), 0);
	assert_int_equal(stats_of(verdicts).hits, 2);
	assert_int_equal(stats_of(verdicts).misses, 3);
	verdicts_close(&verdicts);
	assert_null(verdicts);
	verdicts_close(&verdicts);
}

/* The key is all of the address: neither a /64 nor IPv4 in another form. */
static void addresses_are_whole(void **state)
{
	struct verdicts *verdicts = make(100);
	struct verdict verdict = { .addr = { { 0x20, 1, [15] = 1 } }, .until = NOW + 1 };
	struct addr other = { { 0x20, 1, [15] = 2 } };
	struct verdict out;

	(void)state;
	assert_true(verdicts_put(verdicts, &verdict, NOW));
	assert_true(verdicts_find(verdicts, &verdict.addr, NOW, &out));
	assert_memory_equal(&out, &verdict, sizeof(out));
	assert_false(verdicts_find(verdicts, &other, NOW, &out));
	put(verdicts, 7, 1, NOW + 1);
	other = addr_from_halves(0, 7);
	assert_false(verdicts_find(verdicts, &other, NOW, &out));
	verdicts_close(&verdicts);
}

static void a_new_one_replaces(void **state)
{
	struct verdicts *verdicts = make(100);

	(void)state;
	put(verdicts, 1, 11, NOW + LONG);
	put(verdicts, 1, 12, NOW + 1); /* also when it runs out sooner */
	assert_int_equal(entries(verdicts), 1);
	assert_int_equal(find(verdicts, 1, NOW), 12);
	assert_int_equal(find(verdicts, 1, NOW + 1), 0);
	verdicts_close(&verdicts);
}

static void dropped_and_cleared(void **state)
{
	const struct addr addr = addr_from_ipv4(1);
	struct verdicts *verdicts = make(20000);

	(void)state;
	assert_false(verdicts_drop(verdicts, &addr));
	put(verdicts, 1, 11, NOW + LONG);
	assert_true(verdicts_drop(verdicts, &addr));
	assert_false(verdicts_drop(verdicts, &addr));
	assert_int_equal(find(verdicts, 1, NOW), 0);
	verdicts_clear(verdicts);
	for (uint32_t i = 0; i < 10000; i++)
		put(verdicts, i, i + 1, NOW + LONG);
	assert_int_equal(entries(verdicts), 10000);
	verdicts_clear(verdicts);
	assert_int_equal(entries(verdicts), 0);
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(find(verdicts, i, NOW), 0);
	put(verdicts, 1, 11, NOW + LONG);
	assert_int_equal(find(verdicts, 1, NOW), 11);
	assert_int_equal(stats_of(verdicts).evicted, 0);
	verdicts_close(&verdicts);
}

static void the_oldest_gives_way(void **state)
{
	struct verdicts *verdicts = make(1000);

	(void)state;
	/* The oldest is the one that was put first, though it would last longest. */
	for (uint32_t i = 0; i < 1000; i++)
		put(verdicts, i, i + 1, NOW + 2 * LONG - i);
	put(verdicts, 0, 1, NOW + LONG); /* and not one that was made anew */
	for (uint32_t i = 1000; i < 1500; i++) {
		put(verdicts, i, i + 1, NOW + LONG);
		assert_int_equal(entries(verdicts), 1000);
	}
	assert_int_equal(stats_of(verdicts).evicted, 500);
	assert_int_equal(find(verdicts, 0, NOW), 1);
	for (uint32_t i = 1; i < 1500; i++)
		assert_int_equal(find(verdicts, i, NOW), i <= 500 ? 0 : i + 1);
	verdicts_close(&verdicts);
}

/* In a full table what has run out goes before what is older and still good. */
static void what_has_run_out_gives_way_first(void **state)
{
	struct verdicts *verdicts = make(8);

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		put(verdicts, i, i + 1, i == 5 ? NOW : NOW + LONG);
	put(verdicts, 8, 9, NOW + LONG);
	assert_int_equal(entries(verdicts), 8);
	assert_int_equal(stats_of(verdicts).evicted, 0);
	for (uint32_t i = 0; i < 9; i++)
		assert_int_equal(find(verdicts, i, NOW), i == 5 ? 0 : i + 1);
	put(verdicts, 9, 10, NOW + LONG);
	assert_int_equal(entries(verdicts), 8);
	assert_int_equal(stats_of(verdicts).evicted, 1);
	assert_int_equal(find(verdicts, 0, NOW), 0);
	verdicts_close(&verdicts);
}

/* A bounded number a call, and in the end all. */
static void what_has_run_out_goes_in_steps(void **state)
{
	const uint32_t count = 100000;
	struct verdicts *verdicts = make(count);
	size_t before, calls = 0;

	(void)state;
	for (uint32_t i = 0; i < count; i++)
		put(verdicts, i, i + 1, i % 2 ? NOW + LONG : NOW + 1);
	verdicts_expire(verdicts, NOW);
	assert_int_equal(entries(verdicts), count);
	do {
		before = entries(verdicts);
		verdicts_expire(verdicts, NOW + 1);
		assert_in_range(before - entries(verdicts), 0, 2000);
		calls++;
	} while (entries(verdicts) > count / 2 && calls < 100);
	assert_int_equal(entries(verdicts), count / 2);
	assert_int_equal(stats_of(verdicts).evicted, 0);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(find(verdicts, i, NOW + 1), i % 2 ? i + 1 : 0);
	while (calls-- && entries(verdicts))
		verdicts_expire(verdicts, NOW + LONG);
	assert_int_equal(entries(verdicts), 0);
	verdicts_expire(verdicts, NOW + LONG);
	verdicts_close(&verdicts);
}

/* The hand is at a verdict that is replaced, dropped, or gives way. */
static void the_hand_moves_on(void **state)
{
	const uint32_t count = 1500; /* more than one call looks at */
	struct verdicts *verdicts = make(count);
	struct addr addr;

	(void)state;
	for (uint32_t i = 0; i < count; i++)
		put(verdicts, i, i + 1, NOW + 1);
	verdicts_expire(verdicts, NOW);
	for (uint32_t i = 1000; i < 1300; i++)
		put(verdicts, i, i + 1, NOW + 1);
	for (uint32_t i = 1300; i < count; i++) {
		addr = addr_from_ipv4(i);
		assert_true(verdicts_drop(verdicts, &addr));
	}
	assert_int_equal(entries(verdicts), 1300);
	verdicts_expire(verdicts, NOW + 1);
	verdicts_expire(verdicts, NOW + 1);
	assert_int_equal(entries(verdicts), 0);
	verdicts_close(&verdicts);
}

static void memory_is_bounded(void **state)
{
	static const size_t sizes[] = { 1, 64, 1000, 16384, 16385, 40000 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct verdicts *verdicts = make(sizes[i]);

		for (uint32_t host = 0; host < 40000; host++)
			put(verdicts, host, host + 1, NOW + LONG);
		assert_int_equal(entries(verdicts), sizes[i]);
		if (sizes[i] >= 1000) /* what the table itself takes does not grow */
			assert_in_range(stats_of(verdicts).bytes, sizes[i] * 96,
					sizes[i] * VERDICT_BYTES_MAX + 8192);
		verdicts_close(&verdicts);
	}
	/* No room at all counts as room for one. */
	{
		struct verdicts *verdicts = make(0);

		put(verdicts, 1, 2, NOW + LONG);
		assert_int_equal(find(verdicts, 1, NOW), 2);
		put(verdicts, 2, 3, NOW + LONG);
		assert_int_equal(entries(verdicts), 1);
		verdicts_close(&verdicts);
	}
}

#define READERS   4
#define WRITERS   2
#define HOSTS     600u /* more than there is room for */
#define ROOM      500u
#define WRITES    20000u /* of each writer */
#define READS_MIN 1000u

static struct verdicts *shared;
static atomic_bool done;
static atomic_uint torn; /* verdicts whose parts did not belong together */
static atomic_uint reads[READERS];

static void *read_all_the_time(void *arg)
{
	atomic_uint *count = arg;
	struct verdict verdict;

	for (uint32_t host = 0; !atomic_load(&done); host = (host + 1) % HOSTS) {
		const struct addr addr = addr_from_ipv4(host);

		if (verdicts_find(shared, &addr, NOW, &verdict) && !is_whole(&verdict, host))
			atomic_fetch_add(&torn, 1);
		atomic_fetch_add(count, 1);
	}
	return NULL;
}

static void *write_often(void *arg)
{
	const uint32_t first = *(const uint32_t *)arg;

	for (uint32_t i = 0; i < WRITES; i++) {
		const uint32_t host = (first + i * 7) % HOSTS;
		const struct verdict verdict = verdict_of(host, i, NOW + i % 3);

		if (i % 11 == 0)
			verdicts_drop(shared, &verdict.addr);
		else
			verdicts_put(shared, &verdict, NOW);
		if (i % 100 == 0)
			verdicts_expire(shared, NOW);
		if (i % 5000 == 0)
			verdicts_clear(shared);
	}
	return NULL;
}

/* Every reader is seen to read, however late it gets a CPU. */
static void wait_for_reads(void)
{
	for (size_t i = 0; i < READERS; i++)
		while (atomic_load(&reads[i]) < READS_MIN)
			sched_yield();
}

static void readers_see_whole_verdicts(void **state)
{
	static uint32_t first[WRITERS] = { 0, 300 };
	pthread_t reader[READERS], writer[WRITERS];
	uint64_t total = 0;

	(void)state;
	shared = make(ROOM);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&reader[i], NULL, read_all_the_time, &reads[i]), 0);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writer[i], NULL, write_often, &first[i]), 0);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(writer[i], NULL), 0);
	wait_for_reads();
	atomic_store(&done, true);
	for (size_t i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(reader[i], NULL), 0);
		total += reads[i];
	}
	assert_int_equal(atomic_load(&torn), 0);
	assert_in_range(entries(shared), 0, ROOM);
	assert_int_equal(stats_of(shared).hits + stats_of(shared).misses, total);
	verdicts_close(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_until_it_runs_out),
		cmocka_unit_test(addresses_are_whole),
		cmocka_unit_test(a_new_one_replaces),
		cmocka_unit_test(dropped_and_cleared),
		cmocka_unit_test(the_oldest_gives_way),
		cmocka_unit_test(what_has_run_out_gives_way_first),
		cmocka_unit_test(what_has_run_out_goes_in_steps),
		cmocka_unit_test(the_hand_moves_on),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(readers_see_whole_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
