/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block table at its capacity: ten million IPv4 prefixes, spread and crowded, and a million of
 * IPv6. Prefixes are a permutation of their index, so that whether one is in the table is known
 * without a second table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/table_fixture.h"

/* The sanitizers take ten times as long: to them a tenth is as good. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MILLION 100000u
#endif
#endif
#ifndef MILLION
#define MILLION 1000000u
#endif
#define SAMPLES 200000u
#define ROUNDS  4

/* The entries of a test: prefix number `i`, and the class that an address should have. */
struct scene {
	uint32_t count;
	struct prefix (*prefix)(uint32_t i, uint32_t parameter);
	uint8_t (*expected)(const struct addr *addr, uint32_t count, uint32_t parameter);
	uint32_t parameter;
};

struct fixture {
	struct table_geometry geometry;
	struct table_memory memory;
	struct table *table;
};

static void setup_sized(struct fixture *f, uint32_t capacity4, uint32_t capacity6)
{
	f->geometry = table_geometry_for(capacity4, capacity6);
	f->memory = table_memory_new(&f->geometry);
	assert_int_equal(table_new(&f->memory, &f->geometry, &f->table, NULL), 0);
}

static void teardown(struct fixture *f)
{
	table_free(&f->table);
	table_memory_free(&f->memory);
}

/* A permutation of the numbers of `bits` (an even number of) bits, and its inverse. */
static uint32_t half_mix(uint32_t half, uint32_t round, uint32_t bits)
{
	return (uint32_t)mix64(half | (uint64_t)(round + 1) << 40) & ((1u << bits / 2) - 1);
}

static uint32_t scatter(uint32_t x, uint32_t bits)
{
	uint32_t left = x >> bits / 2, right = x & ((1u << bits / 2) - 1), kept;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		kept = right;
		right = left ^ half_mix(right, round, bits);
		left = kept;
	}
	return left << bits / 2 | right;
}

static uint32_t gather(uint32_t x, uint32_t bits)
{
	uint32_t left = x >> bits / 2, right = x & ((1u << bits / 2) - 1), kept;

	for (uint32_t round = ROUNDS; round-- > 0;) {
		kept = left;
		left = right ^ half_mix(left, round, bits);
		right = kept;
	}
	return left << bits / 2 | right;
}

/* Of fifty prefixes 45 are addresses, four are /24s and one is of another length. */
static const struct share {
	uint8_t length, of_fifty;
} shares[] = { { 32, 45 }, { 24, 4 }, { 30, 1 } };

static uint8_t class_of(uint32_t length)
{
	return class_make(length == 32 ? 1 : 2, 1);
}

static struct prefix mixed_prefix(uint32_t i, uint32_t parameter)
{
	const struct share *share = shares;
	uint32_t within = i % 50;
	struct addr addr;

	(void)parameter;
	while (within >= share->of_fifty)
		within -= share++->of_fifty;
	addr = addr_from_ipv4(scatter(i / 50 * share->of_fifty + within, share->length)
			      << (32 - share->length));
	return prefix_of(&addr, 96u + share->length);
}

static uint8_t mixed_expected(const struct addr *addr, uint32_t count, uint32_t parameter)
{
	static const uint8_t longest_first[] = { 0, 2, 1 };

	(void)parameter;
	for (size_t i = 0; i < sizeof(longest_first); i++) {
		const struct share *share = &shares[longest_first[i]];
		const uint32_t number =
			gather(addr_ipv4(addr) >> (32 - share->length), share->length);

		if (number < count / 50 * share->of_fifty)
			return class_of(share->length);
	}
	return CLASS_NONE;
}

/* Addresses in crowds: `crowd` of them in each of some /24s. */
static struct prefix crowd_prefix(uint32_t i, uint32_t crowd)
{
	const struct addr addr =
		addr_from_ipv4(scatter(i / crowd, 24) << 8 | scatter(i % crowd, 8));

	return prefix_of(&addr, 128);
}

static uint8_t crowd_expected(const struct addr *addr, uint32_t count, uint32_t crowd)
{
	const uint32_t group = gather(addr_ipv4(addr) >> 8, 24);
	const uint32_t within = gather(addr_ipv4(addr) & 0xff, 8);

	return within < crowd && group < count / crowd ? class_of(32) : CLASS_NONE;
}

/* /64s in crowds below the same /56. */
static struct prefix crowd6_prefix(uint32_t i, uint32_t crowd)
{
	const struct addr addr =
		addr_from_halves(0x2a00000000000000ull | (uint64_t)scatter(i / crowd, 32) << 8 |
					 scatter(i % crowd, 8),
				 0);

	return prefix_of(&addr, 64);
}

static uint8_t crowd6_expected(const struct addr *addr, uint32_t count, uint32_t crowd)
{
	const uint32_t group = gather((uint32_t)(addr_high(addr) >> 8), 32);
	const uint32_t within = gather((uint32_t)addr_high(addr) & 0xff, 8);

	return within < crowd && group < count / crowd ? class_of(32) : CLASS_NONE;
}

/* One try of what gate/lists does. */
static enum table_result fill(struct fixture *f, const struct scene *scene)
{
	enum table_result result = TABLE_OK;
	struct table_batch *batch;
	enum family family;

