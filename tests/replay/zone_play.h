/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/replay/zone_play.h - a `struct dns` that plays a zone: no sockets, and a clock that stands
 * still until a test moves it.
 *
 * A zone is an object: a name in lower case, and for each type of record a list of what there is:
 *
 *	{ "example.com": { "TXT": ["v=spf1 mx -all"], "MX": [[10, "mx.example.com"]] },
 *	  "mx.example.com": { "A": ["192.0.2.1"], "AAAA": "TEMPORARY" } }
 *
 * A type that is the text "TEMPORARY" or "BUSY" is answered so; "CNAME" is a name that is followed.
 * Other types of a name that is there are NODATA, and other names NXDOMAIN. Questions wait until
 * the test lets them be answered, one by one, in an order that it chooses: for a conversation with
 * delays there is tests/replay/dns_script.h.
 */
#ifndef POSTERN_TESTS_ZONE_PLAY_H
#define POSTERN_TESTS_ZONE_PLAY_H

#include <jansson.h>
#include <stdbool.h>

#include "dns/dns.h"

enum zone_play_order { PLAY_FIRST, PLAY_LAST, PLAY_RANDOM };

struct zone_play {
	struct dns dns;
	const json_t *zone; /* borrowed */
	enum zone_play_order order;
	unsigned int seed;
	uint64_t now;
	size_t asked, pending, most_pending, cancelled;
	struct dns_query *first;
};

void zone_play_open(struct zone_play *play, const json_t *zone);
/* Answers one question; false if there is none. */
bool zone_play_step(struct zone_play *play);
/* Forgets what is pending; returns how much that was. */
size_t zone_play_close(struct zone_play *play);

#endif
