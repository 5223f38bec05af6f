/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/settings.h - what the agent may change while packets flow.
 *
 * Map "settings": one element, memory-mapped by the agent, which stores into it. A packet may find
 * a field changed from one stage to the next, and whichever it sees is right; but a lookup stays
 * with the one `generation` that it has read. What must change together is published by one store
 * to that.
 */
#ifndef POSTERN_MAPS_SETTINGS_H
#define POSTERN_MAPS_SETTINGS_H

#include "flood.h"
#include "meter.h"
#include "table.h"

#define PORT_COUNT 65536

/* What was learned about sources, and who is to be looked up: see learned.h and newcomer.h. */
struct evidence_settings {
	__u8 on;      /* 1: learned verdicts decide, and newcomers are told about */
	__u8 answers; /* 1: a block with the action refuse or tarpit may exist */
	__u8 slot;    /* of the list that learned blocks belong to */
	__u8 pad;
	__u32 repeat; /* in units of 2^PROVED_SHIFT ns: how long who was told about is not again */
};
ABI_SIZE(struct evidence_settings, 8);

struct settings {
	__u32 generation;    /* which half of the tables answers: 0 or 1 */
	__u32 monitor;       /* not 0: count and report, stop nothing */
	__u64 secret;        /* seed of the meters' hash */
	__u64 answer_key[2]; /* of the sequence numbers that refuse and tarpit answer with */
	__u32 precise;       /* not 0: a limit is too tight for the coarse clock */
	__u32 netns;         /* inode of the network namespace whose sockets count */
	struct evidence_settings evidence;
	__u32 full_until; /* in units of 2^PROVED_SHIFT ns; 0, or ACKs are looked at until then,
			   * because a source has reached its limit of connections */
	__u32 pad;
	struct meter_limit limit[METER_LEVELS];
	struct meter_limit reset; /* RST segments: the rate only */
	struct generation table[GENERATIONS];
	struct flood_settings flood;
	__u8 port[PORT_COUNT]; /* 0: not protected; else 1 more than its number among the floods */
};

/*
 * What a counter that reaches its limit at `now` puts into `full_until`: when no handshake can be
 * under way any more that began before it. The kernel keeps a request for 63 s
 * (tcp_synack_retries), and takes a SYN cookie for two minutes.
 */
#define HANDSHAKE_NS 128000000000ull

static inline __u32 handshakes_end(__u64 now)
{
	return (__u32)((now + HANDSHAKE_NS) >> PROVED_SHIFT) + 1;
}

static inline int port_is_protected(const struct settings *s, __u16 port)
{
	return s->port[port] != 0;
}

#endif
