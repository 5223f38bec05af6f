/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/rcu.h - threads that read what others replace (liburcu, flavour memb).
 *
 * A thread is registered with liburcu when it joins for the first time, and is taken off when it
 * ends, because the threads of libuv's pool and of libmicrohttpd begin and end out of our sight.
 */
#ifndef POSTERN_LIB_RCU_H
#define POSTERN_LIB_RCU_H

#include <stdbool.h>

extern _Thread_local bool rcu_joined;
void rcu_join_now(void);

/* To be called before urcu_memb_read_lock(); costs nothing but the first time. */
static inline void rcu_join(void)
{
	if (!rcu_joined)
		rcu_join_now();
}

#endif
