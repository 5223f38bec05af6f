/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/settings.h - what the agent may change while packets flow.
 *
 * Map "settings": one element, memory-mapped by the agent, which stores into it; the program reads
 * each field at most once a packet. What must change together is published by one store to
 * `generation`.
 */
#ifndef POSTERN_MAPS_SETTINGS_H
#define POSTERN_MAPS_SETTINGS_H

#include "flood.h"
#include "meter.h"
#include "table.h"

#define PORT_COUNT 65536

struct settings {
	__u32 generation;    /* which half of the tables answers: 0 or 1 */
	__u32 monitor;       /* not 0: count and report, stop nothing */
	__u64 secret;        /* seed of the meters' hash */
	__u64 answer_key[2]; /* of the sequence numbers that refuse and tarpit answer with */
	__u32 precise;       /* not 0: a limit is too tight for the coarse clock */
	__u32 netns;         /* inode of the network namespace whose sockets count */
	struct meter_limit limit[METER_LEVELS];
	struct meter_limit reset; /* RST segments: the rate only */
	struct generation table[GENERATIONS];
	struct flood_settings flood;
	__u8 port[PORT_COUNT]; /* 0: not protected; else 1 more than its number among the floods */
};

static inline int port_is_protected(const struct settings *s, __u16 port)
{
	return s->port[port] != 0;
}

#endif
