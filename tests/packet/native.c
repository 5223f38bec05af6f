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

#define NATIVE_NOW    1000000000000ull /* ns */
#define NATIVE_ROOM   256              /* before a frame */
#define NATIVE_MTU    1500
#define NATIVE_COOKIE 0x5b4c0ffeell /* segment size << 32 | cookie */

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
	NATIVE_MAP(lease, struct lease, 1),
	NATIVE_MAP(flood, struct flood_port, FLOOD_PORTS),
	NATIVE_MAP(flood_cpu, struct flood_cpu, FLOOD_PORTS),
	NATIVE_MAP(proved, struct proved_line, PROVED_LINES),
	NATIVE_MAP(learned, struct learned_line, LEARNED_LINES),
	NATIVE_MAP(told, struct proved_line, NEWCOMER_STAGES *TOLD_LINES),
	NATIVE_MAP(newcomer_budget, struct newcomer_budget, NEWCOMER_STAGES),
	NATIVE_MAP(refusal, struct refusal, LIST_SLOTS + 1),
	NATIVE_MAP(scratch, struct scratch, 1),
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
static struct newcomer newcomer;
static bool newcomer_sent;

static struct native_map *map_named(const char *name)
{
	for (size_t i = 0; i < MAP_COUNT; i++)
		if (!strcmp(maps[i].name, name))
			return &maps[i];
	abort();
}

/* Whether nothing is to be found in a map this time. */
static bool is_missing(const char *name)
{
	if (!faults.lookup || strcmp(faults.lookup, name) != 0)
		return false;
	if (!faults.found)
		return true;
	faults.found--;
	return false;
}

void *native_lookup(const void *map, const void *key)
{
	const uint32_t index = *(const uint32_t *)key;

	for (size_t i = 0; i < MAP_COUNT; i++) {
		if (maps[i].map != map)
			continue;
		if (index >= maps[i].count)
			return NULL;
		if (is_missing(maps[i].name))
			return NULL;
		return maps[i].memory + index * maps[i].element;
	}
	abort();
}

static uint64_t native_time = NATIVE_NOW;

uint64_t bpf_ktime_get_ns(void)
{
	const uint64_t now = native_time;

	native_time += faults.held_up;
	return now;
}

uint64_t bpf_ktime_get_coarse_ns(void)
{
	return bpf_ktime_get_ns();
}

uint32_t bpf_get_smp_processor_id(void)
{
	return 0;
}

void *bpf_ringbuf_reserve(const void *ring, uint64_t size, uint64_t flags)
{
	void *const room = ring == &newcomers ? (void *)&newcomer : (void *)&event;

	(void)flags;
	if (faults.ring || size != (ring == &newcomers ? sizeof(newcomer) : sizeof(event)))
		return NULL;
	return room;
}

