/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/flood.c - floods from their first packet to their end, and the cookies meanwhile.
 */
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/packet/packet.h"

#define WINDOW_NS  (1ull << FLOOD_WINDOW_SHIFT)
#define THRESHOLD  10
#define PORT       0 /* number of port 25 among the floods */
#define SYN_ACK    0x12
#define OFFERED    1024 /* window */
#define SCALE      7
#define MSS_OPTION 4 /* octets */

static const struct flood_settings armed = {
	.threshold = THRESHOLD,
	.release = 5,
	.quiet = 3,
	.batch = 1,
	.cookies = COOKIES_ON | COOKIES_TIMESTAMPS,
	.proof = 100,
	.window = OFFERED,
	.scale = SCALE,
};

/* Whoever sends SYNs, and what came of the last one. */
struct sender {
	struct world *world;
	struct shape shape;
	struct faults faults;
	struct segment answer;
	uint64_t health[HEALTH_COUNT];
	struct counter reasons[REASON_COUNTERS];
};

static struct sender sender_in(struct world *w, struct given given)
{
	const struct packet_case test = { .shape = { 0 }, .given = given };

	packet_arrange(w, &test);
	return (struct sender){ .world = w };
}

static int send_syn(struct sender *s)
{
	static struct counter lists[LIST_COUNTERS];
	uint8_t frame[FRAME_MAX], asked[FRAME_MAX];
	size_t length = frame_build(&s->shape, frame);
	int action;

	memcpy(asked, frame, sizeof(asked));
	s->world->reset_counters();
	action = s->world->run(frame, &length, &s->faults);
	s->world->read_counters(s->reasons, lists, s->health);
	if (action == XDP_TX) {
		frame_read(frame, length, &s->answer);
		frame_check_way_back(asked, frame, !s->shape.source);
		assert_int_equal(s->answer.flags, SYN_ACK);
		assert_int_equal(s->answer.acknowledged, 1001);
		assert_int_equal(s->answer.window, OFFERED);
	}
	return action;
}

static void send_many(struct sender *s, int count)
{
	for (int i = 0; i < count; i++)
		send_syn(s);
}

static uint64_t counted(const struct sender *s, enum reason reason, enum outcome outcome)
{
	return s->reasons[reason_index(reason, FAMILY_IPV4, outcome)].packets +
	       s->reasons[reason_index(reason, FAMILY_IPV6, outcome)].packets;
}

/* In the kernel the clock goes on meanwhile, and SYNs that are counted in two windows begin
 * nothing. */
static void send_until_active(struct sender *s)
{
	for (int i = 0; i < 1000 && !s->world->flood[PORT].active; i++)
		send_syn(s);
	assert_int_equal(s->world->flood[PORT].active, 1);
}

/* SYNs until one is answered; returns how many passed before it. */
static int send_until_answered(struct sender *s)
{
	int passed = 0;

	while (passed < 1000 && send_syn(s) == XDP_PASS)
		passed++;
	return passed;
}

static void flood_begins(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });
	const int passed = send_until_answered(&s);

	/* In the kernel the clock goes on meanwhile, and a new window may begin. */
	assert_true(passed > THRESHOLD && (!w->advance || passed == THRESHOLD + 1));
	assert_int_equal(counted(&s, REASON_CHALLENGED, OUTCOME_ENFORCED), 1);
	assert_int_equal(s.health[HEALTH_COOKIES_SENT], 1);
	assert_int_equal(w->flood[PORT].active, 1);
	assert_int_equal(w->flood[PORT].floods, 1);
	s.shape.port = 110; /* the floods of other ports are others */
	assert_int_equal(send_syn(&s), XDP_PASS);
	assert_int_equal(counted(&s, REASON_ACCEPTED, OUTCOME_ENFORCED), 1);
}

static void flood_ipv6(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });

	s.shape.source = "2001:db8::1";
	s.shape.tags[0] = 100;
	assert_true(send_until_answered(&s) >= THRESHOLD);
	assert_int_equal(s.health[HEALTH_COOKIES_SENT], 1);
}

