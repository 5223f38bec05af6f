/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_ctl_why.c - what `why` says would happen to an address, for every stage that can
 * decide, and the effect that `list.add` announces.
 *
 * The gate and the lists are played by this file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ctl/agent.h"
#include "ctl/match.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/lookup.h"

#define HELD_MAX 4

static struct list_match held[HELD_MAX];
static int held_count;
static struct gate_meter meters[METER_LEVELS];

int lists_test(struct lists *lists, const struct addr *addr, list_match_cb cb, void *arg,
	       struct error *err)
{
	(void)lists;
	(void)addr;
	(void)err;
	for (int i = 0; i < held_count; i++)
		cb(&held[i], arg);
	return held_count;
}

void gate_meter(struct gate *gate, const struct addr *addr, enum meter_level level,
		struct gate_meter *out)
{
	(void)gate;
	(void)addr;
	*out = meters[level];
}

int gate_offender_find(struct gate *gate, const struct addr *addr, struct offender *out)
{
	(void)gate;
	(void)addr;
	*out = (struct offender){ .hits = 9, .reason = REASON_LISTED, .last_ns = 1000000000 };
	return 1;
}

static struct gate_learned learned;
static enum conf_role role; /* that the agent was started in */

bool gate_learned_decides(struct gate *gate)
{
	(void)gate;
	return role != CONF_ROLE_FILTER;
}

bool gate_learned_find(struct gate *gate, const struct addr *addr, struct gate_learned *out)
{
	(void)gate;
	(void)addr;
	*out = learned;
	return learned.kind != GATE_LEARNED_NONE;
}

/* The guard knows one verdict and one history, and looks everything up with one result. */
static bool judged;

bool guard_verdict(struct guard *guard, const struct addr *addr, struct verdict *out)
{
	(void)guard;
	*out = (struct verdict){ .addr = *addr,
				 .made = 1,
				 .until = 100,
				 .findings = FINDING_BIT(FINDING_RDNS_MISSING),
				 .total = 14,
				 .decision = DECISION_REJECT,
				 .zone_count = 1,
				 .zone = { { .number = 0, .score = 10 } } };
	return judged;
}

void guard_stats(struct guard *guard, struct guard_stats *out)
{
	(void)guard;
	*out = (struct guard_stats){ .zones = 1, .zone = { { .zone = "bl.example" } } };
}

bool guard_history(struct guard *guard, const struct addr *addr, struct history_record *out)
{
	(void)guard;
	(void)addr;
	*out = (struct history_record){ .first = 5, .last = 6, .offences = 2, .offence_time = 6 };
	return judged;
}

bool guard_greylist(struct guard *guard, const struct addr *addr, struct greylist_record *out)
{
	(void)guard;
	(void)addr;
	*out = (struct greylist_record){ .first = 900, .last = 950, .wait = 200 };
	return judged;
}

int guard_explain(struct guard *guard, const struct addr *addr, const char *helo, json_t **out,
		  struct error *err)
{
	(void)guard;
	(void)addr;
	(void)err;
	*out = json_pack("{s:s, s:s}", "decision", "accept", "helo", helo ? helo : "none");
	return 0;
}

static bool proved;
static struct gate_flood floods[2];

bool gate_proved(struct gate *gate, const struct addr *addr, uint32_t *seconds)
{
	(void)gate;
	(void)addr;
	*seconds = proved ? 3600 : 0;
	return proved;
}

size_t gate_floods(struct gate *gate, struct gate_flood out[FLOOD_PORTS])
{
	(void)gate;
	memcpy(out, floods, sizeof(floods));
	return 2;
}

char *gate_refusal(struct gate *gate, uint32_t slot, char out[REFUSAL_TEXT_MAX + 1])
{
	(void)gate;
	(void)slot;
	return strcpy(out, "554 5.7.1 no");
}

static uint64_t created;

int lists_all(struct lists *lists, struct list_info out[LIST_SLOTS], struct error *err)
{
	(void)lists;
	(void)err;
	out[0] = (struct list_info){ .name = "drop", .slot = 5, .created = created };
	out[1] = (struct list_info){ .name = LEARNED_LIST, .slot = 6 };
	return 2;
}

