/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/units.h - numbers and times as people write them.
 */
#ifndef POSTERN_LIB_UNITS_H
#define POSTERN_LIB_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define DURATION_TEXT_MAX 32

/*
 * "90", "90s", "15m", "1h", "7d", "2w", "1h30m" in seconds; 0 is refused. At most 50 years, so that
 * an expiry, which is 32 bits of seconds since 1970, never wraps.
 */
int duration_parse(const char *text, uint32_t *seconds, struct error *err);

/* The longest two units, as "1h 30m". Returns `out`. */
char *duration_format(uint64_t seconds, char out[DURATION_TEXT_MAX]);

/* A whole number between `min` and `max`, with an optional suffix k, M or G (powers of 1000). */
int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct error *err);

/* A number with thousands grouped by "," as "1,234,567". Returns `out`. */
char *number_format(uint64_t value, char out[DURATION_TEXT_MAX]);

#endif
