/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block table against a plain list of prefixes that is searched from end to end: random
 * prefixes of all lengths, crowded groups, changes in place, and the limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/addr_fixture.h"
#include "tests/unit/table_fixture.h"

#define CAPACITY4 40000
#define CAPACITY6 20000

struct fixture {
	struct table_geometry geometry;
	struct table_memory memory;
	struct table *table;
	struct prefix *prefix; /* what the table should hold */
	uint8_t *list_class;
	size_t count;
	uint64_t random;
};

static uint64_t next_random(struct fixture *f)
{
	f->random = f->random * 6364136223846793005ull + 1442695040888963407ull;
	return mix64(f->random);
}

static int setup_sized(void **state, uint32_t capacity4, uint32_t capacity6)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct table_geometry *g = &f->geometry;

	*g = table_geometry_for(capacity4, capacity6);
	f->random = 20260101;
	f->memory = table_memory_new(g);
	f->prefix = calloc(CAPACITY4 + CAPACITY6, sizeof(*f->prefix));
	f->list_class = calloc(CAPACITY4 + CAPACITY6, 1);
	assert_int_equal(table_new(&f->memory, g, &f->table, NULL), 0);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_sized(state, CAPACITY4, CAPACITY6);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	table_free(&f->table);
	assert_null(f->table);
	table_memory_free(&f->memory);
	free(f->prefix);
	free(f->list_class);
	free(f);
	return 0;
}

static struct prefix make_prefix(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, strlen(text), &prefix, NULL), 0);
	return prefix;
}

static bool same_family(const struct prefix *prefix, const struct addr *addr)
{
	return prefix_is_ipv4(prefix) == addr_is_ipv4(addr);
}

/* The longest prefix that holds the address, by looking at all of them. */
static const struct prefix *plain_lookup(const struct fixture *f, const struct addr *addr,
					 int longer_than, int shorter_than, uint8_t *list_class)
{
	const struct prefix *best = NULL;

	*list_class = CLASS_NONE;
	for (size_t i = 0; i < f->count; i++) {
		const struct prefix *p = &f->prefix[i];

		if (!f->list_class[i] || p->len <= longer_than || p->len >= shorter_than ||
		    !same_family(p, addr) || !prefix_contains(p, addr))
			continue;
		if (!best || p->len > best->len) {
			best = p;
			*list_class = f->list_class[i];
		}
	}
	return best;
}

static bool plain_has(const struct fixture *f, const struct prefix *prefix)
{
	for (size_t i = 0; i < f->count; i++)
		if (!memcmp(&f->prefix[i], prefix, sizeof(*prefix)))
			return true;
	return false;
}

/* A few crowded neighbourhoods, so that prefixes nest and groups overflow. */
static struct addr random_addr(struct fixture *f, bool ipv4)
{
	const uint64_t r = next_random(f);

	if (ipv4)
		return addr_from_ipv4((r & 3 ? 0x0a000000u | (r >> 8 & 0x0301ffffu) : 0) ^
				      (r & 3 ? 0 : (uint32_t)(r >> 32)));
	if (r & 3)
		return addr_from_halves(0x20010db800000000ull | (r >> 8 & 0x300030003ull),
					(r & 4) ? r >> 40 & 0xff0f : next_random(f));
	return addr_from_halves(next_random(f), next_random(f));
}

static struct prefix random_prefix(struct fixture *f)
{
	const bool ipv4 = next_random(f) & 1;
	const struct addr addr = random_addr(f, ipv4);
	const unsigned int spread = ipv4 ? 33 : 129;
	unsigned int len = (unsigned int)(next_random(f) % spread);

	if (next_random(f) % 4) /* most prefixes are long */
		len = spread - 1 - len % (ipv4 ? 9 : 65);
	return prefix_of(&addr, ipv4 ? 96 + len : len);
}

static void add_random(struct fixture *f, size_t count)
{
	while (f->count < count) {
		struct prefix prefix = random_prefix(f);

		if (plain_has(f, &prefix))
			continue;
		/* Of the family that ::ffff:0:0/96 would make it. */
		if (!prefix_is_ipv4(&prefix) && addr_is_ipv4(&prefix.addr))
			continue;
		f->prefix[f->count] = prefix;
		f->list_class[f->count++] = (uint8_t)(4 + next_random(f) % 251);
	}
}

