/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/rcu.c - see lib/rcu.h.
 */
#include "lib/rcu.h"

#include <pthread.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

_Thread_local bool rcu_joined;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* its destructor runs when a registered thread ends */

static void leave(void *arg)
{
	(void)arg;
	urcu_memb_unregister_thread();
	rcu_joined = false;
}

/*
 * A process has 1024 keys. Without one, threads would end registered, and grace periods would look
 * into the memory of threads that are gone: better to end at once.
 */
static void make_key(void)
{
	if (pthread_key_create(&key, leave))
		abort();
}

void rcu_join_now(void)
{
	pthread_once(&once, make_key);
	urcu_memb_register_thread();
	/* Any value but NULL has the destructor run. */
	if (pthread_setspecific(key, &key))
		abort();
	rcu_joined = true;
}