static void flood_in_batches(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });

	w->memory.settings->flood.batch = 4;
	assert_int_equal(send_until_answered(&s), 12); /* seen with the twelfth */
	send_many(&s, 1);
	w->advance(WINDOW_NS); /* what a window leaves over counts in the next */
	send_many(&s, 1);
	assert_int_equal(w->flood[PORT].last, 12);
	assert_int_equal(w->flood[PORT].count, 3);
}

static void flood_never(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ 0 });

	for (int i = 0; i < 3 * THRESHOLD; i++)
		assert_int_equal(send_syn(&s), XDP_PASS);
}

/* One source is no flood: its own limit stops it. Many are, also beyond the limit of all. */
static void flood_and_limits(struct world *w)
{
	const struct meter_limit one = { 1000000000, 1000000000, 0, 1 };
	struct given own = { .flood = armed }, all = own;
	struct sender s;

	own.limit[METER_SOURCE] = one;
	all.limit[METER_TOTAL] = one;
	s = sender_in(w, own);
	send_many(&s, 3 * THRESHOLD);
	assert_int_equal(w->flood[PORT].active, 0);
	s = sender_in(w, all);
	send_until_active(&s);
	all.limit[METER_TOTAL] = (struct meter_limit){ .conns = 1 };
	all.conns[METER_TOTAL] = 1;
	s = sender_in(w, all);
	send_until_active(&s);
}

/* Lists come first, and what they decide does not count. */
static void flood_of_listed(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed,
						       .drop = "192.0.2.0/24",
						       .allow = "203.0.113.0/24" });

	for (int i = 0; i < 2 * THRESHOLD; i++)
		assert_int_equal(send_syn(&s), XDP_DROP);
	s.shape.source = "203.0.113.1";
	for (int i = 0; i < 2 * THRESHOLD; i++)
		assert_int_equal(send_syn(&s), XDP_PASS);
	assert_int_equal(w->flood[PORT].active, 0);
}

/* It ends when it has been quiet for as long as it must be; a busy window begins the count anew. */
static void flood_ends(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });
	struct flood_port *port = &w->flood[PORT];

	send_many(&s, THRESHOLD + 3);
	for (uint32_t quiet = 1; quiet <= 2; quiet++) {
		w->advance(WINDOW_NS);
		send_many(&s, 5);
		assert_int_equal(port->quiet, quiet - 1);
	}
	w->advance(WINDOW_NS);
	send_many(&s, 6);
	assert_int_equal(port->quiet, 2);
	w->advance(WINDOW_NS);
	send_many(&s, 5);
	assert_int_equal(port->quiet, 0);
	assert_int_equal(port->active, 1);
	for (int window = 0; window < 2; window++) {
		w->advance(WINDOW_NS);
		send_many(&s, 1);
		assert_int_equal(port->active, 1);
	}
	w->advance(WINDOW_NS);
	assert_int_equal(send_syn(&s), XDP_PASS);
	assert_int_equal(port->active, 0);
	assert_int_equal(port->peak, THRESHOLD + 3);
}

static void flood_falls_silent(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });

	send_many(&s, THRESHOLD + 1);
	assert_int_equal(w->flood[PORT].active, 1);
	w->advance(10 * WINDOW_NS);
	assert_int_equal(send_syn(&s), XDP_PASS);
	assert_int_equal(w->flood[PORT].active, 0);
	assert_int_equal(w->flood[PORT].last, 0);
	send_many(&s, THRESHOLD);
	assert_int_equal(w->flood[PORT].floods, 2);
}

/* Other CPUs may be first to begin a flood, or a window. */
static void flood_races(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });

	s.faults.exchange = 1;
	assert_int_equal(send_syn(&s), XDP_PASS);
	assert_int_equal(w->flood[PORT].window, 0);
	s.faults.exchange = 0;
	send_many(&s, THRESHOLD);
	s.faults.exchange = 1;
	assert_int_equal(send_syn(&s), XDP_PASS);
	assert_int_equal(w->flood[PORT].floods, 0);
}

