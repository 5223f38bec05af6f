/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/resolver.c - see dns/resolver.h and dns/internal.h.
 *
 * Handles of the loop are closed later than we are, so the structure is freed with the last of
 * them. Everything else goes at once.
 */
#include "dns/internal.h"

#include <stddef.h>
#include <stdlib.h>

#include "lib/counters.h"
#include "lib/log.h"

#define BUCKETS_MIN     64u
#define BYTES_PER_ENTRY 512u
#define DELIVER_MORE    32u /* answers in one turn of the loop that got ready in it */
#define TICKS           10u /* of the time of a try: so much too late it ends at most */
#define TICK_MIN        5u  /* ms */
#define TICK_MAX        100u
#define PACE_MS         1u

static struct dns_resolver *resolver_of(struct dns *dns)
{
	return (struct dns_resolver *)((char *)dns - offsetof(struct dns_resolver, dns));
}

/* ---- handing out what is ready */

static void deliver_one(struct dns_resolver *resolver, struct dns_query *query)
{
	const struct dns_query copy = *query;
	const struct dns_answer answer = dns_result_answer(copy.result, copy.ttl, copy.age);

	TAILQ_REMOVE(&resolver->ready, query, link);
	free(query);
	dns_count(&resolver->stats.answers[answer.status], copy.counted);
	copy.cb(&answer, copy.arg);
	dns_result_unref(copy.result);
}

/* Of what gets ready meanwhile some is handed out at once, as a chain of answers from the cache is
 * so much faster; the rest has its turn after the loop has looked at its sockets. */
static void on_deliver(uv_idle_t *idle)
{
	struct dns_resolver *resolver = idle->data;
	struct dns_query *query;
	unsigned int more = DELIVER_MORE;

	resolver->round++;
	while (!resolver->closed && (query = TAILQ_FIRST(&resolver->ready)) &&
	       (query->round != resolver->round || more--))
		deliver_one(resolver, query);
	if (!resolver->closed && TAILQ_EMPTY(&resolver->ready))
		uv_idle_stop(idle);
}

void dns_resolver_ready(struct dns_resolver *resolver, struct dns_query *query,
			struct dns_result *result, uint32_t ttl, uint32_t age)
{
	query->question = NULL;
	query->result = dns_result_ref(result);
	query->ttl = ttl;
	query->age = age;
	query->round = resolver->round;
	TAILQ_INSERT_TAIL(&resolver->ready, query, link);
	uv_idle_start(&resolver->deliver, on_deliver);
}

/* ---- the time of queries at servers */

static void on_tick(uv_timer_t *timer)
{
	struct dns_resolver *resolver = timer->data;

	for (size_t i = 0; i < resolver->options.server_count; i++)
		dns_server_tick(&resolver->server[i]);
}

static uint32_t tick_of(uint32_t timeout)
{
	const uint32_t tick = timeout / TICKS;

	if (tick < TICK_MIN)
		return TICK_MIN;
	return tick < TICK_MAX ? tick : TICK_MAX;
}

void dns_resolver_in_flight(struct dns_resolver *resolver, int change)
{
	const uint32_t tick = tick_of(resolver->options.timeout);

	resolver->in_flight += (unsigned int)change;
	if (resolver->closed)
		return;
	if (!resolver->in_flight)
		uv_timer_stop(&resolver->tick);
	else if (!uv_is_active((uv_handle_t *)&resolver->tick))
		uv_timer_start(&resolver->tick, on_tick, tick, tick);
}

/* ---- queries that wait to be sent */

static void on_pace(uv_timer_t *timer)
{
	struct dns_resolver *resolver = timer->data;
	bool wait = false;

	for (size_t i = 0; i < resolver->options.server_count; i++) {
		dns_tries_send(&resolver->server[i]);
		wait = wait || !TAILQ_EMPTY(&resolver->server[i].waiting);
	}
	if (!wait)
		uv_timer_stop(timer);
}

