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
#include <urcu/urcu-memb.h>

#include "lib/rcu.h"

static _Atomic(struct conf *) current;

const struct conf *conf_read_begin(void)
{
	rcu_section_begin();
	return atomic_load_explicit(&current, memory_order_acquire);
}

void conf_read_end(void)
{
	rcu_order_before(&current);
	rcu_section_end();
}

/* Whoever takes a snapshot out frees it, so two threads may publish at once. */
void conf_publish(struct conf *conf)
{
	struct conf *old = atomic_exchange_explicit(&current, conf, memory_order_acq_rel);

	urcu_memb_synchronize_rcu();
	rcu_order_after(&current);
	conf_free(&old);
}
