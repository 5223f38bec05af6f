/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets_scenes.h - what the program finds when it is measured for
 * tools/bench_packets_answers.c: the question, its sources, limits and floods.
 */
#ifndef POSTERN_TOOLS_BENCH_PACKETS_SCENES_H
#define POSTERN_TOOLS_BENCH_PACKETS_SCENES_H

#include "tools/bench_packets.h"

enum { FLAG_SYN = 0x02, FLAG_ACK = 0x10 };

enum scene_flood { FLOOD_NEVER, FLOOD_COUNTED, FLOOD_ON };

/*
 * CHARGED: the rates of the configuration's defaults, with bursts that nothing exceeds; so cells
 * stay taken, and a table of the default size has room for 262,144 sources and networks.
 * EXCEEDED: every source has used up its own rate.
 */
enum scene_limits { LIMITS_NONE, LIMITS_CHARGED, LIMITS_EXCEEDED };

/* ON: of no source anything is known, and the budget of newcomers is spent. */
enum scene_evidence { EVIDENCE_OFF, EVIDENCE_ON, EVIDENCE_KNOWN, EVIDENCE_BLOCKED };

struct scene {
	const char *figure;
	const char *program; /* bench_answer, if there is none */
	int expected;        /* of the last packet; 0 is any */
	uint32_t packets;    /* of a run; 0 is as usual */
	uint32_t sources;    /* different ones; 0 is as many as there are */
	uint16_t port;       /* 0 is the protected one */
	uint8_t flags;       /* of the segment; 0 is a SYN */
	enum scene_flood flood;
	enum scene_limits limits;
	enum scene_evidence evidence;
	bool ipv4;   /* IPv4 only */
	bool other;  /* from sources that are on no list */
	bool proved; /* which have completed a handshake */
	bool precise;
	bool full;  /* some source is at its limit of connections */
	bool probe; /* a segment that asks again: in the tarpit */
	bool judged;
};

struct stage {
	struct gate_bench *gate;
	struct shared *shared;
	bool ipv4;
	struct source *kept; /* of those on no list */
};

/* After a list is filled; and, between any two runs, sets everything as the scene wants it. */
void stage_begin(struct stage *stage);
void stage_set(const struct stage *stage, const struct scene *scene);
void stage_end(struct stage *stage);

/* Two CPUs at once: see tools/bench_packets_queues.c. */
void bench_queues(const struct stage *stage, struct bench_json *json);

#endif
