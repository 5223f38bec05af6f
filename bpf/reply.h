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
#define LINK_MASK          63   /* for the verifier */
#define OPTION_WORDS       5
#define FRAME_GROWTH       512 /* no answer is longer than its question by so much */

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

/* A TCP header as words in network byte order: a sum of those is one of 16-bit words, too. */
struct tcp_words {
	__be32 ports;
	__be32 sequence;
	__be32 acknowledged;
	__be32 control; /* length, flags and window */
	__sum16 check;
	__be16 urgent;
};

STAGE __u16 checksum_fold(__u64 sum)
{
	for (int i = 0; i < 4; i++)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

STAGE __u64 address_sum(const struct address *a)
{
	const __be64 high = bpf_cpu_to_be64(a->high), low = bpf_cpu_to_be64(a->low);

	return (high >> 32) + (__u32)high + (low >> 32) + (__u32)low;
}

/* Both return the sum of the addresses. */
STAGE __u64 reply_ipv4(struct iphdr *ip, const struct packet *p, __u32 length)
{
	const __be32 from = bpf_htonl((__u32)p->dest.low), to = bpf_htonl((__u32)p->source.low);
	const __be32 start = bpf_htonl(0x45000000u | length);
	const __be32 fragment = bpf_htonl(IPV4_DONT_FRAGMENT);
	const __be16 carries = bpf_htons(REPLY_TTL << 8 | IPPROTO_TCP);
	const __u64 addresses = (__u64)from + to;
	__be32 *word = (__be32 *)ip;

	word[0] = start;
	word[1] = fragment;
	((__be16 *)ip)[4] = carries;
	ip->check = checksum_fold(addresses + start + fragment + carries);
	word[3] = from;
	word[4] = to;
	return addresses;
}

STAGE __u64 reply_ipv6(struct ipv6hdr *ip, const struct packet *p, __u32 length)
{
	*(__be32 *)ip = bpf_htonl(6u << 28);
	ip->payload_len = bpf_htons(length - sizeof(*ip));
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = REPLY_TTL;
	address_store(&p->dest, &ip->saddr);
	address_store(&p->source, &ip->daddr);
	return address_sum(&p->dest) + address_sum(&p->source);
}

/* `sum` is that of the addresses. The words of options that there are not are zero. */
STAGE void reply_tcp(struct tcp_words *tcp, const struct packet *p, const struct reply *r,
		     __u64 sum)
{
	const __u32 header = sizeof(*tcp) + r->option_words * 4;
	const struct tcp_words words = {
		.ports = bpf_htonl((__u32)p->dest_port << 16 | p->source_port),
		.sequence = bpf_htonl(r->sequence),
		.acknowledged = bpf_htonl(r->acknowledged),
		.control = bpf_htonl(header << 26 | (__u32)r->flags << 16 | r->window),
	};

	sum += bpf_htons(header + r->text_length) + bpf_htons(IPPROTO_TCP) + r->text_sum;
	sum += (__u64)words.ports + words.sequence + words.acknowledged + words.control;
	for (int i = 0; i < OPTION_WORDS; i++)
		sum += r->option[i];
	*tcp = words;
	tcp->check = checksum_fold(sum);
}

/* Whether the question was sent to one station, over a link that we know. */
STAGE int reply_link_known(struct xdp_md *ctx, const struct packet *p)
{
	const __u8 *start = (void *)(long)ctx->data;

	return p->l3_offset >= ETH_HLEN && p->l3_offset <= LINK_MAX &&
	       (void *)(start + 1) <= (void *)(long)ctx->data_end && !(*start & ETHERNET_GROUP);
}

/*
 * The way back. In a frame that has grown the link's header is `grown` bytes behind, perhaps less
 * than its length: so all of a part is read before any of it is written.
 */
STAGE int reply_link(struct xdp_md *ctx, __u32 grown)
{
	__u16 *answer = (void *)(long)ctx->data;
	const __u16 *question = (void *)answer + (grown & (FRAME_GROWTH - 1));
	void *const end = (void *)(long)ctx->data_end;
	__u16 station[ETH_ALEN];

	if ((void *)answer + LINK_MAX > end || (void *)question + LINK_MAX > end)
		return 0;
	for (int i = 0; i < ETH_ALEN; i++)
		station[i] = question[i];
	for (int i = 0; i < ETH_ALEN; i++)
		answer[(i + ETH_ALEN / 2) % ETH_ALEN] = station[i];
	if (grown)
		for (int i = ETH_ALEN; i < LINK_MAX / 2; i++)
			answer[i] = question[i];
	return 1;
}

/* Whether the source can be that of one host (RFC 1122 3.2.1.3, RFC 4291 2.5): the stack would
 * discard the question otherwise. What claims to come from where it goes to is no question either.
 */
STAGE int reply_has_receiver(const struct packet *p)
{
	const __u32 first = p->source.low >> 24 & 0xff; /* of an IPv4 address */

	if (p->source.high == p->dest.high && p->source.low == p->dest.low)
		return 0;
	if (p->family == FAMILY_IPV6)
		return p->source.high >> 56 != 0xff && (p->source.high || p->source.low > 1);
	return first && first != 127 && first < 224;
}

/* Gives the frame a new length: cut at its end, or grown at its front. */
STAGE int reply_resize(struct xdp_md *ctx, int grown)
{
	return grown > 0 ? bpf_xdp_adjust_head(ctx, -grown) : bpf_xdp_adjust_tail(ctx, grown);
}

/* The IP header and the TCP header, at `at` in a frame of its new length. */
STAGE int reply_headers(struct xdp_md *ctx, const struct packet *p, const struct reply *r, __u32 at)
{
	void *const start = (void *)(long)ctx->data, *const end = (void *)(long)ctx->data_end;
	const __u32 header =
		p->family == FAMILY_IPV6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	const __u32 length =
		header + sizeof(struct tcp_words) + r->option_words * 4 + r->text_length;
	void *const ip = start + (at & LINK_MASK);
	struct tcp_words *tcp = ip + header;
	__be32 *option = (__be32 *)(tcp + 1);
	__u64 sum;

	if ((void *)option > end)
		return 0;
	sum = header == sizeof(struct iphdr) ? reply_ipv4(ip, p, length)
					     : reply_ipv6(ip, p, length);
	reply_tcp(tcp, p, r, sum);
	for (__u32 i = 0; i < OPTION_WORDS && i < r->option_words; i++) {
		if ((void *)(option + i + 1) > end)
			return 0;
		option[i] = r->option[i];
	}
	return 1;
}

STAGE int reply_text(struct xdp_md *ctx, __u32 at, __u32 length)
{
	const __u32 zero = 0;
	const struct scratch *text;

	if (!length)
		return 1;
	length =
		within(length - 1, SCRATCH_BYTES) + 1; /* Linux 6.1 wants to see that it is not 0 */
	text = bpf_map_lookup_elem(&scratch, &zero);
	return text && !bpf_xdp_store_bytes(ctx, at, (void *)text->text, length);
}

/* Makes the frame the answer and returns 1, or returns 0 if it cannot be one. */
STAGE_APART int reply_send(struct xdp_md *ctx, const struct packet *p, const struct reply *r)
{
	__u32 headers, text;
	int grown;

	if (!p || !r)
		return 0;
	text = r->text_length;
	barrier_var(text); /* or it is read again, when its bound is forgotten */
	if (r->option_words > OPTION_WORDS || text > REPLY_TEXT_MAX || !reply_link_known(ctx, p) ||
	    !reply_has_receiver(p))
		return 0;
	headers = p->l3_offset + sizeof(struct tcp_words) + r->option_words * 4 +
		  (p->family == FAMILY_IPV6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	grown = (int)(headers + text) - (int)p->length;
	return !reply_resize(ctx, grown) && reply_link(ctx, grown > 0 ? grown : 0) &&
	       reply_headers(ctx, p, r, p->l3_offset) && reply_text(ctx, headers, text);
}

#endif
