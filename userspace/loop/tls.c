/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/tls.c - see loop/tls.h: contexts.
 *
 * A context for servers has one SSL_CTX for each set of certificates that a name may have, all with
 * the same rules; a connection begins with the default one and is moved to another by the name that
 * the client asks for. Keys of tickets are common to all of them: whatever its name, it is the same
 * service. No sessions are kept here: they are in the tickets.
 */
#include "loop/tls_internal.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/ascii.h"

#define FINGERPRINT_OCTETS 32
#define DIGEST_OCTETS      32 /* SHA-256 */

struct tls_context {
	atomic_uint refs;
	SSL_CTX *client;         /* NULL: for servers */
	struct tls_names *names; /* for servers */
	struct tls_tickets *tickets;
	uint64_t expires[TLS_CERTIFICATES_MAX]; /* of servers: seconds since 1970 */
	enum tls_verify verify;
	uint8_t fingerprint[FINGERPRINT_OCTETS];
	uint8_t authorities[DIGEST_OCTETS]; /* of all that was read; zero: of nothing */
};

const char *tls_reason(void)
{
	const unsigned long code = ERR_get_error();
	const char *text = NULL;

	if (ERR_SYSTEM_ERROR(code))
		text = strerror(ERR_GET_REASON(code));
	else if (code)
		text = ERR_reason_error_string(code);
	ERR_clear_error();
	return text ? text : "TLS failed";
}

/* RFC 9325 3 and 4. */
static bool set_rules(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_security_level(ctx, 2);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
	       SSL_CTX_set_max_proto_version(ctx, 0) &&
	       SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
	       SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
					     "TLS_CHACHA20_POLY1305_SHA256") &&
	       SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") &&
	       SSL_CTX_set_max_early_data(ctx, 0) && SSL_CTX_set_recv_max_early_data(ctx, 0);
}

SSL_CTX *tls_rules(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx && set_rules(ctx))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static void context_free(struct tls_context *context)
{
	SSL_CTX_free(context->client);
	tls_names_free(&context->names);
	tls_tickets_free(&context->tickets);
	free(context);
}

static struct tls_context *context_new(void)
{
	struct tls_context *context = calloc(1, sizeof(*context));

	if (context)
		atomic_init(&context->refs, 1);
	return context;
}

struct tls_context *tls_ref(struct tls_context *context)
{
	atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
	return context;
}

void tls_unref(struct tls_context **context)
{
	struct tls_context *gone = *context;

	*context = NULL;
	if (gone && atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) == 1)
		context_free(gone);
}

void tls_rotate(struct tls_context *context, uint64_t now)
{
	if (context->tickets)
		tls_tickets_rotate(context->tickets, now);
}

uint64_t tls_expires(const struct tls_context *context, size_t number)
{
	return context->expires[number];
}

