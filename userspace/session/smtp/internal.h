/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/smtp/internal.h - a session and its transaction, shared by the files of session/smtp.
 * Nobody else includes it.
 *
 * A session is in one state, which session_enter() alone changes. A command that has to wait leaves
 * the session in SESSION_WAIT, where no input is taken, and ends by session_resume(). What a
 * transaction needs is allocated by MAIL and freed when it ends, so that an idle session is small.
 *
 * A session that has ended has let go of everything that could call it back, and is freed by the
 * service's next tick. So any function may end it, and whoever called that may look at it still.
 */
#ifndef POSTERN_SESSION_SMTP_INTERNAL_H
#define POSTERN_SESSION_SMTP_INTERNAL_H

#include <sys/queue.h>

#include "checks/helo.h"
#include "checks/rdns.h"
#include "policy/greylist.h"
#include "policy/score.h"
#include "session/own.h"
#include "session/smtp/mail.h"
#include "session/smtp/smtp.h"

#define SESSION_OUTPUT_MAX  (64u << 10) /* octets of replies that wait for a client to read them */
#define SESSION_GROUP_MAX   100u        /* replies that wait for a backend's to recipients */
#define SESSION_TRIES_MAX   3           /* to authenticate */
#define SESSION_REFUSED_MAX 5           /* commands of a client that was refused already */
#define SERVICE_TICK_MS     250u
#define SERVICE_SLOW_MS     3000u  /* that a client with a bad score waits for the greeting */
#define SERVICE_TLS_MS      30000u /* a handshake may take */
#define SERVICE_REFUSED_MS  5000u  /* a refused client has to say QUIT */
#define SERVICE_RATE_MS     30000u /* of a message, before its rate is looked at */
#define SERVICE_DRAIN_MS    30000u /* for what is under way when the service ends */

enum session_state {
	SESSION_CONNECT, /* waits for the verdict, and for the time of the greeting */
	SESSION_COMMAND, /* a command may come */
	SESSION_WAIT,    /* one is under way */
	SESSION_GROUP,   /* recipients are, and others may come */
	SESSION_DATA,
	SESSION_CHUNK,   /* of BDAT */
	SESSION_CONTENT, /* a checker has the message */
	SESSION_MESSAGE, /* the backend has it */
	SESSION_AUTH,    /* a line of the exchange may come */
	SESSION_TLS,     /* the handshake */
	SESSION_REFUSED, /* only QUIT is of use */
	SESSION_ENDED,
	SESSION_STATES
};

/*
 * Sessions of one deadline stand in the order in which it was set. All have the same time, so it is
 * the order in which they are due; only a pause is of any length, and put in its place.
 */
enum session_deadline {
	DEADLINE_NONE,
	DEADLINE_VERDICT,
	DEADLINE_GREETING,
	DEADLINE_SLOW,
	DEADLINE_COMMAND,
	DEADLINE_DATA,
	DEADLINE_CONTENT,
	DEADLINE_TLS,
	DEADLINE_REFUSED,
	DEADLINE_PAUSE, /* set by service_pause() */
	DEADLINES
};

/* Closed when the last rules that name them are gone. */
struct session_backends {
	unsigned int references;
	struct backends *backends;
};

/* What can be reloaded, as a session has it from its beginning to its end. Counted. */
struct session_rules {
	unsigned int references;
	struct conf *conf;
	struct relay *relay;
	struct tls_context *tls;
	struct session_backends *servers;
	struct score_rules score;
	struct unknowns_rules unknowns;
	struct conf_actions usual;  /* where no recipient is known */
	struct conf_actions wanted; /* the strictest that any recipient's domain has */
	char hostname[CONF_DOMAIN_MAX];
};

