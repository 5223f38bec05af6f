/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Overlapping lists: what the kernel's table answers against what lists_test() says decides,
 * through random changes of every kind; and the rules one by one. Store and table are real; the
 * table's memory is on the host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gate/internal.h"
#include "gate/lists_internal.h"
#include "lib/clock.h"
#include "tests/unit/addr_fixture.h"
#include "tests/unit/table_fixture.h"

#define CAPACITY   5000
#define STORE_SIZE ((size_t)64 << 20)
#define START_TIME 1800000000u

struct fixture {
	char directory[64];
	struct store *store;
	struct gate gate;
	struct refusal refusal[LIST_SLOTS + 1];
	struct table_memory memory;
	struct lists *lists;
	uint64_t random;
	uint32_t now;
};

/* The kernel's counters, played: how often those of a slot began anew. */
static unsigned int begun[LIST_SLOTS];

void counters_clear_list(struct gate *gate, uint32_t slot)
{
	(void)gate;
	begun[slot]++;
}

static void make_memory(struct fixture *f)
{
	const struct table_geometry g = table_geometry_for(CAPACITY, CAPACITY);

	f->memory = table_memory_new(&g);
	f->gate.geometry = g;
	f->gate.map[GATE_MAP_settings].memory = f->memory.settings;
	f->gate.map[GATE_MAP_refusal].memory = f->refusal;
	assert_int_equal(table_new(&f->memory, &g, &f->gate.table, NULL), 0);
}

static void free_memory(struct fixture *f)
{
	table_free(&f->gate.table);
	table_memory_free(&f->memory);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->random = 7;
	f->now = START_TIME;
	clock_freeze(f->now, 0);
	strcpy(f->directory, "/tmp/postern-lists-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	assert_int_equal(store_open(&f->store, f->directory, STORE_SIZE, NULL), 0);
	make_memory(f);
	assert_int_equal(lists_open(&f->lists, f->store, &f->gate, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb", "lock" };
	struct fixture *f = *state;
	char path[128];

	lists_close(&f->lists);
	store_close(&f->store);
	free_memory(f);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->directory, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->directory), 0);
	clock_freeze(0, 0);
	free(f);
	return 0;
}

static uint64_t next_random(struct fixture *f)
{
	f->random += 0x9e3779b97f4a7c15ull;
	return mix64(f->random);
}

/* The program lets an allow list's class pass by this flag of the generation that is live. */
static void check_flag(const struct fixture *f, const struct list_info *list)
{
	const struct settings *settings = f->memory.settings;
	const uint8_t *flags = settings->table[settings->generation & 1].list_flags;

	assert_int_equal(flags[list->slot] & LIST_ALLOW,
			 list->kind == LIST_KIND_ALLOW ? LIST_ALLOW : 0);
}

/* What the table does with an address: the list's name and the action, or "". */
static void from_table(struct fixture *f, const struct addr *addr, char out[64])
{
	const uint8_t list_class = table_lookup(f->gate.table, addr);
	struct list_info list[LIST_SLOTS];
	int count = lists_all(f->lists, list, NULL);

	*out = '\0';
	for (int i = 0; i < count && list_class; i++)
		if (list[i].slot == class_slot(list_class)) {
			check_flag(f, &list[i]);
			snprintf(out, 64, "%.32s %d", list[i].name,
				 list[i].kind == LIST_KIND_ALLOW ? -1
								 : (int)class_action(list_class));
		}
}

struct decided {
	char text[64];
	bool stops;
};

static void note_decision(const struct list_match *match, void *arg)
{
	struct decided *decided = arg;

	if (!match->decides) {
		assert_non_null(match->overruled);
		return;
	}
	snprintf(decided->text, sizeof(decided->text), "%s %d", match->list.name,
		 match->list.kind == LIST_KIND_ALLOW ? -1 : match->entry.action);
	decided->stops = match->list.kind == LIST_KIND_BLOCK && !match->list.monitor;
}

/* The same list decides for threads that do not wait, also while the lists are being changed. */
static void decides_at_once(struct fixture *f, const struct addr *addr, const char *text)
{
	struct list_info list = { .name = "" };
	const size_t length = strcspn(text, " ");

	assert_int_equal(lists_decide(f->lists, addr, &list), *text != '\0');
	assert_true(strlen(list.name) == length && !strncmp(list.name, text, length));
	pthread_mutex_lock(&f->lists->turn);
	assert_int_equal(lists_decide(f->lists, addr, &list), *text != '\0');
	pthread_mutex_unlock(&f->lists->turn);
}

/* All ways to ask agree; returns the answer. */
static const char *decision(struct fixture *f, const struct addr *addr)
{
	static struct decided asked;
	char found[64], text[PREFIX_TEXT_MAX];

	memset(&asked, 0, sizeof(asked));
	assert_true(lists_test(f->lists, addr, note_decision, &asked, NULL) >= 0);
	from_table(f, addr, found);
	if (strcmp(asked.text, found))
		fail_msg("%s: the table says '%s', the lists '%s'", addr_format(addr, text), found,
			 asked.text);
	assert_int_equal(lists_stop(f->lists, addr), asked.stops);
	decides_at_once(f, addr, asked.text);
	return asked.text;
}

static const char *decides(struct fixture *f, const char *text)
{
	const struct addr addr = addr_of(text);

	return decision(f, &addr);
}

static struct prefix make_prefix(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, strlen(text), &prefix, NULL), 0);
	return prefix;
}

