/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/lab/syn.h - TCP SYN frames for the lab's generators, and the packet socket that sends them.
 *
 * The generators refuse to run in the network namespace of process 1: what they send must stay in
 * the namespaces that a test made.
 */
#ifndef POSTERN_TESTS_LAB_SYN_H
#define POSTERN_TESTS_LAB_SYN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

#define SYN_FRAME_MAX 78 /* Ethernet, IPv6 and TCP, rounded up */

struct syn_link {
	int fd;
	int ifindex;
	uint8_t own[6];
	uint8_t peer[6]; /* Ethernet address of the gateway */
};

/* Opens a packet socket on `iface` for frames to `peer` ("02:..."). Ends the program on errors. */
void syn_open(struct syn_link *link, const char *iface, const char *peer);

/* Writes a SYN; returns its length. */
size_t syn_build(const struct syn_link *link, const struct addr *source, uint16_t source_port,
		 const struct addr *dest, uint16_t dest_port, uint32_t sequence,
		 uint8_t frame[SYN_FRAME_MAX]);

/*
 * Sends one frame; returns whether the kernel took it. A queue that is full for a moment, as on a
 * busy machine, has not: it is asked again, for a second.
 */
bool syn_send(const struct syn_link *link, const uint8_t *frame, size_t length);

double syn_seconds(void); /* of CLOCK_MONOTONIC */
void __attribute__((noreturn, format(printf, 1, 2))) syn_fail(const char *format, ...);
struct addr syn_addr(const char *text);

#endif
