/* SPDX-License-Identifier: GPL-2.0-only */
/* See tests/unit/addr_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/addr_fixture.h"

struct addr addr_of(const char *text)
{
	struct error err = { 0 };
	struct addr addr;

	if (addr_parse(text, strlen(text), &addr, &err))
		fail_msg("%s", err.text);
	return addr;
}
