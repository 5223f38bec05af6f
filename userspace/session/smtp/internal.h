/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/internal.h - a session and its transaction, shared by the files of session/smtp.
 * Nobody else includes it.
 *
 * A session is in one state, which session_enter() alone changes. A command that has to wait leaves
 * the session in SESSION_WAIT, takes no more input, and ends with session_resume(). What a
 * transaction needs is allocated by MAIL and freed when it ends, so that an idle session is small.
 */
#ifndef POSTERN_SESSION_SMTP_INTERNAL_H
#define POSTERN_SESSION_SMTP_INTERNAL_H

#include <sys/queue.h>

#include "checks/helo.h"
#include "checks/sender.h"
#include "checks/spf.h"
#include "policy/score.h"
#include "session/smtp/data.h"
#include "session/smtp/path.h"
#include "session/smtp/smtp.h"

#define SESSION_HELO_MAX    1024 /* octets of a HELO name that is kept */
#define SESSION_GREETED_MS  300  /* that a refused client has to say QUIT before it is cut off */
#define SERVICE_TICK_MS     250u
#define SERVICE_TLS_S       30u /* a handshake may take */
#define SERVICE_CLOSE_S     10u /* a refused session may take to end */
#define SERVICE_RATE_S      30u /* of a message, before its rate is looked at */

enum session_state {
	SESSION_CONNECT, /* waits for the verdict, and for the time of the greeting */
	SESSION_COMMAND, /* a command may come */
	SESSION_WAIT,    /* one is under way */
	SESSION_DATA,
	SESSION_CHUNK,   /* of BDAT */
	SESSION_MESSAGE, /* the backend has it */
	SESSION_AUTH,    /* a line of the exchange may come */
	SESSION_TLS,     /* the handshake */
	SESSION_REFUSED, /* only QUIT is of use */
	SESSION_CLOSING, /* what is queued goes out */
	SESSION_STATES
};

/* Sessions of one deadline stand in the order of it, because all have the same time. */
enum session_deadline {
	DEADLINE_NONE,
	DEADLINE_GREETING,
	DEADLINE_COMMAND,
	DEADLINE_DATA,
	DEADLINE_TLS,
	DEADLINE_CLOSE,
	DEADLINES
};

TAILQ_HEAD(session_list, session);

struct session {
	struct smtp_service *service;
	struct stream *stream;
	TAILQ_ENTRY(session) all, timed;
	uint64_t deadline; /* ms of the loop's clock */
	uint64_t began;    /* likewise */
	uint64_t id;       /* lookup id */
	struct addr peer, local;
	uint16_t peer_port, local_port;
	uint8_t state, timer; /* enum session_state, enum session_deadline */
	uint8_t kind;         /* enum conf_service */
	bool esmtp, secured, early, drained;
	uint16_t errors, junk, auth_failures;
	uint16_t transactions;

	char *helo; /* owned; NULL until it was said */
	char *user; /* owned; NULL until AUTH succeeded */
	struct guard_wait *wait;
	struct verdict verdict;
	bool judged; /* `verdict` is one */
	struct smtp_checks *checks;    /* of the HELO name (checks.c) */
	struct auth_exchange *auth;    /* while it is under way */
	struct smtp_mail *mail;        /* the transaction, or NULL */
	void (*resumed)(struct session *session); /* what goes on in SESSION_WAIT */
};

struct smtp_recipient {
	char *path; /* owned */
	bool accepted, exempt;
};

struct smtp_mail {
	struct session *session;
	struct path from;
	uint64_t size; /* that was announced */
	unsigned int features;
	struct backend_mail *backend;
	bool answered; /* the backend has answered MAIL */

	struct smtp_recipient *recipient; /* owned */
	size_t recipients, accepted;
	struct path to; /* the one under way */

	struct spf *spf;
	struct sender *sender;
	struct dnsbl_query *domains;
	unsigned int pending;
	struct score_input input;
	struct score score;
	char problem[SPF_EXPLANATION_MAX]; /* what SPF says to the sender */

	struct smtp_data data;
	struct smtp_header *header;
	struct spool *spool;
	uint64_t octets;  /* of the message, as the client sent it */
	uint64_t chunk;   /* that are to come of BDAT's chunk */
	bool last, chunked, full, large;
	uint64_t data_began, data_ended; /* ms of the loop's clock */
};

/* session.c */
void session_start(struct smtp_service *service, struct stream *stream, uint16_t kind,
		   const struct addr *peer, uint16_t peer_port, const struct addr *local,
		   uint16_t local_port);
void session_enter(struct session *session, enum session_state state);
/* A command that waited is done; goes on with the input. */
void session_resume(struct session *session);
/* Goes on with what has been said already. */
void session_run(struct session *session);
/* Says nothing more. The session is gone when it returns. */
void session_free(struct session *session);
void session_deadline_passed(struct session *session);
void session_drain(struct session *session);

/* reply.c: "CODE ENHANCED text"; the text is printable, and cut to fit a line. */
__attribute__((format(printf, 4, 5))) void reply(struct session *session, unsigned int code,
						 const char *enhanced, const char *format, ...);
void reply_lines(struct session *session, unsigned int code, const char *const *line,
		 size_t count);
void reply_backend(struct session *session, const struct backend_reply *said);
void reply_greeting(struct session *session);
/* Says goodbye, and ends the session when that has gone out. */
__attribute__((format(printf, 4, 5))) void reply_and_close(struct session *session,
							   unsigned int code, const char *enhanced,
							   const char *format, ...);

/* command.c */
void command_run(struct session *session, char *line);

/* service.c */
void service_set_deadline(struct session *session, enum session_deadline deadline);
const struct conf *service_conf(const struct smtp_service *service);
struct relay *service_relay(const struct smtp_service *service);
struct tls_context *service_tls(const struct smtp_service *service);
const struct smtp_service_options *service_parts(const struct smtp_service *service);
struct smtp_stats *service_stats(struct smtp_service *service);
struct spool_limits *service_spool(struct smtp_service *service);
const char *service_hostname(const struct smtp_service *service);
void service_refused(struct session *session, enum smtp_refusal why, const char *detail);
void service_add(struct smtp_service *service, struct session *session);
void service_remove(struct session *session);

#endif
