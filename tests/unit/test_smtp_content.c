/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of session/smtp/content.c: checkers that answer at once, later or never, all answers under
 * all actions, what they are given, what is put in front, and the end of the client or the service
 * while they have the message.
 */
#include "tests/unit/log_capture.h"
#include "tests/unit/smtp_fixture.h"

#define MX CONF_SERVICE_MX

#define TO_DATA   BEGIN, MAIL, "B: *", RCPT, "B: *", "C: DATA", "S: 354 *"
#define TEXT      "C: Subject: x", "C: ", "C: text", "C: ."
#define DELIVERED "S: 250 2.0.0 queued"

enum pace { AT_ONCE, LATER, NEVER, CANNOT };

/* A checker of the test's, and what became of it. */
struct plan {
	enum pace pace;
	enum conf_check action;
	struct content_verdict verdict;
	unsigned int asked, cancelled;
	const struct content_message *message; /* while it has one */
	struct octets seen;                    /* the last message */
	size_t recipients;
	char last[PATH_TEXT_MAX]; /* recipient */
};

struct content_check {
	struct plan *plan;
	content_cb cb;
	void *arg;
};

static struct plan plan[CONTENT_CHECKERS_MAX];

static enum conf_check plan_action(const struct content_checker *checker, const struct conf *conf)
{
	assert_non_null(conf);
	return ((const struct plan *)checker->arg)->action;
}

/* All of the message, an octet at a time would do as well. */
static void look(struct plan *at, const struct content_message *message)
{
	const uint8_t *piece;
	uint64_t offset = 0;
	struct error err;
	int size;

	octets_free(&at->seen);
	octets_add(&at->seen, "", 0);
	while ((size = spool_read(message->spool, offset, &piece, &err)) > 0) {
		octets_add(&at->seen, piece, (size_t)size);
		offset += (uint64_t)size;
	}
	assert_int_equal(offset, spool_size(message->spool));
	assert_true(message->own > 0 && message->own < offset);
	assert_memory_equal(at->seen.data + message->own, "Subject: x\r\n", 12);
	assert_string_equal(message->from, "<a@sender.example>");
	assert_string_equal(message->helo, "mx.sender.example");
	assert_string_equal(message->client_name, "mx.sender.example");
	assert_string_equal(message->hostname, "gate.example");
	assert_string_equal(message->user, "");
	assert_int_equal(message->service, MX);
	assert_int_equal(message->client_port, 4711);
	assert_false(message->tls);
	at->recipients = message->recipients;
	snprintf(at->last, sizeof(at->last), "%s", message->to[message->recipients - 1]);
}

static void answer(void *arg)
{
	struct content_check *check = arg;
	const struct content_check held = *check;

	held.plan->message = NULL;
	free(check);
	held.cb(&held.plan->verdict, held.arg);
}

static struct content_check *plan_start(const struct content_checker *checker,
					const struct content_message *message, content_cb cb,
					void *cb_arg)
{
	struct plan *at = checker->arg;
	struct content_check *check;

	at->asked++;
	look(at, message);
	if (at->pace == CANNOT)
		return NULL;
	if (at->pace == AT_ONCE) {
		cb(&at->verdict, cb_arg);
		look(at, message); /* it is there until this returns */
		return NULL;
	}
	check = calloc(1, sizeof(*check));
	*check = (struct content_check){ at, cb, cb_arg };
	at->message = message;
	if (at->pace == LATER)
		owe(answer, check);
	return check;
}

static void plan_cancel(struct content_check **check)
{
	struct plan *at = (*check)->plan;

	look(at, at->message);
	at->message = NULL;
	at->cancelled++;
	forget_owed(*check);
	free(*check);
	*check = NULL;
}

static const struct content_checker checkers[] = {
	{ "first", plan_action, plan_start, plan_cancel, &plan[0] },
	{ "second", plan_action, plan_start, plan_cancel, &plan[1] },
};

