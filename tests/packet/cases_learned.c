/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that what was learned decides about, and sources that nothing is known of.
 */
#include <linux/bpf.h>

#include "tests/packet/packet.h"

#define SOURCE6 .source = "2001:db8::1"
#define BLOCKED(how)                                                                               \
	.evidence = true, .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_##how }
#define KNOWN .evidence = true, .learned = { .kind = LEARNED_KNOWN }
#define STOPPED                                                                                    \
	{                                                                                          \
		.action = XDP_DROP, .reason = REASON_LISTED, .health = {                           \
			[HEALTH_EVENTS_SKIPPED] = 1                                                \
		}                                                                                  \
	}
#define ANSWERED                                                                                   \
	{                                                                                          \
		.action = XDP_TX, .reason = REASON_LISTED, .health = {                             \
			[HEALTH_EVENTS_SKIPPED] = 1,                                               \
			[HEALTH_RESETS_SENT] = 1                                                   \
		}                                                                                  \
	}
#define ALLOWED                                                                                    \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ALLOWED                                       \
	}
#define WATCHED                                                                                    \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ACCEPTED, .monitored = true,                  \
		.would = REASON_LISTED, .health = {                                                \
			[HEALTH_EVENTS_SKIPPED] = 1                                                \
		}                                                                                  \
	}
#define QUIET                                                                                      \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ACCEPTED                                      \
	}
#define TOLD                                                                                       \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ACCEPTED, .newcomer = true, .health = {       \
			[HEALTH_NEWCOMERS_SYN] = 1                                                 \
		}                                                                                  \
	}
#define SKIPPED                                                                                    \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ACCEPTED, .health = {                         \
			[HEALTH_NEWCOMERS_SKIPPED] = 1                                             \
		}                                                                                  \
	}
#define ESTABLISHED                                                                                \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ESTABLISHED                                   \
	}

