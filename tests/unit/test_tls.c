/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of loop/tls: what files are taken, which certificate a name gets, what clients are refused,
 * and tickets. Both sides are in memory; the client is OpenSSL without any of our rules.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "loop/tls_internal.h"
#include "tls_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct made ecdsa, rsa, both_rsa, both_ecdsa, wild, nameless, weak;

static int setup(void **state)
{
	if (certificates_setup(state))
		return -1;
	make_certificate("ecdsa", KEY_P256, "DNS:Mx.Example.ORG,DNS:mx2.example.org", &ecdsa);
	make_certificate("rsa", KEY_RSA, "DNS:rsa.example.org", &rsa);
	make_certificate("both_rsa", KEY_RSA, "DNS:both.example.org,DNS:old.example.org",
			 &both_rsa);
	make_certificate("both_ecdsa", KEY_P256, "DNS:both.example.org", &both_ecdsa);
	make_certificate("wild", KEY_RSA, "DNS:*.example.net,DNS:*,DNS:a*.example.com", &wild);
	make_certificate("nameless", KEY_P256, "", &nameless);
	make_certificate("weak", KEY_RSA_WEAK, "DNS:weak.example.org", &weak);
	return 0;
}

/* One connection; what the client is like is up to the test. */
struct meeting {
	SSL *server, *client;
	SSL_CTX *ctx; /* the client's */
	bool done;
};

static void meet(struct meeting *meeting, struct tls_context *context)
{
	BIO *one, *other;
	struct error err;

	*meeting = (struct meeting){ .ctx = SSL_CTX_new(TLS_client_method()) };
	SSL_CTX_set_security_level(meeting->ctx, 0);
	SSL_CTX_set_session_cache_mode(meeting->ctx, SSL_SESS_CACHE_OFF);
	meeting->client = SSL_new(meeting->ctx);
	assert_int_equal(tls_connection(context, NULL, &meeting->server, &err), 0);
	BIO_new_bio_pair(&one, 1 << 16, &other, 1 << 16);
	SSL_set_bio(meeting->server, one, one);
	SSL_set_bio(meeting->client, other, other);
	SSL_set_connect_state(meeting->client);
}

/* False if one of them does not want it. */
static bool shake(struct meeting *meeting)
{
	char c;

	for (unsigned int i = 0; i < 10; i++) {
		int client = SSL_do_handshake(meeting->client);
		int server = SSL_do_handshake(meeting->server);

		if ((client != 1 &&
		     SSL_get_error(meeting->client, client) != SSL_ERROR_WANT_READ) ||
		    (server != 1 && SSL_get_error(meeting->server, server) != SSL_ERROR_WANT_READ))
			break;
		meeting->done = client == 1 && server == 1;
	}
	if (meeting->done)
		SSL_read(meeting->client, &c, 1); /* tickets */
	ERR_clear_error();
	return meeting->done;
}

static void part(struct meeting *meeting)
{
	SSL_free(meeting->server);
	SSL_free(meeting->client);
	SSL_CTX_free(meeting->ctx);
}

static void common_name(const struct meeting *meeting, char *out, size_t size)
{
	X509 *cert = SSL_get1_peer_certificate(meeting->client);

	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out, (int)size);
	X509_free(cert);
}

/* The same key with a password. */
static void lock_key(const char *from, const char *to)
{
	BIO *in = BIO_new_file(from, "r");
	BIO *out = BIO_new_file(to, "w");
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), NULL, 0, NULL,
						       (char *)"secret"),
			 1);
	EVP_PKEY_free(key);
	BIO_free(in);
	BIO_free(out);
}

