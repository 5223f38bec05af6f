/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/expect.h - what more than one file of cases gives and expects.
 */
#ifndef POSTERN_TESTS_PACKET_EXPECT_H
#define POSTERN_TESTS_PACKET_EXPECT_H

#include <linux/bpf.h>

#include "tests/packet/packet.h"

#define SOURCE6 .source = "2001:db8::1"

/* Dropped for a reason, beyond the budget of events. */
#define STOPPED(why)                                                                               \
	{                                                                                          \
		.action = XDP_DROP, .reason = REASON_##why, .health = {                            \
			[HEALTH_EVENTS_SKIPPED] = 1                                                \
		}                                                                                  \
	}
/* Likewise, but the source is told with a RST. */
#define ANSWERED                                                                                   \
	{                                                                                          \
		.action = XDP_TX, .reason = REASON_LISTED, .health = {                             \
			[HEALTH_EVENTS_SKIPPED] = 1,                                               \
			[HEALTH_RESETS_SENT] = 1                                                   \
		}                                                                                  \
	}
#define PASSED(why)                                                                                \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_##why                                         \
	}
/* Let pass, but a list in monitor mode has the source. */
#define WATCHED                                                                                    \
	{                                                                                          \
		.action = XDP_PASS, .reason = REASON_ACCEPTED, .monitored = true,                  \
		.would = REASON_LISTED, .health = {                                                \
			[HEALTH_EVENTS_SKIPPED] = 1                                                \
		}                                                                                  \
	}

#endif
