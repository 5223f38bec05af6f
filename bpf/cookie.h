/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/cookie.h - answers a SYN with the kernel's own SYN cookie (RFC 4987 3.6), which the listener
 * accepts when it comes back.
 *
 * As in the kernel's answer the time stamp's low bits carry window scale and SACK, so they are
 * offered only together with it (RFC 7323). What cannot be answered so is left to the limits: no
 * listener for the address on this host, cookies switched off.
 */
#ifndef POSTERN_BPF_COOKIE_H
#define POSTERN_BPF_COOKIE_H

#include "bpf/parse.h"
#include "bpf/reply.h"
#include "bpf/socket.h"

#define TCP_HEADER_MAX 60
#define OPTIONS_BUDGET 20 /* options of a SYN that are looked at; there is room for 40 */

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_SCALE = 3, OPTION_SACK = 4, OPTION_TIME = 8 };

/* The layout of a cookie's time stamp: net/ipv4/syncookies.c. */
#define STAMP_SCALE    0x0fu
#define STAMP_SACK     0x10u
#define STAMP_BITS     6
#define STAMP_NO_SCALE 0x0fu
#define SCALE_MAX      14 /* RFC 7323 2.3 */
#define NS_PER_MS      1000000ull
#define IPV4_HEADERS   40 /* of IP and TCP: what an MTU holds beside data */
#define IPV6_HEADERS   60
#define MTU_MIN        576

struct tcp_bytes {
	union {
		__u8 byte[64];
		__be32 word[16];
	};
};

/* The options of a SYN that matter. */
struct syn_options {
	__be32 stamp; /* the client's clock */
	__u8 has_stamp;
	__u8 sack;
	__u8 scale; /* STAMP_NO_SCALE without one */
	__u8 pad;
};

STAGE void option_take(const struct tcp_bytes *t, __u32 at, __u32 kind, __u32 length,
		       struct syn_options *o)
{
	if (kind == OPTION_SACK && length == 2) {
		o->sack = 1;
	} else if (kind == OPTION_SCALE && length == 3) {
		o->scale = t->byte[(at + 2) & 63];
		if (o->scale > SCALE_MAX)
			o->scale = SCALE_MAX;
	} else if (kind == OPTION_TIME && length == 10) {
		o->has_stamp = 1;
		o->stamp = bpf_htonl((__u32)t->byte[(at + 2) & 63] << 24 |
				     (__u32)t->byte[(at + 3) & 63] << 16 |
				     (__u32)t->byte[(at + 4) & 63] << 8 | t->byte[(at + 5) & 63]);
	}
}

/* Reads the options of a header of `header` bytes; what is cut short or absurd ends them. */
STAGE_APART int options_parse(const struct tcp_bytes *t, __u32 header, struct syn_options *o)
{
	__u32 at = sizeof(struct tcphdr), kind, length;

	if (!t || !o)
		return 0;
	for (int i = 0; i < OPTIONS_BUDGET && at + 1 < header; i++) {
		kind = t->byte[at & 63];
		if (kind == OPTION_END)
			break;
		if (kind == OPTION_NOP) {
			at = (at + 1) & 63;
			continue;
		}
		length = t->byte[(at + 1) & 63];
		if (length < 2 || at + length > header)
			break;
		option_take(t, at, kind, length, o);
		at = (at + length) & 63; /* as it is: but so all ways that lead here are one */
	}
	return 0;
}

/* The kernel's clock, at the nearest moment not after now whose low bits say this. */
STAGE __u32 cookie_stamp(const struct syn_options *o, __u64 now)
{
	const __u32 ms = now / NS_PER_MS;
	const __u32 low = (o->scale & STAMP_SCALE) | (o->sack ? STAMP_SACK : 0);
	const __u32 stamp = (ms >> STAMP_BITS << STAMP_BITS) | low;

	return stamp > ms ? stamp - (1u << STAMP_BITS) : stamp;
}

/* The options of the answer: the maximum segment size, and with a time stamp the others. */
STAGE void cookie_options(struct reply *r, const struct settings *s, const struct syn_options *o,
			  __u32 mss, __u64 now)
{
	r->option[0] = bpf_htonl(2u << 24 | 4u << 16 | mss);
	r->option_words = 1;
	if (!o->has_stamp || !(s->flood.cookies & COOKIES_TIMESTAMPS))
		return;
	r->option[1] =
		bpf_htonl((o->sack ? 4u << 24 | 2u << 16 : 1u << 24 | 1u << 16) | 8u << 8 | 10u);
	r->option[2] = bpf_htonl(cookie_stamp(o, now));
	r->option[3] = o->stamp;
	r->option_words = 4;
	if (o->scale == STAMP_NO_SCALE)
		return;
	r->option[4] = bpf_htonl(1u << 24 | 3u << 16 | 3u << 8 | s->flood.scale);
	r->option_words = 5;
}

/* What the interface's MTU leaves for data. */
STAGE __u32 cookie_mss(struct xdp_md *ctx, __u32 family)
{
	const __u32 headers = family == FAMILY_IPV6 ? IPV6_HEADERS : IPV4_HEADERS;
	__u32 mtu = 0;

	/* It says that a packet of no length fits, and what would. */
	bpf_check_mtu(ctx, 0, &mtu, 0, 0);
	return (mtu < MTU_MIN ? MTU_MIN : mtu) - headers;
}

