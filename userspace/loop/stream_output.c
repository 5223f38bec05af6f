/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/stream_output.c - see loop/stream.h: output.
 *
 * The owner's octets come together in `out`; with TLS they are encrypted from there into a second
 * buffer. What is ready is tried at once, and only what the socket does not take is given to libuv
 * (struct stream_sending), with its buffer. While that is under way everything else waits, so that
 * it goes out in one piece afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "loop/stream_internal.h"

#define BUFFER_LEAST 512u

struct stream_sending {
	uv_write_t request;
	struct stream *stream;
	struct stream_buffer buffer;
};

bool stream_buffer_append(struct stream_buffer *buffer, const void *data, size_t size)
{
	const size_t need = buffer->size + size;
	size_t capacity = buffer->capacity;
	uint8_t *grown;

	if (need > 2 * (size_t)STREAM_OUTPUT_MAX)
		return false;
	if (!buffer->data || need > capacity) {
		capacity = capacity * 2 > need ? capacity * 2 : need;
		capacity = capacity > BUFFER_LEAST ? capacity : BUFFER_LEAST;
		grown = realloc(buffer->data, capacity);
		if (!grown)
			return false;
		buffer->data = grown;
		buffer->capacity = (uint32_t)capacity;
	}
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size = (uint32_t)need;
	return true;
}

void stream_buffer_clear(struct stream_buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct stream_buffer){ 0 };
}

/* What is in libuv's hands stays there until the handle is closed. */
void stream_output_free(struct stream *stream)
{
	stream_buffer_clear(&stream->out);
	if (stream->crypt)
		stream_buffer_clear(stream_crypt_wire(stream));
}

size_t stream_queued(const struct stream *stream)
{
	size_t queued = stream->out.size;

	if (stream->broken)
		return 0;
	if (stream->crypt)
		queued += stream_crypt_wire((struct stream *)stream)->size;
	if (stream->sending)
		queued += uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp);
	return queued;
}

/* Whether the socket may be written to now. */
static bool is_free(const struct stream *stream)
{
	return !stream->sending && !stream->broken && !stream->closed && !stream->connecting;
}

static void on_sent(uv_write_t *request, int status)
{
	struct stream_sending *sending = (struct stream_sending *)request;
	struct stream *stream = sending->stream;

	stream_buffer_clear(&sending->buffer);
	free(sending);
	stream->sending = NULL;
	if (stream->closed)
		return;
	if (status < 0)
		stream_over(stream, STREAM_RESET);
	else
		stream_push(stream);
	if (!stream->closing)
		stream_work(stream);
	else if (!stream_queued(stream) && !stream->closed)
		stream_half_close(stream);
}

/* The buffer, but for its first `sent` octets. */
static void send_rest(struct stream *stream, struct stream_buffer *buffer, size_t sent)
{
	struct stream_sending *sending = calloc(1, sizeof(*sending));
	uv_buf_t rest = uv_buf_init((char *)buffer->data + sent, buffer->size - (uint32_t)sent);
	int failed;

	if (!sending) {
		stream_fail(stream, "out of memory");
		return;
	}
	sending->stream = stream;
	sending->buffer = *buffer;
	failed = uv_write(&sending->request, (uv_stream_t *)&stream->tcp, &rest, 1, on_sent);
	if (failed) {
		free(sending);
		stream_over(stream, STREAM_RESET);
		return;
	}
	*buffer = (struct stream_buffer){ 0 };
	stream->sending = sending;
}

/* How much of it has gone; if the connection is broken, all of it has. */
static size_t try_send(struct stream *stream, const void *data, size_t size)
{
	uv_buf_t buffer = uv_buf_init((char *)data, (unsigned int)size);
	const int sent = uv_try_write((uv_stream_t *)&stream->tcp, &buffer, 1);

	if (sent >= 0)
		return (size_t)sent;
	if (sent == UV_EAGAIN)
		return 0;
	stream_over(stream, STREAM_RESET);
	return size;
}

void stream_push(struct stream *stream)
{
	struct stream_buffer *buffer = &stream->out;
	size_t sent;

	if (!is_free(stream))
		return;
	if (stream->crypt) {
		if (stream->out.size && stream_crypt_ready(stream)) {
			stream_crypt_write(stream, stream->out.data, stream->out.size);
			stream_buffer_clear(&stream->out);
		}
		buffer = stream_crypt_wire(stream);
	}
	if (!buffer->size)
		return;
	sent = try_send(stream, buffer->data, buffer->size);
	if (stream->broken || sent == buffer->size)
		stream_buffer_clear(buffer);
	else
		send_rest(stream, buffer, sent);
}

void stream_flush(struct stream *stream)
{
	if (stream->corks)
		return;
	stream_push(stream);
	if (stream->broken && stream->ending)
		stream_wake(stream);
}

/* Sends what it can without a copy, when all that came before has gone. */
static size_t write_through(struct stream *stream, const void *data, size_t size)
{
	stream_push(stream);
	if (!is_free(stream) || stream_queued(stream))
		return 0;
	if (!stream->crypt)
		return try_send(stream, data, size);
	if (!stream_crypt_ready(stream))
		return 0;
	stream_crypt_write(stream, data, size);
	return size;
}

bool stream_write(struct stream *stream, const void *data, size_t size)
{
	size_t done = 0;

	if (stream->closing || stream->broken || size + stream_queued(stream) > STREAM_OUTPUT_MAX)
		return false;
	if (!stream->corks || stream->out.size + size >= STREAM_CORK_OCTETS)
		done = write_through(stream, data, size);
	if (!stream->broken && done < size &&
	    !stream_buffer_append(&stream->out, (const uint8_t *)data + done, size - done))
		stream_fail(stream, "out of memory");
	if (!stream->corks || done)
		stream_push(stream);
	if (stream->broken) {
		stream_wake(stream);
		return false;
	}
	stream->owed = stream->owed || stream_queued(stream);
	return true;
}

void stream_cork(struct stream *stream)
{
	stream->corks++;
}

void stream_uncork(struct stream *stream)
{
	stream->corks--;
	if (stream->closing || stream->corks)
		return;
	stream_flush(stream);
	if (stream->owed && stream->owner && stream->owner->drained && !stream_queued(stream))
		stream_wake(stream);
}
