/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/own.c - see session/own.h.
 */
#include "session/own.h"

#include <ifaddrs.h>
#include <string.h>
#include <unistd.h>

#include "loop/sockaddr.h"

static bool socket_address(const struct sockaddr *from, struct addr *out)
{
	uint16_t port;

	if (!from || (from->sa_family != AF_INET && from->sa_family != AF_INET6))
		return false;
	sockaddr_read((const struct sockaddr_storage *)from, out, &port);
	return true;
}

static bool own_has(const struct addr *addr)
{
	struct ifaddrs *all = NULL;
	struct addr own;
	bool found = false;

	if (getifaddrs(&all))
		return false;
	for (const struct ifaddrs *at = all; at && !found; at = at->ifa_next)
		found = socket_address(at->ifa_addr, &own) && !memcmp(&own, addr, sizeof(own));
	freeifaddrs(all);
	return found;
}

int own_refuse_loop(const struct conf *conf, const struct conf_listeners *listen, struct error *err)
{
	const struct conf_backend *loop = conf_find_loop(&conf->smtp.backends, listen, own_has);
	char text[PREFIX_TEXT_MAX], origin[CONF_ORIGIN_MAX];

	if (!loop)
		return 0;
	addr_format(&loop->addr, text);
	return error_set(err, ERROR_REFUSED,
			 "%s: smtp.backends: %s port %u is this machine's own, and smtp.listen "
			 "takes mail there: a loop",
			 conf_origin(conf, "smtp.backends", origin), text, loop->port);
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
