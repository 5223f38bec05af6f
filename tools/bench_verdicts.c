/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_verdicts.c - how often a second a worker finds a verdict, and what a verdict takes.
 *
 * For each number of verdicts: finds that hit and that miss, alone and while one other thread puts
 * verdicts as fast as it can, and these puts. Rates are over the CPU time of the thread that is
 * measured, so they are those of a core, whatever else runs; that of liburcu's thread which frees
 * what was replaced is not in them. Addresses are taken in random order, so nothing is warm that
 * would not be. Memory is what malloc() says (mallinfo2) and what is resident, over the number of
 * verdicts, with the table's own; the table is exactly as large as it has verdicts. All goes to
 * build/bench/verdicts.json.
 *
 * usage: bench_verdicts [VERDICTS...]     instead of 100000 and 1000000
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "maps/mix.h"
#include "policy/verdicts.h"
#include "tools/bench_json.h"

#define RUNS      7
#define FINDS     500000u /* of a run */
#define PUTS      200000u /* likewise */
#define SIZES_MAX 8
#define NOW       1u
#define UNTIL     1000000u

struct bench {
	struct bench_json *json;
	struct verdicts *verdicts;
	uint32_t count;
	char subject[32];
	uint64_t random;
	atomic_bool stop;
};

static void give_up(const char *what)
{
	fprintf(stderr, "bench_verdicts: %s\n", what);
	exit(1);
}

/* Of CPU time of this thread. */
static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t next_random(uint64_t *random)
{
	*random += 0x9e3779b97f4a7c15ull;
	return mix64(*random);
}

/* Two of three are IPv4. */
static struct addr addr_of(uint64_t number)
{
	if (number % 3)
		return addr_from_ipv4((uint32_t)number * 2654435761u);
	return addr_from_halves(0x20010db800000000ull | number, mix64(number));
}

static void put(struct bench *bench, uint64_t number)
{
	const struct verdict verdict = { .addr = addr_of(number), .made = NOW, .until = UNTIL };

	if (!verdicts_put(bench->verdicts, &verdict, NOW))
		give_up("out of memory");
}

static double run_finds(struct bench *bench, bool hit)
{
	const uint64_t first = hit ? 0 : bench->count;
	struct verdict verdict;
	uint32_t hits = 0;
	double time;

	time = seconds();
	for (uint32_t i = 0; i < FINDS; i++) {
		const struct addr addr =
			addr_of(first + next_random(&bench->random) % bench->count);

		hits += verdicts_find(bench->verdicts, &addr, NOW, &verdict);
	}
	time = seconds() - time;
	if (hits != (hit ? FINDS : 0))
		give_up("a verdict was found that is not there, or the other way round");
	return FINDS / time;
}

/* Each replaces one. */
static double run_puts(struct bench *bench)
{
	double time = seconds();

	for (uint32_t i = 0; i < PUTS; i++)
		put(bench, next_random(&bench->random) % bench->count);
	return PUTS / (seconds() - time);
}

static void *write_all_the_time(void *arg)
{
	struct bench *bench = arg;
	uint64_t random = 1;

	while (!atomic_load_explicit(&bench->stop, memory_order_relaxed))
		put(bench, next_random(&random) % bench->count);
	return NULL;
}

static void add(const struct bench *bench, const char *name, const char *unit, const double *values,
		int runs)
{
	const struct bench_figure figure =
		bench_figure_of(name, unit, bench->subject, values, runs);

	bench_json_add(bench->json, &figure);
}

static void measure_finds(struct bench *bench, const char *hit_name, const char *miss_name)
{
	double hit[RUNS], miss[RUNS];

	for (int run = 0; run < RUNS; run++) {
		hit[run] = run_finds(bench, true);
		miss[run] = run_finds(bench, false);
	}
	add(bench, hit_name, "finds/s", hit, RUNS);
	add(bench, miss_name, "finds/s", miss, RUNS);
}

static void measure_beside_writer(struct bench *bench)
{
	pthread_t writer;

	atomic_store(&bench->stop, false);
	if (pthread_create(&writer, NULL, write_all_the_time, bench))
		give_up("no thread");
	measure_finds(bench, "find, hit, one writer", "find, miss, one writer");
	atomic_store(&bench->stop, true);
	pthread_join(writer, NULL);
}

static void measure_puts(struct bench *bench)
{
	double puts[RUNS];

	for (int run = 0; run < RUNS; run++)
		puts[run] = run_puts(bench);
	add(bench, "put, replaces", "puts/s", puts, RUNS);
}

struct memory {
	double malloced, resident; /* bytes */
};

static struct memory memory_now(void)
{
	const struct mallinfo2 info = mallinfo2();
	FILE *file = fopen("/proc/self/statm", "r");
	struct memory memory;
	unsigned long pages = 0;

	if (!file || fscanf(file, "%*u %lu", &pages) != 1) /* NOLINT(cert-err34-c) */
		give_up("/proc/self/statm cannot be read");
	fclose(file);
	memory.malloced = (double)(info.uordblks + info.hblkhd);
	memory.resident = (double)pages * (double)sysconf(_SC_PAGESIZE);
	return memory;
}

/* Fills the table and says what that took. */
static void measure_memory(struct bench *bench)
{
	const struct memory before = memory_now();
	struct verdicts_stats stats;
	struct memory after;
	struct error err;
	double bytes;

	if (verdicts_open(&bench->verdicts, bench->count, &err))
		give_up(err.text);
	for (uint32_t i = 0; i < bench->count; i++)
		put(bench, i);
	after = memory_now();
	verdicts_stats(bench->verdicts, &stats);
	if (stats.entries != bench->count)
		give_up("some addresses are the same");
	bytes = (after.malloced - before.malloced) / bench->count;
	add(bench, "memory, mallinfo2", "bytes/verdict", &bytes, 1);
	bytes = (after.resident - before.resident) / bench->count;
	add(bench, "memory, resident", "bytes/verdict", &bytes, 1);
	bytes = (double)stats.bytes / bench->count;
	add(bench, "memory, as told", "bytes/verdict", &bytes, 1);
}

static void bench_size(struct bench_json *json, uint32_t count)
{
	struct bench bench = { .json = json, .count = count, .random = count };

	snprintf(bench.subject, sizeof(bench.subject), "%u verdicts", count);
	measure_memory(&bench);
	measure_finds(&bench, "find, hit", "find, miss");
	measure_beside_writer(&bench);
	measure_puts(&bench);
	verdicts_close(&bench.verdicts);
	sleep(1);       /* liburcu's thread frees all of them, */
	malloc_trim(0); /* and the next size begins where this one did */
}

int main(int argc, char **argv)
{
	uint32_t sizes[SIZES_MAX] = { 100000, 1000000 };
	struct bench_json json = { .list = NULL };
	int count = 2;

	if (argc > 1)
		for (count = 0; count < argc - 1 && count < SIZES_MAX; count++)
			sizes[count] = (uint32_t)strtoul(argv[count + 1], NULL, 10);
	bench_json_open(&json, "verdicts");
	for (int i = 0; i < count; i++)
		bench_size(&json, sizes[i] ? sizes[i] : 1);
	return bench_json_close(&json);
}
