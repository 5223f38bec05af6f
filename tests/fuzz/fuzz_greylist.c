/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes the file of greylisting: the octets as they are for snapshot_check(), and with a head that
 * is right for greylist_decode(); the first four are its age. What is refused leaves an empty
 * greylist. What is accepted is no more than there is room for, holds by the rules, and is of no
 * time to come.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/greylist_internal.h"

#define ROOM    8
#define NOW     0x40100000u
#define VERSION 1u

static const struct greylist_rules rules = { 300, 86400, 3000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_seen(const struct aged_table *table, bool passed)
{
	require(aged_count(table) <= ROOM);
	for (size_t i = 0; i < aged_used(table); i++) {
		const struct seen *seen = (const struct seen *)(const void *)aged_at(table, i);

		if (!seen)
			continue;
		require(seen->passed == passed && seen->first <= seen->last && seen->last <= NOW);
		require(!greylist_is_over(seen, &rules, NOW));
	}
}

static void check_makers(const struct aged_table *table)
{
	require(aged_count(table) <= ROOM);
	for (size_t i = 0; i < aged_used(table); i++) {
		const struct maker *maker = (const struct maker *)(const void *)aged_at(table, i);

		if (maker)
			require(maker->since <= NOW &&
				NOW - maker->since < GREYLIST_MAKER_SECONDS && maker->made &&
				maker->made <= GREYLIST_DOMAINS_MAX);
	}
}

static void check_decode(struct snapshot *snapshot)
{
	struct greylist *greylist = NULL;
	struct error err = { 0 };
	int failed;

	require(!greylist_open(&greylist, ROOM, &err));
	failed = greylist_decode(greylist, &rules, snapshot, NOW, &err);
	require(!failed || (failed == ERROR_REFUSED && *err.text));
	require(!failed || !greylist_count(greylist));
	check_seen(greylist->waiting, false);
	check_seen(greylist->passed, true);
	check_makers(greylist->makers);
	greylist_close(&greylist);
}

static void check_whole(const uint8_t *data, size_t size)
{
	const struct snapshot_time now = { 1700000000u, 5000, { 1 } };
	struct error err = { 0 };
	uint32_t age = 0;

	require(!snapshot_check(data, size, VERSION, &now, &age, &err) || *err.text);
	require(age <= now.wall);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot snapshot = { 0 };

	check_whole(data, size);
	if (size < sizeof(snapshot.age))
		return 0;
	memcpy(&snapshot.age, data, sizeof(snapshot.age));
	snapshot.size = size - sizeof(snapshot.age);
	snapshot.data = malloc(snapshot.size + !snapshot.size);
	require(snapshot.data != NULL);
	memcpy(snapshot.data, data + sizeof(snapshot.age), snapshot.size);
	check_decode(&snapshot);
	free(snapshot.data);
	return 0;
}
