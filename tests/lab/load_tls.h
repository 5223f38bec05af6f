/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load_tls.h - TLS of the clients of load.c: what all of them offer, and what a server has made of
 * it, so that figures of servers are only compared where they have done the same.
 */
#ifndef POSTERN_LAB_LOAD_TLS_H
#define POSTERN_LAB_LOAD_TLS_H

#include <openssl/ssl.h>
#include <stdio.h>

#define AGREED_MAX 160

/*
 * There is one version and one cipher suite, whatever the server would rather have. P-256 is for
 * certificates: a key of ECDSA has to be on a curve that is offered (RFC 8422 5.1).
 */
static SSL_CTX *tls_client(int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384");
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AES256+AESGCM");
	SSL_CTX_set1_groups_list(ctx, "X25519:P-256");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
	return ctx;
}

/* "TLSv1.3 TLS_AES_256_GCM_SHA384, X25519, EC of 256 bits with SHA256, full" */
static void tls_agreed(SSL *tls, char out[AGREED_MAX])
{
	EVP_PKEY *group = NULL;
	EVP_PKEY *key = X509_get0_pubkey(SSL_get0_peer_certificate(tls));
	int digest = 0;

	SSL_get_peer_tmp_key(tls, &group);
	SSL_get_peer_signature_nid(tls, &digest);
	snprintf(out, AGREED_MAX, "%s %s, %s, %s of %d bits with %s, %s", SSL_get_version(tls),
		 SSL_get_cipher_name(tls), group ? EVP_PKEY_get0_type_name(group) : "no group",
		 EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key), OBJ_nid2sn(digest),
		 SSL_session_reused(tls) ? "resumed" : "full");
	EVP_PKEY_free(group);
}

#endif
