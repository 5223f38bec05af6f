/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of groups of RCPT (RFC 2920): that they go on before the backend has answered, that replies
 * are in the order of the commands, that limits hold, and what ends a group.
 */
#include "tests/unit/smtp_fixture.h"

#define MX CONF_SERVICE_MX

#define TO(name)    "C: RCPT TO:<" name "@own.example>"
#define TOLD(name)  "B: RCPT <" name "@own.example>"
#define OK          "S: 250 2.1.5 recipient ok"
#define REFUSED     "S: 550 5.1.1 refused here"
#define LATER       "S: 450 4.2.0 come later"
#define PLAYED(...) scene_play(&scene, (const char *const[]){ __VA_ARGS__, NULL })

/* A backend that answers when the test says so, after MAIL. */
static void open_silent(struct scene *scene, const char *more, const char *mail)
{
	scene_open(scene, more);
	scene_connect(scene);
	scene_play(scene,
		   (const char *const[]){ BEGIN, mail, "S: 250 2.1.0 sender ok", "B: *", NULL });
	stand_in.silent = true;
}

#define FROM "C: MAIL FROM:<a@sender.example>"

static void answer(struct scene *scene, size_t count)
{
	stand_in_speaks(count);
	scene_work(scene);
}

static void say_many(struct scene *scene, unsigned int count)
{
	struct octets piece = { 0 };
	char line[64];

	for (unsigned int i = 0; i < count; i++)
		octets_add(
			&piece, line,
			(size_t)snprintf(line, sizeof(line), "RCPT TO:<u%u@own.example>\r\n", i));
	stand_in_says(piece.data, piece.size);
	octets_free(&piece);
	scene_work(scene);
}

/* So many and no more, from `first` on. */
static void expect_told(unsigned int first, unsigned int count)
{
	char line[64];
	const char *at = line;

	for (unsigned int i = first; i < first + count; i++) {
		snprintf(line, sizeof(line), "RCPT <u%u@own.example>", i);
		expect_line(&stand_in.said, line, "\n", &at);
	}
	assert_int_equal(stand_in.said.size, 0);
}

static void expect_replies(const char *pattern, unsigned int count)
{
	while (count--)
		expect_line(&stand_in.stream->out, pattern, "\r\n", &pattern);
	assert_int_equal(stand_in.stream->out.size, 0);
}

/* A hundred are under way before the first answer, and each answer lets another one go. */
static void before_the_first_answer(void **state)
{
	struct scene scene;

	(void)state;
	open_silent(&scene, "  errors-max: 200\n", FROM);
	say_many(&scene, 103);
	expect_told(0, SESSION_GROUP_MAX);
	assert_int_equal(stand_in.stream->out.size, 0);
	answer(&scene, 1);
	expect_told(100, 1);
	PLAYED(OK);
	answer(&scene, 102);
	expect_told(101, 2);
	expect_replies("250 2.1.5 recipient ok", 102);
	stand_in.silent = false;
	PLAYED("C: DATA", "S: 354 *", "C: .", "S: 250 *", QUIT);
	assert_int_equal(stand_in.deliveries, 1);
	scene_close(&scene);
}

/* What is refused here waits for its turn; whatever is no recipient waits for all of them. */
static void in_order(void **state)
{
	struct scene scene;

	(void)state;
	open_silent(&scene, "", FROM);
	PLAYED(TO("b"), "C: RCPT TO:<x@elsewhere.example>", "C: RCPT TO:x", TO("refused"),
	       "C: RCPT TO:<c@own.example> ODD=1", "C: RCPT FOR:<c@own.example>", TO("later"),
	       "C: DATA");
	PLAYED(TOLD("b"), TOLD("refused"), TOLD("later"));
	assert_int_equal(stand_in.stream->out.size, 0);
	answer(&scene, 1);
	PLAYED(OK, "S: 550 5.7.1 *", "S: 501 5.5.2 *");
	answer(&scene, 1);
	PLAYED(REFUSED, "S: 555 5.5.4 *", "S: 501 5.5.2 *");
	stand_in.silent = false;
	answer(&scene, 1);
	PLAYED(LATER, "S: 354 *", "C: .", "S: 250 *", QUIT);
	scene_close(&scene);
}

