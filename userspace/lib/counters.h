/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/counters.h - structures that are nothing but counters of 64 bits, written by one thread with
 * atomic stores and read by any.
 */
#ifndef POSTERN_LIB_COUNTERS_H
#define POSTERN_LIB_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/* Copies them one by one, so that each is whole; `bytes` is a multiple of 8. */
static inline void counters_read(void *out, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(uint64_t); i++)
		((uint64_t *)out)[i] =
			__atomic_load_n(&((const uint64_t *)from)[i], __ATOMIC_RELAXED);
}

/* Adds those of a copy to the sums, which are the caller's own. */
static inline void counters_add(void *sum, const void *more, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(uint64_t); i++)
		((uint64_t *)sum)[i] += ((const uint64_t *)more)[i];
}

#endif
