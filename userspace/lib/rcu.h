/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/rcu.h - read sections of liburcu (urcu-memb), for any thread.
 *
 * What is read in a section is not freed before the section has ended. Sections nest, never wait,
 * and are short. A thread is registered with liburcu by its first section and is taken off when it
 * ends, because the threads of libuv's pool and of libmicrohttpd begin and end out of our sight.
 */
#ifndef POSTERN_LIB_RCU_H
#define POSTERN_LIB_RCU_H

void rcu_section_begin(void);
void rcu_section_end(void);

/*
 * ThreadSanitizer does not see inside liburcu, where what comes before (the end of a section, the
 * adding of a node) is ordered before what comes after (freeing, finding the node). It is told
 * with an address that both sides name, and so still reports whatever that order does not cover.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RCU_WATCHED_BY_TSAN 1
#endif
#endif
#if defined(RCU_WATCHED_BY_TSAN) || defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define rcu_order_before(address) __tsan_release((void *)(address))
#define rcu_order_after(address)  __tsan_acquire((void *)(address))
#else
#define rcu_order_before(address) ((void)(address))
#define rcu_order_after(address)  ((void)(address))
#endif

#endif
