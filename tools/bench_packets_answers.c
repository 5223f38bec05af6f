/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets_answers.c - what answers, limits and floods cost: the SYN cookie, the refusal
 * of a SYN and of the segment after it, the tarpit, the reset; misses that are charged to the
 * limits of a configuration without options, from more and more sources; sources that are over
 * their rate; a proved source in a flood. Beside them stands what the kernel's cookie helpers cost.
 *
 * All are "serial" (bpf/bench_round.h). Those whose frame becomes an answer write the question anew
 * for each packet (bpf/bench_question.h); "question alone" is what that costs, and "cut and back"
 * what moving the frame's end adds. The judgement at the end subtracts the first and not the
 * second, so it is a little too hard on the answers. No agent reads the events meanwhile: the ring
 * is full, and the budget for them spent.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "tools/bench_packets.h"
#include "tools/bench_packets_scenes.h"

#define ENTRIES  1000000
#define PACKETS  (1u << 17) /* of a run of most scenes */
#define MANY     (1u << 19) /* of one with many sources */
#define AT_LARGE 0          /* expected: not looked at */
#define K        1000u
#define M        1000000u

#define QUESTION_ALONE "question alone"
#define PARSE          "question, parse, other port"
#define RAW_COOKIE     "kernel's raw cookie"
#define SOCKET_COOKIE  "listener and its cookie"

/* The sources are on a list whose entries say ... */
static const struct scene of_drop[] = {
	{ .figure = QUESTION_ALONE, .expected = XDP_DROP, .program = "bench_question" },
	{ .figure = "question, cut and back", .expected = XDP_TX, .program = "bench_cut" },
	{ .figure = RAW_COOKIE, .expected = XDP_DROP, .program = "bench_raw_cookie", .ipv4 = true },
	{ .figure = SOCKET_COOKIE,
	  .expected = XDP_DROP,
	  .program = "bench_socket_cookie",
	  .ipv4 = true },
	{ .figure = PARSE, .expected = XDP_PASS, .port = 22 },
	{ .figure = "SYN cookie",
	  .expected = XDP_TX,
	  .other = true,
	  .flood = FLOOD_ON,
	  .judged = true },
	{ .figure = "proved source in a flood",
	  .expected = XDP_PASS,
	  .other = true,
	  .flood = FLOOD_ON,
	  .sources = 10 * K,
	  .proved = true,
	  .limits = LIMITS_CHARGED },
	{ .figure = "drop 1", .expected = XDP_DROP, .program = "bench_drop_serial" },
	{ .figure = "parse, established",
	  .expected = XDP_PASS,
	  .flags = FLAG_ACK,
	  .program = "bench_gate_serial" },
	{ .figure = "hit, drop", .expected = XDP_DROP, .program = "bench_gate_serial" },
	{ .figure = "miss", .expected = XDP_PASS, .other = true, .program = "bench_gate_serial" },
	{ .figure = "miss, floods counted",
	  .expected = XDP_PASS,
	  .other = true,
	  .flood = FLOOD_COUNTED,
	  .program = "bench_gate_serial" },
	{ .figure = "miss, limits, 1 K sources",
	  .expected = XDP_PASS,
	  .other = true,
	  .flood = FLOOD_COUNTED,
	  .limits = LIMITS_CHARGED,
	  .sources = K,
	  .program = "bench_gate_serial" },
	{ .figure = "miss, limits, 10 K sources",
	  .expected = XDP_PASS,
	  .other = true,
	  .flood = FLOOD_COUNTED,
	  .limits = LIMITS_CHARGED,
	  .sources = 10 * K,
	  .program = "bench_gate_serial" },
	{ .figure = "miss, limits, 100 K sources",
	  .expected = XDP_PASS,
	  .other = true,
	  .flood = FLOOD_COUNTED,
	  .limits = LIMITS_CHARGED,
	  .sources = 100 * K,
	  .program = "bench_gate_serial",
	  .packets = MANY },
	{ .figure = "the same, precise clock",
	  .expected = XDP_PASS,
	  .other = true,
	  .flood = FLOOD_COUNTED,
	  .limits = LIMITS_CHARGED,
	  .sources = 100 * K,
	  .precise = true,
	  .program = "bench_gate_serial",
	  .packets = MANY },
	{ .figure = "miss, limits, 1 M sources",
	  .expected = XDP_PASS,
	  .other = true,
	  .flood = FLOOD_COUNTED,
	  .limits = LIMITS_CHARGED,
	  .sources = M,
	  .program = "bench_gate_serial",
	  .packets = MANY },
	{ .figure = "miss, evidence, 100 K sources, nothing known",
	  .expected = XDP_PASS,
	  .other = true,
	  .sources = 100 * K,
	  .evidence = EVIDENCE_ON,
	  .program = "bench_gate_serial",
	  .packets = MANY },
	{ .figure = "miss, evidence, 100 K sources, known",
	  .expected = XDP_PASS,
	  .other = true,
	  .sources = 100 * K,
	  .evidence = EVIDENCE_KNOWN,
	  .program = "bench_gate_serial",
	  .packets = MANY },
	{ .figure = "miss, evidence, 1 K sources, known",
	  .expected = XDP_PASS,
	  .other = true,
	  .sources = K,
	  .evidence = EVIDENCE_KNOWN,
	  .program = "bench_gate_serial" },
	{ .figure = "learned hit, drop, 100 K sources",
	  .expected = XDP_DROP,
	  .other = true,
	  .sources = 100 * K,
	  .evidence = EVIDENCE_BLOCKED,
	  .program = "bench_gate_serial",
	  .packets = MANY },
	{ .figure = "established, a limit reached, 1 K sources",
	  .expected = XDP_PASS,
	  .other = true,
	  .sources = K,
	  .flags = FLAG_ACK,
	  .limits = LIMITS_CHARGED,
	  .full = true,
	  .program = "bench_gate_serial" },
	{ .figure = "established, a limit reached, 100 K sources",
	  .expected = XDP_PASS,
	  .other = true,
	  .sources = 100 * K,
	  .flags = FLAG_ACK,
	  .limits = LIMITS_CHARGED,
	  .full = true,
	  .program = "bench_gate_serial",
	  .packets = MANY },
	{ .figure = "over the rate, 100 K sources",
	  .expected = AT_LARGE,
	  .other = true,
	  .flood = FLOOD_COUNTED,
	  .limits = LIMITS_EXCEEDED,
	  .sources = 100 * K,
	  .program = "bench_gate_serial",
	  .packets = MANY },
};

