/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of greylisting in sessions: who has to come again, who need not, by which key he is known,
 * and what each action of check.score makes of it.
 */
#include "tests/unit/smtp_fixture.h"

#define MX       CONF_SERVICE_MX
#define GREY     "greylist: {enabled: true, delay: 300, window: 3600, keep: 86400}\n"
#define NO_RDNS  "score: {rdns-missing: 0}\n"
#define TO       "C: RCPT TO:<b@own.example>"
#define WAIT(s)  "S: 450 4.7.1 refused: greylisted: come again in " #s " seconds (lookup id *)"
#define FROM(at) "C: MAIL FROM:<a@" at ">", "S: 250 *"
#define DATA     "C: DATA", "S: 354 *", "C: .", "S: 250 *"
#define SLOW_MS  3100 /* who is greylisted is greeted late */

static const char zone[] = "nospf.example MX 10 mx.sender.example\n"
			   "big.example MX 10 mx.sender.example\n"
			   "big.example TXT \"v=spf1 ip4:192.0.2.0/24 ip4:203.0.113.0/24 -all\"\n"
			   "any.example MX 10 mx.sender.example\n"
			   "any.example TXT \"v=spf1 +all\"\n";

static void open_grey(struct scene *scene, const char *more)
{
	struct error err;

	scene_open(scene, more);
	assert_int_equal(dns_script_add(scene->script, zone, &err), 0);
	stand_in.has_verdict = true;
	stand_in.verdict.decision = DECISION_GREYLIST;
	stand_in.verdict.total = stand_in.verdict.zones = 7;
}

/* A session that says EHLO, these lines and QUIT. */
static void visit(struct scene *scene, const char *const *lines)
{
	scene_connect(scene);
	scene_work(scene);
	scene_advance(scene, SLOW_MS);
	scene_play(scene, (const char *const[]){ BEGIN, NULL });
	scene_play(scene, lines);
	scene_play(scene, (const char *const[]){ QUIT, NULL });
}

#define VISIT(scene, ...) visit(scene, (const char *const[]){ __VA_ARGS__, NULL })

/* So long after the last visit the next one has been greeted. */
static void later(struct scene *scene, uint64_t ms)
{
	scene_advance(scene, ms - SLOW_MS);
}

static struct smtp_stats stats_of(const struct scene *scene)
{
	struct smtp_stats stats;

	smtp_service_stats(scene->service, &stats);
	return stats;
}

static void come_again(void **state)
{
	struct scene scene;

	(void)state;
	open_grey(&scene, GREY);
	VISIT(&scene, MAIL, TO, WAIT(300), "C: RCPT TO:<c@own.example>", WAIT(300),
	      "C: RCPT TO:<postmaster@own.example>", "S: 250 *");
	assert_int_equal(stats_of(&scene).refused[SMTP_REFUSED_GREYLIST], 2);
	assert_int_equal(stats_of(&scene).greylist_passed, 0);
	later(&scene, 100000);
	/* It is one answer for a transaction, and another one for the next. */
	VISIT(&scene, MAIL, TO, WAIT(200), "T: 10000", TO, WAIT(200), "C: RSET", "S: 250 *", MAIL,
	      TO, WAIT(190));
	later(&scene, 190000);
	VISIT(&scene, MAIL, RCPT, DATA);
	assert_int_equal(stats_of(&scene).greylist_passed, 1);
	later(&scene, 80000000);
	VISIT(&scene, MAIL, RCPT);
	later(&scene, 87000000);
	VISIT(&scene, MAIL, TO, WAIT(300));
	later(&scene, 3700000);
	VISIT(&scene, MAIL, TO, WAIT(300));
	assert_int_equal(stand_in.offences, 0);
	assert_int_equal(stats_of(&scene).watched[CHECK_GREYLIST], 0);
	scene_close(&scene);
}

/* The domain if SPF passes for it, not for everybody, else the network; a bounce has no domain. */
static void keys(void **state)
{
	static const struct {
		const char *from, *key;
	} rows[] = {
		{ "C: MAIL FROM:<a@big.example>", "big.example" },
		{ "C: MAIL FROM:<a@BIG.example>", "big.example" },
		{ "C: MAIL FROM:<a@nospf.example>", "none" },
		{ "C: MAIL FROM:<a@any.example>", "none" },
		{ "C: MAIL FROM:<>", "none" },
	};
	struct scene scene;

	(void)state;
	open_grey(&scene, GREY);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		VISIT(&scene, rows[i].from, "S: 250 *", TO, "S: 450 4.7.1 *");
		assert_string_equal(stand_in.greylisted, rows[i].key);
	}
	scene_close(&scene);
}

