/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/siphash.h - SipHash-2-4: the hash of tables whose keys strangers choose.
 *
 * With a random key nobody outside can find texts that fall into one bucket.
 */
#ifndef POSTERN_LIB_SIPHASH_H
#define POSTERN_LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t half[2];
};

/* A key from the kernel. Never fails: where there is no randomness yet it waits. */
struct siphash_key siphash_random_key(void);

uint64_t siphash(const struct siphash_key *key, const void *data, size_t size);

#endif
