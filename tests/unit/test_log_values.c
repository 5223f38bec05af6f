/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/log: the values that it writes by itself, the time and integers.
 */
#define _GNU_SOURCE /* timegm(), strptime() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <inttypes.h>
#include <jansson.h>
#include <time.h>

#include "lib/log.h"
#include "log_capture.h"

#define TIME_KEY "{\"time\":\""

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Of a line that begins with its time. */
static int64_t time_of(const char *line)
{
	struct tm tm = { 0 };
	const char *rest;

	assert_memory_equal(line, TIME_KEY, sizeof(TIME_KEY) - 1);
	rest = strptime(line + sizeof(TIME_KEY) - 1, "%Y-%m-%dT%H:%M:%S.", &tm);
	assert_non_null(rest);
	assert_int_equal(strspn(rest, "0123456789"), 3);
	return (int64_t)timegm(&tm) * 1000 + strtol(rest, NULL, 10);
}

/* Within a second and from one to the next. */
static void lines_have_the_time_of_their_moment(void **state)
{
	const struct timespec pause = { .tv_nsec = 270 * 1000000 };

	(void)state;
	for (int i = 0; i < 8; i++) {
		const int64_t before = now_ms();
		struct capture capture;
		char *line;

		capture_pipe(&capture);
		log_info("a.b", NULL);
		line = capture_end(&capture);
		assert_in_range(time_of(line), before, now_ms());
		free(line);
		nanosleep(&pause, NULL);
	}
}

static void integers_are_whole(void **state)
{
	static const json_int_t numbers[] = { 0, 7, -7, 10, -10, 1234567890, INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct capture capture;
		char want[64];
		char *line;

		capture_pipe(&capture);
		log_info("a.b", "{s:I}", "number", numbers[i]);
		line = capture_end(&capture);
		snprintf(want, sizeof(want), ",\"number\":%" PRId64 "}\n", (int64_t)numbers[i]);
		assert_string_equal(strstr(line, ",\"number\""), want);
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_the_time_of_their_moment),
		cmocka_unit_test(integers_are_whole),
	};

	return cmocka_run_group_tests_name("log values", tests, NULL, NULL);
}
