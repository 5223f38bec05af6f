/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * newcomers - tells a guard of sources as the kernel does, and takes the time: for
 * tests/lab/bench_evaluate.py.
 *
 * The guard is the agent's own from the newcomer on: its cache of verdicts, history and resolver.
 * Only what it tells the kernel goes into memory of this process. So many sources are kept under
 * way on one loop, of SOURCES in 198.18.0.0/16, whose answers a resolver of the benchmark has.
 * First come all of them once, untimed, so that whatever has a cache has filled it; then ROUNDS
 * times all, in one of these ways:
 *
 *   known      verdict and kernel's entry are still good
 *   forgotten  the verdict is still good, the kernel has forgotten
 *   asked      neither is: everything is looked up
 *
 * usage: newcomers CONFIG known|forgotten|asked IN-FLIGHT SOURCES ROUNDS
 *
 * prints {"count": n, "seconds": s, "cpu": s, "questions": n, "queries": n, "timeouts": n,
 * "temporary": n}: of the timed rounds; "cpu" is the processor's time of the guard's thread alone
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate/internal.h"
#include "lib/clock.h"
#include "maps/learned.h"
#include "session/guard_internal.h"

#define SOURCES_MAX 65536u
#define FIRST       0xc6120000u /* 198.18.0.0 */
#define NS          1e9

enum way { KNOWN, FORGOTTEN, ASKED, WAYS };
static const char *const ways[WAYS] = { "known", "forgotten", "asked" };

struct times {
	double seconds, cpu;
};

static struct {
	struct gate gate;
	struct guard guard;
	uv_prepare_t feeder; /* before the loop waits */
	uint32_t in_flight, sources, next;
} bench;

__attribute__((noreturn)) static void fail(const char *why)
{
	fprintf(stderr, "newcomers: %s\n", why);
	exit(1);
}

/* The guard, without a kernel */

static void *memory(size_t count, size_t size)
{
	void *all = calloc(count, size);

	if (!all)
		fail("out of memory");
	return all;
}

static void open_gate(struct gate *gate)
{
	pthread_mutex_init(&gate->learned.lock, NULL);
	gate->map[GATE_MAP_settings].memory = memory(1, sizeof(struct settings));
	gate->map[GATE_MAP_learned].memory = memory(LEARNED_LINES, sizeof(struct learned_line));
	gate->map[GATE_MAP_proved].memory = memory(PROVED_LINES, sizeof(struct proved_line));
}

static int open_resolver(struct guard *guard, const struct conf *conf, struct error *err)
{
	struct dns_zone zones[DNS_ZONES_MAX];
	struct dns_options options;
	struct dnsbl_options lists = { .addresses = &conf->dnsbl.zones,
				       .domains = &conf->dnsbl.domains };
	int failed = dns_options_default(&options, err);

	if (failed)
		return failed;
	dns_options_conf(&options, conf);
	options.rewrites_suffix = NULL;
	options.zone = zones;
	options.zone_count = conf->dnsbl.zones.count;
	for (size_t i = 0; i < options.zone_count; i++)
		zones[i] = (struct dns_zone){ .suffix = conf->dnsbl.zones.zone[i].name };
	failed = dns_resolver_open(&guard->loop, &options, &guard->resolver, err);
	if (failed)
		return failed;
	lists.dns = dns_resolver_dns(guard->resolver);
	return dnsbl_open(&lists, &guard->dnsbl, err);
}

static void open_guard(struct guard *guard, const char *config)
{
	struct conf *conf = NULL;
	struct error err;

	open_gate(&bench.gate);
	guard->gate = &bench.gate;
	guard->seed = siphash_random_key();
	guard->syn_max = GUARD_LOOKUPS_MAX / 2; /* whatever the resolver is granted */
	uv_loop_init(&guard->loop);
	if (conf_load(config, &conf, &err) ||
	    verdicts_open(&guard->verdicts, conf->guard.cache, &err) ||
	    greylist_open(&guard->greylist, GUARD_GREYLIST, &err) ||
	    history_open(&guard->history, GUARD_HISTORIES, &err) ||
	    open_resolver(guard, conf, &err))
		fail(err.text);
	score_rules_conf(&guard->rules.score, conf);
	escalation_rules_conf(&guard->rules.escalation, conf);
	guard->rules.ttl_min = conf->guard.ttl_min;
	guard->rules.ttl_max = conf->guard.ttl_max;
	guard->rules.timeout = conf->guard.timeout;
	conf_free(&conf);
}

