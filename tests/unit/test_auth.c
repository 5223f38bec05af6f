/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of accounts/auth: exchanges with a client of libgsasl's, and with clients that break rules.
 * Hashes are as cheap as libsodium makes them, but where something has to happen meanwhile.
 */
#include "auth_fixture.h"

#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "accounts/hash.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, auth_fixture_setup, auth_fixture_teardown)
#define SLOW       2, 32u << 20 /* a hash that takes some tens of milliseconds */

static const char *const names[] = { "PLAIN", "LOGIN", "SCRAM-SHA-256" };

/* Alice has both secrets, bob a hash, carol SCRAM. */
static void open_three(struct auth_fixture *fixture)
{
	char *lines[] = { users_line("alice@example.org", "wonderland", WITH_BOTH, ""),
			  users_line("bob", "builder", WITH_HASH, "bob@example.org,@example.net"),
			  users_line("carol", "christmas", WITH_SCRAM, ""), NULL };

	auth_open_users(fixture, lines);
}

static enum auth_step run(struct auth_fixture *fixture, const char *mechanism, const char *user,
			  const char *password)
{
	const struct client client = { .user = user, .password = password };
	struct dialogue dialogue;
	const enum auth_step step = client_run(fixture, mechanism, &client, &dialogue);

	dialogue_end(&dialogue);
	return step;
}

static void test_mechanisms(void **state)
{
	struct auth_fixture *fixture = *state;
	char *none[] = { NULL };
	char *hash[] = { users_line("a", "b", WITH_HASH, ""), NULL };
	char *scram[] = { users_line("a", "b", WITH_SCRAM, ""), NULL };

	assert_int_equal(auth_open(fixture->conf, &fixture->auth, NULL), 0);
	assert_string_equal(auth_mechanisms(fixture->auth), "");
	auth_open_users(fixture, NULL);
	assert_string_equal(auth_mechanisms(fixture->auth), "PLAIN LOGIN");
	/* The backend has no say where there is a file. */
	auth_open_users(fixture, none);
	assert_string_equal(auth_mechanisms(fixture->auth), "");
	auth_open_users(fixture, hash);
	assert_string_equal(auth_mechanisms(fixture->auth), "PLAIN LOGIN");
	auth_open_users(fixture, scram);
	assert_string_equal(auth_mechanisms(fixture->auth), "SCRAM-SHA-256");
	open_three(fixture);
	assert_string_equal(auth_mechanisms(fixture->auth), "PLAIN LOGIN SCRAM-SHA-256");
}

static void test_no_such_mechanism(void **state)
{
	static const char *const other[] = {
		"",          "PLAI",     "PLAINX",     "SCRAM-SHA-256-PLUS", "CRAM-MD5",
		"ANONYMOUS", "EXTERNAL", "DIGEST-MD5", "SCRAM-SHA-1"
	};
	struct auth_fixture *fixture = *state;

	open_three(fixture);
	for (size_t i = 0; i < COUNT(other); i++)
		assert_null(auth_exchange_start(fixture->auth, &fixture->loop, other[i],
						&fixture->source, NULL, NULL));
	auth_open_users(fixture, (char *[]){ users_line("a", "b", WITH_HASH, ""), NULL });
	assert_null(auth_exchange_start(fixture->auth, &fixture->loop, "SCRAM-SHA-256",
					&fixture->source, NULL, NULL));
}

static void test_right(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	for (size_t i = 0; i < COUNT(names); i++) {
		for (int late = 0; late < 2; late++) {
			const struct client client = { .user = "alice@example.org",
						       .password = "wonderland",
						       .late = late };

			assert_int_equal(client_run(fixture, names[i], &client, &dialogue),
					 AUTH_DONE);
			assert_string_equal(dialogue.user, "alice@example.org");
			assert_string_equal(dialogue.text, "");
			assert_string_equal(dialogue.password, "");
			assert_int_equal(dialogue.wait, 0);
			dialogue_end(&dialogue);
		}
	}
}

static void test_wrong(void **state)
{
	static const char *const passwords[] = { "wonderlan", "wonderland1", "Wonderland", "x" };
	struct auth_fixture *fixture = *state;

	open_three(fixture);
	for (size_t i = 0; i < COUNT(names); i++)
		for (size_t j = 0; j < COUNT(passwords); j++) {
			fixture->source = addr_from_ipv4((uint32_t)(0xc6336400 + 16 * i + j));
			assert_int_equal(run(fixture, names[i], "alice@example.org", passwords[j]),
					 AUTH_FAILED);
		}
}

/* Who is not there, or has no such secret, gets the same answer, and all of the exchange first. */
static void test_unknown(void **state)
{
	static const struct {
		const char *mechanism, *user, *password;
	} cases[] = {
		{ "PLAIN", "nobody", "builder" },
		{ "LOGIN", "nobody", "builder" },
		{ "PLAIN", "carol", "christmas" },
		{ "LOGIN", "carol", "christmas" },
		{ "SCRAM-SHA-256", "nobody", "christmas" },
		{ "SCRAM-SHA-256", "bob", "builder" },
		/* The password of those who stand in. */
		{ "PLAIN", "nobody", "wonderland" },
		{ "SCRAM-SHA-256", "nobody", "wonderland" },
	};
	struct auth_fixture *fixture = *state;

	open_three(fixture);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(run(fixture, cases[i].mechanism, cases[i].user, cases[i].password),
				 AUTH_FAILED);
}

