/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_cli_guard.c - what posternctl makes, for a person, of what the guard knows:
 * check ip, the reputation in why, the DNS lists in status, and what was learned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "tests/unit/cli_scene.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW          1000000

#define RESULT(text) "{\"ok\": true, \"result\": {" text "}}\n"
#define ZONE(name, outcome, more)                                                                  \
	"{\"zone\": \"" name "\", \"of\": \"address\", \"outcome\": \"" outcome                    \
	"\", \"age\": 62" more "}"
#define CODES " \"codes\": [\"127.0.0.2\", \"127.0.0.4\"]"
#define BL    ZONE("bl.example", "listed", ", \"score\": 10, \"text\": \"spam source\"," CODES)
#define WL    ZONE("wl.example", "clean", ", \"codes\": []")
#define OUT   ZONE("a.example", "out", "")
#define MUTE  ZONE("b.example", "temporary", "")
#define ERROR ZONE("c.example", "error", ", \"codes\": [\"127.255.255.254\"]")
#define RDNS  "{\"finding\": \"rdns-generic\", \"score\": 2, \"help\": \"of dial-up lines\"}"
#define JUDGED                                                                                     \
	"\"address\": \"192.0.2.7\", \"decision\": \"reject\", \"rejected\": true, \"score\": 12"
#define NAME    "\"rdns\": {\"name\": \"a-b.dyn.example\", \"age\": 5}"
#define ZONES   "\"zones\": [" BL ", " WL ", " OUT ", " MUTE ", " ERROR "]"
#define LOOKUPS JUDGED ", " ZONES ", \"findings\": [" RDNS "], " NAME
#define WHY(reputation)                                                                            \
	RESULT("\"address\": \"192.0.2.7\", \"verdict\": \"pass\", \"reason\": \"accepted\", "     \
	       "\"deciding\": null, \"matches\": [], \"reputation\": {" reputation "}")
#define GUARD_MODE "\"mode\": \"guard\", "

