/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table4.c - the IPv4 buckets: prefixes longer than /16, in groups of the levels 16 and 24.
 *
 * A bucket is shared by the groups whose permuted prefixes begin alike. When it is full, the group
 * with the most slots moves to a page. Where every slot is of another group that is no help, and
 * the caller has to build the table anew.
 */
#include "gate/table_internal.h"

/* Where a prefix belongs: its bucket, and what its slot has in common with others of its group. */
struct place4 {
	struct bucket4 *bucket;
	uint32_t level;
	uint32_t length; /* below the level: 1 to 8 */
	uint32_t rest;
	uint32_t tag;      /* in its position */
	uint32_t tag_mask; /* the payload is what lies below */
};

static uint32_t payload_mask(const struct place4 *p)
{
	return (p->tag_mask & -p->tag_mask) - 1;
}

/* The place of a permuted prefix; `rest` and `length` are the caller's. */
static struct place4 permuted_place(const struct table *table, uint32_t generation,
				    uint32_t permuted, uint32_t level)
{
	const uint32_t bits = level == 16 ? BUCKET4_SHORT_BITS : table->geometry.bucket4_bits;
	const uint32_t shift = slot4_tag_shift(level, bits);
	struct place4 place = { .level = level };

	place.bucket = level == 16 ? table->memory.short4 : table->memory.bucket4;
	place.bucket += (generation << bits) + (permuted >> (level - bits));
	place.tag_mask = (1u << SLOT_CODE_SHIFT) - (1u << shift);
	place.tag = (permuted << shift) & place.tag_mask;
	return place;
}

static struct place4 place_of(const struct table *table, uint32_t generation, uint32_t addr,
			      uint32_t level)
{
	const uint64_t seed = table->memory.settings->table[generation].seed;
	const uint32_t permuted = permute(addr >> (32 - level), level, seed);
	struct place4 place = permuted_place(table, generation, permuted, level);

	place.rest = (addr >> (24 - level)) & 0xff;
	return place;
}

static struct place4 target_place(const struct target *t)
{
	const uint32_t length = t->prefix.len - 96u;
	struct place4 place;

	place = place_of(t->table, t->generation, addr_ipv4(&t->prefix.addr),
			 length > BUCKET4_LEVEL ? BUCKET4_LEVEL : 16);
	place.length = length - place.level;
	return place;
}

static uint32_t prefix_slot(const struct place4 *p, uint8_t list_class)
{
	return (p->length - 1) << SLOT_CODE_SHIFT | p->tag | p->rest << SLOT_REST_SHIFT |
	       list_class;
}

static bool slot_is_page(uint32_t slot)
{
	return slot >> SLOT_CODE_SHIFT == SLOT_PAGE;
}

/* What a scan of a bucket finds for a place; -1 where there is none. */
struct scan4 {
	int same;  /* the slot of this very prefix */
	int page;  /* the slot of the group's page */
	int empty; /* a free slot */
};

/* In a generation that is being built there is nothing behind the first free slot. */
static struct scan4 scan(const struct place4 *p, bool live)
{
	const uint32_t wanted = prefix_slot(p, 0);
	struct scan4 found = { -1, -1, -1 };

	for (int i = 0; i < BUCKET4_SLOTS && (live || found.empty < 0); i++) {
		const uint32_t slot = p->bucket->slot[i];

		if (!slot)
			found.empty = i;
		else if (slot_is_page(slot) && (slot & p->tag_mask) == p->tag)
			found.page = i;
		else if ((slot & ~0xffu) == wanted)
			found.same = i;
	}
	return found;
}

/* How many slots of the bucket hold prefixes of one group. */
static int group_slots(const struct place4 *p, uint32_t tag)
{
	int count = 0;

	for (int i = 0; i < BUCKET4_SLOTS; i++) {
		const uint32_t slot = p->bucket->slot[i];

		count += slot && !slot_is_page(slot) && (slot & p->tag_mask) == tag;
	}
	return count;
}

/* The tag that has the most prefixes in the bucket; returns how many. */
static int largest_group(const struct place4 *p, uint32_t *tag)
{
	int best = 0;

	for (int i = 0; i < BUCKET4_SLOTS; i++) {
		const uint32_t candidate = p->bucket->slot[i] & p->tag_mask;
		const int count = group_slots(p, candidate);

		if (count > best) {
			best = count;
			*tag = candidate;
		}
	}
	return best;
}

static uint32_t page_slot(uint32_t tag, uint32_t page)
{
	return SLOT_PAGE << SLOT_CODE_SHIFT | tag | page;
}

