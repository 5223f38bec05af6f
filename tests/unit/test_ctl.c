/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of posternctl's command lines: what each asks the agent, what each mistake is answered
 * with, the exit codes, and that help, manual page and completion know every command and option.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli_scene.h"
#include "tools/ctl_args.h"

#define LINE_TEXT_MAX 1024
#define FILE_TEXT_MAX (256u << 10)
#define MANUAL_PAGE   "docs/man/posternctl.8"
#define COMPLETION    "packaging/posternctl.bash"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *line, *request;
} requests[] = {
	{ "status", "{'cmd': 'status'}" },
	{ "stats", "{'cmd': 'stats'}" },
	{ "attach eth0", "{'cmd': 'attach', 'iface': 'eth0'}" },
	{ "attach eth0 --mode native", "{'cmd': 'attach', 'iface': 'eth0', 'mode': 'native'}" },
	{ "--mode=generic attach eth0", "{'cmd': 'attach', 'iface': 'eth0', 'mode': 'generic'}" },
	{ "detach eth0", "{'cmd': 'detach', 'iface': 'eth0'}" },
	{ "block add 192.0.2.7", "{'cmd': 'list.add', 'kind': 'block', 'prefix': '192.0.2.7'}" },
	{ "block add 192.0.2.7/32", "{'cmd': 'list.add', 'kind': 'block', 'prefix': '192.0.2.7'}" },
	{ "block --ttl 1h30m add 2001:DB8:0::/48 --reason 'a b' --list x --action reset",
	  "{'cmd': 'list.add', 'kind': 'block', 'prefix': '2001:db8::/48', 'ttl': 5400,"
	  " 'reason': 'a b', 'list': 'x', 'action': 'reset'}" },
	{ "block add 192.0.2.0/24 --reason --list=x", NULL },
	{ "block add 192.0.2.0/24 --reason=--list",
	  "{'cmd': 'list.add', 'kind': 'block', 'prefix': '192.0.2.0/24', 'reason': '--list'}" },
	{ "block del 192.0.2.7", "{'cmd': 'list.del', 'kind': 'block', 'prefix': '192.0.2.7'}" },
	{ "block del 192.0.2.7 --list x",
	  "{'cmd': 'list.del', 'kind': 'block', 'prefix': '192.0.2.7', 'list': 'x'}" },
	{ "block test 2001:db8:0:0::1",
	  "{'cmd': 'list.test', 'kind': 'block', 'address': '2001:db8::1'}" },
	{ "block show", "{'cmd': 'list.show', 'kind': 'block'}" },
	{ "block show --list x", "{'cmd': 'list.show', 'kind': 'block', 'list': 'x'}" },
	{ "block clear x", "{'cmd': 'list.clear', 'kind': 'block', 'list': 'x'}" },
	{ "allow add 192.0.2.7 --ttl 90",
	  "{'cmd': 'list.add', 'kind': 'allow', 'prefix': '192.0.2.7', 'ttl': 90}" },
	{ "allow del 192.0.2.7", "{'cmd': 'list.del', 'kind': 'allow', 'prefix': '192.0.2.7'}" },
	{ "allow test 192.0.2.7", "{'cmd': 'list.test', 'kind': 'allow', 'address': '192.0.2.7'}" },
	{ "allow show", "{'cmd': 'list.show', 'kind': 'allow'}" },
	{ "allow clear x", "{'cmd': 'list.clear', 'kind': 'allow', 'list': 'x'}" },
	{ "limits show", "{'cmd': 'limits.show'}" },
	{ "limits set rate-net 2k", "{'cmd': 'limits.set', 'key': 'rate-net', 'value': 2000}" },
	{ "limits set rate-net default",
	  "{'cmd': 'limits.set', 'key': 'rate-net', 'value': 'default'}" },
	{ "monitor on", "{'cmd': 'monitor', 'on': true}" },
	{ "monitor off --list x", "{'cmd': 'monitor', 'on': false, 'list': 'x'}" },
	{ "why 192.0.2.7", "{'cmd': 'why', 'what': '192.0.2.7'}" },
	{ "why 2001:DB8::7", "{'cmd': 'why', 'what': '2001:db8::7'}" },
	{ "why 04k3zq8w1v7m2", "{'cmd': 'why', 'what': '04k3zq8w1v7m2'}" },
	{ "reload", "{'cmd': 'reload'}" },
	{ "top --json --count 1", "{'cmd': 'top', 'limit': 100}" },
	{ "-- status", "{'cmd': 'status'}" },
};

