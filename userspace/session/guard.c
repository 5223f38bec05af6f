/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/guard.c - see session/guard.h: opening and closing, the loop, and what it does by the
 * clock.
 *
 * Everything is opened by the thread that calls guard_open() (guard_parts.c),
 * and is the loop's from the moment its thread runs. At the end the loop closes its own handles,
 * and the rest is closed when the thread has ended.
 */
#include "session/guard.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/counters.h"
#include "lib/log.h"
#include "session/guard_internal.h"

#define TICK_MS      (1000u / GATE_REFILLS)
#define REPEAT_S     1u  /* before the kernel tells of the same source again */
#define SAVE_SECONDS 5u  /* between two writes of the history */
#define KEEP_SECONDS 60u /* likewise of the greylist */

/* What has been configured */

static void take_rules(struct guard_rules *rules, const struct conf *conf)
{
	score_rules_conf(&rules->score, conf);
	escalation_rules_conf(&rules->escalation, conf);
	rules->greylist = greylist_rules_conf(conf);
	rules->greylisting = conf->greylist.enabled;
	rules->ttl_min = conf->guard.ttl_min;
	rules->ttl_max = conf->guard.ttl_max;
	rules->timeout = conf->guard.timeout;
	rules->rate = conf->guard.rate;
	rules->lines = conf->events.rate;
	rules->monitor = conf->monitor;
}

static void tell_kernel(struct guard *guard)
{
	const struct gate_evidence evidence = {
		.on = guard->watching,
		.slot = guard->slot,
		.rate = guard->rules.rate,
		.repeat = REPEAT_S,
	};

	gate_evidence_set(guard->gate, &evidence);
}

void guard_follow_conf(struct guard *guard, bool lists)
{
	const struct guard_rules before = guard->rules;
	const struct conf *conf = conf_read_begin();

	if (conf)
		take_rules(&guard->rules, conf);
	conf_read_end();
	if (guard->rules.rate != before.rate)
		tell_kernel(guard);
	if (guard->rules.timeout < before.timeout)
		guard_hurry(guard);
	if (lists || memcmp(&guard->rules.score, &before.score, sizeof(before.score)) != 0)
		guard_judge_anew(guard, &before.score);
}

/* By the clock */

static int put_history(struct store *store, void *arg, struct error *err)
{
	const struct guard *guard = arg;

	return history_save(store, guard->saved, guard->save_count, err);
}

static void save_history(uv_work_t *work)
{
	struct guard *guard = work->data;
	struct error err;

	guard->save_failed = lists_with_store(guard->lists, put_history, guard, &err) != 0;
	if (guard->save_failed)
		log_warning("history.failed", "{s:s}", "error", err.text);
}

/* Takes out what is to be saved next; how many they are. */
static size_t drain_history(struct guard *guard)
{
	const struct history_drain drain = { &guard->rules.escalation, clock_wall() };

	guard->save_count = history_dirty(guard->history, &drain, guard->saved, GUARD_SAVE_BATCH);
	return guard->save_count;
}

static void start_saving(struct guard *guard);

/* A full batch: there is more. */
static void on_saved(uv_work_t *work, int status)
{
	struct guard *guard = work->data;

	(void)status;
	guard->saving = false;
	if (!guard->save_failed && guard->save_count == GUARD_SAVE_BATCH && guard->resolver)
		start_saving(guard);
}

/* What could not be written comes first, because the order matters. */
static void start_saving(struct guard *guard)
{
	if (guard->saving || (!guard->save_failed && !drain_history(guard)))
		return;
	guard->saving = true;
	uv_queue_work(&guard->loop, &guard->save, save_history, on_saved);
}

static void on_second(struct guard *guard)
{
	const unsigned int seconds = guard->ticks / GATE_REFILLS;

	guard_follow_conf(guard, false);
	guard->lines = guard->block_lines = guard->rules.lines;
	dnsbl_tick(guard->dnsbl);
	verdicts_expire(guard->verdicts, clock_mono_seconds());
	__atomic_store_n(&guard->stats.histories, history_count(guard->history), __ATOMIC_RELAXED);
	if (seconds % SAVE_SECONDS == 0)
		start_saving(guard);
	if (seconds % KEEP_SECONDS == 0)
		guard_save_greylist(guard);
}

static void on_tick(uv_timer_t *timer)
{
	struct guard *guard = timer->data;

	if (guard->watching)
		gate_newcomers_refill(guard->gate);
	guard_end_late(guard);
	if (++guard->ticks % GATE_REFILLS == 0)
		on_second(guard);
}

static void on_newcomers(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	guard_read_newcomers(poll->data);
}

/* Closes every handle; the loop ends when the work in the pool has. */
static void end_loop(struct guard *guard)
{
	guard_refuse_all(guard);
	guard_refuse_messages(guard);
	guard_drop_lookups(guard);
	uv_close((uv_handle_t *)&guard->wake, NULL);
	uv_close((uv_handle_t *)&guard->tick, NULL);
	if (guard->watching)
		uv_close((uv_handle_t *)&guard->newcomers, NULL);
	dnsbl_close(&guard->dnsbl);
	dns_resolver_close(&guard->resolver);
}

