// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf/bench_xdp.bpf.c - the gate with a new source address for every packet, for
 * tools/bench_packets.c.
 *
 * A test run feeds one frame again and again; here each round first takes the next address from
 * `sources`. The serial variants then put a fence between the packets (a locked instruction, which
 * waits for all loads before it), so that a packet cannot hide its cache misses behind the work of
 * the one before. The variants that end right there are the baselines.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/gate.h"

#define SOURCES (1u << 20)

/* In network byte order; IPv4 in the first four bytes. */
struct source {
	__u8 byte[16];
};

MAPPED_ARRAY(sources, struct source, SOURCES);
MAPPED_ARRAY(turn, __u64, 1);

#define IPV4_SOURCE (14 + 12) /* offset of the source address behind Ethernet */
#define IPV6_SOURCE (14 + 8)

STAGE int next_source(struct xdp_md *ctx, int fenced)
{
	__u8 *frame = (void *)(long)ctx->data;
	const __u32 zero = 0;
	struct source *source;
	__u64 *count;
	__u32 index;

	count = bpf_map_lookup_elem(&turn, &zero);
	if (!count)
		return 0;
	if (fenced)
		__sync_fetch_and_add(count, 1);
	else
		*count += 1;
	index = *count & (SOURCES - 1);
	source = bpf_map_lookup_elem(&sources, &index);
	if (!source || (void *)(frame + IPV6_SOURCE + 16) > (void *)(long)ctx->data_end)
		return 0;
	if (frame[13] == 0xdd) /* the second byte of the EtherType of IPv6 */
		__builtin_memcpy(frame + IPV6_SOURCE, source, 16);
	else
		__builtin_memcpy(frame + IPV4_SOURCE, source, 4);
	return 1;
}

SEC("xdp")
int bench_gate(struct xdp_md *ctx)
{
	return next_source(ctx, 0) ? gate(ctx) : XDP_ABORTED;
}

SEC("xdp")
int bench_gate_serial(struct xdp_md *ctx)
{
	return next_source(ctx, 1) ? gate(ctx) : XDP_ABORTED;
}

SEC("xdp")
int bench_drop(struct xdp_md *ctx)
{
	return next_source(ctx, 0) ? XDP_DROP : XDP_ABORTED;
}

SEC("xdp")
int bench_drop_serial(struct xdp_md *ctx)
{
	return next_source(ctx, 1) ? XDP_DROP : XDP_ABORTED;
}

SEC("xdp")
int bench_bare_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
