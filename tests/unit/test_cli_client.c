/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of posternctl's side of the control protocol: answers in pieces, agents that refuse, go
 * away, talk nonsense or say nothing, and payloads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/entry.h"
#include "tests/unit/cli_scene.h"
#include "tools/ctl_client.h"

#define COUNT(array)        (sizeof(array) / sizeof((array)[0]))
#define SHORT_WAIT_MS       50
#define ROWS_SENT           3000 /* more than a table holds back */
#define ROW_TEXT_MAX        128
#define LOAD_LINES          300000
#define LOAD_LINE_MAX       20
#define AGENT_PATH_TOO_LONG 200

static const struct {
	const char *name, *answer;
	bool hang_up;
	int code;
	const char *error;
} broken[] = {
	{ "closes at once", "", true, 3, "closed the connection before it had answered" },
	{ "closes in a line", "{\"ok\": true, \"resu", true, 3, "closed the connection" },
	{ "closes after rows", "{\"row\": {\"prefix\": \"192.0.2.7\"}}\n", true, 3,
	  "closed the connection" },
	{ "is not JSON", "HTTP/1.1 400 Bad Request\n", false, 4, "not JSON" },
	{ "says nothing in a line", "\n", false, 4, "not JSON" },
	{ "is no object", "[1, 2]\n", false, 4, "neither a row nor a result" },
	{ "says a key twice", "{\"ok\": false, \"ok\": true, \"result\": {}}\n", false, 4,
	  "not JSON" },
	{ "has no result", "{\"ok\": true}\n", false, 4, "neither a row nor a result" },
	{ "has a result that is none", "{\"ok\": true, \"result\": 7}\n", false, 4,
	  "neither a row nor a result" },
	{ "is neither true nor false", "{\"ok\": 1, \"result\": {}}\n", false, 4,
	  "neither a row nor a result" },
	{ "refuses", "{\"ok\": false, \"code\": 4, \"error\": \"no list x\"}\n", false, 4,
	  "posternctl: no list x\n" },
	{ "blames the request", "{\"ok\": false, \"code\": 2, \"error\": \"bad prefix\"}\n", false,
	  2, "posternctl: bad prefix\n" },
	{ "refuses without a word", "{\"ok\": false}\n", false, 4, "did not say why" },
	{ "writes to the terminal",
	  "{\"ok\": false, \"code\": 4, \"error\": \"a\\nposternctl: b\\u001b[31m\"}\n", false, 4,
	  "posternctl: a?posternctl: b?[31m\n" },
};

/* `block show` takes rows, so that it reaches every kind of line. */
static void test_broken_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		const struct scene_script script = { .answer = { broken[i].answer },
						     .hang_up = broken[i].hang_up };
		struct scene scene;

		scene_play(&script, "block show", &scene);
		if (scene.code != broken[i].code || !strstr(scene.err, broken[i].error))
			fail_msg("%s: exit code %d, %s", broken[i].name, scene.code, scene.err);
		assert_ptr_equal(strchr(scene.err, '\n'), scene.err + strlen(scene.err) - 1);
		scene_clear(&scene);
	}
}

static void test_oversized_line(void **state)
{
	const struct scene_script script = { .flood = AGENT_LINE_MAX + (1u << 20) };
	struct scene scene;

	(void)state;
	scene_play(&script, "stats", &scene);
	assert_int_equal(scene.code, 4);
	assert_non_null(strstr(scene.err, "a line of more than 8388608 bytes"));
	assert_string_equal(scene.out, "");
	scene_clear(&scene);
}

/* Just below the limit a line is an answer like any other. */
static void test_long_line(void **state)
{
	static const char head[] = "{\"ok\": true, \"result\": {\"text\": \"", tail[] = "\"}}\n";
	const size_t length = AGENT_LINE_MAX - (1u << 17);
	char *answer = malloc(sizeof(head) + length + sizeof(tail));
	const struct scene_script script = { .answer = { answer } };
	struct scene scene;

	(void)state;
	assert_non_null(answer);
	memcpy(answer, head, sizeof(head));
	memset(answer + sizeof(head) - 1, 'x', length);
	memcpy(answer + sizeof(head) - 1 + length, tail, sizeof(tail));
	scene_play(&script, "stats --json", &scene);
	assert_int_equal(scene.code, 0);
	assert_true(strlen(scene.out) > length);
	scene_clear(&scene);
	free(answer);
}

