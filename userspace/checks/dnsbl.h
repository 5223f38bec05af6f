/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl.h - DNS block and allow lists: of addresses (DNSBL) and of domains (RHSBL), RFC
 * 5782.
 *
 * One struct dnsbl a loop, on the loop's thread. It knows all zones and whether each can be
 * trusted: at the start and regularly a zone is asked for an entry that must be there, for one that
 * must not (RFC 5782 5), and for a random one that no cache has. A zone that fails is out of
 * service: it is not asked for clients, counts nothing, and is logged and counted as such until it
 * passes again. A zone that has not been tested yet is asked, and a listing by it waits for the end
 * of the test, which no listing outlasts. IPv4 and IPv6 are two services of a zone, each tested by
 * itself; most zones have no IPv6, which is no failure: they are not asked for IPv6 clients.
 *
 * What clients' questions show counts, too: an error code or an answer outside of 127.0.0.0/8 puts
 * a zone out at once, silence when it is the third in a row. It is tested again in the next tick,
 * then at growing intervals of at most a minute. One that passes its tests, but has left 20
 * questions of clients in a row, over half a minute, without an answer, is out for a minute, and
 * each time for twice as long, up to an hour.
 *
 * An answer is a listing only in 127.0.0.0/8, and if it is no error code (127.255.255.0/24, and
 * 127.0.0.1 and 127.0.1.255 where the operator did not ask for them); a resolver that answers for
 * names that do not exist takes all zones out. What the DNS does not tell now counts nothing and
 * makes the result `temporary`. So does an allow list that is out because it gives no answer, as
 * long as it is: a failure of the DNS must not turn its members away. One that is out for what it
 * answers can speak for nobody.
 *
 * A question is dnsbl_start() ... callback or dnsbl_cancel(), as in dns/dns.h: one callback, never
 * from inside dnsbl_start(), as the last thing that happens; anything is allowed in it. Nothing is
 * shared between questions, so one slow zone holds up only those who wait for it. How many are
 * under way is for the caller to bound; each takes one piece of memory, 140 octets a zone and 256
 * more where texts are wanted.
 */
#ifndef POSTERN_CHECKS_DNSBL_H
#define POSTERN_CHECKS_DNSBL_H

#include "conf/zone.h"
#include "dns/dns.h"

#define DNSBL_CODES_MAX 8                        /* answers of one zone that are kept */
#define DNSBL_TEXT_MAX  256                      /* octets of the zone's own text, with its NUL */
#define DNSBL_SHOWN_MAX (CONF_ZONE_NAME_MAX + 8) /* bytes of a zone's name as it may be shown */
#define DNSBL_TTL_OUT   300 /* seconds that a result holds where a zone was out or in error */

#define DNSBL_ZONES_MAX (2 * CONF_ZONES_MAX)

struct dnsbl;
struct dnsbl_set;
struct dnsbl_query;

/* Copies everything but `dns`, and `rewrites` with its argument. */
struct dnsbl_options {
	struct dns *dns;
	const struct conf_zones *addresses; /* zones of addresses */
	const struct conf_zones *domains;   /* zones of domains */
	uint32_t test_interval;             /* seconds between two tests of a zone; 0: never */
	bool (*rewrites)(void *arg); /* the resolver answers for what is not there; or NULL */
	void *arg;
};

/* Starts to test. Without tests all zones stay in service, and each answer stands by itself. */
int dnsbl_open(const struct dnsbl_options *options, struct dnsbl **out, struct error *err);
/* Cancels everything; before the DNS is closed. Nulls the pointer; NULL is allowed. */
void dnsbl_close(struct dnsbl **dnsbl);
/* To be called about once a second: starts the tests that are due. */
void dnsbl_tick(struct dnsbl *dnsbl);

/*
 * Other zones while it runs. dnsbl_set_new() may be called by any thread, copies what it is given,
 * and is all that can fail; a set that is not put in force after all is dropped. Either list may be
 * NULL. dnsbl_replace() is for the loop's thread, takes the set over and nulls the pointer:
 * questions that are under way end by the zones and points with which they began, others begin with
 * the new ones. A zone with the name and the replies of one before goes on with its health and
 * counters; any other is tested at once, and counts when it has passed.
 */
int dnsbl_set_new(const struct conf_zones *addresses, const struct conf_zones *domains,
		  uint32_t test_interval, struct dnsbl_set **out, struct error *err);
void dnsbl_set_drop(struct dnsbl_set **set);
void dnsbl_replace(struct dnsbl *dnsbl, struct dnsbl_set **set);
/* Whether the set might say something else of an address than the one in force. */
bool dnsbl_differs(const struct dnsbl *dnsbl, const struct dnsbl_set *set);

