/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_events.c - lookup ids, the ring of events, and the budget of the log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/addr.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "maps/counter.h"
#include "obs/events.h"
#include "lib/lookup.h"

#define NOW_WALL 1700000000u
#define NOW_MONO 50000000000ull /* 50 s */

static void test_lookup_ids(void **state)
{
	static const struct {
		uint64_t id;
		const char *text;
	} pairs[] = {
		{ 0, "0000000000000" },
		{ 1, "0000000000001" },
		{ 31, "000000000000Z" },
		{ 32, "0000000000010" },
		{ UINT64_MAX, "FZZZZZZZZZZZZ" },
		{ 0x8000000000000000ull, "8000000000000" },
		{ 0x0123456789abcdefull, "028T5CY4TQKFF" },
	};
	char text[LOOKUP_ID_CHARS + 1];
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_string_equal(lookup_id_format(pairs[i].id, text), pairs[i].text);
		assert_true(lookup_id_parse(pairs[i].text, &id));
		assert_true(id == pairs[i].id);
	}
}

static void test_lookup_ids_as_people_write_them(void **state)
{
	uint64_t exact, id;

	(void)state;
	assert_true(lookup_id_parse("028T5CY4TQK10", &exact));
	assert_true(lookup_id_parse("o28t5cy4tqkio", &id));
	assert_true(id == exact);
	assert_true(lookup_id_parse("O28T5CY4TQKLO", &id));
	assert_true(id == exact);
}

static void test_not_lookup_ids(void **state)
{
	static const char *const texts[] = {
		"",
		"028T5CY4TQKF",
		"028T5CY4TQKFF0",
		"G000000000000",
		"028T5CY4TQKFU",
		"028T5CY4TQK-F",
		"192.0.2.1.1.1",
		"2001:db8::1:1",
		"028T5CY4TQKF\xc3",
	};
	uint64_t id = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(lookup_id_parse(texts[i], &id));
	assert_true(id == 42);
}

static int setup(void **state)
{
	struct event_log *log;

	clock_freeze(NOW_WALL, NOW_MONO);
	if (event_log_open(&log, NULL))
		return -1;
	*state = log;
	return 0;
}

static int teardown(void **state)
{
	struct event_log *log = *state;

	event_log_close(&log);
	clock_freeze(0, 0);
	return log ? -1 : 0;
}

static struct event make_event(uint64_t id)
{
	const struct addr source = addr_from_ipv4(0xc0000201), dest = addr_from_ipv4(0xc6336407);
	struct event event = { .id = id,
			       .weight = 64,
			       .source_port = 40000,
			       .dest_port = 25,
			       .vlan = 7,
			       .reason = REASON_LISTED,
			       .outcome = OUTCOME_ENFORCED,
			       .list_class = class_make(3, ACTION_RESET),
			       .action = ACTION_RESET };

	memcpy(event.source, source.byte, sizeof(source.byte));
	memcpy(event.dest, dest.byte, sizeof(dest.byte));
	return event;
}

static const struct list_info lists[] = { { .name = "other", .slot = 1 },
					  { .name = "drop", .slot = 3 } };

static void add(struct event_log *log, uint64_t id)
{
	const struct event event = make_event(id);

	event_log_add(log, &event, "eth0", lists, 2);
}

static void assert_text(const json_t *object, const char *name, const char *text)
{
	assert_string_equal(json_string_value(json_object_get(object, name)), text);
}

static void assert_number(const json_t *object, const char *name, json_int_t number)
{
	assert_int_equal(json_integer_value(json_object_get(object, name)), number);
}

