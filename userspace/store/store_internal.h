/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_internal.h - what the files of the store share. Nobody else includes it.
 *
 *   store_open.c     opening, closing, what is looked at before the store is trusted
 *   store_lock.c     the directory and the lock on it
 *   store_txn.c      transactions, and what an error of LMDB is called
 *   store_list.c     the records of the lists
 *   store_entry.c    single entries
 *   store_replace.c  a whole list at once
 *   store_note.c     the texts of entries
 *   store_expiry.c   entries in the order in which they expire
 *   store_scan.c     walks over a list
 *   store_setting.c  the operator's settings
 *   store_history.c  what is remembered of sources
 *   store_check.c    whether everything agrees
 *
 * Inside the store LMDB's own codes are passed up as they are by static functions; they become a
 * struct error in store_fail() and its kin, at the latest where a function leaves its file.
 */
#ifndef POSTERN_STORE_STORE_INTERNAL_H
#define POSTERN_STORE_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <lmdb.h>

#include "store/store.h"

enum store_db {
	DB_LISTS,
	DB_ENTRIES,
	DB_NOTES,
	DB_EXPIRY,
	DB_SETTINGS,
	DB_HISTORY,
	DB_META,
	DB_COUNT
};

struct store {
	MDB_env *env;
	MDB_dbi db[DB_COUNT];
	char *dir;
	size_t size;          /* the most bytes that it may grow to */
	int lock;             /* see store_lock.c */
	atomic_bool writing;  /* a write transaction is open */
	atomic_bool swollen;  /* a large list was replaced: see store_trim() */
	pthread_mutex_t turn; /* held to begin, to end and to trim */
	unsigned int open;    /* transactions */
};

struct store_txn {
	struct store *store;
	MDB_txn *txn;
	bool writes;
	bool broken; /* a write failed in the middle: it must not be committed */
};

/* Opens what store_trim() has closed, if it could not be opened again then. Call it with the turn.
 */
int store_ensure_open(struct store *store, struct error *err);

/* Takes the lock of the directory, which is created if it is missing. */
int store_lock_take(const char *dir, int *lock, struct error *err);
void store_lock_drop(int *lock);

/* Says in `err` what `rc`, a code of LMDB or an errno value, means for `what`. */
int store_fail(const struct store *store, int rc, const char *what, struct error *err);
/* The same in a transaction; if it writes it can no longer be committed. */
int store_txn_fail(struct store_txn *txn, int rc, const char *what, struct error *err);
/* For what LMDB has read well but must not be there. */
__attribute__((format(printf, 3, 4))) int store_damaged(struct store_txn *txn, struct error *err,
							const char *fmt, ...);

static inline MDB_val store_val(const void *data, size_t size)
{
	return (MDB_val){ .mv_size = size, .mv_data = (void *)data };
}

/* The record of the list called `list->name`, as it is now. */
int store_list_current(struct store_txn *txn, const struct list_info *list, struct list_info *out,
		       struct error *err);
int store_list_write(struct store_txn *txn, const struct list_info *info, struct error *err);
/* Removes the entries, notes and expiry of a slot. */
int store_list_empty(struct store_txn *txn, uint32_t slot, struct error *err);

/* What every entry must be, wherever it comes from. */
int store_entry_check(const struct entry *entry, struct error *err);

/* A note: the first two fields, then the two texts, each with its NUL. */
struct note_head {
	uint8_t number[4]; /* big endian: the order of the records */
	uint8_t uses[4];   /* how many entries have it: u32 in host byte order */
};
#define NOTE_RECORD_MAX (sizeof(struct note_head) + NOTE_SOURCE_MAX + 1 + NOTE_TEXT_MAX + 1)
/* LMDB's limit for a record of a sorted set, in the form in which distributions build it. */
_Static_assert(NOTE_RECORD_MAX <= 511, "store: a note must fit a sorted record of LMDB");

/* Checks the lengths of the two texts. */
int store_note_check(const char *source, const char *reason, struct error *err);
/* Adds a note for one entry; takes its number from `info->next_note`. 0 for two empty texts. */
int store_note_add(struct store_txn *txn, struct list_info *info, const char *source,
		   const char *reason, uint32_t *note, struct error *err);
/* Adds a note with a number that is higher than that of all others of the list. */
int store_note_append(struct store_txn *txn, uint32_t slot, uint32_t note, uint32_t uses,
		      const char *source, const char *reason, struct error *err);
/* One entry less has the note; the last one takes it along. */
int store_note_release(struct store_txn *txn, uint32_t slot, uint32_t note, struct error *err);
/* Whether the bytes are a note; only then may they be read as one. */
bool store_note_valid(const MDB_val *record);
uint32_t store_note_number(const MDB_val *record);
uint32_t store_note_uses(const MDB_val *record);

/* A row of the expiry index. */
struct expiry_row {
	uint8_t time[4]; /* big endian */
	struct prefix prefix;
	uint8_t pad[3];
};
_Static_assert(sizeof(struct expiry_row) == 24, "store: the row has no padding");

struct expiry_row store_expiry_row(uint32_t time, const struct prefix *prefix);
int store_expiry_add(struct store_txn *txn, uint32_t slot, const struct entry *entry,
		     struct error *err);
int store_expiry_del(struct store_txn *txn, uint32_t slot, const struct entry *entry,
		     struct error *err);

#endif
