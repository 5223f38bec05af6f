/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_http.c - the HTTP server for monitoring, over a real socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "obs/http.h"

#define PATIENCE_S   20
#define RESPONSE_MAX 65536
#define SETTLE_US    100000

struct fixture {
	struct http *http;
	uint16_t port;
	bool fails; /* the page cannot be made */
};

static char *make_page(void *arg, size_t *size)
{
	const struct fixture *fixture = arg;

	if (fixture->fails)
		return NULL;
	*size = strlen("postern_test 1\n");
	return strdup("postern_test 1\n");
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static int start(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fd;

	/* Port 0: the kernel finds one that is free. */
	if (http_listen("127.0.0.1", 0, &fd, NULL))
		return -1;
	fixture->port = port_of(fd);
	*state = fixture;
	return http_open(&fixture->http, fd, make_page, fixture, NULL);
}

static int stop(void **state)
{
	struct fixture *fixture = *state;

	http_close(&fixture->http);
	free(fixture);
	return 0;
}

static int dial(const struct fixture *fixture)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(fixture->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* With a time-out the kernel does not go on by itself after the process was stopped: signal(7). */
static ssize_t receive(int fd, void *to, size_t size)
{
	ssize_t got;

	do
		got = recv(fd, to, size, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Sends a request and reads the answer up to the end of the connection. */
static const char *ask(const struct fixture *fixture, const char *request)
{
	static char response[RESPONSE_MAX];
	size_t used = 0;
	ssize_t got;
	int fd = dial(fixture);

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	while ((got = receive(fd, response + used, sizeof(response) - 1 - used)) > 0)
		used += (size_t)got;
	response[used] = '\0';
	close(fd);
	return response;
}

static void assert_begins(const char *text, const char *begin)
{
	if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("\"%.60s\" does not begin with \"%s\"", text, begin);
}

#define CLOSE "Host: localhost\r\nConnection: close\r\n\r\n"

static void test_metrics(void **state)
{
	const char *response = ask(*state, "GET /metrics HTTP/1.1\r\n" CLOSE);

	assert_begins(response, "HTTP/1.1 200 ");
	assert_non_null(strstr(response, "Content-Type: text/plain; version=0.0.4"));
	assert_non_null(strstr(response, "\r\n\r\npostern_test 1\n"));
	response = ask(*state, "HEAD /metrics HTTP/1.1\r\n" CLOSE);
	assert_begins(response, "HTTP/1.1 200 ");
	assert_null(strstr(response, "postern_test"));
}

static void test_index_and_errors(void **state)
{
	struct fixture *fixture = *state;

	assert_non_null(strstr(ask(fixture, "GET / HTTP/1.1\r\n" CLOSE), "href=\"/metrics\""));
	assert_begins(ask(fixture, "GET /metrics/x HTTP/1.1\r\n" CLOSE), "HTTP/1.1 404 ");
	assert_begins(ask(fixture, "GET /../etc/passwd HTTP/1.1\r\n" CLOSE), "HTTP/1.1 404 ");
	assert_begins(ask(fixture, "POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n" CLOSE "abc"),
		      "HTTP/1.1 405 ");
	assert_begins(ask(fixture, "DELETE / HTTP/1.1\r\n" CLOSE), "HTTP/1.1 405 ");
	fixture->fails = true;
	assert_begins(ask(fixture, "GET /metrics HTTP/1.1\r\n" CLOSE), "HTTP/1.1 500 ");
}

/* A request that is longer than a connection's memory, and one that is no HTTP. */
static void test_hostile_requests(void **state)
{
	char *request = malloc(2 * HTTP_MEMORY);

	memset(request, 'a', 2 * HTTP_MEMORY);
	memcpy(request, "GET /", 5);
	request[2 * HTTP_MEMORY - 1] = '\0';
	assert_null(strstr(ask(*state, request), " 200 "));
	free(request);
	assert_null(strstr(ask(*state, "\x16\x03\x01\r\n\r\n\r\n"), " 200 "));
	assert_begins(ask(*state, "GET /metrics HTTP/1.1\r\n" CLOSE), "HTTP/1.1 200 ");
}

/* Idle connections up to the limit: the next one waits, and is served when one of them leaves. */
static void test_connections_are_limited(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\n" CLOSE;
	struct fixture *fixture = *state;
	int idle[HTTP_CONNECTIONS_MAX], fd;
	char byte;

	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		idle[i] = dial(fixture);
	usleep(SETTLE_US);
	fd = dial(fixture);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	usleep(SETTLE_US);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	close(idle[0]);
	assert_int_equal(receive(fd, &byte, 1), 1);
	assert_int_equal(byte, 'H');
	close(fd);
	for (int i = 1; i < HTTP_CONNECTIONS_MAX; i++)
		close(idle[i]);
}

static void test_bad_addresses(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };
	int fd = -1;

	assert_int_equal(http_listen("127.0.0.1", fixture->port, &fd, &err), ERROR_REFUSED);
	assert_non_null(strstr(err.text, "in use"));
	assert_int_equal(http_listen("mail.example", 9125, &fd, &err), ERROR_REFUSED);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_metrics, start, stop),
		cmocka_unit_test_setup_teardown(test_index_and_errors, start, stop),
		cmocka_unit_test_setup_teardown(test_hostile_requests, start, stop),
		cmocka_unit_test_setup_teardown(test_connections_are_limited, start, stop),
		cmocka_unit_test_setup_teardown(test_bad_addresses, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
