/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/packet/hold.c - connections that the program holds: a refused client's, and one in the
 * tarpit, segment by segment.
 */
#include <linux/bpf.h>
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/lookup.h"
#include "tests/packet/packet.h"

#define FIN          0x01
#define SYN          0x02
#define RST          0x04
#define PSH          0x08
#define ACK          0x10
#define ISN          1000 /* the client's: of a shape */
#define REPLY_WINDOW 4096

/* A client and the world that it talks to. */
struct talker {
	struct world *world;
	struct shape shape; /* of its segments */
	struct faults faults;
	uint32_t first; /* our initial sequence number */
	struct segment answer;
	uint64_t health[HEALTH_COUNT];
	struct counter reasons[REASON_COUNTERS];
};

/* Sends what the shape says; returns the action, and the answer if there is one. */
static int say(struct talker *t)
{
	static struct counter lists[LIST_COUNTERS];
	uint8_t frame[FRAME_MAX], asked[FRAME_MAX];
	size_t length = frame_build(&t->shape, frame);
	int action;

	memcpy(asked, frame, sizeof(asked));
	t->world->reset_counters();
	action = t->world->run(frame, &length, &t->faults);
	t->world->read_counters(t->reasons, lists, t->health);
	memset(&t->answer, 0, sizeof(t->answer));
	if (action == XDP_TX) {
		frame_read(frame, length, &t->answer);
		frame_check_way_back(asked, frame, !strchr(t->shape.source, ':'));
	}
	return action;
}

/* A segment after the SYN: sequence numbers count from 0, as in a trace. */
static int say_segment(struct talker *t, uint8_t flags, uint32_t sequence, uint32_t acknowledged,
		       uint16_t data)
{
	t->shape.flags = flags;
	t->shape.sequence = ISN + sequence;
	t->shape.acknowledged = t->first + acknowledged;
	t->shape.data = data;
	return say(t);
}

static uint64_t packets(const struct talker *t, enum reason reason)
{
	return t->reasons[reason_index(reason, FAMILY_IPV4, OUTCOME_ENFORCED)].packets +
	       t->reasons[reason_index(reason, FAMILY_IPV6, OUTCOME_ENFORCED)].packets;
}

static struct talker meet(struct world *w, const char *source, struct given given)
{
	const struct packet_case test = { .shape = { .source = source }, .given = given };

	packet_arrange(w, &test);
	return (struct talker){ .world = w, .shape = test.shape };
}

static void check_numbers(const struct talker *t, uint8_t flags, uint32_t sequence,
			  uint32_t acknowledged, uint16_t window)
{
	assert_int_equal(t->answer.flags, flags);
	assert_int_equal(t->answer.sequence - t->first, sequence);
	assert_int_equal(t->answer.acknowledged - ISN, acknowledged);
	assert_int_equal(t->answer.window, window);
	assert_int_equal(t->answer.options, 0);
}

/* The SYN, and the SYN-ACK that answers it. */
static void open_with(struct talker *t, uint16_t window)
{
	t->shape.flags = SYN;
	assert_int_equal(say(t), XDP_TX);
	t->first = t->answer.sequence;
	check_numbers(t, SYN | ACK, 0, 1, window);
	assert_int_equal(packets(t, REASON_LISTED), 1);
	assert_int_equal(t->health[HEALTH_HOLDS_SENT], 1);
	assert_int_equal(t->answer.text_length, 0);
}

/* The reply, whose lookup id is that of an event about the client. */
static void check_banner(struct talker *t, const char *reason, const char *address)
{
	char expected[256], id[LOOKUP_ID_CHARS + 1];
	struct event event;

	assert_true(t->world->last_event(&event));
	assert_int_equal(event.told, 1);
	assert_int_equal(event.weight, 0);
	assert_int_equal(event.reason, REASON_LISTED);
	assert_int_equal(event.id & 0xff, event.list_class);
	snprintf(expected, sizeof(expected), "%s; client [%s]; id %s\r\n", reason, address,
		 lookup_id_format(event.id, id));
	assert_string_equal(t->answer.text, expected);
	assert_int_equal(t->answer.text_length, strlen(expected));
	assert_int_equal(t->health[HEALTH_REFUSALS_SENT], 1);
	assert_int_equal(packets(t, REASON_HELD), 1);
}

