/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of how the SMTP front is shown: its metrics, and its part of `status`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "obs/metrics_internal.h"
#include "obs/refusal.h"

#define NS_A_SECOND 1000000000ull
#define EXPIRY      "postern_tls_certificate_expiry_timestamp_seconds"

static const struct smtp_view view = {
	.workers = 2,
	.sessions_max = 10,
	.stats = { .sessions = 11,
		   .open = 3,
		   .messages = 4,
		   .message_bytes = 5000000000,
		   .rejected = 6,
		   .refused = { [SMTP_REFUSED_RELAY] = 7, [SMTP_REFUSED_GREYLIST] = 12 },
		   .greylist_passed = 13,
		   .remembered = 17,
		   .watched = { [CHECK_SPF] = 14, [CHECK_PIPELINING] = 15 },
		   .balancer_errors = 16,
		   .latency = { .class = { [0] = 3, [1] = 1 }, .sum_ms = 2500 } },
	.unknowns = 18,
	.unknown_ttl = 19,
	.unknown_recipients = 20,
	.certificates = 2,
	.certificate = { { .file = "/a/mx.pem", .expires = 1800000001 },
			 { .file = "/b/\\x\"y.pem", .expires = 1900000000 } },
	.backends = 2,
	.backend = { { .name = "192.0.2.1:25", .up = true, .accepted = 8, .ambiguous = 9 },
		     { .name = "192.0.2.2:25",
		       .backup = true,
		       .why = "connect: refused",
		       .since = 100 * NS_A_SECOND } },
};

static void metrics(void **state)
{
	static const char *const lines[] = {
		"postern_smtp_sessions_total 11\n",
		"postern_smtp_sessions 3\n",
		"postern_smtp_messages_total 4\n",
		"postern_smtp_message_bytes_total 5000000000\n",
		"postern_smtp_messages_rejected_total 6\n",
		"postern_smtp_refused_total{reason=\"relay\"} 7\n",
		"postern_smtp_refused_total{reason=\"load\"} 0\n",
		"postern_smtp_refused_total{reason=\"greylist\"} 12\n",
		"postern_smtp_greylist_passed_total 13\n",
		"postern_smtp_remembered_total 17\n",
		"postern_smtp_remembered_recipients 18\n",
		"postern_smtp_watched_total{check=\"spf\"} 14\n",
		"postern_smtp_watched_total{check=\"pipelining\"} 15\n",
		"postern_smtp_watched_total{check=\"greylist\"} 0\n",
		"postern_smtp_balancer_errors_total 16\n",
		"postern_smtp_delivery_duration_seconds_count 4\n",
		"postern_smtp_delivery_duration_seconds_sum 2.500\n",
		EXPIRY "{file=\"/a/mx.pem\"} 1800000001\n",
		EXPIRY "{file=\"/b/\\\\x\\\"y.pem\"} 1900000000\n",
		"postern_backend_up{backend=\"192.0.2.1:25\"} 1\n",
		"postern_backend_up{backend=\"192.0.2.2:25\"} 0\n",
		"postern_backend_accepted_total{backend=\"192.0.2.1:25\"} 8\n",
		"postern_backend_ambiguous_total{backend=\"192.0.2.1:25\"} 9\n",
	};
	const struct metrics_input input = { .smtp = &view };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	metrics_write_table(metrics_smtp, metrics_smtp_count, &input, out);
	fclose(out);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("no line %s", lines[i]);
	free(text);
}

static json_int_t number(const json_t *of, const char *part, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(of, part), key));
}

static void status(void **state)
{
	const json_t *backends, *second, *first;
	json_t *json;

	(void)state;
	clock_freeze(1800000000, 130 * NS_A_SECOND);
	json = smtp_json(&view);
	assert_non_null(json);
	assert_int_equal(number(json, "sessions", "open"), 3);
	assert_int_equal(number(json, "sessions", "max"), 10);
	assert_int_equal(number(json, "sessions", "total"), 11);
	assert_int_equal(number(json, "messages", "accepted"), 4);
	assert_int_equal(number(json, "refused", "relay"), 7);
	assert_int_equal(number(json, "greylist", "passed"), 13);
	assert_int_equal(number(json, "unknown", "refused"), 17);
	assert_int_equal(number(json, "unknown", "remembered"), 18);
	assert_int_equal(number(json, "unknown", "max"), UNKNOWNS_MAX);
	assert_int_equal(number(json, "unknown", "ttl"), 19);
	assert_int_equal(number(json, "unknown", "hourly"), 20);
	assert_int_equal(number(json, "watched", "spf"), 14);
	assert_int_equal(json_object_size(json_object_get(json, "watched")), CHECK_COUNT - 1);
	assert_int_equal(json_object_size(json_object_get(json, "refused")), SMTP_REFUSALS);
	backends = json_object_get(json, "backends");
	assert_int_equal(json_array_size(backends), 2);
	second = json_array_get(backends, 1);
	assert_true(json_is_false(json_object_get(second, "up")));
	assert_true(json_is_true(json_object_get(second, "backup")));
	assert_int_equal(json_integer_value(json_object_get(second, "seconds")), 30);
	assert_string_equal(json_string_value(json_object_get(second, "why")), "connect: refused");
	first = json_array_get(json_object_get(json, "certificates"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "file")), "/a/mx.pem");
	assert_int_equal(json_integer_value(json_object_get(first, "expires")), 1800000001);
	json_decref(json);
	clock_freeze(0, 0);
}

static void refusal(void **state)
{
	const struct session_refusal one = { .id = 256,
					     .source = addr_from_ipv4(0xc0000207u),
					     .time = 1800000000,
					     .score = 12,
					     .lists = 8,
					     .findings = FINDING_BIT(FINDING_SPF_SOFTFAIL),
					     .reason = "relay",
					     .help = "not for you",
					     .detail = "<a@b.example>" };
	json_t *json = refusal_json(&one);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json, "source")), "192.0.2.7");
	assert_string_equal(json_string_value(json_object_get(json, "reason")), "relay");
	assert_string_equal(json_string_value(json_object_get(json, "help")), "not for you");
	assert_string_equal(json_string_value(json_object_get(json, "detail")), "<a@b.example>");
	assert_string_equal(json_string_value(json_object_get(json, "user")), "");
	assert_int_equal(json_integer_value(json_object_get(json, "score")), 12);
	assert_int_equal(json_integer_value(json_object_get(json, "lists")), 8);
	assert_int_equal(json_array_size(json_object_get(json, "findings")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "findings"), 0)),
			    "spf-softfail");
	assert_int_equal(json_integer_value(json_object_get(json, "time")), 1800000000);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics),
		cmocka_unit_test(status),
		cmocka_unit_test(refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
