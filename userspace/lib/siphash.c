/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/siphash.c - see lib/siphash.h. After Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF"; tests/unit/test_dns_cache.c has their test vector.
 */
#include "lib/siphash.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>

#define ROUNDS_INPUT 2
#define ROUNDS_END   4

static uint64_t rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t v[4], int count)
{
	while (count--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, ROUNDS_INPUT);
	v[0] ^= word;
}

uint64_t siphash(const struct siphash_key *key, const void *data, size_t size)
{
	uint64_t v[4] = { key->half[0] ^ 0x736f6d6570736575ull,
			  key->half[1] ^ 0x646f72616e646f6dull,
			  key->half[0] ^ 0x6c7967656e657261ull,
			  key->half[1] ^ 0x7465646279746573ull };
	const uint8_t *at = data, *end = at + size;
	uint64_t word, last = 0;

	for (; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		absorb(v, le64toh(word));
	}
	for (unsigned int shift = 0; at < end; shift += 8)
		last |= (uint64_t)*at++ << shift;
	absorb(v, (uint64_t)size << 56 | last);
	v[2] ^= 0xff;
	rounds(v, ROUNDS_END);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct siphash_key siphash_random_key(void)
{
	struct siphash_key key;

	while (getrandom(&key, sizeof(key), 0) != sizeof(key))
		continue;
	return key;
}
