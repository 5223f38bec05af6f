/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/event.h - what the program tells the agent about single packets.
 *
 * Detail is budgeted: the agent refills `left` of every CPU's budget several times a second, and a
 * packet that was stopped (or would have been, in monitor mode) gets an event only while there is
 * some; the event's weight tells how many went without one before it. The offenders are exact
 * within the budget; beyond it one packet in EVENT_SAMPLE is noted and stands for that many.
 * Without an agent the budget runs dry and no event is written.
 */
#ifndef POSTERN_MAPS_EVENT_H
#define POSTERN_MAPS_EVENT_H

#include "abi.h"

#define EVENT_RING_BYTES (1u << 20)
#define EVENT_SAMPLE     64u

/* Map "budget": one cache line a CPU. */
#define BUDGET_CPUS 1024
struct budget {
	__u32 left; /* packets that may still be told about: set by the agent, spent by the CPU */
	__u32 skipped; /* packets without an event since the last one */
	__u8 pad[CACHE_LINE - 8];
};
ABI_SIZE(struct budget, CACHE_LINE);

/* Map "events": a ring buffer of these. Addresses are in network byte order; IPv4 is
 * ::ffff:a.b.c.d. */
struct event {
	__u64 id; /* lookup id: ns of CLOCK_MONOTONIC, the low 8 bits replaced by list_class */
	__u8 source[16];
	__u8 dest[16];
	__u32 weight; /* 1, and the stopped packets that went without an event before it */
	__u32 ifindex;
	__u16 source_port; /* host byte order, as everything below */
	__u16 dest_port;
	__u16 vlan;      /* outer VLAN id, 0 if there was no tag */
	__u8 reason;     /* enum reason */
	__u8 outcome;    /* enum outcome */
	__u8 list_class; /* of the matching list, 0 if the reason is not LISTED */
	__u8 action;     /* enum action, for LISTED */
	__u8 told;       /* not 0: the client was told the id in an SMTP reply */
	__u8 pad[5];
};
ABI_SIZE(struct event, 64);

/*
 * Map "offenders": the sources that were stopped most recently, with how often. Bounded: a line of
 * two cells for each hash value; the cell that was stopped longer ago gives way.
 */
#define OFFENDER_LINES (1u << 14)
#define OFFENDER_WAYS  2

struct offender {
	__u64 source[2]; /* 16 bytes, as in struct event */
	__u32 hits;      /* packets stopped (or monitored), estimated beyond the budget */
	__u8 reason;     /* of the last one */
	__u8 list_class;
	__u8 outcome;
	__u8 pad;
	__u64 last_ns; /* CLOCK_MONOTONIC; 0 is an empty cell */
};
ABI_SIZE(struct offender, 32);

struct offender_line {
	struct offender cell[OFFENDER_WAYS];
};
ABI_SIZE(struct offender_line, CACHE_LINE);

#endif
