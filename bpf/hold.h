/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/hold.h - connections that the program itself holds, for listed sources whose entry says
 * refuse or tarpit. Nothing is remembered of them: every segment brings what is needed.
 *
 * Refuse: a SYN gets a SYN-ACK; the segment that completes the handshake gets one SMTP reply, 554
 * with the reason, and the end of the connection (PSH, FIN); what the client sends after it is
 * acknowledged. Tarpit: a SYN gets a SYN-ACK that offers no window, so the client may not say a
 * word; what it sends all the same, and its probes, get the same answer for as long as it waits.
 *
 * Our initial sequence number is a keyed hash of addresses, ports and (refuse) time, so that a
 * client that acknowledges it has received it, and nobody else can have guessed it. In the tarpit
 * the client's own initial sequence number is added: later segments then tell it, and with it the
 * probes, which repeat the number before the next one (RFC 9293 3.8.6.1), from the ACK of the
 * handshake. A segment that does not fit is not ours: it passes, and the stack answers it if nobody
 * owns it.
 *
 * A number of refuse is good for a minute or two, and each reply is charged to its source's rate,
 * because the reply is longer than what asks for it.
 *
 * Nothing loops: an answer is never longer than its question, but for the one to a client that has
 * proved its address, and no pure acknowledgement of it is answered.
 */
#ifndef POSTERN_BPF_HOLD_H
#define POSTERN_BPF_HOLD_H

#include "bpf/banner.h"
#include "bpf/limit.h"
#include "bpf/reply.h"
#include "bpf/siphash.h"

#define REFUSE_WINDOW 4096 /* for clients that talk first */

/* The hash part of the sequence number that our SYN-ACK bears. */
STAGE_APART int hold_hash(const struct packet *p, __u32 epoch)
{
	const struct settings *s = settings_get();
	struct siphash h;
	__u32 bytes = 15; /* ports and epoch are what is left over after whole words */

	if (!p || !s)
		return 0;
	siphash_start(&h, s->answer_key);
	if (p->family == FAMILY_IPV6) {
		siphash_word(&h, p->source.high);
		siphash_word(&h, p->source.low);
		siphash_word(&h, p->dest.high);
		siphash_word(&h, p->dest.low);
		bytes = 39;
	} else {
		siphash_word(&h, p->source.low << 32 | (__u32)p->dest.low);
	}
	return siphash_end(
		&h, (__u64)(epoch & 0xffffff) << 32 | (__u32)p->source_port << 16 | p->dest_port,
		bytes);
}

/* The sequence number that the client's next octet has, as far as the segment's acknowledgement of
 * ours tells: in the tarpit. */
STAGE __u32 tarpit_next(const struct packet *p)
{
	return p->acknowledged - p->hold_hash;
}

/* A number that refuse has told is good for one to two minutes: who has had an address once must
 * not have replies sent to it for ever. The tarpit answers nothing that is longer than its
 * question. */
#define REFUSE_EPOCH_SHIFT 36

STAGE __u32 refuse_epoch(void)
{
	return bpf_ktime_get_coarse_ns() >> REFUSE_EPOCH_SHIFT;
}

/* What the number of a SYN-ACK depends on beside addresses and ports. */
STAGE __u32 hold_epoch(const struct packet *p)
{
	return class_action(p->list_class) == ACTION_TARPIT ? 0 : refuse_epoch();
}

STAGE int refuse_owns(struct packet *p, __u32 epoch)
{
	p->hold_hash = hold_hash(p, epoch);
	return p->acknowledged - (p->hold_hash + 1) <= REPLY_TEXT_MAX + 1;
}

/* Whether a later segment belongs to a connection that is held; keeps the hash. */
STAGE int hold_owns(struct packet *p)
{
	const __u32 action = class_action(p->list_class);

	if ((action != ACTION_REFUSE && action != ACTION_TARPIT) || !(p->flags & TCP_ACK))
		return 0;
	if (action == ACTION_REFUSE)
		return refuse_owns(p, refuse_epoch()) || refuse_owns(p, refuse_epoch() - 1);
	p->hold_hash = hold_hash(p, 0);
	return tarpit_next(p) - p->sequence <= 1;
}

