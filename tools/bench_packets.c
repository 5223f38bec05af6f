/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets.c - nanoseconds a packet of the whole XDP program, by BPF_PROG_TEST_RUN.
 *
 * For each family, kind and size of list: packets that end at the parser (to another port, or of an
 * established connection), a listed source (hit), one that is not listed (miss), and a miss that is
 * charged to its limits, with a million random sources in turn. Beside them stand a bare XDP_DROP,
 * one with the same rotation of sources, one load from the same memory, and the kernel's hash of
 * exact addresses and its LPM trie with the same entries behind the same parser. "overlapping" lets
 * the processor work on the next packet while the last one waits for memory, as in a tight loop;
 * "serial" does not (bpf/bench_round.h). At the end the figures are compared with what is wanted of
 * them; that is information, never a failure. All goes to build/bench/packets.json.
 *
 * Runs as root. Every figure is the median of RUNS runs, which take turns with all others of a
 * list. usage: bench_packets [ENTRIES...]     instead of 10000, 1000000 and 10000000; 0 is no list
 * of these, only the answers
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "tools/bench_packets.h"

#define PACKETS     (SOURCES / 2)  /* of a run */
#define PACKETS_LPM (SOURCES / 16) /* which is slower by so much */
#define SIZES_MAX   8

static struct measure *plan_add(struct plan *plan, const char *figure, const char *way,
				const struct bpf_program *program, int expected)
{
	struct measure *m = &plan->measure[plan->count];

	if (plan->count++ == MEASURES_MAX || !program)
		give_up("no such figure");
	*m = (struct measure){ .program = program, .expected = expected, .packets = PACKETS };
	snprintf(m->figure, sizeof(m->figure), "%s%s", figure, way);
	return m;
}

static void plan_gate(struct plan *plan, const struct gate_bench *gate, bool ipv4, bool serial)
{
	const char *way = serial ? ", serial" : ", overlapping";
	const struct bpf_program *program;

	program = gate_bench_program(gate, serial ? "bench_drop_serial" : "bench_drop");
	plan_add(plan, "XDP_DROP", way, program, XDP_DROP);
	program = gate_bench_program(gate, ipv4 ? (serial ? "bench_load4_serial" : "bench_load4")
						: (serial ? "bench_load6_serial" : "bench_load6"));
	plan_add(plan, "one load", way, program, XDP_DROP);
	program = gate_bench_program(gate, serial ? "bench_gate_serial" : "bench_gate");
	plan_add(plan, "parse, other port", way, program, XDP_PASS)->frame = FRAME_OTHER_PORT;
	plan_add(plan, "parse, established", way, program, XDP_PASS)->frame = FRAME_ESTABLISHED;
	plan_add(plan, "hit", way, program, XDP_DROP);
	plan_add(plan, "miss", way, program, XDP_PASS)->set = SET_OTHER;
	plan_add(plan, "miss with limits", way, program, XDP_PASS)->set = SET_OTHER;
	plan->measure[plan->count - 1].limited = true;
}

static void plan_peer(struct plan *plan, const struct peers *peers, const char *name,
		      const char *figure, uint32_t packets)
{
	static const char *const way[] = { ", overlapping", ", serial" };
	char serial[32], text[48];

	snprintf(serial, sizeof(serial), "%s_serial", name);
	for (int i = 0; i < 2; i++) {
		const struct bpf_program *program = peers_program(peers, i ? serial : name);
		struct measure *m;

		snprintf(text, sizeof(text), "%s hit", figure);
		plan_add(plan, text, way[i], program, XDP_DROP)->packets = packets;
		snprintf(text, sizeof(text), "%s miss", figure);
		m = plan_add(plan, text, way[i], program, XDP_PASS);
		m->packets = packets;
		m->set = SET_OTHER;
	}
}

static void report(const struct plan *plan, const struct list *list, uint32_t entries,
		   struct bench_json *json, struct results *results)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct measure *m = &plan->measure[i];
		struct bench_figure figure;

		figure = bench_figure_of(m->figure, "ns/packet", list->subject, m->ns, RUNS);
		bench_json_add(json, &figure);
		results_add(results, list, entries, &figure);
	}
}

/* All figures of one list. The peers are made anew for each, because their size is fixed. */
static void bench_list(struct gate_bench *gate, struct shared *shared, struct list *list,
		       struct bench_json *json, struct results *results)
{
	const uint32_t entries = list->entries;
	struct plan plan = { .count = 0 };
	struct bench_figure figure;
	struct peers *peers;
	double chase[RUNS];

	gate_bench_fill(gate, shared, list);
	peers = peers_open(gate, list);
	plan_add(&plan, "bare XDP_DROP", "", gate_bench_program(gate, "bench_bare_drop"), XDP_DROP);
	plan_gate(&plan, gate, list->ipv4, false);
	plan_gate(&plan, gate, list->ipv4, true);
	if (peers_fill_hash(peers, list))
		plan_peer(&plan, peers, "peer_hash", "BPF hash", PACKETS);
	if (peers_fill_lpm(peers, list))
		plan_peer(&plan, peers, "peer_lpm", "LPM trie", PACKETS_LPM);
	measure_plan(&plan, shared, list->ipv4);
	for (int run = 0; run < RUNS; run++)
		chase[run] = gate_bench_chase(gate, shared, list->ipv4);
	report(&plan, list, entries, json, results);
	figure =
		bench_figure_of("one load after another, no BPF", "ns", list->subject, chase, RUNS);
	bench_json_add(json, &figure);
	peers_close(&peers);
	free(list->prefix);
}

static void bench_size(uint32_t entries, struct bench_json *json, struct results *results)
{
	struct shared shared = { .random = 1 };
	struct gate_bench *gate = gate_bench_open(&shared, entries);

	for (int kind = 0; kind < 4; kind++) {
		struct list list = {
			.ipv4 = kind < 2,
			.mixed = kind & 1,
			.action = ACTION_DROP,
			.entries = entries,
		};

		snprintf(list.subject, sizeof(list.subject), "%s, %u %s",
			 list.ipv4 ? "IPv4" : "IPv6", entries, list.mixed ? "mixed" : "addresses");
		bench_list(gate, &shared, &list, json, results);
	}
	gate_bench_close(&gate);
}

int main(int argc, char **argv)
{
	uint32_t sizes[SIZES_MAX] = { 10000, 1000000, 10000000 };
	static struct results results;
	struct bench_json json;
	int count = 3;

	if (argc > 1)
		for (count = 0; count < argc - 1 && count < SIZES_MAX; count++)
			sizes[count] = (uint32_t)strtoul(argv[count + 1], NULL, 10);
	bench_answers_listen();
	bench_json_open(&json, "packets");
	for (int i = 0; i < count; i++)
		if (sizes[i])
			bench_size(sizes[i], &json, &results);
	bench_answers(&json);
	results_judge(&results, &json);
	return bench_json_close(&json);
}
