/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/auth_fixture.c - see tests/unit/auth_fixture.h.
 */
#define _GNU_SOURCE
#include "auth_fixture.h"

#include <fcntl.h>
#include <gsasl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SALT_OCTETS 12
#define ITERATIONS  4096

static char path[256];

int auth_fixture_setup(void **state)
{
	struct auth_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	strcpy(fixture->dir, "/tmp/postern-auth-XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	assert_true(sodium_init() >= 0);
	assert_int_equal(conf_defaults(&fixture->conf, NULL), 0);
	strcpy(fixture->conf->state_directory, fixture->dir);
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	fixture->source = addr_from_ipv4(0xc0000201);
	*state = fixture;
	return 0;
}

int auth_fixture_teardown(void **state)
{
	struct auth_fixture *fixture = *state;

	auth_close(&fixture->auth);
	uv_run(&fixture->loop, UV_RUN_NOWAIT); /* after a failure there may be no end to it */
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	unlink(auth_path(fixture, "users"));
	unlink(auth_path(fixture, "auth.key"));
	assert_int_equal(rmdir(fixture->dir), 0);
	conf_free(&fixture->conf);
	free(fixture);
	return 0;
}

const char *auth_path(const struct auth_fixture *fixture, const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
	return path;
}

const char *users_hash(const char *password, unsigned int passes, size_t memory)
{
	static char hash[crypto_pwhash_STRBYTES];

	assert_int_equal(crypto_pwhash_str(hash, password, strlen(password), passes, memory), 0);
	return hash;
}

static void base64(char *out, size_t size, const void *octets, size_t len)
{
	sodium_bin2base64(out, size, octets, len, sodium_base64_VARIANT_ORIGINAL);
}

/* The secret that a gateway keeps, from the password that it does not. */
static void scram_secret(const char *password, char *out, size_t size)
{
	char octets[SALT_OCTETS], salted[32], client[32], server[32], stored[32];
	char salt64[32], stored64[64], server64[64];

	randombytes_buf(octets, sizeof(octets));
	assert_int_equal(gsasl_scram_secrets_from_password(GSASL_HASH_SHA256, password, ITERATIONS,
							   octets, sizeof(octets), salted, client,
							   server, stored),
			 GSASL_OK);
	base64(salt64, sizeof(salt64), octets, sizeof(octets));
	base64(stored64, sizeof(stored64), stored, sizeof(stored));
	base64(server64, sizeof(server64), server, sizeof(server));
	snprintf(out, size, "{SCRAM-SHA-256}%d,%s,%s,%s", ITERATIONS, salt64, stored64, server64);
}

char *users_line(const char *name, const char *password, int with, const char *addresses)
{
	char scram[256] = "";
	char *line = NULL;

	if (with & WITH_SCRAM)
		scram_secret(password, scram, sizeof(scram));
	assert_true(asprintf(&line, "%s:%s%s%s:%s\n", name,
			     with & WITH_HASH ? users_hash(password, HASH_COST) : "",
			     with == WITH_BOTH ? " " : "", scram, addresses) > 0);
	return line;
}

void auth_write_users(struct auth_fixture *fixture, char *const lines[])
{
	FILE *file;

	strcpy(fixture->conf->smtp.users, auth_path(fixture, "users"));
	file = fopen(fixture->conf->smtp.users, "w");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0640), 0);
	for (; *lines; lines++) {
		assert_true(fputs(*lines, file) >= 0);
		free(*lines);
	}
	assert_int_equal(fclose(file), 0);
}

void auth_open_users(struct auth_fixture *fixture, char *const lines[])
{
	struct error err = { 0 };

	auth_close(&fixture->auth);
	if (lines)
		auth_write_users(fixture, lines);
	else
		fixture->conf->smtp.backends.count = 1;
	if (auth_open(fixture->conf, &fixture->auth, &err))
		fail_msg("%s", err.text);
}

/* The pool: its threads wait for a semaphore, on a loop that is nobody's. */

#define POOL_THREADS 4 /* libuv's default */

static struct {
	uv_loop_t loop;
	uv_work_t work[POOL_THREADS];
	uv_sem_t held, go;
} pool;

static void hold_thread(uv_work_t *work)
{
	(void)work;
	uv_sem_post(&pool.held);
	uv_sem_wait(&pool.go);
}

void pool_hold(void)
{
	assert_int_equal(uv_loop_init(&pool.loop), 0);
	assert_int_equal(uv_sem_init(&pool.held, 0), 0);
	assert_int_equal(uv_sem_init(&pool.go, 0), 0);
	for (int i = 0; i < POOL_THREADS; i++)
		assert_int_equal(uv_queue_work(&pool.loop, &pool.work[i], hold_thread, NULL), 0);
	for (int i = 0; i < POOL_THREADS; i++)
		uv_sem_wait(&pool.held);
}

