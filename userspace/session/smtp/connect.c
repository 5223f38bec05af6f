/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/connect.c - from the first packet to the greeting, and what is said instead of it.
 *
 * Strangers at a service for mail from anywhere are asked about: the guard has begun to at their
 * SYN. Users come from everywhere, and are asked for a password later.
 */
#include <string.h>

#include "lib/lookup.h"
#include "session/smtp/internal.h"

static bool is_mx(const struct session *session)
{
	return session->kind == CONF_SERVICE_MX;
}

static void greet(struct session *session)
{
	reply_line(session, 220, false, "%s ESMTP", session->rules->hostname);
	session_enter(session, SESSION_COMMAND);
	session_run(session);
}

/* RFC 5321 3.1: a 554 in place of the greeting; then the client may say QUIT. */
static void refuse(struct session *session)
{
	record_ruling(session, session->ruling.action,
		      session->ruling.check == CHECK_RDNS ? SMTP_REFUSED_RDNS
							  : SMTP_REFUSED_REPUTATION,
		      NULL);
	if (session->ruling.action == CONF_CHECK_DEFER) {
		char id[LOOKUP_ID_CHARS + 1];

		reply_and_end(session, 421, "4.7.1", "%s: come again later (lookup id %s)",
			      session->rules->hostname, lookup_id_format(session->id, id));
		return;
	}
	reply_ruling(session, &session->ruling, NULL);
	session_enter(session, SESSION_REFUSED);
}

/* It talks before the greeting, so it does not wait for what a server has to say, as bots do. */
static void take_early(struct session *session)
{
	const enum conf_check action = session->rules->conf->check.pregreet;

	session->early = true;
	if (action == CONF_CHECK_MONITOR || action == CONF_CHECK_TAG)
		record_watched(session, CHECK_PREGREET, CONF_CHECK_REJECT, NULL);
	if (action != CONF_CHECK_REJECT && action != CONF_CHECK_DEFER)
		return;
	record_ruling(session, action, SMTP_REFUSED_EARLY, NULL);
	if (action == CONF_CHECK_DEFER)
		reply_and_end(session, 421, "4.5.0", "%s: you spoke before the greeting",
			      session->rules->hostname);
	else
		reply_and_end(session, 554, "5.5.0", "you spoke before the greeting");
}

static bool decides_at_connect(const struct session *session)
{
	return session->rules->conf->check.stage == CONF_STAGE_CONNECT;
}

/*
 * What is in the socket before the greeting has left was said before it can have been read: nobody
 * who waits is ever taken for one who does not. A PROXY header has been taken off by then.
 */
void connect_greet(struct session *session)
{
	const bool decides = decides_at_connect(session);

	if (!session->early && is_mx(session) && stream_has_come(session->stream))
		take_early(session);
	if (!session->stream)
		return;
	if (decides && ruling_refuses(&session->ruling)) {
		refuse(session);
		return;
	}
	if (decides)
		record_all_watched(session, &session->ruling);
	greet(session);
}

/* Something speaks for it, and nothing outweighs that. */
static bool is_known_good(const struct session *session)
{
	return session->judged && session->verdict.total < 0;
}

/* Who is refused now has no greeting to wait for; where scores are only looked at nobody waits. */
static bool is_to_be_slow(const struct session *session)
{
	if (decides_at_connect(session) && ruling_refuses(&session->ruling))
		return false;
	return session->judged && session->verdict.decision >= DECISION_SLOW &&
	       session->rules->conf->check.score > CONF_CHECK_TAG;
}

static void wait_for_greeting(struct session *session)
{
	if (is_to_be_slow(session))
		service_set_deadline(session, DEADLINE_SLOW);
	else if (session->rules->conf->smtp.greet_delay && !is_known_good(session))
		service_set_deadline(session, DEADLINE_GREETING);
	else
		connect_greet(session);
}

static void judge(struct session *session, const struct verdict *verdict)
{
	if (verdict) {
		session->verdict = *verdict;
		session->findings = verdict->findings;
		session->judged = true;
	}
	session->ruling = ruling_of_client(session, &session->rules->usual);
	wait_for_greeting(session);
}

static void on_verdict(const struct verdict *verdict, void *arg)
{
	struct session *session = arg;

	session->wait = NULL;
	stream_cork(session->stream);
	judge(session, verdict);
	if (session->stream)
		stream_uncork(session->stream);
}

static bool asks_about_clients(const struct session *session)
{
	const struct conf_actions *wanted = &session->rules->wanted;

	return wanted->about[CONF_ABOUT_SCORE] != CONF_CHECK_OFF ||
	       wanted->about[CONF_ABOUT_RDNS] != CONF_CHECK_OFF;
}

static void ask(struct session *session)
{
	struct guard_client *guard = service_parts(session->service)->guard;
	struct verdict verdict;

	if (guard_client_ask(guard, &session->peer, &verdict, &session->wait, on_verdict, session))
		judge(session, &verdict);
	else if (!session->wait)
		judge(session, NULL);
}

/* An allow entry wins over whatever else is known of an address, as it does in the kernel. */
static bool is_allowed(const struct session *session)
{
	struct guard_standing standing;

	guard_client_standing(service_parts(session->service)->guard, &session->peer, &standing);
	return standing.kind == GUARD_STANDING_ALLOWED && !standing.watched;
}

/* TLS has been seen to. */
static void meet(struct session *session)
{
	session->exempt = relay_is_trusted(session->rules->relay, &session->peer) ||
			  (is_mx(session) && is_allowed(session));
	if (!is_mx(session) || session->exempt)
		greet(session);
	else if (!asks_about_clients(session))
		wait_for_greeting(session);
	else
		ask(session);
}

void connect_secured(struct session *session)
{
	session_enter(session, SESSION_CONNECT);
	meet(session);
}

void connect_begin(struct session *session)
{
	if (session->kind != CONF_SERVICE_SUBMISSIONS)
		meet(session);
	else if (!tls_begin(session))
		session_enter(session, SESSION_ENDED);
}

bool connect_input(struct session *session)
{
	size_t size;

	stream_input(session->stream, &size);
	if (size && !session->early && is_mx(session))
		take_early(session);
	return false;
}

/* RFC 5321 3.1: 503 to all but QUIT. */
bool connect_refused_input(struct session *session)
{
	char line[LINE_MAX_AUTH];
	const enum line_result result = command_line(session, line);

	if (result == LINE_MORE)
		return false;
	if (result == LINE_WHOLE && !strncasecmp(line, "QUIT", 4))
		cmd_quit(session, line + 4);
	else if (++session->refused > SESSION_REFUSED_MAX)
		reply_and_end(session, 421, "4.7.0", "%s: closing", session->rules->hostname);
	else
		reply(session, 503, "5.5.1", "you were refused: say QUIT");
	return true;
}
