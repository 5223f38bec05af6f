/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/try.c - see dns/internal.h: one try, which is one query to one server, with c-ares.
 *
 * A server on the same host has a socket's buffer, by default of 212992 octets, which hold some 270
 * queries whatever their size; what comes on top is lost, and each loss costs its question the time
 * of a try. So there are at most UNREAD_MAX queries of which we do not know that the server has
 * read them. An answer says so of its query and, because a socket is read in order, of those
 * before. When others wait, a fence follows: a query that the server can answer at once, while it
 * looks up what was asked before. Without an answer of any kind UNREAD_MS have to do. Those that
 * wait are sent in order, and bounded by the budgets of questions.
 */
#include "dns/internal.h"

#include <stdlib.h>

#include "lib/clock.h"

#define UNREAD_MAX 128u
#define UNREAD_MS  100u
#define ONION_TTL  3600

struct dns_try {
	TAILQ_ENTRY(dns_try) link; /* of those that wait, or that may be unread */
	struct dns_server *server;
	uint64_t sent;    /* ns */
	uint64_t read_by; /* ms of the loop: by then the server has read it */
	bool unread;
	dns_outcome_cb done;
	void *arg;
	enum dns_type type;
	struct dns_name name;
};

/* ---- what came of it */

static enum dns_outcome read_answer(const struct dns_try *try, const uint8_t *message, size_t size,
				    struct dns_result **out)
{
	struct dns_stats *stats = &try->server->resolver->stats;

	latency_add(&stats->latency, (uv_hrtime() - try->sent) / NS_A_MS);
	switch (dns_wire_read(message, size, &try->name, try->type, out)) {
	case DNS_VERDICT_ANSWER:
		return DNS_OUTCOME_ANSWER;
	case DNS_VERDICT_REFUSED:
		dns_count(&stats->refusals, 1);
		return DNS_OUTCOME_REFUSED;
	case DNS_VERDICT_FORMAT: /* without EDNS, which c-ares has given up now, it might */
		dns_count(&stats->refusals, 1);
		return DNS_OUTCOME_AGAIN;
	case DNS_VERDICT_NONSENSE:
		dns_count(&stats->nonsense, 1);
		return DNS_OUTCOME_REFUSED;
	case DNS_VERDICT_MEMORY:
		break;
	}
	return DNS_OUTCOME_FAILED;
}

/* c-ares has got no message. It never asks for names below "onion" (RFC 7686), which are not there.
 */
static enum dns_outcome read_failure(const struct dns_try *try, int status, struct dns_result **out)
{
	switch (status) {
	case ARES_ENOTFOUND:
		*out = dns_result_new(DNS_NXDOMAIN, 0, 0);
		if (!*out)
			return DNS_OUTCOME_FAILED;
		(*out)->ttl = ONION_TTL;
		return DNS_OUTCOME_ANSWER;
	case ARES_ETIMEOUT:
		dns_count(&try->server->resolver->stats.timeouts, 1);
		return DNS_OUTCOME_SILENT;
	case ARES_ENOMEM:
	case ARES_EBADNAME:
		return DNS_OUTCOME_FAILED;
	default: /* the network refuses, or the server has closed the connection */
		return DNS_OUTCOME_SILENT;
	}
}

/* ---- when it is sent */

static void forget(struct dns_server *server, struct dns_try *try)
{
	try->unread = false;
	server->unread_count--;
	TAILQ_REMOVE(&server->unread, try, link);
}

/* One that is over was read, and all before it, if it was answered. */
static void forget_over(struct dns_server *server, struct dns_try *try, bool answered)
{
	while (answered && try->unread && TAILQ_FIRST(&server->unread) != try)
		forget(server, TAILQ_FIRST(&server->unread));
	if (try->unread)
		forget(server, try);
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *message, int size);

static void send_now(struct dns_server *server, struct dns_try *try)
{
	char text[DNS_NAME_MAX + 1];

	try->sent = uv_hrtime();
	try->read_by = uv_now(server->resolver->loop) + UNREAD_MS;
	try->unread = true;
	server->unread_count++;
	TAILQ_INSERT_TAIL(&server->unread, try, link);
	dns_count(&server->resolver->stats.queries, 1);
	if (dns_name_format(&try->name, text))
		ares_query(server->channel, text, DNS_CLASS_IN, dns_wire_type(try->type), on_answer,
			   try);
	else
		on_answer(try, ARES_EBADNAME, 0, NULL, 0);
}

