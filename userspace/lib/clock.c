/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/clock.h"

#include <time.h>

#define SECOND_NS 1000000000u
#define JITTER_NS 100000000u /* a difference that is none: the clocks are not read at once */

static uint32_t frozen_wall;
static uint64_t frozen_mono;
static uint64_t kept_offset; /* from one clock to the other, as it was first seen; atomic */

uint32_t clock_wall(void)
{
	return frozen_wall ? frozen_wall : (uint32_t)time(NULL);
}

uint64_t clock_mono(void)
{
	struct timespec now;

	if (frozen_mono)
		return frozen_mono;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static uint64_t wall_ns(void)
{
	struct timespec now;

	if (frozen_wall)
		return (uint64_t)frozen_wall * SECOND_NS;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
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
	frozen_wall = wall;
	frozen_mono = mono;
}
