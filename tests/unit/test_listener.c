/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of loop/listener: who is accepted, as whom, and what happens when descriptors are short.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/listener.h"
#include "stream_fixture.h"

#define MANY 100 /* connections: more than one turn takes, fewer than somaxconn may be */

static struct listener *listener;
static uint16_t port;
static struct prefix balancer;

/* What was accepted: the last one is described, all are kept until the end. */
static struct {
	unsigned int count, refused;
	struct addr peer, local;
	uint16_t peer_port, local_port;
	struct stream_end_of_it end[MANY];
	bool close_listener;
	unsigned int unnamed; /* of balancers; and why the last one was */
	const char *why;
} got;

static void on_accepted(struct stream *stream, const struct addr *peer, uint16_t peer_port,
			const struct addr *local, uint16_t local_port, void *arg)
{
	struct stream_end_of_it *end = &got.end[got.count];

	assert_ptr_equal(arg, &got);
	if (got.close_listener)
		listener_close(&listener);
	if (!stream) {
		got.refused++;
		return;
	}
	got.count++;
	got.peer = *peer;
	got.local = *local;
	got.peer_port = peer_port;
	got.local_port = local_port;
	end->stream = stream;
	end->limit = SIZE_MAX;
	stream_give(stream, &collector, end);
}

static void on_unnamed(const struct addr *from, const char *why, void *arg)
{
	assert_ptr_equal(arg, &got);
	assert_memory_equal(from, &balancer.addr, sizeof(*from));
	got.unnamed++;
	got.why = why;
}

static const struct addr *loopback(void)
{
	static struct addr addr;

	addr = addr_from_ipv4(INADDR_LOOPBACK);
	return &addr;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	return ntohs(at.sin_port);
}

static void open_listener(size_t balancers)
{
	struct listener_options options = {
		.loop = &loop,
		.balancer = &balancer,
		.balancers = balancers,
		.accepted = on_accepted,
		.unnamed = on_unnamed,
		.arg = &got,
	};
	struct error err = { 0 };

	if (listener_bind(loopback(), 0, 1, &options.fd, &err))
		fail_msg("%s", err.text);
	port = port_of(options.fd);
	assert_int_equal(listener_open(&options, &listener, &err), 0);
}

static int setup(void **state)
{
	memset(&got, 0, sizeof(got));
	balancer = prefix_of(loopback(), 128);
	return loop_setup(state);
}

static void close_all(void)
{
	listener_close(&listener);
	for (unsigned int i = 0; i < got.count; i++) {
		stream_abort(&got.end[i].stream);
		free(got.end[i].got);
	}
}