static void on_wake(uv_async_t *wake)
{
	struct guard *guard = wake->data;

	guard_answer_all(guard);
	if (__atomic_load_n(&guard->hushed, __ATOMIC_ACQUIRE)) {
		guard_refuse_all(guard);
		guard_drop_questions(guard);
	}
	guard_serve_messages(guard);
	if (__atomic_load_n(&guard->stopping, __ATOMIC_ACQUIRE))
		end_loop(guard);
}

static void *run(void *arg)
{
	struct guard *guard = arg;

	uv_run(&guard->loop, UV_RUN_DEFAULT);
	return NULL;
}

static void start_handles(struct guard *guard)
{
	uv_async_init(&guard->loop, &guard->wake, on_wake);
	guard->wake.data = guard;
	guard->save.data = guard;
	uv_timer_init(&guard->loop, &guard->tick);
	guard->tick.data = guard;
	uv_timer_start(&guard->tick, on_tick, 0, TICK_MS);
	if (!guard->watching)
		return;
	uv_poll_init(&guard->loop, &guard->newcomers, gate_newcomers_fd(guard->gate));
	guard->newcomers.data = guard;
	uv_poll_start(&guard->newcomers, UV_READABLE, on_newcomers);
}

static void close_parts(struct guard *guard)
{
	dnsbl_close(&guard->dnsbl);
	dns_resolver_close(&guard->resolver);
	uv_run(&guard->loop, UV_RUN_DEFAULT);
	uv_loop_close(&guard->loop);
	verdicts_close(&guard->verdicts);
	greylist_close(&guard->greylist);
	history_close(&guard->history);
	pthread_cond_destroy(&guard->answered);
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

static struct guard *new_guard(const struct guard_options *options)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return NULL;
	if (uv_loop_init(&guard->loop)) {
		free(guard);
		return NULL;
	}
	guard->gate = options->gate;
	guard->lists = options->lists;
	guard->watching = options->conf->role != CONF_ROLE_FILTER;
	guard->proxy = options->conf->role == CONF_ROLE_PROXY;
	guard->seed = siphash_random_key();
	pthread_mutex_init(&guard->lock, NULL);
	pthread_cond_init(&guard->answered, NULL);
	take_rules(&guard->rules, options->conf);
	guard->lines = guard->block_lines = guard->rules.lines;
	return guard;
}

int guard_open(const struct guard_options *options, struct guard **out, struct error *err)
{
	struct guard *guard = new_guard(options);
	int failed;

	if (!guard)
		return error_set(err, ERROR_REFUSED, "out of memory");
	failed = guard_open_parts(guard, options->conf, err);
	if (failed) {
		close_parts(guard);
		return failed;
	}
	start_handles(guard);
	tell_kernel(guard);
	if (pthread_create(&guard->thread, NULL, run, guard)) {
		end_loop(guard);
		close_parts(guard);
		return error_set(err, ERROR_REFUSED, "cannot start a thread");
	}
	*out = guard;
	return 0;
}

/* What is left to write is written here, batch by batch, until one cannot be. */
static void save_rest(struct guard *guard)
{
	if (guard->save_failed)
		save_history(&guard->save);
	while (!guard->save_failed && drain_history(guard))
		save_history(&guard->save);
}

void guard_hush(struct guard *guard)
{
	__atomic_store_n(&guard->hushed, true, __ATOMIC_RELEASE);
	uv_async_send(&guard->wake);
}

void guard_close(struct guard **out)
{
	struct guard *guard = *out;

	if (!guard)
		return;
	*out = NULL;
	__atomic_store_n(&guard->stopping, true, __ATOMIC_RELEASE);
	uv_async_send(&guard->wake);
	pthread_join(guard->thread, NULL);
	save_rest(guard);
	guard_save_greylist_last(guard);
	close_parts(guard);
}

/* For other threads */

bool guard_verdict(struct guard *guard, const struct addr *addr, struct verdict *out)
{
	return verdicts_find(guard->verdicts, addr, clock_mono_seconds(), out);
}

/* The rules are those of the file: the guard's own belong to its thread. People want the time of
 * day. */
bool guard_greylist(struct guard *guard, const struct addr *addr, struct greylist_record *out)
{
	const struct conf *conf = conf_read_begin();
	const struct greylist_rules rules =
		conf ? greylist_rules_conf(conf) : (struct greylist_rules){ 0 };
	const uint32_t now = greylist_now();

	conf_read_end();
	if (!conf || !greylist_find(guard->greylist, &rules, addr, now, out))
		return false;
	out->first = clock_wall() - (now - out->first);
	out->last = clock_wall() - (now - out->last);
	return true;
}

void guard_stats(struct guard *guard, struct guard_stats *out)
{
	counters_read(out, &guard->stats, offsetof(struct guard_stats, cache));
	verdicts_stats(guard->verdicts, &out->cache);
	dns_resolver_stats(guard->resolver, &out->dns);
	gate_learned_counts(guard->gate, &out->learned);
	out->zones = dnsbl_zones(guard->dnsbl, out->zone, DNSBL_ZONES_MAX);
}
