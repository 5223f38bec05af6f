/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/own.h - what is ours: the name of the machine and its addresses, which nobody else is
 * (checks/helo.h).
 */
#ifndef POSTERN_SESSION_OWN_H
#define POSTERN_SESSION_OWN_H

#include "checks/helo.h"
#include "conf/conf.h"

#define OWN_HOST_MAX 256 /* bytes of the name, with its NUL */

struct own {
	char host[OWN_HOST_MAX]; /* "" if it is not known */
	size_t addresses;
	struct addr address[HELO_OWN_MAX];
};

/* As it is at the moment. Addresses beyond HELO_OWN_MAX are left out. */
void own_find(struct own *own);

/*
 * Refuses a backend of the configuration that is one of these listeners, at any address that the
 * machine has at the moment.
 */
int own_refuse_loop(const struct conf *conf, const struct conf_listeners *listen,
		    struct error *err);

#endif
