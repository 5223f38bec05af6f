/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/auth.c - see backend/backend.h: AUTH PLAIN (RFC 4616, RFC 4954) at a server.
 *
 * Inside TLS only, on a connection of its own: one that has authenticated is never used for
 * anything else. Another server is asked if one is lost, because asking changes nothing. The
 * answer to what is too long for a command line goes behind a 334.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "backend/internal.h"

#define INITIAL_MAX 490u /* octets of base64 that have room in a command (RFC 5321 4.5.3.1.4) */

struct backend_auth {
	LIST_ENTRY(backend_auth) all;
	struct backends *backends; /* NULL: they are closed */
	struct dialogue *dialogue;
	struct backend_server *server;
	backend_auth_cb cb;
	void *arg;
	char *secret; /* base64, owned, wiped */
	uint32_t tried;
	bool due; /* nobody can be asked, which is said from the loop */
	bool decided, ended;
	uint8_t calls;
};

static const struct backend_reply nobody = { .code = 454,
					     .lost = true,
					     .text = "4.7.0 authentication is not possible now" };

/* ---- the secret */

/* RFC 4616 2: nobody's identity but the user's own; NUL, user, NUL, password. */
static char *make_secret(const char *user, const char *password)
{
	const size_t first = strlen(user) + 1, size = first + strlen(password) + 1;
	const size_t length = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
	uint8_t *plain = malloc(size + 1);
	char *out = malloc(length);

	if (plain && out) {
		plain[0] = '\0';
		memcpy(plain + 1, user, first);
		memcpy(plain + 1 + first, password, size - first);
		sodium_bin2base64(out, length, plain, size, sodium_base64_VARIANT_ORIGINAL);
		sodium_memzero(plain, size);
	} else {
		free(out);
		out = NULL;
	}
	free(plain);
	return out;
}

static void wipe(struct backend_auth *auth)
{
	if (!auth->secret)
		return;
	explicit_bzero(auth->secret, strlen(auth->secret));
	free(auth->secret);
	auth->secret = NULL;
}

/* ---- the owner */

static void release(struct backend_auth *auth)
{
	if (--auth->calls == 0 && auth->ended) {
		wipe(auth);
		free(auth);
	}
}

static void decide(struct backend_auth *auth, const struct backend_reply *reply)
{
	struct backend_reply said = *reply;

	if (auth->decided || auth->ended)
		return;
	auth->decided = true;
	wipe(auth);
	dialogue_close(&auth->dialogue);
	reply_complete(&said);
	auth->cb(&said, auth->arg);
}

static void try_next(struct backend_auth *auth);

/* 334 wants the secret if it was too long for the command; a second one is no PLAIN. */
static void on_reply(struct dialogue *dialogue, const struct backend_reply *reply, void *arg)
{
	struct backend_auth *auth = arg;

	auth->calls++;
	if (reply->code != 334) {
		health_proved(auth->server);
		decide(auth, reply->code / 100 == 3 ? &nobody : reply);
	} else if (auth->secret && strlen(auth->secret) > INITIAL_MAX) {
		dialogue_say(dialogue, auth->secret, "", DIALOGUE_MAIL_S);
		wipe(auth);
	} else {
		decide(auth, &nobody);
	}
	release(auth);
}

/* In TLS only, whatever the configuration says. */
static void on_ready(struct dialogue *dialogue, void *arg)
{
	struct backend_auth *auth = arg;
	const bool initial = strlen(auth->secret) <= INITIAL_MAX;

	auth->calls++;
	if (!stream_tls(dialogue->stream) || !(dialogue->features & BACKEND_AUTH_PLAIN)) {
		dialogue_close(&auth->dialogue);
		try_next(auth);
	} else {
		dialogue_say(dialogue, initial ? "AUTH PLAIN " : "AUTH PLAIN",
			     initial ? auth->secret : "", DIALOGUE_MAIL_S);
	}
	release(auth);
}

static void on_lost(struct dialogue *dialogue, const struct dialogue_end *end, void *arg)
{
	struct backend_auth *auth = arg;

	(void)dialogue;
	auth->calls++;
	auth->dialogue = NULL;
	health_lost(auth->server, end);
	try_next(auth);
	release(auth);
}

static const struct dialogue_owner auth_owner = { on_ready, on_reply, NULL, on_lost };

/* Servers without TLS are none for this. */
static uint32_t plain_servers(const struct backends *backends)
{
	uint32_t plain = 0;

	for (size_t i = 0; i < backends->count; i++)
		if (!backends->server[i].tls)
			plain |= 1u << i;
	return plain;
}

static void try_next(struct backend_auth *auth)
{
	const struct choice choice = { BACKEND_AUTH_PLAIN, auth->tried };

	auth->server = auth->secret ? choose_server(auth->backends, &choice) : NULL;
	if (auth->server) {
		auth->tried |= 1u << auth->server->number;
		auth->dialogue = pool_take(auth->server, NULL, false, &auth_owner, auth);
	}
	if (auth->dialogue)
		return;
	auth->due = true;
	pool_later(auth->backends);
}

static struct backend_auth *first_due(const struct backends *backends)
{
	struct backend_auth *auth;

	LIST_FOREACH(auth, &backends->auths, all)
	if (auth->due)
		return auth;
	return NULL;
}

bool auth_due(struct backends *backends)
{
	struct backend_auth *auth = first_due(backends);

	if (!auth)
		return false;
	auth->due = false;
	auth->calls++;
	decide(auth, &nobody);
	release(auth);
	return true;
}

struct backend_auth *backend_auth_start(struct backends *backends, const char *user,
					const char *password, backend_auth_cb cb, void *arg)
{
	struct backend_auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return NULL;
	auth->secret = make_secret(user, password);
	if (!auth->secret) {
		free(auth);
		return NULL;
	}
	auth->backends = backends;
	auth->cb = cb;
	auth->arg = arg;
	auth->tried = plain_servers(backends);
	LIST_INSERT_HEAD(&backends->auths, auth, all);
	try_next(auth);
	return auth;
}

static void detach(struct backend_auth *auth)
{
	if (!auth->backends)
		return;
	LIST_REMOVE(auth, all);
	auth->backends = NULL;
	dialogue_close(&auth->dialogue);
}

/* An exchange in its middle is no place for QUIT, but one that is answered is closed in order. */
void backend_auth_end(struct backend_auth **auth)
{
	struct backend_auth *ending = *auth;

	if (!ending)
		return;
	*auth = NULL;
	detach(ending);
	ending->ended = true;
	ending->calls++;
	release(ending);
}

void auth_orphan(struct backends *backends)
{
	struct backend_auth *auth;

	while ((auth = LIST_FIRST(&backends->auths)))
		detach(auth);
}
