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
	static const struct {
		int (*handler)(struct ctl_request *request, struct error *err);
		const char *kind;
	} rows[] = {
		{ ctl_list_add, "block" },  { ctl_list_add, "allow" },   { ctl_list_load, "block" },
		{ ctl_list_load, "allow" }, { ctl_list_clear, "allow" },
	};
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ctl_request request = { 0 };

		request.args = json_pack("{s:s, s:s, s:s}", "kind", rows[i].kind, "list", "learned",
					 "prefix", "192.0.2.1");
		assert_int_equal(rows[i].handler(&request, &err), ERROR_REFUSED);
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
