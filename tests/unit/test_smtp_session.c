/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of session/smtp: every command in every state, lines, groups of commands, early talkers,
 * transactions.
 */
#include "tests/unit/smtp_fixture.h"

#define MX           CONF_SERVICE_MX
#define CLOSED_EARLY "S: 554 5.5.0 you did not wait for the answer to *", "S."

static void message(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, MAIL, "B: MAIL <a@sender.example>", RCPT, "B: RCPT <b@own.example>",
	     "C: DATA", "S: 354 *", "C: Subject: x", "C: ", "C: text", "C: .",
	     "S: 250 2.0.0 queued", QUIT);
}

static void several(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, MAIL, RCPT, "C: RCPT TO:<refused@own.example>", "S: 550 5.1.1 *",
	     "C: RCPT TO:<later@own.example>", "S: 450 4.2.0 *", "C: RCPT TO:<lines@own.example>",
	     "S: 250-2.1.5 one", "S: 250 2.1.5 two", "C: DATA", "S: 354 *", "C: .", "S: 250 *",
	     MAIL, RCPT, "C: DATA", "S: 354 *", "C: ..", "C: .", "S: 250 *", QUIT);
}

/* In groups, as RFC 2920 has them. */
static void pipelined(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, "C: MAIL FROM:<a@sender.example>", "C: RCPT TO:<b@own.example>",
	     "C: RCPT TO:<refused@own.example>", "C: DATA", "S: 250 *", "S: 250 *", "S: 550 *",
	     "S: 354 *", "C: x", "C: .", "C: RSET", "C: MAIL FROM:<a@sender.example>", "C: NOOP",
	     "S: 250 *", "S: 250 2.0.0 forgotten", "S: 250 *", "S: 250 2.0.0 still here", QUIT);
}

/* Where each command may come: without a name, with one, in a transaction, with a recipient. */
static void out_of_place(void **state)
{
	(void)state;
	PLAY("", MX, GREETING, "C: MAIL FROM:<a@sender.example>", "S: 503 5.5.1 *",
	     "C: RCPT TO:<b@own.example>", "S: 503 5.5.1 *", "C: DATA", "S: 503 5.5.1 *",
	     "C: VRFY b", "S: 503 5.5.1 *", "C: STARTTLS", "S: 503 5.5.1 *", "C: AUTH PLAIN",
	     "S: 503 5.5.1 *", "C: RSET", "S: 250 *", "C: NOOP", "S: 250 *", "C: HELP", "S: 214 *",
	     QUIT);
	PLAY("", MX, BEGIN, "C: RCPT TO:<b@own.example>", "S: 503 5.5.1 *", "C: DATA",
	     "S: 503 5.5.1 *", "C: VRFY", "S: 501 *", "C: VRFY b", "S: 252 *", "C: AUTH PLAIN",
	     "S: 502 5.5.1 *", "C: EXPN x", "S: 502 5.5.1 *", "C: ETRN x", "S: 502 5.5.1 *", QUIT);
	PLAY("", MX, BEGIN, MAIL, "C: MAIL FROM:<a@sender.example>", "S: 503 5.5.1 *", "C: DATA",
	     "S: 503 5.5.1 say RCPT first", "C: RCPT TO:<refused@own.example>", "S: 550 *",
	     "C: DATA", "S: 554 5.5.1 *", "C: RSET", "S: 250 *", "C: DATA", "S: 503 *", QUIT);
	PLAY("", MX, BEGIN, MAIL, RCPT, EHLO, "C: DATA", "S: 503 *", MAIL, RCPT,
	     "C: HELO mx.sender.example", "S: 250 gate.example", "C: RCPT TO:<b@own.example>",
	     "S: 503 *", QUIT);
}

