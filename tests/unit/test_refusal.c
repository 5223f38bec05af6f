/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/test_refusal.c - the text of a refusal: what is said, what is cut, what is replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gate/refusal.h"

static void expect(const char *list, const char *reason, const char *contact, const char *text)
{
	struct refusal made;

	memset(&made, 'x', sizeof(made));
	refusal_compose(list, reason, contact, &made);
	assert_int_equal(made.length, strlen(text));
	assert_memory_equal(made.text, text, made.length);
	for (size_t i = made.length; i < REFUSAL_TEXT_MAX; i++)
		assert_int_equal(made.text[i], ' ');
	assert_int_equal(made.pad, 0);
}

static void test_words(void **state)
{
	(void)state;
	expect("drop", "", "", "554 5.7.1 refused: listed in drop");
	expect("drop", "sent spam", "", "554 5.7.1 sent spam");
	expect("drop", "sent spam", "https://example.net/unblock",
	       "554 5.7.1 sent spam; see https://example.net/unblock");
	expect("drop", "", "postmaster@example.net",
	       "554 5.7.1 refused: listed in drop; see postmaster@example.net");
}

/* A line of SMTP, and one line: nothing in it ends it or is not ASCII. */
static void test_letters(void **state)
{
	(void)state;
	expect("drop", "caf\xc3\xa9\r\n250 ok\x7f", "", "554 5.7.1 caf????250 ok?");
}

static void test_length(void **state)
{
	char reason[256], contact[CONF_CONTACT_MAX], text[REFUSAL_TEXT_MAX + 1];
	struct refusal made;

	(void)state;
	memset(reason, 'r', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	memset(contact, 'c', sizeof(contact));
	contact[sizeof(contact) - 1] = '\0';
	refusal_compose("drop", reason, "", &made);
	assert_int_equal(made.length, REFUSAL_TEXT_MAX);
	/* The reason gives way, never the contact. */
	refusal_compose("drop", reason, contact, &made);
	assert_int_equal(made.length, REFUSAL_TEXT_MAX);
	memcpy(text, made.text, REFUSAL_TEXT_MAX);
	text[REFUSAL_TEXT_MAX] = '\0';
	assert_string_equal(text + REFUSAL_TEXT_MAX - strlen(contact), contact);
	assert_int_equal(strspn(text + 10, "r"), REFUSAL_TEXT_MAX - 10 - 6 - strlen(contact));
	memset(reason, 'l', LIST_NAME_MAX);
	reason[LIST_NAME_MAX] = '\0';
	refusal_compose(reason, "", contact, &made);
	assert_memory_equal(made.text, "554 5.7.1 refused: listed in l", 30);
}

static void test_publish(void **state)
{
	struct refusal kernel = { 0 }, wanted;

	(void)state;
	refusal_compose("a-long-name", "", "", &wanted);
	refusal_publish(&kernel, &wanted);
	assert_memory_equal(&kernel, &wanted, sizeof(kernel));
	refusal_compose("b", "", "", &wanted);
	refusal_publish(&kernel, &wanted);
	assert_memory_equal(&kernel, &wanted, sizeof(kernel));
	memset(&wanted, 0, sizeof(wanted));
	refusal_publish(&kernel, &wanted);
	assert_int_equal(kernel.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_publish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