/* JSON with ' for ", so that the table can be read. */
static json_t *parse(const char *text)
{
	char json[LINE_TEXT_MAX];
	json_t *parsed;

	snprintf(json, sizeof(json), "%s", text);
	for (char *quote = json; (quote = strchr(quote, '\''));)
		*quote = '"';
	parsed = json_loads(json, JSON_DECODE_ANY, NULL);
	if (!parsed)
		fail_msg("not JSON: %s", text);
	return parsed;
}

/* Also an agent that answers with nothing of what is expected must not confuse the client. */
static void check_request(const char *line, const char *expected)
{
	const struct scene_script script = { 0 };
	struct scene scene;
	json_t *asked, *wanted;

	scene_play(&script, line, &scene);
	if (!expected) {
		assert_int_equal(scene.code, 2);
		assert_int_equal(scene.requests, 0);
		scene_clear(&scene);
		return;
	}
	if (scene.code || !scene.requests || *scene.err)
		fail_msg("%s: exit code %d, %s", line, scene.code, scene.err);
	asked = parse(scene.request[0]);
	wanted = parse(expected);
	if (!json_equal(asked, wanted))
		fail_msg("%s: asked %s", line, scene.request[0]);
	json_decref(asked);
	json_decref(wanted);
	scene_clear(&scene);
}

static void test_requests(void **state)
{
	char line[LINE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		check_request(requests[i].line, requests[i].request);
		if (strstr(requests[i].line, "--json") || strncmp(requests[i].line, "-- ", 3) == 0)
			continue;
		snprintf(line, sizeof(line), "--json %s", requests[i].line);
		check_request(line, requests[i].request);
	}
}

