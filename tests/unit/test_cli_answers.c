/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what posternctl makes of the agent's answers for a person, and of `load`: what of a file
 * reaches the agent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/clock.h"
#include "lib/entry.h"
#include "maps/action.h"
#include "tests/unit/cli_scene.h"
#include "tools/ctl_output.h"
#include "tools/ctl_text.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define NOW           1000000
#define LINE_TEXT_MAX 256

#define RESULT(text) "{\"ok\": true, \"result\": {" text "}}\n"
#define ROW(text)    "{\"row\": {" text "}}\n"
#define MATCH                                                                                      \
	"{\"list\": \"drop\", \"kind\": \"block\", \"prefix\": \"192.0.2.0/24\", \"action\": "     \
	"\"drop\", \"reason\": \"SBL123\", \"source\": \"drop.txt\", \"added\": 913600, "          \
	"\"expires\": "                                                                            \
	"1012000, \"decides\": true, \"overruled\": \"\"}"
#define WIDER                                                                                      \
	"{\"list\": \"wide\", \"kind\": \"block\", \"prefix\": \"192.0.0.0/16\", \"action\": "     \
	"\"reset\", \"reason\": \"\", \"source\": \"\", \"added\": 913600, \"expires\": 0, "       \
	"\"decides\": false, \"overruled\": \"a longer prefix wins\"}"

