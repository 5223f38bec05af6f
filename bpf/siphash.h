/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/siphash.h - SipHash-2-4 over 64-bit words and what is left over of the last one: a short
 * keyed hash that whoever sees its values cannot continue (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF").
 */
#ifndef POSTERN_BPF_SIPHASH_H
#define POSTERN_BPF_SIPHASH_H

#include "bpf/maps.h"

struct siphash {
	__u64 v0, v1, v2, v3;
};

STAGE __u64 rotate(__u64 x, __u32 bits)
{
	return x << bits | x >> (64 - bits);
}

STAGE void siphash_round(struct siphash *h)
{
	h->v0 += h->v1;
	h->v1 = rotate(h->v1, 13) ^ h->v0;
	h->v0 = rotate(h->v0, 32);
	h->v2 += h->v3;
	h->v3 = rotate(h->v3, 16) ^ h->v2;
	h->v0 += h->v3;
	h->v3 = rotate(h->v3, 21) ^ h->v0;
	h->v2 += h->v1;
	h->v1 = rotate(h->v1, 17) ^ h->v2;
	h->v2 = rotate(h->v2, 32);
}

STAGE void siphash_start(struct siphash *h, const __u64 key[2])
{
	h->v0 = key[0] ^ 0x736f6d6570736575ull;
	h->v1 = key[1] ^ 0x646f72616e646f6dull;
	h->v2 = key[0] ^ 0x6c7967656e657261ull;
	h->v3 = key[1] ^ 0x7465646279746573ull;
}

STAGE void siphash_word(struct siphash *h, __u64 word)
{
	h->v3 ^= word;
	siphash_round(h);
	siphash_round(h);
	h->v0 ^= word;
}

/* Ends a message of `bytes` bytes, the last of which, up to 7 of them, are in `rest`. */
STAGE __u64 siphash_end(struct siphash *h, __u64 rest, __u32 bytes)
{
	siphash_word(h, (__u64)bytes << 56 | rest);
	h->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		siphash_round(h);
	return h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
}

#endif