/* tuning.c refers to these; nothing here sets anything. */
void gate_set(struct gate *gate, const struct gate_settings *settings)
{
	(void)gate;
	(void)settings;
}

void lists_set_contact(struct lists *lists, const char *contact)
{
	(void)lists;
	(void)contact;
}

int lists_setting_get(struct lists *lists, const char *key, char *out, size_t size,
		      struct error *err)
{
	(void)lists;
	(void)key;
	(void)out;
	(void)size;
	(void)err;
	return 0;
}

int lists_setting_put(struct lists *lists, const char *key, const char *value, struct error *err)
{
	(void)lists;
	(void)key;
	(void)value;
	return error_set(err, ERROR_REFUSED, "nothing is kept here");
}

static void publish(const char *text)
{
	struct conf *conf;

	assert_int_equal(conf_parse("test.yaml", text, strlen(text), &conf, NULL), 0);
	conf_publish(conf);
}

static int setup(void **state)
{
	struct event_log *events;

	memset(meters, 0, sizeof(meters));
	memset(floods, 0, sizeof(floods));
	proved = false;
	judged = false;
	role = CONF_ROLE_FILTER;
	learned = (struct gate_learned){ .kind = GATE_LEARNED_NONE };
	held_count = 0;
	clock_freeze(1700000000, 3000000000);
	publish("");
	if (event_log_open(&events, NULL))
		return -1;
	*state = events;
	return 0;
}

static int teardown(void **state)
{
	struct event_log *events = *state;

	event_log_close(&events);
	conf_publish(NULL);
	clock_freeze(0, 0);
	return 0;
}

static void hold(enum list_kind kind, const char *prefix, enum action action, bool monitor)
{
	struct list_match *match = &held[held_count];

	memset(match, 0, sizeof(*match));
	strcpy(match->list.name, "list");
	match->list.kind = (uint8_t)kind;
	match->list.monitor = monitor;
	match->entry.action = (uint8_t)action;
	match->source = match->reason = "";
	match->decides = held_count == 0;
	match->overruled = match->decides ? NULL : "something else wins";
	assert_int_equal(prefix_parse(prefix, strlen(prefix), &match->entry.prefix, NULL), 0);
	held_count++;
}

static struct refusals *refusals; /* or NULL, where there is no front */

