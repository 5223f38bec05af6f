/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/entry.c - implements lib/entry.h: entry sets, and the names of lists.
 *
 * A set of a million entries is sorted while an operator waits for `block load`, so it is sorted by
 * its bytes and not by comparisons: a stable radix sort, which leaves out the bytes that are the
 * same in all entries (twelve of seventeen in a list of IPv4 addresses). Many entries are split by
 * their first byte, and the second, until a block fits the cache. It needs a second array of the
 * same size while it runs; where there is no memory for that, a slower sort does the same in place.
 */
#include "lib/entry.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS        sizeof(struct prefix) /* the bytes that entries are sorted by */
#define DIGIT_VALUES  256
#define BLOCK_ENTRIES 16384 /* two arrays of them are 1 MiB */

void entry_set_clear(struct entry_set *set)
{
	free(set->entry);
	free(set->notes);
	memset(set, 0, sizeof(*set));
}

static bool is_sorted(const struct entry *entry, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (prefix_compare(&entry[i - 1].prefix, &entry[i].prefix) > 0)
			return false;
	return true;
}

/* Marks the bytes in which not all entries agree. */
static void find_digits(const struct entry *entry, size_t count, bool differs[DIGITS])
{
	const uint64_t high = addr_high(&entry->prefix.addr), low = addr_low(&entry->prefix.addr);
	uint64_t high_bits = 0, low_bits = 0;
	struct prefix bits;

	bits.len = 0;
	for (size_t i = 1; i < count; i++) {
		high_bits |= addr_high(&entry[i].prefix.addr) ^ high;
		low_bits |= addr_low(&entry[i].prefix.addr) ^ low;
		bits.len |= entry[i].prefix.len ^ entry->prefix.len;
	}
	bits.addr = addr_from_halves(high_bits, low_bits);
	for (size_t digit = 0; digit < DIGITS; digit++)
		differs[digit] = ((const uint8_t *)&bits)[digit] != 0;
}

static uint8_t digit_of(const struct entry *entry, size_t digit)
{
	return ((const uint8_t *)&entry->prefix)[digit];
}

/*
 * Copies the entries from `from` to `to` in the order of one byte; `end` is where those of each
 * value end.
 */