static struct proved_line *line_of(const struct world *w, const char *text, bool ipv4,
				   uint32_t *tag)
{
	struct addr addr;
	uint64_t hash;

	assert_int_equal(addr_parse(text, strlen(text), &addr, NULL), 0);
	hash = meter_hash(addr_high(&addr), ipv4 ? addr_low(&addr) : 0,
			  ipv4 ? METER_SOURCE : METER_NET, w->memory.settings->secret);
	*tag = meter_tag(hash);
	return &w->proved[hash % PROVED_LINES];
}

/* Whoever has completed a handshake lately is left alone; IPv6 by its /64. */
static void flood_spares_proved(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });
	const uint32_t now = (uint32_t)(w->now() >> PROVED_SHIFT);
	struct proved_line *line;
	uint32_t tag;

	assert_true(send_until_answered(&s) >= THRESHOLD);
	line = line_of(w, "192.0.2.1", true, &tag);
	line->cell[3] = (struct proved_cell){ tag, now + 10 };
	assert_int_equal(send_syn(&s), XDP_PASS);
	line->cell[3].until = now;
	assert_int_equal(send_syn(&s), XDP_TX);
	line->cell[3] = (struct proved_cell){ tag + 2, now + 10 };
	assert_int_equal(send_syn(&s), XDP_TX);
	line = line_of(w, "2001:db8::", false, &tag);
	line->cell[7] = (struct proved_cell){ tag, now + 10 };
	s.shape.source = "2001:db8::1234";
	assert_int_equal(send_syn(&s), XDP_PASS);
	s.shape.source = "2001:db8:0:1::1234";
	assert_int_equal(send_syn(&s), XDP_TX);
}

static void flood_watched(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed, .monitor = true });

	send_until_active(&s);
	assert_int_equal(send_syn(&s), XDP_PASS);
	assert_int_equal(counted(&s, REASON_CHALLENGED, OUTCOME_MONITORED), 1);
	assert_int_equal(counted(&s, REASON_ACCEPTED, OUTCOME_ENFORCED), 1);
}

/* Without a cookie the limits decide. */
static void flood_without_cookies(struct world *w)
{
	struct sender s = sender_in(
		w, (struct given){ .flood = armed, .limit = { { 0, 0, 1, 0 } }, .conns = { 1 } });

	w->memory.settings->flood.cookies = 0;
	w->flood[PORT].active = 1;
	w->flood[PORT].window = w->now() >> FLOOD_WINDOW_SHIFT;
	assert_int_equal(send_syn(&s), XDP_DROP);
	assert_int_equal(counted(&s, REASON_CONN_SOURCE, OUTCOME_ENFORCED), 1);
	assert_int_equal(s.health[HEALTH_COOKIES_SKIPPED], 1);
}

static void flood_to_others(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });
	const struct faults faults[] = {
		{ .no_listener = true },
		{ .no_cookie = true },
		{ .head = true },
		{ .foreign = true },
	};

	send_many(&s, 2 * THRESHOLD);
	w->memory.settings->flood.cookies |= COOKIES_ROUTED;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		s.shape.source = ipv6 ? "2001:db8::1" : NULL;
		s.faults = (struct faults){ 0 };
		assert_int_equal(send_syn(&s), XDP_TX);
		s.faults.no_forwarding = true;
		assert_int_equal(send_syn(&s), XDP_TX);
		for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
			s.faults = faults[i];
			assert_int_equal(send_syn(&s), XDP_PASS);
			assert_int_equal(s.health[HEALTH_COOKIES_SKIPPED], 1);
		}
	}
}

