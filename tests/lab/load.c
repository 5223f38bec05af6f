/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load.c - SMTP clients for the benchmark of fronts: many at a time, from many addresses, on one
 * CPU and in one process, so that what is measured is the server.
 *
 * usage: load MODE SERVER PORT COUNT CLIENTS SOURCES SIZE
 *   MODE     connect  waits for the greeting, and says QUIT where it is 220
 *            mail     a connection a message of SIZE octets
 *            starttls EHLO, STARTTLS, a full handshake of TLS 1.3, QUIT inside it
 *            tls12    likewise, of TLS 1.2
 *            hold     opens COUNT connections, prints {"open": n}, and holds them until SIGTERM
 *            holdehlo likewise, after EHLO
 *            holdtls  likewise, after EHLO, STARTTLS, and EHLO inside of it
 *   CLIENTS  at a time; SOURCES a prefix as 203.0.113.0/24 of which each connection takes the next
 *
 * prints {"seconds", "good", "refused", "failed", "median", "p99", "tls"}: of the connections in
 * the whole time; milliseconds from connect() to the last reply that counts (the final 250, or the
 * greeting); what TLS has agreed on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load_tls.h"

#define CLIENTS_MAX 16384
#define REPLY_MAX   2048
#define EVENTS      256
#define PATIENCE_MS 20000
#define EHLO        "EHLO mail.addressed.example\r\n"
#define STALLED_MS  15000 /* without an event: more connections are not to be had */

enum mode { CONNECT, MAIL, STARTTLS, TLS12, HOLD, HOLDEHLO, HOLDTLS };
static const char *const modes[] = { "connect", "mail",     "starttls", "tls12",
				     "hold",    "holdehlo", "holdtls" };

enum stage { GREETING, HELLO, TLS_WANTED, HANDSHAKE, FROM, TO, DATA, TEXT, QUIT, HELD };

struct client {
	int fd;
	enum stage stage;
	double began, took; /* ms of now(); ms to what counts, or 0 */
	SSL *tls;
	size_t have, out, sent; /* octets of `reply`; of `output`, and how many of them are gone */
	const char *output;
	char reply[REPLY_MAX];
};

static struct {
	enum mode mode;
	struct sockaddr_in server;
	uint32_t source, hosts, next;
	size_t count, clients, started, done, good, refused, failed, held, timed;
	char *message;
	size_t message_size;
	SSL_CTX *tls;
	char agreed[AGREED_MAX]; /* by the first client that had TLS */
	int poll;
	double *times;
	struct client *client;
	volatile sig_atomic_t end;
} load;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void on_term(int number)
{
	(void)number;
	load.end = 1;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void begin(struct client *client);

enum outcome { GOOD, REFUSED, FAILED };

static void finish(struct client *client, enum outcome outcome)
{
	size_t *counts[] = { &load.good, &load.refused, &load.failed };

	if (client->took > 0)
		load.times[load.timed++] = client->took;
	++*counts[outcome];
	if (client->tls)
		SSL_free(client->tls);
	client->tls = NULL;
	close(client->fd);
	client->fd = -1;
	load.done++;
	if (load.started < load.count)
		begin(client);
}

/* How long it took to what counts; once a connection. */
static void took(struct client *client)
{
	client->took = now() - client->began;
}

static void watch(struct client *client, uint32_t events, int how)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	if (epoll_ctl(load.poll, how, client->fd, &event))
		fail("epoll_ctl");
}

static void begin(struct client *client)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	int one = 1;

	load.started++;
	own.sin_addr.s_addr = htonl(load.source + 1 + load.next++ % load.hosts);
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (client->fd < 0)
		fail("socket");
	setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(client->fd, (struct sockaddr *)&own, sizeof(own)))
		fail("bind");
	client->stage = GREETING;
	client->have = client->out = client->sent = 0;
	client->began = now();
	client->took = 0;
	if (connect(client->fd, (struct sockaddr *)&load.server, sizeof(load.server)) &&
	    errno != EINPROGRESS)
		fail("connect");
	watch(client, EPOLLIN, EPOLL_CTL_ADD);
}

