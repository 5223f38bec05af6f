/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of conf: files that are refused for their form, and in which words. Every mistake is one
 * line that names the file and the line, and leaves the caller's configuration alone. What values
 * are refused is in test_conf_values.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOBODY       65534

static struct conf untouched;

static void unknown_names(void **state)
{
	static const struct refused rows[] = {
		{ "usr: a", "f:1: usr: unknown option; did you mean user?" },
		{ "User: a", "f:1: User: unknown option; did you mean user?" },
		{ "montior: true", "f:1: montior: unknown option; did you mean monitor?" },
		{ "limit: {}", "f:1: limit: unknown option; did you mean limits?" },
		{ "limits:\n  rate_source: 1",
		  "f:2: limits.rate_source: unknown option; did you mean limits.rate-source?" },
		{ "limits:\n  rate-sources: 1",
		  "f:2: limits.rate-sources: unknown option; did you mean limits.rate-source?" },
		{ "rate-source: 1",
		  "f:1: rate-source: unknown option; did you mean limits.rate-source?" },
		{ "table: {capacity: 1}", "f:1: table.capacity: unknown option" },
		{ "limits: {level: 1}",
		  "f:1: limits.level: unknown option; did you mean log.level?" },
		{ "something: 1", "f:1: something: unknown option" },
		{ "limits.rate-source: 1",
		  "f:1: limits.rate-source: write it as rate-source, indented below limits:" },
		{ "\"a\\nb\": 1", "f:1: a?b: unknown option" },
		{ "'': 1", "f:1: : unknown option" },
		{ "<<: 1", "f:1: <<: unknown option" },
		{ "dnsbl: {'{SECRET}.dq.example': 8}",
		  "f:1: dnsbl.....dq.example: unknown option" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

static void names_that_are_too_long(void **state)
{
	char text[200];
	const char *error;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 4, ": 1\n", 4);
	error = refusal_of(text, sizeof(text));
	assert_int_equal(strncmp(error, "f:1: aaaaaaaa", 13), 0);
	assert_non_null(strstr(error, "aaa...: unknown option"));
	assert_true(strlen(error) < 120);
}

static void things_that_are_there_twice(void **state)
{
	static const struct refused rows[] = {
		{ "monitor: true\n\nmonitor: true",
		  "f:3: monitor: is there twice, on lines 1 and 3" },
		{ "limits:\n  rate-net: 90\n  rate-net: 90",
		  "f:3: limits.rate-net: is there twice, on lines 2 and 3" },
		{ "limits:\n  rate-net: 90\nlimits:\n  rate-site: 100",
		  "f:3: limits: is there twice, on lines 1 and 3" },
		{ "ports:\n- 25\n- 26\n- 25", "f:4: ports: 25 is there twice, on lines 2 and 4" },
		{ "interfaces: [a,\n b, a]",
		  "f:2: interfaces: a is there twice, on lines 1 and 2" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

static void yaml_that_is_refused(void **state)
{
	static const struct refused rows[] = {
		{ "user: &u postern", "f:1: anchors (&name) and aliases (*name) are not supported: "
				      "write the value out" },
		{ "user: *u", "f:1: anchors (&name) and aliases (*name) are not supported: write "
			      "the value out" },
		{ "limits: &l\n  rate-net: 90", "f:1: anchors (&name) and aliases (*name) are not "
						"supported: write the value out" },
		{ "ports: &l [25]", "f:1: anchors (&name) and aliases (*name) are not supported: "
				    "write the value out" },
		{ "\nstore-size: !!int 20",
		  "f:2: tags (!name) are not supported: leave the tag out" },
		{ "monitor: true\n---\nmonitor: false\n",
		  "f:2: a second document starts here, but a file may have only one" },
		{ "---\n---\n",
		  "f:2: a second document starts here, but a file may have only one" },
		{ "user: \"a\"\n  monitor: true\n",
		  "f:2: not valid YAML: did not find expected key while parsing a block mapping "
		  "from line 1" },
		{ "ports: [25\n",
		  "f:2: not valid YAML: did not find expected ',' or ']' while parsing a flow "
		  "sequence from line 1" },
		{ "user: @a",
		  "f:1: not valid YAML: found character that cannot start any token while scanning "
		  "for the next token" },
		{ "user: a: b\n",
		  "f:1: not valid YAML: mapping values are not allowed in this context" },
		{ "user: a\n\n\tmonitor: true\n", "f:3: not valid YAML: found a tab character that "
						  "violates indentation while scanning "
						  "a plain scalar from line 1" },
		{ "user: a\nmonitor: \xff\n", "f:2: not valid YAML: invalid leading UTF-8 octet" },
		{ "user: a\n\n\x01\n", "f:3: not valid YAML: control characters are not allowed" },
		{ "control:\n  socket: \"/a\\0b\"", "f:2: control.socket: holds a NUL character" },
		{ "\"user\\0\": a", "f:1: user?: unknown option" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

/* Only the first mistake is reported, whatever follows. */
static void the_first_mistake_is_reported(void **state)
{
	static const struct refused rows[] = {
		{ "monitor: true\nmode: x\nusr: a\nports: [",
		  "f:2: mode: x is none of filter, guard, proxy" },
		{ "usr: a\nmode: x\n", "f:1: usr: unknown option; did you mean user?" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

/* What repeats without end is refused where it starts. */
static void budgets(void **state)
{
	const size_t size = CONF_FILE_BYTES_MAX + 1;
	char *text = malloc(size), ports[1024] = "ports: [1";
	size_t used = strlen(ports);

	(void)state;
	assert_non_null(text);
	memset(text, '#', size);
	assert_string_equal(refusal_of(text, size), "f: larger than 1048576 bytes");
	memset(text, '[', size - 1);
	assert_string_equal(
		refusal_of(text, size - 1),
		"f:1: the file is a list, but options are wanted, as \"monitor: true\"");
	memcpy(text, "limits: ", 8);
	assert_string_equal(refusal_of(text, size - 1), "f:1: limits: is a list, but options are "
							"wanted below it, indented");
	memset(text, 'a', size);
	memcpy(text, "mode: ", 6);
	assert_string_equal(refusal_of(text, size - 1),
			    "f:1: mode: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			    "aaaaaaaaaaaaaaaaa... is none of filter, guard, proxy");
	memcpy(text, "control: {socket: /", 19);
	text[126] = '}';
	assert_string_equal(refusal_of(text, 127), "f:1: control.socket: longer than 107 bytes");
	for (int port = 2; port <= CONF_PORTS_MAX + 1; port++)
		used += (size_t)snprintf(ports + used, sizeof(ports) - used, ",\n%d", port);
	snprintf(ports + used, sizeof(ports) - used, "]");
	assert_string_equal(refusal_of(ports, strlen(ports)), "f:65: ports: more than 64 members");
	free(text);
}

static void assert_load_fails(const char *path, const char *expected)
{
	struct conf *conf = &untouched;
	struct error err = { 0 };

	assert_int_equal(conf_load(path, &conf, &err), ERROR_REFUSED);
	assert_string_equal(err.text, expected);
	assert_ptr_equal(conf, &untouched);
}

static void files_that_cannot_be_read(void **state)
{
	char directory[] = "/tmp/test-conf-XXXXXX", path[64], expected[128],
	     name[CONF_PATH_MAX + 1];
	const bool privileged = geteuid() == 0;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	snprintf(path, sizeof(path), "%s/f", directory);
	snprintf(expected, sizeof(expected), "%s: No such file or directory", path);
	assert_load_fails(path, expected);
	snprintf(expected, sizeof(expected), "%s: a directory, not a file", directory);
	assert_load_fails(directory, expected);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(expected, sizeof(expected), "%s: not a regular file", path);
	assert_load_fails(path, expected);
	unlink(path);

	file = fopen(path, "w");
	assert_non_null(file);
	fputs("ports: [25, x]\n", file);
	fclose(file);
	snprintf(expected, sizeof(expected), "%s:1: ports: x is not a whole number", path);
	assert_load_fails(path, expected);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(privileged ? seteuid(NOBODY) : 0, 0);
	snprintf(expected, sizeof(expected), "%s: Permission denied", path);
	assert_load_fails(path, expected);
	assert_int_equal(privileged ? seteuid(0) : 0, 0);
	assert_int_equal(truncate(path, CONF_FILE_BYTES_MAX + 1), 0);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(expected, sizeof(expected), "%s: larger than 1048576 bytes", path);
	assert_load_fails(path, expected);
	unlink(path);
	rmdir(directory);

	memset(name, '/', sizeof(name) - 1);
	memcpy(name + sizeof(name) - 14, "/proc/version", 14);
	assert_load_fails(name, "the file's path is longer than 255 bytes");
}

/* A caller who does not want the message gets the same answer. */
static void a_message_is_optional(void **state)
{
	static const char *const rows[] = { "mode: x", "usr: a", "ports: [", "\xff",
					    "limits: {rate-source: 300}" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf = &untouched;

		assert_int_equal(conf_parse("f", rows[i], strlen(rows[i]), &conf, NULL),
				 ERROR_REFUSED);
		assert_ptr_equal(conf, &untouched);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(names_that_are_too_long),
		cmocka_unit_test(things_that_are_there_twice),
		cmocka_unit_test(yaml_that_is_refused),
		cmocka_unit_test(the_first_mistake_is_reported),
		cmocka_unit_test(budgets),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(a_message_is_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
