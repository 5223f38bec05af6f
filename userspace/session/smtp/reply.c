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
#define CODE_CHARS     4 /* with what follows it */

_Static_assert(CODE_CHARS + ENHANCED_MAX + REPLY_SAID_MAX + 2 <= REPLY_LINE_MAX,
	       "a line has room for the longest of each");

void reply_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void put(struct session *session, const char *line, size_t length)
{
	if (!session->stream)
		return;
	if (!session->mail || !mail_hold_reply(session->mail, line, length))
		stream_write(session->stream, line, length);
}

static void count_error(struct session *session, unsigned int code)
{
	if (code >= 500 && session->errors < UINT16_MAX)
		session->errors++;
	if (code / 100 == 4 && session->mail)
		session->mail->put_off++;
}

/* The code, what follows it (' ' or '-'), the enhanced code if there is one, and the text. */
__attribute__((format(printf, 5, 0))) static void put_line(struct session *session,
							   unsigned int code, char follows,
							   const char *enhanced, const char *format,
							   va_list args)
{
	char line[REPLY_LINE_MAX + 1] = { (char)('0' + code / 100), (char)('0' + code / 10 % 10),
					  (char)('0' + code % 10), follows };
	size_t used = CODE_CHARS;

	if (enhanced) {
		used += strlen(enhanced) + 1;
		memcpy(line + CODE_CHARS, enhanced, used - CODE_CHARS - 1);
		line[used - 1] = ' ';
	}
	vsnprintf(line + used, REPLY_SAID_MAX, format, args);
	reply_clean(line + used);
	used += strlen(line + used);
	memcpy(line + used, "\r\n", 2);
	put(session, line, used + 2);
}

__attribute__((format(printf, 4, 0))) static void say(struct session *session, unsigned int code,
						      const char *enhanced, const char *format,
						      va_list args)
{
	count_error(session, code);
	put_line(session, code, ' ', enhanced, format, args);
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
	va_list args;

	va_start(args, format);
	put_line(session, code, more ? '-' : ' ', NULL, format, args);
	va_end(args);
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
