/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of conf: defaults, every option, differences, origins, and the list of limits. What is
 * refused is in test_conf_values.c and test_conf_errors.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_limit(const struct conf *conf, enum meter_level level, uint32_t rate,
			 uint32_t burst, uint32_t conns)
{
	assert_int_equal(conf->limits.level[level].rate, rate);
	assert_int_equal(conf->limits.level[level].burst, burst);
	assert_int_equal(conf->limits.level[level].conns, conns);
}

static void assert_ports(const struct conf *conf, const uint16_t *ports, size_t count)
{
	assert_int_equal(conf->ports.count, count);
	assert_memory_equal(conf->ports.port, ports, count * sizeof(*ports));
}

static void the_defaults_are_those_of_the_manual(void **state)
{
	static const uint16_t ports[] = { 25, 465, 587, 110, 143, 993, 995 };
	struct conf *conf = read_defaults();

	(void)state;
	assert_string_equal(conf->user, "postern");
	assert_string_equal(conf->state_directory, "/var/lib/postern");
	assert_string_equal(conf->pin_directory, "/sys/fs/bpf/postern");
	assert_int_equal(conf->store_size, 8192);
	assert_int_equal(conf->interfaces.count, 0);
	assert_int_equal(conf->mode, CONF_MODE_AUTO);
	assert_ports(conf, ports, COUNT(ports));
	assert_false(conf->monitor);
	assert_string_equal(conf->control.socket, "/run/postern/control.sock");
	assert_string_equal(conf->control.group, "");
	assert_string_equal(conf->metrics.listen.host, "127.0.0.1");
	assert_int_equal(conf->metrics.listen.port, 9125);
	assert_int_equal(conf->log.level, LOG_LEVEL_INFO);
	assert_int_equal(conf->events.rate, 1000);
	assert_int_equal(conf->table.capacity_ipv4, 1048576);
	assert_int_equal(conf->table.capacity_ipv6, 524288);
	assert_int_equal(conf->table.sources, 262144);
	assert_limit(conf, METER_SOURCE, 20, 40, 50);
	assert_limit(conf, METER_NET, 100, 200, 200);
	assert_limit(conf, METER_SITE, 200, 400, 400);
	assert_limit(conf, METER_TOTAL, 0, 0, 0);
	assert_int_equal(conf->limits.reset_rate, 1000);
	assert_int_equal(conf->role, CONF_ROLE_FILTER);
	assert_int_equal(conf->dnsbl.zones.count, 0);
	assert_int_equal(conf->dnsbl.domains.count, 0);
	assert_int_equal(conf->dnsbl.test_interval, 300);
	assert_int_equal(conf->guard.ttl_max, 3600);
	assert_int_equal(conf->score[FINDING_RDNS_MISSING], 4);
	assert_int_equal(conf->score[FINDING_SPF_PASS], -1);
	assert_int_equal(conf->policy.reject, 10);
	assert_false(conf->greylist.enabled);
	assert_int_equal(conf->escalation.first_action, ACTION_REFUSE);
	assert_int_equal(conf->escalation.action, ACTION_DROP);
	assert_int_equal(conf->history.good, 5);
	assert_int_equal(conf->smtp.listen.count, 0);
	assert_int_equal(conf->smtp.size_max, 50000000);
	assert_int_equal(conf->smtp.timeout_command, 300);
	assert_int_equal(conf->smtp.greet_delay, 0);
	assert_false(conf->tls.required);
	assert_int_equal(conf->check.pregreet, CONF_CHECK_REJECT);
	assert_int_equal(conf->check.rdns, CONF_CHECK_MONITOR);
	assert_int_equal(conf->check.helo, CONF_CHECK_MONITOR);
	assert_int_equal(conf->check.score, CONF_CHECK_REJECT);
	assert_string_equal(conf->file, "");
	conf_free(&conf);
	assert_null(conf);
}