static void sort_by_digit(const struct entry *from, struct entry *to, size_t count, size_t digit,
			  size_t end[DIGIT_VALUES])
{
	size_t sum = 0;

	memset(end, 0, DIGIT_VALUES * sizeof(*end));
	for (size_t i = 0; i < count; i++)
		end[digit_of(&from[i], digit)]++;
	for (size_t value = 0; value < DIGIT_VALUES; value++) {
		const size_t here = end[value];

		end[value] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[end[digit_of(&from[i], digit)]++] = from[i];
}

/* The bytes to sort by, the first of them first. */
struct digits {
	size_t digit[DIGITS];
	size_t count;
};

/* From the last byte to the first: for what fits the cache. */
static void sort_block(struct entry *from, struct entry *to, size_t count,
		       const struct digits *digits, size_t first)
{
	size_t end[DIGIT_VALUES];

	for (size_t i = digits->count; i-- > first;) {
		struct entry *sorted = to;

		sort_by_digit(from, to, count, digits->digit[i], end);
		to = from;
		from = sorted;
	}
}

/*
 * By all bytes from number `first` on. Every entry is copied once for each of them, so that in the
 * end all are in the same of the two arrays. The recursion is as deep as there are bytes.
 */
static void sort_blocks(struct entry *from, struct entry *to, size_t count,
			const struct digits *digits, size_t first)
{
	size_t end[DIGIT_VALUES], begin = 0;

	if (count <= BLOCK_ENTRIES || first == digits->count) {
		sort_block(from, to, count, digits, first);
		return;
	}
	sort_by_digit(from, to, count, digits->digit[first], end);
	for (size_t value = 0; value < DIGIT_VALUES; value++) {
		if (end[value] > begin)
			sort_blocks(to + begin, from + begin, end[value] - begin, digits,
				    first + 1);
		begin = end[value];
	}
}

/* Returns which of the two arrays holds the sorted entries. */
static struct entry *radix_sort(struct entry *entry, struct entry *scratch, size_t count)
{
	struct digits digits = { .count = 0 };
	bool differs[DIGITS];

	find_digits(entry, count, differs);
	for (size_t digit = 0; digit < DIGITS; digit++)
		if (differs[digit])
			digits.digit[digits.count++] = digit;
	sort_blocks(entry, scratch, count, &digits, 0);
	return digits.count % 2 ? scratch : entry;
}

static void reverse(struct entry *entry, size_t count)
{
	for (size_t low = 0, high = count; low + 1 < high; low++) {
		const struct entry kept = entry[low];

		entry[low] = entry[--high];
		entry[high] = kept;
	}
}

/* Exchanges the first `left` entries and the `right` entries that follow them. */
static void exchange(struct entry *entry, size_t left, size_t right)
{
	reverse(entry, left);
	reverse(entry + left, right);
	reverse(entry, left + right);
}

/* How many of the sorted entries come before `key`; those equal to it do if `equal` says so. */
static size_t count_before(const struct entry *entry, size_t count, const struct entry *key,
			   bool equal)
{
	size_t low = 0;

	while (count > 0) {
		const size_t half = count / 2;
		const int order = prefix_compare(&entry[low + half].prefix, &key->prefix);

		if (order < 0 || (order == 0 && equal)) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low;
}

/*
 * Merges two sorted runs that lie side by side. The longer one is cut in the middle, so the depth
 * of the recursion is at most twice the number of bits in `left + right`.
 */
static void merge_in_place(struct entry *entry, size_t left, size_t right)
{
	size_t cut_left, cut_right;

	if (!left || !right)
		return;
	if (left + right == 2) {
		if (prefix_compare(&entry[0].prefix, &entry[1].prefix) > 0)
			exchange(entry, 1, 1);
		return;
	}
	if (left >= right) {
		cut_left = left / 2;
		cut_right = count_before(entry + left, right, &entry[cut_left], false);
	} else {
		cut_right = right / 2;
		cut_left = count_before(entry, left, &entry[left + cut_right], true);
	}
	exchange(entry + cut_left, left - cut_left, cut_right);
	merge_in_place(entry, cut_left, cut_right);
	merge_in_place(entry + cut_left + cut_right, left - cut_left, right - cut_right);
}

static void sort_in_place(struct entry *entry, size_t count)
{
	for (size_t run = 1; run < count; run *= 2)
		for (size_t at = 0; at + run < count; at += 2 * run)
			merge_in_place(entry + at, run,
				       count - at - run < run ? count - at - run : run);
}

/*
 * Copies the sorted entries from `from` to `to` (which may be the same array) with one entry for
 * each prefix; returns how many there are.
 */
static size_t merge_duplicates(const struct entry *from, struct entry *to, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (!kept || prefix_compare(&to[kept - 1].prefix, &from[i].prefix) != 0)
			to[kept++] = from[i];
		else if (from[i].action >= to[kept - 1].action)
			to[kept - 1] = from[i];
	}
	return kept;
}

size_t entry_set_sort(struct entry_set *set)
{
	const size_t count = set->count;
	struct entry *sorted = set->entry, *scratch = NULL;

	if (!is_sorted(set->entry, count)) {
		scratch = malloc(count * sizeof(*scratch));
		if (scratch)
			sorted = radix_sort(set->entry, scratch, count);
		else
			sort_in_place(set->entry, count);
	}
	set->count = merge_duplicates(sorted, set->entry, count);
	free(scratch);
	return count - set->count;
}

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

int list_name_check(const char *name, struct error *err)
{
	size_t len = 0;

	while (len <= LIST_NAME_MAX && is_name_character(name[len]))
		len++;
	if (len == 0 || len > LIST_NAME_MAX || name[len] != '\0' || strchr("._-", name[0]))
		return error_set(
			err, ERROR_USAGE,
			"%.*s: a list's name is 1 to %d of the characters a-z A-Z 0-9 . _ - "
			"and begins with a letter or a digit",
			LIST_NAME_MAX + 1, name, LIST_NAME_MAX);
	return 0;
}
