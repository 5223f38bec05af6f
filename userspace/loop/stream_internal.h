/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/stream_internal.h - what the files of loop/stream share.
 *
 *   stream.c         the owner's side: input, calls of the owner, what is owed to him
 *   stream_output.c  output: cork, queue, what is under way
 *   stream_tcp.c     the socket: opening, connecting, reading, closing
 *   stream_tls.c     TLS between the two
 *
 * A struct stream is freed from the loop only, when its handle has been closed, so whoever calls
 * the owner may look at it afterwards. There is one for each connection, idle or not: what is
 * needed for a while only is allocated for that while.
 */
#ifndef POSTERN_LOOP_STREAM_INTERNAL_H
#define POSTERN_LOOP_STREAM_INTERNAL_H

#include "loop/stream.h"

/* How often in a row the owner is called for one event; the rest waits for the loop. */
#define STREAM_ROUNDS_MAX 16
/* Of what a peer says after a close so much is read at a time: 1.3 MB a second. */
#define STREAM_REST_OCTETS (64u << 10)
#define STREAM_REST_MS     50u

struct stream_buffer {
	uint8_t *data;
	uint32_t size, capacity;
};

/* False if memory is short: then nothing has changed. */
bool stream_buffer_append(struct stream_buffer *buffer, const void *data, size_t size);
void stream_buffer_clear(struct stream_buffer *buffer);

/* A timer that is there only while it runs: for calls that are owed, and for the end of a close. */
struct stream_later {
	uv_timer_t timer;
	struct stream *stream; /* NULL: it is being closed */
	/* Of a close: */
	uint64_t until;  /* ms of the loop's clock */
	size_t unlooked; /* octets that came since it rested */
};

struct stream_connecting {
	uv_connect_t request;
	struct stream *stream; /* NULL: it has been closed */
	stream_connected_cb connected;
	int status; /* what it has come to, once `done` */
	bool done;
};

struct stream_sending;
struct stream_crypt;

struct stream {
	uv_tcp_t tcp;
	const struct stream_owner *owner; /* NULL: not yet, or not any more */
	void *arg;
	const uint8_t *input; /* in `kept`, or, while its arrival is worked on, in a thread's own */
	uint8_t *kept;
	uint32_t input_size, kept_capacity;
	struct stream_buffer out;       /* as the owner wrote it */
	struct stream_sending *sending; /* in libuv's hands */
	struct stream_crypt *crypt;     /* once TLS has begun */
	struct stream_later *later;
	struct stream_connecting *connecting;
	char *error;
	uint16_t corks;
	uint8_t end;      /* enum stream_end, while `ending` */
	bool calling : 1; /* the owner */
	bool again : 1;   /* readable() is owed */
	bool owed : 1;    /* drained() is, once nothing is queued */
	bool ending : 1;  /* ended() is */
	bool ended : 1;   /* it has been called */
	bool over : 1;    /* no more input comes in */
	bool fin : 1;     /* the socket has no more */
	bool broken : 1;  /* nothing can be sent */
	bool paused : 1;
	bool reading : 1;
	bool closing : 1; /* the owner has closed it */
	bool resting : 1; /* so much has come since that it is not read for a moment */
	bool closed : 1;  /* so have we */
};

/* stream.c */
/* Does what is owed to the owner. From the loop only. */
void stream_work(struct stream *stream);
/* The same from anywhere, soon. */
void stream_wake(struct stream *stream);
void stream_over(struct stream *stream, enum stream_end end);
void stream_fail(struct stream *stream, const char *why);
/* Octets for the owner, which are only lent: whoever calls this calls stream_keep() at the end. */
void stream_arrived(struct stream *stream, const uint8_t *data, size_t size);
void stream_keep(struct stream *stream);
/* Calls him, corked. */
void stream_call(struct stream *stream, void (*function)(struct stream *stream, void *arg));

/* stream_output.c */
/* Sends what there is, unless something is under way; the second one if nothing is corked. */
void stream_push(struct stream *stream);
void stream_flush(struct stream *stream);
void stream_output_free(struct stream *stream);

/* stream_tcp.c */
/* Reads, or does not, as the state of the stream wants it. */
void stream_want(struct stream *stream);
/* Calls stream_work() from the loop. False if memory is short. */
bool stream_schedule(struct stream *stream, uint64_t ms);
/* Gives the end of the close its time. False if memory is short. */
bool stream_schedule_end(struct stream *stream);
/* Nothing is left to send, and it is being closed. */
void stream_half_close(struct stream *stream);
/* Now, whatever is left; with a reset of the connection or without. */
void stream_finish(struct stream *stream, bool reset);
void stream_connect_done(struct stream *stream);

/* stream_tls.c */
bool stream_crypt_ready(const struct stream *stream); /* the owner's octets may be sent */
struct stream_buffer *stream_crypt_wire(struct stream *stream);
void stream_crypt_feed(struct stream *stream, const uint8_t *data, size_t size);
/* Encrypts all of it. False: TLS has failed. */
bool stream_crypt_write(struct stream *stream, const uint8_t *data, size_t size);
/* The last words. */
void stream_crypt_close(struct stream *stream);
void stream_crypt_free(struct stream *stream);

#endif
