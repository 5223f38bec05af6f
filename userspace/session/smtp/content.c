/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/content.c - a message that is complete before the checkers of its content
 * (content/checker.h), one after the other.
 *
 * Checkers answer, the operator's action bounds what follows, and here it is done. The message
 * itself is not changed before all have let it pass.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lookup.h"
#include "session/smtp/internal.h"

#define ENHANCED_MAX   16
#define FIELD_LINE_MAX (CONTENT_NAME_MAX + CONTENT_VALUE_MAX + sizeof(": \r\n"))

struct smtp_content {
	struct content_message message;
	const char **to; /* owned */
	size_t at;       /* the checker that is asked, or will be */
	enum conf_check action;
	struct content_check *check; /* the checker's */
	bool waiting;                /* for its answer */
	bool starting;               /* it is in its start() */
	bool refused;                /* the client has been told */
	char *fields;                /* owned: to be put in front */
	size_t fields_size;
};

static const struct content_verdict cannot = { .answer = CONTENT_DEFER,
					       .detail = "3.0",
					       .text = "out of memory, try again later" };
static const struct content_verdict late = {
	.answer = CONTENT_DEFER, .text = "the message was not looked at in time, try again later"
};

static const struct content_checker *asked(const struct smtp_mail *mail)
{
	return &service_parts(mail->session->service)->checker[mail->content->at];
}

/* Fields */

/* RFC 5322 2.2 */
static bool is_name(const char *name)
{
	const size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
			return false;
	return length && length < CONTENT_NAME_MAX;
}

/* False if memory is short. */
static bool keep_field(struct smtp_content *content, const char *name, const char *value)
{
	char line[FIELD_LINE_MAX], cleaned[CONTENT_VALUE_MAX];
	int size;
	char *grown;

	snprintf(cleaned, sizeof(cleaned), "%s", value);
	reply_clean(cleaned);
	size = snprintf(line, sizeof(line), "%s: %s\r\n", name, cleaned);
	grown = realloc(content->fields, content->fields_size + (size_t)size);
	if (!grown)
		return false;
	memcpy(grown + content->fields_size, line, (size_t)size);
	content->fields = grown;
	content->fields_size += (size_t)size;
	return true;
}

/* What would be refused is told in our own field, too (session/smtp/header.h). */
static bool keep_fields(struct session *session, const struct content_verdict *verdict)
{
	struct smtp_content *content = session->mail->content;
	bool kept = true;

	if (verdict->answer > CONTENT_TAG)
		kept = keep_field(content, "X-Postern", asked(session->mail)->name);
	for (size_t i = 0; kept && i < verdict->fields && i < CONTENT_FIELDS_MAX; i++) {
		const struct content_field *field = &verdict->field[i];

		if (is_name(field->name))
			kept = keep_field(content, field->name, field->value);
		else
			record_content_field(session, asked(session->mail)->name);
	}
	return kept;
}

/* Answers */

static void refuse(struct session *session, enum content_answer answer,
		   const struct content_verdict *verdict)
{
	const unsigned int code = answer == CONTENT_REJECT ? 554 : 451;
	char enhanced[ENHANCED_MAX], text[CONTENT_TEXT_MAX], id[LOOKUP_ID_CHARS + 1];

	snprintf(enhanced, sizeof(enhanced), "%u.%.8s", code / 100,
		 verdict->detail ? verdict->detail : "7.1");
	snprintf(text, sizeof(text), "%s", verdict->text ? verdict->text : "content");
	reply_clean(text);
	record_refusal(session, SMTP_REFUSED_CONTENT, text);
	reply(session, code, enhanced, "refused: %s (lookup id %s)", text,
	      lookup_id_format(session->id, id));
	session->mail->content->refused = true;
}

/* What is done at most, by the operator's action. */
static const enum content_answer most[] = {
	[CONF_CHECK_OFF] = CONTENT_ACCEPT,    [CONF_CHECK_MONITOR] = CONTENT_ACCEPT,
	[CONF_CHECK_TAG] = CONTENT_TAG,       [CONF_CHECK_DEFER] = CONTENT_DEFER,
	[CONF_CHECK_REJECT] = CONTENT_REJECT,
};

static void note(struct session *session, enum content_answer answer, enum content_answer done)
{
	const char *checker = asked(session->mail)->name;

	if (answer == CONTENT_ACCEPT)
		return;
	record_content(session, checker, answer, done);
	if (answer >= CONTENT_DEFER && done < CONTENT_DEFER)
		record_watched(session, CHECK_CONTENT,
			       answer == CONTENT_DEFER ? CONF_CHECK_DEFER : CONF_CHECK_REJECT,
			       checker);
}

