/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/latency.h - how long something took, counted in classes: a histogram for metrics.
 *
 * One thread or several add, any thread reads: all words only grow and are changed atomically. A
 * reader copies them one by one, so a sum may be of one more than its classes.
 */
#ifndef POSTERN_LIB_LATENCY_H
#define POSTERN_LIB_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#define LATENCY_CLASSES 13

struct latency {
	uint64_t class[LATENCY_CLASSES]; /* how often, by latency_bound() */
	uint64_t sum_ms;                 /* of all of them together */
};

void latency_add(struct latency *latency, uint64_t ms);

/* The most ms that are in a class, those of the classes before it left out; the last class has no
 * bound: 0. `nth` is below LATENCY_CLASSES. */
uint32_t latency_bound(size_t nth);

#endif