void dns_resolver_pace(struct dns_resolver *resolver)
{
	if (!uv_is_active((uv_handle_t *)&resolver->pace))
		uv_timer_start(&resolver->pace, on_pace, PACE_MS, PACE_MS);
}

/* ---- the interface */

/* The interface has no way to fail, and nobody would be called back. */
static struct dns_query *query_new(bool counted, dns_cb cb, void *arg)
{
	struct dns_query *query = calloc(1, sizeof(*query));

	if (!query)
		abort();
	query->counted = counted;
	query->cb = cb;
	query->arg = arg;
	return query;
}

static struct dns_query *resolver_ask(struct dns *dns, const char *name, enum dns_type type,
				      dns_cb cb, void *arg)
{
	struct dns_resolver *resolver = resolver_of(dns);
	struct dns_query *query = query_new(true, cb, arg);
	struct dns_cache_hit hit;
	struct dns_name wire;
	struct dns_key key;

	dns_count(&resolver->stats.questions, 1);
	if (!dns_name_parse(name, &wire)) {
		dns_resolver_ready(resolver, query, resolver->temporary, 0, 0);
		return query;
	}
	dns_key_make(&resolver->seed, &wire, type, &key);
	if (dns_cache_find(resolver->cache, &key, uv_now(resolver->loop), &hit)) {
		dns_count(&resolver->stats.hits, 1);
		dns_resolver_ready(resolver, query, hit.result, hit.ttl, hit.age);
		dns_result_unref(hit.result);
	} else if (!dns_question_join(resolver, &key, query)) {
		dns_count(&resolver->stats.busy, 1);
		dns_resolver_ready(resolver, query, resolver->busy, 0, 0);
	}
	return query;
}

static void resolver_cancel(struct dns *dns, struct dns_query *query)
{
	struct dns_resolver *resolver = resolver_of(dns);

	if (query->question)
		dns_query_withdraw(query);
	else
		TAILQ_REMOVE(&resolver->ready, query, link);
	if (query->counted)
		dns_count(&resolver->stats.cancelled, 1);
	dns_result_unref(query->result);
	free(query);
}

static uint64_t resolver_now(struct dns *dns)
{
	return uv_now(resolver_of(dns)->loop);
}

static struct dns_query *resolver_later(struct dns *dns, dns_cb cb, void *arg)
{
	struct dns_resolver *resolver = resolver_of(dns);
	struct dns_query *query = query_new(false, cb, arg);

	dns_resolver_ready(resolver, query, resolver->nothing, 0, 0);
	return query;
}

static const struct dns_ops resolver_ops = {
	.ask = resolver_ask, .cancel = resolver_cancel, .now = resolver_now, .later = resolver_later
};

struct dns *dns_resolver_dns(struct dns_resolver *resolver)
{
	return &resolver->dns;
}

void dns_resolver_replace_groups(struct dns_resolver *resolver, struct dns_groups **groups)
{
	dns_budget_replace(resolver->budget, groups);
}

bool dns_resolver_rewrites(const struct dns_resolver *resolver)
{
	return __atomic_load_n(&resolver->stats.rewrites, __ATOMIC_RELAXED) != 0;
}

void dns_resolver_stats(const struct dns_resolver *resolver, struct dns_stats *out)
{
	counters_read(out, &resolver->stats, sizeof(*out));
}

/* ---- opening and closing */

void dns_resolver_handle_closed(struct dns_resolver *resolver)
{
	if (!--resolver->handles)
		free(resolver);
}

static void on_handle_closed(uv_handle_t *handle)
{
	dns_resolver_handle_closed(handle->data);
}

static void init_handles(struct dns_resolver *resolver)
{
	uv_idle_init(resolver->loop, &resolver->deliver);
	uv_timer_init(resolver->loop, &resolver->tick);
	uv_timer_init(resolver->loop, &resolver->pace);
	uv_timer_init(resolver->loop, &resolver->rewrites);
	resolver->deliver.data = resolver->tick.data = resolver;
	resolver->pace.data = resolver->rewrites.data = resolver;
	resolver->handles = 4;
}

