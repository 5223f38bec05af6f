/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of checks that only look: what they would have refused is counted and logged, once for a
 * transaction or a session, and nothing is refused.
 */
#include "tests/unit/log_capture.h"
#include "tests/unit/smtp_fixture.h"

#define MX       CONF_SERVICE_MX
#define SCORED   20
#define FROM(at) "C: MAIL FROM:<a@" at ">", "S: 250 *"
#define TO       "C: RCPT TO:<b@own.example>"
#define TAKEN    "S: 250 *"
#define RSET     "C: RSET", "S: 250 *"
#define SAY(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct counted {
	enum check check;
	uint64_t times;
};

/* No check but these has watched anything; the list ends with CHECK_NONE. */
static void expect_watched(const struct scene *scene, const struct counted *expected)
{
	uint64_t times[CHECK_COUNT] = { 0 };
	struct smtp_stats stats;

	for (; expected->check != CHECK_NONE; expected++)
		times[expected->check] = expected->times;
	smtp_service_stats(scene->service, &stats);
	for (unsigned int i = 0; i < CHECK_COUNT; i++)
		if (stats.watched[i] != times[i])
			fail_msg("%s: %u, and not %u", check_name((enum check)i),
				 (unsigned int)stats.watched[i], (unsigned int)times[i]);
}

