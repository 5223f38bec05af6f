/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * resolve - drives the agent's resolver by lines from standard input, for tests/lab/test_dns.py.
 *
 * usage: resolve TIMEOUT-MS TRIES SERVER ...
 *
 *   ask NAME TYPE           one question
 *   burst COUNT SUFFIX      questions for n0.SUFFIX, n1.SUFFIX and so on, all at once
 *   storm COUNT SUFFIX      the same, and every other one is cancelled before its answer has come
 *   stats                   the counters
 *
 * Each line is answered by one line of JSON when it is done; only one may be under way.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/resolver.h"

#define LINE_SIZE 1024
#define NAME_SIZE 300

struct batch {
	unsigned int left, answers[DNS_STATUS_COUNT], cancelled;
};

static struct {
	uv_loop_t loop;
	uv_pipe_t input;
	struct dns_resolver *resolver;
	struct batch batch;
	char line[LINE_SIZE];
	size_t used;
} program;

static const char *const statuses[] = { "found", "nodata", "nxdomain", "temporary", "busy" };
static const char *const types[] = { "A", "AAAA", "PTR", "TXT", "MX" };

static void print(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

static json_t *record_json(const struct dns_record *record)
{
	char text[PREFIX_TEXT_MAX];

	return json_pack("{s:s, s:i, s:i, s:s%}", "addr", addr_format(&record->addr, text),
			 "preference", record->preference, "length", record->length, "text",
			 record->text, (size_t)record->length);
}

static void on_one(const struct dns_answer *answer, void *arg)
{
	json_t *records = json_array();

	(void)arg;
	for (size_t i = 0; i < answer->count; i++)
		json_array_append_new(records, record_json(&answer->record[i]));
	print(json_pack("{s:s, s:i, s:i, s:b, s:o}", "status", statuses[answer->status], "ttl",
			(int)answer->ttl, "age", (int)answer->age, "cut", answer->cut, "records",
			records));
}

static void batch_done(void)
{
	json_t *object = json_pack("{s:i}", "cancelled", (int)program.batch.cancelled);

	for (size_t i = 0; i < DNS_STATUS_COUNT; i++)
		json_object_set_new(object, statuses[i],
				    json_integer((json_int_t)program.batch.answers[i]));
	print(object);
}

static void on_many(const struct dns_answer *answer, void *arg)
{
	(void)arg;
	program.batch.answers[answer->status]++;
	if (!--program.batch.left)
		batch_done();
}

static void many(unsigned int count, const char *suffix, bool cancels)
{
	struct dns *dns = dns_resolver_dns(program.resolver);
	char name[NAME_SIZE];

	program.batch = (struct batch){ .left = count };
	for (unsigned int i = 0; i < count; i++) {
		struct dns_query *query;

		snprintf(name, sizeof(name), "n%u.%s", i, suffix);
		query = dns_ask(dns, name, DNS_A, on_many, NULL);
		if (!cancels || i % 2 == 0)
			continue;
		dns_cancel(dns, &query);
		program.batch.cancelled++;
		program.batch.left--;
	}
	if (!program.batch.left)
		batch_done();
}

static void print_stats(void)
{
	struct dns_stats stats;

	dns_resolver_stats(program.resolver, &stats);
	print(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "tcp", (json_int_t)stats.tcp,
			"timeouts", (json_int_t)stats.timeouts, "queries",
			(json_int_t)stats.queries, "hits", (json_int_t)stats.hits, "in_flight",
			(json_int_t)stats.in_flight, "down", (json_int_t)stats.servers_down,
			"rewrites", (json_int_t)stats.rewrites, "refusals",
			(json_int_t)stats.refusals));
}

static void ask(const char *name, const char *type)
{
	for (size_t i = 0; i < DNS_TYPE_COUNT; i++)
		if (!strcmp(types[i], type))
			dns_ask(dns_resolver_dns(program.resolver), name, (enum dns_type)i, on_one,
				NULL);
}

static void run_line(char *line)
{
	char *rest, *verb = strtok_r(line, " ", &rest), *first = strtok_r(NULL, " ", &rest),
		    *second = strtok_r(NULL, " ", &rest);

	if (verb && !strcmp(verb, "stats"))
		print_stats();
	else if (second && !strcmp(verb, "ask"))
		ask(first, second);
	else if (second)
		many((unsigned int)strtoul(first, NULL, 10), second, !strcmp(verb, "storm"));
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(program.line + program.used,
			   (unsigned int)(sizeof(program.line) - program.used));
}

static void on_input(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
	char *end;

	(void)buf;
	if (size < 0) {
		uv_close((uv_handle_t *)stream, NULL);
		dns_resolver_close(&program.resolver);
		return;
	}
	program.used += (size_t)size;
	while ((end = memchr(program.line, '\n', program.used))) {
		*end++ = '\0';
		run_line(program.line);
		program.used -= (size_t)(end - program.line);
		memmove(program.line, end, program.used);
	}
}

static int open_resolver(int argc, char **argv, struct error *err)
{
	struct dns_options options;

	if (dns_options_default(&options, err))
		return -1;
	options.timeout = (uint32_t)strtoul(argv[1], NULL, 10);
	options.tries = (uint32_t)strtoul(argv[2], NULL, 10);
	for (int i = 3; i < argc; i++)
		if (dns_options_add_server(&options, argv[i], err))
			return -1;
	return dns_resolver_open(&program.loop, &options, &program.resolver, err);
}

int main(int argc, char **argv)
{
	struct error err;

	if (argc < 4) {
		fputs("usage: resolve TIMEOUT-MS TRIES SERVER ...\n", stderr);
		return 2;
	}
	uv_loop_init(&program.loop);
	if (open_resolver(argc, argv, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	uv_pipe_init(&program.loop, &program.input, 0);
	uv_pipe_open(&program.input, 0);
	uv_read_start((uv_stream_t *)&program.input, on_alloc, on_input);
	uv_run(&program.loop, UV_RUN_DEFAULT);
	return uv_loop_close(&program.loop) ? 1 : 0;
}
