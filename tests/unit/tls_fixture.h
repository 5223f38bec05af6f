/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/tls_fixture.h - a CA, certificates and keys, made anew for each program, in files of a
 * directory of their own.
 */
#ifndef POSTERN_TESTS_TLS_FIXTURE_H
#define POSTERN_TESTS_TLS_FIXTURE_H

#include "loop/tls.h"

#define MADE_VALID_SECONDS 86400

enum key_kind { KEY_P256, KEY_RSA, KEY_RSA_WEAK };

struct made {
	char chain[128], key[128]; /* files */
	char fingerprint[TLS_FINGERPRINT_MAX];
};

/* For cmocka's groups. */
int certificates_setup(void **state);
int certificates_teardown(void **state);

extern char ca_file[128];
/* A file in the directory, with this text. */
void make_file(const char *name, const char *text, char path[128]);
/* `names` as in openssl.cnf: "DNS:a.example,IP:127.0.0.1"; "" for none. Signed by the CA. */
void make_certificate(const char *file, enum key_kind kind, const char *names, struct made *out);
struct tls_certificate files_of(const struct made *made);
struct tls_context *server_context(const struct made *made);

#endif
