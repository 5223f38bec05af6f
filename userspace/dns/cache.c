/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dns/cache.c - see dns/cache.h: a hash table with chains, whose entries also stand in a queue,
 * oldest first.
 */
#include "dns/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/clock.h"

#define BUCKETS_MIN 64u

struct entry {
	LIST_ENTRY(entry) chain;
	TAILQ_ENTRY(entry) queue;
	struct dns_result *result;
	uint64_t put, expires; /* ms */
	bool used;             /* asked for since it was last looked at for room */
	uint64_t hash;         /* and what follows: the key */
	enum dns_type type;
	uint8_t length;
	uint8_t name[];
};

LIST_HEAD(bucket, entry);
TAILQ_HEAD(entries, entry);

struct dns_cache {
	struct dns_cache_limits limits;
	struct dns_cache_usage usage;
	struct entries queue;
	size_t mask;
	struct bucket bucket[];
};

static size_t bytes_of(const struct entry *entry)
{
	return sizeof(*entry) + entry->length + entry->result->bytes;
}

int dns_cache_open(const struct dns_cache_limits *limits, struct dns_cache **out, struct error *err)
{
	size_t buckets = BUCKETS_MIN;
	struct dns_cache *cache;

	while (buckets < limits->entries)
		buckets *= 2;
	cache = calloc(1, sizeof(*cache) + buckets * sizeof(cache->bucket[0]));
	if (!cache)
		return error_set(err, ERROR_REFUSED, "DNS cache: out of memory");
	cache->limits = *limits;
	cache->mask = buckets - 1;
	TAILQ_INIT(&cache->queue);
	*out = cache;
	return 0;
}

static void drop(struct dns_cache *cache, struct entry *entry)
{
	cache->usage.entries--;
	cache->usage.bytes -= bytes_of(entry);
	LIST_REMOVE(entry, chain);
	TAILQ_REMOVE(&cache->queue, entry, queue);
	dns_result_unref(entry->result);
	free(entry);
}

void dns_cache_close(struct dns_cache **cache)
{
	if (!*cache)
		return;
	while (!TAILQ_EMPTY(&(*cache)->queue))
		drop(*cache, TAILQ_FIRST(&(*cache)->queue));
	free(*cache);
	*cache = NULL;
}

static struct bucket *bucket_of(struct dns_cache *cache, const struct dns_key *key)
{
	return &cache->bucket[key->hash & cache->mask];
}

static bool holds(const struct entry *entry, const struct dns_key *key)
{
	return entry->hash == key->hash && entry->type == key->type &&
	       entry->length == key->name.length &&
	       !memcmp(entry->name, key->name.octet, entry->length);
}

static struct entry *find(struct dns_cache *cache, const struct dns_key *key)
{
	struct entry *entry;

	LIST_FOREACH(entry, bucket_of(cache, key), chain)
	if (holds(entry, key))
		return entry;
	return NULL;
}

bool dns_cache_find(struct dns_cache *cache, const struct dns_key *key, uint64_t now,
		    struct dns_cache_hit *out)
{
	struct entry *entry = find(cache, key);

	if (!entry)
		return false;
	if (now >= entry->expires) {
		drop(cache, entry);
		return false;
	}
	entry->used = true;
	out->result = dns_result_ref(entry->result);
	out->age = (uint32_t)((now - entry->put) / MS_A_SECOND);
	out->ttl = (uint32_t)((entry->expires - now + MS_A_SECOND - 1) / MS_A_SECOND);
	return true;
}

static bool is_over(const struct dns_cache *cache, size_t bytes)
{
	return cache->usage.entries >= cache->limits.entries ||
	       cache->usage.bytes + bytes > cache->limits.bytes;
}

/* Each entry is passed over once at most, so this ends. */
static void make_room(struct dns_cache *cache, size_t bytes, uint64_t now)
{
	struct entry *next;

	for (struct entry *oldest = TAILQ_FIRST(&cache->queue); oldest && is_over(cache, bytes);
	     oldest = next) {
		next = TAILQ_NEXT(oldest, queue);
		if (oldest->used && now < oldest->expires) {
			oldest->used = false;
			TAILQ_REMOVE(&cache->queue, oldest, queue);
			TAILQ_INSERT_TAIL(&cache->queue, oldest, queue);
			next = next ? next : oldest;
			continue;
		}
		cache->usage.evicted += now < oldest->expires;
		drop(cache, oldest);
	}
}

static struct entry *entry_new(const struct dns_key *key, struct dns_result *result, uint32_t ttl,
			       uint64_t now)
{
	struct entry *entry = malloc(sizeof(*entry) + key->name.length);

	if (!entry)
		return NULL;
	entry->result = dns_result_ref(result);
	entry->put = now;
	entry->expires = now + (uint64_t)ttl * MS_A_SECOND;
	entry->used = false;
	entry->hash = key->hash;
	entry->type = key->type;
	entry->length = key->name.length;
	memcpy(entry->name, key->name.octet, entry->length);
	return entry;
}

void dns_cache_put(struct dns_cache *cache, const struct dns_key *key, struct dns_result *result,
		   uint32_t ttl, uint64_t now)
{
	const size_t bytes = sizeof(struct entry) + key->name.length + result->bytes;
	struct entry *entry = find(cache, key);

	if (entry)
		drop(cache, entry);
	if (!ttl || !cache->limits.entries || bytes > cache->limits.bytes)
		return;
	entry = entry_new(key, result, ttl, now);
	if (!entry)
		return;
	make_room(cache, bytes, now);
	LIST_INSERT_HEAD(bucket_of(cache, key), entry, chain);
	TAILQ_INSERT_TAIL(&cache->queue, entry, queue);
	cache->usage.entries++;
	cache->usage.bytes += bytes;
}

struct dns_cache_usage dns_cache_usage(const struct dns_cache *cache)
{
	return cache->usage;
}