/* Made by argon2(1) and by gsasl(1), as docs/accounts.md says. */
static void test_secrets_of_other_tools(void **state)
{
	static const char alice[] =
		"alice:$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Z/BXl16KUbxMupn/"
		"TF1gxMGTRCAbwICErKNDu1njRX8 "
		"{SCRAM-SHA-256}4096,XPIleNRnVelULoyK,136FGFRHBpK8/"
		"0DbHUhkjkzR2lARliyUMKDIxa2d8jc=,EZDF68mFCrOYrsXT6uJe4o0EsB+5wP7OWz1fMckdtrc=:\n";
	static const char bob[] = "bob:$argon2id$v=19$m=64,t=1,p=2$MDEyMzQ1Njc4OWFiY2RlZg$"
				  "MlDOljuhkfl1yV+/ADa8lYyw6rNGcIIT/kzAaCG9fow:\n";
	struct auth_fixture *fixture = *state;

	auth_open_users(fixture, (char *[]){ strdup(alice), strdup(bob), NULL });
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(run(fixture, names[i], "alice", "wonderland"), AUTH_DONE);
	/* With two lanes. */
	assert_int_equal(run(fixture, "PLAIN", "bob", "wonderland"), AUTH_DONE);
	assert_int_equal(run(fixture, "PLAIN", "bob", "wonderlands"), AUTH_FAILED);
}

static void test_capitals_and_forms(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;
	const struct client client = { .user = "\xef\xbc\xa2OB", .password = "builder" };

	open_three(fixture);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(run(fixture, names[i], "Alice@EXAMPLE.org", "wonderland"),
				 AUTH_DONE);
	/* A wide B, which SASLprep makes an ordinary one. */
	assert_int_equal(client_run(fixture, "PLAIN", &client, &dialogue), AUTH_DONE);
	assert_true(auth_may_send_as(fixture->auth, dialogue.user, "bob@example.org"));
	dialogue_end(&dialogue);
}

static void test_authorization_identity(void **state)
{
	static const struct {
		const char *other;
		enum auth_step step;
	} cases[] = { { "alice@example.org", AUTH_DONE },
		      { "ALICE@example.org", AUTH_DONE },
		      { "bob", AUTH_FAILED },
		      { "alice@example.or", AUTH_FAILED },
		      { "\x01", AUTH_FAILED } };
	static const char *const both[] = { "PLAIN", "SCRAM-SHA-256" };
	struct auth_fixture *fixture = *state;

	open_three(fixture);
	for (size_t i = 0; i < COUNT(both); i++) {
		for (size_t j = 0; j < COUNT(cases); j++) {
			const struct client client = { .user = "alice@example.org",
						       .password = "wonderland",
						       .other = cases[j].other };
			struct dialogue dialogue;

			assert_int_equal(client_run(fixture, both[i], &client, &dialogue),
					 cases[j].step);
			dialogue_end(&dialogue);
		}
	}
}

/* One line to a mechanism, and what follows. */
static void expect_line(struct auth_fixture *fixture, const char *mechanism, const char *line,
			enum auth_step step)
{
	struct dialogue dialogue;

	dialogue_start(&dialogue, fixture, mechanism);
	assert_int_equal(dialogue_line(&dialogue, line), step);
	dialogue_end(&dialogue);
}

static void test_not_base64(void **state)
{
	static const char *const lines[] = {
		"*",
		"====",
		"AGJvYgBidWlsZGVy=",
		"AGJvYgBidWlsZG=",
		"AGJvYgBidWlsZA=",
		"AGJv YgBi",
		"AGJvYgBi\n",
		"AGJvYgBi\r",
		"AGJv-gBi",
		"AGJvYgB_",
		" AGJvYgBi",
		"AGJvYgBi ",
		"AGJvYh==",
		"\xc3\xa4GJvYgBi",
		"A",
	};
	struct auth_fixture *fixture = *state;

	open_three(fixture);
	for (size_t i = 0; i < COUNT(names); i++)
		for (size_t j = 0; j < COUNT(lines); j++)
			expect_line(fixture, names[i], lines[j], AUTH_BAD);
}

static void test_empty_responses(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	for (size_t i = 0; i < COUNT(names); i++) {
		expect_line(fixture, names[i], "=", AUTH_BAD);
		expect_line(fixture, names[i], "", AUTH_BAD);
		/* "=" is an empty response only with the command itself. */
		dialogue_start(&dialogue, fixture, names[i]);
		assert_int_equal(dialogue_line(&dialogue, NULL), AUTH_CONTINUE);
		assert_int_equal(dialogue_line(&dialogue, "="), AUTH_BAD);
		dialogue_end(&dialogue);
		dialogue_start(&dialogue, fixture, names[i]);
		assert_int_equal(dialogue_line(&dialogue, NULL), AUTH_CONTINUE);
		assert_int_equal(dialogue_line(&dialogue, NULL), AUTH_BAD);
		dialogue_end(&dialogue);
	}
}

