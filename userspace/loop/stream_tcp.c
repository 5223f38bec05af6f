/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loop/stream_tcp.c - see loop/stream.h: the socket.
 *
 * A thread reads into one buffer for all its streams; what an owner leaves of it is copied.
 *
 * A close in order sends what is queued, then its FIN, and reads on without looking until the peer
 * has sent its own: closing before would make the kernel reset the connection if anything came in
 * that nobody read, and a reset may overtake the last reply. STREAM_CLOSE_MS bounds all of it. A
 * peer that says too much meanwhile is read slowly, or a few of them would keep the loop busy.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/sockaddr.h"
#include "loop/stream_internal.h"

static _Thread_local uint8_t arriving[STREAM_INPUT_MAX];

static void on_closed(uv_handle_t *handle)
{
	struct stream *stream = (struct stream *)handle;

	stream_crypt_free(stream);
	free(stream->kept);
	free(stream->out.data);
	free(stream->error);
	free(stream);
}

static void on_later_closed(uv_handle_t *handle)
{
	free(handle);
}

static void later_end(struct stream *stream)
{
	if (!stream->later)
		return;
	stream->later->stream = NULL;
	uv_close((uv_handle_t *)&stream->later->timer, on_later_closed);
	stream->later = NULL;
}

void stream_finish(struct stream *stream, bool reset)
{
	if (stream->closed)
		return;
	stream->closed = true;
	later_end(stream);
	if (stream->connecting) {
		stream->connecting->stream = NULL;
		if (stream->connecting->done)
			free(stream->connecting);
		stream->connecting = NULL;
	}
	if (!reset || uv_tcp_close_reset(&stream->tcp, on_closed))
		uv_close((uv_handle_t *)&stream->tcp, on_closed);
}

static void on_later(uv_timer_t *timer);

/* The time of the close is over, or that of a rest. */
static void later_closing(struct stream *stream)
{
	struct stream_later *later = stream->later;
	const uint64_t now = uv_now(stream->tcp.loop);

	if (now >= later->until) {
		stream_finish(stream, stream_queued(stream) > 0);
		return;
	}
	stream->resting = false;
	later->unlooked = 0;
	uv_timer_start(&later->timer, on_later, later->until - now, 0);
	stream_want(stream);
}

static void on_later(uv_timer_t *timer)
{
	struct stream *stream = ((struct stream_later *)timer)->stream;

	if (stream->closing) {
		later_closing(stream);
		return;
	}
	later_end(stream);
	stream_work(stream);
}

bool stream_schedule(struct stream *stream, uint64_t ms)
{
	struct stream_later *later = stream->later;

	if (!later) {
		later = calloc(1, sizeof(*later));
		if (!later)
			return false;
		later->stream = stream;
		uv_timer_init(stream->tcp.loop, &later->timer);
		stream->later = later;
	}
	uv_timer_start(&later->timer, on_later, ms, 0);
	return true;
}

bool stream_schedule_end(struct stream *stream)
{
	if (!stream_schedule(stream, STREAM_CLOSE_MS))
		return false;
	stream->later->until = uv_now(stream->tcp.loop) + STREAM_CLOSE_MS;
	return true;
}

void stream_half_close(struct stream *stream)
{
	uv_os_fd_t fd;

	if (stream->fin || uv_fileno((const uv_handle_t *)&stream->tcp, &fd) ||
	    shutdown(fd, SHUT_WR)) {
		stream_finish(stream, false);
		return;
	}
	stream_want(stream);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	const struct stream *stream = (const struct stream *)handle;

	(void)suggested;
	*buf = uv_buf_init((char *)arriving, (unsigned int)sizeof(arriving));
	if (!stream->closing && stream->input_size < sizeof(arriving))
		buf->len -= stream->input_size;
}

static void rest(struct stream *stream)
{
	struct stream_later *later = stream->later;
	const uint64_t left = later->until - uv_now(stream->tcp.loop);

	stream->resting = true;
	uv_timer_start(&later->timer, on_later, left < STREAM_REST_MS ? left : STREAM_REST_MS, 0);
	stream_want(stream);
}

/* Of a stream that is being closed only the end matters. */
static void read_closing(struct stream *stream, ssize_t size)
{
	if (size >= 0) {
		stream->later->unlooked += (size_t)size;
		if (stream->later->unlooked >= STREAM_REST_OCTETS)
			rest(stream);
		return;
	}
	stream->fin = true;
	if (size != UV_EOF || !stream_queued(stream))
		stream_finish(stream, false);
	else
		stream_want(stream);
}

static void on_read(uv_stream_t *handle, ssize_t size, const uv_buf_t *buf)
{
	struct stream *stream = (struct stream *)handle;

	if (stream->closing) {
		read_closing(stream, size);
		return;
	}
	if (size == 0)
		return;
	if (size < 0) {
		stream->fin = true;
		stream_over(stream, size != UV_EOF  ? STREAM_RESET
				    : stream->crypt ? STREAM_CUT
						    : STREAM_EOF);
	} else if (stream->crypt) {
		stream_crypt_feed(stream, (const uint8_t *)buf->base, (size_t)size);
	} else {
		stream_arrived(stream, (const uint8_t *)buf->base, (size_t)size);
	}
	stream_work(stream);
	stream_keep(stream);
}

