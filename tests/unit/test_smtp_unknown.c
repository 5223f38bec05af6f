/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what a session does about recipients that the backend has said it does not know
 * (session/smtp/remembered.c): who is asked, what is said, and what makes it forget.
 */
#include "tests/unit/smtp_fixture.h"

#define GONE    "C: RCPT TO:<refused@own.example>"
#define REFUSED "S: 550 5.1.1 refused here"
#define ASKED   "B: RCPT <refused@own.example>"

/* Another client, in a transaction; what the backend has been told of it is not looked at. */
static void begin_as(struct scene *scene, uint32_t peer)
{
	scene->peer = addr_from_ipv4(peer);
	scene_connect(scene);
	scene_play(scene, (const char *const[]){ BEGIN, "C: MAIL FROM:<>", "S: 250 *", NULL });
	octets_free(&stand_in.said);
}

static void end(struct scene *scene)
{
	scene_play(scene, (const char *const[]){ QUIT, NULL });
}

#define SAY(scene, ...) scene_play(scene, (const char *const[]){ __VA_ARGS__, NULL })

#define STRANGER 0xc0000209u
#define OTHER    0xc000020bu
#define TRUSTED  0xc6336401u

static uint64_t remembered_so_far(const struct scene *scene)
{
	return service_stats(scene->service)->remembered;
}

/* The scene, in which the backend has refused one recipient to a stranger. */
static void open_with_one(struct scene *scene, const char *more)
{
	scene_open(scene, more);
	begin_as(scene, STRANGER);
	SAY(scene, GONE, REFUSED, ASKED);
	assert_int_equal(remembered_so_far(scene), 0);
	assert_int_equal(unknowns_count(scene->unknowns), 1);
}

static void asked_once(void **state)
{
	struct session_refusal found[REFUSALS_SHOWN_MAX];
	struct scene scene;

	(void)state;
	open_with_one(&scene, "");
	SAY(&scene, GONE, REFUSED, "C: RCPT TO:<refused@OWN.Example> NOTIFY=NEVER", REFUSED);
	end(&scene);
	scene_advance(&scene, 30000);
	begin_as(&scene, OTHER);
	SAY(&scene, GONE, REFUSED);
	assert_int_equal(stand_in.said.size, 0);
	assert_int_equal(remembered_so_far(&scene), 3);
	assert_int_equal(service_stats(scene.service)->refused[SMTP_REFUSED_RECIPIENT], 4);
	assert_int_equal(refusals_find(scene.refusals, scene.now_ms * NS_A_MS, found), 1);
	assert_string_equal(found[0].reason, "recipient");
	assert_string_equal(found[0].detail,
			    "remembered from the backend, 30 seconds ago: 5.1.1 refused here");
	/* Another one, and one that is there. */
	SAY(&scene, "C: RCPT TO:<refused2@own.example>", REFUSED, "B: RCPT <refused2@own.example>",
	    "C: RCPT TO:<Refused@own.example>", "S: 250 *", "B: RCPT <Refused@own.example>",
	    "C: DATA", "S: 354 *", "C: .", "S: 250 *");
	end(&scene);
	scene_close(&scene);
}

static void for_a_time(void **state)
{
	struct scene scene;

	(void)state;
	open_with_one(&scene, "  unknown-ttl: 60\n");
	SAY(&scene, "T: 59000", GONE, REFUSED, "T: 1000", GONE, REFUSED, ASKED, GONE, REFUSED);
	assert_int_equal(remembered_so_far(&scene), 2);
	end(&scene);
	scene_close(&scene);
	scene_open(&scene, "  unknown-ttl: 0\n");
	begin_as(&scene, STRANGER);
	SAY(&scene, GONE, REFUSED, ASKED, GONE, REFUSED, ASKED);
	end(&scene);
	scene_close(&scene);
}

/* Those who are no strangers are not answered from memory, and what they hear is news. */
static void who_asks_the_backend(void **state)
{
	static const struct stand_in_reply taken = { 250, "2.1.5 there it is" };
	struct scene scene;

	(void)state;
	open_with_one(&scene, "");
	end(&scene);
	scene_advance(&scene, 200000);
	begin_as(&scene, TRUSTED);
	SAY(&scene, GONE, REFUSED, ASKED); /* which holds from now on */
	end(&scene);
	scene_advance(&scene, 200000);
	begin_as(&scene, STRANGER);
	SAY(&scene, GONE, REFUSED);
	assert_int_equal(remembered_so_far(&scene), 1);
	assert_int_equal(stand_in.said.size, 0);
	end(&scene);
	stand_in.refusal = taken;
	begin_as(&scene, TRUSTED);
	SAY(&scene, GONE, "S: 250 2.1.5 there it is", ASKED);
	end(&scene);
	begin_as(&scene, STRANGER);
	SAY(&scene, GONE, "S: 250 2.1.5 there it is", ASKED);
	end(&scene);
	assert_int_equal(unknowns_count(scene.unknowns), 0);
	scene_close(&scene);
}

