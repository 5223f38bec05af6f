/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/table_fixture.h"

#include <stdlib.h>

struct table_memory table_memory_new(const struct table_geometry *g)
{
	return (struct table_memory){
		.settings = calloc(1, sizeof(struct settings)),
		.bitmap4 = calloc(GENERATIONS * BITMAP4_WORDS, sizeof(uint64_t)),
		.bucket4 = calloc((size_t)GENERATIONS << g->bucket4_bits, sizeof(struct bucket4)),
		.short4 = calloc(GENERATIONS << BUCKET4_SHORT_BITS, sizeof(struct bucket4)),
		.bucket6 = calloc((size_t)GENERATIONS << g->bucket6_bits, sizeof(struct bucket6)),
		.filter6 = calloc((size_t)GENERATIONS << g->filter6_bits, sizeof(uint64_t)),
		.top = calloc(GENERATIONS * FAMILY_COUNT * TOP_LINES, sizeof(struct top_line)),
		.page = calloc((size_t)GENERATIONS * g->page_lines, sizeof(struct page_line)),
	};
}

void table_memory_free(struct table_memory *memory)
{
	free(memory->settings);
	free(memory->bitmap4);
	free(memory->bucket4);
	free(memory->short4);
	free(memory->bucket6);
	free(memory->filter6);
	free(memory->top);
	free(memory->page);
	*memory = (struct table_memory){ 0 };
}