/* False: it has failed. */
static bool flush(struct client *client)
{
	while (client->sent < client->out) {
		size_t left = client->out - client->sent;
		ssize_t size = client->tls ? SSL_write(client->tls, client->output + client->sent,
						       (int)left)
					   : write(client->fd, client->output + client->sent, left);

		if (size <= 0) {
			watch(client, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
			return client->tls || errno == EAGAIN;
		}
		client->sent += (size_t)size;
	}
	return true;
}

static bool say(struct client *client, enum stage next, const char *text, size_t size)
{
	client->stage = next;
	client->output = text;
	client->out = size;
	client->sent = 0;
	return flush(client);
}
#define SAY(client, next, text) say(client, next, text, sizeof(text) - 1)

static bool hold(struct client *client)
{
	client->stage = HELD;
	load.held++;
	return true;
}

static bool shake(struct client *client)
{
	int done = SSL_do_handshake(client->tls);

	if (done == 1) {
		if (!*load.agreed)
			tls_agreed(client->tls, load.agreed);
		if (load.mode == HOLDTLS)
			return SAY(client, HELLO, EHLO);
		took(client);
		return SAY(client, QUIT, "QUIT\r\n");
	}
	int why = SSL_get_error(client->tls, done);

	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static bool begin_tls(struct client *client)
{
	client->stage = HANDSHAKE;
	client->tls = SSL_new(load.tls);
	SSL_set_fd(client->tls, client->fd);
	SSL_set_connect_state(client->tls);
	return shake(client);
}

static bool greeted(struct client *client)
{
	if (load.mode == CONNECT) {
		took(client);
		return SAY(client, QUIT, "QUIT\r\n");
	}
	return load.mode == HOLD ? hold(client) : SAY(client, HELLO, EHLO);
}

static bool wants_tls(const struct client *client)
{
	return !client->tls &&
	       (load.mode == STARTTLS || load.mode == TLS12 || load.mode == HOLDTLS);
}

static bool said_hello(struct client *client)
{
	if (wants_tls(client))
		return SAY(client, TLS_WANTED, "STARTTLS\r\n");
	if (load.mode == HOLDEHLO || load.mode == HOLDTLS)
		return hold(client);
	return SAY(client, FROM, "MAIL FROM:<sender@addressed.example>\r\n");
}

/* What follows a reply; false: it has failed. */
static bool next(struct client *client, char code)
{
	switch (client->stage) {
	case GREETING:
		return greeted(client);
	case HELLO:
		return said_hello(client);
	case TLS_WANTED:
		return begin_tls(client);
	case FROM:
		return SAY(client, TO, "RCPT TO:<user@own.example>\r\n");
	case TO:
		return SAY(client, DATA, "DATA\r\n");
	case DATA:
		return code == '3' && say(client, TEXT, load.message, load.message_size);
	case TEXT:
		took(client);
		return SAY(client, QUIT, "QUIT\r\n");
	default:
		return true;
	}
}

/* One reply of one or several lines; false: the connection is over. */
static bool reply(struct client *client)
{
	char *line = client->reply;

	client->reply[client->have] = '\0';
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		if (end - line < 4 || line[3] == '-')
			continue;
		char code = line[0];

		client->have = 0;
		if (code == '4' || code == '5') {
			took(client);
			finish(client, REFUSED);
			return false;
		}
		if (client->stage == QUIT) {
			finish(client, GOOD);
			return false;
		}
		if (!next(client, code)) {
			finish(client, FAILED);
			return false;
		}
		return true;
	}
	return true;
}

static void readable(struct client *client)
{
	if (client->stage == HANDSHAKE) {
		if (!shake(client))
			finish(client, FAILED);
		return;
	}
	size_t room = REPLY_MAX - 1 - client->have;
	ssize_t size = client->tls ? SSL_read(client->tls, client->reply + client->have, (int)room)
				   : read(client->fd, client->reply + client->have, room);

	if (size <= 0) {
		bool later = client->tls
				     ? SSL_get_error(client->tls, (int)size) == SSL_ERROR_WANT_READ
				     : errno == EAGAIN && size < 0;

		if (!later)
			finish(client, client->stage == QUIT ? GOOD : FAILED);
		return;
	}
	client->have += (size_t)size;
	reply(client);
}

static void on_event(struct client *client, uint32_t events)
{
	if (client->fd < 0)
		return;
	if (events & EPOLLOUT) {
		watch(client, EPOLLIN, EPOLL_CTL_MOD);
		if (client->stage != HANDSHAKE && !flush(client)) {
			finish(client, FAILED);
			return;
		}
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		readable(client);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static void setup(char **argv)
{
	char *slash = strchr(argv[6], '/');

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i]))
			load.mode = (enum mode)i;
	load.server.sin_family = AF_INET;
	inet_pton(AF_INET, argv[2], &load.server.sin_addr);
	load.server.sin_port = htons((uint16_t)atoi(argv[3]));
	load.count = strtoul(argv[4], NULL, 10);
	load.clients = strtoul(argv[5], NULL, 10);
	*slash = '\0';
	inet_pton(AF_INET, argv[6], &load.source);
	load.source = ntohl(load.source);
	load.hosts = (1u << (32 - atoi(slash + 1))) - 2;
	size_t size = strtoul(argv[7], NULL, 10);

	load.message = malloc(size + 256);
	int used = sprintf(load.message,
			   "From: <sender@addressed.example>\r\nTo: <user@own.example>\r\n"
			   "Subject: load\r\n\r\n");
	load.message_size = (size_t)used;
	while (load.message_size < size)
		load.message_size +=
			(size_t)sprintf(load.message + load.message_size,
					"A line of text as there are many of them.\r\n");
	load.message_size += (size_t)sprintf(load.message + load.message_size, ".\r\n");
	load.tls = tls_client(load.mode == TLS12 ? TLS1_2_VERSION : TLS1_3_VERSION);
	load.times = calloc(load.count + CLIENTS_MAX, sizeof(*load.times));
	load.client = calloc(load.clients, sizeof(*load.client));
	load.poll = epoll_create1(0);
}