static void close_guard(struct guard *guard)
{
	dnsbl_close(&guard->dnsbl);
	dns_resolver_close(&guard->resolver);
	uv_close((uv_handle_t *)&bench.feeder, NULL);
	uv_run(&guard->loop, UV_RUN_DEFAULT);
	uv_loop_close(&guard->loop);
	verdicts_close(&guard->verdicts);
	greylist_close(&guard->greylist);
	history_close(&guard->history);
}

/* The rounds */

static void feed(uv_prepare_t *feeder)
{
	struct guard *guard = &bench.guard;

	while (bench.next < bench.sources && guard->stats.under_way < bench.in_flight) {
		const struct addr addr = addr_from_ipv4(FIRST + bench.next++);
		struct newcomer newcomer = { .time = clock_mono() };

		memcpy(newcomer.source, addr.byte, sizeof(newcomer.source));
		guard_newcomer(&newcomer, guard);
	}
	guard_end_late(guard);
	if (bench.next == bench.sources && !guard->stats.under_way)
		uv_prepare_stop(feeder);
}

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / NS;
}

/* All sources once. */
static void run_round(struct times *times)
{
	const double seconds = seconds_of(CLOCK_MONOTONIC);
	const double cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);

	bench.next = 0;
	uv_prepare_start(&bench.feeder, feed);
	uv_run(&bench.guard.loop, UV_RUN_DEFAULT);
	times->seconds += seconds_of(CLOCK_MONOTONIC) - seconds;
	times->cpu += seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

static void forget(enum way way)
{
	for (int kind = GATE_LEARNED_KNOWN; way != KNOWN && kind < GATE_LEARNED_KINDS; kind++)
		gate_forget_kind(&bench.gate, (enum gate_learned_kind)kind);
	if (way == ASKED)
		verdicts_clear(bench.guard.verdicts);
}

static void print(const struct times *times, const struct guard_stats *before, uint64_t count)
{
	const struct guard_stats *guard = &bench.guard.stats;
	struct dns_stats dns;

	dns_resolver_stats(bench.guard.resolver, &dns);
	if (guard->evaluations + guard->known - before->evaluations - before->known != count)
		fail("not every newcomer was taken");
	printf("{\"count\": %llu, \"seconds\": %.6f, \"cpu\": %.6f, \"questions\": %llu, "
	       "\"queries\": %llu, \"timeouts\": %llu, \"temporary\": %llu, \"blocks\": %llu}\n",
	       (unsigned long long)count, times->seconds, times->cpu,
	       (unsigned long long)(dns.questions - before->dns.questions),
	       (unsigned long long)(dns.queries - before->dns.queries),
	       (unsigned long long)(dns.timeouts - before->dns.timeouts),
	       (unsigned long long)(guard->temporary - before->temporary),
	       (unsigned long long)(guard->blocks - before->blocks));
}

static enum way way_of(const char *text)
{
	for (int way = 0; way < WAYS; way++)
		if (strcmp(text, ways[way]) == 0)
			return (enum way)way;
	fail("no such way");
}

static void measure(enum way way, uint64_t rounds)
{
	struct times times = { 0 };
	struct guard_stats before;

	run_round(&times);
	before = bench.guard.stats;
	dns_resolver_stats(bench.guard.resolver, &before.dns);
	times = (struct times){ 0 };
	for (uint64_t i = 0; i < rounds; i++) {
		forget(way);
		run_round(&times);
	}
	print(&times, &before, rounds * bench.sources);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		fail("see the head of tests/lab/newcomers.c");
	bench.in_flight = (uint32_t)strtoul(argv[3], NULL, 10);
	bench.sources = (uint32_t)strtoul(argv[4], NULL, 10);
	if (!bench.in_flight || bench.in_flight > GUARD_LOOKUPS_MAX / 2 || !bench.sources ||
	    bench.sources > SOURCES_MAX)
		fail("an argument is out of its range");
	open_guard(&bench.guard, argv[1]);
	uv_prepare_init(&bench.guard.loop, &bench.feeder);
	measure(way_of(argv[2]), strtoul(argv[5], NULL, 10));
	close_guard(&bench.guard);
	return 0;
}
