/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of accounts/users: what a users file may say, and what is said about one that does not.
 */
#include "auth_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/users.h"

#define KEY    "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
#define SCRAM  "{SCRAM-SHA-256}4096,c2FsdA==," KEY "," KEY
#define ARGON  "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$QUFBQUFBQUFBQUFBQUFBQQ"
#define LENGTH 5000

static struct users *parse(const char *text)
{
	struct users *users = NULL;
	struct error err = { 0 };

	if (users_parse("FILE", text, strlen(text), &users, &err))
		fail_msg("%s", err.text);
	return users;
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "alice", "FILE:1: not \"NAME:SECRET:ADDRESS,...\"" },
		{ "alice:" ARGON, "FILE:1: not \"NAME:SECRET:ADDRESS,...\"" },
		{ "alice:" ARGON "::", "FILE:1: not \"NAME:SECRET:ADDRESS,...\"" },
		{ "# alice\n\nalice:secret:", "FILE:3: not a hash of Argon2id version 19" },
		{ "alice::", "FILE:1: no secret" },
		{ "alice:  :", "FILE:1: no secret" },
		{ "alice:" ARGON " " ARGON ":", "FILE:1: two Argon2id hashes" },
		{ "alice:" SCRAM " " SCRAM ":", "FILE:1: two SCRAM secrets" },
		{ "alice:$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$QUFB:",
		  "FILE:1: not a hash of Argon2id version 19" },
		{ "alice:$argon2id$v=16$m=8,t=1,p=1$c29tZXNhbHQ$QUFB:",
		  "FILE:1: not a hash of Argon2id version 19" },
		{ "alice:$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$Q!FBQUFBQUFBQUFBQUFBQQ:",
		  "FILE:1: the Argon2id hash is damaged" },
		{ "alice:$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ:",
		  "FILE:1: the Argon2id hash is damaged" },
		{ ":" ARGON ":",
		  "FILE:1: the name is empty, too long, or not allowed by SASLprep" },
		{ "a\xc2\xa0z:" ARGON ":", "FILE:1: the name is not in the form that SASLprep "
					   "gives it" },
		{ "a\xd7\x90z:" ARGON ":",
		  "FILE:1: the name is empty, too long, or not allowed by SASLprep" },
		{ "a\tz:" ARGON ":", "FILE:1: a control character" },
		{ "a\xffz:" ARGON ":", "FILE:1: not UTF-8" },
		{ "alice:" ARGON ":a@b,", "FILE:1: an address is missing behind the last \",\"" },
		{ "alice:" ARGON ":a@b,,c@d",
		  "FILE:1: an address is not \"local@domain\", \"@domain\" or \"*\"" },
		{ "alice:" ARGON ":alice",
		  "FILE:1: an address is not \"local@domain\", \"@domain\" or \"*\"" },
		{ "alice:" ARGON ":alice@",
		  "FILE:1: an address is not \"local@domain\", \"@domain\" or \"*\"" },
		{ "alice:" ARGON ":@",
		  "FILE:1: an address is not \"local@domain\", \"@domain\" or \"*\"" },
		{ "alice:" ARGON ":<a@b>",
		  "FILE:1: an address is not \"local@domain\", \"@domain\" or \"*\"" },
		{ "alice:" ARGON ":a@b c",
		  "FILE:1: an address is not \"local@domain\", \"@domain\" or \"*\"" },
		{ "alice:" ARGON ":\nbob:" ARGON ":\nALICE:" ARGON ":\n",
		  "FILE:3: the user alice is in line 1, too" },
		{ "alice:{SCRAM-SHA-256}4096,c2FsdA==," KEY ":",
		  "FILE:1: the SCRAM secret is not \"ITERATIONS,SALT,STOREDKEY,SERVERKEY\"" },
		{ "alice:{SCRAM-SHA-256}4095,c2FsdA==," KEY "," KEY ":",
		  "FILE:1: the iterations of the SCRAM secret are not a number from 4096 to "
		  "1000000" },
		{ "alice:{SCRAM-SHA-256}1000001,c2FsdA==," KEY "," KEY ":",
		  "FILE:1: the iterations of the SCRAM secret are not a number from 4096 to "
		  "1000000" },
		{ "alice:{SCRAM-SHA-256}99999999999999999999,c2FsdA==," KEY "," KEY ":",
		  "FILE:1: the iterations of the SCRAM secret are not a number from 4096 to "
		  "1000000" },
		{ "alice:{SCRAM-SHA-256}4096,," KEY "," KEY ":",
		  "FILE:1: the salt of the SCRAM secret is not base64 of 1 to 64 octets" },
		{ "alice:{SCRAM-SHA-256}4096,c2FsdA," KEY "," KEY ":",
		  "FILE:1: the salt of the SCRAM secret is not base64 of 1 to 64 octets" },
		{ "alice:{SCRAM-SHA-256}4096,c2FsdA==,QUFB," KEY ":",
		  "FILE:1: the keys of the SCRAM secret are not base64 of 32 octets" },
		{ "alice:{SCRAM-SHA-256}4096,c2FsdA==," KEY "," KEY ",x:",
		  "FILE:1: the keys of the SCRAM secret are not base64 of 32 octets" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct users *users = NULL;
		struct error err = { 0 };

		assert_int_equal(
			users_parse("FILE", cases[i].text, strlen(cases[i].text), &users, &err),
			ERROR_REFUSED);
		assert_string_equal(err.text, cases[i].error);
		assert_null(users);
	}
}

