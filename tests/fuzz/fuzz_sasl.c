/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes the exchanges of accounts/auth.h: the first byte is a mechanism, whether the accounts
 * are the backend's and whether lines are to be encoded; the rest are the client's lines. Every
 * line has one answer, that comes later; only who has the password is ever done, and a backend is
 * asked only for a name and a password that could be right.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "accounts/auth.h"
#include "accounts/name.h"
#include "lib/clock.h"

#define LINES_MAX 8
#define PASSWORD  "correct horse"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "PLAIN", "LOGIN", "SCRAM-SHA-256" };
static struct auth *local, *remote;
static uv_loop_t loop;
static uint64_t now = 1000000000ull;

static struct {
	bool inside;
	unsigned int answers;
	enum auth_step step;
} seen;

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_backend(const struct auth_result *result)
{
	char name[AUTH_USER_MAX], password[AUTH_PASSWORD_MAX];

	require(*result->user && *result->password);
	require(name_prepare(result->user, name, sizeof(name)));
	require(!strcmp(name, result->user));
	require(name_prepare(result->password, password, sizeof(password)));
	require(!strcmp(password, result->password));
}

static void on_answer(struct auth_exchange *exchange, const struct auth_result *result, void *arg)
{
	uint8_t octets[AUTH_LINE_MAX];
	size_t len;

	(void)exchange;
	(void)arg;
	require(!seen.inside);
	require(result->text && result->user && result->password);
	require(strlen(result->user) < AUTH_USER_MAX);
	require((result->step == AUTH_BACKEND) == (*result->password != '\0'));
	require(!sodium_base642bin(octets, sizeof(octets), result->text, strlen(result->text), NULL,
				   &len, NULL, sodium_base64_VARIANT_ORIGINAL));
	if (result->step == AUTH_BACKEND)
		check_backend(result);
	if (result->step == AUTH_DONE)
		require(!strcasecmp(result->user, "alice"));
	seen.answers++;
	seen.step = result->step;
}

static void await(unsigned int before)
{
	while (seen.answers == before)
		uv_run(&loop, UV_RUN_ONCE);
	require(seen.answers == before + 1);
}

static bool step(struct auth_exchange *exchange, const char *line)
{
	const unsigned int before = seen.answers;

	seen.inside = true;
	auth_exchange_step(exchange, line);
	seen.inside = false;
	await(before);
	if (seen.step == AUTH_BACKEND) {
		auth_exchange_decide(exchange, false);
		await(before + 1);
		require(seen.step == AUTH_FAILED);
	}
	return seen.step == AUTH_CONTINUE;
}

/* Nobody is held up for long: the exchanges are what is looked at. */
static void forget(void)
{
	now += 100000000000000ull;
	clock_freeze(1, now);
}

static void write_users(char path[32])
{
	char hash[crypto_pwhash_STRBYTES];
	int fd;

	strcpy(path, "/tmp/postern-sasl-XXXXXX");
	fd = mkstemp(path);
	require(fd >= 0);
	require(!crypto_pwhash_str(hash, PASSWORD, strlen(PASSWORD), 1, 8192));
	dprintf(fd,
		"alice:%s {SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
		"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
		"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=:\n",
		hash);
	close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	char path[32];

	(void)argc;
	(void)argv;
	require(conf && sodium_init() >= 0 && !uv_loop_init(&loop));
	conf->smtp.backends.count = 1;
	require(!auth_open(conf, &remote, NULL));
	write_users(path);
	strcpy(conf->smtp.users, path);
	require(!auth_open(conf, &local, NULL));
	unlink(path);
	free(conf);
	return 0;
}

/* What is no base64 is soon refused: so lines are also taken as what is in them, with "|" for NUL.
 */
static bool step_octets(struct auth_exchange *exchange, const char *octets)
{
	char line[AUTH_LINE_MAX + 64], raw[AUTH_LINE_MAX / 4 * 3 + 1];
	const size_t len = strlen(octets);

	if (len >= sizeof(raw))
		return false;
	for (size_t i = 0; i < len; i++)
		raw[i] = (char)(octets[i] == '|' ? '\0' : octets[i]);
	sodium_bin2base64(line, sizeof(line), (const uint8_t *)raw, len,
			  sodium_base64_VARIANT_ORIGINAL);
	return step(exchange, line);
}

/* Lines are parted by a line feed; one that begins with "!" is not there at all. */
static void run(struct auth_exchange *exchange, char *text, bool octets)
{
	bool more = true;

	for (int i = 0; more && text && i < LINES_MAX; i++) {
		char *next = strchr(text, '\n');

		if (next)
			*next++ = '\0';
		if (octets && *text != '!')
			more = step_octets(exchange, text);
		else
			more = step(exchange, *text == '!' ? NULL : text);
		text = next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct addr source = { { 0 } };
	struct auth_exchange *exchange;
	uint8_t mode;
	bool encode;
	char *text;

	if (!size)
		return 0;
	mode = data[0] % 10;
	encode = mode >= 5;
	mode %= 5;
	text = malloc(size);
	require(text != NULL);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	forget();
	exchange = auth_exchange_start(mode < 3 ? local : remote, &loop, names[mode % 3], &source,
				       on_answer, NULL);
	require(exchange != NULL);
	run(exchange, text, encode);
	auth_exchange_end(&exchange);
	uv_run(&loop, UV_RUN_DEFAULT);
	free(text);
	return 0;
}
