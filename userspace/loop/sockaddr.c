/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/sockaddr.c - see loop/sockaddr.h.
 */
#include "loop/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

void sockaddr_read(const struct sockaddr_storage *from, struct addr *addr, uint16_t *port)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)from;

	*addr = (struct addr){ { 0 } };
	*port = 0;
	if (from->ss_family == AF_INET) {
		*addr = addr_from_ipv4(ntohl(ipv4->sin_addr.s_addr));
		*port = ntohs(ipv4->sin_port);
	} else if (from->ss_family == AF_INET6) {
		memcpy(addr->byte, &ipv6->sin6_addr, sizeof(addr->byte));
		*port = ntohs(ipv6->sin6_port);
	}
}

socklen_t sockaddr_write(const struct addr *addr, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (addr_is_ipv4(addr)) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		ipv4->sin_addr.s_addr = htonl(addr_ipv4(addr));
		return sizeof(*ipv4);
	}
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(port);
	memcpy(&ipv6->sin6_addr, addr->byte, sizeof(addr->byte));
	return sizeof(*ipv6);
}
