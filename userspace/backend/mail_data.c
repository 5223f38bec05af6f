/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/mail_data.c - see backend/mail.h: handing the message over (RFC 5321 4.1.1.4, 4.5.2).
 *
 * It is read from the spool as fast as the server takes it. Up to the final dot the server can fail
 * and another one gets the whole message; afterwards only the server knows.
 */
#include "backend/mail.h"

#include <string.h>

const struct backend_reply mail_cannot_read = {
	.code = 451, .lost = true, .text = "4.3.0 the message could not be read, try again later"
};
static const struct backend_reply unknown = {
	.code = 451,
	.lost = true,
	.text = "4.4.2 the connection was lost, what became of the message is not known"
};
static const struct backend_reply shut_down = {
	.code = 451, .lost = true, .text = "4.3.2 the mail server is closing down, try again later"
};

/*
 * A dot at the start of a line is said twice. Where a line starts is taken widely, as a server
 * might: there is no bare CR or LF in what the gateway takes, but here it would end the message.
 */
static bool write_stuffed(struct backend_mail *mail, const uint8_t *data, size_t size)
{
	const uint8_t *begin = data, *end = data + size, *at = data;
	bool sent = true;

	while (sent && (at = memchr(at, '.', (size_t)(end - at)))) {
		const uint8_t before = at > data ? at[-1] : mail->on.last;

		if (before == '\n' || before == '\r') {
			sent = dialogue_write(mail->dialogue, begin, (size_t)(at - begin)) &&
			       dialogue_write(mail->dialogue, ".", 1);
			begin = at;
		}
		at++;
	}
	mail->on.last = end[-1];
	return sent && dialogue_write(mail->dialogue, begin, (size_t)(end - begin));
}

/* What cannot be sent any more has not ended anything. */
static void write_end(struct backend_mail *mail)
{
	const bool open = mail->on.last != '\n';

	if (!dialogue_write(mail->dialogue, open ? "\r\n.\r\n" : ".\r\n", open ? 5 : 3))
		return;
	mail->on.data = MAIL_DATA_DOT;
	dialogue_expect(mail->dialogue, DIALOGUE_DOT_S);
}

static void give_up(struct backend_mail *mail, const struct backend_reply *reply)
{
	dialogue_close(&mail->dialogue);
	mail_finish(mail, reply);
}

void mail_data_stream(struct backend_mail *mail)
{
	struct stream *stream = mail->dialogue->stream;
	const uint8_t *data;
	struct error err;
	int size = 1;

	dialogue_expect(mail->dialogue, DIALOGUE_BLOCK_S);
	while (size > 0 && stream_queued(stream) < MAIL_QUEUE_MAX) {
		size = spool_read(mail->message, mail->on.offset, &data, &err);
		if (size > 0 && !write_stuffed(mail, data, (size_t)size))
			return;
		mail->on.offset += size > 0 ? (uint64_t)size : 0;
	}
	if (size < 0)
		give_up(mail, &mail_cannot_read);
	else if (size == 0)
		write_end(mail);
}

/* An answer is owed from now on, and may come before the end. */
static void begin(struct backend_mail *mail)
{
	mail->on.data = MAIL_DATA_STREAM;
	mail->dialogue->pending++;
	mail_data_stream(mail);
}

static void finish(struct backend_mail *mail, const struct backend_reply *reply)
{
	health_proved(mail->server);
	mail->on.begun = mail->on.data == MAIL_DATA_ASKED;
	pool_put(&mail->dialogue, mail->on.begun);
	mail->on.begun = false;
	mail_finish(mail, reply);
}

void mail_data_ambiguous(struct backend_mail *mail, const struct backend_reply *said)
{
	if (!said)
		backend_count(&mail->server->count.ambiguous, 1);
	mail_finish(mail, said ? &shut_down : &unknown);
}

/* A server that has taken what was not at its end may have delivered it. */
static void answer_early(struct backend_mail *mail, const struct backend_reply *reply)
{
	if (reply->code >= 400) {
		give_up(mail, reply);
		return;
	}
	dialogue_close(&mail->dialogue);
	mail_data_ambiguous(mail, NULL);
}

void mail_data_answer(struct backend_mail *mail, const struct backend_reply *reply)
{
	const uint16_t code = reply->code;

	switch (mail->on.data) {
	case MAIL_DATA_ASKED:
		if (code == 354)
			begin(mail);
		else if (code >= 400)
			finish(mail, reply);
		else
			mail_broken(mail, "does not ask for the message after DATA");
		break;
	case MAIL_DATA_STREAM:
		answer_early(mail, reply);
		break;
	case MAIL_DATA_DOT:
		if (code / 100 == 3)
			mail_broken(mail, "asks for more after the end of the message");
		else
			finish(mail, reply);
		break;
	case MAIL_DATA_NONE:
		break;
	}
}