static void refuse_conversation(struct talker *t, const char *address)
{
	uint32_t end;

	open_with(t, REPLY_WINDOW);
	for (int i = 0; i < 2; i++) { /* the handshake's ACK, and again, as if the reply was lost */
		assert_int_equal(say_segment(t, ACK, 1, 1, 0), XDP_TX);
		check_numbers(t, FIN | PSH | ACK, 1, 1, REPLY_WINDOW);
		check_banner(t, "554 5.7.1 refused", address);
	}
	end = (uint32_t)t->answer.text_length + 2; /* behind the reply and the FIN */
	assert_int_equal(say_segment(t, ACK, 1, end, 0), XDP_DROP);
	assert_int_equal(packets(t, REASON_HELD), 1);
	assert_int_equal(say_segment(t, PSH | ACK, 1, end, 6), XDP_TX);
	check_numbers(t, ACK, end, 7, REPLY_WINDOW);
	assert_int_equal(say_segment(t, FIN | ACK, 7, end, 0), XDP_TX);
	check_numbers(t, ACK, end, 8, REPLY_WINDOW);
	assert_int_equal(t->health[HEALTH_HOLDS_SENT], 1);
}

static void refuse_ipv4(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });

	refuse_conversation(&t, "192.0.2.1");
}

static void refuse_ipv6(struct world *w)
{
	struct talker t = meet(w, "2001:db8::1", (struct given){ .refuse = "2001:db8::/32" });

	refuse_conversation(&t, "2001:db8::1");
}

static void refuse_tagged(struct world *w)
{
	struct talker t = meet(w, "2001:db8::1", (struct given){ .refuse = "2001:db8::/32" });

	t.shape.tags[0] = 100;
	t.shape.tags[1] = 200;
	refuse_conversation(&t, "2001:db8::1");
}

/* An Ethernet frame is padded, so the reply need not grow as much. */
static void refuse_padded(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });

	t.shape.pad = true;
	refuse_conversation(&t, "192.0.2.1");
}

/* What comes with the handshake's last segment is acknowledged with the reply. */
static void refuse_early_talker(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });

	open_with(&t, REPLY_WINDOW);
	assert_int_equal(say_segment(&t, PSH | ACK, 1, 1, 11), XDP_TX);
	check_numbers(&t, FIN | PSH | ACK, 1, 12, REPLY_WINDOW);
	assert_int_equal(say_segment(&t, FIN | ACK, 1, 1, 0), XDP_TX);
	check_numbers(&t, FIN | PSH | ACK, 1, 2, REPLY_WINDOW);
}

static void refuse_hangs_up(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });

	open_with(&t, REPLY_WINDOW);
	assert_int_equal(say_segment(&t, RST | ACK, 1, 1, 0), XDP_DROP);
	assert_int_equal(packets(&t, REASON_HELD), 1);
	assert_int_equal(say_segment(&t, SYN | ACK, 1, 1, 0), XDP_DROP);
	assert_int_equal(packets(&t, REASON_HELD), 1);
}

/* Who does not acknowledge our number is not ours: a connection from before, or a guess. */
static void refuse_stranger(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });

	open_with(&t, REPLY_WINDOW);
	assert_int_equal(say_segment(&t, ACK, 1, 0, 0), XDP_PASS);
	assert_int_equal(packets(&t, REASON_ESTABLISHED), 1);
	assert_int_equal(say_segment(&t, ACK, 1, 1000, 0), XDP_PASS);
	assert_int_equal(say_segment(&t, PSH, 1, 1, 5), XDP_PASS);
	assert_int_equal(say_segment(&t, RST, 1, 1, 0), XDP_PASS);
	t.shape.source = "192.0.2.2";
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_PASS);
}

/* Nobody is held who is on no such list, or whose list is only watched. */
static void refuse_others(struct world *w)
{
	static const char source[] = "192.0.2.1", other[] = "198.51.100.0/24";
	const struct given given[] = {
		{ .refuse = other },
		{ .refuse = other, .drop = "192.0.2.0/24" },
		{ .refuse = other, .reset = "192.0.2.0/24" },
		{ .refuse = "192.0.2.0/24", .allow = "192.0.2.1" },
		{ .watched_refuse = "192.0.2.0/24" },
		{ .refuse = "192.0.2.0/24", .monitor = true },
	};
	struct talker t = meet(w, source, (struct given){ .refuse = "192.0.2.0/24" });
	uint32_t first;

	open_with(&t, REPLY_WINDOW);
	first = t.first;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		t = meet(w, source, given[i]);
		t.first = first;
		assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_PASS);
		assert_int_equal(packets(&t, REASON_ESTABLISHED), 1);
	}
}

