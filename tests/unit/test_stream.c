/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of loop/stream without TLS, over loopback: what comes, what goes, who is called when, and
 * how a connection ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "stream_fixture.h"

#define BIG (4u << 20)

static uint8_t *pattern(size_t size)
{
	uint8_t *data = malloc(size);

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	return data;
}

static void say(struct stream_end_of_it *end, const char *text)
{
	assert_true(stream_write(end->stream, text, strlen(text)));
}

static void both_ways(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };
	struct addr addr;
	uint16_t port, other;

	(void)state;
	stream_pair(&server, &client);
	say(&server, "220 hello\r\n");
	assert_int_equal(stream_queued(server.stream), 0);
	run_until_size(&client, 11);
	assert_string_equal(client.got, "220 hello\r\n");
	say(&client, "EHLO x\r\n");
	run_until_size(&server, 8);
	assert_string_equal(server.got, "EHLO x\r\n");
	stream_peer(client.stream, &addr, &port);
	stream_local(server.stream, &addr, &other);
	assert_int_equal(addr_ipv4(&addr), INADDR_LOOPBACK);
	assert_int_equal(port, other);
	end_free(&server);
	end_free(&client);
}

static void big_pieces_arrive_whole(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };
	uint8_t *data = pattern(BIG);

	(void)state;
	stream_pair(&server, &client);
	for (size_t at = 0; at < BIG; at += BIG / 4)
		assert_true(stream_write(server.stream, data + at, BIG / 4));
	assert_true(stream_queued(server.stream) > 0);
	run_until_size(&client, BIG);
	assert_memory_equal(client.got, data, BIG);
	run_until(&server.drained, 1);
	assert_int_equal(stream_queued(server.stream), 0);
	free(data);
	end_free(&server);
	end_free(&client);
}

static void output_is_bounded(void **state)
{
	struct stream_end_of_it server = { 0 };
	uint8_t *data = pattern(BIG);
	int fd = stream_and_socket(&server);
	size_t queued = 0;

	(void)state;
	while (stream_write(server.stream, data, BIG)) {
		queued = stream_queued(server.stream);
		assert_true(queued <= STREAM_OUTPUT_MAX);
	}
	assert_true(queued > 0);
	assert_int_equal(server.ended, 0);
	stream_abort(&server.stream);
	free(data);
	close(fd);
	end_free(&server);
}

