/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_tuning.c - the operator's settings on top of the file: what is in force, what is
 * kept, and that a refused change leaves everything as it was.
 *
 * The gate and the store are played by this file: gate_set() notes what it is given, and settings
 * live in a small table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "gate/tuning.h"
#include "lib/log.h"

#define KEPT_MAX  8
#define TEXT_ROOM 64

static struct {
	char key[TEXT_ROOM], text[TEXT_ROOM];
} kept[KEPT_MAX];
static bool store_fails;

static struct gate_settings in_gate; /* what gate_set() was given last */
static int gate_sets;

void gate_set(struct gate *gate, const struct gate_settings *settings)
{
	(void)gate;
	in_gate = *settings;
	gate_sets++;
}

static char contact[CONF_CONTACT_MAX]; /* what lists_set_contact() was given last */

void lists_set_contact(struct lists *lists, const char *given)
{
	(void)lists;
	snprintf(contact, sizeof(contact), "%s", given);
}

static int find_kept(const char *key)
{
	for (int i = 0; i < KEPT_MAX; i++)
		if (!strcmp(kept[i].key, key))
			return i;
	return -1;
}

int lists_setting_get(struct lists *lists, const char *key, char *out, size_t size,
		      struct error *err)
{
	const int at = find_kept(key);

	(void)lists;
	(void)err;
	if (at < 0)
		return 0;
	snprintf(out, size, "%s", kept[at].text);
	return 1;
}

int lists_setting_put(struct lists *lists, const char *key, const char *value, struct error *err)
{
	int at = find_kept(key);

	(void)lists;
	if (store_fails)
		return error_set(err, ERROR_REFUSED, "no space");
	if (at < 0)
		at = find_kept("");
	snprintf(kept[at].key, TEXT_ROOM, "%s", value ? key : "");
	snprintf(kept[at].text, TEXT_ROOM, "%s", value ? value : "");
	return 0;
}

static struct conf *file_of(const char *text)
{
	struct conf *conf;

	assert_int_equal(conf_parse("test.yaml", text, strlen(text), &conf, NULL), 0);
	return conf;
}

static struct tuning *open_with(const char *text)
{
	struct conf *file = file_of(text);
	struct tuning *tuning;

	assert_int_equal(tuning_open(&tuning, NULL, NULL, file, NULL), 0);
	conf_free(&file);
	return tuning;
}

static int setup(void **state)
{
	(void)state;
	memset(kept, 0, sizeof(kept));
	memset(&in_gate, 0, sizeof(in_gate));
	store_fails = false;
	gate_sets = 0;
	return 0;
}

static uint32_t published_rate(void)
{
	const struct conf *conf = conf_read_begin();
	const uint32_t rate = conf ? conf->limits.level[METER_SOURCE].rate : 0;

	conf_read_end();
	return rate;
}

static void assert_rate(uint32_t rate)
{
	assert_int_equal(in_gate.limit[METER_SOURCE].rate, rate);
	assert_int_equal(published_rate(), rate);
}

static void test_setting_wins_until_taken_back(void **state)
{
	struct tuning *tuning = open_with("limits: { rate-source: 15 }\n");

	(void)state;
	assert_rate(15);
	assert_int_equal(tuning_set(tuning, "limits.rate-source", "30", NULL), 0);
	assert_rate(30);
	assert_string_equal(kept[find_kept("limit.rate-source")].text, "30");
	assert_int_equal(tuning_set(tuning, "limits.rate-source", NULL, NULL), 0);
	assert_rate(15);
	assert_int_equal(find_kept("limit.rate-source"), -1);
	tuning_close(&tuning);
	assert_int_equal(published_rate(), 0);
}

static void test_settings_survive_restart_and_reload(void **state)
{
	struct tuning *tuning = open_with("");
	struct conf *next = file_of("ports: [25]\nlimits: { rate-source: 10, conn-net: 70 }\n"
				    "flood: { threshold: 7, release: 3, hold: 9, cookies: no }\n"
				    "refuse: { contact: postmaster@example.net }\n");

	(void)state;
	assert_int_equal(tuning_set(tuning, "limits.rate-source", "30", NULL), 0);
	tuning_close(&tuning);
	tuning = open_with("");
	assert_rate(30);
	assert_int_equal(tuning_reload(tuning, next, NULL), 0);
	assert_rate(30);
	assert_int_equal(in_gate.limit[METER_NET].conns, 70);
	assert_int_equal(in_gate.port_count, 1);
	assert_int_equal(in_gate.ports[0], 25);
	assert_int_equal(in_gate.flood.threshold, 7);
	assert_int_equal(in_gate.flood.release, 3);
	assert_int_equal(in_gate.flood.hold, 9);
	assert_false(in_gate.flood.cookies);
	assert_string_equal(contact, "postmaster@example.net");
	/* Taken back, it is what the new file says. */
	assert_int_equal(tuning_set(tuning, "limits.rate-source", NULL, NULL), 0);
	assert_rate(10);
	tuning_close(&tuning);
	conf_free(&next);
}

