/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf/maps.h - the maps of both programs, in the layouts of maps/.
 *
 * Sizes that depend on the configuration are set by the agent between open and load; they start at
 * 1 here. Everything that the agent writes is memory-mapped, so that a write is a store.
 */
#ifndef POSTERN_BPF_MAPS_H
#define POSTERN_BPF_MAPS_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "maps/counter.h"
#include "maps/event.h"
#include "maps/flood.h"
#include "maps/learned.h"
#include "maps/meter.h"
#include "maps/newcomer.h"
#include "maps/refusal.h"
#include "maps/settings.h"
#include "maps/table.h"

#define MAPPED_ARRAY(name, element, count)                                                         \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(map_flags, BPF_F_MMAPABLE);                                                 \
		__uint(max_entries, count);                                                        \
		__type(key, __u32);                                                                \
		__type(value, element);                                                            \
	} name SEC(".maps")

#define CPU_ARRAY(name, element, count)                                                            \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                           \
		__uint(max_entries, count);                                                        \
		__type(key, __u32);                                                                \
		__type(value, element);                                                            \
	} name SEC(".maps")

MAPPED_ARRAY(identity, struct identity, 1);
MAPPED_ARRAY(settings, struct settings, 1);

/* The block table: both generations of each, one after the other. */
MAPPED_ARRAY(bitmap4, __u64, GENERATIONS *BITMAP4_WORDS);
MAPPED_ARRAY(bucket4, struct bucket4, 1);
MAPPED_ARRAY(short4, struct bucket4, GENERATIONS << BUCKET4_SHORT_BITS);
MAPPED_ARRAY(bucket6, struct bucket6, 1);
MAPPED_ARRAY(filter6, __u64, 1);
MAPPED_ARRAY(top, struct top_line, GENERATIONS *FAMILY_COUNT *TOP_LINES);
MAPPED_ARRAY(page, struct page_line, 1);

/* The meters: per source, network and site in one table; in total, and resets, in cells of `total`.
 */
MAPPED_ARRAY(meter, struct meter_line, 1);
MAPPED_ARRAY(total, struct meter_line, 1);
enum total_cell { TOTAL_ATTEMPTS, TOTAL_RESETS };

/* Attempts that a CPU has taken out of the bucket of all, and not used yet: see bpf/limit.h. */
struct lease {
	__u64 until; /* ns of CLOCK_MONOTONIC */
	__u32 left;
	__u32 pad;
};
CPU_ARRAY(lease, struct lease, 1);

/* Floods, and who has proved himself. */
MAPPED_ARRAY(flood, struct flood_port, FLOOD_PORTS);
CPU_ARRAY(flood_cpu, struct flood_cpu, FLOOD_PORTS);
MAPPED_ARRAY(proved, struct proved_line, PROVED_LINES);

/* What was learned about sources, and which of them the agent should look up. */
MAPPED_ARRAY(learned, struct learned_line, LEARNED_LINES);
MAPPED_ARRAY(told, struct proved_line, NEWCOMER_STAGES *TOLD_LINES);
MAPPED_ARRAY(newcomer_budget, struct newcomer_budget, NEWCOMER_STAGES);
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, NEWCOMER_RING_BYTES);
} newcomers SEC(".maps");

/* What refused clients are told, and where a CPU puts it together. */
#define SCRATCH_BYTES 256
struct scratch {
	char text[SCRATCH_BYTES];
};
MAPPED_ARRAY(refusal, struct refusal, LIST_SLOTS + 1);
CPU_ARRAY(scratch, struct scratch, 1);

CPU_ARRAY(reasons, struct counter, REASON_COUNTERS);
CPU_ARRAY(lists, struct counter, LIST_COUNTERS);
CPU_ARRAY(health, __u64, HEALTH_COUNT);

MAPPED_ARRAY(budget, struct budget, BUDGET_CPUS);
MAPPED_ARRAY(offenders, struct offender_line, OFFENDER_LINES);
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENT_RING_BYTES);
} events SEC(".maps");

/* The sizes that go with those above: read-only data, constants to the JIT. */
const volatile struct geometry geometry;

/*
 * A STAGE is inlined into what calls it. A STAGE_APART is verified on its own, once, instead of
 * along every path that leads to it; its arguments may be of any value, and pointers may be NULL to
 * it.
 */
#define STAGE       static __always_inline
#define STAGE_APART __attribute__((noinline))

/*
 * An index below a power of two. Where a bound was checked in another register, or before the index
 * was put aside, Linux 6.1 has forgotten it when it comes to the access.
 */
STAGE __u32 within(__u32 index, __u32 size)
{
	barrier_var(index); /* or the compiler, which has not forgotten it, takes the mask away */
	return index & (size - 1);
}

/* A load that is made where it stands, and once each time. */
#ifndef READ_ONCE
#define READ_ONCE(place) (*(const volatile typeof(place) *)&(place))
#endif

STAGE const struct settings *settings_get(void)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

STAGE void health_count(__u32 what)
{
	__u64 *count = bpf_map_lookup_elem(&health, &what);

	if (count)
		*count += 1;
}

#endif
