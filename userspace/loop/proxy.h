/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/proxy.h - the PROXY protocol, version 1 (text) and 2 (binary): reading and writing its
 * header. Pure functions. (haproxy.org, proxy-protocol.txt, sections 2.1 and 2.2)
 */
#ifndef POSTERN_LOOP_PROXY_H
#define POSTERN_LOOP_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

#define PROXY_HEADER_MAX 536 /* octets that a header may have; a longer one is refused */
#define PROXY_V2_BYTES   52  /* of the header that proxy_write() makes, at most */

enum proxy_result {
	PROXY_MORE,  /* what is there may become a header */
	PROXY_BAD,   /* it cannot */
	PROXY_LOCAL, /* a connection of the balancer's own (health check): its addresses count */
	PROXY_FOUND,
};

struct proxy_addresses {
	struct addr source, dest;
	uint16_t source_port, dest_port;
};

/* `used`: octets of the header, for the last two. */
enum proxy_result proxy_read(const uint8_t *data, size_t size, struct proxy_addresses *out,
			     size_t *used);
/* Writes a version 2 header; returns its length. */
size_t proxy_write(const struct proxy_addresses *addresses, uint8_t out[PROXY_V2_BYTES]);

#endif