static void wrong_arguments(void **state)
{
	(void)state;
	PLAY("", MX, GREETING, "C: EHLO", "S: 501 5.5.4 *", "C: HELO", "S: 501 5.5.4 *",
	     "C: EHLO a b", "S: 501 5.5.4 *", "C: HELO \001", "S: 501 5.5.4 *", EHLO, "C: MAIL",
	     "S: 501 5.5.2 *", "C: MAIL TO:<a@sender.example>", "S: 501 5.5.2 *",
	     "C: MAIL FROM:a@sender.example", "S: 501 5.5.2 *",
	     "C: MAIL FROM:<a@sender.example> X=1", "S: 555 5.5.4 *", "C: DATA x", "S: 501 5.5.4 *",
	     "C: RSET x", "S: 501 5.5.4 *", "C: QUIT x", "S: 501 5.5.4 *", QUIT);
	PLAY("", MX, BEGIN, MAIL, "C: RCPT", "S: 501 5.5.2 *", "C: RCPT FROM:<b@own.example>",
	     "S: 501 5.5.2 *", "C: RCPT TO:<b@own.example> X=1", "S: 555 5.5.4 *", "C: RCPT TO:<>",
	     "S: 550 *", QUIT);
}

static void words(void **state)
{
	(void)state;
	PLAY("", MX, GREETING, "C: ehlo mx.sender.example", "S: 250-*", "S: 250-*", "S: 250-*",
	     "S: 250-*", "S: 250-*", "S: 250-*", "S: 250-*", "S: 250-*", "S: 250 *",
	     "C: mail from: <a@sender.example>  ", "S: 250 *", "C: Rcpt To:<b@own.example>",
	     "S: 250 *", "C: FOO", "S: 500 5.5.2 *", "C: ", "S: 500 5.5.2 *", "C:  NOOP",
	     "S: 500 5.5.2 *", "C: XCLIENT ADDR=192.0.2.1", "S: 550 5.7.0 *",
	     "C: XFORWARD ADDR=192.0.2.1", "S: 550 5.7.0 *",
	     "C: PROXY TCP4 192.0.2.1 192.0.2.2 1 2", "S: 500 5.5.2 *", QUIT);
	PLAY("", MX, GREETING, "C: GET / HTTP/1.1", "S: 554 5.5.0 this is SMTP", "S.");
	PLAY("", MX, BEGIN, MAIL, "C: POST / HTTP/1.1", "S: 554 5.5.0 this is SMTP", "S.");
}

/* What the backend is told of parameters. */
static void parameters(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN,
	     "C: MAIL FROM:<a@sender.example> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x AUTH=<>",
	     "S: 250 *", "B: MAIL <a@sender.example> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x",
	     "C: RCPT TO:<b@own.example> NOTIFY=NEVER ORCPT=rfc822;b@own.example", "S: 250 *",
	     "B: RCPT <b@own.example> NOTIFY=NEVER ORCPT=rfc822;b@own.example", QUIT);
	PLAY("", MX, BEGIN, "C: MAIL FROM:<a@sender.example> BODY=7BIT", "S: 250 *",
	     "B: MAIL <a@sender.example>", QUIT);
	PLAY("", MX, BEGIN, "C: MAIL FROM:<\303\266@sender.example>", "S: 553 5.6.7 *",
	     "C: MAIL FROM:<\303\266@sender.example> SMTPUTF8", "S: 250 *",
	     "B: MAIL <\303\266@sender.example> SMTPUTF8", QUIT);
	PLAY("", MX, BEGIN, MAIL, "C: RCPT TO:<\303\266@own.example>", "S: 553 5.6.7 *", QUIT);
	PLAY("", MX, BEGIN, "C: MAIL FROM:<a@sender.example> BODY=BINARYMIME", "S: 501 *", QUIT);
	PLAY("", MX, GREETING, "C: HELO mx.sender.example", "S: 250 *",
	     "C: MAIL FROM:<a@sender.example> SIZE=1", "S: 555 5.5.4 *", QUIT);
}