struct session {
	struct smtp_service *service;
	struct session_rules *rules;
	struct stream *stream; /* NULL: it has ended */
	TAILQ_ENTRY(session) all, timed;
	uint64_t began, since; /* ms of service_now(): the session, and its deadline */
	uint64_t id;           /* lookup id */
	struct addr peer, local;
	uint16_t peer_port, local_port;
	uint8_t state, deadline, kind; /* enum session_state, session_deadline, conf_service */
	bool esmtp : 1;                /* EHLO was said */
	bool secured : 1;
	bool exempt : 1; /* from what is asked about strangers: it is trusted, or allowed */
	bool early : 1;  /* it talked before the greeting, and was let go on */
	bool eof : 1;    /* it says no more */
	bool old : 1;    /* its time is over, as soon as nothing is under way */
	bool judged : 1; /* `verdict` is one */
	bool noted : 1;  /* the guard knows what became of it */
	bool running : 1;
	bool skipping : 1; /* the rest of a line that was too long */
	bool told : 1;     /* a refusal is in the log */
	bool spared : 1;   /* by monitor mode: its unknown recipients are too many, and told of */
	uint8_t admitted;  /* levels at which it counts: admission_enter() */
	uint16_t errors, junk, refused, auth_failures;
	uint16_t offered; /* enum backend_feature, in answer to EHLO */
	uint16_t messages;
	uint16_t watched;     /* checks that record_watched() has counted, as bits */
	struct ruling ruling; /* about the client */

	char *helo; /* owned; NULL until it was said */
	char *user; /* owned; NULL until AUTH succeeded */
	char *host; /* owned; the confirmed host name, or NULL */
	struct guard_wait *wait;
	struct verdict verdict;
	finding_set findings;       /* about the client */
	int32_t points;             /* of the HELO name on lists of domains */
	int32_t missing;            /* what such lists might have said for it: see struct verdict */
	unsigned int pending;       /* checks under way */
	struct smtp_checks *checks; /* while they are */
	struct smtp_login *login;   /* an exchange under way */
	struct smtp_mail *mail;     /* the transaction, or NULL */
	uint64_t chunk, chunk_size; /* octets of BDAT's chunk: that are to come, and all */
	bool chunk_last, chunk_wanted;
	void (*resumed)(struct session *session); /* when no check is under way any more */
};
_Static_assert(sizeof(struct session) <= 512, "smtp: an idle session is small");

/* session.c */
void session_start(struct smtp_service *service, unsigned int kind, struct stream *stream,
		   const struct addr *peer, uint16_t peer_port, const struct addr *local,
		   uint16_t local_port);
void session_enter(struct session *session, enum session_state state);
/* Takes input, if the state of the session does. */
void session_run(struct session *session);
/* A command that waited is done: takes the next one. */
void session_resume(struct session *session);
void session_deadline_passed(struct session *session, enum session_deadline deadline);
/* Says 421, if nothing is under way; else that is let finish. */
void session_retire(struct session *session);
void session_free(struct session *session);

/* admit.c: whether lists and limits let the client in; else it has been refused. */
bool admit_client(struct session *session);

/* connect.c */
void connect_begin(struct session *session);
/* The time of the greeting has come. */
void connect_greet(struct session *session);
void connect_secured(struct session *session);
bool connect_input(struct session *session);
bool connect_refused_input(struct session *session);

/* reply.c: "CODE ENHANCED text"; the text is printable, and cut to fit a line. */
__attribute__((format(printf, 4, 5))) void reply(struct session *session, unsigned int code,
						 const char *enhanced, const char *format, ...);
/* One line of several, without an enhanced code; `more` says whether others follow. */
__attribute__((format(printf, 4, 5))) void reply_line(struct session *session, unsigned int code,
						      bool more, const char *format, ...);
void reply_backend(struct session *session, const struct backend_reply *said);
/* Says it, and ends the session. */
__attribute__((format(printf, 4, 5))) void reply_and_end(struct session *session, unsigned int code,
							 const char *enhanced, const char *format,
							 ...);
/* A refusal that is in the log: the text is followed by the lookup id. */
void reply_refusal(struct session *session, unsigned int code, const char *enhanced,
		   const char *text);
/* Makes printable ASCII of it. */
void reply_clean(char *text);
/* What a refusal by a check is told. */
void reply_ruling(struct session *session, const struct ruling *ruling, const char *detail);