void pool_release(void)
{
	for (int i = 0; i < POOL_THREADS; i++)
		uv_sem_post(&pool.go);
	uv_run(&pool.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&pool.loop), 0);
	uv_sem_destroy(&pool.held);
	uv_sem_destroy(&pool.go);
}

/* An exchange */

static void on_answer(struct auth_exchange *exchange, const struct auth_result *result, void *arg)
{
	struct dialogue *dialogue = arg;

	assert_false(dialogue->inside);
	assert_ptr_equal(exchange, dialogue->exchange);
	dialogue->answers++;
	dialogue->step = result->step;
	dialogue->wait = result->wait;
	dialogue->block = result->block;
	snprintf(dialogue->text, sizeof(dialogue->text), "%s", result->text);
	snprintf(dialogue->user, sizeof(dialogue->user), "%s", result->user);
	snprintf(dialogue->password, sizeof(dialogue->password), "%s", result->password);
	if (dialogue->end)
		auth_exchange_end(&dialogue->exchange);
}

void dialogue_start(struct dialogue *dialogue, struct auth_fixture *fixture, const char *mechanism)
{
	*dialogue = (struct dialogue){ .fixture = fixture };
	dialogue->exchange = auth_exchange_start(fixture->auth, &fixture->loop, mechanism,
						 &fixture->source, on_answer, dialogue);
	assert_non_null(dialogue->exchange);
}

enum auth_step dialogue_wait(struct dialogue *dialogue)
{
	const unsigned int before = dialogue->answers;

	while (dialogue->answers == before)
		uv_run(&dialogue->fixture->loop, UV_RUN_ONCE);
	assert_int_equal(dialogue->answers, before + 1);
	return dialogue->step;
}

enum auth_step dialogue_line(struct dialogue *dialogue, const char *line)
{
	dialogue->inside = true;
	auth_exchange_step(dialogue->exchange, line);
	dialogue->inside = false;
	return dialogue_wait(dialogue);
}

enum auth_step dialogue_octets(struct dialogue *dialogue, const void *octets, size_t len)
{
	const size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *line = malloc(size);
	enum auth_step step;

	assert_non_null(line);
	base64(line, size, octets, len);
	step = dialogue_line(dialogue, line);
	free(line);
	return step;
}

void dialogue_end(struct dialogue *dialogue)
{
	const unsigned int answers = dialogue->answers;

	auth_exchange_end(&dialogue->exchange);
	assert_null(dialogue->exchange);
	uv_run(&dialogue->fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(dialogue->answers, answers);
}

/* A client */

static Gsasl_session *client_start(Gsasl *gsasl, const char *mechanism, const struct client *client)
{
	Gsasl_session *session = NULL;

	assert_int_equal(gsasl_client_start(gsasl, mechanism, &session), GSASL_OK);
	gsasl_property_set(session, GSASL_AUTHID, client->user);
	gsasl_property_set(session, GSASL_PASSWORD, client->password);
	if (client->other)
		gsasl_property_set(session, GSASL_AUTHZID, client->other);
	return session;
}

/* What the client says to the last answer: base64 in memory that the caller frees, or NULL if it
 * has not understood, which is how it takes a server that does not know the user's secret. */
static char *client_says(Gsasl_session *session, const char *text)
{
	char *line = NULL;
	const int rc = gsasl_step64(session, text, &line);

	if (rc == GSASL_OK || rc == GSASL_NEEDS_MORE)
		return line;
	gsasl_free(line);
	return NULL;
}

enum auth_step client_run(struct auth_fixture *fixture, const char *mechanism,
			  const struct client *client, struct dialogue *out)
{
	const bool initial = !client->late;
	enum auth_step step = AUTH_CONTINUE;
	Gsasl_session *session;
	Gsasl *gsasl = NULL;

	assert_int_equal(gsasl_init(&gsasl), GSASL_OK);
	session = client_start(gsasl, mechanism, client);
	dialogue_start(out, fixture, mechanism);
	if (!initial || !strcmp(mechanism, "LOGIN"))
		step = dialogue_line(out, NULL);
	while (step == AUTH_CONTINUE) {
		char *line = client_says(session, out->text);

		assert_non_null(line);
		step = dialogue_line(out, line);
		gsasl_free(line);
	}
	gsasl_finish(session);
	gsasl_done(gsasl);
	return step;
}
