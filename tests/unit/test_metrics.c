/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_metrics.c - the Prometheus text: what it says, and that it is well-formed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "obs/metrics.h"
#include "obs/names.h"

#define FAMILIES_MAX 128
#define SERIES_MAX   1024

static struct view *make_view(void)
{
	struct view *view = calloc(1, sizeof(*view));

	view->connections = 7;
	view->sizes = (struct gate_sizes){ .entries4 = 11,
					   .entries6 = 12,
					   .capacity4 = 1000,
					   .capacity6 = 2000,
					   .rebuilds = 3,
					   .rebuild_ms = 1500 };
	view->counters.reason[reason_index(REASON_LISTED, FAMILY_IPV6, OUTCOME_MONITORED)] =
		(struct counter){ 5, 300 };
	view->counters.list[list_index(62, FAMILY_IPV4, OUTCOME_ENFORCED)] =
		(struct counter){ UINT64_MAX, 0 };
	view->counters.health[HEALTH_METER_FULL] = 9;
	view->list_count = 2;
	view->list[0] = (struct list_info){ .name = "drop-1.2_x",
					    .slot = 62,
					    .ipv4 = 4,
					    .ipv6 = 6,
					    .monitor = 1,
					    .changed = 1700000000 };
	view->list[1] = (struct list_info){ .name = "trusted", .kind = LIST_KIND_ALLOW };
	view->interface_count = 1;
	view->interface[0] = (struct gate_interface){ .name = "a\"b\\c\xff",
						      .shared = true,
						      .mode = GATE_MODE_GENERIC };
	view->keeper_up = true;
	view->flood_count = 2;
	view->flood[0] = (struct gate_flood){ .port = 25, .active = true, .rate = 123456 };
	view->flood[1] = (struct gate_flood){ .port = 587, .floods = 4, .peak = 1 };
	view->cookies.cookies = GATE_COOKIES_UNAVAILABLE;
	view->counters.health[HEALTH_REFUSALS_SENT] = 77;
	view->counters.health[HEALTH_NEWCOMERS_LOST] = 78;
	return view;
}

static char *render(struct view *view)
{
	static const struct metrics_limit limits[] = { { "rate-source", 20 }, { "conn-net", 0 } };
	const struct guard_stats guard = {
		.newcomers = { 11, 12 },
		.latency = { .class = { [0] = 3, [2] = 4, [12] = 5 }, .sum_ms = 1500 },
		.verdicts = { [DECISION_REJECT] = 6 },
		.zones = 2,
		.zone = { { .zone = "bl.example", .health = DNSBL_SERVING, .asked = 21 },
			  { .zone = "dbl.example", .domains = true, .health = DNSBL_WORLD } },
		.dns = { .answers = { [DNS_BUSY] = 31 } },
	};
	const struct metrics_input input = { .view = view,
					     .guard = &guard,
					     .limit = limits,
					     .limit_count = 2,
					     .monitor = true,
					     .unlogged = 8,
					     .started = 1600000000,
					     .version = "1.2" };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	metrics_write(&input, out);
	fclose(out);
	return text;
}

