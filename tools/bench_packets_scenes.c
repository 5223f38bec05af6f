/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets_scenes.c - sets a scene of tools/bench_packets_answers.c between two runs.
 */
#define _GNU_SOURCE /* unshare */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/clock.h"
#include "tools/bench_packets_scenes.h"

#define PORT          25
#define NEVER_EMPTY   (1ull << 50) /* ns of burst */
#define FLOOD_AT      (1u << 31)   /* attempts in a window that never come */
#define FLOOD_BATCH   64
#define SYN_OPTIONS   20
#define PROVED_ALWAYS (~0u >> 1)

static int listener = -1; /* open until the end */

/* net.ipv4.tcp_syncookies is 2 there: a test run looks for sockets where its caller is. */
void bench_answers_listen(void)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int sysctl;

	if (unshare(CLONE_NEWNET))
		give_up("a network namespace");
	sysctl = open("/proc/sys/net/ipv4/tcp_syncookies", O_WRONLY);
	if (sysctl < 0 || write(sysctl, "2", 1) != 1)
		give_up("tcp_syncookies");
	close(sysctl);
	listener = socket(AF_INET6, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (const void *)&any, sizeof(any)) || listen(listener, 1))
		give_up("a listener");
}

/* A SYN with the options that Linux sends, or a segment without any. */
static void set_question(const struct stage *stage, const struct scene *scene)
{
	static const uint8_t options[SYN_OPTIONS] = { 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0,
						      0, 1, 0,    0,    0, 0, 1, 3,  3, 7 };
	struct question *q = stage->shared->question;
	const uint8_t flags = scene->flags ? scene->flags : FLAG_SYN;
	const uint32_t tcp = flags == FLAG_SYN ? 20 + SYN_OPTIONS : 20;
	const uint32_t ip = stage->ipv4 ? 20 : 40, l4 = 14 + ip;

	*q = (struct question){ .length = l4 + tcp, .acknowledges = flags == FLAG_ACK };
	q->byte[12] = stage->ipv4 ? 0x08 : 0x86;
	q->byte[13] = stage->ipv4 ? 0x00 : 0xdd;
	q->byte[14] = stage->ipv4 ? 0x45 : 0x60;
	q->byte[stage->ipv4 ? 17 : 19] = (uint8_t)(stage->ipv4 ? ip + tcp : tcp);
	q->byte[stage->ipv4 ? 23 : 20] = IPPROTO_TCP;
	q->byte[30] = 10; /* to 10.0.0.0, or the like of it */
	q->byte[l4 + 1] = 99;
	q->byte[l4 + 3] = (uint8_t)(scene->port ? scene->port : PORT);
	/* A tarpit's client has sent number 1 before its SYN was 0, so a probe repeats 0. */
	q->byte[l4 + 12] = (uint8_t)(tcp / 4 << 4);
	q->byte[l4 + 13] = flags;
	if (flags == FLAG_SYN)
		memcpy(q->byte + l4 + 20, options, sizeof(options));
}

static void set_limits(struct settings *s, const struct scene *scene)
{
	static const uint32_t rate[METER_LEVELS] = { 20, 100, 200, 0 };
	static const uint32_t conns[METER_LEVELS] = { 50, 200, 400, 0 };

	for (int level = METER_SOURCE; level < METER_LEVELS; level++) {
		s->limit[level] = (struct meter_limit){ 0 };
		if (scene->limits != LIMITS_NONE && rate[level])
			s->limit[level] = (struct meter_limit){ NS_A_SECOND / rate[level],
								NEVER_EMPTY, conns[level], 1 };
	}
	if (scene->limits == LIMITS_EXCEEDED)
		s->limit[METER_SOURCE] =
			(struct meter_limit){ 1000 * NS_A_SECOND, 1000 * NS_A_SECOND, 50, 1 };
	s->reset = (struct meter_limit){ 1, NEVER_EMPTY, 0, 1 };
	s->precise = scene->precise;
}

static void set_flood(const struct shared *shared, const struct scene *scene)
{
	shared->settings->flood = (struct flood_settings){
		.threshold = scene->flood == FLOOD_NEVER ? 0 : FLOOD_AT,
		.release = 0,
		.quiet = FLOOD_AT,
		.batch = FLOOD_BATCH,
		.cookies = COOKIES_ON | COOKIES_TIMESTAMPS,
		.proof = 1,
		.window = 1024,
		.scale = 7,
	};
	shared->flood[0].active = scene->flood == FLOOD_ON;
}

