/* SPDX-License-Identifier: GPL-2.0-only */
/* addr_fixture.h - an address that a test writes down; the test fails if it is none. */
#ifndef POSTERN_TESTS_ADDR_FIXTURE_H
#define POSTERN_TESTS_ADDR_FIXTURE_H

#include "lib/addr.h"

struct addr addr_of(const char *text);

#endif
