/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of session/smtp/header: the fields of this hop word for word, hostile names in them, and
 * which fields of a sender's pass, in pieces of every size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/smtp/header.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OURS         "gate.example.net"

static struct header_hop hop_of(const char *ip)
{
	struct header_hop hop = {
		.hostname = OURS,
		.client_name = "mx.example.com",
		.helo = "helo.example.com",
		.esmtp = true,
		.tls_version = "",
		.tls_cipher = "",
		.id = "AB12CD",
		.recipient = "",
		.when = 1700000000,
		.findings = "",
	};

	assert_int_equal(addr_parse(ip, strlen(ip), &hop.client, NULL), 0);
	return hop;
}

static void assert_fields(const struct header_hop *hop, const char *expected)
{
	char out[HEADER_OWN_MAX];

	assert_int_equal(header_compose(hop, out), strlen(expected));
	assert_string_equal(out, expected);
}

static void received(void **state)
{
	struct header_hop hop = hop_of("192.0.2.1");

	(void)state;
	assert_fields(&hop, "Received: from helo.example.com\r\n"
			    "\t(mx.example.com [192.0.2.1])\r\n"
			    "\tby gate.example.net (Postern)\r\n"
			    "\twith ESMTP id AB12CD;\r\n"
			    "\tTue, 14 Nov 2023 22:13:20 +0000\r\n");
	hop = hop_of("2001:db8::1");
	hop.helo = "[IPv6:2001:db8::1]";
	hop.client_name = "";
	hop.authenticated = true;
	hop.tls_version = "TLSv1.3";
	hop.tls_cipher = "TLS_AES_256_GCM_SHA384";
	hop.recipient = "<a@b.example>";
	hop.when = 0;
	assert_fields(&hop, "Received: from [IPv6:2001:db8::1]\r\n"
			    "\t(unknown [IPv6:2001:db8::1])\r\n"
			    "\tby gate.example.net (Postern)\r\n"
			    "\twith ESMTPSA id AB12CD\r\n"
			    "\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384)\r\n"
			    "\tfor <a@b.example>;\r\n"
			    "\tThu, 1 Jan 1970 00:00:00 +0000\r\n");
}

static void protocols(void **state)
{
	static const struct {
		bool esmtp, tls, authenticated, utf8;
		const char *word;
	} rows[] = {
		{ false, false, false, false, "with SMTP id" },
		{ false, true, false, false, "with SMTP id" },
		{ true, false, false, false, "with ESMTP id" },
		{ true, true, false, false, "with ESMTPS id" },
		{ true, false, true, false, "with ESMTPA id" },
		{ true, true, true, false, "with ESMTPSA id" },
		{ true, false, false, true, "with UTF8SMTP id" },
		{ true, true, true, true, "with UTF8SMTPSA id" },
	};
	char out[HEADER_OWN_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct header_hop hop = hop_of("192.0.2.1");

		hop.esmtp = rows[i].esmtp;
		hop.authenticated = rows[i].authenticated;
		hop.utf8 = rows[i].utf8;
		hop.tls_version = rows[i].tls ? "TLSv1.2" : "";
		header_compose(&hop, out);
		if (!strstr(out, rows[i].word))
			fail_msg("%s: %s", rows[i].word, out);
	}
}

static void verdicts_and_findings(void **state)
{
	const struct spf_verdict verdict = { .result = SPF_PASS,
					     .domain = "example.com",
					     .explanation = "",
					     .problem = "",
					     .mechanism = "mx" };
	struct header_hop hop = hop_of("192.0.2.1");
	const struct spf_header spf = { .verdict = &verdict,
					.ip = hop.client,
					.helo = hop.helo,
					.from = "a@example.com",
					.receiver = OURS };
	char out[HEADER_OWN_MAX];
	const char *found;

	(void)state;
	hop.spf = &spf;
	hop.findings = "score=7 rdns-missing";
	header_compose(&hop, out);
	assert_int_equal(strncmp(out, "Authentication-Results: " OURS ";", 41), 0);
	found = strstr(out, "\r\nReceived-SPF: pass");
	assert_non_null(found);
	found = strstr(found, "\r\nX-Postern: score=7 rdns-missing\r\nReceived: from ");
	assert_non_null(found);
}