static void set_text(struct world *w, const char *text, uint32_t length)
{
	struct refusal *r = &w->refusal[LIST_REFUSE];

	r->length = length;
	memset(r->text, 0, sizeof(r->text));
	memcpy(r->text, text, strlen(text));
}

/* The list's own words, at any length; none, or nonsense, and the program has its own. */
static void refuse_text(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });
	char longest[REFUSAL_TEXT_MAX + 1];

	memset(longest, 'x', REFUSAL_TEXT_MAX);
	longest[REFUSAL_TEXT_MAX] = '\0';
	open_with(&t, REPLY_WINDOW);
	set_text(w, "554 5.7.1 too much spam; see https://example.com/", 49);
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_TX);
	check_banner(&t, "554 5.7.1 too much spam; see https://example.com/", "192.0.2.1");
	set_text(w, longest, REFUSAL_TEXT_MAX);
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_TX);
	check_banner(&t, longest, "192.0.2.1");
	set_text(w, longest, REFUSAL_TEXT_MAX + 1);
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_TX);
	check_banner(&t, "554 5.7.1 refused", "192.0.2.1");
}

/* The longest reply of all is no longer than the program has room for. */
static void refuse_longest(struct world *w)
{
	static const char address[] = "2001:db81:db82:db83:db84:db85:db86:db87";
	struct talker t = meet(w, address, (struct given){ .refuse = "2001::/16" });
	char text[REFUSAL_TEXT_MAX + 1];

	memset(text, 'x', REFUSAL_TEXT_MAX);
	text[REFUSAL_TEXT_MAX] = '\0';
	open_with(&t, REPLY_WINDOW);
	set_text(w, text, REFUSAL_TEXT_MAX);
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_TX);
	check_banner(&t, text, address);
}

/* Addresses are written as the C library writes them (RFC 5952). */
static void refuse_addresses(struct world *w)
{
	static const char *const address[] = {
		"1.2.3.4",         "10.20.30.40",       "100.200.255.109",   "9.99.0.100",
		"2001:db8::",      "2001:db8::a",       "::1:2:3",           "1:2:3:4:5:6:7:8",
		"1:0:2:3:4:5:6:7", "1::2:3:0:4:5",      "1:0:0:2::3",        "::2:3:4:5:6:7:8",
		"1:2:3:4:5:6::",   "1:2:3:4:5:6:7:0",   "abcd:ef01::fffe:0", "1:0:0:2:3::4",
		"10:200:f000::f",  "2001:db8:0:1::1:0",
	};

	for (size_t i = 0; i < sizeof(address) / sizeof(address[0]); i++) {
		const bool ipv4 = !strchr(address[i], ':');
		struct talker t = meet(w, address[i],
				       (struct given){ .refuse = ipv4 ? "0.0.0.0/0" : "::/0" });
		uint8_t binary[16];
		char text[INET6_ADDRSTRLEN];

		assert_int_equal(inet_pton(ipv4 ? AF_INET : AF_INET6, address[i], binary), 1);
		inet_ntop(ipv4 ? AF_INET : AF_INET6, binary, text, sizeof(text));
		open_with(&t, REPLY_WINDOW);
		assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_TX);
		check_banner(&t, "554 5.7.1 refused", text);
	}
}

static void refuse_fails(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });

	open_with(&t, REPLY_WINDOW);
	t.faults.head = true;
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_DROP);
	assert_int_equal(t.health[HEALTH_ANSWERS_SKIPPED], 1);
	t.faults = (struct faults){ .store = true };
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_DROP);
	assert_int_equal(t.health[HEALTH_ANSWERS_SKIPPED], 1);
	t.faults = (struct faults){ .lookup = "refusal" };
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_TX);
	check_banner(&t, "554 5.7.1 refused", "192.0.2.1");
	for (uint8_t found = 0; found < 2; found++) {
		t.faults = (struct faults){ .lookup = "scratch", .found = found };
		assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_DROP);
		assert_int_equal(t.health[HEALTH_ANSWERS_SKIPPED], 1);
	}
}

/* A full ring, or one that nobody reads, keeps nobody from being told. */
static void refuse_unheard(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });

	open_with(&t, REPLY_WINDOW);
	t.faults.ring = true;
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_TX);
	assert_int_equal(t.health[HEALTH_EVENTS_LOST], 1);
	assert_int_equal(t.health[HEALTH_REFUSALS_SENT], 1);
}