/* A hash that would take the machine down is found when the file is read. */
static void test_cost_is_bounded(void **state)
{
	static const char *const costs[] = { "m=262145,t=1,p=1", "m=8,t=17,p=1", "m=0,t=1,p=1",
					     "m=8,t=0,p=1",      "m=8,t=1",      "t=1,m=8,p=1",
					     "m=+8,t=1,p=1",     "m=08,t=1,p=1" };

	(void)state;
	for (size_t i = 0; i < COUNT(costs); i++) {
		struct users *users = NULL;
		struct error err = { 0 };
		char text[256];

		snprintf(text, sizeof(text),
			 "alice:$argon2id$v=19$%s$c29tZXNhbHQ$QUFBQUFBQUFBQUFBQUFBQQ:", costs[i]);
		assert_int_equal(users_parse("FILE", text, strlen(text), &users, &err),
				 ERROR_REFUSED);
		assert_non_null(strstr(err.text, "FILE:1: the cost of the Argon2id hash"));
	}
}

static void refuse_octets(const char *text, size_t len, const char *error)
{
	struct users *users = NULL;
	struct error err = { 0 };

	assert_int_equal(users_parse("FILE", text, len, &users, &err), ERROR_REFUSED);
	assert_string_equal(err.text, error);
}

static void test_nul_and_length(void **state)
{
	static const char nul[] = "ali\0ce:" ARGON ":";
	char text[LENGTH];

	(void)state;
	refuse_octets(nul, sizeof(nul) - 1, "FILE:1: a control character");
	memset(text, 'a', sizeof(text));
	memcpy(text, "alice:" ARGON ":", strlen("alice:" ARGON ":"));
	refuse_octets(text, USERS_LINE_MAX, "FILE:1: a line too long");
	refuse_octets(text, USERS_LINE_MAX - 1,
		      "FILE:1: an address is not \"local@domain\", \"@domain\" or \"*\"");
	memset(text, 'a', sizeof(text));
	memcpy(text + AUTH_USER_MAX, ":" ARGON ":", sizeof(":" ARGON ":"));
	refuse_octets(text, strlen(text),
		      "FILE:1: the name is empty, too long, or not allowed by SASLprep");
}

static void test_errors_repeat_no_secrets(void **state)
{
	struct users *users = NULL;
	struct error err = { 0 };
	const char *text = "alice:hunter2:";

	(void)state;
	assert_int_equal(users_parse("FILE", text, strlen(text), &users, &err), ERROR_REFUSED);
	assert_null(strstr(err.text, "hunter2"));
}

static void test_found(void **state)
{
	struct users *users = parse("# people\r\n"
				    "zoe:" ARGON ":\r\n"
				    "\n"
				    "Alice@Example.org:" ARGON " " SCRAM ":\n"
				    "bob:" SCRAM ":*");
	const struct user *user = users_find(users, "alice@example.org");

	(void)state;
	assert_int_equal(users_count(users), 3);
	assert_non_null(user);
	assert_string_equal(user->hash, ARGON);
	assert_string_equal(user->scram.iterations, "4096");
	assert_string_equal(user->scram.salt, "c2FsdA==");
	assert_string_equal(user->scram.stored_key, KEY);
	assert_string_equal(user->scram.server_key, KEY);
	assert_int_equal(user->line, 4);
	assert_null(users_find(users, "zoe")->scram.salt);
	assert_null(users_find(users, "bob")->hash);
	assert_null(users_find(users, "carol"));
	assert_null(users_find(users, ""));
	users_release(&users);
	assert_null(users);
}