	table_begin(f->table);
	assert_int_equal(table_batch_new(f->table, &batch, NULL), 0);
	for (uint32_t i = 0; i < scene->count && result == TABLE_OK; i++) {
		const struct prefix prefix = scene->prefix(i, scene->parameter);
		const bool other = prefix_is_ipv4(&prefix) && prefix.len != 128;

		result = table_batch_add(batch, &prefix, class_of(other ? 24 : 32));
	}
	if (result == TABLE_OK)
		result = table_batch_put(batch, &family);
	table_batch_free(&batch);
	return result;
}

static void build(struct fixture *f, const struct scene *scene)
{
	static const uint8_t flags[LIST_SLOTS];
	enum table_result result = TABLE_CROWDED;

	for (int try = 0; try < 8 && result == TABLE_CROWDED; try++)
		result = fill(f, scene);
	assert_int_equal(result, TABLE_OK);
	table_publish(f->table, flags);
}

static void check(const struct fixture *f, const struct scene *scene, const struct addr *addr)
{
	const uint8_t found = table_lookup(f->table, addr);
	const uint8_t expected = scene->expected(addr, scene->count, scene->parameter);
	char text[PREFIX_TEXT_MAX];

	if (found != expected)
		fail_msg("%s: class %u instead of %u", addr_format(addr, text), found, expected);
}

/* Entries, their neighbours, and addresses from anywhere. */
static void check_samples(const struct fixture *f, const struct scene *scene)
{
	for (uint32_t i = 0; i < SAMPLES; i++) {
		const uint64_t random = mix64(i);
		const struct prefix prefix =
			scene->prefix((uint32_t)(random % scene->count), scene->parameter);
		struct addr addr = prefix.addr;

		check(f, scene, &addr);
		addr.byte[prefix_is_ipv4(&prefix) ? 15 : 7] ^= (uint8_t)(random >> 32);
		check(f, scene, &addr);
		addr = prefix_is_ipv4(&prefix)
			       ? addr_from_ipv4((uint32_t)(random >> 32))
			       : addr_from_halves(0x2a00000000000000ull | random >> 16, random);
		check(f, scene, &addr);
	}
}

/* Both generations, and the first one again. */
static void build_and_check(struct fixture *f, const struct scene *scene)
{
	for (int turn = 0; turn < 3; turn++) {
		build(f, scene);
		check_samples(f, scene);
	}
}

static void test_ten_million_mixed_prefixes(void **state)
{
	const struct scene scene = { 10 * MILLION, mixed_prefix, mixed_expected, 0 };
	struct fixture f;

	(void)state;
	setup_sized(&f, 10 * MILLION, 1000);
	build_and_check(&f, &scene);
	assert_int_equal(table_use(f.table).entries4, 10 * MILLION);
	teardown(&f);
}

/* There is room for another prefix without a build, though one bucket in fifty is full. */
static void test_an_insertion_into_ten_million(void **state)
{
	struct scene scene = { 10 * MILLION, mixed_prefix, mixed_expected, 0 };
	struct fixture f;

	(void)state;
	setup_sized(&f, 10 * MILLION + 50000, 1000);
	build(&f, &scene);
	for (uint32_t i = 0; i < 50000; i++) {
		const struct prefix prefix = mixed_prefix(scene.count + i, 0);
		const uint8_t list_class = class_of(prefix.len == 128 ? 32 : 24);

		assert_int_equal(table_fits(f.table, &prefix, list_class, false), TABLE_OK);
		assert_int_equal(table_insert(f.table, &prefix, list_class), TABLE_OK);
	}
	scene.count += 50000;
	check_samples(&f, &scene);
	teardown(&f);
}

static void test_crowded_addresses(void **state)
{
	static const uint32_t crowds[] = { 2, 4, 9, 17, 20, 256 };
	struct fixture f;

	(void)state;
	setup_sized(&f, MILLION, 1000);
	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		const struct scene scene = { MILLION / crowds[i] * crowds[i], crowd_prefix,
					     crowd_expected, crowds[i] };

		build(&f, &scene);
		check_samples(&f, &scene);
	}
	teardown(&f);
}

static void test_ten_million_crowded_addresses(void **state)
{
	const struct scene scene = { 10 * MILLION / 17 * 17, crowd_prefix, crowd_expected, 17 };
	struct fixture f;

	(void)state;
	setup_sized(&f, 10 * MILLION, 1000);
	build(&f, &scene);
	check_samples(&f, &scene);
	teardown(&f);
}

static void test_a_million_ipv6_prefixes(void **state)
{
	static const uint32_t crowds[] = { 1, 2, 4, 8, 9, 40 };
	struct fixture f;

	(void)state;
	setup_sized(&f, 1000, MILLION);
	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		const struct scene scene = { MILLION / crowds[i] * crowds[i], crowd6_prefix,
					     crowd6_expected, crowds[i] };

		build(&f, &scene);
		check_samples(&f, &scene);
	}
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten_million_mixed_prefixes),
		cmocka_unit_test(test_an_insertion_into_ten_million),
		cmocka_unit_test(test_crowded_addresses),
		cmocka_unit_test(test_ten_million_crowded_addresses),
		cmocka_unit_test(test_a_million_ipv6_prefixes),
	};

	return cmocka_run_group_tests_name("table scale", tests, NULL, NULL);
}