static int connect_there(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void connections_are_accepted(void **state)
{
	int fd;

	(void)state;
	open_listener(0);
	fd = connect_there();
	run_until(&got.count, 1);
	assert_memory_equal(&got.peer, loopback(), sizeof(got.peer));
	assert_memory_equal(&got.local, loopback(), sizeof(got.local));
	assert_int_equal(got.peer_port, port_of(fd));
	assert_int_equal(got.local_port, port);
	assert_int_equal(write(fd, "EHLO", 4), 4);
	run_until_size(&got.end[0], 4);
	close_all();
	close(fd);
}

/* But other connections have their turns in between. */
static void many_are_accepted_in_one_turn(void **state)
{
	static int fd[MANY];

	(void)state;
	open_listener(0);
	for (unsigned int i = 0; i < MANY; i++)
		fd[i] = connect_there();
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(got.count, LISTENER_ACCEPT_MAX);
	run_until(&got.count, MANY);
	close_all();
	for (unsigned int i = 0; i < MANY; i++)
		close(fd[i]);
}

static void a_port_is_shared(void **state)
{
	char text[PREFIX_TEXT_MAX + 64];
	struct error err = { 0 };
	int fd[3];
	int other;

	(void)state;
	assert_int_equal(listener_bind(loopback(), 0, 3, fd, NULL), 0);
	assert_int_equal(port_of(fd[0]), port_of(fd[1]));
	assert_int_equal(port_of(fd[0]), port_of(fd[2]));
	for (unsigned int i = 0; i < 3; i++)
		close(fd[i]);
	/* Not with others. */
	other = listen_loopback(&port);
	assert_int_equal(listener_bind(loopback(), port, 2, fd, &err), ERROR_REFUSED);
	snprintf(text, sizeof(text), "listening at 127.0.0.1 port %u: Address already in use",
		 port);
	assert_string_equal(err.text, text);
	close(other);
	/* Nor with one that would share: it would get part of the connections. */
	port = 0;
	assert_int_equal(listener_bind(loopback(), port, 1, &other, NULL), 0);
	port = port_of(other);
	assert_int_equal(listen(other, 1), 0);
	assert_int_equal(listener_bind(loopback(), port, 2, fd, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "Address already in use"));
	close(other);
	assert_int_equal(listener_bind(loopback(), port, 2, fd, &err), 0);
	close(fd[0]);
	close(fd[1]);
}

static void the_callback_may_close_it(void **state)
{
	int first, second;

	(void)state;
	open_listener(0);
	got.close_listener = true;
	first = connect_there();
	second = connect_there();
	run_until(&got.count, 1);
	assert_null(listener);
	run_a_little();
	assert_int_equal(got.count, 1);
	close_all();
	close(first);
	close(second);
}

static void leave_descriptors(struct rlimit *before, rlim_t count)
{
	struct rlimit small;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(next);
	getrlimit(RLIMIT_NOFILE, before);
	small = *before;
	small.rlim_cur = (rlim_t)next + count;
	setrlimit(RLIMIT_NOFILE, &small);
}

/* Who waits is not dropped, the loop does not spin, and goes on when there are descriptors. */
static void descriptors_may_be_short(void **state)
{
	unsigned int turns = 0;
	struct rlimit before;
	int fd[2];
	char c;

	(void)state;
	open_listener(0);
	fd[0] = connect_there();
	fd[1] = connect_there();
	leave_descriptors(&before, 1);
	run_until(&got.refused, 1);
	assert_int_equal(got.count, 1);
	while (got.refused < 3) {
		uv_run(&loop, UV_RUN_ONCE);
		turns++;
	}
	assert_true(turns < 20);
	assert_int_equal(recv(fd[1], &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	setrlimit(RLIMIT_NOFILE, &before);
	run_until(&got.count, 2);
	close_all();
	close(fd[0]);
	close(fd[1]);
}

static void a_header_says_who_it_is(void **state)
{
	static const char header[] = "PROXY TCP4 192.0.2.1 198.51.100.2 1025 25\r\nEHLO";
	char text[PREFIX_TEXT_MAX];
	int fd;

	(void)state;
	open_listener(1);
	fd = connect_there();
	for (const char *at = header; *at; at++) {
		assert_int_equal(got.count, at - header > 42);
		assert_int_equal(write(fd, at, 1), 1);
		if (at[1] == 'E') /* the header is complete */
			run_until(&got.count, 1);
		uv_run(&loop, UV_RUN_NOWAIT);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	assert_string_equal(addr_format(&got.peer, text), "192.0.2.1");
	assert_string_equal(addr_format(&got.local, text), "198.51.100.2");
	assert_int_equal(got.peer_port, 1025);
	assert_int_equal(got.local_port, 25);
	run_until_size(&got.end[0], 4);
	assert_string_equal(got.end[0].got, "EHLO");
	close_all();
	close(fd);
}

/* What came behind the header is the new owner's. */
static void nothing_behind_a_header_is_lost(void **state)
{
	static const char header[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0EHLO";
	int fd;

	(void)state;
	open_listener(1);
	fd = connect_there();
	assert_int_equal(write(fd, header, sizeof(header) - 1), sizeof(header) - 1);
	shutdown(fd, SHUT_WR);
	run_until(&got.count, 1);
	/* LOCAL: the balancer itself. */
	assert_memory_equal(&got.peer, loopback(), sizeof(got.peer));
	assert_int_equal(got.peer_port, port_of(fd));
	assert_int_equal(got.local_port, port);
	run_until_ended(&got.end[0]);
	assert_string_equal(got.end[0].got, "EHLO");
	close_all();
	close(fd);
}

static void run_until_reset(int fd)
{
	char c;

	while (recv(fd, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(errno, ECONNRESET);
}

static void a_balancer_has_to_say_it(void **state)
{
	int fd;

	(void)state;
	open_listener(1);
	fd = connect_there();
	assert_int_equal(write(fd, "EHLO x\r\n", 8), 8);
	run_until_reset(fd);
	close(fd);
	assert_string_equal(got.why, "what it said is no PROXY header");
	/* Nor may it go away, */
	fd = connect_there();
	assert_int_equal(write(fd, "PROXY ", 6), 6);
	shutdown(fd, SHUT_WR);
	run_until_reset(fd);
	close(fd);
	assert_string_equal(got.why, "the connection ended within the PROXY header");
	/* or take its time; LISTENER_PROXY_MS. */
	fd = connect_there();
	assert_int_equal(write(fd, "PROXY ", 6), 6);
	run_until_reset(fd);
	close(fd);
	assert_string_equal(got.why, "no PROXY header came in time");
	assert_int_equal(got.unnamed, 3);
	/* To look whether somebody listens is no fault. */
	fd = connect_there();
	shutdown(fd, SHUT_WR);
	run_until_reset(fd);
	close(fd);
	assert_int_equal(got.unnamed, 3);
	assert_int_equal(got.count, 0);
	close_all();
}

static void who_waits_is_ended_by_a_close(void **state)
{
	int first, second;

	(void)state;
	open_listener(1);
	first = connect_there();
	second = connect_there();
	run_a_little();
	listener_close(&listener);
	run_until_reset(first);
	run_until_reset(second);
	assert_int_equal(got.count, 0);
	close(first);
	close(second);
}

/* From others it is what they say, and no header. */
static void strangers_cannot_pretend(void **state)
{
	static const char header[] = "PROXY TCP4 192.0.2.1 198.51.100.2 1025 25\r\n";
	int fd;

	(void)state;
	balancer = prefix_of(&(struct addr){ { 0 } }, 128);
	open_listener(1);
	fd = connect_there();
	assert_int_equal(write(fd, header, sizeof(header) - 1), sizeof(header) - 1);
	run_until(&got.count, 1);
	assert_memory_equal(&got.peer, loopback(), sizeof(got.peer));
	run_until_size(&got.end[0], sizeof(header) - 1);
	assert_string_equal(got.end[0].got, header);
	close_all();
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(connections_are_accepted, setup, loop_teardown),
		cmocka_unit_test_setup_teardown(many_are_accepted_in_one_turn, setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_port_is_shared, setup, loop_teardown),
		cmocka_unit_test_setup_teardown(the_callback_may_close_it, setup, loop_teardown),
		cmocka_unit_test_setup_teardown(descriptors_may_be_short, setup, loop_teardown),
		cmocka_unit_test_setup_teardown(a_header_says_who_it_is, setup, loop_teardown),
		cmocka_unit_test_setup_teardown(nothing_behind_a_header_is_lost, setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(a_balancer_has_to_say_it, setup, loop_teardown),
		cmocka_unit_test_setup_teardown(who_waits_is_ended_by_a_close, setup,
						loop_teardown),
		cmocka_unit_test_setup_teardown(strangers_cannot_pretend, setup, loop_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
