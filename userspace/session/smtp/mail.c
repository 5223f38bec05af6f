/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/mail.c - a transaction, from MAIL to its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/smtp/internal.h"

struct smtp_mail *mail_new(struct session *session)
{
	struct smtp_mail *mail = calloc(1, sizeof(*mail));

	if (!mail)
		return NULL;
	mail->session = session;
	TAILQ_INIT(&mail->under_way);
	TAILQ_INIT(&mail->kept);
	session->mail = mail;
	return mail;
}

static void free_recipients(struct recipient_list *list)
{
	struct smtp_recipient *recipient;

	while ((recipient = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, recipient, order);
		recipient_free(&recipient);
	}
}

void mail_end(struct session *session)
{
	struct smtp_mail *mail = session->mail;

	if (!mail)
		return;
	session->mail = NULL;
	content_end(mail);
	backend_mail_end(&mail->backend);
	checks_mail_end(mail);
	delivery_free(mail);
	recipient_free(&mail->to);
	free_recipients(&mail->under_way);
	free_recipients(&mail->kept);
	free(mail->command);
	free(mail);
}

const char *mail_first(const struct smtp_mail *mail)
{
	const struct smtp_recipient *first = TAILQ_FIRST(&mail->kept);

	return first ? first->to : "";
}

char *mail_address(const struct path *path, char out[PATH_TEXT_MAX])
{
	out[0] = '\0';
	if (!path->null)
		snprintf(out, PATH_TEXT_MAX, "%s@%s", path->local, path->domain);
	return out;
}

static void add(struct mail_command *command, const char *before, const char *text)
{
	const size_t left = sizeof(command->text) - command->length;
	const int length = snprintf(command->text + command->length, left, "%s%s", before, text);

	if (length < 0 || (size_t)length >= left)
		command->cut = true;
	else
		command->length += (size_t)length;
}

void mail_command_begin(struct mail_command *command, const struct path *path)
{
	command->length = 0;
	command->cut = false;
	add(command, "", path->text);
}

void mail_command_add(struct mail_command *command, const char *name, const char *value)
{
	add(command, " ", name);
	if (value)
		add(command, "=", value);
}

char *mail_command_end(struct mail_command *command)
{
	return command->cut ? NULL : strdup(command->text);
}

/* The path and its parameters. */
struct smtp_recipient *recipient_new(const struct path_line *line)
{
	struct smtp_recipient *recipient = calloc(1, sizeof(*recipient));
	struct mail_command command;

	if (!recipient)
		return NULL;
	mail_command_begin(&command, &line->path);
	recipient->length = command.length;
	for (size_t i = 0; i < line->count; i++)
		mail_command_add(&command, line->parameter[i].name, line->parameter[i].value);
	recipient->to = mail_command_end(&command);
	if (!recipient->to)
		recipient_free(&recipient);
	return recipient;
}

void recipient_free(struct smtp_recipient **recipient)
{
	if (!*recipient)
		return;
	free((*recipient)->behind);
	free((*recipient)->to);
	free(*recipient);
	*recipient = NULL;
}

bool mail_hold_reply(struct smtp_mail *mail, const char *line, size_t size)
{
	struct smtp_recipient *last = TAILQ_LAST(&mail->under_way, recipient_list);
	char *grown;

	if (!last || mail->direct)
		return false;
	grown = realloc(last->behind, last->behind_size + size);
	if (!grown) {
		last->cut = true;
		return true;
	}
	memcpy(grown + last->behind_size, line, size);
	last->behind = grown;
	last->behind_size += size;
	last->replies++;
	mail->owed++;
	return true;
}