static void assert_zone(const struct conf_zone *zone, const char *name, const char *shown,
			int32_t weight)
{
	assert_string_equal(zone->name, name);
	assert_string_equal(conf_zone_shown(zone), shown);
	assert_int_equal(zone->weight, weight);
}

/* The sections of the reputation checks. */
static void every_check_is_read(void **state)
{
	struct conf *conf = read_conf(every_option);

	(void)state;
	assert_int_equal(conf->role, CONF_ROLE_GUARD);
	assert_int_equal(conf->dnsbl.zones.count, 3);
	assert_zone(&conf->dnsbl.zones.zone[0], "zen.example.org", "zen.example.org", 8);
	assert_zone(&conf->dnsbl.zones.zone[1], "list.example.org", "list.example.org", -4);
	assert_zone(&conf->dnsbl.zones.zone[2], "0123456789abcdef.dq.example.net", "dq.example.net",
		    1);
	assert_int_equal(conf->dnsbl.domains.count, 1);
	assert_zone(&conf->dnsbl.domains.zone[0], "multi.example.org", "multi.example.org", 4);
	assert_int_equal(conf->dnsbl.test_interval, 3600);
	assert_int_equal(conf->guard.rate, 1);
	assert_int_equal(conf->guard.cache, 1000);
	assert_int_equal(conf->guard.ttl_min, 120);
	assert_int_equal(conf->guard.ttl_max, 604800);
	assert_int_equal(conf->guard.timeout, 1000);
	assert_int_equal(conf->score[FINDING_RDNS_CONFIRMED], -1000);
	assert_int_equal(conf->score[FINDING_RDNS_MISSING], 1000);
	assert_int_equal(conf->policy.slow, -3);
	assert_int_equal(conf->policy.greylist, 0);
	assert_int_equal(conf->policy.reject, 1000);
	assert_true(conf->greylist.enabled);
	assert_int_equal(conf->greylist.delay, 60);
	assert_int_equal(conf->greylist.window, 4 * 3600);
	assert_int_equal(conf->greylist.keep, 604800);
	assert_int_equal(conf->escalation.first_action, ACTION_DROP);
	assert_int_equal(conf->escalation.action, ACTION_TARPIT);
	assert_int_equal(conf->escalation.ttl, 60);
	assert_int_equal(conf->escalation.ttl_max, 86400);
	assert_int_equal(conf->escalation.factor, 1);
	assert_int_equal(conf->escalation.forgive, 5400);
	assert_int_equal(conf->history.good, 0);
	assert_int_equal(conf->history.trust, 60);
	conf_free(&conf);
}

static void every_option_is_read(void **state)
{
	static const uint16_t ports[] = { 65535, 1 };
	struct conf *conf = read_conf(every_option);

	(void)state;
	assert_string_equal(conf->user, "mail-gate");
	assert_string_equal(conf->state_directory, "/srv/p o");
	assert_string_equal(conf->pin_directory, "/sys/fs/bpf/other");
	assert_int_equal(conf->store_size, 16);
	assert_int_equal(conf->interfaces.count, 2);
	assert_string_equal(conf->interfaces.name[0], "eth0");
	assert_string_equal(conf->interfaces.name[1], "enp3s0.100");
	assert_int_equal(conf->mode, CONF_MODE_GENERIC);
	assert_ports(conf, ports, COUNT(ports));
	assert_true(conf->monitor);
	assert_string_equal(conf->control.socket, "/tmp/s");
	assert_string_equal(conf->control.group, "adm");
	assert_string_equal(conf->metrics.listen.host, "2001:db8::1");
	assert_int_equal(conf->metrics.listen.port, 80);
	assert_int_equal(conf->log.level, LOG_LEVEL_DEBUG);
	assert_int_equal(conf->events.rate, 0);
	assert_int_equal(conf->table.capacity_ipv4, 10000000);
	assert_int_equal(conf->table.capacity_ipv6, 1000);
	assert_int_equal(conf->table.sources, 1024);
	assert_limit(conf, METER_SOURCE, 1, 10, 100);
	assert_limit(conf, METER_NET, 2, 20, 199);
	assert_limit(conf, METER_SITE, 3, 30, 300);
	assert_limit(conf, METER_TOTAL, 4, 40, 400);
	assert_int_equal(conf->limits.reset_rate, 1000000);
	assert_string_equal(conf->file, TEST_FILE);
	conf_free(&conf);
}