/* command.c */
bool command_input(struct session *session);
bool group_input(struct session *session);
/* Takes a line, and gives it without its CR LF; what is no proper line has been refused. */
enum line_result command_line(struct session *session, char out[LINE_MAX_AUTH]);

/* Commands: `argument` is what stands behind the word, without blanks around it. */
void cmd_helo(struct session *session, char *argument);
void cmd_ehlo(struct session *session, char *argument);
void cmd_mail(struct session *session, char *argument);
void cmd_rcpt(struct session *session, char *argument);
void cmd_data(struct session *session, char *argument);
void cmd_bdat(struct session *session, char *argument);
void cmd_rset(struct session *session, char *argument);
void cmd_noop(struct session *session, char *argument);
void cmd_vrfy(struct session *session, char *argument);
void cmd_help(struct session *session, char *argument);
void cmd_quit(struct session *session, char *argument);
void cmd_starttls(struct session *session, char *argument);
void cmd_auth(struct session *session, char *argument);
void cmd_not_done(struct session *session, char *argument);
void cmd_xclient(struct session *session, char *argument);
void cmd_not_smtp(struct session *session, char *argument);

/* cmd_auth.c */
bool auth_input(struct session *session);
void auth_pause_over(struct session *session);
void auth_forget(struct session *session);
bool auth_offered(const struct session *session);

/* cmd_starttls.c: the state of SESSION_TLS; false if it cannot begin. */
bool tls_begin(struct session *session);
void tls_secured(struct session *session);

/* cmd_data.c, cmd_bdat.c */
/* Whether there is somebody to send it to; else the client is told that there is not. */
bool has_recipients(struct session *session);
bool data_input(struct session *session);
bool chunk_input(struct session *session);

/* cmd_rcpt.c: whether another recipient may go on before those under way are answered. */
bool rcpt_has_room(const struct session *session);
/* remembered.c: recipients that a backend does not know. */
/* Takes what the backend has said to a recipient. */
void remember(struct session *session, const struct smtp_recipient *to,
	      const struct backend_reply *said);
/* Whether it need not be asked; then `out` is what it has said. */
bool remembered(struct session *session, const struct smtp_recipient *to,
		struct unknowns_answer *out);
#define REMEMBERED_TEXT_MAX (BACKEND_REPLY_MAX + 64)
/* The detail of such a refusal. Returns `out`. */
const char *remembered_text(const struct unknowns_answer *answer, char out[REMEMBERED_TEXT_MAX]);
/* cmd_mail.c, cmd_rcpt.c, delivery.c: what the backend said. */
void mail_answered(struct session *session, const struct backend_reply *said);
void rcpt_answered(struct session *session, const struct backend_reply *said);
void delivery_answered(struct session *session, const struct backend_reply *said);

/* delivery.c: the message. */
/* Makes what it is kept in; false if memory is short. */
bool delivery_begin(struct session *session, bool chunked);
/* Takes input; returns how much. The session has ended if that was too much, or too slow. */
size_t delivery_feed(struct session *session, const uint8_t *input, size_t size);
/* Says what speaks against it, as far as is known; false if nothing does. */
bool delivery_refuse(struct session *session);
/* It is complete: refuses it, or has it checked, and hands it over. */
void delivery_end(struct session *session);
void delivery_hand_over(struct session *session);
/* The client has been told that it is refused. */
void delivery_over(struct session *session);
void delivery_free(struct smtp_mail *mail);

/* content.c: checkers of the message; those that let it pass hand it over. */
void content_begin(struct session *session);
/* The time of the one that has it is over. */
void content_late(struct session *session);
void content_end(struct smtp_mail *mail);

/* checks.c: what is found out about a client that has said HELO, and about a sender. */
bool checks_wanted(const struct session *session);
void checks_hello(struct session *session);
void checks_mail(struct session *session);
void checks_mail_end(struct smtp_mail *mail);
/* The time of SPF is over. */
void checks_spf_late(struct smtp_mail *mail);
void checks_end(struct session *session);
/* Calls `next` when no check is under way any more: at once, or later. */
void checks_await(struct session *session, void (*next)(struct session *session));