static void test_refused_changes_nothing(void **state)
{
	static const char *const refused[][2] = {
		{ "limits.rate-source", "101" }, /* more than rate-net */
		{ "limits.rate-source", "many" },
		{ "limits.rate-source", "-1" },
		{ "limits.rate-source", "99999999" },
		{ "limits.no-such-key", "1" },
		{ "state-directory", "/tmp" }, /* an option, but not the operator's */
		{ "user", "root" },
		{ "monitor", "perhaps" },
	};
	struct tuning *tuning = open_with("");
	struct error err = { 0 };
	const int before = gate_sets;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_true(tuning_set(tuning, refused[i][0], refused[i][1], &err) < 0);
	assert_int_equal(gate_sets, before);
	assert_rate(20);
	for (int i = 0; i < KEPT_MAX; i++)
		assert_string_equal(kept[i].key, "");
	store_fails = true;
	assert_int_equal(tuning_set(tuning, "limits.rate-source", "30", &err), ERROR_REFUSED);
	assert_int_equal(gate_sets, before);
	assert_rate(20);
	tuning_close(&tuning);
}

/* The file and a setting contradict each other: refused at reload, but no reason not to start. */
static void test_contradiction_with_the_file(void **state)
{
	struct tuning *tuning = open_with("");
	struct conf *next = file_of("limits: { rate-net: 25 }\n");
	struct error err = { 0 };
	int before;

	(void)state;
	assert_int_equal(tuning_set(tuning, "limits.rate-source", "30", NULL), 0);
	before = gate_sets;
	assert_true(tuning_reload(tuning, next, &err) < 0);
	assert_non_null(strstr(err.text, "limits.rate-source"));
	assert_non_null(strstr(err.text, "limits.rate-net"));
	assert_int_equal(gate_sets, before);
	assert_rate(30);
	tuning_close(&tuning);
	assert_int_equal(tuning_open(&tuning, NULL, NULL, next, NULL), 0);
	assert_rate(20);
	assert_int_equal(in_gate.limit[METER_NET].rate, 25);
	tuning_close(&tuning);
	conf_free(&next);
}

static void test_setting_of_another_version(void **state)
{
	struct tuning *tuning;

	(void)state;
	strcpy(kept[0].key, "limit.rate-source");
	strcpy(kept[0].text, "a dozen");
	strcpy(kept[1].key, "limit.conn-net");
	strcpy(kept[1].text, "77");
	tuning = open_with("");
	assert_rate(20);
	assert_int_equal(in_gate.limit[METER_NET].conns, 77);
	assert_int_equal(tuning_set(tuning, "limits.conn-site", "500", NULL), 0);
	tuning_close(&tuning);
}

static void test_monitor(void **state)
{
	struct tuning *tuning = open_with("");

	(void)state;
	assert_false(tuning_monitor());
	assert_int_equal(tuning_set(tuning, TUNING_MONITOR, "true", NULL), 0);
	assert_true(tuning_monitor());
	assert_true(in_gate.monitor);
	assert_true(find_kept("monitor") >= 0);
	/* What the file says needs no setting, so that a change of the file counts again. */
	assert_int_equal(tuning_set(tuning, TUNING_MONITOR, "false", NULL), 0);
	assert_false(tuning_monitor());
	assert_int_equal(find_kept("monitor"), -1);
	tuning_close(&tuning);
	assert_false(tuning_monitor());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_setting_wins_until_taken_back, setup),
		cmocka_unit_test_setup(test_settings_survive_restart_and_reload, setup),
		cmocka_unit_test_setup(test_refused_changes_nothing, setup),
		cmocka_unit_test_setup(test_contradiction_with_the_file, setup),
		cmocka_unit_test_setup(test_setting_of_another_version, setup),
		cmocka_unit_test_setup(test_monitor, setup),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
