/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store.h - the lists and the operator's settings on disk, in LMDB.
 *
 * What a committed transaction holds survives a crash and a power loss; what an uncommitted one did
 * never happened. One writer at a time: the caller serialises write transactions (the module
 * gate/lists does). Readers see the snapshot of their transaction's start and never block.
 *
 * Databases in the environment:
 *   lists     name -> struct list_info
 *   entries   list slot (u32) -> struct entry, sorted (MDB_DUPSORT | MDB_DUPFIXED)
 *   notes     list slot (u32) -> note (u32 BE), entries with it (u32), source, NUL, reason, NUL
 *   expiry    list slot (u32) -> time (u32 BE), prefix
 *   settings  key -> text
 *   history   address (16 bytes) -> what policy/history_store.c remembers of the source
 *   meta      "version" -> u32; another version is refused aloud
 *
 * What belongs to one list is the sorted set of one key, so a whole list is dropped without its
 * records being read.
 */
#ifndef POSTERN_STORE_STORE_H
#define POSTERN_STORE_STORE_H

#include <stdbool.h>

#include "lib/entry.h"
#include "lib/error.h"
#include "maps/table.h"

#define LEARNED_LIST      "learned" /* the list that Postern keeps itself (gate/learned.h) */
#define LIST_ORIGIN_MAX   256
#define PREFIX_LENGTHS    129
#define NOTE_SOURCE_MAX   128  /* bytes of a source, without its NUL */
#define SETTING_KEY_MAX   64   /* bytes of a setting's key, without its NUL */
#define SETTING_VALUE_MAX 1024 /* bytes of its value, without its NUL */
#define STORE_HISTORY_KEY 16   /* bytes of an address */
#define STORE_HISTORY_MAX 64   /* bytes of what is remembered of it */

enum list_kind { LIST_KIND_BLOCK, LIST_KIND_ALLOW };

struct list_info {
	char name[LIST_NAME_MAX + 1];
	char origin[LIST_ORIGIN_MAX]; /* the file that it was loaded from, or "" */
	uint8_t kind;                 /* enum list_kind */
	uint8_t monitor;              /* not 0: count and report, stop nothing */
	uint8_t slot;                 /* 0 to LIST_SLOTS-1: unique, stable while the list exists */
	uint8_t pad[4];
	uint64_t created; /* ns since 1970, by clock_wall_at(); 0: before this was kept */
	uint64_t ipv4;    /* entries */
	uint64_t ipv6;
	uint32_t changed; /* seconds since 1970 */
	uint32_t next_note;
	uint64_t lengths[3]; /* bit n: an entry of length n (of 128) may exist */
};

_Static_assert(sizeof(struct list_info) == 352, "store: the record of a list has no padding");

struct store;
struct store_txn;

/*
 * Opens or creates the environment in the directory `dir` (created 0700 if it is missing). `size`
 * is the most bytes it may grow to; a store that is larger already opens, but cannot grow. The
 * store is locked: a second process gets ERROR_REFUSED with "already in use by process N". A child
 * forked while it is open would keep the lock: fork first.
 */
int store_open(struct store **out, const char *dir, size_t size, struct error *err);
void store_close(struct store **store);
/* Of store_open(): no other agent has it. */
const char *store_directory(const struct store *store);

/*
 * Gives back the memory of a change to many entries; call it now and then. LMDB keeps a copy of
 * every page that it has ever written in one transaction, for the next one; closing it is the only
 * way to get rid of them. Does nothing while there is a transaction; others wait some milliseconds.
 */
void store_trim(struct store *store);

/*
 * Every transaction ends with exactly one of commit and abort; both null the pointer. A write
 * transaction belongs to the thread that began it; a second one meanwhile is ERROR_REFUSED. After
 * a write that failed in the middle, commit fails too and nothing has happened.
 */
int store_begin_read(struct store *store, struct store_txn **out, struct error *err);
int store_begin_write(struct store *store, struct store_txn **out, struct error *err);
int store_commit(struct store_txn **txn, struct error *err);
void store_abort(struct store_txn **txn);

/* Lists. `store_list_find` returns 0 and fills `out`, or ERROR_REFUSED "no list NAME". */
int store_list_find(struct store_txn *txn, const char *name, struct list_info *out,
		    struct error *err);
