/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/cmd_starttls.c - STARTTLS (RFC 3207), and TLS from the start (RFC 8314).
 *
 * "The server MUST discard any knowledge obtained from the client, such as the argument to the EHLO
 * command, which was not obtained from the TLS negotiation itself" (RFC 3207 4.2). And what came in
 * plain behind the command is never taken for something said inside TLS (CVE-2011-0411).
 */
#include <stdlib.h>

#include "session/smtp/internal.h"

static void forget(struct session *session)
{
	mail_end(session);
	checks_end(session);
	auth_forget(session);
	free(session->helo);
	free(session->user);
	free(session->host);
	session->helo = NULL;
	session->user = NULL;
	session->host = NULL;
	session->esmtp = false;
	session->findings = session->judged ? session->verdict.findings : 0;
	session->points = session->missing = 0;
}

bool tls_begin(struct session *session)
{
	struct error err;

	if (!session->rules->tls)
		return false;
	session_enter(session, SESSION_TLS);
	return !stream_start_tls(session->stream, session->rules->tls, NULL, &err);
}

void cmd_starttls(struct session *session, char *argument)
{
	size_t behind;

	(void)argument;
	if (session->secured) {
		reply(session, 503, "5.5.1", "this is TLS already");
		return;
	}
	if (!session->rules->tls) {
		reply(session, 502, "5.5.1", "there is no TLS here");
		return;
	}
	stream_input(session->stream, &behind);
	if (behind) {
		record_refusal(session, SMTP_REFUSED_EARLY, "STARTTLS");
		reply_and_end(session, 554, "5.5.0", "you did not wait for the answer to STARTTLS");
		return;
	}
	forget(session);
	reply(session, 220, "2.0.0", "go ahead");
	if (!tls_begin(session))
		session_enter(session, SESSION_ENDED);
}

void tls_secured(struct session *session)
{
	session->secured = true;
	stat_add(&service_stats(session->service)->tls_sessions, 1);
	if (session->kind == CONF_SERVICE_SUBMISSIONS)
		connect_secured(session);
	else
		session_enter(session, SESSION_COMMAND);
}