#define EXPECT(scene, ...)                                                                         \
	expect_watched(scene, (const struct counted[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

static void open_bad(struct scene *scene, const char *more)
{
	scene_open(scene, more);
	stand_in.has_verdict = true;
	stand_in.verdict.decision = DECISION_REJECT;
	stand_in.verdict.total = stand_in.verdict.zones = SCORED;
}

static void visit(struct scene *scene, const char *const *lines)
{
	scene_connect(scene);
	scene_work(scene);
	scene_play(scene, lines);
}

/* One for each transaction, however many recipients there are. */
static void once_a_transaction(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "check: {spf: monitor, score: off}\n");
	visit(&scene, SAY(BEGIN, FROM("forbids.example"), TO, TAKEN, TO, TAKEN, RSET,
			  FROM("forbids.example"), TO, TAKEN, RSET, MAIL, RCPT, QUIT));
	EXPECT(&scene, { CHECK_SPF, 2 });
	visit(&scene, SAY(BEGIN, FROM("forbids.example"), "C: RCPT TO:<postmaster@own.example>",
			  TAKEN, QUIT)); /* who is spared the checks */
	EXPECT(&scene, { CHECK_SPF, 2 });
	scene_close(&scene);
}

/* All that would have refused, not the first alone; but what is refused anyway is no question. */
static void all_of_them(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene, "check: {spf: monitor, helo: tag, score: off}\n");
	visit(&scene,
	      SAY(GREETING, "C: HELO bare", "S: 250 *", FROM("forbids.example"), TO, TAKEN, QUIT));
	EXPECT(&scene, { CHECK_SPF, 1 }, { CHECK_HELO, 1 });
	scene_close(&scene);
	scene_open(&scene, "check: {spf: monitor, helo: reject, score: off}\n");
	visit(&scene, SAY(GREETING, "C: HELO bare", "S: 250 *", FROM("forbids.example"), TO,
			  "S: 550 5.7.1 *", QUIT));
	EXPECT(&scene);
	scene_close(&scene);
}

/* At connect it would have been the session; at RCPT it is the transaction. */
static void clients(void **state)
{
	struct scene scene;

	(void)state;
	open_bad(&scene, "check: {score: monitor}\n");
	visit(&scene, SAY(GREETING, QUIT));
	EXPECT(&scene, { CHECK_CLIENT, 1 });
	visit(&scene, SAY(BEGIN, MAIL, RCPT, RSET, MAIL, RCPT, QUIT));
	EXPECT(&scene, { CHECK_CLIENT, 2 }, { CHECK_SCORE, 2 });
	scene_close(&scene);
	open_bad(&scene, "check: {score: monitor, stage: rcpt}\n");
	visit(&scene, SAY(GREETING, QUIT));
	EXPECT(&scene);
	visit(&scene, SAY(BEGIN, MAIL, RCPT, RSET, MAIL, RCPT, QUIT));
	EXPECT(&scene, { CHECK_CLIENT, 2 }, { CHECK_SCORE, 2 });
	scene_close(&scene);
	open_bad(&scene, "check: {score: off, rdns: off}\n");
	visit(&scene, SAY(BEGIN, MAIL, RCPT, QUIT));
	EXPECT(&scene);
	scene_close(&scene);
}

static void speak_first(const char *more, uint64_t times)
{
	struct scene scene;

	scene_open(&scene, more);
	scene_connect_saying(&scene, "HELO x\r\n");
	scene_play(&scene, SAY(GREETING, "S: 250 *", MAIL, RCPT, QUIT));
	EXPECT(&scene, { CHECK_PREGREET, times });
	scene_close(&scene);
}

static void early(void **state)
{
	(void)state;
	speak_first("check: {helo: off, pregreet: monitor}\n", 1);
	speak_first("check: {helo: off, pregreet: tag}\n", 1);
	speak_first("check: {helo: off, pregreet: off}\n", 0);
}

static void hurry(const char *more, uint64_t times, bool tagged)
{
	struct scene scene;

	scene_open(&scene, more);
	visit(&scene, SAY(BEGIN, MAIL, "C: NOOP", "C: NOOP", "S: 250 *", "S: 250 *", RSET, MAIL,
			  "C: NOOP", "C: NOOP", "S: 250 *", "S: 250 *", RCPT, "C: DATA", "S: 354 *",
			  "C: .", "S: 250 *", QUIT));
	EXPECT(&scene, { CHECK_PIPELINING, times });
	assert_int_equal(strstr(stand_in.delivered.data, "X-Postern: pipelining\r\n") != NULL,
			 tagged);
	scene_close(&scene);
}

/* It would have been the end of the session, so it is one. */
static void pipelining(void **state)
{
	(void)state;
	hurry("check: {pipelining: monitor}\n", 1, false);
	hurry("check: {pipelining: tag}\n", 1, true);
	hurry("check: {pipelining: off}\n", 0, false);
}

/* Content */

static enum conf_check content_action = CONF_CHECK_MONITOR;
static enum content_answer content_answer;

static enum conf_check action(const struct content_checker *checker, const struct conf *conf)
{
	(void)checker;
	(void)conf;
	return content_action;
}

static struct content_check *start(const struct content_checker *checker,
				   const struct content_message *message, content_cb cb, void *arg)
{
	const struct content_verdict verdict = { .answer = content_answer };

	(void)checker;
	(void)message;
	cb(&verdict, arg);
	return NULL;
}

static void cancel(struct content_check **check)
{
	*check = NULL;
}

static void look_into(enum conf_check bound, enum content_answer found, uint64_t times)
{
	static const struct content_checker checkers[] = {
		{ .name = "first", .action = action, .start = start, .cancel = cancel },
		{ .name = "second", .action = action, .start = start, .cancel = cancel },
	};
	struct scene scene;

	content_action = bound;
	content_answer = found;
	scene_checker = checkers;
	scene_checkers = 2;
	scene_open(&scene, "");
	visit(&scene, SAY(BEGIN, MAIL, RCPT, "C: DATA", "S: 354 *", "C: .", "S: 250 *", QUIT));
	EXPECT(&scene, { CHECK_CONTENT, times });
	scene_close(&scene);
	scene_checkers = 0;
}

/* Two checkers are one message. */
static void content(void **state)
{
	(void)state;
	look_into(CONF_CHECK_MONITOR, CONTENT_REJECT, 1);
	look_into(CONF_CHECK_MONITOR, CONTENT_DEFER, 1);
	look_into(CONF_CHECK_TAG, CONTENT_REJECT, 1);
	look_into(CONF_CHECK_MONITOR, CONTENT_TAG, 0);
	look_into(CONF_CHECK_MONITOR, CONTENT_ACCEPT, 0);
}

/* Lines */

static size_t lines_in(const char *log)
{
	size_t lines = 0;

	for (; (log = strstr(log, "\"smtp.watched\"")); log++)
		lines++;
	return lines;
}

/* What a session writes; the caller frees it. */
static char *log_of(const char *more, const char *const *lines)
{
	struct capture log;
	struct scene scene;
	char *text;

	scene_open(&scene, more);
	capture_pipe(&log);
	log_set_level(LOG_LEVEL_INFO);
	visit(&scene, lines);
	log_set_level(LOG_LEVEL_ERROR);
	text = capture_end(&log);
	scene_close(&scene);
	return text;
}

static void told(void **state)
{
	static const char *const members[] = {
		"\"check\":\"spf\"",
		"\"would\":\"reject\"",
		"\"source\":\"192.0.2.9\"",
		"\"from\":\"<a@forbids.example>\"",
		"\"to\":\"<b@own.example>\"",
		"\"helo\":\"mx.sender.example\"",
		"\"id\":\"",
	};
	char *log = log_of("check: {spf: monitor, score: off}\n",
			   SAY(BEGIN, FROM("forbids.example"), TO, TAKEN, TO, TAKEN, QUIT));

	(void)state;
	assert_int_equal(lines_in(log), 1);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!strstr(log, members[i]))
			fail_msg("no %s in %s", members[i], log);
	free(log);
}

/* Lines of refusals and these have one budget; the counters have them all. */
static void budget(void **state)
{
	char *log =
		log_of("check: {spf: monitor, score: off}\nevents: {rate: 2}\n",
		       SAY(BEGIN, FROM("forbids.example"), "C: RCPT TO:<b@other.example>",
			   "S: 550 *", TO, TAKEN, RSET, FROM("forbids.example"), TO, TAKEN, QUIT));

	(void)state;
	assert_non_null(strstr(log, "\"smtp.refused\""));
	assert_int_equal(lines_in(log), 1);
	free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once_a_transaction),
		cmocka_unit_test(all_of_them),
		cmocka_unit_test(clients),
		cmocka_unit_test(early),
		cmocka_unit_test(pipelining),
		cmocka_unit_test(content),
		cmocka_unit_test(told),
		cmocka_unit_test(budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
