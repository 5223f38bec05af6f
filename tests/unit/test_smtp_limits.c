/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of the limits of sessions: time, errors, commands, recipients, connections, spools, no
 * backend; of a reload; and of the end of the service.
 */
#include "tests/unit/smtp_fixture.h"

#define MX CONF_SERVICE_MX

static void command_time(void **state)
{
	(void)state;
	PLAY("  timeout-command: 10s\n", MX, GREETING, "T: 9000", EHLO, "T: 9000", MAIL, "T: 9000",
	     "C= RCPT TO", "T: 900", "T: 400", "S: 421 4.4.2 *", "S.");
	/* Octets that do not end a line are no progress. */
	PLAY("  timeout-command: 10s\n", MX, GREETING, "C= N", "T: 5000", "C= O", "T: 5100",
	     "S: 421 4.4.2 *", "S.");
}

static void data_time(void **state)
{
	(void)state;
	PLAY("  timeout-data: 10s\n  rate-min: 0\n", MX, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *",
	     "T: 9000", "C= a", "T: 9000", "C= a", "T: 10100", "S: 421 4.4.2 *", "S.");
	PLAY("  timeout-data: 10s\n  rate-min: 0\n", MX, BEGIN, MAIL, RCPT, "C= BDAT 9\r\na",
	     "T: 9000", "C= a", "T: 10100", "S: 421 4.4.2 *", "S.");
	assert_int_equal(stand_in.deliveries, 0);
}

/* An octet now and then is not enough. */
static void data_rate(void **state)
{
	(void)state;
	PLAY("  rate-min: 100\n", MX, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "T: 29000", "C= a",
	     "T: 1100", "C= a", "S: 421 4.4.2 *", "S.");
	PLAY("  rate-min: 0\n", MX, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "T: 100000", "C: a",
	     "C: .", "S: 250 *", QUIT);
}

#define MINUTE                                                                                     \
	"  timeout-session: 60s\n  timeout-command: 60s\n  timeout-data: 60s\n  rate-min: 0\n"

static void session_time(void **state)
{
	(void)state;
	PLAY(MINUTE, MX, BEGIN, "T: 59000", "C: NOOP", "S: 250 *", "T: 1100", "S: 421 4.3.2 *",
	     "S.");
	PLAY(MINUTE, MX, BEGIN, "T: 40000", MAIL, "T: 20100", "S: 421 4.3.2 *", "S.");
	PLAY(MINUTE, MX, BEGIN, "T: 40000", MAIL, RCPT, "C: DATA", "S: 354 *", "T: 20100",
	     "S: 421 4.3.2 *", "S.");
}

/* Whoever waits for a backend is not cut off. */
static void not_while_waiting(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, MINUTE);
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", NULL });
	stand_in.silent = true;
	scene_play(&scene, (const char *const[]){ "C: .", "T: 600000", NULL });
	assert_false(stand_in.stream->closed);
	scene_close(&scene);
}

static void tls_time(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	scene.kind = CONF_SERVICE_SUBMISSIONS;
	scene_connect(&scene);
	scene_advance(&scene, 29000);
	assert_false(stand_in.stream->closed);
	scene_advance(&scene, 1100);
	assert_true(stand_in.stream->closed);
	scene_close(&scene);
}

static void errors(void **state)
{
	(void)state;
	PLAY("  errors-max: 3\n", MX, BEGIN, "C: A", "S: 500 *", "C: B", "S: 500 *", "C: C",
	     "S: 500 *", "S: 421 4.7.0 gate.example: too many errors", "S.");
	/* Who tries addresses. */
	PLAY("  errors-max: 3\n", MX, BEGIN, MAIL, "C: RCPT TO:<refused@own.example>",
	     "C: RCPT TO:<refused1@own.example>", "C: RCPT TO:<refused2@own.example>",
	     "C: RCPT TO:<b@own.example>", "S: 550 *", "S: 550 *", "S: 550 *", "S: 421 4.7.0 *",
	     "S.");
}

static void commands(void **state)
{
	(void)state;
	PLAY("  commands-max: 3\n", MX, BEGIN, "C: NOOP", "S: 250 *", "C: RSET", "S: 250 *",
	     "C: VRFY x", "S: 252 *", "S: 421 4.7.0 gate.example: too many commands", "S.");
	/* Mail makes up for it. */
	PLAY("  commands-max: 3\n", MX, BEGIN, "C: NOOP", "S: 250 *", "C: NOOP", "S: 250 *", MAIL,
	     RCPT, "C: DATA", "S: 354 *", "C: .", "S: 250 *", "C: NOOP", "S: 250 *", QUIT);
}

