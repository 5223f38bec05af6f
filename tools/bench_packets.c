/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets.c - nanoseconds a packet of the whole XDP program, by BPF_PROG_TEST_RUN.
 *
 * For each size of the table and each family: a packet that is not TCP to a protected port (parse),
 * a listed source (hit), one that is not listed (miss), and a miss that is charged to its limits,
 * with a million random sources in turn. "overlapping" lets the processor work on the next packet
 * while the last one waits for memory, as in a tight loop; "serial" does not. Beside it stand a
 * bare XDP_DROP and one with the same rotation of sources. The figures go to
 * build/bench/packets.json.
 *
 * Runs as root. Every figure is the median of RUNS runs, which take turns with all others.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "gate/table.h"
#include "bench_xdp.skel.h"
#include "maps/meter.h"
#include "tools/bench_json.h"

#define SOURCES    (1u << 20)
#define REPEAT     2000000
#define RUNS       5
#define METER_BITS 16
#define FRAME_SIZE 74
#define PORT       25
#define PORT_OTHER 22
#define LIMIT_RATE 1000000000ull /* one attempt a second ... */
#define LIMIT_BURST                                                                                \
	(1ull << 50) /* ... and a burst that never ends: every miss is charged, and passes */

struct source {
	uint8_t byte[16];
};

struct bench {
	struct bench_xdp *skel;
	struct table_geometry geometry;
	struct table_memory memory;
	struct table *table;
	struct source *sources;
	struct bench_json json;
	struct source *listed; /* SOURCES of them, cycling through the entries */
	uint64_t random;
};

static uint64_t next_random(struct bench *b)
{
	b->random += 0x9e3779b97f4a7c15ull;
	return mix64(b->random);
}

static void *map_memory(const struct bpf_map *map)
{
	const size_t bytes = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	void *memory = mmap(NULL, (bytes + 4095) / 4096 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(map), 0);

	if (memory == MAP_FAILED) {
		perror("bench_packets: mmap");
		exit(1);
	}
	return memory;
}

static void set_sizes(struct bench *b)
{
	const struct table_geometry *g = &b->geometry;

	b->skel->rodata->geometry.bucket4_bits = g->bucket4_bits;
	b->skel->rodata->geometry.bucket6_bits = g->bucket6_bits;
	b->skel->rodata->geometry.filter6_bits = g->filter6_bits;
	b->skel->rodata->geometry.page_lines = g->page_lines;
	b->skel->rodata->geometry.meter_bits = METER_BITS;
	bpf_map__set_max_entries(b->skel->maps.bucket4, GENERATIONS << g->bucket4_bits);
	bpf_map__set_max_entries(b->skel->maps.bucket6, GENERATIONS << g->bucket6_bits);
	bpf_map__set_max_entries(b->skel->maps.filter6, GENERATIONS << g->filter6_bits);
	bpf_map__set_max_entries(b->skel->maps.page, GENERATIONS * g->page_lines);
	bpf_map__set_max_entries(b->skel->maps.meter, 1u << METER_BITS);
}

static void open_program(struct bench *b)
{
	b->geometry = table_geometry_for(1u << 20, 1u << 20);
	b->skel = bench_xdp__open();
	if (b->skel)
		set_sizes(b);
	if (!b->skel || bench_xdp__load(b->skel)) {
		fprintf(stderr, "bench_packets: the kernel does not take the program: %s\n",
			strerror(errno));
		exit(1);
	}
	b->memory = (struct table_memory){
		.settings = map_memory(b->skel->maps.settings),
		.bitmap4 = map_memory(b->skel->maps.bitmap4),
		.bucket4 = map_memory(b->skel->maps.bucket4),
		.short4 = map_memory(b->skel->maps.short4),
		.bucket6 = map_memory(b->skel->maps.bucket6),
		.filter6 = map_memory(b->skel->maps.filter6),
		.top = map_memory(b->skel->maps.top),
		.page = map_memory(b->skel->maps.page),
	};
	b->sources = map_memory(b->skel->maps.sources);
	b->listed = calloc(SOURCES, sizeof(*b->listed));
	b->memory.settings->secret = next_random(b);
	b->memory.settings->port[PORT / 64] |= 1ull << (PORT % 64);
	if (!b->listed || table_new(&b->memory, &b->geometry, &b->table, NULL))
		exit(1);
}

/* A random address that could be a mail server's: no multicast, and IPv6 from 2000::/3. */
static struct addr random_addr(struct bench *b, bool ipv4)
{
	if (ipv4)
		return addr_from_ipv4((uint32_t)next_random(b) % 0xe0000000u);
	return addr_from_halves((next_random(b) >> 3) | 0x2000000000000000ull, next_random(b));
}

/* Of ten entries seven are addresses, the others networks, as on lists that people use. */
static unsigned int random_length(struct bench *b, bool ipv4)
{
	static const uint8_t length4[] = { 24, 24, 22 }, length6[] = { 64, 48, 32 };
	const uint64_t r = next_random(b) % 10;

	if (r < 7)
		return 128;
	return ipv4 ? 96u + length4[r - 7] : length6[r - 7];
}

static void keep_source(struct source *out, const struct addr *addr)
{
	memcpy(out->byte, addr_is_ipv4(addr) ? addr->byte + 12 : addr->byte,
	       addr_is_ipv4(addr) ? 4 : 16);
}

