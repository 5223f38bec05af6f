/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of lib/log: what is written to standard error, a pipe or a terminal, for fields of every
 * kind and for strings of strangers. Each line is read back and parsed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <regex.h>

#include "lib/log.h"
#include "log_capture.h"

/* The one line that was written, parsed. */
static json_t *only_line(struct capture *capture)
{
	char *text = capture_end(capture);
	char *end = strchr(text, '\n');
	json_error_t error;
	json_t *line;

	assert_non_null(end);
	assert_int_equal(end[1], '\0');
	line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!line)
		fail_msg("%s: %s", error.text, text);
	free(text);
	return line;
}

static const char *field(json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? text : "(none)";
}

static void lines_have_time_level_event(void **state)
{
	struct capture capture;
	regex_t time;
	json_t *line;

	(void)state;
	capture_pipe(&capture);
	log_warning("table.full", "{s:s, s:I, s:i, s:b, s:f, s:n}", "list", "local", "entries",
		    (json_int_t)5000000000, "slot", -1, "live", 1, "share", 0.25, "nothing");
	line = only_line(&capture);
	assert_int_equal(regcomp(&time,
				 "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:"
				 "[0-6][0-9]\\.[0-9]{3}Z$",
				 REG_EXTENDED | REG_NOSUB),
			 0);
	assert_int_equal(regexec(&time, field(line, "time"), 0, NULL, 0), 0);
	regfree(&time);
	assert_string_equal(field(line, "level"), "warning");
	assert_string_equal(field(line, "event"), "table.full");
	assert_string_equal(field(line, "list"), "local");
	assert_true(json_integer_value(json_object_get(line, "entries")) == 5000000000);
	assert_int_equal(json_integer_value(json_object_get(line, "slot")), -1);
	assert_true(json_is_true(json_object_get(line, "live")));
	assert_true(json_is_null(json_object_get(line, "nothing")));
	assert_true(json_real_value(json_object_get(line, "share")) == 0.25);
	assert_int_equal(json_object_size(line), 9);
	json_decref(line);
}

static void fields_may_be_missing_or_nested(void **state)
{
	struct capture capture;
	json_t *mine = json_pack("[s, s]", "eth0", "eth1"), *line;

	(void)state;
	capture_pipe(&capture);
	log_info("a.b", "{s:s?, s:s*, s:s, s:s#, s:s%, s:{s:[i, i]}, s:O, s:o, s:o*, s:o?}", "null",
		 NULL, "absent", NULL, "plain", NULL, "cut", "abcdef", 3, "long", "abcdef",
		 (size_t)2, "map", "list", 1, 2, "mine", mine, "given", json_true(), "gone", NULL,
		 "none", NULL);
	line = only_line(&capture);
	assert_true(json_is_null(json_object_get(line, "null")));
	assert_null(json_object_get(line, "absent"));
	assert_true(json_is_null(json_object_get(line, "plain")));
	assert_string_equal(field(line, "cut"), "abc");
	assert_string_equal(field(line, "long"), "ab");
	assert_int_equal(json_array_size(json_object_get(json_object_get(line, "map"), "list")), 2);
	assert_true(json_equal(json_object_get(line, "mine"), mine));
	assert_true(json_is_true(json_object_get(line, "given")));
	assert_null(json_object_get(line, "gone"));
	assert_true(json_is_null(json_object_get(line, "none")));
	json_decref(line);
	json_decref(mine);
}

/* Fields that come to nothing, first, in the middle and last, and in what is nested. */
static void what_is_left_out_leaves_no_trace(void **state)
{
	struct capture capture;
	char *text;

	(void)state;
	capture_pipe(&capture);
	log_info("a.b", "{s:s*, s:{s:s*, s:i, s:o*}, s:o, s:[s*, i, s*], s:{s:s*}, s:s*}", "x",
		 NULL, "map", "x", NULL, "n", 1, "x", NULL, "event", json_true(), "list", NULL, 2,
		 NULL, "none", "x", NULL, "x", NULL);
	text = capture_end(&capture);
	assert_non_null(
		strstr(text, "\"event\":\"a.b\",\"map\":{\"n\":1},\"list\":[2],\"none\":{}}\n"));
	free(text);
}

