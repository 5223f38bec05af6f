/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/unit/backend_fixture.h - mail servers that play scripts, on the loop of the test, and what
 * the owner of a transaction was told.
 *
 * A script is lines of text for one connection:
 *
 *   S: 250 ok      says a line
 *   C: MAIL ...    waits for exactly this line
 *   R: 25|         says these octets; "|" is CR LF
 *   F: 1000        says so many octets "a"
 *   D              takes a message, into `message`
 *   P: TEXT        takes a PROXY header: "local", or source and destination
 *   T              begins TLS, and goes on inside
 *   E              ends the connection; X: with a reset
 *   -              waits until the loop has nothing to do
 *
 * At its end a connection waits; QUIT is understood there. The first connection is that of the
 * probe at the start and plays the script `hello`. Nothing happens by time: tests tick themselves.
 */
#ifndef POSTERN_TESTS_BACKEND_FIXTURE_H
#define POSTERN_TESTS_BACKEND_FIXTURE_H

#include "backend/mail.h"
#include "loop/listener.h"
#include "loop/tls.h"

#define SCRIPTS_MAX 8
#define SERVERS_MAX 3
#define TOLD_MAX    16384

#define HELLO                                                                                      \
	"S: 220 mx.example ESMTP\nC: EHLO gate.example\nS: 250-mx.example\nS: 250-PIPELINING\n"    \
	"S: 250-SIZE 1000\nS: 250-8BITMIME\nS: 250 XYZZY\n"
#define MAIL_OK "C: MAIL FROM:<a@s.example>\nS: 250 2.1.0 sender\n"
#define RCPT_OK "C: RCPT TO:<b@d.example>\nS: 250 2.1.5 recipient\n"
#define DATA_OK "C: DATA\nS: 354 go\nD\nS: 250 2.0.0 queued\n"

#define ALL_OK       "MAIL 250 2.1.0 sender; RCPT0 250 2.1.5 recipient; MESSAGE 250 2.0.0 queued; "
#define SCRIPTS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_SERVER    "451 lost 4.4.1 no mail server can be reached, try again later; "

/* Of a cmocka test with a fixture. */
#define WITH_BACKENDS(test) cmocka_unit_test_setup_teardown(test, backend_setup, backend_teardown)

struct play;

struct script_server {
	struct listener *listener;
	uint16_t port;
	const char
		*script[SCRIPTS_MAX]; /* of the connections after the first; the last is used on */
	size_t scripts, connections;
	const char *hello; /* of the first */
	LIST_HEAD(, play) plays;
	char *message; /* of all D, one behind the other, as they came */
	size_t message_size;
	struct tls_context *tls;
	char wrong[512]; /* the first thing that was not as the script says */
	size_t open;
};

struct backend_fixture {
	struct script_server server[SERVERS_MAX];
	size_t servers;
	struct conf *conf;
	struct backends *backends;
	struct backend_mail *mail;
	char told[TOLD_MAX]; /* "MAIL 250 2.1.0 sender; RCPT0 250 ...; " */
	unsigned int answers;
	bool end_at_reply;   /* ends the transaction inside of the next callback */
	bool close_at_reply; /* likewise everything */
	void (*then)(struct backend_fixture *fixture);
	struct spool_limits limits;
	struct spool *spool;
};

/* For cmocka; the loop is the one of stream_fixture.h. */
int backend_setup(void **state);
int backend_teardown(void **state);

/* A server with its scripts, ended by NULL. Returns its row, to be changed before the start. */
struct conf_backend *add_server(struct backend_fixture *fixture, const char *const *script);
/* Opens, and waits until every server has been asked. */
void start(struct backend_fixture *fixture);
/* The same, and the first dialogues have not begun. */
void begin(struct backend_fixture *fixture);
void stop(struct backend_fixture *fixture);

extern const struct backend_client client_of_test;
void mail_from(struct backend_fixture *fixture, const char *from, unsigned int features);
void mail_from_client(struct backend_fixture *fixture, const struct backend_client *client);
void rcpt(struct backend_fixture *fixture, const char *to);
void message(struct backend_fixture *fixture, const char *text, size_t size);
/* Until so many answers have come in all. */
void until(struct backend_fixture *fixture, unsigned int answers);
/* Until nothing happens any more. */
void settle(struct backend_fixture *fixture);
void check_told(struct backend_fixture *fixture, const char *expected);
/* Every connection did what its script says, and this was the last. */
void check_scripts(struct backend_fixture *fixture);
/* A round of what is done by time, as if that much had passed. */
void tick(struct backend_fixture *fixture, uint64_t ms);
/* The first two steps of a transaction, answered. */
void begin_one(struct backend_fixture *fixture);
/* A whole transaction with one recipient and a small message. */
void send_one(struct backend_fixture *fixture);
/* Two, one after the other; both are taken, and that is all that the scripts say. */
void send_two(struct backend_fixture *fixture);
struct backend_info info_of(struct backend_fixture *fixture, size_t server);

#endif