/* Only what the backend does is offered, and taken. */
static void less_is_offered(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	stand_in.features = 0;
	stand_in.size = 1000;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ GREETING,
						  "C: EHLO mx.sender.example",
						  "S: 250-gate.example",
						  "S: 250-PIPELINING",
						  "S: 250-SIZE 1000",
						  "S: 250-CHUNKING",
						  "S: 250-ENHANCEDSTATUSCODES",
						  "S: 250 STARTTLS",
						  "C: MAIL FROM:<a@sender.example> BODY=8BITMIME",
						  "S: 555 5.5.4 *",
						  "C: MAIL FROM:<a@sender.example> SMTPUTF8",
						  "S: 555 5.5.4 *",
						  "C: MAIL FROM:<a@sender.example> RET=FULL",
						  "S: 555 5.5.4 *",
						  "C: MAIL FROM:<a@sender.example> SIZE=10",
						  "S: 250 *",
						  "B: MAIL <a@sender.example>",
						  "C: RCPT TO:<b@own.example> NOTIFY=NEVER",
						  "S: 555 5.5.4 *",
						  QUIT,
						  NULL });
	scene_close(&scene);
}

/* CR, LF and NUL in lines; lines that are too long, in one piece and in several. */
static void lines(void **state)
{
	char exact[700], more[700];

	(void)state;
	snprintf(exact, sizeof(exact), "C: NOOP %0505d", 0);
	snprintf(more, sizeof(more), "C: NOOP %0506d", 0);
	PLAY("", MX, BEGIN, "C= NOOP\n", "S: 500 5.5.2 *", "C= NO\rOP\r\n", "S: 500 5.5.2 *",
	     "C= NOOP\r\r\n", "S: 500 5.5.2 *", exact, "S: 250 *", more, "S: 500 5.5.2 line too *",
	     QUIT);
	PLAY("", MX, BEGIN, "C= MAIL FROM:<a@sender.example>\nRCPT TO:<b@own.example>\r\n",
	     "S: 500 5.5.2 *", "S: 503 5.5.1 *", QUIT);
	snprintf(more, sizeof(more), "C= NOOP %0507d", 0);
	PLAY("", MX, BEGIN, more, "S: 500 5.5.2 line too long", "T: 1", "C= EHLO x", "T: 1",
	     "C= \r\n", QUIT);
}

/* A NUL cannot stand in a dialogue. */
static void nul(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, NULL });
	stand_in_says("NOOP\0QUIT\r\n", 11);
	scene_play(&scene, (const char *const[]){ "S: 500 5.5.2 *", QUIT, NULL });
	scene_close(&scene);
}

/* RFC 2920 3.1 */
static void groups(void **state)
{
	(void)state;
	PLAY("", MX, GREETING, "C: HELO x", "C: MAIL FROM:<a@sender.example>", CLOSED_EARLY);
	PLAY("", MX, GREETING, "C: EHLO x", "C: MAIL FROM:<a@sender.example>", CLOSED_EARLY);
	PLAY("", MX, GREETING, "C: NOOP", "C: NOOP", CLOSED_EARLY);
	PLAY("", MX, GREETING, "C: HELO x", "S: 250 *", "C: MAIL FROM:<a@sender.example>",
	     "C: RCPT TO:<b@own.example>", CLOSED_EARLY);
	PLAY("", MX, BEGIN, "C: NOOP", "C: NOOP", CLOSED_EARLY);
	PLAY("", MX, BEGIN, "C: VRFY x", "C: NOOP", CLOSED_EARLY);
	PLAY("", MX, BEGIN, MAIL, RCPT, "C: DATA", "C: Subject: x", CLOSED_EARLY);
	PLAY("", MX, BEGIN, "C: QUIT", "C: NOOP", CLOSED_EARLY);
	PLAY("check: {pipelining: defer}\n", MX, BEGIN, "C: NOOP", "C: NOOP", "S: 421 4.5.0 *",
	     "S.");
	PLAY("check: {pipelining: monitor}\n", MX, BEGIN, "C: NOOP", "C: NOOP", "S: 250 *",
	     "S: 250 *", QUIT);
	PLAY("check: {pipelining: off}\n", MX, GREETING, "C: EHLO x", "C: NOOP", "S: 250-*",
	     "S: 250-*", "S: 250-*", "S: 250-*", "S: 250-*", "S: 250-*", "S: 250-*", "S: 250-*",
	     "S: 250 STARTTLS", "S: 250 *", QUIT);
}

