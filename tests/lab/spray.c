/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/lab/spray.c - a flood of SYNs at up to what one CPU can send, from a list of sources in
 * turn.
 *
 * usage: spray OBJECT IFACE PEER-MAC DEST PORT SOURCES SECONDS RATE CPU
 *   OBJECT   build/tests/spray.bpf.o
 *   SOURCES  a file of IPv4 addresses, four bytes each, in network byte order
 *   RATE     SYNs a second; 0 as fast as they go
 *   CPU      the one that it runs on, and with it the receiver's side of a veth
 * prints {"sent": n, "seconds": s, "cpu": s}: the seconds lie between the first and the last frame,
 * and the CPU's time is that of the test run, with what the receiver does within it. One long
 * live-frame test run that a timer ends; stops early, and says so by its count, on SIGTERM.
 */
#define _GNU_SOURCE /* CPU_SET() */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/lab/spray.h"
#include "tests/lab/syn.h"

#define SECONDS_MAX   120
#define SOURCES_MAX   (1u << 20)
#define FRAMES_MAX    (1u << 31)
#define FRAMES_A_TIME 64 /* fewer than a veth's queue holds */

struct spray {
	struct bpf_object *object;
	struct bpf_program *program;
	uint8_t frame[SYN_FRAME_MAX];
	size_t length;
	double cpu; /* seconds */
};

static volatile sig_atomic_t stopped;

/* A signal ends the test run, which then fails with EINTR. */
static void stop(int number)
{
	stopped = number;
}

static uint32_t *read_sources(const char *path, uint32_t *count)
{
	FILE *file = fopen(path, "r");
	struct stat status;
	uint32_t *list;

	if (!file || fstat(fileno(file), &status) || status.st_size < 4)
		syn_fail("%s: %s", path, file ? "no sources" : strerror(errno));
	*count = (uint32_t)(status.st_size / 4 < SOURCES_MAX ? status.st_size / 4 : SOURCES_MAX);
	list = calloc(*count, sizeof(*list));
	if (!list || fread(list, sizeof(*list), *count, file) != *count)
		syn_fail("%s: cannot be read", path);
	fclose(file);
	return list;
}

/* An array's elements lie at every eighth byte. */
static void fill_sources(const struct spray *s, const uint32_t *list, uint32_t count)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(s->object, "sources");
	uint64_t *memory = mmap(NULL, count * sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED,
				bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		syn_fail("sources: %s", strerror(errno));
	for (uint32_t i = 0; i < count; i++)
		memory[i] = list[i];
	munmap(memory, count * sizeof(*memory));
}

static struct bpf_map *variables(const struct spray *s, const char *section)
{
	struct bpf_map *map = NULL;

	bpf_object__for_each_map(map, s->object)
	{
		if (strstr(bpf_map__name(map), section))
			return map;
	}
	syn_fail("the program has no %s", section);
}

static void load(struct spray *s, const char *path, const struct spray_orders *orders)
{
	struct bpf_program *other;

	s->object = bpf_object__open_file(path, NULL);
	if (!s->object)
		syn_fail("%s: %s", path, strerror(errno));
	s->program = bpf_object__find_program_by_name(s->object, "spray");
	bpf_object__for_each_program(other, s->object)
		bpf_program__set_autoload(other, other == s->program);
	bpf_map__set_initial_value(variables(s, ".rodata"), orders, sizeof(*orders));
	bpf_map__set_max_entries(bpf_object__find_map_by_name(s->object, "sources"),
				 orders->sources);
	if (bpf_object__load(s->object))
		syn_fail("%s: the kernel does not take it: %s", path, strerror(errno));
}

static void start_timer(double seconds)
{
	const struct itimerval timer = {
		.it_value = { (time_t)seconds, (suseconds_t)((seconds - (time_t)seconds) * 1e6) },
	};

	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	signal(SIGALRM, stop);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static double cpu_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void run(struct spray *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = s->frame,
		    .data_size_in = (uint32_t)s->length, .repeat = (int)(FRAMES_MAX - 1),
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = FRAMES_A_TIME);
	int result;

	s->cpu = -cpu_seconds();
	do
		result = bpf_prog_test_run_opts(bpf_program__fd(s->program), &options);
	while (!result && !stopped);
	s->cpu += cpu_seconds();
	if (result && result != -EINTR)
		syn_fail("test run: %s", strerror(-result));
}

static void use_cpu(const char *text)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)atoi(text), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		syn_fail("CPU %s: %s", text, strerror(errno));
}

static struct spray_counts counts_of(const struct spray *s)
{
	struct spray_counts counts;
	const uint32_t zero = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(variables(s, ".bss")), &zero, &counts))
		syn_fail("counts: %s", strerror(errno));
	return counts;
}

/* Again if the time was over before it had begun, as on a machine that does much else. */
static void spray_for(struct spray *s, double seconds)
{
	struct spray_counts counts;

	do {
		stopped = 0;
		start_timer(seconds);
		run(s);
		counts = counts_of(s);
	} while (stopped == SIGALRM && counts.last_ns <= counts.first_ns);
}

static void report(const struct spray *s)
{
	const struct spray_counts counts = counts_of(s);

	printf("{\"sent\": %llu, \"seconds\": %.6f, \"cpu\": %.6f}\n", counts.sent,
	       (double)(counts.last_ns - counts.first_ns) / 1e9, s->cpu);
}

int main(int argc, char **argv)
{
	struct spray_orders orders = { 0 };
	struct spray s = { 0 };
	struct addr source, dest;
	struct syn_link link;
	double seconds, rate;
	uint32_t *list;

	if (argc != 10)
		syn_fail("usage: spray OBJECT IFACE PEER-MAC DEST PORT SOURCES SECONDS RATE CPU");
	syn_open(&link, argv[2], argv[3]);
	seconds = strtod(argv[7], NULL);
	rate = strtod(argv[8], NULL);
	if (seconds <= 0 || seconds > SECONDS_MAX)
		syn_fail("at most %d seconds", SECONDS_MAX);
	source = addr_from_ipv4(0);
	dest = syn_addr(argv[4]);
	s.length = syn_build(&link, &source, 0, &dest, (uint16_t)atoi(argv[5]), 0, s.frame);
	list = read_sources(argv[6], &orders.sources);
	orders.ifindex = (uint32_t)link.ifindex;
	orders.interval_ns = rate > 0 ? (uint64_t)(1e9 / rate) : 0;
	load(&s, argv[1], &orders);
	fill_sources(&s, list, orders.sources);
	free(list);
	use_cpu(argv[9]);
	spray_for(&s, seconds);
	report(&s);
	bpf_object__close(s.object);
	return 0;
}