static void files_are_checked(void **state)
{
	char text[128], empty[128], broken[128], locked[128], why[512];
	struct {
		const char *chain, *key, *file, *why;
	} rows[] = {
		{ "/nonexistent/a.pem", ecdsa.key, "/nonexistent/a.pem",
		  "No such file or directory" },
		{ ecdsa.chain, "/nonexistent/a.key", "/nonexistent/a.key",
		  "No such file or directory" },
		{ text, ecdsa.key, text, "no certificate in PEM form" },
		{ empty, ecdsa.key, empty, "no certificate in PEM form" },
		{ ecdsa.key, ecdsa.key, ecdsa.key, "no certificate in PEM form" },
		{ broken, ecdsa.key, broken, "bad base64 decode" },
		{ ecdsa.chain, ecdsa.chain, ecdsa.chain, "no private key in PEM form" },
		{ ecdsa.chain, text, text, "no private key in PEM form" },
		{ ecdsa.chain, locked, locked, "the key wants a password: store it without one" },
		{ ecdsa.chain, rsa.key, rsa.key, "not the key of the certificate in " },
		{ ecdsa.chain, both_ecdsa.key, both_ecdsa.key,
		  "not the key of the certificate in " },
		{ weak.chain, weak.key, weak.chain, "ee key too small" },
	};

	(void)state;
	make_file("text", "hello\n", text);
	make_file("empty", "", empty);
	make_file("broken", "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n", broken);
	make_file("locked", "", locked);
	lock_key(ecdsa.key, locked);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct tls_certificate files = { rows[i].chain, rows[i].key };
		struct tls_context *context;
		struct error err = { 0 };

		assert_int_equal(tls_server_open(&files, 1, &context, &err), ERROR_REFUSED);
		snprintf(why, sizeof(why), "%s: %s", rows[i].file, rows[i].why);
		if (strncmp(err.text, why, strlen(why)) != 0)
			fail_msg("row %zu: '%s', not '%s'", i, err.text, why);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static struct tls_context *all_of_them(void)
{
	const struct tls_certificate files[] = {
		files_of(&ecdsa),      files_of(&rsa),  files_of(&both_rsa),
		files_of(&both_ecdsa), files_of(&wild), files_of(&nameless),
	};
	struct tls_context *context;
	struct error err = { 0 };

	if (tls_server_open(files, COUNT(files), &context, &err))
		fail_msg("%s", err.text);
	return context;
}

static void names_have_their_certificates(void **state)
{
	static const struct {
		const char *ask, *kind, *get;
	} rows[] = {
		{ NULL, "", "ecdsa" },
		{ "unknown.example", "", "ecdsa" },
		{ "mx.example.org", "", "ecdsa" },
		{ "MX2.Example.Org", "", "ecdsa" },
		{ "rsa.example.org", "", "rsa" },
		{ "a.example.net", "", "wild" },
		{ "b.example.net", "", "wild" },
		{ "a.b.example.net", "", "ecdsa" },
		{ "example.net", "", "ecdsa" },
		{ "*.example.net", "", "ecdsa" },
		{ ".example.net", "", "ecdsa" },
		{ "ab.example.com", "", "ecdsa" },
		{ "both.example.org", "ECDSA+SHA256", "both_ecdsa" },
		{ "both.example.org", "RSA-PSS+SHA256", "both_rsa" },
		{ "both.example.org", "", "both_ecdsa" },
		{ "old.example.org", "", "both_rsa" },
		{ "nameless", "", "ecdsa" },
		{ "-", "", "ecdsa" },
	};
	struct tls_context *context = all_of_them();
	struct meeting meeting;
	char name[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		meet(&meeting, context);
		if (rows[i].ask)
			SSL_set_tlsext_host_name(meeting.client, rows[i].ask);
		if (*rows[i].kind)
			assert_int_equal(SSL_set1_sigalgs_list(meeting.client, rows[i].kind), 1);
		if (!shake(&meeting))
			fail_msg("row %zu fails", i);
		common_name(&meeting, name, sizeof(name));
		assert_string_equal(name, rows[i].get);
		part(&meeting);
	}
	tls_unref(&context);
}

static void a_client_of_another_kind_is_refused(void **state)
{
	struct tls_context *context = server_context(&ecdsa);
	struct meeting meeting;

	(void)state;
	meet(&meeting, context);
	SSL_set1_sigalgs_list(meeting.client, "RSA-PSS+SHA256");
	assert_false(shake(&meeting));
	part(&meeting);
	tls_unref(&context);
}

static void weak_clients_are_refused(void **state)
{
	static const struct {
		int version; /* only this one; 0: any */
		const char *ciphers, *groups;
		bool taken;
	} rows[] = {
		{ TLS1_VERSION, NULL, NULL, false },
		{ TLS1_1_VERSION, NULL, NULL, false },
		{ TLS1_2_VERSION, NULL, NULL, true },
		{ TLS1_3_VERSION, NULL, NULL, true },
		{ TLS1_2_VERSION, "AES128-GCM-SHA256", NULL, false },         /* no ECDHE */
		{ TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256", NULL, false }, /* DHE */
		{ TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA", NULL, false },      /* CBC */
		{ TLS1_2_VERSION, "ECDHE-RSA-AES256-SHA384", NULL, false },
		{ TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", NULL, true },
		{ TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384", NULL, true },
		{ TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305", NULL, true },
		{ 0, NULL, "X25519", true },
		{ 0, NULL, "P-256", true },
		{ 0, NULL, "P-384", true },
		{ 0, NULL, "P-521", false },
		{ 0, NULL, "ffdhe2048", false },
		{ TLS1_2_VERSION, NULL, "P-521", false },
	};
	struct tls_context *context = server_context(&rsa);
	struct meeting meeting;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		meet(&meeting, context);
		if (rows[i].version) {
			SSL_set_min_proto_version(meeting.client, rows[i].version);
			SSL_set_max_proto_version(meeting.client, rows[i].version);
		}
		if (rows[i].ciphers)
			assert_int_equal(SSL_set_cipher_list(meeting.client, rows[i].ciphers), 1);
		if (rows[i].groups)
			assert_int_equal(SSL_set1_groups_list(meeting.client, rows[i].groups), 1);
		if (shake(&meeting) != rows[i].taken)
			fail_msg("row %zu", i);
		part(&meeting);
	}
	tls_unref(&context);
}

static void the_server_chooses(void **state)
{
	struct tls_context *context = server_context(&rsa);
	struct meeting meeting;

	(void)state;
	meet(&meeting, context);
	SSL_set_max_proto_version(meeting.client, TLS1_2_VERSION);
	SSL_set_cipher_list(meeting.client,
			    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384");
	assert_true(shake(&meeting));
	assert_string_equal(SSL_get_cipher_name(meeting.client), "ECDHE-RSA-AES256-GCM-SHA384");
	part(&meeting);
	/* But who has no AES in hardware, and therefore wants ChaCha20 most, gets it. */
	meet(&meeting, context);
	SSL_set_max_proto_version(meeting.client, TLS1_2_VERSION);
	SSL_set_cipher_list(meeting.client,
			    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384");
	assert_true(shake(&meeting));
	assert_string_equal(SSL_get_cipher_name(meeting.client), "ECDHE-RSA-CHACHA20-POLY1305");
	part(&meeting);
	tls_unref(&context);
}

static void nothing_is_negotiated_again(void **state)
{
	struct tls_context *context = server_context(&rsa);
	struct meeting meeting;
	char c;

	(void)state;
	meet(&meeting, context);
	SSL_set_max_proto_version(meeting.client, TLS1_2_VERSION);
	assert_true(shake(&meeting));
	assert_int_equal(SSL_renegotiate(meeting.client), 1);
	assert_true(SSL_do_handshake(meeting.client) <= 0);
	SSL_read(meeting.server, &c, 1);
	assert_true(SSL_do_handshake(meeting.client) <= 0);
	assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
	ERR_clear_error();
	part(&meeting);
	tls_unref(&context);
}

/* A full handshake for `session`, which is NULL at first, or one that may resume it. */
static bool resume(struct tls_context *context, int version, const char *name,
		   SSL_SESSION **session)
{
	struct meeting meeting;
	bool reused;

	meet(&meeting, context);
	SSL_set_max_proto_version(meeting.client, version);
	SSL_set_tlsext_host_name(meeting.client, name);
	if (*session)
		SSL_set_session(meeting.client, *session);
	assert_true(shake(&meeting));
	reused = SSL_session_reused(meeting.server);
	assert_int_equal(SSL_session_reused(meeting.client), reused);
	SSL_SESSION_free(*session);
	*session = SSL_get1_session(meeting.client);
	SSL_shutdown(meeting.client);
	SSL_shutdown(meeting.server);
	part(&meeting);
	return reused;
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void tickets_resume(void **state)
{
	struct tls_context *context = all_of_them();
	struct tls_context *other = all_of_them();

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		SSL_SESSION *session = NULL;

		assert_false(resume(context, versions[i], "mx.example.org", &session));
		assert_true(SSL_SESSION_has_ticket(session));
		assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
		assert_true(resume(context, versions[i], "mx.example.org", &session));
		assert_true(resume(context, versions[i], "mx.example.org", &session));
		/* For all names of the service, but not in another context. */
		assert_true(resume(context, versions[i], "rsa.example.org", &session));
		assert_false(resume(other, versions[i], "rsa.example.org", &session));
		SSL_SESSION_free(session);
	}
	tls_unref(&context);
	tls_unref(&other);
}

static SSL_SESSION *copy(const SSL_SESSION *session)
{
	return SSL_SESSION_dup(session);
}

/* A ticket is good until its key has been replaced as often as there are keys. */
static void keys_take_turns(void **state)
{
	const uint64_t began = 1000000;

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct tls_context *context = server_context(&rsa);
		SSL_SESSION *first = NULL, *again;
		uint64_t now = began;

		tls_rotate(context, now);
		assert_false(resume(context, versions[i], "rsa.example.org", &first));
		tls_rotate(context, now + TLS_TICKET_SECONDS - 1);
		for (unsigned int turn = 0; turn < TLS_TICKET_KEYS; turn++) {
			again = copy(first);
			assert_true(resume(context, versions[i], "rsa.example.org", &again));
			SSL_SESSION_free(again);
			now += TLS_TICKET_SECONDS;
			tls_rotate(context, now);
			tls_rotate(context, now + 60);
		}
		assert_false(resume(context, versions[i], "rsa.example.org", &first));
		SSL_SESSION_free(first);
		tls_unref(&context);
	}
}

/* Who comes with an old one gets a new one, and so never has to begin again. */
static void old_tickets_are_renewed(void **state)
{
	struct tls_context *context = server_context(&rsa);

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		SSL_SESSION *session = NULL;
		uint64_t now = 1000000 + i * 1000000;

		assert_false(resume(context, versions[i], "rsa.example.org", &session));
		for (unsigned int turn = 0; turn < 3 * TLS_TICKET_KEYS; turn++) {
			tls_rotate(context, now);
			now += TLS_TICKET_SECONDS;
			assert_true(resume(context, versions[i], "rsa.example.org", &session));
		}
		SSL_SESSION_free(session);
	}
	tls_unref(&context);
}

/* What is reloaded is a new context; connections keep theirs. */
static void a_context_lives_as_long_as_it_is_used(void **state)
{
	struct tls_context *context = server_context(&rsa);
	struct tls_context *kept = tls_ref(context);
	struct meeting meeting;

	(void)state;
	tls_unref(&context);
	assert_null(context);
	tls_unref(&context);
	meet(&meeting, kept);
	assert_true(shake(&meeting));
	part(&meeting);
	tls_unref(&kept);
}

static void options_are_checked(void **state)
{
	static const char *const fingerprints[] = {
		NULL,
		"",
		"00",
		"g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
	};
	const struct tls_client_options no_ca = { TLS_VERIFY_CA, "/nonexistent/ca.pem", NULL };
	const struct tls_certificate files = files_of(&ecdsa);
	struct tls_context *context;
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT(fingerprints); i++) {
		const struct tls_client_options options = { TLS_VERIFY_FINGERPRINT, NULL,
							    fingerprints[i] };

		assert_int_equal(tls_client_open(&options, &context, &err), ERROR_USAGE);
	}
	assert_int_equal(tls_client_open(&no_ca, &context, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "/nonexistent/ca.pem: No such file or directory");
	assert_int_equal(tls_server_open(&files, 0, &context, &err), ERROR_USAGE);
	assert_int_equal(tls_server_open(&files, TLS_CERTIFICATES_MAX + 1, &context, &err),
			 ERROR_USAGE);
}

static void expiry(void **state)
{
	const struct tls_certificate files[] = { files_of(&ecdsa), files_of(&rsa) };
	struct tls_context *context;
	struct error err;

	(void)state;
	assert_int_equal(tls_server_open(files, COUNT(files), &context, &err), 0);
	for (size_t i = 0; i < COUNT(files); i++) {
		const uint64_t left = tls_expires(context, i) - (uint64_t)time(NULL);

		assert_in_range(left, MADE_VALID_SECONDS - 300, MADE_VALID_SECONDS);
	}
	tls_unref(&context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expiry),
		cmocka_unit_test(files_are_checked),
		cmocka_unit_test(names_have_their_certificates),
		cmocka_unit_test(a_client_of_another_kind_is_refused),
		cmocka_unit_test(weak_clients_are_refused),
		cmocka_unit_test(the_server_chooses),
		cmocka_unit_test(nothing_is_negotiated_again),
		cmocka_unit_test(tickets_resume),
		cmocka_unit_test(keys_take_turns),
		cmocka_unit_test(old_tickets_are_renewed),
		cmocka_unit_test(a_context_lives_as_long_as_it_is_used),
		cmocka_unit_test(options_are_checked),
	};

	return cmocka_run_group_tests(tests, setup, certificates_teardown);
}
