/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of `posternctl check mx` without sockets: the dialogue with a mail host, well-behaved or
 * not, and the verdict. With real servers it is tested in tests/lab/test_check_mx.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/ctl_check_mx.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TURNS_MAX    6
#define SAID_MAX     512
#define EHLO         "EHLO us.example\r\n"
#define MAIL         "MAIL FROM:<>\r\n"
#define RCPT         "RCPT TO:<postmaster@a.example>\r\n"
#define QUIT         "QUIT\r\n"
#define FINE         "250-mx\r\n250-STARTTLS\r\n250 HELP\r\n"

/* What the host says, a turn for each command of ours; it hangs up after the last. */
static const struct {
	const char *hears[TURNS_MAX];
	bool works, starttls;
	const char *reason, *said; /* by us, in all */
} talks[] = {
	{ { "220 mx ESMTP\r\n", FINE, "250 ok\r\n", "250 ok\r\n", "221 bye\r\n" },
	  true,
	  true,
	  "",
	  EHLO MAIL RCPT QUIT },
	{ { "220-mx\r\n220-wait\r\n220 ok\r\n", "250 mx\r\n", "250 ok\r\n",
	    "251 will forward\r\n" },
	  true,
	  false,
	  "",
	  EHLO MAIL RCPT QUIT },
	{ { "220\n", "250-mx\n250-starttls\n250 x\n", "250\n", "250\n", "500 no\n" },
	  true,
	  true,
	  "",
	  EHLO MAIL RCPT QUIT },
	{ { "220 mx\r\n", FINE, "250 ok\r\n", "250 ok\r\n221 too soon\r\n" },
	  true,
	  true,
	  "",
	  EHLO MAIL RCPT QUIT },
	{ { "554 5.7.1 not \x1b[2J you\r\n", "221 bye\r\n" },
	  false,
	  false,
	  "greeting: 554 5.7.1 not ?[2J you",
	  QUIT },
	{ { "421 busy\r\n" }, false, false, "greeting: 421 busy", QUIT },
	{ { "220 mx\r\n", "502 what\r\n", "221\r\n" }, false, false, "EHLO: 502 what", EHLO QUIT },
	{ { "220 mx\r\n", FINE, "451 later\r\n" },
	  false,
	  true,
	  "MAIL FROM: 451 later",
	  EHLO MAIL QUIT },
	{ { "220 mx\r\n", FINE, "250 ok\r\n", "550-no\r\n550 such user\r\n" },
	  false,
	  true,
	  "RCPT TO: 550 such user",
	  EHLO MAIL RCPT QUIT },
	{ { "220 mx\r\n", FINE, "250 ok\r\n", "252 who knows\r\n" },
	  false,
	  true,
	  "RCPT TO: 252 who knows",
	  EHLO MAIL RCPT QUIT },
	{ { "" }, false, false, "greeting: gone", "" },
	{ { "220 mx\r\n", "" }, false, false, "EHLO: gone", EHLO },
	{ { "220 mx\r\n", "250-mx\r\n" }, false, false, "EHLO: gone", EHLO },
	{ { "220 mx\r\n250 mx\r\n" },
	  false,
	  false,
	  "EHLO: there is an answer before the command",
	  "" },
	{ { "SSH-2.0-OpenSSH\r\n" }, false, false, "greeting: the answer is no SMTP reply", "" },
	{ { "22\r\n" }, false, false, "greeting: the answer is no SMTP reply", "" },
	{ { "\r\n" }, false, false, "greeting: the answer is no SMTP reply", "" },
	{ { "2200 x\r\n" }, false, false, "greeting: the answer is no SMTP reply", "" },
	{ { "120 x\r\n" }, false, false, "greeting: the answer is no SMTP reply", "" },
	{ { "999 x\r\n" }, false, false, "greeting: the answer is no SMTP reply", "" },
	{ { "220 mx\r\n", "250-a\r\n220 b\r\n" },
	  false,
	  false,
	  "EHLO: the answer is no SMTP reply",
	  EHLO },
};

