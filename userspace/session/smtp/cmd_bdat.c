/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/cmd_bdat.c - BDAT (RFC 3030): chunks of a message, counted octet by octet.
 *
 * The octets of a chunk follow its command at once, also where it is refused: they are taken off,
 * so that none of them is ever read as a command. Where it is not known how many they are, nothing
 * can be read any more.
 */
#include <string.h>

#include "session/smtp/internal.h"

#define DIGITS_MAX 18 /* of a size that fits 64 bits */

/* "SIZE" or "SIZE LAST". */
static bool parse(const char *text, uint64_t *size, bool *last)
{
	const size_t digits = strspn(text, "0123456789");

	if (!digits || digits > DIGITS_MAX)
		return false;
	*size = 0;
	for (size_t i = 0; i < digits; i++)
		*size = *size * 10 + (uint64_t)(text[i] - '0');
	text += digits;
	*last = *text != '\0';
	return !*last || !strcasecmp(text, " LAST");
}

/* Whether the chunk is part of a message; else the client has been told, or will be at its end. */
static bool is_wanted(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	if (!mail || !mail->accepted)
		return false;
	if (mail->started)
		return true;
	return delivery_begin(session, true);
}

void cmd_bdat(struct session *session, char *argument)
{
	if (!parse(argument, &session->chunk, &session->chunk_last)) {
		reply_and_end(session, 501, "5.5.4", "say BDAT, how many octets, and LAST or not");
		return;
	}
	session->chunk_size = session->chunk;
	session->chunk_wanted = is_wanted(session);
	session_enter(session, SESSION_CHUNK);
}

static void end_unwanted(struct session *session)
{
	session_enter(session, SESSION_COMMAND);
	if (has_recipients(session))
		reply(session, 452, "4.3.1", "no room at the moment, try again later");
	if (session->chunk_last)
		mail_end(session);
}

static void end_chunk(struct session *session)
{
	if (!session->chunk_wanted) {
		end_unwanted(session);
	} else if (session->chunk_last) {
		data_finish(&session->mail->data);
		delivery_end(session);
	} else {
		session_enter(session, SESSION_COMMAND);
		if (!delivery_refuse(session))
			reply(session, 250, "2.0.0", "%llu octets taken",
			      (unsigned long long)session->chunk_size);
	}
}

bool chunk_input(struct session *session)
{
	size_t size;
	const uint8_t *input = stream_input(session->stream, &size);

	if (!session->chunk) {
		end_chunk(session);
		return true;
	}
	if (!size)
		return false;
	if (size > session->chunk)
		size = (size_t)session->chunk;
	session->chunk -= size;
	if (session->chunk_wanted) {
		delivery_feed(session, input, size);
	} else {
		stream_take(session->stream, size);
		service_set_deadline(session, DEADLINE_DATA);
	}
	return session->stream != NULL;
}
