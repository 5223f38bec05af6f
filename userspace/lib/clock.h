/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/clock.h - the time, which a test may set.
 */
#ifndef POSTERN_LIB_CLOCK_H
#define POSTERN_LIB_CLOCK_H

#include <stdint.h>

#define NS_A_SECOND 1000000000ull
#define NS_A_MS     1000000ull
#define MS_A_SECOND 1000u

/* Seconds since 1970. Entries store 32 bits of it: good until 2106. */
uint32_t clock_wall(void);

/* Nanoseconds of CLOCK_MONOTONIC: the clock of the XDP program. */
uint64_t clock_mono(void);

/* Its seconds: for what is kept in memory for a time. */
uint32_t clock_mono_seconds(void);

/* Its milliseconds: for what a loop's timers look after. */
uint64_t clock_mono_ms(void);

/*
 * How long ago, in whole units, clock_mono() was `mono`; 0 if that is still to come, because
 * another thread or the XDP program read the clock later.
 */
uint64_t clock_ms_since(uint64_t mono);
uint64_t clock_seconds_since(uint64_t mono);

/*
 * Nanoseconds since 1970 at the moment when clock_mono() was, or will be, `mono`. The same moment
 * is the same time whenever it is asked for, unless somebody has set the clock meanwhile.
 */
uint64_t clock_wall_at(uint64_t mono);

/* For tests: stop both clocks at these values; 0, 0 lets them run again. */
void clock_freeze(uint32_t wall, uint64_t mono);

#endif