/* Checkers that let everything pass, later. */
static void plan_for(size_t count)
{
	for (size_t i = 0; i < CONTENT_CHECKERS_MAX; i++)
		octets_free(&plan[i].seen);
	memset(plan, 0, sizeof(plan));
	for (size_t i = 0; i < CONTENT_CHECKERS_MAX; i++)
		plan[i] = (struct plan){ .pace = LATER, .action = CONF_CHECK_REJECT };
	scene_checker = checkers;
	scene_checkers = count;
}

static int forget_plan(void **state)
{
	(void)state;
	plan_for(0);
	return 0;
}

/* The dialogue up to the reply, with one checker; how often something was delivered is asked after.
 */
static void decide(enum pace pace, enum conf_check action, enum content_answer found,
		   const char *reply, unsigned int deliveries)
{
	plan_for(1);
	plan[0].pace = pace;
	plan[0].action = action;
	plan[0].verdict = (struct content_verdict){ found, "6.0", "odd\r\n250 text", NULL, 0 };
	PLAY("", MX, TO_DATA, TEXT, reply, MAIL, "B: *", RCPT, "B: *", "C: RSET", "S: 250 *", QUIT);
	assert_int_equal(stand_in.deliveries, deliveries);
	assert_int_equal(plan[0].asked, action != CONF_CHECK_OFF);
	assert_int_equal(plan[0].cancelled, 0);
}

#define DEFERRED "S: 451 4.6.0 refused: odd??250 text (lookup id *)"
#define REJECTED "S: 554 5.6.0 refused: odd??250 text (lookup id *)"

/* The weaker of what was found and what is to be done. */
static void actions(void **state)
{
	static const struct {
		enum conf_check action;
		enum content_answer found;
		const char *reply;
	} rows[] = {
		{ CONF_CHECK_OFF, CONTENT_REJECT, DELIVERED },
		{ CONF_CHECK_MONITOR, CONTENT_REJECT, DELIVERED },
		{ CONF_CHECK_MONITOR, CONTENT_TAG, DELIVERED },
		{ CONF_CHECK_TAG, CONTENT_REJECT, DELIVERED },
		{ CONF_CHECK_TAG, CONTENT_DEFER, DELIVERED },
		{ CONF_CHECK_DEFER, CONTENT_REJECT, DEFERRED },
		{ CONF_CHECK_DEFER, CONTENT_DEFER, DEFERRED },
		{ CONF_CHECK_DEFER, CONTENT_TAG, DELIVERED },
		{ CONF_CHECK_REJECT, CONTENT_REJECT, REJECTED },
		{ CONF_CHECK_REJECT, CONTENT_DEFER, DEFERRED },
		{ CONF_CHECK_REJECT, CONTENT_TAG, DELIVERED },
		{ CONF_CHECK_REJECT, CONTENT_ACCEPT, DELIVERED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const unsigned int deliveries = !strcmp(rows[i].reply, DELIVERED);

		decide(AT_ONCE, rows[i].action, rows[i].found, rows[i].reply, deliveries);
		decide(LATER, rows[i].action, rows[i].found, rows[i].reply, deliveries);
	}
}

/* One that cannot begin has deferred, and that is bounded, too. */
static void cannot_begin(void **state)
{
	(void)state;
	decide(CANNOT, CONF_CHECK_REJECT, CONTENT_ACCEPT, "S: 451 4.3.0 refused: out of memory*",
	       0);
	decide(CANNOT, CONF_CHECK_MONITOR, CONTENT_ACCEPT, DELIVERED, 1);
}

static void counted(void **state)
{
	struct scene scene;
	struct smtp_stats stats;

	(void)state;
	plan_for(1);
	plan[0].verdict.answer = CONTENT_REJECT;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene,
		   (const char *const[]){ TO_DATA, TEXT, "S: 554 5.7.1 refused: content *", NULL });
	smtp_service_stats(scene.service, &stats);
	assert_int_equal(stats.refused[SMTP_REFUSED_CONTENT], 1);
	assert_int_equal(stats.messages, 0);
	assert_int_equal(stats.spooling, 0);
	scene_close(&scene);
}

