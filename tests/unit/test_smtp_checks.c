/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what sessions do about what is found out: verdicts at connect, relaying, SPF, senders,
 * lists, HELO; each with every action; who is exempt; what the DNS cannot tell.
 */
#include "tests/unit/smtp_fixture.h"

#define MX CONF_SERVICE_MX

#define FROM(domain) "C: MAIL FROM:<a@" domain ">", "S: 250 *"
#define TO           "C: RCPT TO:<b@own.example>"

struct client {
	const char *conf;
	enum decision decision;
	finding_set findings;
	int16_t total;
	const char *const *dialogue;
};

static void meet(const struct client *client)
{
	struct scene scene;

	scene_open(&scene, client->conf);
	stand_in.has_verdict = true;
	stand_in.verdict.decision = (uint8_t)client->decision;
	stand_in.verdict.findings = client->findings;
	stand_in.verdict.total = client->total;
	stand_in.verdict.zones = client->total;
	scene_connect(&scene);
	scene_work(&scene);
	scene_play(&scene, client->dialogue);
	scene_close(&scene);
}

#define MEET(conf, decision, findings, ...)                                                        \
	meet(&(struct client){ conf, decision, findings, (decision) == DECISION_REJECT ? 20 : 0,   \
			       (const char *const[]){ __VA_ARGS__, NULL } })

static void bad_client(void **state)
{
	(void)state;
	MEET("", DECISION_REJECT, 0, "S: 554 5.7.1 refused: the reputation * (lookup id *)",
	     "C: EHLO x", "S: 503 5.5.1 *", "C: MAIL FROM:<a@b.example>", "S: 503 *", "C: QUIT",
	     "S: 221 *", "S.");
	assert_int_equal(stand_in.offences, 1);
	MEET("", DECISION_REJECT, 0, "S: 554 *", "T: 4900", "T: 300", "S: 421 4.7.0 *", "S.");
	MEET("", DECISION_REJECT, 0, "S: 554 *", "C: a", "C: b", "C: c", "C: d", "C: e", "C: f",
	     "S: 503 *", "S: 503 *", "S: 503 *", "S: 503 *", "S: 503 *", "S: 421 *", "S.");
	MEET("check: {score: defer}\n", DECISION_REJECT, 0,
	     "S: 421 4.7.1 gate.example: come again later (lookup id *)", "S.");
	assert_int_equal(stand_in.offences, 0);
	MEET("check: {score: monitor}\n", DECISION_REJECT, 0, BEGIN, MAIL, RCPT, QUIT);
	MEET("check: {score: off}\n", DECISION_REJECT, 0, BEGIN, MAIL, RCPT, QUIT);
	MEET("", DECISION_ACCEPT, 0, BEGIN, MAIL, RCPT, QUIT);
}

static void slow_client(void **state)
{
	(void)state;
	MEET("", DECISION_SLOW, 0, "T: 2900", "T: 200", GREETING, QUIT);
	MEET("", DECISION_SLOW, 0, "T: 1000", "C: EHLO x", "S: 554 5.5.0 *", "S.");
	MEET("", DECISION_GREYLIST, 0, "T: 2900", "T: 200", BEGIN, MAIL, RCPT, QUIT);
	MEET("check: {score: defer, stage: rcpt}\n", DECISION_REJECT, 0, "T: 2900", "T: 200",
	     GREETING, QUIT);
	MEET("check: {score: monitor}\n", DECISION_SLOW, 0, GREETING, QUIT);
	MEET("check: {score: off}\n", DECISION_SLOW, 0, GREETING, QUIT);
}

static void no_host_name(void **state)
{
	const finding_set missing = FINDING_BIT(FINDING_RDNS_MISSING);

	(void)state;
	MEET("check: {rdns: reject}\n", DECISION_ACCEPT, missing,
	     "S: 550 5.7.25 refused: * (lookup id *)", "C: QUIT", "S: 221 *", "S.");
	MEET("check: {rdns: defer}\n", DECISION_ACCEPT, missing, "S: 421 4.7.1 *", "S.");
	MEET("", DECISION_ACCEPT, missing, GREETING, QUIT);
	MEET("check: {rdns: reject}\n", DECISION_ACCEPT, FINDING_BIT(FINDING_RDNS_TEMPORARY), BEGIN,
	     MAIL, RCPT, QUIT);
}

/* Postmaster and abuse can be reached by whom nobody else can. */
static void refused_at_rcpt(void **state)
{
	(void)state;
	MEET("check: {stage: rcpt}\n", DECISION_REJECT, 0, "T: 3100", BEGIN, MAIL, TO,
	     "S: 554 5.7.1 refused: the reputation * (lookup id *)",
	     "C: RCPT TO:<postmaster@own.example>", "S: 250 *", "C: RCPT TO:<Abuse@own.example>",
	     "S: 250 *", "C: RCPT TO:<postmaster>", "S: 250 *", "C: DATA", "S: 354 *", "C: .",
	     "S: 250 *", QUIT);
	assert_int_equal(stand_in.deliveries, 1);
}

