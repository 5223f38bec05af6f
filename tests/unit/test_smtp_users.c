/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of STARTTLS and AUTH in sessions, and of what users may do.
 */
#include "tests/unit/smtp_fixture.h"

#define MX   CONF_SERVICE_MX
#define SUB  CONF_SERVICE_SUBMISSION
#define SUBS CONF_SERVICE_SUBMISSIONS

#define STARTTLS "C: STARTTLS", "S: 220 2.0.0 go ahead"
#define OFFER(last)                                                                                \
	"C: EHLO mx.sender.example", "S: 250-gate.example", "S: 250-PIPELINING", "S: 250-SIZE *",  \
		"S: 250-8BITMIME", "S: 250-SMTPUTF8", "S: 250-DSN", "S: 250-CHUNKING", last
#define EHLO_TLS  OFFER("S: 250 ENHANCEDSTATUSCODES")
#define EHLO_AUTH OFFER("S: 250-ENHANCEDSTATUSCODES"), "S: 250 AUTH PLAIN"
#define READY     BEGIN, STARTTLS, EHLO_AUTH
#define LOGIN     "C: AUTH PLAIN ann/right", "S: 235 2.7.0 welcome"

static void starttls(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, STARTTLS, EHLO_TLS, "C: STARTTLS", "S: 503 5.5.1 *", MAIL, RCPT,
	     "C: DATA", "S: 354 *", "C: .", "S: 250 *", QUIT);
	PLAY("", MX, GREETING, "C: EHLO x y", "S: 501 *", EHLO, "C: STARTTLS now", "S: 501 *",
	     QUIT);
}

/* RFC 3207 4.2: name, transaction and everything are forgotten. */
static void forgotten(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, MAIL, RCPT, STARTTLS, "C: DATA", "S: 503 *",
	     "C: MAIL FROM:<a@b.example>", "S: 503 5.5.1 say EHLO first", EHLO_TLS,
	     "C: RCPT TO:<b@own.example>", "S: 503 *", MAIL, QUIT);
	/* Groups are not offered either. */
	PLAY("", MX, BEGIN, STARTTLS, "C: NOOP", "C: NOOP", "S: 554 5.5.0 *", "S.");
}

/* CVE-2011-0411: what came behind it in plain is never read as if it had come inside. */
static void injection(void **state)
{
	static const char *const modes[] = { "", "check: {pipelining: off}\n",
					     "check: {pipelining: monitor}\n" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		PLAY(modes[i], MX, BEGIN, "C: STARTTLS", "C: MAIL FROM:<evil@sender.example>",
		     "S: 554 5.5.0 *", "S.");
		PLAY(modes[i], MX, BEGIN, "C: STARTTLS", "C= R", "S: 554 5.5.0 *", "S.");
		PLAY(modes[i], SUB, BEGIN, "C: STARTTLS", "C: AUTH PLAIN ann/right",
		     "S: 554 5.5.0 *", "S.");
	}
}

static void no_tls(void **state)
{
	struct scene scene;
	struct smtp_rules rules;
	struct error err;

	(void)state;
	scene_open(&scene, "");
	rules = (struct smtp_rules){ scene.conf, relay_ref(scene.relay), NULL, NULL, 0 };
	assert_int_equal(smtp_service_set(scene.service, &rules, &err), 0);
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ GREETING, EHLO_TLS, "C: STARTTLS",
						  "S: 502 5.5.1 *", QUIT, NULL });
	scene_close(&scene);
}

static void handshake_fails(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	stand_in.handshake_fails = true;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, STARTTLS, "S.", NULL });
	scene.kind = SUBS;
	scene_connect(&scene);
	scene_work(&scene);
	scene_play(&scene, (const char *const[]){ "S.", NULL });
	scene_close(&scene);
}

static void tls_required(void **state)
{
	(void)state;
	PLAY("tls: {required: true, certificates: [\"/a /b\"]}\n", MX, BEGIN,
	     "C: MAIL FROM:<a@sender.example>", "S: 530 5.7.0 say STARTTLS first", "C: VRFY x",
	     "S: 530 5.7.0 *", STARTTLS, EHLO_TLS, MAIL, QUIT);
}