static const struct scene of_reset[] = {
	{ .figure = QUESTION_ALONE, .expected = XDP_DROP, .program = "bench_question" },
	{ .figure = "reset", .expected = XDP_TX, .judged = true },
};

static const struct scene of_refuse[] = {
	{ .figure = QUESTION_ALONE, .expected = XDP_DROP, .program = "bench_question" },
	{ .figure = "refuse, SYN", .expected = XDP_TX, .judged = true },
	{ .figure = "refuse, ACK and 554", .expected = XDP_TX, .flags = FLAG_ACK, .judged = true },
	{ .figure = "segment of somebody else",
	  .expected = XDP_PASS,
	  .flags = FLAG_ACK,
	  .other = true },
};

static const struct scene of_tarpit[] = {
	{ .figure = QUESTION_ALONE, .expected = XDP_DROP, .program = "bench_question" },
	{ .figure = "tarpit, SYN", .expected = XDP_TX, .judged = true },
	{ .figure = "tarpit, probe",
	  .expected = XDP_TX,
	  .flags = FLAG_ACK,
	  .probe = true,
	  .judged = true },
};

struct act {
	enum action action;
	const struct scene *scene;
	size_t count;
};

#define ACT(action, scenes)                                                                        \
	{                                                                                          \
		action, scenes, sizeof(scenes) / sizeof(scenes[0])                                 \
	}

