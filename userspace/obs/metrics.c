/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * obs/metrics.c - see obs/metrics.h; those of the guard are in obs/metrics_guard.c. A new metric is
 * a row of `metrics` and, unless it is like another one, a function that writes its samples.
 */
#include "obs/metrics_internal.h"

#include <inttypes.h>
#include <string.h>

#include "lib/text.h"
#include "maps/abi.h"
#include "obs/names.h"

static void write_build(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	fprintf(out, "%s{version=\"%s\",abi=\"%u\"} 1\n", metric->name, input->version,
		POSTERN_ABI_VERSION);
}

static void write_started(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	fprintf(out, "%s %u\n", metric->name, input->started);
}

static void write_monitor(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	fprintf(out, "%s %d\n", metric->name, input->monitor);
}

static void write_keeper(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	fprintf(out, "%s %d\n", metric->name, input->view->keeper_up);
}

/* An interface's name may hold almost any byte; a label may not. */
static void write_label(const char *text, size_t len, FILE *out)
{
	char clean[TEXT_SHOWN_MAX];

	text_clean(clean, sizeof(clean), text, len);
	for (const char *c = clean; *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', out);
		fputc(*c, out);
	}
}

static void write_interfaces(const struct metric *metric, const struct metrics_input *input,
			     FILE *out)
{
	for (size_t i = 0; i < input->view->interface_count; i++) {
		const struct gate_interface *at = &input->view->interface[i];

		fprintf(out, "%s{interface=\"", metric->name);
		write_label(at->name, strnlen(at->name, sizeof(at->name)), out);
		fprintf(out, "\",mode=\"%s\",shared=\"%s\"} 1\n", gate_mode_name(at->mode),
			at->shared ? "true" : "false");
	}
}

/* `detail`: the offset of the counter's field. */
static uint64_t counter_field(const struct counter *counter, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)counter + offset, sizeof(value));
	return value;
}

static void write_reason_kinds(const struct metric *metric, const struct metrics_input *input,
			       FILE *out)
{
	(void)input;
	for (unsigned int reason = 0; reason < REASON_COUNT; reason++)
		fprintf(out, "%s{reason=\"%s\",kind=\"%s\"} 1\n", metric->name, reason_name(reason),
			reason_kind_name(reason));
}

/* What PASS reasons let through is never "monitored", but for a challenge that was not made. */
static bool series_exists(unsigned int reason, unsigned int outcome)
{
	return outcome == OUTCOME_ENFORCED || reason == REASON_CHALLENGED ||
	       !strcmp(reason_kind_name(reason), reason_kind_name(REASON_LISTED));
}

static void write_reason(const struct metric *metric, const struct metrics_input *input,
			 unsigned int reason, FILE *out)
{
	const struct counter *counters = input->view->counters.reason;

	for (unsigned int i = 0; i < FAMILY_COUNT * OUTCOME_COUNT; i++) {
		const unsigned int family = i / OUTCOME_COUNT, outcome = i % OUTCOME_COUNT;

		if (series_exists(reason, outcome))
			fprintf(out,
				"%s{reason=\"%s\",family=\"%s\",outcome=\"%s\"} "
				"%" PRIu64 "\n",
				metric->name, reason_name(reason), family_name(family),
				outcome_name(outcome),
				counter_field(&counters[reason_index(reason, family, outcome)],
					      metric->detail));
	}
}

static void write_reasons(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (unsigned int reason = 0; reason < REASON_COUNT; reason++)
		write_reason(metric, input, reason, out);
}

static void write_list(const struct metric *metric, const struct metrics_input *input,
		       const struct list_info *list, FILE *out)
{
	const struct counter *counters = input->view->counters.list;

	for (unsigned int i = 0; i < FAMILY_COUNT * OUTCOME_COUNT; i++) {
		const unsigned int family = i / OUTCOME_COUNT, outcome = i % OUTCOME_COUNT;

		fprintf(out,
			"%s{list=\"%s\",kind=\"%s\",family=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
			metric->name, list->name, list_kind_name(list->kind), family_name(family),
			outcome_name(outcome),
			counter_field(&counters[list_index(list->slot, family, outcome)],
				      metric->detail));
	}
}

