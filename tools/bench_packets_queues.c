/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets_queues.c - the program on two CPUs at once, as with two queues of an
 * interface: nanoseconds a packet on one of them alone, on both, and the quotient. 2.0 is what two
 * CPUs can do that do not meet anywhere; two hyper-threads of one core share more than lines.
 *
 * Each CPU has sources of its own from the same set. A figure is the minimum of RUNS, because a
 * CPU that is taken away for a while spoils both.
 */
#define _GNU_SOURCE /* CPU_SET, pthread_setaffinity_np */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "tools/bench_packets_scenes.h"

#define CPUS    2
#define PACKETS (1u << 19)
#define K       1000u

static const struct scene scenes[] = {
	{ .figure = "hit", .program = "bench_gate_serial" },
	{ .figure = "miss", .other = true, .program = "bench_gate_serial", .flood = FLOOD_COUNTED },
	{ .figure = "miss, limits, 100 K sources",
	  .other = true,
	  .flood = FLOOD_COUNTED,
	  .limits = LIMITS_CHARGED,
	  .sources = 100 * K,
	  .program = "bench_gate_serial" },
	{ .figure = "miss, limits, 1 source",
	  .other = true,
	  .flood = FLOOD_COUNTED,
	  .limits = LIMITS_CHARGED,
	  .sources = 1,
	  .program = "bench_gate_serial" },
	{ .figure = "SYN cookie", .other = true, .flood = FLOOD_ON, .program = "bench_answer" },
};

struct queue {
	int cpu, program;
	const struct question *question;
	pthread_barrier_t *start;
	double ns;
	pthread_t thread;
};

static void *run_queue(void *arg)
{
	struct queue *queue = arg;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = queue->question->byte,
		    .data_size_in = queue->question->length, .repeat = (int)PACKETS);
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(queue->cpu, &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	pthread_barrier_wait(queue->start);
	if (bpf_prog_test_run_opts(queue->program, &options))
		give_up("a test run");
	queue->ns = options.duration;
	return NULL;
}

/* Nanoseconds a packet: the mean of the CPUs. */
static double run_at_once(const struct stage *stage, const struct scene *scene, unsigned int count)
{
	const struct bpf_program *program = gate_bench_program(stage->gate, scene->program);
	struct queue queue[CPUS];
	pthread_barrier_t start;
	double sum = 0;

	stage_set(stage, scene);
	pthread_barrier_init(&start, NULL, count);
	for (unsigned int i = 0; i < count; i++) {
		queue[i] = (struct queue){ .cpu = (int)i,
					   .program = bpf_program__fd(program),
					   .question = stage->shared->question,
					   .start = &start };
		if (pthread_create(&queue[i].thread, NULL, run_queue, &queue[i]))
			give_up("a thread");
	}
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(queue[i].thread, NULL);
		sum += queue[i].ns;
	}
	pthread_barrier_destroy(&start);
	return sum / count;
}

static void add(struct bench_json *json, const char *scene, const char *what, const char *unit,
		double value)
{
	char figure[64];
	struct bench_figure f;

	snprintf(figure, sizeof(figure), "%s, %s", scene, what);
	f = bench_figure_of(figure, unit, "IPv4, queues", &value, 1);
	bench_json_add(json, &f);
}

static void bench_scene(const struct stage *stage, const struct scene *scene,
			struct bench_json *json)
{
	double one[RUNS], two[RUNS];
	struct bench_figure alone, both;

	for (int run = 0; run < RUNS; run++) {
		one[run] = run_at_once(stage, scene, 1);
		two[run] = run_at_once(stage, scene, CPUS);
	}
	alone = bench_figure_of("", "", "", one, RUNS);
	both = bench_figure_of("", "", "", two, RUNS);
	add(json, scene->figure, "1 CPU", "ns/packet", alone.min);
	add(json, scene->figure, "2 CPUs", "ns/packet", both.min);
	add(json, scene->figure, "2 CPUs over 1", "times", CPUS * alone.min / both.min);
}

void bench_queues(const struct stage *stage, struct bench_json *json)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < CPUS)
		return;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		bench_scene(stage, &scenes[i], json);
}
