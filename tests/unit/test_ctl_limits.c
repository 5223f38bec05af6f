/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_ctl_limits.c - the control server's limits: long answers, slow, silent and
 * vanishing peers, too many of them, and the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/unit/ctl_fixture.h"

#define ROW_BYTES_MIN 14 /* {"row":{"n":0}} without its newline */
#define SETTLE_US     100000

/* Reads in large pieces what test_ctl_server.c reads line by line; returns the number of rows. */
static int read_rows(int fd, char last[256])
{
	static char text[1 << 16];
	size_t used = 0, begin;
	ssize_t got;
	char *newline;
	int rows = 0, number;

	last[0] = '\0';
	while (!last[0] && (got = receive(fd, text + used, sizeof(text) - used)) > 0) {
		used += (size_t)got;
		for (begin = 0; (newline = memchr(text + begin, '\n', used - begin));
		     begin = (size_t)(newline - text) + 1) {
			*newline = '\0';
			if (sscanf(text + begin, "{\"row\":{\"n\":%d}}", &number) != 1)
				snprintf(last, 256, "%s", text + begin);
			else
				assert_int_equal(number, rows++);
		}
		used -= begin;
		memmove(text, text + begin, used);
	}
	return rows;
}

/* A million rows never stand in memory: the handler waits for its reader. */
static void test_stream_waits_for_its_reader(void **state)
{
	struct fixture *fixture = *state;
	int fd = dial(fixture), produced;
	char last[256];

	say(fd, "{\"cmd\":\"rows\"}\n");
	await(&fixture->rows, 1);
	usleep(SETTLE_US);
	produced = fixture->rows;
	/* What the server may hold, and twice what the kernel's buffers of both sides do. */
	assert_true(produced < (int)(2 * ROWS_QUEUE_MAX + (1 << 20)) / ROW_BYTES_MIN);
	assert_true(produced < ROWS / 2);
	assert_int_equal(read_rows(fd, last), ROWS);
	assert_string_equal(last, "{\"ok\":true,\"result\":{\"entries\":200000}}");
	say(fd, "{\"cmd\":\"echo\",\"text\":\"after\"}\n");
	expect(fd, "after");
	close(fd);
}

static void test_stream_ends_with_its_reader(void **state)
{
	struct fixture *fixture = *state;
	int fd = dial(fixture);

	say(fd, "{\"cmd\":\"rows\"}\n");
	expect(fd, "{\"row\":{\"n\":0}}");
	close(fd);
	await(&fixture->given_up, 1);
	assert_true(fixture->rows < ROWS);
}

static void test_streams_are_few(void **state)
{
	struct fixture *fixture = *state;
	int stalled[CTL_STREAMS_MAX], fd;
	char last[256];

	for (int i = 0; i < CTL_STREAMS_MAX; i++) {
		stalled[i] = dial(fixture);
		say(stalled[i], "{\"cmd\":\"rows\"}\n");
		expect(stalled[i], "{\"row\":{\"n\":0}}");
	}
	fd = dial(fixture);
	say(fd, "{\"cmd\":\"rows\"}\n");
	expect(fd, "lists are being shown already");
	for (int i = 0; i < CTL_STREAMS_MAX; i++)
		close(stalled[i]);
	await(&fixture->given_up, CTL_STREAMS_MAX);
	/* The handlers have ended; the loop hears of it in a moment. */
	do
		say(fd, "{\"cmd\":\"rows\"}\n");
	while (read_rows(fd, last) == 0);
	assert_non_null(strstr(last, "\"ok\":true"));
	close(fd);
}

static void test_connections_are_limited(void **state)
{
	struct fixture *fixture = *state;
	int open[CTL_CLIENTS_MAX], fd;

	for (int i = 0; i < CTL_CLIENTS_MAX; i++) {
		open[i] = dial(fixture);
		say(open[i], "{\"cmd\":\"echo\",\"text\":\"in\"}\n");
		expect(open[i], "in");
	}
	fd = dial(fixture);
	expect(fd, "64 connections are open already");
	expect_end(fd);
	say(open[0], "{\"cmd\":\"echo\",\"text\":\"still in\"}\n");
	expect(open[0], "still in");
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		close(open[i]);
}

static void test_silence_ends_a_connection(void **state)
{
	static const char *const beginnings[] = { "", "{\"cmd\":",
						  "{\"cmd\":\"load\",\"payload\":9}\nx" };

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		int fd = dial(*state);

		say(fd, beginnings[i]);
		expect_end(fd);
	}
}

/* A reader that stops reading is silent, too; a handler at work is not. */
static void test_stalled_reader_is_dropped(void **state)
{
	struct fixture *fixture = *state;
	int busy = dial(fixture), fd = dial(fixture);

	say(busy, "{\"cmd\":\"wait\"}\n");
	say(fd, "{\"cmd\":\"rows\"}\n");
	await(&fixture->given_up, 1);
	sem_post(&fixture->gate);
	expect(busy, "\"ok\":true");
	close(busy);
	close(fd);
}

/* Loads a little until the answer has the part: the server may not have heard of the other peer
 * yet. */
static void load_until(int fd, const char *part)
{
	const char *answer;

	do {
		say(fd, "{\"cmd\":\"load\",\"payload\":3}\nxxx");
		answer = hear(fd);
		assert_string_not_equal(answer, "");
	} while (!strstr(answer, part));
}

/* Payloads of all connections together have one limit; what is beyond it is read and refused. */
static void test_payloads_share_a_limit(void **state)
{
	struct fixture *fixture = *state;
	int big = dial(fixture), other = dial(fixture);
	char request[64];

	snprintf(request, sizeof(request), "{\"cmd\":\"load\",\"payload\":%zu}\n",
		 (size_t)CTL_PAYLOADS_MAX);
	say(big, request);
	load_until(other, "too many lists");
	close(big);
	load_until(other, "\"letters\":3");
	close(other);
}

/* The teardown stops the server while a handler runs and others wait: it must wait for the handler.
 */
static void test_stop_waits_for_handlers(void **state)
{
	struct fixture *fixture = *state;
	int fd = dial(fixture), stream = dial(fixture), idle = dial(fixture);

	say(fd, "{\"cmd\":\"wait\"}\n");
	say(stream, "{\"cmd\":\"rows\"}\n");
	await(&fixture->waiting, 1);
	await(&fixture->rows, 1);
	uv_async_send(&fixture->stop);
	expect_end(fd);
	await(&fixture->given_up, 1);
	assert_int_equal(fixture->waited, 0);
	sem_post(&fixture->gate);
	await(&fixture->waited, 1);
	close(stream);
	expect_end(idle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stream_waits_for_its_reader, start_server,
						stop_server),
		cmocka_unit_test_setup_teardown(test_stream_ends_with_its_reader, start_server,
						stop_server),
		cmocka_unit_test_setup_teardown(test_streams_are_few, start_server, stop_server),
		cmocka_unit_test_setup_teardown(test_connections_are_limited, start_server,
						stop_server),
		cmocka_unit_test_setup_teardown(test_silence_ends_a_connection,
						start_impatient_server, stop_server),
		cmocka_unit_test_setup_teardown(test_stalled_reader_is_dropped,
						start_impatient_server, stop_server),
		cmocka_unit_test_setup_teardown(test_payloads_share_a_limit, start_server,
						stop_server),
		cmocka_unit_test_setup_teardown(test_stop_waits_for_handlers, start_server,
						stop_server),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
