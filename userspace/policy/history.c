/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/history.c - the sources that are remembered: see policy/history.h; history_store.c is the
 * way to the disk, escalation.c what follows from a record.
 *
 * Records that have changed wait in a queue until history_dirty() takes them. A source that is
 * forgotten, of no more use, or has to give way leaves a note if the store may have it, so that it
 * goes there, too. Records and notes have the number of their change, which is the order in which
 * they are taken.
 */
#include "policy/history_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "gate/learned.h"
#include "policy/aged.h"

#define SOURCE_BITS 64u /* of IPv6 */
#define SWEEP       64u /* records that a history_dirty() looks at in passing */

struct source {
	struct aged aged;
	TAILQ_ENTRY(source) queue; /* while `change` is not 0 */
	uint64_t change;           /* the number of the first change that was not taken */
	struct history_record record;
	bool stored; /* the store may have it */
};

TAILQ_HEAD(sources, source);

/* That a source is to be removed from the store. */
struct gone {
	struct addr addr;
	uint64_t change;
};

struct history {
	struct aged_table *table;
	size_t max;
	struct sources changed;
	uint64_t changes; /* how many there were */
	struct gone gone[HISTORY_GONE_MAX];
	size_t gone_first, gone_count; /* a ring */
};

int history_open(struct history **out, size_t max, struct error *err)
{
	struct history *history = calloc(1, sizeof(*history));

	if (history) {
		history->max = max ? max : 1;
		history->table = aged_open(history->max, sizeof(struct source));
	}
	if (!history || !history->table) {
		free(history);
		return error_set(err, ERROR_REFUSED, "history: out of memory for %zu sources", max);
	}
	TAILQ_INIT(&history->changed);
	*out = history;
	return 0;
}

void history_close(struct history **history)
{
	if (!*history)
		return;
	aged_close(&(*history)->table);
	free(*history);
	*history = NULL;
}

size_t history_max(const struct history *history)
{
	return history->max;
}

struct addr history_key(const struct addr *addr)
{
	return addr_is_ipv4(addr) ? *addr : prefix_of(addr, SOURCE_BITS).addr;
}

static struct source *find(const struct history *history, const struct addr *key, uint64_t hash)
{
	struct aged *node = aged_first(history->table, hash);

	while (node && memcmp(&((struct source *)node)->record.addr, key, sizeof(*key)))
		node = aged_next(node);
	return (struct source *)node;
}

static struct source *source_of(const struct history *history, const struct addr *addr)
{
	const struct addr key = history_key(addr);

	return find(history, &key, aged_hash(history->table, &key, sizeof(key)));
}

/* If too many wait, the oldest note is lost. */
static void note_gone(struct history *history, const struct addr *addr)
{
	size_t at;

	if (history->gone_count == HISTORY_GONE_MAX) {
		history->gone_first = (history->gone_first + 1) % HISTORY_GONE_MAX;
		history->gone_count--;
	}
	at = (history->gone_first + history->gone_count++) % HISTORY_GONE_MAX;
	history->gone[at] = (struct gone){ .addr = *addr, .change = ++history->changes };
}

static void settle(struct history *history, struct source *source)
{
	if (source->change)
		TAILQ_REMOVE(&history->changed, source, queue);
	source->change = 0;
}

static void remove_source(struct history *history, struct source *source)
{
	settle(history, source);
	if (source->stored)
		note_gone(history, &source->record.addr);
	aged_remove(history->table, &source->aged);
}

struct history_record *history_get(struct history *history, const struct addr *addr)
{
	const struct addr key = history_key(addr);
	const uint64_t hash = aged_hash(history->table, &key, sizeof(key));
	struct source *source = find(history, &key, hash);

	if (source)
		return &source->record;
	if (aged_count(history->table) == history->max)
		remove_source(history, (struct source *)aged_oldest(history->table));
	source = (struct source *)aged_add(history->table, hash);
	source->record.addr = key;
	return &source->record;
}

static void note_change(struct history *history, struct source *source)
{
	if (source->change)
		return;
	source->change = ++history->changes;
	TAILQ_INSERT_TAIL(&history->changed, source, queue);
}