static void test_long_lines(void **state)
{
	struct auth_fixture *fixture = *state;
	char *line = malloc(AUTH_LINE_MAX + 5);

	open_three(fixture);
	assert_non_null(line);
	memset(line, 'Y', AUTH_LINE_MAX + 4);
	line[AUTH_LINE_MAX + 4] = '\0';
	for (size_t i = 0; i < COUNT(names); i++)
		expect_line(fixture, names[i], line, AUTH_BAD);
	line[AUTH_LINE_MAX] = '\0';
	expect_line(fixture, "PLAIN", line, AUTH_BAD);
	expect_line(fixture, "SCRAM-SHA-256", line, AUTH_BAD);
	expect_line(fixture, "LOGIN", line, AUTH_CONTINUE);
	free(line);
}

static void expect_plain(struct auth_fixture *fixture, const char *octets, size_t len,
			 enum auth_step step)
{
	struct dialogue dialogue;

	dialogue_start(&dialogue, fixture, "plain");
	assert_int_equal(dialogue_octets(&dialogue, octets, len), step);
	dialogue_end(&dialogue);
}

#define PLAIN(fixture, text, step) expect_plain(fixture, text, sizeof(text) - 1, step)

static void test_plain_messages(void **state)
{
	struct auth_fixture *fixture = *state;

	open_three(fixture);
	PLAIN(fixture, "\0bob\0builder", AUTH_DONE);
	PLAIN(fixture, "bob\0bob\0builder", AUTH_DONE);
	PLAIN(fixture, "\0bob\0builder\0", AUTH_BAD);
	PLAIN(fixture, "\0bob\0builder\0x", AUTH_BAD);
	PLAIN(fixture, "\0bob\0buil\0der", AUTH_BAD);
	PLAIN(fixture, "bob\0builder", AUTH_BAD);
	PLAIN(fixture, "bob", AUTH_BAD);
	PLAIN(fixture, "\0", AUTH_BAD);
	PLAIN(fixture, "\0bob\0", AUTH_FAILED);
	PLAIN(fixture, "\0\0builder", AUTH_FAILED);
	PLAIN(fixture, "\0bob\0builder\1", AUTH_FAILED);
	PLAIN(fixture, "\0bob\n\0builder", AUTH_FAILED);
	PLAIN(fixture, "\0bob\xff\0builder", AUTH_FAILED);
	PLAIN(fixture, "\0bob\0builder\xff", AUTH_FAILED);
	PLAIN(fixture, "\0bo\0builder", AUTH_FAILED);
}

static void test_long_names_and_passwords(void **state)
{
	struct auth_fixture *fixture = *state;
	char *octets = malloc(9000);
	char *lines[] = { NULL, NULL };

	assert_non_null(octets);
	memset(octets, 'a', 9000);
	octets[AUTH_USER_MAX - 1] = '\0';
	lines[0] = users_line(octets, "x", WITH_HASH, "");
	auth_open_users(fixture, lines);
	octets[0] = '\0';
	memset(octets + 1, 'a', AUTH_USER_MAX - 1);
	memcpy(octets + AUTH_USER_MAX, "\0x", 2);
	expect_plain(fixture, octets, AUTH_USER_MAX + 2, AUTH_DONE);
	memset(octets + 1, 'a', AUTH_USER_MAX);
	memcpy(octets + AUTH_USER_MAX + 1, "\0x", 2);
	expect_plain(fixture, octets, AUTH_USER_MAX + 3, AUTH_FAILED);
	memset(octets + 1, 'a', 8000);
	expect_plain(fixture, octets, 8000, AUTH_BAD);
	memcpy(octets + 1, "a\0", 2);
	expect_plain(fixture, octets, 9000, AUTH_FAILED);
	free(octets);
}

static void test_longest_password(void **state)
{
	struct auth_fixture *fixture = *state;
	char password[AUTH_PASSWORD_MAX + 1];
	char *lines[] = { NULL, NULL };

	memset(password, 'p', sizeof(password));
	password[AUTH_PASSWORD_MAX - 1] = '\0';
	lines[0] = users_line("alice", password, WITH_BOTH, "");
	auth_open_users(fixture, lines);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(run(fixture, names[i], "alice", password), AUTH_DONE);
	password[AUTH_PASSWORD_MAX - 1] = 'p';
	password[AUTH_PASSWORD_MAX] = '\0';
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(run(fixture, names[i], "alice", password), AUTH_FAILED);
}

static void test_login_prompts(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	dialogue_start(&dialogue, fixture, "LOGIN");
	assert_int_equal(dialogue_line(&dialogue, NULL), AUTH_CONTINUE);
	assert_string_equal(dialogue.text, "VXNlcm5hbWU6");
	assert_int_equal(dialogue_text(&dialogue, "bob"), AUTH_CONTINUE);
	assert_string_equal(dialogue.text, "UGFzc3dvcmQ6");
	assert_int_equal(dialogue_text(&dialogue, "builder"), AUTH_DONE);
	dialogue_end(&dialogue);
	/* The name with the command, as many clients have it. */
	dialogue_start(&dialogue, fixture, "login");
	assert_int_equal(dialogue_text(&dialogue, "bob"), AUTH_CONTINUE);
	assert_string_equal(dialogue.text, "UGFzc3dvcmQ6");
	assert_int_equal(dialogue_text(&dialogue, "builder"), AUTH_DONE);
	dialogue_end(&dialogue);
}