static void drop_ready(struct dns_resolver *resolver)
{
	struct dns_query *query;

	while ((query = TAILQ_FIRST(&resolver->ready))) {
		TAILQ_REMOVE(&resolver->ready, query, link);
		dns_result_unref(query->result);
		free(query);
	}
}

void dns_resolver_close(struct dns_resolver **resolver)
{
	struct dns_resolver *closing = *resolver;

	*resolver = NULL;
	if (!closing)
		return;
	closing->closed = true;
	for (size_t i = 0; i < closing->options.server_count; i++)
		dns_server_close(&closing->server[i]);
	if (closing->question)
		dns_questions_free(closing);
	drop_ready(closing);
	free(closing->question);
	dns_budget_close(&closing->budget);
	dns_cache_close(&closing->cache);
	dns_result_unref(closing->temporary);
	dns_result_unref(closing->busy);
	dns_result_unref(closing->nothing);
	uv_close((uv_handle_t *)&closing->deliver, on_handle_closed);
	uv_close((uv_handle_t *)&closing->tick, on_handle_closed);
	uv_close((uv_handle_t *)&closing->pace, on_handle_closed);
	uv_close((uv_handle_t *)&closing->rewrites, on_handle_closed);
}

static int open_tables(struct dns_resolver *resolver, const struct dns_options *options,
		       struct error *err)
{
	const struct dns_cache_limits limits = { .entries = options->cache_entries,
						 .bytes = options->cache_bytes
								  ? options->cache_bytes
								  : (size_t)options->cache_entries *
									    BYTES_PER_ENTRY };
	size_t buckets = BUCKETS_MIN;

	while (buckets < options->in_flight)
		buckets *= 2;
	resolver->question_mask = buckets - 1;
	resolver->question = calloc(buckets, sizeof(*resolver->question));
	resolver->temporary = dns_result_new(DNS_TEMPORARY, 0, 0);
	resolver->busy = dns_result_new(DNS_BUSY, 0, 0);
	resolver->nothing = dns_result_new(DNS_NODATA, 0, 0);
	if (!resolver->question || !resolver->temporary || !resolver->busy || !resolver->nothing)
		return error_set(err, ERROR_REFUSED, "DNS: out of memory");
	if (dns_budget_open(options, &resolver->budget, err) ||
	    dns_cache_open(&limits, &resolver->cache, err))
		return ERROR_REFUSED;
	return 0;
}

static int read_suffix(struct dns_resolver *resolver, const char *suffix, struct error *err)
{
	if (suffix && !dns_name_parse(suffix, &resolver->rewrites_suffix))
		return error_set(err, ERROR_REFUSED, "DNS: %.80s is not a name", suffix);
	return 0;
}

static int open_servers(struct dns_resolver *resolver, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < resolver->options.server_count; i++)
		rc = dns_server_open(&resolver->server[i], resolver, &resolver->options.server[i],
				     err);
	return rc;
}

int dns_resolver_open(uv_loop_t *loop, const struct dns_options *options, struct dns_resolver **out,
		      struct error *err)
{
	struct dns_resolver *resolver;

	if (!options->tries || !options->timeout || !options->in_flight ||
	    options->in_flight > DNS_IN_FLIGHT_MAX || options->server_count > DNS_SERVERS_MAX)
		return error_set(err, ERROR_USAGE, "DNS: an option is out of its range");
	resolver = calloc(1, sizeof(*resolver));
	if (!resolver)
		return error_set(err, ERROR_REFUSED, "DNS: out of memory");
	resolver->dns.ops = &resolver_ops;
	resolver->loop = loop;
	resolver->options = *options;
	resolver->seed = siphash_random_key();
	TAILQ_INIT(&resolver->ready);
	init_handles(resolver);
	dns_options_fill_servers(&resolver->options);
	if (read_suffix(resolver, options->rewrites_suffix, err) ||
	    open_tables(resolver, options, err) || open_servers(resolver, err)) {
		dns_resolver_close(&resolver);
		return ERROR_REFUSED;
	}
	dns_rewrites_start(resolver);
	*out = resolver;
	return 0;
}
