/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of smtp_service_end_listed(): which sessions end when an entry of a block list is made, and
 * what they are told (session/smtp/admit.c).
 */
#include "tests/unit/smtp_fixture.h"

#define TOLD "S: 421 4.7.1 gate.example: your address is blocked here (lookup id *)"

static const struct guard_standing by_list = { .kind = GUARD_STANDING_BLOCKED, .list = "rude" };

static void publish(const char *text)
{
	struct conf *conf;
	struct error err;

	if (conf_parse("test", text, strlen(text), &conf, &err))
		fail_msg("%s", err.text);
	conf_publish(conf);
}

static void meet(struct scene *scene, const char *const *dialogue)
{
	scene_open(scene, "");
	scene->balanced = true;
	scene_connect(scene);
	scene_work(scene);
	scene_play(scene, dialogue);
}

/* The list is made, and so many sessions end. */
static void list(struct scene *scene, const struct guard_standing *standing,
		 const struct prefix *within, uint32_t sessions)
{
	stand_in.standing = *standing;
	assert_int_equal(smtp_service_end_listed(scene->service, within), sessions);
	assert_int_equal(service_stats(scene->service)->refused[SMTP_REFUSED_LISTED], sessions);
	assert_int_equal(stand_in.offences, 0);
}

static void finish(struct scene *scene, const char *const *dialogue)
{
	scene_work(scene);
	scene_play(scene, dialogue);
	scene_close(scene);
}

#define MEET(scene, ...)   meet(scene, (const char *const[]){ __VA_ARGS__, NULL })
#define FINISH(scene, ...) finish(scene, (const char *const[]){ __VA_ARGS__, NULL })

/* It is told why, whatever it is doing, and `why ID` knows. */
static void in_every_state(void **state)
{
	static const char *const before[][24] = {
		{ GREETING },
		{ BEGIN },
		{ BEGIN, MAIL, RCPT },
		{ BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *" },
		{ BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "C: Subject: x" },
		{ BEGIN, MAIL, RCPT, "C: BDAT 100" },
	};
	struct session_refusal found[REFUSALS_SHOWN_MAX];
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		meet(&scene, before[i]);
		list(&scene, &by_list, NULL, 1);
		assert_int_equal(refusals_find(scene.refusals, scene.now_ms * NS_A_MS, found), 1);
		assert_string_equal(found[0].reason, "listed");
		assert_string_equal(found[0].detail, "rude");
		assert_int_equal(smtp_service_end_listed(scene.service, NULL), 0);
		FINISH(&scene, TOLD, "S.");
	}
}

/* A message that the backend has may have been taken. */
static void while_others_work(void **state)
{
	struct scene scene;

	(void)state;
	MEET(&scene, BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *");
	stand_in_says("x\r\n.\r\n", 6);
	list(&scene, &by_list, NULL, 1);
	FINISH(&scene, TOLD, "S.");
	MEET(&scene, BEGIN);
	stand_in_says("MAIL FROM:<a@sender.example>\r\nRCPT TO:<b@own.example>\r\n", 55);
	list(&scene, &by_list, NULL, 1);
	FINISH(&scene, TOLD, "S.");
	/* Nothing in plain text. */
	MEET(&scene, BEGIN);
	stand_in_says("STARTTLS\r\n", 10);
	list(&scene, &by_list, NULL, 1);
	FINISH(&scene, "S: 220 2.0.0 go ahead", "S.");
}

/* As the kernel's connections stay: see gate/sockets.h. */
static void who_stays(void **state)
{
	static const struct guard_standing others[] = {
		{ .kind = GUARD_STANDING_NONE },
		{ .kind = GUARD_STANDING_ALLOWED, .list = "trusted" },
		{ .kind = GUARD_STANDING_BLOCKED, .list = "rude", .watched = true },
		{ .kind = GUARD_STANDING_BLOCKED, .list = LEARNED_LIST },
	};
	struct prefix elsewhere = { addr_from_ipv4(0xc0000300u), 120 };
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		MEET(&scene, BEGIN);
		list(&scene, &others[i], NULL, 0);
		FINISH(&scene, QUIT);
	}
	MEET(&scene, BEGIN);
	list(&scene, &by_list, &elsewhere, 0);
	elsewhere.addr = addr_from_ipv4(0xc0000200u);
	list(&scene, &by_list, &elsewhere, 1);
	FINISH(&scene, TOLD, "S.");
	publish("monitor: true\n");
	MEET(&scene, BEGIN);
	list(&scene, &by_list, NULL, 0);
	FINISH(&scene, QUIT);
	conf_publish(NULL);
	/* The kernel ends those whom it sees. */
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, NULL });
	list(&scene, &by_list, NULL, 0);
	FINISH(&scene, QUIT);
}

/* Also one that is past its time, and waits only for its message. */
static void all_of_them(void **state)
{
	struct stream *one, *two;
	struct scene scene;

	(void)state;
	MEET(&scene, BEGIN);
	one = stand_in.stream;
	stand_in.stream = NULL;
	scene_connect(&scene);
	scene_work(&scene);
	scene_play(&scene, (const char *const[]){ BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", NULL });
	smtp_service_drain(scene.service);
	two = stand_in.stream;
	stand_in.stream = one;
	scene_play(&scene, (const char *const[]){ "S: 421 4.3.2 *", "S.", NULL });
	stand_in_stream_free();
	stand_in.stream = two;
	list(&scene, &by_list, NULL, 1);
	FINISH(&scene, TOLD, "S.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_every_state),
		cmocka_unit_test(while_others_work),
		cmocka_unit_test(who_stays),
		cmocka_unit_test(all_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
