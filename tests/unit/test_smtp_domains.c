/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of check.domains in sessions: each recipient is judged by what his domain wants, the header
 * has what those that were accepted want, and what nobody wants is not looked up.
 */
#include "tests/unit/smtp_fixture.h"

#define MX       CONF_SERVICE_MX
#define FROM(at) "C: MAIL FROM:<a@" at ">", "S: 250 *"
#define TO(at)   "C: RCPT TO:<b@" at ".example>"
#define TAKEN    "S: 250 *"
#define DATA     "C: DATA", "S: 354 *", "C: .", "S: 250 *"
#define ALL_OFF  "dnsbl: off, rdns: off, helo: off, spf: off, sender: off, score: off"

static void play_in(struct scene *scene, const char *const *lines)
{
	scene_connect(scene);
	scene_work(scene);
	scene_play(scene, lines);
}

#define PLAY_IN(scene, ...) play_in(scene, (const char *const[]){ __VA_ARGS__, NULL })

static void each_has_its_own(void **state)
{
	(void)state;
	PLAY("check: {score: off, domains: [soft.example spf=tag, hard.example spf=defer]}\n", MX,
	     BEGIN, FROM("forbids.example"), TO("own"), "S: 550 5.7.23 *", TO("soft"), TAKEN,
	     TO("hard"), "S: 450 4.7.23 *", TO("SOFT"), TAKEN, TO("own"), "S: 550 5.7.23 *", QUIT);
	PLAY("check: {score: off, domains: [soft.example sender=off, hard.example helo=reject]}\n",
	     MX, GREETING, "C: HELO nobody.example", "S: 250 *", FROM("nullmx.example"), TO("soft"),
	     TAKEN, TO("own"), "S: 550 5.7.27 *", TO("hard"), "S: 550 5.7.27 *", "C: RSET",
	     "S: 250 *", FROM("sender.example"), TO("own"), TAKEN, TO("hard"), "S: 550 5.7.1 *",
	     QUIT);
}

/* The header has what the accepted recipients' domains want to be told. */
static void tags(void **state)
{
	static const char conf[] = "check: {score: off, domains: [soft.example spf=tag helo=off, "
				   "hard.example spf=monitor helo=tag]}\n";
	struct scene scene;

	(void)state;
	scene_open(&scene, conf);
	PLAY_IN(&scene, GREETING, "C: HELO nobody.example", "S: 250 *", FROM("forbids.example"),
		TO("hard"), TAKEN, TO("own"), "S: 550 5.7.23 *", TO("soft"), TAKEN, DATA);
	assert_non_null(strstr(stand_in.delivered.data, "X-Postern: helo spf\r\n"));
	scene_play(&scene, (const char *const[]){ FROM("forbids.example"), TO("hard"), TAKEN,
						  "C: RCPT TO:<refused@soft.example>", "S: 550 *",
						  DATA, NULL });
	assert_non_null(strstr(stand_in.delivered.data, "X-Postern: helo\r\n"));
	/* Of postmaster also what would have refused another recipient of the domain. */
	scene_play(&scene, (const char *const[]){ FROM("forbids.example"),
						  "C: RCPT TO:<postmaster@own.example>", TAKEN,
						  TO("own"), "S: 550 *", DATA, NULL });
	assert_non_null(strstr(stand_in.delivered.data, "X-Postern: spf\r\n"));
	scene_play(&scene,
		   (const char *const[]){ FROM("sender.example"), "C: RCPT TO:<abuse@hard.example>",
					  TAKEN, DATA, QUIT, NULL });
	assert_non_null(strstr(stand_in.delivered.data, "X-Postern: helo\r\n"));
	scene_close(&scene);
}

