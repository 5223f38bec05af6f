/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy/greylist_store.c - the greylist on disk: see policy/greylist.h.
 *
 * Called by the agent: greylist_load() at its start, greylist_save() from a thread that may wait.
 * In the file are the secret of the hashes, how many rows there are of each kind, and the rows.
 * Times in them are ages, because no clock of one start means anything to the next. What is read is
 * checked like anything from outside.
 *
 * The copy is made in pieces, and others ask between them. Who waits is copied before who has
 * passed: a key that passes meanwhile is then in both, and never in none.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/greylist_internal.h"
#include "store/snapshot.h"

#define KEPT_VERSION 1u
#define KEPT_MAX     (64u << 20) /* octets of a file that is read */
#define PIECE        512u        /* nodes that are looked at under one lock */

enum kind { WAITING, PASSED, MAKERS, KINDS };

struct row {
	uint64_t hash;
	uint32_t first; /* age in seconds; of a maker: since when */
	uint32_t last;  /* likewise; of a maker: how many domains */
};

struct kept_head {
	struct siphash_key secret;
	uint32_t count[KINDS];
	uint32_t zero;
};

_Static_assert(sizeof(struct row) == 16, "greylist: a row on disk has no padding");
_Static_assert(sizeof(struct kept_head) == 32, "greylist: the head on disk has no padding");
_Static_assert(sizeof(struct snapshot_head) % 8 == 0, "greylist: rows are aligned in the file");

/* What is made for the disk: both heads, then the rows. */
struct copy {
	uint8_t *whole;
	size_t rows, room;
	uint32_t count[KINDS];
};

#define HEADS (sizeof(struct snapshot_head) + sizeof(struct kept_head))

static struct snapshot_file file_in(const char *directory)
{
	return (struct snapshot_file){ directory, GREYLIST_FILE, KEPT_VERSION, KEPT_MAX };
}

static struct aged_table *table_of(const struct greylist *greylist, enum kind kind)
{
	struct aged_table *const tables[KINDS] = { [WAITING] = greylist->waiting,
						   [PASSED] = greylist->passed,
						   [MAKERS] = greylist->makers };

	return tables[kind];
}

/* To disk */

static uint32_t age_at(uint32_t now, uint32_t then)
{
	return now > then ? now - then : 0;
}

static struct row row_of(const struct aged *node, enum kind kind, uint32_t now)
{
	const struct maker *maker = (const struct maker *)(const void *)node;
	const struct seen *seen = (const struct seen *)(const void *)node;
	uint32_t first, last;

	if (kind == MAKERS)
		return (struct row){ node->hash, age_at(now, maker->since), maker->made };
	first = age_at(now, seen->first);
	last = age_at(now, seen->last);
	return (struct row){ node->hash, first, last < first ? last : first };
}

static bool make_room(struct copy *copy, size_t rows)
{
	uint8_t *grown = realloc(copy->whole, HEADS + (copy->rows + rows) * sizeof(struct row));

	if (!grown)
		return false;
	copy->whole = grown;
	copy->room = copy->rows + rows;
	return true;
}

static void add_row(struct copy *copy, enum kind kind, const struct row *row)
{
	memcpy(copy->whole + HEADS + copy->rows++ * sizeof(*row), row, sizeof(*row));
	copy->count[kind]++;
}

/* Under the lock. */
static void copy_piece(const struct aged_table *table, size_t first, size_t end, enum kind kind,
		       uint32_t now, struct copy *copy)
{
	for (size_t i = first; i < end; i++) {
		const struct aged *node = aged_at(table, i);
		const struct row row = node ? row_of(node, kind, now) : (struct row){ 0 };

		if (node)
			add_row(copy, kind, &row);
	}
}

/* Keys that come while it goes on may be left out: that is a change for the next time. */
static bool copy_table(struct greylist *greylist, enum kind kind, uint32_t now, struct copy *copy)
{
	const struct aged_table *table = table_of(greylist, kind);
	size_t used;

	pthread_mutex_lock(&greylist->lock);
	used = aged_used(table);
	pthread_mutex_unlock(&greylist->lock);
	if (!make_room(copy, used))
		return false;
	for (size_t first = 0; first < used; first += PIECE) {
		const size_t end = used - first < PIECE ? used : first + PIECE;

		pthread_mutex_lock(&greylist->lock);
		copy_piece(table, first, end, kind, now, copy);
		pthread_mutex_unlock(&greylist->lock);
	}
	return true;
}

static bool copy_all(struct greylist *greylist, uint32_t now, struct copy *copy)
{
	struct kept_head head = { .secret = greylist->secret };

	for (int kind = 0; kind < KINDS; kind++)
		if (!copy_table(greylist, (enum kind)kind, now, copy))
			return false;
	memcpy(head.count, copy->count, sizeof(head.count));
	memcpy(copy->whole + sizeof(struct snapshot_head), &head, sizeof(head));
	return true;
}

static uint64_t changes_of(struct greylist *greylist)
{
	uint64_t changes;

	pthread_mutex_lock(&greylist->lock);
	changes = greylist->changes;
	pthread_mutex_unlock(&greylist->lock);
	return changes;
}

int greylist_save(struct greylist *greylist, const char *directory, uint32_t now,
		  struct greylist_kept *out, struct error *err)
{
	const struct snapshot_file file = file_in(directory);
	const uint64_t changes = changes_of(greylist);
	struct copy copy = { 0 };
	size_t size;
	int failed;

