/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accounts/auth.c - see accounts/auth.h: the accounts, and what all exchanges share. exchange.c has
 * the exchanges, users.c the file, hash.c the pool, throttle.c the counters.
 */
#include "accounts/auth_internal.h"

#include <stdlib.h>
#include <string.h>

#include "accounts/name.h"

_Static_assert(USERS_SALT_MAX <= crypto_generichash_BYTES_MAX, "accounts: a salt is too long");

/* The part of the configuration that can be read anew. */
struct auth_part {
	struct users *users;
	bool backend;
	struct conf_domains *domains;
};

static struct conf_domains *copy_domains(const struct conf_domains *domains)
{
	const size_t size =
		offsetof(struct conf_domains, domain) + domains->count * sizeof(domains->domain[0]);
	struct conf_domains *copy = malloc(size);

	if (copy)
		memcpy(copy, domains, size);
	return copy;
}

void auth_drop(struct auth_part **dropped)
{
	struct auth_part *part = *dropped;

	if (!part)
		return;
	*dropped = NULL;
	users_release(&part->users);
	free(part->domains);
	free(part);
}

int auth_prepare(const struct conf *conf, struct auth_part **out, struct error *err)
{
	struct auth_part *part = calloc(1, sizeof(*part));
	int rc = 0;

	if (part)
		part->domains = copy_domains(&conf->smtp.domains);
	if (!part || !part->domains)
		rc = error_set(err, ERROR_REFUSED, "accounts: out of memory");
	if (!rc && *conf->smtp.users)
		rc = users_open(conf->smtp.users, &part->users, err);
	if (rc) {
		auth_drop(&part);
		return rc;
	}
	part->backend = conf->smtp.backends.count > 0;
	*out = part;
	return 0;
}

/* What there was is in the part afterwards, and is freed without the lock. */
void auth_apply(struct auth *auth, struct auth_part **part)
{
	struct auth_part before;

	if (!*part)
		return;
	pthread_mutex_lock(&auth->lock);
	before = (struct auth_part){ auth->users, auth->backend, auth->domains };
	auth->users = (*part)->users;
	auth->backend = (*part)->backend;
	auth->domains = (*part)->domains;
	pthread_mutex_unlock(&auth->lock);
	**part = before;
	auth_drop(part);
}

static int open_shared(struct auth *auth, struct error *err)
{
	if (sodium_init() < 0 || gsasl_init(&auth->gsasl) != GSASL_OK)
		return error_set(err, ERROR_REFUSED, "accounts: the libraries cannot be used");
	gsasl_callback_set(auth->gsasl, auth_on_gsasl);
	auth->hashes = hashes_open(AUTH_HASHES_MAX, HASH_QUEUE_MAX);
	auth->throttle = throttle_open(THROTTLE_MAX);
	if (!auth->hashes || !auth->throttle)
		return error_set(err, ERROR_REFUSED, "accounts: out of memory");
	return 0;
}

int auth_open(const struct conf *conf, struct auth **out, struct error *err)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	int rc;

	if (!auth)
		return error_set(err, ERROR_REFUSED, "accounts: out of memory");
	atomic_init(&auth->references, 1);
	pthread_mutex_init(&auth->lock, NULL);
	rc = open_shared(auth, err);
	if (!rc)
		rc = auth_key_open(conf->state_directory, auth->key, err);
	if (!rc)
		rc = auth_reload(auth, conf, err);
	if (rc)
		auth_close(&auth);
	else
		*out = auth;
	return rc;
}

void auth_close(struct auth **closed)
{
	struct auth *auth = *closed;

	*closed = NULL;
	if (!auth || atomic_fetch_sub(&auth->references, 1) != 1)
		return;
	users_release(&auth->users);
	free(auth->domains);
	throttle_close(&auth->throttle);
	hashes_close(&auth->hashes);
	if (auth->gsasl)
		gsasl_done(auth->gsasl);
	pthread_mutex_destroy(&auth->lock);
	sodium_memzero(auth, sizeof(*auth));
	free(auth);
}

struct auth *auth_hold(struct auth *auth)
{
	atomic_fetch_add(&auth->references, 1);
	return auth;
}

int auth_reload(struct auth *auth, const struct conf *conf, struct error *err)
{
	struct auth_part *part;
	const int rc = auth_prepare(conf, &part, err);

	if (!rc)
		auth_apply(auth, &part);
	return rc;
}

struct auth_accounts auth_accounts(struct auth *auth)
{
	struct auth_accounts out;

	pthread_mutex_lock(&auth->lock);
	out.users = users_hold(auth->users);
	out.backend = auth->backend && !auth->users;
	pthread_mutex_unlock(&auth->lock);
	return out;
}

bool auth_has_passwords(const struct auth_accounts *accounts)
{
	return accounts->users ? users_with_hash(accounts->users, 0) != NULL : accounts->backend;
}

bool auth_has_scram(const struct auth_accounts *accounts)
{
	return accounts->users && users_with_scram(accounts->users, 0);
}

const char *auth_mechanisms(struct auth *auth)
{
	static const char *const names[2][2] = {
		{ "", "SCRAM-SHA-256" },
		{ "PLAIN LOGIN", "PLAIN LOGIN SCRAM-SHA-256" },
	};
	struct auth_accounts accounts = auth_accounts(auth);
	const char *out = names[auth_has_passwords(&accounts)][auth_has_scram(&accounts)];

	users_release(&accounts.users);
	return out;
}

/* "bob@b.example" of bob@b.example; or of bob, where b.example is ours. */
static bool is_backend_address(const struct conf_domains *domains, const char *user,
			       const char *address)
{
	const size_t len = strlen(user);

	if (strchr(user, '@'))
		return !strcmp(user, address);
	if (strncmp(user, address, len) != 0 || address[len] != '@')
		return false;
	for (size_t i = 0; i < domains->count; i++)
		if (!strcmp(domains->domain[i].name, address + len + 1))
			return true;
	return false;
}

bool auth_may_send_as(struct auth *auth, const char *user, const char *address)
{
	const struct user *found;
	char name[AUTH_USER_MAX];
	bool may = false;

	if (!*address)
		return true;
	if (!name_prepare(user, name, sizeof(name)))
		return false;
	name_fold(name);
	pthread_mutex_lock(&auth->lock);
	if (auth->users) {
		found = users_find(auth->users, name);
		may = found && users_may_send_as(found, address);
	} else if (auth->backend) {
		may = is_backend_address(auth->domains, name, address);
	}
	pthread_mutex_unlock(&auth->lock);
	return may;
}

struct auth_throttle auth_throttle(struct auth *auth, const struct addr *source, const char *user)
{
	char name[AUTH_USER_MAX] = "";

	if (user && name_prepare(user, name, sizeof(name)))
		name_fold(name);
	return throttle_look(auth->throttle, source, name);
}

static void digest(const struct auth *auth, const char *name, uint8_t *out, size_t size)
{
	crypto_generichash(out, size, (const uint8_t *)name, strlen(name), auth->key,
			   sizeof(auth->key));
}

/* Digests of different sizes have nothing in common: the salt does not tell the number. */
uint64_t auth_stand_in(const struct auth *auth, const char *name)
{
	uint8_t octets[crypto_generichash_BYTES_MIN];
	uint64_t number;

	digest(auth, name, octets, sizeof(octets));
	memcpy(&number, octets, sizeof(number));
	return number;
}

void auth_salt(const struct auth *auth, const char *name, size_t len, uint8_t *out)
{
	uint8_t octets[crypto_generichash_BYTES_MAX];

	digest(auth, name, octets, sizeof(octets));
	memcpy(out, octets, len);
}
