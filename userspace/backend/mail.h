/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/mail.h - a transaction, shared by mail.c, mail_talk.c and mail_data.c.
 *
 * It remembers all that its owner has said, to say it again elsewhere, and what the owner has been
 * told. What belongs to one connection is in `on`, and begins anew with the next.
 */
#ifndef POSTERN_BACKEND_MAIL_H
#define POSTERN_BACKEND_MAIL_H

#include "backend/internal.h"

#define MAIL_QUEUE_MAX (128u << 10) /* octets of a message that wait for the server */

enum mail_data {
	MAIL_DATA_NONE,
	MAIL_DATA_ASKED,  /* DATA was said */
	MAIL_DATA_STREAM, /* the message goes out */
	MAIL_DATA_DOT,    /* it has, with the final dot */
};

struct mail_recipient {
	char *to;      /* owned */
	uint16_t told; /* the code; 0: nothing yet */
};

struct backend_mail {
	LIST_ENTRY(backend_mail) all;
	TAILQ_ENTRY(backend_mail) due;
	struct backends *backends; /* NULL: they are closed */
	struct backend_client who;
	char *words; /* owned: what `who` and `from` point to */
	const char *from;
	unsigned int features;
	backend_reply_cb cb;
	void *arg;

	struct mail_recipient *recipient; /* owned */
	size_t count, room, accepted;
	uint16_t mail_told; /* the code; 0: nothing yet */
	struct spool *message;
	bool message_told;

	uint32_t tried; /* servers that have failed, as bits */
	uint32_t anew;  /* servers of which a connection has ended that had worked, as bits */
	bool fresh;     /* the next connection has to be a new one */
	const struct backend_reply
		*failure;              /* what is answered to everything, once it has failed */
	struct backend_reply *refusal; /* owned; what `failure` may point to */
	bool is_due, ended;
	uint8_t calls;

	struct dialogue *dialogue;
	struct backend_server *server;
	struct {
		bool reused, heard; /* something has been answered here */
		bool mail_said, mail_answered, begun;
		size_t said, answered; /* recipients, counting those that are not said again */
		enum mail_data data;
		uint64_t offset;
		uint8_t last; /* octet of the message that went out */
	} on;
};

/* mail.c */
/* Calls the owner, who may end the transaction; whoever calls this holds it. */
void mail_tell(struct backend_mail *mail, enum backend_step step, size_t number,
	       const struct backend_reply *reply);
void mail_tell_message(struct backend_mail *mail, const struct backend_reply *reply);
void mail_hold(struct backend_mail *mail);
void mail_release(struct backend_mail *mail);
/* It is looked at again, from the loop. */
void mail_later(struct backend_mail *mail);
/* From now on everything is answered with this, soon. `failure` stays valid. */
void mail_fail(struct backend_mail *mail, const struct backend_reply *failure);

/* mail_talk.c */
extern const struct backend_reply mail_no_server, mail_no_recipient, mail_cannot_read;
void mail_connect(struct backend_mail *mail);
/* Says what can be said now. */
void mail_go(struct backend_mail *mail);
/* All that was said is answered. */
bool mail_is_answered(const struct backend_mail *mail);
/* The server does what it must not. */
void mail_broken(struct backend_mail *mail, const char *why);
/* The message's end: the connection goes back, and the owner is told. */
void mail_finish(struct backend_mail *mail, const struct backend_reply *reply);

/* mail_data.c */
void mail_data_answer(struct backend_mail *mail, const struct backend_reply *reply);
void mail_data_stream(struct backend_mail *mail);
/* Lost after the final dot. Nobody knows what has become of it, unless the server said so. */
void mail_data_ambiguous(struct backend_mail *mail, const struct backend_reply *said);

#endif