STAGE enum xdp_action hold_send(struct xdp_md *ctx, const struct packet *p, const struct reply *r,
				__u32 counted)
{
	if (!reply_send(ctx, p, r)) {
		health_count(HEALTH_ANSWERS_SKIPPED);
		return XDP_DROP;
	}
	health_count(counted);
	return XDP_TX;
}

STAGE_APART int hold_syn(struct xdp_md *ctx, const struct packet *p)
{
	struct reply r = { .flags = TCP_SYN | TCP_ACK };
	int tarpit;

	if (!p)
		return XDP_DROP;
	tarpit = class_action(p->list_class) == ACTION_TARPIT;
	r.sequence = hold_hash(p, hold_epoch(p)) + (tarpit ? p->sequence : 0);
	r.acknowledged = p->sequence + 1;
	r.window = tarpit ? 0 : REFUSE_WINDOW;
	return hold_send(ctx, p, &r, HEALTH_HOLDS_SENT);
}

STAGE enum xdp_action hold_ack(struct xdp_md *ctx, const struct packet *p, __u32 acknowledged,
			       __u32 window)
{
	const struct reply r = {
		.sequence = p->acknowledged,
		.acknowledged = acknowledged,
		.flags = TCP_ACK,
		.window = window,
	};

	return hold_send(ctx, p, &r, HEALTH_HOLDS_SENT);
}

/* A source gets no more replies, and makes no more events, than attempts from it would be let
 * through. */
STAGE_APART int refusal_allowed(const struct packet *p)
{
	const struct settings *s = settings_get();
	const __u64 now = bpf_ktime_get_ns();
	__u64 hash;
	__u32 place;

	if (!s || !p)
		return 0;
	if (!s->limit[METER_SOURCE].interval_ns)
		return 1;
	hash = cell_hash(s, &p->source, p->family, METER_SOURCE);
	place = level_claim(hash, METER_SOURCE, now);
	return level_charge(METER_SOURCE, place, now) == UNDECIDED;
}

/* The 554. Retransmitted, the segment that asks for it gets it again, with another id. */
STAGE enum xdp_action refuse_banner(struct xdp_md *ctx, const struct packet *p)
{
	const __u64 now = bpf_ktime_get_ns();
	struct reply r = {
		.sequence = p->acknowledged,
		.acknowledged = p->sequence + p->segment,
		.flags = TCP_PSH | TCP_FIN | TCP_ACK,
		.window = REFUSE_WINDOW,
	};

	if (!refusal_allowed(p) || !banner_write(p, &r, event_id(now, p->list_class))) {
		health_count(HEALTH_ANSWERS_SKIPPED);
		return XDP_DROP;
	}
	event_send(ctx, p, REASON_LISTED, OUTCOME_ENFORCED, EVENT_TOLD, now);
	return hold_send(ctx, p, &r, HEALTH_REFUSALS_SENT);
}

STAGE enum xdp_action refuse(struct xdp_md *ctx, const struct packet *p)
{
	if (p->acknowledged == p->hold_hash + 1)
		return refuse_banner(ctx, p);
	if (!p->segment)
		return XDP_DROP; /* it has the reply */
	return hold_ack(ctx, p, p->sequence + p->segment, REFUSE_WINDOW);
}

STAGE enum xdp_action tarpit(struct xdp_md *ctx, const struct packet *p)
{
	const __u32 next = tarpit_next(p);

	if (!p->segment && p->sequence == next)
		return XDP_DROP; /* the handshake is complete, and the client waits */
	return hold_ack(ctx, p, next, 0);
}

/* A later segment that hold_owns() has recognised. */
STAGE_APART int hold(struct xdp_md *ctx, const struct packet *p)
{
	if (!p || (p->flags & (TCP_RST | TCP_SYN)))
		return XDP_DROP;
	return class_action(p->list_class) == ACTION_TARPIT ? tarpit(ctx, p) : refuse(ctx, p);
}

#endif