/* Asks; the answer is the caller's. */
static json_t *why(struct event_log *events, const char *what)
{
	struct ctl_agent agent = { .events = events, .role = role, .refusals = refusals };
	struct ctl_request request = { .context = &agent };
	struct error err = { 0 };

	request.args = json_pack("{s:s}", "what", what);
	if (ctl_why(&request, &err))
		request.result = json_pack("{s:s}", "error", err.text);
	json_decref(request.args);
	return request.result;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void expect_verdict(struct event_log *events, const char *what, const char *verdict,
			   const char *reason)
{
	json_t *answer = why(events, what);

	assert_string_equal(text_of(answer, "verdict"), verdict);
	assert_string_equal(text_of(answer, "reason"), reason);
	json_decref(answer);
}

static void test_lists_decide(void **state)
{
	expect_verdict(*state, "192.0.2.1", "pass", "accepted");
	hold(LIST_KIND_BLOCK, "192.0.2.0/24", ACTION_RESET, false);
	expect_verdict(*state, "192.0.2.1", "reset", "listed");
	held[0].entry.action = ACTION_DROP;
	expect_verdict(*state, "192.0.2.1", "drop", "listed");
	held[0].list.monitor = 1;
	expect_verdict(*state, "192.0.2.1", "monitored", "listed");
	held[0].list.monitor = 0;
	publish("monitor: true\n");
	expect_verdict(*state, "192.0.2.1", "monitored", "listed");
	held[0].list.kind = LIST_KIND_ALLOW;
	expect_verdict(*state, "192.0.2.1", "pass", "allowed");
}

/*
 * Level by level from the narrowest, connections before rates, as in bpf/limit.h; at the limit the
 * next attempt is one too many.
 */
static void test_limits_decide(void **state)
{
	meters[METER_TOTAL] = (struct gate_meter){ true, 1000000, 1000000 };
	expect_verdict(*state, "192.0.2.1", "pass", "accepted"); /* no limit by default */
	meters[METER_NET].used = 199;
	expect_verdict(*state, "192.0.2.1", "pass", "accepted");
	meters[METER_NET].used = 200;
	expect_verdict(*state, "192.0.2.1", "drop", "rate-net");
	meters[METER_SOURCE].used = 40;
	expect_verdict(*state, "192.0.2.1", "drop", "rate-source");
	meters[METER_NET].conns = 200;
	expect_verdict(*state, "192.0.2.1", "drop", "rate-source");
	meters[METER_SOURCE].used = 39;
	expect_verdict(*state, "192.0.2.1", "drop", "conn-net");
	/* A list in monitor mode leaves the decision to the limits. */
	hold(LIST_KIND_BLOCK, "192.0.2.0/24", ACTION_DROP, true);
	expect_verdict(*state, "192.0.2.1", "drop", "conn-net");
	publish("monitor: true\n");
	expect_verdict(*state, "192.0.2.1", "monitored", "listed");
	/* An allow entry stands above all limits. */
	held_count = 0;
	hold(LIST_KIND_ALLOW, "192.0.2.1", ACTION_DROP, false);
	expect_verdict(*state, "192.0.2.1", "pass", "allowed");
}

/* A burst of 0 is the rate's value, and IPv4 has no site. */
static void test_levels(void **state)
{
	json_t *answer, *levels;

	publish("limits: { rate-total: 1000, burst-total: 0 }\n");
	meters[METER_SITE].conns = 1000000;
	answer = why(*state, "192.0.2.77");
	levels = json_object_get(answer, "limits");
	assert_int_equal(json_array_size(levels), 3);
	assert_string_equal(text_of(json_array_get(levels, 1), "prefix"), "192.0.2.0/24");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(levels, 2), "burst")),
			 1000);
	assert_string_equal(text_of(answer, "verdict"), "pass");
	json_decref(answer);
	answer = why(*state, "2001:db8:1:2:3::4");
	levels = json_object_get(answer, "limits");
	assert_int_equal(json_array_size(levels), 4);
	assert_string_equal(text_of(json_array_get(levels, 0), "prefix"), "2001:db8:1:2:3::4");
	assert_string_equal(text_of(json_array_get(levels, 1), "prefix"), "2001:db8:1:2::/64");
	assert_string_equal(text_of(json_array_get(levels, 2), "prefix"), "2001:db8:1::/48");
	assert_string_equal(text_of(answer, "reason"), "conn-site");
	json_decref(answer);
}

static void test_everything_is_shown(void **state)
{
	json_t *answer, *offender;

	hold(LIST_KIND_ALLOW, "192.0.2.0/28", ACTION_DROP, false);
	hold(LIST_KIND_BLOCK, "192.0.2.1", ACTION_DROP, false);
	answer = why(*state, "192.0.2.1");
	assert_int_equal(json_array_size(json_object_get(answer, "matches")), 2);
	assert_string_equal(text_of(json_object_get(answer, "deciding"), "prefix"), "192.0.2.0/28");
	assert_string_equal(text_of(json_object_get(answer, "deciding"), "action"), "allow");
	offender = json_object_get(answer, "offender");
	assert_int_equal(json_integer_value(json_object_get(offender, "hits")), 9);
	assert_int_equal(json_integer_value(json_object_get(offender, "last_ms")), 2000);
	assert_int_equal(json_array_size(json_object_get(answer, "ports")), 7);
	json_decref(answer);
}

static void test_lookup_id(void **state)
{
	const struct event event = { .id = 0xabc00, .reason = REASON_LISTED, .told = 1 };
	char id[LOOKUP_ID_CHARS + 1];
	json_t *answer;

	event_log_add(*state, &event, "eth0", NULL, 0);
	answer = why(*state, lookup_id_format(event.id, id));
	assert_string_equal(text_of(answer, "id"), id);
	assert_string_equal(text_of(json_object_get(answer, "event"), "iface"), "eth0");
	assert_true(json_is_true(json_object_get(json_object_get(answer, "event"), "told")));
	json_decref(answer);
	answer = why(*state, "mail.example");
	assert_non_null(strstr(text_of(answer, "error"), "neither an address nor a lookup id"));
	json_decref(answer);
}

