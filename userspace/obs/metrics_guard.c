/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/metrics_guard.c - the metrics of the guard, of the DNS lists and of the resolver.
 *
 * Most rows are one field of struct guard_stats: `detail` is its offset.
 */
#include <inttypes.h>
#include <string.h>

#include "obs/metrics_internal.h"

#define G METRIC_GAUGE
#define C METRIC_COUNTER
#define H METRIC_HISTOGRAM

static void write_field(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	fprintf(out, "%s %" PRIu64 "\n", metric->name, metrics_field(input->guard, metric->detail));
}

static void write_newcomers(const struct metric *metric, const struct metrics_input *input,
			    FILE *out)
{
	static const char *const origins[GUARD_ORIGINS] = { "syn", "handshake" };

	for (size_t i = 0; i < GUARD_ORIGINS; i++)
		fprintf(out, "%s{evidence=\"%s\"} %" PRIu64 "\n", metric->name, origins[i],
			input->guard->newcomers[i]);
}

static void write_verdicts(const struct metric *metric, const struct metrics_input *input,
			   FILE *out)
{
	for (unsigned int i = 0; i < DECISION_COUNT; i++)
		fprintf(out, "%s{decision=\"%s\"} %" PRIu64 "\n", metric->name,
			decision_name((enum decision)i), input->guard->verdicts[i]);
}

static void write_learned(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	static const char *const kinds[GATE_LEARNED_KINDS] = { NULL, "known", "trusted",
							       "blocked" };

	for (size_t i = GATE_LEARNED_KNOWN; i < GATE_LEARNED_KINDS; i++)
		fprintf(out, "%s{kind=\"%s\"} %" PRIu64 "\n", metric->name, kinds[i],
			input->guard->learned.kind[i]);
}

void metrics_write_latency(const char *name, const struct latency *latency, FILE *out)
{
	uint64_t count = 0;

	for (size_t i = 0; i < LATENCY_CLASSES; i++) {
		count += latency->class[i];
		if (latency_bound(i))
			fprintf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
				latency_bound(i) / 1e3, count);
	}
	fprintf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
	fprintf(out, "%s_sum %.3f\n", name, (double)latency->sum_ms / 1e3);
	fprintf(out, "%s_count %" PRIu64 "\n", name, count);
}

/* `detail`: where the latency is. */
static void write_latency(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	struct latency latency;

	memcpy(&latency, (const char *)input->guard + metric->detail, sizeof(latency));
	metrics_write_latency(metric->name, &latency, out);
}

static void write_answers(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	static const char *const statuses[DNS_STATUS_COUNT] = { "found", "nodata", "nxdomain",
								"temporary", "busy" };

	for (size_t i = 0; i < DNS_STATUS_COUNT; i++)
		fprintf(out, "%s{status=\"%s\"} %" PRIu64 "\n", metric->name, statuses[i],
			input->guard->dns.answers[i]);
}

/* Zones: a row each, named as they may be shown. */

static const char *zone_kind(const struct dnsbl_zone_info *zone)
{
	return zone->domains ? "domain" : "address";
}

static void write_zone_up(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (size_t i = 0; i < input->guard->zones; i++) {
		const struct dnsbl_zone_info *zone = &input->guard->zone[i];

		fprintf(out, "%s{zone=\"%s\",of=\"%s\"} %d\n", metric->name, zone->zone,
			zone_kind(zone), zone->health == DNSBL_SERVING);
	}
}

static void write_zone_health(const struct metric *metric, const struct metrics_input *input,
			      FILE *out)
{
	for (size_t i = 0; i < input->guard->zones; i++) {
		const struct dnsbl_zone_info *zone = &input->guard->zone[i];

		fprintf(out, "%s{zone=\"%s\",of=\"%s\",health=\"%s\"} 1\n", metric->name,
			zone->zone, zone_kind(zone), dnsbl_health_name(zone->health));
	}
}

/* `detail`: a field of 64 bits in struct dnsbl_zone_info. */
static void write_zone(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (size_t i = 0; i < input->guard->zones; i++) {
		const struct dnsbl_zone_info *zone = &input->guard->zone[i];

		fprintf(out, "%s{zone=\"%s\",of=\"%s\"} %" PRIu64 "\n", metric->name, zone->zone,
			zone_kind(zone), metrics_field(zone, metric->detail));
	}
}

#define GUARD(member) offsetof(struct guard_stats, member)
#define ZONE(member)  offsetof(struct dnsbl_zone_info, member)