void bpf_ringbuf_submit(void *data, uint64_t flags)
{
	if (data == &event)
		event_sent = true;
	/* The agent is to know at once. */
	if (data == &newcomer)
		newcomer_sent = flags == BPF_RB_FORCE_WAKEUP;
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

int bpf_xdp_adjust_head(struct xdp_md *ctx, int delta)
{
	if (faults.head)
		return -1;
	ctx->data += (uint32_t)delta;
	return 0;
}

/* A frame's octets from `offset` on, or NULL if there are not so many. */
static uint8_t *frame_at(const struct xdp_md *ctx, uint32_t offset, uint32_t length)
{
	return ctx->data + offset + length > ctx->data_end
		       ? NULL
		       : (uint8_t *)(uintptr_t)ctx->data + offset;
}

int bpf_xdp_store_bytes(struct xdp_md *ctx, uint32_t offset, void *from, uint32_t length)
{
	uint8_t *to = frame_at(ctx, offset, length);

	if (!to || faults.store)
		return -1;
	memcpy(to, from, length);
	return 0;
}

int64_t bpf_csum_diff(const void *from, uint32_t from_size, const void *to, uint32_t to_size,
		      uint32_t seed)
{
	const uint32_t *word = to;
	uint64_t sum = seed;

	if (from || from_size || to_size % 4)
		return -1;
	for (uint32_t i = 0; i < to_size / 4; i++)
		sum += word[i];
	return (int64_t)((sum & 0xffffffff) + (sum >> 32));
}

int bpf_check_mtu(struct xdp_md *ctx, uint32_t ifindex, uint32_t *mtu, int delta, uint64_t flags)
{
	(void)ctx;
	(void)ifindex;
	(void)delta;
	(void)flags;
	*mtu = faults.small_mtu ? 68 : NATIVE_MTU;
	return 0;
}

long bpf_fib_lookup(struct xdp_md *ctx, struct bpf_fib_lookup *fib, int length, uint32_t flags)
{
	(void)ctx;
	(void)fib;
	(void)length;
	(void)flags;
	if (faults.foreign)
		return BPF_FIB_LKUP_RET_SUCCESS;
	return faults.no_forwarding ? BPF_FIB_LKUP_RET_FWD_DISABLED : BPF_FIB_LKUP_RET_NOT_FWDED;
}

struct bpf_sock *bpf_skc_lookup_tcp(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
				    uint32_t length, uint64_t netns, uint64_t flags)
{
	static struct bpf_sock listener;

	listener.state = faults.socket ? faults.socket : STATE_LISTEN;
	(void)ctx;
	(void)tuple;
	(void)length;
	(void)netns;
	(void)flags;
	return faults.no_listener ? NULL : &listener;
}

int64_t bpf_tcp_gen_syncookie(struct bpf_sock *listener, const void *ip, uint32_t ip_length,
			      const void *tcp, uint32_t tcp_length)
{
	(void)listener;
	(void)ip;
	(void)ip_length;
	(void)tcp;
	(void)tcp_length;
	return faults.no_cookie ? -1 : NATIVE_COOKIE;
}

void bpf_sk_release(struct bpf_sock *listener)
{
	(void)listener;
}

/* The agent may write between two reads. */
uint64_t native_read(const uint64_t *place)
{
	if (faults.changes && !--faults.changes)
		return ~*place;
	return *place;
}

uint64_t native_exchange(void *place, size_t size, uint64_t expected, uint64_t wanted)
{
	uint64_t value = 0;

	if (faults.exchange) {
		faults.exchange--;
		return ~expected; /* somebody else's value */
	}
	memcpy(&value, place, size);
	if (value == expected)
		memcpy(place, &wanted, size);
	return value;
}

/* What stands apart must bear any argument; the verifier makes it check even what cannot be. */
static int native_direct(struct xdp_md *ctx)
{
	const struct address nobody = { 0, 0 };
	struct scratch text;
	const __u32 nowhere = 1u << 30;

	const struct packet no_link = { .l3_offset = 0 }, long_link = { .l3_offset = 99 };
	const struct packet beyond = { .l3_offset = 32 }, long_header = { .l4_header = 61 };
	const struct reply long_options = { .option_words = OPTION_WORDS + 1 };
	const struct reply long_text = { .text_length = REPLY_TEXT_MAX + 1 }, plain = { 0 };
	struct reply reply;
	struct tcp_bytes bytes = { 0 };
	struct xdp_md nothing = { .data = ctx->data, .data_end = ctx->data };

	if (reply_send(ctx, NULL, &plain) || reply_send(ctx, &beyond, NULL) ||
	    reply_send(ctx, &beyond, &long_options) || reply_send(ctx, &beyond, &long_text) ||
	    reply_send(ctx, &no_link, &plain) || reply_send(ctx, &long_link, &plain) ||
	    offender_note(NULL, 0, 0, 0, 0) || detail_tell(ctx, NULL, 0, 0, 0) ||
	    judge_flood(ctx, NULL) != UNDECIDED || reset(ctx, NULL) != XDP_DROP ||
	    limit(NULL) != UNDECIDED || cookie_send(ctx, NULL) || is_local(ctx, NULL) ||
	    cookie_ipv4(ctx, NULL, &bytes, 20) >= 0 || cookie_ipv4(ctx, &beyond, NULL, 20) >= 0 ||
	    cookie_ipv4(ctx, &beyond, &bytes, 19) >= 0 ||
	    cookie_ipv4(ctx, &beyond, &bytes, 61) >= 0 || cookie_ipv6(ctx, NULL, &bytes, 20) >= 0 ||
	    cookie_ipv6(ctx, &beyond, NULL, 20) >= 0 ||
	    cookie_ipv6(ctx, &beyond, &bytes, 19) >= 0 ||
	    cookie_ipv6(ctx, &beyond, &bytes, 61) >= 0 || options_parse(NULL, 20, NULL) ||
	    options_parse(&bytes, 20, NULL) || flood_count(FLOOD_PORTS, 0) ||
	    is_proved(NULL, FAMILY_IPV4, 0) || hold_hash(NULL, 0) || refusal_allowed(NULL) ||
	    hold_syn(ctx, NULL) != XDP_DROP || hold(ctx, NULL) != XDP_DROP ||
	    banner_write(NULL, &reply, 0) || banner_write(&beyond, NULL, 0) ||
	    text_ipv4(NULL, 0, 0) || text_ipv6(NULL, 0, &nobody) || text_ipv6(&text, 0, NULL) ||
	    zero_run(NULL) || text_group(NULL, 0, 0) || text_id(NULL, 0, 0))
		return XDP_ABORTED;
	if (learned_find(NULL, FAMILY_IPV4, 0) || newcomer_tell(NULL, NEWCOMER_SYN) ||
	    newcomer_tell(&beyond, NEWCOMER_STAGES) || connections_over(NULL) ||
	    opens_connection(ctx, NULL))
		return XDP_ABORTED;
	if (parse(ctx, NULL) != REASON_MALFORMED || level_ask(METER_LEVELS, 1, 0) != UNDECIDED ||
	    level_ask(METER_SOURCE, nowhere, 0) != UNDECIDED ||
	    level_charge(METER_LEVELS, 1, 0) != UNDECIDED ||
	    level_charge(METER_SOURCE, 0, 0) != UNDECIDED || cell_place(0, 0, 0))
		return XDP_ABORTED;
	if (cookie_send(ctx, &beyond) || cookie_send(ctx, &long_header) ||
	    reply_link(ctx, FRAME_GROWTH - 1) || reply_link_known(&nothing, &beyond))
		return XDP_ABORTED;
	faults.lookup = "settings";
	faults.found = 0;
	if (judge_flood(ctx, &beyond) != UNDECIDED || reset(ctx, &beyond) != XDP_DROP ||
	    limit(&beyond) != UNDECIDED || cookie_send(ctx, &beyond) || flood_count(0, 0) ||
	    is_proved(&nobody, FAMILY_IPV4, 0) || hold_hash(&beyond, 0) ||
	    refusal_allowed(&beyond) || refusal_allowed(NULL) ||
	    learned_find(&nobody, FAMILY_IPV4, 0) || newcomer_tell(&beyond, NEWCOMER_SYN) ||
	    connections_over(&beyond))
		return XDP_ABORTED;
	if (level_ask(METER_TOTAL, 0, 0) != UNDECIDED ||
	    level_charge(METER_TOTAL, 0, 0) != UNDECIDED)
		return XDP_ABORTED;
	return XDP_PASS;
}

static int native_run(uint8_t *frame, size_t *length, const struct faults *wanted)
{
	static uint8_t *low; /* the context has room for addresses below 4 GiB only */
	struct xdp_md ctx;
	int action;

	if (!low) {
		low = mmap(NULL, NATIVE_ROOM + FRAME_MAX, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		low += NATIVE_ROOM;
	}
	memcpy(low, frame, *length);
	ctx = (struct xdp_md){
		.data = (uint32_t)(uintptr_t)low,
		.data_end = (uint32_t)((uintptr_t)low + *length),
		.ingress_ifindex = 1,
	};
	faults = *wanted;
	action = faults.direct ? native_direct(&ctx) : postern_gate(&ctx);
	*length = ctx.data_end - ctx.data;
	memcpy(frame, (const void *)(uintptr_t)ctx.data, *length);
	return action;
}

static uint64_t native_now(void)
{
	return native_time;
}

static void native_advance(uint64_t ns)
{
	native_time += ns;
}

static void native_reset_counters(void)
{
	static const char *const names[] = { "reasons", "lists", "health" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct native_map *map = map_named(names[i]);

		memset(map->memory, 0, map->element * map->count);
	}
	event_sent = false;
	newcomer_sent = false;
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

static bool native_last_newcomer(struct newcomer *out)
{
	*out = newcomer;
	return newcomer_sent;
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
		.flood = (void *)map_named("flood")->memory,
		.proved = (void *)map_named("proved")->memory,
		.learned = (void *)map_named("learned")->memory,
		.told = (void *)map_named("told")->memory,
		.newcomer_budget = (void *)map_named("newcomer_budget")->memory,
		.refusal = (void *)map_named("refusal")->memory,
		.budget = (void *)map_named("budget")->memory,
		.offenders = (void *)map_named("offenders")->memory,
		.run = native_run,
		.now = native_now,
		.advance = native_advance,
		.reset_counters = native_reset_counters,
		.read_counters = native_read_counters,
		.last_event = native_last_event,
		.last_newcomer = native_last_newcomer,
	};
	return table_new(&out->memory, &g, &out->table, NULL);
}