/* What a person reads. Each is a whole piece of the output. */
static const struct {
	const char *line, *answer, *second, *printed;
} answers[] = {
	{ "why 192.0.2.7",
	  RESULT("\"address\": \"192.0.2.7\", \"verdict\": \"drop\", \"reason\": \"listed\", "
		 "\"deciding\": " MATCH ", \"matches\": [" MATCH ", " WIDER "], \"offender\": "
		 "{\"hits\": 12345, \"last_reason\": \"listed\", \"last_ms\": 3120}, \"limits\": "
		 "[]"),
	  NULL,
	  "192.0.2.7 would be dropped: it is in 192.0.2.0/24 on list drop (SBL123), which expires "
	  "in 3h 20m.\n\nEntries\n* 192.0.2.0/24 on block list drop: drop, decides\n"
	  "    reason   SBL123\n    added    1970-01-11 13:46:40 by drop.txt\n"
	  "    expires  in 3h 20m\n"
	  "  192.0.0.0/16 on block list wide: reset, but a longer prefix wins\n"
	  "    added    1970-01-11 13:46:40\n    expires  never\n\n"
	  "Hits\n  12,345 packets stopped, the last 3s ago (listed)\n" },
	{ "why 192.0.2.7",
	  RESULT("\"address\": \"192.0.2.7\", \"verdict\": \"pass\", \"reason\": \"accepted\", "
		 "\"deciding\": null, \"matches\": [], \"offender\": null, \"limits\": "
		 "[{\"level\": "
		 "\"source\", \"prefix\": \"192.0.2.7\", \"rate\": 20, \"burst\": 40, \"used\": "
		 "40, "
		 "\"conns\": 3, \"conn_limit\": 0}], \"ports\": [25, 465], \"proof\": {\"proved\": "
		 "true, \"seconds\": 3600}, "
		 "\"floods\": [25, 587], \"refusal\": \"554 5.7.1 no\""),
	  NULL,
	  "192.0.2.7 would be let through: no list holds it, and it is within its limits.\n\n"
	  "Entries\n  no list holds the address\n\n"
	  "Hits\n  not among the sources that were stopped lately\n\n"
	  "LIMIT   FOR        RATE  BURST USED   CONNECTIONS\n"
	  "source  192.0.2.7  20/s     40 / 40  3 / no limit\n\n"
	  "The client is told: 554 5.7.1 no\n\n"
	  "Floods\n  it completed a handshake, so it needs no SYN cookie for 1h\n"
	  "  a flood is on at port 25, 587\n\n"
	  "This is about TCP connection attempts to the ports 25, 465; nothing else is "
	  "touched.\n" },
	{ "why 192.0.2.7",
	  RESULT("\"address\": \"192.0.2.7\", \"verdict\": \"pass\", \"reason\": \"accepted\", "
		 "\"deciding\": null, \"reputation\": {\"mode\": \"proxy\", \"verdict\": {"
		 "\"decision\": \"reject\", \"score\": 10}}"),
	  NULL,
	  "192.0.2.7 would be let through: no list holds it, and it is within its limits.\n"
	  "Its session is judged by what was found out, below: reject, score 10.\n" },
	{ "why 192.0.2.7",
	  RESULT("\"address\": \"192.0.2.7\", \"verdict\": \"monitored\", \"reason\": "
		 "\"rate-source\", \"help\": \"attempts come too fast\", \"deciding\": null"),
	  NULL,
	  "192.0.2.7 would be let through, but only because of monitor mode: attempts come too "
	  "fast.\n" },
	{ "why 04K3ZQ8W1V7M2",
	  RESULT("\"id\": \"04K3ZQ8W1V7M2\", \"event\": {\"time\": 913600, \"source\": "
		 "\"192.0.2.7\", "
		 "\"dest\": \"198.51.100.1\", \"source_port\": 4312, \"dest_port\": 25, \"iface\": "
		 "\"eth0\", \"vlan\": 12, \"reason\": \"listed\", \"outcome\": \"enforced\", "
		 "\"list\": "
		 "\"drop\", \"action\": \"drop\"}"),
	  NULL,
	  "04K3ZQ8W1V7M2: at 1970-01-11 13:46:40, a connection attempt from 192.0.2.7 port 4312 to "
	  "198.51.100.1 port 25, received on eth0 (VLAN 12), was stopped: listed, on list drop, "
	  "action drop.\n" },
	{ "why 04K3ZQ8W1V7M2",
	  RESULT("\"id\": \"04K3ZQ8W1V7M2\", \"event\": null, \"time\": 913600, \"list\": "
		 "\"drop\", "
		 "\"action\": \"refuse\""),
	  NULL,
	  "04K3ZQ8W1V7M2: at 1970-01-11 13:46:40, a connection attempt was stopped by list drop, "
	  "action refuse.\nNo details are kept; the log may have them. 'posternctl why ADDRESS' "
	  "tells what concerns the "
	  "address that the reply names now.\n" },
	{ "why 04K3ZQ8W1V7M2",
	  RESULT("\"id\": \"04K3ZQ8W1V7M2\", \"event\": null, \"time\": 913600, \"list\": "
		 "\"\", \"action\": \"\""),
	  NULL,
	  "04K3ZQ8W1V7M2: at 1970-01-11 13:46:40, a connection attempt was stopped, or an SMTP "
	  "session began.\nNo details are kept; the log may have them. " },
	{ "why 04K3ZQ8W1V7M2",
	  RESULT("\"id\": \"04K3ZQ8W1V7M2\", \"event\": null, \"refusals\": [{\"time\": "
		 "913600, \"source\": \"192.0.2.7\", \"reason\": \"relay\", \"help\": "
		 "\"not for you\", \"detail\": \"<a@b.example>\", \"helo\": \"x\", \"from\": "
		 "\"<c@d.example>\", \"user\": \"\", \"score\": 12, \"lists\": 8, "
		 "\"findings\": [\"rdns-missing\", \"spf-none\"]}]"),
	  NULL,
	  "04K3ZQ8W1V7M2: an SMTP session of 192.0.2.7\nat 1970-01-11 13:46:40, refused: relay "
	  "(not for you)\n  what     <a@b.example>\n  HELO     x\n  from     <c@d.example>\n"
	  "  score    12: lists 8, rdns-missing, spf-none\n"
	  "'posternctl why 192.0.2.7' tells" },
	{ "block add 192.0.2.7",
	  RESULT("\"list\": \"local\", \"prefix\": \"192.0.2.7\", \"effective\": \"tarpit\""), NULL,
	  "192.0.2.7 is now on block list local; its connections are held and go nowhere\n" },
	{ "block test 192.0.2.7", RESULT("\"listed\": true, \"matches\": [" MATCH "]"), NULL,
	  "192.0.2.7 is listed: in 192.0.2.0/24 on list drop (SBL123), which expires in 3h 20m\n" },
	{ "block test 192.0.2.7", RESULT("\"listed\": true, \"matches\": [" WIDER "]"), NULL,
	  "192.0.2.7 is listed: in 192.0.0.0/16 on list wide, which never expires\n"
	  "None of its entries decides: a longer prefix wins.\n" },
	{ "allow test 192.0.2.7", RESULT("\"listed\": false, \"matches\": []"), NULL,
	  "192.0.2.7 is on no allow list\n" },
	{ "block add 192.0.2.7",
	  RESULT("\"list\": \"local\", \"prefix\": \"192.0.2.7\", \"replaced\": true, "
		 "\"effective\": "
		 "\"allowed\""),
	  NULL,
	  "192.0.2.7 is replaced on block list local; its connection attempts are let through: an "
	  "allow list holds it\n" },
	{ "block add 192.0.2.7", RESULT("\"prefix\": \"192.0.2.7\", \"list\": \"x\", \"ended\": 1"),
	  NULL, "192.0.2.7 is now on block list x\n1 established connection was ended\n" },
	{ "block del 192.0.2.7", RESULT("\"removed\": [\"a\", \"b\"]"), NULL,
	  "192.0.2.7 is taken off a, b\n" },
	{ "block clear x", RESULT("\"removed\": 1024357"), NULL,
	  "block list x is removed, with 1,024,357 entries\n" },
	{ "block clear x", RESULT("\"removed\": 1"), NULL,
	  "block list x is removed, with 1 entry\n" },
	{ "block show",
	  ROW("\"prefix\": \"192.0.2.0/24\", \"list\": \"drop\", \"action\": \"drop\", \"added\": "
	      "913600, \"expires\": 0, \"source\": \"s\", \"reason\": \"a\\u001b[2Jb\"")
		  ROW("\"prefix\": \"2001:db8::/48\", \"list\": \"x\", \"action\": \"reset\", "
		      "\"added\": "
		      "913600, \"expires\": 1000060") RESULT("\"entries\": 2"),
	  NULL,
	  "PREFIX         LIST  ACTION  EXPIRES  ADDED                SOURCE  REASON\n"
	  "192.0.2.0/24   drop  drop    never    1970-01-11 13:46:40  s       a?[2Jb\n"
	  "2001:db8::/48  x     reset   in 1m    1970-01-11 13:46:40\n2 entries\n" },
	{ "limits show",
	  RESULT("\"limits\": [{\"key\": \"rate-net\", \"value\": 2000, \"unit\": \"attempts/s\", "
		 "\"default\": 0, \"origin\": \"operator\", \"help\": \"h\"}]"),
	  NULL,
	  "KEY       VALUE  UNIT        DEFAULT  SET BY    MEANING\n"
	  "rate-net  2,000  attempts/s      off  operator  h\n" },
	{ "limits set rate-net default", RESULT("\"value\": 100"), NULL, "rate-net is now 100\n" },
	{ "monitor on --list x", RESULT("\"monitor\": true, \"list\": \"x\""), NULL,
	  "monitor mode is on for list x: what would be stopped is counted and let through\n" },
	{ "reload", RESULT("\"applied\": [\"a\", \"b\"], \"restart_needed\": [\"c\"]"), NULL,
	  "in effect now: a, b\nin effect after a restart of posternd: c\n" },
	{ "reload", RESULT("\"applied\": [], \"restart_needed\": [], \"unchanged\": true"), NULL,
	  "nothing has changed\n" },
	{ "reload", RESULT("\"applied\": [], \"unchanged\": true, \"files_read\": true"), NULL,
	  "no option has changed\ncertificates, CAs, users and recipients were read again\n" },
	{ "reload", RESULT("\"applied\": [\"a\"], \"files_read\": true"), NULL,
	  "in effect now: a\ncertificates, CAs, users and recipients were read again\n" },
	{ "attach eth0", RESULT("\"iface\": \"eth0\", \"detail\": \"eth0: generic mode\""), NULL,
	  "protected eth0: generic mode\n" },
	{ "stats",
	  RESULT("\"reasons\": ["
		 "{\"reason\": \"listed\", \"kind\": \"stop\", \"family\": \"ipv4\", \"outcome\": "
		 "\"enforced\", \"packets\": 1234567},"
		 "{\"reason\": \"listed\", \"kind\": \"stop\", \"family\": \"ipv6\", \"outcome\": "
		 "\"monitored\", \"packets\": 8}], \"health\": {\"resets_sent\": 5}, "
		 "\"connections\": 3"),
	  NULL,
	  "Packets since the filter was loaded; 3 connections are open.\n\n"
	  "REASON  VERDICT       IPV4  IPV6  MONITORED IPV4  MONITORED IPV6  MEANING\n"
	  "listed  stop     1,234,567     -               -               8  the source is on a "
	  "block list\n\n5 resets sent\n" },
	{ "status",
	  RESULT("\"monitor\": true, \"uptime\": 3600, \"interfaces\": [], \"lists\": []"),
	  RESULT("\"limits\": [{\"key\": \"rate-source\", \"value\": 20}, {\"key\": "
		 "\"burst-source\", "
		 "\"value\": 40}, {\"key\": \"conn-net\", \"value\": 9}]"),
	  "Monitor mode: nothing is stopped, up 1h\n" },
	{ "status", RESULT("\"config\": \"f\", \"keeper\": {\"up\": true, \"why\": \"\"}"),
	  RESULT("\"limits\": []"), "Configured   f\nPorts        \n" },
	{ "status",
	  RESULT("\"config\": \"f\", \"keeper\": {\"up\": false, \"why\": \"it has ended\"}"),
	  RESULT("\"limits\": []"), "Configured   f\nKeeper       it has ended\nPorts" },
	{ "status", RESULT("\"config\": \"f\", \"warnings\": [\"one\", \"two\"]"),
	  RESULT("\"limits\": []"), "Configured   f\nWarning      one\nWarning      two\nPorts" },
	{ "status", RESULT("\"ending\": {\"possible\": false, \"why\": \"it cannot\"}"),
	  RESULT("\"limits\": []"), "\nEstablished  it cannot\nPorts" },
	{ "status", RESULT("\"table\": {\"rebuilds\": 1}"),
	  RESULT("\"limits\": [{\"key\": \"conn-net\", \"value\": 1}]"),
	  "1 rebuild, the last took 0 ms\n"
	  "Limits       an address        no limit\n"
	  "             its /24 or /64    1 connection\n" },
	{ "stats",
	  RESULT("\"connections\": 1, \"health\": {\"resets_sent\": 1, \"refusals_sent\": 2}"),
	  NULL, "1 connection is open.\n" },
	{ "stats", RESULT("\"health\": {\"resets_sent\": 1, \"refusals_sent\": 2}"), NULL,
	  "1 reset sent\n2 SMTP replies 554 sent\n" },
	{ "status", RESULT("\"interfaces\": []"),
	  RESULT("\"limits\": [{\"key\": \"rate-source\", \"value\": 20}, {\"key\": "
		 "\"burst-source\", "
		 "\"value\": 40}, {\"key\": \"conn-net\", \"value\": 9}]"),
	  "Limits       an address        20 a second (40 at once)\n"
	  "             its /24 or /64    9 connections\n"
	  "             its IPv6 /48      no limit\n" },
	{ "status",
	  RESULT("\"interfaces\": [{\"iface\": \"eth0\", \"mode\": \"native\", \"shared\": true, "
		 "\"program_id\": 7}], \"lists\": [{\"list\": \"x\", \"kind\": \"block\", "
		 "\"ipv4\": "
		 "1000, \"ipv6\": 2, \"monitor\": true, \"origin\": \"f\", \"changed\": 999700}]"),
	  NULL,
	  "INTERFACE  MODE    SHARED  PROGRAM\neth0       native  yes           7\n\n"
	  "LIST  KIND    IPV4  IPV6  STATE      CHANGED  FROM\n"
	  "x     block  1,000     2  monitored  5m ago   f\n" },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		const struct scene_script script = {
			.answer = { answers[i].answer, answers[i].second },
		};
		struct scene scene;

		scene_play(&script, answers[i].line, &scene);
		if (!strstr(scene.out, answers[i].printed))
			fail_msg("%s printed:\n%s\nand not:\n%s", answers[i].line, scene.out,
				 answers[i].printed);
		assert_string_equal(scene.err, "");
		scene_clear(&scene);
	}
}

