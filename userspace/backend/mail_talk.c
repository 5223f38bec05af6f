/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/mail_talk.c - see backend/mail.h: MAIL and RCPT, their answers, and failover.
 *
 * All is said as soon as the server may hear it, and the answers come in the same order, so what an
 * answer is about follows from what has been answered. On another connection MAIL is said again,
 * and the recipients that were accepted; those that were refused are refused. An answer that is not
 * what the owner has been told before ends the transaction.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/mail.h"

const struct backend_reply mail_no_server = {
	.code = 451, .lost = true, .text = "4.4.1 no mail server can be reached, try again later"
};
const struct backend_reply mail_no_recipient = { .code = 554, .text = "5.5.1 no valid recipients" };
static const struct backend_reply contradicted = {
	.code = 451, .lost = true, .text = "4.3.0 the mail server was replaced, try again later"
};

/* The next recipient from `number` on who has not been refused; or the end. */
static size_t next_recipient(const struct backend_mail *mail, size_t number)
{
	while (number < mail->count && mail->recipient[number].told >= 300)
		number++;
	return number;
}

bool mail_is_answered(const struct backend_mail *mail)
{
	return mail->on.mail_answered && next_recipient(mail, mail->on.answered) == mail->count;
}

/* ---- saying */

static void say_mail(struct backend_mail *mail)
{
	mail->on.mail_said = true;
	mail->dialogue->transactions++;
	if (!mail->mail_told)
		backend_count(&mail->server->count.transactions, 1);
	dialogue_say(mail->dialogue, "MAIL FROM:", mail->from, DIALOGUE_MAIL_S);
}

static void say_recipients(struct backend_mail *mail)
{
	size_t number;

	while (dialogue_may_say(mail->dialogue)) {
		number = next_recipient(mail, mail->on.said);
		if (number == mail->count)
			break;
		mail->on.said = number + 1;
		dialogue_say(mail->dialogue, "RCPT TO:", mail->recipient[number].to,
			     DIALOGUE_MAIL_S);
	}
}

static void say_data(struct backend_mail *mail)
{
	if (!mail->message || mail->on.data != MAIL_DATA_NONE || !mail_is_answered(mail))
		return;
	if (!mail->accepted) {
		mail_later(mail);
		return;
	}
	mail->on.data = MAIL_DATA_ASKED;
	dialogue_say(mail->dialogue, "DATA", "", DIALOGUE_DATA_S);
}

void mail_go(struct backend_mail *mail)
{
	struct dialogue *dialogue = mail->dialogue;

	if (mail->ended || !dialogue || !dialogue_is_ready(dialogue))
		return;
	stream_cork(dialogue->stream);
	if (!mail->on.mail_said)
		say_mail(mail);
	say_recipients(mail);
	say_data(mail);
	stream_uncork(dialogue->stream);
}

/* ---- answers */

static bool is_good(uint16_t code)
{
	return code / 100 == 2;
}

/* The transaction ends here; the connection is as good as before. */
static void contradict(struct backend_mail *mail)
{
	pool_put(&mail->dialogue, mail->on.begun);
	mail_fail(mail, &contradicted);
}

/* True if the owner has to be told. */
static bool note_answer(struct backend_mail *mail, uint16_t *told, uint16_t code)
{
	if (!*told) {
		*told = code;
		return true;
	}
	if (is_good(*told) != is_good(code))
		contradict(mail);
	return false;
}

static void answer_mail(struct backend_mail *mail, const struct backend_reply *reply)
{
	mail->on.mail_answered = true;
	mail->on.begun = is_good(reply->code);
	if (note_answer(mail, &mail->mail_told, reply->code))
		mail_tell(mail, BACKEND_STEP_MAIL, 0, reply);
}

static void answer_recipient(struct backend_mail *mail, const struct backend_reply *reply)
{
	const size_t number = next_recipient(mail, mail->on.answered);
	struct mail_recipient *recipient = &mail->recipient[number];

	mail->on.answered = number + 1;
	if (!note_answer(mail, &recipient->told, reply->code))
		return;
	if (is_good(reply->code))
		mail->accepted++;
	mail_tell(mail, BACKEND_STEP_RCPT, number, reply);
}

static void take_answer(struct backend_mail *mail, const struct backend_reply *reply)
{
	if (mail->on.data != MAIL_DATA_NONE)
		mail_data_answer(mail, reply);
	else if (reply->code / 100 == 3)
		mail_broken(mail, "asks for more where nothing is to be said");
	else if (!mail->on.mail_answered)
		answer_mail(mail, reply);
	else
		answer_recipient(mail, reply);
}