static void tarpit_conversation(struct talker *t)
{
	open_with(t, 0);
	assert_int_equal(say_segment(t, ACK, 1, 1, 0), XDP_DROP); /* the client waits */
	assert_int_equal(packets(t, REASON_HELD), 1);
	assert_int_equal(say_segment(t, ACK, 0, 1, 0), XDP_TX); /* a probe without data */
	check_numbers(t, ACK, 1, 1, 0);
	assert_int_equal(say_segment(t, ACK, 1, 1, 1), XDP_TX); /* a probe of one octet */
	check_numbers(t, ACK, 1, 1, 0);
	assert_int_equal(say_segment(t, FIN | ACK, 1, 1, 0), XDP_TX);
	check_numbers(t, ACK, 1, 1, 0);
	assert_int_equal(say_segment(t, RST | ACK, 1, 1, 0), XDP_DROP);
	assert_int_equal(packets(t, REASON_HELD), 1);
}

static void tarpit_ipv4(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .tarpit = "192.0.2.0/24" });

	tarpit_conversation(&t);
}

static void tarpit_ipv6(struct world *w)
{
	struct talker t = meet(w, "2001:db8::1", (struct given){ .tarpit = "2001:db8::/32" });

	t.shape.tags[0] = 100;
	tarpit_conversation(&t);
}

static void tarpit_stranger(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .tarpit = "192.0.2.0/24" });

	open_with(&t, 0);
	assert_int_equal(say_segment(&t, ACK, 2, 1, 0), XDP_PASS);
	assert_int_equal(packets(&t, REASON_ESTABLISHED), 1);
	assert_int_equal(say_segment(&t, ACK, 1, 2, 0),
			 XDP_TX); /* = its number less one, a probe */
	assert_int_equal(say_segment(&t, ACK, 1, 3, 0), XDP_PASS);
	assert_int_equal(say_segment(&t, ACK, 1, 77, 0), XDP_PASS);
	assert_int_equal(say_segment(&t, PSH, 1, 1, 5), XDP_PASS);
}

/* A number is good for the time in which it was told, and the one after it; the tarpit's stay. */
static void hold_numbers_expire(struct world *w)
{
	const uint64_t epoch = 1ull << 36; /* ns */
	struct talker t = meet(w, "192.0.2.1",
			       (struct given){ .refuse = "192.0.2.1", .tarpit = "192.0.2.2" });

	open_with(&t, REPLY_WINDOW);
	w->advance(epoch);
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_TX);
	check_banner(&t, "554 5.7.1 refused", "192.0.2.1");
	w->advance(epoch);
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_PASS);
	t.shape = (struct shape){ .source = "192.0.2.2" };
	open_with(&t, 0);
	w->advance(10 * epoch);
	assert_int_equal(say_segment(&t, ACK, 0, 1, 0), XDP_TX);
}

/* Replies are longer than what asks for them, so a source gets no more than its rate allows. */
static void refuse_beyond_rate(struct world *w)
{
	struct given given = { .refuse = "192.0.2.0/24", .spent = { true } };
	struct talker t;

	given.limit[METER_SOURCE] = (struct meter_limit){ 1000000000, 1000000000, 0, 1 };
	t = meet(w, "192.0.2.1", given);
	open_with(&t, REPLY_WINDOW);
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_DROP);
	assert_int_equal(t.health[HEALTH_ANSWERS_SKIPPED], 1);
	given.spent[METER_SOURCE] = false;
	t = meet(w, "192.0.2.1", given);
	open_with(&t, REPLY_WINDOW);
	assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_TX);
}

/* Nobody is answered who cannot be one host, or who claims to be us. */
static void no_receiver(struct world *w)
{
	static const char *const source[] = {
		"0.0.0.1", "127.0.0.1", "224.0.0.5", "255.255.255.255", "198.51.100.25",
		"ff02::1", "::",        "::1",       "2001:db8::25"
	};

	for (size_t i = 0; i < sizeof(source) / sizeof(source[0]); i++) {
		const bool ipv4 = !strchr(source[i], ':');
		struct talker t =
			meet(w, source[i], (struct given){ .refuse = ipv4 ? "0.0.0.0/0" : "::/0" });

		t.shape.flags = SYN;
		assert_int_equal(say(&t), XDP_DROP);
		assert_int_equal(t.health[HEALTH_ANSWERS_SKIPPED], 1);
	}
}

/* A listener takes no SYN with FIN or RST, so nothing is there to refuse. */
static void syn_with_more(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });

	t.shape.flags = SYN | FIN;
	assert_int_equal(say(&t), XDP_DROP);
	t.shape.flags = SYN | RST;
	assert_int_equal(say(&t), XDP_DROP);
	assert_int_equal(packets(&t, REASON_LISTED), 1);
}

