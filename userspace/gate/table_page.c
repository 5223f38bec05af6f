/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table_page.c - painted classes: the pages of crowded groups, packed or not, and the tops.
 *
 * Where a cell has been painted by a prefix, a shorter one must not paint over it. The kernel needs
 * only the class, so the lengths are kept here, as notes. The bits of a packed page have one length
 * and need none; what lies under them is one cell with a note beside it.
 *
 * The lines of a generation are handed out from both ends: to packed pages from the first on, to
 * pages from the last on. None comes back before the generation is built anew, because packets
 * may still be looking at it.
 */
#include <string.h>

#include "gate/table_internal.h"

/*
 * Lengths are below the page's level: 1 to 8, and 0 of what holds all of the group. A note is a
 * length and NOTE_OF_0; 0 is unpainted.
 */
#define PACKED_LENGTH 8 /* of the bits of a packed page */
#define NOTE_OF_0     1

static struct page_line *lines_of(const struct target *t)
{
	return t->table->memory.page + (size_t)t->generation * t->table->geometry.page_lines;
}

static struct packed_page *packed_page(const struct target *t, uint32_t page)
{
	return &lines_of(t)[page >> 1].packed;
}

/* The lengths of the cells of a page that is not packed; such pages are counted from the end. */
static uint8_t *page_lengths(const struct target *t, uint32_t page)
{
	const uint32_t from_end = (t->table->geometry.page_lines - (page >> 1)) / PAGE_LINES - 1;

	return target_notes(t)->page_length[from_end];
}

uint32_t page_lines_used(const struct generation_notes *notes)
{
	return notes->packed_pages + notes->pages * PAGE_LINES;
}

bool page_room(const struct target *t, uint32_t pages)
{
	return t->table->geometry.page_lines - page_lines_used(target_notes(t)) >=
	       pages * PAGE_LINES;
}

static int packed_new(const struct target *t, uint8_t list_class, uint32_t *page)
{
	struct generation_notes *notes = target_notes(t);

	if (page_lines_used(notes) == t->table->geometry.page_lines)
		return -1;
	*page = notes->packed_pages++ << 1 | PAGE_PACKED;
	*packed_page(t, *page) = (struct packed_page){ .list_class = list_class };
	return 0;
}

int page_new(const struct target *t, bool packed, uint8_t list_class, uint32_t *page)
{
	struct generation_notes *notes = target_notes(t);
	uint32_t line;

	if (packed)
		return packed_new(t, list_class, page);
	if (!page_room(t, 1))
		return -1;
	line = t->table->geometry.page_lines - ++notes->pages * PAGE_LINES;
	*page = line << 1;
	memset(&lines_of(t)[line], 0, PAGE_CELLS);
	memset(page_lengths(t, *page), 0, PAGE_CELLS);
	return 0;
}

static void paint(uint8_t *list_class, uint8_t *length_note, uint32_t count, uint8_t value,
		  uint8_t length)
{
	for (uint32_t i = 0; i < count; i++) {
		if (length_note[i] > length)
			continue;
		length_note[i] = length;
		publish(&list_class[i], value);
	}
}

static void unpaint(uint8_t *list_class, uint8_t *length_note, uint32_t count, uint8_t length,
		    uint8_t under, uint8_t under_length)
{
	for (uint32_t i = 0; i < count; i++) {
		if (length_note[i] != length)
			continue;
		length_note[i] = under_length;
		publish(&list_class[i], under);
	}
}

static uint8_t note_of(int length)
{
	return (uint8_t)(length + NOTE_OF_0);
}

static uint32_t cells_of(int length)
{
	return length > 0 ? 1u << (8 - length) : PAGE_CELLS;
}

/* The cells of a page: four lines that lie side by side. */
static uint8_t *page_cells(const struct target *t, uint32_t page)
{
	return (uint8_t *)&lines_of(t)[page >> 1];
}