static void test_login_messages(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	dialogue_start(&dialogue, fixture, "LOGIN");
	assert_int_equal(dialogue_text(&dialogue, "bo\0b"), AUTH_BAD);
	dialogue_end(&dialogue);
	dialogue_start(&dialogue, fixture, "LOGIN");
	assert_int_equal(dialogue_text(&dialogue, "bob"), AUTH_CONTINUE);
	assert_int_equal(dialogue_text(&dialogue, "builder\0"), AUTH_BAD);
	dialogue_end(&dialogue);
	dialogue_start(&dialogue, fixture, "LOGIN");
	assert_int_equal(dialogue_text(&dialogue, "bob"), AUTH_CONTINUE);
	assert_int_equal(dialogue_line(&dialogue, ""), AUTH_BAD);
	dialogue_end(&dialogue);
	dialogue_start(&dialogue, fixture, "LOGIN");
	assert_int_equal(dialogue_text(&dialogue, "bob"), AUTH_CONTINUE);
	assert_int_equal(dialogue_text(&dialogue, "build\ner"), AUTH_FAILED);
	dialogue_end(&dialogue);
}

/* What a SCRAM server says first: the salt and the number of iterations, without the nonce. */
static const char *scram_first(struct auth_fixture *fixture, const char *octets, size_t len)
{
	static char said[256];
	struct dialogue dialogue;
	const char *salt;
	size_t size = 0;

	dialogue_start(&dialogue, fixture, "SCRAM-SHA-256");
	assert_int_equal(dialogue_octets(&dialogue, octets, len), AUTH_CONTINUE);
	assert_int_equal(sodium_base642bin((uint8_t *)said, sizeof(said) - 1, dialogue.text,
					   strlen(dialogue.text), NULL, &size, NULL,
					   sodium_base64_VARIANT_ORIGINAL),
			 0);
	said[size] = '\0';
	salt = strstr(said, ",s=");
	assert_non_null(salt);
	dialogue_end(&dialogue);
	return salt;
}

#define FIRST(fixture, text) scram_first(fixture, text, sizeof(text) - 1)

static void test_scram_salts(void **state)
{
	struct auth_fixture *fixture = *state;
	char alice[256], nobody[256];

	open_three(fixture);
	strcpy(alice, FIRST(fixture, "n,,n=alice@example.org,r=rOprNGfwEbeRWgbNEkqO"));
	assert_string_equal(FIRST(fixture, "n,,n=ALICE@example.org,r=x"), alice);
	/* Whether he may be somebody else says nothing about whether he is there. */
	assert_string_equal(FIRST(fixture, "n,a=bob,n=alice@example.org,r=x"), alice);
	strcpy(nobody, FIRST(fixture, "n,,n=nobody,r=x"));
	assert_string_equal(FIRST(fixture, "n,,n=nobody,r=y"), nobody);
	assert_string_equal(FIRST(fixture, "n,,n=Nobody,r=y"), nobody);
	assert_string_equal(FIRST(fixture, "n,a=bob,n=nobody,r=y"), nobody);
	assert_int_equal(strlen(nobody), strlen(alice));
	assert_string_not_equal(FIRST(fixture, "n,,n=somebody,r=y"), nobody);
	/* Nor does a restart. */
	open_three(fixture);
	assert_string_equal(FIRST(fixture, "n,,n=nobody,r=x"), nobody);
	/* Another gateway has other salts. */
	unlink(auth_path(fixture, "auth.key"));
	open_three(fixture);
	assert_string_not_equal(FIRST(fixture, "n,,n=nobody,r=x"), nobody);
}

static void test_scram_messages(void **state)
{
	static const char *const first[] = { "x", "n,,", "n,,n=alice", "n,,r=x,n=alice",
					     "n,,m=x,n=alice,r=x" };
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	for (size_t i = 0; i < COUNT(first); i++) {
		dialogue_start(&dialogue, fixture, "SCRAM-SHA-256");
		assert_int_equal(dialogue_octets(&dialogue, first[i], strlen(first[i])), AUTH_BAD);
		dialogue_end(&dialogue);
	}
	/* Nothing is bound to the channel; a client that only could is welcome. */
	dialogue_start(&dialogue, fixture, "SCRAM-SHA-256");
	assert_int_equal(dialogue_text(&dialogue, "p=tls-unique,,n=alice@example.org,r=x"),
			 AUTH_FAILED);
	dialogue_end(&dialogue);
	FIRST(fixture, "y,,n=alice@example.org,r=x");
}

