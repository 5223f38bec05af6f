// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf/gate_conn.bpf.c - counts the connections that sources hold, where the kernel knows it: at the
 * state changes of the sockets themselves.
 *
 * A connection counts from SYN_RECV -> ESTABLISHED (so only those that the other side opened) to
 * CLOSE, on protected ports of the agent's network namespace. The socket itself remembers at which
 * levels it was counted, so nothing is counted twice or taken back without having been counted: not
 * when the agent restarts, nor when the walk over the sockets that exist at start (`seed`) meets
 * the tracepoint.
 *
 * The structures below name only the members that are read; libbpf finds their offsets in the
 * running kernel's type information.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>

#include "bpf/cell.h"
#include "bpf/learned.h"
#include "bpf/lookup.h"
#include "bpf/maps.h"
#include "bpf/newcomer.h"
#include "bpf/proved.h"
#include "bpf/socket.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common {
	unsigned int inum;
};
struct net {
	struct ns_common ns;
};
typedef struct {
	struct net *net;
} possible_net_t;
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct {
		union {
			__be32 u6_addr32[4];
		} in6_u;
	} skc_v6_daddr;
	struct {
		union {
			__be32 u6_addr32[4];
		} in6_u;
	} skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
};
struct tcp_sock;
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};
#pragma clang attribute pop

/* What a socket remembers: bit n is set if the meter of level n was raised for it. */
struct counted {
	__u32 levels;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct counted);
} counted SEC(".maps");

STAGE void address_load4(struct address *a, __be32 from)
{
	a->high = 0;
	a->low = 0xffff00000000ull | bpf_ntohl(from);
}

STAGE void address_load6(struct address *a, const __be32 *word)
{
	a->high = (__u64)bpf_ntohl(word[0]) << 32 | bpf_ntohl(word[1]);
	a->low = (__u64)bpf_ntohl(word[2]) << 32 | bpf_ntohl(word[3]);
}

/* The peer of a socket; an IPv4 peer of an IPv6 socket is ::ffff:a.b.c.d already. */
STAGE __u32 peer_address(struct sock_common *sk, struct address *a)
{
	if (sk->skc_family == SOCKET_IPV4) {
		address_load4(a, sk->skc_daddr);
		return FAMILY_IPV4;
	}
	address_load6(a, sk->skc_v6_daddr.in6_u.u6_addr32);
	return a->high == 0 && a->low >> 32 == 0xffff ? FAMILY_IPV4 : FAMILY_IPV6;
}

STAGE void local_address(struct sock_common *sk, struct address *a)
{
	if (sk->skc_family == SOCKET_IPV4)
		address_load4(a, sk->skc_rcv_saddr);
	else
		address_load6(a, sk->skc_v6_rcv_saddr.in6_u.u6_addr32);
}

STAGE int concerns_us(struct sock_common *sk)
{
	const struct settings *s = settings_get();

	if (!s || (sk->skc_family != SOCKET_IPV4 && sk->skc_family != SOCKET_IPV6))
		return 0;
	return sk->skc_net.net->ns.inum == s->netns && port_is_protected(s, sk->skc_num);
}

/* A counter has reached its limit: see bpf/handshake.h. Written when the time moves only. */
STAGE void note_full(__u64 now)
{
	const __u32 zero = 0, until = handshakes_end(now);
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);

	if (s && s->full_until != until)
		s->full_until = until;
}

/* Adds `delta` (1 or -1) at one level; returns the level's bit if 1 was added. */
STAGE_APART int count_level(const struct address *a, __u32 family, __u32 level, int delta)
{
	const struct settings *s = settings_get();
	const __u64 now = bpf_ktime_get_ns();
	__u32 place = 0;
	struct meter_cell *cell;

	if (!a || !s || level >= METER_LEVELS || (level == METER_SITE && family == FAMILY_IPV4))
		return 0;
	if (level < METER_TOTAL)
		place = cell_place(cell_hash(s, a, family, level), now, delta > 0);
	cell = cell_at(level, place);
	if (!cell)
		return 0;
	if (delta < 0) {
		cell_count_out(cell);
		return 0;
	}
	if (!cell_count_in(cell))
		return 0;
	if (cell_is_full(&s->limit[level], cell))
		note_full(now);
	return 1 << level;
}

