/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/own.c - see session/own.h.
 */
#include "session/own.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static bool socket_address(const struct sockaddr *from, struct addr *out)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)from;

	if (from && from->sa_family == AF_INET)
		*out = addr_from_ipv4(ntohl(ipv4->sin_addr.s_addr));
	else if (from && from->sa_family == AF_INET6)
		memcpy(out->byte, &ipv6->sin6_addr, sizeof(out->byte));
	else
		return false;
	return true;
}

void own_find(struct own *own)
{
	struct ifaddrs *all = NULL;

	memset(own, 0, sizeof(*own));
	if (gethostname(own->host, sizeof(own->host) - 1))
		own->host[0] = '\0';
	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *at = all; at; at = at->ifa_next)
		if (own->addresses < HELO_OWN_MAX &&
		    socket_address(at->ifa_addr, &own->address[own->addresses]))
			own->addresses++;
	freeifaddrs(all);
}
