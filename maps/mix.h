/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/mix.h - the mixing function under every hash that both sides compute.
 */
#ifndef POSTERN_MAPS_MIX_H
#define POSTERN_MAPS_MIX_H

#include "abi.h"

/* Mixes 64 bits so that every output bit depends on every input bit (Stafford's variant 13). */
static inline __u64 mix64(__u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

#endif