/* Each option alone: what changes, whether reload can apply it, and where it came from. */
static void one_option_is_one_difference(void **state)
{
	static const struct {
		const char *text;
		const char *difference;
	} rows[] = {
		{ "user: other", "user! " },
		{ "state-directory: /a", "state-directory! " },
		{ "store-size: 1048576", "store-size! " },
		{ "pin-directory: /a", "pin-directory! " },
		{ "interfaces: [lo]", "interfaces " },
		{ "attach-mode: native", "attach-mode " },
		{ "ports: [25]", "ports " },
		{ "monitor: true", "monitor " },
		{ "control: {socket: /a}", "control.socket! " },
		{ "control: {group: a}", "control.group! " },
		{ "metrics: {listen: off}", "metrics.listen! " },
		{ "log: {level: error}", "log.level " },
		{ "events: {rate: 1}", "events.rate " },
		{ "table: {capacity-ipv4: 1000}", "table.capacity-ipv4! " },
		{ "table: {capacity-ipv6: 10000000}", "table.capacity-ipv6! " },
		{ "table: {sources: 16777216}", "table.sources! " },
		{ "limits: {rate-source: 0}", "limits.rate-source " },
		{ "limits: {burst-source: 0}", "limits.burst-source " },
		{ "limits: {conn-source: 0}", "limits.conn-source " },
		{ "limits: {rate-net: 0}", "limits.rate-net " },
		{ "limits: {burst-net: 0}", "limits.burst-net " },
		{ "limits: {conn-net: 0}", "limits.conn-net " },
		{ "limits: {rate-site: 0}", "limits.rate-site " },
		{ "limits: {burst-site: 0}", "limits.burst-site " },
		{ "limits: {conn-site: 0}", "limits.conn-site " },
		{ "limits: {rate-total: 1000000}", "limits.rate-total " },
		{ "limits: {rate-total: 500, burst-total: 600}",
		  "limits.rate-total limits.burst-total " },
		{ "limits: {conn-total: 1000000}", "limits.conn-total " },
		{ "limits: {reset-rate: 0}", "limits.reset-rate " },
		{ "mode: guard", "mode! " },
		{ "flood: {threshold: 30k}", "flood.threshold " },
		{ "flood: {release: 20k}", "flood.release " },
		{ "flood: {hold: 1m}", "flood.hold " },
		{ "flood: {proof: 7d}", "flood.proof " },
		{ "flood: {cookies: no}", "flood.cookies " },
		{ "refuse: {contact: a}", "refuse.contact " },
		{ "dns: {servers: [127.0.0.1]}", "dns.servers! " },
		{ "dns: {timeout: 1s}", "dns.timeout! " },
		{ "dns: {tries: 10}", "dns.tries! " },
		{ "dns: {cache-entries: 0}", "dns.cache-entries! " },
		{ "dns: {ttl-min: 0}", "dns.ttl-min! " },
		{ "dns: {ttl-max: 7d}", "dns.ttl-max! " },
		{ "dns: {ttl-negative: 0}", "dns.ttl-negative! " },
		{ "dns: {in-flight: 20000}", "dns.in-flight! " },
		{ "dns: {in-flight-zone: 1}", "dns.in-flight-zone! " },
		{ "dnsbl: {zones: [a.example]}", "dnsbl.zones " },
		{ "dnsbl: {domains: [a.example]}", "dnsbl.domains " },
		{ "dnsbl: {test-interval: 0}", "dnsbl.test-interval " },
		{ "guard: {rate: 1000000}", "guard.rate " },
		{ "guard: {cache: 10M}", "guard.cache! " },
		{ "guard: {ttl-min: 1}", "guard.ttl-min " },
		{ "guard: {ttl-max: 7d}", "guard.ttl-max " },
		{ "guard: {timeout: 100}", "guard.timeout " },
		{ "policy: {slow: -1000}", "policy.slow " },
		{ "policy: {greylist: 10}", "policy.greylist " },
		{ "policy: {reject: 6}", "policy.reject " },
		{ "greylist: {enabled: true}", "greylist.enabled " },
		{ "greylist: {delay: 86399}", "greylist.delay " },
		{ "greylist: {window: 301}", "greylist.window " },
		{ "greylist: {keep: 1d}", "greylist.keep " },
		{ "escalation: {first-action: tarpit}", "escalation.first-action " },
		{ "escalation: {action: reset}", "escalation.action " },
		{ "escalation: {ttl: 7d}", "escalation.ttl " },
		{ "escalation: {ttl-max: 10m}", "escalation.ttl-max " },
		{ "escalation: {factor: 100}", "escalation.factor " },
		{ "escalation: {forgive: 1m}", "escalation.forgive " },
		{ "history: {good: 1000}", "history.good " },
		{ "history: {trust: 1m}", "history.trust " },
		{ "smtp: {hostname: a}", "smtp.hostname " },
		{ "smtp: {workers: 256}", "smtp.workers! " },
		{ "smtp: {listen: [25]}", "smtp.listen! " },
		{ "smtp: {balancers: [127.0.0.1]}", "smtp.balancers! " },
		{ "smtp: {networks: [10.0.0.0/8]}", "smtp.networks " },
		{ "smtp: {domains: [a.example]}", "smtp.domains " },
		{ "smtp: {domains: [a.example], recipients: /a}", "smtp.domains smtp.recipients " },
		{ "smtp: {users: /a}", "smtp.users " },
		{ "smtp: {backends: [192.0.2.1]}", "smtp.backends " },
		{ "smtp: {backend-ca: /a}", "smtp.backend-ca " },
		{ "smtp: {size-max: 65536}", "smtp.size-max " },
		{ "smtp: {recipients-max: 1}", "smtp.recipients-max " },
		{ "smtp: {errors-max: 1}", "smtp.errors-max " },
		{ "smtp: {commands-max: 1}", "smtp.commands-max " },
		{ "smtp: {connections-max: 1M}", "smtp.connections-max " },
		{ "smtp: {timeout-command: 1}", "smtp.timeout-command " },
		{ "smtp: {timeout-data: 1h}", "smtp.timeout-data " },
		{ "smtp: {timeout-session: 1d}", "smtp.timeout-session " },
		{ "smtp: {rate-min: 0}", "smtp.rate-min " },
		{ "smtp: {spool: /a}", "smtp.spool! " },
		{ "smtp: {spool-message: 0}", "smtp.spool-message! " },
		{ "smtp: {spool-memory: 1}", "smtp.spool-memory! " },
		{ "smtp: {spool-disk: 48}", "smtp.spool-disk! " },
		{ "smtp: {greet-delay: 10s}", "smtp.greet-delay " },
		{ "tls: {certificates: [/a]}", "tls.certificates " },
		{ "tls: {certificates: [/a], required: true}", "tls.certificates tls.required " },
		{ "check: {pregreet: off}", "check.pregreet " },
		{ "check: {pipelining: monitor}", "check.pipelining " },
		{ "check: {dnsbl: tag}", "check.dnsbl " },
		{ "check: {rdns: reject}", "check.rdns " },
		{ "check: {helo: defer}", "check.helo " },
		{ "check: {spf: defer}", "check.spf " },
		{ "check: {sender: off}", "check.sender " },
		{ "check: {score: off}", "check.score " },
		{ "check: {stage: rcpt}", "check.stage " },
	};
	struct conf *before = read_defaults();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *after = read_conf(rows[i].text);
		struct differences seen;

		list_differences(before, after, &seen);
		assert_string_equal(seen.names, rows[i].difference);
		conf_free(&after);
	}
	conf_free(&before);
}

