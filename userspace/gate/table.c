/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table.c - generations, capacities and the choice of the family: see gate/table.h.
 */
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gate/table_internal.h"

/*
 * The reckoning behind the sizes. An IPv4 bucket of 16 slots is full on average to a quarter at the
 * capacity, so that with random addresses one in a million is too full. With BUCKET4_MAX_BITS it
 * may be fuller, because then a bucket has no more groups than slots, and each can move to a page.
 * An IPv6 bucket of 4 slots is half full, because there neighbours help out. Pages are for the
 * rest: the worst that addresses can do is to come in groups that barely do not fit a bucket, which
 * takes a line for 17 of them (9 in IPv6), and one more for a /16 that holds /24s.
 */
#define BUCKET4_LOAD     4
#define BUCKET6_LOAD     2
#define FILTER6_LOAD     4 /* groups a word of 64 bits, three bits each: 1 in 150 is a false alarm */
#define PREFIXES_A_LINE4 10
#define PREFIXES_A_LINE6 8
#define LINES_MIN        256
#define INSERT_PAGES     2 /* that a prefix may need: a packed one, and one that takes it */
#define BUCKET6_BITS_MIN 8
#define BUCKET6_BITS_MAX 23
#define FILTER6_BITS_MIN 8
#define FILTER6_BITS_MAX 22

/* Asked by anyone, at any time: the numbers may be of different moments, but are whole. */
#define peek(number)        __atomic_load_n(&(number), __ATOMIC_RELAXED)
#define poke(number, value) __atomic_store_n(&(number), value, __ATOMIC_RELAXED)

static uint32_t bits_for(uint32_t count, uint32_t min, uint32_t max)
{
	uint32_t bits = min;

	while (bits < max && (1u << bits) < count)
		bits++;
	return bits;
}

struct table_geometry table_geometry_for(uint32_t capacity4, uint32_t capacity6)
{
	const uint32_t lines =
		capacity4 / PREFIXES_A_LINE4 + capacity6 / PREFIXES_A_LINE6 + LINES_MIN;
	uint32_t bits = bits_for(capacity4 / BUCKET4_LOAD, BUCKET4_MIN_BITS, BUCKET4_MAX_BITS);

	while (slot4_pages(bits) < lines)
		bits++;
	return (struct table_geometry){
		.bucket4_bits = bits,
		.bucket6_bits =
			bits_for(capacity6 / BUCKET6_LOAD, BUCKET6_BITS_MIN, BUCKET6_BITS_MAX),
		.filter6_bits =
			bits_for(capacity6 / FILTER6_LOAD, FILTER6_BITS_MIN, FILTER6_BITS_MAX),
		.page_lines = lines,
		.capacity4 = capacity4,
		.capacity6 = capacity6,
	};
}

int table_new(const struct table_memory *memory, const struct table_geometry *geometry,
	      struct table **out, struct error *err)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return error_set(err, ERROR_REFUSED, "out of memory for the block table");
	table->memory = *memory;
	table->geometry = *geometry;
	for (int i = 0; i < GENERATIONS; i++) {
		table->notes[i].dirty6 = true; /* who knows what the memory holds */
		table->notes[i].page_length = calloc(geometry->page_lines / PAGE_LINES, PAGE_CELLS);
		if (!table->notes[i].page_length) {
			table_free(&table);
			return error_set(err, ERROR_REFUSED, "out of memory for the block table");
		}
	}
	*out = table;
	return 0;
}

void table_free(struct table **table)
{
	if (!*table)
		return;
	for (int i = 0; i < GENERATIONS; i++)
		free((*table)->notes[i].page_length);
	free(*table);
	*table = NULL;
}

static uint32_t live_generation(const struct table *table)
{
	return __atomic_load_n(&table->memory.settings->generation, __ATOMIC_ACQUIRE) & 1;
}

/*
 * Waits until no packet is still looking at the generation that was live before: the programs run
 * inside RCU read sections, and this system call returns after all of those that had begun.
 */
void table_wait(void)
{
	const useconds_t longest_read = 50000;

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(longest_read);
}

static void clear_generation(struct table *table, uint32_t g)
{
	const struct table_geometry *geometry = &table->geometry;
	const struct table_memory *m = &table->memory;
	struct generation_notes *notes = &table->notes[g];

	memset(m->bitmap4 + g * BITMAP4_WORDS, 0, BITMAP4_WORDS * sizeof(*m->bitmap4));
	memset(m->bucket4 + (g << geometry->bucket4_bits), 0,
	       sizeof(*m->bucket4) << geometry->bucket4_bits);
	memset(m->short4 + (g << BUCKET4_SHORT_BITS), 0, sizeof(*m->short4) << BUCKET4_SHORT_BITS);
	if (notes->dirty6) {
		memset(m->bucket6 + (g << geometry->bucket6_bits), 0,
		       sizeof(*m->bucket6) << geometry->bucket6_bits);
		memset(m->filter6 + (g << geometry->filter6_bits), 0,
		       sizeof(*m->filter6) << geometry->filter6_bits);
	}
	notes->dirty6 = false;
	memset(m->top + g * FAMILY_COUNT * TOP_LINES, 0,
	       sizeof(*m->top) * FAMILY_COUNT * TOP_LINES);
	memset(&m->settings->table[g], 0, sizeof(m->settings->table[g]));
	memset(notes->top_length, 0, sizeof(notes->top_length));
	memset(notes->entries, 0, sizeof(notes->entries));
	notes->pages = notes->packed_pages = 0; /* page_new() clears what it hands out */
}