/* Users: TLS first, then a password, then mail. */
static void users(void **state)
{
	(void)state;
	PLAY("", SUB, BEGIN, "C: MAIL FROM:<ann@own.example>", "S: 530 5.7.0 say STARTTLS *",
	     "C: AUTH PLAIN ann/right", "S: 538 5.7.11 *", STARTTLS, EHLO_AUTH,
	     "C: MAIL FROM:<ann@own.example>", "S: 530 5.7.0 authenticate first", LOGIN,
	     "C: AUTH PLAIN ann/right", "S: 503 5.5.1 *", "C: MAIL FROM:<Ann@Own.example>",
	     "S: 250 *", "C: RCPT TO:<x@elsewhere.example>", "S: 250 *", "C: DATA", "S: 354 *",
	     "C: .", "S: 250 *", QUIT);
	PLAY("", SUBS, GREETING, EHLO_AUTH, LOGIN, "C: MAIL FROM:<ann@own.example>", "S: 250 *",
	     QUIT);
	PLAY("", SUBS, GREETING, EHLO_AUTH, "C: AUTH PLAIN", "S: 334 ", "C: ann/right", "S: 235 *",
	     QUIT);
}

static void sender_addresses(void **state)
{
	(void)state;
	PLAY("", SUB, READY, LOGIN, "C: MAIL FROM:<bob@own.example>", "S: 553 5.7.1 *",
	     "C: MAIL FROM:<ann@sender.example>", "S: 553 5.7.1 *", "C: MAIL FROM:<>", "S: 250 *",
	     QUIT);
}

/* At services for everybody nobody is asked for a password, and none is looked at. */
static void not_for_strangers(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, "C: AUTH PLAIN ann/right", "S: 502 5.5.1 *", STARTTLS, EHLO_TLS,
	     "C: AUTH PLAIN ann/right", "S: 502 5.5.1 *", QUIT);
}

static void auth_errors(void **state)
{
	(void)state;
	PLAY("", SUB, READY, "C: AUTH", "S: 501 5.5.4 *", "C: AUTH CRAM-MD5", "S: 504 5.5.4 *",
	     "C: AUTH PLAIN nonsense", "S: 501 5.5.2 *", "C: AUTH PLAIN", "S: 334 ", "C: *",
	     "S: 501 5.7.0 given up", "C: AUTH PLAIN", "S: 334 ", "C= x\n", "S: 500 5.5.2 *",
	     "C: ann/right", "S: 500 5.5.2 *", LOGIN, QUIT);
	PLAY("", SUB, READY, "C: AUTH PLAIN ann/wrong", "S: 535 5.7.8 *", "C: AUTH PLAIN bob/right",
	     "S: 535 5.7.8 *", "C: AUTH PLAIN ann/wrong", "S: 421 4.7.0 *", "S.");
	assert_int_equal(stand_in.auth_failures, 3);
	PLAY("", SUB, READY, LOGIN, "C: MAIL FROM:<ann@own.example>", "S: 250 *",
	     "C: AUTH PLAIN ann/right", "S: 503 *", QUIT);
	PLAY("", SUB, READY, "C: AUTH PLAIN ann/right", "S: 235 *", "C: AUTH PLAIN ann/right",
	     "C: NOOP", "S: 554 5.5.0 *", "S.");
}

static void long_auth_line(void **state)
{
	struct scene scene;
	char piece[1024];

	(void)state;
	memset(piece, 'A', sizeof(piece));
	scene_open(&scene, "");
	scene.kind = SUB;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ READY, "C: AUTH PLAIN", "S: 334 ", NULL });
	for (int i = 0; i < 13; i++)
		stand_in_says(piece, sizeof(piece));
	scene_play(&scene,
		   (const char *const[]){ "S: 500 5.5.2 line too long", "C: ", LOGIN, QUIT, NULL });
	scene_close(&scene);
}

static void backend_knows(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	stand_in.backend_auth = true;
	scene.kind = SUB;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ READY, "C: AUTH PLAIN ann/wrong",
						  "S: 535 5.7.8 *", LOGIN, QUIT, NULL });
	scene_close(&scene);
}

static void throttled(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	scene.kind = SUB;
	stand_in.throttle.wait = 2000;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ READY, "C: AUTH PLAIN ann/wrong", "T: 1900",
						  "T: 200", "S: 535 *", NULL });
	stand_in.throttle.refuse = true;
	stand_in.throttle.block = true;
	scene_play(&scene, (const char *const[]){ "C: AUTH PLAIN ann/right", "S: 454 4.7.0 *", QUIT,
						  NULL });
	assert_int_equal(stand_in.offences, 1);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starttls),
		cmocka_unit_test(forgotten),
		cmocka_unit_test(injection),
		cmocka_unit_test(no_tls),
		cmocka_unit_test(handshake_fails),
		cmocka_unit_test(tls_required),
		cmocka_unit_test(users),
		cmocka_unit_test(sender_addresses),
		cmocka_unit_test(not_for_strangers),
		cmocka_unit_test(auth_errors),
		cmocka_unit_test(long_auth_line),
		cmocka_unit_test(backend_knows),
		cmocka_unit_test(throttled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