/* Each finding has an option of its own, which sets its score and no other. */
static void every_finding_has_a_score(void **state)
{
#define NAME_OF(name, text, preset, help) "score." text,
	static const char *const names[] = { FINDING_LIST(NAME_OF) };
#undef NAME_OF
	struct conf *before = read_defaults(), *after = read_defaults();
	char expected[64];

	(void)state;
	for (int i = 0; i < FINDING_COUNT; i++) {
		struct differences seen;

		assert_int_equal(conf_option_set(after, names[i], "-77", NULL), 0);
		assert_int_equal(after->score[i], -77);
		list_differences(before, after, &seen);
		snprintf(expected, sizeof(expected), "%s ", names[i]);
		assert_string_equal(seen.names, expected);
		after->score[i] = before->score[i];
	}
	conf_free(&before);
	conf_free(&after);
}

/* A time is read as a number of its unit and as a duration alike. */
static void times_are_durations(void **state)
{
	static const struct {
		const char *name, *text;
		uint32_t value;
	} rows[] = {
		{ "flood.proof", "60", 60 },       { "flood.proof", "7d", 7 * 86400 },
		{ "flood.proof", "1h30m", 5400 },  { "flood.proof", "2k", 2000 },
		{ "flood.proof", "2m", 120 },      { "flood.proof", "366d", 366 * 86400 },
		{ "dnsbl.test-interval", "0", 0 }, { "guard.timeout", "250", 250 },
		{ "guard.timeout", "250ms", 250 }, { "guard.timeout", "2s", 2000 },
		{ "guard.timeout", "1m", 60000 },
	};
	uint64_t value = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(conf_option_parse(rows[i].name, rows[i].text, &value, NULL), 0);
		assert_int_equal(value, rows[i].value);
	}
}

