/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/parse.h - from the frame to ports and flags: Ethernet, 802.1Q and 802.1ad, IPv4, IPv6, TCP.
 *
 * Each function returns UNDECIDED and leaves the cursor behind the header that it read, or the
 * reason why the packet is not one to judge. Lengths come from the IP header, never from the frame,
 * which may be padded. What is cut short passes: the stack discards it. What hides its TCP header
 * in fragments or behind too many tags or headers is stopped: the stack might find it.
 */
#ifndef POSTERN_BPF_PARSE_H
#define POSTERN_BPF_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>

#include "bpf/maps.h"
#include "bpf/packet.h"

#define VLAN_TAGS          4 /* the stack takes off priority tags (id 0) to any depth */
#define VLAN_ID_MASK       0x0fff
#define IPV6_HEADER_BUDGET 8 /* extension headers that are followed */
#define FRAGMENT_OFFSET    0x1fff
#define FRAGMENT_MORE      0x2000
#define TCP_HEADER_MIN     20
#define TCP_FLAGS_OFFSET   13 /* in the TCP header */

#define NEXT_HOP_BY_HOP  0
#define NEXT_ROUTING     43
#define NEXT_FRAGMENT    44
#define NEXT_AH          51
#define NEXT_DESTINATION 60

struct vlan_tag {
	__be16 control;
	__be16 inner_type;
};

struct extension {
	__u8 next;
	__u8 length;
	__be16 fragment; /* of a fragment header: offset in units of 8 octets << 3 | more */
	__be32 id;
};

struct cursor {
	void *start;
	void *end;
	__u32 offset;    /* of the next header */
	__u32 limit;     /* offset at which the IP packet ends */
	__u8 protocol;   /* what the next header is */
	__u8 fragmented; /* a first fragment: more follow */
};

/* Headers are looked for in so many bytes of the frame; IPv6 extension headers may lead further. */
#define CURSOR_SPAN 2048

/* The header at the cursor, or NULL if the frame or the IP packet ends before its `size` bytes do.
 */
STAGE void *cursor_header(const struct cursor *c, __u32 size)
{
	void *header = c->start + (c->offset & (CURSOR_SPAN - 1));

	if (c->offset + size > c->limit)
		return NULL;
	return header + size > c->end ? NULL : header;
}

/* A header that is cut short: the stack's to discard, unless other fragments could complete it. */
STAGE enum reason cut_short(const struct cursor *c)
{
	return c->fragmented ? REASON_TINY_FRAGMENT : REASON_MALFORMED;
}

STAGE enum reason parse_ethernet(struct cursor *c, struct packet *p, __be16 *type)
{
	const struct ethhdr *ethernet = cursor_header(c, sizeof(*ethernet));
	const struct vlan_tag *tag;

	if (!ethernet)
		return REASON_MALFORMED;
	*type = ethernet->h_proto;
	c->offset += sizeof(*ethernet);
	for (int i = 0; i < VLAN_TAGS; i++) {
		if (*type != bpf_htons(ETH_P_8021Q) && *type != bpf_htons(ETH_P_8021AD))
			break;
		tag = cursor_header(c, sizeof(*tag));
		if (!tag)
			return REASON_MALFORMED;
		if (i == 0)
			p->vlan = bpf_ntohs(tag->control) & VLAN_ID_MASK;
		*type = tag->inner_type;
		c->offset += sizeof(*tag);
	}
	p->l3_offset = c->offset;
	if (*type == bpf_htons(ETH_P_8021Q) || *type == bpf_htons(ETH_P_8021AD))
		return REASON_HEADER_CHAIN;
	return UNDECIDED;
}

STAGE enum reason parse_ipv4(struct cursor *c, struct packet *p)
{
	const struct iphdr *ip = cursor_header(c, sizeof(*ip));
	__u32 header, length, fragment;

	if (!ip)
		return REASON_MALFORMED;
	header = ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || header < sizeof(*ip) || length < header)
		return REASON_MALFORMED;
	p->source.low = 0xffff00000000ull | bpf_ntohl(ip->saddr);
	p->dest.low = 0xffff00000000ull | bpf_ntohl(ip->daddr);
	if (ip->protocol != IPPROTO_TCP)
		return REASON_OTHER;
	fragment = bpf_ntohs(ip->frag_off);
	if ((fragment & FRAGMENT_OFFSET) == 1)
		return REASON_TINY_FRAGMENT;
	if (fragment & FRAGMENT_OFFSET)
		return REASON_FRAGMENT;
	c->fragmented = (fragment & FRAGMENT_MORE) != 0;
	c->limit = c->offset + length;
	c->offset += header;
	c->protocol = IPPROTO_TCP;
	return UNDECIDED;
}

