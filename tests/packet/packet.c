/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/packet.c - runs every case in the kernel and on the host and compares everything
 * that came of it: verdict, frame, counters, event, offender.
 *
 * Usage: packet [--list] [--profile DIRECTORY] [CASE]
 *   --profile writes a coverage profile a case, when compiled for it (tests/packet/coverage.py).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <linux/tcp.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/packet/packet.h"

#define SECOND_NS 1000000000ull
#define AHEAD_NS  20000000ull
#define FAR_NS    3600000000000ull /* an hour */

static struct world worlds[2];
static size_t world_count;

struct run {
	const struct packet_case *test;
	struct world *world;
	uint8_t before[FRAME_MAX];
	uint8_t frame[FRAME_MAX];
	size_t length_before;
	size_t length;
	int action;
	struct counter reasons[REASON_COUNTERS];
	struct counter lists[LIST_COUNTERS];
	uint64_t health[HEALTH_COUNT];
	bool event_sent;
	struct event event;
	bool newcomer_sent;
	struct newcomer newcomer;
};

/* A hundred addresses around the source, but not the source. */
static void given_neighbours(const struct world *w, const struct addr *source)
{
	struct prefix prefix = prefix_of(source, 128);

	for (uint8_t i = 0; i < 200; i += 2) {
		if (i == source->byte[15])
			continue;
		prefix.addr.byte[15] = i;
		assert_int_equal(table_put(w->table, &prefix, class_make(LIST_DROP, ACTION_DROP)),
				 TABLE_OK);
	}
}

#define FILLER_PREFIXES 3000
#define DISPLACE_TRIES  400 /* one build in about fifteen displaces a given prefix */

/* Whether the first bucket of a prefix, which is in the table, has no slot for its group. */
static bool is_displaced(const struct world *w, const struct prefix *prefix)
{
	const uint32_t bits = table_geometry_for(TEST_CAPACITY, TEST_CAPACITY).bucket6_bits;
	const uint32_t g = !(w->memory.settings->generation & 1); /* the one that is filled */
	const uint64_t hash =
		group6_hash(addr_high(&prefix->addr), addr_low(&prefix->addr),
			    (prefix->len - 1u) / 8 * 8, w->memory.settings->table[g].seed);
	const struct bucket6 *first =
		&w->memory.bucket6[(g << bits) + bucket6_index(hash, bits, 0)];

	for (int i = 0; i < BUCKET6_SLOTS; i++)
		if (first->slot[i].fingerprint == hash)
			return false;
	return true;
}

/* Builds, with others before it, until the prefix had to go to a neighbour of its bucket. */
static void given_displaced(const struct world *w, const char *text)
{
	struct prefix prefix, other;
	struct addr addr;

	assert_int_equal(prefix_parse(text, strlen(text), &prefix, NULL), 0);
	for (int try = 0; try < DISPLACE_TRIES; try++) {
		table_begin(w->table);
		for (uint64_t i = 0; i < FILLER_PREFIXES; i++) {
			addr = addr_from_halves(0x3fff000000000000ull | mix64(i) >> 16, 0);
			other = prefix_of(&addr, 64);
			table_put(w->table, &other, class_make(LIST_RESET, ACTION_RESET));
		}
		assert_int_equal(table_put(w->table, &prefix, class_make(LIST_DROP, ACTION_DROP)),
				 TABLE_OK);
		if (is_displaced(w, &prefix))
			return;
	}
	fail_msg("no build has displaced %s", text);
}

