/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store/store_expiry.c - entries in the order in which they expire.
 *
 * Called by store_entry.c, which keeps the index in step with the entries, and by gate/lists, which
 * asks several times a second what is due. Every list has its rows in order of time, so to find the
 * oldest rows of all lists the heads of at most LIST_SLOTS queues are compared; nothing that is not
 * due is read. store_replace.c writes the rows of a whole list itself.
 */
#include <endian.h>
#include <string.h>

#include "store/store_internal.h"

struct expiry_row store_expiry_row(uint32_t time, const struct prefix *prefix)
{
	struct expiry_row row = { .prefix = *prefix };

	time = htobe32(time);
	memcpy(row.time, &time, sizeof(time));
	return row;
}

int store_expiry_add(struct store_txn *txn, uint32_t slot, const struct entry *entry,
		     struct error *err)
{
	const struct expiry_row row = store_expiry_row(entry->expires, &entry->prefix);
	MDB_val key = store_val(&slot, sizeof(slot)), data = store_val(&row, sizeof(row));
	int rc;

	if (!entry->expires)
		return 0;
	rc = mdb_put(txn->txn, txn->store->db[DB_EXPIRY], &key, &data, 0);
	return rc ? store_txn_fail(txn, rc, "write when an entry expires", err) : 0;
}

int store_expiry_del(struct store_txn *txn, uint32_t slot, const struct entry *entry,
		     struct error *err)
{
	const struct expiry_row row = store_expiry_row(entry->expires, &entry->prefix);
	MDB_val key = store_val(&slot, sizeof(slot)), data = store_val(&row, sizeof(row));
	int rc;

	if (!entry->expires)
		return 0;
	rc = mdb_del(txn->txn, txn->store->db[DB_EXPIRY], &key, &data);
	/* An entry whose row is lost can still be removed. */
	return rc && rc != MDB_NOTFOUND
		       ? store_txn_fail(txn, rc, "forget when an entry expires", err)
		       : 0;
}

/* The rows of one list, from the oldest on. */
struct queue {
	MDB_cursor *cursor;
	uint8_t slot;
	struct expiry_row head;
};

struct queues {
	struct queue queue[LIST_SLOTS];
	int count;
};

static void close_queue(struct queues *queues, struct queue *queue)
{
	mdb_cursor_close(queue->cursor);
	*queue = queues->queue[--queues->count];
}

static int read_head(struct queue *queue, MDB_cursor_op op)
{
	uint32_t slot = queue->slot;
	MDB_val key = store_val(&slot, sizeof(slot)), data;
	const int rc = mdb_cursor_get(queue->cursor, &key, &data, op);

	if (rc)
		return rc;
	if (data.mv_size != sizeof(queue->head))
		return MDB_CORRUPTED;
	memcpy(&queue->head, data.mv_data, sizeof(queue->head));
	return 0;
}

static bool is_due(const struct queue *queue, uint32_t now)
{
	const uint32_t limit = htobe32(now);

	return memcmp(queue->head.time, &limit, sizeof(limit)) <= 0;
}

/* Adds the list's queue if its oldest row is due. */
static int open_queue(struct store_txn *txn, struct queues *queues, uint8_t slot, uint32_t now)
{
	struct queue *queue = &queues->queue[queues->count];
	int rc;

	rc = mdb_cursor_open(txn->txn, txn->store->db[DB_EXPIRY], &queue->cursor);
	if (rc)
		return rc;
	queues->count++;
	queue->slot = slot;
	rc = read_head(queue, MDB_SET);
	if (rc || !is_due(queue, now))
		close_queue(queues, queue);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static struct queue *oldest_of(struct queues *queues)
{
	struct queue *oldest = &queues->queue[0];

	for (int i = 1; i < queues->count; i++)
		if (memcmp(queues->queue[i].head.time, oldest->head.time,
			   sizeof(oldest->head.time)) < 0)
			oldest = &queues->queue[i];
	return oldest;
}

/* Writes the oldest row of all queues to `out` and moves its queue on. */
static int take_oldest(struct queues *queues, uint32_t now, struct expired *out)
{
	struct queue *queue = oldest_of(queues);
	int rc;

	out->slot = queue->slot;
	out->prefix = queue->head.prefix;
	rc = read_head(queue, MDB_NEXT_DUP);
	if (rc || !is_due(queue, now))
		close_queue(queues, queue);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int store_expired(struct store_txn *txn, uint32_t now, struct expired *out, size_t max,
		  struct error *err)
{
	struct queues queues = { .count = 0 };
	size_t found = 0;
	int rc = 0;

	if (max > INT32_MAX)
		max = INT32_MAX; /* the result is an int */
	for (uint8_t slot = 0; slot < LIST_SLOTS && !rc; slot++)
		rc = open_queue(txn, &queues, slot, now);
	while (!rc && queues.count && found < max)
		rc = take_oldest(&queues, now, &out[found++]);
	while (queues.count)
		close_queue(&queues, &queues.queue[0]);
	return rc ? store_txn_fail(txn, rc, "read what has expired", err) : (int)found;
}