static int add(struct fixture *f, const char *list, const char *text, enum action action,
	       uint32_t ttl)
{
	const struct list_change change = {
		.kind = list[0] == 'a' ? LIST_KIND_ALLOW : LIST_KIND_BLOCK,
		.list = list,
		.source = "test",
		.reason = "",
		.action = action,
		.ttl = ttl,
	};
	const struct prefix prefix = make_prefix(text);

	return lists_add(f->lists, &change, &prefix, NULL);
}

static int del(struct fixture *f, const char *list, const char *text, struct error *err)
{
	const struct list_change change = {
		.kind = list && list[0] == 'a' ? LIST_KIND_ALLOW : LIST_KIND_BLOCK,
		.list = list,
		.source = "test",
		.reason = "",
	};
	const struct prefix prefix = make_prefix(text);

	return lists_del(f->lists, &change, &prefix, err);
}

static void test_allow_beats_block_whatever_the_length(void **state)
{
	struct fixture *f = *state;

	add(f, "b1", "192.0.2.1", ACTION_DROP, 0);
	assert_string_equal(decides(f, "192.0.2.1"), "b1 3");
	add(f, "a1", "192.0.0.0/16", ACTION_DROP, 0);
	assert_string_equal(decides(f, "192.0.2.1"), "a1 -1");
	assert_int_equal(del(f, "a1", "192.0.0.0/16", NULL), 1);
	assert_string_equal(decides(f, "192.0.2.1"), "b1 3");
}

static void test_a_block_inside_an_allow_stays_hidden(void **state)
{
	struct fixture *f = *state;

	add(f, "a1", "2001:db8::/32", ACTION_DROP, 0);
	add(f, "b1", "2001:db8:1::/48", ACTION_DROP, 0);
	assert_string_equal(decides(f, "2001:db8:1::1"), "a1 -1");
	del(f, "a1", "2001:db8::/32", NULL);
	assert_string_equal(decides(f, "2001:db8:1::1"), "b1 3");
}

static void test_the_longest_then_the_strictest(void **state)
{
	struct fixture *f = *state;

	add(f, "b1", "198.51.100.0/24", ACTION_DROP, 0);
	add(f, "b2", "198.51.100.7", ACTION_RESET, 0);
	assert_string_equal(decides(f, "198.51.100.7"), "b2 1");
	add(f, "b3", "198.51.100.7", ACTION_DROP, 0);
	assert_string_equal(decides(f, "198.51.100.7"), "b3 3");
	add(f, "b0", "198.51.100.7", ACTION_DROP, 0); /* the name that sorts first */
	assert_string_equal(decides(f, "198.51.100.7"), "b0 3");
	assert_int_equal(del(f, NULL, "198.51.100.7", NULL), 3);
	assert_string_equal(decides(f, "198.51.100.7"), "b1 3");
}