static bool wants_input(const struct stream *stream)
{
	if (stream->closed || stream->fin || stream->connecting)
		return false;
	if (stream->closing)
		return !stream->resting;
	if (!stream->owner || stream->over)
		return false;
	if (stream->crypt && !stream_crypt_ready(stream))
		return true;
	return !stream->paused && stream->input_size < STREAM_INPUT_MAX;
}

void stream_want(struct stream *stream)
{
	const bool wanted = wants_input(stream);

	if (wanted == stream->reading || stream->closed)
		return;
	stream->reading = wanted;
	if (!wanted)
		uv_read_stop((uv_stream_t *)&stream->tcp);
	else if (uv_read_start((uv_stream_t *)&stream->tcp, on_alloc, on_read))
		stream_over(stream, STREAM_RESET);
}

bool stream_has_come(const struct stream *stream)
{
	uint8_t octet;
	uv_os_fd_t fd;

	if (stream->input_size)
		return true;
	return !uv_fileno((const uv_handle_t *)&stream->tcp, &fd) &&
	       recv(fd, &octet, sizeof(octet), MSG_PEEK | MSG_DONTWAIT) > 0;
}

static struct stream *stream_new(uv_loop_t *loop, unsigned int family,
				 const struct stream_owner *owner, void *arg)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	if (uv_tcp_init_ex(loop, &stream->tcp, family)) {
		free(stream);
		return NULL;
	}
	stream->owner = owner;
	stream->arg = arg;
	return stream;
}

int stream_accept(uv_loop_t *loop, int fd, const struct stream_owner *owner, void *arg,
		  struct stream **out, struct error *err)
{
	struct stream *stream = stream_new(loop, AF_UNSPEC, owner, arg);
	int failed;

	if (!stream) {
		close(fd);
		return error_set(err, ERROR_REFUSED, "out of memory");
	}
	failed = uv_tcp_open(&stream->tcp, fd);
	if (failed) {
		close(fd);
		stream_finish(stream, false);
		return error_set(err, ERROR_REFUSED, "connection: %s", uv_strerror(failed));
	}
	uv_tcp_nodelay(&stream->tcp, 1);
	stream_want(stream);
	*out = stream;
	return 0;
}

static void on_connected(uv_connect_t *request, int status)
{
	struct stream_connecting *connecting = (struct stream_connecting *)request;

	if (!connecting->stream) {
		free(connecting);
		return;
	}
	connecting->status = status;
	connecting->done = true;
	stream_work(connecting->stream);
}

static void call_connected(struct stream *stream, void *arg)
{
	struct stream_connecting *connecting = stream->connecting;
	const stream_connected_cb connected = connecting->connected;
	const int status = connecting->status;

	stream->connecting = NULL;
	free(connecting);
	if (status) {
		stream->broken = stream->over = true;
		stream->owed = false;
	}
	connected(stream, status, arg);
}

void stream_connect_done(struct stream *stream)
{
	stream_call(stream, call_connected);
}

/* What is wrong at once is said from the loop, as everything else. */
int stream_connect(uv_loop_t *loop, const struct addr *addr, uint16_t port,
		   const struct stream_owner *owner, stream_connected_cb connected, void *arg,
		   struct stream **out, struct error *err)
{
	const unsigned int family = addr_is_ipv4(addr) ? AF_INET : AF_INET6;
	struct stream_connecting *connecting = calloc(1, sizeof(*connecting));
	struct stream *stream = stream_new(loop, family, owner, arg);
	struct sockaddr_storage to;

	if (!stream || !connecting) {
		free(connecting);
		if (stream)
			stream_finish(stream, false);
		return error_set(err, ERROR_REFUSED, "out of memory, or of descriptors");
	}
	connecting->stream = stream;
	connecting->connected = connected;
	stream->connecting = connecting;
	uv_tcp_nodelay(&stream->tcp, 1);
	sockaddr_write(addr, port, &to);
	connecting->status = uv_tcp_connect(&connecting->request, &stream->tcp,
					    (const struct sockaddr *)&to, on_connected);
	if (connecting->status) {
		connecting->done = true;
		stream_wake(stream);
	}
	*out = stream;
	return 0;
}

typedef int (*name_call)(const uv_tcp_t *tcp, struct sockaddr *name, int *size);

static void end_address(const struct stream *stream, name_call name_of, struct addr *addr,
			uint16_t *port)
{
	struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
	int size = sizeof(name);

	if (name_of(&stream->tcp, (struct sockaddr *)&name, &size))
		name.ss_family = AF_UNSPEC;
	sockaddr_read(&name, addr, port);
}

void stream_peer(const struct stream *stream, struct addr *addr, uint16_t *port)
{
	end_address(stream, uv_tcp_getpeername, addr, port);
}

void stream_local(const struct stream *stream, struct addr *addr, uint16_t *port)
{
	end_address(stream, uv_tcp_getsockname, addr, port);
}
