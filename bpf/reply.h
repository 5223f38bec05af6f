/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/reply.h - turns the frame of a segment into one that answers it, sent back the way it came.
 *
 * Options, extension headers and data of the question fall away, VLAN tags stay. The frame is cut
 * at its end or grows at its front: a frame that comes from the stack of a veth's peer has hardly
 * any room behind it, and 256 bytes before it. If that fails the frame is as it was.
 */
#ifndef POSTERN_BPF_REPLY_H
#define POSTERN_BPF_REPLY_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/report.h"
#include "maps/refusal.h"

#define REPLY_TTL          64
#define IPV4_DONT_FRAGMENT 0x4000
#define ETHERNET_GROUP     0x01 /* in the first byte of an address: multicast or broadcast */
#define LINK_MAX           32   /* Ethernet and VLAN_TAGS tags, rounded up */
#define OPTION_WORDS       5

/* What the answer says. Its addresses and ports are the question's, the other way round. */
struct reply {
	__u32 sequence; /* host byte order, as everything but the options */
	__u32 acknowledged;
	__u16 window;
	__u8 flags; /* TCP_ bits */
	__u8 option_words;
	__be32 option[OPTION_WORDS];
	__u32 text_length; /* of what follows the header: it is in `scratch` */
	__u32 text_sum;    /* of its 16-bit words, not folded */
};

struct link_header {
	__u8 byte[LINK_MAX];
};

struct reply_headers {
	union {
		struct iphdr ip4;
		struct ipv6hdr ip6;
	};
	struct tcphdr tcp;
	__be32 option[OPTION_WORDS];
};

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

STAGE void reply_tcp(struct tcphdr *tcp, const __be32 *option, const struct packet *p,
		     const struct reply *r, __u64 pseudo_sum)
{
	const __u32 header = sizeof(*tcp) + r->option_words * 4;

	__builtin_memset(tcp, 0, sizeof(*tcp));
	tcp->source = bpf_htons(p->dest_port);
	tcp->dest = bpf_htons(p->source_port);
	tcp->seq = bpf_htonl(r->sequence);
	tcp->ack_seq = bpf_htonl(r->acknowledged);
	((__u8 *)tcp)[12] = header << 2;
	((__u8 *)tcp)[13] = r->flags;
	tcp->window = bpf_htons(r->window);
	pseudo_sum += bpf_htons(header + r->text_length) + bpf_htons(IPPROTO_TCP);
	/* The words of options that there are not are zero. */
	pseudo_sum += checksum_words(option, OPTION_WORDS * 2) + r->text_sum;
	tcp->check = checksum_fold(pseudo_sum + checksum_words(tcp, sizeof(*tcp) / 2));
}

STAGE void reply_ipv4(struct iphdr *ip, const struct packet *p, __u32 length)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons(length);
	ip->frag_off = bpf_htons(IPV4_DONT_FRAGMENT);
	ip->ttl = REPLY_TTL;
	ip->protocol = IPPROTO_TCP;
	ip->saddr = bpf_htonl((__u32)p->dest.low);
	ip->daddr = bpf_htonl((__u32)p->source.low);
	ip->check = checksum_fold(checksum_words(ip, sizeof(*ip) / 2));
}

STAGE void reply_ipv6(struct ipv6hdr *ip, const struct packet *p, __u32 length)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->payload_len = bpf_htons(length - sizeof(*ip));
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = REPLY_TTL;
	address_store(&p->dest, &ip->saddr);
	address_store(&p->source, &ip->daddr);
}

/* The link's header of the answer; fails for a question that was not sent to one station. */
STAGE int reply_link(struct xdp_md *ctx, const struct packet *p, struct link_header *link)
{
	__u8 from[ETH_ALEN];
	__u32 length = p->l3_offset;

	barrier_var(length);
	if (length < ETH_HLEN || length > LINK_MAX || bpf_xdp_load_bytes(ctx, 0, link, length) ||
	    link->byte[0] & ETHERNET_GROUP)
		return -1;
	__builtin_memcpy(from, link->byte + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(link->byte + ETH_ALEN, link->byte, ETH_ALEN);
	__builtin_memcpy(link->byte, from, ETH_ALEN);
	return 0;
}

/* Gives the frame a new length: cut at its end, or grown at its front. */
STAGE int reply_resize(struct xdp_md *ctx, const struct packet *p, __u32 length)
{
	const int delta = (int)length - (int)p->length;

	return delta > 0 ? bpf_xdp_adjust_head(ctx, -delta) : bpf_xdp_adjust_tail(ctx, delta);
}

/* `header` is the length of both headers, without the options, which follow them. */
STAGE int reply_store(struct xdp_md *ctx, const struct packet *p, const struct reply *r,
		      const struct link_header *link, const void *headers, __u32 header)
{
	const __u32 zero = 0;
	const struct scratch *text;
	__u32 link_length = p->l3_offset, length = header + r->option_words * 4;
	__u32 text_length = r->text_length;

	if (reply_resize(ctx, p, link_length + length + text_length))
		return -1;
	barrier_var(link_length);
	barrier_var(length);
	if (link_length < ETH_HLEN || link_length > LINK_MAX || length < sizeof(struct tcphdr) ||
	    length > header + OPTION_WORDS * 4 ||
	    bpf_xdp_store_bytes(ctx, 0, (void *)link, link_length) ||
	    bpf_xdp_store_bytes(ctx, link_length, (void *)headers, length))
		return -1;
	if (!text_length)
		return 0;
	text = bpf_map_lookup_elem(&scratch, &zero);
	barrier_var(text_length);
	if (!text || text_length < 1 || text_length > REPLY_TEXT_MAX)
		return -1;
	return bpf_xdp_store_bytes(ctx, link_length + length, (void *)text->text, text_length);
}

/* Makes the frame the answer and returns 1, or returns 0 if it cannot be one. */
STAGE_APART int reply_send(struct xdp_md *ctx, const struct packet *p, const struct reply *r)
{
	struct reply_headers h;
	struct link_header link = {};
	__u32 tcp;

	if (!p || !r || r->option_words > OPTION_WORDS || reply_link(ctx, p, &link))
		return 0;
	tcp = sizeof(h.tcp) + r->option_words * 4 + r->text_length;
	__builtin_memcpy(h.option, r->option, sizeof(h.option));
	if (p->family == FAMILY_IPV6) {
		reply_ipv6(&h.ip6, p, sizeof(h.ip6) + tcp);
		reply_tcp(&h.tcp, h.option, p, r, checksum_words(&h.ip6.saddr, 16));
		return !reply_store(ctx, p, r, &link, &h, sizeof(h.ip6) + sizeof(h.tcp));
	}
	/* The IPv4 header is shorter: it stands right before the TCP header. */
	{
		struct iphdr *ip = (struct iphdr *)&h.tcp - 1;

		reply_ipv4(ip, p, sizeof(*ip) + tcp);
		reply_tcp(&h.tcp, h.option, p, r, checksum_words(&ip->saddr, 4));
		return !reply_store(ctx, p, r, &link, ip, sizeof(*ip) + sizeof(h.tcp));
	}
}

#endif