static void on_reply(struct dialogue *dialogue, const struct backend_reply *reply, void *arg)
{
	struct backend_mail *mail = arg;

	(void)dialogue;
	mail_hold(mail);
	mail->on.heard = true;
	take_answer(mail, reply);
	mail_go(mail);
	mail_release(mail);
}

void mail_finish(struct backend_mail *mail, const struct backend_reply *reply)
{
	struct backend_counters *count = &mail->server->count;

	backend_count(is_good(reply->code)     ? &count->accepted
		      : reply->code / 100 == 4 ? &count->deferred
					       : &count->rejected,
		      1);
	mail->failure = &mail_no_server; /* whatever may be said after the end */
	mail_tell_message(mail, reply);
}

/* ---- connections, and their loss */

/* Somebody else has to take over; `server` was the one before. */
static void fail_over(struct backend_mail *mail)
{
	struct backend_server *failed = mail->server;

	mail->tried |= 1u << failed->number;
	mail_connect(mail);
	if (mail->dialogue)
		backend_count(&failed->count.failovers, 1);
}

/* What it says to this client is its answer to MAIL, and to all that follows. */
static void refused(struct backend_mail *mail, const struct backend_reply *said)
{
	mail->refusal = malloc(sizeof(*mail->refusal));
	if (!mail->refusal || (mail->mail_told && is_good(mail->mail_told))) {
		mail_fail(mail, &contradicted);
		return;
	}
	*mail->refusal = *said;
	mail_fail(mail, mail->refusal);
}

/* One that has waited may have ended, or may be used once only: that is no news about the server.
 */
static bool is_stale(const struct backend_mail *mail)
{
	return mail->on.reused && !mail->on.heard;
}

/* So is the end of one that has worked, once for a server: a new one shows how the server is. */
static bool may_go_on_anew(struct backend_mail *mail, const struct dialogue_end *end)
{
	const uint32_t bit = 1u << mail->server->number;
	const bool first = !(mail->anew & bit);

	if (end->loss != DIALOGUE_SHUT || !mail->on.heard || mail->on.data == MAIL_DATA_DOT)
		return false;
	mail->anew |= bit;
	return first;
}

static void lost(struct backend_mail *mail, const struct dialogue_end *end)
{
	if (is_stale(mail) || may_go_on_anew(mail, end)) {
		mail->fresh = true;
		mail_connect(mail);
	} else if (end->loss == DIALOGUE_REFUSED) {
		refused(mail, end->said);
	} else if (mail->on.data == MAIL_DATA_DOT) {
		health_lost(mail->server, end);
		mail_data_ambiguous(mail, end->said);
	} else {
		health_lost(mail->server, end);
		fail_over(mail);
	}
}

static void on_lost(struct dialogue *dialogue, const struct dialogue_end *end, void *arg)
{
	struct backend_mail *mail = arg;

	(void)dialogue;
	mail_hold(mail);
	mail->dialogue = NULL;
	lost(mail, end);
	mail_release(mail);
}

void mail_broken(struct backend_mail *mail, const char *why)
{
	const struct dialogue_end end = { DIALOGUE_BROKEN, why, NULL };

	dialogue_close(&mail->dialogue);
	lost(mail, &end);
}

/* It may be another server than it was when it was chosen. */
static void on_ready(struct dialogue *dialogue, void *arg)
{
	struct backend_mail *mail = arg;

	mail_hold(mail);
	if ((dialogue->features & mail->features) == mail->features) {
		mail_go(mail);
	} else {
		pool_put(&mail->dialogue, false);
		fail_over(mail);
	}
	mail_release(mail);
}

static void on_drained(struct dialogue *dialogue, void *arg)
{
	struct backend_mail *mail = arg;

	(void)dialogue;
	mail_hold(mail);
	if (mail->on.data == MAIL_DATA_STREAM)
		mail_data_stream(mail);
	mail_release(mail);
}

static const struct dialogue_owner mail_owner = { on_ready, on_reply, on_drained, on_lost };

void mail_connect(struct backend_mail *mail)
{
	const struct choice choice = { mail->features, mail->tried };
	struct backend_server *server = choose_server(mail->backends, &choice);

	memset(&mail->on, 0, sizeof(mail->on));
	mail->on.last = '\n';
	if (server)
		mail->dialogue = pool_take(server, &mail->who, !mail->fresh, &mail_owner, mail);
	mail->fresh = false;
	if (!mail->dialogue) {
		mail_fail(mail, &mail_no_server);
		return;
	}
	mail->server = server;
	mail->on.reused = mail->dialogue->transactions > 0;
	mail_go(mail);
}