static void corked_writes_go_together(void **state)
{
	struct stream_end_of_it server = { 0 };
	char text[7] = "";
	int fd = stream_and_socket(&server);

	(void)state;
	stream_cork(server.stream);
	say(&server, "a");
	stream_cork(server.stream);
	say(&server, "b");
	stream_uncork(server.stream);
	say(&server, "c");
	assert_int_equal(stream_queued(server.stream), 3);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	stream_uncork(server.stream);
	assert_int_equal(stream_queued(server.stream), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_string_equal(text, "abc");
	assert_int_equal(server.drained, 0);
	run_until(&server.drained, 1);
	close(fd);
	end_free(&server);
}

static void say_three(struct stream_end_of_it *end)
{
	say(end, "1");
	say(end, "2");
	say(end, "3");
	assert_int_equal(stream_queued(end->stream), 3);
}

static void calls_are_corked(void **state)
{
	struct stream_end_of_it server = { .then = say_three };
	char text[4] = "";
	int fd = stream_and_socket(&server);

	(void)state;
	assert_int_equal(write(fd, "x", 1), 1);
	run_until(&server.readable, 1);
	assert_int_equal(read(fd, text, 3), 3);
	assert_string_equal(text, "123");
	run_until(&server.drained, 1);
	close(fd);
	end_free(&server);
}

/* An owner that writes one octet whenever nothing is queued, and waits for drained() otherwise. */
static void pump(struct stream_end_of_it *end)
{
	while (end->limit && !stream_queued(end->stream)) {
		end->limit--;
		say(end, "x");
	}
}

static void an_owner_that_waits_is_called(void **state)
{
	struct stream_end_of_it server = { .on_drained = pump }, client = { 0 };

	(void)state;
	stream_pair(&server, &client);
	server.limit = 1000;
	stream_cork(server.stream);
	pump(&server);
	stream_uncork(server.stream);
	run_until_size(&client, 1000);
	assert_int_equal(server.limit, 0);
	end_free(&server);
	end_free(&client);
}

static void what_is_not_taken_stays(void **state)
{
	struct stream_end_of_it server = { .limit = 3 };
	int fd = stream_and_socket(&server);
	const uint8_t *input;
	size_t size;

	(void)state;
	assert_int_equal(write(fd, "abcdef", 6), 6);
	run_until(&server.readable, 1);
	input = stream_input(server.stream, &size);
	assert_int_equal(size, 3);
	assert_memory_equal(input, "def", 3);
	assert_int_equal(write(fd, "gh", 2), 2);
	server.limit = 4;
	run_until(&server.readable, 2);
	input = stream_input(server.stream, &size);
	assert_int_equal(size, 4);
	assert_memory_equal(input, "efgh", 4);
	stream_take(server.stream, 100);
	stream_input(server.stream, &size);
	assert_int_equal(size, 0);
	close(fd);
	end_free(&server);
}

static void input_is_bounded(void **state)
{
	struct stream_end_of_it server = { .limit = 1 }, client = { 0 };
	uint8_t *data = pattern(BIG);
	size_t size;

	(void)state;
	stream_pair(&server, &client);
	assert_true(stream_write(client.stream, data, BIG));
	run_until(&server.readable, 1);
	run_until_input(&server, STREAM_INPUT_MAX);
	run_a_little();
	stream_input(server.stream, &size);
	assert_int_equal(size, STREAM_INPUT_MAX);
	/* It goes on when there is room. */
	server.limit = SIZE_MAX;
	stream_take(server.stream, 10);
	run_until_size(&server, BIG - 10);
	assert_memory_equal(server.got + 1, data + 11, BIG - 11);
	free(data);
	end_free(&server);
	end_free(&client);
}

static void a_paused_owner_is_left_alone(void **state)
{
	struct stream_end_of_it server = { .limit = 1, .once = true };
	int fd = stream_and_socket(&server);

	(void)state;
	assert_int_equal(write(fd, "abc", 3), 3);
	run_until(&server.readable, 1);
	assert_int_equal(write(fd, "def", 3), 3);
	shutdown(fd, SHUT_WR);
	run_a_little();
	assert_int_equal(server.readable, 1);
	/* Again from the loop, not from inside. */
	server.limit = SIZE_MAX;
	stream_resume(server.stream);
	assert_int_equal(server.readable, 1);
	run_until(&server.readable, 2);
	assert_string_equal(server.got, "abc");
	run_a_little();
	assert_int_equal(server.readable, 2);
	assert_int_equal(server.ended, 0);
	server.once = false;
	stream_resume(server.stream);
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_EOF);
	assert_string_equal(server.got, "abcdef");
	close(fd);
	end_free(&server);
}

static void another_owner_gets_the_rest(void **state)
{
	struct stream_end_of_it first = { .limit = 2 };
	struct stream_end_of_it second = { .limit = SIZE_MAX };
	int fd = stream_and_socket(&first);

	(void)state;
	assert_int_equal(write(fd, "abcd", 4), 4);
	run_until(&first.readable, 1);
	second.stream = first.stream;
	stream_give(first.stream, &collector, &second);
	assert_int_equal(second.readable, 0);
	run_until(&second.readable, 1);
	assert_string_equal(second.got, "cd");
	first.stream = NULL;
	close(fd);
	end_free(&first);
	end_free(&second);
}

static void without_an_owner_nothing_is_read(void **state)
{
	struct stream_end_of_it end = { .limit = SIZE_MAX };
	struct error err;
	int fd[2];

	(void)state;
	socket_pair_tcp(fd);
	assert_int_equal(stream_accept(&loop, fd[0], NULL, NULL, &end.stream, &err), 0);
	assert_false(stream_has_come(end.stream));
	assert_int_equal(write(fd[1], "abc", 3), 3);
	while (!stream_has_come(end.stream))
		run_a_little();
	run_a_little();
	assert_true(stream_has_come(end.stream));
	stream_give(end.stream, &collector, &end);
	run_until_size(&end, 3);
	assert_false(stream_has_come(end.stream));
	close(fd[1]);
	end_free(&end);
}