static uint32_t slot_length(uint32_t slot)
{
	return (slot >> SLOT_CODE_SHIFT) + 1;
}

/* Marks the slots that hold prefixes of a group. */
static uint32_t group_mask(const struct place4 *p, uint32_t tag, struct page_survey *survey)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < BUCKET4_SLOTS; i++) {
		const uint32_t slot = p->bucket->slot[i];

		if (!slot || slot_is_page(slot) || (slot & p->tag_mask) != tag)
			continue;
		mask |= 1u << i;
		page_survey_add(survey, slot_length(slot), (uint8_t)slot);
	}
	return mask;
}

static void close_up(struct bucket4 *bucket)
{
	int kept = 0;

	for (int i = 0; i < BUCKET4_SLOTS; i++)
		if (bucket->slot[i])
			bucket->slot[kept++] = bucket->slot[i];
	while (kept < BUCKET4_SLOTS)
		bucket->slot[kept++] = 0;
}

/*
 * Moves the slots of one group to a page, also under the eyes of packets: the page is whole when
 * its slot appears, and is what counts from then on.
 */
static enum table_result move_to_page(const struct target *t, const struct place4 *p, uint32_t tag)
{
	struct page_survey survey = { 0 };
	const uint32_t mask = group_mask(p, tag, &survey);
	const uint32_t first = (uint32_t)__builtin_ctz(mask);
	struct target moved = *t;
	uint32_t page;

	if (page_new(t, survey.packs, survey.list_class, &page))
		return TABLE_NO_PAGE;
	for (uint32_t left = mask; left; left &= left - 1) {
		const uint32_t slot = p->bucket->slot[__builtin_ctz(left)];

		moved.list_class = (uint8_t)slot;
		page_paint(&moved, page, (slot >> SLOT_REST_SHIFT) & 0xff, slot_length(slot));
	}
	publish(&p->bucket->slot[first], page_slot(tag, page));
	for (uint32_t left = mask & (mask - 1); left; left &= left - 1)
		publish(&p->bucket->slot[__builtin_ctz(left)], 0);
	if (!t->live)
		close_up(p->bucket);
	return TABLE_OK;
}

/*
 * Moving a group of several prefixes frees slots. Where there is none, the prefix can still join
 * its own group, if that has a slot, by making that slot a page.
 */
static enum table_result make_room(const struct target *t, const struct place4 *p)
{
	uint32_t tag = 0;

	if (largest_group(p, &tag) < 2) {
		if (!group_slots(p, p->tag))
			return TABLE_CROWDED;
		tag = p->tag;
	}
	if (t->probe)
		return page_room(t, t->probe) ? TABLE_OK : TABLE_NO_PAGE;
	return move_to_page(t, p, tag);
}

/* Sets the bits of the /24s that the prefix covers or lies in. */
static void mark_bitmap(const struct target *t)
{
	const uint32_t length = t->prefix.len - 96u;
	const uint32_t first = addr_ipv4(&t->prefix.addr) >> 8;
	const uint32_t count = length < 24 ? 1u << (24 - length) : 1;
	uint64_t *word = t->table->memory.bitmap4 + t->generation * BITMAP4_WORDS + first / 64;

	if (count < 64) {
		publish_bits(t, word, ((1ull << count) - 1) << (first % 64));
		return;
	}
	for (uint32_t i = 0; i < count / 64; i++)
		publish(&word[i], ~0ull);
}

static uint32_t slot_page_number(const struct place4 *p, int slot)
{
	return p->bucket->slot[slot] & payload_mask(p);
}

/* The group has a page. If it is packed and the prefix does not fit, there is another page. */
static enum table_result put_in_page(const struct target *t, const struct place4 *p, int slot)
{
	uint32_t page = slot_page_number(p, slot);
	const bool takes = page_takes(t, page, p->length);

	if (t->probe)
		return takes || page_room(t, t->probe) ? TABLE_OK : TABLE_NO_PAGE;
	if (!takes) {
		if (page_unpack(t, page, &page))
			return TABLE_NO_PAGE;
		publish(&p->bucket->slot[slot], page_slot(p->tag, page));
	}
	page_paint(t, page, p->rest, p->length);
	return TABLE_OK;
}

static enum table_result put_in_bucket(const struct target *t, const struct place4 *p)
{
	struct scan4 found = scan(p, t->live);
	enum table_result result;