/* Hands over what the host says in pieces of so many octets; returns what we said, in all. */
static void play(struct talk *talk, const char *const *hears, size_t piece, char *said)
{
	size_t used = 0;

	*said = '\0';
	for (size_t turn = 0; turn < TURNS_MAX && hears[turn] && !talk->over; turn++) {
		const char *text = hears[turn];

		for (size_t at = 0, all = strlen(text); at < all; at += piece)
			talk_hear(talk, text + at, all - at < piece ? all - at : piece);
		used += (size_t)snprintf(said + used, SAID_MAX - used, "%s", talk->say);
		talk->say[0] = '\0';
	}
	talk_end(talk, "gone");
}

static void dialogues(void **state)
{
	static const size_t pieces[] = { 1000, 1, 7 };
	char said[SAID_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(talks) * COUNT(pieces); i++) {
		const size_t row = i / COUNT(pieces);
		struct talk talk = { .works = false };

		talk_begin(&talk, "a.example", "us.example");
		play(&talk, talks[row].hears, pieces[i % COUNT(pieces)], said);
		if (strcmp(talk.reason, talks[row].reason) || strcmp(said, talks[row].said))
			fail_msg("row %zu: %s; %s", row, talk.reason, said);
		assert_int_equal(talk.works, talks[row].works);
		assert_int_equal(talk.starttls, talks[row].starttls);
		assert_true(talk.over);
	}
}

static void what_is_kept(void **state)
{
	struct talk talk = { .works = false };
	char said[SAID_MAX];

	(void)state;
	talk_begin(&talk, "a.example", "us.example");
	play(&talk, talks[0].hears, 1000, said);
	assert_int_equal(talk.reply[TALK_CONNECT].code, 0);
	assert_int_equal(talk.reply[TALK_GREETING].code, 220);
	assert_string_equal(talk.reply[TALK_GREETING].text, "mx ESMTP");
	assert_string_equal(talk.reply[TALK_EHLO].text, "HELP");
	assert_int_equal(talk.reply[TALK_QUIT].code, 221);
}

static void lines_without_end(void **state)
{
	struct talk talk = { .works = false };

	(void)state;
	talk_begin(&talk, "a.example", "us.example");
	for (size_t i = 0; i < TALK_LINE_MAX; i++)
		talk_hear(&talk, "2", 1);
	assert_false(talk.over);
	talk_hear(&talk, "2", 1);
	assert_true(talk.over);
	assert_string_equal(talk.reason, "greeting: the line does not end");
	talk_hear(&talk, "2", 1);
	talk_end(&talk, "something else");
	assert_string_equal(talk.reason, "greeting: the line does not end");

	talk = (struct talk){ .works = false };
	talk_begin(&talk, "a.example", "us.example");
	for (size_t i = 0; i < TALK_LINES_MAX; i++) {
		assert_false(talk.over);
		talk_hear(&talk, "220-x\r\n", strlen("220-x\r\n"));
	}
	assert_string_equal(talk.reason, "greeting: the reply does not end");
	assert_string_equal(talk.say, "");
}