static void after_the_peers_end_replies_go_out(void **state)
{
	struct stream_end_of_it server = { 0 };
	int fd = stream_and_socket(&server);
	char text[8] = "";

	(void)state;
	assert_int_equal(write(fd, "QUIT", 4), 4);
	shutdown(fd, SHUT_WR);
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_EOF);
	assert_string_equal(server.got, "QUIT");
	say(&server, "221 bye");
	assert_int_equal(read(fd, text, 7), 7);
	assert_string_equal(text, "221 bye");
	stream_close(&server.stream);
	assert_int_equal(read(fd, text, 1), 0);
	run_a_little();
	assert_int_equal(server.ended, 1);
	close(fd);
	end_free(&server);
}

static void reset(int fd)
{
	const struct linger linger = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void a_reset_is_told(void **state)
{
	struct stream_end_of_it server = { 0 };

	(void)state;
	reset(stream_and_socket(&server));
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_RESET);
	assert_false(stream_write(server.stream, "x", 1));
	end_free(&server);
}

/* Of a paused owner a write finds out; he is told from the loop. */
static void a_write_finds_a_reset(void **state)
{
	struct stream_end_of_it server = { .limit = SIZE_MAX, .once = true };
	int fd = stream_and_socket(&server);

	(void)state;
	assert_int_equal(write(fd, "x", 1), 1);
	run_until(&server.readable, 1);
	reset(fd);
	while (stream_write(server.stream, "x", 1))
		usleep(100);
	assert_int_equal(server.ended, 0);
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_RESET);
	end_free(&server);
}

/* What was lost has not gone out. */
static void after_a_reset_nothing_has_drained(void **state)
{
	struct stream_end_of_it server = { 0 };
	uint8_t *data = pattern(BIG);
	int fd = stream_and_socket(&server);

	(void)state;
	while (stream_queued(server.stream) < BIG)
		assert_true(stream_write(server.stream, data, BIG));
	reset(fd);
	run_until_ended(&server);
	assert_int_equal(server.end, STREAM_RESET);
	run_a_little();
	assert_int_equal(server.drained, 0);
	free(data);
	end_free(&server);
}

/* With input that nobody has read: the kernel alone would reset the connection. */
static void a_close_flushes(void **state)
{
	struct stream_end_of_it server = { .limit = 1, .once = true };
	uint8_t *data = pattern(BIG);
	uint8_t *got = malloc(BIG);
	int fd = stream_and_socket(&server);
	size_t size = 0;
	ssize_t part;

	(void)state;
	assert_int_equal(write(fd, data, 100000), 100000);
	run_until(&server.readable, 1);
	assert_true(stream_write(server.stream, data, BIG));
	stream_close(&server.stream);
	assert_null(server.stream);
	do {
		uv_run(&loop, UV_RUN_NOWAIT);
		part = recv(fd, got + size, BIG - size, MSG_DONTWAIT);
		if (part > 0)
			size += (size_t)part;
	} while (size < BIG && (part > 0 || errno == EAGAIN));
	assert_int_equal(size, BIG);
	assert_memory_equal(got, data, BIG);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(read(fd, got, 1), 0);
	assert_int_equal(write(fd, "late", 4), 4);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_true(uv_loop_alive(&loop));
	close(fd);
	free(data);
	free(got);
	end_free(&server);
}

static void a_close_gives_up(void **state)
{
	struct stream_end_of_it server = { 0 };
	uint8_t *data = pattern(BIG);
	int fd = stream_and_socket(&server);

	(void)state;
	while (stream_queued(server.stream) < BIG)
		assert_true(stream_write(server.stream, data, BIG));
	stream_close(&server.stream);
	uv_run(&loop, UV_RUN_DEFAULT);
	while (read(fd, data, BIG) > 0)
		;
	assert_int_equal(errno, ECONNRESET);
	free(data);
	close(fd);
	end_free(&server);
}

