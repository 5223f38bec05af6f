/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/cmd_rcpt.c - RCPT (RFC 5321 4.1.1.3; DSN: RFC 3461).
 *
 * First whether we take mail for it at all, then what speaks against client and sender, by what its
 * domain wants done about it, then what the backend says, or has said to others a short while ago
 * (remembered.c). So nobody learns whom there is by asking us about others' mail, and nobody who is
 * refused costs the backend anything. A stranger who has named too many unknown recipients learns
 * of none for a while: he may be trying addresses.
 *
 * The backend is told of recipients as they come, up to SESSION_GROUP_MAX before its first answer.
 * The client has his replies in the order of his commands (RFC 2920 3.2), so what is refused here
 * waits behind the recipients before it; and whatever is no recipient waits for all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "session/smtp/internal.h"

#define NO_SUCH_RECIPIENT "there is no such recipient"

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

static bool has_budget(const struct session *session)
{
	return !session_is_stranger(session) ||
	       admission_may_ask(service_parts(session->service)->admission, &session->peer,
				 session->rules->conf->smtp.unknown_recipients);
}

/* In monitor mode whoever has none left is told of, once in his session, and let go on. */
static bool may_ask(struct session *session)
{
	struct admission_rules rules;

	if (has_budget(session))
		return true;
	admission_rules(&rules);
	if (rules.monitor && !session->spared)
		record_admitted(session, SMTP_REFUSED_LIMIT, "unknown recipients");
	session->spared = rules.monitor;
	return rules.monitor;
}

static void note_unknown(struct session *session, const char *detail)
{
	record_refusal(session, SMTP_REFUSED_RECIPIENT, detail);
	if (session_is_stranger(session))
		admission_unknown(service_parts(session->service)->admission, &session->peer,
				  session->rules->conf->smtp.unknown_recipients);
}

static bool is_ours(struct session *session, enum relay_answer answer, const char *to)
{
	if (answer != RELAY_DENIED && answer != RELAY_SPECIAL && !may_ask(session)) {
		record_refusal(session, SMTP_REFUSED_LIMIT, "unknown recipients");
		reply_refusal(session, 450, "4.7.1",
			      "too many unknown recipients, come again later");
		return false;
	}
	switch (answer) {
	case RELAY_DENIED:
		record_refusal(session, SMTP_REFUSED_RELAY, to);
		reply_refusal(session, 550, "5.7.1", "we do not send mail on for you");
		return false;
	case RELAY_UNKNOWN:
		note_unknown(session, to);
		reply_refusal(session, 550, "5.1.1", NO_SUCH_RECIPIENT);
		return false;
	default:
		return true;
	}
}

/* What comes next: another recipient while some are under way, and anything when none is. */
static void go_on(struct session *session)
{
	if (TAILQ_EMPTY(&session->mail->under_way)) {
		session_resume(session);
		return;
	}
	session_enter(session, SESSION_GROUP);
	session_run(session);
}

/* The first is told of in the log; all of them, who looks at the content. */
static void keep(struct session *session, struct smtp_recipient *to)
{
	struct smtp_mail *mail = session->mail;

	if (mail->accepted > 1 && !service_parts(session->service)->checkers) {
		recipient_free(&to);
		return;
	}
	to->to[to->length] = '\0';
	TAILQ_INSERT_TAIL(&mail->kept, to, order);
}

static void note_accepted(struct session *session, struct smtp_recipient *to)
{
	struct smtp_mail *mail = session->mail;

	mail->accepted++;
	if (to->special)
		conf_actions_add(&mail->excepted, &to->actions);
	else
		ruling_add(&mail->taken, &to->ruling);
	mail->exceptions |= to->special;
	keep(session, to);
}

/* The reply to a recipient, and those that have waited for it. */
static void say_all(struct session *session, const struct smtp_recipient *to,
		    const struct backend_reply *said)
{
	struct smtp_mail *mail = session->mail;

	mail->direct = true;
	reply_backend(session, said);
	mail->direct = false;
	if (to->replies)
		stream_write(session->stream, to->behind, to->behind_size);
	mail->asked--;
	mail->owed -= 1 + to->replies;
}

void rcpt_answered(struct session *session, const struct backend_reply *said)
{
	struct smtp_mail *mail = session->mail;
	struct smtp_recipient *to = TAILQ_FIRST(&mail->under_way);
	const bool cut = to->cut;

	TAILQ_REMOVE(&mail->under_way, to, order);
	say_all(session, to, said);
	remember(session, to, said);
	if (said->code / 100 == 5)
		note_unknown(session, said->text);
	if (said->lost)
		record_turned_away(session, said);
	if (said->code / 100 == 2)
		note_accepted(session, to);
	else
		recipient_free(&to);
	if (cut)
		session_enter(session, SESSION_ENDED);
	else if (!mail->to)
		go_on(session);
}

