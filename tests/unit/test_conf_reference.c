/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of conf: the example and the entries of the manual, which are made from the schema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

/* Whatever `print` writes, as a string that the caller frees. */
static char *captured(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print(out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* The example states every option, and parses to the defaults. */
static void the_example_is_the_defaults(void **state)
{
	char *text = captured(conf_example), origin[CONF_ORIGIN_MAX];
	struct conf *example = read_conf(text), *expected = read_defaults(),
		    *all = read_conf(every_option);
	struct differences seen;

	(void)state;
	list_differences(expected, example, &seen);
	assert_string_equal(seen.names, "");
	list_differences(expected, all, &seen);
	assert_int_equal(seen.count, OPTIONS);
	for (char *name = strtok(seen.names, " !"); name; name = strtok(NULL, " !"))
		assert_int_equal(strncmp(conf_origin(example, name, origin), TEST_FILE ":", 10), 0);
	for (const char *at = text; *at; at += strcspn(at, "\n") + 1)
		assert_true(strcspn(at, "\n") <= 80);
	conf_free(&example);
	conf_free(&expected);
	conf_free(&all);
	free(text);
}

/* Scores are a line of words and a line of the option each. */
static void scores_are_short_in_the_example(void **state)
{
	char *text = captured(conf_example);

	(void)state;
	assert_non_null(strstr(text,
			       "\nscore:\n"
			       "  # The address has a host name that leads back to it (FCrDNS).\n"
			       "  # Takes -1000 to 1000 points\n"
			       "  rdns-confirmed: 0\n"
			       "  # The address has no host name.\n"
			       "  rdns-missing: 4\n"));
	free(text);
}

static void the_reference_has_every_option(void **state)
{
	char *text = captured(conf_reference);
	size_t entries = 0;

	(void)state;
	for (const char *at = text; (at = strstr(at, ".It Cm ")); at++)
		entries++;
	assert_int_equal(entries, OPTIONS);
	assert_non_null(strstr(text, ".It Cm limits.rate\\-source\n"
				     "Connection attempts from one address.\n"
				     "0 is no limit.\n"
				     "Takes 0 to 1000000 attempts/s;\n"
				     "the default is\n"
				     ".Ql \"20\" .\n"
				     ".It Cm "));
	assert_non_null(strstr(text, ".It Cm mode\n"));
	assert_non_null(strstr(text, "Takes filter, guard or proxy;\n"));
	assert_non_null(strstr(text, "Takes auto, native or generic;\n"));
	assert_non_null(strstr(text, ".It Cm score.rdns\\-missing\n"
				     "The address has no host name.\n"
				     "Takes \\-1000 to 1000 points;\n"
				     "the default is\n"
				     ".Ql \"4\" .\n"));
	assert_non_null(strstr(text, "(\\(dq[::1]:9125\\(dq in quotes)"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_is_the_defaults),
		cmocka_unit_test(scores_are_short_in_the_example),
		cmocka_unit_test(the_reference_has_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
