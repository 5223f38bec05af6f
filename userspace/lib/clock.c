/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/clock.h"

#include <time.h>

static uint32_t frozen_wall;
static uint64_t frozen_mono;

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
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void clock_freeze(uint32_t wall, uint64_t mono)
{
	frozen_wall = wall;
	frozen_mono = mono;
}
