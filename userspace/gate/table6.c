/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table6.c - the IPv6 buckets: prefixes longer than /16, in groups of the levels 16 to 120.
 *
 * A bucket that is full bears a mark, and what did not fit goes to the next one that its group
 * tries, at most BUCKET6_PROBES in all. Neighbours would do as well for the cache, but then full
 * buckets make their neighbours full: half a million random prefixes had no room in half as many
 * slots again. A group with many prefixes moves to a page while the table is built.
 */
#include "gate/table_internal.h"

#define GROUP_SLOTS_MAX 8 /* a group with more moves to a page, if there is one */
#define CHAIN_SLOTS     (BUCKET6_PROBES * BUCKET6_SLOTS)

struct place6 {
	uint64_t hash;
	uint32_t level;
	uint32_t length; /* below the level: 1 to 8 */
	uint32_t rest;
};

static struct place6 place_of(const struct table *table, uint32_t generation,
			      const struct addr *addr, uint32_t level)
{
	const uint64_t seed = table->memory.settings->table[generation].seed;
	const uint64_t high = addr_high(addr), low = addr_low(addr);
	struct place6 place = { .level = level };

	place.hash = group6_hash(high, low, level, seed);
	place.rest = group6_rest(high, low, level);
	return place;
}

static struct place6 target_place(const struct target *t)
{
	struct place6 place;

	place = place_of(t->table, t->generation, &t->prefix.addr, (t->prefix.len - 1u) / 8 * 8);
	place.length = t->prefix.len - place.level;
	return place;
}

uint32_t table6_bucket(const struct target *t)
{
	return bucket6_index(target_place(t).hash, t->table->geometry.bucket6_bits, 0);
}

static struct bucket6 *bucket_at(const struct table *table, uint32_t generation, uint64_t hash,
				 uint32_t probe)
{
	const uint32_t bits = table->geometry.bucket6_bits;

	return &table->memory.bucket6[(generation << bits) + bucket6_index(hash, bits, probe)];
}

static bool info_is_page(uint32_t info)
{
	return info >> SLOT_CODE_SHIFT == SLOT_PAGE;
}

static uint32_t prefix_info(const struct place6 *p, uint8_t list_class)
{
	return p->length << SLOT_CODE_SHIFT | p->rest << SLOT_REST_SHIFT | list_class;
}

/* What a walk along a chain of buckets finds for a place; NULL where there is none. */
struct scan6 {
	struct slot6 *same;
	struct slot6 *page;
	struct slot6 *empty; /* the first free slot */
	uint32_t prefixes;   /* of this group, in slots */
	uint32_t buckets;    /* of the chain */
};

static void scan_slot(struct slot6 *slot, const struct place6 *p, struct scan6 *found)
{
	const uint32_t info = slot->info & ~SLOT6_OVERFLOW;

	if (!info) {
		if (!found->empty)
			found->empty = slot;
	} else if (slot->fingerprint == p->hash && info_is_page(info)) {
		found->page = slot;
	} else if (slot->fingerprint == p->hash) {
		found->prefixes++;
		if ((info & ~0xffu) == prefix_info(p, 0))
			found->same = slot;
	}
}

static struct scan6 scan(const struct target *t, const struct place6 *p)
{
	struct scan6 found = { 0 };
	struct bucket6 *bucket;

	while (found.buckets < BUCKET6_PROBES) {
		bucket = bucket_at(t->table, t->generation, p->hash, found.buckets++);
		for (int i = 0; i < BUCKET6_SLOTS; i++)
			scan_slot(&bucket->slot[i], p, &found);
		if (!(bucket->slot[0].info & SLOT6_OVERFLOW))
			break;
	}
	return found;
}

/* Packets compare the fingerprint only of slots whose info says that they are taken. */
static void slot_set(struct slot6 *slot, uint64_t fingerprint, uint32_t page, uint32_t info)
{
	publish(&slot->fingerprint, fingerprint);
	publish(&slot->page, page);
	publish(&slot->info, info | (slot->info & SLOT6_OVERFLOW));
}

static void slot_free(struct slot6 *slot)
{
	publish(&slot->info, slot->info & SLOT6_OVERFLOW);
	publish(&slot->fingerprint, 0);
}

/* Makes the chain of a place one bucket longer and returns a free slot there. */
static struct slot6 *chain_grow(const struct target *t, const struct place6 *p, uint32_t buckets)
{
	struct bucket6 *last = bucket_at(t->table, t->generation, p->hash, buckets - 1), *next;

