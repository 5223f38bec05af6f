/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table_internal.h - shared by table.c (the whole), table_build.c (many prefixes at once),
 * table4.c, table6.c (prefixes of a family), table4_bucket.c and table_page.c (pages and the tops).
 * Nobody else includes it.
 */
#ifndef POSTERN_GATE_TABLE_INTERNAL_H
#define POSTERN_GATE_TABLE_INTERNAL_H

#include "gate/table.h"

#define TOP_LENGTH    16 /* prefixes up to this length are painted into `top` */
#define TOP_PREFIXES  (1u << TOP_LENGTH)
#define BUCKET4_LEVEL 24 /* of `bucket4`; `short4` has level 16 */

/* Beside the classes that the kernel sees: the length of the prefix that painted each cell. */
struct generation_notes {
	uint8_t (*page_length)[PAGE_CELLS];             /* see table_page.c */
	uint8_t top_length[FAMILY_COUNT][TOP_PREFIXES]; /* length + 1; 0 is unpainted */
	bool dirty6;                                    /* an IPv6 bucket may hold something */
	uint32_t pages, packed_pages;                   /* handed out */
	uint64_t entries[FAMILY_COUNT];
};

struct table {
	struct table_memory memory;
	struct table_geometry geometry;
	struct generation_notes notes[GENERATIONS];
	uint64_t stale;
};

/* A prefix as one generation of the table sees it. */
struct target {
	struct table *table;
	uint32_t generation;
	bool live;      /* packets read it: only changes that they see whole */
	uint32_t probe; /* not 0: say whether it would fit with so many pages, change nothing */
	struct prefix prefix;
	uint8_t list_class;
};

static inline struct generation *target_generation(const struct target *t)
{
	return &t->table->memory.settings->table[t->generation];
}

static inline struct generation_notes *target_notes(const struct target *t)
{
	return &t->table->notes[t->generation];
}

struct target target_of(struct table *table, const struct prefix *prefix, bool live);
/* Counts an entry in the generation that is filled; false if it is one too many. */
bool table_count_one(struct table *table, enum family family);

/* Before an entry can be seen: if it answers its source, the program looks up later segments, too.
 */
void table_note_answers(const struct target *t);

/* A store that packets may see at any moment, after everything that was stored before it. */
#define publish(place, value) __atomic_store_n(place, value, __ATOMIC_RELEASE)

/* The same for bits of a word. While a generation is built nobody looks, and this thread is alone.
 */
static inline void publish_bits(const struct target *t, uint64_t *word, uint64_t bits)
{
	if (t->live)
		__atomic_fetch_or(word, bits, __ATOMIC_RELEASE);
	else
		*word |= bits;
}

/*
 * Pages, by the numbers that slots hold; `rest` and `length` are below the page's level. A prefix
 * that holds all of the group has a length of 0 or less, and `rest` 0.
 */
uint32_t page_lines_used(const struct generation_notes *notes);
/* Whether there is room for so many pages. */
bool page_room(const struct target *t, uint32_t pages);
/* An empty page; a packed one holds prefixes of `list_class` only. Returns -1 if there is none. */
int page_new(const struct target *t, bool packed, uint8_t list_class, uint32_t *page);
/* Whether the page can hold a prefix of the target's class. */
bool page_takes(const struct target *t, uint32_t page, int length);
/* A page that is not packed with what a packed one holds; -1 if there is none. */
int page_unpack(const struct target *t, uint32_t packed, uint32_t *page);
void page_paint(const struct target *t, uint32_t page, uint32_t rest, int length);
/* `under` is what shows from now on; `level` counts as lengths of prefixes do. */
void page_unpaint(const struct target *t, uint32_t page, uint32_t rest, int length,
		  const struct table_cover *under, uint32_t level);
uint8_t page_class(const struct table *table, uint32_t generation, uint32_t page, uint32_t rest);

/* What shows in a group, whose shortest prefix may have so many bits: a longer cover, or nothing.
 */
static inline struct table_cover cover_in_group(const struct table_cover *cover, uint32_t shortest)
{
	return cover->prefix.len >= shortest ? *cover : (struct table_cover){ 0 };
}

/* What kind of page the prefixes of a group fit. Starts as { 0 }. */
struct page_survey {
	bool mixed;         /* no packed one */
	uint8_t list_class; /* of the last that would be a bit in a packed one */
};
void page_survey_add(struct page_survey *survey, int length, uint8_t list_class);
void top_paint(const struct target *t, uint32_t family, uint32_t first, uint32_t length);
void top_unpaint(const struct target *t, uint32_t family, uint32_t first, uint32_t length,
		 const struct table_cover *cover);

/*
 * Where an IPv4 prefix belongs, or the part of it that is in one /24: its bucket, and what its slot
 * has in common with others of its group.
 */
struct place4 {
	struct bucket4 *bucket;
	uint32_t level;
	int length; /* below the level: 1 to 8, or 0 if it holds all of the group */
	uint32_t rest;
	uint32_t tag;      /* in its position */
	uint32_t tag_mask; /* the payload is what lies below */
};

/* A slot without its tag, and what it says of a place. */
uint32_t slot4_of(int length, uint32_t rest, uint8_t list_class);
int slot4_length(uint32_t slot);
uint32_t slot4_rest(uint32_t slot);

enum table_result bucket4_put(const struct target *t, const struct place4 *p);
void bucket4_remove(const struct target *t, const struct place4 *p,
		    const struct table_cover *under);
/* The class of the longest match. */
uint8_t bucket4_class(const struct table *table, uint32_t generation, const struct place4 *p);

/*
 * What is left of a prefix of level 24, and its class, to be put later: a number that begins with
 * that of the bucket. `filled` is of the bucket, and 0 at first.
 */
#define KEY4_PERMUTED_SHIFT 40
uint64_t table4_key(const struct target *t);
/* Sets the bits of the /24s that the prefix covers or lies in. */
void table4_mark(const struct target *t);
enum table_result table4_put_key(struct target *t, uint64_t key, uint8_t *filled);
enum table_result table4_put(const struct target *t);
void table4_remove(const struct target *t, const struct table_cover *cover);
uint8_t table4_lookup(const struct table *table, uint32_t generation, uint32_t addr);

/* The bucket of a prefix longer than TOP_LENGTH. */
uint32_t table6_bucket(const struct target *t);
enum table_result table6_put(const struct target *t);
void table6_remove(const struct target *t, const struct table_cover *cover);
uint8_t table6_lookup(const struct table *table, uint32_t generation, const struct addr *addr);

#endif
