/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table.h - the agent's side of the block table: see maps/table.h for the layout.
 *
 * The table writes into memory that it borrows: the mapped arrays of the kernel, or any other of
 * the same sizes in tests. It knows prefixes and classes only; which entries take effect is decided
 * before (store/resolve.h). Callers take turns (gate/lists.c holds a lock).
 *
 * Two ways to change it:
 *   - build: table_begin(), any number of table_put() in any order, table_publish(). Packets see
 * the old contents until the one store in table_publish() and the new contents after it.
 *   - in place: table_insert(), table_replace() and table_remove() change one prefix of the live
 * generation. An address sees the table before or after, nothing in between.
 */
#ifndef POSTERN_GATE_TABLE_H
#define POSTERN_GATE_TABLE_H

#include <stdbool.h>

#include "lib/addr.h"
#include "lib/error.h"
#include "maps/counter.h"
#include "maps/settings.h"
#include "maps/table.h"

struct table_geometry {
	uint32_t bucket4_bits, bucket6_bits, filter6_bits;
	uint32_t page_lines;           /* of one generation */
	uint32_t capacity4, capacity6; /* prefixes that are let in */
};

/* The sizes for so many prefixes: see docs/architecture.md for the reckoning. */
struct table_geometry table_geometry_for(uint32_t capacity4, uint32_t capacity6);

/* Borrowed arrays, both generations of each. */
struct table_memory {
	struct settings *settings; /* `generation` and `table` */
	uint64_t *bitmap4;
	struct bucket4 *bucket4;
	struct bucket4 *short4;
	struct bucket6 *bucket6;
	uint64_t *filter6;
	struct top_line *top;
	struct page_line *page;
};

struct table;

int table_new(const struct table_memory *memory, const struct table_geometry *geometry,
	      struct table **out, struct error *err);
void table_free(struct table **table);

/* Why a prefix could not be put. */
enum table_result {
	TABLE_OK,
	TABLE_CROWDED, /* no room in its bucket: build again (another seed finds another place) */
	TABLE_FULL,    /* the capacity is used up */
	TABLE_NO_PAGE, /* the pages are used up */
	TABLE_NO_MEMORY,
};

/* Empties the generation that is not live and makes it the one that table_put() fills. */
void table_begin(struct table *table);
/* Waits until no packet looks at the generation any more that table_publish() has taken away. */
void table_wait(void);
enum table_result table_put(struct table *table, const struct prefix *prefix, uint8_t list_class);

/*
 * Puts many prefixes in less time, in an order of its own: table_begin(), table_batch_new(), any
 * number of table_batch_add(), table_batch_put(). Each of both may find that a prefix does not fit.
 */
struct table_batch;
int table_batch_new(struct table *table, struct table_batch **out, struct error *err);
enum table_result table_batch_add(struct table_batch *batch, const struct prefix *prefix,
				  uint8_t list_class);
/* `family` is that of the prefix that did not fit. */
enum table_result table_batch_put(struct table_batch *batch, enum family *family);
void table_batch_free(struct table_batch **batch);

/* `flags`: LIST_ALLOW and LIST_MONITOR of every list, by its slot. */
void table_publish(struct table *table, const uint8_t flags[LIST_SLOTS]);

/*
 * Whether table_insert() of this prefix (`held`: table_replace(), if the generation holds it) would
 * be TABLE_OK. Of replacements that fit, TABLE_REPLACE_MAX can be made one after the other.
 */
#define TABLE_REPLACE_MAX 1000
enum table_result table_fits(struct table *table, const struct prefix *prefix, uint8_t list_class,
			     bool held);
/* Adds a prefix that the live generation does not hold. */
enum table_result table_insert(struct table *table, const struct prefix *prefix,
			       uint8_t list_class);
/* Gives a prefix that it holds another class, after table_fits() has said TABLE_OK. */
void table_replace(struct table *table, const struct prefix *prefix, uint8_t list_class);
/*
 * Removes a prefix that it holds. `cover` is the longest prefix in the table
 * that holds it and shows through from now on, with its class; its class is CLASS_NONE if there is
 * none.
 */
struct table_cover {
	struct prefix prefix;
	uint8_t list_class;
};
void table_remove(struct table *table, const struct prefix *prefix,
		  const struct table_cover *cover);

struct table_use {
	uint64_t entries4, entries6;
	uint64_t pages; /* lines in use */
	uint64_t stale; /* removals in place, each of which may have left a filter bit behind */
};
struct table_use table_use(const struct table *table);

/* What the XDP program would find, computed from the same memory: for tests and self-checks. */
uint8_t table_lookup(const struct table *table, const struct addr *addr);

#endif