static void no_verdict(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	stand_in.verdict_later = true;
	stand_in.no_verdict = true;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ "V.", BEGIN, MAIL, RCPT, QUIT, NULL });
	stand_in.verdict_later = true;
	scene_connect(&scene);
	scene_play(&scene,
		   (const char *const[]){ "T: 89000", "T: 2000", "S: 421 4.4.2 *", "S.", NULL });
	scene_close(&scene);
}

/* H1 */
static void relaying(void **state)
{
	static const char *const others[] = {
		"x@elsewhere.example",
		"\"x@elsewhere.example\"@own.example",
		"x%elsewhere.example@own.example",
		"elsewhere.example!x@own.example",
		"x@[192.0.2.1]",
		"@own.example:x@elsewhere.example",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char line[128];

		snprintf(line, sizeof(line), "C: RCPT TO:<%s>", others[i]);
		PLAY("", MX, BEGIN, MAIL, line, "S: 550 5.7.1 *", QUIT);
		assert_null(strstr(stand_in.said.data ? stand_in.said.data : "", "RCPT"));
	}
}

/* Each refusal is found by the id that the client was told, with what it was about. */
static void kept(void **state)
{
	struct scene scene;
	struct session_refusal found[REFUSALS_SHOWN_MAX];

	(void)state;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene,
		   (const char *const[]){
			   BEGIN, FROM("sender.example"), "C: RCPT TO:<x@elsewhere.example>",
			   "S: 550 5.7.1 we do not send mail on for you (lookup id *)",
			   "C: AUTH PLAIN AA==", "S: 502 5.5.1 * (lookup id *)",
			   "C: RCPT TO:<b@own.example>", "S: 250 *", "C: DATA", "S: 354 *",
			   "C= a\nb\r\n.\r\n",
			   "S: 554 5.6.0 a CR or a LF alone is in no message (lookup id *)", QUIT,
			   NULL });
	assert_int_equal(refusals_find(scene.refusals, (scene.now_ms * NS_A_MS) & ~0xffull, found),
			 3);
	assert_string_equal(found[0].reason, "relay");
	assert_string_equal(found[0].detail, "<x@elsewhere.example>");
	assert_string_equal(found[0].from, "<a@sender.example>");
	assert_string_equal(found[1].reason, "auth");
	assert_string_equal(found[2].reason, "content");
	assert_string_equal(found[2].helo, "mx.sender.example");
	assert_memory_equal(&found[2].source, &scene.peer, sizeof(scene.peer));
	scene_close(&scene);
}

/* The score that is told is the one that decided: of the whole, where the whole did. */
static void score_that_decided(void **state)
{
	struct session_refusal found[REFUSALS_SHOWN_MAX];
	struct scene scene;

	(void)state;
	scene_open(&scene, "check: {spf: monitor, rdns: defer, stage: rcpt}\n");
	stand_in.has_verdict = true;
	stand_in.verdict.findings = FINDING_BIT(FINDING_RDNS_MISSING);
	stand_in.verdict.total = 3;
	stand_in.verdict.zones = 1;
	scene_connect(&scene);
	scene_work(&scene);
	scene_play(&scene,
		   (const char *const[]){ BEGIN, FROM("sender.example"), TO, "S: 450 4.7.25 *",
					  "C: RSET", "S: 250 *", FROM("forbids.example"), TO,
					  "S: 554 5.7.1 *", QUIT, NULL });
	assert_int_equal(refusals_find(scene.refusals, (scene.now_ms * NS_A_MS) & ~0xffull, found),
			 2);
	assert_int_equal(found[0].score, 3);
	assert_int_equal(found[1].score, 1 + 10 - 1); /* the list, SPF, the HELO name */
	assert_int_equal(found[1].lists, 1);
	assert_true(found[1].findings & FINDING_BIT(FINDING_SPF_FAIL));
	scene_close(&scene);
}

/* Strangers are refused; a trusted network is asked nothing. */
static void trusted(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "check: {rdns: reject}\n");
	scene.peer = addr_from_ipv4(0xc6336401u); /* 198.51.100.1 */
	stand_in.has_verdict = true;
	stand_in.verdict.decision = DECISION_REJECT;
	scene_connect(&scene);
	scene_work(&scene);
	scene_play(&scene,
		   (const char *const[]){ BEGIN, FROM("forbids.example"),
					  "C: RCPT TO:<x@elsewhere.example>", "S: 250 *", "C: DATA",
					  "S: 354 *", "C: .", "S: 250 *", QUIT, NULL });
	assert_int_equal(stand_in.offences, 0);
	scene_close(&scene);
}