/* The records and the notes that the agent gets, byte for byte. */
static void test_load_sends_records(void **state)
{
	const struct scene_script script = { .input = "192.0.2.0/24\n2001:db8::/32 # spam\n" };
	const struct entry *entry;
	struct prefix prefix;
	struct scene scene;
	json_t *request;

	(void)state;
	scene_play(&script, "block load x - --format plain --action reset", &scene);
	assert_int_equal(scene.code, 0);
	request = json_loads(scene.request[0], 0, NULL);
	assert_string_equal(field_text(request, "cmd"), "list.load");
	assert_string_equal(field_text(request, "kind"), "block");
	assert_string_equal(field_text(request, "list"), "x");
	assert_string_equal(field_text(request, "action"), "reset");
	assert_string_equal(field_text(request, "origin"), "standard input");
	assert_int_equal(field_count(request, "entries"), 2);
	assert_int_equal(field_count(request, "payload"), scene.payload_size);
	assert_int_equal(2 * sizeof(*entry) + field_count(request, "notes_size"),
			 scene.payload_size);
	json_decref(request);
	entry = (const struct entry *)scene.payload;
	assert_int_equal(prefix_parse("192.0.2.0/24", strlen("192.0.2.0/24"), &prefix, NULL), 0);
	assert_memory_equal(&entry[0].prefix, &prefix, sizeof(prefix));
	assert_int_equal(entry[0].action, ACTION_RESET);
	assert_int_equal(entry[0].reserved, 0);
	scene_clear(&scene);
}