static void differences_are_counted(void **state)
{
	struct conf *before = read_defaults(), *after = read_conf(every_option),
		    *again = read_conf(every_option);
	struct differences seen;

	(void)state;
	list_differences(before, after, &seen);
	assert_int_equal(seen.count, OPTIONS);
	list_differences(after, again, &seen);
	assert_string_equal(seen.names, "");
	conf_free(&before);
	conf_free(&after);
	conf_free(&again);
}

/* A shorter value leaves nothing of a longer one behind that would look like a difference. */
static void the_same_value_is_no_difference(void **state)
{
	static const char *const same[] = {
		"",
		"# nothing\n",
		"---\n",
		"null\n",
		"limits:\n",
		"control: ~\n",
		"user: postern\n",
		"ports:\n- 25\n- 465\n- 587\n- 110\n- 143\n- 993\n- 995\n",
		"interfaces: []\n",
		"monitor: no\n",
		"control: {group: ''}\n",
		"metrics: {listen: localhost:9125}\n",
		"metrics: {listen: '[::ffff:127.0.0.1]:9125'}\n",
		"events: {rate: 1k}\n",
		"\xef\xbb\xbfuser: postern\r\n",
	};
	struct conf *before = read_defaults();

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		struct conf *after = read_conf(same[i]);
		struct differences seen;

		list_differences(before, after, &seen);
		assert_string_equal(seen.names, "");
		conf_free(&after);
	}
	conf_free(&before);
}

