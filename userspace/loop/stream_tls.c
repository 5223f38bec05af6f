/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/stream_tls.c - see loop/stream.h: TLS between the socket and the owner.
 *
 * OpenSSL reads and writes through a BIO of our own: what has arrived lies where the socket was
 * read to, and is taken from there whole; what is to be sent goes into `wire`. So a connection that
 * is idle has no buffers, here or in OpenSSL (SSL_MODE_RELEASE_BUFFERS). A thread decrypts into one
 * buffer for all its streams, as it reads.
 *
 * What OpenSSL calls an error has left its reason in a queue of the thread, which is therefore
 * emptied before each call that may fail.
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "loop/stream_internal.h"
#include "loop/tls_internal.h"

#define RECORD_MAX (16u << 10) /* octets of text in a record (RFC 8446 5.1) */

struct stream_crypt {
	SSL *ssl;
	struct tls_context *context;
	const uint8_t *feed; /* what has arrived and OpenSSL has not taken yet */
	size_t feed_size;
	struct stream_buffer wire; /* to be sent, encrypted; or plain, from before TLS */
	bool secured, failed;
	struct stream_tls info;
};

/* The text of what arrives at once, and of a record that was begun before. */
static _Thread_local uint8_t text[STREAM_INPUT_MAX + RECORD_MAX];

static int bio_write(BIO *bio, const char *data, size_t size, size_t *written)
{
	struct stream_crypt *crypt = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!stream_buffer_append(&crypt->wire, data, size))
		return 0;
	*written = size;
	return 1;
}

static int bio_read(BIO *bio, char *data, size_t size, size_t *read)
{
	struct stream_crypt *crypt = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!crypt->feed_size) {
		BIO_set_retry_read(bio);
		return 0;
	}
	if (size > crypt->feed_size)
		size = crypt->feed_size;
	memcpy(data, crypt->feed, size);
	crypt->feed += size;
	crypt->feed_size -= size;
	*read = size;
	return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
	if (!method)
		return;
	BIO_meth_set_write_ex(method, bio_write);
	BIO_meth_set_read_ex(method, bio_read);
	BIO_meth_set_ctrl(method, bio_ctrl);
}

static bool attach_bio(struct stream_crypt *crypt)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	BIO *bio;

	pthread_once(&once, make_method);
	bio = method ? BIO_new(method) : NULL;
	if (!bio)
		return false;
	BIO_set_data(bio, crypt);
	BIO_set_init(bio, 1);
	SSL_set_bio(crypt->ssl, bio, bio);
	return true;
}

bool stream_crypt_ready(const struct stream *stream)
{
	return stream->crypt->secured && !stream->crypt->failed;
}

struct stream_buffer *stream_crypt_wire(struct stream *stream)
{
	return &stream->crypt->wire;
}

/* The alert that OpenSSL has written still goes out, if the socket takes it. */
static void crypt_fail(struct stream *stream)
{
	const long verified = SSL_get_verify_result(stream->crypt->ssl);
	const char *why = tls_reason();

	if (verified != X509_V_OK)
		why = X509_verify_cert_error_string(verified);
	stream->crypt->failed = true;
	stream_push(stream);
	stream_fail(stream, why);
}

/* A name that a client has made up is shown only if it could be one. */
static const char *checked_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";

	return name && !name[strspn(name, allowed)] ? name : "";
}

static void secured(struct stream *stream)
{
	struct stream_crypt *crypt = stream->crypt;
	const SSL_CIPHER *cipher = SSL_get_current_cipher(crypt->ssl);

	crypt->secured = true;
	crypt->info = (struct stream_tls){
		.version = SSL_get_version(crypt->ssl),
		.cipher = SSL_CIPHER_get_name(cipher),
		.bits = (unsigned int)SSL_CIPHER_get_bits(cipher, NULL),
		.resumed = SSL_session_reused(crypt->ssl),
		.server_name =
			checked_name(SSL_get_servername(crypt->ssl, TLSEXT_NAMETYPE_host_name)),
	};
	stream_flush(stream);
	stream_call(stream, stream->owner->secured);
}

/* True when it is done. */
static bool shake_hands(struct stream *stream)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(stream->crypt->ssl);
	if (result == 1) {
		secured(stream);
		return true;
	}
	if (SSL_get_error(stream->crypt->ssl, result) != SSL_ERROR_WANT_READ)
		crypt_fail(stream);
	return false;
}

