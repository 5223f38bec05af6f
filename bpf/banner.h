/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/banner.h - the words for a refused client: its list's text, its address (RFC 5952) and the
 * lookup id, written into `scratch`.
 *
 * `at` is where the next character goes. It is masked after each piece, so that the verifier knows
 * it to be in bounds whichever way it came to be.
 */
#ifndef POSTERN_BPF_BANNER_H
#define POSTERN_BPF_BANNER_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/reply.h"

#define SCRATCH_MASK (SCRATCH_BYTES - 1)
#define ID_DIGITS    13 /* of 5 bits: see lib/lookup.h */
#define GROUPS       8  /* of 16 bits in an IPv6 address */

/* Computed, because the linker of BPF objects loses the place of a table of characters. */
STAGE char hex_digit(__u32 value)
{
	return '0' + value + (value > 9) * ('a' - '9' - 1);
}

/* Crockford's alphabet: no I, L, O and U. */
STAGE char id_digit(__u32 value)
{
	return '0' + value + (value > 9) * ('A' - '9' - 1) + (value > 17) + (value > 19) +
	       (value > 21) + (value > 26);
}

STAGE __u32 text_put(struct scratch *t, __u32 at, char c)
{
	t->text[at & SCRATCH_MASK] = c;
	return (at + 1) & SCRATCH_MASK;
}

#define TEXT_PUT_ALL(t, at, words)                                                                 \
	({                                                                                         \
		static const char all[] = words;                                                   \
		__u32 next = at;                                                                   \
		for (__u32 i = 0; i < sizeof(all) - 1; i++)                                        \
			next = text_put(t, next, all[i]);                                          \
		next;                                                                              \
	})

/* Unrolled: clang would lay the loop out so that its head is fallen into from below, which
 * Linux 6.1 takes no program for. */
STAGE_APART int text_ipv4(struct scratch *t, __u32 at, __u32 addr)
{
	__u32 octet;

	if (!t)
		return 0;
#pragma clang loop unroll(full)
	for (int shift = 24; shift >= 0; shift -= 8) {
		octet = addr >> shift & 0xff;
		if (octet >= 100)
			at = text_put(t, at, '0' + octet / 100);
		if (octet >= 10)
			at = text_put(t, at, '0' + octet / 10 % 10);
		at = text_put(t, at, '0' + octet % 10);
		if (shift)
			at = text_put(t, at, '.');
	}
	return at;
}

STAGE __u32 address_group(const struct address *a, __u32 i)
{
	return (i < GROUPS / 2 ? a->high : a->low) >> (48 - 16 * (i % (GROUPS / 2))) & 0xffff;
}

/* The first of the longest runs of zero groups, if it is longer than one: start << 8 | end. */
STAGE_APART int zero_run(const struct address *a)
{
	__u32 run = 0, longest = 1, found = GROUPS << 8 | GROUPS;

	if (!a)
		return 0;
	for (__u32 i = 0; i < GROUPS; i++) {
		run = address_group(a, i) ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			found = (i + 1 - run) << 8 | (i + 1);
		}
	}
	return found;
}

STAGE_APART int text_group(struct scratch *t, __u32 at, __u32 group)
{
	__u32 digits = 1;

	if (!t)
		return 0;
	digits += (group > 0xf) + (group > 0xff) + (group > 0xfff);
	for (__u32 i = 4; i > 0; i--)
		if (i <= digits)
			at = text_put(t, at, hex_digit(group >> (i - 1) * 4 & 0xf));
	return at;
}

STAGE_APART int text_ipv6(struct scratch *t, __u32 at, const struct address *a)
{
	__u32 run, start, end;

	if (!t || !a)
		return 0;
	run = zero_run(a);
	start = run >> 8;
	end = run & 0xff;
	for (__u32 i = 0; i < GROUPS; i++) {
		if (i > start && i < end)
			continue;
		if (i == start || i)
			at = text_put(t, at, ':');
		if (i != start)
			at = text_group(t, at, address_group(a, i));
	}
	/* The loop has left the colon after a run to the group that follows: here none does. */
	return start < GROUPS && end == GROUPS ? text_put(t, at, ':') : at;
}

STAGE_APART int text_id(struct scratch *t, __u32 at, __u64 id)
{
	if (!t)
		return 0;
	for (int i = ID_DIGITS - 1; i >= 0; i--)
		at = text_put(t, at, id_digit(id >> i * 5 & 31));
	return at;
}

/* What the operator says, or our own words if he has said nothing. */
STAGE __u32 text_reason(struct scratch *t, __u32 slot)
{
	const struct refusal *r = bpf_map_lookup_elem(&refusal, &slot);
	__u32 length;

	if (!r)
		return TEXT_PUT_ALL(t, 0, "554 5.7.1 refused");
	length = r->length;
	if (!length || length > REFUSAL_TEXT_MAX)
		return TEXT_PUT_ALL(t, 0, "554 5.7.1 refused");
	__builtin_memcpy(t->text, r->text, REFUSAL_TEXT_MAX);
	return length;
}

/* Writes the reply, and its length and sum into `r`; returns 1, or 0 if it cannot. */
STAGE_APART int banner_write(const struct packet *p, struct reply *r, __u64 id)
{
	const __u32 zero = 0;
	struct scratch *t = bpf_map_lookup_elem(&scratch, &zero);
	__u32 at, after, bytes;

	if (!p || !r || !t)
		return 0;
	at = text_reason(t, class_slot(p->list_class));
	at = TEXT_PUT_ALL(t, at, "; client [");
	if (p->family == FAMILY_IPV4)
		at = text_ipv4(t, at, (__u32)p->source.low);
	else
		at = text_ipv6(t, at, &p->source);
	at = TEXT_PUT_ALL(t, at, "]; id ");
	at = text_id(t, at, id);
	at = TEXT_PUT_ALL(t, at, "\r\n");
	after = at;
	for (int i = 0; i < 4; i++) /* the sum is one of whole words */
		after = text_put(t, after, 0);
	r->text_length = at;
	bytes = at & ~3u;
	barrier_var(bytes); /* or it becomes a number that the verifier thinks too large */
	r->text_sum = bpf_csum_diff(NULL, 0, (void *)t->text, bytes + 4, 0);
	return 1;
}

#endif