static void octet_by_octet(void **state)
{
	static const char said[] = "RCPT TO:<b@own.example>\r\nRCPT TO:<x@elsewhere.example>\r\n"
				   "RCPT TO:<refused@own.example>\r\nRCPT TO:<c@own.example>\r\n"
				   "RSET\r\n";
	struct scene scene;

	(void)state;
	for (size_t step = 1; step < sizeof(said); step++) {
		open_silent(&scene, "", FROM);
		for (size_t at = 0; at < sizeof(said) - 1; at += step)
			stand_in_says(said + at,
				      sizeof(said) - 1 - at < step ? sizeof(said) - 1 - at : step);
		PLAYED(TOLD("b"), TOLD("refused"), TOLD("c"));
		answer(&scene, 3);
		PLAYED(OK, "S: 550 5.7.1 *", REFUSED, OK, "S: 250 2.0.0 forgotten", QUIT);
		scene_close(&scene);
	}
}

/* recipients-max counts those accepted: nobody is asked about who might be too many. */
static void recipients_max(void **state)
{
	struct scene scene;

	(void)state;
	open_silent(&scene, "  recipients-max: 3\n", FROM);
	PLAYED(TO("b"), TO("refused"), TO("c"), TO("d"), TO("e"), TO("f"));
	PLAYED(TOLD("b"), TOLD("refused"), TOLD("c"));
	answer(&scene, 1);
	PLAYED(OK);
	assert_int_equal(stand_in.said.size, 0);
	answer(&scene, 1);
	PLAYED(REFUSED, TOLD("d"));
	answer(&scene, 2);
	PLAYED(OK, OK, "S: 452 4.5.3 *", "S: 452 4.5.3 *", QUIT);
	assert_int_equal(stand_in.said.size, 0);
	scene_close(&scene);
}

/* Who guesses addresses in a group asks no more of them than one by one. */
static void errors_max(void **state)
{
	struct scene scene;

	(void)state;
	open_silent(&scene, "  errors-max: 3\n", FROM);
	PLAYED(TO("refused"), "C: RCPT TO:<x@elsewhere.example>", TO("refused"), TO("refused"),
	       TO("b"));
	PLAYED(TOLD("refused"), TOLD("refused"));
	answer(&scene, 2);
	PLAYED(REFUSED, "S: 550 5.7.1 *", REFUSED, "S: 421 4.7.0 gate.example: too many errors",
	       "S.");
	assert_int_equal(stand_in.said.size, 0);
	scene_close(&scene);
}

/* Replies that wait are bounded, also if they are no errors. */
static void held_replies_are_bounded(void **state)
{
	struct scene scene;
	const char *const first[] = { TO("postmaster"), NULL };

	(void)state;
	open_silent(&scene, "check: {spf: defer}\n", "C: MAIL FROM:<a@forbids.example>");
	scene_play(&scene, first);
	say_many(&scene, SESSION_GROUP_MAX + 50);
	PLAYED(TOLD("postmaster"));
	assert_int_equal(stand_in.stream->out.size, 0);
	assert_true(stand_in.stream->in.size > 49 * strlen("RCPT TO:<u100@own.example>\r\n"));
	answer(&scene, 1);
	expect_line(&stand_in.stream->out, "250 2.1.5 *", "\r\n", first);
	expect_replies("450 4.7.23 *", SESSION_GROUP_MAX + 50);
	PLAYED(QUIT);
	scene_close(&scene);
}

/* postmaster is taken whatever the sender is; those behind him wait for what is found out. */
static void a_ruling_in_the_middle(void **state)
{
	struct scene scene;

	(void)state;
	open_silent(&scene, "", "C: MAIL FROM:<a@slowspf.example>");
	PLAYED(TO("postmaster"), TO("b"), TO("c"), TO("abuse"), TO("d"));
	PLAYED(TOLD("postmaster"), "T: 3100", TOLD("abuse"));
	assert_int_equal(stand_in.stream->out.size, 0);
	answer(&scene, 2);
	PLAYED(OK, "S: 550 5.7.23 *", "S: 550 5.7.23 *", OK, "S: 550 5.7.23 *", QUIT);
	scene_close(&scene);
	/* The answer comes while the next one is decided about. */
	open_silent(&scene, "", "C: MAIL FROM:<a@slowspf.example>");
	PLAYED(TO("postmaster"), TO("b"), "C: RSET");
	answer(&scene, 1);
	PLAYED(OK, "T: 3100", "S: 550 5.7.23 *", "S: 250 2.0.0 forgotten", QUIT);
	scene_close(&scene);
}