/* Whether the packet is for this host, as the routing table sees it. */
STAGE_APART int is_local(struct xdp_md *ctx, const struct packet *p)
{
	struct bpf_fib_lookup fib = {};
	long found;

	if (!p)
		return 0;
	fib.family = p->family == FAMILY_IPV6 ? SOCKET_IPV6 : SOCKET_IPV4;
	fib.l4_protocol = IPPROTO_TCP;
	fib.ifindex = ctx->ingress_ifindex;
	if (p->family == FAMILY_IPV6) {
		address_store(&p->source, fib.ipv6_src);
		address_store(&p->dest, fib.ipv6_dst);
	} else {
		fib.ipv4_src = bpf_htonl((__u32)p->source.low);
		fib.ipv4_dst = bpf_htonl((__u32)p->dest.low);
	}
	found = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	return found == BPF_FIB_LKUP_RET_NOT_FWDED || found == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/*
 * The listener's cookie, or less than 0; gives the listener back. The length of the header is
 * checked here and not before the listener is looked up, because Linux 6.1 has forgotten it by
 * then.
 */
STAGE __s64 cookie_of(struct bpf_sock *listener, void *ip, __u32 ip_size, struct tcp_bytes *t,
		      __u32 header)
{
	__u32 options = header - sizeof(struct tcphdr);
	__s64 cookie = -1;

	barrier_var(options);
	if (options <= TCP_HEADER_MAX - sizeof(struct tcphdr))
		cookie = bpf_tcp_gen_syncookie(listener, ip, ip_size, (void *)t,
					       options + sizeof(struct tcphdr));
	bpf_sk_release(listener);
	return cookie;
}

STAGE_APART __s64 cookie_ipv4(struct xdp_md *ctx, const struct packet *p, struct tcp_bytes *t,
			      __u32 header)
{
	struct iphdr ip = { .version = 4, .ihl = 5 };
	struct bpf_sock *listener;

	if (!p || !t)
		return -1;
	listener = socket_ipv4(ctx, p);
	if (!listener)
		return -1;
	ip.saddr = bpf_htonl((__u32)p->source.low);
	ip.daddr = bpf_htonl((__u32)p->dest.low);
	return cookie_of(listener, &ip, sizeof(ip), t, header);
}

STAGE_APART __s64 cookie_ipv6(struct xdp_md *ctx, const struct packet *p, struct tcp_bytes *t,
			      __u32 header)
{
	struct ipv6hdr ip = { .version = 6 };
	struct bpf_sock *listener;

	if (!p || !t)
		return -1;
	listener = socket_ipv6(ctx, p);
	if (!listener)
		return -1;
	address_store(&p->source, &ip.saddr);
	address_store(&p->dest, &ip.daddr);
	return cookie_of(listener, &ip, sizeof(ip), t, header);
}

/* The TCP header of the SYN into `t`; returns its length, or 0. */
STAGE __u32 syn_load(struct xdp_md *ctx, const struct packet *p, struct tcp_bytes *t)
{
	const __be32 *word = (void *)(long)ctx->data + (p->l4_offset & (CURSOR_SPAN - 1));
	const __u32 header = p->l4_header;
	__u32 words = header / 4;

	if (header < sizeof(struct tcphdr) || header > TCP_HEADER_MAX)
		return 0;
	barrier_var(words); /* or the loop has but this bound, which the verifier cannot follow */
	for (__u32 i = 0; i < TCP_HEADER_MAX / 4 && i < words; i++) {
		if ((void *)(word + i + 1) > (void *)(long)ctx->data_end)
			return 0;
		t->word[i] = word[i];
	}
	return header;
}

/* Answers with a cookie; returns 0, with the frame as it was, if there is none. */
STAGE_APART int cookie_send(struct xdp_md *ctx, const struct packet *p)
{
	const struct settings *s = settings_get();
	struct syn_options options = { .scale = STAMP_NO_SCALE };
	struct tcp_bytes t = {};
	struct reply r = { .flags = TCP_SYN | TCP_ACK };
	__u32 header;
	__s64 cookie;

	if (!s || !p || !(s->flood.cookies & COOKIES_ON))
		return 0;
	if (s->flood.cookies & COOKIES_ROUTED && !is_local(ctx, p))
		return 0;
	header = syn_load(ctx, p, &t);
	if (!header)
		return 0;
	cookie = p->family == FAMILY_IPV6 ? cookie_ipv6(ctx, p, &t, header)
					  : cookie_ipv4(ctx, p, &t, header);
	if (cookie < 0)
		return 0;
	options_parse(&t, header, &options);
	cookie_options(&r, s, &options, cookie_mss(ctx, p->family), p->now);
	r.sequence = cookie;
	r.acknowledged = p->sequence + 1;
	r.window = s->flood.window;
	return reply_send(ctx, p, &r);
}

/* As above, and counted. */
STAGE int challenge(struct xdp_md *ctx, const struct packet *p)
{
	const int sent = cookie_send(ctx, p);

	health_count(sent ? HEALTH_COOKIES_SENT : HEALTH_COOKIES_SKIPPED);
	return sent;
}

#endif