static void spf(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, FROM("sender.example"), RCPT, QUIT);
	PLAY("", MX, BEGIN, FROM("forbids.example"), TO,
	     "S: 550 5.7.23 refused: SPF: * (lookup id *)", "C: RCPT TO:<postmaster@own.example>",
	     "S: 250 *", QUIT);
	PLAY("check: {spf: defer}\n", MX, BEGIN, FROM("forbids.example"), TO, "S: 450 4.7.23 *",
	     QUIT);
	PLAY("check: {spf: defer}\n", MX, BEGIN, FROM("tempspf.example"), TO, "S: 451 4.7.24 *",
	     QUIT);
	PLAY("check: {spf: monitor, score: off}\n", MX, BEGIN, FROM("forbids.example"), RCPT, QUIT);
	PLAY("check: {spf: off, score: off}\n", MX, BEGIN, FROM("forbids.example"), RCPT, QUIT);
	PLAY("check: {spf: monitor}\nscore: {spf-fail: 20}\n", MX, BEGIN, FROM("forbids.example"),
	     TO, "S: 554 5.7.1 refused: too much *", QUIT);
	assert_int_equal(stand_in.offences, 0);
	/* What the DNS cannot tell is no reason to refuse anything. */
	PLAY("", MX, BEGIN, FROM("tempspf.example"), RCPT, QUIT);
	PLAY("", MX, BEGIN, FROM("temp.example"), RCPT, QUIT);
	/* It is waited for, and not longer than an evaluation may take. */
	PLAY("", MX, BEGIN, FROM("slowspf.example"), TO, "T: 2900", "T: 200", "S: 550 5.7.23 *",
	     QUIT);
}

static void spf_too_slow(void **state)
{
	struct scene scene;
	struct error err;

	(void)state;
	scene_open(&scene, "");
	assert_int_equal(dns_script_add(scene.script,
					"late.example MX 10 mx.sender.example\n"
					"late.example TXT after 60000 \"v=spf1 -all\"\n",
					&err),
			 0);
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, FROM("late.example"), TO, "T: 19000",
						  "T: 1500", "S: 250 *", QUIT, NULL });
	scene_close(&scene);
}

static void senders(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, FROM("nullmx.example"), TO, "S: 550 5.7.27 *", QUIT);
	PLAY("", MX, BEGIN, FROM("missing.example"), TO, "S: 550 5.1.8 *", QUIT);
	PLAY("check: {sender: defer, score: off}\n", MX, BEGIN, FROM("missing.example"), TO,
	     "S: 450 4.1.8 *", QUIT);
	PLAY("check: {sender: off, score: off}\n", MX, BEGIN, FROM("missing.example"), RCPT, QUIT);
	PLAY("", MX, BEGIN, "C: MAIL FROM:<>", "S: 250 *", RCPT, QUIT);
}

static void tagged(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "check: {spf: tag, sender: tag, score: tag}\nscore: {spf-fail: 20}\n");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, FROM("forbids.example"), RCPT, "C: DATA",
						  "S: 354 *", "C: .", "S: 250 *", NULL });
	assert_non_null(strstr(stand_in.delivered.data, "X-Postern: spf score\r\n"));
	scene_play(&scene,
		   (const char *const[]){ FROM("sender.example"), RCPT, "C: DATA", "S: 354 *",
					  "C: X-Postern: spf", "C: .", "S: 250 *", QUIT, NULL });
	assert_null(strstr(stand_in.delivered.data, "X-Postern: spf"));
	scene_close(&scene);
}

static void helo(void **state)
{
	(void)state;
	PLAY("check: {helo: reject}\n", MX, GREETING, "C: HELO gate.example", "S: 250 *",
	     FROM("sender.example"), TO, "S: 550 5.7.1 refused: your HELO *", QUIT);
	PLAY("check: {helo: reject}\n", MX, GREETING, "C: HELO nobody.example", "S: 250 *",
	     FROM("sender.example"), TO, "S: 550 5.7.1 *", "C: HELO mx.sender.example", "S: 250 *",
	     FROM("sender.example"), RCPT, QUIT);
	PLAY("", MX, GREETING, "C: HELO nobody.example", "S: 250 *", FROM("sender.example"), RCPT,
	     QUIT);
}

#define LISTS "dnsbl: {domains: [\"dbl.example*10\"]}\n"
#define BOTH  "dnsbl: {domains: [\"dbl.example*10\", \"wl.example*-6\"]}\n"