/* Returns whether it was not counted before. */
STAGE int count_in(struct sock_common *sk, struct counted *mark)
{
	struct address a;
	const __u32 family = peer_address(sk, &a);

	if (mark->levels)
		return 0;
	for (__u32 level = METER_SOURCE; level < METER_LEVELS; level++)
		mark->levels |= count_level(&a, family, level, 1);
	return 1;
}

STAGE void count_out(struct sock_common *sk, struct counted *mark)
{
	const __u32 levels = mark->levels;
	struct address a;
	const __u32 family = peer_address(sk, &a);

	mark->levels = 0;
	for (__u32 level = METER_SOURCE; level < METER_LEVELS; level++)
		if (levels >> level & 1)
			count_level(&a, family, level, -1);
}

/* The peer has completed a handshake, so the address is its own. */
STAGE void prove_peer(struct sock_common *sk)
{
	const struct settings *s = settings_get();
	struct address a;
	const __u32 family = peer_address(sk, &a);

	if (s)
		prove(s, &a, family, bpf_ktime_get_ns());
}

/* Tells about the peer if no list decides about it and nothing was learned: bpf/gate.h does the
 * same at its SYN. */
STAGE void introduce_peer(struct sock_common *sk)
{
	const struct settings *s = settings_get();
	struct packet p = {};

	if (!s || !s->evidence.on)
		return;
	p.now = bpf_ktime_get_ns();
	p.family = peer_address(sk, &p.source);
	if (!(find_list(s, &p) & LIST_MONITOR) && p.list_class != CLASS_NONE)
		return;
	if (learned_find(&p.source, p.family, p.now))
		return;
	local_address(sk, &p.dest);
	p.dest_port = sk->skc_num;
	newcomer_tell(&p, NEWCOMER_COMPLETED);
}

STAGE void on_state(struct sock *sk, int old_state, int new_state)
{
	struct counted *mark;

	if (new_state == STATE_CLOSE) {
		mark = bpf_sk_storage_get(&counted, sk, NULL, 0);
		if (mark)
			count_out(&sk->__sk_common, mark);
	} else if (old_state == STATE_SYN_RECV && new_state == STATE_ESTABLISHED &&
		   concerns_us(&sk->__sk_common)) {
		prove_peer(&sk->__sk_common);
		mark = bpf_sk_storage_get(&counted, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
		if (mark && count_in(&sk->__sk_common, mark))
			introduce_peer(&sk->__sk_common);
	}
}

/*
 * Twice the same, because the kernel does not run a program that is running on the CPU already:
 * when a packet changes one socket's state in the middle of a process changing another's, the first
 * program misses it and the second does not. What both see is counted once: the socket remembers.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(postern_conn, struct sock *sk, int old_state, int new_state)
{
	(void)ctx;
	on_state(sk, old_state, new_state);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(postern_conn_too, struct sock *sk, int old_state, int new_state)
{
	(void)ctx;
	on_state(sk, old_state, new_state);
	return 0;
}

STAGE int is_open(unsigned char state)
{
	return state != STATE_SYN_SENT && state != STATE_SYN_RECV && state != STATE_TIME_WAIT &&
	       state != STATE_CLOSE && state != STATE_LISTEN && state != STATE_NEW_SYN_RECV;
}

/* Run once at start over the sockets that exist: the kernel holds each one's lock meanwhile. */
SEC("iter/tcp")
int postern_seed(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct counted *mark;
	struct tcp_sock *sk;

	if (!common || !is_open(common->skc_state) || !concerns_us(common))
		return 0;
	sk = bpf_skc_to_tcp_sock(common);
	if (!sk)
		return 0;
	mark = bpf_sk_storage_get(&counted, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (mark)
		count_in(common, mark);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
