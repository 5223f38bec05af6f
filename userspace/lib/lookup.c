/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/lookup.c - see lib/lookup.h. No limits but the fixed length.
 */
#include "lib/lookup.h"

#include <string.h>

#include "lib/clock.h"

#define BITS_A_CHAR 5
#define CHAR_MASK   31u
#define FIRST_MAX   15 /* 13 characters hold 65 bits; the top one must be zero */

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

char *lookup_id_format(uint64_t id, char out[LOOKUP_ID_CHARS + 1])
{
	for (int i = LOOKUP_ID_CHARS - 1; i >= 0; i--) {
		out[i] = alphabet[id & CHAR_MASK];
		id >>= BITS_A_CHAR;
	}
	out[LOOKUP_ID_CHARS] = '\0';
	return out;
}

/* The value of one character, or -1. */
static int char_value(char c)
{
	const char *found;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'I' || c == 'L')
		c = '1';
	if (c == 'O')
		c = '0';
	found = c ? strchr(alphabet, c) : NULL;
	return found ? (int)(found - alphabet) : -1;
}

bool lookup_id_parse(const char *text, uint64_t *id)
{
	uint64_t sum = 0;

	for (int i = 0; i < LOOKUP_ID_CHARS; i++) {
		int value = char_value(text[i]);

		if (value < 0 || (i == 0 && value > FIRST_MAX))
			return false;
		sum = sum << BITS_A_CHAR | (unsigned int)value;
	}
	if (text[LOOKUP_ID_CHARS] != '\0')
		return false;
	*id = sum;
	return true;
}

uint64_t lookup_id_time(uint64_t id)
{
	return id & ~(uint64_t)LOOKUP_ID_CLASS;
}

uint8_t lookup_id_class(uint64_t id)
{
	return (uint8_t)(id & LOOKUP_ID_CLASS);
}

uint32_t lookup_wall(uint64_t mono)
{
	return (uint32_t)(clock_wall_at(mono) / NS_A_SECOND);
}

bool lookup_id_wall(uint64_t id, uint32_t *out)
{
	const uint64_t then = lookup_id_time(id);

	if (!then || then > clock_mono())
		return false;
	*out = lookup_wall(then);
	return true;
}
