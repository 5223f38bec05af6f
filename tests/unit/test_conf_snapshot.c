/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of conf/snapshot: threads read while others publish. Built with AddressSanitizer it shows
 * that no snapshot is freed under a reader, with ThreadSanitizer that no access is unordered, and
 * with LeakSanitizer that every snapshot is freed in the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conf/conf.h"

#define READERS      4
#define PUBLISHERS   2
#define PUBLICATIONS 500 /* by each publisher */

static atomic_bool done;
static atomic_uint torn;           /* snapshots whose parts did not belong together */
static atomic_uint reads[READERS]; /* by each reader */

/* A configuration all of whose numbers are `value`. */
static struct conf *uniform(uint32_t value)
{
	struct conf *conf = NULL;

	if (conf_defaults(&conf, NULL))
		abort(); /* cmocka's assertions are for the main thread */
	conf->store_size = value;
	conf->events.rate = value;
	conf->limits.reset_rate = value;
	for (size_t level = 0; level < METER_LEVELS; level++)
		conf->limits.level[level] = (struct conf_limit){ value, value, value };
	return conf;
}

static bool is_uniform(const struct conf *conf)
{
	const uint32_t value = conf->store_size;
	bool same = conf->events.rate == value && conf->limits.reset_rate == value;

	for (size_t level = 0; level < METER_LEVELS; level++)
		same = same && conf->limits.level[level].rate == value &&
		       conf->limits.level[level].burst == value &&
		       conf->limits.level[level].conns == value;
	return same;
}

static void *read_all_the_time(void *arg)
{
	atomic_uint *count = arg;

	while (!atomic_load(&done)) {
		const struct conf *conf = conf_read_begin();

		if (!conf || !is_uniform(conf))
			atomic_fetch_add(&torn, 1);
		/* Holding on for a while gives a publisher the time to free too early. */
		if (atomic_fetch_add(count, 1) % 16 == 0)
			sched_yield();
		if (!conf || !is_uniform(conf))
			atomic_fetch_add(&torn, 1);
		conf_read_end();
	}
	return NULL;
}

static void *publish_often(void *arg)
{
	const uint32_t first = *(const uint32_t *)arg;

	for (uint32_t i = 0; i < PUBLICATIONS; i++)
		conf_publish(uniform(first + i));
	return NULL;
}

static void nothing_is_published_at_first(void **state)
{
	(void)state;
	assert_null(conf_read_begin());
	conf_read_end();
}

static void the_last_one_is_read(void **state)
{
	const struct conf *conf;

	(void)state;
	conf_publish(uniform(1));
	conf_publish(uniform(2));
	conf = conf_read_begin();
	assert_int_equal(conf->store_size, 2);
	conf_read_end();
	conf_publish(NULL);
	assert_null(conf_read_begin());
	conf_read_end();
}

/* Sections nest, as a function that reads may call another one. */
static void sections_nest(void **state)
{
	const struct conf *outer, *inner;

	(void)state;
	conf_publish(uniform(3));
	outer = conf_read_begin();
	inner = conf_read_begin();
	assert_ptr_equal(outer, inner);
	conf_read_end();
	assert_true(is_uniform(outer));
	conf_read_end();
	conf_publish(NULL);
}

static void readers_see_whole_snapshots(void **state)
{
	static uint32_t first[PUBLISHERS] = { 1000, 100000 };
	pthread_t reader[READERS], publisher[PUBLISHERS];

	(void)state;
	conf_publish(uniform(0));
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&reader[i], NULL, read_all_the_time, &reads[i]), 0);
	for (size_t i = 0; i < PUBLISHERS; i++)
		assert_int_equal(pthread_create(&publisher[i], NULL, publish_often, &first[i]), 0);
	for (size_t i = 0; i < PUBLISHERS; i++)
		assert_int_equal(pthread_join(publisher[i], NULL), 0);
	/* Every reader is seen to read, however late it got a CPU. */
	for (size_t i = 0; i < READERS; i++)
		while (!atomic_load(&reads[i]))
			sched_yield();
	atomic_store(&done, true);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(reader[i], NULL), 0);
	assert_int_equal(atomic_load(&torn), 0);
	/* The readers have ended: were one still registered and reading, this would never return.
	 */
	conf_publish(NULL);
}

static void *read_once(void *arg)
{
	const struct conf *conf = conf_read_begin();

	*(uint32_t *)arg = conf->store_size;
	conf_read_end();
	return NULL;
}

/*
 * Threads that come and go are registered and taken off, each on its own. One that was left on
 * would be in liburcu's list twice, once the next thread got its memory, and publishing would hang.
 */
static void threads_come_and_go(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		pthread_t thread;
		uint32_t seen = 0;

		conf_publish(uniform(i));
		assert_int_equal(pthread_create(&thread, NULL, read_once, &seen), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(seen, i);
	}
	conf_publish(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_published_at_first),
		cmocka_unit_test(the_last_one_is_read),
		cmocka_unit_test(sections_nest),
		cmocka_unit_test(readers_see_whole_snapshots),
		cmocka_unit_test(threads_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
