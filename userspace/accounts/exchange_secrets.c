/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/exchange_secrets.c - whether it is who it says: see accounts/exchange.c.
 *
 * Of PLAIN and LOGIN libgsasl hands over a name and a password, which are then checked by a hash in
 * the pool, or by a backend. For SCRAM it is given stored keys and does the proof itself: it
 * compares a hash of what the client sent with one of a key that the client does not know, so the
 * time that this takes says nothing. Whoever is not there is compared with somebody else, in vain.
 *
 * Passwords are wiped where we have them; libgsasl frees copies of its own that cannot be reached.
 */
#include "accounts/exchange_internal.h"

#include <string.h>

#include "accounts/name.h"

/* Who it is */

/* The user, and whether he wants to be himself (RFC 4422 3.4.1); false if there can be no such. */
static bool take_user(struct auth_exchange *exchange)
{
	const char *user = gsasl_property_fast(exchange->sasl, GSASL_AUTHID);
	const char *other = gsasl_property_fast(exchange->sasl, GSASL_AUTHZID);
	char prepared[AUTH_USER_MAX];

	if (!user || !name_prepare(user, exchange->user, sizeof(exchange->user)))
		return false;
	memcpy(exchange->name, exchange->user, sizeof(exchange->name));
	name_fold(exchange->name);
	if (!other || !*other)
		return true;
	if (!name_prepare(other, prepared, sizeof(prepared)))
		return false;
	name_fold(prepared);
	return !strcmp(prepared, exchange->name);
}

/* Overwrites a property where libgsasl has it: it would only be freed. */
static void wipe_property(Gsasl_session *sasl, Gsasl_property property)
{
	char *value = (char *)(uintptr_t)gsasl_property_fast(sasl, property);

	if (value)
		sodium_memzero(value, strlen(value));
}

/* PLAIN and LOGIN */

static void on_hash(enum hash_result result, void *arg)
{
	struct auth_exchange *exchange = arg;
	enum auth_step step;

	exchange->job = NULL;
	if (result == HASH_FAILED)
		step = exchange_postpone(exchange);
	else
		step = exchange_conclude(exchange, result == HASH_RIGHT && exchange->known);
	exchange_answer_now(exchange, step);
}

/* Somebody's hash is compared in any case. */
static bool hash_password(struct auth_exchange *exchange)
{
	const struct users *users = exchange->accounts.users;
	const struct user *user = users_find(users, exchange->name);
	const struct user *other =
		users_with_hash(users, auth_stand_in(exchange->auth, exchange->name));

	if (!user || !user->hash) {
		exchange->known = false;
		user = other;
	}
	if (user)
		exchange->job = hash_start(exchange->auth->hashes, exchange->wake.loop, user->hash,
					   exchange->password, on_hash, exchange);
	sodium_memzero(exchange->password, sizeof(exchange->password));
	return exchange->job != NULL;
}

void exchange_check_password(struct auth_exchange *exchange)
{
	const char *password = gsasl_property_fast(exchange->sasl, GSASL_PASSWORD);

	exchange->known = take_user(exchange);
	if (!password || !name_prepare(password, exchange->password, sizeof(exchange->password)))
		exchange->known = false;
	wipe_property(exchange->sasl, GSASL_PASSWORD);
	if (!exchange_guess(exchange))
		exchange_answer(exchange, AUTH_LATER, OVER);
	else if (exchange->accounts.users && !hash_password(exchange))
		exchange_answer(exchange, exchange_postpone(exchange), OVER);
	else if (!exchange->accounts.users && exchange->known)
		exchange_answer(exchange, AUTH_BACKEND, BACKEND);
	else if (!exchange->accounts.users)
		exchange_answer(exchange, exchange_conclude(exchange, false), OVER);
}

/* SCRAM */

/* A salt as long as the given one, for the name. */
static void make_salt(const struct auth_exchange *exchange, const char *like,
		      char out[AUTH_SALT_MAX])
{
	uint8_t salt[USERS_SALT_MAX];
	size_t len = 0;

	/* Decoding cannot fail: users_line_read() has done so. */
	(void)!sodium_base642bin(salt, sizeof(salt), like, strlen(like), NULL, &len, NULL,
				 sodium_base64_VARIANT_ORIGINAL);
	auth_salt(exchange->auth, exchange->name, len, salt);
	sodium_bin2base64(out, AUTH_SALT_MAX, salt, len, sodium_base64_VARIANT_ORIGINAL);
}

/*
 * What libgsasl says first and compares later. For a user who is not there it is somebody's with a
 * salt of its own, against which nothing will be proved; and if it were, `known` is false.
 */
static int give_scram(struct auth_exchange *exchange)
{
	const struct users *users = exchange->accounts.users;
	const struct user *user, *other;
	char made[AUTH_SALT_MAX];
	const char *salt;

	exchange->known = take_user(exchange);
	user = users_find(users, exchange->name);
	other = users_with_scram(users, auth_stand_in(exchange->auth, exchange->name));
	make_salt(exchange, other->scram.salt, made);
	salt = made;
	if (!user || !user->scram.salt) {
		exchange->known = false;
		user = other;
	} else {
		salt = user->scram.salt;
	}
	gsasl_property_set(exchange->sasl, GSASL_SCRAM_ITER, user->scram.iterations);
	gsasl_property_set(exchange->sasl, GSASL_SCRAM_SALT, salt);
	gsasl_property_set(exchange->sasl, GSASL_SCRAM_STOREDKEY, user->scram.stored_key);
	gsasl_property_set(exchange->sasl, GSASL_SCRAM_SERVERKEY, user->scram.server_key);
	return GSASL_OK;
}

int auth_on_gsasl(Gsasl *gsasl, Gsasl_session *sasl, Gsasl_property property)
{
	struct auth_exchange *exchange = gsasl_session_hook_get(sasl);

	(void)gsasl;
	if (property == GSASL_VALIDATE_SIMPLE)
		return GSASL_OK; /* exchange_check_password() follows */
	if (property == GSASL_SCRAM_ITER)
		return give_scram(exchange);
	return GSASL_NO_CALLBACK;
}