/* An answer of ROWS_SENT rows; the caller frees it. */
static char *many_rows(void)
{
	char *answer = calloc(ROWS_SENT + 1, ROW_TEXT_MAX);
	size_t used = 0;

	assert_non_null(answer);
	for (int i = 0; i < ROWS_SENT; i++)
		used += (size_t)snprintf(answer + used, ROW_TEXT_MAX,
					 "{\"row\": {\"prefix\": \"192.0.%d.%d\", \"list\": \"x\", "
					 "\"action\": \"drop\"}}\n",
					 i / 256, i % 256);
	snprintf(answer + used, ROW_TEXT_MAX, "{\"ok\": true, \"result\": {\"entries\": %d}}\n",
		 ROWS_SENT);
	return answer;
}

static void test_rows(void **state)
{
	char *answer = many_rows();
	const struct scene_script script = { .answer = { answer } };
	struct scene scene;
	size_t lines = 0;

	(void)state;
	scene_play(&script, "block show", &scene);
	assert_int_equal(scene.code, 0);
	for (const char *at = scene.out; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 1 + ROWS_SENT + 1); /* titles, rows, count */
	assert_int_equal(strncmp(scene.out, "PREFIX ", strlen("PREFIX ")), 0);
	assert_non_null(strstr(scene.out, "\n192.0.11.183  x     drop "));
	assert_non_null(strstr(scene.out, "\n3,000 entries\n"));
	scene_clear(&scene);
	free(answer);
}

static void test_json_rows(void **state)
{
	char *answer = many_rows();
	const struct scene_script script = { .answer = { answer } }, none = { 0 };
	struct scene scene;
	json_t *rows;

	(void)state;
	scene_play(&script, "block show --json", &scene);
	assert_int_equal(scene.code, 0);
	rows = json_loads(scene.out, 0, NULL);
	assert_int_equal(json_array_size(rows), ROWS_SENT);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 256), "prefix")),
			    "192.0.1.0");
	json_decref(rows);
	scene_clear(&scene);
	free(answer);

	scene_play(&none, "block show --json", &scene);
	assert_string_equal(scene.out, "[]\n");
	scene_clear(&scene);
}

/* Rows are not for every question. */
static void test_rows_that_were_not_asked_for(void **state)
{
	const struct scene_script script = { .answer = { "{\"row\": {}}\n" SCENE_DONE } };
	struct scene scene;

	(void)state;
	scene_play(&script, "stats", &scene);
	assert_int_equal(scene.code, 4);
	scene_clear(&scene);
}

/* Two questions on one connection: status also asks for the limits. */
static void test_second_question(void **state)
{
	const struct scene_script script = {
		.answer = { SCENE_DONE,
			    "{\"ok\": false, \"code\": 4, \"error\": \"no limits\"}\n" }
	};
	struct scene scene;

	(void)state;
	scene_play(&script, "status", &scene);
	assert_int_equal(scene.code, 4);
	assert_int_equal(scene.requests, 2);
	assert_non_null(strstr(scene.request[1], "limits.show"));
	assert_string_equal(scene.err, "posternctl: no limits\n");
	scene_clear(&scene);
}

/* A list file that is much larger than what a socket holds. */
static const char *large_file(void)
{
	char *text = malloc((size_t)LOAD_LINES * LOAD_LINE_MAX);
	const char *path;
	size_t used = 0;

	assert_non_null(text);
	for (int i = 0; i < LOAD_LINES; i++)
		used += (size_t)snprintf(text + used, LOAD_LINE_MAX, "11.%d.%d.%d\n", i >> 16,
					 (i >> 8) & 255, i & 255);
	path = scene_file(text);
	free(text);
	return path;
}

