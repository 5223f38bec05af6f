/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf/zone.h - a DNS list as the operator writes it: "ZONE", "ZONE=REPLIES", "ZONE*WEIGHT" or
 * "ZONE=REPLIES*WEIGHT".
 *
 * ZONE is a domain name. A key that the list's owner gave out is written in braces,
 * "{KEY}.dq.example.net", and is asked for but never shown. A first label with 20 or more letters
 * and digits is taken for a key without braces, too: so keys look, and lists do not. REPLIES are
 * four octets of an IPv4 address, each a number, a set "[2;4..7;10]" or a mask "&6" (an octet that
 * has any of these bits): only an answer that matches counts. Without REPLIES every answer in
 * 127.0.0.0/8 counts that is no error code. WEIGHT is a whole number, 1 without one; a negative one
 * makes an allow list. There are no blanks in it.
 *
 * Several rows may name one zone with other replies: it is asked once, and every row that matches
 * adds its weight.
 */
#ifndef POSTERN_CONF_ZONE_H
#define POSTERN_CONF_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/text.h"

#define CONF_ZONE_NAME_MAX 200 /* octets of a zone's name, with its NUL */
#define CONF_ZONES_MAX     64  /* rows of a list of zones */

/* Characters of a name: of the 253 that a question may have (RFC 1035, 3.1, without the root and
 * the first length), a reversed IPv6 address in front of it takes 64 (RFC 5782, 2.4). */
#define CONF_ZONE_LENGTH_MAX (253 - 64)
_Static_assert(CONF_ZONE_LENGTH_MAX < CONF_ZONE_NAME_MAX, "conf: room for the longest name");

/* A set of values of one octet: bit n of word n / 64. */
struct conf_octets {
	uint64_t word[4];
};

/* No pointers and no padding, so that rows are compared as memory. */
struct conf_zone {
	struct conf_octets reply[4];   /* of an answer a.b.c.d: which values of each octet count */
	int32_t weight;                /* not 0, at most SCORE_MAX either way */
	uint16_t filtered;             /* 1: the operator wrote REPLIES */
	uint16_t shown;                /* where in `name` that begins which may be shown */
	char name[CONF_ZONE_NAME_MAX]; /* in small letters, without braces and a final dot */
};
_Static_assert(sizeof(struct conf_zone) == 4 * 32 + 8 + CONF_ZONE_NAME_MAX, "conf: no padding");

/* In all lists of the configuration `count` comes first. */
struct conf_zones {
	size_t count;
	struct conf_zone zone[CONF_ZONES_MAX];
};

/* On failure `out` is untouched, and the error names what is wrong, without a key. */
int conf_zone_parse(const char *text, struct conf_zone *out, struct error *err);

/* A row as a message may repeat it, whether or not it can be read: "..." stands for what may be a
 * key and for all that is before it. Returns `out`. */
char *conf_zone_clean(const char *text, char out[TEXT_SHOWN_MAX]);

/* Whether two rows say the same of one zone, maybe with different weights. */
bool conf_zone_same(const struct conf_zone *a, const struct conf_zone *b);

/* What may be shown of the zone's name. */
static inline const char *conf_zone_shown(const struct conf_zone *zone)
{
	return zone->name + zone->shown;
}

/* Whether an answer counts, given as a number in host byte order. Error codes are not looked at. */
static inline bool conf_zone_counts(const struct conf_zone *zone, uint32_t answer)
{
	for (int i = 0; i < 4; i++) {
		const unsigned int octet = answer >> (24 - 8 * i) & 0xff;

		if (!(zone->reply[i].word[octet / 64] >> octet % 64 & 1))
			return false;
	}
	return true;
}

#endif
