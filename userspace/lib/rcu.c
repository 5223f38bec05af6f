/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/rcu.c - see lib/rcu.h. There is one registration for each thread, whoever reads first.
 */
#include "lib/rcu.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* its destructor runs when a registered thread ends */
static _Thread_local bool registered;

static void leave(void *arg)
{
	(void)arg;
	urcu_memb_unregister_thread();
	registered = false;
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

static void enter(void)
{
	pthread_once(&once, make_key);
	urcu_memb_register_thread();
	/* Any value but NULL has the destructor run. */
	if (pthread_setspecific(key, &key))
		abort();
	registered = true;
}

void rcu_section_begin(void)
{
	if (!registered)
		enter();
	urcu_memb_read_lock();
}

void rcu_section_end(void)
{
	urcu_memb_read_unlock();
}