static void take(struct session *session, const struct content_verdict *verdict)
{
	struct smtp_content *content = session->mail->content;
	const enum content_answer bound = most[content->action];
	const enum content_answer done = verdict->answer < bound ? verdict->answer : bound;

	content->waiting = false;
	content->check = NULL;
	note(session, verdict->answer, done);
	if (done >= CONTENT_DEFER)
		refuse(session, done, verdict);
	else if (done == CONTENT_TAG && !keep_fields(session, verdict))
		refuse(session, CONTENT_DEFER, &cannot);
	content->at++;
}

static void on_answer(const struct content_verdict *verdict, void *arg);

/* True if the next one can be asked, because this one has answered. */
static bool ask(struct session *session)
{
	struct smtp_content *content = session->mail->content;
	const struct content_checker *checker = asked(session->mail);
	struct content_check *check;

	content->action = checker->action(checker, session->rules->conf);
	if (content->action == CONF_CHECK_OFF) {
		content->at++;
		return true;
	}
	session_enter(session, SESSION_CONTENT);
	content->waiting = content->starting = true;
	check = checker->start(checker, &content->message, on_answer, session);
	content->starting = false;
	if (!content->waiting)
		return true;
	content->check = check;
	if (!check)
		take(session, &cannot);
	return check == NULL;
}

/* As far as it goes without waiting. */
static void go_on(struct session *session)
{
	struct smtp_content *content = session->mail->content;
	const size_t count = service_parts(session->service)->checkers;
	struct spool *spool = session->mail->spool;

	while (!content->refused && content->at < count)
		if (!ask(session))
			return;
	if (!content->refused && !spool_put_front(spool, content->fields, content->fields_size))
		refuse(session, CONTENT_DEFER, &cannot);
	if (content->refused)
		delivery_over(session);
	else
		delivery_hand_over(session);
}

static void on_answer(const struct content_verdict *verdict, void *arg)
{
	struct session *session = arg;

	if (session->mail->content->starting) {
		take(session, verdict);
		return;
	}
	stream_cork(session->stream);
	take(session, verdict);
	go_on(session);
	if (session->stream)
		stream_uncork(session->stream);
}

void content_late(struct session *session)
{
	struct smtp_content *content = session->mail->content;

	asked(session->mail)->cancel(&content->check);
	take(session, &late);
	go_on(session);
}

/* Beginning and end */

static void describe(const struct session *session, struct content_message *out)
{
	const struct smtp_mail *mail = session->mail;

	*out = (struct content_message){
		.id = session->id,
		.service = (enum conf_service)session->kind,
		.client = session->peer,
		.client_port = session->peer_port,
		.client_name = session->host ? session->host : "",
		.helo = session->helo,
		.user = session->user ? session->user : "",
		.from = mail->from.text,
		.recipients = mail->accepted,
		.tls = session->secured,
		.utf8 = mail->utf8,
		.trusted = session->exempt,
		.hostname = session->rules->hostname,
		.spool = mail->spool,
		.own = mail->own,
	};
}

static struct smtp_content *content_new(const struct session *session)
{
	const struct smtp_mail *mail = session->mail;
	struct smtp_content *content = calloc(1, sizeof(*content));
	const struct smtp_recipient *recipient;
	size_t count = 0;

	if (content)
		content->to = calloc(mail->accepted, sizeof(*content->to));
	if (!content || !content->to) {
		free(content);
		return NULL;
	}
	recipient = TAILQ_FIRST(&mail->kept);
	for (; recipient; recipient = TAILQ_NEXT(recipient, order))
		content->to[count++] = recipient->to;
	describe(session, &content->message);
	content->message.to = content->to;
	return content;
}

void content_begin(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	if (!service_parts(session->service)->checkers) {
		delivery_hand_over(session);
		return;
	}
	mail->content = content_new(session);
	if (mail->content) {
		go_on(session);
		return;
	}
	reply(session, 451, "4.3.0", "%s", cannot.text);
	delivery_over(session);
}

void content_end(struct smtp_mail *mail)
{
	struct smtp_content *content = mail->content;

	if (!content)
		return;
	if (content->waiting)
		asked(mail)->cancel(&content->check);
	mail->content = NULL;
	free(content->fields);
	free(content->to);
	free(content);
}