static void test_load_names_the_file(void **state)
{
	const struct scene_script script = { 0 };
	char line[LINE_TEXT_MAX];
	const char *path = scene_file("192.0.2.7\n");
	struct scene scene;
	json_t *request;

	(void)state;
	snprintf(line, sizeof(line), "allow load x %s", path);
	scene_play(&script, line, &scene);
	assert_int_equal(scene.code, 0);
	request = json_loads(scene.request[0], 0, NULL);
	assert_string_equal(field_text(request, "origin"), path);
	assert_string_equal(field_text(request, "kind"), "allow");
	json_decref(request);
	scene_clear(&scene);
}

/* Bad lines: the whole file is refused, and nothing is sent; or they are skipped and told. */
static void test_load_bad_lines(void **state)
{
	const char *text = "192.0.2.7\nnonsense\n192.0.2.8\n192.0.2.9/24\n";
	const struct scene_script script = { .answer = { RESULT("\"list\": \"x\", \"ipv4\": 2") },
					     .input = text };
	struct scene scene;

	(void)state;
	scene_play(&script, "block load x -", &scene);
	assert_int_equal(scene.code, 4);
	assert_int_equal(scene.requests, 0);
	assert_non_null(strstr(scene.err, "standard input:2: "));
	assert_non_null(strstr(scene.err, "standard input:4: "));
	scene_clear(&scene);

	scene_play(&script, "block load x - --skip-bad", &scene);
	assert_int_equal(scene.code, 0);
	assert_int_equal(scene.payload_size, 2 * sizeof(struct entry));
	assert_non_null(strstr(scene.out, "block list x has 2 IPv4 and 0 IPv6 entries now"));
	assert_non_null(strstr(scene.out, "2 bad lines were skipped:\n  line 2: "));
	scene_clear(&scene);

	scene_play(&script, "block load x - --skip-bad --json", &scene);
	assert_non_null(strstr(scene.out, "\"skipped\": 2"));
	scene_clear(&scene);
}

