/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/abi.h - the version of the contract between the XDP program and the agent.
 *
 * Everything in maps/ is compiled by both sides. A change to the size, the layout or the meaning of
 * anything in this directory raises POSTERN_ABI_VERSION; the agent then replaces what an older
 * version has pinned and never reuses it.
 *
 * All integers are in host byte order unless a name or a comment says otherwise.
 */
#ifndef POSTERN_MAPS_ABI_H
#define POSTERN_MAPS_ABI_H

#include <linux/types.h>

#define POSTERN_ABI_VERSION 3u
#define POSTERN_ABI_MAGIC   0x504f5354u /* "POST" */

/* Every structure of the contract states its size, so that both compilers must agree on it. */
#define ABI_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "ABI: size of " #type)
#define ABI_OFFSET(type, member, bytes)                                                            \
	_Static_assert(__builtin_offsetof(type, member) == (bytes),                                \
		       "ABI: offset of " #type "." #member)

#define CACHE_LINE 64

/* The sizes that the agent chooses at load, as powers of two where they say bits. */
struct geometry {
	__u32 bucket4_bits; /* see maps/table.h */
	__u32 bucket6_bits;
	__u32 filter6_bits;
	__u32 page_lines;
	__u32 meter_bits; /* see maps/meter.h */
};
ABI_SIZE(struct geometry, 20);

/* The one element of the map "identity": what a restarted agent compares before it adopts pins. */
struct identity {
	__u32 magic;       /* POSTERN_ABI_MAGIC */
	__u32 abi_version; /* POSTERN_ABI_VERSION of the agent that filled the maps */
	struct geometry geometry;
	__u32 pad;
};
ABI_SIZE(struct identity, 32);

#endif
