/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/front_ending.c - front_end_listed() of daemon/front.h: asks every worker, and adds up what
 * they answer.
 *
 * Called by the commands that change lists, in a thread of the pool. The question belongs to all
 * who may look at it still, the asker and the workers, and goes with the last of them.
 */
#include <stdlib.h>
#include <time.h>

#include "daemon/front_internal.h"

#define PATIENCE_SECONDS 5 /* more than a worker's turn ever takes */

struct question {
	struct prefix prefix;
	const struct prefix *within; /* `prefix`, or NULL */

	pthread_mutex_t lock;
	pthread_cond_t answered;
	unsigned int references;
	unsigned int open; /* workers that have not answered */
	uint32_t ended;
};

static void unref(struct question *question)
{
	unsigned int left;

	pthread_mutex_lock(&question->lock);
	left = --question->references;
	pthread_mutex_unlock(&question->lock);
	if (left)
		return;
	pthread_cond_destroy(&question->answered);
	pthread_mutex_destroy(&question->lock);
	free(question);
}

/* In the worker's thread. */
static void on_asked(void *state, void *arg)
{
	struct question *question = arg;
	const uint32_t ended = front_worker_end_listed(state, question->within);

	pthread_mutex_lock(&question->lock);
	question->ended += ended;
	if (!--question->open)
		pthread_cond_signal(&question->answered);
	pthread_mutex_unlock(&question->lock);
	unref(question);
}

static struct question *new_question(const struct prefix *within)
{
	struct question *question = calloc(1, sizeof(*question));
	pthread_condattr_t clock;

	if (!question)
		return NULL;
	if (within) {
		question->prefix = *within;
		question->within = &question->prefix;
	}
	question->references = 1;
	pthread_mutex_init(&question->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&question->answered, &clock);
	pthread_condattr_destroy(&clock);
	return question;
}

static void count_asked(struct question *question, int more)
{
	pthread_mutex_lock(&question->lock);
	question->references += (unsigned int)more;
	question->open += (unsigned int)more;
	pthread_mutex_unlock(&question->lock);
}

static void ask(struct front *front, unsigned int number, struct question *question)
{
	count_asked(question, 1);
	if (!workers_post(front->workers, number, on_asked, question))
		count_asked(question, -1); /* it stops, or memory is short */
}

static uint32_t await_answers(struct question *question)
{
	struct timespec until;
	uint32_t ended;
	int late = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_SECONDS;
	pthread_mutex_lock(&question->lock);
	while (question->open && !late)
		late = pthread_cond_timedwait(&question->answered, &question->lock, &until);
	ended = question->ended;
	pthread_mutex_unlock(&question->lock);
	return ended;
}

uint32_t front_end_listed(struct front *front, const struct prefix *within)
{
	struct question *question = front && front->workers ? new_question(within) : NULL;
	uint32_t ended;

	if (!question)
		return 0;
	for (unsigned int i = 0; i < front->count; i++)
		ask(front, i, question);
	ended = await_answers(question);
	unref(question);
	return ended;
}
