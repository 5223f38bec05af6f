/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/aged.h - a hash table of at most so many nodes, which also stand in the order in which
 * they were last touched: what history and greylisting keep their sources in, and the SMTP front
 * its unknown recipients.
 *
 * A node is a structure of the caller's that begins with a struct aged. All memory is taken when
 * the table is opened, and the kernel gives it page by page when it is used; nothing fails later.
 * Keys are hashed with a random key of the table, so strangers who choose keys crowd no bucket.
 * Nodes of the same hash are told apart by the caller. One thread at a time.
 */
#ifndef POSTERN_POLICY_AGED_H
#define POSTERN_POLICY_AGED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct aged {
	LIST_ENTRY(aged) chain;
	TAILQ_ENTRY(aged) age; /* of a free one: in the list of these */
	uint64_t hash;
};

struct aged_table;

/* `size` is that of a node. NULL if memory is short. `max` 0 counts as 1. */
struct aged_table *aged_open(size_t max, size_t size);
void aged_close(struct aged_table **table);

uint64_t aged_hash(const struct aged_table *table, const void *key, size_t size);
/* The first node of the hash, and the next of the same hash; NULL at the end. */
struct aged *aged_first(const struct aged_table *table, uint64_t hash);
struct aged *aged_next(const struct aged *node);

/* A new node, the youngest, all zero behind struct aged; NULL if there is no room. */
struct aged *aged_add(struct aged_table *table, uint64_t hash);
void aged_remove(struct aged_table *table, struct aged *node);
/* Makes it the youngest. */
void aged_touch(struct aged_table *table, struct aged *node);

/* NULL if there is none. */
struct aged *aged_oldest(const struct aged_table *table);
/* The one that was touched next after it; NULL behind the youngest. */
struct aged *aged_younger(const struct aged *node);
/* All nodes by their numbers below aged_used(), in no order; NULL where one is free. A node keeps
 * its number. */
size_t aged_used(const struct aged_table *table);
struct aged *aged_at(const struct aged_table *table, size_t number);
/* The next of all nodes for somebody who goes round, in no order; NULL where one is free. */
struct aged *aged_round(struct aged_table *table);
size_t aged_count(const struct aged_table *table);

#endif
