/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/auth_fixture.h - what the tests of accounts/ share: a users file in a directory of its
 * own with cheap hashes, and a client that is driven through an exchange.
 *
 * Everything here fails the test when it does not succeed.
 */
#ifndef POSTERN_TESTS_UNIT_AUTH_FIXTURE_H
#define POSTERN_TESTS_UNIT_AUTH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/auth.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT_BYTES   (AUTH_LINE_MAX + 64)
#define HASH_COST    1, 8192 /* passes and bytes */

struct auth_fixture {
	char dir[64];
	struct conf *conf;
	struct auth *auth;
	uv_loop_t loop;
	struct addr source;
};

int auth_fixture_setup(void **state);
int auth_fixture_teardown(void **state);

/* A line of the users file with the secrets that are asked for, in memory that the test frees. */
enum { WITH_HASH = 1, WITH_SCRAM = 2, WITH_BOTH = 3 };
char *users_line(const char *name, const char *password, int with, const char *addresses);
/* An Argon2id secret of the password, in a buffer that the next call overwrites. */
const char *users_hash(const char *password, unsigned int passes, size_t memory);

/* DIR/name; good until the next call. */
const char *auth_path(const struct auth_fixture *fixture, const char *name);
/* Writes the users file of these lines, up to NULL, which are freed. */
void auth_write_users(struct auth_fixture *fixture, char *const lines[]);
/* The accounts of the file are opened, or of the backend if there are no lines. */
void auth_open_users(struct auth_fixture *fixture, char *const lines[]);

/* Nothing runs in libuv's pool in between: what is handed to it waits. */
void pool_hold(void);
void pool_release(void);

/* An exchange, and what came of it last. */
struct dialogue {
	struct auth_fixture *fixture;
	struct auth_exchange *exchange;
	unsigned int answers;
	bool inside; /* a call into the exchange is under way */
	bool end;    /* in the callback */
	enum auth_step step;
	uint32_t wait;
	bool block;
	char text[TEXT_BYTES]; /* base64 */
	char user[AUTH_USER_MAX], password[AUTH_PASSWORD_MAX];
};

void dialogue_start(struct dialogue *dialogue, struct auth_fixture *fixture, const char *mechanism);
/* A line as it is, and the answer to it. */
enum auth_step dialogue_line(struct dialogue *dialogue, const char *line);
/* Octets, which are encoded. */
enum auth_step dialogue_octets(struct dialogue *dialogue, const void *octets, size_t len);
#define dialogue_text(dialogue, text) dialogue_octets(dialogue, text, sizeof(text) - 1)
/* Runs the loop until there is another answer. */
enum auth_step dialogue_wait(struct dialogue *dialogue);
/* Ends it, and lets the loop run out. */
void dialogue_end(struct dialogue *dialogue);

/* A whole exchange with a client of libgsasl's, and the step that it ends with. */
struct client {
	const char *user, *password;
	const char *other; /* authzid, or NULL */
	bool late;         /* no initial response */
};
enum auth_step client_run(struct auth_fixture *fixture, const char *mechanism,
			  const struct client *client, struct dialogue *out);

#endif
