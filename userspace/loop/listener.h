/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/listener.h - listening sockets: made by root, one for each worker, and used by their loops.
 *
 * The PROXY protocol (version 1 and 2) is taken from listed load balancers only: from them it must
 * come, within LISTENER_PROXY_MS, before anything is said; from all others nothing of the kind is
 * looked for.
 */
#ifndef POSTERN_LOOP_LISTENER_H
#define POSTERN_LOOP_LISTENER_H

#include "lib/addr.h"
#include "loop/stream.h"

#define LISTENER_BACKLOG    4096
#define LISTENER_PROXY_MS   5000
#define LISTENER_ACCEPT_MAX 64  /* connections that are taken in one turn of the loop */
#define LISTENER_PAUSE_MS   100 /* without accepting when descriptors or memory are short */

/*
 * Binds, without listening yet. Needs privileges for low ports. `fd` gets `count` sockets; with
 * port 0 all of them get the same one.
 */
int listener_bind(const struct addr *addr, uint16_t port, unsigned int count, int *fd,
		  struct error *err);

struct listener;

struct listener_options {
	uv_loop_t *loop;
	int fd;                        /* taken over, also when opening fails */
	const struct prefix *balancer; /* who sends the PROXY header; borrowed */
	size_t balancers;
	/*
	 * A connection: the stream has no owner yet and must be given one, or be closed. `peer` and
	 * `local` are those of the PROXY header if there was one. NULL stream: it could not be
	 * taken, because descriptors or memory are short; it is tried again after a pause.
	 */
	void (*accepted)(struct stream *stream, const struct addr *peer, uint16_t peer_port,
			 const struct addr *local, uint16_t local_port, void *arg);
	/*
	 * A connection of a balancer was ended because no PROXY header came, or none that is right;
	 * `why` is a constant. One that ends before it has said anything is a check of the
	 * balancer's, and not told of. NULL: nobody wants to know.
	 */
	void (*unnamed)(const struct addr *from, const char *why, void *arg);
	void *arg;
};
int listener_open(const struct listener_options *options, struct listener **out, struct error *err);
/*
 * Accepts no more; connections that wait for their PROXY header are ended. Nulls the pointer; NULL
 * is allowed.
 */
void listener_close(struct listener **listener);

#endif