	for (; buckets < BUCKET6_PROBES; buckets++) {
		next = bucket_at(t->table, t->generation, p->hash, buckets);
		if (!t->probe)
			__atomic_fetch_or(&last->slot[0].info, SLOT6_OVERFLOW, __ATOMIC_RELEASE);
		for (int i = 0; i < BUCKET6_SLOTS; i++)
			if (!(next->slot[i].info & ~SLOT6_OVERFLOW))
				return &next->slot[i];
		last = next;
	}
	return NULL;
}

/* The slots that hold prefixes of one group. */
struct group6 {
	struct slot6 *slot[CHAIN_SLOTS];
	uint32_t count;
	struct page_survey survey;
};

static void group_add(struct group6 *group, struct bucket6 *bucket, uint64_t hash)
{
	for (int i = 0; i < BUCKET6_SLOTS; i++) {
		struct slot6 *slot = &bucket->slot[i];

		if (slot->fingerprint != hash || !(slot->info & ~SLOT6_OVERFLOW))
			continue;
		group->slot[group->count++] = slot;
		page_survey_add(&group->survey, (int)(slot->info >> SLOT_CODE_SHIFT),
				(uint8_t)slot->info);
	}
}

static struct group6 group_of(const struct target *t, uint64_t hash)
{
	struct group6 group = { .count = 0 };
	struct bucket6 *bucket;

	for (uint32_t probe = 0; probe < BUCKET6_PROBES; probe++) {
		bucket = bucket_at(t->table, t->generation, hash, probe);
		group_add(&group, bucket, hash);
		if (!(bucket->slot[0].info & SLOT6_OVERFLOW))
			break;
	}
	return group;
}

/* Moves the prefixes of a group to a page. Only while the generation is built. */
static enum table_result move_to_page(const struct target *t, uint64_t hash)
{
	const struct group6 group = group_of(t, hash);
	struct target moved = *t;
	uint32_t page;

	if (page_new(t, !group.survey.mixed, group.survey.list_class, &page))
		return TABLE_NO_PAGE;
	for (uint32_t i = 0; i < group.count; i++) {
		const uint32_t info = group.slot[i]->info;

		moved.list_class = (uint8_t)info;
		page_paint(&moved, page, (info >> SLOT_REST_SHIFT) & 0xff,
			   (int)(info >> SLOT_CODE_SHIFT));
		slot_free(group.slot[i]);
	}
	slot_set(group.slot[0], hash, page, SLOT_PAGE << SLOT_CODE_SHIFT);
	return TABLE_OK;
}

/* The group that moves to a page to make room for a place: the largest along its chain. */
static uint64_t largest_group(const struct target *t, const struct place6 *p, uint32_t *size)
{
	uint64_t largest = 0;

	*size = 0;
	for (uint32_t i = 0; i < CHAIN_SLOTS; i++) {
		const struct slot6 *slot =
			&bucket_at(t->table, t->generation, p->hash, i / BUCKET6_SLOTS)
				 ->slot[i % BUCKET6_SLOTS];
		uint32_t count;

		if (info_is_page(slot->info))
			continue;
		count = group_of(t, slot->fingerprint).count;
		if (count <= *size)
			continue;
		*size = count;
		largest = slot->fingerprint;
	}
	return largest;
}

/*
 * Every bucket of the place's chain is full: moves groups to pages until one is not. Only while the
 * generation is built.
 */
static void make_room(const struct target *t, const struct place6 *p)
{
	uint64_t group;
	uint32_t size;

	do
		group = largest_group(t, p, &size);
	while (size > 1 && move_to_page(t, group) == TABLE_OK && !scan(t, p).empty);
}

/* The group has a page. If it is packed and the prefix does not fit, there is another page. */
static enum table_result put_in_page(const struct target *t, const struct place6 *p,
				     struct slot6 *slot)
{
	uint32_t page = slot->page;
	const bool takes = page_takes(t, page, (int)p->length);

	if (t->probe)
		return takes || page_room(t, t->probe) ? TABLE_OK : TABLE_NO_PAGE;
	if (!takes) {
		if (page_unpack(t, page, &page))
			return TABLE_NO_PAGE;
		publish(&slot->page, page);
	}
	page_paint(t, page, p->rest, (int)p->length);
	return TABLE_OK;
}

