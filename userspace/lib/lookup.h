/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/lookup.h - lookup ids: the number of an event as people read it out over the telephone.
 *
 * An id tells when the packet came, in ns of CLOCK_MONOTONIC, and in place of its low 8 bits the
 * class of the list that it was stopped for (maps/table.h), or 0.
 *
 * 64 bits as 13 characters of Crockford's base 32: no I, L, O and U, upper and lower case alike,
 * and what looks like a 1 or a 0 is one. The first character holds four bits, the others five.
 */
#ifndef POSTERN_LIB_LOOKUP_H
#define POSTERN_LIB_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOKUP_ID_CHARS 13
#define LOOKUP_ID_CLASS 0xffu /* these bits are the class */

/* Returns `out`. */
char *lookup_id_format(uint64_t id, char out[LOOKUP_ID_CHARS + 1]);

/* Whether `text` is a lookup id and nothing else; fills `id` if it is. */
bool lookup_id_parse(const char *text, uint64_t *id);

/* The two parts of an id. */
uint64_t lookup_id_time(uint64_t id);
uint8_t lookup_id_class(uint64_t id);

/* A time of the program's clock in seconds since 1970: the one way to round, for all that tell. */
uint32_t lookup_wall(uint64_t mono);

/*
 * When it was, in seconds since 1970. False for a time to come and for the moment of the start: no
 * packet has such an id.
 */
bool lookup_id_wall(uint64_t id, uint32_t *out);

#endif