/* PIPELINING was not offered to who says HELO. */
static void not_after_helo(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "check: {pipelining: off}\n");
	scene_connect(&scene);
	PLAYED(GREETING, "C: HELO x", "S: 250 *", MAIL, "B: *");
	stand_in.silent = true;
	PLAYED(TO("b"), TO("c"), TOLD("b"));
	assert_int_equal(stand_in.said.size, 0);
	answer(&scene, 1);
	PLAYED(OK, TOLD("c"));
	answer(&scene, 1);
	PLAYED(OK, QUIT);
	scene_close(&scene);
}

/* Nobody in the middle of a group is cut off for being slow: he waits for the backend. */
static void how_groups_end(void **state)
{
	struct scene scene;

	(void)state;
	open_silent(&scene, "  timeout-command: 10s\n", FROM);
	PLAYED(TO("b"), "C: RCPT TO:<x@elsewhere.example>", "T: 600000");
	answer(&scene, 1);
	PLAYED(OK, "S: 550 5.7.1 *", QUIT);
	scene_close(&scene);

	open_silent(&scene, "  timeout-command: 60s\n  timeout-data: 60s\n  timeout-session: 60s\n",
		    FROM);
	PLAYED(TO("b"), "C: RCPT TO:<x@elsewhere.example>", "T: 61000");
	PLAYED(TO("c")); /* too late for it to join */
	answer(&scene, 1);
	PLAYED(OK, "S: 550 5.7.1 *", "S: 421 4.3.2 *", "S.");
	scene_close(&scene);

	open_silent(&scene, "", FROM); /* he says no more, and waits for the replies */
	PLAYED(TO("b"), TO("c"), "E.");
	assert_false(stand_in.stream->closed);
	answer(&scene, 2);
	PLAYED(OK, OK, "S.");
	scene_close(&scene);

	open_silent(&scene, "", FROM); /* he is gone */
	PLAYED(TO("b"), TO("c"), "R.", "S.");
	scene_close(&scene);

	open_silent(&scene, "", FROM); /* the service goes down, and the backend is silent */
	PLAYED(TO("b"), TO("c"), "D.", "T: 31000", "S: 421 4.3.2 *", "S.");
	scene_close(&scene);

	open_silent(&scene, "", FROM); /* it goes down, and there is time */
	PLAYED(TO("b"), TO("c"), "D.");
	answer(&scene, 2);
	stand_in.silent = false;
	PLAYED(OK, OK, "C: DATA", "S: 354 *", "C: .", "S: 250 *", "S: 421 4.3.2 *", "S.");
	scene_close(&scene);
}

/* A line that is too long, or not one, is answered in its turn as well. */
static void odd_lines(void **state)
{
	char line[LINE_MAX_MAIL + 64] = "RCPT TO:<";
	struct scene scene;

	(void)state;
	memset(line + 9, 'x', sizeof(line) - 12);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	open_silent(&scene, "", FROM);
	PLAYED(TO("b"), "C= RCPT TO:<\n@own.example>\r\n");
	stand_in_says(line, strlen(line));
	PLAYED(TO("c"));
	PLAYED(TOLD("b"));
	answer(&scene, 1);
	PLAYED(OK, "S: 500 5.5.2 a line ends *", "S: 500 5.5.2 no such command",
	       "S: 500 5.5.2 line too long", TOLD("c"));
	answer(&scene, 1);
	PLAYED(OK, QUIT);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_the_first_answer),
		cmocka_unit_test(in_order),
		cmocka_unit_test(octet_by_octet),
		cmocka_unit_test(recipients_max),
		cmocka_unit_test(errors_max),
		cmocka_unit_test(held_replies_are_bounded),
		cmocka_unit_test(a_ruling_in_the_middle),
		cmocka_unit_test(not_after_helo),
		cmocka_unit_test(how_groups_end),
		cmocka_unit_test(odd_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
