/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets_run.c - runs the measurements of a plan, each in turn with all others.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <bpf/bpf.h>

#include "tools/bench_packets.h"

#define FRAME_SIZE  74
#define PORT        25
#define PORT_OTHER  22
#define TCP_SYN     0x02
#define TCP_ACK     0x10
#define LIMIT_RATE  1000000000ull /* one attempt a second ... */
#define LIMIT_BURST (1ull << 50)  /* ... and a burst that never ends */

static void make_frame(uint8_t frame[FRAME_SIZE], bool ipv4, enum frame_kind kind)
{
	uint8_t *tcp = frame + 14 + (ipv4 ? 20 : 40);

	memset(frame, 0, FRAME_SIZE);
	frame[12] = ipv4 ? 0x08 : 0x86;
	frame[13] = ipv4 ? 0x00 : 0xdd;
	if (ipv4) {
		frame[14] = 0x45;
		frame[17] = 40;
		frame[23] = IPPROTO_TCP;
	} else {
		frame[14] = 0x60;
		frame[19] = 20;
		frame[20] = IPPROTO_TCP;
	}
	tcp[3] = kind == FRAME_OTHER_PORT ? PORT_OTHER : PORT;
	tcp[12] = 0x50;
	tcp[13] = kind == FRAME_ESTABLISHED ? TCP_ACK : TCP_SYN;
}

static void set_limits(struct settings *settings, bool limited)
{
	const struct meter_limit limit = { limited ? LIMIT_RATE : 0, limited ? LIMIT_BURST : 0, 0,
					   0 };

	for (int level = METER_SOURCE; level < METER_TOTAL; level++)
		settings->limit[level] = limit;
}

/* One run: nanoseconds a packet. The last packet must have got the expected answer. */
static double run_once(const struct measure *m, const struct shared *shared, bool ipv4)
{
	uint8_t frame[FRAME_SIZE], out[FRAME_SIZE];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .data_out = out, .data_size_out = sizeof(out), .repeat = (int)m->packets);

	make_frame(frame, ipv4, m->frame);
	set_limits(shared->settings, m->limited);
	turn_begin(shared, m->set);
	if (bpf_prog_test_run_opts(bpf_program__fd(m->program), &options))
		give_up(bpf_program__name(m->program));
	if ((int)options.retval != m->expected) {
		fprintf(stderr, "bench_packets: %s answered %u instead of %d\n", m->figure,
			options.retval, m->expected);
		exit(1);
	}
	return options.duration;
}

void measure_plan(struct plan *plan, const struct shared *shared, bool ipv4)
{
	for (int run = 0; run < RUNS; run++)
		for (size_t i = 0; i < plan->count; i++)
			plan->measure[i].ns[run] = run_once(&plan->measure[i], shared, ipv4);
	set_limits(shared->settings, false);
}