/* A source that was learned to be blocked is held like one on a list. */
static void learned_refuse(struct world *w)
{
	const struct given given = {
		.evidence = true, .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_REFUSE }
	};
	struct talker t = meet(w, "192.0.2.1", given);

	refuse_conversation(&t, "192.0.2.1");
	t = meet(w, "2001:db8::1", given);
	refuse_conversation(&t, "2001:db8::1");
}

static void learned_tarpit(struct world *w)
{
	const struct given given = { .evidence = true,
				     .watched = "192.0.2.0/24",
				     .learned = { .kind = LEARNED_BLOCKED,
						  .action = ACTION_TARPIT } };
	struct talker t = meet(w, "192.0.2.1", given);

	tarpit_conversation(&t);
	t = meet(w, "2001:db8::1", given);
	tarpit_conversation(&t);
}

/* Nobody is held any more once an entry of a list decides, the block has ended, or is watched. */
static void learned_holds_no_others(struct world *w)
{
	struct given given = { .evidence = true,
			       .learned = { .kind = LEARNED_BLOCKED, .action = ACTION_REFUSE } };
	struct given others[8];
	struct talker t = meet(w, "192.0.2.1", given);
	uint32_t first;

	open_with(&t, REPLY_WINDOW);
	first = t.first;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		others[i] = given;
	others[0].allow = "192.0.2.1";
	others[1].drop = "192.0.2.1";
	others[2].monitor = true;
	others[3].watched_learned = true;
	others[4].learned.expired = true;
	others[5].learned.torn = true;
	others[6].learned.kind = LEARNED_KNOWN;
	others[6].refuse = "198.51.100.0/24";
	others[7].evidence = false;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		t = meet(w, "192.0.2.1", others[i]);
		t.first = first;
		assert_int_equal(say_segment(&t, ACK, 1, 1, 0), XDP_PASS);
		assert_int_equal(packets(&t, REASON_ESTABLISHED), 1);
	}
	t = meet(w, "192.0.2.1", given); /* nor is a connection that was there before */
	t.first = first;
	assert_int_equal(say_segment(&t, ACK, 1, 5000, 0), XDP_PASS);
}

static void hold_without_settings(struct world *w)
{
	struct talker t =
		meet(w, "192.0.2.1", (struct given){ .flood = { .cookies = COOKIES_ON } });

	t.shape.flags = SYN;
	t.faults.direct = true;
	assert_int_equal(say(&t), XDP_PASS);
}

static void syn_fails(struct world *w)
{
	struct talker t = meet(w, "192.0.2.1", (struct given){ .refuse = "192.0.2.0/24" });

	t.shape.flags = SYN;
	t.shape.group = true;
	assert_int_equal(say(&t), XDP_DROP);
	assert_int_equal(t.health[HEALTH_ANSWERS_SKIPPED], 1);
}

const struct talk hold_talks[] = {
	{ "refuse, ipv4", refuse_ipv4, false },
	{ "refuse, ipv6", refuse_ipv6, false },
	{ "refuse, qinq", refuse_tagged, false },
	{ "refuse, padded frames", refuse_padded, false },
	{ "refuse, client talks first", refuse_early_talker, false },
	{ "refuse, client hangs up", refuse_hangs_up, false },
	{ "refuse, not our connection", refuse_stranger, false },
	{ "refuse, other sources", refuse_others, false },
	{ "refuse, text of the list", refuse_text, false },
	{ "refuse, longest reply", refuse_longest, false },
	{ "refuse, addresses", refuse_addresses, false },
	{ "refuse, reply cannot be written", refuse_fails, true },
	{ "refuse, event ring full", refuse_unheard, true },
	{ "refuse, syn to a group address", syn_fails, false },
	{ "tarpit, ipv4", tarpit_ipv4, false },
	{ "tarpit, ipv6 and vlan", tarpit_ipv6, false },
	{ "tarpit, not our connection", tarpit_stranger, false },
	{ "hold, numbers expire", hold_numbers_expire, true },
	{ "refuse, beyond the rate", refuse_beyond_rate, false },
	{ "refuse, no receiver", no_receiver, false },
	{ "refuse, syn with fin or rst", syn_with_more, false },
	{ "hold, arguments that never come", hold_without_settings, true },
	{ "learned, refuse", learned_refuse, false },
	{ "learned, tarpit, on a watched list", learned_tarpit, false },
	{ "learned, nobody else is held", learned_holds_no_others, false },
};
const size_t hold_talk_count = sizeof(hold_talks) / sizeof(hold_talks[0]);
