/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/listfile_cut.c - exclusions: what a list says is not on it, although something covers it.
 *
 * Postern's lists have no exclusions (an allow list is there for that, and wins over all lists), so
 * they are resolved while the file is read: what is excluded is cut out of every entry that covers
 * it, and the rest of that entry becomes the fewest prefixes. An entry inside an exclusion stays,
 * as the more specific one, unless it lies within the exclusion's reach. Exclusions apply to their
 * own section (one set of ipset, one data set of rbldnsd), to entries before and after them alike.
 *
 * The exclusions are sorted once; an entry then costs a binary search and one step for each
 * exclusion inside it. All steps together are bounded by LISTFILE_CUTS_MAX, and what is left of the
 * entries by the budget for entries.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/listfile_internal.h"

/*
 * IPv4 before IPv6, then an outer prefix before those inside it. The families are kept apart
 * because the number of an IPv4 address lies inside of ::/0, where it would come between its
 * exclusions.
 */
static int order(const struct prefix *a, const struct prefix *b)
{
	const int family = prefix_is_ipv4(b) - prefix_is_ipv4(a);

	return family ? family : prefix_compare(a, b);
}

static int compare(const void *a, const void *b)
{
	return order(&((const struct exclusion *)a)->prefix,
		     &((const struct exclusion *)b)->prefix);
}

static bool covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains(outer, &inner->addr);
}

/* The exclusion around `prefix`, or equal to it, that is nearest: 1 + its place, or 0. */
static uint32_t find_around(const struct exclusion *all, uint32_t from, const struct prefix *prefix)
{
	while (from && !covers(&all[from - 1].prefix, prefix))
		from = all[from - 1].outer;
	return from;
}

/* Sorts, so that an exclusion comes before those inside it, and notes which one is around which. */
static void prepare(struct exclusion *all, size_t count)
{
	qsort(all, count, sizeof(*all), compare);
	for (size_t i = 0; i < count; i++)
		all[i].outer = find_around(all, (uint32_t)i, &all[i].prefix);
}

/* How many exclusions come before `prefix` or are equal to it. */
static size_t count_until(const struct exclusion *all, size_t count, const struct prefix *prefix)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (order(&all[middle].prefix, prefix) <= 0)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

static struct addr neighbour(const struct addr *addr, int step)
{
	uint64_t high = addr_high(addr), low = addr_low(addr);

	if (step > 0)
		high += ++low == 0;
	else
		high -= low-- == 0;
	return addr_from_halves(high, low);
}

static int append_range(struct listfile *file, const struct entry *entry, const struct addr *first,
			const struct addr *last)
{
	struct prefix parts[RANGE_PREFIXES_MAX];
	const size_t count = range_split(prefix_is_ipv4(&entry->prefix), first, last, parts);
	struct entry part = *entry;

	for (size_t i = 0; i < count; i++) {
		part.prefix = parts[i];
		if (listfile_append(file, &part))
			return ERROR_REFUSED;
	}
	return 0;
}

/*
 * Appends what is left of `entry` between the exclusions inside it, which start at `from`. One that
 * lies inside another starts before `next` and is passed over.
 */
static int append_rest(struct listfile *file, const struct entry *entry, size_t from)
{
	const struct addr last = prefix_last(&entry->prefix);
	struct addr next = entry->prefix.addr;

	for (size_t i = from; i < file->exclusions; i++) {
		const struct prefix *hole = &file->exclusion[i].prefix;
		struct addr before, hole_last = prefix_last(hole);

		if (!covers(&entry->prefix, hole))
			break;
		if (++file->cuts > LISTFILE_CUTS_MAX)
			return listfile_fail(file, "too many exclusions inside of other entries");
		if (memcmp(&hole->addr, &next, sizeof(next)) < 0)
			continue;
		before = neighbour(&hole->addr, -1);
		if (memcmp(&hole->addr, &next, sizeof(next)) > 0 &&
		    append_range(file, entry, &next, &before))
			return ERROR_REFUSED;
		if (memcmp(&hole_last, &last, sizeof(last)) == 0)
			return 0;
		next = neighbour(&hole_last, 1);
	}
	return append_range(file, entry, &next, &last);
}

/* Whether the entry stays as it is. If not, what is left of it has been appended. */
static bool stays(struct listfile *file, const struct entry *entry)
{
	const struct exclusion *all = file->exclusion;
	const size_t next = count_until(all, file->exclusions, &entry->prefix);
	const uint32_t around = find_around(all, (uint32_t)next, &entry->prefix);

	if (around && all[around - 1].reach >= entry->prefix.len)
		return false;
	if (next == file->exclusions || !covers(&entry->prefix, &all[next].prefix))
		return true;
	append_rest(file, entry, next);
	return false;
}

int listfile_end_section(struct listfile *file)
{
	struct entry_set *set = &file->set;
	const size_t end = set->count;
	size_t kept = file->section;

	if (file->exclusions) {
		prepare(file->exclusion, file->exclusions);
		for (size_t i = file->section; i < end && !file->failed; i++) {
			const struct entry entry = set->entry[i];

			if (stays(file, &entry))
				set->entry[kept++] = entry;
		}
		if (set->count)
			memmove(set->entry + kept, set->entry + end,
				(set->count - end) * sizeof(*set->entry));
		set->count = kept + (set->count - end);
		file->exclusions = 0;
	}
	file->section = set->count;
	return file->failed ? ERROR_REFUSED : 0;
}
