/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_client.c - see session/guard_client.h.
 *
 * What goes between the threads is a struct guard_wait. The client makes it and puts it into the
 * guard's queue; the guard keeps it with the lookup that it waits for, and puts it, always, into
 * the client's queue of answers; the client calls back and frees it. One that is cancelled goes the
 * same way, and is only freed. So no side ever frees what the other one may look at, and a client
 * goes when the last of what it has asked has come back, closed or not.
 */
#include "session/guard_client.h"

#include <pthread.h>
#include <stdlib.h>

#include "session/guard_internal.h"

struct guard_client {
	struct guard *guard;
	uv_async_t async;
	size_t references; /* its own, and one for each wait; atomic */

	pthread_mutex_t lock;
	struct guard_message *answers; /* that have come, the last one first */
	bool closed;
};

struct guard_wait {
	struct guard_message message; /* the first member */
	struct guard_client *client;
	guard_wait_cb cb; /* NULL: cancelled; of the client's thread */
	void *arg;
};

static void unref(struct guard_client *client)
{
	if (__atomic_sub_fetch(&client->references, 1, __ATOMIC_ACQ_REL))
		return;
	pthread_mutex_destroy(&client->lock);
	free(client);
}

static struct guard_wait *wait_of(struct guard_message *message)
{
	return (struct guard_wait *)message;
}

static void free_wait(struct guard_wait *wait)
{
	struct guard_client *client = wait->client;

	free(wait);
	unref(client);
}

struct guard *guard_client_guard(const struct guard_client *client)
{
	return client->guard;
}

/* The guard's thread, or the client's own */

void guard_client_answer(struct guard_message *message)
{
	struct guard_wait *wait = wait_of(message);
	struct guard_client *client = wait->client;
	bool closed;

	pthread_mutex_lock(&client->lock);
	closed = client->closed;
	if (!closed) {
		message->next = client->answers;
		client->answers = message;
		uv_async_send(&client->async);
	}
	pthread_mutex_unlock(&client->lock);
	if (closed)
		free_wait(wait);
}

/* The client's thread */

/* In the order in which they came. */
static struct guard_message *take_answers(struct guard_client *client)
{
	struct guard_message *taken, *next, *ordered = NULL;

	pthread_mutex_lock(&client->lock);
	taken = client->answers;
	client->answers = NULL;
	pthread_mutex_unlock(&client->lock);
	for (; taken; taken = next) {
		next = taken->next;
		taken->next = ordered;
		ordered = taken;
	}
	return ordered;
}

/* A callback may close the client, which calls nobody then. */
static void on_answers(uv_async_t *async)
{
	struct guard_client *client = async->data;
	struct guard_message *message = take_answers(client), *next;

	for (; message; message = next) {
		struct guard_wait *wait = wait_of(message);

		next = message->next;
		if (wait->cb && !client->closed)
			wait->cb(message->found ? &message->verdict : NULL, wait->arg);
		free_wait(wait);
	}
}

int guard_client_open(struct guard *guard, uv_loop_t *loop, struct guard_client **out,
		      struct error *err)
{
	struct guard_client *client = calloc(1, sizeof(*client));

	if (!client || uv_async_init(loop, &client->async, on_answers)) {
		free(client);
		return error_set(err, ERROR_REFUSED, "cannot ask the guard: out of memory");
	}
	client->guard = guard;
	client->async.data = client;
	client->references = 1;
	pthread_mutex_init(&client->lock, NULL);
	*out = client;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct guard_client *client = handle->data;
	struct guard_message *message = take_answers(client), *next;

	for (; message; message = next) {
		next = message->next;
		free_wait(wait_of(message));
	}
	unref(client);
}

void guard_client_close(struct guard_client **out)
{
	struct guard_client *client = *out;

	if (!client)
		return;
	*out = NULL;
	pthread_mutex_lock(&client->lock);
	client->closed = true;
	pthread_mutex_unlock(&client->lock);
	uv_close((uv_handle_t *)&client->async, on_closed);
}

bool guard_client_ask(struct guard_client *client, const struct addr *addr, struct verdict *out,
		      struct guard_wait **wait, guard_wait_cb cb, void *arg)
{
	*wait = NULL;
	if (guard_verdict(client->guard, addr, out))
		return true;
	*wait = calloc(1, sizeof(**wait));
	if (!*wait)
		return false;
	**wait = (struct guard_wait){ .client = client, .cb = cb, .arg = arg };
	(*wait)->message.kind = GUARD_MESSAGE_ASK;
	(*wait)->message.verdict.addr = *addr;
	__atomic_add_fetch(&client->references, 1, __ATOMIC_RELAXED);
	if (!guard_post(client->guard, &(*wait)->message))
		guard_client_answer(&(*wait)->message);
	return false;
}

void guard_client_cancel(struct guard_wait **wait)
{
	if (*wait)
		(*wait)->cb = NULL;
	*wait = NULL;
}

struct greylist_answer guard_client_greylist(struct guard_client *client,
					     const struct greylist_rules *rules,
					     const struct greylist_key *key)
{
	return greylist_ask(client->guard->greylist, rules, key, greylist_now());
}

void guard_client_note(struct guard_client *client, const struct verdict *verdict, bool offence)
{
	struct guard_message *message = calloc(1, sizeof(*message));

	if (!message)
		return;
	message->kind = offence ? GUARD_MESSAGE_OFFENCE : GUARD_MESSAGE_GOOD;
	message->verdict = *verdict;
	if (!guard_post(client->guard, message))
		free(message);
}
