/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/command.c - lines of commands, and the one table of what is known of each.
 *
 * Whether a command may come is said by its flags and looked at here, so a handler is only called
 * where it makes sense.
 */
#include <ctype.h>
#include <string.h>

#include "session/smtp/internal.h"
#include "session/smtp/line.h"

enum {
	NEEDS_HELO = 1,
	NEEDS_TLS = 2,  /* where it is required: users; and everybody, if configured */
	NEEDS_USER = 4, /* at services for users */
	NEEDS_MAIL = 8,
	LAST = 16,   /* of a group: the answer has to be waited for (RFC 2920 3.1) */
	COUNTS = 32, /* brings nothing on */
	ALONE = 64,  /* takes no argument */
};

struct command {
	const char *word;
	void (*run)(struct session *session, char *argument);
	unsigned int flags;
};

static const struct command commands[] = {
	{ "EHLO", cmd_ehlo, LAST | COUNTS },
	{ "HELO", cmd_helo, LAST | COUNTS },
	{ "MAIL", cmd_mail, NEEDS_HELO | NEEDS_TLS | NEEDS_USER },
	{ "RCPT", cmd_rcpt, NEEDS_MAIL },
	{ "DATA", cmd_data, NEEDS_MAIL | LAST | ALONE },
	{ "BDAT", cmd_bdat, 0 }, /* whatever is wrong, its octets follow */
	{ "RSET", cmd_rset, COUNTS | ALONE },
	{ "NOOP", cmd_noop, COUNTS | LAST },
	{ "VRFY", cmd_vrfy, NEEDS_HELO | NEEDS_TLS | COUNTS | LAST },
	{ "HELP", cmd_help, COUNTS },
	{ "QUIT", cmd_quit, LAST | ALONE },
	{ "STARTTLS", cmd_starttls, LAST | ALONE | NEEDS_HELO },
	{ "AUTH", cmd_auth, LAST | NEEDS_HELO },
	{ "XCLIENT", cmd_xclient, 0 },
	{ "XFORWARD", cmd_xclient, 0 },
	{ "EXPN", cmd_not_done, COUNTS | LAST },
	{ "TURN", cmd_not_done, LAST },
	{ "ETRN", cmd_not_done, COUNTS },
	{ "SEND", cmd_not_done, 0 },
	{ "SOML", cmd_not_done, 0 },
	{ "SAML", cmd_not_done, 0 },
	/* A browser that somebody sent here, with commands in what it posts. */
	{ "GET", cmd_not_smtp, 0 },
	{ "POST", cmd_not_smtp, 0 },
	{ "PUT", cmd_not_smtp, 0 },
	{ "HEAD", cmd_not_smtp, 0 },
	{ "OPTIONS", cmd_not_smtp, 0 },
	{ "CONNECT", cmd_not_smtp, 0 },
};

static const struct command *find(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].word) == length &&
		    !strncasecmp(commands[i].word, word, length))
			return &commands[i];
	return NULL;
}

static bool is_for_users(const struct session *session)
{
	return session->kind != CONF_SERVICE_MX;
}

static bool tls_required(const struct session *session)
{
	return is_for_users(session) || session->rules->conf->tls.required;
}

/* Says what stands in the way of a command; false if nothing does. */
static bool is_out_of_place(struct session *session, const struct command *command,
			    const char *argument)
{
	const unsigned int flags = command->flags;

	if (flags & ALONE && *argument)
		reply(session, 501, "5.5.4", "%s takes no argument", command->word);
	else if (flags & NEEDS_HELO && !session->helo)
		reply(session, 503, "5.5.1", "say EHLO first");
	else if (flags & NEEDS_TLS && tls_required(session) && !session->secured)
		reply(session, 530, "5.7.0", "say STARTTLS first");
	else if (flags & NEEDS_USER && is_for_users(session) && !session->user)
		reply(session, 530, "5.7.0", "authenticate first");
	else if (flags & NEEDS_MAIL && !session->mail)
		reply(session, 503, "5.5.1", "say MAIL first");
	else
		return false;
	return true;
}

/*
 * RFC 2920 3.1: behind the last of a group the client has to wait for the answer, and before EHLO
 * has offered it there are no groups. Whoever does not wait does not listen, either.
 */
static bool is_pipelined(struct session *session, const struct command *command)
{
	const enum conf_check action = session->rules->conf->check.pipelining;
	size_t behind;

	stream_input(session->stream, &behind);
	if (!behind || (session->esmtp && !(command->flags & LAST)))
		return false;
	if (action == CONF_CHECK_MONITOR || action == CONF_CHECK_TAG)
		record_watched(session, CHECK_PIPELINING, CONF_CHECK_REJECT, command->word);
	if (action != CONF_CHECK_REJECT && action != CONF_CHECK_DEFER)
		return false;
	record_ruling(session, action, SMTP_REFUSED_EARLY, command->word);
	if (action == CONF_CHECK_DEFER)
		reply_and_end(session, 421, "4.5.0", "%s: you did not wait for the answer",
			      session->rules->hostname);
	else
		reply_and_end(session, 554, "5.5.0", "you did not wait for the answer to %s",
			      command->word);
	return true;
}