static void test_scram_finals(void **state)
{
	static const char *const final[] = {
		"x", "c=biws,r=x,p=AAAA", "c=biws,r=x,p=QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
	};
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	for (size_t i = 0; i < COUNT(final); i++) {
		enum auth_step step;

		dialogue_start(&dialogue, fixture, "SCRAM-SHA-256");
		assert_int_equal(dialogue_text(&dialogue, "n,,n=alice@example.org,r=x"),
				 AUTH_CONTINUE);
		step = dialogue_octets(&dialogue, final[i], strlen(final[i]));
		assert_true(step == AUTH_BAD || step == AUTH_FAILED);
		dialogue_end(&dialogue);
	}
}

/* After an exchange is over, or while it is busy, lines are not heard. */
static void test_silent_afterwards(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	dialogue_start(&dialogue, fixture, "PLAIN");
	assert_int_equal(dialogue_line(&dialogue, "*"), AUTH_BAD);
	auth_exchange_step(dialogue.exchange, "AGJvYgBidWlsZGVy");
	auth_exchange_decide(dialogue.exchange, true);
	auth_exchange_defer(dialogue.exchange);
	dialogue_end(&dialogue);
	assert_int_equal(dialogue.answers, 1);
	assert_int_equal(dialogue.step, AUTH_BAD);
}

static void test_backend(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;
	const struct client client = { .user = "Bob", .password = "builder" };
	const char *const both[] = { "PLAIN", "LOGIN" };

	auth_open_users(fixture, NULL);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(client_run(fixture, both[i % 2], &client, &dialogue),
				 AUTH_BACKEND);
		/* What the backend makes of capitals is its own affair. */
		assert_string_equal(dialogue.user, "Bob");
		assert_string_equal(dialogue.password, "builder");
		dialogue.inside = true;
		if (i / 2 == 2)
			auth_exchange_defer(dialogue.exchange);
		else
			auth_exchange_decide(dialogue.exchange, i / 2 == 0);
		dialogue.inside = false;
		assert_int_equal(dialogue_wait(&dialogue), i / 2 == 0   ? AUTH_DONE
							   : i / 2 == 1 ? AUTH_FAILED
									: AUTH_LATER);
		assert_string_equal(dialogue.user, "Bob");
		assert_string_equal(dialogue.password, "");
		dialogue_end(&dialogue);
	}
}

/* What cannot be right is not taken to a backend, which might think otherwise. */
static void test_backend_is_not_asked(void **state)
{
	struct auth_fixture *fixture = *state;

	auth_open_users(fixture, NULL);
	PLAIN(fixture, "\0bob\0", AUTH_FAILED);
	PLAIN(fixture, "\0\0builder", AUTH_FAILED);
	PLAIN(fixture, "alice\0bob\0builder", AUTH_FAILED);
	PLAIN(fixture, "\0b\tob\0builder", AUTH_FAILED);
}

static void test_backend_end(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;
	const struct client client = { .user = "bob", .password = "builder" };

	auth_open_users(fixture, NULL);
	assert_int_equal(client_run(fixture, "PLAIN", &client, &dialogue), AUTH_BACKEND);
	dialogue_end(&dialogue);
	assert_int_equal(client_run(fixture, "PLAIN", &client, &dialogue), AUTH_BACKEND);
	auth_exchange_decide(dialogue.exchange, true);
	dialogue_end(&dialogue);
}

static void test_failures_wait_and_are_refused(void **state)
{
	struct auth_fixture *fixture = *state;
	const struct client wrong = { .user = "bob", .password = "x" };
	const struct client right = { .user = "bob", .password = "builder" };
	struct dialogue dialogue;

	open_three(fixture);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(client_run(fixture, names[i % 2], &wrong, &dialogue), AUTH_FAILED);
		assert_int_equal(dialogue.wait, i == 0 ? 0 : i > 4 ? 8000 : 500u << (i - 1));
		dialogue_end(&dialogue);
	}
	assert_int_equal(client_run(fixture, "PLAIN", &right, &dialogue), AUTH_LATER);
	assert_int_equal(dialogue.wait, 8000);
	assert_false(dialogue.block);
	dialogue_end(&dialogue);
	assert_int_equal(run(fixture, "SCRAM-SHA-256", "alice@example.org", "wonderland"),
			 AUTH_LATER);
	assert_true(auth_throttle(fixture->auth, &fixture->source, NULL).refuse);
	for (int i = 0; i < 20; i++)
		run(fixture, "PLAIN", "bob", "x");
	assert_int_equal(client_run(fixture, "PLAIN", &right, &dialogue), AUTH_LATER);
	assert_true(dialogue.block);
	dialogue_end(&dialogue);
	fixture->source = addr_from_ipv4(0xc6336401);
	assert_int_equal(run(fixture, "PLAIN", "bob", "builder"), AUTH_DONE);
}

static void test_scram_waits(void **state)
{
	struct auth_fixture *fixture = *state;
	const struct client wrong = { .user = "carol", .password = "x" };
	struct dialogue dialogue;

	open_three(fixture);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(client_run(fixture, "SCRAM-SHA-256", &wrong, &dialogue),
				 AUTH_FAILED);
		assert_int_equal(dialogue.wait, i ? 500u << (i - 1) : 0);
		dialogue_end(&dialogue);
	}
	assert_int_equal(run(fixture, "SCRAM-SHA-256", "carol", "christmas"), AUTH_DONE);
	assert_int_equal(auth_throttle(fixture->auth, &fixture->source, "Carol").wait, 0);
}

