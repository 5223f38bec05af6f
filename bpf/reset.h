/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/reset.h - the answer to a listed source whose entry says reset: one RST (RFC 9293 3.5.2),
 * sent back the way the SYN came.
 *
 * The frame is rewritten in place: options, extension headers and data fall away, VLAN tags stay.
 * The answer is never longer than the question, and the rate of answers is limited, so nobody can
 * aim them at a third party to any effect. Beyond the limit the packet is dropped.
 */
#ifndef POSTERN_BPF_RESET_H
#define POSTERN_BPF_RESET_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include "bpf/limit.h"

#define REPLY_TTL          64
#define IPV4_DONT_FRAGMENT 0x4000
#define ETHERNET_GROUP     0x01 /* in the first byte of an address: multicast or broadcast */

STAGE __u16 checksum_fold(__u64 sum)
{
	for (int i = 0; i < 4; i++)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Headers are summed as 16-bit words, whatever their members are. */
typedef __u16 __attribute__((may_alias)) header_word;

/* The sum of words in network byte order, as they lie in memory. */
STAGE __u64 checksum_words(const void *data, __u32 words)
{
	const header_word *word = data;
	__u64 sum = 0;

	for (__u32 i = 0; i < words; i++)
		sum += word[i];
	return sum;
}

STAGE void reset_tcp(struct tcphdr *tcp, const struct packet *p, __u64 pseudo_sum)
{
	__builtin_memset(tcp, 0, sizeof(*tcp));
	tcp->source = bpf_htons(p->dest_port);
	tcp->dest = bpf_htons(p->source_port);
	tcp->ack_seq = bpf_htonl(p->sequence + p->segment);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->rst = 1;
	tcp->ack = 1;
	pseudo_sum += bpf_htons(sizeof(*tcp)) + bpf_htons(IPPROTO_TCP);
	tcp->check = checksum_fold(pseudo_sum + checksum_words(tcp, sizeof(*tcp) / 2));
}

STAGE void reset_ipv4(struct iphdr *ip, const struct packet *p)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(struct tcphdr));
	ip->frag_off = bpf_htons(IPV4_DONT_FRAGMENT);
	ip->ttl = REPLY_TTL;
	ip->protocol = IPPROTO_TCP;
	ip->saddr = bpf_htonl((__u32)p->dest.low);
	ip->daddr = bpf_htonl((__u32)p->source.low);
	ip->check = checksum_fold(checksum_words(ip, sizeof(*ip) / 2));
	reset_tcp((void *)(ip + 1), p, checksum_words(&ip->saddr, 4));
}

STAGE void reset_ipv6(struct ipv6hdr *ip, const struct packet *p)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->payload_len = bpf_htons(sizeof(struct tcphdr));
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = REPLY_TTL;
	address_store(&p->dest, &ip->saddr);
	address_store(&p->source, &ip->daddr);
	reset_tcp((void *)(ip + 1), p, checksum_words(&ip->saddr, 16));
}

STAGE int reset_turn_around(struct ethhdr *ethernet)
{
	__u8 from[ETH_ALEN];

	if (ethernet->h_dest[0] & ETHERNET_GROUP)
		return 0;
	__builtin_memcpy(from, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, from, ETH_ALEN);
	return 1;
}

/* Cuts the frame to its new length, with an IP header of `header` bytes, and returns that header.
 */
STAGE void *reset_frame(struct xdp_md *ctx, const struct packet *p, __u32 header)
{
	const __u32 length = p->l3_offset + header + sizeof(struct tcphdr);
	void *start, *end, *ip;

	if (bpf_xdp_adjust_tail(ctx, (int)length - (int)p->length))
		return NULL;
	start = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	ip = start + (p->l3_offset & 0x3f);
	if (start + sizeof(struct ethhdr) > end || ip + header + sizeof(struct tcphdr) > end)
		return NULL;
	return reset_turn_around(start) ? ip : NULL;
}

/* Makes the frame the answer and returns 1, or returns 0 if it cannot be one. */
STAGE int reset_write(struct xdp_md *ctx, const struct packet *p)
{
	void *ip;

	if (p->family == FAMILY_IPV6) {
		ip = reset_frame(ctx, p, sizeof(struct ipv6hdr));
		if (ip)
			reset_ipv6(ip, p);
	} else {
		ip = reset_frame(ctx, p, sizeof(struct iphdr));
		if (ip)
			reset_ipv4(ip, p);
	}
	return ip != NULL;
}

/* Whether the limit of answers has room for one more. */
STAGE int reset_allowed(const struct settings *s)
{
	const __u32 zero = 0;
	struct meter_line *line = bpf_map_lookup_elem(&total, &zero);

	if (!line)
		return 0;
	return !s->reset.interval_ns ||
	       rate_charge(&s->reset, &line->cell[TOTAL_RESETS], bpf_ktime_get_ns());
}

STAGE enum xdp_action reset(struct xdp_md *ctx, const struct settings *s, const struct packet *p)
{
	if (!reset_allowed(s) || !reset_write(ctx, p)) {
		health_count(HEALTH_RESETS_SKIPPED);
		return XDP_DROP;
	}
	health_count(HEALTH_RESETS_SENT);
	return XDP_TX;
}

#endif
