/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of the way between workers and the guard (session/guard_client.c, guard_messages.c): two
 * threads, with a guard in which only the lookups are played.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "session/guard_client.h"
#include "session/guard_internal.h"

#define KNOWN   0xc0000201u
#define UNKNOWN 0xc0000202u
#define NOBODY  0xc0000203u /* for whom there is no room */
#define LATER   0xc0000204u /* answered at the end only */

/* The guard's side; its own thread's but for what is atomic. */
static struct {
	struct guard *guard;
	pthread_t thread;
	struct guard_message *later;
	unsigned int goods, offences, asked;
	bool stop;
} played;

bool guard_verdict(struct guard *guard, const struct addr *addr, struct verdict *out)
{
	(void)guard;
	if (addr_ipv4(addr) != KNOWN)
		return false;
	*out = (struct verdict){ .addr = *addr, .total = 7 };
	return true;
}

bool guard_look_up_for(struct guard *guard, const struct addr *addr, struct guard_message *message)
{
	(void)guard;
	__atomic_add_fetch(&played.asked, 1, __ATOMIC_RELAXED);
	if (addr_ipv4(addr) == NOBODY)
		return false;
	if (addr_ipv4(addr) == LATER) {
		message->next = played.later;
		played.later = message;
		return true;
	}
	message->found = true;
	message->verdict.total = 9;
	guard_client_answer(message);
	return true;
}

void guard_note(struct guard *guard, const struct verdict *verdict, bool offence)
{
	(void)guard;
	assert_int_equal(addr_ipv4(&verdict->addr), KNOWN);
	__atomic_add_fetch(offence ? &played.offences : &played.goods, 1, __ATOMIC_RELAXED);
}

/* What the operator's lists and the kernel's memory say, played. */
static struct {
	struct list_info list; /* of no name: none */
	bool off;              /* what was learned does not decide */
	enum gate_learned_kind learned;
	bool watched;
} says;

bool lists_decide(struct lists *lists, const struct addr *addr, struct list_info *out)
{
	(void)lists;
	(void)addr;
	*out = says.list;
	return *says.list.name;
}

bool gate_learned_decides(struct gate *gate)
{
	(void)gate;
	return !says.off;
}

bool gate_learned_find(struct gate *gate, const struct addr *addr, struct gate_learned *out)
{
	(void)gate;
	*out = (struct gate_learned){ .addr = *addr, .kind = says.learned };
	return says.learned != GATE_LEARNED_NONE;
}

bool gate_learned_watched(struct gate *gate)
{
	(void)gate;
	return says.watched;
}

static void on_wake(uv_async_t *wake)
{
	struct guard_message *message, *next;

	guard_serve_messages(played.guard);
	if (!__atomic_load_n(&played.stop, __ATOMIC_ACQUIRE))
		return;
	pthread_mutex_lock(&played.guard->lock);
	played.guard->closed = true;
	pthread_mutex_unlock(&played.guard->lock);
	guard_refuse_messages(played.guard);
	for (message = played.later; message; message = next) {
		next = message->next;
		message->found = false;
		guard_client_answer(message);
	}
	uv_close((uv_handle_t *)wake, NULL);
}

static void *run_guard(void *arg)
{
	(void)arg;
	uv_run(&played.guard->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int open_guard(void **state)
{
	struct error err;

	(void)state;
	memset(&played, 0, sizeof(played));
	memset(&says, 0, sizeof(says));
	played.guard = calloc(1, sizeof(*played.guard));
	uv_loop_init(&played.guard->loop);
	uv_async_init(&played.guard->loop, &played.guard->wake, on_wake);
	pthread_mutex_init(&played.guard->lock, NULL);
	assert_int_equal(verdicts_open(&played.guard->verdicts, 1000, &err), 0);
	pthread_create(&played.thread, NULL, run_guard, NULL);
	return 0;
}

static void stop_guard(void)
{
	if (played.stop)
		return;
	__atomic_store_n(&played.stop, true, __ATOMIC_RELEASE);
	uv_async_send(&played.guard->wake);
	pthread_join(played.thread, NULL);
}

static int close_guard(void **state)
{
	(void)state;
	stop_guard();
	uv_loop_close(&played.guard->loop);
	verdicts_close(&played.guard->verdicts);
	pthread_mutex_destroy(&played.guard->lock);
	free(played.guard);
	return 0;
}

struct worker {
	uv_loop_t loop;
	struct guard_client *client;
	unsigned int answers, without;
	int16_t total;
};

static void open_worker(struct worker *worker)
{
	struct error err;

	memset(worker, 0, sizeof(*worker));
	uv_loop_init(&worker->loop);
	assert_int_equal(guard_client_open(played.guard, &worker->loop, &worker->client, &err), 0);
}

static void close_worker(struct worker *worker)
{
	guard_client_close(&worker->client);
	assert_null(worker->client);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&worker->loop), 0);
}

static void on_verdict(const struct verdict *verdict, void *arg)
{
	struct worker *worker = arg;

	worker->answers++;
	worker->without += verdict == NULL;
	if (verdict)
		worker->total = verdict->total;
}

