/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of session/smtp/relay: who may send to whom, the file of recipients, and the tricks by
 * which relays were made to send on what they should not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "session/smtp/recipients.h"
#include "session/smtp/relay.h"
#include "tests/unit/conf_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OUTSIDE      "198.51.100.7"
#define TRUSTED      "192.0.2.77"
#define REFUSED      (-1) /* by the parser */

#define CONFIGURATION                                                                              \
	"smtp:\n"                                                                                  \
	"  domains: [own.example, second.example, b\xc3\xbc"                                       \
	"cher.example, sub.third.example]\n"                                                       \
	"  networks: [192.0.2.0/24, \"2001:db8::/32\"]\n"

static struct relay *open_relay(const char *text)
{
	struct conf *conf = read_conf(text);
	struct relay *relay = NULL;
	struct error err = { 0 };

	if (relay_open(conf, &relay, &err))
		fail_msg("%s", err.text);
	conf_free(&conf);
	return relay;
}

static int answer(const struct relay *relay, const char *client, const char *user, const char *to)
{
	struct path_line line;
	struct addr addr;
	char text[1000];

	assert_int_equal(addr_parse(client, strlen(client), &addr, NULL), 0);
	snprintf(text, sizeof(text), "%s", to);
	if (path_parse(text, strlen(text), true, &line, NULL))
		return REFUSED;
	return relay_recipient(relay, &addr, user, &line.path);
}

static void who_may_send_to_whom(void **state)
{
	static const struct {
		const char *client, *user, *to;
		int expected;
	} rows[] = {
		{ OUTSIDE, "", "<a@own.example>", RELAY_ASK },
		{ OUTSIDE, "", "<a@OWN.Example>", RELAY_ASK },
		{ OUTSIDE, "", "<a@second.example>", RELAY_ASK },
		{ OUTSIDE, "",
		  "<a@b\xc3\xbc"
		  "cher.example>",
		  RELAY_ASK },
		{ OUTSIDE, "", "<a@xn--bcher-kva.example>", RELAY_ASK },
		{ OUTSIDE, "", "<a@sub.third.example>", RELAY_ASK },
		{ OUTSIDE, "", "<\"a b\"@own.example>", RELAY_ASK },
		{ OUTSIDE, "", "<a@third.example>", RELAY_DENIED },
		{ OUTSIDE, "", "<a@sub.own.example>", RELAY_DENIED },
		{ OUTSIDE, "", "<a@example>", RELAY_DENIED },
		{ OUTSIDE, "", "<a@other.example>", RELAY_DENIED },
		{ OUTSIDE, "", "<>", RELAY_UNKNOWN },
		{ OUTSIDE, "", "<postmaster>", RELAY_SPECIAL },
		{ OUTSIDE, "", "<POSTMASTER>", RELAY_SPECIAL },
		{ OUTSIDE, "", "<Postmaster@own.example>", RELAY_SPECIAL },
		{ OUTSIDE, "", "<\"postmaster\"@own.example>", RELAY_SPECIAL },
		{ OUTSIDE, "", "<ABUSE@second.example>", RELAY_SPECIAL },
		{ OUTSIDE, "", "<postmaster@other.example>", RELAY_DENIED },
		{ OUTSIDE, "", "<abuse@other.example>", RELAY_DENIED },
		{ OUTSIDE, "", "<postmasters@own.example>", RELAY_ASK },
		{ OUTSIDE, "", "<abuse>", REFUSED },
		{ TRUSTED, "", "<a@own.example>", RELAY_ASK },
		{ TRUSTED, "", "<a@other.example>", RELAY_YES },
		{ TRUSTED, "", "<a@[203.0.113.1]>", RELAY_YES },
		{ TRUSTED, "", "<a%b@other.example>", RELAY_YES },
		{ TRUSTED, "", "<@x:a@other.example>", RELAY_YES },
		{ TRUSTED, "", "<>", RELAY_UNKNOWN },
		{ "192.0.3.1", "", "<a@other.example>", RELAY_DENIED },
		{ "2001:db8:1::1", "", "<a@other.example>", RELAY_YES },
		{ "2001:db9::1", "", "<a@other.example>", RELAY_DENIED },
		{ "127.0.0.1", "", "<a@other.example>", RELAY_DENIED },
		{ OUTSIDE, "alice", "<a@other.example>", RELAY_YES },
		{ OUTSIDE, "alice", "<a@own.example>", RELAY_ASK },
		{ OUTSIDE, "alice", "<postmaster@own.example>", RELAY_SPECIAL },
	};
	struct relay *relay = open_relay(CONFIGURATION);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const int got = answer(relay, rows[i].client, rows[i].user, rows[i].to);

		if (got != rows[i].expected)
			fail_msg("%s %s: %d", rows[i].client, rows[i].to, got);
	}
	relay_unref(&relay);
	assert_null(relay);
	relay_unref(&relay);
}

