// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf/bench_xdp.bpf.c - the gate with a new source address for every packet, and the baselines that
 * end before it, for tools/bench_packets.c. How the rounds go is in bpf/bench_round.h.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/bench_question.h"
#include "bpf/bench_round.h"
#include "bpf/gate.h"

/* A load from a random one of 2^bits lines of the live generation: what one cache miss costs. */
STAGE int load_line(void *map, __u32 bits, const struct source *source)
{
	const struct settings *s = settings_get();
	const __u32 *line;
	__u32 index;

	if (!s)
		return XDP_ABORTED;
	index = ((s->generation & 1) << bits) +
		(__u32)((source->half[0] * 0x9e3779b97f4a7c15ull) >> (64 - bits));
	line = bpf_map_lookup_elem(map, &index);
	if (!line)
		return XDP_ABORTED;
	(void)*(const volatile __u32 *)line;
	return XDP_DROP;
}

ROUNDS(bench_gate, gate(ctx))
ROUNDS(bench_drop, XDP_DROP)
ROUNDS(bench_load4, load_line(&bucket4, geometry.bucket4_bits, source))
ROUNDS(bench_load6, load_line(&bucket6, geometry.bucket6_bits, source))

QUESTION(bench_question, XDP_DROP)
QUESTION(bench_cut, cut(ctx))
QUESTION(bench_learn, learn(ctx))
QUESTION(bench_answer, gate(ctx))
QUESTION(bench_raw_cookie, raw_cookie(ctx))
QUESTION(bench_socket_cookie, socket_cookie(ctx))

SEC("xdp")
int bench_bare_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