const struct metric metrics_guard[] = {
	{ "postern_newcomers_total", C, "New sources that the kernel told the guard about.",
	  write_newcomers, 0 },
	{ "postern_newcomers_known_total", C, "Of them, those that a verdict was kept for.",
	  write_field, GUARD(known) },
	{ "postern_evaluations_total", C, "New sources that were looked up.", write_field,
	  GUARD(evaluations) },
	{ "postern_evaluations_skipped_total", C,
	  "New sources that were not, because too many were being looked up.", write_field,
	  GUARD(skipped) },
	{ "postern_evaluations_in_flight", G, "Sources that are being looked up.", write_field,
	  GUARD(under_way) },
	{ "postern_verdicts_total", C, "Verdicts by their decision.", write_verdicts, 0 },
	{ "postern_verdicts_temporary_total", C,
	  "Verdicts that had to do without an answer of the DNS.", write_field, GUARD(temporary) },
	{ "postern_verdicts_timed_out_total", C, "Verdicts that guard.timeout brought about.",
	  write_field, GUARD(timeouts) },
	{ "postern_verdict_duration_seconds", H, "From the packet of a new source to its verdict.",
	  write_latency, GUARD(latency) },
	{ "postern_verdict_cache_entries", G, "Verdicts that are kept.", write_field,
	  GUARD(cache.entries) },
	{ "postern_verdict_cache_bytes", G, "Memory that they take.", write_field,
	  GUARD(cache.bytes) },
	{ "postern_verdict_cache_hits_total", C, "Verdicts that were found in the cache.",
	  write_field, GUARD(cache.hits) },
	{ "postern_verdict_cache_misses_total", C, "Verdicts that were not.", write_field,
	  GUARD(cache.misses) },
	{ "postern_verdict_cache_evicted_total", C, "Verdicts that left before their time.",
	  write_field, GUARD(cache.evicted) },
	{ "postern_blocks_total", C, "Sources that the kernel was told to block.", write_field,
	  GUARD(blocks) },
	{ "postern_greylisted_total", C, "Sources that have to come again later.", write_field,
	  GUARD(greylisted) },
	{ "postern_greylist_saved_timestamp_seconds", G,
	  "When all that greylisting knows was on disk last.", write_field, GUARD(greylist_saved) },
	{ "postern_greylist_saved_bytes", G, "What it takes there.", write_field,
	  GUARD(greylist_bytes) },
	{ "postern_greylist_save_failures_total", C, "Times that it could not be written.",
	  write_field, GUARD(greylist_failures) },
	{ "postern_trusted_total", C, "Sources that have earned trust.", write_field,
	  GUARD(trusts) },
	{ "postern_learned_full_total", C, "Sources that the kernel had no room for.", write_field,
	  GUARD(refused) },
	{ "postern_learned_sources", G, "Sources that the kernel knows.", write_learned, 0 },
	{ "postern_learned_capacity", G, "Sources that it has room for.", write_field,
	  GUARD(learned.capacity) },
	{ "postern_history_sources", G, "Sources whose history is kept.", write_field,
	  GUARD(histories) },
	{ "postern_dnsbl_zone_up", G, "1 if the zone is well and counts.", write_zone_up, 0 },
	{ "postern_dnsbl_zone_health_info", G,
	  "How the zone is, by its tests and its answers to clients.", write_zone_health, 0 },
	{ "postern_dnsbl_queries_total", C, "Clients and domains that the zone was asked for.",
	  write_zone, ZONE(asked) },
	{ "postern_dnsbl_listings_total", C, "Of them, those that it listed.", write_zone,
	  ZONE(listed) },
	{ "postern_dnsbl_temporary_total", C, "Of them, those that it did not answer.", write_zone,
	  ZONE(temporary) },
	{ "postern_dnsbl_errors_total", C, "Answers that were error codes, or made no sense.",
	  write_zone, ZONE(errors) },
	{ "postern_dnsbl_failures_total", C, "Times that the zone went out of service.", write_zone,
	  ZONE(failures) },
	{ "postern_dns_questions_total", C, "Questions that were asked by anybody.", write_field,
	  GUARD(dns.questions) },
	{ "postern_dns_answers_total", C, "Answers by status; busy is over a budget.",
	  write_answers, 0 },
	{ "postern_dns_cache_hits_total", C, "Questions that the cache answered.", write_field,
	  GUARD(dns.hits) },
	{ "postern_dns_coalesced_total", C, "Questions that joined one that was under way.",
	  write_field, GUARD(dns.coalesced) },
	{ "postern_dns_queries_total", C, "Queries that were sent to servers.", write_field,
	  GUARD(dns.queries) },
	{ "postern_dns_timeouts_total", C, "Of them, those that nobody answered in time.",
	  write_field, GUARD(dns.timeouts) },
	{ "postern_dns_refusals_total", C, "Of them, those answered with SERVFAIL or REFUSED.",
	  write_field, GUARD(dns.refusals) },
	{ "postern_dns_nonsense_total", C, "Of them, those with an answer that makes no sense.",
	  write_field, GUARD(dns.nonsense) },
	{ "postern_dns_tcp_total", C, "Connections to servers over TCP.", write_field,
	  GUARD(dns.tcp) },
	{ "postern_dns_failovers_total", C, "Times that a server was given up for a while.",
	  write_field, GUARD(dns.failovers) },
	{ "postern_dns_query_duration_seconds", H, "How long servers took to answer.",
	  write_latency, GUARD(dns.latency) },
	{ "postern_dns_in_flight", G, "Questions under way.", write_field, GUARD(dns.in_flight) },
	{ "postern_dns_cache_entries", G, "Answers in the cache.", write_field,
	  GUARD(dns.cache_entries) },
	{ "postern_dns_cache_bytes", G, "Memory that they take.", write_field,
	  GUARD(dns.cache_bytes) },
	{ "postern_dns_cache_evicted_total", C, "Answers that left before their time.", write_field,
	  GUARD(dns.evicted) },
	{ "postern_dns_servers_down", G, "Servers that do not answer at the moment.", write_field,
	  GUARD(dns.servers_down) },
	{ "postern_dns_rewrites", G,
	  "1 if a server answers for names that do not exist: no DNS list counts then.",
	  write_field, GUARD(dns.rewrites) },
};

const size_t metrics_guard_count = sizeof(metrics_guard) / sizeof(metrics_guard[0]);