/* Each of them has been taken by some server. The mark is where the mail would have gone. */
static const char *const tricks[] = {
	/* The plain ones, and names that look like ours. */
	"<u@evil.test>", "u@evil.test", "<\"u\"@evil.test>", "<u@evil.test.>",
	"<u@own.example.evil.test>", "<u@evilown.example>", "<u@sub.own.example>",
	"<u@own.example.>", "<u@.own.example>", "<u@localhost>", "<u>", "<u@>", "<@evil.test>",
	/* Percent hack (RFC 1123 5.2.16). */
	"<u%evil.test@own.example>", "<u%evil.test>", "<u%evil.test@>",
	"<u%evil.test%own.example@own.example>", "<\"u%evil.test\"@own.example>",
	"<\"u%evil.test\">", "<u%[203.0.113.1]@own.example>", "<u%evil.test@localhost>",
	"<u%evil.test@[192.0.2.1]>",
	/* Bang paths (UUCP, RFC 976). */
	"<evil.test!u@own.example>", "<evil.test!u>", "<own.example!evil.test!u>",
	"<own.example!u@evil.test>", "<evil.test!u%own.example@own.example>",
	"<\"evil.test!u\"@own.example>", "<evil.test!u@[192.0.2.1]>",
	/* More than one "@". */
	"<u@evil.test@own.example>", "<u@own.example@evil.test>", "<\"u@evil.test\"@own.example>",
	"<\"u@evil.test\">", "<\"u@evil.test\"@[192.0.2.1]>", "<u\\@evil.test@own.example>",
	"<\"u\\@evil.test\"@own.example>", "<\"u\"@evil.test\"@own.example>",
	"<\"<u@evil.test>\"@own.example>", "<u(@own.example)@evil.test>",
	"<u@evil.test(@own.example)>", "<u@own.example(c)@evil.test>",
	/* Source routes. */
	"<@own.example:u@evil.test>", "<@evil.test:u@own.example>",
	"<@own.example,@evil.test:u@evil.test>", "<@[192.0.2.1]:u@evil.test>",
	"<@own.example:@evil.test:u@own.example>", "<@own.example:u%evil.test@own.example>",
	"<@evil.test,@x:postmaster@own.example>", "<\"@evil.test:u\"@own.example>",
	"<@localhost:u@evil.test>", "<@own.example>:u@evil.test",
	/* Addresses. */
	"<u@[203.0.113.1]>", "<u@[IPv6:2001:db8:ffff::1]>", "<u@[127.0.0.1]>", "<u@[192.0.2.1]>",
	"<u@203.0.113.1>", "<u@3405803777>", "<u@#3405803777>", "<u@[evil.test]>",
	"<postmaster@[192.0.2.1]>",
	/* More than one path, other forms, what ends lines. */
	"<u@own.example>,<u@evil.test>", "<u@own.example> <u@evil.test>",
	"<u@own.example><u@evil.test>", "<u@own.example,u@evil.test>",
	"<u@own.example;u@evil.test>", "<u@own.example u@evil.test>", "<SMTP:u@evil.test>",
	"SMTP:<u@evil.test>", "<mailto:u@evil.test>", "<group:u@evil.test;@own.example>",
	"User <u@evil.test>", "<u@own.example\r\nRCPT TO:<u@evil.test>",
	"<u@own.example\nu@evil.test>", "<u@own.example\tu@evil.test>",
	"<<u@evil.test>@own.example>", "<u@evil.test", "u@own.example", "<u::v@own.example>",
	/* Characters that a mapping turns into those above. */
	"<u@evil.test\xef\xbc\xa0own.example>", "<u@own\xe3\x80\x82test>",
	"<u@own.ex\xd0\xb0mple>", /* a Cyrillic a */
};

