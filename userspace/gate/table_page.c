/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/table_page.c - painted arrays: pages (256 classes) and the tops (a class for each /16).
 *
 * A cell shows the longest prefix that covers it. The kernel sees the class only; the length is
 * noted beside, so that a shorter prefix never paints over a longer one and a removal knows its own
 * cells.
 */
#include <string.h>

#include "gate/table_internal.h"

int page_new(struct table *table, uint32_t generation, uint32_t *number)
{
	struct generation_notes *notes = &table->notes[generation];

	if (notes->pages == table->geometry.page_count)
		return -1;
	*number = notes->pages++;
	memset(&table->memory.page[generation * table->geometry.page_count + *number], 0,
	       sizeof(struct page));
	memset(notes->page_length[*number], 0, PAGE_CELLS);
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

void page_paint(const struct target *t, uint32_t number, uint32_t rest, uint32_t length)
{
	const uint32_t page = t->generation * t->table->geometry.page_count + number;

	paint(&t->table->memory.page[page].list_class[rest],
	      &target_notes(t)->page_length[number][rest], 1u << (8 - length), t->list_class,
	      (uint8_t)length);
}

void page_unpaint(const struct target *t, uint32_t number, uint32_t rest, uint32_t length,
		  const struct table_cover *cover, uint32_t level)
{
	const uint32_t page = t->generation * t->table->geometry.page_count + number;
	const bool same_group = cover->list_class && cover->prefix.len > level;

	unpaint(&t->table->memory.page[page].list_class[rest],
		&target_notes(t)->page_length[number][rest], 1u << (8 - length), (uint8_t)length,
		same_group ? cover->list_class : CLASS_NONE,
		same_group ? (uint8_t)(cover->prefix.len - level) : 0);
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