/* The lists of a case, put into the table as the agent would. */
static void given_lists(const struct world *w, const struct given *given, const struct addr *source)
{
	const struct {
		const char *prefix;
		uint8_t list_class;
	} entry[] = {
		{ given->drop, class_make(LIST_DROP, ACTION_DROP) },
		{ given->drop2, class_make(LIST_DROP, ACTION_DROP) },
		{ given->reset, class_make(LIST_RESET, ACTION_RESET) },
		{ given->allow, class_make(LIST_TRUSTED, ACTION_DROP) },
		{ given->watched, class_make(LIST_WATCHED, ACTION_DROP) },
		{ given->refuse, class_make(LIST_REFUSE, ACTION_REFUSE) },
		{ given->tarpit, class_make(LIST_TARPIT, ACTION_TARPIT) },
		{ given->watched_refuse, class_make(LIST_WATCHED_REFUSE, ACTION_REFUSE) },
	};
	const uint8_t flags[LIST_SLOTS] = {
		[LIST_TRUSTED] = LIST_ALLOW,
		[LIST_WATCHED] = LIST_MONITOR,
		[LIST_WATCHED_REFUSE] = LIST_MONITOR,
		[LIST_LEARNED] = given->watched_learned ? LIST_MONITOR : 0,
	};
	struct prefix prefix;

	table_begin(w->table);
	for (size_t i = 0; i < sizeof(entry) / sizeof(entry[0]); i++) {
		if (!entry[i].prefix)
			continue;
		assert_int_equal(
			prefix_parse(entry[i].prefix, strlen(entry[i].prefix), &prefix, NULL), 0);
		assert_int_equal(table_put(w->table, &prefix, entry[i].list_class), TABLE_OK);
	}
	if (given->full24)
		given_neighbours(w, source);
	if (given->displaced)
		given_displaced(w, given->drop);
	table_publish(w->table, flags);
}

static struct meter_line *source_line(const struct world *w, const struct addr *source, int level,
				      uint32_t *tag)
{
	static const uint8_t length4[] = { 128, 120 }, length6[] = { 128, 64, 48 };
	const struct prefix at =
		prefix_of(source, addr_is_ipv4(source) ? length4[level] : length6[level]);
	const uint64_t hash = meter_hash(addr_high(&at.addr), addr_low(&at.addr), (uint32_t)level,
					 w->memory.settings->secret);

	*tag = meter_tag(hash);
	return &w->meter[meter_line_index(hash, TEST_METER_BITS)];
}

static void given_cell(const struct world *w, const struct given *given, int level,
		       struct meter_cell *cell)
{
	cell->conns = given->conns[level];
	if (given->spent[level])
		cell->tat = w->now() + given->limit[level].burst_ns;
	if (given->debt[level])
		cell->tat = w->now() + FAR_NS;
	if (given->ahead[level])
		cell->tat = w->now() + given->limit[level].burst_ns + AHEAD_NS;
}

static void given_meters(const struct world *w, const struct packet_case *test)
{
	const struct addr source = shape_source(&test->shape);
	const struct given *given = &test->given;
	const int levels = addr_is_ipv4(&source) ? METER_SITE : METER_TOTAL;
	struct meter_line *line;
	uint32_t tag;

	memset(w->meter, 0, sizeof(*w->meter) << TEST_METER_BITS);
	memset(w->total, 0, sizeof(*w->total));
	given_cell(w, given, METER_TOTAL, &w->total->cell[0]);
	if (given->no_resets)
		w->total->cell[1].tat = w->now() + FAR_NS;
	for (int level = METER_SOURCE; level < levels; level++) {
		line = source_line(w, &source, level, &tag);
		for (int i = 0; i < METER_WAYS && given->crowded; i++)
			line->cell[i] =
				(struct meter_cell){ .tag = tag + 2 * (uint32_t)i + 2, .conns = 1 };
		if (!given->known && !given->conns[level] && !given->spent[level] &&
		    !given->debt[level] && !given->ahead[level])
			continue;
		line->cell[METER_WAYS - 1].tag = tag;
		given_cell(w, given, level, &line->cell[METER_WAYS - 1]);
	}
}

static struct offender_line *offender_line(const struct world *w, const struct addr *source)
{
	const uint64_t hash = mix64(mix64(addr_high(source)) ^ addr_low(source));

	return &w->offenders[hash & (OFFENDER_LINES - 1)];
}

static void given_offenders(const struct world *w, const struct packet_case *test)
{
	const struct addr source = shape_source(&test->shape);
	struct offender_line *line = offender_line(w, &source);

	memset(line, 0, sizeof(*line));
	if (test->given.offenders_full)
		for (int i = 0; i < OFFENDER_WAYS; i++)
			line->cell[i] = (struct offender){ .source = { 1, (uint64_t)i },
							   .hits = 1,
							   .last_ns = 100u - (unsigned int)i };
	if (test->given.offender_before) {
		memcpy(line->cell[1].source, &source, sizeof(source));
		line->cell[1].hits = 5;
		line->cell[1].last_ns = 50;
	}
}

