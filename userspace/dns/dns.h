/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/dns.h - questions to the Domain Name System, and answers to them, as the checks see them.
 *
 * A question is asked of a `struct dns`, which is a table of functions: the real one asks resolvers
 * with c-ares on a libuv loop (dns/resolver.h), a test's plays a script under its own clock. The
 * callback is called exactly once for each question that was not cancelled, never from inside
 * dns_ask(), and always on the thread that asked. Nothing here blocks.
 *
 * Names are text in presentation form without the final dot, at most DNS_NAME_MAX octets; octets
 * outside of letters, digits, "-" and "_" are kept as they are, "." and "\" in a label are written
 * as "\." and "\\" (RFC 1035 5.1). All names in answers are hostile input. A record whose name does
 * not fit into this (it has a NUL, or too many backslashes), and a TXT record that is too long, is
 * left out, and the answer says so (`cut`); if no record remains, that is NODATA with `cut`.
 */
#ifndef POSTERN_DNS_DNS_H
#define POSTERN_DNS_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

#define DNS_NAME_MAX    253 /* octets of a name (RFC 1035 2.3.4) */
#define DNS_LABEL_MAX   63
#define DNS_RECORDS_MAX 64   /* of an answer; what is beyond is left out, and `cut` says so */
#define DNS_TEXT_MAX    4096 /* octets of one TXT record, its strings put together */

enum dns_type { DNS_A, DNS_AAAA, DNS_PTR, DNS_TXT, DNS_MX, DNS_TYPE_COUNT };

enum dns_status {
	DNS_FOUND,     /* there are records */
	DNS_NODATA,    /* the name exists, without such records */
	DNS_NXDOMAIN,  /* there is no such name */
	DNS_TEMPORARY, /* no answer: time ran out, SERVFAIL, REFUSED, nonsense; ask again later */
	DNS_BUSY,      /* not asked: a budget of queries in flight was used up; temporary, too */
	DNS_STATUS_COUNT
};

struct dns_record {
	uint16_t preference; /* of MX */
	uint16_t length;     /* of `text`, in octets; it may hold any octet, and ends with a NUL */
	struct addr addr;    /* of A and AAAA */
	const char *text;    /* name of PTR and MX ("" is the root: a null MX, RFC 7505); TXT */
};

struct dns_answer {
	enum dns_status status;
	uint32_t ttl; /* seconds for which it may be kept yet: the least of the records, clamped */
	uint32_t age; /* seconds since it was fetched: more than 0 if it comes from the cache */
	size_t count;
	bool cut;                        /* there were more records than these */
	const struct dns_record *record; /* valid during the callback only */
};

struct dns;
struct dns_query; /* of whoever asks: valid until its callback is called or it is cancelled */

typedef void (*dns_cb)(const struct dns_answer *answer, void *arg);

struct dns_ops {
	/* Returns the query; it never fails: what cannot be asked (also what is no name, see
	 * dns/name.h) is answered TEMPORARY or BUSY. */
	struct dns_query *(*ask)(struct dns *dns, const char *name, enum dns_type type, dns_cb cb,
				 void *arg);
	void (*cancel)(struct dns *dns, struct dns_query *query);
	uint64_t (*now)(struct dns *dns); /* ms, monotonic: the clock of time-outs */
	/* Returns a query that asks nothing, and is counted nowhere: see dns_later(). */
	struct dns_query *(*later)(struct dns *dns, dns_cb cb, void *arg);
};

struct dns {
	const struct dns_ops *ops;
};

static inline struct dns_query *dns_ask(struct dns *dns, const char *name, enum dns_type type,
					dns_cb cb, void *arg)
{
	return dns->ops->ask(dns, name, type, cb, arg);
}

/*
 * Calls back as for a question, in the next round of the loop, without asking anything: for a check
 * that finds out all at once and must not call back before its start has returned. The answer is
 * an empty NODATA.
 */
static inline struct dns_query *dns_later(struct dns *dns, dns_cb cb, void *arg)
{
	return dns->ops->later(dns, cb, arg);
}

/* The callback will not be called. Nulls the pointer; NULL is allowed. */
static inline void dns_cancel(struct dns *dns, struct dns_query **query)
{
	if (*query)
		dns->ops->cancel(dns, *query);
	*query = NULL;
}

#endif
