/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/cmd_mail.c - MAIL (RFC 5321 4.1.1.2; SIZE: RFC 1870; 8BITMIME: RFC 6152; SMTPUTF8:
 * RFC 6531; DSN: RFC 3461; AUTH: RFC 4954 5).
 *
 * The backend is told at once, and its answer is the client's; what is found out about the sender
 * meanwhile is waited for at the first recipient.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lookup.h"
#include "session/smtp/internal.h"

#define SIZE_TEXT_MAX 24

/* What a parameter is to the gateway; its value has been looked at by path_parse(). */
struct parameter {
	const char *name;
	bool (*take)(struct session *session, struct smtp_mail *mail, const char *value);
	unsigned int feature; /* of the backend that it needs, or 0 */
	bool passed;          /* to the backend */
};

static bool take_size(struct session *session, struct smtp_mail *mail, const char *value)
{
	char id[LOOKUP_ID_CHARS + 1];

	mail->size = value ? strtoull(value, NULL, 10) : 0;
	if (mail->size <= session->rules->conf->smtp.size_max)
		return true;
	record_refusal(session, SMTP_REFUSED_SIZE, value);
	reply(session, 552, "5.3.4", "a message may have %" PRIu32 " octets (lookup id %s)",
	      session->rules->conf->smtp.size_max, lookup_id_format(session->id, id));
	return false;
}

static bool take_utf8(struct session *session, struct smtp_mail *mail, const char *value)
{
	(void)session;
	(void)value;
	mail->utf8 = true;
	return true;
}

/* 7BIT is what all do without being asked. */
static bool take_body(struct session *session, struct smtp_mail *mail, const char *value)
{
	if (value && !strcasecmp(value, "8BITMIME"))
		return true;
	mail->features &= ~(unsigned int)BACKEND_8BITMIME;
	if (value && !strcasecmp(value, "7BIT"))
		return true;
	reply(session, 501, "5.5.4", "BODY is 7BIT or 8BITMIME");
	return false;
}

/* What somebody else says about who has authenticated with him is not passed on. */
static const struct parameter parameters[] = {
	{ "SIZE", take_size, 0, false },
	{ "BODY", take_body, BACKEND_8BITMIME, true },
	{ "SMTPUTF8", take_utf8, BACKEND_SMTPUTF8, true },
	{ "RET", NULL, BACKEND_DSN, true },
	{ "ENVID", NULL, BACKEND_DSN, true },
	{ "AUTH", NULL, 0, false },
};

static const struct parameter *find(const char *name)
{
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
		if (!strcasecmp(parameters[i].name, name))
			return &parameters[i];
	return NULL;
}

/*
 * What was offered holds for the session, whatever has become of the servers since: one that can
 * do it is looked for, and if there is none the sender comes again.
 */
static bool take_one(struct session *session, struct smtp_mail *mail,
		     const struct path_parameter *said)
{
	const struct parameter *known = session->esmtp ? find(said->name) : NULL;

	if (!known || known->feature & ~session->offered) {
		reply(session, 555, "5.5.4", "this parameter was not offered");
		return false;
	}
	mail->features |= known->feature;
	return !known->take || known->take(session, mail, said->value);
}

static bool take_parameters(struct session *session, struct smtp_mail *mail,
			    const struct path_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		if (!take_one(session, mail, &line->parameter[i]))
			return false;
	if (!line->path.utf8 || mail->utf8)
		return true;
	reply(session, 553, "5.6.7", "such an address needs SMTPUTF8");
	return false;
}

