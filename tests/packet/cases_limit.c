/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that the limits decide about: connections at a time and attempts a second, at every
 * level.
 */
#include "tests/packet/expect.h"

#define SECOND 1000000000ull
#define RATE                                                                                       \
	{                                                                                          \
		SECOND, 10 * SECOND, 0, 0                                                          \
	} /* one a second, ten at once */
#define CONNS(n)                                                                                   \
	{                                                                                          \
		0, 0, n, 0                                                                         \
	}
#define NONE                                                                                       \
	{                                                                                          \
		0, 0, 0, 0                                                                         \
	}
#define ROOMLESS(n)                                                                                \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ACCEPTED, .health = {                         \
			[HEALTH_METER_FULL] = n                                                    \
		}                                                                                  \
	}

const struct packet_case limit_cases[] = {
	{ "first attempt of a source",
	  { 0 },
	  { .limit = { RATE, RATE, RATE, RATE } },
	  PASSED(ACCEPTED) },
	{ "first attempt of an ipv6 source",
	  { SOURCE6 },
	  { .limit = { RATE, RATE, RATE, RATE } },
	  PASSED(ACCEPTED) },
	{ "another attempt of a known source",
	  { 0 },
	  { .limit = { RATE, RATE, RATE, RATE }, .known = true },
	  PASSED(ACCEPTED) },
	{ "attempts of a source too fast",
	  { 0 },
	  { .limit = { RATE }, .spent = { true } },
	  STOPPED(RATE_SOURCE) },
	{ "attempts of an ipv6 source too fast",
	  { SOURCE6 },
	  { .limit = { RATE }, .spent = { true } },
	  STOPPED(RATE_SOURCE) },
	{ "attempts of a /24 too fast",
	  { 0 },
	  { .limit = { NONE, RATE }, .spent = { false, true } },
	  STOPPED(RATE_NET) },
	{ "attempts of a /64 too fast",
	  { SOURCE6 },
	  { .limit = { NONE, RATE }, .spent = { false, true } },
	  STOPPED(RATE_NET) },
	{ "attempts of a /48 too fast",
	  { SOURCE6 },
	  { .limit = { NONE, NONE, RATE }, .spent = { false, false, true } },
	  STOPPED(RATE_SITE) },
	{ "an ipv4 address has no site",
	  { 0 },
	  { .limit = { NONE, NONE, RATE }, .spent = { false, false, true } },
	  PASSED(ACCEPTED) },
	{ "attempts in total too fast",
	  { 0 },
	  { .limit = { NONE, NONE, NONE, RATE }, .spent = { false, false, false, true } },
	  STOPPED(RATE_TOTAL) },
	{ "a raised limit forgives old debts",
	  { 0 },
	  { .limit = { { SECOND, 10 * SECOND, 0, 0 } }, .debt = { true } },
	  PASSED(ACCEPTED) },
	{ "a bucket that another cpu emptied by a later clock is not forgiven",
	  { 0 },
	  { .limit = { RATE }, .ahead = { true } },
	  STOPPED(RATE_SOURCE) },
	{ "a burst below one attempt stops all",
	  { 0 },
	  { .limit = { { SECOND, 0, 0, 0 } } },
	  STOPPED(RATE_SOURCE) },
	{ "connections of a source",
	  { 0 },
	  { .limit = { CONNS(3) }, .conns = { 3 } },
	  STOPPED(CONN_SOURCE) },
	{ "one connection fewer",
	  { 0 },
	  { .limit = { CONNS(3) }, .conns = { 2 } },
	  PASSED(ACCEPTED) },
	{ "connections of a /24",
	  { 0 },
	  { .limit = { NONE, CONNS(3) }, .conns = { 0, 3 } },
	  STOPPED(CONN_NET) },
	{ "connections of a /64",
	  { SOURCE6 },
	  { .limit = { NONE, CONNS(3) }, .conns = { 0, 3 } },
	  STOPPED(CONN_NET) },
	{ "connections of a /48",
	  { SOURCE6 },
	  { .limit = { NONE, NONE, CONNS(3) }, .conns = { 0, 0, 3 } },
	  STOPPED(CONN_SITE) },
	{ "connections in total",
	  { 0 },
	  { .limit = { NONE, NONE, NONE, CONNS(3) }, .conns = { 0, 0, 0, 3 } },
	  STOPPED(CONN_TOTAL) },
	{ "monitor mode, connections",
	  { 0 },
	  { .limit = { CONNS(3) }, .conns = { 3 }, .monitor = true },
	  { .action = XDP_PASS,
	    .reason = REASON_ACCEPTED,
	    .monitored = true,
	    .would = REASON_CONN_SOURCE,
	    .health = { [HEALTH_EVENTS_SKIPPED] = 1 } } },
	{ "a full line leaves it to the wider limits",
	  { 0 },
	  { .limit = { RATE, RATE }, .crowded = true },
	  ROOMLESS(2) },
	{ "and those hold",
	  { 0 },
	  { .limit = { RATE, NONE, NONE, RATE },
	    .crowded = true,
	    .spent = { false, false, false, true } },
	  { .action = XDP_DROP,
	    .reason = REASON_RATE_TOTAL,
	    .health = { [HEALTH_EVENTS_SKIPPED] = 1 } } }, /* and no room is looked for */
	{ "limits without a rate are not charged",
	  { 0 },
	  { .limit = { CONNS(5), CONNS(5), NONE, CONNS(5) } },
	  PASSED(ACCEPTED) },

	{ "another cpu takes the free cell",
	  { 0 },
	  { .limit = { RATE }, .fault = { .exchange = 1 } },
	  ROOMLESS(1) },
	{ "another cpu charges first",
	  { 0 },
	  { .limit = { RATE }, .known = true, .fault = { .exchange = 1 } },
	  PASSED(ACCEPTED) },
	{ "many cpus charge first",
	  { 0 },
	  { .limit = { RATE }, .known = true, .fault = { .exchange = 100 } },
	  STOPPED(RATE_SOURCE) },
	{ "stages with arguments that never come",
	  { 0 },
	  { .fault = { .direct = true } },
	  PASSED(ACCEPTED) },
	{ "meter not found",
	  { 0 },
	  { .limit = { RATE }, .fault = { .lookup = "meter" } },
	  ROOMLESS(1) },
	{ "total not found",
	  { 0 },
	  { .limit = { NONE, NONE, NONE, RATE }, .fault = { .lookup = "total" } },
	  PASSED(ACCEPTED) },
};

const size_t limit_case_count = sizeof(limit_cases) / sizeof(limit_cases[0]);