/* What a session of the front was refused, all of it, in order. */
static void test_lookup_id_of_a_session(void **state)
{
	struct session_refusal refusal = { .id = 0xabc00, .reason = "relay", .help = "" };
	char id[LOOKUP_ID_CHARS + 1];
	json_t *answer, *rows;

	assert_int_equal(refusals_open(&refusals, NULL), 0);
	refusals_add(refusals, &refusal);
	refusal.reason = "content";
	refusals_add(refusals, &refusal);
	answer = why(*state, lookup_id_format(0xabc00, id));
	rows = json_object_get(answer, "refusals");
	assert_string_equal(text_of(answer, "id"), id);
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(text_of(json_array_get(rows, 0), "reason"), "relay");
	assert_string_equal(text_of(json_array_get(rows, 1), "reason"), "content");
	json_decref(answer);
	answer = why(*state, lookup_id_format(0xabd00, id));
	assert_null(json_object_get(answer, "refusals"));
	json_decref(answer);
	refusals_close(&refusals);
}

/* The clock says that the machine has been up for 3 s at 1700000000. */
static void test_lookup_id_that_is_not_remembered(void **state)
{
	static const uint64_t bad[] = {
		0,                              /* the moment of the start */
		4000000000ull & ~0xffull,       /* a time to come */
		(1000000000ull & ~0xffull) | 4, /* a list that is not there */
		0x0123456789abcdefull,          /* mistyped */
	};
	const uint8_t list_class = class_make(5, ACTION_REFUSE);
	char id[LOOKUP_ID_CHARS + 1];
	json_t *answer;

	answer = why(*state, lookup_id_format((1000000000ull & ~0xffull) | list_class, id));
	assert_true(json_is_null(json_object_get(answer, "event")));
	assert_int_equal(json_integer_value(json_object_get(answer, "time")), 1699999998);
	assert_string_equal(text_of(answer, "list"), "drop");
	assert_string_equal(text_of(answer, "action"), "refuse");
	json_decref(answer);
	answer = why(*state, lookup_id_format(1000000000ull & ~0xffull, id));
	assert_string_equal(text_of(answer, "id"), id);
	assert_string_equal(text_of(answer, "list"), "");
	json_decref(answer);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		answer = why(*state, lookup_id_format(bad[i], id));
		assert_non_null(strstr(text_of(answer, "error"), "not among the last 4096"));
		json_decref(answer);
	}
}

static void test_floods_and_refusals(void **state)
{
	json_t *answer = why(*state, "192.0.2.1"), *proof = json_object_get(answer, "proof");

	assert_true(json_is_false(json_object_get(proof, "proved")));
	assert_int_equal(json_array_size(json_object_get(answer, "floods")), 0);
	assert_string_equal(text_of(answer, "refusal"), "");
	json_decref(answer);
	proved = true;
	floods[1] = (struct gate_flood){ .port = 587, .active = true };
	hold(LIST_KIND_BLOCK, "192.0.2.0/24", ACTION_REFUSE, false);
	expect_verdict(*state, "192.0.2.1", "refuse", "listed");
	answer = why(*state, "192.0.2.1");
	proof = json_object_get(answer, "proof");
	assert_int_equal(json_integer_value(json_object_get(proof, "seconds")), 3600);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(answer, "floods"), 0)),
			 587);
	assert_string_equal(text_of(answer, "refusal"), "554 5.7.1 no");
	json_decref(answer);
	held[0].entry.action = ACTION_TARPIT;
	expect_verdict(*state, "192.0.2.1", "tarpit", "listed");
}

/* Of the list that has the slot now, only what came after it was made. */
static void test_lookup_id_of_an_earlier_list(void **state)
{
	const uint64_t id = (2000000000ull & ~0xffull) | class_make(5, ACTION_DROP);
	char text[LOOKUP_ID_CHARS + 1];
	json_t *answer;

	created = (uint64_t)1699999998 * 1000000000;
	answer = why(*state, lookup_id_format(id, text));
	assert_string_equal(text_of(answer, "list"), "drop");
	json_decref(answer);
	created = (uint64_t)1699999999 * 1000000000 + 1;
	answer = why(*state, text);
	assert_non_null(strstr(text_of(answer, "error"), "has been removed since"));
	json_decref(answer);
}