static int setup(void **state)
{
	struct view *view = make_view();

	*state = render(view);
	free(view);
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void test_values(void **state)
{
	static const char *const lines[] = {
		"postern_build_info{version=\"1.2\",abi=\"3\"} 1",
		"process_start_time_seconds 1600000000",
		"postern_monitor 1",
		"postern_interface_info{interface=\"a\\\"b\\\\c?\",mode=\"generic\",shared="
		"\"true\"} 1",
		"postern_reason_info{reason=\"accepted\",kind=\"pass\"} 1",
		"postern_packets_total{reason=\"listed\",family=\"ipv6\",outcome=\"monitored\"} 5",
		"postern_packet_bytes_total{reason=\"listed\",family=\"ipv6\",outcome="
		"\"monitored\"} 300",
		"postern_list_packets_total{list=\"drop-1.2_x\",kind=\"block\",family=\"ipv4\","
		"outcome=\"enforced\"} 18446744073709551615",
		"postern_list_entries{list=\"drop-1.2_x\",kind=\"block\",family=\"ipv6\"} 6",
		"postern_list_entries{list=\"trusted\",kind=\"allow\",family=\"ipv4\"} 0",
		"postern_list_monitor{list=\"drop-1.2_x\",kind=\"block\"} 1",
		"postern_list_changed_timestamp_seconds{list=\"drop-1.2_x\",kind=\"block\"} "
		"1700000000",
		"postern_limit{key=\"rate-source\"} 20",
		"postern_limit{key=\"conn-net\"} 0",
		"postern_table_entries{family=\"ipv4\"} 11",
		"postern_table_capacity{family=\"ipv6\"} 2000",
		"postern_table_rebuilds_total 3",
		"postern_table_rebuild_duration_seconds 1.500",
		"postern_connections 7",
		"postern_meter_full_total 9",
		"postern_events_unlogged_total 8",
		"postern_flood_active{port=\"25\"} 1",
		"postern_flood_active{port=\"587\"} 0",
		"postern_flood_syns_per_second{port=\"25\"} 123456",
		"postern_floods_total{port=\"587\"} 4",
		"postern_syn_cookies{state=\"unavailable\"} 1",
		"postern_syn_cookies{state=\"armed\"} 0",
		"postern_keeper_up 1",
		"postern_refusals_sent_total 77",
		"postern_newcomers_total{evidence=\"syn\"} 11",
		"postern_newcomers_total{evidence=\"handshake\"} 12",
		"postern_verdicts_total{decision=\"reject\"} 6",
		"postern_verdict_duration_seconds_bucket{le=\"0.001\"} 3",
		"postern_verdict_duration_seconds_bucket{le=\"0.005\"} 7",
		"postern_verdict_duration_seconds_bucket{le=\"5\"} 7",
		"postern_verdict_duration_seconds_bucket{le=\"+Inf\"} 12",
		"postern_verdict_duration_seconds_sum 1.500",
		"postern_verdict_duration_seconds_count 12",
		"postern_dnsbl_zone_up{zone=\"bl.example\",of=\"address\"} 1",
		"postern_dnsbl_zone_up{zone=\"dbl.example\",of=\"domain\"} 0",
		"postern_dnsbl_queries_total{zone=\"bl.example\",of=\"address\"} 21",
		"postern_dns_answers_total{status=\"busy\"} 31",
		"postern_newcomers_lost_total 78",
		"postern_packets_total{reason=\"challenged\",family=\"ipv4\",outcome=\"monitored\"}"
		" "
		"0",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char line[256];

		snprintf(line, sizeof(line), "\n%s\n", lines[i]);
		if (!strstr(*state, line))
			fail_msg("no line: %s", lines[i]);
	}
}

/* A rate needs its series from the start: nothing that can be counted is missing. */
static void test_every_reason_is_there(void **state)
{
	char line[256];

	for (unsigned int reason = 0; reason < REASON_COUNT; reason++)
		for (unsigned int family = 0; family < FAMILY_COUNT; family++) {
			snprintf(line, sizeof(line),
				 "\npostern_packets_total{reason=\"%s\",family=\"%s\","
				 "outcome=\"enforced\"} ",
				 reason_name(reason), family_name(family));
			assert_non_null(strstr(*state, line));
		}
	for (unsigned int reason = REASON_TINY_FRAGMENT; reason < REASON_COUNT; reason++) {
		snprintf(line, sizeof(line),
			 "\npostern_packets_total{reason=\"%s\",family=\"ipv4\",outcome="
			 "\"monitored\"} ",
			 reason_name(reason));
		assert_non_null(strstr(*state, line));
	}
	assert_null(strstr(*state, "reason=\"accepted\",family=\"ipv4\",outcome=\"monitored\""));
}

struct seen {
	char family[128]; /* the one whose samples may come now */
	char type[16];
	char families[FAMILIES_MAX][128];
	size_t family_count;
	char *series[SERIES_MAX];
	size_t series_count;
};

/* "# HELP name text", then "# TYPE name type", and each name once. */
static void see_comment(struct seen *seen, const char *line)
{
	char name[128], type[16], help[8];

	if (sscanf(line, "# HELP %127s %7s", name, help) == 2) {
		for (size_t i = 0; i < seen->family_count; i++)
			assert_string_not_equal(seen->families[i], name);
		assert_true(seen->family_count < FAMILIES_MAX);
		strcpy(seen->families[seen->family_count++], name);
		return;
	}
	assert_int_equal(sscanf(line, "# TYPE %127s %15s", name, type), 2);
	assert_string_equal(name, seen->families[seen->family_count - 1]);
	strcpy(seen->family, name);
	strcpy(seen->type, type);
}

static void see_sample(struct seen *seen, char *line)
{
	const size_t len = strcspn(line, "{ "), suffix = strlen("_total");
	char *value = strrchr(line, ' '), *end;

	/* A histogram's series are NAME_bucket, NAME_sum and NAME_count. */
	if (strcmp(seen->type, "histogram") != 0)
		assert_int_equal(len, strlen(seen->family));
	assert_memory_equal(line, seen->family, strlen(seen->family));
	assert_int_equal(!strcmp(seen->type, "counter"),
			 len > suffix && !memcmp(line + len - suffix, "_total", suffix));
	strtod(value + 1, &end);
	assert_true(end > value + 1 && *end == '\0');
	*value = '\0';
	for (size_t i = 0; i < seen->series_count; i++)
		assert_string_not_equal(seen->series[i], line);
	assert_true(seen->series_count < SERIES_MAX);
	seen->series[seen->series_count++] = line;
}

static void test_well_formed(void **state)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	char *text = *state, *next;

	assert_int_equal(text[strlen(text) - 1], '\n');
	for (char *line = text; *line; line = next) {
		next = strchr(line, '\n') + 1;
		next[-1] = '\0';
		if (line[0] == '#')
			see_comment(seen, line);
		else
			see_sample(seen, line);
	}
	assert_true(seen->series_count > REASON_COUNT);
	free(seen);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_reason_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_well_formed, setup, teardown),
	};
	void *text;

	/* "test_metrics --print | promtool check metrics" */
	if (argc == 2 && !strcmp(argv[1], "--print")) {
		setup(&text);
		fputs(text, stdout);
		return teardown(&text);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
