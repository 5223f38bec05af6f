/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/socket.h - the socket of this host that a segment would reach. Whoever gets one releases it.
 */
#ifndef POSTERN_BPF_SOCKET_H
#define POSTERN_BPF_SOCKET_H

#include "bpf/cell.h"

#define SOCKET_IPV4 2 /* AF_INET */
#define SOCKET_IPV6 10

/* States of a TCP socket: include/net/tcp_states.h, part of the interface of programs. */
enum {
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT = 2,
	STATE_SYN_RECV = 3,
	STATE_TIME_WAIT = 6,
	STATE_CLOSE = 7,
	STATE_LISTEN = 10,
	STATE_NEW_SYN_RECV = 12
};

STAGE struct bpf_sock *socket_ipv4(struct xdp_md *ctx, const struct packet *p)
{
	struct bpf_sock_tuple tuple = {};

	tuple.ipv4.saddr = bpf_htonl((__u32)p->source.low);
	tuple.ipv4.daddr = bpf_htonl((__u32)p->dest.low);
	tuple.ipv4.sport = bpf_htons(p->source_port);
	tuple.ipv4.dport = bpf_htons(p->dest_port);
	return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
}

STAGE struct bpf_sock *socket_ipv6(struct xdp_md *ctx, const struct packet *p)
{
	struct bpf_sock_tuple tuple = {};

	address_store(&p->source, tuple.ipv6.saddr);
	address_store(&p->dest, tuple.ipv6.daddr);
	tuple.ipv6.sport = bpf_htons(p->source_port);
	tuple.ipv6.dport = bpf_htons(p->dest_port);
	return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
}

#endif
