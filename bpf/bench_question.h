/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/bench_question.h - a whole new question for every packet of a test run, for programs that
 * turn the frame into an answer: see tools/bench_packets_answers.c.
 *
 * An answer moves the frame's end, or its start, and writes over the rest. So each round moves back
 * what was moved, and copies the question from `question` before it takes the next source (see
 * bpf/bench_round.h). What that costs is measured alone; moving back what was not moved costs
 * nothing, so the figure of an answer holds one helper call of the benchmark's own.
 *
 * A segment that follows our SYN-ACK has to acknowledge it: bench_learn is run once over all
 * sources and leaves what each has to say in `acknowledged`.
 */
#ifndef POSTERN_BPF_BENCH_QUESTION_H
#define POSTERN_BPF_BENCH_QUESTION_H

#include "bpf/bench_round.h"
#include "bpf/gate.h"
#include "bpf/hold.h"
#include "bpf/parse.h"

#define QUESTION_MAX 96
#define SYN_HEADER   40 /* of TCP, with the options that the benchmark's SYN has */

/* Everything behind the first two bytes is copied in words of 8: then every field is in one. */
struct question {
	__u8 pad[6];
	__u8 byte[QUESTION_MAX + 2];
	__u32 length;       /* 2 more than a multiple of 4 */
	__u32 acknowledges; /* not 0: each source says what it has got from us */
	__u32 pad2[4];
};

MAPPED_ARRAY(question, struct question, 1);
MAPPED_ARRAY(acknowledged, __u32, SOURCES);

STAGE int move_back(struct xdp_md *ctx, __u32 length)
{
	void *const start = (void *)(long)ctx->data;
	__u64 size = (void *)(long)ctx->data_end - start;
	int moved;

	barrier_var(size); /* or pointers are subtracted from numbers */
	moved = (int)size - (int)length;
	if (!moved)
		return 0;
	return moved > 0 ? bpf_xdp_adjust_head(ctx, moved) : bpf_xdp_adjust_tail(ctx, -moved);
}

STAGE int copy_question(struct xdp_md *ctx, const struct question *q)
{
	__u8 *frame = (void *)(long)ctx->data;
	__u8 *const end = (void *)(long)ctx->data_end;

	if (frame + 54 > end)
		return -1;
	*(__u16 *)frame = *(const __u16 *)q->byte;
	for (int at = 2; at + 8 <= QUESTION_MAX; at += 8) {
		if (frame + at + 8 > end) {
			if (frame + at + 4 <= end)
				*(__u32 *)(frame + at) = *(const __u32 *)(q->byte + at);
			break;
		}
		*(__u64 *)(frame + at) = *(const __u64 *)(q->byte + at);
	}
	return 0;
}

STAGE void write_acknowledged(struct xdp_md *ctx, __u32 index)
{
	__u8 *frame = (void *)(long)ctx->data;
	const __u32 *number = bpf_map_lookup_elem(&acknowledged, &index);
	const __u32 at = frame[13] == 0xdd ? 54 + 8 : 34 + 8;

	if (number && (void *)(frame + at + 4) <= (void *)(long)ctx->data_end)
		*(__u32 *)(frame + at) = bpf_htonl(*number);
}

/* The question of this round; returns its source, or NULL. */
STAGE const struct source *next_question(struct xdp_md *ctx, int serial)
{
	const __u32 zero = 0;
	const struct question *q = bpf_map_lookup_elem(&question, &zero);
	const struct source *source;
	struct turn *turn_now;

	if (!q || move_back(ctx, q->length) || copy_question(ctx, q))
		return NULL;
	source = next_source(ctx, serial);
	turn_now = turn_get();
	if (!source || !turn_now)
		return NULL;
	if (q->acknowledges && (void *)(long)ctx->data + 54 <= (void *)(long)ctx->data_end)
		write_acknowledged(ctx, (turn_now->count - 1) & (SOURCES - 1));
	return source;
}

/* Cuts the frame by what a SYN-ACK without options falls short of a SYN with 20 bytes of them. */
STAGE int cut(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_tail(ctx, -20) ? XDP_ABORTED : XDP_TX;
}

/* What the source of this round has to acknowledge: the hash, and in the tarpit more. */
STAGE int learn(struct xdp_md *ctx)
{
	const struct settings *s = settings_get();
	struct turn *turn_now = turn_get();
	struct packet p = {};
	__u32 *number, index;

	if (!s || !turn_now || parse(ctx, &p) != UNDECIDED)
		return XDP_ABORTED;
	find_list(s, &p);
	index = (turn_now->count - 1) & (SOURCES - 1);
	number = bpf_map_lookup_elem(&acknowledged, &index);
	if (!number)
		return XDP_ABORTED;
	*number = hold_hash(&p, hold_epoch(&p)) + 1;
	return XDP_PASS;
}

/* What the kernel's own cookie costs, by each of the two ways to have it; IPv4 only. */
STAGE int raw_cookie(struct xdp_md *ctx)
{
	struct iphdr *ip = (void *)(long)ctx->data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);

	if ((void *)tcp + SYN_HEADER > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	return bpf_tcp_raw_gen_syncookie_ipv4(ip, tcp, SYN_HEADER) < 0 ? XDP_ABORTED : XDP_DROP;
}

STAGE int socket_cookie(struct xdp_md *ctx)
{
	struct iphdr *ip = (void *)(long)ctx->data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *listener;
	__s64 cookie;

	if ((void *)tcp + SYN_HEADER > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	tuple.ipv4.saddr = ip->saddr;
	tuple.ipv4.daddr = ip->daddr;
	tuple.ipv4.sport = tcp->source;
	tuple.ipv4.dport = tcp->dest;
	listener = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!listener)
		return XDP_ABORTED;
	cookie = bpf_tcp_gen_syncookie(listener, ip, sizeof(*ip), tcp, SYN_HEADER);
	bpf_sk_release(listener);
	return cookie < 0 ? XDP_ABORTED : XDP_DROP;
}

/* As ROUNDS() for one program, with a whole new question. */
#define QUESTION(name, verdict)                                                                    \
	SEC("xdp")                                                                                 \
	int name(struct xdp_md *ctx)                                                               \
	{                                                                                          \
		const struct source *source = next_question(ctx, 1);                               \
                                                                                                   \
		return source ? (int)(verdict) : XDP_ABORTED;                                      \
	}

#endif