const struct packet_case learned_cases[] = {
	{ "learned, drop", { 0 }, { BLOCKED(DROP) }, STOPPED },
	{ "learned, drop, ipv6", { SOURCE6 }, { BLOCKED(DROP) }, STOPPED },
	{ "learned, reset", { 0 }, { BLOCKED(RESET) }, ANSWERED },
	{ "learned, reset, ipv6", { SOURCE6 }, { BLOCKED(RESET) }, ANSWERED },
	{ "learned, in the second cell",
	  { 0 },
	  { .evidence = true,
	    .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_DROP, .way = 1 } },
	  STOPPED },
	{ "learned, in the last cell",
	  { 0 },
	  { .evidence = true,
	    .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_DROP, .way = 3 } },
	  STOPPED },
	{ "learned, an event",
	  { 0 },
	  { BLOCKED(DROP), .budget = 1 },
	  { .action = XDP_DROP,
	    .reason = REASON_LISTED,
	    .events = 1,
	    .hits = 1,
	    .health = { [HEALTH_EVENTS_SENT] = 1 } } },
	{ "learned, expired",
	  { 0 },
	  { .evidence = true,
	    .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_DROP, .expired = true } },
	  SKIPPED },
	{ "learned, torn",
	  { 0 },
	  { .evidence = true,
	    .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_DROP, .torn = true } },
	  SKIPPED },
	{ "learned, of the other family",
	  { 0 },
	  { .evidence = true,
	    .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_DROP, .family = true } },
	  SKIPPED },
	{ "learned, changed while it is read",
	  { 0 },
	  { BLOCKED(DROP), .fault = { .changes = 3 } },
	  SKIPPED },
	{ "learned, key changed while it is read",
	  { 0 },
	  { BLOCKED(DROP), .fault = { .changes = 2 } },
	  SKIPPED },
	{ "learned, evidence off",
	  { 0 },
	  { .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_DROP } },
	  QUIET },
	{ "learned, monitor mode", { 0 }, { BLOCKED(DROP), .monitor = true }, WATCHED },
	{ "learned, list in monitor mode",
	  { 0 },
	  { BLOCKED(RESET), .watched_learned = true },
	  WATCHED },
	{ "learned, list in monitor mode, then a limit",
	  { 0 },
	  { BLOCKED(DROP), .watched_learned = true, .limit = { { 0, 0, 1, 0 } }, .conns = { 1 } },
	  { .action = XDP_DROP,
	    .reason = REASON_CONN_SOURCE,
	    .monitored = true,
	    .would = REASON_LISTED,
	    .health = { [HEALTH_EVENTS_SKIPPED] = 2 } } },
	{ "learned, but allowed", { 0 }, { BLOCKED(DROP), .allow = "192.0.2.1" }, ALLOWED },
	{ "learned, but on a list", { 0 }, { BLOCKED(RESET), .drop = "192.0.2.1" }, STOPPED },
	{ "learned, and on a list in monitor mode",
	  { 0 },
	  { BLOCKED(DROP), .watched = "192.0.2.1" },
	  { .action = XDP_DROP,
	    .reason = REASON_LISTED,
	    .monitored = true,
	    .would = REASON_LISTED,
	    .health = { [HEALTH_EVENTS_SKIPPED] = 2 } } },
	{ "learned, known", { 0 }, { KNOWN, .newcomers = 1 }, QUIET },
	{ "learned, trusted",
	  { SOURCE6 },
	  { .evidence = true, .learned = { .kind = LEARNED_TRUSTED }, .newcomers = 1 },
	  QUIET },
	{ "learned, known, beyond its rate",
	  { 0 },
	  { KNOWN, .limit = { { 1000000000, 1000000000, 0, 0 } }, .spent = { true } },
	  { .action = XDP_DROP,
	    .reason = REASON_RATE_SOURCE,
	    .health = { [HEALTH_EVENTS_SKIPPED] = 1 } } },
	{ "learned, later segment",
	  { .flags = 0x10 },
	  { .evidence = true, .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_REFUSE } },
	  ESTABLISHED },
	{ "learned not found",
	  { 0 },
	  { BLOCKED(DROP), .fault = { .lookup = "learned" } },
	  SKIPPED },

	{ "newcomer", { 0 }, { .evidence = true, .newcomers = 1 }, TOLD },
	{ "newcomer, ipv6", { SOURCE6 }, { .evidence = true, .newcomers = 1 }, TOLD },
	{ "newcomer, beyond the budget", { 0 }, { .evidence = true }, SKIPPED },
	{ "newcomer, budget overdrawn", { 0 }, { .evidence = true, .newcomers = -1 }, SKIPPED },
	{ "newcomer, evidence off", { 0 }, { .newcomers = 1 }, QUIET },
	{ "newcomer, monitor mode",
	  { 0 },
	  { .evidence = true, .newcomers = 1, .monitor = true },
	  TOLD },
	{ "newcomer, expired verdict",
	  { 0 },
	  { .evidence = true,
	    .newcomers = 1,
	    .learned = { .kind = LEARNED_KNOWN, .expired = true } },
	  TOLD },
	{ "newcomer, allowed",
	  { 0 },
	  { .evidence = true, .newcomers = 1, .allow = "192.0.2.1" },
	  ALLOWED },
	{ "newcomer, listed",
	  { 0 },
	  { .evidence = true, .newcomers = 1, .drop = "192.0.2.1" },
	  STOPPED },
	{ "newcomer, beyond its rate",
	  { 0 },
	  { .evidence = true,
	    .newcomers = 1,
	    .limit = { { 1000000000, 1000000000, 0, 0 } },
	    .spent = { true } },
	  { .action = XDP_DROP,
	    .reason = REASON_RATE_SOURCE,
	    .health = { [HEALTH_EVENTS_SKIPPED] = 1 } } },
	{ "newcomer, later segment",
	  { .flags = 0x10 },
	  { .evidence = true, .newcomers = 1 },
	  ESTABLISHED },
	{ "newcomer, full ring",
	  { 0 },
	  { .evidence = true, .newcomers = 1, .fault = { .ring = true } },
	  { .action = XDP_PASS,
	    .reason = REASON_ACCEPTED,
	    .health = { [HEALTH_NEWCOMERS_LOST] = 1 } } },
	{ "newcomer, told not found",
	  { 0 },
	  { .evidence = true, .newcomers = 1, .fault = { .lookup = "told" } },
	  QUIET },
	{ "newcomer, budget not found",
	  { 0 },
	  { .evidence = true, .newcomers = 1, .fault = { .lookup = "newcomer_budget" } },
	  SKIPPED },
};

const size_t learned_case_count = sizeof(learned_cases) / sizeof(learned_cases[0]);
