/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table4_bucket.c - the IPv4 buckets: slots, and groups that move to pages.
 *
 * A bucket is shared by the groups whose permuted prefixes begin alike. When it is full, the group
 * with the most slots moves to a page. Where every slot is of another group that is no help, and
 * the caller has to build the table anew.
 */
#include "gate/table_internal.h"

static uint32_t payload_mask(const struct place4 *p)
{
	return (p->tag_mask & -p->tag_mask) - 1;
}

uint32_t slot4_of(int length, uint32_t rest, uint8_t list_class)
{
	const uint32_t code = length > 0 ? (uint32_t)length : 0;
	const uint32_t detail = length > 0 ? rest : (uint32_t)(BUCKET4_LEVEL + length);

	return code << SLOT_CODE_SHIFT | detail << SLOT_REST_SHIFT | list_class;
}

int slot4_length(uint32_t slot)
{
	const uint32_t code = slot >> SLOT_CODE_SHIFT;

	return code ? (int)code : (int)(slot >> SLOT_REST_SHIFT & 0xff) - BUCKET4_LEVEL;
}

uint32_t slot4_rest(uint32_t slot)
{
	return slot >> SLOT_CODE_SHIFT ? slot >> SLOT_REST_SHIFT & 0xff : 0;
}

static uint32_t prefix_slot(const struct place4 *p, uint8_t list_class)
{
	return p->tag | slot4_of(p->length, p->rest, list_class);
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

/* Marks the slots that hold prefixes of a group. */
static uint32_t group_mask(const struct place4 *p, uint32_t tag, struct page_survey *survey)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < BUCKET4_SLOTS; i++) {
		const uint32_t slot = p->bucket->slot[i];

		if (!slot || slot_is_page(slot) || (slot & p->tag_mask) != tag)
			continue;
		mask |= 1u << i;
		page_survey_add(survey, slot4_length(slot), (uint8_t)slot);
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

	if (page_new(t, !survey.mixed, survey.list_class ? survey.list_class : t->list_class,
		     &page))
		return TABLE_NO_PAGE;
	for (uint32_t left = mask; left; left &= left - 1) {
		const uint32_t slot = p->bucket->slot[__builtin_ctz(left)];

		moved.list_class = (uint8_t)slot;
		page_paint(&moved, page, slot4_rest(slot), slot4_length(slot));
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

enum table_result bucket4_put(const struct target *t, const struct place4 *p)
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

/*
 * Several parts of one prefix may come to the same bucket: each then needs a free slot or has one,
 * or there is a page. What a bucket could make room for once is not counted on twice.
 */
void bucket4_remove(const struct target *t, const struct place4 *p, const struct table_cover *under)
{
	const struct scan4 found = scan(p, true);

	if (found.page >= 0)
		page_unpaint(t, slot_page_number(p, found.page), p->rest, p->length, under,
			     96 + p->level);
	else if (found.same >= 0)
		publish(&p->bucket->slot[found.same], 0);
}

uint8_t bucket4_class(const struct table *table, uint32_t generation, const struct place4 *p)
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