static void a_user_asks_the_backend(void **state)
{
	struct scene scene;

	(void)state;
	open_with_one(&scene, "");
	end(&scene);
	scene.kind = CONF_SERVICE_SUBMISSIONS;
	scene_connect(&scene);
	scene_work(&scene);
	SAY(&scene, GREETING, "C: EHLO mx.sender.example", "S: 250-gate.example",
	    "S: 250-PIPELINING", "S: 250-SIZE *", "S: 250-8BITMIME", "S: 250-SMTPUTF8",
	    "S: 250-DSN", "S: 250-CHUNKING", "S: 250-ENHANCEDSTATUSCODES", "S: 250 AUTH PLAIN",
	    "C: AUTH PLAIN ann/right", "S: 235 *", "C: MAIL FROM:<ann@own.example>", "S: 250 *");
	octets_free(&stand_in.said);
	SAY(&scene, GONE, REFUSED, ASKED, QUIT);
	assert_int_equal(remembered_so_far(&scene), 0);
	scene_close(&scene);
}

/* Sessions from before a reload hear what backends say that may be there no more. */
static void a_reload(void **state)
{
	struct smtp_rules rules = { .tls = NULL };
	struct stream *before;
	struct scene scene;
	struct error err;

	(void)state;
	open_with_one(&scene, "");
	rules.conf = scene.conf;
	rules.relay = relay_ref(scene.relay);
	rules.generation = unknowns_clear(scene.unknowns);
	assert_int_equal(smtp_service_set(scene.service, &rules, &err), 0);
	SAY(&scene, GONE, REFUSED, ASKED, GONE, REFUSED, ASKED);
	assert_int_equal(unknowns_count(scene.unknowns), 0);
	before = stand_in.stream;
	stand_in.stream = NULL;
	scene_connect(&scene);
	SAY(&scene, GREETING, "C: HELO mx.sender.example", "S: 250 *", "C: MAIL FROM:<>",
	    "S: 250 *");
	octets_free(&stand_in.said);
	SAY(&scene, GONE, REFUSED, ASKED, GONE, REFUSED);
	assert_int_equal(remembered_so_far(&scene), 1);
	end(&scene);
	stand_in_stream_free();
	stand_in.stream = before;
	octets_free(&stand_in.said);
	SAY(&scene, GONE, REFUSED, ASKED);
	end(&scene);
	scene_close(&scene);
}

static void what_is_not_remembered(void **state)
{
	static const struct stand_in_reply policy[] = { { 550, "5.7.1 not from you" },
							{ 550, "5.0.0 No" },
							{ 450, "4.1.1 cannot tell" } };
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	begin_as(&scene, STRANGER);
	for (size_t i = 0; i < 3; i++) {
		stand_in.refusal = policy[i];
		SAY(&scene, GONE, "S: *", ASKED, GONE, "S: *", ASKED);
	}
	stand_in.refusal.text = NULL;
	SAY(&scene, "C: RCPT TO:<postmaster@own.example> ORCPT=rfc822;refused@x", REFUSED,
	    "C: RCPT TO:<Abuse@own.example> ORCPT=rfc822;refused@x", REFUSED);
	end(&scene);
	begin_as(&scene, TRUSTED);
	SAY(&scene, "C: RCPT TO:<refused@elsewhere.example>", REFUSED);
	end(&scene);
	assert_int_equal(unknowns_count(scene.unknowns), 0);
	scene_close(&scene);
}

/* Replies stand in the order of the commands. */
static void in_a_group(void **state)
{
	struct scene scene;

	(void)state;
	open_with_one(&scene, "");
	SAY(&scene, "C: RCPT TO:<b@own.example>", GONE, "C: RCPT TO:<later@own.example>", GONE,
	    GONE, "C: RCPT TO:<c@own.example>", "S: 250 2.1.5 *", REFUSED, "S: 450 4.2.0 *",
	    REFUSED, REFUSED, "S: 250 2.1.5 *", "B: RCPT <b@own.example>",
	    "B: RCPT <later@own.example>", "B: RCPT <c@own.example>");
	assert_int_equal(remembered_so_far(&scene), 3);
	end(&scene);
	scene_close(&scene);
}