/*
 * No limit is passed whatever the answers to those under way will be. Groups are for who was
 * offered them, and for who has the time.
 */
bool rcpt_has_room(const struct session *session)
{
	const struct smtp_mail *mail = session->mail;
	const struct conf *conf = session->rules->conf;

	return session->esmtp && !session->old && mail->owed < SESSION_GROUP_MAX &&
	       mail->accepted + mail->asked < conf->smtp.recipients_max &&
	       mail->put_off + mail->asked <= conf->smtp.recipients_max &&
	       session->errors + mail->asked < conf->smtp.errors_max;
}

static const enum smtp_refusal why[CHECK_COUNT] = {
	[CHECK_CLIENT] = SMTP_REFUSED_REPUTATION, [CHECK_RDNS] = SMTP_REFUSED_RDNS,
	[CHECK_HELO] = SMTP_REFUSED_HELO,         [CHECK_LISTED] = SMTP_REFUSED_REPUTATION,
	[CHECK_SPF] = SMTP_REFUSED_SPF,           [CHECK_SPF_TEMPORARY] = SMTP_REFUSED_SPF,
	[CHECK_NULL_MX] = SMTP_REFUSED_SENDER,    [CHECK_SENDER] = SMTP_REFUSED_SENDER,
	[CHECK_SCORE] = SMTP_REFUSED_REPUTATION,  [CHECK_GREYLIST] = SMTP_REFUSED_GREYLIST,
};

static void refuse(struct session *session)
{
	const struct smtp_mail *mail = session->mail;
	const struct spf_verdict *spf = mail->spf ? spf_verdict(mail->spf) : NULL;
	const char *detail = NULL;
	char wait[GREYLISTING_TEXT_MAX];

	if (mail->to->ruling.check == CHECK_SPF && spf)
		detail = spf->explanation;
	if (mail->to->ruling.check == CHECK_GREYLIST)
		detail = greylisting_text(mail, wait);
	record_ruling(session, (enum conf_check)mail->to->ruling.action,
		      why[mail->to->ruling.check], mail->to->to);
	reply_ruling(session, &mail->to->ruling, detail);
}

static void hand_on(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	if (backend_mail_rcpt(mail->backend, mail->to->to)) {
		TAILQ_INSERT_TAIL(&mail->under_way, mail->to, order);
		mail->to = NULL;
		mail->asked++;
		mail->owed++;
	} else {
		recipient_free(&mail->to);
		reply(session, 451, "4.3.0", "out of memory, try again later");
	}
	go_on(session);
}

/* What the backend has said is said again, as if it had just been asked. */
static void refuse_remembered(struct session *session, const struct unknowns_answer *answer)
{
	char detail[REMEMBERED_TEXT_MAX];

	recipient_free(&session->mail->to);
	stat_add(&service_stats(session->service)->remembered, 1);
	note_unknown(session, remembered_text(answer, detail));
	if (answer->reply.text[0])
		reply_backend(session, &answer->reply);
	else
		reply_refusal(session, answer->reply.code, "5.1.1", NO_SUCH_RECIPIENT);
	go_on(session);
}

static void ask_backend(struct session *session)
{
	struct unknowns_answer answer;

	if (remembered(session, session->mail->to, &answer))
		refuse_remembered(session, &answer);
	else
		hand_on(session);
}

/* What was found out is complete. */
static void decide(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	mail->to->ruling = ruling_of_mail(session, &mail->to->actions);
	greylisting_find(session, &mail->to->actions, &mail->to->ruling);
	if (!ruling_refuses(&mail->to->ruling)) {
		record_all_watched(session, &mail->to->ruling);
		ask_backend(session);
		return;
	}
	refuse(session);
	recipient_free(&mail->to);
	go_on(session);
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

static bool take(struct session *session, char *argument)
{
	struct smtp_mail *mail = session->mail;
	struct path_line line;
	enum relay_answer answer;
	struct error err;

	if (!mail->utf8 && !is_ascii(argument)) {
		reply(session, 553, "5.6.7", "such an address needs SMTPUTF8"); /* RFC 6531 3.5 */
		return false;
	}
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
	mail->to = recipient_new(&line);
	if (!mail->to) {
		reply(session, 451, "4.3.0", "out of memory, try again later");
		return false;
	}
	mail->to->special = answer == RELAY_SPECIAL;
	mail->to->own = answer != RELAY_SPECIAL &&
			relay_is_own_domain(session->rules->relay, line.path.domain);
	mail->to->actions = conf_actions(session->rules->conf, line.path.domain);
	return true;
}

void cmd_rcpt(struct session *session, char *argument)
{
	struct smtp_mail *mail = session->mail;

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
	if (!take(session, argument + 3))
		return;
	mail->recipients++;
	session_enter(session, SESSION_WAIT);
	if (mail->to->special) /* RFC 5321 4.5.1: whatever is known of the sender */
		hand_on(session);
	else
		checks_await(session, decide);
}
