/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/latency.h"

static const uint32_t bound[LATENCY_CLASSES - 1] = { 1,   2,   5,   10,   20,   50,
						     100, 200, 500, 1000, 2000, 5000 };

uint32_t latency_bound(size_t nth)
{
	return nth < LATENCY_CLASSES - 1 ? bound[nth] : 0;
}

void latency_add(struct latency *latency, uint64_t ms)
{
	size_t nth = 0;

	while (nth < LATENCY_CLASSES - 1 && ms > bound[nth])
		nth++;
	__atomic_fetch_add(&latency->class[nth], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&latency->sum_ms, ms, __ATOMIC_RELAXED);
}
