/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/kernel.c - the XDP program in the kernel, run over single frames by
 * BPF_PROG_TEST_RUN.
 */
#define _GNU_SOURCE /* unshare */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "gate/learned.h"
#include "gate/load.h"
#include "gate/pins.h"
#include "gate_xdp.skel.h"
#include "lib/clock.h"
#include "tests/packet/packet.h"

#define HELD_MAX 16

static struct gate *gate;
static struct gate_xdp *xdp;
static struct gate_counters before;
static struct event event;
static bool event_sent;
static struct newcomer newcomer;
static bool newcomer_sent;

static int kernel_run(uint8_t *frame, size_t *length, const struct faults *faults)
{
	uint8_t out[FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (uint32_t)*length,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);

	(void)faults;
	if (bpf_prog_test_run_opts(bpf_program__fd(xdp->progs.postern_gate), &options))
		return -1;
	memcpy(frame, out, options.data_size_out);
	*length = options.data_size_out;
	return (int)options.retval;
}

static void kernel_run_many(const uint8_t *frame, size_t length, uint32_t times)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (uint32_t)length,
		    .repeat = (int)times);

	bpf_prog_test_run_opts(bpf_program__fd(xdp->progs.postern_gate), &options);
}

static void keep_event(const struct event *sent, void *arg)
{
	(void)arg;
	event = *sent;
	event_sent = true;
}

static void keep_newcomer(const struct newcomer *sent, void *arg)
{
	(void)arg;
	newcomer = *sent;
	newcomer_sent = true;
}

static void kernel_reset_counters(void)
{
	gate_events_read(gate, keep_event, NULL);
	event_sent = false;
	gate_newcomers_read(gate, keep_newcomer, NULL);
	newcomer_sent = false;
	gate_counters(gate, &before, NULL);
}

static void kernel_read_counters(struct counter reasons[REASON_COUNTERS],
				 struct counter lists[LIST_COUNTERS], uint64_t health[HEALTH_COUNT])
{
	static struct gate_counters now;

	gate_counters(gate, &now, NULL);
	for (int i = 0; i < REASON_COUNTERS; i++) {
		reasons[i].packets = now.reason[i].packets - before.reason[i].packets;
		reasons[i].bytes = now.reason[i].bytes - before.reason[i].bytes;
	}
	for (int i = 0; i < LIST_COUNTERS; i++) {
		lists[i].packets = now.list[i].packets - before.list[i].packets;
		lists[i].bytes = now.list[i].bytes - before.list[i].bytes;
	}
	for (int i = 0; i < HEALTH_COUNT; i++)
		health[i] = now.health[i] - before.health[i];
}

static bool kernel_last_event(struct event *out)
{
	gate_events_read(gate, keep_event, NULL);
	*out = event;
	return event_sent;
}

static bool kernel_last_newcomer(struct newcomer *out)
{
	gate_newcomers_read(gate, keep_newcomer, NULL);
	*out = newcomer;
	return newcomer_sent;
}

static void *memory(enum gate_map which)
{
	return gate->map[which].memory;
}

static int listener, held[HELD_MAX];
static size_t held_count;

static bool kernel_connect(const char *source, bool hold)
{
	const struct sockaddr_in6 dest = { .sin6_family = AF_INET6,
					   .sin6_port = htons(25),
					   .sin6_addr = { { { [10] = 255, 255, 127, 0, 0, 1 } } } };
	struct sockaddr_in6 own = { .sin6_family = AF_INET6 };
	int client, server;

	while (!source && held_count)
		close(held[--held_count]);
	if (!source)
		return true;
	client = socket(AF_INET6, SOCK_STREAM, 0);
	if (inet_pton(AF_INET6, source, &own.sin6_addr) != 1 ||
	    bind(client, (const void *)&own, sizeof(own)) ||
	    connect(client, (const void *)&dest, sizeof(dest)))
		return false;
	server = accept(listener, NULL, NULL);
	if (hold && held_count + 2 <= HELD_MAX) {
		held[held_count++] = client;
		held[held_count++] = server;
		return true;
	}
	close(client);
	close(server);
	return server >= 0;
}

static int raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	const int fd = socket(AF_INET, SOCK_DGRAM, 0), failed = ioctl(fd, SIOCSIFFLAGS, &request);

	close(fd);
	return failed;
}

/*
 * A network of its own, with a listener on port 25 that gives out cookies: a test run looks for
 * sockets in the namespace of its caller.
 */
static int listen_alone(void)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(25) };
	int sysctl, failed;

	if (unshare(CLONE_NEWNET) || raise_loopback())
		return -1;
	sysctl = open("/proc/sys/net/ipv4/tcp_syncookies", O_WRONLY);
	failed = sysctl < 0 || write(sysctl, "2", 1) != 1;
	close(sysctl);
	listener = socket(AF_INET6, SOCK_STREAM, 0);
	return failed || bind(listener, (const void *)&any, sizeof(any)) || listen(listener, 1);
}

int kernel_world(struct world *out)
{
	char pins[64];
	struct gate_options options = { pins, TEST_CAPACITY, TEST_CAPACITY,
					METER_WAYS << TEST_METER_BITS };
	struct error err = { 0 };

	snprintf(pins, sizeof(pins), "/sys/fs/bpf/postern-packet-%d", getpid());
	if (listen_alone()) {
		perror("packet: a network namespace with a listener");
		return -1;
	}
	if (gate_open(&options, &gate, &err) || load_open_xdp(gate, &xdp, &err) ||
	    gate_xdp__load(xdp)) {
		fprintf(stderr, "packet: %s\n", err.text);
		return -1;
	}
	*out = (struct world){
		.name = "kernel",
		.memory = {
			.settings = memory(GATE_MAP_settings),
			.bitmap4 = memory(GATE_MAP_bitmap4),
			.bucket4 = memory(GATE_MAP_bucket4),
			.short4 = memory(GATE_MAP_short4),
			.bucket6 = memory(GATE_MAP_bucket6),
			.filter6 = memory(GATE_MAP_filter6),
			.top = memory(GATE_MAP_top),
			.page = memory(GATE_MAP_page),
		},
		.table = gate->table,
		.meter = memory(GATE_MAP_meter),
		.total = memory(GATE_MAP_total),
		.flood = memory(GATE_MAP_flood),
		.proved = memory(GATE_MAP_proved),
		.learned = memory(GATE_MAP_learned),
		.told = memory(GATE_MAP_told),
		.newcomer_budget = memory(GATE_MAP_newcomer_budget),
		.refusal = memory(GATE_MAP_refusal),
		.budget = memory(GATE_MAP_budget),
		.offenders = memory(GATE_MAP_offenders),
		.run = kernel_run,
		.run_many = kernel_run_many,
		.connect = kernel_connect,
		.now = clock_mono,
		.reset_counters = kernel_reset_counters,
		.read_counters = kernel_read_counters,
		.last_event = kernel_last_event,
		.last_newcomer = kernel_last_newcomer,
	};
	return 0;
}

void kernel_world_close(void)
{
	char pins[GATE_PATH_MAX];

	if (!gate)
		return;
	gate_xdp__destroy(xdp);
	pins_remove_own(gate);
	snprintf(pins, sizeof(pins), "%s", gate->pin_directory);
	gate_close(&gate);
	rmdir(pins);
}