static void origins_are_known(void **state)
{
	struct conf *conf =
		read_conf("monitor: true\nlimits:\n\n  rate-source: 30\n  conn-net: 99\n");
	char origin[CONF_ORIGIN_MAX];

	(void)state;
	assert_string_equal(conf_origin(conf, "monitor", origin), TEST_FILE ":1");
	assert_string_equal(conf_origin(conf, "limits.rate-source", origin), TEST_FILE ":4");
	assert_string_equal(conf_origin(conf, "limits.rate-net", origin), "default");
	assert_int_equal(conf_option_set(conf, "limits.rate-source", "40", NULL), 0);
	assert_int_equal(conf_option_set(conf, "monitor", "off", NULL), 0);
	assert_string_equal(conf_origin(conf, "limits.rate-source", origin), "operator");
	assert_int_equal(conf->limits.level[METER_SOURCE].rate, 40);
	assert_false(conf->monitor);
	conf_free(&conf);
}

static void note_limit(const struct conf_limit_row *row, void *arg)
{
	struct differences *seen = arg;
	const size_t used = strlen(seen->names);

	assert_true(strlen(row->help) > 10);
	snprintf(seen->names + used, sizeof(seen->names) - used, "%s=%u(%u,%s,%s) ", row->key,
		 row->value, row->preset, row->origin, row->unit);
}

static void limits_are_listed(void **state)
{
	struct conf *conf = read_conf("limits: {conn-net: 99, reset-rate: 7}");
	struct differences seen = { .count = 0 };

	(void)state;
	assert_int_equal(conf_option_set(conf, "limits.rate-total", "9k", NULL), 0);
	conf_limits(conf, note_limit, &seen);
	assert_string_equal(seen.names, "rate-source=20(20,default,attempts/s) "
					"burst-source=40(40,default,attempts) "
					"conn-source=50(50,default,connections) "
					"rate-net=100(100,default,attempts/s) "
					"burst-net=200(200,default,attempts) "
					"conn-net=99(200,config,connections) "
					"rate-site=200(200,default,attempts/s) "
					"burst-site=400(400,default,attempts) "
					"conn-site=400(400,default,connections) "
					"rate-total=9000(0,operator,attempts/s) "
					"burst-total=0(0,default,attempts) "
					"conn-total=0(0,default,connections) "
					"reset-rate=7(1000,config,segments/s) ");
	conf_free(&conf);
}

static void a_copy_is_a_copy(void **state)
{
	struct conf *conf = read_conf(every_option), *copy = NULL;

	(void)state;
	assert_int_equal(conf_copy(conf, &copy, NULL), 0);
	assert_memory_equal(conf, copy, sizeof(*conf));
	assert_int_equal(conf_option_set(copy, "limits.rate-source", "2", NULL), 0);
	assert_int_equal(conf->limits.level[METER_SOURCE].rate, 1);
	conf_free(&conf);
	conf_free(&copy);
}

static void numbers_are_read_by_their_rows(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(conf_option_parse("limits.rate-source", "1M", &value, NULL), 0);
	assert_int_equal(value, 1000000);
	assert_int_equal(conf_option_parse("store-size", "16", &value, NULL), 0);
	assert_int_equal(value, 16);
}

static void a_file_is_loaded(void **state)
{
	char path[] = "/tmp/test-conf-XXXXXX", origin[CONF_ORIGIN_MAX];
	const char text[] = "monitor: true\n";
	const int fd = mkstemp(path);
	struct conf *conf = NULL;
	struct error err;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(conf_load(path, &conf, &err), 0);
	assert_true(conf->monitor);
	assert_int_equal(strncmp(conf_origin(conf, "monitor", origin), path, strlen(path)), 0);
	conf_free(&conf);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_those_of_the_manual),
		cmocka_unit_test(every_option_is_read),
		cmocka_unit_test(every_check_is_read),
		cmocka_unit_test(one_option_is_one_difference),
		cmocka_unit_test(every_finding_has_a_score),
		cmocka_unit_test(times_are_durations),
		cmocka_unit_test(differences_are_counted),
		cmocka_unit_test(the_same_value_is_no_difference),
		cmocka_unit_test(origins_are_known),
		cmocka_unit_test(limits_are_listed),
		cmocka_unit_test(a_copy_is_a_copy),
		cmocka_unit_test(numbers_are_read_by_their_rows),
		cmocka_unit_test(a_file_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
