/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks/dnsbl_internal.h - zones, their services, and questions. Internal to checks/dnsbl*.c.
 *
 *   dnsbl.c         opens, closes, exchanges the set, tells about the zones
 *   dnsbl_set.c     rows of the configuration become a set of zones
 *   dnsbl_health.c  the only one that changes whether a service is in or out, and says so
 *   dnsbl_test.c    tests services
 *   dnsbl_query.c   a question: all zones at once, then the result
 *   dnsbl_answer.c, dnsbl_name.c  pure: what answers mean, what names are asked for
 *
 * Ownership: a set is held by the dnsbl while it is in force and by each question that began with
 * it; a zone is held by the sets that it is in, because one that stays the same goes on with what
 * is known of it. Either is freed when nobody holds it. All of that is the loop's thread's; only
 * the set in force is looked at by others, under `lock`, under which it is exchanged.
 *
 * Callbacks of callers run from answers of the DNS only. Any of them may close the dnsbl or
 * exchange its set, so whoever goes on after one holds the dnsbl and the zone meanwhile.
 */
#ifndef POSTERN_CHECKS_DNSBL_INTERNAL_H
#define POSTERN_CHECKS_DNSBL_INTERNAL_H

#include <pthread.h>
#include <sys/queue.h>

#include "checks/dnsbl_answer.h"
#include "checks/dnsbl_name.h"
#include "lib/siphash.h"

#define DNSBL_TESTS_MAX 16    /* that begin in one tick, after those of the start */
#define DNSBL_SILENCES  3     /* of a zone in service, in a row, that put it out */
#define DNSBL_SILENCE   1000u /* ms: what does not answer within these is one silence */
#define DNSBL_PAUSE_MIN                                                                            \
	5000u /* ms from one test of a service that is out to the next: it doubles */
#define DNSBL_PAUSE_MAX 60000u
#define DNSBL_UNANSWERED                                                                           \
	20u /* questions of clients in a row, over at least so long, that put a zone out */
#define DNSBL_UNANSWERED_MS 30000u
#define DNSBL_STALL_MIN     60000u /* ms that it is out then: it doubles */
#define DNSBL_STALL_MAX     3600000u
#define DNSBL_AGAIN         1000u      /* ms until a test that was over a budget is due again */
#define DNSBL_NEVER         UINT64_MAX /* when a test is due that cannot be asked for */

/* What a test asks for. */
enum dnsbl_entry {
	DNSBL_ENTRY_LISTED, /* must be listed */
	DNSBL_ENTRY_ABSENT, /* must not */
	DNSBL_ENTRY_FRESH,  /* a random one, which no cache has: only whether the zone answers */
	DNSBL_ENTRIES
};

struct dnsbl_probe {
	struct dnsbl_service *service;
	struct dns_query *query;
	enum dnsbl_kind kind;
	uint32_t code;
};

enum dnsbl_family { DNSBL_IPV4, DNSBL_IPV6, DNSBL_DOMAINS, DNSBL_FAMILIES };

TAILQ_HEAD(dnsbl_slots, dnsbl_slot);
LIST_HEAD(dnsbl_queries, dnsbl_query);

/* A zone as one kind of names is looked up in it. */
struct dnsbl_service {
	struct dnsbl_zone *zone;
	enum dnsbl_family family;
	enum dnsbl_health health;
	bool served;      /* has ever been in service */
	bool reported;    /* the log says that it is out */
	bool mute;        /* is out because it gives no answer, not for what it answers */
	uint64_t due;     /* ms: the next test */
	uint64_t silence; /* ms: the last one that counted */
	uint64_t back;    /* ms: since then it is in service */
	uint32_t silences, pause;
	uint32_t unanswered; /* questions of clients in a row, */
	uint64_t waited;     /* ms: since then */
	uint32_t stall;      /* ms that it was out for them the last time; 0: well since */
	size_t probing;      /* probes under way; no test is if 0 */
	struct dnsbl_probe probe[DNSBL_ENTRIES];
	struct dnsbl_slots waiting; /* listings by a zone that has not been tested yet */
};

/* Written on the loop's thread, read by any. */
struct dnsbl_counters {
	uint64_t health, ipv6, since;
	uint64_t asked, listed, temporary, errors, failures;
};

/* What is asked: kept from one set to the next while name and replies are the same. */
struct dnsbl_zone {
	LIST_ENTRY(dnsbl_zone) link; /* of all zones of the dnsbl */
	struct dnsbl *dnsbl;         /* NULL: its set has not been in force */
	unsigned int held;           /* by sets, and whoever goes on after a callback */
	bool current; /* in the set in force; others are not tested, and not told of */
	const char *name;
	size_t length;               /* of the name */
	char shown[DNSBL_SHOWN_MAX]; /* as the set in force shows it */
	bool domains;
	size_t services; /* IPv4 and IPv6, or domains */
	struct dnsbl_service service[2];
	struct dnsbl_counters counters;
	struct dnsbl_rows rows; /* their weights are those of the set that it was made for */
	struct conf_zone row[]; /* at `rows` */
};

