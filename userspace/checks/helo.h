/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/helo.h - what a client calls itself in HELO or EHLO (RFC 5321 4.1.1.1, 4.1.3).
 *
 * A host name with a domain that leads to the client's address, or at the least the client's
 * address as a literal: everything else is found out about. Asks for A or AAAA of the name only if
 * the name is one and is not ours. The same rules for callbacks as in checks/rdns.h.
 */
#ifndef POSTERN_CHECKS_HELO_H
#define POSTERN_CHECKS_HELO_H

#include "conf/finding.h"
#include "dns/dns.h"

#define HELO_OWN_MAX 16

/* Copies the texts. */
struct helo_request {
	struct dns *dns;
	struct addr addr;      /* of the client */
	const char *helo;      /* as it was said */
	const char *host_name; /* the client's confirmed host name, or "" */
	size_t own_names;      /* ours, which nobody else is */
	const char *const *own_name;
	size_t own_addresses; /* likewise */
	const struct addr *own_address;
};

struct helo_result {
	finding_set findings; /* of HELO_*; HELO_CONFIRMED and HELO_MATCH may stand together */
	uint32_t ttl, age;    /* seconds; 0 if nothing was asked */
	unsigned int queries;
};

struct helo;
typedef void (*helo_cb)(const struct helo_result *result, void *arg);

/* NULL only if memory is short. */
struct helo *helo_start(const struct helo_request *request, helo_cb cb, void *arg);
const struct helo_result *helo_result(const struct helo *helo);
void helo_free(struct helo **helo);

#endif