/* A frame that ends within the options: there, or where the answer's would be. */
static void flood_cut_short(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });

	send_many(&s, 2 * THRESHOLD);
	s.shape.doff = 10;
	s.shape.cut = 14 + 20 + 20 + 6;
	assert_int_equal(send_syn(&s), XDP_PASS);
	assert_int_equal(s.health[HEALTH_COOKIES_SKIPPED], 1);
	s.shape.cut = 0;
	s.faults.cut_after_adjust = 14 + 20 + 20 + 2;
	assert_int_equal(send_syn(&s), XDP_PASS);
	assert_int_equal(s.health[HEALTH_COOKIES_SKIPPED], 1);
}

static void flood_maps_missing(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });
	static const char *const maps[] = { "flood", "flood_cpu" };

	send_many(&s, 2 * THRESHOLD);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		s.faults.lookup = maps[i];
		assert_int_equal(send_syn(&s), XDP_PASS);
	}
	s.faults.lookup = "proved"; /* then nobody is proved */
	assert_int_equal(send_syn(&s), XDP_TX);
}

/* A SYN with these options gets an answer with those; the client's time stamp is 0x01020304. */
struct option_case {
	uint8_t words;
	uint8_t asked[40];
	uint8_t answered;   /* octets, behind the segment size */
	uint8_t stamp_low;  /* low six bits of our time stamp */
	uint8_t option[16]; /* with zeros for our time stamp */
};

#define STAMP_ASKED    8, 10, 1, 2, 3, 4, 0, 0, 0, 0
#define STAMP_ANSWERED 8, 10, 0, 0, 0, 0, 1, 2, 3, 4

static const struct option_case option_cases[] = {
	{ 0, { 0 }, 0, 0, { 0 } },
	{ 1, { 2, 4, 5, 180 }, 0, 0, { 0 } },
	/* as Linux asks */
	{ 5,
	  { 2, 4, 5, 180, 4, 2, STAMP_ASKED, 1, 3, 3, 9 },
	  16,
	  0x19,
	  { 4, 2, STAMP_ANSWERED, 1, 3, 3, SCALE } },
	{ 4, { 4, 2, STAMP_ASKED, 2, 4, 5, 180 }, 12, 0x1f, { 4, 2, STAMP_ANSWERED } },
	{ 4,
	  { STAMP_ASKED, 1, 3, 3, 14, 1, 1 },
	  16,
	  0x0e,
	  { 1, 1, STAMP_ANSWERED, 1, 3, 3, SCALE } },
	/* a scale beyond what there is (RFC 7323 2.3) */
	{ 4,
	  { STAMP_ASKED, 3, 3, 200, 0, 0, 0 },
	  16,
	  0x0e,
	  { 1, 1, STAMP_ANSWERED, 1, 3, 3, SCALE } },
	/* without time stamps neither scale nor SACK */
	{ 2, { 4, 2, 3, 3, 9, 1, 1, 1 }, 0, 0, { 0 } },
	/* lengths that are not what they should be */
	{ 4, { 4, 3, 0, 3, 4, 9, 0, 8, 9, 1, 2, 3, 4, 0, 0, 0 }, 0, 0, { 0 } },
	{ 1, { 8, 10, 1, 2 }, 0, 0, { 0 } },
	{ 1, { 3, 0, 0, 0 }, 0, 0, { 0 } },
	{ 1, { 3, 1, 9, 0 }, 0, 0, { 0 } },
	{ 10, { [1] = 8 }, 0, 0, { 0 } },
	{ 3, { 254, 8, 1, 2, 3, 4, 5, 6, 1, 1, 1, 8 }, 0, 0, { 0 } },
	{ 10,
	  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, STAMP_ASKED },
	  0,
	  0,
	  { 0 } },
};

