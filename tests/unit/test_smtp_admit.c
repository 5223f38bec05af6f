/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what a session does about lists and limits when a load balancer names its client
 * (session/smtp/admit.c), and about clients that name unknown recipients (cmd_rcpt.c).
 */
#include <stdlib.h>

#include "tests/unit/log_capture.h"
#include "tests/unit/smtp_fixture.h"

/* The limits are those of the published configuration. */
static void publish(const char *text)
{
	struct conf *conf;
	struct error err;

	if (conf_parse("test", text, strlen(text), &conf, &err))
		fail_msg("%s", err.text);
	conf_publish(conf);
}

#define ONE "interfaces: [eth0]\nlimits:\n  conn-source: 1\n"
#define WHOLE                                                                                      \
	"interfaces: [eth0]\nlimits:\n  conn-source: 1\n  conn-net: 1\n  conn-site: 1\n  "         \
	"conn-total: 1\n"

static uint64_t refused(const struct scene *scene)
{
	return service_stats(scene->service)->refused[SMTP_REFUSED_LIMIT];
}

/* A client that a balancer names, and that stays. */
static void meet_balanced(struct scene *scene)
{
	scene_open(scene, "");
	scene->balanced = true;
	scene_connect(scene);
	scene_play(scene, (const char *const[]){ GREETING, NULL });
}

/* The one before stays open. */
static void connect_another(struct scene *scene, const char *const *dialogue)
{
	struct stream *before = stand_in.stream;

	stand_in.stream = NULL;
	scene_connect(scene);
	scene_work(scene);
	scene_play(scene, dialogue);
	stand_in_stream_free();
	stand_in.stream = before;
}

#define ANOTHER(scene, ...) connect_another(scene, (const char *const[]){ __VA_ARGS__, NULL })

static void a_client_that_is_named(void **state)
{
	struct session_refusal found[REFUSALS_SHOWN_MAX];
	struct scene scene;

	(void)state;
	publish(ONE);
	meet_balanced(&scene);
	ANOTHER(&scene, "S: 421 4.7.0 gate.example: too many connections from you,*", "S.");
	assert_int_equal(refused(&scene), 1);
	assert_int_equal(refusals_find(scene.refusals, scene.now_ms * NS_A_MS, found), 1);
	assert_string_equal(found[0].reason, "limit");
	assert_string_equal(found[0].detail, "conn-source");
	scene.peer = addr_from_ipv4(0xc000020au);
	ANOTHER(&scene, GREETING, QUIT);
	scene_play(&scene, (const char *const[]){ QUIT, NULL });
	scene.peer = addr_from_ipv4(0xc0000209u);
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ GREETING, QUIT, NULL });
	scene_close(&scene);
	conf_publish(NULL);
}

/* The kernel has counted it. */
static void a_client_of_its_own(void **state)
{
	struct scene scene;

	(void)state;
	publish(ONE);
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ GREETING, NULL });
	ANOTHER(&scene, GREETING, QUIT);
	assert_int_equal(refused(&scene), 0);
	scene_close(&scene);
	conf_publish(NULL);
}

static void in_total(void **state)
{
	struct scene scene;

	(void)state;
	publish(WHOLE);
	meet_balanced(&scene);
	scene.peer = addr_from_ipv4(0xcb007109u);
	ANOTHER(&scene, "S: 421 4.3.2 gate.example: too many connections,*", "S.");
	scene.kind = CONF_SERVICE_SUBMISSIONS;
	ANOTHER(&scene, "S."); /* nothing in plain text */
	assert_int_equal(refused(&scene), 2);
	scene_close(&scene);
	conf_publish(NULL);
}

static void in_monitor_mode(void **state)
{
	struct scene scene;

	(void)state;
	publish("monitor: true\n" ONE);
	meet_balanced(&scene);
	ANOTHER(&scene, GREETING, QUIT);
	assert_int_equal(refused(&scene), 0);
	assert_int_equal(service_stats(scene.service)->admission_watched, 1);
	scene_close(&scene);
	conf_publish(NULL);
}

static void play_standing(const char *conf, struct guard_standing standing,
			  const char *const *dialogue, struct smtp_stats *stats)
{
	struct scene scene;

	publish(conf);
	scene_open(&scene, "");
	stand_in.standing = standing;
	scene.balanced = true;
	scene_connect(&scene);
	scene_play(&scene, dialogue);
	*stats = *service_stats(scene.service);
	assert_int_equal(stand_in.offences, 0);
	scene_close(&scene);
	conf_publish(NULL);
}

static void a_client_that_is_blocked(void **state)
{
	static const char *const let_in[] = { GREETING, QUIT, NULL };
	static const char *const told[] = {
		"S: 554 5.7.1 your address is blocked here (lookup id *)", QUIT, NULL
	};
	struct guard_standing standing = { .kind = GUARD_STANDING_BLOCKED, .list = "local" };
	struct smtp_stats stats;

	(void)state;
	play_standing(ONE, standing, told, &stats);
	assert_int_equal(stats.refused[SMTP_REFUSED_LISTED], 1);
	assert_int_equal(stats.admission_watched, 0);
	play_standing("monitor: true\n" ONE, standing, let_in, &stats);
	assert_int_equal(stats.refused[SMTP_REFUSED_LISTED], 0);
	assert_int_equal(stats.admission_watched, 1);
	standing.watched = true;
	play_standing(ONE, standing, let_in, &stats);
	assert_int_equal(stats.refused[SMTP_REFUSED_LISTED], 0);
	assert_int_equal(stats.admission_watched, 1);
}