static void many_recipients(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "  recipients-max: 100\n");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, NULL });
	for (int i = 0; i < 100; i++)
		scene_play(&scene, (const char *const[]){ RCPT, NULL });
	scene_play(&scene,
		   (const char *const[]){ "C: RCPT TO:<b@own.example>", "S: 452 4.5.3 *", "C: DATA",
					  "S: 354 *", "C: .", "S: 250 *", QUIT, NULL });
	assert_int_equal(stand_in.deliveries, 1);
	scene_close(&scene);
}

/* As many as may be taken are put off, and those that were taken get their message; no more. */
static void recipients_put_off(void **state)
{
	struct scene scene;

	(void)state;
	for (int more = 0; more < 2; more++) {
		scene_open(&scene, "  recipients-max: 100\n");
		scene_connect(&scene);
		scene_play(&scene, (const char *const[]){ BEGIN, MAIL, NULL });
		for (int i = 0; i < 100; i++)
			scene_play(&scene, (const char *const[]){ RCPT, NULL });
		for (int i = 0; i < 100; i++)
			scene_play(&scene, (const char *const[]){ "C: RCPT TO:<b@own.example>",
								  "S: 452 4.5.3 *", NULL });
		if (more)
			scene_play(&scene,
				   (const char *const[]){
					   "C: RCPT TO:<b@own.example>", "S: 452 4.5.3 *",
					   "S: 421 4.7.0 *: too many recipients", "S.", NULL });
		else
			scene_play(&scene, (const char *const[]){ "C: DATA", "S: 354 *", "C: .",
								  "S: 250 *", QUIT, NULL });
		assert_int_equal(stand_in.deliveries, !more);
		scene_close(&scene);
	}
}

/* Those that a backend puts off count as well, also when they come in one piece. */
static void group_put_off(void **state)
{
	const char *dialogue[512] = { BEGIN, MAIL };
	size_t at = 0;

	(void)state;
	while (dialogue[at])
		at++;
	for (int i = 0; i < 150; i++)
		dialogue[at++] = "C: RCPT TO:<later@own.example>";
	for (int i = 0; i < 101; i++)
		dialogue[at++] = "S: 450 *";
	dialogue[at++] = "S: 421 4.7.0 *: too many recipients";
	dialogue[at] = "S.";
	play_with("  recipients-max: 100\n", MX, dialogue);
}

static void connections(void **state)
{
	struct scene scene;
	struct smtp_stats stats;

	(void)state;
	scene_open(&scene, "  connections-max: 5\n");
	scene.connections = 4;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ GREETING, QUIT, NULL });
	scene.connections = 5;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ "S: 421 4.3.2 *", "S.", NULL });
	scene.connections = 0;
	stand_in.listener.accepted(NULL, NULL, 0, NULL, 0, stand_in.listener.arg);
	smtp_service_stats(scene.service, &stats);
	assert_int_equal(stats.refused[SMTP_REFUSED_LOAD], 2);
	assert_int_equal(stats.sessions, 1);
	assert_int_equal(stats.open, 0);
	scene_close(&scene);
}

static void spool_full(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	scene.spool.memory = 0;
	scene.spool.file_total = 0;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "C: x",
						  "C: .", "S: 452 4.3.1 *", QUIT, NULL });
	scene_close(&scene);
}

/* Who is idle goes at once, and a transaction comes to its end. */
static void drain(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, "D.", "S: 421 4.3.2 *", "S.");
	PLAY("", MX, BEGIN, MAIL, "D.", RCPT, "C: DATA", "S: 354 *", "C: .", "S: 250 *",
	     "S: 421 4.3.2 *", "S.");
	PLAY("", MX, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "D.", "C: .", "S: 250 *",
	     "S: 421 4.3.2 *", "S.");
	PLAY("", MX, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "D.", "T: 29900", "T: 200",
	     "S: 421 4.3.2 *", "S.");
	assert_false(stand_in.listening);
}