static struct guard_wait *ask(struct worker *worker, uint32_t address)
{
	const struct addr addr = addr_from_ipv4(address);
	struct guard_wait *wait;
	struct verdict verdict;

	assert_false(guard_client_ask(worker->client, &addr, &verdict, &wait, on_verdict, worker));
	assert_non_null(wait);
	return wait;
}

static void await(struct worker *worker, unsigned int answers)
{
	while (worker->answers < answers)
		uv_run(&worker->loop, UV_RUN_ONCE);
	assert_int_equal(worker->answers, answers);
}

static void answers(void **state)
{
	const struct addr known = addr_from_ipv4(KNOWN);
	struct guard_wait *wait;
	struct verdict verdict;
	struct worker worker;

	(void)state;
	open_worker(&worker);
	assert_true(guard_client_ask(worker.client, &known, &verdict, &wait, on_verdict, &worker));
	assert_null(wait);
	assert_int_equal(verdict.total, 7);
	ask(&worker, UNKNOWN);
	assert_int_equal(worker.answers, 0); /* never from inside */
	await(&worker, 1);
	assert_int_equal(worker.total, 9);
	ask(&worker, NOBODY);
	await(&worker, 2);
	assert_int_equal(worker.without, 1);
	for (int i = 0; i < 1000; i++)
		ask(&worker, UNKNOWN);
	await(&worker, 1002);
	close_worker(&worker);
}

static void cancelled(void **state)
{
	struct guard_wait *wait, *none = NULL;
	struct worker worker;

	(void)state;
	open_worker(&worker);
	wait = ask(&worker, UNKNOWN);
	guard_client_cancel(&wait);
	assert_null(wait);
	guard_client_cancel(&none);
	ask(&worker, UNKNOWN);
	await(&worker, 1);
	close_worker(&worker);
}

/* A worker that ends leaves nothing behind, whenever its answers come. */
static void worker_ends(void **state)
{
	struct worker worker;

	(void)state;
	for (int i = 0; i < 100; i++) {
		open_worker(&worker);
		ask(&worker, UNKNOWN);
		ask(&worker, LATER);
		close_worker(&worker);
		assert_int_equal(worker.answers, 0);
	}
}

static void guard_ends(void **state)
{
	struct worker worker;

	(void)state;
	open_worker(&worker);
	ask(&worker, LATER);
	while (!__atomic_load_n(&played.asked, __ATOMIC_RELAXED))
		;
	stop_guard();
	ask(&worker, UNKNOWN);
	await(&worker, 2);
	assert_int_equal(worker.without, 2);
	close_worker(&worker);
}

static void notes(void **state)
{
	const struct verdict verdict = { .addr = addr_from_ipv4(KNOWN) };
	struct worker worker;

	(void)state;
	open_worker(&worker);
	guard_client_note(worker.client, &verdict, true);
	guard_client_note(worker.client, &verdict, false);
	guard_client_note(worker.client, &verdict, true);
	stop_guard();
	guard_client_note(worker.client, &verdict, true);
	assert_int_equal(played.offences, 2);
	assert_int_equal(played.goods, 1);
	close_worker(&worker);
}

static void stands(struct worker *worker, enum guard_standing_kind kind, bool watched,
		   const char *list)
{
	const struct addr addr = addr_from_ipv4(KNOWN);
	struct guard_standing standing;

	guard_client_standing(worker->client, &addr, &standing);
	assert_int_equal(standing.kind, kind);
	assert_int_equal(standing.watched, watched);
	assert_string_equal(standing.list, list);
}

/* As the program decides: lists first, what was learned behind them, and behind those in monitor
 * mode. */
static void standing(void **state)
{
	struct worker worker;

	(void)state;
	open_worker(&worker);
	stands(&worker, GUARD_STANDING_NONE, false, "");
	says.learned = GATE_LEARNED_TRUSTED;
	stands(&worker, GUARD_STANDING_NONE, false, "");
	says.learned = GATE_LEARNED_BLOCKED;
	stands(&worker, GUARD_STANDING_BLOCKED, false, "learned");
	says.watched = true;
	stands(&worker, GUARD_STANDING_BLOCKED, true, "learned");
	says.watched = false;
	says.list = (struct list_info){ .name = "trusted", .kind = LIST_KIND_ALLOW };
	stands(&worker, GUARD_STANDING_ALLOWED, false, "trusted");
	says.list = (struct list_info){ .name = "rude", .kind = LIST_KIND_BLOCK };
	stands(&worker, GUARD_STANDING_BLOCKED, false, "rude");
	says.list.monitor = true;
	stands(&worker, GUARD_STANDING_BLOCKED, false, "learned");
	says.off = true;
	stands(&worker, GUARD_STANDING_BLOCKED, true, "rude");
	close_worker(&worker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_guard, close_guard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers),    TEST(cancelled), TEST(worker_ends),
		TEST(guard_ends), TEST(notes),     TEST(standing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