/* ruling.c: what follows, by the actions of a recipient's domain. Pure. */
struct ruling ruling_of_client(const struct session *session, const struct conf_actions *actions);
struct ruling ruling_of_mail(const struct session *session, const struct conf_actions *actions);
/* What the score of client, HELO name and sender comes to. */
enum decision ruling_decision(const struct session *session);
/* It is rejected by its address and its HELO name, whoever the sender is that it names. */
bool ruling_blames_client(const struct session *session);
/* The score that a check goes by, and what it is made of: that of the address, or of the whole. */
struct ruling_sum {
	int32_t total;
	int32_t lists; /* points of DNS lists in it */
	finding_set findings;
};
struct ruling_sum ruling_sum(const struct session *session, enum check check);
/* Notes what a check has found. */
void ruling_find(struct ruling *ruling, bool found, enum check check, enum conf_check action);
/* Notes all that another ruling has. */
void ruling_add(struct ruling *ruling, const struct ruling *more);
/* Whether it is a refusal. */
bool ruling_refuses(const struct ruling *ruling);

/* greylisting.c: adds to the ruling about a recipient, when that is complete otherwise. */
#define GREYLISTING_TEXT_MAX 40
void greylisting_find(struct session *session, const struct conf_actions *actions,
		      struct ruling *ruling);
/* What a sender who was found is told. Returns `out`. */
const char *greylisting_text(const struct smtp_mail *mail, char out[GREYLISTING_TEXT_MAX]);

/* service.c */
uint64_t service_now(void); /* ms */
void service_set_deadline(struct session *session, enum session_deadline deadline);
void service_pause(struct session *session, uint32_t ms);
const struct smtp_service_options *service_parts(const struct smtp_service *service);
struct session_rules *service_rules(struct smtp_service *service); /* a new reference */
void session_rules_unref(struct session_rules *rules);
static inline struct backends *session_backends(const struct session *session)
{
	return session->rules->servers->backends;
}
const struct own *service_own(const struct smtp_service *service);
struct smtp_stats *service_stats(struct smtp_service *service);
bool service_draining(const struct smtp_service *service);
void service_add(struct session *session);
void service_remove(struct session *session);
void service_retire(struct session *session); /* moves it behind those whose time is over */
void service_spf_add(struct smtp_mail *mail, uint64_t ms);
void service_spf_remove(struct smtp_mail *mail);
/* What the timer does; tests call it. */
void service_tick(struct smtp_service *service);

/* Neither trusted, nor allowed, nor a user. */
static inline bool session_is_stranger(const struct session *session)
{
	return !session->exempt && !session->user;
}

static inline void stat_add(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

/* records.c: lines of the log, and counts. Texts may be NULL. */
void record_refusal(struct session *session, enum smtp_refusal why, const char *detail);
/* The same of what a check has led to: whoever is told to come again may do so. */
void record_ruling(struct session *session, enum conf_check action, enum smtp_refusal why,
		   const char *detail);
/*
 * A check would have refused, did its action not only look: CONF_CHECK_REJECT or CONF_CHECK_DEFER.
 * Counted once for a transaction, or for a session where that would have ended it.
 */
void record_watched(struct session *session, enum check check, enum conf_check would,
		    const char *detail);
/* The same of all that a ruling has watched, which refuses nothing itself. */
void record_all_watched(struct session *session, const struct ruling *ruling);
/* What no backend was there for; once for a transaction. */
void record_turned_away(struct session *session, const struct backend_reply *said);
/* Who would have been refused by a list or a limit, but for monitor mode. */
void record_admitted(struct session *session, enum smtp_refusal why, const char *detail);
void record_session(struct session *session);
void record_message(struct session *session, const struct backend_reply *said);
/* What a checker has found, and what follows; and that it asked for a field that is none. */
void record_content(const struct session *session, const char *checker, enum content_answer answer,
		    enum content_answer done);
void record_content_field(const struct session *session, const char *checker);

#endif