/* Blanks around the argument are taken off. */
static char *argument_of(char *text)
{
	size_t length;

	while (*text == ' ' || *text == '\t')
		text++;
	length = strlen(text);
	while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		text[--length] = '\0';
	return text;
}

static void run(struct session *session, char *line)
{
	const size_t length = strcspn(line, " \t");
	const struct command *command = find(line, length);
	char *argument = argument_of(line + length);

	if (!command) {
		reply(session, 500, "5.5.2", "no such command");
		return;
	}
	if (is_pipelined(session, command))
		return;
	if (command->flags & COUNTS)
		session->junk++;
	if (!is_out_of_place(session, command, argument))
		command->run(session, argument);
}

/* How long the line that begins here may be. */
static size_t line_max(const struct session *session, const uint8_t *input, size_t size)
{
	static const struct {
		const char *word;
		size_t max;
	} longer[] = {
		{ "MAIL", LINE_MAX_MAIL },
		{ "RCPT", LINE_MAX_MAIL },
		{ "AUTH", LINE_MAX_AUTH },
	};

	if (session->state == SESSION_AUTH)
		return LINE_MAX_AUTH;
	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]) && size >= 4; i++)
		if (!strncasecmp((const char *)input, longer[i].word, 4))
			return longer[i].max;
	return LINE_MAX_BASE;
}

static void refuse_line(struct session *session, enum line_result result)
{
	if (result == LINE_BARE)
		reply(session, 500, "5.5.2",
		      "a line ends in CR LF, and has neither of them, nor "
		      "NUL, before");
	else
		reply(session, 500, "5.5.2", "line too long");
}

/* What is left of a line that was too long; it has been refused. */
static bool skip(struct session *session, const uint8_t *input, size_t size)
{
	const uint8_t *lf = memchr(input, '\n', size);

	stream_take(session->stream, lf ? (size_t)(lf - input) + 1 : size);
	session->skipping = !lf;
	return lf != NULL;
}

enum line_result command_line(struct session *session, char out[LINE_MAX_AUTH])
{
	size_t size, length;
	const uint8_t *input = stream_input(session->stream, &size);
	enum line_result result;

	if (session->skipping && size && !skip(session, input, size))
		return LINE_MORE;
	input = stream_input(session->stream, &size);
	if (!size)
		return LINE_MORE;
	result = line_find(input, size, line_max(session, input, size), &length);
	if (result == LINE_MORE)
		return LINE_MORE;
	if (result == LINE_WHOLE) {
		memcpy(out, input, length - 2);
		out[length - 2] = '\0';
	} else {
		refuse_line(session, result);
		session->skipping = !length;
	}
	stream_take(session->stream, length ? length : size);
	return result;
}

/* Ends a session that only makes mistakes, or only passes the time. */
static bool is_used_up(struct session *session)
{
	const struct conf *conf = session->rules->conf;
	const char *what;

	if (session->errors >= conf->smtp.errors_max)
		what = "errors";
	else if (session->junk > conf->smtp.commands_max)
		what = "commands";
	else if (session->mail && session->mail->put_off > conf->smtp.recipients_max)
		what = "recipients"; /* who heard 452 for as many as were taken may say DATA yet */
	else
		return false;
	record_refusal(session, SMTP_REFUSED_ERRORS, NULL);
	reply_and_end(session, 421, "4.7.0", "%s: too many %s", session->rules->hostname, what);
	return true;
}

/* A whole line, as far as can be seen. */
static bool is_recipient(const uint8_t *input, size_t size)
{
	static const char word[] = "RCPT ";

	return size >= sizeof(word) && !strncasecmp((const char *)input, word, sizeof(word) - 1) &&
	       memchr(input, '\n', size);
}

/*
 * Recipients that the client names without waiting go on to the backend without waiting, too.
 * Everything else waits until all of them are answered.
 */
bool group_input(struct session *session)
{
	char line[LINE_MAX_AUTH];
	enum line_result result;
	size_t size;
	const uint8_t *input = stream_input(session->stream, &size);

	if (session->skipping || !is_recipient(input, size) || !rcpt_has_room(session))
		return false;
	result = command_line(session, line);
	if (result == LINE_WHOLE)
		run(session, line);
	return result != LINE_MORE;
}

bool command_input(struct session *session)
{
	char line[LINE_MAX_AUTH];
	enum line_result result;

	if (is_used_up(session))
		return false;
	result = command_line(session, line);
	if (result == LINE_WHOLE) {
		service_set_deadline(session, DEADLINE_COMMAND);
		run(session, line);
	}
	return result != LINE_MORE;
}