/* What one zone said; rows with the same name are one zone. */
enum dnsbl_outcome {
	DNSBL_CLEAN,     /* not listed, or with codes that do not count */
	DNSBL_LISTED,    /* a row matched */
	DNSBL_TEMPORARY, /* no answer to this question or to the first test now, or over a budget */
	DNSBL_ERROR,     /* an error code, or an answer outside of 127.0.0.0/8 */
	DNSBL_OUT,       /* out of service: not asked, or not counted */
	DNSBL_OUTCOMES
};

struct dnsbl_zone_result {
	const char *zone; /* as it may be shown; valid during the callback only */
	uint16_t number;  /* of the zone, see dnsbl_zones() */
	enum dnsbl_outcome outcome;
	bool missed; /* an allow list that is OUT because it gives no answer */
	int32_t score;
	uint32_t ttl, age; /* seconds, of the answer; at most DNSBL_TTL_OUT if it does not count */
	size_t codes;
	uint32_t code[DNSBL_CODES_MAX]; /* the answers, host byte order */
	const char
		*text; /* TXT of a listing if it was asked for; keys of all zones masked; else "" */
};

struct dnsbl_result {
	int32_t score;   /* of all zones together */
	bool temporary;  /* a zone gave no answer that should have: the score may be off */
	int32_t missing; /* what such zones might have spoken for the client: 0 or less */
	uint32_t ttl;    /* seconds for which this holds: the least of the answers */
	size_t count;    /* zones that have such entries at all */
	const struct dnsbl_zone_result *zone; /* valid during the callback only */
};

typedef void (*dnsbl_cb)(const struct dnsbl_result *result, void *arg);

/* `texts`: also ask each zone that lists the client for its text. NULL only if memory is short. */
struct dnsbl_query *dnsbl_start_address(struct dnsbl *dnsbl, const struct addr *addr, bool texts,
					dnsbl_cb cb, void *arg);
/* An address literal, a single label, or what is no name is on no list. */
struct dnsbl_query *dnsbl_start_domain(struct dnsbl *dnsbl, const char *domain, bool texts,
				       dnsbl_cb cb, void *arg);
void dnsbl_cancel(struct dnsbl *dnsbl, struct dnsbl_query **query);
/* Calls back now, from inside: zones that have not answered are TEMPORARY. */
void dnsbl_hurry(struct dnsbl *dnsbl, struct dnsbl_query *query);
/*
 * For one who need not know it all: `news` is called, with the argument of the question, when a
 * zone that can matter has an outcome and others have none yet: one that scores, or an allow list.
 * As the last thing that happens, and never from inside of another function; anything is allowed.
 */
void dnsbl_watch(struct dnsbl_query *query, void (*news)(void *arg));
/* What is known by now: zones without an outcome are TEMPORARY. Until the query ends. */
void dnsbl_so_far(const struct dnsbl_query *query, struct dnsbl_result *out);

/*
 * The zones, for status and metrics: numbers from 0 on, addresses first, in the order written, of
 * the set in force. Of several zones of addresses, or of domains, that are shown alike, because
 * only their keys differ, those from the second on are shown with a number: "dnsbl.example#2".
 */
enum dnsbl_health {
	DNSBL_UNTESTED,
	DNSBL_SERVING,
	DNSBL_SILENT,   /* the test entry is not listed, or no answer */
	DNSBL_REFUSING, /* answers with an error code */
	DNSBL_WORLD,    /* lists what must not be listed, or answers outside of 127.0.0.0/8 */
	DNSBL_STALLED,  /* passes its tests, and leaves clients without an answer */
	DNSBL_HEALTHS
};

struct dnsbl_zone_info {
	char zone[DNSBL_SHOWN_MAX]; /* as it may be shown */
	bool domains;
	enum dnsbl_health health; /* of IPv4, unless only IPv6 has ever served; or of domains */
	bool ipv6;                /* serves IPv6, too */
	uint64_t since;           /* ms of dns->ops->now(): the health is so since then */
	/* dnsbl_zone_add() adds all that follows. */
	uint64_t asked, listed, temporary, errors; /* that only grow */
	uint64_t failures;                         /* times that it went out of service */
};

/* As it may be shown, until other zones are put in force; NULL: none has that number. The loop's
 * thread alone. */
const char *dnsbl_zone_name(const struct dnsbl *dnsbl, size_t number);

/* Tells of all of them, or of the first `max`; returns how many. Any thread may call it. */
size_t dnsbl_zones(struct dnsbl *dnsbl, struct dnsbl_zone_info *out, size_t max);

/*
 * The same zone elsewhere: adds what was counted of it to the one of `count` that is shown alike,
 * and its health if that is the worse one. One that is not among them is left out.
 */
void dnsbl_zone_add(struct dnsbl_zone_info *zones, size_t count,
		    const struct dnsbl_zone_info *more);

const char *dnsbl_outcome_name(enum dnsbl_outcome outcome); /* "clean", "listed", ... */
const char *dnsbl_health_name(enum dnsbl_health health);    /* "untested", "serving", ... */

#endif
