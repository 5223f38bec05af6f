/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/aged.c - see policy/aged.h. The nodes are an array; those that were never used are known
 * by their number alone, so that opening a large table touches nothing.
 */
#include "policy/aged.h"

#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"

#define BUCKETS_MIN 64u /* and a power of two */

LIST_HEAD(bucket, aged);
TAILQ_HEAD(ages, aged);

struct aged_table {
	struct siphash_key key;
	struct bucket *bucket;
	size_t mask;
	uint8_t *nodes;
	size_t size, max, count;
	size_t used; /* nodes that have ever been in use */
	size_t round;
	struct ages ages, free;
};

static struct aged *node_at(const struct aged_table *table, size_t number)
{
	return (struct aged *)(void *)(table->nodes + number * table->size);
}

struct aged_table *aged_open(size_t max, size_t size)
{
	struct aged_table *table = calloc(1, sizeof(*table));
	size_t buckets = BUCKETS_MIN;

	if (!table)
		return NULL;
	table->key = siphash_random_key();
	table->max = max ? max : 1;
	table->size = size;
	while (buckets < table->max)
		buckets *= 2;
	table->mask = buckets - 1;
	TAILQ_INIT(&table->ages);
	TAILQ_INIT(&table->free);
	table->bucket = calloc(buckets, sizeof(*table->bucket));
	table->nodes = calloc(table->max, size);
	if (!table->bucket || !table->nodes)
		aged_close(&table);
	return table;
}

void aged_close(struct aged_table **table)
{
	if (!*table)
		return;
	free((*table)->bucket);
	free((*table)->nodes);
	free(*table);
	*table = NULL;
}

uint64_t aged_hash(const struct aged_table *table, const void *key, size_t size)
{
	return siphash(&table->key, key, size);
}

static struct aged *of_hash(struct aged *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = LIST_NEXT(node, chain);
	return node;
}

struct aged *aged_first(const struct aged_table *table, uint64_t hash)
{
	return of_hash(LIST_FIRST(&table->bucket[hash & table->mask]), hash);
}

struct aged *aged_next(const struct aged *node)
{
	return of_hash(LIST_NEXT(node, chain), node->hash);
}

static struct aged *take_free(struct aged_table *table)
{
	struct aged *node = TAILQ_FIRST(&table->free);

	if (node) {
		TAILQ_REMOVE(&table->free, node, age);
		memset(node, 0, table->size);
	} else if (table->used < table->max) {
		node = node_at(table, table->used++);
	}
	return node;
}

struct aged *aged_add(struct aged_table *table, uint64_t hash)
{
	struct aged *node = take_free(table);

	if (!node)
		return NULL;
	node->hash = hash;
	LIST_INSERT_HEAD(&table->bucket[hash & table->mask], node, chain);
	TAILQ_INSERT_TAIL(&table->ages, node, age);
	table->count++;
	return node;
}

void aged_remove(struct aged_table *table, struct aged *node)
{
	LIST_REMOVE(node, chain);
	node->chain.le_prev = NULL; /* free: see aged_at() */
	TAILQ_REMOVE(&table->ages, node, age);
	TAILQ_INSERT_HEAD(&table->free, node, age);
	table->count--;
}

void aged_touch(struct aged_table *table, struct aged *node)
{
	TAILQ_REMOVE(&table->ages, node, age);
	TAILQ_INSERT_TAIL(&table->ages, node, age);
}

struct aged *aged_oldest(const struct aged_table *table)
{
	return TAILQ_FIRST(&table->ages);
}

struct aged *aged_younger(const struct aged *node)
{
	return TAILQ_NEXT(node, age);
}

size_t aged_used(const struct aged_table *table)
{
	return table->used;
}

struct aged *aged_at(const struct aged_table *table, size_t number)
{
	struct aged *node = node_at(table, number);

	return node->chain.le_prev ? node : NULL;
}

struct aged *aged_round(struct aged_table *table)
{
	if (!table->used)
		return NULL;
	table->round = (table->round + 1) % table->used;
	return aged_at(table, table->round);
}

size_t aged_count(const struct aged_table *table)
{
	return table->count;
}
