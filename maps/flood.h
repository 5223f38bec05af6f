/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps/flood.h - floods of SYNs: when one is on, and who need not prove himself meanwhile.
 *
 * The connection attempts to each protected port are counted in windows of 2^FLOOD_WINDOW_SHIFT ns,
 * but for those that a limit on their own source or network stops: few sources make no flood.
 * A flood begins as soon as a window has more than `threshold`, and ends after `quiet` windows in a
 * row with at most `release`. While it is on, an attempt from a source that has not completed a
 * handshake lately is answered with a SYN cookie (RFC 4987), for which nothing is remembered.
 */
#ifndef POSTERN_MAPS_FLOOD_H
#define POSTERN_MAPS_FLOOD_H

#include "mix.h"

#define FLOOD_PORTS        64
#define FLOOD_WINDOW_SHIFT 27 /* 134 ms */

/* What a cookie may offer, and what has to be looked at: bits of `cookies`. */
enum {
	COOKIES_ON = 1,         /* the kernel gives out cookies, and listeners accept them */
	COOKIES_TIMESTAMPS = 2, /* time stamps may carry window scale and SACK */
	COOKIES_ROUTED = 4,     /* this host forwards packets: only its own addresses get cookies */
};

struct flood_settings {
	__u32 threshold; /* attempts in a window; 0 is never */
	__u32 release;
	__u32 quiet;   /* windows */
	__u32 batch;   /* attempts that a CPU counts alone before it adds them to the port's */
	__u32 cookies; /* COOKIES_ bits */
	__u32 proof;   /* seconds for which a source that completed a handshake is proved */
	__u16 window;  /* that a cookie offers, in octets */
	__u8 scale;    /* window scale that the listener will use (RFC 7323) */
	__u8 pad[5];
};
ABI_SIZE(struct flood_settings, 32);

/* Map "flood": a port's state, one cache line. Each CPU adds to it once a batch. */
struct flood_port {
	__u64 window; /* number of the window that `count` belongs to */
	__u64 since;  /* ns of CLOCK_MONOTONIC: when the last flood began or ended */
	__u32 count;  /* attempts */
	__u32 last;   /* attempts in the window before */
	__u32 active; /* not 0: a flood is on */
	__u32 quiet;  /* windows in a row that were quiet */
	__u32 floods; /* that began since the map was made */
	__u32 peak;   /* attempts in the fullest window of the last flood */
	__u8 pad[CACHE_LINE - 40];
};
ABI_SIZE(struct flood_port, CACHE_LINE);

/* Map "flood_cpu", per CPU: attempts to a port that are not in its `count` yet. */
struct flood_cpu {
	__u64 window;
	__u32 pending;
	__u32 pad;
};
ABI_SIZE(struct flood_cpu, 16);

/*
 * Map "proved": sources that completed a handshake with a protected port. A key belongs to one line
 * and may sit in any of its cells; in a full line the one that runs out first gives way. IPv6
 * sources are known by their /64.
 */
#define PROVED_LINES (1u << 14)
#define PROVED_WAYS  8

struct proved_cell {
	__u32 tag;   /* 0 is an empty cell */
	__u32 until; /* in units of 2^30 ns of CLOCK_MONOTONIC */
};
#define PROVED_SHIFT 30

struct proved_line {
	struct proved_cell cell[PROVED_WAYS];
};
ABI_SIZE(struct proved_line, CACHE_LINE);

#endif
