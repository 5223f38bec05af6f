/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/entry: the order of a sorted set, which of several entries for one prefix stays, the
 * way out when memory is short, and the names of lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/entry.h"
#include "maps/action.h"
#include "maps/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A sanitizer has its own memory, which a limit on the process would break. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static uint64_t random_next(uint64_t *seed)
{
	*seed += 0x9e3779b97f4a7c15ull;
	return mix64(*seed);
}

/* The kinds of sets that sort differently: which bytes of the prefix differ. */
enum shape { IPV4_HOSTS, IPV4_NETS, IPV6_HOSTS, MIXED, FEW, LENGTHS, SHAPES };

static struct prefix random_prefix(enum shape shape, uint64_t *seed)
{
	const uint64_t high = random_next(seed), low = random_next(seed);
	struct addr addr = addr_from_ipv4((uint32_t)high);

	switch (shape) {
	case IPV4_HOSTS:
		return prefix_of(&addr, 128);
	case IPV4_NETS:
		return prefix_of(&addr, 104 + (unsigned int)(low % 25));
	case FEW:
		addr = addr_from_ipv4(0xc0000200u | (uint32_t)(high & 7));
		return prefix_of(&addr, low & 1 ? 128 : 127);
	case LENGTHS:
		addr = addr_from_halves(0, 0);
		return prefix_of(&addr, (unsigned int)(low % 129));
	default:
		if (shape == IPV6_HOSTS || low & 1)
			addr = addr_from_halves(high, low);
		return prefix_of(&addr, shape == MIXED ? 112 + (unsigned int)(high % 17) : 128);
	}
}

/* `added` is the entry's place, by which the tests know it again. */
static struct entry_set random_set(enum shape shape, size_t count, uint64_t seed)
{
	struct entry_set set = { .entry = calloc(count + 1, sizeof(struct entry)), .count = count };

	assert_non_null(set.entry);
	for (size_t i = 0; i < count; i++) {
		set.entry[i].prefix = random_prefix(shape, &seed);
		set.entry[i].action = random_next(&seed) & 1 ? ACTION_DROP : ACTION_RESET;
		set.entry[i].added = (uint32_t)i;
	}
	return set;
}

/* By prefix, then the one that must stay first. */
static int compare_wanted(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	const int order = prefix_compare(&left->prefix, &right->prefix);

	if (order)
		return order;
	if (left->action != right->action)
		return right->action - left->action;
	return left->added < right->added ? 1 : -1;
}

/* Sorts by comparison and keeps the first of each prefix. */
static void sort_wanted(struct entry_set *set)
{
	size_t kept = 0;

	qsort(set->entry, set->count, sizeof(*set->entry), compare_wanted);
	for (size_t i = 0; i < set->count; i++)
		if (!kept || prefix_compare(&set->entry[kept - 1].prefix, &set->entry[i].prefix))
			set->entry[kept++] = set->entry[i];
	set->count = kept;
}

static void sorts_as_comparison_does(enum shape shape, size_t count)
{
	const uint64_t seed = count * SHAPES + shape;
	struct entry_set set = random_set(shape, count, seed);
	struct entry_set wanted = random_set(shape, count, seed);
	size_t removed;

	sort_wanted(&wanted);
	removed = entry_set_sort(&set);
	assert_int_equal(set.count, wanted.count);
	assert_int_equal(removed, count - wanted.count);
	assert_memory_equal(set.entry, wanted.entry, wanted.count * sizeof(*wanted.entry));
	entry_set_clear(&set);
	entry_set_clear(&wanted);
}

static void every_shape_and_size_is_sorted(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 3, 4, 7, 64, 255, 256, 257, 1000, 20000 };

	(void)state;
	for (int shape = 0; shape < SHAPES; shape++)
		for (size_t i = 0; i < COUNT(counts); i++)
			sorts_as_comparison_does((enum shape)shape, counts[i]);
}

static void a_sorted_set_stays_as_it_is(void **state)
{
	struct entry_set set = random_set(MIXED, 5000, 1), again;

	(void)state;
	entry_set_sort(&set);
	again = set;
	again.entry = malloc(set.count * sizeof(*set.entry));
	assert_non_null(again.entry);
	memcpy(again.entry, set.entry, set.count * sizeof(*set.entry));
	assert_int_equal(entry_set_sort(&again), 0);
	assert_int_equal(again.count, set.count);
	assert_memory_equal(again.entry, set.entry, set.count * sizeof(*set.entry));
	entry_set_clear(&set);
	entry_set_clear(&again);
}

static struct entry simple(uint32_t address, unsigned int len, uint8_t action, uint32_t added)
{
	const struct addr addr = addr_from_ipv4(address);

	return (struct entry){ .prefix = prefix_of(&addr, len), .action = action, .added = added };
}

