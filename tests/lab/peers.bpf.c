// SPDX-License-Identifier: GPL-2.0-only
/*
 * tests/lab/peers.bpf.c - what Postern is measured against in XDP, for tests/lab/peermap.c: nothing
 * but a drop; a trie of prefixes, as the kernel has it; and a hash of exact addresses. Each looks
 * at the source of IPv4 and at nothing else. The sizes of the maps are set before they are loaded.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct prefix_key {
	__u32 length;
	__u32 address; /* in network byte order */
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct prefix_key);
	__type(value, __u8);
} trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} exact SEC(".maps");

/* The source address, or 0 if the frame has none. */
static __always_inline __u32 source_of(const struct xdp_md *ctx)
{
	const struct ethhdr *eth = (void *)(long)ctx->data;
	const struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > (void *)(long)ctx->data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return 0;
	return ip->saddr;
}

SEC("xdp")
int bare(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC("xdp")
int lpm(struct xdp_md *ctx)
{
	const struct prefix_key key = { .length = 32, .address = source_of(ctx) };

	return bpf_map_lookup_elem(&trie, &key) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int hash(struct xdp_md *ctx)
{
	const __u32 key = source_of(ctx);

	return bpf_map_lookup_elem(&exact, &key) ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