/* What takes effect for a whole prefix: entries further in do not count. */
static void test_effect_of_a_prefix(void **state)
{
	struct matches matches;
	struct prefix prefix;

	(void)state;
	hold(LIST_KIND_ALLOW, "192.0.2.0/28", ACTION_DROP, false);
	hold(LIST_KIND_BLOCK, "192.0.2.0/24", ACTION_RESET, false);
	hold(LIST_KIND_BLOCK, "192.0.2.0/25", ACTION_DROP, true);
	assert_int_equal(prefix_parse("192.0.2.0/25", 12, &prefix, NULL), 0);
	assert_int_equal(matches_find(NULL, NULL, &prefix.addr, &matches, NULL), 0);
	assert_int_equal(matches_effective(&matches, &prefix)->entry.action, ACTION_RESET);
	assert_int_equal(matches_deciding(&matches)->list.kind, LIST_KIND_ALLOW);
	prefix.len += 3;
	assert_int_equal(matches_effective(&matches, &prefix)->list.kind, LIST_KIND_ALLOW);
	prefix.len = 96;
	assert_null(matches_effective(&matches, &prefix));
	matches_clear(&matches);
}

/* What was learned decides where no list does, as an entry of a list. */
static void test_learned_blocks_stand_below_the_lists(void **state)
{
	json_t *answer;

	role = CONF_ROLE_GUARD;
	learned = (struct gate_learned){ .kind = GATE_LEARNED_BLOCKED,
					 .action = ACTION_REFUSE,
					 .seconds = 60 };
	answer = why(*state, "192.0.2.1");
	assert_string_equal(text_of(answer, "verdict"), "refuse");
	assert_string_equal(text_of(json_object_get(answer, "deciding"), "list"), LEARNED_LIST);
	json_decref(answer);
	hold(LIST_KIND_ALLOW, "192.0.2.0/24", ACTION_DROP, false);
	answer = why(*state, "192.0.2.1");
	assert_string_equal(text_of(answer, "verdict"), "pass");
	assert_int_equal(json_array_size(json_object_get(answer, "matches")), 2);
	json_decref(answer);
	learned.kind = GATE_LEARNED_KNOWN;
	answer = why(*state, "192.0.2.1");
	assert_int_equal(json_array_size(json_object_get(answer, "matches")), 1);
	json_decref(answer);
}

/* A list that only watches leaves the decision to what was learned, as in the kernel. */
static void test_learned_blocks_stand_above_lists_that_watch(void **state)
{
	struct matches matches;
	struct prefix prefix;
	json_t *answer;

	role = CONF_ROLE_GUARD;
	learned = (struct gate_learned){ .kind = GATE_LEARNED_BLOCKED,
					 .action = ACTION_RESET,
					 .seconds = 60 };
	hold(LIST_KIND_BLOCK, "192.0.2.1", ACTION_DROP, true);
	answer = why(*state, "192.0.2.1");
	assert_string_equal(text_of(answer, "verdict"), "reset");
	assert_string_equal(text_of(json_object_get(answer, "deciding"), "list"), LEARNED_LIST);
	assert_non_null(
		strstr(text_of(json_array_get(json_object_get(answer, "matches"), 0), "overruled"),
		       "monitor"));
	json_decref(answer);
	assert_int_equal(prefix_parse("192.0.2.1", 9, &prefix, NULL), 0);
	assert_int_equal(matches_find(NULL, NULL, &prefix.addr, &matches, NULL), 0);
	assert_int_equal(matches_effective(&matches, &prefix)->entry.action, ACTION_RESET);
	matches_clear(&matches);
	/* One that is enforced decides, however long its prefix and mild its action. */
	held_count = 0;
	hold(LIST_KIND_BLOCK, "192.0.2.0/24", ACTION_RESET, false);
	learned.action = ACTION_DROP;
	assert_int_equal(matches_find(NULL, NULL, &prefix.addr, &matches, NULL), 0);
	assert_int_equal(matches_effective(&matches, &prefix)->entry.action, ACTION_RESET);
	matches_clear(&matches);
}