static struct dns_try *try_new(struct dns_server *server, const struct dns_name *name,
			       enum dns_type type, dns_outcome_cb done, void *arg)
{
	struct dns_try *try = malloc(sizeof(*try));

	if (!try)
		return NULL;
	*try = (struct dns_try){
		.server = server, .done = done, .arg = arg, .type = type, .name = *name
	};
	dns_resolver_in_flight(server->resolver, 1);
	return try;
}

static void on_fence(struct dns_server *server, enum dns_outcome outcome, struct dns_result *result,
		     void *arg)
{
	(void)outcome;
	(void)arg;
	server->fenced = false;
	dns_result_unref(result);
}

static void send_fence(struct dns_server *server)
{
	struct dns_name name;
	struct dns_try *try;

	dns_name_parse(DNS_PROBE_NAME, &name);
	try = try_new(server, &name, DNS_A, on_fence, NULL);
	server->fenced = try != NULL;
	if (try)
		send_now(server, try);
}

/* Sends what may be sent. c-ares may call back at once, and whoever hears it may ask on: that is
 * sent by the loop here, not inside of itself. */
void dns_tries_send(struct dns_server *server)
{
	const uint64_t now = uv_now(server->resolver->loop);
	struct dns_try *try;

	if (server->sending || TAILQ_EMPTY(&server->waiting))
		return;
	server->sending = true;
	while ((try = TAILQ_FIRST(&server->unread)) && now >= try->read_by)
		forget(server, try);
	while (server->unread_count < UNREAD_MAX && (try = TAILQ_FIRST(&server->waiting))) {
		TAILQ_REMOVE(&server->waiting, try, link);
		send_now(server, try);
	}
	if (!TAILQ_EMPTY(&server->waiting) && !server->fenced)
		send_fence(server);
	server->sending = false;
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *message, int size)
{
	struct dns_try *try = arg;
	struct dns_server *server = try->server;
	struct dns_result *result = NULL;
	enum dns_outcome outcome;

	(void)timeouts;
	dns_resolver_in_flight(server->resolver, -1);
	forget_over(server, try, message != NULL);
	if (status == ARES_EDESTRUCTION) {
		free(try);
		return;
	}
	if (message && size > 0)
		outcome = read_answer(try, message, (size_t)size, &result);
	else
		outcome = read_failure(try, status, &result);
	if (outcome == DNS_OUTCOME_SILENT)
		dns_server_silent(server);
	else if (message && try->done != dns_server_probed)
		dns_server_alive(server, false);
	try->done(server, outcome, result, try->arg);
	free(try);
	dns_tries_send(server);
}

void dns_server_ask(struct dns_server *server, const struct dns_name *name, enum dns_type type,
		    dns_outcome_cb done, void *arg)
{
	struct dns_try *try = try_new(server, name, type, done, arg);

	if (!try) {
		done(server, DNS_OUTCOME_FAILED, NULL, arg);
		return;
	}
	TAILQ_INSERT_TAIL(&server->waiting, try, link);
	dns_tries_send(server);
	if (!TAILQ_EMPTY(&server->waiting))
		dns_resolver_pace(server->resolver);
}

void dns_tries_give_up(struct dns_server *server)
{
	struct dns_tries waiting = TAILQ_HEAD_INITIALIZER(waiting);
	struct dns_try *try;

	/* Whoever hears it may ask this server again, which waits for its turn then. */
	TAILQ_CONCAT(&waiting, &server->waiting, link);
	while ((try = TAILQ_FIRST(&waiting))) {
		TAILQ_REMOVE(&waiting, try, link);
		dns_resolver_in_flight(server->resolver, -1);
		try->done(server, DNS_OUTCOME_SILENT, NULL, try->arg);
		free(try);
	}
}

void dns_tries_init(struct dns_server *server)
{
	TAILQ_INIT(&server->waiting);
	TAILQ_INIT(&server->unread);
}

void dns_tries_drop(struct dns_server *server)
{
	struct dns_try *try;

	while ((try = TAILQ_FIRST(&server->waiting))) {
		TAILQ_REMOVE(&server->waiting, try, link);
		dns_resolver_in_flight(server->resolver, -1);
		free(try);
	}
}
