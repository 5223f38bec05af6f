/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/tls_names.c - see loop/tls_internal.h: which certificates a name has.
 *
 * A name has one certificate for each kind of key: the first that names it, or else the first with
 * a wildcard for it. So a name may have an ECDSA and an RSA certificate, of which OpenSSL takes
 * what the client can use. Names with the same certificates share a context.
 */
#include <stdlib.h>
#include <string.h>

#include "loop/tls_internal.h"

#define KINDS_MAX 8 /* of keys */

struct tls_name {
	char *text;
	uint64_t set; /* of certificates, first all that have it, then those that are used */
	SSL_CTX *ctx; /* of `sets` */
};

struct tls_set {
	uint64_t set;
	SSL_CTX *ctx;
};

struct tls_names {
	struct tls_name *name; /* sorted by text */
	size_t names;
	struct tls_set set[TLS_SETS_MAX]; /* the first one is the default */
	size_t sets;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct tls_name *)a)->text, ((const struct tls_name *)b)->text);
}

static struct tls_name *find(const struct tls_names *names, const char *text)
{
	const struct tls_name key = { .text = (char *)text };

	return names->names ? bsearch(&key, names->name, names->names, sizeof(key), compare) : NULL;
}

/* The wildcard that "a.example.org" may come under, "*.example.org", written over the name. */
static struct tls_name *find_wildcard(const struct tls_names *names, char *text)
{
	char *dot = strchr(text, '.');

	if (!dot || dot == text)
		return NULL;
	dot[-1] = '*';
	return find(names, dot - 1);
}

/* Adds those of `from` whose kind of key is not in `set` yet. */
static uint64_t choose(const struct tls_pair *pair, uint64_t set, uint64_t from)
{
	bool taken;

	for (unsigned int i = 0; i < TLS_CERTIFICATES_MAX; i++) {
		taken = !(from >> i & 1);
		for (unsigned int j = 0; !taken && j < TLS_CERTIFICATES_MAX; j++)
			taken = set >> j & 1 && EVP_PKEY_get_base_id(pair[i].key) ==
							EVP_PKEY_get_base_id(pair[j].key);
		if (!taken)
			set |= 1ull << i;
	}
	return set;
}

static int collect(struct tls_names *names, const struct tls_pair *pair, size_t pairs,
		   struct error *err)
{
	size_t total = 0;

	for (size_t i = 0; i < pairs; i++)
		total += pair[i].names;
	if (total > TLS_NAMES_MAX)
		return error_set(err, ERROR_REFUSED, "TLS: certificates of at most %d names",
				 TLS_NAMES_MAX);
	names->name = calloc(total + 1, sizeof(*names->name));
	for (size_t i = 0; names->name && i < pairs; i++) {
		for (size_t j = 0; j < pair[i].names; j++) {
			struct tls_name *name = &names->name[names->names];

			name->text = strdup(pair[i].name[j]);
			name->set = 1ull << i;
			if (!name->text)
				return error_set(err, ERROR_REFUSED, "TLS: out of memory");
			names->names++;
		}
	}
	return names->name ? 0 : error_set(err, ERROR_REFUSED, "TLS: out of memory");
}

/* Each name once. */
static void merge(struct tls_names *names)
{
	size_t kept = 0;

	qsort(names->name, names->names, sizeof(*names->name), compare);
	for (size_t i = 0; i < names->names; i++) {
		struct tls_name *name = &names->name[i];

		if (kept && !strcmp(names->name[kept - 1].text, name->text)) {
			names->name[kept - 1].set |= name->set;
			free(name->text);
		} else {
			names->name[kept++] = *name;
		}
	}
	names->names = kept;
}

struct making {
	SSL_CTX *(*make)(uint64_t set, void *arg, struct error *err);
	void *arg;
};

static SSL_CTX *context_of(struct tls_names *names, uint64_t set, const struct making *making,
			   struct error *err)
{
	SSL_CTX *ctx;

	for (size_t i = 0; i < names->sets; i++)
		if (names->set[i].set == set)
			return names->set[i].ctx;
	if (names->sets == TLS_SETS_MAX) {
		error_set(err, ERROR_REFUSED, "TLS: the names overlap in too many ways");
		return NULL;
	}
	ctx = making->make(set, making->arg, err);
	if (ctx)
		names->set[names->sets++] = (struct tls_set){ set, ctx };
	return ctx;
}

/* All that could be used for a name, then one of each kind. */
static uint64_t set_of(const struct tls_names *names, const struct tls_name *name,
		       const struct tls_pair *pair)
{
	uint64_t set = choose(pair, 0, name->set);
	const struct tls_name *wildcard = NULL;
	char copy[256];

	if (name->text[0] != '*') {
		memcpy(copy, name->text, strlen(name->text) + 1);
		wildcard = find_wildcard(names, copy);
	}
	return wildcard ? choose(pair, set, wildcard->set) : set;
}

static int assign(struct tls_names *names, const struct tls_pair *pair, const struct making *making,
		  struct error *err)
{
	const struct tls_name *first = pair->names ? find(names, pair->name[0]) : NULL;

	if (!context_of(names, choose(pair, 1, first ? first->set : 0), making, err))
		return ERROR_REFUSED;
	for (size_t i = 0; i < names->names; i++) {
		struct tls_name *name = &names->name[i];

		name->ctx = context_of(names, set_of(names, name, pair), making, err);
		if (!name->ctx)
			return ERROR_REFUSED;
	}
	return 0;
}

int tls_names_open(const struct tls_pair *pair, size_t pairs,
		   SSL_CTX *(*make)(uint64_t set, void *arg, struct error *err), void *arg,
		   struct tls_names **out, struct error *err)
{
	const struct making making = { make, arg };
	struct tls_names *names = calloc(1, sizeof(*names));
	int failed;

	if (!names)
		return error_set(err, ERROR_REFUSED, "TLS: out of memory");
	failed = collect(names, pair, pairs, err);
	if (!failed) {
		merge(names);
		failed = assign(names, pair, &making, err);
	}
	if (failed)
		tls_names_free(&names);
	else
		*out = names;
	return failed;
}

void tls_names_free(struct tls_names **names)
{
	struct tls_names *gone = *names;

	if (!gone)
		return;
	*names = NULL;
	for (size_t i = 0; i < gone->names; i++)
		free(gone->name[i].text);
	for (size_t i = 0; i < gone->sets; i++)
		SSL_CTX_free(gone->set[i].ctx);
	free(gone->name);
	free(gone);
}

SSL_CTX *tls_names_default(const struct tls_names *names)
{
	return names->set[0].ctx;
}

/* A name from a client: any octets but NUL, at most 255. */
SSL_CTX *tls_names_find(const struct tls_names *names, const char *name)
{
	const struct tls_name *found;
	size_t size = strlen(name);
	char copy[256];

	if (size && name[size - 1] == '.')
		size--;
	if (size >= sizeof(copy))
		return NULL;
	for (size_t i = 0; i < size; i++)
		copy[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
	copy[size] = '\0';
	if (copy[0] == '*')
		return NULL;
	found = find(names, copy);
	if (!found)
		found = find_wildcard(names, copy);
	return found ? found->ctx : NULL;
}
