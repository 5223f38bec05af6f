/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/cmd_auth.c - AUTH (RFC 4954), at services for users and inside TLS only.
 *
 * What is said and checked is accounts/auth.h's; here are the lines, the backend that is asked, the
 * pause before an answer that somebody who guesses gets, and the end after SESSION_TRIES_MAX
 * failures.
 */
#include <stdlib.h>
#include <string.h>

#include "session/smtp/internal.h"

/* One exchange, from AUTH to its answer. */
struct smtp_login {
	struct auth_exchange *exchange;
	struct backend_auth *backend;
	enum auth_step outcome; /* that is told after the pause */
	char *user;             /* owned: of the outcome */
};

static struct auth *auth_of(const struct session *session)
{
	return service_parts(session->service)->auth;
}

bool auth_offered(const struct session *session)
{
	return session->kind != CONF_SERVICE_MX && session->secured && auth_of(session) &&
	       *auth_mechanisms(auth_of(session));
}

void auth_forget(struct session *session)
{
	struct smtp_login *login = session->login;

	if (!login)
		return;
	session->login = NULL;
	auth_exchange_end(&login->exchange);
	backend_auth_end(&login->backend);
	free(login->user);
	free(login);
}

/* The answer */

static void succeed(struct session *session)
{
	free(session->user);
	session->user = session->login->user;
	session->login->user = NULL;
	stat_add(&service_stats(session->service)->authenticated, 1);
	reply(session, 235, "2.7.0", "welcome");
}

static void fail(struct session *session)
{
	record_refusal(session, SMTP_REFUSED_AUTH, session->login->user);
	if (++session->auth_failures >= SESSION_TRIES_MAX)
		reply_and_end(session, 421, "4.7.0", "%s: too many failures",
			      session->rules->hostname);
	else
		reply(session, 535, "5.7.8", "user or password is wrong");
}

void auth_pause_over(struct session *session)
{
	switch (session->login->outcome) {
	case AUTH_DONE:
		succeed(session);
		break;
	case AUTH_FAILED:
		fail(session);
		break;
	case AUTH_BAD:
		reply(session, 501, "5.5.2", "this is not what the mechanism sends");
		break;
	default:
		reply(session, 454, "4.7.0", "not now, try again later");
		break;
	}
	auth_forget(session);
	session_resume(session);
}

static void tell_guard(struct session *session)
{
	const struct verdict verdict = { .addr = session->peer, .decision = DECISION_REJECT };

	if (session->exempt || session->noted)
		return;
	session->noted = true;
	guard_client_note(service_parts(session->service)->guard, &verdict, true);
}

/* Who guesses waits for the answer. */
static void conclude(struct session *session, const struct auth_result *result)
{
	struct smtp_login *login = session->login;
	const uint32_t wait = result->wait; /* the result is the exchange's */

	login->outcome = result->step;
	login->user = strdup(result->user);
	if (!login->user)
		login->outcome = AUTH_LATER;
	if (result->block)
		tell_guard(session);
	auth_exchange_end(&login->exchange);
	if (wait)
		service_pause(session, wait);
	else
		auth_pause_over(session);
}

/* The exchange */

static void on_backend(const struct backend_reply *said, void *arg)
{
	struct session *session = arg;
	struct smtp_login *login = session->login;

	if (said->code / 100 == 4 || said->lost)
		auth_exchange_defer(login->exchange);
	else
		auth_exchange_decide(login->exchange, said->code == 235);
	backend_auth_end(&login->backend);
}

static void ask_backend(struct session *session, const struct auth_result *result)
{
	struct backends *backends = session_backends(session);

	session->login->backend =
		backend_auth_start(backends, result->user, result->password, on_backend, session);
	if (!session->login->backend)
		auth_exchange_defer(session->login->exchange);
}

static void on_step(struct auth_exchange *exchange, const struct auth_result *result, void *arg)
{
	struct session *session = arg;

	(void)exchange;
	stream_cork(session->stream);
	switch (result->step) {
	case AUTH_CONTINUE:
		reply_line(session, 334, false, "%s", result->text);
		session_enter(session, SESSION_AUTH);
		session_run(session);
		break;
	case AUTH_BACKEND:
		ask_backend(session, result);
		break;
	default:
		conclude(session, result);
		break;
	}
	if (session->stream)
		stream_uncork(session->stream);
}

/* Whether he has failed too often to be listened to. */
static bool is_held_off(struct session *session)
{
	const struct auth_throttle found = auth_throttle(auth_of(session), &session->peer, NULL);

	if (found.block)
		tell_guard(session);
	return found.refuse;
}

/* It was not offered: who guesses does not look. */
static void refuse(struct session *session, unsigned int code, const char *enhanced,
		   const char *text)
{
	record_refusal(session, SMTP_REFUSED_AUTH, text);
	reply_refusal(session, code, enhanced, text);
}

static bool may_begin(struct session *session)
{
	if (session->kind != CONF_SERVICE_MX && !session->secured)
		refuse(session, 538, "5.7.11", "say STARTTLS first");
	else if (!auth_offered(session))
		refuse(session, 502, "5.5.1", "there is nobody to authenticate here");
	else if (session->user || session->mail)
		reply(session, 503, "5.5.1", "too late");
	else if (is_held_off(session))
		reply(session, 454, "4.7.0", "not now, try again later");
	else
		return true;
	return false;
}

static bool begin(struct session *session, const char *mechanism)
{
	struct smtp_login *login = calloc(1, sizeof(*login));

	session->login = login;
	if (!login) {
		reply(session, 454, "4.7.0", "out of memory, try again later");
		return false;
	}
	login->exchange =
		auth_exchange_start(auth_of(session), service_parts(session->service)->loop,
				    mechanism, &session->peer, on_step, session);
	if (login->exchange)
		return true;
	auth_forget(session);
	reply(session, 504, "5.5.4", "no such mechanism");
	return false;
}

void cmd_auth(struct session *session, char *argument)
{
	char *initial = argument + strcspn(argument, " ");

	if (!may_begin(session))
		return;
	if (*initial)
		*initial++ = '\0';
	if (!*argument)
		reply(session, 501, "5.5.4", "say AUTH, and a mechanism");
	else if (begin(session, argument)) {
		session_enter(session, SESSION_WAIT);
		auth_exchange_step(session->login->exchange, *initial ? initial : NULL);
	}
	explicit_bzero(initial, strlen(initial)); /* it may be a password */
}

bool auth_input(struct session *session)
{
	char line[LINE_MAX_AUTH];
	const enum line_result result = command_line(session, line);

	if (result == LINE_MORE)
		return false;
	if (result == LINE_WHOLE && strcmp(line, "*") != 0) {
		session_enter(session, SESSION_WAIT);
		auth_exchange_step(session->login->exchange, line);
		explicit_bzero(line, strlen(line));
		return false;
	}
	if (result == LINE_WHOLE)
		reply(session, 501, "5.7.0", "given up");
	auth_forget(session);
	session_enter(session, SESSION_COMMAND);
	return true;
}