/* A download that failed must not empty a list. */
/* What a client is told concerns lists that tell clients something. */
static void test_load_tells_of_refusals(void **state)
{
	const struct scene_script script = {
		.input = "192.0.2.1\n",
		.answer = { RESULT(
			"\"list\": \"x\", \"ipv4\": 1, \"merged\": 1, \"refusal\": \"554 no\"") },
	};
	struct scene scene;

	(void)state;
	scene_play(&script, "block load x - --action refuse", &scene);
	assert_non_null(strstr(scene.out, "A client that it refuses is told: 554 no\n"));
	assert_non_null(strstr(scene.out, "1 IPv4 and 0 IPv6 entries now, 1 duplicate merged"));
	scene_clear(&scene);
	scene_play(&script, "block load x - --reason no", &scene);
	assert_null(strstr(scene.out, "554 no"));
	assert_non_null(strstr(scene.out, "It refuses nobody"));
	scene_clear(&scene);
	scene_play(&script, "block load x - --reason ''", &scene);
	assert_null(strstr(scene.out, "refuses"));
	scene_clear(&scene);
}

static void test_load_refuses_nothing(void **state)
{
	static const char *const inputs[] = { "", "# nothing but this\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(inputs); i++) {
		const struct scene_script script = { .input = inputs[i] };
		struct scene scene;

		scene_play(&script, "block load x -", &scene);
		assert_int_equal(scene.code, 4);
		assert_int_equal(scene.requests, 0);
		assert_non_null(strstr(scene.err, "'block clear x'"));
		scene_clear(&scene);
	}
}

