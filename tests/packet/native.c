/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/native.c - the XDP program compiled for the host, with helpers of our own: so that a
 * coverage build can count its branches, and so that what the kernel's helpers hardly ever do (find
 * nothing in an array, lose a race) can be made to happen.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "maps/abi.h"

/* Declared before its definition, to have it in memory that can be written. */
extern const volatile struct geometry geometry __attribute__((section(".data")));

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wmissing-declarations"
#include "bpf/gate_xdp.bpf.c"
#pragma GCC diagnostic pop

#include "tests/packet/packet.h"

#define NATIVE_NOW 1000000000000ull /* ns */

/* An array map on the host. */
struct native_map {
	const char *name;
	const void *map;
	size_t element;
	size_t count;
	uint8_t *memory;
};

#define NATIVE_MAP(name, type, count)                                                              \
	{                                                                                          \
#name, &name, sizeof(type), count, NULL                                            \
	}

static struct native_map maps[] = {
	NATIVE_MAP(settings, struct settings, 1),
	NATIVE_MAP(bitmap4, __u64, GENERATIONS *BITMAP4_WORDS),
	NATIVE_MAP(bucket4, struct bucket4, 0),
	NATIVE_MAP(short4, struct bucket4, GENERATIONS << BUCKET4_SHORT_BITS),
	NATIVE_MAP(bucket6, struct bucket6, 0),
	NATIVE_MAP(filter6, __u64, 0),
	NATIVE_MAP(top, struct top_line, GENERATIONS *FAMILY_COUNT *TOP_LINES),
	NATIVE_MAP(page, struct page_line, 0),
	NATIVE_MAP(meter, struct meter_line, 1 << TEST_METER_BITS),
	NATIVE_MAP(total, struct meter_line, 1),
	NATIVE_MAP(reasons, struct counter, REASON_COUNTERS),
	NATIVE_MAP(lists, struct counter, LIST_COUNTERS),
	NATIVE_MAP(health, __u64, HEALTH_COUNT),
	NATIVE_MAP(budget, struct budget, BUDGET_CPUS),
	NATIVE_MAP(offenders, struct offender_line, OFFENDER_LINES),
};

#define MAP_COUNT (sizeof(maps) / sizeof(maps[0]))

static struct faults faults;
static struct event event;
static bool event_sent;

static struct native_map *map_named(const char *name)
{
	for (size_t i = 0; i < MAP_COUNT; i++)
		if (!strcmp(maps[i].name, name))
			return &maps[i];
	abort();
}

void *native_lookup(const void *map, const void *key)
{
	const uint32_t index = *(const uint32_t *)key;

	for (size_t i = 0; i < MAP_COUNT; i++) {
		if (maps[i].map != map)
			continue;
		if (index >= maps[i].count ||
		    (faults.lookup && !strcmp(faults.lookup, maps[i].name)))
			return NULL;
		return maps[i].memory + index * maps[i].element;
	}
	abort();
}

uint64_t bpf_ktime_get_ns(void)
{
	return NATIVE_NOW;
}

uint32_t bpf_get_smp_processor_id(void)
{
	return 0;
}

void *bpf_ringbuf_reserve(const void *ring, uint64_t size, uint64_t flags)
{
	(void)ring;
	(void)flags;
	return faults.ring || size != sizeof(event) ? NULL : &event;
}

void bpf_ringbuf_submit(void *data, uint64_t flags)
{
	(void)flags;
	event_sent = data == &event;
}

int bpf_xdp_adjust_tail(struct xdp_md *ctx, int delta)
{
	if (faults.adjust)
		return -1;
	ctx->data_end += (uint32_t)delta;
	if (faults.cut_after_adjust)
		ctx->data_end = ctx->data + faults.cut_after_adjust;
	return 0;
}

uint64_t native_exchange(void *place, uint64_t expected, uint64_t wanted)
{
	__u64 *value = place; /* of the very type that the program uses */

	if (faults.exchange) {
		faults.exchange--;
		return ~expected; /* somebody else's value */
	}
	if (*value == expected) {
		*value = wanted;
		return expected;
	}
	return *value;
}