/* Hosts "a.t", "b.t" and so on: the last octet of each one's address, 0 for a trouble. */
static const struct {
	enum mx_kind kind;
	uint32_t address[4];
	bool works[4];
	enum mx_trouble trouble[4];
	size_t hosts;
	enum mx_verdict verdict;
	const char *reason;
} verdicts[] = {
	{ MX_NULL, { 0 }, { false }, { MX_FINE }, 0, MX_FAULT, "takes no mail" },
	{ MX_MISSING, { 0 }, { false }, { MX_FINE }, 0, MX_FAULT, "no such domain" },
	{ MX_TEMPORARY, { 0 }, { false }, { MX_FINE }, 0, MX_OPEN, "could not tell" },
	{ MX_IMPLICIT, { 1 }, { true }, { MX_FINE }, 1, MX_FAULT, "has no MX" },
	{ MX_LISTED, { 0 }, { false }, { MX_FINE }, 0, MX_FAULT, "can be read" },
	{ MX_LISTED, { 1 }, { true }, { MX_FINE }, 1, MX_FAULT, "only one MX host" },
	{ MX_LISTED,
	  { 1, 0x101 },
	  { true, true },
	  { MX_FINE },
	  2,
	  MX_GOOD,
	  "2 MX hosts work, in different networks" },
	{ MX_LISTED,
	  { 1, 2 },
	  { true, true },
	  { MX_FINE },
	  2,
	  MX_GOOD,
	  "2 MX hosts work, but in one network" },
	{ MX_LISTED, { 1, 1 }, { true, true }, { MX_FINE }, 2, MX_FAULT, "address in common" },
	{ MX_LISTED,
	  { 1, 2 },
	  { true, false },
	  { MX_FINE },
	  2,
	  MX_FAULT,
	  "1 of 2 MX hosts works; b.t: RCPT TO: gone" },
	{ MX_LISTED,
	  { 1, 2 },
	  { false, false },
	  { MX_FINE },
	  2,
	  MX_FAULT,
	  "0 of 2 MX hosts work; a.t: RCPT TO: gone" },
	{ MX_LISTED,
	  { 1, 0 },
	  { true, false },
	  { MX_FINE, MX_UNKNOWN },
	  2,
	  MX_OPEN,
	  "b.t: the DNS could not tell the addresses" },
	{ MX_LISTED,
	  { 0, 2, 0 },
	  { false, false, false },
	  { MX_UNKNOWN, MX_FINE, MX_NO_ADDRESS },
	  3,
	  MX_FAULT,
	  "0 of 3 MX hosts work; a.t: the DNS" },
	{ MX_LISTED,
	  { 1, 0x101, 0 },
	  { true, true, false },
	  { MX_FINE, MX_FINE, MX_UNKNOWN },
	  3,
	  MX_GOOD,
	  "2 MX hosts work" },
	{ MX_LISTED,
	  { 0, 2 },
	  { false, true },
	  { MX_BAD_NAME },
	  2,
	  MX_FAULT,
	  "a.t: the MX is not the name of a host" },
};

static void make_result(size_t row, struct mx_result *out)
{
	memset(out, 0, sizeof(*out));
	out->kind = verdicts[row].kind;
	out->hosts = verdicts[row].hosts;
	for (size_t i = 0; i < out->hosts; i++) {
		struct mx_host *host = &out->host[i];

		snprintf(host->name, sizeof(host->name), "%c.t", (char)('a' + i));
		host->trouble = verdicts[row].trouble[i];
		host->addresses = verdicts[row].address[i] != 0;
		host->address[0].addr = addr_from_ipv4(0xc0000200u + verdicts[row].address[i]);
		host->address[0].works = verdicts[row].works[i];
	}
}

static void what_is_said_of_a_domain(void **state)
{
	const struct talk talk = { .reason = "RCPT TO: gone" };
	struct mx_result result;
	struct mx_check check = { .domain = "a.example", .result = &result };
	char reason[MX_REASON_MAX];

	(void)state;
	for (size_t i = 0; i < MX_HOSTS_MAX; i++)
		for (size_t k = 0; k < MX_ADDRESSES_MAX; k++)
			check.talk[i][k] = &talk;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		enum mx_verdict verdict;

		make_result(i, &result);
		verdict = mx_judge(&check, reason);
		if (verdict != verdicts[i].verdict || !strstr(reason, verdicts[i].reason))
			fail_msg("row %zu: %d, %s", i, verdict, reason);
		assert_null(strchr(reason, '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialogues),
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(lines_without_end),
		cmocka_unit_test(what_is_said_of_a_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
