/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/dialogue.c - see backend/dialogue.h: commands, answers, and the end.
 *
 * The owner is called from the stream's calls and from dialogue_tick() alone. A dialogue that is
 * closed meanwhile is buried, and freed when the outermost of them returns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/internal.h"

static struct backends *enter(struct dialogue *dialogue)
{
	struct backends *backends = dialogue->server->backends;

	backends->calls++;
	return backends;
}

static void leave(struct backends *backends)
{
	struct dialogue *dialogue;

	if (--backends->calls)
		return;
	while ((dialogue = LIST_FIRST(&backends->buried))) {
		LIST_REMOVE(dialogue, all);
		free(dialogue);
	}
}

/* Takes it out of everything; only the memory is left. */
static void bury(struct dialogue *dialogue)
{
	struct backend_server *server = dialogue->server;

	if (dialogue->pooled) {
		TAILQ_REMOVE(&server->idle, dialogue, idle);
		backend_count(&server->count.idle, -1);
	}
	LIST_REMOVE(dialogue, all);
	LIST_INSERT_HEAD(&server->backends->buried, dialogue, all);
	backend_count(&server->count.open, -1);
	dialogue->dead = true;
}

void dialogue_fail(struct dialogue *dialogue, enum dialogue_loss loss,
		   const struct backend_reply *said, const char *why)
{
	char text[BACKEND_REPLY_MAX + 32];
	const struct dialogue_end end = { loss, text, said };

	snprintf(text, sizeof(text), "%s: %s", dialogue_step_name(dialogue), why);
	stream_abort(&dialogue->stream);
	bury(dialogue);
	dialogue->owner->lost(dialogue, &end, dialogue->arg);
}

/* ---- what comes in */

/*
 * 421 is an answer to anything, and to nothing (RFC 5321 3.8). To a client that the server was just
 * told of it may say that this one comes too often: others would not hear it.
 */
static void take_421(struct dialogue *dialogue, const struct backend_reply *reply)
{
	enum dialogue_loss loss = DIALOGUE_SHUT;

	if (!dialogue_is_ready(dialogue) && dialogue_has_told(dialogue))
		loss = DIALOGUE_UNFIT;
	else if (!dialogue_is_ready(dialogue))
		loss = DIALOGUE_BUSY;
	dialogue_fail(dialogue, loss, reply, reply->text);
}

static void unasked(struct dialogue *dialogue, enum dialogue_loss loss)
{
	dialogue_fail(dialogue, loss, NULL, "an answer that nobody asked for");
}

/*
 * What has come behind the last answer is none, even if the owner says something now. It may be
 * that the server closes down, and the answer before it counts.
 */
static void give_reply(struct dialogue *dialogue, const struct backend_reply *reply)
{
	size_t left;

	if (reply->code >= 400)
		dialogue->refusals++;
	stream_input(dialogue->stream, &left);
	if (dialogue->pending) {
		dialogue_expect(dialogue, DIALOGUE_MAIL_S);
		left = 0;
	} else {
		dialogue->deadline = 0;
	}
	dialogue->owner->reply(dialogue, reply, dialogue->arg);
	if (left && reply->code != 354 && !dialogue->dead)
		unasked(dialogue, DIALOGUE_SHUT);
}

static void take_reply(struct dialogue *dialogue, const struct backend_reply *reply)
{
	if (reply->code == 421) {
		take_421(dialogue, reply);
	} else if (!dialogue->pending) {
		unasked(dialogue, DIALOGUE_BROKEN);
	} else {
		dialogue->pending--;
		if (dialogue_is_ready(dialogue))
			give_reply(dialogue, reply);
		else
			dialogue_opening(dialogue, reply);
	}
}

/* One line; false if there is none, or the dialogue has ended. */
static bool take_line(struct dialogue *dialogue)
{
	size_t size, used;
	const uint8_t *data = stream_input(dialogue->stream, &size);
	const bool first = dialogue->parser.lines == 0;
	struct reply_span line;
	struct backend_reply reply;
	enum reply_result result = reply_take(&dialogue->parser, data, size, &used, &line);

	if (result == REPLY_MORE)
		return false;
	if (result == REPLY_BAD) {
		dialogue_fail(dialogue, DIALOGUE_BROKEN, NULL, "the answer is no SMTP");
		return false;
	}
	if (dialogue->step == DIALOGUE_EHLO)
		dialogue_learn(dialogue, &line, first);
	stream_take(dialogue->stream, used);
	if (result == REPLY_DONE) {
		reply = dialogue->parser.reply;
		reply_begin(&dialogue->parser);
		take_reply(dialogue, &reply);
	}
	return !dialogue->dead;
}

static void on_readable(struct stream *stream, void *arg)
{
	struct dialogue *dialogue = arg;
	struct backends *backends = enter(dialogue);

	(void)stream;
	while (take_line(dialogue))
		;
	leave(backends);
}

static void on_drained(struct stream *stream, void *arg)
{
	struct dialogue *dialogue = arg;
	struct backends *backends = enter(dialogue);

	(void)stream;
	if (dialogue->owner->drained)
		dialogue->owner->drained(dialogue, dialogue->arg);
	leave(backends);
}

static void on_secured(struct stream *stream, void *arg)
{
	struct dialogue *dialogue = arg;
	struct backends *backends = enter(dialogue);

	(void)stream;
	dialogue_connected(dialogue);
	leave(backends);
}

