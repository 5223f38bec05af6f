/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/spf/bench_resolver.c - evaluations of SPF, or questions to the DNS, as a worker of the
 * gateway makes them: on one loop, with a resolver that asks a real server. For bench_spf.py.
 *
 * So many evaluations are kept under way at once, each of a sender at a domain of its own
 * ("user@dN.SUFFIX"), so that no two ask the same question. After a first round, which fills the
 * cache if there is one, the time is taken of the given number. A question is for an A record of
 * one of those domains; they are asked in groups of GROUP, as the lists are for one client.
 *
 * usage: bench_resolver SERVER CACHE-ENTRIES spf IN-FLIGHT ROUNDS SUFFIX IP
 *        bench_resolver SERVER CACHE-ENTRIES dns GROUPS ROUNDS SUFFIX
 *
 * prints {"result": "pass", "count": n, "seconds": s, "cpu": s, "timeouts": n}: the result of all,
 * time, the processor's part of it, and queries that nobody answered in time
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "checks/spf.h"
#include "dns/resolver.h"
#include "lib/clock.h"

#define IN_FLIGHT_MAX 1000
#define GROUP         5
#define NAME_SIZE     80
#define NS            1e9
#define US            1e6

/* One that is under way. */
struct slot {
	uv_timer_t timer;
	struct spf *spf;
	char name[NAME_SIZE];
	unsigned int answers; /* that are missing of a group */
};

static struct {
	uv_loop_t loop;
	struct dns_resolver *resolver;
	struct dns *dns;
	struct addr ip;
	void (*begin)(struct slot *slot);
	unsigned long count, done;
	size_t slots, idle;
	struct slot slot[IN_FLIGHT_MAX];
	enum spf_result result;
} bench;

__attribute__((noreturn)) static void fail(const char *why)
{
	fprintf(stderr, "bench_resolver: %s\n", why);
	exit(1);
}

/* One is over: the next one begins in its place, while there are any. */
static void next(struct slot *slot)
{
	bench.done++;
	if (bench.done + bench.slots - bench.idle <= bench.count)
		bench.begin(slot);
	else
		bench.idle++;
	if (bench.idle == bench.slots)
		uv_stop(&bench.loop);
}

/* SPF */

static void on_timeout(uv_timer_t *timer)
{
	spf_timeout(((struct slot *)timer->data)->spf);
}

static void on_verdict(const struct spf_verdict *verdict, void *arg)
{
	struct slot *slot = arg;

	if (verdict->result != bench.result && bench.result != SPF_RESULTS)
		fail("the results differ");
	if (verdict->result == SPF_TEMPERROR)
		fail(verdict->problem);
	bench.result = verdict->result;
	uv_timer_stop(&slot->timer);
	spf_free(&slot->spf);
	next(slot);
}

static void begin_spf(struct slot *slot)
{
	const struct spf_request request = {
		.dns = bench.dns,
		.ip = bench.ip,
		.helo = "mx.bench.example",
		.from = slot->name,
		.explain = true,
	};

	slot->spf = spf_start(&request, on_verdict, slot);
	if (!slot->spf || spf_verdict(slot->spf))
		fail("a verdict without a question");
	uv_timer_start(&slot->timer, on_timeout, spf_wait(slot->spf), 0);
}

/* Questions */

static void on_answer(const struct dns_answer *answer, void *arg)
{
	struct slot *slot = arg;

	if (answer->status != DNS_FOUND)
		fail("no answer");
	if (!--slot->answers)
		next(slot);
}

/* The name of a slot has its number at the end of the first label, up to the GROUP-th after it. */
static void begin_dns(struct slot *slot)
{
	const size_t first = (size_t)(slot - bench.slot);

	slot->answers = GROUP;
	for (size_t i = 0; i < GROUP; i++)
		dns_ask(bench.dns, bench.slot[(first + i) % (bench.slots + GROUP)].name, DNS_A,
			on_answer, slot);
}

/* The run */

static double processor_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / US;
}

static void run(unsigned long count)
{
	bench.count = count;
	bench.done = bench.idle = 0;
	for (size_t i = 0; i < bench.slots; i++)
		bench.begin(&bench.slot[i]);
	uv_run(&bench.loop, UV_RUN_DEFAULT);
}

static void open_resolver(const char *server, const char *entries)
{
	struct dns_options options;
	struct error err;

	uv_loop_init(&bench.loop);
	if (dns_options_default(&options, &err) || dns_options_add_server(&options, server, &err))
		fail(err.text);
	options.rewrites_suffix = NULL;
	options.cache_entries = (uint32_t)strtoul(entries, NULL, 10);
	if (dns_resolver_open(&bench.loop, &options, &bench.resolver, &err))
		fail(err.text);
	bench.dns = dns_resolver_dns(bench.resolver);
}

static void name_slots(const char *prefix, const char *suffix)
{
	for (size_t i = 0; i < bench.slots + GROUP; i++) {
		snprintf(bench.slot[i].name, NAME_SIZE, "%sd%zu.%s", prefix, i, suffix);
		uv_timer_init(&bench.loop, &bench.slot[i].timer);
		bench.slot[i].timer.data = &bench.slot[i];
	}
}

int main(int argc, char **argv)
{
	const bool spf = argc == 8 && !strcmp(argv[3], "spf");
	struct dns_stats stats;
	uint64_t start;
	double used;

	if (!spf && (argc != 7 || strcmp(argv[3], "dns") != 0))
		fail("see the head of tests/spf/bench_resolver.c");
	bench.slots = strtoul(argv[4], NULL, 10);
	if (!bench.slots || bench.slots + GROUP > IN_FLIGHT_MAX ||
	    (spf && addr_parse(argv[7], strlen(argv[7]), &bench.ip, NULL) < 0))
		fail("an argument is out of its range");
	open_resolver(argv[1], argv[2]);
	name_slots(spf ? "user@" : "", argv[6]);
	bench.result = SPF_RESULTS;
	bench.begin = spf ? begin_spf : begin_dns;
	run(bench.slots);
	start = clock_mono();
	used = processor_seconds();
	run(strtoul(argv[5], NULL, 10));
	dns_resolver_stats(bench.resolver, &stats);
	printf("{\"result\": \"%s\", \"count\": %lu, \"seconds\": %.6f, \"cpu\": %.6f, "
	       "\"timeouts\": %llu}\n",
	       spf ? spf_result_name(bench.result) : "found", bench.done * (spf ? 1 : GROUP),
	       (double)(clock_mono() - start) / NS, processor_seconds() - used,
	       (unsigned long long)stats.timeouts);
	dns_resolver_close(&bench.resolver);
	uv_run(&bench.loop, UV_RUN_DEFAULT);
	return 0;
}
