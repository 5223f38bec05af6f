/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/verdicts.c - see policy/verdicts.h.
 *
 * A verdict is an entry in cds_lfht that is never changed once it can be found; a new verdict on
 * the same address replaces it. Who finds needs no lock. Who changes holds `lock`, under which all
 * entries also stand in a queue, oldest first; the oldest is what gives way. A hand goes round the
 * queue, EXPIRE_MIN entries or a part of all in each verdicts_expire() and a few in each put into a
 * full table, and drops what has run out; what it has not met yet is not found any more either. So
 * there is no second order by time, which would cost 16 bytes more an entry.
 *
 * An entry that is out of the table belongs to call_rcu(), which frees it when no reader can hold
 * it. The buckets are made once, for `max`: with a fixed number of them no thread of liburcu's
 * resizes the table, and 16 bytes for at most two buckets an entry are within VERDICT_BYTES_MAX.
 */
#include "policy/verdicts.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <urcu/urcu-memb.h>
#include <urcu/rculfhash.h>

#include "lib/rcu.h"
#include "lib/siphash.h"

#define CACHE_LINE   64
#define SHARDS       64u /* of the counters: as many threads count without disturbing others */
#define BUCKETS_MIN  64u /* and a power of two */
#define BUCKETS_MAX  (1u << 24) /* likewise */
#define EXPIRE_MIN   1024u      /* entries that one verdicts_expire() looks at, at the least */
#define EXPIRE_MAX   16384u     /* and at most */
#define EXPIRE_CALLS 60u        /* calls in which it gets round, between the two */
#define PUT_LOOKS    8u         /* entries that a put into a full table looks at */
#define CLEAR_STEP   4096u      /* entries that are dropped without letting others write */

struct entry {
	struct cds_lfht_node node;
	struct verdict verdict;
	union {
		TAILQ_ENTRY(entry) queue; /* while it is in the table */
		struct rcu_head gone;     /* afterwards */
	};
};

/* What malloc() takes for it: its own word before, and all a multiple of 16. */
#define ENTRY_BYTES ((sizeof(struct entry) + sizeof(size_t) + 15) / 16 * 16)
_Static_assert(ENTRY_BYTES + 2 * sizeof(struct cds_lfht_node) <= VERDICT_BYTES_MAX,
	       "verdicts: an entry with its buckets is larger than it may be");

TAILQ_HEAD(entries, entry);

struct shard {
	alignas(CACHE_LINE) atomic_ulong hits;
	atomic_ulong misses;
};

struct verdicts {
	struct shard shard[SHARDS];
	struct siphash_key key;
	struct cds_lfht *table;
	size_t max, buckets;
	pthread_mutex_t lock; /* and under it: */
	struct entries queue;
	struct entry *hand; /* NULL: at the oldest */
	atomic_size_t count;
	atomic_ulong evicted;
};

/* For ThreadSanitizer: readers are gone, and so is who took an entry out (lib/rcu.h). */
static char left;

int verdicts_open(struct verdicts **out, size_t max, struct error *err)
{
	struct verdicts *verdicts = aligned_alloc(CACHE_LINE, sizeof(*verdicts));

	if (!verdicts)
		return error_set(err, ERROR_REFUSED, "verdicts: out of memory");
	memset(verdicts, 0, sizeof(*verdicts));
	verdicts->key = siphash_random_key();
	verdicts->max = max ? max : 1;
	verdicts->buckets = BUCKETS_MIN;
	while (verdicts->buckets < max && verdicts->buckets < BUCKETS_MAX)
		verdicts->buckets *= 2;
	verdicts->table = cds_lfht_new_flavor(verdicts->buckets, verdicts->buckets,
					      verdicts->buckets, 0, &urcu_memb_flavor, NULL);
	if (!verdicts->table) {
		free(verdicts);
		return error_set(err, ERROR_REFUSED, "verdicts: out of memory for %zu of them",
				 max);
	}
	pthread_mutex_init(&verdicts->lock, NULL);
	TAILQ_INIT(&verdicts->queue);
	*out = verdicts;
	return 0;
}

/* Entries that are still to be freed know nothing of the table. */
void verdicts_close(struct verdicts **verdicts)
{
	if (!*verdicts)
		return;
	verdicts_clear(*verdicts);
	cds_lfht_destroy((*verdicts)->table, NULL);
	pthread_mutex_destroy(&(*verdicts)->lock);
	free(*verdicts);
	*verdicts = NULL;
}

static unsigned long hash_of(const struct verdicts *verdicts, const struct addr *addr)
{
	return (unsigned long)siphash(&verdicts->key, addr->byte, sizeof(addr->byte));
}

/* The type of cds_lfht_match_fct. */
static int is_on(struct cds_lfht_node *node, const void *addr)
{
	const struct entry *entry = caa_container_of(node, struct entry, node);

	rcu_order_after(entry); /* it was added */
	return !memcmp(&entry->verdict.addr, addr, sizeof(entry->verdict.addr));
}

/* In a section. */
static struct entry *find(struct verdicts *verdicts, const struct addr *addr)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	cds_lfht_lookup(verdicts->table, hash_of(verdicts, addr), is_on, addr, &iter);
	node = cds_lfht_iter_get_node(&iter);
	return node ? caa_container_of(node, struct entry, node) : NULL;
}

/* The counters of this thread, which it shares only if there are more threads than shards. */
static struct shard *own_shard(struct verdicts *verdicts)
{
	static atomic_uint threads;
	static _Thread_local unsigned int number; /* from 1 */

