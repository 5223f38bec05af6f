/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/service.c - see session/smtp/smtp.h: opening, rules, listeners, the end.
 *
 * Rules are copied and counted: a reload makes new ones, and sessions keep those that they began
 * with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/counters.h"
#include "lib/log.h"
#include "session/smtp/service_internal.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* Rules */

static void name_host(struct session_rules *rules)
{
	const char *configured = rules->conf->smtp.hostname;

	if (*configured)
		memcpy(rules->hostname, configured, sizeof(rules->hostname));
	else if (gethostname(rules->hostname, sizeof(rules->hostname) - 1))
		memcpy(rules->hostname, "localhost", sizeof("localhost"));
}

static void unref_servers(struct session_backends **servers)
{
	if (*servers && --(*servers)->references == 0) {
		backends_close(&(*servers)->backends);
		free(*servers);
	}
	*servers = NULL;
}

/* New ones, or those of the rules before. */
static bool take_servers(struct session_rules *rules, struct backends *backends,
			 struct session_rules *before)
{
	if (!backends && before) {
		rules->servers = before->servers;
		rules->servers->references++;
		return true;
	}
	rules->servers = calloc(1, sizeof(*rules->servers));
	if (!rules->servers)
		return false;
	*rules->servers = (struct session_backends){ 1, backends };
	return true;
}

static int make_rules(const struct smtp_rules *from, struct session_rules *before,
		      struct session_rules **out, struct error *err)
{
	struct session_rules *rules = calloc(1, sizeof(*rules));

	if (!rules || conf_copy(from->conf, &rules->conf, err) ||
	    !take_servers(rules, from->backends, before)) {
		if (rules)
			conf_free(&rules->conf);
		free(rules);
		return error_set(err, ERROR_REFUSED, "out of memory");
	}
	rules->references = 1;
	rules->relay = from->relay;
	rules->tls = from->tls;
	rules->unknowns =
		(struct unknowns_rules){ from->generation, rules->conf->smtp.unknown_ttl };
	score_rules_conf(&rules->score, rules->conf);
	rules->usual = conf_actions(rules->conf, "");
	rules->wanted = conf_actions_most(rules->conf);
	name_host(rules);
	*out = rules;
	return 0;
}

void session_rules_unref(struct session_rules *rules)
{
	if (--rules->references)
		return;
	unref_servers(&rules->servers);
	relay_unref(&rules->relay);
	tls_unref(&rules->tls);
	conf_free(&rules->conf);
	free(rules);
}

struct session_rules *service_rules(struct smtp_service *service)
{
	service->rules->references++;
	return service->rules;
}

void smtp_spool_limits(const struct conf *conf, char directory[SMTP_SPOOL_MAX],
		       struct spool_limits *out)
{
	if (*conf->smtp.spool)
		snprintf(directory, SMTP_SPOOL_MAX, "%s", conf->smtp.spool);
	else
		snprintf(directory, SMTP_SPOOL_MAX, "%s/spool", conf->state_directory);
	*out = (struct spool_limits){
		.directory = directory,
		.memory = conf->smtp.spool_message * KIB,
		.memory_total = conf->smtp.spool_memory * MIB,
		.file_total = conf->smtp.spool_disk * MIB,
	};
}

int smtp_service_set(struct smtp_service *service, const struct smtp_rules *from, struct error *err)
{
	struct session_rules *rules;
	int failed = make_rules(from, service->rules, &rules, err);

	if (failed)
		return failed;
	session_rules_unref(service->rules);
	service->rules = rules;
	return 0;
}

/* Listeners */

static void on_accepted(struct stream *stream, const struct addr *peer, uint16_t peer_port,
			const struct addr *local, uint16_t local_port, void *arg)
{
	const struct service_listener *at = arg;
	struct smtp_service *service = at->service;

	if (!stream) { /* descriptors or memory are short */
		stat_add(&service->stats.refused[SMTP_REFUSED_LOAD], 1);
		return;
	}
	session_start(service, at->kind, stream, peer, peer_port, local, local_port);
}

static void on_unnamed(const struct addr *from, const char *why, void *arg)
{
	const struct service_listener *at = arg;

	record_balancer(at->service, from, why);
}

