/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_ask.c - questions of other threads, which wait here until the guard's loop has
 * answered.
 *
 * A question lives on the stack of whoever asks. It is put into a queue under the lock, the loop is
 * woken, and runs it; it is answered under the lock at once, or by the lookup that it began. When
 * the guard ends, what still waits is told so, and so is whoever comes later.
 */
#include "lib/clock.h"
#include "session/guard_internal.h"

struct guard_question {
	void (*run)(struct guard *guard, struct guard_question *question);
	const struct addr *addr;
	const char *helo;
	struct guard_lists **lists;
	struct guard_question *next;
	bool answered;
	/* The answer: */
	bool found;
	size_t count;
	json_t *json;
	struct history_record record;
};

/* The loop's side */

static void answer(struct guard *guard, struct guard_question *question)
{
	pthread_mutex_lock(&guard->lock);
	question->answered = true;
	pthread_cond_broadcast(&guard->answered);
	pthread_mutex_unlock(&guard->lock);
}

static struct guard_question *take_all(struct guard *guard)
{
	struct guard_question *all;

	pthread_mutex_lock(&guard->lock);
	all = guard->question;
	guard->question = NULL;
	pthread_mutex_unlock(&guard->lock);
	return all;
}

void guard_answer_all(struct guard *guard)
{
	struct guard_question *question = take_all(guard), *next;

	while (question) {
		next = question->next; /* one that is answered may be gone */
		question->run(guard, question);
		question = next;
	}
}

void guard_refuse_all(struct guard *guard)
{
	struct guard_question *question, *next;

	pthread_mutex_lock(&guard->lock);
	guard->closed = true;
	pthread_mutex_unlock(&guard->lock);
	for (question = take_all(guard); question; question = next) {
		next = question->next;
		answer(guard, question);
	}
}

void guard_answer_lookup(struct guard_question *question, struct guard *guard,
			 const struct evaluate_result *result)
{
	if (result)
		question->json = guard_result_json(result, &guard->rules.score);
	answer(guard, question);
}

static void run_explain(struct guard *guard, struct guard_question *question)
{
	if (!guard_look_up(guard, question->addr, question->helo, question))
		answer(guard, question);
}

/* The kernel and the history know IPv6 sources by their /64, so all verdicts in it go. */
static bool forget(struct guard *guard, const struct addr *addr)
{
	const struct prefix network = prefix_of(addr, LEARNED_IPV6_BITS);
	const bool verdict = addr_is_ipv4(addr) ? verdicts_drop(guard->verdicts, addr)
						: verdicts_drop_network(guard->verdicts, &network);
	const bool history = history_forget(guard->history, addr);
	const bool kernel = gate_forget(guard->gate, addr);

	return verdict || history || kernel;
}

static void run_forget(struct guard *guard, struct guard_question *question)
{
	question->found = forget(guard, question->addr);
	answer(guard, question);
}

static void run_forget_blocked(struct guard *guard, struct guard_question *question)
{
	history_forgive_blocked(guard->history, clock_wall());
	verdicts_clear(guard->verdicts);
	question->count = gate_forget_kind(guard->gate, GATE_LEARNED_BLOCKED);
	answer(guard, question);
}

static void run_reload(struct guard *guard, struct guard_question *question)
{
	guard_take_lists(guard, question->lists);
	answer(guard, question);
}

static void run_history(struct guard *guard, struct guard_question *question)
{
	const struct history_record *record = history_find(guard->history, question->addr);

	question->found = record && history_matters(&guard->rules.escalation, record, clock_wall());
	if (question->found)
		question->record = *record;
	answer(guard, question);
}

/* The side of whoever asks */

/* False if there is nobody to answer. */
static bool ask(struct guard *guard, struct guard_question *question)
{
	struct guard_question **last = &guard->question;

	pthread_mutex_lock(&guard->lock);
	if (guard->closed) {
		pthread_mutex_unlock(&guard->lock);
		return false;
	}
	while (*last)
		last = &(*last)->next;
	*last = question;
	uv_async_send(&guard->wake);
	while (!question->answered)
		pthread_cond_wait(&guard->answered, &guard->lock);
	pthread_mutex_unlock(&guard->lock);
	return true;
}

int guard_explain(struct guard *guard, const struct addr *addr, const char *helo, json_t **out,
		  struct error *err)
{
	struct guard_question question = { .run = run_explain, .addr = addr, .helo = helo };
	const bool room =
		__atomic_add_fetch(&guard->explaining, 1, __ATOMIC_RELAXED) <= GUARD_EXPLAIN_MAX;

	if (room)
		ask(guard, &question);
	__atomic_sub_fetch(&guard->explaining, 1, __ATOMIC_RELAXED);
	if (!room)
		return error_set(err, ERROR_REFUSED,
				 "%d lookups are waited for already; try again in a moment",
				 GUARD_EXPLAIN_MAX);
	if (!question.json)
		return error_set(err, ERROR_REFUSED,
				 "cannot look up: the agent ends, or is out of "
				 "memory");
	*out = question.json;
	return 0;
}

void guard_reload(struct guard *guard, struct guard_lists **lists)
{
	struct guard_question question = { .run = run_reload, .lists = lists };

	ask(guard, &question);
	guard_drop_lists(lists); /* of a guard that ends */
}

bool guard_forget(struct guard *guard, const struct addr *addr)
{
	struct guard_question question = { .run = run_forget, .addr = addr };

	return ask(guard, &question) && question.found;
}

size_t guard_forget_blocked(struct guard *guard)
{
	struct guard_question question = { .run = run_forget_blocked };

	return ask(guard, &question) ? question.count : 0;
}

bool guard_history(struct guard *guard, const struct addr *addr, struct history_record *out)
{
	struct guard_question question = { .run = run_history, .addr = addr };

	if (!ask(guard, &question) || !question.found)
		return false;
	*out = question.record;
	return true;
}
