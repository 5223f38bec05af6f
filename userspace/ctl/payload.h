/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl/payload.h - what follows a `list.load` request: records of struct entry, then texts.
 *
 * The peer is local and trusted with the lists, but not with the agent's memory: everything that
 * the store and the table rely on is checked here, record by record, before anything is changed.
 * Called by the handler of list.load in the thread pool, by that of list.add for its reason, and by
 * the fuzzer. Pure functions.
 */
#ifndef POSTERN_CTL_PAYLOAD_H
#define POSTERN_CTL_PAYLOAD_H

#include "lib/entry.h"
#include "store/store.h"

/* More entries than the largest tables of both families hold together cannot be meant. */
#define PAYLOAD_ENTRIES_MAX 20000000u
#define PAYLOAD_NOTES_BYTES 32u /* of text for each entry, on the average */
#define PAYLOAD_NOTES_MAX   ((size_t)PAYLOAD_ENTRIES_MAX * PAYLOAD_NOTES_BYTES)
#define PAYLOAD_MAX         ((size_t)PAYLOAD_ENTRIES_MAX * sizeof(struct entry) + PAYLOAD_NOTES_MAX)

/* The longest time to live: a hundred years, as lib/units.h has it. */
#define PAYLOAD_TTL_MAX (50u * 366u * 24u * 3600u)

/* What the request says about its payload. */
struct payload_shape {
	enum list_kind kind;
	uint64_t entries;
	uint64_t notes;      /* texts */
	uint64_t notes_size; /* their bytes, each with its NUL */
};

/*
 * Checks `size` bytes at `*bytes` (from malloc) and turns them into a set, which the caller clears;
 * it takes over the memory and sets `*bytes` to NULL. On failure everything is as before.
 */
int payload_parse(const struct payload_shape *shape, char **bytes, size_t size,
		  struct entry_set *out, struct error *err);

/* A text for people: UTF-8 without control characters, at most NOTE_TEXT_MAX bytes. */
int note_check(const char *text, size_t len, struct error *err);

#endif