static void given_learned(const struct world *w, const struct given *given,
			  const struct addr *source)
{
	const struct given_learned *learned = &given->learned;
	const uint32_t family = addr_is_ipv4(source) ? FAMILY_IPV4 : FAMILY_IPV6;
	const uint64_t key = learned_key(addr_high(source), addr_low(source), family);
	const uint64_t hash = learned_hash(key, family, w->memory.settings->secret);
	const uint32_t time = (uint32_t)(w->now() >> LEARNED_SHIFT);
	struct learned_cell *cell = &w->learned[learned_line_index(hash)].cell[learned->way];

	memset(w->learned, 0, sizeof(*w->learned) * LEARNED_LINES);
	cell->key = key;
	if (learned->kind)
		cell->word = learned_word(learned_key_bits(hash ^ (uint64_t)learned->torn << 63,
							   family ^ learned->family),
					  learned->kind, learned->action,
					  learned->expired ? time : time + 10);
}

static void given_evidence(const struct world *w, const struct given *given,
			   const struct addr *source)
{
	const uint32_t action = given->learned.action;

	w->memory.settings->evidence = (struct evidence_settings){
		.on = given->evidence,
		.answers = given->learned.kind == LEARNED_BLOCKED &&
			   (action == ACTION_REFUSE || action == ACTION_TARPIT),
		.slot = LIST_LEARNED,
		.repeat = 3,
	};
	given_learned(w, given, source);
	memset(w->told, 0, sizeof(*w->told) * NEWCOMER_STAGES * TOLD_LINES);
	for (int stage = 0; stage < NEWCOMER_STAGES; stage++)
		w->newcomer_budget[stage].left = given->newcomers;
}

void packet_arrange(const struct world *w, const struct packet_case *test)
{
	static const uint16_t ports[] = { 25, 110, 143, 465, 587, 993, 995 };
	const uint32_t bucket6_bits = table_geometry_for(TEST_CAPACITY, TEST_CAPACITY).bucket6_bits;
	const struct addr source = shape_source(&test->shape);
	const struct given *given = &test->given;
	struct settings *settings = w->memory.settings;

	given_lists(w, given, &source);
	for (uint32_t i = 0; i < (uint32_t)GENERATIONS << bucket6_bits && given->chained; i++)
		w->memory.bucket6[i].slot[0].info |= SLOT6_OVERFLOW;
	settings->monitor = given->monitor;
	settings->secret = 0x5eed;
	settings->answer_key[0] = 0x0706050403020100;
	settings->answer_key[1] = 0x0f0e0d0c0b0a0908;
	settings->precise = !given->coarse;
	settings->flood = given->flood;
	memset(w->flood, 0, sizeof(*w->flood) * FLOOD_PORTS);
	memset(w->proved, 0, sizeof(*w->proved) * PROVED_LINES);
	memset(w->refusal, 0, sizeof(*w->refusal) * LIST_SLOTS);
	memcpy(settings->limit, given->limit, sizeof(settings->limit));
	settings->reset = (struct meter_limit){ 0 };
	if (given->no_resets || given->few_resets)
		settings->reset = (struct meter_limit){ SECOND_NS, SECOND_NS, 0, 0 };
	memset(settings->port, 0, sizeof(settings->port));
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		settings->port[ports[i]] = (uint8_t)(i + 1);
	settings->full_until = 0;
	if (given->full)
		settings->full_until =
			(__u32)(w->now() >> PROVED_SHIFT) + (given->full == 1 ? 10 : 0);
	given_evidence(w, given, &source);
	given_meters(w, test);
	given_offenders(w, test);
	for (int cpu = 0; cpu < BUDGET_CPUS; cpu++)
		w->budget[cpu] =
			(struct budget){ .left = given->budget, .skipped = given->skipped };
	w->reset_counters();
}

static void act(struct run *run)
{
	struct world *w = run->world;

	run->length = run->length_before = frame_build(&run->test->shape, run->frame);
	memcpy(run->before, run->frame, sizeof(run->frame));
	run->action = w->run(run->frame, &run->length, &run->test->given.fault);
	w->read_counters(run->reasons, run->lists, run->health);
	run->event_sent = w->last_event(&run->event);
	run->newcomer_sent = w->last_newcomer(&run->newcomer);
}

static enum family run_family(const struct run *run)
{
	const struct addr source = shape_source(&run->test->shape);

	return addr_is_ipv4(&source) ? FAMILY_IPV4 : FAMILY_IPV6;
}

