/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/bench_packets_judge.c - compares the medians with what is wanted of them. What is short is
 * said, and is no failure: a machine may be slow or busy.
 */
#include <stdio.h>
#include <string.h>

#include "tools/bench_packets.h"

#define MISS_OVER_PARSE 35.0  /* ns */
#define HIT_OVER_PARSE  130.0 /* ns: one load from memory that nothing hides */
#define HASH_OVER_HIT   2.5   /* times */
#define LPM_OVER_HIT    10.0
#define LARGE_OVER_HIT  1.3 /* ten times the entries */
#define IPV6_OVER_IPV4  2.0
#define SMALL           1000000u
#define LARGE           10000000u

#define PARSE "parse, other port, serial"
#define HIT   "hit, serial"
#define MISS  "miss, serial"

void results_add(struct results *results, const struct list *list, uint32_t entries,
		 const struct bench_figure *figure)
{
	struct result *r = &results->result[results->count];

	if (results->count++ == RESULTS_MAX)
		give_up("too many figures");
	*r = (struct result){ list->ipv4, list->mixed, entries, "", figure->value };
	snprintf(r->figure, sizeof(r->figure), "%s", figure->figure);
}

/* 0 if there is no such figure. */
static double value_of(const struct results *results, const struct result *like, uint32_t entries,
		       bool ipv4, const char *figure)
{
	for (size_t i = 0; i < results->count; i++) {
		const struct result *r = &results->result[i];

		if (r->ipv4 == ipv4 && r->mixed == like->mixed && r->entries == entries &&
		    !strcmp(r->figure, figure))
			return r->value;
	}
	return 0;
}

/* A bound on a difference or a quotient of two figures. */
struct bound {
	const char *what, *unit;
	double value, limit;
	bool at_least;
};

static void judge(const struct result *of, const struct bound *b, struct bench_json *json)
{
	const bool met = b->at_least ? b->value >= b->limit : b->value <= b->limit;
	char subject[64];

	snprintf(subject, sizeof(subject), of->entries ? "%s, %u %s" : "%s",
		 of->ipv4 ? "IPv4" : "IPv6", of->entries, of->mixed ? "mixed" : "addresses");
	printf("%-5s  %-24s  %-34s %8.2f %s, wanted %s %.1f\n", met ? "PASS" : "short", subject,
	       b->what, b->value, b->unit, b->at_least ? "at least" : "at most", b->limit);
	json_array_append_new(json->list,
			      json_pack("{s:s, s:f, s:s, s:s, s:f, s:b}", "figure", b->what,
					"value", b->value, "unit", b->unit, "subject", subject,
					"wanted", b->limit, "met", met));
}

static void judge_times(const struct result *of, const char *what, double value, double by,
			double limit, bool at_least, struct bench_json *json)
{
	const struct bound bound = { what, "times", by > 0 ? value / by : 0, limit, at_least };

	if (value > 0 && by > 0)
		judge(of, &bound, json);
}

static void judge_hit(const struct results *all, const struct result *hit, struct bench_json *json)
{
	const double parse = value_of(all, hit, hit->entries, hit->ipv4, PARSE);
	const struct bound over = { "hit over parse", "ns", hit->value - parse, HIT_OVER_PARSE,
				    false };

	if (hit->entries == SMALL)
		judge(hit, &over, json);
	judge_times(hit, "hash over hit",
		    value_of(all, hit, hit->entries, hit->ipv4, "BPF hash hit, serial"), hit->value,
		    HASH_OVER_HIT, true, json);
	judge_times(hit, "LPM over hit",
		    value_of(all, hit, hit->entries, hit->ipv4, "LPM trie hit, serial"), hit->value,
		    LPM_OVER_HIT, true, json);
	if (hit->entries == LARGE)
		judge_times(hit, "hit over that of 1 M", hit->value,
			    value_of(all, hit, SMALL, hit->ipv4, HIT), LARGE_OVER_HIT, false, json);
}

static void judge_miss(const struct results *all, const struct result *miss,
		       struct bench_json *json)
{
	const double parse = value_of(all, miss, miss->entries, miss->ipv4, PARSE);
	const struct bound over = { "miss over parse", "ns", miss->value - parse, MISS_OVER_PARSE,
				    false };

	judge(miss, &over, json);
}

void results_judge(const struct results *results, struct bench_json *json)
{
	for (size_t i = 0; i < results->count; i++) {
		const struct result *r = &results->result[i];

		if (!strcmp(r->figure, HIT))
			judge_hit(results, r, json);
		if (!strcmp(r->figure, MISS))
			judge_miss(results, r, json);
		if (!r->ipv4 && (!strcmp(r->figure, HIT) || !strcmp(r->figure, MISS)))
			judge_times(r, r->figure[0] == 'h' ? "hit over IPv4" : "miss over IPv4",
				    r->value, value_of(results, r, r->entries, true, r->figure),
				    IPV6_OVER_IPV4, false, json);
	}
}

void judge_answer(const char *figure, double value, double limit, struct bench_json *json)
{
	const struct result of = { .ipv4 = true };
	const struct bound bound = { figure, "ns", value, limit, false };

	judge(&of, &bound, json);
}
