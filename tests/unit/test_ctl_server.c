/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_ctl_server.c - requests and answers over a real socket: right ones, wrong ones,
 * and whose turn it is. The limits are in test_ctl_limits.c.
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

#include "ctl/frame.h"
#include "lib/log.h"
#include "tests/unit/ctl_fixture.h"

#define LONG_PAYLOAD (3u << 20)
#define TOO_LONG     (FRAME_LINE_MAX + 1)

static void test_answers_in_order(void **state)
{
	int fd = dial(*state);

	say(fd, "{\"cmd\":\"echo\",\"text\":\"one\"}\n{\"cmd\":\"change\",\"number\":1}\n"
		"{\"cmd\":\"echo\",\"text\":\"two\",\"count\":null}\r\n");
	expect(fd, "{\"ok\":true,\"result\":{\"text\":\"one\"");
	expect(fd, "{\"ok\":true,\"result\":{}}");
	expect(fd, "\"two\"");
	close(fd);
}

static void test_byte_by_byte(void **state)
{
	static const char request[] = "{\"cmd\":\"load\",\"payload\":3}\nxyx{\"cmd\":\"echo\","
				      "\"text\":\"after\"}\n";
	int fd = dial(*state);

	for (const char *c = request; *c; c++)
		assert_int_equal(send(fd, c, 1, MSG_NOSIGNAL), 1);
	expect(fd, "\"letters\":2");
	expect(fd, "after");
	close(fd);
}

/* What is understood and wrong is answered, and the connection goes on. */
static void test_wrong_requests(void **state)
{
	static const char *const wrong[][2] = {
		{ "{\"cmd\":\"nothing\"}\n", "no command \\\"nothing\\\"" },
		{ "{\"text\":\"x\"}\n", "no \\\"cmd\\\"" },
		{ "{\"cmd\":7}\n", "no \\\"cmd\\\"" },
		{ "{\"cmd\":\"echo\"}\n", "\\\"text\\\" is missing" },
		{ "{\"cmd\":\"echo\",\"text\":null}\n", "\\\"text\\\" is missing" },
		{ "{\"cmd\":\"echo\",\"text\":1}\n", "must be a string" },
		{ "{\"cmd\":\"echo\",\"text\":\"x\",\"count\":-1}\n", "must be a whole number" },
		{ "{\"cmd\":\"echo\",\"text\":\"x\",\"count\":1.5}\n", "must be a whole number" },
		{ "{\"cmd\":\"echo\",\"text\":\"x\",\"on\":1}\n", "must be true or false" },
		{ "{\"cmd\":\"echo\",\"text\":\"x\",\"txet\":1}\n", "no argument \\\"txet\\\"" },
		{ "{\"cmd\":\"echo\",\"text\":\"x\",\"payload\":4}\n....", "no argument" },
		{ "{\"cmd\":\"nothing\",\"payload\":4}\n{}\n\n", "no command" },
		{ "{\"cmd\":\"echo\",\"text\":\"fail\"}\n", "\"code\":4,\"error\":\"told to ?\"" },
	};
	int fd = dial(*state);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *line;

		say(fd, wrong[i][0]);
		line = hear(fd);
		assert_non_null(strstr(line, "{\"ok\":false,\"code\":"));
		if (!strstr(line, wrong[i][1]))
			fail_msg("\"%s\" is not in \"%s\"", wrong[i][1], line);
	}
	say(fd, "{\"cmd\":\"echo\",\"text\":\"still here\"}\n");
	expect(fd, "still here");
	close(fd);
}

/* What is not understood ends the connection after an answer: the next request cannot be found. */
static void test_lost_framing(void **state)
{
	static const char *const lost[] = {
		"nonsense\n",
		"\n",
		"[1,2]\n",
		"{\"cmd\":\"echo\",\"cmd\":\"echo\"}\n",
		"{\"cmd\":\"load\",\"payload\":-1}\n",
		"{\"cmd\":\"load\",\"payload\":\"many\"}\n",
		"{\"cmd\":\"load\",\"payload\":99999999999}\n",
		"\xff\xfe\n",
	};
	char *line = malloc(TOO_LONG);
	int fd;

	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		fd = dial(*state);
		say(fd, lost[i]);
		expect(fd, "{\"ok\":false,\"code\":");
		expect_end(fd);
	}
	memset(line, ' ', TOO_LONG);
	line[TOO_LONG - 1] = '\0';
	fd = dial(*state);
	say(fd, line);
	expect(fd, "at most 65536 bytes");
	expect_end(fd);
	free(line);
}

static void test_long_payload(void **state)
{
	char *payload = malloc(LONG_PAYLOAD);
	char request[64];
	size_t sent = 0;
	int fd = dial(*state);

	memset(payload, 'x', LONG_PAYLOAD);
	snprintf(request, sizeof(request), "{\"cmd\":\"load\",\"payload\":%u}\n", LONG_PAYLOAD);
	say(fd, request);
	while (sent < LONG_PAYLOAD) {
		ssize_t count = send(fd, payload + sent, LONG_PAYLOAD - sent, MSG_NOSIGNAL);

		assert_true(count > 0);
		sent += (size_t)count;
	}
	snprintf(request, sizeof(request), "\"letters\":%u}", LONG_PAYLOAD);
	expect(fd, request);
	close(fd);
	free(payload);
}

static void test_changes_take_turns(void **state)
{
	enum { PEERS = 8 };
	struct fixture *fixture = *state;
	char request[64];
	int fd[PEERS];

	for (int i = 0; i < PEERS; i++)
		fd[i] = dial(fixture);
	for (int i = 0; i < PEERS; i++) {
		snprintf(request, sizeof(request), "{\"cmd\":\"change\",\"number\":%d}\n", i);
		say(fd[i], request);
		if (i == 3) /* one that leaves while it waits costs the others nothing */
			close(fd[i]);
	}
	for (int i = 0; i < PEERS; i++) {
		if (i == 3)
			continue;
		expect(fd[i], "\"ok\":true");
		close(fd[i]);
	}
	assert_false(fixture->overlapped);
	assert_in_range(fixture->changes, PEERS - 1, PEERS);
}

/* Questions do not wait for a slow one. */
static void test_slow_command_holds_up_nobody(void **state)
{
	struct fixture *fixture = *state;
	int slow = dial(fixture), quick = dial(fixture);

	say(slow, "{\"cmd\":\"wait\"}\n");
	say(quick, "{\"cmd\":\"echo\",\"text\":\"quick\"}\n");
	expect(quick, "quick");
	say(quick, "{\"cmd\":\"change\",\"number\":1}\n");
	expect(quick, "\"ok\":true");
	sem_post(&fixture->gate);
	expect(slow, "\"ok\":true");
	close(slow);
	close(quick);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers_in_order, start_server, stop_server),
		cmocka_unit_test_setup_teardown(test_byte_by_byte, start_server, stop_server),
		cmocka_unit_test_setup_teardown(test_wrong_requests, start_server, stop_server),
		cmocka_unit_test_setup_teardown(test_lost_framing, start_server, stop_server),
		cmocka_unit_test_setup_teardown(test_long_payload, start_server, stop_server),
		cmocka_unit_test_setup_teardown(test_changes_take_turns, start_server, stop_server),
		cmocka_unit_test_setup_teardown(test_slow_command_holds_up_nobody, start_server,
						stop_server),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