/* Fills the table; `listed` gets an address inside each entry, over and over until it is full. */
static void fill_table(struct bench *b, uint32_t entries, bool ipv4)
{
	static const uint8_t flags[LIST_SLOTS];
	struct prefix prefix;
	uint32_t count = 0;
	struct addr addr;

	table_begin(b->table);
	while (count < entries) {
		addr = random_addr(b, ipv4);
		prefix = prefix_of(&addr, random_length(b, ipv4));
		if (table_put(b->table, &prefix, class_make(0, ACTION_DROP)) == TABLE_OK)
			keep_source(&b->listed[count++], &addr);
	}
	for (; count < SOURCES; count++)
		b->listed[count] = b->listed[count % entries];
	table_publish(b->table, flags);
}

static void use_listed(struct bench *b)
{
	for (uint32_t i = SOURCES - 1; i > 0; i--) { /* in another order than they were put */
		const uint32_t k = (uint32_t)(next_random(b) % (i + 1));
		const struct source kept = b->listed[i];

		b->listed[i] = b->listed[k];
		b->listed[k] = kept;
	}
	memcpy(b->sources, b->listed, SOURCES * sizeof(*b->sources));
}

static void use_unlisted(struct bench *b, bool ipv4)
{
	for (uint32_t i = 0; i < SOURCES;) {
		const struct addr addr = random_addr(b, ipv4);

		if (table_lookup(b->table, &addr) == CLASS_NONE)
			keep_source(&b->sources[i++], &addr);
	}
}

static void make_frame(uint8_t frame[FRAME_SIZE], bool ipv4, uint16_t port)
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
	tcp[2] = (uint8_t)(port >> 8);
	tcp[3] = (uint8_t)port;
	tcp[12] = 0x50;
	tcp[13] = 0x02;
}

/* One measurement: nanoseconds a packet, and what the program answered. */
static double run_once(const struct bpf_program *program, bool ipv4, uint16_t port, int expected)
{
	uint8_t frame[FRAME_SIZE], out[FRAME_SIZE];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .data_out = out, .data_size_out = sizeof(out), .repeat = REPEAT);

	make_frame(frame, ipv4, port);
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) ||
	    (int)options.retval != expected) {
		fprintf(stderr, "bench_packets: %s answered %u instead of %d: %s\n",
			bpf_program__name(program), options.retval, expected, strerror(errno));
		exit(1);
	}
	return options.duration;
}

struct measure {
	const char *figure;
	const struct bpf_program *program;
	uint16_t port;
	int expected; /* XDP_DROP or XDP_PASS */
	double ns[RUNS];
};

static void measure_all(struct bench *b, struct measure *measures, size_t count, bool ipv4,
			const char *subject)
{
	for (int run = 0; run < RUNS; run++)
		for (size_t i = 0; i < count; i++)
			measures[i].ns[run] = run_once(measures[i].program, ipv4, measures[i].port,
						       measures[i].expected);
	for (size_t i = 0; i < count; i++) {
		struct bench_figure figure;

		figure = bench_figure_of(measures[i].figure, "ns/packet", subject, measures[i].ns,
					 RUNS);
		bench_json_add(&b->json, &figure);
	}
}

static void bench_size(struct bench *b, uint32_t entries, bool ipv4)
{
	const struct bpf_program *loose = b->skel->progs.bench_gate;
	const struct bpf_program *serial = b->skel->progs.bench_gate_serial;
	struct measure parse[] = {
		{ "bare XDP_DROP", b->skel->progs.bench_bare_drop, PORT, XDP_DROP, { 0 } },
		{ "XDP_DROP, overlapping", b->skel->progs.bench_drop, PORT, XDP_DROP, { 0 } },
		{ "XDP_DROP, serial", b->skel->progs.bench_drop_serial, PORT, XDP_DROP, { 0 } },
		{ "parse, overlapping", loose, PORT_OTHER, XDP_PASS, { 0 } },
		{ "parse, serial", serial, PORT_OTHER, XDP_PASS, { 0 } },
	};
	struct measure hit[] = {
		{ "hit, overlapping", loose, PORT, XDP_DROP, { 0 } },
		{ "hit, serial", serial, PORT, XDP_DROP, { 0 } },
	};
	struct measure miss[] = {
		{ "miss, overlapping", loose, PORT, XDP_PASS, { 0 } },
		{ "miss, serial", serial, PORT, XDP_PASS, { 0 } },
	};
	struct measure limited[] = {
		{ "miss with limits, overlapping", loose, PORT, XDP_PASS, { 0 } },
		{ "miss with limits, serial", serial, PORT, XDP_PASS, { 0 } },
	};
	const struct meter_limit limit = { LIMIT_RATE, LIMIT_BURST, 0, 0 };
	char subject[64];

	snprintf(subject, sizeof(subject), "%s, %u entries", ipv4 ? "IPv4" : "IPv6", entries);
	fill_table(b, entries, ipv4);
	use_listed(b);
	measure_all(b, parse, sizeof(parse) / sizeof(parse[0]), ipv4, subject);
	measure_all(b, hit, sizeof(hit) / sizeof(hit[0]), ipv4, subject);
	use_unlisted(b, ipv4);
	measure_all(b, miss, sizeof(miss) / sizeof(miss[0]), ipv4, subject);
	for (int level = METER_SOURCE; level < METER_TOTAL; level++)
		b->memory.settings->limit[level] = limit;
	measure_all(b, limited, sizeof(limited) / sizeof(limited[0]), ipv4, subject);
	memset(b->memory.settings->limit, 0, sizeof(b->memory.settings->limit));
}

int main(void)
{
	static const uint32_t sizes[] = { 1000, 100000, 1000000 };
	struct bench b = { .random = 1 };

	open_program(&b);
	bench_json_open(&b.json, "packets");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bench_size(&b, sizes[i], true);
		bench_size(&b, sizes[i], false);
	}
	table_free(&b.table);
	bench_xdp__destroy(b.skel);
	free(b.listed);
	return bench_json_close(&b.json);
}
