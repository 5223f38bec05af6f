/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/snapshot.c - the published configuration: read by any thread without a lock (RCU).
 *
 * The agent publishes at start, at reload and when a limit is set; everything else reads. Each
 * snapshot is owned by this file from the moment it is published until nobody can hold it any more,
 * and is never changed. The pointer is a C11 atomic, so the order of loads and stores is said in
 * the language; liburcu only tells when the readers of an older snapshot are gone.
 */
#include "conf/conf.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

#include "lib/rcu.h"

/*
 * ThreadSanitizer does not see inside liburcu, where the end of a read section is ordered before
 * the end of the grace period. It is told, and so still reports whatever that order does not cover.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WATCHED_BY_TSAN 1
#endif
#endif
#if defined(WATCHED_BY_TSAN) || defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define readers_done_say()  __tsan_release(&current)
#define readers_done_hear() __tsan_acquire(&current)
#else
#define readers_done_say()  ((void)0)
#define readers_done_hear() ((void)0)
#endif

static _Atomic(struct conf *) current;

const struct conf *conf_read_begin(void)
{
	rcu_join();
	urcu_memb_read_lock();
	return atomic_load_explicit(&current, memory_order_acquire);
}

void conf_read_end(void)
{
	readers_done_say();
	urcu_memb_read_unlock();
}

/* Whoever takes a snapshot out frees it, so two threads may publish at once. */
void conf_publish(struct conf *conf)
{
	struct conf *old = atomic_exchange_explicit(&current, conf, memory_order_acq_rel);

	urcu_memb_synchronize_rcu();
	readers_done_hear();
	conf_free(&old);
}
