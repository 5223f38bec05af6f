/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/bench_round.h - a new source address for every packet of a test run, for
 * tools/bench_packets.c.
 *
 * A test run feeds one frame again and again; here each round first takes the next address from
 * `sources` and writes it into the frame.
 *
 * In a tight loop the processor begins the next packet while the last one still waits for memory.
 * On a ring it cannot: between two packets the driver touches descriptors, and what it does with a
 * packet depends on the verdict. The serial variants forbid it by the locked instruction that
 * counts the rounds. On x86 that executes only when everything before it has retired, the loads of
 * the last packet among it, and no load behind it starts before it is done; the address itself is
 * taken by the number that it returns. (Other processors order it with other loads and stores
 * only.) The figure "one load, serial" is the proof: it must exceed "XDP_DROP, serial" by what a
 * load costs in a chain of dependent ones.
 *
 * What is written to the frame is as wide as what the parser reads, or wider, so that the processor
 * can forward the store.
 */
#ifndef POSTERN_BPF_BENCH_ROUND_H
#define POSTERN_BPF_BENCH_ROUND_H

#include "bpf/maps.h"

#define SOURCES     (1u << 20)
#define SOURCE_SETS 2 /* listed addresses, and others */

/* In network byte order; IPv4 in the first four bytes. */
struct source {
	__u64 half[2];
};

/* A CPU's own, in a line of its own, so that CPUs that are measured at once do not meet here. */
#define TURN_CPUS 64
struct turn {
	__u64 count;
	__u64 set; /* which of the sets of sources */
	__u64 pad[6];
};

MAPPED_ARRAY(sources, struct source, SOURCE_SETS *SOURCES);
MAPPED_ARRAY(turn, struct turn, TURN_CPUS);

#define IPV4_SOURCE (14 + 12) /* offset of the source address behind Ethernet */
#define IPV6_SOURCE (14 + 8)

STAGE struct turn *turn_get(void)
{
	const __u32 cpu = bpf_get_smp_processor_id() & (TURN_CPUS - 1);

	return bpf_map_lookup_elem(&turn, &cpu);
}

/* The source of this round, which the frame now bears, or NULL. */
STAGE const struct source *next_source(struct xdp_md *ctx, int serial)
{
	__u8 *frame = (void *)(long)ctx->data;
	struct turn *turn_now = turn_get();
	const struct source *source;
	__u64 count;
	__u32 index;

	if (!turn_now)
		return NULL;
	if (serial)
		count = __sync_fetch_and_add(&turn_now->count, 1);
	else
		count = turn_now->count++;
	index = (turn_now->set & (SOURCE_SETS - 1)) * SOURCES + (count & (SOURCES - 1));
	source = bpf_map_lookup_elem(&sources, &index);
	if (!source || (void *)(frame + IPV6_SOURCE + 16) > (void *)(long)ctx->data_end)
		return NULL;
	if (frame[13] == 0xdd) { /* the second byte of the EtherType of IPv6 */
		*(__u64 *)(frame + IPV6_SOURCE) = source->half[0];
		*(__u64 *)(frame + IPV6_SOURCE + 8) = source->half[1];
	} else {
		*(__u32 *)(frame + IPV4_SOURCE) = (__u32)source->half[0];
	}
	return source;
}

/* The two programs NAME and NAME_serial; `verdict` may use `ctx` and `source`. */
#define ROUND(name, serial, verdict)                                                               \
	SEC("xdp")                                                                                 \
	int name(struct xdp_md *ctx)                                                               \
	{                                                                                          \
		const struct source *source = next_source(ctx, serial);                            \
                                                                                                   \
		return source ? (int)(verdict) : XDP_ABORTED;                                      \
	}
#define ROUNDS(name, verdict)                                                                      \
	ROUND(name, 0, verdict)                                                                    \
	ROUND(name##_serial, 1, verdict)

#endif