static void write_lists(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (size_t i = 0; i < input->view->list_count; i++)
		write_list(metric, input, &input->view->list[i], out);
}

static void write_list_entries(const struct metric *metric, const struct metrics_input *input,
			       FILE *out)
{
	for (size_t i = 0; i < input->view->list_count; i++) {
		const struct list_info *list = &input->view->list[i];
		const uint64_t entries[FAMILY_COUNT] = { list->ipv4, list->ipv6 };

		for (unsigned int family = 0; family < FAMILY_COUNT; family++)
			fprintf(out, "%s{list=\"%s\",kind=\"%s\",family=\"%s\"} %" PRIu64 "\n",
				metric->name, list->name, list_kind_name(list->kind),
				family_name(family), entries[family]);
	}
}

static void write_list_changed(const struct metric *metric, const struct metrics_input *input,
			       FILE *out)
{
	for (size_t i = 0; i < input->view->list_count; i++) {
		const struct list_info *list = &input->view->list[i];

		fprintf(out, "%s{list=\"%s\",kind=\"%s\"} %u\n", metric->name, list->name,
			list_kind_name(list->kind), list->changed);
	}
}

static void write_list_monitor(const struct metric *metric, const struct metrics_input *input,
			       FILE *out)
{
	for (size_t i = 0; i < input->view->list_count; i++) {
		const struct list_info *list = &input->view->list[i];

		fprintf(out, "%s{list=\"%s\",kind=\"%s\"} %d\n", metric->name, list->name,
			list_kind_name(list->kind), list->monitor != 0);
	}
}

static void write_limits(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (size_t i = 0; i < input->limit_count; i++)
		fprintf(out, "%s{key=\"%s\"} %" PRIu64 "\n", metric->name, input->limit[i].key,
			input->limit[i].value);
}

static void write_table_entries(const struct metric *metric, const struct metrics_input *input,
				FILE *out)
{
	const struct gate_sizes *sizes = &input->view->sizes;

	fprintf(out, "%s{family=\"ipv4\"} %" PRIu64 "\n", metric->name, sizes->entries4);
	fprintf(out, "%s{family=\"ipv6\"} %" PRIu64 "\n", metric->name, sizes->entries6);
}

static void write_table_capacity(const struct metric *metric, const struct metrics_input *input,
				 FILE *out)
{
	const struct gate_sizes *sizes = &input->view->sizes;

	fprintf(out, "%s{family=\"ipv4\"} %" PRIu64 "\n", metric->name, sizes->capacity4);
	fprintf(out, "%s{family=\"ipv6\"} %" PRIu64 "\n", metric->name, sizes->capacity6);
}

/* `detail`: the offset of a field of 64 bits in struct gate_sizes. */
static void write_size(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	uint64_t value;

	memcpy(&value, (const char *)&input->view->sizes + metric->detail, sizeof(value));
	fprintf(out, "%s %" PRIu64 "\n", metric->name, value);
}

static void write_rebuilds(const struct metric *metric, const struct metrics_input *input,
			   FILE *out)
{
	fprintf(out, "%s %u\n", metric->name, input->view->sizes.rebuilds);
}

static void write_rebuild_time(const struct metric *metric, const struct metrics_input *input,
			       FILE *out)
{
	fprintf(out, "%s %.3f\n", metric->name, input->view->sizes.rebuild_ms / 1e3);
}

static void write_connections(const struct metric *metric, const struct metrics_input *input,
			      FILE *out)
{
	fprintf(out, "%s %u\n", metric->name, input->view->connections);
}

/* `detail`: enum health. */
static void write_health(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	fprintf(out, "%s %" PRIu64 "\n", metric->name,
		input->view->counters.health[metric->detail]);
}