/* Each is a whole piece of the output. */
static const struct {
	const char *line, *answer, *printed;
} answers[] = {
	{ "check ip 192.0.2.7", RESULT(LOOKUPS),
	  "192.0.2.7 scores 12: reject\n\n"
	  "LOOKUP        ANSWER                                      AGE  SCORE\n"
	  "bl.example    listed 127.0.0.2, 127.0.0.4: spam source  1m 2s    +10\n"
	  "wl.example    not listed                                1m 2s      0\n"
	  "a.example     out of service, counts nothing                       0\n"
	  "b.example     no answer                                 1m 2s      0\n"
	  "c.example     refuses to answer: 127.255.255.254        1m 2s      0\n"
	  "rdns-generic  of dial-up lines: a-b.dyn.example            5s     +2\n" },
	{ "check ip 192.0.2.7",
	  RESULT(LOOKUPS ", \"temporary\": true, \"spf\": {\"result\": \"permerror\", \"domain\": "
			 "\"mx.example\", \"problem\": \"two records\"}"),
	  "  SPF of the HELO name mx.example: permerror: two records\n"
	  "  the DNS did not answer everything: the score may be another one later\n" },
	{ "check ip 192.0.2.7",
	  RESULT(LOOKUPS ", \"spf\": {\"result\": \"pass\", \"domain\": \"mx.example\", "
			 "\"mechanism\": \"ip4:192.0.2.7\"}"),
	  "  SPF of the HELO name mx.example: pass, by ip4:192.0.2.7\n" },
	{ "why 192.0.2.7", WHY("\"mode\": \"filter\""),
	  "\nReputation\n  clients are not looked up (mode: filter)\n" },
	{ "why 192.0.2.7", WHY(GUARD_MODE "\"now\": {" LOOKUPS "}"),
	  "\nReputation\n  no verdict is kept: it is looked up when it connects\n"
	  "  looked up now, it scores 12: reject\n\nLOOKUP " },
	{ "why 192.0.2.7",
	  WHY(GUARD_MODE
	      "\"verdict\": {\"decision\": \"reject\", \"score\": 12, \"age\": 61, \"ms\": "
	      "35, \"holds\": 3600}, \"history\": {\"first\": 913600, \"offences\": 1, "
	      "\"offence_time\": 999700}, \"learned\": {\"kind\": \"blocked\", \"action\": "
	      "\"refuse\", \"seconds\": 540}"),
	  "  reject with a score of 12, found 1m 1s ago in 35 ms, holds for 1h\n"
	  "  known since 1970-01-11 13:46:40; offended 1 time, the last time 5m ago\n"
	  "  the kernel blocks it for 9m, action refuse\n" },
	{ "why 192.0.2.7",
	  WHY(GUARD_MODE "\"history\": {\"first\": 913600, \"offences\": 2, \"offence_time\": "
			 "999700}"),
	  "; offended 2 times, the last time 5m ago\n" },
	{ "why 192.0.2.7",
	  WHY(GUARD_MODE "\"history\": {\"first\": 913600, \"good\": 1}, \"learned\": {\"kind\": "
			 "\"known\", \"seconds\": 60}"),
	  "  no verdict is kept any more\n"
	  "  known since 1970-01-11 13:46:40; no offence, 1 good verdict\n"
	  "  the kernel lets it in for 1m without another lookup\n" },
	{ "why 192.0.2.7",
	  WHY(GUARD_MODE "\"greylist\": {\"passed\": false, \"wait\": 240, \"first\": 999940, "
			 "\"last\": 999950}"),
	  "  greylisting: its network has to wait for 4m, first seen 1m ago\n" },
	{ "why 192.0.2.7",
	  WHY(GUARD_MODE "\"greylist\": {\"passed\": false, \"wait\": 0, \"first\": 999400, "
			 "\"last\": 999950}"),
	  "  greylisting: its network may come now, first seen 10m ago\n" },
	{ "why 192.0.2.7",
	  WHY(GUARD_MODE "\"greylist\": {\"passed\": true, \"wait\": 0, \"first\": 913600, "
			 "\"last\": 999940}"),
	  "  greylisting: its network has come again, the last time 1m ago\n" },
	{ "why 192.0.2.7",
	  WHY(GUARD_MODE "\"learned\": {\"kind\": \"trusted\", \"seconds\": 86400}"),
	  "  the kernel lets it in for 1d without another lookup: its history is good\n" },
	{ "status",
	  RESULT("\"config\": \"f\", \"mode\": \"guard\", \"guard\": {\"zones\": [{\"zone\": "
		 "\"bl.example\", \"of\": \"address\", \"health\": \"serving\", \"seconds\": 60, "
		 "\"asked\": 1234, \"listed\": 5, \"temporary\": 6, \"errors\": 0}], "
		 "\"verdicts\": {\"accept\": 1200, \"reject\": 3}, \"learned\": {\"known\": 9, "
		 "\"blocked\": 2}, \"dns\": {\"servers_down\": 1, \"rewrites\": true}}"),
	  "DNS LIST    OF       HEALTH   FOR  ASKED  LISTED  NO ANSWER  ERRORS\n"
	  "bl.example  address  serving   1m  1,234       5          6       0\n\n"
	  "Verdicts     1,200 accept, 0 slow, 0 greylist, 3 reject\n"
	  "Learned      9 known, 0 trusted, 2 blocked\n"
	  "A DNS server answers for names that do not exist: no DNS list counts\n"
	  "A DNS server does not answer\n" },
	{ "status", RESULT("\"config\": \"f\", \"mode\": \"guard\""),
	  "Configured   f\nMode         guard: clients that are new are looked up\n" },
	{ "status", RESULT("\"config\": \"f\", \"mode\": \"filter\""),
	  "Configured   f\nMode         filter: nobody is looked up\nPorts " },
	{ "status", RESULT("\"config\": \"f\", \"mode\": \"proxy\""),
	  "Mode         proxy: clients are looked up, and mail is handed on to backends\nPorts " },
	{ "status",
	  RESULT("\"config\": \"f\", \"mode\": \"proxy\", \"smtp\": {\"sessions\": {\"open\": 2, "
		 "\"max\": 1000, \"total\": 1300, \"tls\": 900}, \"messages\": {\"accepted\": "
		 "1200, "
		 "\"rejected\": "
		 "3, "
		 "\"deferred\": 4}, \"refused\": {\"reputation\": 1500, \"early\": 0, \"relay\": "
		 "7, \"load\": 5}, \"watched\": {\"spf\": 2000, \"rdns\": 0, \"helo\": 8}, "
		 "\"unknown\": {\"remembered\": 1234, \"ttl\": 300, \"refused\": 56, \"hourly\": "
		 "50}, "
		 "\"certificates\": [{\"file\": \"/a.pem\", \"expires\": 1000060}, {\"file\": "
		 "\"/b.pem\", \"expires\": 999940}], "
		 "\"backends\": [{\"name\": \"192.0.2.1:25\", \"up\": false, \"why\": \"greeting: "
		 "no\", \"seconds\": 60, \"open\": 1, \"accepted\": 5}]}"),
	  "Sessions     2 open of at most 1,000; 1,300 so far, 900 with TLS; 5 turned away for "
	  "want of room\n"
	  "Messages     1,200 accepted, 3 rejected and 4 deferred by backends\n"
	  "Refused      1,500 reputation, 7 relay, 5 load\n"
	  "Watched      2,000 spf, 8 helo\n"
	  "Unknown      1,234 recipients are remembered, for 5m; 56 were refused by that; a "
	  "client may name 50 in an hour\n"
	  "Certificates /a.pem expires in 1m\n"
	  "             /b.pem has expired 1m ago\n\n"
	  "BACKEND       STATE  FOR  OPEN  MAIL  ROLE  WHY\n"
	  "192.0.2.1:25  down    1m     1     5        greeting: no\n" },
	{ "status",
	  RESULT("\"config\": \"f\", \"smtp\": {\"refused\": {\"early\": 0}, \"backends\": []}"),
	  "Refused      nothing and nobody\n" },
	{ "status",
	  RESULT("\"config\": \"f\", \"smtp\": {\"unknown\": {\"ttl\": 0, \"hourly\": 0}, "
		 "\"backends\": []}"),
	  "Unknown      recipients are not remembered; a client may name any number\n" },
	{ "status",
	  RESULT("\"interfaces\": [], \"lists\": [{\"list\": \"learned\", \"kind\": \"block\", "
		 "\"ipv4\": 1, \"ipv6\": 0, \"changed\": 0, \"origin\": \"guard\"}]"),
	  "LIST     KIND   IPV4  IPV6  STATE     CHANGED  FROM\n"
	  "learned  block     1     0  enforced           guard\n" },
	{ "block show --list learned",
	  "{\"row\": {\"prefix\": \"192.0.2.7\", \"list\": \"learned\", \"action\": \"drop\", "
	  "\"added\": 0, \"expires\": 1000060, \"source\": \"guard\", \"reason\": \"bad "
	  "reputation\"}}\n" RESULT("\"entries\": 1"),
	  "PREFIX     LIST     ACTION  EXPIRES  ADDED  SOURCE  REASON\n"
	  "192.0.2.7  learned  drop    in 1m           guard   bad reputation\n1 entry\n" },
	{ "block clear learned", RESULT("\"removed\": 1"),
	  "1 source is forgotten that had been blocked\n" },
	{ "block clear learned", RESULT("\"removed\": 1024"),
	  "1,024 sources are forgotten that had been blocked\n" },
	{ "block test 192.0.2.7",
	  RESULT("\"listed\": true, \"matches\": [{\"list\": \"learned\", \"kind\": \"block\", "
		 "\"prefix\": \"192.0.2.7\", \"action\": \"drop\", \"reason\": \"bad "
		 "reputation\", \"source\": \"guard\", \"added\": 0, \"expires\": 1000060, "
		 "\"decides\": true}]"),
	  "    reason   bad reputation\n    by       guard\n    expires  in 1m\n" },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		const struct scene_script script = { .answer = { answers[i].answer } };
		struct scene scene;

		scene_play(&script, answers[i].line, &scene);
		if (!strstr(scene.out, answers[i].printed))
			fail_msg("%s printed:\n%s\nand not:\n%s", answers[i].line, scene.out,
				 answers[i].printed);
		assert_string_equal(scene.err, "");
		scene_clear(&scene);
	}
}

/* A literal is no domain, so nothing is said of its policy. */
static void test_no_policy_of_an_address(void **state)
{
	const struct scene_script script = {
		.answer = { RESULT(LOOKUPS ", \"spf\": {\"result\": \"none\", \"domain\": "
					   "\"[192.0.2.7]\"}") },
	};
	struct scene scene;

	(void)state;
	scene_play(&script, "check ip 192.0.2.7 --helo [192.0.2.7]", &scene);
	assert_null(strstr(scene.out, "SPF"));
	assert_int_equal(scene.code, 1); /* it would be refused */
	assert_non_null(strstr(scene.request[0], "[192.0.2.7]"));
	scene_clear(&scene);
}

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	setlocale(LC_ALL, "C.UTF-8");
	clock_freeze(NOW, 1000000000);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_no_policy_of_an_address),
	};

	return cmocka_run_group_tests_name("cli guard", tests, setup, NULL);
}
