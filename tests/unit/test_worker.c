/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of loop/worker: threads begin and end, and calls arrive where they were sent, in order.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loop/worker.h"

#define WORKERS 4
#define CALLS   20000

/* What a worker is known by; only its own thread looks at it. */
struct state {
	uv_thread_t thread;
	unsigned int number;
	unsigned int calls;
	bool stopped;
	uv_timer_t timer; /* a handle that keeps the loop alive until it is closed */
};

/* What the test sees; each worker writes to its own row. */
struct scene {
	unsigned int fail_at; /* this one cannot open */
	atomic_uint opened, stopped, closed;
	unsigned int calls[WORKERS];
	bool signals_blocked[WORKERS];
};

static void never(uv_timer_t *timer)
{
	(void)timer;
	abort();
}

static struct scene *scene;

static int on_open(uv_loop_t *loop, unsigned int number, void *arg, void **out, struct error *err)
{
	struct scene *here = arg;
	struct state *state;
	sigset_t blocked;

	if (number == here->fail_at)
		return error_set(err, ERROR_USAGE, "number %u cannot", number);
	state = calloc(1, sizeof(*state));
	state->thread = uv_thread_self();
	state->number = number;
	uv_timer_init(loop, &state->timer);
	uv_timer_start(&state->timer, never, 1000000, 0);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	here->signals_blocked[number] = sigismember(&blocked, SIGTERM);
	atomic_fetch_add(&here->opened, 1);
	*out = state;
	return 0;
}

static void check_thread(const struct state *state)
{
	const uv_thread_t self = uv_thread_self();

	if (!uv_thread_equal(&self, &state->thread))
		abort();
}

static void on_stop(void *arg)
{
	struct state *state = arg;

	check_thread(state);
	state->stopped = true;
	atomic_fetch_add(&scene->stopped, 1);
	uv_close((uv_handle_t *)&state->timer, NULL);
}

static void on_close(void *arg)
{
	struct state *state = arg;

	check_thread(state);
	if (!state->stopped)
		abort();
	scene->calls[state->number] = state->calls;
	atomic_fetch_add(&scene->closed, 1);
	free(state);
}

static const struct worker_ops ops = { on_open, on_stop, on_close };

static int setup(void **state)
{
	static struct scene fresh;

	memset(&fresh, 0, sizeof(fresh));
	fresh.fail_at = WORKERS;
	scene = &fresh;
	*state = scene;
	return 0;
}

static void they_begin_and_end(void **state)
{
	struct workers *workers;
	struct error err;

	(void)state;
	assert_int_equal(workers_open(WORKERS, &ops, scene, &workers, &err), 0);
	assert_int_equal(workers_count(workers), WORKERS);
	assert_int_equal(atomic_load(&scene->opened), WORKERS);
	assert_int_equal(atomic_load(&scene->stopped), 0);
	workers_close(&workers);
	assert_null(workers);
	assert_int_equal(atomic_load(&scene->stopped), WORKERS);
	assert_int_equal(atomic_load(&scene->closed), WORKERS);
	for (unsigned int i = 0; i < WORKERS; i++)
		assert_true(scene->signals_blocked[i]);
	workers_close(&workers);
}

static void if_one_cannot_none_stays(void **state)
{
	struct workers *workers = NULL;
	struct error err;

	(void)state;
	scene->fail_at = 2;
	assert_int_equal(workers_open(WORKERS, &ops, scene, &workers, &err), ERROR_USAGE);
	assert_string_equal(err.text, "number 2 cannot");
	assert_null(workers);
	assert_int_equal(atomic_load(&scene->opened), 2);
	assert_int_equal(atomic_load(&scene->closed), 2);
}

static void there_are_some(void **state)
{
	struct workers *workers;

	(void)state;
	assert_int_equal(workers_open(0, &ops, scene, &workers, NULL), ERROR_USAGE);
	assert_int_equal(workers_open(WORKERS_MAX + 1, &ops, scene, &workers, NULL), ERROR_USAGE);
}

/* Each call says which number it has. */
static void count_up(void *arg, void *number)
{
	struct state *state = arg;

	check_thread(state);
	if (state->stopped || (uintptr_t)number != state->calls)
		abort();
	state->calls++;
}

/* All that were taken are made, also when they are told to end at once. */
static void calls_come_in_order(void **state)
{
	struct workers *workers;

	(void)state;
	assert_int_equal(workers_open(WORKERS, &ops, scene, &workers, NULL), 0);
	for (uintptr_t i = 0; i < CALLS; i++)
		for (unsigned int j = 0; j < WORKERS; j++)
			assert_true(workers_post(workers, j, count_up, (void *)i));
	workers_close(&workers);
	for (unsigned int i = 0; i < WORKERS; i++)
		assert_int_equal(scene->calls[i], CALLS);
}

struct poster {
	struct workers *workers;
	uv_thread_t thread;
};

static void count(void *arg, void *unused)
{
	struct state *state = arg;

	(void)unused;
	check_thread(state);
	state->calls++;
}

static void post_many(void *arg)
{
	struct poster *poster = arg;

	for (unsigned int i = 0; i < CALLS; i++)
		if (!workers_post(poster->workers, i % WORKERS, count, NULL))
			abort();
}

static void any_thread_may_call(void **state)
{
	struct poster poster[3];
	struct workers *workers;
	unsigned int total = 0;

	(void)state;
	assert_int_equal(workers_open(WORKERS, &ops, scene, &workers, NULL), 0);
	for (unsigned int i = 0; i < 3; i++) {
		poster[i].workers = workers;
		uv_thread_create(&poster[i].thread, post_many, &poster[i]);
	}
	for (unsigned int i = 0; i < 3; i++)
		uv_thread_join(&poster[i].thread);
	workers_close(&workers);
	for (unsigned int i = 0; i < WORKERS; i++)
		total += scene->calls[i];
	assert_int_equal(total, 3 * CALLS);
}

static uv_sem_t held, go_on;

static void hold(void *arg, void *unused)
{
	(void)arg;
	(void)unused;
	uv_sem_post(&held);
	uv_sem_wait(&go_on);
}

static void the_row_is_bounded(void **state)
{
	struct workers *workers;
	unsigned int taken = 0;

	(void)state;
	uv_sem_init(&held, 0);
	uv_sem_init(&go_on, 0);
	assert_int_equal(workers_open(1, &ops, scene, &workers, NULL), 0);
	assert_true(workers_post(workers, 0, hold, NULL));
	uv_sem_wait(&held);
	while (workers_post(workers, 0, count, NULL))
		taken++;
	assert_int_equal(taken, WORKER_CALLS_MAX);
	uv_sem_post(&go_on);
	workers_close(&workers);
	assert_int_equal(scene->calls[0], WORKER_CALLS_MAX);
	uv_sem_destroy(&held);
	uv_sem_destroy(&go_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(they_begin_and_end, setup),
		cmocka_unit_test_setup(if_one_cannot_none_stays, setup),
		cmocka_unit_test_setup(there_are_some, setup),
		cmocka_unit_test_setup(calls_come_in_order, setup),
		cmocka_unit_test_setup(any_thread_may_call, setup),
		cmocka_unit_test_setup(the_row_is_bounded, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