/* The hosts of a domain are one sender; those of a network are, too. */
static void turns(void **state)
{
	struct scene scene;

	(void)state;
	open_grey(&scene, GREY NO_RDNS);
	VISIT(&scene, FROM("big.example"), TO, WAIT(300));
	later(&scene, 300000);
	scene.peer = addr_from_ipv4(0xcb007107u); /* 203.0.113.7 */
	VISIT(&scene, FROM("big.example"), RCPT, "C: RSET", "S: 250 *", FROM("nospf.example"), TO,
	      WAIT(300));
	later(&scene, 100000);
	scene.peer = addr_from_ipv4(0xcb007108u);
	VISIT(&scene, FROM("nospf.example"), TO, WAIT(200));
	scene_close(&scene);
}

static void actions(void **state)
{
	static const struct {
		const char *conf, *reply;
		uint64_t watched;
		bool asked;
	} rows[] = {
		{ GREY "check: {score: reject}\n", "S: 450 4.7.1 *", 0, true },
		{ GREY "check: {score: defer}\n", "S: 450 4.7.1 *", 0, true },
		{ GREY "check: {score: tag}\n", "S: 250 *", 1, true },
		{ GREY "check: {score: monitor}\n", "S: 250 *", 1, true },
		{ GREY "check: {score: off}\n", "S: 250 *", 0, false },
		{ "greylist: {enabled: false}\n", "S: 250 *", 0, false },
	};
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_grey(&scene, rows[i].conf);
		VISIT(&scene, MAIL, TO, rows[i].reply);
		assert_int_equal(stats_of(&scene).watched[CHECK_GREYLIST], rows[i].watched);
		assert_int_equal(stand_in.greylist != NULL, rows[i].asked);
		scene_close(&scene);
	}
}

static void tagged(void **state)
{
	struct scene scene;

	(void)state;
	open_grey(&scene, GREY "check: {score: tag}\n");
	VISIT(&scene, MAIL, RCPT, DATA);
	assert_non_null(strstr(stand_in.delivered.data, "X-Postern: greylist\r\n"));
	later(&scene, 300000);
	VISIT(&scene, MAIL, RCPT, DATA);
	assert_null(strstr(stand_in.delivered.data, "X-Postern"));
	scene_close(&scene);
}

/* Who is not asked where he comes from does not wait; what is refused anyway is no first visit. */
static void not_asked(void **state)
{
	struct scene scene;

	(void)state;
	PLAY(GREY, MX, BEGIN, MAIL, RCPT, QUIT); /* there is no verdict */
	open_grey(&scene, GREY);
	VISIT(&scene, FROM("forbids.example"), TO, "S: 550 5.7.23 *");
	assert_null(stand_in.greylist);
	scene.peer = addr_from_ipv4(0xc6336401u); /* a trusted network */
	VISIT(&scene, MAIL, RCPT);
	assert_null(stand_in.greylist);
	scene.peer = addr_from_ipv4(0xc0000209u);
	stand_in.verdict.decision = DECISION_SLOW;
	stand_in.verdict.total = stand_in.verdict.zones = 4;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ "T: 3100", BEGIN, MAIL, RCPT, QUIT, NULL });
	assert_null(stand_in.greylist);
	scene_close(&scene);
}

/* What the sender adds counts, and what a silent allow list might have said is no rejection. */
static void scores(void **state)
{
	struct scene scene;

	(void)state;
	open_grey(&scene, GREY "score: {spf-none: 7}\n");
	stand_in.verdict.decision = DECISION_ACCEPT;
	stand_in.verdict.total = stand_in.verdict.zones = 0;
	VISIT(&scene, MAIL, RCPT);
	VISIT(&scene, FROM("nospf.example"), TO, WAIT(300));
	scene_close(&scene);
	open_grey(&scene, GREY);
	stand_in.verdict.total = stand_in.verdict.zones = 14;
	VISIT(&scene, MAIL, TO, "S: 554 5.7.1 *");
	stand_in.verdict.missing = -5;
	stand_in.verdict.temporary = true;
	VISIT(&scene, MAIL, TO, WAIT(300));
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(come_again), cmocka_unit_test(keys),   cmocka_unit_test(turns),
		cmocka_unit_test(actions),    cmocka_unit_test(tagged), cmocka_unit_test(not_asked),
		cmocka_unit_test(scores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
