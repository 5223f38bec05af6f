/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of session/smtp: every command in every state, lines, groups, limits.
 */
#include "tests/unit/smtp_fixture.h"

static void message(void **state)
{
	(void)state;
	PLAY("", CONF_SERVICE_MX, BEGIN, MAIL, "B: MAIL <a@sender.example>", RCPT,
	     "B: RCPT <b@own.example>", "C: DATA", "S: 354 *", "C: Subject: x", "C: ", "C: text",
	     "C: .", "S: 250 2.0.0 queued", QUIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