/* Our time stamp is the clock in ms, or up to 64 ms earlier (RFC 7323 allows no later one). */
static void check_stamp(const struct sender *s, const struct option_case *c, const uint8_t *stamp)
{
	const uint32_t value = (uint32_t)stamp[0] << 24 | (uint32_t)stamp[1] << 16 |
			       (uint32_t)stamp[2] << 8 | stamp[3];
	const uint32_t now = (uint32_t)(s->world->now() / 1000000);

	assert_int_equal(value & 0x3f, c->stamp_low);
	assert_true(now - value <= 64 + (s->world->advance ? 0 : 1000));
}

static void check_options(struct sender *s, const struct option_case *c)
{
	uint8_t option[16];

	s->shape.doff = (uint8_t)(5 + c->words);
	memcpy(s->shape.options, c->asked, sizeof(c->asked));
	assert_int_equal(send_syn(s), XDP_TX);
	assert_int_equal(s->answer.options, MSS_OPTION + c->answered);
	assert_memory_equal(s->answer.option, "\2\4", 2);
	memcpy(option, s->answer.option + MSS_OPTION, sizeof(option));
	if (c->answered) {
		check_stamp(s, c, option + 4);
		memset(option + 4, 0, 4);
	}
	assert_memory_equal(option, c->option, c->answered);
}

static void cookie_options(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });

	send_until_answered(&s);
	for (size_t i = 0; i < sizeof(option_cases) / sizeof(option_cases[0]); i++) {
		for (uint64_t ms = 0; ms < 70 && w->advance; ms += 7) {
			w->advance(7000000);
			w->flood[PORT].active = 1;
			check_options(&s, &option_cases[i]);
		}
		w->flood[PORT].active = 1;
		check_options(&s, &option_cases[i]);
	}
}

/* Where the kernel hides its clock, nothing can be written into time stamps. */
static void cookie_without_stamps(struct world *w)
{
	const struct option_case plain = {
		5, { 2, 4, 5, 180, 4, 2, STAMP_ASKED, 1, 3, 3, 9 }, 0, 0, { 0 }
	};
	struct sender s = sender_in(w, (struct given){ .flood = armed });

	send_until_answered(&s);
	w->memory.settings->flood.cookies = COOKIES_ON;
	check_options(&s, &plain);
}

/* What an Ethernet's MTU leaves. */
static void cookie_segment_size(struct world *w)
{
	struct sender s = sender_in(w, (struct given){ .flood = armed });

	send_until_answered(&s);
	assert_int_equal(s.answer.option[2] << 8 | s.answer.option[3], 1460);
	s.shape.source = "2001:db8::1";
	assert_int_equal(send_syn(&s), XDP_TX);
	assert_int_equal(s.answer.option[2] << 8 | s.answer.option[3], 1440);
	s.faults.small_mtu = true; /* less than a host must take (RFC 791) */
	assert_int_equal(send_syn(&s), XDP_TX);
	assert_int_equal(s.answer.option[2] << 8 | s.answer.option[3], 576 - 60);
}

const struct talk flood_talks[] = {
	{ "flood begins", flood_begins, false },
	{ "flood, ipv6 and vlan", flood_ipv6, false },
	{ "flood, counted in batches", flood_in_batches, true },
	{ "flood, no threshold", flood_never, false },
	{ "flood, listed sources", flood_of_listed, false },
	{ "flood, limits", flood_and_limits, false },
	{ "flood ends", flood_ends, true },
	{ "flood falls silent", flood_falls_silent, true },
	{ "flood, other cpus", flood_races, true },
	{ "flood, proved sources", flood_spares_proved, false },
	{ "flood, monitor mode", flood_watched, false },
	{ "flood, cookies off", flood_without_cookies, false },
	{ "flood, no cookie", flood_to_others, true },
	{ "flood, frame cut short", flood_cut_short, true },
	{ "flood, maps missing", flood_maps_missing, true },
	{ "cookie, options", cookie_options, false },
	{ "cookie, no time stamps", cookie_without_stamps, false },
	{ "cookie, segment size", cookie_segment_size, true },
};
const size_t flood_talk_count = sizeof(flood_talks) / sizeof(flood_talks[0]);