static void write_unlogged(const struct metric *metric, const struct metrics_input *input,
			   FILE *out)
{
	fprintf(out, "%s %" PRIu64 "\n", metric->name, input->unlogged);
}

/* `detail`: the offset of a field of 32 bits in struct gate_flood. */
static void write_floods(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (size_t i = 0; i < input->view->flood_count; i++) {
		const struct gate_flood *flood = &input->view->flood[i];
		uint32_t value;

		memcpy(&value, (const char *)flood + metric->detail, sizeof(value));
		fprintf(out, "%s{port=\"%u\"} %u\n", metric->name, flood->port, value);
	}
}

static void write_flood_active(const struct metric *metric, const struct metrics_input *input,
			       FILE *out)
{
	for (size_t i = 0; i < input->view->flood_count; i++)
		fprintf(out, "%s{port=\"%u\"} %d\n", metric->name, input->view->flood[i].port,
			input->view->flood[i].active);
}

static void write_cookies(const struct metric *metric, const struct metrics_input *input, FILE *out)
{
	for (unsigned int state = 0; state <= GATE_COOKIES_UNAVAILABLE; state++)
		fprintf(out, "%s{state=\"%s\"} %d\n", metric->name, cookies_name(state),
			input->view->cookies.cookies == state);
}

#define PACKETS      offsetof(struct counter, packets)
#define BYTES        offsetof(struct counter, bytes)
#define SIZE(field)  offsetof(struct gate_sizes, field)
#define FLOOD(field) offsetof(struct gate_flood, field)
#define G            METRIC_GAUGE
#define C            METRIC_COUNTER