static uint32_t answers(const struct fixture *f)
{
	const struct settings *settings = f->memory.settings;

	return settings->table[settings->generation & 1].answers;
}

/* As soon as one entry may need it the program looks up later segments, too. */
static void test_answers_are_noted(void **state)
{
	struct fixture *f = *state;

	add(f, "b1", "198.51.100.0/24", ACTION_DROP, 0);
	add(f, "b1", "198.51.100.1", ACTION_RESET, 0);
	assert_int_equal(answers(f), 0);
	add(f, "b1", "198.51.100.2", ACTION_TARPIT, 0);
	assert_int_equal(answers(f), 1);
	assert_int_equal(del(f, "b1", "198.51.100.2", NULL), 1);
	assert_int_equal(answers(f), 1);
	assert_int_equal(lists_monitor(f->lists, "b1", true, NULL), 0); /* built anew */
	assert_int_equal(answers(f), 0);
	add(f, "b1", "198.51.100.1", ACTION_REFUSE, 0); /* replaced in place */
	assert_int_equal(answers(f), 1);
	assert_int_equal(lists_monitor(f->lists, "b1", false, NULL), 0);
	assert_int_equal(answers(f), 1);
}

static const char *told(const struct fixture *f, uint32_t slot)
{
	static char text[REFUSAL_TEXT_MAX + 1];

	return gate_refusal((struct gate *)&f->gate, slot, text);
}

static void test_refusals_follow_the_lists(void **state)
{
	struct list_change change = { .list = "b1", .source = "t", .reason = "" };
	struct fixture *f = *state;
	struct entry_set set = { 0 };
	struct load_result result;

	lists_set_contact(f->lists, "");
	add(f, "b1", "203.0.113.9", ACTION_REFUSE, 0);
	add(f, "a1", "203.0.113.10", ACTION_DROP, 0);
	assert_string_equal(told(f, 0), "554 5.7.1 refused: listed in b1");
	assert_string_equal(told(f, 1), "");
	lists_set_contact(f->lists, "postmaster@example.net");
	assert_string_equal(told(f, 0),
			    "554 5.7.1 refused: listed in b1; see postmaster@example.net");
	change.refusal = "sent spam";
	assert_int_equal(lists_load(f->lists, &change, &set, &result, NULL), 0);
	assert_string_equal(told(f, 0), "554 5.7.1 sent spam; see postmaster@example.net");
	change.refusal = NULL; /* stays */
	assert_int_equal(lists_load(f->lists, &change, &set, &result, NULL), 0);
	lists_close(&f->lists); /* and is kept */
	assert_int_equal(lists_open(&f->lists, f->store, &f->gate, NULL), 0);
	lists_set_contact(f->lists, "");
	assert_string_equal(told(f, result.slot), "554 5.7.1 sent spam");
	change.refusal = "";
	assert_int_equal(lists_load(f->lists, &change, &set, &result, NULL), 0);
	assert_string_equal(told(f, 0), "554 5.7.1 refused: listed in b1");
}

static void test_an_enforced_list_beats_a_monitored_one(void **state)
{
	struct fixture *f = *state;

	add(f, "b1", "203.0.113.0/24", ACTION_RESET, 0);
	add(f, "b2", "203.0.113.9", ACTION_DROP, 0);
	assert_int_equal(lists_monitor(f->lists, "b2", true, NULL), 0);
	assert_string_equal(decides(f, "203.0.113.9"), "b1 1");
	assert_int_equal(lists_monitor(f->lists, "b1", true, NULL), 0);
	assert_string_equal(decides(f, "203.0.113.9"), "b2 3");
	assert_int_equal(
		f->memory.settings->table[f->memory.settings->generation & 1].list_flags[0],
		LIST_MONITOR);
	assert_int_equal(lists_monitor(f->lists, "b1", false, NULL), 0);
	assert_string_equal(decides(f, "203.0.113.9"), "b1 1");
}