/* However far the reading of the two clocks falls into a second, an event has one time. */
static void test_one_event_has_one_time(void **state)
{
	const uint64_t id = (NOW_MONO - 950000000) & ~0xffull;
	uint32_t first, again;

	(void)state;
	assert_true(lookup_id_wall(id, &first));
	clock_freeze(NOW_WALL, NOW_MONO + 80000000);
	assert_true(lookup_id_wall(id, &again));
	assert_int_equal(again, first);
	clock_freeze(NOW_WALL + 3600, NOW_MONO + 80000000); /* somebody sets the clock */
	assert_true(lookup_id_wall(id, &again));
	assert_in_range(again, first + 3599, first + 3600);
	assert_false(lookup_id_wall(NOW_MONO * 2, &again));
}

static void test_event_is_kept_as_it_was(void **state)
{
	/* 20 seconds ago, on CPU 5. */
	const uint64_t id = ((NOW_MONO - 20000000000ull) & ~0xffull) | 5;
	struct event_record record;
	json_t *shown;

	add(*state, id);
	assert_false(event_log_find(*state, id + 1, &record));
	assert_true(event_log_find(*state, id, &record));
	shown = event_json(&record);
	assert_number(shown, "time", NOW_WALL - 20);
	assert_text(shown, "source", "192.0.2.1");
	assert_text(shown, "dest", "198.51.100.7");
	assert_number(shown, "source_port", 40000);
	assert_number(shown, "dest_port", 25);
	assert_text(shown, "iface", "eth0");
	assert_number(shown, "vlan", 7);
	assert_text(shown, "reason", "listed");
	assert_text(shown, "outcome", "enforced");
	assert_true(json_is_false(json_object_get(shown, "told")));
	assert_text(shown, "list", "drop");
	assert_text(shown, "action", "reset");
	assert_number(shown, "weight", 64);
	json_decref(shown);
}

/* Numbers from a damaged or foreign map are shown, not followed. */
static void test_strange_event(void **state)
{
	struct event event = make_event(NOW_MONO * 2); /* in the future */
	struct event_record record;
	json_t *shown;

	event.reason = 250;
	event.outcome = 250;
	event.list_class = 250;
	event_log_add(*state, &event, "", lists, 2);
	assert_true(event_log_find(*state, event.id, &record));
	shown = event_json(&record);
	assert_text(shown, "reason", "unknown");
	assert_text(shown, "outcome", "unknown");
	assert_text(shown, "list", "");
	assert_text(shown, "action", "");
	assert_number(shown, "time", NOW_WALL);
	json_decref(shown);
}

static void test_ring_keeps_the_last(void **state)
{
	struct event_record record;

	for (uint64_t i = 1; i <= EVENTS_KEPT + 10; i++)
		add(*state, i << 8);
	assert_false(event_log_find(*state, 10 << 8, &record));
	for (uint64_t i = 11; i <= EVENTS_KEPT + 10; i++)
		assert_true(event_log_find(*state, i << 8, &record));
	assert_true(record.event.id == (EVENTS_KEPT + 10) << 8);
}

/* 25 lines a second, ten refills a second: 2 or 3 lines each, and 25 of them in total. */
static void test_log_has_a_budget(void **state)
{
	uint64_t before = 0, logged, total = 0;

	event_log_set_rate(*state, 25);
	add(*state, 256);
	assert_int_equal(event_log_unlogged(*state), 1);
	for (int refill = 0; refill < 10; refill++) {
		event_log_refill(*state, 10);
		before = event_log_unlogged(*state);
		for (uint64_t i = 0; i < 50; i++)
			add(*state, i << 8);
		logged = 50 - (event_log_unlogged(*state) - before);
		assert_in_range(logged, 2, 3);
		total += logged;
	}
	assert_int_equal(total, 25);
	event_log_set_rate(*state, 0);
	event_log_refill(*state, 10);
	before = event_log_unlogged(*state);
	add(*state, 512);
	assert_int_equal(event_log_unlogged(*state), before + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup_ids),
		cmocka_unit_test(test_lookup_ids_as_people_write_them),
		cmocka_unit_test(test_not_lookup_ids),
		cmocka_unit_test_setup_teardown(test_one_event_has_one_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event_is_kept_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strange_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring_keeps_the_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_has_a_budget, setup, teardown),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
