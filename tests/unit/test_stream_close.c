/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of loop/stream.h: a peer that goes on after stream_close() is read slowly, and still gets
 * the last reply.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "stream_fixture.h"

#define PIECE    (256u << 10)
#define FLOOD_MS 1000u
#define FLOODED  (64u << 20) /* more than the kernel holds and a second lets through */

struct peer {
	int fd;
	size_t said; /* octets that went out */
	char heard[8];
	ssize_t last; /* what the end of the connection was to it */
};

/* Says as much as it can for a while, and then looks what it was told. */
static void *flood(void *arg)
{
	const uint64_t until = clock_mono_ms() + FLOOD_MS;
	char *piece = calloc(1, PIECE);
	struct peer *peer = arg;

	while (clock_mono_ms() < until) {
		struct pollfd writable = { .fd = peer->fd, .events = POLLOUT };
		const ssize_t sent = send(peer->fd, piece, PIECE, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0)
			peer->said += (size_t)sent;
		else if (errno != EAGAIN)
			break;
		else
			poll(&writable, 1, 10);
	}
	shutdown(peer->fd, SHUT_WR);
	if (recv(peer->fd, peer->heard, 3, MSG_WAITALL) == 3)
		peer->last = recv(peer->fd, piece, 1, 0);
	free(piece);
	return NULL;
}

static void a_peer_that_goes_on_is_read_slowly(void **state)
{
	struct stream_end_of_it server = { 0 };
	struct peer peer = { .fd = stream_and_socket(&server), .last = -1 };
	pthread_t thread;

	(void)state;
	assert_true(stream_write(server.stream, "bye", 3));
	stream_close(&server.stream);
	assert_int_equal(pthread_create(&thread, NULL, flood, &peer), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	pthread_join(thread, NULL);
	assert_true(peer.said > 0 && peer.said < FLOODED);
	assert_string_equal(peer.heard, "bye");
	assert_int_equal(peer.last, 0);
	assert_int_equal(server.readable, 0);
	close(peer.fd);
	end_free(&server);
}

/* Another one is served meanwhile: each turn of the loop is short. */
static void others_are_served(void **state)
{
	struct stream_end_of_it server = { 0 }, other = { 0 };
	struct peer peer = { .fd = stream_and_socket(&server), .last = -1 };
	const int fd = stream_and_socket(&other);
	pthread_t thread;
	uint64_t turns = 0;

	(void)state;
	stream_close(&server.stream);
	assert_int_equal(pthread_create(&thread, NULL, flood, &peer), 0);
	assert_int_equal(write(fd, "abc", 3), 3);
	run_until_size(&other, 3);
	stream_close(&other.stream);
	close(fd);
	while (uv_run(&loop, UV_RUN_ONCE))
		turns++;
	/* It waits for the timer most of the time, instead of turning for each piece. */
	assert_true(turns < 20 * FLOOD_MS / 50);
	pthread_join(thread, NULL);
	close(peer.fd);
	end_free(&server);
	end_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_peer_that_goes_on_is_read_slowly, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(others_are_served, loop_setup, loop_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