/* Finds the list or creates it empty. A list of that name but the other kind is ERROR_REFUSED. */
int store_list_ensure(struct store_txn *txn, const char *name, enum list_kind kind,
		      struct list_info *out, struct error *err);
/* Writes back `monitor` and `origin`. The rest is kept by the functions below. */
int store_list_update(struct store_txn *txn, const struct list_info *info, struct error *err);
/* Removes the list with everything in it; its slot is free for another. */
int store_list_remove(struct store_txn *txn, const char *name, struct error *err);
/* All lists in order of their names; returns how many (at most LIST_SLOTS), or an error. */
int store_list_all(struct store_txn *txn, struct list_info out[LIST_SLOTS], struct error *err);

/*
 * Entries. In these `entry->expires` is a time (0 is never). `list` names the list and is brought
 * up to date with its record: counts, lengths, notes, changed.
 */
/*
 * Adds or replaces the entry of that prefix and sets `entry->note`. `source` and `reason` may be ""
 * (no note is stored).
 */
int store_put(struct store_txn *txn, struct list_info *list, struct entry *entry,
	      const char *source, const char *reason, struct error *err);
/* Removes it; returns 1 if it was there (and fills `old` unless it is NULL), 0 if not. */
int store_del(struct store_txn *txn, struct list_info *list, const struct prefix *prefix,
	      struct entry *old, struct error *err);
/* Returns 1 and fills `out` if the list has exactly this prefix, 0 if not. */
int store_get(struct store_txn *txn, const struct list_info *list, const struct prefix *prefix,
	      struct entry *out, struct error *err);
/*
 * Replaces everything in the list by `set` (sorted, no duplicates; checked), as of `now`: all
 * entries get that time as `added`, and what their time to live makes of it as `expires`.
 */
int store_replace(struct store_txn *txn, struct list_info *list, const struct entry_set *set,
		  const char *source, uint32_t now, struct error *err);

/* The texts of a note; both "" for note 0. Valid until the transaction writes or ends. */
int store_note(struct store_txn *txn, const struct list_info *list, uint32_t note,
	       const char **source, const char **reason, struct error *err);

/* What has expired by `now`: at most `max`, oldest first. Returns how many were written. */
struct expired {
	uint8_t slot;
	struct prefix prefix;
};
int store_expired(struct store_txn *txn, uint32_t now, struct expired *out, size_t max,
		  struct error *err);

/*
 * A walk over one list in order, in runs that point into the database (no copies). A run stays
 * valid until the transaction writes or ends. Close the scan before the transaction ends.
 */
struct store_scan;
int store_scan_open(struct store_txn *txn, const struct list_info *list,
		    const struct prefix *from /* NULL: the start */, struct store_scan **out,
		    struct error *err);
/* The next run; returns its length, 0 at the end, or an error. */
int store_scan_next(struct store_scan *scan, const struct entry **run, struct error *err);
void store_scan_close(struct store_scan **scan);

/* The operator's settings. `store_setting_get` returns 1 and fills `out`, or 0. */
int store_setting_get(struct store_txn *txn, const char *key, char *out, size_t size,
		      struct error *err);
int store_setting_put(struct store_txn *txn, const char *key, const char *value, struct error *err);
int store_setting_del(struct store_txn *txn, const char *key, struct error *err);

/*
 * The history of sources, which the store only keeps. `store_history_each` walks over all records
 * in the order of the addresses, with what is really there; one for which `cb` returns false is
 * removed, which takes a transaction that writes. What `cb` sees is valid until it returns.
 */
struct store_history {
	const void *key;
	size_t key_size;
	const void *value;
	size_t size;
};
typedef bool (*store_history_cb)(const struct store_history *record, void *arg);
int store_history_put(struct store_txn *txn, const uint8_t key[STORE_HISTORY_KEY],
		      const void *value, size_t size, struct error *err);
int store_history_del(struct store_txn *txn, const uint8_t key[STORE_HISTORY_KEY],
		      struct error *err);
int store_history_each(struct store_txn *txn, store_history_cb cb, void *arg, struct error *err);

/*
 * Reads the whole store and compares everything in it that must agree: counts, order, lengths,
 * notes with the entries that have them, expiry with the entries that expire; and whether each
 * record of the history belongs to an address. The first difference is the error.
 */
int store_check(struct store_txn *txn, struct error *err);

#endif
