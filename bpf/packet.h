/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/packet.h - what the stages know of a packet: filled by parse.h, read by everything after it.
 */
#ifndef POSTERN_BPF_PACKET_H
#define POSTERN_BPF_PACKET_H

#include "maps/counter.h"
#include "maps/reason.h"

/* A stage that has nothing to say lets the next one speak. */
#define UNDECIDED REASON_COUNT

/* Addresses in host byte order. IPv4 is high 0, low 0xffff:a.b.c.d, as in ::ffff:a.b.c.d. */
struct address {
	__u64 high;
	__u64 low;
};

/* Flags of the TCP header (RFC 9293 3.1). */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct packet {
	struct address source;
	struct address dest;
	__u64 now;          /* ns of CLOCK_MONOTONIC; of an attempt that no list decides about */
	__u32 length;       /* of the frame, in bytes */
	__u32 sequence;     /* TCP sequence number, host byte order */
	__u32 acknowledged; /* the other side's, that is expected next */
	__u32 segment;      /* octets of sequence space: data, and 1 each for SYN and FIN */
	__u32 hold_hash;    /* of a later segment from a source that is held: see bpf/hold.h */
	__u16 l3_offset;    /* from the start of the frame */
	__u16 l4_offset;
	__u16 source_port; /* host byte order */
	__u16 dest_port;
	__u16 vlan;      /* outer VLAN id, 0 without a tag */
	__u8 family;     /* enum family; IPv4 until IPv6 is seen */
	__u8 attempt;    /* not 0: SYN without ACK */
	__u8 flags;      /* TCP_ bits */
	__u8 l4_header;  /* length of the TCP header, in bytes */
	__u8 list_class; /* set by the lookup */
	__u8 learned;    /* of an attempt, what learned_find() says */
	__u8 over; /* of a later segment, the reason why it must not open a connection, or 0 */
};

#endif