/* What an earlier guard has left in the kernel stops nobody. */
static void test_nothing_learned_counts_in_filter_mode(void **state)
{
	json_t *answer;

	learned = (struct gate_learned){ .kind = GATE_LEARNED_BLOCKED, .seconds = 60 };
	answer = why(*state, "192.0.2.1");
	assert_string_equal(text_of(answer, "verdict"), "pass");
	assert_int_equal(json_array_size(json_object_get(answer, "matches")), 0);
	json_decref(answer);
}

static void test_reputation_is_told_in_guard_mode(void **state)
{
	json_t *answer, *reputation, *verdict;

	judged = true;
	answer = why(*state, "192.0.2.1");
	reputation = json_object_get(answer, "reputation");
	assert_string_equal(text_of(reputation, "mode"), "filter");
	assert_true(json_is_null(json_object_get(reputation, "now")));
	json_decref(answer);
	/* A reload does not change the mode. */
	publish("mode: guard");
	answer = why(*state, "192.0.2.1");
	assert_string_equal(text_of(json_object_get(answer, "reputation"), "mode"), "filter");
	json_decref(answer);
	role = CONF_ROLE_GUARD;
	clock_freeze(1000, 11000000000);
	answer = why(*state, "192.0.2.1");
	reputation = json_object_get(answer, "reputation");
	verdict = json_object_get(reputation, "verdict");
	assert_string_equal(text_of(reputation, "mode"), "guard");
	assert_string_equal(text_of(verdict, "decision"), "reject");
	assert_int_equal(json_integer_value(json_object_get(verdict, "age")), 10);
	assert_int_equal(json_integer_value(json_object_get(verdict, "holds")), 89);
	assert_string_equal(text_of(json_array_get(json_object_get(verdict, "zones"), 0), "zone"),
			    "bl.example");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(verdict, "findings"), 0)),
		"rdns-missing");
	assert_string_equal(text_of(json_object_get(reputation, "now"), "decision"), "accept");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(reputation, "history"),
							    "offences")),
			 2);
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(reputation, "greylist"), "wait")),
			 200);
	json_decref(answer);
	role = CONF_ROLE_PROXY;
	answer = why(*state, "192.0.2.1");
	reputation = json_object_get(answer, "reputation");
	assert_string_equal(text_of(reputation, "mode"), "proxy");
	assert_string_equal(text_of(json_object_get(reputation, "now"), "decision"), "accept");
	json_decref(answer);
}

/* check.ip hands on what it was asked. */
static void test_check_ip(void **state)
{
	const struct ctl_agent agent = { 0 };
	struct ctl_request request = { .args = json_pack("{s:s, s:s}", "address", "192.0.2.1",
							 "helo", "mx.example"),
				       .context = (void *)(uintptr_t)&agent };
	char *text = calloc(1, 2000);
	struct error err;

	(void)state;
	assert_int_equal(ctl_check_ip(&request, &err), 0);
	assert_string_equal(text_of(request.result, "helo"), "mx.example");
	json_decref(request.result);
	memset(text, 'a', 1999);
	json_object_set_new(request.args, "helo", json_string(text));
	assert_int_equal(ctl_check_ip(&request, &err), ERROR_USAGE);
	json_object_set_new(request.args, "address", json_string("192.0.2"));
	assert_int_equal(ctl_check_ip(&request, &err), ERROR_USAGE);
	json_decref(request.args);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lists_decide, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits_decide, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_everything_is_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lookup_id, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lookup_id_of_a_session, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lookup_id_that_is_not_remembered, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_lookup_id_of_an_earlier_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_floods_and_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_effect_of_a_prefix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_learned_blocks_stand_below_the_lists, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_learned_blocks_stand_above_lists_that_watch,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_learned_counts_in_filter_mode, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_reputation_is_told_in_guard_mode, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_check_ip, setup, teardown),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
