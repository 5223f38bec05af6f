/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/newcomer.h - sources that the agent should look up: see gate/learned.h.
 */
#ifndef POSTERN_MAPS_NEWCOMER_H
#define POSTERN_MAPS_NEWCOMER_H

#include "abi.h"

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

#endif