/* None of these may reach an agent: there is none, and the exit code would be 3. */
static const struct {
	const char *line;
	int code;
	const char *error;
} mistakes[] = {
	{ "", 2, "no command given" },
	{ "stauts", 2, "there is no command 'stauts'; is 'status' meant?" },
	{ "blokc add 192.0.2.7", 2, "is 'block' meant?" },
	{ "entirely-else", 2, "there is no command 'entirely-else' (see" },
	{ "block", 2, "'block' needs one of: add, del, test, show, load, clear" },
	{ "block ad 192.0.2.7", 2, "is 'block add' meant?" },
	{ "block frobnicate", 2, "only: add, del," },
	{ "limits", 2, "'limits' needs one of: show, set" },
	{ "config", 2, "'config' needs one of: check" },
	{ "audit", 2, "'audit' is not part of this version" },
	{ "user add someone", 2, "'user' is not part of this version" },
	{ "check", 2, "'check' needs one of: ip, spf, mx" },
	{ "check spf --ip 192.0.2.7 --helo mail.example", 2, "'check spf' needs --from MAILBOX" },
	{ "check spf --ip mail --helo mail.example --from ''", 2, "--ip: mail: " },
	{ "check spf --ip 192.0.2.7 --helo a.example --from '' --dns x", 2, "--dns: x must" },
	{ "check mx", 2, "'check mx' needs DOMAIN" },
	{ "check mx a..example", 2, "'a..example' is not a mail domain" },
	{ "check mx [192.0.2.1]", 2, "'[192.0.2.1]' is not a mail domain" },
	{ "check mx localhost", 2, "'localhost' is not a mail domain" },
	{ "check mx a.example --dns x", 2, "--dns: x must" },
	{ "status --helo mail.example", 2, "'status' takes no --helo" },
	{ "help audit", 2, "'audit' is not part of this version" },
	{ "status --jsno", 2, "there is no option --jsno; is --json meant?" },
	{ "status --nothing-like-it", 2, "there is no option --nothing-like-it (see" },
	{ "status -x", 2, "there is no option -x" },
	{ "status --json --json", 2, "--json is given twice" },
	{ "status --json=1", 2, "--json takes no value" },
	{ "status --ttl 1h", 2, "'status' takes no --ttl" },
	{ "allow add 192.0.2.7 --action drop", 2, "'allow add' takes no --action" },
	{ "status extra", 2, "'extra' is one argument too many for 'status'" },
	{ "status 1 2 3 4 5 6 7 8 9", 2, "'8' is one argument too many" },
	{ "block add", 2, "'block add' needs CIDR: posternctl block add CIDR [--list NAME]" },
	{ "block load x", 2, "'block load' needs NAME FILE" },
	{ "block add 192.0.2.7 --ttl", 2, "--ttl needs a value: --ttl DURATION" },
	{ "block add 192.0.2.7 --ttl soon", 2, "--ttl: soon: not a duration" },
	{ "block add 192.0.2.7 --ttl 0", 2, "--ttl: 0: " },
	{ "block add 192.0.2.7/24", 2, "192.0.2.0/24" },
	{ "block add 192.0.2.256", 2, "192.0.2.256" },
	{ "block add 192.0.2.7 --list 'a b'", 2, "a list's name" },
	{ "block add 192.0.2.7 --action explode", 2,
	  "there is no action 'explode', only drop, tarpit, reset and refuse" },
	{ "block load x /dev/null --action bounce", 2, "there is no action 'bounce'" },
	{ "allow load x /dev/null --reason why", 2, "'allow load' takes no --reason" },
	{ "block add 192.0.2.7 --reason 'a\nb'", 2, "--reason: one line of UTF-8" },
	{ "block add 192.0.2.7 --reason '\xff'", 2, "--reason: one line of UTF-8" },
	{ "block test 192.0.2.0/24", 2, "192.0.2.0/24" },
	{ "why mail.example", 2, "'mail.example' is neither an address nor a lookup id" },
	{ "why 04K3ZQ8W1V7MU", 2, "neither an address nor a lookup id" },
	{ "attach a-name-of-16-byt", 2, "cannot be the name of an interface" },
	{ "attach eth0 --mode fast", 2, "--mode is native, generic or auto, not 'fast'" },
	{ "monitor maybe", 2, "monitor is on or off, not 'maybe'" },
	{ "limits set rate-net many", 2, "rate-net: many: not a whole number" },
	{ "limits set rate-net -1", 2, "there is no option -1" },
	{ "top --interval 2h", 2, "--interval: at most 3600 seconds" },
	{ "top --count x", 2, "--count: x: not a whole number" },
	{ "--socket '' status", 2, "socket path '' is empty or too long" },
	{ "--socket /nowhere/socket status", 3, "the agent cannot be reached at /nowhere/socket" },
	{ "config check /nowhere/file", 4, "/nowhere/file" },
};

static void test_mistakes(void **state)
{
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		scene_play(NULL, mistakes[i].line, &scene);
		if (scene.code != mistakes[i].code || !strstr(scene.err, mistakes[i].error))
			fail_msg("%s: exit code %d, %s", mistakes[i].line, scene.code, scene.err);
		assert_int_equal(strncmp(scene.err, "posternctl: ", strlen("posternctl: ")), 0);
		assert_ptr_equal(strchr(scene.err, '\n'), scene.err + strlen(scene.err) - 1);
		assert_string_equal(scene.out, "");
		scene_clear(&scene);
	}
}

static const struct {
	const char *line, *answer;
	int code;
} exit_codes[] = {
	{ "block test 192.0.2.7", "{'ok': true, 'result': {'listed': true, 'matches': []}}", 1 },
	{ "block test 192.0.2.7 --json", "{'ok': true, 'result': {'listed': true}}", 1 },
	{ "allow test 192.0.2.7", "{'ok': true, 'result': {'listed': true, 'matches': []}}", 1 },
	{ "block test 192.0.2.7", "{'ok': true, 'result': {'listed': false}}", 0 },
	{ "why 192.0.2.7", "{'ok': true, 'result': {'listed': true, 'verdict': 'drop'}}", 0 },
	{ "block del 192.0.2.7", "{'ok': false, 'code': 4, 'error': 'no such entry'}", 4 },
	{ "limits set nonsense 1", "{'ok': false, 'code': 2, 'error': 'no such limit'}", 2 },
	{ "reload", "{'ok': false, 'code': 77, 'error': 'unheard of'}", 4 },
};