static void mark_filter(const struct target *t, const struct place6 *p)
{
	const uint32_t bits = t->table->geometry.filter6_bits;
	uint64_t *word = t->table->memory.filter6;

	word += (t->generation << bits) + filter6_word(p->hash, bits);
	publish_bits(t, word, filter6_mask(p->hash));
	__atomic_fetch_or(&target_generation(t)->levels6, 1u << (p->level - LEVEL6_FIRST) / 8,
			  __ATOMIC_RELEASE);
}

static enum table_result put_in_bucket(const struct target *t)
{
	const struct place6 p = target_place(t);
	struct scan6 found = scan(t, &p);

	if (!t->live && found.prefixes >= GROUP_SLOTS_MAX && move_to_page(t, p.hash) == TABLE_OK)
		found = scan(t, &p);
	if (!found.page && !found.same && !found.empty)
		found.empty = chain_grow(t, &p, found.buckets);
	if (!t->live && !found.page && !found.same && !found.empty) {
		make_room(t, &p);
		found = scan(t, &p); /* it may be our own group that has a page now */
	}
	if (found.page)
		return put_in_page(t, &p, found.page); /* the filter knows the group */
	if (!found.same && !found.empty)
		return TABLE_CROWDED;
	if (t->probe)
		return TABLE_OK;
	target_notes(t)->dirty6 = true;
	slot_set(found.same ? found.same : found.empty, p.hash, 0, prefix_info(&p, t->list_class));
	mark_filter(t, &p);
	return TABLE_OK;
}

enum table_result table6_put(const struct target *t)
{
	if (t->prefix.len > TOP_LENGTH)
		return put_in_bucket(t);
	if (!t->probe) {
		top_paint(t, FAMILY_IPV6, (uint32_t)(addr_high(&t->prefix.addr) >> 48),
			  t->prefix.len);
		publish(&target_generation(t)->top6, 1);
	}
	return TABLE_OK;
}

void table6_remove(const struct target *t, const struct table_cover *cover)
{
	struct table_cover under;
	struct place6 p;
	struct scan6 found;

	if (t->prefix.len <= TOP_LENGTH) {
		top_unpaint(t, FAMILY_IPV6, (uint32_t)(addr_high(&t->prefix.addr) >> 48),
			    t->prefix.len, cover);
		return;
	}
	p = target_place(t);
	found = scan(t, &p);
	under = cover_in_group(cover, p.level + 1);
	if (found.page)
		page_unpaint(t, found.page->page, p.rest, (int)p.length, &under, p.level);
	else if (found.same)
		slot_free(found.same);
}

static uint8_t group_class(const struct table *table, uint32_t generation, const struct place6 *p)
{
	uint64_t best = 0;

	for (uint32_t probe = 0; probe < BUCKET6_PROBES; probe++) {
		const struct bucket6 *bucket = bucket_at(table, generation, p->hash, probe);

		for (int i = 0; i < BUCKET6_SLOTS; i++) {
			const uint32_t info = bucket->slot[i].info & ~SLOT6_OVERFLOW;
			const uint64_t value = (uint64_t)info << 32 | bucket->slot[i].page;

			if (bucket->slot[i].fingerprint == p->hash && value > best &&
			    !((info ^ p->rest << SLOT_REST_SHIFT) & slot_rest_mask(info)))
				best = value;
		}
		if (!(bucket->slot[0].info & SLOT6_OVERFLOW))
			break;
	}
	if (!info_is_page((uint32_t)(best >> 32)))
		return (uint8_t)(best >> 32);
	return page_class(table, generation, (uint32_t)best, p->rest);
}

uint8_t table6_lookup(const struct table *table, uint32_t generation, const struct addr *addr)
{
	const struct generation *g = &table->memory.settings->table[generation];
	const size_t top_line = (generation * FAMILY_COUNT + FAMILY_IPV6) * TOP_LINES;
	const uint32_t top = (uint32_t)(addr_high(addr) >> 48);
	struct place6 p;
	uint8_t found;

	for (int n = LEVELS6 - 1; n >= 0; n--) {
		if (!(g->levels6 >> n & 1))
			continue;
		p = place_of(table, generation, addr, LEVEL6_FIRST + (uint32_t)n * 8);
		found = group_class(table, generation, &p);
		if (found)
			return found;
	}
	return g->top6 ? table->memory.top[top_line + top / TOP_CELLS].list_class[top % TOP_CELLS]
		       : CLASS_NONE;
}
