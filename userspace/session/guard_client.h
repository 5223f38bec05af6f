/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard_client.h - a worker's way to the guard: verdicts without waiting, and what became
 * of a client.
 *
 * Verdicts lie in a cache that all threads read without a lock, so most answers are there at once.
 * Else the guard's thread is asked: it joins the lookups that the client's SYN began, or begins
 * them, and what it finds is posted to the worker's loop. A client belongs to one loop's thread.
 *
 * The greylist has a lock of its own that nobody holds for longer than one look-up, so what it says
 * is there at once, too.
 */
#ifndef POSTERN_SESSION_GUARD_CLIENT_H
#define POSTERN_SESSION_GUARD_CLIENT_H

#include <uv.h>

#include "policy/greylist.h"
#include "session/guard.h"

struct guard_client;
struct guard_wait; /* valid until its callback is called or it is cancelled */

int guard_client_open(struct guard *guard, uv_loop_t *loop, struct guard_client **out,
		      struct error *err);
/* Questions under way are dropped without a callback. Nulls the pointer; NULL is allowed. The loop
 * has to run once more. */
void guard_client_close(struct guard_client **client);

/* `verdict` is NULL if none could be found: the guard ends, or too much is under way. */
typedef void (*guard_wait_cb)(const struct verdict *verdict, void *arg);

/*
 * True and `out` if there is a verdict that holds. Else false, and `wait` is set; or NULL, if
 * memory is short: then there is no verdict, and no callback.
 */
bool guard_client_ask(struct guard_client *client, const struct addr *addr, struct verdict *out,
		      struct guard_wait **wait, guard_wait_cb cb, void *arg);
/* Nulls the pointer; NULL is allowed. */
void guard_client_cancel(struct guard_wait **wait);

/*
 * Whether a sender whose score is that of greylisting has to wait; notes that he was here. It is
 * the memory, and the clock, by which the kernel is told to be silent (session/guard_act.c).
 */
struct greylist_answer guard_client_greylist(struct guard_client *client,
					     const struct greylist_rules *rules,
					     const struct greylist_key *key);

/*
 * What the operator's lists say of an address, and what was learned about it: as the kernel decides
 * about a source that it sees (bpf/lookup.h, bpf/learned.h), for one that a load balancer names.
 * Waits for nobody.
 */
enum guard_standing_kind { GUARD_STANDING_NONE, GUARD_STANDING_ALLOWED, GUARD_STANDING_BLOCKED };
struct guard_standing {
	enum guard_standing_kind kind;
	bool watched; /* a block of a list in monitor mode */
	char list[LIST_NAME_MAX + 1];
};
void guard_client_standing(struct guard_client *client, const struct addr *addr,
			   struct guard_standing *out);

/*
 * Tells what was done about a client: it was refused because of its verdict or of what it did
 * (`offence`), or let in. What follows for the kernel is the guard's to decide.
 */
void guard_client_note(struct guard_client *client, const struct verdict *verdict, bool offence);

#endif
