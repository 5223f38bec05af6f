/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/tls.h - certificates, keys and rules of TLS, for loop/stream.h. The only user of OpenSSL.
 *
 * A context is immutable and counted: what is reloaded is a new one, and connections keep theirs.
 * It may be shared by all loops. TLS 1.2 and 1.3 only; ciphers with forward secrecy and AEAD only;
 * no renegotiation, no compression (RFC 9325).
 */
#ifndef POSTERN_LOOP_TLS_H
#define POSTERN_LOOP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define TLS_CERTIFICATES_MAX 64
#define TLS_TICKET_KEYS      3     /* current, and those before, which still open tickets */
#define TLS_TICKET_SECONDS   43200 /* before a key gives way to the next */
#define TLS_FINGERPRINT_MAX  65    /* hex digits of SHA-256, and the NUL */

struct tls_context;

/* A certificate with its chain and its key, in PEM files. */
struct tls_certificate {
	const char *chain, *key;
};

/*
 * For servers. The first certificate is for clients that ask for no name, or for one that none has;
 * names are those of the certificates (subjectAltName). Fails, and says which file, if a file
 * cannot be read, is not what it should be, or key and certificate do not belong together.
 */
int tls_server_open(const struct tls_certificate *certificate, size_t count,
		    struct tls_context **out, struct error *err);

/* How a client wants to be sure of the server. */
enum tls_verify {
	TLS_VERIFY_NONE,        /* encrypted, whoever it is */
	TLS_VERIFY_CA,          /* a chain to a trusted CA, and the name */
	TLS_VERIFY_FINGERPRINT, /* the SHA-256 of the server's public key (RFC 7672 3 1 1) */
};
struct tls_client_options {
	enum tls_verify verify;
	const char *ca_file;     /* NULL: those of the system */
	const char *fingerprint; /* hex */
};
int tls_client_open(const struct tls_client_options *options, struct tls_context **out,
		    struct error *err);

/* Of two contexts for clients: whether they have read the same CAs; also if neither has any. */
bool tls_same_authorities(const struct tls_context *one, const struct tls_context *other);

/* Of a context for servers: when its certificate `number` expires, in seconds since 1970. */
uint64_t tls_expires(const struct tls_context *context, size_t number);

struct tls_context *tls_ref(struct tls_context *context);
/* Nulls the pointer; NULL is allowed. */
void tls_unref(struct tls_context **context);

/* To be called about once a minute with the time in seconds: keys of tickets take turns. */
void tls_rotate(struct tls_context *context, uint64_t now);

#endif