/* What a source is known by, as the program has addresses: IPv4 itself, IPv6 its /64. */
static void known_by(const struct stage *stage, const struct source *source, uint64_t *high,
		     uint64_t *low)
{
	uint32_t word[4];

	memcpy(word, source->byte, sizeof(word));
	*high = stage->ipv4 ? 0 : (uint64_t)ntohl(word[0]) << 32 | ntohl(word[1]);
	*low = stage->ipv4 ? 0xffff00000000ull | ntohl(word[0]) : 0;
}

static void prove_source(const struct stage *stage, const struct source *source)
{
	const uint64_t secret = stage->shared->settings->secret;
	uint64_t hash, high, low;
	struct proved_line *line;

	known_by(stage, source, &high, &low);
	hash = meter_hash(high, low, stage->ipv4 ? METER_SOURCE : METER_NET, secret);
	line = &stage->shared->proved[hash & (PROVED_LINES - 1)];
	for (int i = 0; i < PROVED_WAYS; i++)
		if (!line->cell[i].tag) {
			line->cell[i] = (struct proved_cell){ meter_tag(hash), PROVED_ALWAYS };
			return;
		}
}

/* In a free cell of its line, or in none: nearly all find room. */
static void learn_source(const struct stage *stage, const struct source *source,
			 enum scene_evidence evidence)
{
	const uint32_t family = stage->ipv4 ? FAMILY_IPV4 : FAMILY_IPV6;
	struct learned_line *line;
	uint64_t key, hash, high, low;

	known_by(stage, source, &high, &low);
	key = learned_key(high, low, family);
	hash = learned_hash(key, family, stage->shared->settings->secret);
	line = &stage->shared->learned[learned_line_index(hash)];
	for (int i = 0; i < LEARNED_WAYS; i++)
		if (!line->cell[i].word) {
			line->cell[i].key = key;
			line->cell[i].word = learned_word(
				learned_key_bits(hash, family),
				evidence == EVIDENCE_KNOWN ? LEARNED_KNOWN : LEARNED_BLOCKED,
				ACTION_DROP, ~0u);
			return;
		}
}

static void set_evidence(const struct stage *stage, const struct scene *scene)
{
	const uint32_t count = scene->sources ? scene->sources : SOURCES;
	struct settings *s = stage->shared->settings;

	s->full_until = scene->full ? ~0u : 0;
	s->evidence = (struct evidence_settings){
		.on = scene->evidence != EVIDENCE_OFF,
		.slot = LIST_SLOTS - 1,
	};
	memset(stage->shared->learned, 0, LEARNED_LINES * sizeof(*stage->shared->learned));
	for (uint32_t i = 0; i < count && scene->evidence > EVIDENCE_ON; i++)
		learn_source(stage, &stage->kept[i], scene->evidence);
}

static void set_sources(const struct stage *stage, const struct scene *scene)
{
	struct source *other = stage->shared->sources + (size_t)SET_OTHER * SOURCES;
	const uint32_t count = scene->sources ? scene->sources : SOURCES;

	turn_begin(stage->shared, scene->other ? SET_OTHER : SET_LISTED);
	memset(stage->shared->proved, 0, PROVED_LINES * sizeof(*stage->shared->proved));
	if (!scene->other)
		return;
	for (uint32_t i = 0; i < SOURCES; i++)
		other[i] = stage->kept[i % count];
	for (uint32_t i = 0; i < count && scene->proved; i++)
		prove_source(stage, &other[i]);
}

/* Runs a program over all sources, whatever it says. */
static void run_over_sources(const struct stage *stage, const char *name)
{
	struct question *q = stage->shared->question;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = q->byte, .data_size_in = q->length,
		    .repeat = (int)SOURCES);

	if (bpf_prog_test_run_opts(bpf_program__fd(gate_bench_program(stage->gate, name)),
				   &options))
		give_up(name);
}

void stage_begin(struct stage *stage)
{
	static const struct scene listed = { .figure = "" };

	stage->kept = realloc(stage->kept, SOURCES * sizeof(*stage->kept));
	if (!stage->kept)
		give_up("sources");
	memcpy(stage->kept, stage->shared->sources + (size_t)SET_OTHER * SOURCES,
	       SOURCES * sizeof(*stage->kept));
	stage_set(stage, &listed);
	run_over_sources(stage, "bench_learn");
}

void stage_set(const struct stage *stage, const struct scene *scene)
{
	set_question(stage, scene);
	set_limits(stage->shared->settings, scene);
	set_flood(stage->shared, scene);
	set_sources(stage, scene);
	set_evidence(stage, scene);
	memset(stage->shared->meter, 0, METER_LINES * sizeof(*stage->shared->meter));
	if (scene->limits == LIMITS_EXCEEDED)
		run_over_sources(stage, "bench_gate_serial");
}

void stage_end(struct stage *stage)
{
	free(stage->kept);
	stage->kept = NULL;
}
