/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets_gate.c - the gate as it is measured: loaded for so many entries, its table
 * filled with random ones, and the sources that go with them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "gate/table.h"
#include "bench_xdp.skel.h"
#include "tools/bench_packets.h"

#define PORT  25
#define LOADS 1000000 /* of a run of gate_bench_chase() */

struct gate_bench {
	struct bench_xdp *skel;
	struct table_geometry geometry;
	struct table_memory memory;
	struct table *table;
};

void give_up(const char *what)
{
	fprintf(stderr, "bench_packets: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t next_random(struct shared *shared)
{
	shared->random += 0x9e3779b97f4a7c15ull;
	return mix64(shared->random);
}

void turn_begin(const struct shared *shared, enum source_set set)
{
	for (uint32_t cpu = 0; cpu < TURN_CPUS; cpu++) {
		shared->turn[cpu].set = set;
		shared->turn[cpu].count = cpu * (SOURCES / TURN_CPUS);
	}
}

void *map_memory(const struct bpf_map *map)
{
	const size_t bytes = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	void *memory = mmap(NULL, (bytes + 4095) / 4096 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		give_up("mmap");
	return memory;
}

static void set_sizes(struct bench_xdp *skel, const struct table_geometry *g)
{
	skel->rodata->geometry.bucket4_bits = g->bucket4_bits;
	skel->rodata->geometry.bucket6_bits = g->bucket6_bits;
	skel->rodata->geometry.filter6_bits = g->filter6_bits;
	skel->rodata->geometry.page_lines = g->page_lines;
	skel->rodata->geometry.meter_bits = METER_BITS;
	bpf_map__set_max_entries(skel->maps.bucket4, GENERATIONS << g->bucket4_bits);
	bpf_map__set_max_entries(skel->maps.bucket6, GENERATIONS << g->bucket6_bits);
	bpf_map__set_max_entries(skel->maps.filter6, GENERATIONS << g->filter6_bits);
	bpf_map__set_max_entries(skel->maps.page, GENERATIONS * g->page_lines);
	bpf_map__set_max_entries(skel->maps.meter, 1u << METER_BITS);
}

static void map_all(struct gate_bench *gate, struct shared *shared)
{
	gate->memory = (struct table_memory){
		.settings = map_memory(gate->skel->maps.settings),
		.bitmap4 = map_memory(gate->skel->maps.bitmap4),
		.bucket4 = map_memory(gate->skel->maps.bucket4),
		.short4 = map_memory(gate->skel->maps.short4),
		.bucket6 = map_memory(gate->skel->maps.bucket6),
		.filter6 = map_memory(gate->skel->maps.filter6),
		.top = map_memory(gate->skel->maps.top),
		.page = map_memory(gate->skel->maps.page),
	};
	shared->settings = gate->memory.settings;
	shared->sources = map_memory(gate->skel->maps.sources);
	shared->turn = map_memory(gate->skel->maps.turn);
	shared->question = map_memory(gate->skel->maps.question);
	shared->meter = map_memory(gate->skel->maps.meter);
	shared->flood = map_memory(gate->skel->maps.flood);
	shared->proved = map_memory(gate->skel->maps.proved);
	shared->learned = map_memory(gate->skel->maps.learned);
}

static void unmap(void *memory, const struct bpf_map *map)
{
	const size_t bytes = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);

	munmap(memory, (bytes + 4095) / 4096 * 4096);
}

static void unmap_all(struct gate_bench *gate)
{
	unmap(gate->memory.bucket4, gate->skel->maps.bucket4);
	unmap(gate->memory.bucket6, gate->skel->maps.bucket6);
	unmap(gate->memory.filter6, gate->skel->maps.filter6);
	unmap(gate->memory.page, gate->skel->maps.page); /* the others are small */
}

struct gate_bench *gate_bench_open(struct shared *shared, uint32_t capacity)
{
	struct gate_bench *gate = calloc(1, sizeof(*gate));

	if (!gate)
		give_up("gate");
	gate->geometry = table_geometry_for(capacity, capacity);
	gate->skel = bench_xdp__open();
	if (gate->skel)
		set_sizes(gate->skel, &gate->geometry);
	if (!gate->skel || bench_xdp__load(gate->skel))
		give_up("the kernel does not take the program");
	map_all(gate, shared);
	shared->settings->secret = next_random(shared);
	shared->settings->answer_key[0] = next_random(shared);
	shared->settings->answer_key[1] = next_random(shared);
	shared->settings->port[PORT] = 1;
	if (table_new(&gate->memory, &gate->geometry, &gate->table, NULL))
		give_up("table");
	return gate;
}

void gate_bench_close(struct gate_bench **gate)
{
	table_free(&(*gate)->table);
	unmap_all(*gate);
	bench_xdp__destroy((*gate)->skel);
	free(*gate);
	*gate = NULL;
}

const struct bpf_program *gate_bench_program(const struct gate_bench *gate, const char *name)
{
	return bpf_object__find_program_by_name(gate->skel->obj, name);
}

int gate_bench_map(const struct gate_bench *gate, const char *name)
{
	return bpf_object__find_map_fd_by_name(gate->skel->obj, name);
}

/* A random address that could be a mail server's: no multicast, and IPv6 from 2000::/3. */
static struct addr random_addr(struct shared *shared, bool ipv4)
{
	if (ipv4)
		return addr_from_ipv4((uint32_t)next_random(shared) % 0xe0000000u);
	return addr_from_halves((next_random(shared) >> 3) | 0x2000000000000000ull,
				next_random(shared));
}

/* On a mixed list three of ten entries are networks, as on lists that people use. */
static unsigned int random_length(struct shared *shared, const struct list *list)
{
	static const uint8_t length4[] = { 24, 24, 22 }, length6[] = { 64, 48, 32 };
	const uint64_t r = list->mixed ? next_random(shared) % 10 : 0;

	if (r < 7)
		return 128;
	return list->ipv4 ? 96u + length4[r - 7] : length6[r - 7];
}

static void keep_source(struct source *out, const struct addr *addr)
{
	memcpy(out->byte, addr_is_ipv4(addr) ? addr->byte + 12 : addr->byte,
	       addr_is_ipv4(addr) ? 4 : 16);
}

/* In another order than they were put. */
static void shuffle(struct shared *shared, struct source *sources)
{
	for (uint32_t i = SOURCES - 1; i > 0; i--) {
		const uint32_t k = (uint32_t)(next_random(shared) % (i + 1));
		const struct source kept = sources[i];

		sources[i] = sources[k];
		sources[k] = kept;
	}
}

static void use_unlisted(struct gate_bench *gate, struct shared *shared, bool ipv4)
{
	struct source *sources = shared->sources + (size_t)SET_OTHER * SOURCES;

	for (uint32_t i = 0; i < SOURCES;) {
		const struct addr addr = random_addr(shared, ipv4);

		if (table_lookup(gate->table, &addr) == CLASS_NONE)
			keep_source(&sources[i++], &addr);
	}
}

/* Every entry gives an address to the listed sources, over and over until there are enough. */
void gate_bench_fill(struct gate_bench *gate, struct shared *shared, struct list *list)
{
	static const uint8_t flags[LIST_SLOTS];
	struct source *sources = shared->sources + (size_t)SET_LISTED * SOURCES;
	const uint32_t wanted = list->entries;
	uint32_t count = 0;

	list->prefix = calloc(wanted, sizeof(*list->prefix));
	if (!list->prefix)
		give_up("list");
	table_begin(gate->table);
	for (uint32_t i = 0; i < wanted; i++) {
		const struct addr addr = random_addr(shared, list->ipv4);
		const struct prefix prefix = prefix_of(&addr, random_length(shared, list));

		if (table_put(gate->table, &prefix, class_make(0, list->action)) != TABLE_OK)
			continue;
		if (count < SOURCES)
			keep_source(&sources[count], &addr);
		list->prefix[count++] = prefix;
	}
	if (!count)
		give_up("the table takes no entry");
	table_publish(gate->table, flags);
	list->entries = count;
	if (count < wanted)
		printf("%s: %u entries found no room and are left out\n", list->subject,
		       wanted - count);
	for (uint32_t i = count; i < SOURCES; i++)
		sources[i] = sources[i % count];
	shuffle(shared, sources);
	use_unlisted(gate, shared, list->ipv4);
}

double gate_bench_chase(const struct gate_bench *gate, struct shared *shared, bool ipv4)
{
	const uint32_t bits = ipv4 ? gate->geometry.bucket4_bits : gate->geometry.bucket6_bits;
	const uint8_t *memory = ipv4 ? (const uint8_t *)gate->memory.bucket4
				     : (const uint8_t *)gate->memory.bucket6;
	const uint64_t offset = (uint64_t)(shared->settings->generation & 1) << bits;
	uint64_t x = next_random(shared), zero = 0;
	struct timespec from, to;

	__asm__ volatile("" : "+r"(zero)); /* the compiler may not know that it is */
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (int i = 0; i < LOADS; i++) {
		const uint64_t line = offset + (x >> (64 - bits));

		x += *(const uint32_t *)(memory + line * CACHE_LINE) & zero;
		x = x * 6364136223846793005ull + 1442695040888963407ull;
	}
	__asm__ volatile("" : : "r"(x));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	       LOADS;
}
