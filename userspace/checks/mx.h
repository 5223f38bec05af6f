/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/mx.h - the mail hosts of a domain, and whether they are independent of one another.
 *
 * mx_start() asks for the domain's MX and for the addresses of each host, both families of all
 * hosts at once (RFC 5321 5.1). Whether a host works is for the caller to find out, who marks its
 * addresses; mx_count() then says what would go on if one of them went.
 *
 * As in checks/rdns.h: one callback, never from inside mx_start(), as the last thing that happens.
 * Everything in the answers is hostile: names are checked before they are asked for, and what is
 * shown of a name that is none is clean.
 */
#ifndef POSTERN_CHECKS_MX_H
#define POSTERN_CHECKS_MX_H

#include "dns/dns.h"

#define MX_HOSTS_MAX     16 /* the most preferred; more are left out */
#define MX_ADDRESSES_MAX 4  /* of each host, IPv4 and IPv6 in turns; more are left out */

/* What the domain says of its mail hosts. */
enum mx_kind {
	MX_LISTED,    /* it has MX */
	MX_IMPLICIT,  /* it has none, but addresses: it is its own and only mail host */
	MX_NULL,      /* it takes no mail (RFC 7505) */
	MX_MISSING,   /* there is no such domain, or it has neither MX nor addresses */
	MX_TEMPORARY, /* the DNS could not tell now */
	MX_KINDS
};

/* Why a host has no addresses here. */
enum mx_trouble {
	MX_FINE,
	MX_BAD_NAME,   /* no host name: an address, localhost, or nonsense */
	MX_NO_ADDRESS, /* there is no such name, or it has no addresses */
	MX_UNKNOWN,    /* the DNS could not tell now */
	MX_TROUBLES
};

struct mx_address {
	struct addr addr;
	bool local; /* loopback and the like: every host is that to itself */
	bool works; /* the caller's */
};

struct mx_host {
	char name[DNS_NAME_MAX + 1]; /* a host name; with MX_BAD_NAME fit to be shown */
	uint16_t preference;
	enum mx_trouble trouble;
	bool more; /* it has more addresses */
	size_t addresses;
	struct mx_address address[MX_ADDRESSES_MAX];
};

struct mx_result {
	enum mx_kind kind;
	bool more; /* the domain has more hosts */
	size_t hosts;
	struct mx_host host[MX_HOSTS_MAX]; /* by preference, then by name */
	unsigned int queries;
};

struct mx;
typedef void (*mx_cb)(struct mx_result *result, void *arg);

/* NULL only if memory is short. The domain is a host name, perhaps a bare one. */
struct mx *mx_start(struct dns *dns, const char *domain, mx_cb cb, void *arg);
/* NULL while it is under way; the caller may mark addresses in it. */
struct mx_result *mx_result(struct mx *mx);
void mx_free(struct mx **mx);

/* Pure. Of the hosts and addresses that work. */
struct mx_counts {
	size_t hosts, addresses;
	size_t networks;  /* different ones of the addresses: /24 of IPv4, /64 of IPv6 */
	bool independent; /* two of the hosts have no address in common */
	bool apart;       /* two of them are not even in one network */
};
void mx_count(const struct mx_result *result, struct mx_counts *out);

const char *mx_kind_name(enum mx_kind kind);

#endif