/* A zone as a set has it. */
struct dnsbl_member {
	struct dnsbl_zone *zone; /* holds it */
	uint16_t number;
	char shown[DNSBL_SHOWN_MAX];
	struct dnsbl_rows rows; /* with the weights that count */
	int32_t credit;         /* what they may speak for a client: 0 or less */
};

/* Never changed once it is in force. */
struct dnsbl_set {
	unsigned int held;
	uint64_t interval;       /* ms; 0: no tests, and every answer stands by itself */
	size_t addresses, zones; /* zones of addresses come first */
	size_t address_rows;
	struct dnsbl_member *member;
	struct conf_zone *row;
	struct dnsbl_keys keys; /* in `row` */
};

LIST_HEAD(dnsbl_zones_head, dnsbl_zone);

struct dnsbl {
	struct dns *dns;
	bool (*rewrites)(void *arg);
	void *arg;
	struct siphash_key seed; /* of random entries */
	uint64_t random;
	pthread_mutex_t lock;
	struct dnsbl_set *set; /* in force; NULL: closed */
	struct dnsbl_zones_head zones;
	uint64_t interval;  /* of the set */
	size_t next_tested; /* zone that tick looks at first */
	struct dnsbl_queries queries;
	unsigned int held;
	bool closed;
};

/* One zone of a question. */
struct dnsbl_slot {
	TAILQ_ENTRY(dnsbl_slot) link; /* in `waiting` of its service */
	struct dnsbl_query *query;
	const struct dnsbl_member *member;
	struct dnsbl_service *service;
	struct dns_query *asked;
	struct dnsbl_zone_result *result;
	int32_t score; /* if it is listed */
	bool waiting;
};

/* With its slots, results and texts it is one piece of memory. */
struct dnsbl_query {
	LIST_ENTRY(dnsbl_query) link;
	struct dnsbl *dnsbl;
	struct dnsbl_set *set; /* holds it */
	dnsbl_cb cb;
	void (*news)(void *arg); /* NULL: nobody watches */
	void *arg;
	struct dns_query *nothing; /* the answer to no question, where no zone is asked */
	size_t pending;            /* slots without an outcome */
	size_t slots, results;
	struct dnsbl_zone_result *result;
	char *texts; /* DNSBL_TEXT_MAX for each slot; NULL: not wanted */
	struct dnsbl_prefix prefix;
	struct dnsbl_slot slot[];
};

static inline void dnsbl_count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static inline uint64_t dnsbl_now(const struct dnsbl *dnsbl)
{
	return dnsbl->dns->ops->now(dnsbl->dns);
}

/* Whether the resolver cannot be believed. */
static inline bool dnsbl_misled(const struct dnsbl *dnsbl)
{
	return dnsbl->rewrites && dnsbl->rewrites(dnsbl->arg);
}

static inline bool dnsbl_in_service(const struct dnsbl_service *service)
{
	return service->health == DNSBL_SERVING || service->health == DNSBL_UNTESTED;
}

/* checks/dnsbl.c */

void dnsbl_hold(struct dnsbl *dnsbl);
void dnsbl_release(struct dnsbl *dnsbl);

/* checks/dnsbl_set.c */

void dnsbl_set_hold(struct dnsbl_set *set);
void dnsbl_set_release(struct dnsbl_set *set);
void dnsbl_zone_hold(struct dnsbl_zone *zone);
/* Ends its tests when nobody holds it any more. */
void dnsbl_zone_release(struct dnsbl_zone *zone);
/* Takes over from `before`, which is in force and may be NULL, the zones that stay the same. */
void dnsbl_set_adopt(struct dnsbl_set *set, struct dnsbl *dnsbl, const struct dnsbl_set *before);

/* checks/dnsbl_health.c */

/* What was found out, and by which question. */
struct dnsbl_judgement {
	enum dnsbl_health health;
	const char *asked;
	enum dnsbl_kind kind;
	uint32_t code;
};

void dnsbl_service_out(struct dnsbl_service *service, const struct dnsbl_judgement *judged);
void dnsbl_service_in(struct dnsbl_service *service);
/* Counts a silence; true if the service has been silent often enough. */
bool dnsbl_service_silent(struct dnsbl_service *service);
/* Whether nobody expects it to serve, or wants to know. */
bool dnsbl_service_quiet(const struct dnsbl_service *service);
/* The interval of tests is another one. */
void dnsbl_service_follow(struct dnsbl_service *service);
/* A client did not wait any longer for the zone's answer. */
void dnsbl_service_left(struct dnsbl_service *service);
/* What its zone has said to a client, or has not. */
void dnsbl_service_heard(struct dnsbl_service *service, enum dnsbl_kind kind, uint32_t code);

/* checks/dnsbl_test.c */

void dnsbl_service_init(struct dnsbl_service *service, struct dnsbl_zone *zone,
			enum dnsbl_family family);
/* Starts the tests that are due, at most so many. */
void dnsbl_start_tests(struct dnsbl *dnsbl, size_t budget);
void dnsbl_service_cancel(struct dnsbl_service *service);

/* checks/dnsbl_query.c */

/* The zone of a listing that waits has been tested. */
void dnsbl_slot_tested(struct dnsbl_slot *slot, bool known);
void dnsbl_query_drop(struct dnsbl_query *query);

#endif