static void tricks_are_in_vain(void **state)
{
	struct relay *relay = open_relay(CONFIGURATION);
	size_t refused = 0;

	(void)state;
	assert_true(COUNT(tricks) >= 60);
	for (size_t i = 0; i < COUNT(tricks); i++) {
		const int got = answer(relay, OUTSIDE, "", tricks[i]);

		if (got != REFUSED && got != RELAY_DENIED)
			fail_msg("%s: %d", tricks[i], got);
		refused += got == REFUSED;
	}
	assert_in_range(refused, 20, COUNT(tricks) - 20);
	relay_unref(&relay);
}

/* A file of recipients, and the configuration that names it. */
struct scene {
	char file[64], text[512];
};

static void write_file(struct scene *scene, const char *data, size_t len)
{
	int fd;

	snprintf(scene->file, sizeof(scene->file), "/tmp/test-relay-XXXXXX");
	fd = mkstemp(scene->file);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
	snprintf(scene->text, sizeof(scene->text), CONFIGURATION "  recipients: %s\n", scene->file);
}

static void recipients_are_known(void **state)
{
	static const char data[] = "# a comment\n"
				   "\n"
				   "alice@own.example\n"
				   "  Bob@OWN.example # another\r\n"
				   "alice@own.example\n"
				   "\"c d\"@own.example\n"
				   "e#f@own.example\n"
				   "\t@second.example\t\n"
				   "j\xc3\xbcrgen@b\xc3\xbc"
				   "cher.example";
	static const struct {
		const char *to;
		int expected;
	} rows[] = {
		{ "<alice@own.example>", RELAY_YES },
		{ "<ALICE@Own.example>", RELAY_YES },
		{ "<\"alice\"@own.example>", RELAY_YES },
		{ "<bob@own.example>", RELAY_YES },
		{ "<bob+tag@own.example>", RELAY_YES },
		{ "<bob+a+b@own.example>", RELAY_YES },
		{ "<+bob@own.example>", RELAY_UNKNOWN },
		{ "<bo@own.example>", RELAY_UNKNOWN },
		{ "<bobb@own.example>", RELAY_UNKNOWN },
		{ "<\"c d\"@own.example>", RELAY_YES },
		{ "<e#f@own.example>", RELAY_YES },
		{ "<alice@second.example>", RELAY_ASK },
		{ "<j\xc3\xbcrgen@xn--bcher-kva.example>", RELAY_YES },
		{ "<alice@sub.third.example>", RELAY_UNKNOWN },
		{ "<postmaster@own.example>", RELAY_SPECIAL },
		{ "<postmaster>", RELAY_SPECIAL },
		{ "<abuse@sub.third.example>", RELAY_SPECIAL },
		{ "<alice@other.example>", RELAY_DENIED },
		{ "<alice%own.example@own.example>", RELAY_DENIED },
	};
	struct relay *relay;
	struct scene scene;

	(void)state;
	write_file(&scene, data, sizeof(data) - 1);
	relay = open_relay(scene.text);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const int got = answer(relay, OUTSIDE, "", rows[i].to);

		if (got != rows[i].expected)
			fail_msg("%s: %d", rows[i].to, got);
	}
	assert_int_equal(answer(relay, TRUSTED, "", "<bobb@own.example>"), RELAY_UNKNOWN);
	relay_unref(&relay);
	unlink(scene.file);
}