static const struct act acts[] = {
	ACT(ACTION_DROP, of_drop),
	ACT(ACTION_RESET, of_reset),
	ACT(ACTION_REFUSE, of_refuse),
	ACT(ACTION_TARPIT, of_tarpit),
};

static double run_scene(const struct stage *stage, const struct scene *scene)
{
	const char *name = scene->program ? scene->program : "bench_answer";
	struct question *q = stage->shared->question;
	uint8_t out[QUESTION_MAX + 256];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = q->byte, .data_out = out,
		    .data_size_out = sizeof(out),
		    .repeat = (int)(scene->packets ? scene->packets : PACKETS));

	stage_set(stage, scene);
	options.data_size_in = q->length;
	if (bpf_prog_test_run_opts(bpf_program__fd(gate_bench_program(stage->gate, name)),
				   &options))
		give_up(name);
	if (scene->expected && (int)options.retval != scene->expected) {
		fprintf(stderr, "bench_packets: %s answered %u instead of %d\n", scene->figure,
			options.retval, scene->expected);
		exit(1);
	}
	return options.duration;
}

static double median_of(const struct act *act, double ns[][RUNS], const char *figure)
{
	for (size_t i = 0; i < act->count; i++)
		if (!strcmp(act->scene[i].figure, figure))
			return bench_figure_of("", "", "", ns[i], RUNS).value;
	return 0;
}

/* What the answers are measured by: what the kernel's helpers and the parse cost. */
struct yardstick {
	double raw_cookie, socket_cookie, parse;
};

static void judge_act(const struct act *act, double ns[][RUNS], struct yardstick *by,
		      struct bench_json *json)
{
	const double alone = median_of(act, ns, QUESTION_ALONE);

	if (act->action == ACTION_DROP && median_of(act, ns, RAW_COOKIE) > 0)
		*by = (struct yardstick){
			.raw_cookie = median_of(act, ns, RAW_COOKIE) - alone,
			.socket_cookie = median_of(act, ns, SOCKET_COOKIE) - alone,
			.parse = median_of(act, ns, PARSE) - alone,
		};
	for (size_t i = 0; i < act->count; i++)
		if (act->scene[i].judged)
			judge_answer(act->scene[i].figure,
				     median_of(act, ns, act->scene[i].figure) - alone,
				     2 * by->raw_cookie + by->parse, json);
}

static void run_act(const struct stage *stage, const struct act *act, struct yardstick *by,
		    struct bench_json *json)
{
	static double ns[sizeof(of_drop) / sizeof(of_drop[0])][RUNS];
	struct bench_figure figure;

	for (int run = 0; run < RUNS; run++)
		for (size_t i = 0; i < act->count; i++)
			if (stage->ipv4 || !act->scene[i].ipv4)
				ns[i][run] = run_scene(stage, &act->scene[i]);
	for (size_t i = 0; i < act->count; i++) {
		if (!stage->ipv4 && act->scene[i].ipv4)
			continue;
		figure = bench_figure_of(act->scene[i].figure, "ns/packet",
					 stage->ipv4 ? "IPv4, answers" : "IPv6, answers", ns[i],
					 RUNS);
		bench_json_add(json, &figure);
	}
	if (stage->ipv4)
		judge_act(act, ns, by, json);
}

void bench_answers(struct bench_json *json)
{
	struct shared shared = { .random = 1 };
	struct stage stage = { .gate = gate_bench_open(&shared, ENTRIES), .shared = &shared };
	struct yardstick by = { 0 };

	for (int family = 0; family < 2; family++) {
		stage.ipv4 = !family;
		for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
			struct list list = { .ipv4 = stage.ipv4,
					     .action = acts[i].action,
					     .entries = ENTRIES };

			gate_bench_fill(stage.gate, &shared, &list);
			stage_begin(&stage);
			run_act(&stage, &acts[i], &by, json);
			if (stage.ipv4 && acts[i].action == ACTION_DROP)
				bench_queues(&stage, json);
			free(list.prefix);
		}
	}
	stage_end(&stage);
	gate_bench_close(&stage.gate);
}
