/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_ctl_lists.c - what the control socket refuses to do to lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ctl/agent.h"

/* The list that Postern keeps is nobody's to change, whatever the kind. */
static void test_reserved_list(void **state)
{
	static int (*const handlers[])(struct ctl_request *, struct error *) = { ctl_list_add,
										 ctl_list_clear,
										 ctl_list_load };
	static const char *const kinds[] = { "block", "allow" };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct ctl_request request = { 0 };

		request.args = json_pack("{s:s, s:s, s:s}", "kind", kinds[i % 2], "list", "learned",
					 "prefix", "192.0.2.1");
		assert_int_equal(handlers[i / 2](&request, &err), ERROR_REFUSED);
		assert_string_equal(err.text, "learned is kept by Postern itself");
		json_decref(request.args);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserved_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