/* Whoever is refused for what he is hears that, as before. */
static void after_the_checks(void **state)
{
	struct scene scene;

	(void)state;
	open_with_one(&scene, "");
	end(&scene);
	scene.peer = addr_from_ipv4(OTHER);
	scene_connect(&scene);
	SAY(&scene, BEGIN, MAIL, GONE, "S: 550 5.7.23 *");
	assert_int_equal(remembered_so_far(&scene), 0);
	end(&scene);
	scene_close(&scene);
}

/* What names one client is not told to another. */
static void words_for_one(void **state)
{
	static const char *const names[] = { "192.0.2.9", "mx.sender.example", "MX.Sender.Example",
					     "a@sender.example", "A@SENDER.example" };
	char text[64];
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		scene_open(&scene, "");
		snprintf(text, sizeof(text), "5.1.1 nobody\n5.1.1 you are %s", names[i]);
		stand_in.refusal = (struct stand_in_reply){ 550, text };
		scene_connect(&scene);
		SAY(&scene, BEGIN, MAIL, GONE, "S: 550-5.1.1 nobody", "S: 550 5.1.1 you are *");
		end(&scene);
		octets_free(&stand_in.said);
		begin_as(&scene, OTHER);
		SAY(&scene, GONE, "S: 550 5.1.1 there is no such recipient (lookup id *)");
		assert_int_equal(stand_in.said.size, 0);
		end(&scene);
		scene_close(&scene);
	}
}

static void words_for_a_quoted_one(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	stand_in.refusal = (struct stand_in_reply){ 550, "5.1.1 you are <\"a b\"@sender.example>" };
	scene_connect(&scene);
	SAY(&scene, BEGIN, "C: MAIL FROM:<\"a b\"@sender.example>", "S: 250 *", GONE,
	    "S: 550 5.1.1 you are *");
	end(&scene);
	octets_free(&stand_in.said);
	begin_as(&scene, OTHER);
	SAY(&scene, GONE, "S: 550 5.1.1 there is no such recipient (lookup id *)");
	end(&scene);
	scene_close(&scene);
}

static void words_for_a_user(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "");
	stand_in.refusal = (struct stand_in_reply){ 550, "5.1.1 nobody, Ann" };
	scene.kind = CONF_SERVICE_SUBMISSIONS;
	scene_connect(&scene);
	scene_work(&scene);
	SAY(&scene, GREETING, "C: EHLO mx.sender.example", "S: 250-gate.example",
	    "S: 250-PIPELINING", "S: 250-SIZE *", "S: 250-8BITMIME", "S: 250-SMTPUTF8",
	    "S: 250-DSN", "S: 250-CHUNKING", "S: 250-ENHANCEDSTATUSCODES", "S: 250 AUTH PLAIN",
	    "C: AUTH PLAIN ann/right", "S: 235 *", "C: MAIL FROM:<>", "S: 250 *", GONE,
	    "S: 550 5.1.1 nobody, Ann", QUIT);
	octets_free(&stand_in.said);
	scene.kind = CONF_SERVICE_MX;
	begin_as(&scene, OTHER);
	SAY(&scene, GONE, "S: 550 5.1.1 there is no such recipient (lookup id *)");
	end(&scene);
	scene_close(&scene);
}

/* What is refused from memory is charged like all others. */
static void the_budget(void **state)
{
	struct scene scene;

	(void)state;
	open_with_one(&scene, "  unknown-recipients: 3\n");
	SAY(&scene, GONE, REFUSED, GONE, REFUSED, GONE, "S: 450 4.7.1 too many unknown *");
	end(&scene);
	begin_as(&scene, TRUSTED);
	for (int i = 0; i < 5; i++)
		SAY(&scene, GONE, REFUSED, ASKED);
	end(&scene);
	scene_close(&scene);
	/* And an error, as all refusals are. */
	open_with_one(&scene, "  errors-max: 3\n");
	SAY(&scene, GONE, GONE, GONE, REFUSED, REFUSED, "S: 421 4.7.0 *", "S.");
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_once),
		cmocka_unit_test(for_a_time),
		cmocka_unit_test(who_asks_the_backend),
		cmocka_unit_test(a_user_asks_the_backend),
		cmocka_unit_test(a_reload),
		cmocka_unit_test(what_is_not_remembered),
		cmocka_unit_test(in_a_group),
		cmocka_unit_test(after_the_checks),
		cmocka_unit_test(words_for_one),
		cmocka_unit_test(words_for_a_quoted_one),
		cmocka_unit_test(words_for_a_user),
		cmocka_unit_test(the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
