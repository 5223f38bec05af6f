/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/cmd_data.c - DATA (RFC 5321 4.1.1.4).
 */
#include "session/smtp/internal.h"

bool has_recipients(struct session *session)
{
	const struct smtp_mail *mail = session->mail;

	if (mail && mail->accepted)
		return true;
	if (!mail)
		reply(session, 503, "5.5.1", "say MAIL first");
	else if (!mail->recipients)
		reply(session, 503, "5.5.1", "say RCPT first");
	else
		reply(session, 554, "5.5.1", "there is no recipient");
	return false;
}

void cmd_data(struct session *session, char *argument)
{
	(void)argument;
	if (!has_recipients(session))
		return;
	if (session->mail->started) { /* RFC 3030 2 */
		reply(session, 503, "5.5.1", "the message has begun with BDAT");
		return;
	}
	if (!delivery_begin(session, false)) {
		reply(session, 452, "4.3.1", "no room at the moment, try again later");
		return;
	}
	reply_line(session, 354, false, "go on, and end with a line that has a dot alone");
	session_enter(session, SESSION_DATA);
}

bool data_input(struct session *session)
{
	size_t size;
	const uint8_t *input = stream_input(session->stream, &size);

	if (!size)
		return false;
	delivery_feed(session, input, size);
	if (session->stream && session->mail->data.ended)
		delivery_end(session);
	return session->stream != NULL;
}