/* However long and whatever it is: every line starts a field or goes on with one, and is short. */
static void hostile_names_break_no_line(void **state)
{
	static const char *const rows[] = {
		"a\r\nX-Evil: 1", "a\nb",   "a\rb",     "a) by evil (",
		"a (b\\",         "\"a\"",  "a;b",      "\xff\xfe",
		"\xe2\x80\xa8",   "a b\tc", "\x01\x7f",
	};
	char out[HEADER_OWN_MAX], longest[4000];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i <= COUNT(rows); i++) {
		const char *text = i < COUNT(rows) ? rows[i] : longest;
		struct header_hop hop = hop_of("192.0.2.1");
		size_t len, lines = 0;

		hop.helo = hop.client_name = hop.id = hop.tls_version = hop.tls_cipher = text;
		hop.recipient = i < COUNT(rows) ? text : "";
		hop.findings = text;
		len = header_compose(&hop, out);
		assert_int_equal(len, strlen(out));
		for (char *at = out, *end; *at; at = end + 2, lines++) {
			end = strstr(at, "\r\n");
			assert_non_null(end);
			*end = '\0';
			assert_true(strlen(at) < 998);
			assert_null(strpbrk(at, "\r\n"));
			assert_true(!strncmp(at, "Received: from ", 15) ||
				    !strncmp(at, "X-Postern: ", 11) || at[0] == '\t');
		}
		assert_in_range(lines, 7, 8);
		assert_null(strstr(out, "\nX-Evil"));
	}
}

/* A recipient in UTF-8 is for headers in UTF-8. */
static void recipients_in_utf8(void **state)
{
	struct header_hop hop = hop_of("192.0.2.1");
	char out[HEADER_OWN_MAX];

	(void)state;
	hop.recipient = "<\xc3\xbc@b.example>";
	header_compose(&hop, out);
	assert_null(strstr(out, "for <"));
	hop.utf8 = true;
	header_compose(&hop, out);
	assert_non_null(strstr(out, "\tfor <\xc3\xbc@b.example>;\r\n"));
}

struct sunk {
	char *data;
	size_t len, size;
};

static bool sink(const void *data, size_t size, void *arg)
{
	struct sunk *sunk = arg;

	assert_true(size > 0);
	if (sunk->len + size > sunk->size)
		return false;
	memcpy(sunk->data + sunk->len, data, size);
	sunk->len += size;
	return true;
}

/* Runs a message through a filter in pieces of `piece` octets. */
static enum header_result filtered(const char *text, size_t len, size_t piece, struct sunk *sunk,
				   struct header_filter *filter)
{
	sunk->len = 0;
	header_filter_start(filter, OURS, sink, sunk);
	for (size_t at = 0; at < len; at += piece) {
		/* Memory of its own, so that a sanitizer sees who looks beyond it. */
		const size_t size = len - at < piece ? len - at : piece;
		char *copy = malloc(size);

		assert_non_null(copy);
		memcpy(copy, text + at, size);
		header_filter_feed(filter, copy, size);
		free(copy);
	}
	return header_filter_end(filter);
}

static void assert_filtered(const char *text, const char *expected, unsigned int removed)
{
	char data[4096];
	struct sunk sunk = { .data = data, .size = sizeof(data) };
	struct header_filter filter;
	const size_t len = strlen(text);

	for (size_t piece = 1; piece <= len; piece++) {
		assert_int_equal(filtered(text, len, piece, &sunk, &filter), HEADER_OK);
		if (sunk.len != strlen(expected) || memcmp(data, expected, sunk.len) != 0)
			fail_msg("%s: in pieces of %zu: %.*s", text, piece, (int)sunk.len, data);
		assert_int_equal(filter.removed, removed);
	}
}

