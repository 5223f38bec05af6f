// SPDX-License-Identifier: GPL-2.0-only
/*
 * tests/lab/spray.bpf.c - the flood as fast as one CPU can make it, for tests/lab/spray.c.
 *
 * A live-frame test run feeds one SYN over and over; `spray` puts the next source address into it,
 * mends the checksums and sends it out of the sender's interface. It keeps its pace by itself: a
 * frame that comes too early is dropped here, and the next one asks again. It runs on one CPU, so
 * its counters need no atomics. `sink` is for the far end of the gateway's link: it swallows
 * answers to the forged sources, as the internet does, before a stack spends time on them.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tests/lab/spray.h"

#define CLOCK_EVERY                                                                                \
	256 /* frames between two readings of the clock, if there is no pace to keep               \
	     */

const volatile struct spray_orders orders = { .sources = 1 };
struct spray_counts counts;

/* IPv4 addresses in network byte order. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sources SEC(".maps");

struct syn {
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static __always_inline __u16 folded(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

static __always_inline __u32 words(__u32 value)
{
	return (value & 0xffff) + (value >> 16);
}

/* Takes out what the field held before: the frame may be one that was used before. */
static __always_inline void rewrite(struct syn *syn, __u32 source, __u32 random)
{
	const __u32 ip = words(~syn->ip.saddr) + words(source);
	const __u32 tcp = words(~syn->tcp.seq) + words(random) + (__u16)~syn->tcp.source +
			  (__u16)(random | 0x0400);

	syn->ip.check = (__u16)~folded((__u16)~syn->ip.check + ip);
	syn->tcp.check = (__u16)~folded((__u16)~syn->tcp.check + ip + tcp);
	syn->ip.saddr = source;
	syn->tcp.seq = random;
	syn->tcp.source = (__u16)(random | 0x0400);
}

/* Whether it is time for the next frame. */
static __always_inline int is_due(void)
{
	__u64 now;

	if (!orders.interval_ns && counts.sent % CLOCK_EVERY)
		return 1;
	now = bpf_ktime_get_ns();
	if (!counts.sent)
		counts.first_ns = now;
	if (orders.interval_ns && now < counts.first_ns + counts.sent * orders.interval_ns)
		return 0;
	counts.last_ns = now;
	return 1;
}

SEC("xdp")
int spray(struct xdp_md *ctx)
{
	struct syn *syn = (void *)(long)ctx->data;
	__u32 turn = (__u32)counts.turn;
	__u64 *source;

	if ((void *)(syn + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (!is_due())
		return XDP_DROP;
	source = bpf_map_lookup_elem(&sources, &turn);
	if (!source)
		return XDP_ABORTED;
	counts.turn = turn + 1 < orders.sources ? turn + 1 : 0;
	counts.sent++;
	rewrite(syn, (__u32)*source, (__u32)counts.sent * 0x9e3779b1u);
	return (int)bpf_redirect(orders.ifindex, 0);
}

/* The addresses of the lab that somebody answers for: see lab.py. */
static __always_inline int is_inhabited(__u32 address)
{
	return address >> 24 == 10 || address >> 8 == 0xcb0071 || address >> 8 == 0xc63364 ||
	       address >> 8 == 0xc00002;
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	const struct syn *syn = (void *)(long)ctx->data;

	if ((void *)(syn + 1) > (void *)(long)ctx->data_end ||
	    syn->eth.h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	return is_inhabited(bpf_ntohl(syn->ip.daddr)) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