/* Exactly the counters that the case names have moved. */
static void check_counters(const struct run *run)
{
	const struct expected *expect = &run->test->expect;
	const char *lookup = run->test->given.fault.lookup;
	const bool silent = run->test->given.fault.direct ||
			    (lookup && (!strcmp(lookup, "reasons") || !strcmp(lookup, "settings")));
	uint64_t enforced = 0, monitored = 0;

	for (uint32_t i = 0; i < REASON_COUNTERS; i++) {
		if (i % OUTCOME_COUNT == OUTCOME_ENFORCED)
			enforced += run->reasons[i].packets;
		else
			monitored += run->reasons[i].packets;
	}
	assert_int_equal(enforced, !silent);
	assert_int_equal(monitored, expect->monitored);
	if (silent)
		return;
	/* A packet whose IP header was not reached counts as IPv4. */
	enforced = run->reasons[reason_index(expect->reason, FAMILY_IPV4, 0)].packets +
		   run->reasons[reason_index(expect->reason, FAMILY_IPV6, 0)].packets;
	assert_int_equal(enforced, 1);
	if (expect->monitored)
		assert_int_equal(
			run->reasons[reason_index(expect->would, run_family(run), 1)].packets, 1);
	for (uint32_t i = 0; i < HEALTH_COUNT; i++)
		assert_int_equal(run->health[i], expect->health[i]);
}

/* A bucket owes no more than its burst afterwards, whatever it owed before. */
static void check_debt(const struct run *run)
{
	const struct addr source = shape_source(&run->test->shape);
	const struct given *given = &run->test->given;
	const struct meter_line *line;
	uint32_t tag;

	if (!given->debt[METER_SOURCE])
		return;
	line = source_line(run->world, &source, METER_SOURCE, &tag);
	assert_true(line->cell[METER_WAYS - 1].tat <=
		    run->world->now() + given->limit[METER_SOURCE].burst_ns);
}

static void check_event(const struct run *run)
{
	const struct expected *expect = &run->test->expect;
	const struct addr source = shape_source(&run->test->shape);

	assert_int_equal(run->event_sent, expect->events);
	if (!expect->events)
		return;
	assert_memory_equal(run->event.source, &source, sizeof(source));
	assert_int_equal(run->event.reason, expect->monitored ? expect->would : expect->reason);
	assert_int_equal(run->event.outcome, expect->monitored);
	assert_int_equal(run->event.weight, expect->weight ? expect->weight : 1);
	assert_int_equal(run->event.vlan, run->test->shape.tags[0]);
	if (run->event.reason == REASON_LISTED)
		assert_int_not_equal(run->event.list_class, CLASS_NONE);
}

static void check_newcomer(const struct run *run)
{
	const struct addr source = shape_source(&run->test->shape);

	assert_int_equal(run->newcomer_sent, run->test->expect.newcomer);
	if (!run->newcomer_sent)
		return;
	assert_memory_equal(run->newcomer.source, &source, sizeof(source));
	assert_int_equal(run->newcomer.dest_port, 25);
	assert_int_equal(run->newcomer.completed, 0);
	assert_true(run->world->now() - run->newcomer.time < SECOND_NS);
}

static void check_offender(const struct run *run)
{
	const struct addr source = shape_source(&run->test->shape);
	const struct offender_line *line = offender_line(run->world, &source);
	uint32_t hits = 0;

	for (int i = 0; i < OFFENDER_WAYS; i++)
		if (line->cell[i].last_ns && !memcmp(line->cell[i].source, &source, 16))
			hits = line->cell[i].hits;
	assert_int_equal(hits, run->test->expect.hits);
}

/* The RST that answers a SYN: RFC 9293 3.5.2. */
static void check_reset(const struct run *run)
{
	struct segment answer;

	frame_read(run->frame, run->length, &answer);
	frame_check_way_back(run->before, run->frame, run_family(run) == FAMILY_IPV4);
	assert_int_equal(answer.source_port, 25);
	assert_int_equal(answer.dest_port, 40000);
	assert_int_equal(answer.sequence, 0);
	assert_int_equal(answer.acknowledged, 1000 + 1 + run->test->shape.data);
	assert_int_equal(answer.flags, 0x14); /* RST, ACK */
	assert_int_equal(answer.options + answer.text_length, 0);
}

static void check_frame(const struct run *run)
{
	if (run->action == XDP_TX) {
		check_reset(run);
	} else if (run->action == XDP_PASS) {
		assert_int_equal(run->length, run->length_before);
		assert_memory_equal(run->frame, run->before, run->length);
	}
}

