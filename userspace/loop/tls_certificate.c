/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/tls_certificate.c - see loop/tls_internal.h: certificates and keys from PEM files. Every
 * error names the file.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop/tls_internal.h"

#define CHAIN_MAX 16 /* certificates in a file */
#define HOST_MAX  253

/* `why` is not in OpenSSL's queue, which is emptied: what is left there would be read by others. */
static int refuse(struct error *err, const char *file, const char *why)
{
	ERR_clear_error();
	return error_set(err, ERROR_REFUSED, "%s: %s", file, why);
}

static BIO *open_file(const char *file, struct error *err)
{
	BIO *bio;

	ERR_clear_error();
	bio = BIO_new_file(file, "r");
	if (!bio)
		refuse(err, file, tls_reason());
	return bio;
}

/* A key with a password cannot be used by a service; nobody is to be asked for it. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	bool *wanted = arg;

	(void)buf;
	(void)size;
	(void)writing;
	*wanted = true;
	return -1;
}

static bool at_end(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

/* Those after the first one. */
static int read_rest(BIO *bio, struct tls_pair *pair, struct error *err)
{
	X509 *next;

	while ((next = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (sk_X509_num(pair->chain) < CHAIN_MAX - 1 && sk_X509_push(pair->chain, next))
			continue;
		X509_free(next);
		return refuse(err, pair->chain_file, "too many certificates");
	}
	if (!at_end())
		return refuse(err, pair->chain_file, tls_reason());
	ERR_clear_error();
	return 0;
}

static int read_chain(struct tls_pair *pair, struct error *err)
{
	BIO *bio = open_file(pair->chain_file, err);
	int failed;

	if (!bio)
		return ERROR_REFUSED;
	pair->chain = sk_X509_new_null();
	pair->leaf = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	if (pair->chain && pair->leaf)
		failed = read_rest(bio, pair, err);
	else
		failed = refuse(err, pair->chain_file,
				at_end() ? "no certificate in PEM form" : tls_reason());
	BIO_free(bio);
	return failed;
}

static int read_key(struct tls_pair *pair, struct error *err)
{
	BIO *bio = open_file(pair->key_file, err);
	bool password = false;
	int failed = 0;

	if (!bio)
		return ERROR_REFUSED;
	pair->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &password);
	if (!pair->key)
		failed = refuse(err, pair->key_file,
				password ? "the key wants a password: store it without one"
					 : "no private key in PEM form");
	else if (!X509_check_private_key(pair->leaf, pair->key))
		failed = error_set(err, ERROR_REFUSED, "%s: not the key of the certificate in %s",
				   pair->key_file, pair->chain_file);
	ERR_clear_error();
	BIO_free(bio);
	return failed;
}

/* A wildcard stands for the whole first label, and there are two more (RFC 6125 6.4.3). */
static bool is_name(const char *text, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	const char *rest = text;

	if (!size || size > HOST_MAX || strlen(text) != size)
		return false;
	if (rest[0] == '*' && rest[1] == '.')
		rest += 2;
	if (rest != text && !strchr(rest, '.'))
		return false;
	return *rest && !rest[strspn(rest, allowed)];
}

static char *small_letters(const char *text)
{
	char *copy = strdup(text);

	for (char *at = copy; at && *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return copy;
}

static bool add_name(struct tls_pair *pair, const GENERAL_NAME *general)
{
	const ASN1_STRING *string = general->d.dNSName;
	const char *text;

	if (general->type != GEN_DNS)
		return true;
	text = (const char *)ASN1_STRING_get0_data(string);
	if (!is_name(text, (size_t)ASN1_STRING_length(string)))
		return true;
	pair->name[pair->names] = small_letters(text);
	return pair->name[pair->names++] != NULL;
}

/* What is no name of a host is left out: nobody can ask for it. */
static int read_names(struct tls_pair *pair, struct error *err)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(pair->leaf, NID_subject_alt_name, NULL, NULL);
	const int count = all ? sk_GENERAL_NAME_num(all) : 0;
	int failed = 0;

	ERR_clear_error();
	if (count > TLS_NAMES_MAX)
		failed = refuse(err, pair->chain_file, "too many names");
	pair->name = failed ? NULL : calloc((size_t)count + 1, sizeof(*pair->name));
	for (int i = 0; pair->name && !failed && i < count; i++)
		if (!add_name(pair, sk_GENERAL_NAME_value(all, i)))
			failed = refuse(err, pair->chain_file, "out of memory");
	if (!failed && !pair->name)
		failed = refuse(err, pair->chain_file, "out of memory");
	GENERAL_NAMES_free(all);
	return failed;
}

int tls_pair_read(const struct tls_certificate *files, struct tls_pair *out, struct error *err)
{
	struct tls_pair pair = { .chain_file = files->chain, .key_file = files->key };
	int failed = read_chain(&pair, err);

	if (!failed)
		failed = read_key(&pair, err);
	if (!failed)
		failed = read_names(&pair, err);
	if (failed)
		tls_pair_free(&pair);
	else
		*out = pair;
	return failed;
}

void tls_pair_free(struct tls_pair *pair)
{
	for (size_t i = 0; i < pair->names; i++)
		free(pair->name[i]);
	free(pair->name);
	X509_free(pair->leaf);
	sk_X509_pop_free(pair->chain, X509_free);
	EVP_PKEY_free(pair->key);
	*pair = (struct tls_pair){ 0 };
}

/* RFC 5280 4.1.2.5; what OpenSSL cannot read has expired. */
uint64_t tls_pair_expires(const struct tls_pair *pair)
{
	struct tm tm;
	time_t when;

	if (!ASN1_TIME_to_tm(X509_get0_notAfter(pair->leaf), &tm))
		return 0;
	when = timegm(&tm);
	return when > 0 ? (uint64_t)when : 0;
}

int tls_pair_use(const struct tls_pair *pair, SSL_CTX *ctx, struct error *err)
{
	ERR_clear_error();
	if (SSL_CTX_use_cert_and_key(ctx, pair->leaf, pair->key, pair->chain, 1) == 1)
		return 0;
	return refuse(err, pair->chain_file, tls_reason());
}