static int open_listener(struct smtp_service *service, size_t number, int fd, struct error *err)
{
	const struct conf *conf = service->rules->conf;
	struct service_listener *at = &service->listener[number];
	const struct listener_options options = { .loop = service->parts.loop,
						  .fd = fd,
						  .balancer = service->balancers.prefix,
						  .balancers = service->balancers.count,
						  .accepted = on_accepted,
						  .unnamed = on_unnamed,
						  .arg = at };

	at->service = service;
	at->kind = conf->smtp.listen.listener[number].service;
	return listener_open(&options, &at->listener, err);
}

static void close_listeners(struct smtp_service *service)
{
	for (size_t i = 0; i < CONF_LISTENERS_MAX; i++)
		listener_close(&service->listener[i].listener);
}

static int open_listeners(struct smtp_service *service, const int *fd, struct error *err)
{
	const size_t count = service->rules->conf->smtp.listen.count;
	int failed = 0;

	for (size_t i = 0; i < count && !failed; i++)
		failed = open_listener(service, i, fd[i], err);
	if (failed)
		close_listeners(service);
	return failed;
}

/* Opening and closing */

static void on_tick(uv_timer_t *timer)
{
	service_tick(timer->data);
}

/* Where its memory may go, because the timer has been closed. */
static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct smtp_service *new_service(const struct smtp_service_options *options,
					struct error *err)
{
	struct smtp_service *service = calloc(1, sizeof(*service));

	if (!service || make_rules(&options->rules, NULL, &service->rules, err)) {
		struct smtp_rules dropped = options->rules;

		error_set(err, ERROR_REFUSED, "out of memory");
		relay_unref(&dropped.relay);
		tls_unref(&dropped.tls);
		backends_close(&dropped.backends);
		free(service);
		return NULL;
	}
	service->parts = *options;
	service->parts.fd = NULL;
	TAILQ_INIT(&service->sessions);
	TAILQ_INIT(&service->old);
	TAILQ_INIT(&service->ended);
	TAILQ_INIT(&service->spf);
	for (size_t i = 0; i < DEADLINES; i++)
		TAILQ_INIT(&service->due[i]);
	own_find(&service->own);
	service->balancers = options->rules.conf->smtp.balancers;
	service->lines = options->rules.conf->events.rate;
	return service;
}

int smtp_service_open(const struct smtp_service_options *options, struct smtp_service **out,
		      struct error *err)
{
	struct smtp_service *service = new_service(options, err);
	int failed;

	if (!service)
		return ERROR_REFUSED;
	if (options->checkers > CONTENT_CHECKERS_MAX)
		failed = error_set(err, ERROR_REFUSED, "too many checkers of content");
	else
		failed = open_listeners(service, options->fd, err);
	if (failed) {
		session_rules_unref(service->rules);
		free(service);
		return failed;
	}
	uv_timer_init(options->loop, &service->tick);
	service->tick.data = service;
	uv_timer_start(&service->tick, on_tick, SERVICE_TICK_MS, SERVICE_TICK_MS);
	*out = service;
	return 0;
}

void smtp_service_drain(struct smtp_service *service)
{
	struct session *session, *next;

	if (service->draining)
		return;
	service->draining = true;
	service->drain_until = service_now() + SERVICE_DRAIN_MS;
	close_listeners(service);
	for (session = TAILQ_FIRST(&service->sessions); session; session = next) {
		next = TAILQ_NEXT(session, all);
		service_retire(session);
	}
}

void smtp_service_close(struct smtp_service **out)
{
	struct smtp_service *service = *out;
	struct session *session;

	if (!service)
		return;
	*out = NULL;
	close_listeners(service);
	while ((session = TAILQ_FIRST(&service->sessions)) ||
	       (session = TAILQ_FIRST(&service->old)))
		session_enter(session, SESSION_ENDED);
	service_free_ended(service);
	session_rules_unref(service->rules);
	uv_close((uv_handle_t *)&service->tick, on_closed);
}

/* For others */

const struct smtp_service_options *service_parts(const struct smtp_service *service)
{
	return &service->parts;
}

const struct own *service_own(const struct smtp_service *service)
{
	return &service->own;
}

struct smtp_stats *service_stats(struct smtp_service *service)
{
	return &service->stats;
}

bool service_draining(const struct smtp_service *service)
{
	return service->draining;
}

/* The counters are words that the loop stores one by one. */
void smtp_service_stats(const struct smtp_service *service, struct smtp_stats *out)
{
	counters_read(out, &service->stats, sizeof(*out));
}
