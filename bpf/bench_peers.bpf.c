// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf/bench_peers.bpf.c - what the gate is measured against: the same parse, the same counter, and
 * the kernel's own maps in place of the block table. See bpf/bench_round.h and
 * tools/bench_packets.c.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/bench_round.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/report.h"

struct exact6_key {
	__u64 half[2]; /* in host byte order, as the parser leaves it */
};

struct lpm4_key {
	__u32 length;
	__be32 address;
};

struct lpm6_key {
	__u32 length;
	__be32 address[4];
};

#define PEER_MAP(name, kind, flags, key_type)                                                      \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(map_flags, flags);                                                          \
		__uint(max_entries, 1);                                                            \
		__type(key, key_type);                                                             \
		__type(value, __u32);                                                              \
	} name SEC(".maps")

PEER_MAP(exact4, BPF_MAP_TYPE_HASH, 0, __u32);
PEER_MAP(exact6, BPF_MAP_TYPE_HASH, 0, struct exact6_key);
PEER_MAP(lpm4, BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC, struct lpm4_key);
PEER_MAP(lpm6, BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC, struct lpm6_key);

STAGE const __u32 *hash_find(const struct packet *p)
{
	const struct exact6_key key6 = { { p->source.high, p->source.low } };
	const __u32 key4 = (__u32)p->source.low;

	return p->family == FAMILY_IPV6 ? bpf_map_lookup_elem(&exact6, &key6)
					: bpf_map_lookup_elem(&exact4, &key4);
}

STAGE const __u32 *lpm_find(const struct packet *p)
{
	struct lpm4_key key4 = { 32, bpf_htonl((__u32)p->source.low) };
	struct lpm6_key key6 = { 128, {} };

	if (p->family != FAMILY_IPV6)
		return bpf_map_lookup_elem(&lpm4, &key4);
	key6.address[0] = bpf_htonl(p->source.high >> 32);
	key6.address[1] = bpf_htonl((__u32)p->source.high);
	key6.address[2] = bpf_htonl(p->source.low >> 32);
	key6.address[3] = bpf_htonl((__u32)p->source.low);
	return bpf_map_lookup_elem(&lpm6, &key6);
}

STAGE enum xdp_action peer(struct xdp_md *ctx, int lpm)
{
	const struct settings *s = settings_get();
	enum reason reason;
	struct packet p = {};

	if (!s)
		return XDP_ABORTED;
	reason = parse(ctx, &p);
	if (reason == UNDECIDED && !port_is_protected(s, p.dest_port))
		reason = REASON_PORT;
	if (reason == UNDECIDED && !p.attempt)
		reason = REASON_ESTABLISHED;
	if (reason == UNDECIDED)
		reason = (lpm ? lpm_find(&p) : hash_find(&p)) ? REASON_LISTED : REASON_ACCEPTED;
	count_reason(&p, reason, OUTCOME_ENFORCED);
	return reason >= REASON_FIRST_STOP ? XDP_DROP : XDP_PASS;
}

ROUNDS(peer_hash, peer(ctx, 0))
ROUNDS(peer_lpm, peer(ctx, 1))

char LICENSE[] SEC("license") = "GPL";