/* Everything that a check of the content may want to know, also in chunks. */
static void what_it_is_given(void **state)
{
	(void)state;
	plan_for(1);
	PLAY("", MX, BEGIN, MAIL, RCPT, "C: RCPT TO:<refused@own.example>", "S: 550 *",
	     "C: RCPT TO:<c@own.example> NOTIFY=NEVER", "S: 250 *",
	     "C= BDAT 14 LAST\r\nSubject: x\r\n\r\n", "S: 250 2.0.0 queued", QUIT);
	assert_int_equal(plan[0].recipients, 2);
	assert_string_equal(plan[0].last, "<c@own.example>");
	assert_int_equal(stand_in.deliveries, 1);
}

/* Fields are in front of all, cannot end a line, and are cut; what is no name is left out. */
static void fields(void **state)
{
	static char longest[2000];
	const struct content_field wanted[] = {
		{ "X-Spam", "yes\r\nBcc: evil@own.example\r\n\r\n\xff" },
		{ "X-Long", longest },
		{ "X Bad", "no" },
		{ "X-Bad:", "no" },
		{ "", "no" },
		{ "X-\r\nBad", "no" },
		{ "X-Empty", "" },
	};
	struct capture log;
	struct scene scene;
	const char *at;
	char *said;

	(void)state;
	memset(longest, 'l', sizeof(longest) - 1);
	plan_for(2);
	plan[0].verdict = (struct content_verdict){ CONTENT_TAG, NULL, NULL, wanted, 7 };
	plan[1].pace = AT_ONCE;
	plan[1].action = CONF_CHECK_TAG;
	plan[1].verdict = (struct content_verdict){ CONTENT_REJECT, NULL, "bad", wanted, 1 };
	scene_open(&scene, "");
	scene_connect(&scene);
	capture_pipe(&log);
	scene_play(&scene, (const char *const[]){ TO_DATA, TEXT, DELIVERED, NULL });
	said = capture_end(&log);
	assert_non_null(strstr(said, "what it calls a header field is none"));
	free(said);
	at = stand_in.delivered.data;
	assert_memory_equal(at, "X-Spam: yes??Bcc: evil@own.example?????\r\nX-Long: lll", 52);
	at = strstr(at, "\r\nX-Empty: \r\n");
	assert_non_null(at);
	assert_int_equal(at - strstr(stand_in.delivered.data, "X-Long: "),
			 8 + CONTENT_VALUE_MAX - 1);
	at += strlen("\r\nX-Empty: \r\n");
	assert_memory_equal(at, "X-Postern: second\r\nX-Spam: yes??", 32);
	assert_non_null(strstr(at, "\r\nAuthentication-Results: gate.example;"));
	assert_null(strstr(stand_in.delivered.data, "Bad"));
	/* None of it was there before all had looked. */
	assert_null(strstr(plan[1].seen.data, "X-Spam"));
	scene_close(&scene);
}

/* The first refusal ends it; nobody is asked after it. */
static void two_in_a_row(void **state)
{
	static const enum pace paces[] = { AT_ONCE, LATER };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		plan_for(2);
		plan[0].pace = paces[i & 1];
		plan[1].pace = paces[i >> 1];
		PLAY("", MX, TO_DATA, TEXT, DELIVERED, QUIT);
		assert_int_equal(plan[0].asked, 1);
		assert_int_equal(plan[1].asked, 1);
		assert_string_equal(plan[0].seen.data, plan[1].seen.data);
		plan[1].verdict = (struct content_verdict){ CONTENT_REJECT, NULL, "2nd", NULL, 0 };
		PLAY("", MX, TO_DATA, TEXT, "S: 554 5.7.1 refused: 2nd *", QUIT);
		plan[0].verdict = (struct content_verdict){ CONTENT_DEFER, NULL, "1st", NULL, 0 };
		PLAY("", MX, TO_DATA, TEXT, "S: 451 4.7.1 refused: 1st *", QUIT);
		assert_int_equal(plan[0].asked, 3);
		assert_int_equal(plan[1].asked, 2);
		assert_int_equal(plan[0].cancelled + plan[1].cancelled, 0);
	}
}