static void no_fields_is_a_line_too(void **state)
{
	struct capture capture;
	json_t *line;

	(void)state;
	capture_pipe(&capture);
	errno = ENOENT;
	log_error("agent.stopped", NULL);
	assert_int_equal(errno, ENOENT);
	line = only_line(&capture);
	assert_int_equal(json_object_size(line), 3);
	json_decref(line);
}

/* The caller's fields cannot pass themselves off as the three that every line has. */
static void fixed_fields_stay(void **state)
{
	struct capture capture;
	json_t *line;

	(void)state;
	capture_pipe(&capture);
	log_error("real", "{s:s, s:s, s:i}", "event", "forged", "level", "info", "time", 0);
	line = only_line(&capture);
	assert_string_equal(field(line, "event"), "real");
	assert_string_equal(field(line, "level"), "error");
	assert_int_equal(json_object_size(line), 3);
	json_decref(line);
}

static void levels_hold_back(void **state)
{
	struct capture capture;
	char *text;

	(void)state;
	capture_pipe(&capture);
	log_debug("hidden", NULL);
	log_set_level(LOG_LEVEL_ERROR);
	log_info("hidden", NULL);
	log_warning("hidden", NULL);
	log_error("shown", NULL);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("shown", NULL);
	log_set_level(LOG_LEVEL_INFO);
	text = capture_end(&capture);
	assert_null(strstr(text, "hidden"));
	assert_non_null(strstr(text, "\"level\":\"error\",\"event\":\"shown\"}\n"));
	assert_non_null(strstr(text, "\"level\":\"debug\",\"event\":\"shown\"}\n"));
	free(text);
}

static void level_names(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("info"), LOG_LEVEL_INFO);
	assert_int_equal(log_level_parse("warning"), LOG_LEVEL_WARNING);
	assert_int_equal(log_level_parse("error"), LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse("Error"), -1);
	assert_int_equal(log_level_parse(""), -1);
}

/* Bytes of strangers and what is left of them. */
static const char *const hostile[][2] = {
	{ "a\nb\r\x1b[2Jc", "a?b??[2Jc" },
	{ "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "\xe2\x82\xac \xf0\x9f\x93\xa8", "\xe2\x82\xac \xf0\x9f\x93\xa8" },
	{ "\xff\xfe", "??" },
	{ "\xc0\xafx", "??x" },         /* an overlong "/" */
	{ "\xed\xa0\x80", "???" },      /* a surrogate */
	{ "\xf4\x90\x80\x80", "????" }, /* beyond Unicode */
	{ "\xe2\x82", "??" },           /* cut short */
	{ "\xc2\x9b"
	  "31m",
	  "?31m" }, /* CSI as one character */
	{ "\xe2\x80\xae"
	  "txt.exe",
	  "?txt.exe" },          /* right-to-left override */
	{ "\xe2\x80\xa8", "?" }, /* a line separator */
	{ "say \"hi\\\"", "say \"hi\\\"" },
};

static void strangers_cannot_break_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct capture capture;
		json_t *line;

		capture_pipe(&capture);
		log_info("mail.helo", "{s:s, s:i}", "name", hostile[i][0], "after", 7);
		line = only_line(&capture);
		assert_string_equal(field(line, "name"), hostile[i][1]);
		assert_int_equal(json_integer_value(json_object_get(line, "after")), 7);
		json_decref(line);
	}
}

static void strangers_cannot_steer_a_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct capture capture;
		char *text;

		setenv("NO_COLOR", "1", 1);
		capture_terminal(&capture);
		log_info("mail.helo", "{s:s, s:o}", "name", hostile[i][0], "o",
			 json_pack("[s]", "\xc2\x9b"));
		text = capture_end(&capture);
		unsetenv("NO_COLOR");
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		for (const char *at = text; at[1]; at++)
			assert_false((unsigned char)*at < ' ' || *at == 0x7f);
		assert_null(strstr(text, "\xc2\x9b"));
		free(text);
	}
}