static void test_an_allow_list_has_no_monitor_mode(void **state)
{
	struct fixture *f = *state;
	struct error err;

	add(f, "a1", "203.0.113.0/24", ACTION_DROP, 0);
	assert_int_equal(lists_monitor(f->lists, "a1", true, &err), ERROR_REFUSED);
	assert_int_equal(lists_monitor(f->lists, "nosuch", true, &err), ERROR_REFUSED);
}

static void test_expiry_uncovers_what_lies_under(void **state)
{
	struct fixture *f = *state;

	add(f, "b1", "203.0.113.0/24", ACTION_DROP, 0);
	add(f, "b2", "203.0.113.9", ACTION_RESET, 60);
	assert_string_equal(decides(f, "203.0.113.9"), "b2 1");
	clock_freeze(START_TIME + 59, 0);
	assert_int_equal(lists_expire(f->lists, NULL), 0);
	clock_freeze(START_TIME + 60, 0);
	assert_int_equal(lists_expire(f->lists, NULL), 1);
	assert_string_equal(decides(f, "203.0.113.9"), "b1 3");
	assert_int_equal(lists_expire(f->lists, NULL), 0);
}

static void test_adding_again_changes_the_entry(void **state)
{
	struct fixture *f = *state;

	add(f, "b1", "203.0.113.9", ACTION_DROP, 0);
	add(f, "b1", "203.0.113.9", ACTION_RESET, 10);
	assert_string_equal(decides(f, "203.0.113.9"), "b1 1");
	assert_int_equal(table_use(f->gate.table).entries4, 1);
	clock_freeze(START_TIME + 10, 0);
	assert_int_equal(lists_expire(f->lists, NULL), 1);
	assert_string_equal(decides(f, "203.0.113.9"), "");
	assert_int_equal(table_use(f->gate.table).entries4, 0);
}

static void test_a_del_that_finds_nothing_names_what_covers(void **state)
{
	struct fixture *f = *state;
	struct error err;

	add(f, "b1", "203.0.113.0/24", ACTION_DROP, 0);
	assert_int_equal(del(f, NULL, "203.0.113.9", &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "203.0.113.0/24"));
	assert_int_equal(del(f, NULL, "192.0.2.1", &err), ERROR_REFUSED);
	assert_int_equal(del(f, "nosuch", "192.0.2.1", &err), ERROR_REFUSED);
	assert_string_equal(decides(f, "203.0.113.9"), "b1 3");
}

static struct entry_set make_set(size_t count, uint32_t first, uint32_t step)
{
	struct entry_set set = { .entry = calloc(count, sizeof(struct entry)), .count = count };

	for (size_t i = 0; i < count; i++) {
		const struct addr addr = addr_from_ipv4(first + (uint32_t)i * step);

		set.entry[i].prefix = prefix_of(&addr, 128);
		set.entry[i].action = ACTION_DROP;
	}
	return set;
}

static void test_a_list_that_does_not_fit_changes_nothing(void **state)
{
	const struct list_change change = { .list = "b1", .source = "t", .reason = "" };
	struct fixture *f = *state;
	struct entry_set set = make_set(CAPACITY + 1, 0x0a000000, 257);
	struct load_result result;
	struct error err;

	add(f, "b1", "203.0.113.9", ACTION_DROP, 0);
	assert_int_equal(lists_load(f->lists, &change, &set, &result, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "table.capacity-ipv4"));
	assert_string_equal(decides(f, "203.0.113.9"), "b1 3");
	assert_string_equal(decides(f, "10.0.0.0"), "");
	set.count--; /* and this one fits */
	assert_int_equal(lists_load(f->lists, &change, &set, &result, &err), 0);
	assert_int_equal(result.ipv4, CAPACITY);
	assert_string_equal(decides(f, "203.0.113.9"), "");
	assert_string_equal(decides(f, "10.0.0.0"), "b1 3");
	entry_set_clear(&set);
}