static void test_load_unreadable(void **state)
{
	struct scene scene;

	(void)state;
	scene_play(NULL, "block load x /nowhere/file", &scene);
	assert_int_equal(scene.code, 4);
	assert_string_equal(scene.err, "posternctl: /nowhere/file: No such file or directory\n");
	scene_clear(&scene);
	scene_play(NULL, "block load x /", &scene);
	assert_int_equal(scene.code, 4);
	scene_clear(&scene);
	scene_play(NULL, "block load x - --format nonsense", &scene);
	assert_int_equal(scene.code, 2);
	scene_clear(&scene);
}

static void test_rates(void **state)
{
	static const struct {
		double rate;
		const char *text;
	} rates[] = {
		{ 0, "0" },          { -1, "0" },          { 0.01, "0" },        { 0.5, "0.5" },
		{ 9.94, "9.9" },     { 9.96, "10" },       { 812.4, "812" },     { 9999, "9999" },
		{ 10000, "10.0k" },  { 99940, "99.9k" },   { 312345, "312k" },   { 999499, "999k" },
		{ 999600, "1.00M" }, { 1240000, "1.24M" }, { 14.88e6, "14.9M" }, { 5e12, "5.00T" },
	};
	char text[RATE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rates); i++)
		assert_string_equal(rate_format(rates[i].rate, text), rates[i].text);
}

static void test_times(void **state)
{
	char when[WHEN_TEXT_MAX], age[RATE_TEXT_MAX];

	(void)state;
	assert_string_equal(when_relative(0, when), "never");
	assert_string_equal(when_relative(NOW, when), "now");
	assert_string_equal(when_relative(NOW + 90, when), "in 1m 30s");
	assert_string_equal(when_relative(NOW - 7200, when), "2h ago");
	assert_string_equal(when_format(0, when), "never");
	assert_string_equal(age_format(999, age), "now");
	assert_string_equal(age_format(59999, age), "59s");
	assert_string_equal(age_format(60000, age), "1m");
	assert_string_equal(age_format(86400000ull * 3, age), "3d");
}

static void test_widths(void **state)
{
	(void)state;
	show_setup(false);
	if (!show_is_utf8())
		skip(); /* this system has no UTF-8 locale */
	assert_int_equal(show_width("abc"), 3);
	assert_int_equal(show_width("m\xc3\xbc"), 2);
	assert_int_equal(show_width("\xe6\xbc\xa2"), 2);
	assert_int_equal(show_fit("m\xc3\xbcll", 2), 3);
	assert_int_equal(show_fit("\xe6\xbc\xa2", 1), 0);
}

/* On a terminal that does not read UTF-8 nothing beyond ASCII may reach it. */
static void test_cleaning(void **state)
{
	char clean[LINE_TEXT_MAX], small[8];

	(void)state;
	show_setup(false);
	assert_string_equal(show_clean("a\tb\x7f\x1b]0;x\a", clean, sizeof(clean)), "a?b??]0;x?");
	assert_string_equal(show_clean("\xc2\x9b"
				       "31m",
				       clean, sizeof(clean)),
			    "?31m");
	assert_string_equal(show_clean("abcdefghij", small, sizeof(small)), "abcd...");
	setlocale(LC_CTYPE, "C");
	show_setup(true);
	assert_string_equal(show_clean("m\xc3\xbcll", clean, sizeof(clean)), "m??ll");
	setlocale(LC_CTYPE, "C.UTF-8");
	show_setup(false);
}

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	clock_freeze(NOW, 1);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_load_sends_records),
		cmocka_unit_test(test_load_names_the_file),
		cmocka_unit_test(test_load_bad_lines),
		cmocka_unit_test(test_load_tells_of_refusals),
		cmocka_unit_test(test_load_refuses_nothing),
		cmocka_unit_test(test_load_unreadable),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_cleaning),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
