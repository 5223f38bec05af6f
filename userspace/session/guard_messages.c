/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_messages.c - what workers ask and tell (session/guard_client.h): the guard's side.
 *
 * Messages are put into a queue under the lock, in order, by any thread; the loop is woken, and
 * takes all there are at once. A question is always answered, at the end of the guard without a
 * verdict; what it is asked meanwhile is refused at once.
 */
#include <stdlib.h>

#include "lib/clock.h"
#include "session/guard_internal.h"

#define MESSAGES_MAX 65536u /* that wait for the loop; more are refused */

bool guard_post(struct guard *guard, struct guard_message *message)
{
	bool taken;

	pthread_mutex_lock(&guard->lock);
	taken = !guard->closed && guard->messages < MESSAGES_MAX;
	if (taken) {
		message->next = NULL;
		*(guard->last_message ? &guard->last_message->next : &guard->message) = message;
		guard->last_message = message;
		if (!guard->messages++)
			uv_async_send(&guard->wake);
	}
	pthread_mutex_unlock(&guard->lock);
	return taken;
}

static struct guard_message *take_all(struct guard *guard)
{
	struct guard_message *all;

	pthread_mutex_lock(&guard->lock);
	all = guard->message;
	guard->message = NULL;
	guard->last_message = NULL;
	guard->messages = 0;
	pthread_mutex_unlock(&guard->lock);
	return all;
}

static void look_up(struct guard *guard, struct guard_message *message)
{
	const struct addr addr = message->verdict.addr;
	const uint32_t now = clock_mono_seconds();

	message->found = verdicts_find(guard->verdicts, &addr, now, &message->verdict);
	if (message->found || !guard_look_up_for(guard, &addr, message))
		guard_client_answer(message);
}

static void serve(struct guard *guard, struct guard_message *message)
{
	if (message->kind == GUARD_MESSAGE_ASK) {
		look_up(guard, message);
		return;
	}
	guard_note(guard, &message->verdict, message->kind == GUARD_MESSAGE_OFFENCE);
	free(message);
}

void guard_serve_messages(struct guard *guard)
{
	struct guard_message *message = take_all(guard), *next;

	for (; message; message = next) {
		next = message->next;
		serve(guard, message);
	}
}

void guard_refuse_messages(struct guard *guard)
{
	struct guard_message *message = take_all(guard), *next;

	for (; message; message = next) {
		next = message->next;
		if (message->kind == GUARD_MESSAGE_ASK)
			guard_client_answer(message);
		else
			serve(guard, message);
	}
}
