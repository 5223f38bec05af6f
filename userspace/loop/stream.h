/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/stream.h - a connection as sessions see it: octets in, octets out, over TCP, with or without
 * TLS. Sessions never see OpenSSL or libuv's handles.
 *
 * A stream belongs to one loop's thread. Its owner gets calls through a table of functions; inside
 * of them everything is allowed, also closing the stream. After stream_close() or stream_abort() no
 * call comes any more.
 *
 * Input: what has arrived lies in one piece, stream_input(), until the owner takes it off with
 * stream_take(). readable() is called when more has come, and again, from the loop and never from
 * inside a call of the owner's, after stream_resume(). Who does not take anything gets no more once
 * STREAM_INPUT_MAX octets lie there: the peer waits. An idle stream holds no buffer.
 *
 * Output is copied and goes out in order; stream_queued() says how much has not. Whenever a write
 * has left something there, drained() is called, from the loop, when it has become nothing. A peer
 * that does not read is the owner's to time out. Calls of the owner's functions are corked: what
 * they write goes out when they return, or when STREAM_CORK_OCTETS have come together.
 *
 * The process has to ignore SIGPIPE.
 *
 * TLS: stream_start_tls() turns a plain stream into an encrypted one. Everything that came in
 * before must have been taken: if anything is left, the call fails and nothing is done (RFC
 * 3207 4.2, RFC 8314; CVE-2011-0411). What is queued goes out first, in plain.
 */
#ifndef POSTERN_LOOP_STREAM_H
#define POSTERN_LOOP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "lib/addr.h"
#include "lib/error.h"

#define STREAM_INPUT_MAX   (64u << 10)
#define STREAM_CORK_OCTETS (16u << 10) /* of TLS one record */
#define STREAM_OUTPUT_MAX  (16u << 20) /* that may be queued */
#define STREAM_CLOSE_MS    5000        /* for a close in order; then it is ended */

struct stream;
struct tls_context; /* loop/tls.h */

enum stream_end {
	STREAM_EOF, /* the peer has said that it sends no more; with TLS by a close_notify */
	STREAM_CUT, /* with TLS: the connection ended without one, so what came may be cut short */
	STREAM_RESET,  /* the peer, or the network, ended it */
	STREAM_FAILED, /* TLS failed, or memory is short: stream_error() says more */
};

struct stream_owner {
	void (*readable)(struct stream *stream, void *arg);
	void (*drained)(struct stream *stream, void *arg); /* may be NULL */
	void (*secured)(struct stream *stream,
			void *arg); /* the TLS handshake is done; may be NULL */
	/* Called once. Nothing more comes in; after STREAM_EOF what is queued still goes out. */
	void (*ended)(struct stream *stream, enum stream_end end, void *arg);
};

/*
 * Takes over a connected socket, also when it fails. Without an owner nothing is read until
 * stream_give(). Both fail for want of memory or descriptors only.
 */
int stream_accept(uv_loop_t *loop, int fd, const struct stream_owner *owner, void *arg,
		  struct stream **out, struct error *err);

/*
 * Connects; `connected` is called once, from the loop, with 0 or a libuv error; not after a close.
 * What is written before goes out then.
 */
typedef void (*stream_connected_cb)(struct stream *stream, int status, void *arg);
int stream_connect(uv_loop_t *loop, const struct addr *addr, uint16_t port,
		   const struct stream_owner *owner, stream_connected_cb connected, void *arg,
		   struct stream **out, struct error *err);

/*
 * From now on somebody else is the owner, who is told by readable() of what has come and was not
 * taken.
 */
void stream_give(struct stream *stream, const struct stream_owner *owner, void *arg);

/* The addresses of both ends. */
void stream_peer(const struct stream *stream, struct addr *addr, uint16_t *port);
void stream_local(const struct stream *stream, struct addr *addr, uint16_t *port);

const uint8_t *stream_input(const struct stream *stream, size_t *size);
void stream_take(struct stream *stream, size_t size);
/* Whether the peer has sent anything that was not taken, the socket's own buffer included. */
bool stream_has_come(const struct stream *stream);
/* No readable() until stream_resume(). */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/*
 * Copies. False if nothing can be sent any more, which the owner hears of by ended(), if memory is
 * short, or if STREAM_OUTPUT_MAX octets wait.
 */
bool stream_write(struct stream *stream, const void *data, size_t size);
size_t stream_queued(const struct stream *stream);
/* Between the two, writes are put together into one; they nest. */
void stream_cork(struct stream *stream);
void stream_uncork(struct stream *stream);

/* As a server, or as a client that expects `name` (NULL: whatever; see loop/tls.h). */
int stream_start_tls(struct stream *stream, struct tls_context *context, const char *name,
		     struct error *err);

/* What is known of the TLS connection; NULL without one. Valid while the stream is. */
struct stream_tls {
	const char *version; /* "TLSv1.3" */
	const char *cipher;
	unsigned int bits;
	bool resumed;
	const char *server_name; /* SNI that the client asked for, or "" */
};
const struct stream_tls *stream_tls(struct stream *stream);
/* What went wrong, for STREAM_FAILED; or "". */
const char *stream_error(const struct stream *stream);

/*
 * Sends what is queued, then ends the connection in order; gives up after a while. Nulls the
 * pointer; NULL is allowed.
 */
void stream_close(struct stream **stream);
/* Ends it now: the peer gets a reset if anything is left. */
void stream_abort(struct stream **stream);

#endif