static void an_abort_resets(void **state)
{
	struct stream_end_of_it server = { 0 };
	char c;
	int fd = stream_and_socket(&server);

	(void)state;
	stream_abort(&server.stream);
	assert_null(server.stream);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(read(fd, &c, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	stream_abort(&server.stream);
	stream_close(&server.stream);
	end_free(&server);
}

static void closing_inside_of_a_call_is_allowed(void **state)
{
	struct stream_end_of_it server = { .then = say_three, .close = true };
	char text[4] = "";
	int fd = stream_and_socket(&server);

	(void)state;
	assert_int_equal(write(fd, "abc", 3), 3);
	run_until(&server.readable, 1);
	assert_null(server.stream);
	assert_int_equal(read(fd, text, 3), 3);
	assert_int_equal(read(fd, text, 1), 0);
	close(fd);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(server.readable, 1);
	assert_int_equal(server.drained, 0);
	assert_int_equal(server.ended, 0);
	end_free(&server);
}

static unsigned int connected;
static int connect_status;

static void on_connected(struct stream *stream, int status, void *arg)
{
	(void)stream;
	(void)arg;
	connected++;
	connect_status = status;
}

static void connect_to(struct stream_end_of_it *end, const struct addr *to, uint16_t port)
{
	struct error err;

	connected = 0;
	assert_int_equal(
		stream_connect(&loop, to, port, &collector, on_connected, end, &end->stream, &err),
		0);
	assert_int_equal(connected, 0);
}

static void a_connect_may_fail(void **state)
{
	const struct addr loopback = addr_from_ipv4(INADDR_LOOPBACK);
	const struct addr nowhere = addr_from_ipv4(INADDR_BROADCAST);
	struct stream_end_of_it client = { .limit = SIZE_MAX };
	uint16_t port;

	(void)state;
	close(listen_loopback(&port));
	connect_to(&client, &loopback, port);
	say(&client, "x");
	run_until(&connected, 1);
	run_a_little();
	assert_int_equal(client.drained, 0);
	assert_int_equal(connect_status, UV_ECONNREFUSED);
	assert_false(stream_write(client.stream, "x", 1));
	stream_close(&client.stream);
	/* What is wrong at once is told in the same way. */
	connect_to(&client, &nowhere, port);
	run_until(&connected, 1);
	assert_true(connect_status < 0);
	stream_close(&client.stream);
	/* And who closes is not called. */
	connect_to(&client, &loopback, port);
	stream_close(&client.stream);
	connect_to(&client, &nowhere, port);
	stream_abort(&client.stream);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(connected, 0);
	assert_int_equal(client.ended, 0);
	end_free(&client);
}

static void what_is_written_before_the_connect_goes_out(void **state)
{
	const struct addr loopback = addr_from_ipv4(INADDR_LOOPBACK);
	struct stream_end_of_it client = { .limit = SIZE_MAX };
	char text[6] = "";
	uint16_t port;
	int listening = listen_loopback(&port);
	int fd;

	(void)state;
	connect_to(&client, &loopback, port);
	say(&client, "PROXY");
	assert_int_equal(stream_queued(client.stream), 5);
	run_until(&connected, 1);
	fd = accept(listening, NULL, NULL);
	assert_int_equal(read(fd, text, 5), 5);
	assert_string_equal(text, "PROXY");
	close(listening);
	close(fd);
	end_free(&client);
}

static void small_packets_do_not_wait(void **state)
{
	struct stream_end_of_it server = { 0 }, client = { 0 };
	struct stream_end_of_it *both[] = { &server, &client };

	(void)state;
	stream_pair(&server, &client);
	for (unsigned int i = 0; i < 2; i++) {
		socklen_t size = sizeof(int);
		int nodelay = 0;
		uv_os_fd_t fd;

		/* A stream begins with its handle. */
		uv_fileno((const uv_handle_t *)both[i]->stream, &fd);
		getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &size);
		assert_int_equal(nodelay, 1);
	}
	end_free(&server);
	end_free(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_ways, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(big_pieces_arrive_whole, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(output_is_bounded, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(corked_writes_go_together, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(calls_are_corked, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(an_owner_that_waits_is_called, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_taken_stays, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(input_is_bounded, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(a_paused_owner_is_left_alone, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(another_owner_gets_the_rest, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(without_an_owner_nothing_is_read, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(after_the_peers_end_replies_go_out, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_reset_is_told, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(a_write_finds_a_reset, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(after_a_reset_nothing_has_drained, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_close_flushes, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(a_close_gives_up, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(an_abort_resets, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(closing_inside_of_a_call_is_allowed, loop_setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_connect_may_fail, loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(what_is_written_before_the_connect_goes_out,
						loop_setup, loop_teardown),
		cmocka_unit_test_setup_teardown(small_packets_do_not_wait, loop_setup,
						loop_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