/* Sessions keep the rules that they began with. */
static void reload(void **state)
{
	struct scene scene;
	struct smtp_rules rules;
	struct error err;

	(void)state;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, NULL });
	snprintf(scene.conf->smtp.hostname, sizeof(scene.conf->smtp.hostname), "new.example");
	rules = (struct smtp_rules){ scene.conf, relay_ref(scene.relay), NULL, NULL, 0 };
	assert_int_equal(smtp_service_set(scene.service, &rules, &err), 0);
	scene_play(&scene, (const char *const[]){ QUIT, NULL });
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ "S: 220 new.example ESMTP", "C: QUIT", "S: 221 *",
						  "S.", NULL });
	scene_close(&scene);
}

/* Backends that are replaced stay until the last session that knows them is gone. */
static void new_backends(void **state)
{
	struct scene scene;
	struct smtp_rules rules;
	struct error err;

	(void)state;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, NULL });
	rules = (struct smtp_rules){ scene.conf, relay_ref(scene.relay), NULL, NULL, 0 };
	assert_int_equal(smtp_service_set(scene.service, &rules, &err), 0);
	rules = (struct smtp_rules){ scene.conf, relay_ref(scene.relay), NULL,
				     (struct backends *)&rules, 0 };
	assert_int_equal(smtp_service_set(scene.service, &rules, &err), 0);
	scene_advance(&scene, 1000);
	assert_int_equal(stand_in.closed_backends, 0);
	scene_play(&scene, (const char *const[]){ RCPT, QUIT, NULL });
	scene_advance(&scene, 1000);
	assert_int_equal(stand_in.closed_backends, 1);
	scene_close(&scene);
	assert_int_equal(stand_in.closed_backends, 2);
}

/* The service is closed while something of each kind is under way. */
static void closed_anywhere(void **state)
{
	static const char *const openings[][4] = {
		{ NULL },
		{ "EHLO slow.example\r\n", NULL },
		{ "EHLO x\r\n", "MAIL FROM:<a@slowspf.example>\r\n", NULL },
		{ "EHLO x\r\n", "MAIL FROM:<a@slowspf.example>\r\n", "RCPT TO:<b@own.example>\r\n",
		  NULL },
		{ "EHLO x\r\n", "STARTTLS\r\n", NULL },
	};
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
		scene_open(&scene, "");
		scene_connect(&scene);
		for (size_t j = 0; j < 4 && openings[i][j]; j++) {
			stand_in_says(openings[i][j], strlen(openings[i][j]));
			if (j < 2 && openings[i][j + 1])
				scene_work(&scene);
		}
		scene_close(&scene);
	}
}

/* Counted once for a transaction, whichever step finds out, and as no recipient's mistake. */
static void no_backend(void **state)
{
	struct scene scene;
	struct smtp_stats stats;

	(void)state;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, NULL });
	stand_in.down = true;
	scene_play(&scene,
		   (const char *const[]){ "C: MAIL FROM:<a@sender.example>", "S: 451 *", NULL });
	stand_in.down = false;
	scene_play(&scene, (const char *const[]){ MAIL, NULL });
	stand_in.down = true;
	scene_play(&scene,
		   (const char *const[]){ "C: RCPT TO:<b@own.example>", "S: 451 *",
					  "C: RCPT TO:<c@own.example>", "S: 451 *", QUIT, NULL });
	smtp_service_stats(scene.service, &stats);
	assert_int_equal(stats.refused[SMTP_REFUSED_BACKEND], 2);
	assert_int_equal(stats.refused[SMTP_REFUSED_RECIPIENT], 0);
	assert_int_equal(stats.refused[SMTP_REFUSED_LOAD], 0);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_time),
		cmocka_unit_test(data_time),
		cmocka_unit_test(data_rate),
		cmocka_unit_test(session_time),
		cmocka_unit_test(not_while_waiting),
		cmocka_unit_test(tls_time),
		cmocka_unit_test(errors),
		cmocka_unit_test(commands),
		cmocka_unit_test(many_recipients),
		cmocka_unit_test(recipients_put_off),
		cmocka_unit_test(group_put_off),
		cmocka_unit_test(connections),
		cmocka_unit_test(spool_full),
		cmocka_unit_test(no_backend),
		cmocka_unit_test(drain),
		cmocka_unit_test(reload),
		cmocka_unit_test(new_backends),
		cmocka_unit_test(closed_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