static void test_large_payload(void **state)
{
	const struct scene_script script = { 0 };
	char line[ROW_TEXT_MAX];
	struct scene scene;

	(void)state;
	snprintf(line, sizeof(line), "block load x %s", large_file());
	scene_play(&script, line, &scene);
	assert_int_equal(scene.code, 0);
	assert_int_equal(scene.payload_size, LOAD_LINES * sizeof(struct entry));
	scene_clear(&scene);
}

/* The agent refuses after the first line and does not read the rest: its words must come through.
 */
static void test_payload_refused(void **state)
{
	const struct scene_script script = {
		.answer = { "{\"ok\": false, \"code\": 4, \"error\": \"the table is full\"}\n" },
		.ignore_payload = true,
	};
	char line[ROW_TEXT_MAX];
	struct scene scene;

	(void)state;
	snprintf(line, sizeof(line), "block load x %s", large_file());
	scene_play(&script, line, &scene);
	assert_int_equal(scene.code, 4);
	assert_string_equal(scene.err, "posternctl: the table is full\n");
	scene_clear(&scene);
}

/* The agent goes away while the payload is under way. */
static void test_payload_broken(void **state)
{
	const struct scene_script script = { .answer = { "" }, .ignore_payload = true };
	char line[ROW_TEXT_MAX];
	struct scene scene;

	(void)state;
	snprintf(line, sizeof(line), "block load x %s", large_file());
	scene_play(&script, line, &scene);
	assert_int_equal(scene.code, 3);
	assert_non_null(strstr(scene.err, "closed the connection before it had answered"));
	scene_clear(&scene);
}

/* A listener that accepts nothing: the kernel connects, and then there is silence. */
struct silence {
	int listener;
	char path[ROW_TEXT_MAX];
};

static void silence_open(struct silence *silence)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(silence->path, sizeof(silence->path), "%s.silent", scene_file(""));
	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", silence->path);
	silence->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
		bind(silence->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(silence->listener, 1), 0);
}

static void silence_close(struct silence *silence)
{
	close(silence->listener);
	unlink(silence->path);
}

static int ask_silence(const char *path, const volatile sig_atomic_t *interrupted,
		       struct error *err)
{
	struct agent_link *link = NULL;
	json_t *request = json_object(), *result = NULL;
	const struct agent_question question = { .request = request };
	int code = agent_link_open(&link, path, err);

	assert_int_equal(code, 0);
	agent_link_patience(link, SHORT_WAIT_MS, interrupted);
	code = agent_link_ask(link, &question, &result, err);
	assert_null(result);
	agent_link_close(&link);
	assert_null(link);
	json_decref(request);
	return code;
}

static void test_silence(void **state)
{
	const volatile sig_atomic_t interrupted = SIGINT;
	struct silence silence;
	struct error err;

	(void)state;
	silence_open(&silence);
	assert_int_equal(ask_silence(silence.path, NULL, &err), ERROR_UNREACHABLE);
	assert_non_null(strstr(err.text, "did not answer within"));
	assert_int_equal(ask_silence(silence.path, &interrupted, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "interrupted");
	silence_close(&silence);
}

/* A socket that nobody listens on any more, and a path that is too long for one. */
static void test_cannot_connect(void **state)
{
	struct agent_link *link = NULL;
	struct silence silence;
	struct error err;
	char path[AGENT_PATH_TOO_LONG];

	(void)state;
	silence_open(&silence);
	close(silence.listener);
	assert_int_equal(agent_link_open(&link, silence.path, &err), ERROR_UNREACHABLE);
	assert_non_null(strstr(err.text, "(is posternd running?)"));
	unlink(silence.path);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(agent_link_open(&link, path, &err), ERROR_USAGE);
	assert_null(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_answers),
		cmocka_unit_test(test_oversized_line),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_json_rows),
		cmocka_unit_test(test_rows_that_were_not_asked_for),
		cmocka_unit_test(test_second_question),
		cmocka_unit_test(test_large_payload),
		cmocka_unit_test(test_payload_refused),
		cmocka_unit_test(test_payload_broken),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_cannot_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