	*out = (struct greylist_kept){ 0 };
	if (changes == greylist->saved)
		return 0;
	if (!copy_all(greylist, now, &copy)) {
		free(copy.whole);
		return error_set(err, ERROR_REFUSED, "greylist: out of memory to save it");
	}
	size = HEADS + copy.rows * sizeof(struct row);
	failed = snapshot_write(&file, copy.whole, size, err);
	free(copy.whole);
	if (failed)
		return failed;
	greylist->saved = changes;
	*out = (struct greylist_kept){ copy.count[WAITING], copy.count[PASSED], copy.count[MAKERS],
				       size, 0 };
	return 0;
}

/* From disk */

static bool is_row(const struct row *row, enum kind kind)
{
	if (kind == MAKERS)
		return row->last && row->last <= GREYLIST_DOMAINS_MAX;
	return row->first >= row->last;
}

/* Whether the octets are what greylist_save() makes. */
static bool is_sound(const uint8_t *data, size_t size, struct kept_head *head)
{
	const struct row *row = (const struct row *)(const void *)(data + sizeof(*head));
	uint64_t rows = 0;

	if (size < sizeof(*head))
		return false;
	memcpy(head, data, sizeof(*head));
	for (int kind = 0; kind < KINDS; kind++)
		rows += head->count[kind];
	if (rows * sizeof(*row) != size - sizeof(*head))
		return false;
	for (int kind = 0; kind < KINDS; kind++)
		for (uint32_t i = 0; i < head->count[kind]; i++, row++)
			if (!is_row(row, (enum kind)kind))
				return false;
	return true;
}

/* Oldest first. */
static int compare_last(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	return (left->last < right->last) - (left->last > right->last);
}

static int compare_first(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	return (left->first < right->first) - (left->first > right->first);
}

/* What is being loaded, and how far all in it lies back. */
struct load {
	struct greylist *greylist;
	const struct greylist_rules *rules;
	uint32_t now, age;
};

/* Before there was anything: 0. */
static uint32_t then(const struct load *load, uint32_t age)
{
	const uint64_t back = (uint64_t)load->age + age;

	return back < load->now ? load->now - (uint32_t)back : 0;
}

/* Who has passed need not wait again. */
static void put_seen(const struct load *load, enum kind kind, const struct row *row)
{
	struct seen seen = { .first = then(load, row->first),
			     .last = then(load, row->last),
			     .passed = kind == PASSED };
	struct seen *own;
	bool made;

	if (greylist_is_over(&seen, load->rules, load->now) ||
	    (!seen.passed && aged_first(load->greylist->passed, row->hash)))
		return;
	own = (struct seen *)greylist_node(table_of(load->greylist, kind), row->hash, &made);
	own->first = seen.first;
	own->last = seen.last;
	own->passed = seen.passed;
}

static void put_maker(const struct load *load, const struct row *row)
{
	const uint32_t since = then(load, row->first);
	struct maker *own;
	bool made;

	if (load->now - since >= GREYLIST_MAKER_SECONDS)
		return;
	own = (struct maker *)greylist_node(load->greylist->makers, row->hash, &made);
	own->since = since;
	own->made = row->last;
}

/* The order is that in which they were touched last, so that those of a greylist too small go. */
static void put_rows(const struct load *load, enum kind kind, struct row *rows, size_t count)
{
	qsort(rows, count, sizeof(*rows), kind == MAKERS ? compare_first : compare_last);
	for (size_t i = 0; i < count; i++)
		if (kind == MAKERS)
			put_maker(load, &rows[i]);
		else
			put_seen(load, kind, &rows[i]);
}

static void put_all(const struct load *load, const struct kept_head *head, struct row *rows)
{
	struct row *const passed = rows + head->count[WAITING];

	load->greylist->secret = head->secret;
	put_rows(load, PASSED, passed, head->count[PASSED]);
	put_rows(load, WAITING, rows, head->count[WAITING]);
	put_rows(load, MAKERS, passed + head->count[PASSED], head->count[MAKERS]);
}

int greylist_decode(struct greylist *greylist, const struct greylist_rules *rules,
		    const struct snapshot *snapshot, uint32_t now, struct error *err)
{
	const struct load load = { greylist, rules, now, snapshot->age };
	struct kept_head head;

	if (!is_sound(snapshot->data, snapshot->size, &head))
		return error_set(err, ERROR_REFUSED, "it is damaged: what is in it is no greylist");
	put_all(&load, &head, (struct row *)(void *)(snapshot->data + sizeof(head)));
	return 0;
}

/* Says what became of it, after why. */
static int put_aside(const struct snapshot_file *file, struct error *err)
{
	struct error why = *err, failed;

	if (snapshot_put_aside(file, &failed))
		return error_set(err, ERROR_REFUSED, "%s/%s: %.200s; %.200s", file->directory,
				 file->name, why.text, failed.text);
	return error_set(err, ERROR_REFUSED, "%s/%s: %.200s; it is called %s.bad now",
			 file->directory, file->name, why.text, file->name);
}

int greylist_load(struct greylist *greylist, const struct greylist_rules *rules,
		  const char *directory, uint32_t now, struct greylist_kept *out, struct error *err)
{
	const struct snapshot_file file = file_in(directory);
	struct snapshot snapshot = { 0 };
	int found = snapshot_read(&file, &snapshot, err);

	*out = (struct greylist_kept){ 0 };
	if (found > 0 && greylist_decode(greylist, rules, &snapshot, now, err))
		found = ERROR_REFUSED;
	if (found > 0)
		*out = (struct greylist_kept){ aged_count(greylist->waiting),
					       aged_count(greylist->passed),
					       aged_count(greylist->makers),
					       snapshot.size + sizeof(struct snapshot_head),
					       snapshot.age };
	snapshot_free(&snapshot);
	return found < 0 ? put_aside(&file, err) : 0;
}