void history_touch(struct history *history, struct history_record *record, uint32_t now)
{
	struct source *source =
		(struct source *)(void *)((char *)record - offsetof(struct source, record));

	record->last = now ? now : 1; /* 0 is "to be removed" */
	if (!record->first)
		record->first = record->last;
	aged_touch(history->table, &source->aged);
	note_change(history, source);
}

const struct history_record *history_find(const struct history *history, const struct addr *addr)
{
	const struct source *source = source_of(history, addr);

	return source ? &source->record : NULL;
}

bool history_forget(struct history *history, const struct addr *addr)
{
	struct source *source = source_of(history, addr);

	if (source)
		remove_source(history, source);
	return source != NULL;
}

/* For each that is blocked now, with a score of `least` or more; how many they are. */
static size_t each_blocked(struct history *history, int32_t least, uint32_t now,
			   void (*change)(struct history_record *record))
{
	size_t count = 0;

	for (struct aged *node = aged_oldest(history->table); node; node = aged_younger(node)) {
		struct source *source = (struct source *)node;
		struct history_record *record = &source->record;

		if (record->kind != GATE_LEARNED_BLOCKED || record->until <= now ||
		    record->score < least)
			continue;
		change(record);
		note_change(history, source);
		count++;
	}
	return count;
}

static void forgive(struct history_record *record)
{
	*record = (struct history_record){ .addr = record->addr,
					   .first = record->first,
					   .last = record->last };
}

static void lift(struct history_record *record)
{
	record->kind = GATE_LEARNED_NONE;
}

size_t history_forgive_blocked(struct history *history, uint32_t now)
{
	return each_blocked(history, INT32_MIN, now, forgive);
}

size_t history_lift_blocks(struct history *history, int32_t least, uint32_t now)
{
	return each_blocked(history, least, now, lift);
}

size_t history_count(const struct history *history)
{
	return aged_count(history->table);
}

void history_each(const struct history *history, history_cb cb, void *arg)
{
	for (const struct aged *node = aged_oldest(history->table); node; node = aged_younger(node))
		cb(&((const struct source *)node)->record, arg);
}

void history_adopt(struct history *history, const struct history_record *record)
{
	struct history_record *own = history_get(history, &record->addr);
	struct source *source =
		(struct source *)(void *)((char *)own - offsetof(struct source, record));

	*own = *record;
	source->stored = true;
}

static void take_gone(struct history *history, struct history_record *out)
{
	*out = (struct history_record){ .addr = history->gone[history->gone_first].addr };
	history->gone_first = (history->gone_first + 1) % HISTORY_GONE_MAX;
	history->gone_count--;
}

/* False if it was neither worth keeping nor in the store, so that nothing was taken. */
static bool take_changed(struct history *history, struct source *source,
			 const struct history_drain *drain, struct history_record *out)
{
	const bool stored = source->stored;

	*out = source->record;
	settle(history, source);
	if (history_matters(drain->rules, &source->record, drain->now)) {
		source->stored = true;
		return true;
	}
	out->last = 0;
	source->stored = false; /* `out` is the note */
	remove_source(history, source);
	return stored;
}

/* Records that have been still for long matter no more at some time. */
static void sweep(struct history *history, const struct history_drain *drain)
{
	for (unsigned int i = 0; i < SWEEP; i++) {
		struct source *source = (struct source *)aged_round(history->table);

		if (source && !source->change &&
		    !history_matters(drain->rules, &source->record, drain->now))
			remove_source(history, source);
	}
}

size_t history_dirty(struct history *history, const struct history_drain *drain,
		     struct history_record *out, size_t max)
{
	size_t count = 0;

	sweep(history, drain);
	while (count < max) {
		struct source *source = TAILQ_FIRST(&history->changed);
		const struct gone *gone = &history->gone[history->gone_first];

		if (history->gone_count && (!source || gone->change < source->change))
			take_gone(history, &out[count++]);
		else if (source)
			count += take_changed(history, source, drain, &out[count]);
		else
			break;
	}
	return count;
}
