/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets.h - shared by the parts of tools/bench_packets.c: what is measured over which
 * list, and with what.
 */
#ifndef POSTERN_TOOLS_BENCH_PACKETS_H
#define POSTERN_TOOLS_BENCH_PACKETS_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#include "lib/addr.h"
#include "maps/learned.h"
#include "maps/settings.h"
#include "tools/bench_json.h"

/* As in bpf/bench_round.h. */
#define SOURCES (1u << 20)
enum source_set { SET_LISTED, SET_OTHER, SOURCE_SETS };

struct source {
	uint8_t byte[16];
};

#define TURN_CPUS 64
struct turn {
	uint64_t count;
	uint64_t set;
	uint64_t pad[6];
};

/* As in bpf/bench_question.h. */
#define QUESTION_MAX 96
struct question {
	uint8_t pad[6];
	uint8_t byte[QUESTION_MAX + 2];
	uint32_t length;
	uint32_t acknowledges;
	uint32_t pad2[4];
};

/* What is listed. `mixed`: of ten entries three are networks; otherwise all are addresses. */
struct list {
	bool ipv4, mixed;
	enum action action;
	uint32_t entries; /* asked for, and in `prefix` afterwards those that had room */
	struct prefix *prefix;
	char subject[64];
};

/* The memory that all programs share. */
struct shared {
	struct settings *settings;
	struct source *sources; /* SOURCE_SETS times SOURCES */
	struct turn *turn;      /* TURN_CPUS of them */
	struct question *question;
	struct meter_line *meter; /* METER_LINES of them */
	struct flood_port *flood;
	struct proved_line *proved;
	struct learned_line *learned;
	uint64_t random;
};

uint64_t next_random(struct shared *shared);
/* Begins a set of sources: each CPU at another place. */
void turn_begin(const struct shared *shared, enum source_set set);
void *map_memory(const struct bpf_map *map);
void give_up(const char *what) __attribute__((noreturn));

/* As for the default of table.sources. */
#define METER_BITS  16
#define METER_LINES (1u << METER_BITS)

/* The gate: loads the program for so many entries, fills the table and the sources. */
struct gate_bench;
struct gate_bench *gate_bench_open(struct shared *shared, uint32_t capacity);
void gate_bench_fill(struct gate_bench *gate, struct shared *shared, struct list *list);
/* Nanoseconds of a load that waits for the one before it, from the buckets of this list's family.
 */
double gate_bench_chase(const struct gate_bench *gate, struct shared *shared, bool ipv4);
int gate_bench_map(const struct gate_bench *gate, const char *name);
const struct bpf_program *gate_bench_program(const struct gate_bench *gate, const char *name);
void gate_bench_close(struct gate_bench **gate);

/* The kernel's own maps with the same entries. */
struct peers;
struct peers *peers_open(const struct gate_bench *gate, const struct list *list);
/* Fills one; false if it takes longer than the budget, or is not what this list could be held in.
 */
bool peers_fill_hash(struct peers *peers, const struct list *list);
bool peers_fill_lpm(struct peers *peers, const struct list *list);
const struct bpf_program *peers_program(const struct peers *peers, const char *name);
void peers_close(struct peers **peers);

/* One figure: a program over one of the sets of sources. */
#define RUNS         11
#define MEASURES_MAX 32

enum frame_kind { FRAME_SYN, FRAME_OTHER_PORT, FRAME_ESTABLISHED };

struct measure {
	char figure[48];
	const struct bpf_program *program;
	enum frame_kind frame;
	enum source_set set;
	int expected; /* XDP_DROP or XDP_PASS */
	bool limited; /* with limits that are charged and never reached */
	uint32_t packets;
	double ns[RUNS];
};

struct plan {
	struct measure measure[MEASURES_MAX];
	size_t count;
};

void measure_plan(struct plan *plan, const struct shared *shared, bool ipv4);

/* Answers, limits and floods, with a list of each action: see tools/bench_packets_answers.c. */
void bench_answers(struct bench_json *json);
/* The network that its listener is in, for good: to be called before anything is loaded. */
void bench_answers_listen(void);

/* The medians, to be compared with what is wanted of them. */
#define RESULTS_MAX 512

struct result {
	bool ipv4, mixed;
	uint32_t entries;
	char figure[48];
	double value;
};

struct results {
	struct result result[RESULTS_MAX];
	size_t count;
};

void results_add(struct results *results, const struct list *list, uint32_t entries,
		 const struct bench_figure *figure);
void results_judge(const struct results *results, struct bench_json *json);
/* Nanoseconds of an answer, without the question. */
void judge_answer(const char *figure, double value, double limit, struct bench_json *json);

#endif