	if (!number)
		number = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % SHARDS + 1;
	return &verdicts->shard[number - 1];
}

bool verdicts_find(struct verdicts *verdicts, const struct addr *addr, uint32_t now,
		   struct verdict *out)
{
	struct shard *shard = own_shard(verdicts);
	const struct entry *entry;
	bool found;

	rcu_section_begin();
	entry = find(verdicts, addr);
	found = entry && now < entry->verdict.until;
	if (found)
		*out = entry->verdict;
	rcu_order_before(&left);
	rcu_section_end();
	atomic_fetch_add_explicit(found ? &shard->hits : &shard->misses, 1, memory_order_relaxed);
	return found;
}

static void begin_write(struct verdicts *verdicts)
{
	pthread_mutex_lock(&verdicts->lock);
	rcu_section_begin();
}

static void end_write(struct verdicts *verdicts)
{
	rcu_section_end();
	pthread_mutex_unlock(&verdicts->lock);
}

static void free_entry(struct rcu_head *gone)
{
	rcu_order_after(&left);
	free(caa_container_of(gone, struct entry, gone));
}

/* For an entry that cannot be found any more. */
static void let_go(struct verdicts *verdicts, struct entry *entry)
{
	if (verdicts->hand == entry)
		verdicts->hand = TAILQ_NEXT(entry, queue);
	TAILQ_REMOVE(&verdicts->queue, entry, queue);
	verdicts->count--;
	rcu_order_before(&left);
	urcu_memb_call_rcu(&entry->gone, free_entry);
}

static void drop(struct verdicts *verdicts, struct entry *entry)
{
	cds_lfht_del(verdicts->table, &entry->node);
	let_go(verdicts, entry);
}

/* Moves the hand on by `looks` entries, and drops those that have run out. */
static void sweep(struct verdicts *verdicts, size_t looks, uint32_t now)
{
	struct entry *entry;

	while (looks--) {
		entry = verdicts->hand ? verdicts->hand : TAILQ_FIRST(&verdicts->queue);
		if (!entry)
			return;
		verdicts->hand = TAILQ_NEXT(entry, queue);
		if (now >= entry->verdict.until)
			drop(verdicts, entry);
	}
}

static void make_room(struct verdicts *verdicts, uint32_t now)
{
	if (verdicts->count > verdicts->max)
		sweep(verdicts, PUT_LOOKS, now);
	if (verdicts->count > verdicts->max) {
		drop(verdicts, TAILQ_FIRST(&verdicts->queue));
		verdicts->evicted++;
	}
}

bool verdicts_put(struct verdicts *verdicts, const struct verdict *verdict, uint32_t now)
{
	const unsigned long hash = hash_of(verdicts, &verdict->addr);
	struct entry *entry = malloc(sizeof(*entry));
	struct cds_lfht_node *old;

	if (!entry)
		return false;
	entry->verdict = *verdict;
	cds_lfht_node_init(&entry->node);
	begin_write(verdicts);
	TAILQ_INSERT_TAIL(&verdicts->queue, entry, queue);
	verdicts->count++;
	rcu_order_before(entry);
	old = cds_lfht_add_replace(verdicts->table, hash, is_on, &verdict->addr, &entry->node);
	if (old)
		let_go(verdicts, caa_container_of(old, struct entry, node));
	make_room(verdicts, now);
	end_write(verdicts);
	return true;
}

bool verdicts_drop(struct verdicts *verdicts, const struct addr *addr)
{
	struct entry *entry;

	begin_write(verdicts);
	entry = find(verdicts, addr);
	if (entry)
		drop(verdicts, entry);
	end_write(verdicts);
	return entry != NULL;
}

/* Drops the oldest, `most` at most. */
static void drop_oldest(struct verdicts *verdicts, size_t most)
{
	begin_write(verdicts);
	while (most-- && !TAILQ_EMPTY(&verdicts->queue))
		drop(verdicts, TAILQ_FIRST(&verdicts->queue));
	end_write(verdicts);
}

void verdicts_clear(struct verdicts *verdicts)
{
	size_t rest = atomic_load(&verdicts->count);

	for (size_t step; rest; rest -= step) {
		step = rest < CLEAR_STEP ? rest : CLEAR_STEP;
		drop_oldest(verdicts, step);
	}
}

void verdicts_expire(struct verdicts *verdicts, uint32_t now)
{
	size_t looks;

	begin_write(verdicts);
	looks = verdicts->count / EXPIRE_CALLS;
	if (looks < EXPIRE_MIN)
		looks = verdicts->count < EXPIRE_MIN ? verdicts->count : EXPIRE_MIN;
	sweep(verdicts, looks < EXPIRE_MAX ? looks : EXPIRE_MAX, now);
	end_write(verdicts);
}

void verdicts_stats(const struct verdicts *verdicts, struct verdicts_stats *out)
{
	*out = (struct verdicts_stats){
		.entries = atomic_load(&verdicts->count),
		.evicted = atomic_load(&verdicts->evicted),
	};
	out->bytes = sizeof(*verdicts) + verdicts->buckets * sizeof(struct cds_lfht_node) +
		     out->entries * ENTRY_BYTES;
	for (size_t i = 0; i < SHARDS; i++) {
		out->hits += atomic_load_explicit(&verdicts->shard[i].hits, memory_order_relaxed);
		out->misses +=
			atomic_load_explicit(&verdicts->shard[i].misses, memory_order_relaxed);
	}
}