void table_begin(struct table *table)
{
	const uint32_t g = !live_generation(table);
	uint64_t seed = 0;

	table_wait();
	clear_generation(table, g);
	while (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		;
	table->memory.settings->table[g].seed = seed;
}

struct target target_of(struct table *table, const struct prefix *prefix, bool live)
{
	return (struct target){
		.table = table,
		.generation = live ? live_generation(table) : !live_generation(table),
		.live = live,
		.prefix = *prefix,
	};
}

static enum family target_family(const struct target *t)
{
	return prefix_is_ipv4(&t->prefix) ? FAMILY_IPV4 : FAMILY_IPV6;
}

void table_note_answers(const struct target *t)
{
	const uint32_t action = class_action(t->list_class);

	if (!t->probe && (action == ACTION_REFUSE || action == ACTION_TARPIT))
		publish(&target_generation(t)->answers, 1);
}

static enum table_result place(const struct target *t)
{
	table_note_answers(t);
	return target_family(t) == FAMILY_IPV4 ? table4_put(t) : table6_put(t);
}

static bool count_one(struct generation_notes *notes, const struct table_geometry *geometry,
		      enum family family)
{
	uint64_t *entries = &notes->entries[family];

	if (*entries >= (family == FAMILY_IPV4 ? geometry->capacity4 : geometry->capacity6))
		return false;
	poke(*entries, *entries + 1);
	return true;
}

bool table_count_one(struct table *table, enum family family)
{
	return count_one(&table->notes[!live_generation(table)], &table->geometry, family);
}

/* A prefix that the generation does not hold yet. */
static enum table_result put(const struct target *t)
{
	const enum family family = target_family(t);
	uint64_t *entries = &target_notes(t)->entries[family];
	enum table_result result;

	if (!count_one(target_notes(t), &t->table->geometry, family))
		return TABLE_FULL;
	result = place(t);
	if (result != TABLE_OK || t->probe)
		poke(*entries, *entries - 1);
	return result;
}

enum table_result table_put(struct table *table, const struct prefix *prefix, uint8_t list_class)
{
	struct target t = target_of(table, prefix, false);

	t.list_class = list_class;
	return put(&t);
}

void table_publish(struct table *table, const uint8_t flags[LIST_SLOTS])
{
	const uint32_t g = !live_generation(table);

	memcpy(table->memory.settings->table[g].list_flags, flags, LIST_SLOTS);
	poke(table->stale, 0);
	publish(&table->memory.settings->generation, g);
}

enum table_result table_fits(struct table *table, const struct prefix *prefix, uint8_t list_class,
			     bool held)
{
	struct target t = target_of(table, prefix, true);

	t.probe = held ? TABLE_REPLACE_MAX + 1 : INSERT_PAGES;
	t.list_class = list_class;
	return held ? place(&t) : put(&t);
}

enum table_result table_insert(struct table *table, const struct prefix *prefix, uint8_t list_class)
{
	struct target t = target_of(table, prefix, true);

	t.list_class = list_class;
	return put(&t);
}

void table_replace(struct table *table, const struct prefix *prefix, uint8_t list_class)
{
	struct target t = target_of(table, prefix, true);

	t.list_class = list_class;
	place(&t);
}

void table_remove(struct table *table, const struct prefix *prefix, const struct table_cover *cover)
{
	struct target t = target_of(table, prefix, true);
	uint64_t *entries = &target_notes(&t)->entries[target_family(&t)];

	if (target_family(&t) == FAMILY_IPV4)
		table4_remove(&t, cover);
	else
		table6_remove(&t, cover);
	poke(*entries, *entries - 1);
	poke(table->stale, table->stale + 1);
}

struct table_use table_use(const struct table *table)
{
	const struct generation_notes *notes = &table->notes[live_generation(table)];

	return (struct table_use){
		.entries4 = peek(notes->entries[FAMILY_IPV4]),
		.entries6 = peek(notes->entries[FAMILY_IPV6]),
		.pages = page_lines_used(notes),
		.stale = peek(table->stale),
	};
}

uint8_t table_lookup(const struct table *table, const struct addr *addr)
{
	const uint32_t g = live_generation(table);

	if (addr_is_ipv4(addr))
		return table4_lookup(table, g, addr_ipv4(addr));
	return table6_lookup(table, g, addr);
}
