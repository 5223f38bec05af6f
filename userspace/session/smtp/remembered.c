/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/remembered.c - recipients of our domains that a backend has said it does not know
 * (session/smtp/unknowns.h), at RCPT.
 *
 * Strangers alone are answered from memory: who is trusted asks the backend, and what he hears
 * there is news for all. postmaster and abuse are not remembered, because they are always taken;
 * nor is anybody of other domains, for whom strangers cannot ask. That a recipient is known need
 * not be: the transaction is open at the backend then, and has to name him there anyway.
 */
#define _GNU_SOURCE /* strcasestr() */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "session/smtp/internal.h"

static struct unknowns_key key_of(const struct smtp_recipient *to)
{
	return (struct unknowns_key){ to->to, to->length };
}

static bool names(const char *text, const char *name)
{
	return name && *name && strcasestr(text, name);
}

/* As the server got it: with the quotes of its local part. */
static const char *sender_text(const struct path *from, char out[PATH_TEXT_MAX])
{
	const size_t length = strlen(from->text);

	out[0] = '\0';
	if (!from->null && length > 2)
		snprintf(out, PATH_TEXT_MAX, "%.*s", (int)(length - 2), from->text + 1);
	return out;
}

/* Some servers put into a refusal whom they tell it to, in small letters or as they were told:
 * that is not for others. */
static bool is_personal(const struct session *session, const char *text)
{
	char address[PREFIX_TEXT_MAX], from[PATH_TEXT_MAX];

	return names(text, addr_format(&session->peer, address)) || names(text, session->helo) ||
	       names(text, session->host) || names(text, session->user) ||
	       names(text, mail_address(&session->mail->from, from)) ||
	       names(text, sender_text(&session->mail->from, from));
}

void remember(struct session *session, const struct smtp_recipient *to,
	      const struct backend_reply *said)
{
	struct unknowns *unknowns = service_parts(session->service)->unknowns;
	const struct unknowns_key key = key_of(to);

	if (!to->own)
		return;
	if (said->code / 100 == 2)
		unknowns_forget(unknowns, &key);
	else if (unknowns_is_certain(said))
		unknowns_note(unknowns, &session->rules->unknowns, &key,
			      is_personal(session, said->text) ? "" : said->text);
}

bool remembered(struct session *session, const struct smtp_recipient *to,
		struct unknowns_answer *out)
{
	const struct unknowns_key key = key_of(to);

	return to->own && session_is_stranger(session) &&
	       unknowns_find(service_parts(session->service)->unknowns, &session->rules->unknowns,
			     &key, out);
}

const char *remembered_text(const struct unknowns_answer *answer, char out[REMEMBERED_TEXT_MAX])
{
	snprintf(out, REMEMBERED_TEXT_MAX,
		 "remembered from the backend, %" PRIu32 " seconds ago%s%s", answer->seconds,
		 answer->reply.text[0] ? ": " : "", answer->reply.text);
	return out;
}
