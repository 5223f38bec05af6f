/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/ring.h - the reading end of a ring buffer of the program's, for the other files of the gate.
 *
 * One thread reads; each read has a bound, and what more there is waits for the next one.
 */
#ifndef POSTERN_GATE_RING_H
#define POSTERN_GATE_RING_H

#include <stddef.h>

#include "lib/error.h"

struct ring_buffer;

/* `record` is valid during the callback only. */
typedef void (*gate_ring_cb)(const void *record, void *arg);

struct gate_ring {
	struct ring_buffer *buffer; /* NULL: closed */
	size_t size;                /* bytes of a record: what is shorter is left out */
	/* While ring_read() runs: */
	gate_ring_cb cb;
	void *arg;
	int left; /* that it may still read */
};

/* `fd` is the map's and stays the caller's; `what` is read, for the message. */
int ring_open(struct gate_ring *ring, int fd, size_t size, const char *what, struct error *err);
/* One that is not open is allowed. */
void ring_close(struct gate_ring *ring);
/* Readable when there is something to read. */
int ring_fd(const struct gate_ring *ring);
/* Calls back for each record, `most` at most; returns how many. */
int ring_read(struct gate_ring *ring, int most, gate_ring_cb cb, void *arg);

#endif
