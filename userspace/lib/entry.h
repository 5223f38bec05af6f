/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib/entry.h - one entry of a list, as it is stored, sent and sorted.
 *
 * The 32 bytes are the record of the store and of the control protocol's payload, so they have no
 * padding and sort with memcmp() by address, then length. Integers after the prefix are in host
 * byte order: neither the store nor the control socket leaves the machine.
 */
#ifndef POSTERN_LIB_ENTRY_H
#define POSTERN_LIB_ENTRY_H

#include "lib/addr.h"

struct entry {
	struct prefix prefix; /* 17 bytes */
	uint8_t action;    /* enum action; ACTION_DROP for allow lists, where it has no meaning */
	uint16_t reserved; /* 0 */
	uint32_t added;    /* seconds since 1970 */
	uint32_t expires;  /* seconds since 1970; 0 is never. In a payload: see below */
	uint32_t note;     /* number of the note (source and reason) in its list; 0 is none */
};

_Static_assert(sizeof(struct prefix) == 17, "entry: a prefix has no padding");
_Static_assert(sizeof(struct entry) == 32, "entry: the record has no padding");

/*
 * A set of entries with their notes, as `block load` sends it and as the store takes it.
 *
 * `entry` is sorted by prefix_compare() and has no prefix twice. `note` numbers in the entries
 * count from 1 into `notes`, a run of NUL-terminated UTF-8 texts (the reasons). `expires` is a
 * time to live in seconds here (0 is never); the store turns it into a time.
 */
struct entry_set {
	struct entry *entry;
	size_t count;
	char *notes;       /* note_count texts, each with its NUL */
	size_t notes_size; /* bytes */
	uint32_t note_count;
};

/* Frees what the set holds and makes it empty. */
void entry_set_clear(struct entry_set *set);

/*
 * Sorts the entries. Of entries with the same prefix the strictest action stays and, for equal
 * actions, the last one. Returns how many were removed.
 */
size_t entry_set_sort(struct entry_set *set);

#define NOTE_TEXT_MAX 256 /* bytes of a reason, without its NUL */
#define LIST_NAME_MAX 32  /* bytes of a list's name, without its NUL */

/* A list's name: 1 to LIST_NAME_MAX of a-z A-Z 0-9 . _ -, and the first is a letter or a digit. */
int list_name_check(const char *name, struct error *err);

#endif
