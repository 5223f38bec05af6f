/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/spf/evaluate.c - evaluates many cases of SPF in one process, against scripted answers.
 *
 * A line of standard input is a case: {"zone": ..., "ip": ..., "helo": ..., "from": ...}, with the
 * zone as in tests/replay/zone_play.h; without one the zone of the case before is used. A line of
 * standard output is its verdict. Answers come in an order that the number of the case chooses.
 *
 * usage: evaluate [ROUNDS]     with ROUNDS each case is evaluated so often, and the last line is
 *                              {"evaluations": n, "seconds": s}: for benchmarks
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks/spf.h"
#include "lib/clock.h"
#include "tests/replay/zone_play.h"

struct totals {
	uint64_t evaluations, nanoseconds;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void ignore(const struct spf_verdict *verdict, void *arg)
{
	(void)verdict;
	(void)arg;
}

static void print_verdict(const struct spf_verdict *verdict)
{
	json_t *line =
		json_pack("{s:s, s:s, s:b, s:s, s:s, s:i, s:i, s:i}", "result",
			  spf_result_name(verdict->result), "explanation", verdict->explanation,
			  "explained", verdict->explained, "problem", verdict->problem, "mechanism",
			  verdict->mechanism, "lookups", (int)verdict->lookups, "void_lookups",
			  (int)verdict->void_lookups, "queries", (int)verdict->queries);

	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static struct spf *evaluate(struct zone_play *play, const struct spf_request *request)
{
	struct spf *spf = spf_start(request, ignore, NULL);

	while (spf && !spf_verdict(spf) && zone_play_step(play))
		;
	if (!spf || !spf_verdict(spf) || play->pending) {
		fprintf(stderr, "evaluate: no verdict, or questions left over\n");
		exit(1);
	}
	return spf;
}

static void run_case(const json_t *zone, const json_t *line, unsigned int number, long rounds,
		     struct totals *totals)
{
	struct zone_play play;
	struct spf_request request = { .dns = &play.dns, .explain = true, .time = 1000000000 };
	const char *ip = text_of(line, "ip");
	struct spf *spf = NULL;
	uint64_t start;

	zone_play_open(&play, zone);
	play.order = number % 3;
	play.seed = number;
	if (addr_parse(ip, strlen(ip), &request.ip, NULL) < 0)
		exit(2);
	request.helo = text_of(line, "helo");
	request.from = text_of(line, "from");
	start = clock_mono();
	for (long i = 0; i < rounds; i++) {
		spf_free(&spf);
		spf = evaluate(&play, &request);
	}
	totals->evaluations += (uint64_t)rounds;
	totals->nanoseconds += clock_mono() - start;
	print_verdict(spf_verdict(spf));
	spf_free(&spf);
}

int main(int argc, char **argv)
{
	const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
	struct totals totals = { 0 };
	json_t *line, *zone = NULL;
	unsigned int number = 0;
	char *text = NULL;
	size_t size = 0;

	while (getline(&text, &size, stdin) > 0) {
		line = json_loads(text, JSON_ALLOW_NUL, NULL);
		if (!line)
			return 2;
		if (json_object_get(line, "zone")) {
			json_decref(zone);
			zone = json_incref(json_object_get(line, "zone"));
		}
		run_case(zone, line, number++, rounds, &totals);
		json_decref(line);
	}
	if (argc > 1)
		printf("{\"evaluations\": %llu, \"seconds\": %.3f}\n",
		       (unsigned long long)totals.evaluations, (double)totals.nanoseconds / 1e9);
	json_decref(zone);
	free(text);
	return 0;
}
