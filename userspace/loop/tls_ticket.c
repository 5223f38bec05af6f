/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/tls_ticket.c - see loop/tls_internal.h: keys of session tickets (RFC 5077 4, RFC 8446
 * 4.6.1).
 *
 * Tickets are made with the newest key; those before still open theirs, whose holders get a new
 * one. A key that has left the row is gone, and with it what could decrypt old connections (TLS
 * 1.2). Keys are never stored. Any thread may use them, so each use copies a key under a lock.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "loop/tls_internal.h"

#define NAME_OCTETS 16
#define KEY_OCTETS  32

struct ticket_key {
	uint8_t name[NAME_OCTETS]; /* in the ticket, in plain */
	uint8_t cipher[KEY_OCTETS];
	uint8_t mac[KEY_OCTETS];
};

struct tls_tickets {
	pthread_mutex_t lock;
	struct ticket_key key[TLS_TICKET_KEYS]; /* the newest first */
	unsigned int keys;
	uint64_t since; /* when the newest was made, in the caller's seconds; 0: not known */
	EVP_CIPHER *cipher;
};

static bool make_key(struct ticket_key *key)
{
	return RAND_bytes(key->name, NAME_OCTETS) == 1 &&
	       RAND_priv_bytes(key->cipher, KEY_OCTETS) == 1 &&
	       RAND_priv_bytes(key->mac, KEY_OCTETS) == 1;
}

struct tls_tickets *tls_tickets_new(void)
{
	struct tls_tickets *tickets = calloc(1, sizeof(*tickets));

	if (!tickets)
		return NULL;
	pthread_mutex_init(&tickets->lock, NULL);
	tickets->keys = 1;
	tickets->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (!tickets->cipher || !make_key(&tickets->key[0]))
		tls_tickets_free(&tickets);
	return tickets;
}

void tls_tickets_free(struct tls_tickets **tickets)
{
	struct tls_tickets *gone = *tickets;

	if (!gone)
		return;
	*tickets = NULL;
	EVP_CIPHER_free(gone->cipher);
	pthread_mutex_destroy(&gone->lock);
	OPENSSL_cleanse(gone->key, sizeof(gone->key));
	free(gone);
}

void tls_tickets_rotate(struct tls_tickets *tickets, uint64_t now)
{
	struct ticket_key fresh;

	pthread_mutex_lock(&tickets->lock);
	if (!tickets->since) {
		tickets->since = now;
	} else if (now - tickets->since >= TLS_TICKET_SECONDS && make_key(&fresh)) {
		memmove(&tickets->key[1], &tickets->key[0], sizeof(fresh) * (TLS_TICKET_KEYS - 1));
		tickets->key[0] = fresh;
		tickets->keys += tickets->keys < TLS_TICKET_KEYS;
		tickets->since = now;
	}
	pthread_mutex_unlock(&tickets->lock);
	OPENSSL_cleanse(&fresh, sizeof(fresh));
}

/* The newest one for NULL. -1: there is none of that name. */
static int copy_key(struct tls_tickets *tickets, const uint8_t *name, struct ticket_key *out)
{
	int number = name ? -1 : 0;

	pthread_mutex_lock(&tickets->lock);
	for (unsigned int i = 0; number < 0 && i < tickets->keys; i++)
		if (!memcmp(tickets->key[i].name, name, NAME_OCTETS))
			number = (int)i;
	if (number >= 0)
		*out = tickets->key[number];
	pthread_mutex_unlock(&tickets->lock);
	return number;
}

static bool use_mac(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac, KEY_OCTETS),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params);
}

enum { TICKET_ERROR = -1, TICKET_UNKNOWN = 0, TICKET_GOOD = 1, TICKET_RENEW = 2 };

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3) has the rules. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
		     EVP_MAC_CTX *mac, int making)
{
	struct tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct ticket_key key;
	const int number = copy_key(tickets, making ? NULL : name, &key);
	bool good;

	if (number < 0)
		return TICKET_UNKNOWN;
	if (making) {
		memcpy(name, key.name, NAME_OCTETS);
		good = RAND_bytes(iv, EVP_CIPHER_get_iv_length(tickets->cipher)) == 1 &&
		       EVP_EncryptInit_ex(cipher, tickets->cipher, NULL, key.cipher, iv);
	} else {
		good = EVP_DecryptInit_ex(cipher, tickets->cipher, NULL, key.cipher, iv);
	}
	good = good && use_mac(mac, &key);
	OPENSSL_cleanse(&key, sizeof(key));
	if (!good)
		return TICKET_ERROR;
	return number ? TICKET_RENEW : TICKET_GOOD;
}

void tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *ctx)
{
	SSL_CTX_set_app_data(ctx, tickets);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}