/* What was offered is not taken back by servers that have gone: that is no error of the client's.
 */
static void servers_go(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, NULL });
	stand_in.down = true;
	scene_play(&scene,
		   (const char *const[]){ "C: MAIL FROM:<a@sender.example> BODY=8BITMIME RET=FULL",
					  "S: 451 4.4.1 *", NULL });
	stand_in.down = false;
	scene_play(&scene, (const char *const[]){ MAIL, NULL });
	stand_in.down = true;
	scene_play(&scene, (const char *const[]){ "C: RCPT TO:<b@own.example> NOTIFY=NEVER",
						  "S: 451 4.4.1 *", QUIT, NULL });
	scene_close(&scene);
}

static void say_first(const char *more, const char *const *dialogue)
{
	struct scene scene;

	scene_open(&scene, more);
	stand_in.verdict_later = true;
	scene_connect(&scene);
	scene_play(&scene, dialogue);
	scene_close(&scene);
}

static void early_talkers(void **state)
{
	(void)state;
	say_first("", (const char *const[]){ "C: EHLO x", "S: 554 5.5.0 you spoke before *", "S.",
					     NULL });
	assert_int_equal(stand_in.offences, 1);
	say_first("", (const char *const[]){ "C= E", "S: 554 5.5.0 *", "S.", NULL });
	say_first("check: {pregreet: defer}\n",
		  (const char *const[]){ "C: EHLO x", "S: 421 4.5.0 *", "S.", NULL });
	say_first("check: {pregreet: monitor}\n",
		  (const char *const[]){ "C: HELO x", "V.", GREETING, "S: 250 gate.example", QUIT,
					 NULL });
	say_first("", (const char *const[]){ "V.", GREETING, QUIT, NULL });
}

static void talk_at_once(const char *more, unsigned int kind, const char *first,
			 const char *const *dialogue)
{
	struct scene scene;

	scene_open(&scene, more);
	scene.kind = kind;
	scene_connect_saying(&scene, first);
	scene_play(&scene, dialogue);
	scene_close(&scene);
}

/* Without a pause before the greeting, and without a verdict that has to be waited for. */
static void early_without_delay(void **state)
{
	const char *const rejected[] = { "S: 554 5.5.0 you spoke before *", "S.", NULL };
	const char *const deferred[] = { "S: 421 4.5.0 *", "S.", NULL };
	const char *const greeted[] = { GREETING, "S: 250 gate.example", QUIT, NULL };
	const char *const waited[] = { GREETING, QUIT, NULL };

	(void)state;
	talk_at_once("", MX, "HELO x\r\n", rejected);
	talk_at_once("", MX, "H", rejected);
	talk_at_once("check: {score: off, rdns: off}\n", MX, "H", rejected);
	talk_at_once("check: {pregreet: defer}\n", MX, "HELO x\r\n", deferred);
	talk_at_once("check: {pregreet: monitor}\n", MX, "HELO x\r\n", greeted);
	talk_at_once("check: {pregreet: off}\n", MX, "HELO x\r\n", greeted);
	talk_at_once("", CONF_SERVICE_SUBMISSION, "HELO x\r\n", greeted);
	talk_at_once("", MX, "", waited);
}

