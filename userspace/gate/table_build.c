/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table_build.c - fills a generation with many prefixes: see struct table_batch in
 * gate/table.h.
 *
 * A bucket that is anywhere in a table of many megabytes costs a load from memory and often one of
 * its address; a million of them take longer than all the rest. So prefixes are collected first, as
 * records that begin with the number of their bucket, and split by it into parts of the table that
 * fit the cache. Prefixes that share few buckets (IPv4 up to /23, IPv6 up to /16) are put at once.
 *
 * A batch owns its records, 8 bytes for an IPv4 prefix and 32 for an IPv6 one, and while they are
 * split as many again. Where there is no memory for that, prefixes are put in the order in which
 * they came, which takes longer and yields the same.
 */
#include <stdlib.h>
#include <string.h>

#include "gate/table_internal.h"

#define FIRST_RECORDS 65536
#define PART_BITS     10 /* buckets of a part: 64 KiB */
#define PARTS_MAX     (1u << 13)

/* An IPv4 record is the key alone, and what follows is in it: see table4_key(). */
struct record6 {
	uint64_t key; /* the bucket's number comes first */
	struct prefix prefix;
	uint8_t list_class;
	uint8_t pad[6];
};

_Static_assert(sizeof(struct record6) == 32, "table: the record has no padding");

struct records {
	char *record;
	size_t size, count, capacity; /* bytes of each; how many there are, and may be */
	uint32_t bucket_bits;
};

struct table_batch {
	struct table *table;
	struct records family[FAMILY_COUNT];
	size_t place[PARTS_MAX]; /* of the next record of each part, while they are split */
};

int table_batch_new(struct table *table, struct table_batch **out, struct error *err)
{
	struct table_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return error_set(err, ERROR_REFUSED, "out of memory for the block table");
	batch->table = table;
	batch->family[FAMILY_IPV4].size = sizeof(uint64_t);
	batch->family[FAMILY_IPV4].bucket_bits = table->geometry.bucket4_bits;
	batch->family[FAMILY_IPV6].size = sizeof(struct record6);
	batch->family[FAMILY_IPV6].bucket_bits = table->geometry.bucket6_bits;
	*out = batch;
	return 0;
}

void table_batch_free(struct table_batch **batch)
{
	if (!*batch)
		return;
	for (int family = 0; family < FAMILY_COUNT; family++)
		free((*batch)->family[family].record);
	free(*batch);
	*batch = NULL;
}

/* Makes room for one more record; false if there is no memory for it. */
static bool grow(struct records *records)
{
	const size_t capacity = records->capacity ? records->capacity * 2 : FIRST_RECORDS;
	char *grown;

	if (records->count < records->capacity)
		return true;
	grown = reallocarray(records->record, capacity, records->size);
	if (!grown)
		return false;
	records->record = grown;
	records->capacity = capacity;
	return true;
}

static void add4(struct records *records, const struct target *t)
{
	((uint64_t *)(void *)records->record)[records->count++] = table4_key(t);
	table4_mark(t);
}

static void add6(struct records *records, const struct target *t)
{
	const uint64_t bucket = table6_bucket(t);

	((struct record6 *)(void *)records->record)[records->count++] =
		(struct record6){ .key = bucket << (64 - records->bucket_bits),
				  .prefix = t->prefix,
				  .list_class = t->list_class };
}

enum table_result table_batch_add(struct table_batch *batch, const struct prefix *prefix,
				  uint8_t list_class)
{
	const enum family family = prefix_is_ipv4(prefix) ? FAMILY_IPV4 : FAMILY_IPV6;
	const uint32_t longest = family == FAMILY_IPV4 ? 96 + BUCKET4_LEVEL - 1 : TOP_LENGTH;
	struct records *records = &batch->family[family];
	struct target t;

	if (prefix->len <= longest || !grow(records))
		return table_put(batch->table, prefix, list_class);
	if (!table_count_one(batch->table, family))
		return TABLE_FULL;
	t = target_of(batch->table, prefix, false);
	t.list_class = list_class;
	table_note_answers(&t);
	if (family == FAMILY_IPV4)
		add4(records, &t);
	else
		add6(records, &t);
	return TABLE_OK;
}

/* The number of the part, at the top of the key. */
static uint32_t part_shift(const struct records *records)
{
	return records->bucket_bits > PART_BITS ? 64 - (records->bucket_bits - PART_BITS) : 63;
}

static uint64_t key_of(const char *record)
{
	uint64_t key;

	memcpy(&key, record, sizeof(key));
	return key;
}

/* Where the records of each part begin, if all stand in the order of their parts. */
static void find_places(const struct records *records, size_t place[PARTS_MAX])
{
	const uint32_t shift = part_shift(records);
	size_t sum = 0;

	memset(place, 0, PARTS_MAX * sizeof(*place));
	for (size_t i = 0; i < records->count; i++)
		place[key_of(records->record + i * records->size) >> shift]++;
	for (size_t part = 0; part < PARTS_MAX; part++) {
		const size_t here = place[part];

		place[part] = sum;
		sum += here;
	}
}

/* `size` is that of the records; an argument, so that it is a constant to the compiler. */
static inline void split(const struct records *records, char *to, size_t size,
			 size_t place[PARTS_MAX])
{
	const uint32_t shift = part_shift(records);

	for (size_t i = 0; i < records->count; i++) {
		const char *record = records->record + i * size;

		memcpy(to + place[key_of(record) >> shift]++ * size, record, size);
	}
}

/* Brings the records into the order of their parts. */
static void sort_by_part(struct records *records, size_t place[PARTS_MAX])
{
	char *to = reallocarray(NULL, records->count ? records->count : 1, records->size);

	if (!to)
		return;
	find_places(records, place);
	if (records->size == sizeof(uint64_t))
		split(records, to, sizeof(uint64_t), place);
	else
		split(records, to, sizeof(struct record6), place);
	free(records->record);
	records->record = to;
	records->capacity = records->count;
}

static enum table_result put_all4(struct table_batch *batch)
{
	static const struct prefix none;
	const struct records *records = &batch->family[FAMILY_IPV4];
	const uint64_t *key = (const uint64_t *)(const void *)records->record;
	const uint32_t bits = records->bucket_bits;
	struct target t = target_of(batch->table, &none, false);
	uint8_t *filled = calloc(1u << bits, 1);
	enum table_result result = filled ? TABLE_OK : TABLE_NO_MEMORY;

	for (size_t i = 0; i < records->count && result == TABLE_OK; i++)
		result = table4_put_key(&t, key[i], &filled[key[i] >> (64 - bits)]);
	free(filled);
	return result;
}

static enum table_result put_all6(struct table_batch *batch)
{
	const struct records *records = &batch->family[FAMILY_IPV6];
	const struct record6 *record = (const struct record6 *)(const void *)records->record;
	enum table_result result = TABLE_OK;

	for (size_t i = 0; i < records->count && result == TABLE_OK; i++) {
		struct target t = target_of(batch->table, &record[i].prefix, false);

		t.list_class = record[i].list_class;
		result = table6_put(&t);
	}
	return result;
}

enum table_result table_batch_put(struct table_batch *batch, enum family *family)
{
	enum table_result result;

	*family = FAMILY_IPV4;
	sort_by_part(&batch->family[FAMILY_IPV4], batch->place);
	result = put_all4(batch);
	if (result != TABLE_OK)
		return result;
	*family = FAMILY_IPV6;
	sort_by_part(&batch->family[FAMILY_IPV6], batch->place);
	return put_all6(batch);
}