static void bad_clients(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "check: {stage: rcpt, domains: [soft.example score=monitor, "
			   "hard.example score=defer]}\n");
	stand_in.has_verdict = true;
	stand_in.verdict.decision = DECISION_REJECT;
	stand_in.verdict.total = stand_in.verdict.zones = 20;
	PLAY_IN(&scene, "T: 3100", BEGIN, MAIL, TO("soft"), TAKEN, TO("hard"), "S: 450 4.7.1 *");
	assert_int_equal(stand_in.offences, 0);
	scene_play(&scene,
		   (const char *const[]){ TO("own"), "S: 554 5.7.1 refused: the *", QUIT, NULL });
	assert_int_equal(stand_in.offences, 1);
	scene_close(&scene);
	/* Stricter than the rest, where the rest only looks. */
	scene_open(&scene, "check: {score: off, rdns: off, domains: [hard.example score=reject, "
			   "soft.example rdns=defer]}\n");
	stand_in.has_verdict = true;
	stand_in.verdict.decision = DECISION_REJECT;
	stand_in.verdict.findings = FINDING_BIT(FINDING_RDNS_MISSING);
	PLAY_IN(&scene, BEGIN, MAIL, TO("own"), TAKEN, TO("hard"), "S: 554 5.7.1 refused: the *",
		TO("soft"), "S: 450 4.7.25 *", QUIT);
	scene_close(&scene);
}

static void greylisted(void **state)
{
	struct scene scene;
	struct smtp_stats stats;

	(void)state;
	scene_open(&scene, "greylist: {enabled: true}\ncheck: {stage: rcpt, domains: "
			   "[soft.example score=monitor, hard.example score=off]}\n");
	stand_in.has_verdict = true;
	stand_in.verdict.decision = DECISION_GREYLIST;
	stand_in.verdict.total = stand_in.verdict.zones = 7;
	PLAY_IN(&scene, "T: 3100", BEGIN, MAIL, TO("hard"), TAKEN, TO("soft"), TAKEN, TO("own"),
		"S: 450 4.7.1 refused: greylisted: come again in 300 seconds *", QUIT);
	smtp_service_stats(scene.service, &stats);
	assert_int_equal(stats.watched[CHECK_GREYLIST], 1);
	assert_int_equal(stats.refused[SMTP_REFUSED_GREYLIST], 1);
	scene_close(&scene);
}

/* Questions about the sender, while this is the configuration of checks. */
static size_t asked_with(const char *checks, const char *name, enum dns_type type)
{
	struct scene scene;
	size_t asked;

	scene_open(&scene, checks);
	PLAY_IN(&scene, BEGIN, FROM("sender.example"), TO("soft"), TAKEN, QUIT);
	asked = dns_script_asked_for(scene.script, name, type);
	scene_close(&scene);
	return asked;
}

static void what_is_looked_up(void **state)
{
	static const char none[] = "check: {" ALL_OFF "}\n";
	static const char spf[] = "check: {" ALL_OFF ", domains: [hard.example spf=monitor]}\n";
	static const char sender[] = "check: {" ALL_OFF ", domains: [hard.example sender=tag]}\n";
	static const char rdns[] = "check: {" ALL_OFF ", domains: [hard.example rdns=tag]}\n";
	static const char score[] = "check: {" ALL_OFF ", domains: [hard.example score=monitor]}\n";
	static const char name[] = "sender.example", reverse[] = "9.2.0.192.in-addr.arpa";

	(void)state;
	assert_int_equal(asked_with(none, name, DNS_TXT), 0);
	assert_int_equal(asked_with(none, name, DNS_MX), 0);
	assert_int_equal(asked_with(none, reverse, DNS_PTR), 0);
	assert_int_equal(asked_with(spf, name, DNS_TXT), 1);
	assert_int_equal(asked_with(spf, name, DNS_MX), 0);
	assert_int_equal(asked_with(sender, name, DNS_TXT), 0);
	assert_int_equal(asked_with(sender, name, DNS_MX), 1);
	assert_int_equal(asked_with(rdns, reverse, DNS_PTR), 1);
	assert_int_equal(asked_with(score, name, DNS_TXT), 1);
	assert_int_equal(
		asked_with("check: {score: off, domains: [soft.example spf=off]}\n", name, DNS_TXT),
		1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_own),  cmocka_unit_test(tags),
		cmocka_unit_test(bad_clients),       cmocka_unit_test(greylisted),
		cmocka_unit_test(what_is_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