static void terminals_get_text(void **state)
{
	struct capture capture;
	char *text;

	(void)state;
	setenv("NO_COLOR", "1", 1);
	capture_terminal(&capture);
	log_warning("list.loaded", "{s:s, s:i, s:s, s:s, s:s, s:[i], s:n}", "list", "drop",
		    "entries", 5, "reason", "two words", "quote", "a\"b\\", "empty", "", "ids", 7,
		    "none");
	text = capture_end(&capture);
	assert_string_equal(text + strlen("00:00:00.000Z"),
			    " warning list.loaded list=drop entries=5 reason=\"two words\" "
			    "quote=\"a\\\"b\\\\\" empty=\"\" ids=[7] none=null\n");
	free(text);
	unsetenv("NO_COLOR");
	capture_terminal(&capture);
	log_error("a", NULL);
	text = capture_end(&capture);
	assert_string_equal(text + strlen("00:00:00.000Z"), "\x1b[31m error\x1b[0m a\n");
	free(text);
}

/* Too much text is cut, too many fields are left out; either way the line is one write of a pipe.
 */
static void long_lines_stay_whole(void **state)
{
	struct capture capture;
	char longest[10000];
	json_t *line, *many = json_array();

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	capture_pipe(&capture);
	log_info("long", "{s:s, s:i}", "text", longest, "after", 7);
	line = only_line(&capture);
	assert_non_null(strstr(field(line, "text"), "xxx..."));
	assert_true(strlen(field(line, "text")) > 700);
	assert_int_equal(json_integer_value(json_object_get(line, "after")), 7);
	json_decref(line);

	for (int i = 0; i < PIPE_BUF; i++)
		json_array_append_new(many, json_integer(1));
	capture_pipe(&capture);
	log_info("many", "{s:o}", "many", many);
	line = only_line(&capture);
	assert_string_equal(field(line, "event"), "many");
	assert_string_equal(field(line, "log"), "the fields are too long to log");
	json_decref(line);
}

/* A mistake in a format costs fields, never the line. */
static void broken_formats_are_told(void **state)
{
	static const char *const formats[] = {
		"{s:i", "{s:x}", "[i]", "s", "", "{i:i}", "{s:[[[[[[[[[[i]]]]]]]]]]}"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct capture capture;
		json_t *line;

		capture_pipe(&capture);
		log_write(LOG_LEVEL_INFO, "broken", formats[i], "name", 1);
		line = only_line(&capture);
		assert_string_equal(field(line, "event"), "broken");
		assert_string_equal(field(line, "log"), "some fields are missing here");
		json_decref(line);
	}
}

#define THREADS      4
#define THREAD_LINES 20 /* all threads' lines together fit into the pipe, which nobody empties */

static void *write_lines(void *arg)
{
	char text[600];

	memset(text, *(const char *)arg, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < THREAD_LINES; i++)
		log_info("thread", "{s:s, s:i}", "text", text, "n", i);
	return NULL;
}

static void threads_do_not_mix(void **state)
{
	static const char letters[THREADS] = "abcd";
	pthread_t threads[THREADS];
	struct capture capture;
	char *text, *save = NULL;
	int lines = 0;

	(void)state;
	capture_pipe(&capture);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, write_lines, (void *)&letters[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	text = capture_end(&capture);
	for (char *row = strtok_r(text, "\n", &save); row;
	     row = strtok_r(NULL, "\n", &save), lines++) {
		json_t *line = json_loads(row, 0, NULL);
		const char *body;

		assert_non_null(line);
		body = field(line, "text");
		assert_int_equal(strlen(body), 599);
		assert_int_equal(strspn(body, (char[]){ body[0], '\0' }), 599);
		json_decref(line);
	}
	assert_int_equal(lines, THREADS * THREAD_LINES);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_time_level_event),
		cmocka_unit_test(fields_may_be_missing_or_nested),
		cmocka_unit_test(what_is_left_out_leaves_no_trace),
		cmocka_unit_test(no_fields_is_a_line_too),
		cmocka_unit_test(fixed_fields_stay),
		cmocka_unit_test(levels_hold_back),
		cmocka_unit_test(level_names),
		cmocka_unit_test(strangers_cannot_break_a_line),
		cmocka_unit_test(strangers_cannot_steer_a_terminal),
		cmocka_unit_test(terminals_get_text),
		cmocka_unit_test(long_lines_stay_whole),
		cmocka_unit_test(broken_formats_are_told),
		cmocka_unit_test(threads_do_not_mix),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