static void test_exit_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(exit_codes); i++) {
		json_t *answer = parse(exit_codes[i].answer);
		char *text = json_dumps(answer, JSON_COMPACT), line[LINE_TEXT_MAX];
		const struct scene_script script = { .answer = { line } };
		const char *error = json_string_value(json_object_get(answer, "error"));
		struct scene scene;

		snprintf(line, sizeof(line), "%s\n", text);
		scene_play(&script, exit_codes[i].line, &scene);
		assert_int_equal(scene.code, exit_codes[i].code);
		if (error)
			assert_non_null(strstr(scene.err, error));
		assert_int_equal(*scene.err != '\0', error != NULL);
		scene_clear(&scene);
		json_decref(answer);
		free(text);
	}
}

/* --json prints the result as the agent sent it: all of it, in its order, and nothing else. */
static void test_json_is_the_answer(void **state)
{
	static const char answer[] = "{\"z\":1,\"a\":[{\"unknown\":null}],\"text\":\"\\u00FC\"}";
	char line[LINE_TEXT_MAX], *printed;
	const struct scene_script script = { .answer = { line } };
	struct scene scene;
	json_t *document;

	(void)state;
	snprintf(line, sizeof(line), "{\"ok\":true,\"result\":%s}\n", answer);
	scene_play(&script, "stats --json", &scene);
	assert_int_equal(scene.code, 0);
	assert_non_null(strstr(scene.out, "\n  \"z\": 1,\n"));
	document = json_loads(scene.out, 0, NULL);
	printed = json_dumps(document, JSON_COMPACT | JSON_ENSURE_ASCII);
	assert_string_equal(printed, answer);
	free(printed);
	json_decref(document);
	scene_clear(&scene);
}

static void test_config_check(void **state)
{
	char line[LINE_TEXT_MAX];
	struct scene scene;

	(void)state;
	snprintf(line, sizeof(line), "config check %s", scene_file("ports: [25]\n"));
	scene_play(NULL, line, &scene);
	assert_int_equal(scene.code, 0);
	assert_non_null(strstr(scene.out, "no mistakes"));
	scene_clear(&scene);

	snprintf(line, sizeof(line), "config check %s --json", scene_file("ports: [25]\n"));
	scene_play(NULL, line, &scene);
	assert_int_equal(scene.code, 0);
	assert_non_null(strstr(scene.out, "\"valid\": true"));
	scene_clear(&scene);

	snprintf(line, sizeof(line), "config check %s", scene_file("mode: guard\n"));
	scene_play(NULL, line, &scene);
	assert_int_equal(scene.code, 0);
	assert_non_null(strstr(scene.out, "no mistakes\nwarning: mode guard without dnsbl.zones"));
	assert_non_null(strstr(scene.out, "\nwarning: mode guard without an interface"));
	scene_clear(&scene);

	snprintf(line, sizeof(line), "config check %s", scene_file("user: x\nports: [0]\n"));
	scene_play(NULL, line, &scene);
	assert_int_equal(scene.code, 4);
	assert_non_null(strstr(scene.err, "/file:2: ports"));
	assert_string_equal(scene.out, "");
	scene_clear(&scene);
}

/* `help COMMAND` and `COMMAND --help` are the same text, and it has all that help should have. */
static void test_help(void **state)
{
	char line[LINE_TEXT_MAX];
	struct scene scene, other;

	(void)state;
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *command = cli_commands[i];

		snprintf(line, sizeof(line), "help %s", command->name);
		scene_play(NULL, line, &scene);
		snprintf(line, sizeof(line), "%s --help", command->name);
		scene_play(NULL, line, &other);
		assert_int_equal(scene.code, 0);
		assert_string_equal(scene.out, other.out);
		snprintf(line, sizeof(line), "posternctl %s", command->name);
		assert_non_null(strstr(scene.out, line));
		assert_non_null(strstr(scene.out, "\nExamples\n  "));
		assert_non_null(strstr(scene.out, "\nExit codes\n  0  "));
		scene_clear(&scene);
		scene_clear(&other);
	}
}

static void test_help_of_more(void **state)
{
	static const struct {
		const char *line, *has;
	} lines[] = {
		{ "help", "block                    keep addresses and networks out: add, del," },
		{ "--help", "config check [FILE]" },
		{ "-h", "Exit codes" },
		{ "help block", "block load NAME FILE" },
		{ "block --help", "block load NAME FILE" },
		{ "help limits", "limits set KEY VALUE" },
		{ "--version", "posternctl " },
	};
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		scene_play(NULL, lines[i].line, &scene);
		assert_int_equal(scene.code, 0);
		if (!strstr(scene.out, lines[i].has))
			fail_msg("%s: %s", lines[i].line, scene.out);
		scene_clear(&scene);
	}
}

