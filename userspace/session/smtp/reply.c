/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/reply.c - replies (RFC 5321 4.2, with enhanced status codes: RFC 2034, RFC 3463).
 *
 * A line has at most REPLY_LINE_MAX octets, and nothing in it but printable ASCII, whatever the
 * text was made of. An error of the client's counts where it is said, and so does what puts it off.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/lookup.h"
#include "session/smtp/internal.h"

#define REPLY_LINE_MAX 512 /* octets, with CR LF (RFC 5321 4.5.3.1.5) */
#define REPLY_SAID_MAX 480
#define ENHANCED_MAX   16

void reply_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void put(struct session *session, const char *line, int length)
{
	if (!session->stream || length <= 0)
		return;
	if (!session->mail || !mail_hold_reply(session->mail, line, (size_t)length))
		stream_write(session->stream, line, (size_t)length);
}

static void count_error(struct session *session, unsigned int code)
{
	if (code >= 500 && session->errors < UINT16_MAX)
		session->errors++;
	if (code / 100 == 4 && session->mail)
		session->mail->put_off++;
}

__attribute__((format(printf, 4, 0))) static void say(struct session *session, unsigned int code,
						      const char *enhanced, const char *format,
						      va_list args)
{
	char text[REPLY_SAID_MAX], line[REPLY_LINE_MAX + 1];

	vsnprintf(text, sizeof(text), format, args);
	reply_clean(text);
	count_error(session, code);
	put(session, line, snprintf(line, sizeof(line), "%03u %s %s\r\n", code, enhanced, text));
}

void reply(struct session *session, unsigned int code, const char *enhanced, const char *format,
	   ...)
{
	va_list args;

	va_start(args, format);
	say(session, code, enhanced, format, args);
	va_end(args);
}

void reply_and_end(struct session *session, unsigned int code, const char *enhanced,
		   const char *format, ...)
{
	va_list args;

	if (session->mail)
		session->mail->direct = true; /* whatever waits will not be said any more */
	va_start(args, format);
	say(session, code, enhanced, format, args);
	va_end(args);
	session_enter(session, SESSION_ENDED);
}

void reply_line(struct session *session, unsigned int code, bool more, const char *format, ...)
{
	char text[REPLY_SAID_MAX], line[REPLY_LINE_MAX + 1];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reply_clean(text);
	put(session, line,
	    snprintf(line, sizeof(line), "%03u%c%s\r\n", code, more ? '-' : ' ', text));
}

/* What a server said, line by line: printable, each with its enhanced status code. */
void reply_backend(struct session *session, const struct backend_reply *said)
{
	char text[BACKEND_REPLY_MAX];
	char *line = text, *next;

	memcpy(text, said->text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	do {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		reply_line(session, said->code, next != NULL, "%s", line);
		line = next;
	} while (line);
	count_error(session, said->code);
}

void reply_refusal(struct session *session, unsigned int code, const char *enhanced,
		   const char *text)
{
	char id[LOOKUP_ID_CHARS + 1];

	reply(session, code, enhanced, "%s (lookup id %s)", text,
	      lookup_id_format(session->id, id));
}

/* One row a check: what a sender is told when mail is refused, or is to come again. */
static const struct {
	uint16_t reject, defer;
	const char *detail; /* of the enhanced code, behind its class */
	const char *text;
} told[CHECK_COUNT] = {
	[CHECK_CLIENT] = { 554, 450, "7.1", "the reputation of your address is bad" },
	[CHECK_RDNS] = { 550, 450, "7.25", "your address has no confirmed host name" },
	[CHECK_HELO] = { 550, 450, "7.1", "your HELO name is not yours, or does not exist" },
	[CHECK_LISTED] = { 554, 450, "7.1", "the domain is on a list of bad ones" },
	[CHECK_SPF] = { 550, 450, "7.23", "SPF" },
	[CHECK_SPF_TEMPORARY] = { 451, 451, "7.24", "SPF: the DNS could not tell, try again" },
	[CHECK_NULL_MX] = { 550, 450, "7.27", "the sender's domain takes no mail (null MX)" },
	[CHECK_SENDER] = { 550, 450, "1.8", "the sender's domain does not exist in the DNS" },
	[CHECK_SCORE] = { 554, 450, "7.1", "too much speaks against this mail" },
	[CHECK_GREYLIST] = { 450, 450, "7.1", "greylisted" },
};

void reply_ruling(struct session *session, const struct ruling *ruling, const char *detail)
{
	const unsigned int code = ruling->action == CONF_CHECK_DEFER ? told[ruling->check].defer
								     : told[ruling->check].reject;
	char enhanced[ENHANCED_MAX], id[LOOKUP_ID_CHARS + 1];

	snprintf(enhanced, sizeof(enhanced), "%u.%s", code / 100, told[ruling->check].detail);
	reply(session, code, enhanced, "refused: %s%s%s (lookup id %s)", told[ruling->check].text,
	      detail && *detail ? ": " : "", detail ? detail : "",
	      lookup_id_format(session->id, id));
}
