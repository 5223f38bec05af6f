/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/ring.c - see gate/ring.h.
 */
#include "gate/ring.h"

#include <errno.h>

#include <bpf/libbpf.h>

static int deliver(void *context, void *data, size_t size)
{
	struct gate_ring *ring = context;

	if (size >= ring->size && ring->cb)
		ring->cb(data, ring->arg);
	return --ring->left > 0 ? 0 : -EAGAIN;
}

int ring_open(struct gate_ring *ring, int fd, size_t size, const char *what, struct error *err)
{
	ring->size = size;
	ring->buffer = ring_buffer__new(fd, deliver, ring, NULL);
	return ring->buffer ? 0 : error_errno(err, ERROR_REFUSED, errno, "cannot read %s", what);
}

void ring_close(struct gate_ring *ring)
{
	ring_buffer__free(ring->buffer);
	ring->buffer = NULL;
}

int ring_fd(const struct gate_ring *ring)
{
	return ring_buffer__epoll_fd(ring->buffer);
}

int ring_read(struct gate_ring *ring, int most, gate_ring_cb cb, void *arg)
{
	ring->cb = cb;
	ring->arg = arg;
	ring->left = most;
	ring_buffer__consume(ring->buffer);
	ring->cb = NULL;
	return most - ring->left;
}