static void a_client_that_is_allowed(void **state)
{
	struct scene scene;

	(void)state;
	publish(ONE);
	scene_open(&scene, "");
	stand_in.standing.kind = GUARD_STANDING_ALLOWED;
	scene.balanced = true;
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ GREETING, NULL });
	ANOTHER(&scene, GREETING, QUIT);
	assert_int_equal(refused(&scene), 0);
	scene_close(&scene);
	conf_publish(NULL);
}

/* Its clients are not known, so there is no session: a line, as far as there is room for one. */
static void unnamed(void **state)
{
	static const char expected[] =
		"\"event\":\"smtp.balancer\",\"source\":\"192.0.2.9\",\"why\":\"late\"";
	struct scene scene;
	struct capture log;
	char *text;

	(void)state;
	scene_open(&scene, "events: {rate: 1}\n");
	capture_pipe(&log);
	log_set_level(LOG_LEVEL_INFO);
	stand_in.listener.unnamed(&scene.peer, "late", stand_in.listener.arg);
	stand_in.listener.unnamed(&scene.peer, "late again", stand_in.listener.arg);
	log_set_level(LOG_LEVEL_ERROR);
	text = capture_end(&log);
	assert_non_null(strstr(text, expected));
	assert_null(strstr(text, "late again"));
	assert_int_equal(service_stats(scene.service)->balancer_errors, 2);
	free(text);
	scene_close(&scene);
}

#define UNKNOWN_MAX 50u /* by default */
#define UNKNOWN     "C: RCPT TO:<refused@own.example>"
#define LATER       "S: 450 4.7.1 too many unknown recipients, come again later (lookup id *)"

static void name_unknown(struct scene *scene, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		scene_play(scene, (const char *const[]){ UNKNOWN, "S: 550 *", NULL });
}

/* Whoever tries addresses hears of none after a while, also not on his next connection. */
static void unknown_recipients(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "  errors-max: 1000\n");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, RCPT, NULL });
	name_unknown(&scene, UNKNOWN_MAX);
	octets_free(&stand_in.said);
	scene_play(&scene, (const char *const[]){ UNKNOWN, LATER, "C: RCPT TO:<b@own.example>",
						  LATER, "C: RCPT TO:<b@elsewhere.example>",
						  "S: 550 5.7.1 *", NULL });
	assert_int_equal(stand_in.said.size, 0);
	assert_int_equal(refused(&scene), 2);
	scene_play(&scene, (const char *const[]){ "C: RCPT TO:<postmaster@own.example>", "S: 250 *",
						  "C: RSET", "S: 250 *", QUIT, NULL });
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN,   MAIL,       "C: RCPT TO:<b@own.example>",
						  LATER,   "T: 72000", RCPT,
						  UNKNOWN, "S: 550 *", UNKNOWN,
						  LATER,   "C: DATA",  "S: 354 *",
						  "C: .",  "S: 250 *", MAIL,
						  UNKNOWN, "S: 550 *", UNKNOWN,
						  LATER,   QUIT,       NULL });
	scene.peer = addr_from_ipv4(0xc000020au); /* another, whom SPF does not allow */
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, "C: RCPT TO:<b@own.example>",
						  "S: 550 5.7.23 *", QUIT, NULL });
	scene_close(&scene);
}

/* As many as the option says; 0 is any number. */
static void another_budget(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "  errors-max: 1000\n  unknown-recipients: 60\n");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, NULL });
	name_unknown(&scene, 60);
	scene_play(&scene, (const char *const[]){ UNKNOWN, LATER, "T: 61000", UNKNOWN, "S: 550 *",
						  UNKNOWN, LATER, QUIT, NULL });
	scene_close(&scene);
	scene_open(&scene, "  errors-max: 1000\n  unknown-recipients: 0\n");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, NULL });
	name_unknown(&scene, 4 * UNKNOWN_MAX);
	scene_play(&scene, (const char *const[]){ RCPT, QUIT, NULL });
	scene_close(&scene);
}

/* Who is trusted may name as many as he likes, and what the backend puts off is not unknown. */
static void no_budget(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "  errors-max: 1000\n");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, NULL });
	for (unsigned int i = 0; i < 2 * UNKNOWN_MAX; i++)
		scene_play(&scene, (const char *const[]){ "C: RCPT TO:<later@own.example>",
							  "S: 450 4.2.0 *", NULL });
	scene_play(&scene, (const char *const[]){ RCPT, QUIT, NULL });
	scene.peer = addr_from_ipv4(0xc6336401u);
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, NULL });
	name_unknown(&scene, 2 * UNKNOWN_MAX);
	scene_play(&scene, (const char *const[]){ RCPT, QUIT, NULL });
	assert_int_equal(refused(&scene), 0);
	scene_close(&scene);
}

/* Monitor mode says, once in a session, who would have been put off. */
static void no_budget_in_monitor_mode(void **state)
{
	struct scene scene;

	(void)state;
	publish("monitor: true\n");
	scene_open(&scene, "  errors-max: 1000\n");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, NULL });
	name_unknown(&scene, UNKNOWN_MAX);
	assert_int_equal(service_stats(scene.service)->admission_watched, 0);
	name_unknown(&scene, 2);
	scene_play(&scene, (const char *const[]){ RCPT, QUIT, NULL });
	assert_int_equal(refused(&scene), 0);
	assert_int_equal(service_stats(scene.service)->admission_watched, 1);
	scene_close(&scene);
	conf_publish(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_recipients),
		cmocka_unit_test(another_budget),
		cmocka_unit_test(no_budget),
		cmocka_unit_test(no_budget_in_monitor_mode),
		cmocka_unit_test(a_client_that_is_named),
		cmocka_unit_test(a_client_of_its_own),
		cmocka_unit_test(in_total),
		cmocka_unit_test(in_monitor_mode),
		cmocka_unit_test(a_client_that_is_blocked),
		cmocka_unit_test(a_client_that_is_allowed),
		cmocka_unit_test(unnamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