/* Users have sender addresses of their own (RFC 6409 6.1); bounces have none. */
static bool may_send_as(struct session *session, const struct path *from)
{
	char address[PATH_TEXT_MAX];

	if (!session->user || from->null)
		return true;
	mail_address(from, address);
	for (char *at = address; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	if (auth_may_send_as(service_parts(session->service)->auth, session->user, address))
		return true;
	record_refusal(session, SMTP_REFUSED_AUTH, address);
	reply_refusal(session, 553, "5.7.1", "this sender address is not yours");
	return false;
}

static bool takes_size(const struct session *session)
{
	unsigned int features = 0;
	uint64_t size;

	backends_offer(session_backends(session), &features, &size);
	return features & BACKEND_SIZE;
}

/* The path and what the backend is told of its parameters; owned by the caller, or NULL. */
static char *make_command(const struct session *session, const struct smtp_mail *mail,
			  const struct path_line *line)
{
	struct mail_command command;
	char size[SIZE_TEXT_MAX];

	mail_command_begin(&command, &line->path);
	snprintf(size, sizeof(size), "%" PRIu64, mail->size);
	if (mail->size && takes_size(session))
		mail_command_add(&command, "SIZE", size);
	for (size_t i = 0; i < line->count; i++) {
		const struct path_parameter *said = &line->parameter[i];
		const struct parameter *known = find(said->name);

		/* BODY=7BIT is as good as none, and not every server knows it. */
		if (known->passed && (mail->features & known->feature))
			mail_command_add(&command, said->name, said->value);
	}
	return mail_command_end(&command);
}

static void on_reply(struct backend_mail *backend, enum backend_step step, size_t number,
		     const struct backend_reply *said, void *arg)
{
	struct session *session = arg;

	(void)backend;
	(void)number;
	stream_cork(session->stream);
	if (step == BACKEND_STEP_MAIL)
		mail_answered(session, said);
	else if (step == BACKEND_STEP_RCPT)
		rcpt_answered(session, said);
	else
		delivery_answered(session, said);
	if (session->stream)
		stream_uncork(session->stream);
}

void mail_answered(struct session *session, const struct backend_reply *said)
{
	reply_backend(session, said);
	if (said->lost)
		record_turned_away(session, said);
	if (said->code / 100 != 2)
		mail_end(session);
	session_resume(session);
}

/* What is known of the client is complete. */
static void start(struct session *session)
{
	struct smtp_mail *mail = session->mail;
	const struct backend_client client = {
		.addr = session->peer,
		.local = session->local,
		.port = session->peer_port,
		.local_port = session->local_port,
		.name = session->host ? session->host : "",
		.helo = session->helo,
		.esmtp = session->esmtp,
		.login = session->user ? session->user : "",
	};

	checks_mail(session);
	mail->backend = backend_mail_start(session_backends(session), &client, mail->command,
					   mail->features, on_reply, session);
	if (mail->backend)
		return;
	mail_end(session);
	reply(session, 451, "4.3.0", "out of memory, try again later");
	session_resume(session);
}

static bool take(struct session *session, char *argument)
{
	struct smtp_mail *mail = session->mail;
	struct path_line line;
	struct error err;

	if (path_parse(argument, strlen(argument), true, &line, &err)) {
		reply(session, 501, "5.5.2", "%s", err.text);
		return false;
	}
	if (!take_parameters(session, mail, &line) || !may_send_as(session, &line.path))
		return false;
	mail->from = line.path;
	mail->command = make_command(session, mail, &line);
	if (!mail->command)
		reply(session, 451, "4.3.0", "out of memory, try again later");
	return mail->command;
}

void cmd_mail(struct session *session, char *argument)
{
	if (strncasecmp(argument, "FROM:", 5) != 0) {
		reply(session, 501, "5.5.2", "say MAIL FROM:<address>");
		return;
	}
	if (session->mail) {
		reply(session, 503, "5.5.1", "there is a transaction already");
		return;
	}
	if (!mail_new(session)) {
		reply(session, 451, "4.3.0", "out of memory, try again later");
		return;
	}
	if (!take(session, argument + 5)) {
		mail_end(session);
		return;
	}
	session_enter(session, SESSION_WAIT);
	checks_await(session, start);
}
