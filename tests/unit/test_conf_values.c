/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of conf: values that are refused, alone and beside others, in files and from the operator,
 * and in which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void values_out_of_range(void **state)
{
	static const struct refused rows[] = {
		{ "limits:\n  rate-source: 5000000\n",
		  "f:2: limits.rate-source: 5000000 is out of range 0 to 1000000" },
		{ "limits: {rate-source: 99999999999999999999999}",
		  "f:1: limits.rate-source: 99999999999999999999999 is out of range 0 to 1000000" },
		{ "limits: {conn-total: -1}",
		  "f:1: limits.conn-total: -1 is out of range 0 to 1000000" },
		{ "store-size: 15", "f:1: store-size: 15 is out of range 16 to 1048576" },
		{ "store-size: 2M", "f:1: store-size: 2M is out of range 16 to 1048576" },
		{ "table: {capacity-ipv4: 999}",
		  "f:1: table.capacity-ipv4: 999 is out of range 1000 to 10000000" },
		{ "table: {capacity-ipv6: 10000001}",
		  "f:1: table.capacity-ipv6: 10000001 is out of range 1000 to 10000000" },
		{ "table: {sources: 1023}",
		  "f:1: table.sources: 1023 is out of range 1024 to 16777216" },
		{ "events: {rate: 1000001}",
		  "f:1: events.rate: 1000001 is out of range 0 to 1000000" },
		{ "ports: [25,\n 0]", "f:2: ports: 0 is out of range 1 to 65535" },
		{ "ports: [65536]", "f:1: ports: 65536 is out of range 1 to 65535" },
		{ "dns: {servers: ['127.0.0.1:0']}",
		  "f:1: dns.servers: port: 0 is out of range 1 to 65535" },
		{ "dns: {timeout: 99}", "f:1: dns.timeout: 99 is out of range 100 to 30000" },
		{ "dns: {in-flight: 20001}",
		  "f:1: dns.in-flight: 20001 is out of range 1 to 20000" },
		{ "metrics: {listen: 127.0.0.1:0}",
		  "f:1: metrics.listen: port: 0 is out of range 1 to 65535" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

static void values_of_the_wrong_type(void **state)
{
	static const struct refused rows[] = {
		{ "store-size: many", "f:1: store-size: many is not a whole number" },
		{ "store-size: 1.5", "f:1: store-size: 1.5 is not a whole number" },
		{ "store-size: 0x20", "f:1: store-size: 0x20 is not a whole number" },
		{ "store-size: \"8192\"",
		  "f:1: store-size: is a text in quotes, but a whole number is wanted" },
		{ "store-size: [1]", "f:1: store-size: is a list, but a whole number is wanted" },
		{ "store-size: {a: 1}",
		  "f:1: store-size: is a mapping, but a whole number is wanted" },
		{ "store-size:\n", "f:1: store-size: has no value, but a whole number is wanted" },
		{ "store-size: ~", "f:1: store-size: has no value, but a whole number is wanted" },
		{ "monitor: 1", "f:1: monitor: 1 is neither true nor false" },
		{ "monitor: 'true'",
		  "f:1: monitor: is a text in quotes, but true or false is wanted" },
		{ "user: [a]", "f:1: user: is a list, but a text is wanted" },
		{ "user: null", "f:1: user: has no value, but a text is wanted" },
		{ "mode: fast", "f:1: mode: fast is none of filter, guard, proxy" },
		{ "log: {level: loud}",
		  "f:1: log.level: loud is none of debug, info, warning, error" },
		{ "log: {level: ''}",
		  "f:1: log.level: \"\" is none of debug, info, warning, error" },
		{ "ports: 25",
		  "f:1: ports: is a single value, but a list, as [25, 465] is wanted" },
		{ "ports: [\"25\"]",
		  "f:1: ports: is a text in quotes, but a list, as [25, 465] is wanted" },
		{ "ports: [[25]]", "f:1: ports: is a list, but a list, as [25, 465] is wanted" },
		{ "ports:\n- smtp", "f:2: ports: smtp is not a whole number" },
		{ "interfaces:\n", "f:1: interfaces: has no value, but a list, as [eth0, eth1] is "
				   "wanted" },
		{ "metrics: {listen: [::1]:9125}",
		  "f:1: metrics.listen: is a list, but ADDRESS:PORT (\"[::1]:9125\" in quotes) or "
		  "off is wanted" },
		{ "limits: 20", "f:1: limits: is a single value, but options are wanted below it, "
				"indented" },
		{ "limits: [20]", "f:1: limits: is a list, but options are wanted below it, "
				  "indented" },
		{ "25", "f:1: the file is a single value, but options are wanted, as \"monitor: "
			"true\"" },
		{ "\n- 25",
		  "f:2: the file is a list, but options are wanted, as \"monitor: true\"" },
		{ "? [a]\n: b", "f:1: the name of an option is wanted before \":\"" },
		{ "limits:\n  ? {a: b}\n  : c",
		  "f:2: the name of an option is wanted before \":\"" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

static void scores(void **state)
{
	static const struct refused rows[] = {
		{ "score: {spf-pass: -1001}",
		  "f:1: score.spf-pass: -1001 is out of range -1000 to 1000" },
		{ "score:\n  spf-fail: 1001",
		  "f:2: score.spf-fail: 1001 is out of range -1000 to 1000" },
		{ "score: {spf-fail: -99999999999999999999999}",
		  "f:1: score.spf-fail: -99999999999999999999999 is out of range -1000 to 1000" },
		{ "score: {spf-fail: 1k}", "f:1: score.spf-fail: 1k is not a whole number" },
		{ "score: {spf-fail: 1.5}", "f:1: score.spf-fail: 1.5 is not a whole number" },
		{ "score: {spf-fail: +1}", "f:1: score.spf-fail: +1 is not a whole number" },
		{ "score: {spf-fail: --1}", "f:1: score.spf-fail: --1 is not a whole number" },
		{ "score: {spf-fail: much}", "f:1: score.spf-fail: much is not a whole number" },
		{ "score: {spf-fail: \"1\"}",
		  "f:1: score.spf-fail: is a text in quotes, but a whole number is wanted" },
		{ "score: {spf-fail: }",
		  "f:1: score.spf-fail: has no value, but a whole number is wanted" },
		{ "policy: {slow: -1001}",
		  "f:1: policy.slow: -1001 is out of range -1000 to 1000" },
		{ "policy: {reject: -5}",
		  "f:1: policy.reject: a client of whom nothing is known has a score of 0, and "
		  "would be refused" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

static void times(void **state)
{
	static const struct refused rows[] = {
		{ "flood: {proof: 367d}", "f:1: flood.proof: 367d is out of range 1 to 31622400" },
		{ "flood: {proof: 0}", "f:1: flood.proof: 0 is out of range 1 to 31622400" },
		{ "flood: {proof: 0s}", "f:1: flood.proof: 0s is neither a whole number nor a "
					"duration, as 90s, 15m, 1h30m or 7d" },
		{ "flood: {proof: 7 d}", "f:1: flood.proof: 7 d is neither a whole number nor a "
					 "duration, as 90s, 15m, 1h30m or 7d" },
		{ "flood: {proof: 30m1h}", "f:1: flood.proof: 30m1h is neither a whole number nor "
					   "a duration, as 90s, 15m, 1h30m or 7d" },
		{ "flood: {proof: 9ms}", "f:1: flood.proof: 9ms is neither a whole number nor a "
					 "duration, as 90s, 15m, 1h30m or 7d" },
		{ "flood: {proof: '7d'}", "f:1: flood.proof: is a text in quotes, but a number or "
					  "a duration, as 90s or 7d is wanted" },
		{ "guard: {timeout: 61s}", "f:1: guard.timeout: 61s is out of range 100 to 60000" },
		{ "guard: {timeout: 99ms}",
		  "f:1: guard.timeout: 99ms is out of range 100 to 60000" },
		{ "guard: {timeout: ms}", "f:1: guard.timeout: ms is neither a whole number nor a "
					  "duration, as 90s, 15m, 1h30m or 7d" },
		{ "guard: {timeout: 99999999999999999999999999999999999ms}",
		  "f:1: guard.timeout: 99999999999999999999999999999999999ms is neither a whole "
		  "number nor a duration, as 90s, 15m, 1h30m or 7d" },
		/* No time. */
		{ "guard: {rate: 7d}", "f:1: guard.rate: 7d is not a whole number" },
		{ "escalation: {factor: 1m}", "f:1: escalation.factor: 1m is not a whole number" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

/* What YAML makes of rows of DNS lists, with and without quotes. More of them is in test_zone.c. */
#define UNQUOTED                                                                                   \
	"dnsbl.zones: a row without quotes is something else than a text to YAML: put it in "      \
	"quotes, as \"zen.spamhaus.org*8\""
static void lists_of_zones(void **state)
{
	static const struct refused rows[] = {
		{ "dnsbl: {zones: zen.example}",
		  "f:1: dnsbl.zones: is a single value, but a list of texts in quotes, as "
		  "[\"zen.spamhaus.org*8\"] is wanted" },
		{ "dnsbl:\n  zones:\n  - {SECRET}.dq.example", "f:3: " UNQUOTED },
		{ "dnsbl:\n  zones:\n  - zen.example: 8", "f:3: " UNQUOTED },
		{ "dnsbl:\n  zones:\n  - *8", "f:3: " UNQUOTED },
		{ "dnsbl:\n  zones:\n  - &14 a", "f:3: " UNQUOTED },
		{ "dnsbl:\n  zones:\n  - !zen a", "f:3: " UNQUOTED },
		{ "dnsbl:\n  zones:\n  - [a.example, b.example]", "f:3: " UNQUOTED },
		{ "dnsbl: {zones: [a.example=127.0.0.[1..3]*4]}",
		  "f:1: dnsbl.zones: a.example=127.0.0. has replies that are not four numbers, "
		  "sets or masks, as 127.0.0.[2;4..7]; was more meant? Rows need quotes" },
		{ "dnsbl: {zones: [a.example*4 b.example]}",
		  "f:1: dnsbl.zones: a.example*4 b.example has a weight that is not a whole number "
		  "from -1000 to 1000; was more meant? Rows need quotes" },
		{ "dnsbl: {zones: [\"a.example\"[]}",
		  "f:1: dnsbl.zones, where every row needs quotes: not valid YAML: did not find "
		  "expected ',' or ']' while parsing a flow sequence" },
		{ "dnsbl: {zones: {SECRET}.dq.example}",
		  "f:1: dnsbl.zones: is a mapping, but a list of texts in quotes, as "
		  "[\"zen.spamhaus.org*8\"] is wanted" },
		{ "dnsbl: {zones: [\"\"]}", "f:1: dnsbl.zones: \"\" has no name of a zone" },
		{ "dnsbl: {zones: [a.example,\n a.example*3]}",
		  "f:2: dnsbl.zones: a.example*3 is there twice, on lines 1 and 2" },
		{ "dnsbl:\n  domains:\n  - '{SECRET}.a.example=127.0.0.[2;3]'\n"
		  "  - 'secret.A.example.=127.0.0.[3;2]*5'\n",
		  "f:4: dnsbl.domains: secret.A.example.=127.0.0.[3;2]*5 is there twice, on lines "
		  "3 "
		  "and 4" },
		{ "dnsbl:\n  zones:\n  - 'secret.a.example'\n  - '{SECRET}.A.example'\n",
		  "f:4: dnsbl.zones: ....A.example is there twice, on lines 3 and 4" },
		{ "dnsbl: {zones: [\"{SECRET}.a.example=127.0.0.256\"]}",
		  "f:1: dnsbl.zones: ....a.example=127.0.0.256 has a number above 255 in its "
		  "replies" },
	};
	char many[4096] = "dnsbl: {zones: [";
	size_t used = strlen(many);

	(void)state;
	assert_refused(rows, COUNT(rows));
	for (int i = 0; i <= CONF_ZONES_MAX; i++)
		used += (size_t)snprintf(many + used, sizeof(many) - used, "z%d.example,", i);
	snprintf(many + used, sizeof(many) - used, "]}");
	assert_string_equal(refusal_of(many, strlen(many)),
			    "f:1: dnsbl.zones: more than 64 members");
}

static void values_that_a_checker_refuses(void **state)
{
	static const char account[] = "a name starts with a letter and goes on with letters, "
				      "digits, \"_\", \"-\" and \".\"";
	char expected[ERROR_TEXT_MAX];
	static const struct refused rows[] = {
		{ "state-directory: var/lib", "f:1: state-directory: a path starts with \"/\"" },
		{ "state-directory: ''", "f:1: state-directory: a path starts with \"/\"" },
		{ "pin-directory: /a/../b",
		  "f:1: pin-directory: a path must not go up with \"..\"" },
		{ "pin-directory: /a/..", "f:1: pin-directory: a path must not go up with \"..\"" },
		{ "control: {socket: \"/a\\nb\"}",
		  "f:1: control.socket: a path must not hold control characters" },
		{ "interfaces: [eth0, a b]",
		  "f:1: interfaces: not the name of a network interface" },
		{ "interfaces: ['']", "f:1: interfaces: not the name of a network interface" },
		{ "interfaces: [..]", "f:1: interfaces: not the name of a network interface" },
		{ "interfaces: [a/b]", "f:1: interfaces: not the name of a network interface" },
		{ "interfaces: [sixteen-letters-]",
		  "f:1: interfaces: sixteen-letters- is longer than the name of an interface can "
		  "be" },
		{ "metrics: {listen: example.org:9125}",
		  "f:1: metrics.listen: example.org:9125 must start with an address or localhost "
		  "(127.0.0.1), not with another name" },
		{ "metrics: {listen: 9125}",
		  "f:1: metrics.listen: 9125 is not ADDRESS:PORT, as 127.0.0.1:9125 or "
		  "\"[::1]:9125\"" },
		{ "metrics: {listen: ':9125'}",
		  "f:1: metrics.listen: :9125 is not ADDRESS:PORT, as 127.0.0.1:9125 or "
		  "\"[::1]:9125\"" },
		{ "metrics: {listen: '::1:9125'}",
		  "f:1: metrics.listen: ::1:9125 is not ADDRESS:PORT, as 127.0.0.1:9125 or "
		  "\"[::1]:9125\"" },
		{ "metrics: {listen: '[]:9125'}",
		  "f:1: metrics.listen: []:9125 must start with an address or localhost "
		  "(127.0.0.1), not with another name" },
		{ "metrics: {listen: 127.0.0.1:http}",
		  "f:1: metrics.listen: port: http is not a whole number" },
		{ "dns: {servers: [dns.example]}",
		  "f:1: dns.servers: dns.example must start with an address or localhost "
		  "(127.0.0.1), not with another name" },
		{ "dns: {servers: ['::1',\n '[::1]:53']}",
		  "f:2: dns.servers: [::1]:53 is there twice, on lines 1 and 2" },
		{ "ports: []", "f:1: ports: the list must not be empty" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
	snprintf(expected, sizeof(expected), "f:1: user: %s", account);
	assert_string_equal(refusal_of("user: ''", 8), expected);
	assert_string_equal(refusal_of("user: 1st", 9), expected);
	assert_string_equal(refusal_of("user: a b", 9), expected);
	snprintf(expected, sizeof(expected), "f:1: control.group: %s", account);
	assert_string_equal(refusal_of("control: {group: -a}", 20), expected);
}

static void contradictions(void **state)
{
	static const struct refused rows[] = {
		{ "limits:\n  rate-source: 300\n  rate-net: 150\n",
		  "f:3: limits.rate-net: 150 is less than limits.rate-source, 300 (line 2)" },
		{ "limits:\n  rate-net: 150\n  rate-source: 160\n",
		  "f:3: limits.rate-source: 160 is more than limits.rate-net, 150 (line 2)" },
		{ "limits:\n  rate-source: 101\n",
		  "f:2: limits.rate-source: 101 is more than limits.rate-net, 100 (the default)" },
		{ "limits:\n  rate-net: 19\n",
		  "f:2: limits.rate-net: 19 is less than limits.rate-source, 20 (the default)" },
		{ "limits:\n  rate-net: 0\n  rate-source: 201\n",
		  "f:3: limits.rate-source: 201 is more than limits.rate-site, 200 (the "
		  "default)" },
		{ "limits:\n  conn-total: 399\n",
		  "f:2: limits.conn-total: 399 is less than limits.conn-site, 400 (the default)" },
		{ "flood:\n  threshold: 1000\n  release: 1001\n",
		  "f:3: flood.release: 1001 is more than flood.threshold, 1000 (line 2)" },
		{ "flood:\n  release: 9000\n  threshold: 8000\n",
		  "f:3: flood.threshold: 8000 is less than flood.release, 9000 (line 2)" },
		{ "flood:\n  release: 20001\n",
		  "f:2: flood.release: 20001 is more than flood.threshold, 20000 (the default)" },
		{ "dns:\n  ttl-min: 61\n  ttl-max: 60\n",
		  "f:3: dns.ttl-max: 60 is less than dns.ttl-min, 61 (line 2)" },
		{ "dns:\n  ttl-negative: 9\n",
		  "f:2: dns.ttl-negative: 9 is less than dns.ttl-min, 10 (the default)" },
		{ "dns:\n  in-flight: 100\n",
		  "f:2: dns.in-flight: 100 is less than dns.in-flight-zone, 200 (the default)" },
		{ "flood:\n  threshold: 0\n  release: 5\n",
		  "f:3: flood.release: 5 has no effect beside flood.threshold, 0 (line 2)" },
		{ "flood:\n  release: 5\n  threshold: 0\n",
		  "f:3: flood.threshold: 0 leaves no effect to flood.release, 5 (line 2)" },
		{ "guard:\n  ttl-min: 2h\n",
		  "f:2: guard.ttl-min: 7200 is more than guard.ttl-max, 3600 (the default)" },
		{ "escalation:\n  ttl-max: 9m\n",
		  "f:2: escalation.ttl-max: 540 is less than escalation.ttl, 600 (the default)" },
		{ "greylist:\n  delay: 600\n  window: 10m\n",
		  "f:3: greylist.window: 600 is not more than greylist.delay, 600 (line 2)" },
		{ "smtp:\n  timeout-session: 4m\n",
		  "f:2: smtp.timeout-session: 240 is less than smtp.timeout-command, 300 (the "
		  "default)" },
		{ "smtp:\n  timeout-session: 4m\n  timeout-command: 60\n  timeout-data: 5m\n",
		  "f:4: smtp.timeout-data: 300 is more than smtp.timeout-session, 240 (line 2)" },
		{ "greylist:\n  window: 10m\n  delay: 600\n",
		  "f:3: greylist.delay: 600 is not less than greylist.window, 600 (line 2)" },
		{ "policy:\n  slow: 7\n",
		  "f:2: policy.slow: 7 is more than policy.greylist, 6 (the default)" },
		{ "policy:\n  reject: 5\n",
		  "f:2: policy.reject: 5 is less than policy.greylist, 6 (the default)" },
		{ "policy:\n  greylist: 0\n  slow: 11\n",
		  "f:3: policy.slow: 11 is more than policy.reject, 10 (the default)" },
		{ "policy:\n  slow: -3\n  greylist: -4\n",
		  "f:3: policy.greylist: -4 is less than policy.slow, -3 (line 2)" },
		{ "limits:\n  burst-source: 201\n", "f:2: limits.burst-source: 201 is more than "
						    "limits.burst-net, 200 (the default)" },
		{ "limits:\n  burst-total: 10\n",
		  "f:2: limits.burst-total: 10 has no effect beside limits.rate-total, 0 (the "
		  "default)" },
		{ "limits:\n  burst-source: 10\n  rate-source: 0\n",
		  "f:3: limits.rate-source: 0 leaves no effect to limits.burst-source, 10 (line "
		  "2)" },
		/* Of several, the one that is complete first. */
		{ "limits:\n  burst-total: 10\n  rate-source: 300\n",
		  "f:2: limits.burst-total: 10 has no effect beside limits.rate-total, 0 (the "
		  "default)" },
		{ "limits:\n  rate-source: 300\n  burst-total: 10\n",
		  "f:2: limits.rate-source: 300 is more than limits.rate-net, 100 (the default)" },
	};

	(void)state;
	assert_refused(rows, COUNT(rows));
}

static void values_that_do_not_contradict(void **state)
{
	static const char *const rows[] = {
		"limits: {rate-source: 0}", /* its burst was not written */
		"limits: {rate-source: 100}",
		"limits: {rate-net: 0, rate-site: 0, rate-source: 1M}",
		"limits: {rate-net: 0, burst-source: 300}", /* the burst of no rate does not count
							     */
		"limits: {burst-net: 0, burst-site: 0, burst-source: 1M}",
		"dns: {ttl-negative: 0}",
		"flood: {threshold: 0}",
		"flood: {threshold: 5, release: 5}",
		"guard: {ttl-min: 60, ttl-max: 60}",
		"escalation: {ttl: 60, ttl-max: 60}",
		"policy: {slow: 0}",
		"policy: {slow: 500, greylist: 0, reject: 0}",
		"policy: {slow: 6, greylist: 6, reject: 6}",
		"policy: {slow: -9, greylist: -9, reject: 0}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf = NULL;
		struct error err = { 0 };

		assert_int_equal(conf_parse("f", rows[i], strlen(rows[i]), &conf, &err), 0);
		conf_free(&conf);
	}
}

static void assert_usage(int rc, const struct error *err, const char *expected)
{
	assert_int_equal(rc, ERROR_USAGE);
	assert_int_equal(err->code, ERROR_USAGE);
	assert_string_equal(err->text, expected);
}

/* What an operator types obeys the same rows, and is a mistake of usage. */
static void what_the_operator_sets(void **state)
{
	struct conf *conf = NULL, *before = NULL;
	struct error err = { 0 };
	uint64_t value = 77;

	(void)state;
	assert_int_equal(conf_parse("f", "limits: {rate-net: 90}", 22, &conf, NULL), 0);
	assert_int_equal(conf_copy(conf, &before, NULL), 0);
	assert_usage(conf_option_set(conf, "limits.rate-sorce", "5", &err), &err,
		     "limits.rate-sorce: unknown option; did you mean limits.rate-source?");
	assert_usage(conf_option_set(conf, "limits.\n", "5", &err), &err,
		     "limits.?: unknown option");
	/* Too long to be like any name. */
	assert_usage(conf_option_set(conf,
				     "limits.rate-source-limits.rate-source-limits.rate-source-"
				     "limits.rate-source-limits.rate-source",
				     "5", &err),
		     &err,
		     "limits.rate-source-limits.rate-source-limits.rate-source-"
		     "limits.rate-source-...: unknown option");
	assert_usage(conf_option_set(conf, "limits.rate-source", "5000000", &err), &err,
		     "limits.rate-source: 5000000 is out of range 0 to 1000000");
	assert_usage(conf_option_set(conf, "ports", "25", &err), &err,
		     "ports: a list can only be set in the file");
	assert_usage(conf_option_set(conf, "user", "a b", &err), &err,
		     "user: a name starts with a letter and goes on with letters, digits, \"_\", "
		     "\"-\" and \".\"");
	assert_usage(conf_option_parse("limits.rate-source", "many", &value, &err), &err,
		     "limits.rate-source: many is not a whole number");
	assert_usage(conf_option_parse("mode", "auto", &value, &err), &err, "mode: not a number");
	assert_usage(conf_option_parse("x", "1", &value, &err), &err, "x: unknown option");
	assert_int_equal(conf_option_parse("x", "1", &value, NULL), ERROR_USAGE);
	assert_int_equal(value, 77);
	assert_memory_equal(conf, before, sizeof(*conf));
	conf_free(&conf);
	conf_free(&before);
}

static void what_the_operator_contradicts(void **state)
{
	struct conf *conf = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(conf_parse("f", "limits: {rate-net: 90}", 22, &conf, NULL), 0);
	assert_int_equal(conf_check(conf, &err), 0);
	assert_int_equal(conf_option_set(conf, "limits.rate-source", "91", &err), 0);
	assert_int_equal(conf_check(conf, &err), ERROR_REFUSED);
	assert_string_equal(err.text,
			    "limits.rate-source: 91 is more than limits.rate-net, 90 (f:1)");
	assert_int_equal(conf_option_set(conf, "limits.rate-net", "92", &err), 0);
	assert_int_equal(conf_check(conf, &err), 0);
	assert_int_equal(conf_option_set(conf, "limits.rate-net", "50", &err), 0);
	assert_int_equal(conf_check(conf, NULL), ERROR_REFUSED);
	assert_int_equal(conf_check(conf, &err), ERROR_REFUSED);
	assert_string_equal(err.text, "limits.rate-source: 91 is more than limits.rate-net, 50 "
				      "(set by the operator)");
	conf_free(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_out_of_range),
		cmocka_unit_test(values_of_the_wrong_type),
		cmocka_unit_test(scores),
		cmocka_unit_test(times),
		cmocka_unit_test(lists_of_zones),
		cmocka_unit_test(values_that_a_checker_refuses),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(values_that_do_not_contradict),
		cmocka_unit_test(what_the_operator_sets),
		cmocka_unit_test(what_the_operator_contradicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