/* Otherwise it would take a buffer of 16 KiB, find nothing, and give it back. */
static bool has_more(const struct stream_crypt *crypt)
{
	return crypt->feed_size || SSL_has_pending(crypt->ssl);
}

/* What can be decrypted, at most as much as there is room for. */
static size_t decrypt(struct stream *stream)
{
	struct stream_crypt *crypt = stream->crypt;
	size_t size = 0;
	size_t got;
	int result;

	while (size < sizeof(text) && has_more(crypt)) {
		ERR_clear_error();
		result = SSL_read_ex(crypt->ssl, text + size, sizeof(text) - size, &got);
		if (result == 1) {
			size += got;
			continue;
		}
		result = SSL_get_error(crypt->ssl, result);
		if (result == SSL_ERROR_ZERO_RETURN)
			stream_over(stream, STREAM_EOF);
		else if (result != SSL_ERROR_WANT_READ)
			crypt_fail(stream);
		break;
	}
	return size;
}

void stream_crypt_feed(struct stream *stream, const uint8_t *data, size_t size)
{
	struct stream_crypt *crypt = stream->crypt;

	crypt->feed = data;
	crypt->feed_size = size;
	if (crypt->secured || shake_hands(stream)) {
		while (!stream->closing && !stream->over) {
			size = decrypt(stream);
			stream_arrived(stream, text, size);
			if (size < sizeof(text))
				break;
			stream_work(stream);
			stream_keep(stream);
		}
	}
	crypt->feed_size = 0;
	if (!stream->closed)
		stream_flush(stream);
}

bool stream_crypt_write(struct stream *stream, const uint8_t *data, size_t size)
{
	size_t written;

	ERR_clear_error();
	if (SSL_write_ex(stream->crypt->ssl, data, size, &written) == 1 && written == size)
		return true;
	crypt_fail(stream);
	return false;
}

/* What was never allowed to go out in plain does not now. */
void stream_crypt_close(struct stream *stream)
{
	struct stream_crypt *crypt = stream->crypt;

	if (!crypt)
		return;
	if (stream_crypt_ready(stream)) {
		if (stream->out.size)
			stream_crypt_write(stream, stream->out.data, stream->out.size);
		if (!crypt->failed)
			SSL_shutdown(crypt->ssl);
	}
	stream_buffer_clear(&stream->out);
}

void stream_crypt_free(struct stream *stream)
{
	if (!stream->crypt)
		return;
	SSL_free(stream->crypt->ssl);
	tls_unref(&stream->crypt->context);
	stream_buffer_clear(&stream->crypt->wire);
	free(stream->crypt);
	stream->crypt = NULL;
}

static int crypt_new(struct stream *stream, struct tls_context *context, const char *name,
		     struct error *err)
{
	struct stream_crypt *crypt = calloc(1, sizeof(*crypt));
	int failed;

	if (!crypt)
		return error_set(err, ERROR_REFUSED, "TLS: out of memory");
	failed = tls_connection(context, name, &crypt->ssl, err);
	if (failed) {
		free(crypt);
		return failed;
	}
	if (!attach_bio(crypt)) {
		SSL_free(crypt->ssl);
		free(crypt);
		return error_set(err, ERROR_REFUSED, "TLS: out of memory");
	}
	crypt->context = tls_ref(context);
	crypt->wire = stream->out;
	stream->out = (struct stream_buffer){ 0 };
	stream->crypt = crypt;
	return 0;
}

int stream_start_tls(struct stream *stream, struct tls_context *context, const char *name,
		     struct error *err)
{
	int failed;

	/*
	 * RFC 3207 4.2: what was said before TLS is to be forgotten. What came in the same segment
	 * as STARTTLS may be somebody else's and must not be taken for what TLS protects.
	 */
	if (stream->input_size)
		return error_set(err, ERROR_REFUSED, "TLS: %u octets came in plain before it began",
				 stream->input_size);
	if (stream->crypt || stream->over || stream->closing || stream->connecting)
		return error_set(err, ERROR_REFUSED, "TLS: not on this connection");
	failed = crypt_new(stream, context, name, err);
	if (failed)
		return failed;
	if (!tls_is_server(context)) {
		shake_hands(stream);
		if (stream->crypt->failed)
			return error_set(err, ERROR_REFUSED, "TLS: %s", stream_error(stream));
	}
	stream_flush(stream);
	if (!stream->calling)
		stream_want(stream);
	return 0;
}

const struct stream_tls *stream_tls(struct stream *stream)
{
	return stream->crypt && stream->crypt->secured ? &stream->crypt->info : NULL;
}
