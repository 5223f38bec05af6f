/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/tls_fixture.c - see tests/unit/tls_fixture.h.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tls_fixture.h"

#define FILES_MAX 128

char ca_file[128];

static char directory[] = "/tmp/postern-tls-XXXXXX";
static char *file[FILES_MAX];
static size_t files;
static EVP_PKEY *ca_key, *rsa_key;
static X509 *ca;

static void file_path(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", directory, name);
	assert_true(files < FILES_MAX);
	file[files++] = strdup(path);
}

void make_file(const char *name, const char *text, char path[128])
{
	FILE *out;

	file_path(name, path);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static EVP_PKEY *make_key(enum key_kind kind)
{
	if (kind == KEY_P256)
		return EVP_EC_gen("P-256");
	if (kind == KEY_RSA_WEAK)
		return EVP_RSA_gen(1024);
	if (!rsa_key)
		rsa_key = EVP_RSA_gen(2048);
	EVP_PKEY_up_ref(rsa_key);
	return rsa_key;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static X509 *make_x509(const char *common, EVP_PKEY *key)
{
	static long serial = 1;
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), -MADE_VALID_SECONDS);
	X509_gmtime_adj(X509_getm_notAfter(cert), MADE_VALID_SECONDS);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)common, -1, -1, 0);
	X509_set_issuer_name(cert, ca ? X509_get_subject_name(ca) : subject);
	return cert;
}

static void write_certificate(const char *path, X509 *cert)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_X509(out, cert), 1);
	fclose(out);
}

static void write_key(const char *path, EVP_PKEY *key)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(out);
}

static void write_fingerprint(X509 *cert, char out[TLS_FINGERPRINT_MAX])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	uint8_t *der = NULL;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	EVP_Digest(der, (size_t)size, digest, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	for (size_t i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02X", digest[i]);
}

void make_certificate(const char *name, enum key_kind kind, const char *names, struct made *out)
{
	EVP_PKEY *key = make_key(kind);
	X509 *cert = make_x509(name, key);
	char text[64];

	if (*names)
		add_extension(cert, NID_subject_alt_name, names);
	assert_true(X509_sign(cert, ca_key, EVP_sha256()) > 0);
	snprintf(text, sizeof(text), "%s.pem", name);
	file_path(text, out->chain);
	write_certificate(out->chain, cert);
	snprintf(text, sizeof(text), "%s.key", name);
	file_path(text, out->key);
	write_key(out->key, key);
	write_fingerprint(cert, out->fingerprint);
	X509_free(cert);
	EVP_PKEY_free(key);
}

int certificates_setup(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	ca_key = make_key(KEY_P256);
	ca = make_x509("test CA", ca_key);
	add_extension(ca, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(ca, ca_key, EVP_sha256());
	file_path("ca.pem", ca_file);
	write_certificate(ca_file, ca);
	return 0;
}

int certificates_teardown(void **state)
{
	(void)state;
	while (files) {
		unlink(file[--files]);
		free(file[files]);
	}
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(rsa_key);
	X509_free(ca);
	return rmdir(directory);
}

struct tls_certificate files_of(const struct made *made)
{
	return (struct tls_certificate){ made->chain, made->key };
}

struct tls_context *server_context(const struct made *made)
{
	const struct tls_certificate one = files_of(made);
	struct tls_context *context;
	struct error err = { 0 };

	if (tls_server_open(&one, 1, &context, &err))
		fail_msg("%s", err.text);
	return context;
}
