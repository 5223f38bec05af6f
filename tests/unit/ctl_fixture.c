/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/ctl_fixture.c - see tests/unit/ctl_fixture.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/socket.h"
#include "tests/unit/ctl_fixture.h"

#define ANSWER_MAX 4096
#define AWAIT_US   1000

static int run_echo(struct ctl_request *request, struct error *err)
{
	const json_t *text = json_object_get(request->args, "text");

	if (!strcmp(json_string_value(text), "fail"))
		return error_set(err, ERROR_REFUSED, "told to \xff");
	request->result = json_pack("{s:O, s:i}", "text", text, "uid", (int)request->uid);
	return 0;
}

static int run_wait(struct ctl_request *request, struct error *err)
{
	struct fixture *fixture = request->context;

	(void)err;
	fixture->waiting++;
	sem_wait(&fixture->gate);
	fixture->waited++;
	request->result = json_object();
	return 0;
}

static int run_change(struct ctl_request *request, struct error *err)
{
	struct fixture *fixture = request->context;

	(void)err;
	if (fixture->changing++)
		fixture->overlapped = true;
	usleep(2000);
	fixture->order[fixture->changes++] =
		(int)json_integer_value(json_object_get(request->args, "number"));
	fixture->changing--;
	request->result = json_object();
	return 0;
}

static int run_rows(struct ctl_request *request, struct error *err)
{
	struct fixture *fixture = request->context;

	for (int i = 0; i < ROWS; i++) {
		if (!ctl_rows_add(request->rows, json_pack("{s:i}", "n", i))) {
			fixture->given_up++;
			return error_set(err, ERROR_REFUSED, "nobody reads");
		}
		fixture->rows++;
	}
	request->result = json_pack("{s:i}", "entries", ROWS);
	return 0;
}

static int run_load(struct ctl_request *request, struct error *err)
{
	size_t letters = 0;

	(void)err;
	for (size_t i = 0; i < request->payload_size; i++)
		letters += request->payload[i] == 'x';
	request->result = json_pack("{s:I}", "letters", (json_int_t)letters);
	return 0;
}

static const struct ctl_argument no_arguments[] = { { 0 } };
static const struct ctl_argument echo_arguments[] = { { "text", CTL_TEXT, true },
						      { "count", CTL_NUMBER, false },
						      { "on", CTL_SWITCH, false },
						      { 0 } };
static const struct ctl_argument change_arguments[] = { { "number", CTL_NUMBER, true }, { 0 } };
static const struct ctl_argument load_arguments[] = { { "payload", CTL_NUMBER, true }, { 0 } };

static const struct ctl_command commands[] = {
	{ "echo", echo_arguments, 0, run_echo },
	{ "wait", no_arguments, CTL_POOL, run_wait },
	{ "change", change_arguments, CTL_MUTATES, run_change },
	{ "rows", no_arguments, CTL_STREAMS, run_rows },
	{ "load", load_arguments, CTL_MUTATES | CTL_PAYLOAD, run_load },
};
static const struct ctl_table table = { commands, sizeof(commands) / sizeof(commands[0]) };

static void on_stop(uv_async_t *async)
{
	struct fixture *fixture = async->data;

	ctl_server_stop(fixture->server);
	uv_close((uv_handle_t *)async, NULL);
}

static void *run_loop(void *arg)
{
	uv_run(&((struct fixture *)arg)->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int start(void **state, uint64_t idle_ms)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct ctl_socket_owner owner = { geteuid(), getegid() };
	struct ctl_server_options options = {
		.loop = &fixture->loop, .table = &table, .context = fixture, .idle_ms = idle_ms
	};

	snprintf(fixture->path, sizeof(fixture->path), "/tmp/test-server-%d.sock", (int)getpid());
	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	sem_init(&fixture->gate, 0, 0);
	uv_loop_init(&fixture->loop);
	uv_async_init(&fixture->loop, &fixture->stop, on_stop);
	fixture->stop.data = fixture;
	if (ctl_socket_open(fixture->path, &owner, &fixture->fd, NULL))
		return -1;
	options.fd = fixture->fd;
	if (ctl_server_open(&options, &fixture->server, NULL))
		return -1;
	pthread_create(&fixture->thread, NULL, run_loop, fixture);
	*state = fixture;
	return 0;
}

int start_server(void **state)
{
	return start(state, 0);
}

int start_impatient_server(void **state)
{
	return start(state, SHORT_IDLE);
}

/* The loop has to end by itself, and to be empty then. */
int stop_server(void **state)
{
	struct fixture *fixture = *state;
	int left;

	uv_async_send(&fixture->stop);
	pthread_join(fixture->thread, NULL);
	ctl_server_close(&fixture->server);
	left = uv_loop_close(&fixture->loop);
	ctl_socket_close(fixture->path, &fixture->fd);
	sem_destroy(&fixture->gate);
	free(fixture);
	return left;
}

int dial(const struct fixture *fixture)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, fixture->path, sizeof(fixture->path));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* With a time-out the kernel does not go on by itself after the process was stopped: signal(7). */
ssize_t receive(int fd, void *to, size_t size)
{
	ssize_t got;

	do
		got = recv(fd, to, size, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Reads one line, byte by byte; "" at the end of the connection. */
const char *hear(int fd)
{
	static char line[ANSWER_MAX];
	size_t used = 0;

	while (used < sizeof(line) - 1 && receive(fd, &line[used], 1) == 1)
		if (line[used++] == '\n')
			break;
	line[used] = '\0';
	return line;
}

void expect(int fd, const char *part)
{
	const char *line = hear(fd);

	if (!strstr(line, part))
		fail_msg("\"%s\" is not in \"%s\"", part, line);
}

void expect_end(int fd)
{
	char byte;

	assert_true(receive(fd, &byte, 1) <= 0);
	close(fd);
}

void await(atomic_int *counter, int value)
{
	const int tries = PATIENCE_S * 1000000 / AWAIT_US;

	for (int i = 0; i < tries && *counter < value; i++)
		usleep(AWAIT_US);
	assert_true(*counter >= value);
}
