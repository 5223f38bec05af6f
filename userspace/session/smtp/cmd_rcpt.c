/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/cmd_rcpt.c - RCPT (RFC 5321 4.1.1.3; DSN: RFC 3461).
 *
 * First whether we take mail for it at all, then what speaks against client and sender, then what
 * the backend says. So nobody learns whom there is by asking us about others' mail, and nobody who
 * is refused costs the backend anything.
 */
#include <stdlib.h>
#include <string.h>

#include "session/smtp/internal.h"

static bool is_dsn(const char *name)
{
	return !strcasecmp(name, "NOTIFY") || !strcasecmp(name, "ORCPT");
}

static bool take_parameters(struct session *session, const struct path_line *line)
{
	const bool dsn = session->esmtp && session->offered & BACKEND_DSN;

	for (size_t i = 0; i < line->count; i++) {
		if (dsn && is_dsn(line->parameter[i].name))
			continue;
		reply(session, 555, "5.5.4", "this parameter was not offered");
		return false;
	}
	return true;
}

static bool is_ours(struct session *session, enum relay_answer answer, const char *to)
{
	switch (answer) {
	case RELAY_DENIED:
		record_refusal(session, SMTP_REFUSED_RELAY, to);
		reply_refusal(session, 550, "5.7.1", "we do not send mail on for you");
		return false;
	case RELAY_UNKNOWN:
		record_refusal(session, SMTP_REFUSED_RECIPIENT, to);
		reply_refusal(session, 550, "5.1.1", "there is no such recipient");
		return false;
	default:
		return true;
	}
}

static void finish(struct session *session)
{
	recipient_free(&session->mail->to);
	session_resume(session);
}

/* The first is told of in the log; all of them, who looks at the content. */
static void keep(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	mail->accepted++;
	if (mail->accepted > 1 && !service_parts(session->service)->checkers)
		return;
	mail->to->to[mail->to->length] = '\0';
	STAILQ_INSERT_TAIL(&mail->taken, mail->to, order);
	mail->to = NULL;
}

void rcpt_answered(struct session *session, const struct backend_reply *said)
{
	if (said->code / 100 == 2)
		keep(session);
	else if (said->code / 100 == 5)
		record_refusal(session, SMTP_REFUSED_RECIPIENT, said->text);
	reply_backend(session, said);
	finish(session);
}

static const enum smtp_refusal why[CHECK_COUNT] = {
	[CHECK_CLIENT] = SMTP_REFUSED_REPUTATION, [CHECK_RDNS] = SMTP_REFUSED_RDNS,
	[CHECK_HELO] = SMTP_REFUSED_HELO,         [CHECK_LISTED] = SMTP_REFUSED_REPUTATION,
	[CHECK_SPF] = SMTP_REFUSED_SPF,           [CHECK_SPF_TEMPORARY] = SMTP_REFUSED_SPF,
	[CHECK_NULL_MX] = SMTP_REFUSED_SENDER,    [CHECK_SENDER] = SMTP_REFUSED_SENDER,
	[CHECK_SCORE] = SMTP_REFUSED_REPUTATION,
};

/* What SPF has to say for itself. */
static const char *explanation(const struct smtp_mail *mail)
{
	const struct spf_verdict *spf = mail->spf ? spf_verdict(mail->spf) : NULL;

	return mail->ruling.check == CHECK_SPF && spf ? spf->explanation : NULL;
}

static void hand_on(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	if (backend_mail_rcpt(mail->backend, mail->to->to))
		return;
	reply(session, 451, "4.3.0", "out of memory, try again later");
	finish(session);
}

/* What was found out is complete. */
static void decide(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	if (!mail->judged) {
		mail->ruling = ruling_of_mail(session);
		mail->judged = true;
	}
	if (!ruling_refuses(&mail->ruling)) {
		hand_on(session);
		return;
	}
	record_ruling(session, mail->ruling.action, why[mail->ruling.check], mail->to->to);
	reply_ruling(session, &mail->ruling, explanation(mail));
	finish(session);
}

static bool take(struct session *session, char *argument, bool *special)
{
	struct smtp_mail *mail = session->mail;
	struct path_line line;
	enum relay_answer answer;
	struct error err;

	if (path_parse(argument, strlen(argument), mail->utf8, &line, &err)) {
		reply(session, 501, "5.5.2", "%s", err.text);
		return false;
	}
	if (!take_parameters(session, &line))
		return false;
	answer = relay_recipient(session->rules->relay, &session->peer,
				 session->user ? session->user : "", &line.path);
	if (!is_ours(session, answer, line.path.text))
		return false;
	*special = answer == RELAY_SPECIAL;
	mail->to = recipient_new(&line);
	if (!mail->to)
		reply(session, 451, "4.3.0", "out of memory, try again later");
	return mail->to;
}

void cmd_rcpt(struct session *session, char *argument)
{
	struct smtp_mail *mail = session->mail;
	bool special;

	if (strncasecmp(argument, "TO:", 3) != 0) {
		reply(session, 501, "5.5.2", "say RCPT TO:<address>");
		return;
	}
	if (mail->started) {
		reply(session, 503, "5.5.1", "the message has begun");
		return;
	}
	if (mail->accepted >= session->rules->conf->smtp.recipients_max) {
		reply(session, 452, "4.5.3", "too many recipients");
		return;
	}
	if (!take(session, argument + 3, &special))
		return;
	mail->recipients++;
	session_enter(session, SESSION_WAIT);
	if (special) /* RFC 5321 4.5.1: whatever is known of the sender */
		hand_on(session);
	else
		checks_await(session, decide);
}