static const struct metric metrics[] = {
	{ "postern_build_info", G, "Version of the agent and of its contract with the kernel.",
	  write_build, 0 },
	{ "process_start_time_seconds", G, "When the agent started, in seconds since 1970.",
	  write_started, 0 },
	{ "postern_monitor", G, "1 in monitor mode: everything is counted, nothing is stopped.",
	  write_monitor, 0 },
	{ "postern_keeper_up", G, "1 while the privileged helper of the agent is there.",
	  write_keeper, 0 },
	{ "postern_interface_info", G, "An interface that the program is attached to.",
	  write_interfaces, 0 },
	{ "postern_reason_info", G, "Whether packets of the reason pass or are stopped.",
	  write_reason_kinds, 0 },
	{ "postern_packets_total", C, "Packets by the reason of their verdict.", write_reasons,
	  PACKETS },
	{ "postern_packet_bytes_total", C, "Bytes of these packets.", write_reasons, BYTES },
	{ "postern_list_packets_total", C, "Connection attempts from an address on the list.",
	  write_lists, PACKETS },
	{ "postern_list_packet_bytes_total", C, "Bytes of these packets.", write_lists, BYTES },
	{ "postern_list_entries", G, "Entries of the list.", write_list_entries, 0 },
	{ "postern_list_changed_timestamp_seconds", G, "When the list was changed last.",
	  write_list_changed, 0 },
	{ "postern_list_monitor", G, "1 if the list is in monitor mode.", write_list_monitor, 0 },
	{ "postern_limit", G, "Limits in force, as in 'posternctl limits show'; 0 is no limit.",
	  write_limits, 0 },
	{ "postern_table_entries", G, "Entries in the kernel's table.", write_table_entries, 0 },
	{ "postern_table_capacity", G, "Entries that the kernel's table was made for.",
	  write_table_capacity, 0 },
	{ "postern_table_pages", G, "Lines of 64 bytes that pages of the table use.", write_size,
	  SIZE(pages) },
	{ "postern_table_page_capacity", G, "Lines that the table has for pages.", write_size,
	  SIZE(page_capacity) },
	{ "postern_table_memory_bytes", G, "Memory of all maps of the kernel.", write_size,
	  SIZE(bytes) },
	{ "postern_table_rebuilds_total", C, "Times the table was built anew.", write_rebuilds, 0 },
	{ "postern_table_rebuild_duration_seconds", G, "How long the last of them took.",
	  write_rebuild_time, 0 },
	{ "postern_connections", G, "Connections to protected ports that are open.",
	  write_connections, 0 },
	{ "postern_meter_cells", G, "Sources, networks and sites that can be metered at a time.",
	  write_size, SIZE(meter_cells) },
	{ "postern_meter_full_total", C, "Decisions left to the wider limit for want of room.",
	  write_health, HEALTH_METER_FULL },
	{ "postern_events_total", C, "Stopped packets that were told about in detail.",
	  write_health, HEALTH_EVENTS_SENT },
	{ "postern_events_lost_total", C, "Events that found the ring buffer full.", write_health,
	  HEALTH_EVENTS_LOST },
	{ "postern_events_skipped_total", C, "Events beyond the budget: counted, not told.",
	  write_health, HEALTH_EVENTS_SKIPPED },
	{ "postern_events_unlogged_total", C,
	  "Events beyond the budget of the log: kept for 'why'.", write_unlogged, 0 },
	{ "postern_resets_sent_total", C, "RST segments sent.", write_health, HEALTH_RESETS_SENT },
	{ "postern_resets_skipped_total", C, "RST segments beyond reset-rate: dropped in silence.",
	  write_health, HEALTH_RESETS_SKIPPED },
	{ "postern_flood_active", G, "1 while a flood of connection attempts to the port is on.",
	  write_flood_active, 0 },
	{ "postern_flood_syns_per_second", G, "Connection attempts a second to the port, now.",
	  write_floods, FLOOD(rate) },
	{ "postern_floods_total", C, "Floods of the port that have begun.", write_floods,
	  FLOOD(floods) },
	{ "postern_syn_cookies", G, "1 for the state that SYN cookies are in.", write_cookies, 0 },
	{ "postern_cookies_sent_total", C, "SYN cookies sent during floods.", write_health,
	  HEALTH_COOKIES_SENT },
	{ "postern_cookies_skipped_total", C,
	  "Attempts during floods that got no SYN cookie: the limits decided about them.",
	  write_health, HEALTH_COOKIES_SKIPPED },
	{ "postern_holds_sent_total", C, "Segments sent to hold sources in a refusal or tarpit.",
	  write_health, HEALTH_HOLDS_SENT },
	{ "postern_refusals_sent_total", C, "SMTP replies 554 sent to sources that are refused.",
	  write_health, HEALTH_REFUSALS_SENT },
	{ "postern_answers_skipped_total", C, "Answers of these two kinds that could not be sent.",
	  write_health, HEALTH_ANSWERS_SKIPPED },
	{ "postern_newcomers_syn_total", C, "New sources that were told about at their SYN.",
	  write_health, HEALTH_NEWCOMERS_SYN },
	{ "postern_newcomers_completed_total", C,
	  "New sources that were told about when they had connected.", write_health,
	  HEALTH_NEWCOMERS_COMPLETED },
	{ "postern_newcomers_skipped_total", C, "New sources beyond the budget: not told about.",
	  write_health, HEALTH_NEWCOMERS_SKIPPED },
	{ "postern_newcomers_lost_total", C, "New sources that found their ring buffer full.",
	  write_health, HEALTH_NEWCOMERS_LOST },
};

uint64_t metrics_field(const void *of, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)of + offset, sizeof(value));
	return value;
}

void metrics_write_table(const struct metric *metric, size_t count,
			 const struct metrics_input *input, FILE *out)
{
	for (size_t i = 0; i < count; i++, metric++) {
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
			metric->name, metric->type);
		metric->write(metric, input, out);
	}
}

void metrics_write(const struct metrics_input *input, FILE *out)
{
	metrics_write_table(metrics, sizeof(metrics) / sizeof(metrics[0]), input, out);
	metrics_write_table(metrics_guard, metrics_guard_count, input, out);
	if (input->smtp)
		metrics_write_table(metrics_smtp, metrics_smtp_count, input, out);
}