#define LATE "S: 451 4.7.1 refused: the message was not looked at in time*"

/* Each has its own time. */
static void too_late(void **state)
{
	(void)state;
	plan_for(2);
	plan[0].pace = NEVER;
	PLAY("", MX, TO_DATA, TEXT, "T: 59900", "T: 400", LATE, MAIL, "B: *", QUIT);
	assert_int_equal(plan[0].cancelled, 1);
	assert_int_equal(plan[1].asked, 0);
	plan[0].action = CONF_CHECK_MONITOR;
	plan[1].pace = NEVER;
	PLAY("", MX, TO_DATA, TEXT, "T: 60100", "T: 59000", "T: 1300", LATE, QUIT);
	assert_int_equal(plan[1].cancelled, 1);
	plan[1].action = CONF_CHECK_TAG;
	PLAY("", MX, TO_DATA, TEXT, "T: 60100", "T: 60100", DELIVERED, QUIT);
	assert_int_equal(plan[0].cancelled, 3);
	assert_int_equal(plan[1].cancelled, 2);
}

static void client_gone(void **state)
{
	static const char *const ends[] = { "R.", "X." };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		plan_for(2);
		plan[1].pace = NEVER;
		PLAY("", MX, TO_DATA, TEXT, ends[i], "S.");
		assert_int_equal(plan[0].asked, 1);
		assert_int_equal(plan[1].cancelled, 1);
		assert_int_equal(stand_in.deliveries, 0);
	}
	/* Who only says no more waits for the reply. */
	plan_for(1);
	plan[0].pace = NEVER;
	PLAY("", MX, TO_DATA, TEXT, "E.", "T: 60100", LATE, "S.");
}

/* Nothing is read meanwhile, so what is said next is answered next. */
static void pipelined(void **state)
{
	(void)state;
	plan_for(1);
	plan[0].pace = NEVER;
	PLAY("", MX, TO_DATA, TEXT, "C: MAIL FROM:<b@sender.example>", "T: 60100", LATE,
	     "S: 250 2.1.0 *", QUIT);
}

/* The service goes down: there is some time for an answer, and then none. */
static void drained(void **state)
{
	struct scene scene;

	(void)state;
	plan_for(1);
	plan[0].pace = NEVER;
	PLAY("", MX, TO_DATA, TEXT, "D.", "T: 29000", "T: 1300", "S: 421 4.3.2 *", "S.");
	assert_int_equal(plan[0].cancelled, 1);
	plan[0].pace = LATER;
	scene_open(&scene, "");
	scene_connect(&scene);
	scene_play(&scene, (const char *const[]){ TO_DATA, NULL });
	stand_in_says("Subject: x\r\n\r\n.\r\n", 17);
	smtp_service_drain(scene.service);
	scene_work(&scene);
	scene_play(&scene, (const char *const[]){ DELIVERED, "S: 421 4.3.2 *", "S.", NULL });
	assert_int_equal(stand_in.deliveries, 1);
	scene_close(&scene);
	/* Closed with a check under way. */
	plan[0].pace = NEVER;
	PLAY("", MX, TO_DATA, TEXT);
	assert_int_equal(plan[0].cancelled, 2);
}

/* What is wrong without looking into it is not looked into. */
static void not_asked(void **state)
{
	(void)state;
	plan_for(1);
	PLAY("", MX, TO_DATA, "C= Subject: x\r\na\nb\r\n.\r\n", "S: 554 5.6.0 *", QUIT);
	assert_int_equal(plan[0].asked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions),   cmocka_unit_test(cannot_begin),
		cmocka_unit_test(counted),   cmocka_unit_test(what_it_is_given),
		cmocka_unit_test(fields),    cmocka_unit_test(two_in_a_row),
		cmocka_unit_test(too_late),  cmocka_unit_test(client_gone),
		cmocka_unit_test(pipelined), cmocka_unit_test(drained),
		cmocka_unit_test(not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, forget_plan);
}
