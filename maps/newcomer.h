/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/newcomer.h - sources that the agent should look up: see gate/learned.h.
 *
 * A source is told about twice at most in a while: at its SYN, if that is accepted and no flood is
 * on, so that the answers are there when the connection is; and when it has completed a handshake,
 * whatever goes on besides. The two are remembered apart and have budgets of their own: so SYNs
 * with forged addresses can use up the first, and nobody's turn in the second.
 */
#ifndef POSTERN_MAPS_NEWCOMER_H
#define POSTERN_MAPS_NEWCOMER_H

#include "flood.h"

#define NEWCOMER_RING_BYTES (1u << 18)

enum newcomer_stage { NEWCOMER_SYN, NEWCOMER_COMPLETED, NEWCOMER_STAGES };

/* Map "newcomers": a ring buffer of these. Addresses as in struct event. */
struct newcomer {
	__u64 time; /* ns of CLOCK_MONOTONIC */
	__u8 source[16];
	__u8 dest[16];
	__u16 dest_port; /* host byte order */
	__u8 completed;  /* not 0: it completed the handshake; else this was its SYN */
	__u8 pad[5];
};
ABI_SIZE(struct newcomer, 48);

/*
 * Map "newcomer_budget": one a stage, for all CPUs, refilled by the agent several times a second.
 * The line is written only when something is told, so no CPU waits for it in a flood. Without an
 * agent it runs dry and nobody is told about.
 */
struct newcomer_budget {
	__s32 left; /* newcomers that may still be told about; may fall below 0 by one a CPU */
	__u8 pad[CACHE_LINE - 4];
};
ABI_SIZE(struct newcomer_budget, CACHE_LINE);

/*
 * Map "told": the sources that were told about lately, in lines like those of "proved": first all
 * lines of the one stage, then those of the other.
 */
#define TOLD_LINES (1u << 12) /* of each stage */

#endif
