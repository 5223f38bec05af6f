/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/cmd_simple.c - commands that are answered at once, and those that are refused.
 */
#include "session/smtp/internal.h"

void cmd_rset(struct session *session, char *argument)
{
	(void)argument;
	mail_end(session);
	reply(session, 250, "2.0.0", "forgotten");
}

void cmd_noop(struct session *session, char *argument)
{
	(void)argument;
	reply(session, 250, "2.0.0", "still here");
}

/* RFC 5321 3.5.3: whether there is such a user is told to nobody who does not send mail to him. */
void cmd_vrfy(struct session *session, char *argument)
{
	if (!*argument)
		reply(session, 501, "5.5.4", "say VRFY, and an address");
	else
		reply(session, 252, "2.5.2", "cannot tell; send mail, and it will be seen");
}

void cmd_help(struct session *session, char *argument)
{
	(void)argument;
	reply(session, 214, "2.0.0", "this is a mail gateway: see RFC 5321");
}

void cmd_quit(struct session *session, char *argument)
{
	(void)argument;
	reply_and_end(session, 221, "2.0.0", "%s: goodbye", session->rules->hostname);
}

void cmd_not_done(struct session *session, char *argument)
{
	(void)argument;
	reply(session, 502, "5.5.1", "this command is not done here");
}

/* What a client says about another client is believed from nobody. */
void cmd_xclient(struct session *session, char *argument)
{
	(void)argument;
	reply(session, 550, "5.7.0", "you are who you are");
}

void cmd_not_smtp(struct session *session, char *argument)
{
	(void)argument;
	record_refusal(session, SMTP_REFUSED_EARLY, "not SMTP");
	reply_and_end(session, 554, "5.5.0", "this is SMTP");
}