static void files_that_are_refused(void **state)
{
	static const struct {
		const char *data;
		size_t len; /* 0: that of the text */
		const char *why;
	} rows[] = {
		{ "a@own.example\nb@other.example\n", 0, "2: the domain is not in smtp.domains" },
		{ "@other.example", 0, "1: the domain is not in smtp.domains" },
		{ "a@[192.0.2.1]", 0, "1: the domain is not in smtp.domains" },
		{ "\n\nalice\n", 0, "3: not an address with a local part and a domain" },
		{ "postmaster", 0, "1: not an address with a local part and a domain" },
		{ ">", 0, "1: something behind the address" },
		{ "a@own.example> SIZE=1 <", 0, "1: a parameter that is not NAME or NAME=VALUE" },
		{ "a@own.example> X", 0, "1: a parameter that is not NAME or NAME=VALUE" },
		{ "<a@own.example>", 0, "1: no local part" },
		{ "a@own.example b@own.example", 0, "1: not a domain name" },
		{ "@", 0, "1: a domain has 1 to 253 characters" },
		{ "a@own.example\n\0b\n", 17, "2: the line is too long, or holds a NUL" },
		{ "a\xff@own.example", 0, "1: not valid UTF-8" },
		{ "a\x01@own.example", 0, "1: a control character" },
	};
	char expected[ERROR_TEXT_MAX], line[2 * RECIPIENTS_LINE_MAX];

	(void)state;
	memset(line, ' ', sizeof(line));
	for (size_t i = 0; i <= COUNT(rows); i++) {
		const bool last = i == COUNT(rows);
		struct relay *relay = NULL;
		struct error err = { 0 };
		struct scene scene;
		struct conf *conf;

		if (last)
			write_file(&scene, line, sizeof(line));
		else
			write_file(&scene, rows[i].data,
				   rows[i].len ? rows[i].len : strlen(rows[i].data));
		conf = read_conf(scene.text);
		assert_int_equal(relay_open(conf, &relay, &err), ERROR_REFUSED);
		assert_null(relay);
		snprintf(expected, sizeof(expected), "%s:%s", scene.file,
			 last ? "1: the line is too long, or holds a NUL" : rows[i].why);
		assert_string_equal(err.text, expected);
		unlink(scene.file);
		assert_int_equal(relay_open(conf, &relay, &err), ERROR_REFUSED);
		snprintf(expected, sizeof(expected), "%s: No such file or directory", scene.file);
		assert_string_equal(err.text, expected);
		conf_free(&conf);
	}
}

/* An empty file is a set with nobody in it, not one that is not there. */
static void an_empty_file(void **state)
{
	struct relay *relay, *again;
	struct scene scene;

	(void)state;
	write_file(&scene, "# nobody\n", 9);
	relay = open_relay(scene.text);
	unlink(scene.file);
	assert_int_equal(answer(relay, OUTSIDE, "", "<a@own.example>"), RELAY_UNKNOWN);
	again = relay_ref(relay);
	relay_unref(&relay);
	assert_int_equal(answer(again, OUTSIDE, "", "<abuse@own.example>"), RELAY_SPECIAL);
	relay_unref(&again);
}

static void many_recipients(void **state)
{
	enum { MANY = 100000 };
	const size_t size = (size_t)MANY * 32;
	char *data = malloc(size), to[64];
	struct relay *relay;
	struct scene scene;
	size_t used = 0;

	(void)state;
	assert_non_null(data);
	for (int i = 0; i < MANY; i++)
		used += (size_t)snprintf(data + used, size - used, "user%d@own.example\n", i);
	write_file(&scene, data, used);
	relay = open_relay(scene.text);
	unlink(scene.file);
	for (int i = 0; i < 2 * MANY; i += 997) {
		snprintf(to, sizeof(to), "<user%d@own.example>", i);
		assert_int_equal(answer(relay, OUTSIDE, "", to),
				 i < MANY ? RELAY_YES : RELAY_UNKNOWN);
	}
	relay_unref(&relay);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_send_to_whom), cmocka_unit_test(tricks_are_in_vain),
		cmocka_unit_test(recipients_are_known), cmocka_unit_test(files_that_are_refused),
		cmocka_unit_test(an_empty_file),        cmocka_unit_test(many_recipients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