static void work(void)
{
	struct epoll_event events[EVENTS];
	bool holds = load.mode >= HOLD;
	size_t said = 0, opened = 0;

	/* Held connections are opened a few at a time, so that no queue overflows. */
	for (; opened < load.clients && load.started < load.count && (!holds || opened < 64);
	     opened++)
		begin(&load.client[opened]);
	double last = now();

	while (!load.end && load.done < load.count) {
		int number = epoll_wait(load.poll, events, EVENTS, 1000);

		for (int i = 0; i < number; i++)
			on_event(events[i].data.ptr, events[i].events);
		while (holds && opened < load.clients && opened < load.held + load.done + 64)
			begin(&load.client[opened++]);
		if (holds && !said &&
		    (load.held + load.done == load.clients || now() - last > STALLED_MS))
			said = (size_t)printf("{\"open\": %zu}\n", load.held), fflush(stdout);
		if (number > 0)
			last = now();
		else if (!holds && now() - last > PATIENCE_MS)
			break;
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (argc != 8) {
		fprintf(stderr, "usage: load MODE SERVER PORT COUNT CLIENTS SOURCES SIZE\n");
		return 2;
	}
	signal(SIGTERM, on_term);
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	setup(argv);
	double start = now();

	work();
	size_t all = load.good + load.refused + load.failed;
	double seconds = (now() - start) / 1e3;

	qsort(load.times, load.timed, sizeof(*load.times), compare);
	printf("{\"seconds\": %.3f, \"good\": %zu, \"refused\": %zu, \"failed\": %zu, \"median\": "
	       "%.3f, "
	       "\"p99\": %.3f, \"tls\": \"%s\"}\n",
	       seconds, load.good, load.refused, load.failed + (load.count - all),
	       load.timed ? load.times[load.timed / 2] : 0,
	       load.timed ? load.times[load.timed * 99 / 100] : 0, load.agreed);
	return 0;
}
