/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of BDAT (session/smtp/cmd_bdat.c): counting in pieces of every size, chunks that are
 * refused, connections that end inside of one.
 */
#include "tests/unit/smtp_fixture.h"

#define MX CONF_SERVICE_MX

static void chunks(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, MAIL, RCPT, "C= BDAT 3\r\na\r\n", "S: 250 2.0.0 3 octets taken",
	     "C= BDAT 0\r\n", "S: 250 2.0.0 0 octets taken", "C= BDAT 6 LAST\r\nb\r\nc\r\n",
	     "S: 250 2.0.0 queued", MAIL, RCPT, "C= BDAT 0 LAST\r\n", "S: 250 2.0.0 queued", QUIT);
	PLAY("", MX, BEGIN, MAIL, RCPT, "C= bdat 3 last\r\na\r\nQUIT\r\n", "S: 250 2.0.0 queued",
	     "S: 221 *", "S.");
}

/* What is in a chunk is never a command, and what is behind it is. */
static void every_size(void **state)
{
	static const char all[] = "BDAT 9\r\nQUIT\r\n.\r\nBDAT 8\r\n\r\nNOOP\r\n"
				  "BDAT 7 LAST\r\n.\r\n..\r\nNOOP\r\n";
	struct scene scene;

	(void)state;
	for (size_t step = 1; step < sizeof(all); step++) {
		scene_open(&scene, "check: {pipelining: off}\n");
		scene_connect(&scene);
		scene_play(&scene, (const char *const[]){ BEGIN, MAIL, RCPT, NULL });
		for (size_t at = 0; at < sizeof(all) - 1; at += step)
			stand_in_says(all + at,
				      sizeof(all) - 1 - at < step ? sizeof(all) - 1 - at : step);
		scene_work(&scene);
		scene_play(&scene,
			   (const char *const[]){ "S: 250 2.0.0 9 octets taken",
						  "S: 250 2.0.0 8 octets taken",
						  "S: 250 2.0.0 queued", "S: 250 *", QUIT, NULL });
		assert_int_equal(stand_in.deliveries, 1);
		assert_non_null(
			strstr(stand_in.delivered.data, "QUIT\r\n.\r\n\r\nNOOP\r\n.\r\n..\r"));
		scene_close(&scene);
	}
}

/* The octets of a chunk that is refused are taken off. */
static void refused(void **state)
{
	(void)state;
	PLAY("", MX, BEGIN, "C= BDAT 6\r\nQUIT\r\n", "S: 503 5.5.1 say MAIL first", MAIL,
	     "C= BDAT 6 LAST\r\nQUIT\r\n", "S: 503 5.5.1 say RCPT first", MAIL,
	     "C: RCPT TO:<refused@own.example>", "S: 550 *", "C= BDAT 6 LAST\r\nQUIT\r\n",
	     "S: 554 5.5.1 there is no recipient", MAIL, QUIT);
	PLAY("", MX, BEGIN, MAIL, RCPT, "C= BDAT 3\r\na\r\n", "S: 250 *", "C: DATA", "S: 503 *",
	     "C: RCPT TO:<b@own.example>", "S: 503 *", "C: RSET", "S: 250 *",
	     "C= BDAT 6\r\nQUIT\r\n", "S: 503 *", QUIT);
	PLAY("", MX, BEGIN, MAIL, RCPT, "C= BDAT 3\r\na\nb", "S: 554 5.6.0 *",
	     "C= BDAT 6\r\nQUIT\r\n", "S: 554 5.6.0 *", "C= BDAT 0 LAST\r\n", "S: 554 5.6.0 *",
	     "C= BDAT 6 LAST\r\nQUIT\r\n", "S: 503 *", QUIT);
	PLAY("", MX, BEGIN, MAIL, RCPT, "C= BDAT 3 LAST\r\nab\r", "S: 554 5.6.0 *", QUIT);
	/* The CR at the end of one chunk, and the LF at the start of the next. */
	PLAY("", MX, BEGIN, MAIL, RCPT, "C= BDAT 2\r\na\r", "S: 250 *", "C= BDAT 1 LAST\r\n\n",
	     "S: 250 2.0.0 queued", QUIT);
}

/* Where it is not known how many octets follow, nothing of them is read. */
static void nonsense(void **state)
{
	static const char *const arguments[] = {
		"",    "x",        "-1",      "1x",    "0x10",
		"1 X", "1 LAST X", "1  LAST", "1LAST", "9999999999999999999",
		"+1",  "LAST",     "1.5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		char line[128];

		snprintf(line, sizeof(line), "C= BDAT %s\r\nRSET\r\n", arguments[i]);
		PLAY("", MX, BEGIN, MAIL, RCPT, line, "S: 501 5.5.4 *", "S.");
	}
}

/* Of a message that is not complete nothing remains, however the connection ends. */
static void cut(void **state)
{
	static const char *const ends[] = { "E.", "X.", "R." };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		PLAY("", MX, BEGIN, MAIL, RCPT, "C= BDAT 100 LAST\r\nabc", ends[i], "S.");
		assert_int_equal(stand_in.deliveries, 0);
		PLAY("", MX, BEGIN, MAIL, RCPT, "C= BDAT 3\r\nabc", "S: 250 *", ends[i], "S.");
		assert_int_equal(stand_in.deliveries, 0);
		PLAY("", MX, BEGIN, "C= BDAT 100 LAST\r\nabc", ends[i], "S.");
	}
}

/* A chunk in a group of commands that was not offered. */
static void without_ehlo(void **state)
{
	(void)state;
	PLAY("", MX, GREETING, "C: HELO x", "S: 250 *", "C= BDAT 6\r\nQUIT\r\n", "S: 554 5.5.0 *",
	     "S.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks),  cmocka_unit_test(every_size),
		cmocka_unit_test(refused), cmocka_unit_test(nonsense),
		cmocka_unit_test(cut),     cmocka_unit_test(without_ehlo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