static void packed_paint(const struct target *t, struct packed_page *packed, uint32_t rest,
			 int length)
{
	if (length == PACKED_LENGTH)
		publish_bits(t, (uint64_t *)&packed->bit[rest / 64], 1ull << rest % 64);
	else
		paint(&packed->under, &packed->under_note, 1, t->list_class, note_of(length));
}

void page_paint(const struct target *t, uint32_t page, uint32_t rest, int length)
{
	if (page & PAGE_PACKED)
		packed_paint(t, packed_page(t, page), rest, length);
	else
		paint(page_cells(t, page) + rest, page_lengths(t, page) + rest, cells_of(length),
		      t->list_class, note_of(length));
}

static void packed_unpaint(struct packed_page *packed, uint32_t rest, int length, uint8_t under,
			   uint8_t under_note)
{
	if (length == PACKED_LENGTH)
		__atomic_fetch_and(&packed->bit[rest / 64], ~(1ull << rest % 64), __ATOMIC_RELEASE);
	else
		unpaint(&packed->under, &packed->under_note, 1, note_of(length), under, under_note);
}

void page_unpaint(const struct target *t, uint32_t page, uint32_t rest, int length,
		  const struct table_cover *under, uint32_t level)
{
	const int under_length = (int)under->prefix.len - (int)level;
	const uint8_t under_note = under->list_class ? note_of(under_length) : 0;

	if (page & PAGE_PACKED)
		packed_unpaint(packed_page(t, page), rest, length, under->list_class, under_note);
	else
		unpaint(page_cells(t, page) + rest, page_lengths(t, page) + rest, cells_of(length),
			note_of(length), under->list_class, under_note);
}

bool page_takes(const struct target *t, uint32_t page, int length)
{
	return !(page & PAGE_PACKED) || length <= 0 ||
	       (length == PACKED_LENGTH && packed_page(t, page)->list_class == t->list_class);
}

int page_unpack(const struct target *t, uint32_t packed, uint32_t *page)
{
	const struct packed_page *from = packed_page(t, packed);
	struct target each = *t;

	if (page_new(t, false, CLASS_NONE, page))
		return -1;
	if (from->under_note) {
		each.list_class = from->under;
		page_paint(&each, *page, 0, from->under_note - NOTE_OF_0);
	}
	each.list_class = from->list_class;
	for (uint32_t rest = 0; rest < PAGE_CELLS; rest++)
		if (from->bit[rest / 64] >> rest % 64 & 1)
			page_paint(&each, *page, rest, PACKED_LENGTH);
	return 0;
}

void page_survey_add(struct page_survey *survey, int length, uint8_t list_class)
{
	if (length <= 0)
		return;
	survey->mixed |=
		length != PACKED_LENGTH || (survey->list_class && survey->list_class != list_class);
	survey->list_class = list_class;
}

uint8_t page_class(const struct table *table, uint32_t generation, uint32_t page, uint32_t rest)
{
	const size_t first = (size_t)generation * table->geometry.page_lines;

	return page_line_class(&table->memory.page[first + page_line_of(page, rest)], page, rest);
}

static uint8_t *top_cells(const struct target *t, uint32_t family)
{
	const size_t line = (t->generation * FAMILY_COUNT + family) * TOP_LINES;

	return t->table->memory.top[line].list_class;
}

void top_paint(const struct target *t, uint32_t family, uint32_t first, uint32_t length)
{
	paint(top_cells(t, family) + first, &target_notes(t)->top_length[family][first],
	      1u << (TOP_LENGTH - length), t->list_class, (uint8_t)(length + 1));
}

void top_unpaint(const struct target *t, uint32_t family, uint32_t first, uint32_t length,
		 const struct table_cover *cover)
{
	const uint32_t base = family == FAMILY_IPV4 ? 96 : 0;
	const bool covered = cover->list_class != CLASS_NONE;

	unpaint(top_cells(t, family) + first, &target_notes(t)->top_length[family][first],
		1u << (TOP_LENGTH - length), (uint8_t)(length + 1), cover->list_class,
		covered ? (uint8_t)(cover->prefix.len - base + 1) : 0);
}