STAGE enum reason parse_fragment(struct cursor *c, const struct extension *ext)
{
	const __u32 fragment = bpf_ntohs(ext->fragment);

	if (fragment >> 3)
		return REASON_FRAGMENT;
	c->fragmented |= fragment & 1;
	return UNDECIDED;
}

/* Steps over one extension header; UNDECIDED with `protocol` unchanged says that there is none. */
STAGE enum reason parse_extension(struct cursor *c)
{
	const __u8 protocol = c->protocol;
	const struct extension *ext;
	__u32 size;

	if (protocol != NEXT_HOP_BY_HOP && protocol != NEXT_ROUTING && protocol != NEXT_FRAGMENT &&
	    protocol != NEXT_AH && protocol != NEXT_DESTINATION)
		return REASON_OTHER;
	ext = cursor_header(c, sizeof(*ext));
	if (!ext)
		return cut_short(c);
	size = (ext->length + 1) * 8;
	if (protocol == NEXT_AH)
		size = (ext->length + 2) * 4;
	if (protocol == NEXT_FRAGMENT) {
		size = sizeof(*ext);
		if (parse_fragment(c, ext) != UNDECIDED)
			return REASON_FRAGMENT;
	}
	c->protocol = ext->next;
	c->offset += size;
	return UNDECIDED;
}

STAGE enum reason parse_ipv6(struct cursor *c, struct packet *p)
{
	const struct ipv6hdr *ip = cursor_header(c, sizeof(*ip));
	const __be32 *from, *to;
	enum reason reason;

	p->family = FAMILY_IPV6;
	if (!ip || ip->version != 6)
		return REASON_MALFORMED;
	from = ip->saddr.s6_addr32;
	to = ip->daddr.s6_addr32;
	p->source.high = (__u64)bpf_ntohl(from[0]) << 32 | bpf_ntohl(from[1]);
	p->source.low = (__u64)bpf_ntohl(from[2]) << 32 | bpf_ntohl(from[3]);
	p->dest.high = (__u64)bpf_ntohl(to[0]) << 32 | bpf_ntohl(to[1]);
	p->dest.low = (__u64)bpf_ntohl(to[2]) << 32 | bpf_ntohl(to[3]);
	/* A jumbogram (RFC 2675), or what looks like one: the stack takes the frame's length. */
	if (!ip->payload_len && ip->nexthdr == NEXT_HOP_BY_HOP)
		return REASON_HEADER_CHAIN;
	c->protocol = ip->nexthdr;
	c->offset += sizeof(*ip);
	c->limit = c->offset + bpf_ntohs(ip->payload_len);
	for (int i = 0; i < IPV6_HEADER_BUDGET; i++) {
		if (c->protocol == IPPROTO_TCP)
			return UNDECIDED;
		reason = parse_extension(c);
		if (reason != UNDECIDED)
			return reason;
		if (c->offset >= CURSOR_SPAN)
			return REASON_HEADER_CHAIN;
	}
	return c->protocol == IPPROTO_TCP ? UNDECIDED : REASON_HEADER_CHAIN;
}

STAGE enum reason parse_tcp(struct cursor *c, struct packet *p)
{
	const struct tcphdr *tcp = cursor_header(c, sizeof(*tcp));
	__u32 header;

	if (!tcp)
		return cut_short(c);
	header = tcp->doff * 4;
	if (header < TCP_HEADER_MIN)
		return REASON_MALFORMED;
	if (c->offset + header > c->limit)
		return cut_short(c);
	p->l4_offset = c->offset;
	p->source_port = bpf_ntohs(tcp->source);
	p->dest_port = bpf_ntohs(tcp->dest);
	p->attempt = tcp->syn && !tcp->ack;
	p->flags = ((const __u8 *)tcp)[TCP_FLAGS_OFFSET];
	p->l4_header = header;
	p->sequence = bpf_ntohl(tcp->seq);
	p->acknowledged = bpf_ntohl(tcp->ack_seq);
	p->segment = c->limit - c->offset - header + tcp->syn + tcp->fin;
	return UNDECIDED;
}

STAGE_APART int parse(struct xdp_md *ctx, struct packet *p)
{
	struct cursor c = {
		.start = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.limit = CURSOR_SPAN,
	};
	enum reason reason;
	__be16 type;

	if (!p)
		return REASON_MALFORMED;
	p->length = c.end - c.start;
	reason = parse_ethernet(&c, p, &type);
	if (reason != UNDECIDED)
		return reason;
	if (type == bpf_htons(ETH_P_IP))
		reason = parse_ipv4(&c, p);
	else if (type == bpf_htons(ETH_P_IPV6))
		reason = parse_ipv6(&c, p);
	else
		reason = REASON_OTHER;
	return reason == UNDECIDED ? parse_tcp(&c, p) : reason;
}

#endif
