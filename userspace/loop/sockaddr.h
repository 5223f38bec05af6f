/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/sockaddr.h - addresses as the kernel's sockets have them, and as struct addr.
 */
#ifndef POSTERN_LOOP_SOCKADDR_H
#define POSTERN_LOOP_SOCKADDR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "lib/addr.h"

/* Addresses of other families than IPv4 and IPv6 become :: and port 0. */
void sockaddr_read(const struct sockaddr_storage *from, struct addr *addr, uint16_t *port);
/* IPv4 is written as such. Returns the length. */
socklen_t sockaddr_write(const struct addr *addr, uint16_t port, struct sockaddr_storage *out);

#endif
