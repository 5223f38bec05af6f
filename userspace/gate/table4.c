/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table4.c - the IPv4 prefixes: in groups of the levels 16 and 24, or in `top` up to /16.
 *
 * At level 24 a prefix may stand in each /24 that it covers. Its parts are then put and removed one
 * after the other, which no address sees, because each is in one /24.
 */
#include "gate/table_internal.h"

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

static uint32_t target_length(const struct target *t)
{
	return t->prefix.len - 96u;
}

static uint32_t target_level(const struct target *t)
{
	return target_length(t) >= BUCKET4_LEVEL ? BUCKET4_LEVEL : 16;
}

static struct place4 target_place(const struct target *t)
{
	struct place4 place;

	place = place_of(t->table, t->generation, addr_ipv4(&t->prefix.addr), target_level(t));
	place.length = (int)target_length(t) - (int)place.level;
	return place;
}

void table4_mark(const struct target *t)
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

uint64_t table4_key(const struct target *t)
{
	const uint32_t addr = addr_ipv4(&t->prefix.addr);
	const uint32_t permuted =
		permute(addr >> (32 - BUCKET4_LEVEL), BUCKET4_LEVEL, target_generation(t)->seed);
	const int length = (int)target_length(t) - BUCKET4_LEVEL;

	return (uint64_t)permuted << KEY4_PERMUTED_SHIFT |
	       slot4_of(length, addr & 0xff, t->list_class);
}

enum table_result table4_put_key(struct target *t, uint64_t key, uint8_t *filled)
{
	const uint32_t slot = (uint32_t)key;
	struct place4 p = permuted_place(t->table, t->generation,
					 (uint32_t)(key >> KEY4_PERMUTED_SHIFT), BUCKET4_LEVEL);

	if (*filled < BUCKET4_SLOTS && !p.bucket->slot[*filled]) {
		p.bucket->slot[(*filled)++] = p.tag | slot;
		return TABLE_OK;
	}
	*filled = BUCKET4_SLOTS; /* from now on there may be pages, and free slots */
	p.rest = slot4_rest(slot);
	p.length = slot4_length(slot);
	t->list_class = (uint8_t)slot;
	return bucket4_put(t, &p);
}

enum table_result table4_put(const struct target *t)
{
	const uint32_t length = target_length(t);
	enum table_result result = TABLE_OK;
	struct place4 p;

	if (length > TOP_LENGTH) {
		p = target_place(t);
		result = bucket4_put(t, &p);
	} else if (!t->probe) {
		top_paint(t, FAMILY_IPV4, addr_ipv4(&t->prefix.addr) >> 16, length);
	}
	if (result == TABLE_OK && !t->probe)
		table4_mark(t);
	return result;
}

void table4_remove(const struct target *t, const struct table_cover *cover)
{
	const uint32_t length = target_length(t);
	const uint32_t shortest = target_level(t) == BUCKET4_LEVEL ? BUCKET4_LEVEL : TOP_LENGTH + 1;
	const struct table_cover under = cover_in_group(cover, 96 + shortest);
	struct place4 p;

	if (length <= TOP_LENGTH) {
		top_unpaint(t, FAMILY_IPV4, addr_ipv4(&t->prefix.addr) >> 16, length, cover);
		return;
	}
	p = target_place(t);
	bucket4_remove(t, &p, &under);
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
		found = bucket4_class(table, generation, &p);
		if (found)
			return found;
	}
	return table->memory.top[top_line + (addr >> 16) / TOP_CELLS]
		.list_class[(addr >> 16) % TOP_CELLS];
}
