/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/clock.h"

#include <time.h>

#define JITTER_NS 100000000u /* a difference that is none: the clocks are not read at once */

static uint32_t frozen_wall; /* both atomic: a test may move the time while threads run */
static uint64_t frozen_mono;
static uint64_t kept_offset; /* from one clock to the other, as it was first seen; atomic */

uint32_t clock_wall(void)
{
	const uint32_t frozen = __atomic_load_n(&frozen_wall, __ATOMIC_RELAXED);

	return frozen ? frozen : (uint32_t)time(NULL);
}

uint64_t clock_mono(void)
{
	const uint64_t frozen = __atomic_load_n(&frozen_mono, __ATOMIC_RELAXED);
	struct timespec now;

	if (frozen)
		return frozen;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

uint32_t clock_mono_seconds(void)
{
	return (uint32_t)(clock_mono() / NS_A_SECOND);
}

uint64_t clock_mono_ms(void)
{
	return clock_mono() / NS_A_MS;
}

static uint64_t ns_since(uint64_t mono)
{
	const uint64_t now = clock_mono();

	return now > mono ? now - mono : 0;
}

uint64_t clock_ms_since(uint64_t mono)
{
	return ns_since(mono) / NS_A_MS;
}

uint64_t clock_seconds_since(uint64_t mono)
{
	return ns_since(mono) / NS_A_SECOND;
}

static uint64_t wall_ns(void)
{
	const uint32_t frozen = __atomic_load_n(&frozen_wall, __ATOMIC_RELAXED);
	struct timespec now;

	if (frozen)
		return (uint64_t)frozen * NS_A_SECOND;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

/* Two readings of the clocks never differ by the same, so the first one is kept. */
static uint64_t offset_now(void)
{
	const uint64_t seen = wall_ns() - clock_mono();
	const uint64_t kept = __atomic_load_n(&kept_offset, __ATOMIC_RELAXED);

	if (kept && seen - kept + JITTER_NS < 2 * JITTER_NS)
		return kept;
	__atomic_store_n(&kept_offset, seen, __ATOMIC_RELAXED);
	return seen;
}

uint64_t clock_wall_at(uint64_t mono)
{
	return mono + offset_now();
}

void clock_freeze(uint32_t wall, uint64_t mono)
{
	__atomic_store_n(&frozen_wall, wall, __ATOMIC_RELAXED);
	__atomic_store_n(&frozen_mono, mono, __ATOMIC_RELAXED);
}