static void on_ended(struct stream *stream, enum stream_end end, void *arg)
{
	struct dialogue *dialogue = arg;
	struct backends *backends = enter(dialogue);
	const bool ready = dialogue_is_ready(dialogue);
	const char *why = end == STREAM_FAILED ? stream_error(stream)
			  : end == STREAM_EOF  ? "closed by the server"
					       : "connection lost";
	char text[BACKEND_REPLY_MAX];

	snprintf(text, sizeof(text), "%s", why);
	dialogue_fail(dialogue, ready ? DIALOGUE_SHUT : DIALOGUE_BROKEN, NULL, text);
	leave(backends);
}

static const struct stream_owner stream_owner = { on_readable, on_drained, on_secured, on_ended };

static void on_connected(struct stream *stream, int status, void *arg)
{
	struct dialogue *dialogue = arg;
	struct backends *backends = enter(dialogue);

	(void)stream;
	if (status)
		dialogue_fail(dialogue, DIALOGUE_UNREACHABLE, NULL, uv_strerror(status));
	else
		dialogue_connected(dialogue);
	leave(backends);
}

/* ---- for owners */

struct dialogue *dialogue_open(struct backend_server *server, const struct backend_client *who,
			       const struct dialogue_owner *owner, void *arg)
{
	struct backends *backends = server->backends;
	struct dialogue *dialogue = calloc(1, sizeof(*dialogue));

	if (!dialogue)
		return NULL;
	dialogue->server = server;
	dialogue->owner = owner;
	dialogue->arg = arg;
	dialogue->who = who;
	dialogue_expect(dialogue, DIALOGUE_CONNECT_S);
	reply_begin(&dialogue->parser);
	if (stream_connect(backends->loop, &server->conf.addr, server->conf.port, &stream_owner,
			   on_connected, dialogue, &dialogue->stream, NULL)) {
		free(dialogue);
		return NULL;
	}
	LIST_INSERT_HEAD(&backends->dialogues, dialogue, all);
	backend_count(&server->count.open, 1);
	backend_count(&server->count.connections, 1);
	return dialogue;
}

void dialogue_give(struct dialogue *dialogue, const struct dialogue_owner *owner, void *arg)
{
	dialogue->owner = owner;
	dialogue->arg = arg;
}

void dialogue_introduce(struct dialogue *dialogue, const struct backend_client *who)
{
	dialogue->who = who;
	if (!who || dialogue->server->conf.told != CONF_BACKEND_XCLIENT)
		return;
	dialogue_expect(dialogue, DIALOGUE_OPEN_S);
	dialogue->untold = dialogue->xclient;
	dialogue_enter(dialogue, DIALOGUE_XCLIENT);
}

bool dialogue_may_say(const struct dialogue *dialogue)
{
	if (!dialogue_is_ready(dialogue))
		return false;
	return !dialogue->pending || (dialogue->features & BACKEND_PIPELINING &&
				      dialogue->pending < DIALOGUE_PENDING_MAX);
}

void dialogue_expect(struct dialogue *dialogue, uint32_t seconds)
{
	dialogue->deadline = uv_now(dialogue->server->backends->loop) + (uint64_t)seconds * 1000;
}

/* If it cannot be sent, and nobody tells why, the next tick ends the dialogue. */
bool dialogue_write(struct dialogue *dialogue, const void *data, size_t size)
{
	if (!size || stream_write(dialogue->stream, data, size))
		return true;
	dialogue->deadline = 1;
	return false;
}

void dialogue_say(struct dialogue *dialogue, const char *verb, const char *argument,
		  uint32_t seconds)
{
	dialogue->pending++;
	if (seconds)
		dialogue_expect(dialogue, seconds);
	stream_cork(dialogue->stream);
	dialogue_write(dialogue, verb, strlen(verb));
	dialogue_write(dialogue, argument, strlen(argument));
	dialogue_write(dialogue, "\r\n", 2);
	stream_uncork(dialogue->stream);
}

void dialogue_close(struct dialogue **dialogue)
{
	struct dialogue *closing = *dialogue;
	struct backends *backends;

	if (!closing)
		return;
	*dialogue = NULL;
	backends = enter(closing);
	if (dialogue_is_ready(closing) && !closing->pending) {
		stream_write(closing->stream, "QUIT\r\n", 6);
		stream_close(&closing->stream);
	} else {
		stream_abort(&closing->stream);
	}
	bury(closing);
	leave(backends);
}

static struct dialogue *overdue(const struct backends *backends, uint64_t now)
{
	struct dialogue *dialogue;

	LIST_FOREACH(dialogue, &backends->dialogues, all)
	if (dialogue->deadline && dialogue->deadline <= now)
		return dialogue;
	return NULL;
}

static void time_out(struct dialogue *dialogue)
{
	const bool connecting = dialogue->step == DIALOGUE_CONNECT;

	if (dialogue->pooled)
		dialogue_close(&dialogue);
	else
		dialogue_fail(dialogue, connecting ? DIALOGUE_UNREACHABLE : DIALOGUE_BROKEN, NULL,
			      "no answer in time");
}

/* Owners may close and open others meanwhile, so it begins again after each. */
void dialogue_tick(struct backends *backends, uint64_t now)
{
	struct dialogue *dialogue;

	backends->calls++;
	while ((dialogue = overdue(backends, now)))
		time_out(dialogue);
	leave(backends);
}
