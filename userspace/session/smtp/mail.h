/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/mail.h - a transaction, from MAIL to its end (RFC 5321 3.3), and the recipients of
 * it. Part of session/smtp/internal.h; nobody else includes it.
 *
 * It belongs to its session, is made by MAIL, and mail_end() frees it with all that it owns.
 */
#ifndef POSTERN_SESSION_SMTP_MAIL_H
#define POSTERN_SESSION_SMTP_MAIL_H

#include <sys/queue.h>

#include "backend/backend.h"
#include "checks/sender.h"
#include "checks/spf.h"
#include "conf/conf.h"
#include "session/smtp/check.h"
#include "session/smtp/data.h"
#include "session/smtp/header.h"
#include "session/smtp/line.h"
#include "session/smtp/path.h"

struct session;
struct smtp_content;

/* What follows from it: the check that decides, and what is done. */
struct ruling {
	uint8_t check;    /* enum check */
	uint8_t action;   /* enum conf_check */
	uint16_t tags;    /* checks that are to be told in the header, as bits */
	uint16_t watched; /* checks that refuse nothing, because their action only looks; bits */
};

struct smtp_recipient {
	TAILQ_ENTRY(smtp_recipient) order;
	char *to;      /* owned: what the backend is told; the path alone once it has been taken */
	size_t length; /* of the path */
	struct conf_actions actions; /* of its domain */
	bool special;                /* it is postmaster or abuse */
	bool own;                    /* else, and its domain is ours */
	struct ruling ruling;        /* about it */
	/* Replies to what the client said next, which wait for the one to this. */
	char *behind; /* owned */
	size_t behind_size;
	unsigned int replies; /* in it */
	bool cut;             /* memory was short: one is missing */
};
TAILQ_HEAD(recipient_list, smtp_recipient);

struct smtp_mail {
	struct session *session;
	struct path from;
	char *command; /* owned: what the backend is told */
	uint64_t size; /* that was announced, or 0 */
	unsigned int features;
	bool utf8;
	struct backend_mail *backend;

	size_t recipients, accepted;
	size_t put_off;                  /* replies 4xx in it: recipients that shall come again */
	struct smtp_recipient *to;       /* owned: the one that is decided about */
	struct recipient_list under_way; /* owned: the backend has been told of them, in order */
	size_t asked;                    /* of them */
	size_t owed;                     /* replies: to them, and behind them */
	bool direct;                     /* it is the turn of what is said now */
	struct recipient_list kept; /* owned: those accepted; the first alone without checkers */

	struct spf *spf;
	struct sender *sender;
	struct dnsbl_query *domain;
	TAILQ_ENTRY(smtp_mail) spf_order;
	uint64_t spf_due; /* ms of service_now(); 0: in no list */
	finding_set findings;
	int32_t points, missing;      /* of the sender's domain, as those of the session */
	unsigned int pending;         /* of these */
	bool greylist_asked;          /* `greylist_wait` is the answer */
	uint32_t greylist_wait;       /* seconds */
	uint16_t watched;             /* checks that record_watched() has counted, as bits */
	struct ruling taken;          /* of all recipients that were accepted */
	bool exceptions;              /* of them, some are special: */
	struct conf_actions excepted; /* the strictest of their domains */

	struct smtp_data data;
	struct header_filter filter;
	struct spool *spool;
	struct smtp_content *content; /* while checkers have the message */
	uint64_t own;                 /* octets of our fields in the spool */
	uint64_t octets;              /* of the message, as the client sent it */
	uint64_t began, ended;        /* ms of service_now(): the data */
	bool started;                 /* DATA or BDAT was said */
	bool large, full;             /* it is; the spool was */
	bool turned_away;             /* no backend answers, and that was recorded */
};

/* mail.c: the transaction. */
/* A path with parameters, as the backend is told them. */
struct mail_command {
	char text[LINE_MAX_MAIL + PATH_TEXT_MAX];
	size_t length;
	bool cut; /* there was no room for all of it */
};
void mail_command_begin(struct mail_command *command, const struct path *path);
/* The value may be NULL. */
void mail_command_add(struct mail_command *command, const char *name, const char *value);
/* A copy, owned by the caller; NULL if it was cut, or memory is short. */
char *mail_command_end(struct mail_command *command);
/* "local@domain", or "" of "<>". Returns `out`. */
char *mail_address(const struct path *path, char out[PATH_TEXT_MAX]);
/* The path of the first recipient that was accepted, or "". */
const char *mail_first(const struct smtp_mail *mail);
/* NULL if memory is short. */
struct smtp_recipient *recipient_new(const struct path_line *line);
/* Nulls the pointer; NULL is allowed. */
void recipient_free(struct smtp_recipient **recipient);
/* Keeps a reply behind recipients that are under way; false if it is its turn now. */
bool mail_hold_reply(struct smtp_mail *mail, const char *line, size_t size);
struct smtp_mail *mail_new(struct session *session);
void mail_end(struct session *session);

#endif