static void test_backend_outage_counts_for_nothing(void **state)
{
	struct auth_fixture *fixture = *state;
	const struct client client = { .user = "bob", .password = "builder" };
	struct dialogue dialogue;

	auth_open_users(fixture, NULL);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(client_run(fixture, "PLAIN", &client, &dialogue), AUTH_BACKEND);
		auth_exchange_defer(dialogue.exchange);
		assert_int_equal(dialogue_wait(&dialogue), AUTH_LATER);
		dialogue_end(&dialogue);
	}
	assert_int_equal(auth_throttle(fixture->auth, &fixture->source, "bob").wait, 0);
}

/* Bob with a hash that takes its time. */
static void open_slow(struct auth_fixture *fixture)
{
	char *line = malloc(256);

	assert_non_null(line);
	snprintf(line, 256, "bob:%s:\n", users_hash("builder", SLOW));
	auth_open_users(fixture, (char *[]){ line, NULL });
}

static void send_plain(struct dialogue *dialogue)
{
	dialogue->inside = true;
	auth_exchange_step(dialogue->exchange, "AGJvYgBidWlsZGVy");
	dialogue->inside = false;
}

static void test_end_while_hashing(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	pool_hold();
	dialogue_start(&dialogue, fixture, "PLAIN");
	send_plain(&dialogue);
	auth_exchange_end(&dialogue.exchange);
	pool_release();
	dialogue_end(&dialogue);
	assert_int_equal(dialogue.answers, 0);
	/* Who hangs up before he is told has guessed all the same. */
	assert_int_equal(auth_throttle(fixture->auth, &fixture->source, "bob").wait, 500);
}

static void test_close_while_hashing(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	pool_hold();
	dialogue_start(&dialogue, fixture, "PLAIN");
	send_plain(&dialogue);
	auth_close(&fixture->auth);
	pool_release();
	assert_int_equal(dialogue_wait(&dialogue), AUTH_DONE);
	dialogue_end(&dialogue);
}

static void test_end_in_the_callback(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	dialogue_start(&dialogue, fixture, "PLAIN");
	dialogue.end = true;
	assert_int_equal(dialogue_line(&dialogue, "AGJvYgBidWlsZGVy"), AUTH_DONE);
	dialogue_end(&dialogue);
	dialogue_start(&dialogue, fixture, "SCRAM-SHA-256");
	dialogue.end = true;
	assert_int_equal(dialogue_line(&dialogue, NULL), AUTH_CONTINUE);
	dialogue_end(&dialogue);
	dialogue_start(&dialogue, fixture, "PLAIN");
	dialogue_end(&dialogue);
}

/* More than may run and wait: the rest are told to come again, and it does not count. */
static void test_queue_is_bounded(void **state)
{
	enum { ALL = AUTH_HASHES_MAX + HASH_QUEUE_MAX + 3 };
	struct auth_fixture *fixture = *state;
	struct dialogue *dialogues = calloc(ALL, sizeof(*dialogues));
	unsigned int done = 0, later = 0;

	assert_non_null(dialogues);
	open_three(fixture);
	pool_hold();
	for (unsigned int i = 0; i < ALL; i++) {
		fixture->source = addr_from_ipv4(0x0a000000 + (i << 8));
		dialogue_start(&dialogues[i], fixture, "PLAIN");
		send_plain(&dialogues[i]);
	}
	/* Some of those who wait give up, and so do some that run. */
	for (unsigned int i = 0; i < AUTH_HASHES_MAX + HASH_QUEUE_MAX; i++)
		if (i % 8)
			auth_exchange_end(&dialogues[i].exchange);
	pool_release();
	for (unsigned int i = 0; i < ALL; i++) {
		while (dialogues[i].exchange && !dialogues[i].answers)
			uv_run(&fixture->loop, UV_RUN_ONCE);
		done += dialogues[i].answers && dialogues[i].step == AUTH_DONE;
		later += dialogues[i].answers && dialogues[i].step == AUTH_LATER;
		auth_exchange_end(&dialogues[i].exchange);
	}
	assert_int_equal(later, 3);
	assert_int_equal(done, (AUTH_HASHES_MAX + HASH_QUEUE_MAX + 7) / 8);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	fixture->source = addr_from_ipv4(0x0a000000 + ((ALL - 1) << 8));
	assert_int_equal(auth_throttle(fixture->auth, &fixture->source, NULL).wait, 0);
	assert_int_equal(run(fixture, "PLAIN", "bob", "builder"), AUTH_DONE);
	free(dialogues);
}

static void on_hash(enum hash_result result, void *arg)
{
	*(enum hash_result *)arg = result;
}

