/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * daemon/front_worker.c - one worker of the front: what it is put together from, on its own thread.
 *
 * Each part belongs to the worker's loop. They are opened in the order in which one needs the
 * other, and closed in the opposite one.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/front_internal.h"
#include "lib/clock.h"
#include "lib/counters.h"
#include "lib/log.h"
#include "session/resolve.h"

#define ROTATE_SECONDS 60u

struct front_worker {
	struct front *front;
	unsigned int number;
	uv_loop_t *loop;
	uv_timer_t second;
	unsigned int seconds;
	struct dns_resolver *resolver;
	struct dnsbl *domains;
	struct guard_client *guard;
	struct smtp_service *service;

	pthread_mutex_t lock;
	const struct backends *backends; /* the service's own, for whoever counts them */
};

static void on_second(uv_timer_t *timer)
{
	struct front_worker *worker = timer->data;

	dnsbl_tick(worker->domains);
	if (worker->number == 0 && ++worker->seconds % ROTATE_SECONDS == 0)
		front_rotate_keys(worker->front);
}

static void close_parts(struct front_worker *worker)
{
	smtp_service_close(&worker->service);
	guard_client_close(&worker->guard);
	dnsbl_close(&worker->domains);
	dns_resolver_close(&worker->resolver);
}

/* They are the service's from here on. */
static void show_backends(struct front_worker *worker, const struct backends *backends)
{
	pthread_mutex_lock(&worker->lock);
	worker->backends = backends;
	pthread_mutex_unlock(&worker->lock);
}

static int open_service(struct front_worker *worker, const struct front_rules *rules,
			struct backends *backends, struct error *err)
{
	struct front *front = worker->front;
	const struct smtp_service_options options = {
		.loop = worker->loop,
		.rules = { rules->conf, relay_ref(rules->relay),
			   rules->tls ? tls_ref(rules->tls) : NULL, backends, rules->generation },
		.fd = front->fd[worker->number],
		.guard = worker->guard,
		.dns = dns_resolver_dns(worker->resolver),
		.domains = worker->domains,
		.auth = front->auth,
		.refusals = front->refusals,
		.admission = front->admission,
		.unknowns = front->unknowns,
		.connections = &front->connections,
		.spool = &front->spool,
	};
	int failed = smtp_service_open(&options, &worker->service, err);

	/* Each listener that was opened has its socket; one that failed has closed it. */
	memset(front->fd[worker->number], -1, sizeof(front->fd[worker->number]));
	if (!failed)
		show_backends(worker, backends);
	return failed;
}

static int open_parts(struct front_worker *worker, const struct front_rules *rules,
		      struct error *err)
{
	const struct conf *conf = rules->conf;
	struct backends *backends;
	int failed = resolve_open(worker->loop, conf, &worker->resolver, err);

	if (!failed)
		failed = resolve_open_lists(worker->resolver, conf, false, &worker->domains, err);
	if (!failed)
		failed = guard_client_open(worker->front->guard, worker->loop, &worker->guard, err);
	if (!failed)
		failed = backends_open(worker->loop, conf, &rules->backend_tls, &backends, err);
	if (!failed)
		failed = open_service(worker, rules, backends, err);
	return failed;
}

static void free_worker(void *state)
{
	struct front_worker *worker = state;

	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

static int open_worker(uv_loop_t *loop, unsigned int number, void *arg, void **state,
		       struct error *err)
{
	struct front *front = arg;
	struct front_worker *worker = calloc(1, sizeof(*worker));
	int failed;

	if (!worker)
		return error_set(err, ERROR_REFUSED, "out of memory");
	worker->front = front;
	worker->number = number;
	worker->loop = loop;
	pthread_mutex_init(&worker->lock, NULL);
	failed = open_parts(worker, front->rules, err);
	if (failed) {
		close_parts(worker);
		free_worker(worker);
		return failed;
	}
	uv_timer_init(loop, &worker->second);
	worker->second.data = worker;
	uv_timer_start(&worker->second, on_second, MS_A_SECOND, MS_A_SECOND);
	front->worker[number] = worker;
	*state = worker;
	return 0;
}

static void stop_worker(void *state)
{
	struct front_worker *worker = state;

	uv_close((uv_handle_t *)&worker->second, NULL);
	close_parts(worker);
}

const struct worker_ops front_worker_ops = {
	.open = open_worker,
	.stop = stop_worker,
	.close = free_worker,
};

/* Everything else that can fail has been done before (front_prepare): memory may be short. */
static int set_rules(struct front_worker *worker, struct front_rules *rules, struct error *err)
{
	struct smtp_rules set = { rules->conf, rules->relay, rules->tls, NULL, rules->generation };
	int failed = 0;

	if (rules->new_backends)
		failed = backends_open(worker->loop, rules->conf, &rules->backend_tls,
				       &set.backends, err);
	if (!failed)
		failed = smtp_service_set(worker->service, &set, err);
	if (failed) {
		backends_close(&set.backends);
		return failed;
	}
	resolve_replace_lists(worker->resolver, worker->domains, &rules->own);
	/* The references are the service's now. */
	rules->relay = NULL;
	rules->tls = NULL;
	if (set.backends)
		show_backends(worker, set.backends);
	return 0;
}

void front_worker_set(void *state, void *arg)
{
	struct front_worker *worker = state;
	struct front_rules *rules = arg;
	struct error err;

	if (set_rules(worker, rules, &err))
		front_note_behind(worker->front, err.text);
	front_drop(&rules);
}

void front_worker_drain(void *state, void *unused)
{
	struct front_worker *worker = state;

	(void)unused;
	smtp_service_drain(worker->service);
}

static void add_backend(struct smtp_view *view, size_t number, const struct backend_info *info)
{
	struct backend_info *sum = &view->backend[number];

	if (number >= view->backends) {
		*sum = *info;
		view->backends = number + 1;
		return;
	}
	/* One worker that cannot reach it is worth telling. */
	if (sum->up && !info->up) {
		sum->up = false;
		sum->since = info->since;
		memcpy(sum->why, info->why, sizeof(sum->why));
	}
	sum->features &= info->features;
	counters_add(&sum->connections, &info->connections,
		     sizeof(*info) - offsetof(struct backend_info, connections));
}

void front_worker_add(struct front_worker *worker, struct smtp_view *view)
{
	struct smtp_stats stats;
	struct backend_info info;

	smtp_service_stats(worker->service, &stats);
	counters_add(&view->stats, &stats, sizeof(stats));
	pthread_mutex_lock(&worker->lock);
	for (size_t i = 0; i < backends_count(worker->backends) && i < BACKENDS_MAX; i++) {
		backends_info(worker->backends, i, &info);
		add_backend(view, i, &info);
	}
	pthread_mutex_unlock(&worker->lock);
}

void front_worker_add_lookups(struct front_worker *worker, struct guard_stats *stats)
{
	struct dnsbl_zone_info zone[DNSBL_ZONES_MAX];
	struct dns_stats dns;
	size_t zones;

	dns_resolver_stats(worker->resolver, &dns);
	dns_stats_add(&stats->dns, &dns);
	zones = dnsbl_zones(worker->domains, zone, DNSBL_ZONES_MAX);
	for (size_t i = 0; i < zones; i++)
		dnsbl_zone_add(stats->zone, stats->zones, &zone[i]);
}
