/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/auth_internal.h - what auth.c has and exchange.c uses.
 */
#ifndef POSTERN_ACCOUNTS_AUTH_INTERNAL_H
#define POSTERN_ACCOUNTS_AUTH_INTERNAL_H

#include <gsasl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

#include "accounts/auth.h"
#include "accounts/hash.h"
#include "accounts/throttle.h"
#include "accounts/users.h"

#define AUTH_SALT_MAX 128 /* bytes of a salt in base64, with the NUL */

struct auth {
	atomic_uint references; /* one is the owner's, the others are exchanges' */
	Gsasl *gsasl;
	struct hashes *hashes;
	struct throttle *throttle;
	uint8_t key[crypto_generichash_KEYBYTES];
	pthread_mutex_t lock; /* and under it: */
	struct users *users;  /* NULL: the backend's accounts */
	bool backend;         /* there is a backend to ask */
	struct conf_domains *domains;
};

/* What an exchange goes by, as it is now. */
struct auth_accounts {
	struct users *users; /* to be released */
	bool backend;
};
struct auth_accounts auth_accounts(struct auth *auth);
/* Which mechanisms these accounts allow. */
bool auth_has_passwords(const struct auth_accounts *accounts);
bool auth_has_scram(const struct auth_accounts *accounts);

struct auth *auth_hold(struct auth *auth); /* auth_close() lets it go */

/*
 * From a name what nobody outside can tell, and always the same: which user is to stand in for one
 * who is not there, and a salt of up to USERS_SALT_MAX octets.
 */
uint64_t auth_stand_in(const struct auth *auth, const char *name);
void auth_salt(const struct auth *auth, const char *name, size_t len, uint8_t *out);

/* The callback of libgsasl, in exchange_secrets.c. */
int auth_on_gsasl(Gsasl *gsasl, Gsasl_session *sasl, Gsasl_property property);

/* In auth_key.c: reads the key of a state directory, or makes it. */
int auth_key_open(const char *directory, uint8_t key[crypto_generichash_KEYBYTES],
		  struct error *err);

#endif