static void the_strictest_stays_and_then_the_last(void **state)
{
	struct entry entries[] = {
		simple(2, 128, ACTION_DROP, 1),   simple(1, 128, ACTION_RESET, 2),
		simple(1, 128, ACTION_RESET, 3),  simple(2, 128, ACTION_RESET, 4),
		simple(0, 120, ACTION_RESET, 5),  simple(0, 128, ACTION_RESET, 6),
		simple(2, 128, ACTION_DROP, 7),   simple(2, 128, ACTION_REFUSE, 8),
		simple(0, 128, ACTION_TARPIT, 9),
	};
	static const uint32_t stay[] = { 5, 9, 3, 7 };
	struct entry_set set = { .entry = entries, .count = COUNT(entries) };

	(void)state;
	assert_int_equal(entry_set_sort(&set), COUNT(entries) - COUNT(stay));
	assert_int_equal(set.count, COUNT(stay));
	for (size_t i = 0; i < COUNT(stay); i++)
		assert_int_equal(set.entry[i].added, stay[i]);
}

static void duplicates_of_a_sorted_set_are_merged(void **state)
{
	struct entry entries[] = {
		simple(1, 128, ACTION_DROP, 1),
		simple(1, 128, ACTION_RESET, 2),
		simple(1, 128, ACTION_DROP, 3),
		simple(2, 128, ACTION_RESET, 4),
	};
	struct entry_set set = { .entry = entries, .count = COUNT(entries) };

	(void)state;
	assert_int_equal(entry_set_sort(&set), 2);
	assert_int_equal(set.entry[0].added, 3);
	assert_int_equal(set.entry[1].added, 4);
}

#ifndef SANITIZED
static void limit_memory(size_t more)
{
	size_t pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	struct rlimit limit;

	if (!file || fscanf(file, "%zu", &pages) != 1)
		_exit(2);
	fclose(file);
	limit.rlim_cur = limit.rlim_max = pages * (size_t)sysconf(_SC_PAGESIZE) + more;
	if (setrlimit(RLIMIT_AS, &limit))
		_exit(2);
}

/* In a process of its own, whose exit code says how it went. */
static void sort_with_little_memory(struct entry_set *set, const struct entry_set *wanted)
{
	const size_t size = set->count * sizeof(*set->entry);
	void *volatile used;

	limit_memory(size / 2);
	do
		used = malloc(size); /* what was freed before would do as well */
	while (used);
	entry_set_sort(set);
	_exit(set->count != wanted->count ||
	      memcmp(set->entry, wanted->entry, wanted->count * sizeof(*wanted->entry)) != 0);
}
#endif

static void too_little_memory_only_makes_it_slower(void **state)
{
#ifdef SANITIZED
	(void)state;
	skip();
#else
	static const enum shape shapes[] = { IPV4_NETS, MIXED, LENGTHS };
	const size_t count = 100000;
	int status;

	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct entry_set set = random_set(shapes[i], count, 7);
		struct entry_set wanted = random_set(shapes[i], count, 7);
		pid_t child;

		sort_wanted(&wanted);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			sort_with_little_memory(&set, &wanted);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		entry_set_clear(&set);
		entry_set_clear(&wanted);
	}
#endif
}

static void clearing_leaves_an_empty_set(void **state)
{
	static const struct entry_set empty;
	struct entry_set set = random_set(MIXED, 10, 1);

	(void)state;
	set.notes = strdup("reason");
	set.notes_size = 7;
	set.note_count = 1;
	entry_set_clear(&set);
	assert_memory_equal(&set, &empty, sizeof(set));
	entry_set_clear(&set);
	assert_int_equal(entry_set_sort(&set), 0);
}

static void good_names_of_lists(void **state)
{
	static const char *const names[] = {
		"a",
		"Z",
		"0",
		"local",
		"spamhaus-drop",
		"a.b_c-d",
		"12345678901234567890123456789012",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(list_name_check(names[i], NULL), 0);
}

static void bad_names_of_lists(void **state)
{
	static const char *const names[] = {
		"",    "-a",    ".a",  "_a",
		"a b", "a/b",   "a\n", "\xc3\xa4",
		"a:b", "../",   "a\t", "a\x7f",
		" a",  "a\x01", "a*",  "123456789012345678901234567890123",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct error err = { 0 };

		assert_int_equal(list_name_check(names[i], &err), ERROR_USAGE);
		assert_int_equal(err.code, ERROR_USAGE);
		assert_non_null(strstr(
			err.text, ": a list's name is 1 to 32 of the characters a-z A-Z 0-9 . _ "
				  "- and begins with a letter or a digit"));
		assert_int_equal(strncmp(err.text, names[i], strnlen(names[i], LIST_NAME_MAX + 1)),
				 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_and_size_is_sorted),
		cmocka_unit_test(a_sorted_set_stays_as_it_is),
		cmocka_unit_test(the_strictest_stays_and_then_the_last),
		cmocka_unit_test(duplicates_of_a_sorted_set_are_merged),
		cmocka_unit_test(too_little_memory_only_makes_it_slower),
		cmocka_unit_test(clearing_leaves_an_empty_set),
		cmocka_unit_test(good_names_of_lists),
		cmocka_unit_test(bad_names_of_lists),
	};

	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
