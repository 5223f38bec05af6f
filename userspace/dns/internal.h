/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/internal.h - inside the module: the resolver and its parts, all on one thread.
 *
 *   resolver.c  opens, takes questions, hands out answers, closes
 *   question.c  a question that is under way, whoever waits for it, and what to do when a try fails
 *   server.c    one server: a channel of c-ares, its sockets on the loop, and its health
 *   try.c       a query to a server: when it is sent, and what came of it
 *   rewrites.c  servers that answer for names that do not exist
 *
 * Ownership: the resolver owns servers, questions and queries. A query (what an asker holds) stands
 * either in the list of its question, or, with its result, in the resolver's list of ready ones. A
 * callback of an asker runs from that list only, so never with c-ares or a question on the stack.
 */
#ifndef POSTERN_DNS_INTERNAL_H
#define POSTERN_DNS_INTERNAL_H

#include <ares.h>
#include <sys/queue.h>

#include "dns/budget.h"
#include "dns/cache.h"
#include "dns/resolver.h"
#include "dns/wire.h"

#define DNS_PROBE_NAME  "localhost" /* every resolver knows it itself (RFC 6761 6.3) */
#define DNS_FAILURE_TTL 3 /* seconds that a failure is kept, so that what is dead is left alone */

/* ---- what askers hold */

struct dns_query {
	TAILQ_ENTRY(dns_query) link;
	struct dns_question *question; /* NULL: ready */
	struct dns_result *result;     /* when ready */
	uint32_t ttl, age, round;
	bool counted; /* false: it asks nothing, dns_later() */
	dns_cb cb;
	void *arg;
};
TAILQ_HEAD(dns_queries, dns_query);

/* ---- one server */

struct dns_socket;
LIST_HEAD(dns_sockets, dns_socket);
struct dns_try;
TAILQ_HEAD(dns_tries, dns_try);

struct dns_server {
	struct dns_resolver *resolver;
	struct dns_server_address address;
	ares_channel channel;
	struct dns_sockets sockets;
	struct dns_tries waiting; /* to be sent, in order */
	struct dns_tries unread;  /* sent lately: the server may not have read them */
	uint32_t unread_count;
	bool sending, fenced; /* in dns/try.c */
	uint32_t failures;    /* tries in a row that nobody answered */
	uint32_t pause;       /* ms from one probe of a server that is down to the next */
	uint64_t probe_at;
	bool down, reported, probing, rewrites;
};

enum dns_outcome {
	DNS_OUTCOME_ANSWER,
	DNS_OUTCOME_REFUSED, /* by this server, which need not be asked again */
	DNS_OUTCOME_AGAIN,   /* the server may know better the next time */
	DNS_OUTCOME_SILENT,  /* no answer in time, or nobody there */
	DNS_OUTCOME_FAILED,  /* here: out of memory */
};

/* The result is the callee's for DNS_OUTCOME_ANSWER, else NULL. */
typedef void (*dns_outcome_cb)(struct dns_server *server, enum dns_outcome outcome,
			       struct dns_result *result, void *arg);

int dns_server_open(struct dns_server *server, struct dns_resolver *resolver,
		    const struct dns_server_address *address, struct error *err);
/* Whoever waits for an answer of the server is not called back. */
void dns_server_close(struct dns_server *server);
/* Asks a server that is down whether it has come back, if it is time to. */
void dns_server_probe(struct dns_server *server);
/* Lets c-ares look for queries whose time is over. */
void dns_server_tick(struct dns_server *server);
/* What a try says of the server's health. */
void dns_server_alive(struct dns_server *server, bool probe);
void dns_server_silent(struct dns_server *server);
/* What comes of a probe. */
void dns_server_probed(struct dns_server *server, enum dns_outcome outcome,
		       struct dns_result *result, void *arg);

/* ---- tries */

void dns_tries_init(struct dns_server *server);
/* Those that were not sent; c-ares has dropped the others. */
void dns_tries_drop(struct dns_server *server);
/* One try, as soon as the server can take it. `done` may be called before this returns. */
void dns_server_ask(struct dns_server *server, const struct dns_name *name, enum dns_type type,
		    dns_outcome_cb done, void *arg);
/* Sends of those that wait what may be sent by now. */
void dns_tries_send(struct dns_server *server);
/* Ends those that wait, as if the server had been silent. */
void dns_tries_give_up(struct dns_server *server);

/* ---- questions */

LIST_HEAD(dns_questions, dns_question);

/* Finds or starts the question, and lets the query wait for it; false if a budget is used up. */
bool dns_question_join(struct dns_resolver *resolver, const struct dns_key *key,
		       struct dns_query *query);
/* Takes the query out of its question. */
void dns_query_withdraw(struct dns_query *query);
void dns_questions_free(struct dns_resolver *resolver);

/* ---- the resolver */

struct dns_resolver {
	struct dns dns;
	uv_loop_t *loop;
	uv_idle_t deliver; /* active while there are ready queries */
	uv_timer_t tick;   /* while there are queries at servers */
	uv_timer_t pace;   /* while there are some that wait to be sent */
	uv_timer_t rewrites;
	unsigned int handles; /* of the loop, that have not been closed */
	bool closed;
	struct dns_options options; /* its table and texts are not kept */
	struct dns_name rewrites_suffix;
	struct siphash_key seed;
	struct dns_budget *budget;
	struct dns_cache *cache;
	struct dns_result *temporary, *busy, *nothing;
	struct dns_questions *question; /* buckets */
	size_t question_mask;
	struct dns_queries ready;
	uint32_t round;         /* of handing out ready ones */
	unsigned int in_flight; /* queries at servers */
	struct dns_stats stats;
	struct dns_server server[DNS_SERVERS_MAX];
};

/* Makes a query ready. It takes a reference of its own. */
void dns_resolver_ready(struct dns_resolver *resolver, struct dns_query *query,
			struct dns_result *result, uint32_t ttl, uint32_t age);
/* A query to a server begins or ends. */
void dns_resolver_in_flight(struct dns_resolver *resolver, int change);
/* There are queries that wait to be sent. */
void dns_resolver_pace(struct dns_resolver *resolver);
/* Counts a handle of the loop; dns_resolver_handle_closed() is for uv_close(). */
void dns_resolver_handle_closed(struct dns_resolver *resolver);

void dns_rewrites_start(struct dns_resolver *resolver);

/* ---- counters, which other threads read */

static inline void dns_count(uint64_t *counter, int64_t change)
{
	__atomic_fetch_add(counter, (uint64_t)change, __ATOMIC_RELAXED);
}

static inline void dns_gauge(uint64_t *gauge, uint64_t value)
{
	__atomic_store_n(gauge, value, __ATOMIC_RELAXED);
}

#endif
