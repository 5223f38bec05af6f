/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/dialogue.h - one connection to a server, and the SMTP that is talked over it.
 *
 * It opens itself: connect, PROXY header, TLS, greeting, EHLO, STARTTLS, EHLO again, XCLIENT, EHLO
 * again, as far as the server's row of the configuration wants it. What is demanded and not offered
 * ends it: there is no falling back. Then its owner says commands and gets the answers in their
 * order. An answer that nobody waits for ends it as well: before TLS begins it may be somebody
 * else's (CVE-2011-0411), and later it would be taken for the answer to something else.
 *
 * Owners are called from the loop only, never from inside a call of theirs; inside of those
 * everything is allowed, also closing the dialogue. After lost() it has closed itself.
 */
#ifndef POSTERN_BACKEND_DIALOGUE_H
#define POSTERN_BACKEND_DIALOGUE_H

#include <sys/queue.h>

#include "backend/reply.h"
#include "loop/stream.h"

/* Seconds that may pass (RFC 5321 4.5.3.2, but for the opening). */
#define DIALOGUE_CONNECT_S 10u
#define DIALOGUE_OPEN_S    50u /* greeting to the last EHLO */
#define DIALOGUE_MAIL_S    300u
#define DIALOGUE_DATA_S    120u /* for 354 */
#define DIALOGUE_BLOCK_S   180u /* without an octet of the message going out */
#define DIALOGUE_DOT_S     600u
#define DIALOGUE_RSET_S    20u

#define DIALOGUE_PENDING_MAX 128 /* commands that wait for their answers */

struct dialogue;
struct backend_server;

enum dialogue_loss {
	DIALOGUE_UNREACHABLE, /* no connection */
	DIALOGUE_BUSY,        /* greeted with 4xx, or 421 before it was ready */
	DIALOGUE_BROKEN,  /* refused, silent, no SMTP, TLS that failed, closed while it opened */
	DIALOGUE_SHUT,    /* 421, or closed, when it was ready */
	DIALOGUE_REFUSED, /* it does not want the client that it was told of */
	DIALOGUE_UNFIT,   /* nor can it say so: this client is for another server */
};

/* Why a dialogue has ended: for people, and what the server said if it said something. */
struct dialogue_end {
	enum dialogue_loss loss;
	const char *why;
	const struct backend_reply *said; /* or NULL */
};

struct dialogue_owner {
	void (*ready)(struct dialogue *dialogue, void *arg);
	void (*reply)(struct dialogue *dialogue, const struct backend_reply *reply, void *arg);
	void (*drained)(struct dialogue *dialogue, void *arg); /* may be NULL */
	void (*lost)(struct dialogue *dialogue, const struct dialogue_end *end, void *arg);
};

enum dialogue_step {
	DIALOGUE_CONNECT,
	DIALOGUE_TLS, /* from the start */
	DIALOGUE_GREETING,
	DIALOGUE_EHLO,
	DIALOGUE_STARTTLS,
	DIALOGUE_HANDSHAKE,
	DIALOGUE_XCLIENT,
	DIALOGUE_READY,
	DIALOGUE_STEPS
};

struct dialogue {
	LIST_ENTRY(dialogue) all;   /* of the struct backends, also when it is dead */
	TAILQ_ENTRY(dialogue) idle; /* of the server, while nobody owns it */
	struct backend_server *server;
	struct stream *stream;
	const struct dialogue_owner *owner;
	void *arg;
	const struct backend_client *who; /* borrowed while it opens; NULL: ourselves */
	uint64_t deadline;                /* ms of the loop's clock; 0: none */
	uint64_t size_max;                /* of SIZE; 0: no limit */
	unsigned int features;            /* enum backend_feature */
	unsigned int xclient;             /* attributes that it takes */
	unsigned int untold;              /* those of them that have not been said */
	unsigned int pending;
	unsigned int transactions; /* that have begun here */
	unsigned int refusals;     /* 4xx and 5xx since it is ready */
	uint8_t step;              /* enum dialogue_step */
	bool introduced;           /* by XCLIENT */
	bool pooled;               /* it stands in the server's idle list */
	bool dead;
	struct reply_parser parser;
};

/* `who` is told to servers that want it. NULL: memory or descriptors are short. */
struct dialogue *dialogue_open(struct backend_server *server, const struct backend_client *who,
			       const struct dialogue_owner *owner, void *arg);
/* From now on somebody else owns it. */
void dialogue_give(struct dialogue *dialogue, const struct dialogue_owner *owner, void *arg);
/* One that is ready gets another client: ready() is called again if that takes an exchange. */
void dialogue_introduce(struct dialogue *dialogue, const struct backend_client *who);

static inline bool dialogue_is_ready(const struct dialogue *dialogue)
{
	return dialogue->step == DIALOGUE_READY;
}

/* Whether a command may be said now: others under way are waited for, unless PIPELINING. */
bool dialogue_may_say(const struct dialogue *dialogue);
/* Says `verb` and `argument` (one piece of text), and waits for the answer that long. */
void dialogue_say(struct dialogue *dialogue, const char *verb, const char *argument,
		  uint32_t seconds);
/* Octets of a message; an answer may come while they go out. False: lost() follows. */
bool dialogue_write(struct dialogue *dialogue, const void *data, size_t size);
/* From now on an answer is waited for that long. */
void dialogue_expect(struct dialogue *dialogue, uint32_t seconds);

/* Ends it, in order if it is ready and nothing is under way. Nulls the pointer; NULL is allowed. */
void dialogue_close(struct dialogue **dialogue);
/* Ends those whose time is up, with calls of their owners. */
void dialogue_tick(struct backends *backends, uint64_t now);

#endif