static void test_a_full_table_refuses_one_more(void **state)
{
	const struct list_change change = { .list = "b1", .source = "t", .reason = "" };
	struct fixture *f = *state;
	struct entry_set set = make_set(CAPACITY, 0x0a000000, 257);
	struct load_result result;

	assert_int_equal(lists_load(f->lists, &change, &set, &result, NULL), 0);
	assert_int_equal(add(f, "b2", "203.0.113.9", ACTION_DROP, 0), ERROR_REFUSED);
	assert_string_equal(decides(f, "203.0.113.9"), "");
	assert_int_equal(add(f, "b2", "2001:db8::1", ACTION_DROP, 0), 0);
	entry_set_clear(&set);
}

static void test_the_table_comes_back_from_the_store(void **state)
{
	struct fixture *f = *state;

	add(f, "b1", "203.0.113.0/24", ACTION_DROP, 0);
	add(f, "a1", "203.0.113.9", ACTION_DROP, 0);
	lists_close(&f->lists);
	free_memory(f);
	make_memory(f);
	assert_int_equal(lists_open(&f->lists, f->store, &f->gate, NULL), 0);
	assert_string_equal(decides(f, "203.0.113.8"), "b1 3");
	assert_string_equal(decides(f, "203.0.113.9"), "a1 -1");
}

static int clear(struct fixture *f, const char *name, enum list_kind kind, uint64_t *removed,
		 struct error *err)
{
	const struct list_change change = { .kind = kind, .list = name, .source = "t" };

	return lists_clear(f->lists, &change, removed, err);
}

/* Another list gets the slot of one that is cleared, and nothing of what was there. */
static void test_a_cleared_list_leaves_its_slot(void **state)
{
	const struct list_change change = {
		.list = "b1", .source = "t", .reason = "", .refusal = "go away"
	};
	const struct list_change again = { .list = "b1", .source = "t", .reason = "" };
	struct fixture *f = *state;
	struct entry_set set = make_set(3, 0x0a000000, 257);
	struct list_info list[LIST_SLOTS];
	const unsigned int before = begun[0];
	struct load_result result;
	uint64_t removed;

	assert_int_equal(lists_load(f->lists, &change, &set, &result, NULL), 0);
	assert_int_equal(lists_monitor(f->lists, "b1", true, NULL), 0);
	assert_int_equal(begun[0], before + 1);
	assert_non_null(strstr(f->refusal[0].text, "go away"));
	assert_int_equal(clear(f, "b1", LIST_KIND_BLOCK, &removed, NULL), 0);
	assert_int_equal(removed, 3);
	assert_int_equal(lists_all(f->lists, list, NULL), 0);
	assert_string_equal(decides(f, "10.0.0.0"), "");
	assert_int_equal(f->refusal[0].length, 0);

	clock_freeze(f->now + 60, 0);
	add(f, "a1", "10.0.0.0", ACTION_DROP, 0);
	assert_int_equal(lists_all(f->lists, list, NULL), 1);
	assert_int_equal(list[0].slot, 0);
	assert_true(list[0].created > f->now * 1000000000ull);
	assert_int_equal(begun[0], before + 2);
	assert_string_equal(decides(f, "10.0.0.0"), "a1 -1");
	assert_int_equal(f->refusal[0].length, 0);

	assert_int_equal(clear(f, "a1", LIST_KIND_ALLOW, &removed, NULL), 0);
	assert_int_equal(lists_load(f->lists, &again, &set, &result, NULL), 0);
	assert_int_equal(lists_all(f->lists, list, NULL), 1);
	assert_int_equal(list[0].monitor, 0);
	check_flag(f, &list[0]);
	assert_null(strstr(f->refusal[0].text, "go away"));
	assert_string_equal(decides(f, "10.0.0.0"), "b1 3");
	entry_set_clear(&set);
}

