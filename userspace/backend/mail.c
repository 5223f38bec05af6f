/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/mail.c - see backend/backend.h: the life of a transaction, and what its owner is told.
 *
 * The owner may end it inside of any callback; it is freed when the outermost function that holds
 * it lets go. What has to be told without an answer from a server is told from the loop.
 */
#include "backend/mail.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4 /* recipients */

/* ---- telling */

void mail_hold(struct backend_mail *mail)
{
	mail->calls++;
}

static void mail_free(struct backend_mail *mail)
{
	for (size_t i = 0; i < mail->count; i++)
		free(mail->recipient[i].to);
	free(mail->recipient);
	free(mail->refusal);
	free(mail->words);
	free(mail);
}

void mail_release(struct backend_mail *mail)
{
	if (--mail->calls == 0 && mail->ended)
		mail_free(mail);
}

void mail_tell(struct backend_mail *mail, enum backend_step step, size_t number,
	       const struct backend_reply *reply)
{
	struct backend_reply said = *reply;

	if (mail->ended)
		return;
	reply_complete(&said);
	mail->cb(mail, step, number, &said, mail->arg);
}

static void tell_mail(struct backend_mail *mail, const struct backend_reply *reply)
{
	mail->mail_told = reply->code;
	mail_tell(mail, BACKEND_STEP_MAIL, 0, reply);
}

void mail_tell_message(struct backend_mail *mail, const struct backend_reply *reply)
{
	mail->message_told = true;
	mail->message = NULL;
	mail_tell(mail, BACKEND_STEP_MESSAGE, 0, reply);
}

/* The first recipient who has not been told; they are told in order. */
static struct mail_recipient *untold(struct backend_mail *mail)
{
	for (size_t i = 0; i < mail->count; i++)
		if (!mail->recipient[i].told)
			return &mail->recipient[i];
	return NULL;
}

/* One thing of what waits for an answer; false if there is none. */
static bool tell_failure(struct backend_mail *mail)
{
	const struct backend_reply *failure = mail->failure;
	struct mail_recipient *recipient;

	if (!mail->mail_told) {
		tell_mail(mail, failure);
		return true;
	}
	recipient = untold(mail);
	if (recipient) {
		recipient->told = failure->code;
		mail_tell(mail, BACKEND_STEP_RCPT, (size_t)(recipient - mail->recipient), failure);
		return true;
	}
	if (!mail->message)
		return false;
	mail_tell_message(mail, failure);
	return true;
}

/* ---- later */

static void run(struct backend_mail *mail)
{
	mail_hold(mail);
	if (mail->failure)
		while (!mail->ended && tell_failure(mail))
			;
	else if (mail->message && !mail->accepted && mail_is_answered(mail))
		mail_tell_message(mail, &mail_no_recipient);
	mail_release(mail);
}

/* Those that become due meanwhile are seen to in the next round. */
bool mail_due(struct backends *backends)
{
	struct backend_mail *mail, *last = TAILQ_LAST(&backends->due, mail_queue);
	bool more = last != NULL;

	while (more && (mail = TAILQ_FIRST(&backends->due))) {
		more = mail != last;
		TAILQ_REMOVE(&backends->due, mail, due);
		mail->is_due = false;
		run(mail);
	}
	return !TAILQ_EMPTY(&backends->due);
}

void mail_later(struct backend_mail *mail)
{
	struct backends *backends = mail->backends;

	if (mail->is_due || !backends)
		return;
	mail->is_due = true;
	TAILQ_INSERT_TAIL(&backends->due, mail, due);
	pool_later(backends);
}

void mail_fail(struct backend_mail *mail, const struct backend_reply *failure)
{
	if (mail->failure || mail->ended)
		return;
	mail->failure = failure;
	mail_later(mail);
}

/* ---- the owner's side */

/* Copies a text behind those before it. */
static const char *keep(char **at, const char *text)
{
	const char *kept = *at;
	const size_t size = strlen(text) + 1;

	memcpy(*at, text, size);
	*at += size;
	return kept;
}

static bool keep_words(struct backend_mail *mail, const struct backend_client *client,
		       const char *from)
{
	char *at = malloc(strlen(client->name) + strlen(client->helo) + strlen(client->login) +
			  strlen(from) + 4);

	if (!at)
		return false;
	mail->words = at;
	mail->who = *client;
	mail->who.name = keep(&at, client->name);
	mail->who.helo = keep(&at, client->helo);
	mail->who.login = keep(&at, client->login);
	mail->from = keep(&at, from);
	return true;
}

struct backend_mail *backend_mail_start(struct backends *backends,
					const struct backend_client *client, const char *from,
					unsigned int features, backend_reply_cb cb, void *arg)
{
	struct backend_mail *mail = calloc(1, sizeof(*mail));

	if (!mail || !keep_words(mail, client, from)) {
		free(mail);
		return NULL;
	}
	mail->backends = backends;
	mail->features = features;
	mail->cb = cb;
	mail->arg = arg;
	LIST_INSERT_HEAD(&backends->mails, mail, all);
	mail_connect(mail);
	return mail;
}

static bool grow(struct backend_mail *mail)
{
	const size_t room = mail->room ? mail->room * 2 : ROOM_FIRST;
	struct mail_recipient *grown = realloc(mail->recipient, room * sizeof(*grown));

	if (!grown)
		return false;
	mail->recipient = grown;
	mail->room = room;
	return true;
}

bool backend_mail_rcpt(struct backend_mail *mail, const char *to)
{
	char *copy;

	if (mail->count == mail->room && !grow(mail))
		return false;
	copy = strdup(to);
	if (!copy)
		return false;
	mail->recipient[mail->count++] = (struct mail_recipient){ copy, 0 };
	if (mail->failure)
		mail_later(mail);
	else
		mail_go(mail);
	return true;
}

bool backend_mail_message(struct backend_mail *mail, struct spool *message)
{
	mail->message = message;
	if (mail->failure)
		mail_later(mail);
	else
		mail_go(mail);
	return true;
}

/* Takes it out of everything that knows it. */
static void detach(struct backend_mail *mail)
{
	struct backends *backends = mail->backends;

	if (!backends)
		return;
	mail->backends = NULL;
	LIST_REMOVE(mail, all);
	if (mail->is_due)
		TAILQ_REMOVE(&backends->due, mail, due);
	mail->is_due = false;
	pool_put(&mail->dialogue, mail->on.begun);
}

void backend_mail_end(struct backend_mail **mail)
{
	struct backend_mail *ending = *mail;

	if (!ending)
		return;
	*mail = NULL;
	detach(ending);
	ending->ended = true;
	if (!ending->calls)
		mail_free(ending);
}

void mail_orphan(struct backends *backends)
{
	struct backend_mail *mail;

	while ((mail = LIST_FIRST(&backends->mails)))
		detach(mail);
}