/* Trusted networks may; and what is tagged is told in the header. */
static void early_but_let_in(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	scene.peer = addr_from_ipv4(0xc6336405u);
	scene_connect_saying(&scene, "HELO x\r\n");
	scene_play(&scene, (const char *const[]){ GREETING, "S: 250 *", QUIT, NULL });
	scene_close(&scene);
	scene_open(&scene, "check: {pregreet: tag}\n");
	scene_connect_saying(&scene, "HELO x\r\n");
	scene_play(&scene, (const char *const[]){ GREETING, "S: 250 *", MAIL, RCPT, "C: DATA",
						  "S: 354 *", "C: .", "S: 250 *", QUIT, NULL });
	assert_non_null(strstr(stand_in.delivered.data, "X-Postern: pregreet"));
	scene_close(&scene);
}

static void greet_delay(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "  greet-delay: 2s\n");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ "T: 1900", "T: 200", GREETING, QUIT, NULL });
	scene_connect(&scene);
	scene_play(&scene,
		   (const char *const[]){ "T: 1000", "C: NOOP", "S: 554 5.5.0 *", "S.", NULL });
	/* Of whom good is known does not wait. */
	stand_in.has_verdict = true;
	stand_in.verdict.total = -1;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ GREETING, QUIT, NULL });
	scene_close(&scene);
}

/* The end of what the client says, at any place. */
static void ends(void **state)
{
	(void)state;
	PLAY("", MX, GREETING, "E.", "S.");
	PLAY("", MX, GREETING, "R.", "S.");
	PLAY("", MX, BEGIN, MAIL, "E.", "S.");
	PLAY("", MX, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "C: x", "E.", "S.");
	assert_int_equal(stand_in.deliveries, 0);
	PLAY("", MX, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "C: x", "C: .", "S: 250 *", "X.",
	     "S.");
}

/* Who says all, and no more, gets all the answers. */
static void half_close(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", NULL });
	stand_in_says("x\r\n.\r\nQUIT\r\n", 12);
	stand_in_ends(STREAM_EOF);
	assert_false(stand_in.stream->closed);
	scene_work(&scene);
	scene_play(&scene, (const char *const[]){ "S: 250 *", "S: 221 *", "S.", NULL });
	assert_int_equal(stand_in.deliveries, 1);
	scene_close(&scene);
}

/* At whatever place a session is cut, and whatever is under way. */
static void cut_anywhere(void **state)
{
	static const char all[] = "EHLO x\r\nMAIL FROM:<a@sender.example>\r\n"
				  "RCPT TO:<b@own.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n"
				  "BDAT 3\r\nabcQUIT\r\n";
	struct scene scene;

	(void)state;
	for (size_t cut = 0; cut < sizeof(all); cut++) {
		for (int worked = 0; worked < 2; worked++) {
			scene_open(&scene, "check: {pipelining: off}\n");
			scene_connect(&scene);
			for (size_t i = 0; i < cut; i++) {
				stand_in_says(&all[i], 1);
				if (worked || i + 1 < cut)
					scene_work(&scene);
			}
			stand_in_ends(cut % 2 ? STREAM_RESET : STREAM_CUT);
			assert_true(stand_in.stream->closed);
			scene_close(&scene);
		}
	}
}

/* A client that does not read gets no more answers, and waits. */
static void unread(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, NULL });
	stand_in.stream->stuck = SESSION_OUTPUT_MAX + 1;
	scene_play(&scene, (const char *const[]){ "C: NOOP", NULL });
	stand_in.stream->stuck = 0;
	stand_in.stream->owner->drained(stand_in.stream, stand_in.stream->arg);
	scene_play(&scene, (const char *const[]){ "S: 250 *", QUIT, NULL });
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message),
		cmocka_unit_test(several),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(out_of_place),
		cmocka_unit_test(words),
		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(parameters),
		cmocka_unit_test(less_is_offered),
		cmocka_unit_test(servers_go),
		cmocka_unit_test(lines),
		cmocka_unit_test(nul),
		cmocka_unit_test(groups),
		cmocka_unit_test(early_talkers),
		cmocka_unit_test(greet_delay),
		cmocka_unit_test(early_without_delay),
		cmocka_unit_test(early_but_let_in),
		cmocka_unit_test(ends),
		cmocka_unit_test(half_close),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