	while (found.same < 0 && found.page < 0 && found.empty < 0) {
		result = make_room(t, p);
		if (result != TABLE_OK || t->probe)
			return result;
		found = scan(p, t->live);
	}
	if (found.page >= 0)
		return put_in_page(t, p, found.page);
	if (!t->probe)
		publish(&p->bucket->slot[found.same >= 0 ? found.same : found.empty],
			prefix_slot(p, t->list_class));
	return TABLE_OK;
}

uint64_t table4_key(const struct target *t)
{
	const uint32_t addr = addr_ipv4(&t->prefix.addr);
	const uint32_t permuted =
		permute(addr >> (32 - BUCKET4_LEVEL), BUCKET4_LEVEL, target_generation(t)->seed);
	const uint32_t code = t->prefix.len - 96u - BUCKET4_LEVEL - 1;

	mark_bitmap(t);
	return (uint64_t)permuted << KEY4_PERMUTED_SHIFT | code << KEY4_CODE_SHIFT |
	       (addr & 0xff) << SLOT_REST_SHIFT | t->list_class;
}

enum table_result table4_put_key(struct target *t, uint64_t key, uint8_t *filled)
{
	struct place4 p = permuted_place(t->table, t->generation,
					 (uint32_t)(key >> KEY4_PERMUTED_SHIFT), BUCKET4_LEVEL);

	p.rest = key >> SLOT_REST_SHIFT & 0xff;
	p.length = (key >> KEY4_CODE_SHIFT & 7) + 1;
	t->list_class = (uint8_t)key;
	if (*filled < BUCKET4_SLOTS && !p.bucket->slot[*filled]) {
		p.bucket->slot[(*filled)++] = prefix_slot(&p, t->list_class);
		return TABLE_OK;
	}
	*filled = BUCKET4_SLOTS; /* from now on there may be pages, and free slots */
	return put_in_bucket(t, &p);
}

enum table_result table4_put(const struct target *t)
{
	const uint32_t length = t->prefix.len - 96u;
	enum table_result result = TABLE_OK;
	struct place4 p;

	if (length > TOP_LENGTH) {
		p = target_place(t);
		result = put_in_bucket(t, &p);
	} else if (!t->probe) {
		top_paint(t, FAMILY_IPV4, addr_ipv4(&t->prefix.addr) >> 16, length);
	}
	if (result == TABLE_OK && !t->probe)
		mark_bitmap(t);
	return result;
}

void table4_remove(const struct target *t, const struct table_cover *cover)
{
	const uint32_t length = t->prefix.len - 96u;
	struct place4 p;
	struct scan4 found;

	if (length <= TOP_LENGTH) {
		top_unpaint(t, FAMILY_IPV4, addr_ipv4(&t->prefix.addr) >> 16, length, cover);
		return;
	}
	p = target_place(t);
	found = scan(&p, true);
	if (found.page >= 0)
		page_unpaint(t, slot_page_number(&p, found.page), p.rest, p.length, cover,
			     96 + p.level);
	else if (found.same >= 0)
		publish(&p.bucket->slot[found.same], 0);
}

/* The class of the longest match in one bucket. */
static uint8_t bucket_class(const struct table *table, uint32_t generation, const struct place4 *p)
{
	const uint32_t key = p->tag | p->rest << SLOT_REST_SHIFT;
	uint32_t best = 0;

	for (int i = 0; i < BUCKET4_SLOTS; i++) {
		const uint32_t slot = p->bucket->slot[i];

		if (!((slot ^ key) & (p->tag_mask | slot_rest_mask(slot))) && slot > best)
			best = slot;
	}
	if (!slot_is_page(best))
		return (uint8_t)best;
	return page_class(table, generation, best & payload_mask(p), p->rest);
}

uint8_t table4_lookup(const struct table *table, uint32_t generation, uint32_t addr)
{
	const uint64_t *bitmap = table->memory.bitmap4 + generation * BITMAP4_WORDS;
	const size_t top_line = (generation * FAMILY_COUNT + FAMILY_IPV4) * TOP_LINES;
	struct place4 p;
	uint8_t found;

	if (!(bitmap[addr >> 14] >> ((addr >> 8) & 63) & 1))
		return CLASS_NONE;
	for (uint32_t level = 24; level >= 16; level -= 8) {
		p = place_of(table, generation, addr, level);
		found = bucket_class(table, generation, &p);
		if (found)
			return found;
	}
	return table->memory.top[top_line + (addr >> 16) / TOP_CELLS]
		.list_class[(addr >> 16) % TOP_CELLS];
}