#define AR "Authentication-Results"
static void what_passes(void **state)
{
	static const char *const rows[] = {
		"A: b\r\n\r\nbody\r\n",
		"A: b\r\n c\r\n\td\r\nE:f\r\n\r\n",
		"\r\nbody",
		"\r\n",
		"A: b\r\n",
		"A: b",
		"A",
		"A\r\n",
		"\r",
		"body without a header\r\n",
		" folded at once\r\nA: b\r\n\r\n",
		AR ": other.example; spf=pass\r\n\r\n",
		AR ": " OURS ".evil.example; spf=pass\r\n\r\n",
		AR ": x" OURS "; spf=pass\r\n\r\n",
		AR ": gate.example; spf=pass\r\n\r\n",
		AR ": other.example (" OURS "); spf=pass\r\n\r\n",
		AR ": other.example; spf=pass reason=\"" OURS "\"\r\n\t" OURS "\r\n\r\n",
		AR ":\r\n\tother.example;\r\n\tspf=pass\r\n\r\n",
		AR "-Original: " OURS "; spf=pass\r\n\r\n",
		"X-" AR ": " OURS "; spf=pass\r\n\r\n",
		"ARC-" AR ": i=1; " OURS "; spf=pass\r\n\r\n",
		AR " are here " OURS ": x\r\n\r\n",
		"Subject: " AR ": " OURS "\r\n\r\n",
		"Subject: x\r\n " AR ": " OURS "\r\n\r\n",
		"A: b\r\n\r\n" AR ": " OURS "; spf=pass\r\n",
		"X-Postern-Other: x\r\n\r\n",
		"\r\n\r\nX-Postern: x\r\n",
		"Received-SPF: pass\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_filtered(rows[i], rows[i], 0);
}

/* All of them are ours, or could be taken for ours; each stands between two fields. */
static void what_is_removed(void **state)
{
	static const char *const rows[] = {
		AR ": " OURS "; spf=pass\r\n",
		AR ":" OURS ";spf=pass\r\n",
		AR ": " OURS "\r\n",
		"authentication-results: GATE.Example.NET; spf=pass\r\n",
		AR " : " OURS "; spf=pass\r\n",
		AR "\t \t: " OURS "; spf=pass\r\n",
		AR ": " OURS " 1; spf=pass\r\n",
		AR ": " OURS ".; spf=pass\r\n",
		AR ":\r\n " OURS ";\r\n\tspf=pass\r\n\t; x\r\n",
		AR ":\r\n \r\n\t" OURS "; spf=pass\r\n",
		AR ": (comment) " OURS "; spf=pass\r\n",
		AR ": (a (b) c\\) \\( d) " OURS "; spf=pass\r\n",
		AR ": (a\r\n b)\r\n\t(c)" OURS "; spf=pass\r\n",
		AR ": (other.example)" OURS "(c); spf=pass\r\n",
		AR ": gate(c).example.net; spf=pass\r\n",
		AR ": \"" OURS "\"; spf=pass\r\n",
		AR ": \"gate.exam\\ple.net\"; spf=pass\r\n",
		AR ": \"" OURS "\"x; spf=pass\r\n",
		AR ": (c) \"" OURS "\" 1; spf=pass\r\n",
		AR ": " OURS "/1; spf=pass\r\n",
		AR ": " OURS "=x; spf=pass\r\n",
		/* Nobody's, and what has no end. */
		AR ": ; spf=pass " OURS "\r\n",
		AR ":\r\n",
		AR ": \"\"; spf=pass\r\n",
		AR ": (comment " OURS "; spf=pass\r\n",
		AR ": \"" OURS "; spf=pass\r\n",
		AR ": .; spf=pass\r\n",
		"X-Postern: score=-100\r\n",
		"x-postern :\r\n score=-100\r\n",
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "A: b\r\n%sC: d\r\n\r\nbody\r\n", rows[i]);
		assert_filtered(text, "A: b\r\nC: d\r\n\r\nbody\r\n", 1);
		snprintf(text, sizeof(text), "%s%s\r\nbody\r\n", rows[i], rows[i]);
		assert_filtered(text, "\r\nbody\r\n", 2);
		/* Behind a line that is no field it is a field still. */
		snprintf(text, sizeof(text), "no field\r\n%s\r\nbody\r\n", rows[i]);
		assert_filtered(text, "no field\r\n\r\nbody\r\n", 1);
		/* At the end of a message without a body. */
		assert_filtered(rows[i], "", 1);
	}
}

/* What is held has a limit, and what does not fit is not decided by the stranger. */
static void what_cannot_be_held(void **state)
{
	char text[3 * HEADER_HELD_MAX], blanks[2 * HEADER_HELD_MAX];

	(void)state;
	memset(blanks, ' ', sizeof(blanks) - 1);
	blanks[sizeof(blanks) - 1] = '\0';
	snprintf(text, sizeof(text), AR ":%s" OURS "; spf=pass\r\n\r\n", blanks);
	assert_filtered(text, "\r\n", 1);
	snprintf(text, sizeof(text), AR "%s: " OURS "; spf=pass\r\n\r\n", blanks);
	assert_filtered(text, "\r\n", 1);
	memset(blanks, 'x', sizeof(blanks) - 1);
	snprintf(text, sizeof(text), AR ": (%s) other.example; spf=pass\r\n\r\n", blanks);
	assert_filtered(text, "\r\n", 1);
	snprintf(text, sizeof(text), "%s: y\r\n\r\n", blanks);
	assert_filtered(text, text, 0);
	snprintf(text, sizeof(text), AR ": %.500s; spf=pass\r\n\r\n", blanks);
	assert_filtered(text, text, 0);
}

