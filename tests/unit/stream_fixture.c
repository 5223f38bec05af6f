/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/stream_fixture.c - see tests/unit/stream_fixture.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "stream_fixture.h"

#define WATCHDOG_SECONDS 60
#define TEARDOWN_MS      (STREAM_CLOSE_MS + 1000)
#define KERNEL_HOLDS     (64 << 10) /* octets: less than what tests write at once */

uv_loop_t loop;

int loop_setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	alarm(WATCHDOG_SECONDS);
	return uv_loop_init(&loop);
}

int loop_teardown(void **state)
{
	unsigned int ms = 0;

	(void)state;
	while (uv_run(&loop, UV_RUN_NOWAIT) && ms++ < TEARDOWN_MS)
		usleep(1000);
	return uv_loop_close(&loop);
}

static struct stream_end_of_it *enter(void *arg, struct stream *stream)
{
	struct stream_end_of_it *end = arg;

	assert_ptr_equal(end->stream, stream);
	assert_false(end->inside);
	end->inside = true;
	return end;
}

static void leave(struct stream_end_of_it *end)
{
	if (end->close)
		stream_close(&end->stream);
	end->inside = false;
}

static void on_readable(struct stream *stream, void *arg)
{
	struct stream_end_of_it *end = enter(arg, stream);
	const size_t room = end->limit - end->size;
	size_t size;
	const uint8_t *input = stream_input(stream, &size);

	assert_true(size > 0);
	assert_true(size <= STREAM_INPUT_MAX + (32u << 10));
	size = size < room ? size : room;
	end->readable++;
	end->got = realloc(end->got, end->size + size + 1);
	memcpy(end->got + end->size, input, size);
	end->size += size;
	end->got[end->size] = '\0';
	stream_take(stream, size);
	if (end->once)
		stream_pause(stream);
	if (end->then)
		end->then(end);
	leave(end);
}

static void on_drained(struct stream *stream, void *arg)
{
	struct stream_end_of_it *end = enter(arg, stream);

	assert_int_equal(stream_queued(stream), 0);
	end->drained++;
	if (end->on_drained)
		end->on_drained(end);
	leave(end);
}

static void on_secured(struct stream *stream, void *arg)
{
	struct stream_end_of_it *end = enter(arg, stream);

	end->secured++;
	if (end->on_secured)
		end->on_secured(end);
	leave(end);
}

static void on_ended(struct stream *stream, enum stream_end how, void *arg)
{
	struct stream_end_of_it *end = enter(arg, stream);

	end->ended++;
	end->end = how;
	strncpy(end->error, stream_error(stream), sizeof(end->error) - 1);
	leave(end);
}

const struct stream_owner collector = { on_readable, on_drained, on_secured, on_ended };

static void on_connected(struct stream *stream, int status, void *arg)
{
	struct stream_end_of_it *end = enter(arg, stream);

	end->connected++;
	end->status = status;
	leave(end);
}

void run_until_size(const struct stream_end_of_it *end, size_t size)
{
	while (end->size < size)
		uv_run(&loop, UV_RUN_ONCE);
}

void run_until_input(const struct stream_end_of_it *end, size_t least)
{
	size_t size;

	while (stream_input(end->stream, &size), size < least)
		uv_run(&loop, UV_RUN_ONCE);
}

void run_until(const unsigned int *count, unsigned int least)
{
	while (*count < least)
		uv_run(&loop, UV_RUN_ONCE);
}

void run_until_ended(const struct stream_end_of_it *end)
{
	run_until(&end->ended, 1);
}

void run_a_little(void)
{
	for (unsigned int i = 0; i < 20; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(500);
	}
}

/*
 * What is accepted inherits the buffers. Left alone, the kernel lets them grow to many MiB if it
 * happens to like the connection, and then nothing is ever left for a stream to queue.
 */
int listen_loopback(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	const int holds = KERNEL_HOLDS;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &holds, sizeof(holds)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &holds, sizeof(holds)), 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

void socket_pair_tcp(int fd[2])
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint16_t port;
	int listening = listen_loopback(&port);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(port);
	fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd[1], (const struct sockaddr *)&to, sizeof(to)), 0);
	fd[0] = accept(listening, NULL, NULL);
	assert_true(fd[0] >= 0);
	close(listening);
}

static void end_init(struct stream_end_of_it *end)
{
	if (!end->limit)
		end->limit = SIZE_MAX;
}

void stream_to(struct stream_end_of_it *client, uint16_t port)
{
	const struct addr to = addr_from_ipv4(INADDR_LOOPBACK);
	struct error err;

	end_init(client);
	assert_int_equal(stream_connect(&loop, &to, port, &collector, on_connected, client,
					&client->stream, &err),
			 0);
	assert_int_equal(client->connected, 0);
	run_until(&client->connected, 1);
	assert_int_equal(client->status, 0);
}

void stream_from(int listening, struct stream_end_of_it *server)
{
	struct error err;
	int fd = accept(listening, NULL, NULL);

	end_init(server);
	assert_int_equal(stream_accept(&loop, fd, &collector, server, &server->stream, &err), 0);
}

void stream_pair(struct stream_end_of_it *server, struct stream_end_of_it *client)
{
	uint16_t port;
	int listening = listen_loopback(&port);

	stream_to(client, port);
	stream_from(listening, server);
	close(listening);
}

int stream_and_socket(struct stream_end_of_it *server)
{
	struct error err;
	int fd[2];

	end_init(server);
	socket_pair_tcp(fd);
	assert_int_equal(stream_accept(&loop, fd[0], &collector, server, &server->stream, &err), 0);
	return fd[1];
}

void end_free(struct stream_end_of_it *end)
{
	stream_close(&end->stream);
	free(end->got);
}