static void listed(void **state)
{
	static const char *const records = "bad.example.dbl.example A 127.0.0.2\n"
					   "bad.example MX 10 mx.sender.example\n"
					   "bad.example.wl.example A TEMPORARY\n";
	static const struct {
		const char *conf, *helo, *from, *reply;
		unsigned int offences; /* the HELO name is the client's own, the sender is not */
	} rows[] = {
		{ LISTS, "C: HELO x.example", "C: MAIL FROM:<a@bad.example>", "S: 554 5.7.1 *", 0 },
		{ LISTS, "C: HELO bad.example", "C: MAIL FROM:<a@sender.example>", "S: 554 5.7.1 *",
		  1 },
		{ LISTS, "C: HELO x.example", "C: MAIL FROM:<a@sender.example>", "S: 250 *", 0 },
		{ LISTS "check: {dnsbl: defer, score: off}\n", "C: HELO x.example",
		  "C: MAIL FROM:<a@bad.example>", "S: 450 4.7.1 *", 0 },
		{ LISTS "check: {dnsbl: off, score: off}\n", "C: HELO x.example",
		  "C: MAIL FROM:<a@bad.example>", "S: 250 *", 0 },
		/* an allow list that gives no answer could have saved it */
		{ BOTH, "C: HELO x.example", "C: MAIL FROM:<a@bad.example>", "S: 250 *", 0 },
		{ BOTH, "C: HELO bad.example", "C: MAIL FROM:<a@sender.example>", "S: 250 *", 0 },
	};
	struct scene scene;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scene_open(&scene, rows[i].conf);
		assert_int_equal(dns_script_add(scene.script, records, &err), 0);
		scene_connect(&scene);
		scene_play(&scene,
			   (const char *const[]){ GREETING, rows[i].helo, "S: 250 *", rows[i].from,
						  "S: 250 *", TO, rows[i].reply, QUIT, NULL });
		assert_int_equal(stand_in.offences, rows[i].offences);
		scene_close(&scene);
	}
}

/* The operator's word stands above a verdict, and is no leave to send to others. */
static void allowed(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "check: {rdns: reject}\n");
	stand_in.has_verdict = true;
	stand_in.verdict.decision = DECISION_REJECT;
	stand_in.verdict.total = stand_in.verdict.zones = 20;
	stand_in.standing.kind = GUARD_STANDING_ALLOWED;
	scene_connect(&scene);
	scene_work(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, FROM("forbids.example"), RCPT,
						  "C: RCPT TO:<x@elsewhere.example>",
						  "S: 550 5.7.1 *", QUIT, NULL });
	assert_int_equal(stand_in.offences, 0);
	scene_close(&scene);
}

/* Whose mail is taken is told to the guard, once. */
static void good(void **state)
{
	(void)state;
	MEET("", DECISION_ACCEPT, 0, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "C: .", "S: 250 *",
	     MAIL, RCPT, "C: DATA", "S: 354 *", "C: .", "S: 250 *", QUIT);
	assert_int_equal(stand_in.goods, 1);
	assert_int_equal(stand_in.offences, 0);
}

/* What the backend says of a message is what the client hears. */
static void backend_replies(void **state)
{
	static const struct stand_in_reply replies[] = { { 554, "5.6.0 no" },
							 { 451, "4.3.0 later" },
							 { 250, "2.0.0 yes" } };
	struct scene scene;
	struct smtp_stats stats;

	(void)state;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, NULL });
	for (size_t i = 0; i < 3; i++) {
		char expected[64];

		stand_in.message = replies[i];
		snprintf(expected, sizeof(expected), "S: %u %s", replies[i].code, replies[i].text);
		scene_play(&scene, (const char *const[]){ MAIL, RCPT, "C: DATA", "S: 354 *", "C: .",
							  expected, NULL });
	}
	scene_play(&scene,
		   (const char *const[]){ "C: MAIL FROM:<refused@sender.example>", "S: 550 5.1.1 *",
					  "C: RCPT TO:<b@own.example>", "S: 503 *", QUIT, NULL });
	smtp_service_stats(scene.service, &stats);
	assert_int_equal(stats.messages, 1);
	assert_int_equal(stats.rejected, 1);
	assert_int_equal(stats.deferred, 1);
	assert_int_equal(stats.recipients, 1);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_client),
		cmocka_unit_test(slow_client),
		cmocka_unit_test(no_host_name),
		cmocka_unit_test(refused_at_rcpt),
		cmocka_unit_test(no_verdict),
		cmocka_unit_test(relaying),
		cmocka_unit_test(trusted),
		cmocka_unit_test(spf),
		cmocka_unit_test(score_that_decided),
		cmocka_unit_test(kept),
		cmocka_unit_test(spf_too_slow),
		cmocka_unit_test(senders),
		cmocka_unit_test(tagged),
		cmocka_unit_test(helo),
		cmocka_unit_test(listed),
		cmocka_unit_test(allowed),
		cmocka_unit_test(good),
		cmocka_unit_test(backend_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