static void build(struct fixture *f)
{
	static const uint8_t flags[LIST_SLOTS];
	enum table_result result = TABLE_CROWDED;

	for (int try = 0; try < 8 && result == TABLE_CROWDED; try++) {
		table_begin(f->table);
		result = TABLE_OK;
		for (size_t i = 0; i < f->count && result == TABLE_OK; i++)
			if (f->list_class[i])
				result = table_put(f->table, &f->prefix[i], f->list_class[i]);
	}
	assert_int_equal(result, TABLE_OK);
	table_publish(f->table, flags);
}

static void check_addr(const struct fixture *f, const struct addr *addr)
{
	char text[PREFIX_TEXT_MAX];
	uint8_t expected, found;

	plain_lookup(f, addr, -1, 129, &expected);
	found = table_lookup(f->table, addr);
	if (found != expected)
		fail_msg("%s: class %u instead of %u", addr_format(addr, text), found, expected);
}

/* The edges of every prefix, and random addresses. */
static void check_all(struct fixture *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct addr last = prefix_last(&f->prefix[i]);

		check_addr(f, &f->prefix[i].addr);
		check_addr(f, &last);
	}
	for (int i = 0; i < 2000; i++) {
		const struct addr addr = random_addr(f, i & 1);

		check_addr(f, &addr);
	}
}

static void test_empty_table_holds_nothing(void **state)
{
	struct fixture *f = *state;
	const struct addr a = addr_of("192.0.2.1"), b = addr_of("2001:db8::1");

	assert_int_equal(table_lookup(f->table, &a), CLASS_NONE);
	build(f);
	assert_int_equal(table_lookup(f->table, &a), CLASS_NONE);
	assert_int_equal(table_lookup(f->table, &b), CLASS_NONE);
}

static void test_every_length_of_both_families(void **state)
{
	struct fixture *f = *state;
	const struct addr v4 = addr_of("203.0.113.77"), v6 = addr_of("2001:db8:1:2:3:4:5:6");

	for (unsigned int len = 0; len <= 128; len++) {
		f->prefix[f->count] = prefix_of(&v6, len);
		f->list_class[f->count++] = (uint8_t)(4 + len);
		if (len >= 96) {
			f->prefix[f->count] = prefix_of(&v4, len);
			f->list_class[f->count++] = (uint8_t)(4 + len);
		}
	}
	build(f);
	check_all(f);
	assert_int_equal(table_lookup(f->table, &v4), 4 + 128);
	/* Taken off from the longest to the shortest, each uncovers the next. */
	for (size_t i = f->count; i-- > 0;) {
		struct table_cover cover = { 0 };
		const struct prefix *p;

		f->list_class[i] = CLASS_NONE;
		p = plain_lookup(f, &f->prefix[i].addr, -1, f->prefix[i].len, &cover.list_class);
		if (p)
			cover.prefix = *p;
		table_remove(f->table, &f->prefix[i], &cover);
		check_addr(f, &v4);
		check_addr(f, &v6);
	}
	assert_int_equal(table_use(f->table).entries4 + table_use(f->table).entries6, 0);
}

static void test_random_prefixes(void **state)
{
	struct fixture *f = *state;

	add_random(f, 4000);
	build(f);
	check_all(f);
	assert_int_equal(table_use(f->table).entries4 + table_use(f->table).entries6, f->count);
	assert_true(table_use(f->table).pages > 0);
	build(f); /* into the other generation, which an earlier build has not touched */
	build(f); /* and over the first one */
	check_all(f);
}

static void remove_one(struct fixture *f, size_t i)
{
	struct table_cover cover = { 0 };
	const struct prefix *p;

	f->list_class[i] = CLASS_NONE;
	p = plain_lookup(f, &f->prefix[i].addr, -1, f->prefix[i].len, &cover.list_class);
	if (p)
		cover.prefix = *p;
	table_remove(f->table, &f->prefix[i], &cover);
}

static void insert_one(struct fixture *f, size_t i, uint8_t list_class)
{
	f->list_class[i] = list_class;
	if (table_fits(f->table, &f->prefix[i], list_class, false) == TABLE_OK)
		assert_int_equal(table_insert(f->table, &f->prefix[i], list_class), TABLE_OK);
	else
		build(f);
}

static void replace_one(struct fixture *f, size_t i, uint8_t list_class)
{
	f->list_class[i] = list_class;
	if (table_fits(f->table, &f->prefix[i], list_class, true) == TABLE_OK)
		table_replace(f->table, &f->prefix[i], list_class);
	else
		build(f);
}