/* Whoever ends when he has just been given a place hands it on. */
static void test_place_is_handed_on(void **state)
{
	struct auth_fixture *fixture = *state;
	struct hashes *hashes = hashes_open(1, 1);
	enum hash_result first = HASH_FAILED, second = HASH_FAILED, third = HASH_FAILED;
	struct pollfd woken = { .fd = uv_backend_fd(&fixture->loop), .events = POLLIN };
	const char *hash = users_hash("x", HASH_COST);
	struct hash_job *job;

	assert_non_null(hashes);
	pool_hold();
	assert_non_null(hash_start(hashes, &fixture->loop, hash, "x", on_hash, &first));
	job = hash_start(hashes, &fixture->loop, hash, "x", on_hash, &second);
	assert_non_null(job);
	assert_null(hash_start(hashes, &fixture->loop, hash, "x", on_hash, &third));
	while (uv_run(&fixture->loop, UV_RUN_NOWAIT) && poll(&woken, 1, 0))
		;
	pool_release();
	assert_int_equal(poll(&woken, 1, 10000), 1); /* the second has the first one's place */
	hash_end(&job);
	assert_null(job);
	assert_non_null(hash_start(hashes, &fixture->loop, hash, "y", on_hash, &third));
	hashes_close(&hashes);
	for (int i = 0; i < 2000 && uv_run(&fixture->loop, UV_RUN_NOWAIT); i++)
		uv_sleep(5);
	assert_int_equal(first, HASH_RIGHT);
	assert_int_equal(second, HASH_FAILED);
	assert_int_equal(third, HASH_WRONG);
}