bool tls_is_server(const struct tls_context *context)
{
	return !context->client;
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls_names *names = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_CTX *ctx = name ? tls_names_find(names, name) : NULL;

	(void)alert;
	if (!ctx)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_set_SSL_CTX(ssl, ctx) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

struct server_making {
	const struct tls_pair *pair;
	struct tls_tickets *tickets;
};

static SSL_CTX *make_server(uint64_t set, void *arg, struct error *err)
{
	static const uint8_t id[] = "postern";
	const struct server_making *making = arg;
	SSL_CTX *ctx = tls_rules(TLS_server_method());
	int failed = 0;

	if (!ctx || !SSL_CTX_set_session_id_context(ctx, id, sizeof(id))) {
		failed = error_set(err, ERROR_REFUSED, "TLS: %s", tls_reason());
	} else {
		SSL_CTX_set_num_tickets(ctx, 1);
		SSL_CTX_set_timeout(ctx, (long)TLS_TICKET_SECONDS * (TLS_TICKET_KEYS - 1));
		tls_tickets_use(making->tickets, ctx);
	}
	for (unsigned int i = 0; !failed && i < TLS_CERTIFICATES_MAX; i++)
		if (set >> i & 1)
			failed = tls_pair_use(&making->pair[i], ctx, err);
	if (!failed)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static int server_new(const struct tls_pair *pair, size_t count, struct tls_context **out,
		      struct error *err)
{
	struct tls_context *context = context_new();
	struct server_making making = { .pair = pair };
	SSL_CTX *ctx;
	int failed;

	if (context)
		context->tickets = tls_tickets_new();
	if (!context || !context->tickets) {
		free(context);
		return error_set(err, ERROR_REFUSED, "TLS: out of memory");
	}
	for (size_t i = 0; i < count; i++)
		context->expires[i] = tls_pair_expires(&pair[i]);
	making.tickets = context->tickets;
	failed = tls_names_open(pair, count, make_server, &making, &context->names, err);
	if (failed) {
		context_free(context);
		return failed;
	}
	ctx = tls_names_default(context->names);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, context->names);
	*out = context;
	return 0;
}

int tls_server_open(const struct tls_certificate *certificate, size_t count,
		    struct tls_context **out, struct error *err)
{
	struct tls_pair pair[TLS_CERTIFICATES_MAX];
	size_t read = 0;
	int failed = 0;

	if (!count || count > TLS_CERTIFICATES_MAX)
		return error_set(err, ERROR_USAGE, "TLS: 1 to %d certificates",
				 TLS_CERTIFICATES_MAX);
	while (!failed && read < count) {
		failed = tls_pair_read(&certificate[read], &pair[read], err);
		read += !failed;
	}
	if (!failed)
		failed = server_new(pair, count, out, err);
	while (read)
		tls_pair_free(&pair[--read]);
	return failed;
}

/* Instead of OpenSSL's looking at the chain: of TLS_VERIFY_NONE and TLS_VERIFY_FINGERPRINT. */
static int verify_key(X509_STORE_CTX *store, void *arg)
{
	const struct tls_context *context = arg;
	X509_PUBKEY *key = X509_get_X509_PUBKEY(X509_STORE_CTX_get0_cert(store));
	uint8_t digest[EVP_MAX_MD_SIZE];
	uint8_t *der = NULL;
	int size;
	bool same;

	if (context->verify == TLS_VERIFY_NONE)
		return 1;
	size = i2d_X509_PUBKEY(key, &der);
	same = size > 0 && EVP_Digest(der, (size_t)size, digest, NULL, EVP_sha256(), NULL) &&
	       !memcmp(digest, context->fingerprint, FINGERPRINT_OCTETS);
	OPENSSL_free(der);
	if (!same)
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
	return same;
}

static int read_fingerprint(const char *text, uint8_t out[FINGERPRINT_OCTETS], struct error *err)
{
	bool good = text && strlen(text) == TLS_FINGERPRINT_MAX - 1;

	for (size_t i = 0; good && i < FINGERPRINT_OCTETS; i++) {
		const int high = ascii_hex_value(text[2 * i]);
		const int low = ascii_hex_value(text[2 * i + 1]);

		good = high >= 0 && low >= 0;
		out[i] = (uint8_t)(high * 16 + low);
	}
	return good ? 0
		    : error_set(err, ERROR_USAGE, "TLS fingerprint: %d hexadecimal digits",
				TLS_FINGERPRINT_MAX - 1);
}

static bool add_authority(EVP_MD_CTX *sum, const X509_OBJECT *object)
{
	const X509 *certificate = X509_OBJECT_get0_X509(object);
	const X509_CRL *revoked = X509_OBJECT_get0_X509_CRL(object);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	if (certificate && !X509_digest(certificate, EVP_sha256(), digest, &size))
		return false;
	if (revoked && !X509_CRL_digest(revoked, EVP_sha256(), digest, &size))
		return false;
	return EVP_DigestUpdate(sum, digest, size);
}

/* Before there is a connection: OpenSSL adds to what it has when it looks for others. */
static bool note_authorities(struct tls_context *context)
{
	STACK_OF(X509_OBJECT) *all =
		X509_STORE_get0_objects(SSL_CTX_get_cert_store(context->client));
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	bool done = sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL);

	for (int i = 0; done && i < sk_X509_OBJECT_num(all); i++)
		done = add_authority(sum, sk_X509_OBJECT_value(all, i));
	done = done && EVP_DigestFinal_ex(sum, context->authorities, NULL);
	EVP_MD_CTX_free(sum);
	return done;
}

bool tls_same_authorities(const struct tls_context *one, const struct tls_context *other)
{
	return !memcmp(one->authorities, other->authorities, sizeof(one->authorities));
}

static int client_rules(struct tls_context *context, const struct tls_client_options *options,
			struct error *err)
{
	SSL_CTX *ctx = context->client;

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	context->verify = options->verify;
	if (options->verify == TLS_VERIFY_FINGERPRINT &&
	    read_fingerprint(options->fingerprint, context->fingerprint, err))
		return ERROR_USAGE;
	if (options->verify != TLS_VERIFY_CA) {
		SSL_CTX_set_cert_verify_callback(ctx, verify_key, context);
		return 0;
	}
	if ((options->ca_file ? !SSL_CTX_load_verify_file(ctx, options->ca_file)
			      : !SSL_CTX_set_default_verify_paths(ctx)) ||
	    !note_authorities(context))
		return error_set(err, ERROR_REFUSED, "%s: %s",
				 options->ca_file ? options->ca_file : "CAs of the system",
				 tls_reason());
	return 0;
}

int tls_client_open(const struct tls_client_options *options, struct tls_context **out,
		    struct error *err)
{
	struct tls_context *context = context_new();
	int failed;

	if (context)
		context->client = tls_rules(TLS_client_method());
	if (!context || !context->client) {
		free(context);
		return error_set(err, ERROR_REFUSED, "TLS: %s", tls_reason());
	}
	failed = client_rules(context, options, err);
	if (failed)
		context_free(context);
	else
		*out = context;
	return failed;
}

/* SNI has no addresses in it (RFC 6066 3). */
static bool expect(SSL *ssl, const char *name, bool verify)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct addr addr;

	if (!addr_parse(name, strlen(name), &addr, NULL))
		return !verify || X509_VERIFY_PARAM_set1_ip_asc(param, name);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, name) &&
	       (!verify || X509_VERIFY_PARAM_set1_host(param, name, 0));
}

int tls_connection(struct tls_context *context, const char *name, SSL **out, struct error *err)
{
	const bool verify = context->client && context->verify == TLS_VERIFY_CA;
	SSL *ssl;

	if (verify && !name)
		return error_set(err, ERROR_USAGE,
				 "TLS: without a name the server cannot be checked");
	ERR_clear_error();
	ssl = SSL_new(context->client ? context->client : tls_names_default(context->names));
	if (!ssl || (context->client && name && !expect(ssl, name, verify))) {
		SSL_free(ssl);
		return error_set(err, ERROR_REFUSED, "TLS: %s", tls_reason());
	}
	if (context->client)
		SSL_set_connect_state(ssl);
	else
		SSL_set_accept_state(ssl);
	*out = ssl;
	return 0;
}