static bool needs_faults(const struct packet_case *test)
{
	static const struct faults none;

	return memcmp(&test->given.fault, &none, sizeof(none)) != 0;
}

static void run_case(void **state)
{
	const struct packet_case *test = *state;

	for (size_t i = 0; i < world_count; i++) {
		struct run run = { .test = test, .world = &worlds[i] };

		if (needs_faults(test) && !worlds[i].faults)
			continue;
		packet_arrange(&worlds[i], test);
		act(&run);
		if (run.action != test->expect.action)
			print_error("%s, in the %s: action %d\n", test->name, worlds[i].name,
				    run.action);
		assert_int_equal(run.action, test->expect.action);
		check_counters(&run);
		check_event(&run);
		check_newcomer(&run);
		check_offender(&run);
		check_debt(&run);
		check_frame(&run);
	}
}

#ifdef POSTERN_COVERAGE
void __llvm_profile_reset_counters(void);
void __llvm_profile_set_filename(const char *name);
int __llvm_profile_write_file(void);

static const char *profile_directory;

static int profile_start(void **state)
{
	(void)state;
	__llvm_profile_reset_counters();
	return 0;
}

static int profile_end(void **state)
{
	const char *const *test = *state; /* a case or a talk: its name comes first */
	char path[512], name[128];

	if (!profile_directory)
		return 0;
	snprintf(name, sizeof(name), "%s", *test);
	for (char *c = name; *c; c++)
		if (*c == '/' || *c == ' ')
			*c = '_';
	snprintf(path, sizeof(path), "%s/%s.profraw", profile_directory, name);
	__llvm_profile_set_filename(path);
	return __llvm_profile_write_file();
}
#else
#define profile_start NULL
#define profile_end   NULL
#endif

static void run_talk(void **state)
{
	const struct talk *talk = *state;

	for (size_t i = 0; i < world_count; i++)
		if (!talk->faults || worlds[i].faults)
			talk->run(&worlds[i]);
}

#define CASES_MAX 512

static size_t collect_talks(struct CMUnitTest *tests, const struct talk *talks, size_t count,
			    const char *wanted)
{
	size_t taken = 0;

	for (size_t i = 0; i < count; i++)
		if (!wanted || !strcmp(wanted, talks[i].name))
			tests[taken++] =
				(struct CMUnitTest){ talks[i].name, run_talk, profile_start,
						     profile_end, (void *)(uintptr_t)&talks[i] };
	return taken;
}

static size_t collect(struct CMUnitTest *tests, const char *wanted)
{
	const struct {
		const struct packet_case *cases;
		size_t count;
	} tables[] = {
		{ parse_cases, parse_case_count },     { list_cases, list_case_count },
		{ limit_cases, limit_case_count },     { report_cases, report_case_count },
		{ learned_cases, learned_case_count }, { handshake_cases, handshake_case_count },
	};
	size_t count = 0;

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (size_t i = 0; i < tables[t].count && count < CASES_MAX; i++) {
			const struct packet_case *test = &tables[t].cases[i];

			if (!wanted || !strcmp(wanted, test->name))
				tests[count++] =
					(struct CMUnitTest){ test->name, run_case, profile_start,
							     profile_end, (void *)(uintptr_t)test };
		}
	count += collect_talks(tests + count, hold_talks, hold_talk_count, wanted);
	count += collect_talks(tests + count, flood_talks, flood_talk_count, wanted);
	count += collect_talks(tests + count, total_talks, total_talk_count, wanted);
	count += collect_talks(tests + count, newcomer_talks, newcomer_talk_count, wanted);
	return count;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[CASES_MAX];
	size_t count;
	int failed;

#ifdef POSTERN_COVERAGE
	if (argc > 2 && !strcmp(argv[1], "--profile")) {
		profile_directory = argv[2];
		argc -= 2;
		argv += 2;
	}
	__llvm_profile_set_filename("/dev/null");
#else
	if (kernel_world(&worlds[world_count++]))
		return 1;
#endif
	if (native_world(&worlds[world_count++]))
		return 1;
	count = collect(tests, argc > 1 && argv[1][0] != '-' ? argv[1] : NULL);
	if (argc > 1 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < count; i++)
			puts(tests[i].name);
		return 0;
	}
	failed = _cmocka_run_group_tests("packets", tests, count, NULL, NULL);
#ifndef POSTERN_COVERAGE
	kernel_world_close();
#endif
	return failed != 0;
}
