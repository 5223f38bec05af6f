/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/tls_internal.h - what loop/stream_tls.c and the files of loop/tls share.
 *
 *   tls.c              contexts: for servers and clients, counted
 *   tls_certificate.c  certificates and keys from files, and the names in them
 *   tls_names.c        which certificates a name has (SNI)
 *   tls_ticket.c       keys of session tickets
 */
#ifndef POSTERN_LOOP_TLS_INTERNAL_H
#define POSTERN_LOOP_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "loop/tls.h"

#define TLS_NAMES_MAX 8192 /* of all certificates of a context */
#define TLS_SETS_MAX  256  /* different sets of certificates that names have */

/* tls.c */
/* A connection that has been told which side it is, and whom to expect. */
int tls_connection(struct tls_context *context, const char *name, SSL **out, struct error *err);
bool tls_is_server(const struct tls_context *context);
/* A context of OpenSSL's with the rules that hold for both sides; NULL: memory is short. */
SSL_CTX *tls_rules(const SSL_METHOD *method);

/* What OpenSSL's error queue of this thread says first; empties it. */
const char *tls_reason(void);

/* tls_certificate.c */
struct tls_pair {
	X509 *leaf;
	STACK_OF(X509) * chain; /* what stands behind it in the file */
	EVP_PKEY *key;
	const char *chain_file, *key_file; /* the caller's */
	char **name;                       /* DNS names, in small letters; "*.example.org" too */
	size_t names;
};

int tls_pair_read(const struct tls_certificate *files, struct tls_pair *out, struct error *err);
void tls_pair_free(struct tls_pair *pair);
/* When the leaf expires, in seconds since 1970. */
uint64_t tls_pair_expires(const struct tls_pair *pair);
int tls_pair_use(const struct tls_pair *pair, SSL_CTX *ctx, struct error *err);

/* tls_names.c */
struct tls_names;

/* `make` is called for each set of certificates (a bit for each pair) that a name has. */
int tls_names_open(const struct tls_pair *pair, size_t pairs,
		   SSL_CTX *(*make)(uint64_t set, void *arg, struct error *err), void *arg,
		   struct tls_names **out, struct error *err);
void tls_names_free(struct tls_names **names);
/* For clients that ask for no name, or for one that is not there. */
SSL_CTX *tls_names_default(const struct tls_names *names);
SSL_CTX *tls_names_find(const struct tls_names *names, const char *name);

/* tls_ticket.c */
struct tls_tickets;

struct tls_tickets *tls_tickets_new(void); /* NULL: no memory, or no randomness */
void tls_tickets_free(struct tls_tickets **tickets);
void tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *ctx);
void tls_tickets_rotate(struct tls_tickets *tickets, uint64_t now);

#endif
