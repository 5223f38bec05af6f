/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/lookup.h - lookup ids: the number of an event as people read it out over the telephone.
 *
 * 64 bits as 13 characters of Crockford's base 32: no I, L, O and U, upper and lower case alike,
 * and what looks like a 1 or a 0 is one. The first character holds four bits, the others five.
 */
#ifndef POSTERN_OBS_LOOKUP_H
#define POSTERN_OBS_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOKUP_ID_CHARS 13

/* Returns `out`. */
char *lookup_id_format(uint64_t id, char out[LOOKUP_ID_CHARS + 1]);

/* Whether `text` is a lookup id and nothing else; fills `id` if it is. */
bool lookup_id_parse(const char *text, uint64_t *id);

#endif
