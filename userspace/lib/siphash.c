/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/siphash.c - see lib/siphash.h. After Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF"; tests/unit/test_dns_cache.c has their test vector.
 */
#include "lib/siphash.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>

static uint64_t rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

/* The state, by value, so that it stays in registers. */
struct state {
	uint64_t a, b, c, d;
};

static inline struct state round_of(struct state v)
{
	v.a += v.b;
	v.c += v.d;
	v.b = rotate(v.b, 13) ^ v.a;
	v.d = rotate(v.d, 16) ^ v.c;
	v.a = rotate(v.a, 32);
	v.c += v.b;
	v.a += v.d;
	v.b = rotate(v.b, 17) ^ v.c;
	v.d = rotate(v.d, 21) ^ v.a;
	v.c = rotate(v.c, 32);
	return v;
}

static inline struct state absorb(struct state v, uint64_t word)
{
	v.d ^= word;
	v = round_of(round_of(v));
	v.a ^= word;
	return v;
}

/* The octets that are left, at most seven, the first one lowest. */
static inline uint64_t last_octets(const uint8_t *at, size_t size)
{
	uint64_t last = 0;

	for (size_t i = 0; i < size; i++)
		last |= (uint64_t)at[i] << 8 * i;
	return last;
}

uint64_t siphash(const struct siphash_key *key, const void *data, size_t size)
{
	struct state v = { key->half[0] ^ 0x736f6d6570736575ull,
			   key->half[1] ^ 0x646f72616e646f6dull,
			   key->half[0] ^ 0x6c7967656e657261ull,
			   key->half[1] ^ 0x7465646279746573ull };
	const uint8_t *at = data;
	size_t left = size;
	uint64_t word;

	for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		v = absorb(v, le64toh(word));
	}
	v = absorb(v, (uint64_t)size << 56 | last_octets(at, left));
	v.c ^= 0xff;
	v = round_of(round_of(round_of(round_of(v))));
	return v.a ^ v.b ^ v.c ^ v.d;
}

struct siphash_key siphash_random_key(void)
{
	struct siphash_key key;

	while (getrandom(&key, sizeof(key), 0) != sizeof(key))
		continue;
	return key;
}