static void test_a_clear_that_is_refused(void **state)
{
	struct fixture *f = *state;
	struct error err;
	uint64_t removed;

	add(f, "a1", "10.0.0.0", ACTION_DROP, 0);
	assert_int_equal(clear(f, "a1", LIST_KIND_BLOCK, &removed, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "a1 is an allow list, not a block list");
	assert_int_equal(clear(f, "b1", LIST_KIND_BLOCK, &removed, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "no list b1");
	assert_string_equal(decides(f, "10.0.0.0"), "a1 -1");
}

/* Prefixes that nest and meet: a few networks, few hosts in each. */
static void random_prefix(struct fixture *f, char text[PREFIX_TEXT_MAX])
{
	static const uint8_t length4[] = { 8, 15, 16, 20, 24, 25, 28, 31, 32, 32, 32, 32 };
	static const uint8_t length6[] = { 0, 16, 29, 32, 47, 48, 64, 72, 120, 128, 128, 128 };
	const uint64_t r = next_random(f);
	struct addr addr = addr_from_ipv4(0x0a000000u | (uint32_t)(r & 0x00010103));
	struct prefix prefix = prefix_of(&addr, 96u + length4[r >> 32 & 7 ? 8 : (r >> 40) % 12]);

	if (r >> 60 & 1) {
		addr = addr_from_halves(0x20010db800000000ull | (r & 0x10001), r >> 8 & 3);
		prefix = prefix_of(&addr, length6[(r >> 40) % 12]);
	}
	prefix_format(&prefix, text);
}

static void random_change(struct fixture *f)
{
	static const char *const names[] = { "a1", "a2", "b1", "b2", "b3" };
	const uint64_t r = next_random(f);
	const char *list = names[r % 5];
	char text[PREFIX_TEXT_MAX];

	random_prefix(f, text);
	switch (r >> 8 & 7) {
	case 0:
	case 1:
	case 2:
		add(f, list, text, r >> 16 & 1 ? ACTION_DROP : ACTION_RESET, r >> 20 & 3);
		break;
	case 3:
	case 4:
	case 5:
		del(f, list, text, NULL);
		break;
	case 6:
		lists_monitor(f->lists, list, r >> 16 & 1, NULL);
		if (!(r >> 24 & 7))
			clear(f, list, *list == 'a' ? LIST_KIND_ALLOW : LIST_KIND_BLOCK,
			      &(uint64_t){ 0 }, NULL);
		break;
	default:
		clock_freeze(++f->now, 0);
		assert_true(lists_expire(f->lists, NULL) >= 0);
	}
}

static void test_random_changes(void **state)
{
	struct fixture *f = *state;
	uint32_t rebuilds;

	for (int round = 0; round < 4000; round++) {
		random_change(f);
		for (uint32_t i = 0; i < 16; i++) {
			struct addr addr = addr_from_ipv4(0x0a000000u | (i & 3) | (i & 4) << 6 |
							  (i & 8) << 13);

			decision(f, &addr);
			addr = addr_from_halves(
				0x20010db800000000ull | (i & 4) >> 2 | (i & 8) << 13, i & 3);
			decision(f, &addr);
		}
	}
	rebuilds = f->gate.rebuilds;
	assert_true(rebuilds > 10 && rebuilds < 3900); /* both ways to change were taken */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_allow_beats_block_whatever_the_length),
		TEST(test_a_block_inside_an_allow_stays_hidden),
		TEST(test_the_longest_then_the_strictest),
		TEST(test_answers_are_noted),
		TEST(test_refusals_follow_the_lists),
		TEST(test_an_enforced_list_beats_a_monitored_one),
		TEST(test_an_allow_list_has_no_monitor_mode),
		TEST(test_expiry_uncovers_what_lies_under),
		TEST(test_adding_again_changes_the_entry),
		TEST(test_a_del_that_finds_nothing_names_what_covers),
		TEST(test_a_list_that_does_not_fit_changes_nothing),
		TEST(test_a_full_table_refuses_one_more),
		TEST(test_the_table_comes_back_from_the_store),
		TEST(test_a_cleared_list_leaves_its_slot),
		TEST(test_a_clear_that_is_refused),
		TEST(test_random_changes),
	};

	return cmocka_run_group_tests_name("lists", tests, NULL, NULL);
}