/* No line of any help is wider than a terminal. */
static void test_help_fits_a_terminal(void **state)
{
	char line[LINE_TEXT_MAX];
	struct scene scene;

	(void)state;
	for (size_t i = 0; i <= cli_command_count; i++) {
		snprintf(line, sizeof(line), "help %s",
			 i < cli_command_count ? cli_commands[i]->name : "");
		scene_play(NULL, line, &scene);
		for (const char *at = scene.out; *at; at += strcspn(at, "\n") + 1) {
			if (strcspn(at, "\n") > 80)
				fail_msg("%s: %.*s", line, (int)strcspn(at, "\n"), at);
		}
		scene_clear(&scene);
	}
}

/* The part of an example that is posternctl's: from its name to a pipe, a redirection or the like.
 */
static bool example_part(const char *example, char out[LINE_TEXT_MAX])
{
	const char *from = strstr(example, "posternctl ");
	size_t length = 0;
	bool quoted = false;

	if (!from)
		return false;
	while (from[length] && (quoted || !strchr("|&;>#", from[length])))
		quoted ^= from[length++] == '\'';
	snprintf(out, LINE_TEXT_MAX, "%.*s", (int)length, from);
	return true;
}

/* Every example is a command line that posternctl accepts. */
static void test_examples(void **state)
{
	char line[LINE_TEXT_MAX], buffer[LINE_TEXT_MAX], *argv[SCENE_WORDS_MAX];
	size_t tested = 0;

	(void)state;
	for (size_t i = 0; i < cli_command_count; i++) {
		assert_non_null(cli_commands[i]->examples[0]);
		for (size_t j = 0; j < CLI_EXAMPLES_MAX && cli_commands[i]->examples[j]; j++) {
			struct cli_call call = { 0 };
			struct error err = { 0 };
			int argc;

			assert_true(example_part(cli_commands[i]->examples[j], line));
			argc = scene_split(line, buffer, sizeof(buffer), argv);
			if (args_split(argc, argv, &call, &err) < 0 || args_find(&call, &err) < 0 ||
			    args_check(&call, &err) < 0)
				fail_msg("%s: %s", line, err.text);
			tested++;
		}
	}
	assert_true(tested > cli_command_count);
}

static char *read_text(const char *path)
{
	char *text = calloc(1, FILE_TEXT_MAX);
	FILE *file = fopen(path, "r");

	if (!file)
		fail_msg("%s: run this test in the root of the project", path);
	assert_non_null(text);
	assert_true(fread(text, 1, FILE_TEXT_MAX - 1, file) > 0);
	fclose(file);
	return text;
}

static void check_has(const char *path, const char *text, const char *before, const char *name)
{
	char wanted[LINE_TEXT_MAX];

	snprintf(wanted, sizeof(wanted), "%s%s", before, name);
	if (!strstr(text, wanted))
		fail_msg("%s does not have '%s'", path, wanted);
}

static void test_manual_has_everything(void **state)
{
	char *text = read_text(MANUAL_PAGE);

	(void)state;
	for (size_t i = 0; i < cli_command_count; i++)
		check_has(MANUAL_PAGE, text, ".It Cm ", cli_commands[i]->name);
	for (size_t i = 0; i < CLI_OPTIONS; i++)
		check_has(MANUAL_PAGE, text, "Fl \\-", cli_option_rows[i].name);
	free(text);
}

static void test_completion_has_everything(void **state)
{
	char *text = read_text(COMPLETION);

	(void)state;
	for (size_t i = 0; i < cli_command_count; i++) {
		const char *rest = strchr(cli_commands[i]->name, ' ');

		check_has(COMPLETION, text, "", rest ? rest + 1 : cli_commands[i]->name);
	}
	for (size_t i = 0; i < CLI_OPTIONS; i++)
		check_has(COMPLETION, text, "--", cli_option_rows[i].name);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_json_is_the_answer),
		cmocka_unit_test(test_config_check),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_help_of_more),
		cmocka_unit_test(test_help_fits_a_terminal),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_manual_has_everything),
		cmocka_unit_test(test_completion_has_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