static double seconds_of(struct auth_fixture *fixture, const char *user)
{
	struct timespec from, to;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	assert_int_equal(run(fixture, "PLAIN", user, "wrong"), AUTH_FAILED);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Not a measurement: without the hash it would be less than a thousandth. */
static void test_unknown_costs_a_hash(void **state)
{
	struct auth_fixture *fixture = *state;
	double known, unknown;

	open_slow(fixture);
	known = seconds_of(fixture, "bob");
	unknown = seconds_of(fixture, "nobody");
	assert_true(unknown > known / 10);
}

/* What had begun goes by what there was. */
static void test_reload_meanwhile(void **state)
{
	struct auth_fixture *fixture = *state;
	struct dialogue dialogue;

	open_three(fixture);
	dialogue_start(&dialogue, fixture, "PLAIN");
	auth_write_users(fixture, (char *[]){ NULL });
	assert_int_equal(auth_reload(fixture->auth, fixture->conf, NULL), 0);
	assert_string_equal(auth_mechanisms(fixture->auth), "");
	assert_int_equal(dialogue_line(&dialogue, "AGJvYgBidWlsZGVy"), AUTH_DONE);
	dialogue_end(&dialogue);
}

static void test_reload(void **state)
{
	struct auth_fixture *fixture = *state;
	struct error err = { 0 };

	open_three(fixture);
	auth_write_users(fixture, (char *[]){ strdup("bob:x:\n"), NULL });
	assert_int_equal(auth_reload(fixture->auth, fixture->conf, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "users:1: not a hash"));
	assert_int_equal(run(fixture, "PLAIN", "bob", "builder"), AUTH_DONE);
	auth_write_users(fixture,
			 (char *[]){ users_line("dora", "explorer", WITH_HASH, ""), NULL });
	assert_int_equal(auth_reload(fixture->auth, fixture->conf, &err), 0);
	assert_string_equal(auth_mechanisms(fixture->auth), "PLAIN LOGIN");
	assert_int_equal(run(fixture, "PLAIN", "dora", "explorer"), AUTH_DONE);
	assert_int_equal(run(fixture, "PLAIN", "bob", "builder"), AUTH_FAILED);
	assert_false(auth_may_send_as(fixture->auth, "bob", "bob@example.org"));
}

/* What has only been read is nobody's yet. */
static void test_reload_dropped(void **state)
{
	struct auth_fixture *fixture = *state;
	struct auth_part *part = NULL;

	open_three(fixture);
	auth_write_users(fixture,
			 (char *[]){ users_line("dora", "explorer", WITH_HASH, ""), NULL });
	assert_int_equal(auth_prepare(fixture->conf, &part, NULL), 0);
	assert_int_equal(run(fixture, "PLAIN", "dora", "explorer"), AUTH_FAILED);
	auth_drop(&part);
	assert_null(part);
	auth_apply(fixture->auth, &part);
	assert_int_equal(run(fixture, "PLAIN", "bob", "builder"), AUTH_DONE);
}

static void test_senders(void **state)
{
	struct auth_fixture *fixture = *state;

	open_three(fixture);
	assert_true(auth_may_send_as(fixture->auth, "alice@example.org", "alice@example.org"));
	assert_true(auth_may_send_as(fixture->auth, "Alice@example.org", "alice@example.org"));
	assert_false(auth_may_send_as(fixture->auth, "alice@example.org", "bob@example.org"));
	assert_true(auth_may_send_as(fixture->auth, "bob", "bob@example.org"));
	assert_true(auth_may_send_as(fixture->auth, "bob", "x@example.net"));
	assert_true(auth_may_send_as(fixture->auth, "bob", ""));
	assert_false(auth_may_send_as(fixture->auth, "nobody", "bob@example.org"));
	assert_false(auth_may_send_as(fixture->auth, "", "bob@example.org"));
}

static void test_senders_of_the_backend(void **state)
{
	struct auth_fixture *fixture = *state;

	fixture->conf->smtp.domains.count = 2;
	strcpy(fixture->conf->smtp.domains.domain[0].name, "example.org");
	strcpy(fixture->conf->smtp.domains.domain[1].name, "example.net");
	auth_open_users(fixture, NULL);
	assert_true(auth_may_send_as(fixture->auth, "Bob", "bob@example.net"));
	assert_true(auth_may_send_as(fixture->auth, "bob", "bob@example.org"));
	assert_false(auth_may_send_as(fixture->auth, "bob", "bob@example.com"));
	assert_false(auth_may_send_as(fixture->auth, "bob", "bobby@example.org"));
	assert_false(auth_may_send_as(fixture->auth, "bob", "alice@example.org"));
	assert_true(auth_may_send_as(fixture->auth, "Bob@example.com", "bob@example.com"));
	assert_false(auth_may_send_as(fixture->auth, "bob@example.com", "bob@example.org"));
}

static void test_key(void **state)
{
	struct auth_fixture *fixture = *state;
	struct error err = { 0 };
	struct stat info;

	open_three(fixture);
	assert_int_equal(stat(auth_path(fixture, "auth.key"), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(info.st_size, 32);
	auth_close(&fixture->auth);
	assert_int_equal(truncate(auth_path(fixture, "auth.key"), 31), 0);
	assert_int_equal(auth_open(fixture->conf, &fixture->auth, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "auth.key: damaged"));
	assert_null(fixture->auth);
	strcpy(fixture->conf->state_directory, "");
	assert_int_equal(auth_open(fixture->conf, &fixture->auth, NULL), 0);
	auth_close(&fixture->auth);
	strcpy(fixture->conf->state_directory, "/nonexistent");
	assert_int_equal(auth_open(fixture->conf, &fixture->auth, &err), ERROR_REFUSED);
	strcpy(fixture->conf->smtp.users, "/nonexistent");
	strcpy(fixture->conf->state_directory, "");
	assert_int_equal(auth_open(fixture->conf, &fixture->auth, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "/nonexistent: No such file or directory");
}

/* Workers */

struct worker {
	struct auth_fixture fixture; /* a loop of its own, and the shared accounts */
	uv_thread_t thread;
	unsigned int done;
};

static void work(void *arg)
{
	struct worker *worker = arg;

	for (unsigned int i = 0; i < 30; i++) {
		const bool right = i % 3;

		worker->done +=
			run(&worker->fixture, names[i % COUNT(names)], "alice@example.org",
			    right ? "wonderland" : "wrong") == (right ? AUTH_DONE : AUTH_FAILED);
		worker->done += auth_may_send_as(worker->fixture.auth, "bob", "x@example.net");
	}
}

static void test_workers(void **state)
{
	struct auth_fixture *fixture = *state;
	struct worker workers[4];

	open_three(fixture);
	for (size_t i = 0; i < COUNT(workers); i++) {
		workers[i] = (struct worker){ 0 };
		workers[i].fixture.auth = fixture->auth;
		workers[i].fixture.source = addr_from_ipv4((uint32_t)(0x0a000001 + (i << 8)));
		assert_int_equal(uv_loop_init(&workers[i].fixture.loop), 0);
		assert_int_equal(uv_thread_create(&workers[i].thread, work, &workers[i]), 0);
	}
	for (int i = 0; i < 20; i++)
		assert_int_equal(auth_reload(fixture->auth, fixture->conf, NULL), 0);
	for (size_t i = 0; i < COUNT(workers); i++) {
		uv_thread_join(&workers[i].thread);
		assert_int_equal(workers[i].done, 60);
		assert_int_equal(uv_loop_close(&workers[i].fixture.loop), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mechanisms),
		TEST(test_no_such_mechanism),
		TEST(test_right),
		TEST(test_wrong),
		TEST(test_unknown),
		TEST(test_secrets_of_other_tools),
		TEST(test_capitals_and_forms),
		TEST(test_authorization_identity),
		TEST(test_not_base64),
		TEST(test_empty_responses),
		TEST(test_long_lines),
		TEST(test_plain_messages),
		TEST(test_long_names_and_passwords),
		TEST(test_longest_password),
		TEST(test_login_prompts),
		TEST(test_login_messages),
		TEST(test_scram_salts),
		TEST(test_scram_messages),
		TEST(test_scram_finals),
		TEST(test_silent_afterwards),
		TEST(test_backend),
		TEST(test_backend_is_not_asked),
		TEST(test_backend_end),
		TEST(test_failures_wait_and_are_refused),
		TEST(test_scram_waits),
		TEST(test_backend_outage_counts_for_nothing),
		TEST(test_end_while_hashing),
		TEST(test_close_while_hashing),
		TEST(test_end_in_the_callback),
		TEST(test_queue_is_bounded),
		TEST(test_place_is_handed_on),
		TEST(test_unknown_costs_a_hash),
		TEST(test_reload_meanwhile),
		TEST(test_reload),
		TEST(test_reload_dropped),
		TEST(test_senders),
		TEST(test_senders_of_the_backend),
		TEST(test_key),
		TEST(test_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