static void test_stand_ins(void **state)
{
	struct users *users = parse("a:" ARGON ":\nb:" SCRAM ":\nc:" ARGON ":\n");
	struct users *none = parse("");

	(void)state;
	assert_string_equal(users_with_hash(users, 0)->name, "a");
	assert_string_equal(users_with_hash(users, 1)->name, "c");
	assert_string_equal(users_with_hash(users, 2)->name, "a");
	assert_string_equal(users_with_scram(users, 12345)->name, "b");
	assert_null(users_with_hash(none, 0));
	assert_null(users_with_scram(none, 0));
	assert_null(users_find(none, "a"));
	users_release(&users);
	users_release(&none);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *name, *address;
		bool may;
	} cases[] = {
		{ "alice@example.org", "alice@example.org", true },
		{ "alice@example.org", "alice@example.or", false },
		{ "alice@example.org", "alice@example.orga", false },
		{ "alice@example.org", "bob@example.org", false },
		{ "bob", "sales@example.org", true },
		{ "bob", "any@example.net", true },
		{ "bob", "any@mail.example.net", false },
		{ "bob", "any@badexample.net", false },
		{ "bob", "@example.net", true },
		{ "bob", "bob", false },
		{ "bob", "a@b@example.net", true },
		{ "bob", "example.net", false },
		{ "carol", "carol@example.org", false },
		{ "relay", "any@where.example", true },
	};
	struct users *users = parse("alice@example.org:" ARGON ":\n"
				    "bob:" ARGON ":Sales@example.org,@EXAMPLE.net\n"
				    "carol:" ARGON ":\n"
				    "relay:" ARGON ":a@b.example,*\n");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
			users_may_send_as(users_find(users, cases[i].name), cases[i].address),
			cases[i].may);
	users_release(&users);
}

static void test_held(void **state)
{
	struct users *users = parse("a:" ARGON ":"), *other = users_hold(users);

	(void)state;
	users_release(&users);
	assert_non_null(users_find(other, "a"));
	users_release(&other);
	assert_null(users_hold(NULL));
	users_release(&other);
}

/* Files on disk. */

static void open_fails(const struct auth_fixture *fixture, const char *name, const char *error)
{
	struct users *users = NULL;
	struct error err = { 0 };
	char expected[ERROR_TEXT_MAX], path[256];

	snprintf(path, sizeof(path), "%s", auth_path(fixture, name));
	snprintf(expected, sizeof(expected), "%s%s", path, error);
	assert_int_equal(users_open(path, &users, &err), ERROR_REFUSED);
	assert_string_equal(err.text, expected);
	assert_null(users);
}

static void test_file(void **state)
{
	struct auth_fixture *fixture = *state;
	char *lines[] = { strdup("alice:" ARGON ":\n"), strdup("bob:" SCRAM ":\n"), NULL };
	struct users *users = NULL;

	open_fails(fixture, "users", ": No such file or directory");
	open_fails(fixture, "", ": not a regular file");
	auth_write_users(fixture, lines);
	assert_int_equal(users_open(auth_path(fixture, "users"), &users, NULL), 0);
	assert_int_equal(users_count(users), 2);
	users_release(&users);
	assert_int_equal(chmod(auth_path(fixture, "users"), 0644), 0);
	open_fails(fixture, "users", ": open to everybody, while it holds secrets: chmod 640");
	assert_int_equal(chmod(auth_path(fixture, "users"), 0640), 0);
	assert_int_equal(truncate(auth_path(fixture, "users"), USERS_BYTES_MAX + 1), 0);
	open_fails(fixture, "users", ": larger than 33554432 bytes");
	assert_int_equal(truncate(auth_path(fixture, "users"), 0), 0);
	assert_int_equal(users_open(auth_path(fixture, "users"), &users, NULL), 0);
	assert_int_equal(users_count(users), 0);
	users_release(&users);
}

static void test_many(void **state)
{
	const size_t bytes = (USERS_MAX + 1) * (sizeof(ARGON) + 16);
	char *text = malloc(bytes);
	struct users *users = NULL;
	struct error err = { 0 };
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	for (unsigned int i = 0; i <= USERS_MAX; i++)
		len += (size_t)snprintf(text + len, bytes - len, "u%u:" ARGON ":\n", i);
	assert_int_equal(users_parse("FILE", text, len, &users, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "FILE:65537: more than 65536 users");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cost_is_bounded),
		cmocka_unit_test(test_nul_and_length),
		cmocka_unit_test(test_errors_repeat_no_secrets),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_stand_ins),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_held),
		cmocka_unit_test_setup_teardown(test_file, auth_fixture_setup,
						auth_fixture_teardown),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
