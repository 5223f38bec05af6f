/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/session.c - one session: its states, its input, its end.
 *
 * session_enter() alone changes the state; the table `states` says what follows from each: who
 * takes the input, and how long the client may take.
 */
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/lookup.h"
#include "session/smtp/internal.h"

/* States without an input leave it where it is. An input returns whether it may be called again. */
static const struct {
	bool (*input)(struct session *session);
	uint8_t deadline; /* enum session_deadline, set when the state is entered */
} states[SESSION_STATES] = {
	[SESSION_CONNECT] = { connect_input, DEADLINE_VERDICT },
	[SESSION_COMMAND] = { command_input, DEADLINE_COMMAND },
	[SESSION_WAIT] = { NULL, DEADLINE_NONE },
	[SESSION_GROUP] = { group_input, DEADLINE_NONE },
	[SESSION_DATA] = { data_input, DEADLINE_DATA },
	[SESSION_CHUNK] = { chunk_input, DEADLINE_DATA },
	[SESSION_CONTENT] = { NULL, DEADLINE_CONTENT },
	[SESSION_MESSAGE] = { NULL, DEADLINE_NONE },
	[SESSION_AUTH] = { auth_input, DEADLINE_COMMAND },
	[SESSION_TLS] = { NULL, DEADLINE_TLS },
	[SESSION_REFUSED] = { connect_refused_input, DEADLINE_REFUSED },
	[SESSION_ENDED] = { NULL, DEADLINE_NONE },
};

/* Lets go of everything that could call back. */
static void end(struct session *session)
{
	guard_client_cancel(&session->wait);
	auth_forget(session);
	mail_end(session);
	checks_end(session);
	record_session(session);
	stream_close(&session->stream);
	admission_leave(service_parts(session->service)->admission, &session->peer,
			session->admitted);
	service_remove(session);
}

void session_enter(struct session *session, enum session_state state)
{
	if (session->state == SESSION_ENDED)
		return;
	session->state = (uint8_t)state;
	if (state == SESSION_ENDED)
		end(session);
	else
		service_set_deadline(session, states[state].deadline);
}

/* It takes input, and nothing is under way that is let finish. */
static bool waits_for_client(const struct session *session)
{
	return states[session->state].input && session->state != SESSION_GROUP;
}

/* The client has said its last word, and waits for nothing. */
static bool is_over(const struct session *session)
{
	return session->eof && waits_for_client(session);
}

/* Takes input as long as there is some and replies are read. */
void session_run(struct session *session)
{
	if (session->running || !session->stream)
		return;
	session->running = true;
	while (session->stream && states[session->state].input &&
	       stream_queued(session->stream) <= SESSION_OUTPUT_MAX &&
	       states[session->state].input(session))
		;
	session->running = false;
	if (session->stream && is_over(session))
		session_enter(session, SESSION_ENDED);
}

void session_resume(struct session *session)
{
	session_enter(session, SESSION_COMMAND);
	if (session->old)
		session_retire(session);
	session_run(session);
}

static void on_readable(struct stream *stream, void *arg)
{
	(void)stream;
	session_run(arg);
}

static void on_secured(struct stream *stream, void *arg)
{
	(void)stream;
	tls_secured(arg);
}

/*
 * Who has said all waits for the replies yet. A TLS connection that just ends has not said all:
 * somebody may have cut it (RFC 8446 6.1), and of a message that is not complete nothing remains.
 */
static void on_ended(struct stream *stream, enum stream_end why, void *arg)
{
	struct session *session = arg;

	(void)stream;
	session->eof = true;
	if (why != STREAM_EOF)
		session_enter(session, SESSION_ENDED);
	else
		session_run(session);
	if (session->stream && is_over(session))
		session_enter(session, SESSION_ENDED);
}

static const struct stream_owner owner = {
	.readable = on_readable,
	.drained = on_readable,
	.secured = on_secured,
	.ended = on_ended,
};

static void count_start(struct session *session)
{
	struct smtp_stats *stats = service_stats(session->service);

	stat_add(&stats->sessions, 1);
	service_add(session);
}

/* Nobody has taken the stream yet. */
static void turn_away(struct smtp_service *service, unsigned int kind, struct stream *stream)
{
	static const char busy[] = "421 4.3.2 too many connections, try again later\r\n";

	stat_add(&service_stats(service)->refused[SMTP_REFUSED_LOAD], 1);
	if (kind != CONF_SERVICE_SUBMISSIONS)
		stream_write(stream, busy, sizeof(busy) - 1);
	stream_close(&stream);
}

static bool is_full(struct smtp_service *service)
{
	struct session_rules *rules = service_rules(service);
	const uint64_t open =
		__atomic_load_n(service_parts(service)->connections, __ATOMIC_RELAXED);
	const bool full = open >= rules->conf->smtp.connections_max;

	session_rules_unref(rules);
	return full;
}

void session_start(struct smtp_service *service, unsigned int kind, struct stream *stream,
		   const struct addr *peer, uint16_t peer_port, const struct addr *local,
		   uint16_t local_port)
{
	struct session *session = is_full(service) ? NULL : calloc(1, sizeof(*session));

	if (!session) {
		turn_away(service, kind, stream);
		return;
	}
	session->service = service;
	session->rules = service_rules(service);
	session->stream = stream;
	session->kind = (uint8_t)kind;
	session->began = service_now();
	session->id = clock_mono() & ~(uint64_t)LOOKUP_ID_CLASS;
	session->peer = *peer;
	session->peer_port = peer_port;
	session->local = *local;
	session->local_port = local_port;
	count_start(session);
	service_set_deadline(session, DEADLINE_VERDICT);
	stream_give(stream, &owner, session);
	if (admit_client(session))
		connect_begin(session);
}

void session_free(struct session *session)
{
	free(session->helo);
	free(session->user);
	free(session->host);
	session_rules_unref(session->rules);
	free(session);
}

static void say_late(struct session *session)
{
	record_refusal(session, SMTP_REFUSED_TIME, NULL);
	reply_and_end(session, 421, "4.4.2", "%s: too slow", session->rules->hostname);
}

void session_deadline_passed(struct session *session, enum session_deadline deadline)
{
	switch (deadline) {
	case DEADLINE_GREETING:
	case DEADLINE_SLOW:
		connect_greet(session);
		break;
	case DEADLINE_PAUSE:
		auth_pause_over(session);
		break;
	case DEADLINE_CONTENT:
		content_late(session);
		break;
	case DEADLINE_TLS:
		session_enter(session, SESSION_ENDED);
		break;
	case DEADLINE_REFUSED:
		reply_and_end(session, 421, "4.7.0", "%s: closing", session->rules->hostname);
		break;
	default:
		say_late(session);
		break;
	}
}

/*
 * Whoever waits for an answer gets it. Who is in the middle of a transaction may come to its end
 * when the service ends, and not when his own time does.
 */
void session_retire(struct session *session)
{
	const bool down = service_draining(session->service);

	if (session->state == SESSION_TLS)
		session_enter(session, SESSION_ENDED);
	else if (waits_for_client(session) && !(down && session->mail))
		reply_and_end(session, 421, "4.3.2", "%s: %s", session->rules->hostname,
			      down ? "going down" : "this session has taken too long");
}