/* What stands apart must bear any argument; the verifier makes it check even what cannot be. */
static int native_direct(struct xdp_md *ctx)
{
	const struct address nobody = { 0, 0 };
	const __u32 nowhere = 1u << 30;

	if (parse(ctx, NULL) != REASON_MALFORMED || level_ask(METER_LEVELS, 1, 0) != UNDECIDED ||
	    level_ask(METER_SOURCE, nowhere, 0) != UNDECIDED ||
	    level_charge(METER_LEVELS, 1, 0) != UNDECIDED ||
	    level_charge(METER_SOURCE, 0, 0) != UNDECIDED ||
	    cell_place(NULL, FAMILY_IPV4, METER_SOURCE, 0, 1) ||
	    cell_place(&nobody, FAMILY_IPV6, METER_SOURCE, 0, 0))
		return XDP_ABORTED;
	faults.lookup = "settings";
	if (level_ask(METER_TOTAL, 0, 0) != UNDECIDED ||
	    level_charge(METER_TOTAL, 0, 0) != UNDECIDED ||
	    cell_place(&nobody, FAMILY_IPV6, METER_SOURCE, 0, 1))
		return XDP_ABORTED;
	return XDP_PASS;
}

static int native_run(uint8_t *frame, size_t *length, const struct faults *wanted)
{
	static uint8_t *low; /* the context has room for addresses below 4 GiB only */
	struct xdp_md ctx;
	int action;

	if (!low)
		low = mmap(NULL, FRAME_MAX, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	memcpy(low, frame, *length);
	ctx = (struct xdp_md){
		.data = (uint32_t)(uintptr_t)low,
		.data_end = (uint32_t)((uintptr_t)low + *length),
		.ingress_ifindex = 1,
	};
	faults = *wanted;
	action = faults.direct ? native_direct(&ctx) : postern_gate(&ctx);
	*length = ctx.data_end - ctx.data;
	memcpy(frame, low, *length);
	return action;
}

static uint64_t native_now(void)
{
	return NATIVE_NOW;
}

static void native_reset_counters(void)
{
	static const char *const names[] = { "reasons", "lists", "health" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct native_map *map = map_named(names[i]);

		memset(map->memory, 0, map->element * map->count);
	}
	event_sent = false;
}

static void native_read_counters(struct counter reasons_out[REASON_COUNTERS],
				 struct counter lists_out[LIST_COUNTERS],
				 uint64_t health_out[HEALTH_COUNT])
{
	memcpy(reasons_out, map_named("reasons")->memory, REASON_COUNTERS * sizeof(struct counter));
	memcpy(lists_out, map_named("lists")->memory, LIST_COUNTERS * sizeof(struct counter));
	memcpy(health_out, map_named("health")->memory, HEALTH_COUNT * sizeof(uint64_t));
}

static bool native_last_event(struct event *out)
{
	*out = event;
	return event_sent;
}

int native_world(struct world *out)
{
	const struct table_geometry g = table_geometry_for(TEST_CAPACITY, TEST_CAPACITY);
	struct geometry *writable = (struct geometry *)(uintptr_t)&geometry;

	__asm__ volatile("" : "+r"(writable)); /* the compiler may not see that it is constant */
	*writable = (struct geometry){ g.bucket4_bits, g.bucket6_bits, g.filter6_bits, g.page_lines,
				       TEST_METER_BITS };
	map_named("bucket4")->count = (size_t)GENERATIONS << g.bucket4_bits;
	map_named("bucket6")->count = (size_t)GENERATIONS << g.bucket6_bits;
	map_named("filter6")->count = (size_t)GENERATIONS << g.filter6_bits;
	map_named("page")->count = (size_t)GENERATIONS * g.page_lines;
	for (size_t i = 0; i < MAP_COUNT; i++)
		maps[i].memory = calloc(maps[i].count, maps[i].element);
	*out = (struct world){
		.name = "host",
		.faults = true,
		.memory = {
			.settings = (void *)map_named("settings")->memory,
			.bitmap4 = (void *)map_named("bitmap4")->memory,
			.bucket4 = (void *)map_named("bucket4")->memory,
			.short4 = (void *)map_named("short4")->memory,
			.bucket6 = (void *)map_named("bucket6")->memory,
			.filter6 = (void *)map_named("filter6")->memory,
			.top = (void *)map_named("top")->memory,
			.page = (void *)map_named("page")->memory,
		},
		.meter = (void *)map_named("meter")->memory,
		.total = (void *)map_named("total")->memory,
		.budget = (void *)map_named("budget")->memory,
		.offenders = (void *)map_named("offenders")->memory,
		.run = native_run,
		.now = native_now,
		.reset_counters = native_reset_counters,
		.read_counters = native_read_counters,
		.last_event = native_last_event,
	};
	return table_new(&out->memory, &g, &out->table, NULL);
}
