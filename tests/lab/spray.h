/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/lab/spray.h - what tests/lab/spray.c tells its program, and what that counts.
 */
#ifndef POSTERN_TESTS_LAB_SPRAY_H
#define POSTERN_TESTS_LAB_SPRAY_H

#include <linux/types.h>

struct spray_orders {
	__u32 ifindex;
	__u32 sources;
	__u64 interval_ns; /* between two frames; 0 as fast as they go */
};

struct spray_counts {
	__u64 sent, first_ns, last_ns;
	__u64 turn; /* of the sources */
};

#endif
