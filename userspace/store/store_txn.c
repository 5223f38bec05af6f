/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_txn.c - transactions, and the words for what goes wrong in them.
 *
 * Called by everyone who uses the store. A transaction is owned by who began it, until commit or
 * abort. There are at most STORE_READERS reads at a time (store_open.c) and one write. LMDB writes
 * only pages that no snapshot holds and publishes them with one page, written last, after the
 * others have reached the disk; so a write is there entirely or not at all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store_internal.h"

int store_fail(const struct store *store, int rc, const char *what, struct error *err)
{
	switch (rc) {
	case MDB_MAP_FULL:
		return error_set(err, ERROR_REFUSED,
				 "the store %s is full: raise the option store-size (%zu MiB now) "
				 "and restart",
				 store->dir, store->size >> 20);
	case MDB_READERS_FULL:
		return error_set(err, ERROR_REFUSED,
				 "the store %s is being read by as many as it allows: try again",
				 store->dir);
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
		return error_set(err, ERROR_REFUSED,
				 "the store %s is damaged or not Postern's: cannot %s: %s",
				 store->dir, what, mdb_strerror(rc));
	default:
		return error_set(err, ERROR_REFUSED, "the store %s: cannot %s: %s", store->dir,
				 what, mdb_strerror(rc));
	}
}

int store_txn_fail(struct store_txn *txn, int rc, const char *what, struct error *err)
{
	txn->broken = txn->writes;
	return store_fail(txn->store, rc, what, err);
}

int store_damaged(struct store_txn *txn, struct error *err, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX / 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	txn->broken = txn->writes;
	return error_set(err, ERROR_REFUSED, "the store %s is damaged: %s", txn->store->dir, text);
}

/* With the turn. */
static int begin_in_turn(struct store_txn *txn, struct error *err)
{
	struct store *store = txn->store;
	int rc;

	if (store_ensure_open(store, err))
		return ERROR_REFUSED;
	rc = mdb_txn_begin(store->env, NULL, txn->writes ? 0 : MDB_RDONLY, &txn->txn);
	if (rc)
		return store_fail(store, rc, txn->writes ? "begin to write" : "begin to read", err);
	store->open++;
	return 0;
}

static int begin(struct store *store, bool writes, struct store_txn **out, struct error *err)
{
	struct store_txn *txn = malloc(sizeof(*txn));
	int result;

	if (!txn)
		return store_fail(store, ENOMEM, "begin", err);
	*txn = (struct store_txn){ .store = store, .writes = writes };
	pthread_mutex_lock(&store->turn);
	result = begin_in_turn(txn, err);
	pthread_mutex_unlock(&store->turn);
	if (result)
		free(txn);
	else
		*out = txn;
	return result;
}

int store_begin_read(struct store *store, struct store_txn **out, struct error *err)
{
	return begin(store, false, out, err);
}

int store_begin_write(struct store *store, struct store_txn **out, struct error *err)
{
	int result;

	/* LMDB would wait here, and for ever if it is the same thread that waits. */
	if (atomic_exchange(&store->writing, true))
		return error_set(err, ERROR_REFUSED,
				 "the store %s is being written by another change", store->dir);
	result = begin(store, true, out, err);
	if (result)
		atomic_store(&store->writing, false);
	return result;
}

/* Frees what is left of a transaction that LMDB has ended. */
static void finish(struct store_txn **txn)
{
	struct store *store = (*txn)->store;
	const bool writes = (*txn)->writes;

	free(*txn);
	*txn = NULL;
	pthread_mutex_lock(&store->turn);
	store->open--;
	pthread_mutex_unlock(&store->turn);
	if (writes)
		atomic_store(&store->writing, false);
}

void store_abort(struct store_txn **txn)
{
	if (!*txn)
		return;
	mdb_txn_abort((*txn)->txn);
	finish(txn);
}

int store_commit(struct store_txn **txn, struct error *err)
{
	const struct store *store = (*txn)->store;
	int rc;

	if ((*txn)->broken) {
		store_abort(txn);
		return error_set(err, ERROR_REFUSED,
				 "the store %s: nothing was written, as a part of it had failed",
				 store->dir);
	}
	rc = mdb_txn_commit((*txn)->txn);
	finish(txn);
	return rc ? store_fail(store, rc, "commit", err) : 0;
}
