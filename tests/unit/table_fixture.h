/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/table_fixture.h - the memory of a block table on the host, instead of the kernel's
 * maps.
 */
#ifndef POSTERN_TESTS_UNIT_TABLE_FIXTURE_H
#define POSTERN_TESTS_UNIT_TABLE_FIXTURE_H

#include "gate/table.h"

struct table_memory table_memory_new(const struct table_geometry *geometry);
void table_memory_free(struct table_memory *memory);

#endif
