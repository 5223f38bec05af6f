/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tools/ctl_check_talk.c - see tools/ctl_check_talk.h.
 *
 * Each step waits for one reply, and says what is in the table for the next one. A host that
 * answers otherwise is told QUIT, and the reason is kept; its answer to QUIT changes nothing.
 */
#include "tools/ctl_check_talk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/text.h"

#define CODE_DIGITS 3u

enum word { WORD_NONE, WORD_NAME, WORD_DOMAIN };

static const struct {
	const char *name;
	unsigned int wanted, also; /* codes that go on */
	const char *say;           /* then, with a word behind it, and the rest */
	enum word word;
	const char *rest;
} steps[TALK_STEPS] = {
	[TALK_CONNECT] = { .name = "connect" },
	[TALK_GREETING] = { "greeting", 220, 220, "EHLO ", WORD_NAME, "" },
	[TALK_EHLO] = { "EHLO", 250, 250, "MAIL FROM:<>", WORD_NONE, "" },
	[TALK_MAIL] = { "MAIL FROM", 250, 250, "RCPT TO:<postmaster@", WORD_DOMAIN, ">" },
	[TALK_RCPT] = { "RCPT TO", 250, 251, "QUIT", WORD_NONE, "" },
	[TALK_QUIT] = { .name = "QUIT" },
};

const char *talk_step_name(enum talk_step step)
{
	return steps[step].name;
}

void talk_begin(struct talk *talk, const char *domain, const char *name)
{
	talk->domain = domain;
	talk->step = TALK_GREETING;
	snprintf(talk->name, sizeof(talk->name), "%s", name);
}

/* The first reason counts. */
__attribute__((format(printf, 2, 3))) static void blame(struct talk *talk, const char *fmt, ...)
{
	char text[TALK_REASON_MAX];
	va_list args;

	if (talk->works || *talk->reason)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_clean(talk->reason, sizeof(talk->reason), text, strlen(text));
}

void talk_end(struct talk *talk, const char *what)
{
	if (talk->over)
		return;
	blame(talk, "%s: %s", steps[talk->step].name, what);
	talk->over = true;
}

static void say_quit(struct talk *talk)
{
	talk->step = TALK_QUIT;
	snprintf(talk->say, sizeof(talk->say), "QUIT\r\n");
}

/* What no SMTP server says: nothing more is said to it. */
static void give_up(struct talk *talk, const char *what)
{
	talk_end(talk, what);
	talk->say[0] = '\0';
}

static void say_next(struct talk *talk)
{
	const char *const words[] = {
		[WORD_NONE] = "",
		[WORD_NAME] = talk->name,
		[WORD_DOMAIN] = talk->domain,
	};

	snprintf(talk->say, sizeof(talk->say), "%s%s%s\r\n", steps[talk->step].say,
		 words[steps[talk->step].word], steps[talk->step].rest);
	talk->works = talk->step == TALK_RCPT;
	talk->step++;
}

static void reply_is_complete(struct talk *talk)
{
	const struct talk_reply *reply = &talk->reply[talk->step];

	if (talk->step == TALK_QUIT) {
		talk->over = true;
	} else if (reply->code == steps[talk->step].wanted ||
		   reply->code == steps[talk->step].also) {
		say_next(talk);
	} else {
		blame(talk, "%s: %u %s", steps[talk->step].name, reply->code, reply->text);
		say_quit(talk);
	}
}

/* The code of a line, or 0 (RFC 5321 4.2: a digit from 2 to 5, and two more). */
static unsigned int code_of(const char *line)
{
	unsigned int code = 0;

	for (size_t i = 0; i < CODE_DIGITS; i++) {
		if (line[i] < '0' || line[i] > '9')
			return 0;
		code = code * 10 + (unsigned int)(line[i] - '0');
	}
	return code >= 200 && code <= 599 ? code : 0;
}

static void take_line(struct talk *talk)
{
	struct talk_reply *reply = &talk->reply[talk->step];
	const unsigned int code = code_of(talk->line);
	const char *rest = talk->line + CODE_DIGITS;

	if (!code || (*rest && *rest != ' ' && *rest != '-') ||
	    (talk->code && code != talk->code)) {
		give_up(talk, "the answer is no SMTP reply");
		return;
	}
	talk->code = *rest == '-' ? code : 0;
	reply->code = code;
	rest += *rest != '\0';
	text_clean(reply->text, sizeof(reply->text), rest, strlen(rest));
	if (talk->step == TALK_EHLO && strcasecmp(rest, "STARTTLS") == 0)
		talk->starttls = true;
	if (talk->code && ++talk->lines == TALK_LINES_MAX) {
		give_up(talk, "the reply does not end");
	} else if (!talk->code) {
		talk->lines = 0;
		reply_is_complete(talk);
	}
}

static void take_octet(struct talk *talk, char octet)
{
	if (octet != '\n') {
		if (talk->used == TALK_LINE_MAX) {
			give_up(talk, "the line does not end");
			return;
		}
		talk->line[talk->used++] = octet ? octet : '?';
		return;
	}
	if (talk->used && talk->line[talk->used - 1] == '\r')
		talk->used--;
	talk->line[talk->used] = '\0';
	talk->used = 0;
	take_line(talk);
}

/* A host that answers what it has not been asked yet is out of step with us for good. */
void talk_hear(struct talk *talk, const char *data, size_t size)
{
	for (size_t i = 0; i < size && !talk->over; i++) {
		if (*talk->say && talk->step == TALK_QUIT)
			return;
		if (*talk->say) {
			give_up(talk, "there is an answer before the command");
			return;
		}
		take_octet(talk, data[i]);
	}
}