/* Names in U-labels are the names in A-labels. */
static void our_name_in_letters(void **state)
{
	char data[200];
	struct sunk sunk = { .data = data, .size = sizeof(data) };
	struct header_filter filter;
	static const char text[] = AR ": b\xc3\xbc"
				      "cher.example; spf=pass\r\n\r\n";

	(void)state;
	header_filter_start(&filter, "xn--bcher-kva.example", sink, &sunk);
	assert_int_equal(header_filter_feed(&filter, text, sizeof(text) - 1), HEADER_OK);
	assert_int_equal(header_filter_end(&filter), HEADER_OK);
	assert_int_equal(sunk.len, 2);
}

/* A message of `count` lines. */
static char *lines_of(const char *line, size_t count, const char *end, size_t *len)
{
	const size_t each = strlen(line);
	char *text = malloc(each * count + strlen(end) + 1);

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * each, line, each);
	memcpy(text + each * count, end, strlen(end) + 1);
	*len = each * count + strlen(end);
	return text;
}

static enum header_result result_of(const char *line, size_t count, const char *end, size_t room)
{
	struct sunk sunk = { .data = malloc(room), .size = room };
	struct header_filter filter;
	enum header_result result;
	size_t len;
	char *text = lines_of(line, count, end, &len);

	assert_non_null(sunk.data);
	result = filtered(text, len, 4000, &sunk, &filter);
	assert_true(result != HEADER_OK || sunk.len == len);
	free(text);
	free(sunk.data);
	return result;
}

static void limits(void **state)
{
	static const char line[] =
		"X-Long: 0123456789012345678901234567890123456789012345678901\r\n";
	const size_t fit = HEADER_BYTES_MAX / strlen(line), room = 4 * HEADER_BYTES_MAX;

	(void)state;
	assert_int_equal(result_of("Received: x\r\n", HEADER_HOPS_MAX - 1, "\r\n", room),
			 HEADER_OK);
	assert_int_equal(result_of("Received: x\r\n", HEADER_HOPS_MAX, "\r\n", room), HEADER_LOOP);
	assert_int_equal(result_of("received :\r\n x\r\n", HEADER_HOPS_MAX, "\r\n", room),
			 HEADER_LOOP);
	assert_int_equal(result_of("A: x\r\n\r\nReceived: x\r\n", HEADER_HOPS_MAX, "", room),
			 HEADER_OK);
	assert_int_equal(result_of(line, fit, "\r\nbody", room), HEADER_OK);
	assert_int_equal(result_of(line, fit + 1, "\r\nbody", room), HEADER_LARGE);
	/* The limit is for headers: neither for bodies, nor for a body without a header. */
	assert_int_equal(result_of(line, 1, "\r\n", room), HEADER_OK);
	assert_int_equal(result_of("just words, one after the other\r\n", 40000, "", room),
			 HEADER_OK);
	assert_int_equal(result_of(line, fit / 2, "\r\nbody", 1000), HEADER_FULL);
}

static void the_result_stays(void **state)
{
	char data[8];
	struct sunk sunk = { .data = data, .size = sizeof(data) };
	struct header_filter filter;

	(void)state;
	header_filter_start(&filter, OURS, sink, &sunk);
	assert_int_equal(header_filter_feed(&filter, "A: b\r\n", 6), HEADER_OK);
	assert_int_equal(header_filter_feed(&filter, "C: d\r\n", 6), HEADER_FULL);
	assert_int_equal(header_filter_feed(&filter, "\r\n", 2), HEADER_FULL);
	assert_int_equal(header_filter_end(&filter), HEADER_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(received),
		cmocka_unit_test(protocols),
		cmocka_unit_test(verdicts_and_findings),
		cmocka_unit_test(hostile_names_break_no_line),
		cmocka_unit_test(recipients_in_utf8),
		cmocka_unit_test(what_passes),
		cmocka_unit_test(what_is_removed),
		cmocka_unit_test(what_cannot_be_held),
		cmocka_unit_test(our_name_in_letters),
		cmocka_unit_test(limits),
		cmocka_unit_test(the_result_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