static void test_changes_in_place(void **state)
{
	struct fixture *f = *state;

	add_random(f, 1500);
	build(f);
	for (int round = 0; round < 6000; round++) {
		const size_t i = next_random(f) % f->count;
		const uint8_t list_class = (uint8_t)(4 + next_random(f) % 251);

		if (!f->list_class[i]) {
			insert_one(f, i, list_class);
		} else if (round & 1) {
			replace_one(f, i, list_class);
		} else {
			remove_one(f, i);
		}
		check_addr(f, &f->prefix[i].addr);
		if (round % 1000 == 0)
			check_all(f);
	}
	check_all(f);
}

static void test_a_whole_24_becomes_a_page(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 256; i++) {
		const struct addr addr = addr_from_ipv4(0xc6336400u + i);

		f->prefix[f->count] = prefix_of(&addr, 128);
		f->list_class[f->count++] = (uint8_t)(4 + i % 100);
	}
	build(f);
	assert_true(table_use(f->table).pages >= 1);
	check_all(f);
	remove_one(f, 17);
	check_all(f);
}

static void add_address(struct fixture *f, uint32_t ipv4, unsigned int len)
{
	const struct addr addr = addr_from_ipv4(ipv4);

	f->prefix[f->count++] = prefix_of(&addr, 96 + len);
}

static void test_a_crowded_group_moves_to_a_page_in_place(void **state)
{
	struct fixture *f = *state;

	build(f);
	for (uint32_t i = 0; i < 64; i++) {
		add_address(f, 0xc6336400u + i * 3, 32);
		assert_int_equal(table_fits(f->table, &f->prefix[f->count - 1], 9, false),
				 TABLE_OK);
		insert_one(f, f->count - 1, 9);
		check_all(f);
	}
	assert_int_equal(table_use(f->table).pages, 1); /* a packed one */
	remove_one(f, 7);
	check_all(f);
	add_address(f, 0xc6336400u, 26); /* of another length: it does not fit a packed page */
	insert_one(f, f->count - 1, 9);
	replace_one(f, 12, 10);
	check_all(f);
	assert_int_equal(table_use(f->table).pages, 1 + PAGE_LINES);
	remove_one(f, f->count - 1);
	check_all(f);
}

static void test_another_class_in_a_packed_page(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 256; i++) {
		add_address(f, 0xc6336400u + i, 32);
		f->list_class[i] = 9;
	}
	build(f);
	assert_int_equal(table_use(f->table).pages, 1);
	replace_one(f, 200, 10);
	assert_int_equal(table_use(f->table).pages, 1 + PAGE_LINES);
	check_all(f);
	build(f);
	assert_int_equal(table_use(f->table).pages, 1 + PAGE_LINES);
	check_all(f);
}

static void test_a_full_table_says_so(void **state)
{
	struct fixture *f = *state;
	struct prefix one = make_prefix("192.0.2.1");

	table_begin(f->table);
	for (uint32_t i = 0; i < 1000; i++) {
		const struct addr addr = addr_from_ipv4(0x0b000000u + i * 0x10001u);
		const struct prefix prefix = prefix_of(&addr, 128);

		assert_int_equal(table_put(f->table, &prefix, 5), TABLE_OK);
	}
	assert_int_equal(table_put(f->table, &one, 5), TABLE_FULL);
}

static int setup_small(void **state)
{
	return setup_sized(state, 1000, 1000);
}

static void test_geometry_follows_the_capacity(void **state)
{
	const struct table_geometry small = table_geometry_for(1000, 1000);
	const struct table_geometry large = table_geometry_for(10000000, 10000000);
	const struct table_geometry mixed = table_geometry_for(1000, 10000000);

	(void)state;
	assert_int_equal(small.bucket4_bits, BUCKET4_MIN_BITS);
	assert_int_equal(large.bucket4_bits, BUCKET4_MAX_BITS);
	/* A page number must fit into the payload of a slot. */
	assert_true(small.page_lines <= slot4_pages(small.bucket4_bits));
	assert_true(large.page_lines <= slot4_pages(large.bucket4_bits));
	assert_true(mixed.page_lines <= slot4_pages(mixed.bucket4_bits));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty_table_holds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_length_of_both_families, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_random_prefixes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_whole_24_becomes_a_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_crowded_group_moves_to_a_page_in_place,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_class_in_a_packed_page, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_full_table_says_so, setup_small, teardown),
		cmocka_unit_test(test_geometry_follows_the_capacity),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
