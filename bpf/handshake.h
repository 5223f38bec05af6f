/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/handshake.h - handshakes that must not complete, because their source is at a limit of
 * connections.
 *
 * The limits are asked at the SYN (bpf/limit.h), but a connection counts from the end of its
 * handshake. In between a source could gather any number: by holding its ACKs back, or by SYN
 * cookies, which are given out in a flood before the limits are asked. So while some counter has
 * reached its limit lately (`full_until`, set by the connection counter), an ACK that would turn a
 * request or a cookie into a connection is stopped if its source is at its limit then. The client
 * thinks that it is connected, sends its ACK again with its data, and gets in once another of its
 * connections ends, if its request is still there.
 *
 * Of connections that exist nothing is stopped, whatever the counters say. How exact it is: ACKs
 * that one CPU has let pass, and the stack has not seen yet, do not count, so a source may exceed
 * its limit by as many as the driver hands over at a time.
 */
#ifndef POSTERN_BPF_HANDSHAKE_H
#define POSTERN_BPF_HANDSHAKE_H

#include "bpf/limit.h"
#include "bpf/socket.h"

/* Whether some counter has reached its limit within the life of a request or a cookie. */
STAGE int handshakes_count(const struct settings *s)
{
	return s->full_until && s->full_until > bpf_ktime_get_coarse_ns() >> PROVED_SHIFT;
}

STAGE int acknowledges(const struct packet *p)
{
	return (p->flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK;
}

/* The reason why the source may open no connection now, or 0. Only loads. */
STAGE_APART int connections_over(const struct packet *p)
{
	const struct settings *s = settings_get();
	const struct meter_cell *cell;
	__u32 place, reason = 0;

	if (!s || !p)
		return 0;
	for (__u32 level = METER_SOURCE; level < METER_LEVELS && !reason; level++) {
		if (!s->limit[level].conns || !level_limited(s, p, level))
			continue;
		place = level == METER_TOTAL
				? 0
				: cell_place(cell_hash(s, &p->source, p->family, level), 0, 0);
		cell = cell_at(level, place);
		if (cell && cell_is_full(&s->limit[level], cell))
			reason = REASON_CONN_SOURCE + level;
	}
	return reason;
}

/* Whether the segment reaches no connection but a listener, or what a listener keeps until the
 * handshake is complete. */
STAGE_APART int opens_connection(struct xdp_md *ctx, const struct packet *p)
{
	struct bpf_sock *sk;
	__u32 state;

	if (!p)
		return 0;
	sk = p->family == FAMILY_IPV6 ? socket_ipv6(ctx, p) : socket_ipv4(ctx, p);
	if (!sk)
		return 0;
	state = sk->state;
	bpf_sk_release(sk);
	return state == STATE_LISTEN || state == STATE_NEW_SYN_RECV || state == STATE_SYN_RECV;
}

#endif
